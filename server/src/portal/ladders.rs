//! Who is called when: the organisation's directory, its ladders with what is missing in them, and changing one after
//! seeing what changes.

use askama::Template;
use axum::Form;
use axum::http::StatusCode;
use axum::response::Response;
use baken_schemas::org::{CallsFamily, Directory, Ladder, LadderUse, Rung};
use serde::Deserialize;

use crate::cli::Failure;
use crate::org::LadderSpec;
use crate::portal::commands::FLAG;
use crate::portal::guard::Visit;
use crate::portal::words::Words;
use crate::portal::{Frame, done, refused, render};

/// A ladder that lets nobody be called for longer than this, in seconds, has a hole.
const LONG_WAIT_S: u32 = 120;

struct ShownLadder {
    name: String,
    /// How a keeper writes it down.
    written: String,
    for_check_ins: bool,
    rungs: Vec<String>,
    total: u32,
}

#[derive(Template)]
#[template(path = "portal/ladders.html")]
struct LaddersPage {
    frame: Frame,
    version: u64,
    desks: Vec<String>,
    sms_number: String,
    ladders: Vec<ShownLadder>,
    holes: Vec<String>,
}

#[derive(Template)]
#[template(path = "portal/ladder_preview.html")]
struct PreviewPage {
    frame: Frame,
    before: Option<ShownLadder>,
    after: ShownLadder,
    holes: Vec<String>,
    sms_before: String,
    sms_number: String,
    /// What the keeper of the root types, where that is not here.
    command: String,
}

fn desk_name(directory: &Directory, desk: baken_schemas::id::DeviceId) -> String {
    directory.desk(desk).map_or_else(|| desk.to_string(), |desk| desk.name.clone())
}

fn rung(directory: &Directory, rung: &Rung, words: &Words) -> (String, String) {
    let mut names: Vec<String> = rung.responders.iter().map(|desk| desk_name(directory, *desk)).collect();
    let mut written = names.clone();
    if rung.family == CallsFamily::Yes {
        names.insert(0, words.family.to_owned());
        written.insert(0, "familie".to_owned());
    }
    (
        format!("{} · {} {} s", names.join(" + "), words.waits, rung.wait_s),
        format!("{}:{}", written.join("+"), rung.wait_s),
    )
}

fn shown(directory: &Directory, ladder: &Ladder, words: &Words) -> ShownLadder {
    let (rungs, written): (Vec<_>, Vec<_>) = ladder.rungs.iter().map(|one| rung(directory, one, words)).unzip();
    ShownLadder {
        name: ladder.name.clone(),
        written: format!("{}={}", ladder.name, written.join(",")),
        for_check_ins: ladder.serves == LadderUse::CheckIns,
        rungs,
        total: ladder.rungs.iter().map(|rung| rung.wait_s).sum(),
    }
}

/// What is missing in a directory: who is never called, where nobody else is, where somebody waits long.
pub(super) fn holes(directory: &Directory, words: &Words) -> Vec<String> {
    let mut holes = Vec::new();
    if directory.desks.len() < 2 {
        holes.push(words.hole_one_desk.to_owned());
    }
    for desk in &directory.desks {
        let is_called = |ladder: &Ladder| ladder.rungs.iter().any(|rung| rung.responders.contains(&desk.desk));
        if !directory.ladders.iter().any(is_called) {
            holes.push(format!("{} {}", words.hole_desk, desk.name));
        }
    }
    for ladder in &directory.ladders {
        holes.extend(holes_of(ladder, directory.desks.len()).map(|hole| format!("{}: {}", ladder.name, hole(words))));
    }
    if !directory.ladders.iter().any(|ladder| ladder.serves == LadderUse::CheckIns) {
        holes.push(words.hole_check_ins.to_owned());
    }
    if directory.sms_number.is_none() {
        holes.push(words.hole_sms.to_owned());
    }
    holes
}

type HoleWords = fn(&Words) -> &'static str;

fn holes_of(ladder: &Ladder, desks: usize) -> impl Iterator<Item = HoleWords> {
    let last = ladder.rungs.last().map_or(0, |rung| rung.responders.len());
    let longest = ladder.rungs.iter().map(|rung| rung.wait_s).max().unwrap_or_default();
    let only = ladder.rungs.len() == 1;
    let found: [(bool, HoleWords); 3] = [
        (only, |words| words.hole_one_rung),
        (last < 2 && desks > 1, |words| words.hole_last_rung),
        (longest > LONG_WAIT_S, |words| words.hole_long),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, say)| say)
}

