//! `baken-server org pack`: start packs. An invite and a page to print, for one person or for a whole new council from a
//! table. A page holds a secret, so it is written for its keeper alone, and says to destroy it once it is used.
//!
//! All or nothing: a table with one line at fault makes no invite, and the pages appear as one folder once the book and
//! what the relay must be told are on disk.

use std::path::{Path, PathBuf};

use askama::Template;
use baken_schemas::Language;
use baken_schemas::edition::{Audience, Layers, Office, Reader, compile, plain, shipped};
use baken_schemas::org::{Invite, InviteRole};
use baken_schemas::rules::{Situation, decide};
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use clap::Args;
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::json;

use crate::cli::edition::files;
use crate::cli::org::{MAX_VALID_HOURS, keep_unsent, load, publish, unsent, write_book};
use crate::cli::{Failure, Say, system_rng};
use crate::folder::{Access, DataFolder, read_whole, write_whole};
use crate::org::{Invitee, LineFault, Newcomer, Organisation, read_council, read_person};

/// Makes start packs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  baken-server org pack --data org --csv council.csv --out packs --publish\n  \
    baken-server org pack --data org --name \"A. Testma\" --office raadslid --phone 0600000001 --out packs --publish\n\
    The table's first line names the columns: naam, ambt, telefoon (or name, office, phone). Commas, semicolons or tabs.\n\
    Print each page, hand it over in person, and destroy the folder: whoever has a page first becomes that person.")]
pub(super) struct Pack {
    /// The root's folder
    #[arg(long)]
    data: PathBuf,
    /// The table of a whole council
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "office", "phone"], required_unless_present = "name")]
    csv: Option<PathBuf>,
    /// One person's name
    #[arg(long, requires_all = ["office", "phone"])]
    name: Option<String>,
    /// Their office, as a tag or as it is called in Dutch
    #[arg(long)]
    office: Option<String>,
    /// Where a desk calls them back
    #[arg(long)]
    phone: Option<String>,
    /// The folder of the pages; it must not be there yet
    #[arg(long)]
    out: PathBuf,
    /// The source of the organisation's edition, for its own chapters and numbers
    #[arg(long, value_name = "DIR")]
    edition: Option<PathBuf>,
    /// For how many hours the invites are good
    #[arg(long, default_value_t = 14 * 24, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_VALID_HOURS)))]
    valid_hours: u32,
    /// Invite people who were invited before, too
    #[arg(long)]
    again: bool,
    /// Tell the relay of the invites
    #[arg(long)]
    publish: bool,
}

/// The page of one person.
#[derive(Template)]
#[template(path = "pack.html")]
struct Page<'a> {
    language: &'a str,
    words: &'a Words,
    organisation: &'a str,
    name: &'a str,
    office: &'a str,
    until: &'a str,
    invite: &'a str,
    /// The invite as a picture, made here.
    code: String,
    /// What to do, chapter by chapter: a title, and its items.
    chapters: Vec<(String, Vec<String>)>,
    /// What the rules say: a sentence, and what it rests on.
    rules: Vec<(String, Vec<String>)>,
    /// A number, and whose it is.
    contacts: Vec<(String, String)>,
}

