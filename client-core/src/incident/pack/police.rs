//! For the police: a page to read and print, the evidence beside it, a list of hashes, and a signed statement.

use std::path::Path;

use baken_schemas::Language;
use baken_schemas::id::RecordId;
use baken_schemas::local_time::local;
use baken_schemas::pack::{MAX_CHANGES, PackChange, PackFile, PackStatement};
use baken_schemas::record::{DELETED, Value};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::html::Page;
use super::verify::{HASHES, STATEMENT};
use super::{Packed, write};
use crate::attachment::{AttachmentView, Existing, Hashing, Part};
use crate::disk;
use crate::export::{harmless, make_private_folder};
use crate::incident::label;
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// The page.
const PAGE: &str = "overdracht.html";
/// The folder with the evidence.
const EVIDENCE: &str = "bewijs";
/// The largest picture that is in the page itself, and all together, in bytes.
const MAX_PICTURE_BYTES: u64 = 8 * 1024 * 1024;
const MAX_PICTURES_BYTES: u64 = 40 * 1024 * 1024;

/// What a pack says in words: what it proves, and what not.
const PROVES: &str = "De ondertekening bewijst dat deze bestanden zijn samengesteld door het toestel met de vingerafdruk \
    hieronder, en sindsdien niet zijn veranderd. Vraag de melder om dezelfde vingerafdruk op diens toestel te laten zien. \
    Ze bewijst niet wie een foto of opname heeft gemaakt, of wat erop staat klopt, en niet dat een klok goed stond: de \
    tijdstippen zijn die van de klok van het toestel dat iets vastlegde. Bestanden zijn niet bewerkt; wat een camera erin \
    schreef (EXIF), staat er nog in.";

/// A file of evidence as it lies in the pack.
struct Evidence {
    view: AttachmentView,
    record: RecordView,
    file: PackFile,
}

impl Baken {
    pub(super) fn pack_for_police(&self, incident: RecordId, folder: &Path) -> Result<Packed, BakenError> {
        let record = self.incident(incident)?;
        let mut packed = Packed::default();
        let evidence = self.evidence(&record, folder, &mut packed)?;
        let (status, changes) = (self.status()?, self.changes_of(&record, &evidence)?);
        let keys = self.with_vault(|open| Ok(open.keys.clone()))?;
        let mut statement = PackStatement {
            device: keys.device,
            key: keys.sig.verify_key(),
            made_at: self.context.now(),
            record: incident,
            files: evidence.iter().map(|evidence| evidence.file.clone()).collect(),
            changes,
            unsent: status.pending,
            last_sync: status.last_success,
        };
        let page = self.police_page(&record, &evidence, &statement, folder, &packed)?;
        write(folder, PAGE, page.as_bytes())?;
        statement.files.push(file_of(PAGE, page.as_bytes()));
        statement.files.sort_by(|a, b| a.name.cmp(&b.name));
        let hashes: String =
            statement.files.iter().map(|file| format!("{}  {}\n", HEXLOWER.encode(&file.sha256), file.name)).collect();
        write(folder, HASHES, hashes.as_bytes())?;
        statement.files.push(file_of(HASHES, hashes.as_bytes()));
        statement.files.sort_by(|a, b| a.name.cmp(&b.name));
        packed.fingerprint = Some(statement.fingerprint());
        packed.files = statement.files.iter().map(|file| file.name.clone()).collect();
        let signed = Signed::make(statement, &keys.sig);
        packed.files.push(write(folder, STATEMENT, signed.bytes())?);
        Ok(packed)
    }