/// `GET /ladders`.
pub(super) async fn show(visit: Visit) -> Response {
    let directory = match visit.directory() {
        Ok(directory) => directory,
        Err(failure) => return refused(&visit, &failure),
    };
    let words = visit.words();
    let page = LaddersPage {
        version: directory.version,
        desks: directory.desks.iter().map(|desk| desk.name.clone()).collect(),
        sms_number: directory.sms_number.clone().unwrap_or_default(),
        ladders: directory.ladders.iter().map(|ladder| shown(&directory, ladder, words)).collect(),
        holes: holes(&directory, words),
        frame: visit.frame(&directory.name, "/ladders?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of the form: a ladder as a keeper writes it down.
#[derive(Deserialize)]
pub(super) struct Changed {
    ladder: String,
    /// `1` for one that is climbed for check-ins.
    #[serde(default)]
    check_ins: String,
    #[serde(default)]
    sms_number: String,
}

impl Changed {
    fn option(&self) -> &'static str {
        if self.check_ins == "1" { "check-in-ladder" } else { "ladder" }
    }

    /// The directory as it would be, and the ladder in it.
    fn applied(&self, directory: &Directory) -> Result<(Directory, Ladder), Failure> {
        let spec: LadderSpec = self.ladder.parse()?;
        let spec = if self.check_ins == "1" { spec.for_check_ins() } else { spec };
        let before = directory.ladders.iter().find(|ladder| ladder.name == spec.name && ladder.serves == spec.serves);
        let mut ladder = match before {
            Some(before) => before.clone(),
            None => Ladder {
                ladder: baken_schemas::id::LadderId([0; 16]),
                version: 0,
                name: spec.name.clone(),
                rungs: Vec::new(),
                serves: spec.serves,
            },
        };
        ladder.rungs = spec.rungs(&directory.desks)?;
        let mut after = directory.clone();
        // The command takes all ladders of a use anew; this form changes one, so the others of that use go along.
        after.ladders.retain(|other| other.name != ladder.name || other.serves != ladder.serves);
        after.ladders.push(ladder.clone());
        after.sms_number = Some(self.sms_number.trim().to_owned()).filter(|number| !number.is_empty());
        Ok((after, ladder))
    }

    /// The options of the command: this ladder, and the others of its use as they are.
    fn ladders(&self, after: &Directory, words: &Words) -> Vec<String> {
        let serves = if self.check_ins == "1" { LadderUse::CheckIns } else { LadderUse::Alarms };
        let of_use = after.ladders.iter().filter(|ladder| ladder.serves == serves);
        of_use.map(|ladder| shown(after, ladder, words).written).collect()
    }
}

/// `POST /ladders/preview`: what would change, before anything is signed.
pub(super) async fn preview(visit: Visit, Form(form): Form<Changed>) -> Response {
    let (words, found) = (visit.words(), visit.directory().and_then(|now| Ok((form.applied(&now)?, now))));
    let ((after, ladder), now) = match found {
        Ok(found) => found,
        Err(failure) => return refused(&visit, &failure),
    };
    let same = |other: &&Ladder| other.name == ladder.name && other.serves == ladder.serves;
    let ladders: Vec<String> =
        form.ladders(&after, words).iter().map(|ladder| format!("--{} {}", form.option(), quoted(ladder))).collect();
    let page = PreviewPage {
        before: now.ladders.iter().find(same).map(|ladder| shown(&now, ladder, words)),
        after: shown(&after, &ladder, words),
        holes: holes(&after, words),
        sms_before: now.sms_number.clone().unwrap_or_default(),
        sms_number: after.sms_number.clone().unwrap_or_default(),
        command: format!(
            "baken-server org directory --data ORG {} --sms-number {} --publish",
            ladders.join(" "),
            quoted(after.sms_number.as_deref().unwrap_or_default())
        ),
        frame: visit.frame(&now.name, "/ladders/preview?"),
    };
    render(StatusCode::OK, &page)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `POST /ladders/sign`: signs the next directory here, and sends it.
pub(super) async fn sign(visit: Visit, Form(form): Form<Changed>) -> Response {
    let words = visit.words();
    let (after, _) = match visit.directory().and_then(|now| form.applied(&now)) {
        Ok(applied) => applied,
        Err(failure) => return refused(&visit, &failure),
    };
    let ladders = form.ladders(&after, words);
    let mut options: Vec<(&str, &str)> = ladders.iter().map(|ladder| (form.option(), ladder.as_str())).collect();
    // An empty number takes it away, which is an option with nothing behind its equals sign.
    match &after.sms_number {
        Some(number) => options.push(("sms-number", number)),
        None => options.push(("sms-number=", FLAG)),
    }
    options.push(("publish", FLAG));
    done(&visit, "/ladders", visit.root_command(&["org", "directory"], &options).await)
}