/// The sentences of a page.
struct Words {
    title: &'static str,
    first: &'static str,
    steps: [&'static str; 4],
    secret: &'static str,
    until: &'static str,
    checklist: &'static str,
    rules: &'static str,
    contacts: &'static str,
    emergency: &'static str,
}

const NL: Words = Words {
    title: "Startpakket veiligheid",
    first: "Uw toestel activeren",
    steps: [
        "Zet Baken op uw computer. Een app voor de telefoon is er nog niet.",
        "Open een terminal, typ baken activate - en druk op Enter. Typ de tekst onder de code over, of scan de code: hij zegt hetzelfde. Druk op Enter en dan op Ctrl-D.",
        "Kies een pincode die niemand kan raden.",
        "Vernietig dit blad.",
    ],
    secret: "Dit blad is van u alleen. Wie de code als eerste gebruikt, is voor de meldkamer u. Is iemand u voor geweest? Meld het meteen.",
    until: "De uitnodiging geldt tot",
    checklist: "Wat u in de eerste dertig dagen doet",
    rules: "Wat voor uw ambt geldt",
    contacts: "Wie u belt",
    emergency: "Bij direct gevaar belt u altijd 112.",
};

const EN: Words = Words {
    title: "Safety start pack",
    first: "Activating your device",
    steps: [
        "Put Baken on your computer. There is no app for the phone yet.",
        "Open a terminal, type baken activate - and press Enter. Type the text below the code, or scan the code: it says the same. Press Enter and then Ctrl-D.",
        "Choose a PIN that nobody can guess.",
        "Destroy this sheet.",
    ],
    secret: "This sheet is yours alone. To the desk, whoever uses the code first is you. Was somebody before you? Report it at once.",
    until: "The invite is good until",
    checklist: "What you do in the first thirty days",
    rules: "What holds for your office",
    contacts: "Whom you call",
    emergency: "In immediate danger always call 112.",
};

/// A chapter that everybody new reads, and the one for elected members.
const CHAPTERS: [&str; 2] = ["18-starting-in-office", "19-councillor"];

/// Runs it.
pub(super) async fn run(args: &Pack, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::open(&args.data)?;
    let mut organisation = load(&folder)?;
    let newcomers = newcomers(args, &organisation, say)?;
    let new_out = beside(&args.out);
    for there in [&args.out, &new_out] {
        if there.exists() {
            return Err(Failure::bad_input(
                "out_exists",
                format!("{} is er al. Noem een andere map, of ruim deze eerst op.", there.display()),
                format!("{} is there already. Name another folder, or clear this one away first.", there.display()),
            ));
        }
    }
    let layers = layers(args)?;
    let before = organisation.book.clone();
    let now = SystemClock.now();
    let expires_at = now.plus_ms(i64::from(args.valid_hours) * 3_600_000);
    let (mut pages, mut documents, mut packs) = (Vec::new(), Vec::new(), Vec::new());
    for (number, newcomer) in (1..).zip(&newcomers) {
        let invitee = Invitee {
            name: newcomer.name.clone(),
            office: newcomer.office.dutch().to_owned(),
            phone: newcomer.phone.clone(),
            role: InviteRole::OfficeHolder,
        };
        let issued = organisation.invite(invitee, expires_at, &mut system_rng()?)?;
        let file = format!("{number:03}-{}.html", newcomer.office.tag());
        let text = Invite::to_text(&issued.invite);
        let page = page(newcomer, &text, (&layers, &organisation.book.name, now, expires_at), say.language())?;
        packs.push(json!({
            "account": issued.invite.value().account, "name": newcomer.name, "office": newcomer.office, "file": file,
        }));
        pages.push((file, page));
        documents.extend(issued.documents);
    }
    // The pages first, where nobody looks for them yet; then the book, or a later desk would not learn of these people;
    // then what the relay is told. Only then the folder gets its name.
    let kept = write_pages(&new_out, &pages)
        .and_then(|()| write_book(&folder, &organisation.book))
        .and_then(|()| keep_unsent(&folder, &documents))
        .and_then(|()| Ok(std::fs::rename(&new_out, &args.out)?));
    if let Err(failure) = kept {
        undo(&folder, &before, &new_out, &documents);
        return Err(failure);
    }
    let json = json!({ "packs": packs, "out": args.out, "expires_at": expires_at });
    let (count, until, out) = (packs.len(), expires_at.to_rfc3339(), args.out.display());
    let sent = if args.publish { Some(publish(&folder, &organisation).await) } else { None };
    let (nl, en) = (
        format!(
            "{count} startpakketten in {out}, geldig tot {until}. Druk ze af, geef ze persoonlijk, en ruim de map op."
        ),
        format!(
            "{count} start packs in {out}, good until {until}. Print them, hand them over in person, and destroy the folder."
        ),
    );
    say.say(&json, &nl, &en);
    sent.transpose().map(drop)
}

/// Takes back what was written before something failed.
fn undo(folder: &DataFolder, before: &crate::org::Book, new_out: &Path, documents: &[Vec<u8>]) {
    // The failure that is told is the one that came first.
    let _ = std::fs::remove_dir_all(new_out);
    let _ = write_book(folder, before);
    for (_, path) in unsent(folder).unwrap_or_default() {
        if read_whole(&path).is_ok_and(|bytes| documents.contains(&bytes)) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Who begins: of the table, or the one who was typed.
fn newcomers(args: &Pack, organisation: &Organisation, say: &Say) -> Result<Vec<Newcomer>, Failure> {
    let known = &organisation.book.people;
    let (read, at) = match (&args.csv, &args.name, &args.office, &args.phone) {
        (Some(path), ..) => (read_council(&read_whole(path)?, known, args.again), path.display().to_string()),
        (None, Some(name), Some(office), Some(phone)) => {
            (read_person([name, office, phone], known, args.again).map(|person| vec![person]), String::new())
        }
        _ => return Err(Failure::unexpected("arguments", &"neither a table nor a person")),
    };
    read.map_err(|faults| {
        let told = |language: Language| {
            let line = |fault: &LineFault| match (at.is_empty(), language) {
                (true, _) => fault.told(language).to_owned(),
                (false, Language::Nl) => format!("{at}, regel {}: {}", fault.line, fault.nl),
                (false, Language::En) => format!("{at}, line {}: {}", fault.line, fault.en),
            };
            faults.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        if say.is_json() {
            for fault in &faults {
                let message = fault.told(say.language());
                say.say(&json!({ "fault": { "line": fault.line, "message": message } }), "", "");
            }
        }
        Failure::bad_input(
            "bad_council",
            format!("Er is niets gemaakt.\n{}", told(Language::Nl)),
            format!("Nothing was made.\n{}", told(Language::En)),
        )
    })
}

fn layers(args: &Pack) -> Result<Layers, Failure> {
    let shipped = shipped::edition().map_err(|_| Failure::unexpected("shipped_edition", &"it cannot be read"))?;
    let mut layers = Layers::new(shipped);
    if let Some(folder) = &args.edition {
        let own = compile(&files::read(folder)?).map_err(|findings| {
            let first = |language| findings.first().map(|finding| finding.told(language)).unwrap_or_default();
            Failure::bad_input("edition_unusable", first(Language::Nl), first(Language::En))
        })?;
        layers.add(own);
    }
    Ok(layers)
}

fn page(
    newcomer: &Newcomer,
    invite: &str,
    (layers, organisation, now, expires_at): (&Layers, &str, Timestamp, Timestamp),
    language: Language,
) -> Result<String, Failure> {
    let office = newcomer.office;
    let reader = Reader { layers, language, audience: Audience::OfficeHolder, office: Some(office), now };
    let code = QrCode::new(invite.as_bytes()).map_err(|error| Failure::unexpected("qr_code", &error))?;
    let code = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // The picture stands within the page: no head of a file of its own.
    let code = code.split_once("?>").map_or(code.clone(), |(_, picture)| picture.to_owned());
    let chapters = CHAPTERS
        .iter()
        .filter_map(|id| reader.chapter(id))
        .filter(|chapter| reader.is_for(&chapter.audience, &chapter.offices));
    let chapters =
        chapters.map(|chapter| (chapter.title, chapter.checklist.iter().map(|item| plain(item, false)).collect()));
    let (nl, en) = (office.dutch(), office.tag());
    let page = Page {
        language: language.pick("nl", "en"),
        words: language.pick(&NL, &EN),
        organisation,
        name: &newcomer.name,
        office: language.pick(nl, en),
        until: &baken_schemas::local_time::local(expires_at),
        invite,
        code,
        chapters: chapters.collect(),
        rules: rules(&reader, office)?,
        contacts: reader.contacts(None).into_iter().map(|contact| (contact.number, contact.name)).collect(),
    };
    page.render().map_err(|error| Failure::unexpected("page", &error))
}

/// What the rules say to whoever begins in an office, as far as it is for them.
fn rules(reader: &Reader<'_>, office: Office) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let on = reader.today();
    let cover = baken_schemas::rules::recorded_cover(reader.layers, office, on);
    let mut situation = Situation { new_in_office: true, ..Situation::ordinary(office, on) };
    situation.cover = cover.unwrap_or(situation.cover);
    let decision = decide(reader.layers, &situation).map_err(|error| Failure::unexpected("rules", &error))?;
    let answers = reader.decision(&decision).answers;
    let own = answers.into_iter().filter(|answer| answer.audience.contains(&Audience::OfficeHolder));
    Ok(own.map(|answer| (answer.text.to_owned(), answer.facts.into_iter().map(|fact| fact.text).collect())).collect())
}

/// The folder that becomes `out`.
fn beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    out.with_file_name(name)
}

fn write_pages(folder: &Path, pages: &[(String, String)]) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for (file, page) in pages {
        write_whole(&folder.join(file), page.as_bytes(), Access::Secret)?;
    }
    Ok(())
}