    /// Writes the evidence of an incident, and says what each file is.
    fn evidence(&self, record: &RecordView, folder: &Path, packed: &mut Packed) -> Result<Vec<Evidence>, BakenError> {
        let mut all = Vec::new();
        let attachments = self.attachments(Some(record.record))?;
        // One circle's: what somebody hangs on it elsewhere is not part of it.
        let of_it = attachments.into_iter().filter(|view| !view.deleted && view.circle == record.circle);
        for (at, view) in of_it.enumerate() {
            if !view.here {
                packed.not_here.push(view.record);
                continue;
            }
            make_private_folder(&folder.join(EVIDENCE))?;
            let name = format!("{EVIDENCE}/{:03}-{}", at + 1, openable(&harmless(&view.name), &view.media_type));
            let path = folder.join(&name);
            self.save_attachment(view.record, Part::File, &path, Existing::Keep)?;
            let (size, sha256) = hash_file(&path)?;
            let record = self.record(view.record)?;
            if record.bytes("sha256").is_some_and(|noted| noted != sha256) {
                return Err(BakenError::AttachmentDamaged { part: "its hash is not the one noted when it was added" });
            }
            all.push(Evidence { view, record, file: PackFile { name, size, sha256 } });
        }
        all.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        Ok(all)
    }

    fn changes_of(&self, incident: &RecordView, evidence: &[Evidence]) -> Result<Vec<PackChange>, BakenError> {
        let mut changes = Vec::new();
        for record in [incident.record].into_iter().chain(evidence.iter().map(|evidence| evidence.view.record)) {
            let puts = self.history(record)?.into_iter().filter(|put| put.field != DELETED);
            changes.extend(puts.map(|put| PackChange { record, field: put.field, by: put.by, at: put.at }));
        }
        changes.sort_by_key(|change| (change.at, change.record, change.field));
        changes.truncate(MAX_CHANGES);
        Ok(changes)
    }

    fn police_page(
        &self,
        record: &RecordView,
        evidence: &[Evidence],
        statement: &PackStatement,
        folder: &Path,
        packed: &Packed,
    ) -> Result<String, BakenError> {
        let mut page = Page::new("Overdracht aan de politie: incident");
        page.paragraph("De melder bekleedt een politiek ambt (veilige publieke taak, VPT).");
        page.heading("Wat er is gebeurd");
        page.rows(facts(record).into_iter().filter(|(_, value)| !value.is_empty()));
        let linked = self.linked_rows(record)?;
        if !linked.is_empty() {
            page.heading("Hangt samen met");
            page.rows(linked.iter().map(|(name, value)| (name.as_str(), value.clone())));
        }
        page.heading("Bewijs");
        if evidence.is_empty() {
            page.paragraph("Er is geen bewijs bijgevoegd.");
        }
        let mut room = MAX_PICTURES_BYTES;
        for Evidence { view, record, file } in evidence {
            page.file([
                ("Bestand", file.name.clone()),
                ("Naam", view.name.clone()),
                ("Herkomst", label(&record.text("origin"), Language::Nl).to_owned()),
                ("Toegevoegd", moment(record.moment("added_at"))),
                ("Laatst gewijzigd", moment(record.moment("modified_at"))),
                ("Grootte", format!("{} bytes", file.size)),
                ("SHA-256", HEXLOWER.encode(&file.sha256)),
            ]);
            let is_picture = matches!(view.media_type.as_str(), "image/jpeg" | "image/png");
            if is_picture && file.size <= MAX_PICTURE_BYTES.min(room) {
                room = room.saturating_sub(file.size);
                page.picture(&view.media_type, &disk::read(folder.join(&file.name))?, &view.name);
            }
        }
        if !packed.not_here.is_empty() {
            page.paragraph(&format!(
                "Niet in deze map, want niet op dit toestel: {} bestand(en).",
                packed.not_here.len()
            ));
        }
        page.heading("Verklaring");
        page.paragraph(PROVES);
        let first = statement.changes.first().map(|change| change.at);
        page.rows([
            ("Samengesteld op", local(statement.made_at)),
            ("Eerst vastgelegd", moment(first)),
            ("Laatst aangepast", moment(statement.changes.last().map(|change| change.at))),
            ("Aantal wijzigingen", statement.changes.len().to_string()),
            ("Nog niet verzonden", format!("{} wijziging(en) van dit toestel", statement.unsent)),
            ("Laatst gesynchroniseerd", moment(statement.last_sync)),
            ("Toestel", statement.device.to_string()),
            ("Vingerafdruk", statement.fingerprint()),
            ("Nagaan", format!("baken incident verify MAP, of met de hand: sha256sum -c {HASHES}")),
        ]);
        Ok(page.finish())
    }

    /// What it is joined with: when, and what. No names, and nothing of another circle.
    fn linked_rows(&self, record: &RecordView) -> Result<Vec<(String, String)>, BakenError> {
        let timeline = self.timeline()?;
        let Some(own) = timeline.iter().find(|item| item.record == record.record) else { return Ok(Vec::new()) };
        let same = own.same_perpetrator.iter().map(|other| (other, "Zelfde dader"));
        let others = own.linked.iter().map(|other| (other, "Verband"));
        let row = |(other, name): (&RecordId, &str)| {
            let item = timeline.iter().find(|item| item.record == *other && item.circle == record.circle)?;
            Some((name.to_owned(), format!("{}: {}", moment(item.at), item.what)))
        };
        Ok(same.chain(others).filter_map(row).collect())
    }
}

/// What the page says of an incident: this list, and nothing beside it.
fn facts(record: &RecordView) -> Vec<(&'static str, String)> {
    let text = |name| record.text(name);
    let word = |name| label(&record.text(name), Language::Nl).to_owned();
    let at = record.moment("happened_at").or_else(|| record.moment("seen_at"));
    let said = |name, yes: &str, no: &str| match record.field(name) {
        Some(_) if record.is(name) => yes.to_owned(),
        Some(_) if record.says(name, &Value::Bool(false)) => no.to_owned(),
        _ => String::new(),
    };
    vec![
        ("Wat", text("what")),
        ("Wie", text("who")),
        ("Wanneer", at.map(local).unwrap_or_default()),
        ("Waar", text("place")),
        ("Waarmee", text("with_what")),
        ("Op welke wijze", text("how")),
        ("Waarom", text("why")),
        ("Bron van dreiging", word("threat_source")),
        ("Bron, in eigen woorden", text("source")),
        ("Getuigen", text("witnesses")),
        ("Politie", word("police")),
        ("Reden", text("police_reason")),
        ("Nummer", text("police_number")),
        ("Bij de politie op", record.moment("police_at").map(local).unwrap_or_default()),
        ("Eerder genoteerd", text("police_report")),
        ("VPT-code gevraagd", said("vpt_asked", "ja", "nee")),
        (
            "Domicilie",
            said("domicile_office", "op het adres van de organisatie", "niet op het adres van de organisatie"),
        ),
    ]
}

/// A name by which a computer knows what opens the file: what the person called it often has no ending.
fn openable(name: &str, media_type: &str) -> String {
    let is_ending = |end: &str| end.len() <= 5 && end.starts_with(char::is_alphabetic) && !end.contains(' ');
    let has_ending = name.rsplit_once('.').is_some_and(|(_, end)| is_ending(end));
    let ending = match media_type {
        _ if has_ending => "",
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "application/pdf" => ".pdf",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        "video/mp4" => ".mp4",
        "text/plain" => ".txt",
        _ => "",
    };
    format!("{name}{ending}")
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "onbekend".to_owned(), local)
}

fn file_of(name: &str, bytes: &[u8]) -> PackFile {
    PackFile { name: name.to_owned(), size: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
}

/// A file's size and hash, without having it in memory.
pub(super) fn hash_file(path: &Path) -> Result<(u64, [u8; 32]), BakenError> {
    let mut hash = Hashing(Sha256::new());
    let size = std::io::copy(&mut disk::File::open(path)?, &mut hash)?;
    Ok((size, hash.0.finalize().into()))
}
