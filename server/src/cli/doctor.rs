//! `baken-server doctor`: looks a data folder over and says, for each thing, whether it is well and what to do.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use baken_schemas::Language;
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use clap::Args;
use serde_json::json;

use crate::bridge::BridgeSettings;
use crate::cli::channel::standing_text;
use crate::cli::{Failure, Say, verify};
use crate::desk::duty::{ROSTER_FILE, Roster, local_now};
use crate::desk::{CHANNELS_FILE, Standing, channel_views};
use crate::folder::{DataFolder, FolderError, read_config_of, read_whole};
use crate::tls;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Room on the disk below which it warns, in bytes.
const ROOM_BYTES: u64 = 1024 * 1024 * 1024;
/// How long before a certificate ends it warns, in milliseconds.
const CERTIFICATE_MS: i64 = 21 * 24 * 3_600_000;

/// Looks a data folder over.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server doctor --data relay")]
pub(super) struct Doctor {
    /// The folder
    #[arg(long)]
    data: PathBuf,
}

/// One thing that was looked at.
struct Finding {
    check: &'static str,
    ok: bool,
    nl: String,
    en: String,
}

fn finding(check: &'static str, ok: bool, nl: impl Into<String>, en: impl Into<String>) -> Finding {
    Finding { check, ok, nl: nl.into(), en: en.into() }
}

/// Runs it.
pub(super) fn run(args: &Doctor, say: &Say) -> Result<(), Failure> {
    if !args.data.is_dir() {
        return Err(FolderError::Missing(args.data.clone()).into());
    }
    let findings = [in_use(&args.data), private(&args.data), keys(&args.data), room(&args.data), database(&args.data)];
    let mut well = true;
    for found in findings
        .into_iter()
        .flatten()
        .chain(certificate(&args.data))
        .chain(channels(&args.data))
        .chain(roster(&args.data))
    {
        well &= found.ok;
        let text = say.pick(&found.nl, &found.en);
        let mark = if found.ok { "ok  " } else { "FOUT" };
        let mark_en = if found.ok { "ok  " } else { "BAD " };
        say.say(
            &json!({ "check": found.check, "ok": found.ok, "text": text }),
            &format!("{mark} {}", found.nl),
            &format!("{mark_en} {}", found.en),
        );
    }
    if well {
        return Ok(());
    }
    Err(Failure::bad_input("not_well", "Niet alles is in orde; zie hierboven.", "Not all is well; see above."))
}

fn in_use(data: &Path) -> Option<Finding> {
    match DataFolder::open(data) {
        Ok(_) => Some(finding("process", true, "Er draait geen server op deze map.", "No server runs on this folder.")),
        Err(FolderError::InUse(_)) => {
            Some(finding("process", true, "Er draait een server op deze map.", "A server runs on this folder."))
        }
        Err(error) => Some(finding("process", false, error.to_string(), error.to_string())),
    }
}

/// A certificate that ends is one that phones and buttons turn away from.
fn certificate(data: &Path) -> Option<Finding> {
    let given = read_config_of::<BridgeSettings>(data).ok().and_then(|settings| settings.tls_certificate);
    let ends = match given {
        Some(file) => pem_ends(&data.join(file)),
        None => tls::certificate_ends(data),
    }?;
    let well = ends.since_ms(SystemClock.now()) >= CERTIFICATE_MS;
    let day = ends.to_rfc3339();
    Some(finding(
        "certificate",
        well,
        format!("Het certificaat loopt tot {day}."),
        format!("The certificate lasts until {day}."),
    ))
}

fn pem_ends(file: &Path) -> Option<Timestamp> {
    let pem = read_whole(file).ok()?;
    let chain = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
    chain.filter_map(|certificate| tls::ends(&certificate)).min()
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

fn private(data: &Path) -> Option<Finding> {
    let ok = mode(data).is_some_and(|mode| mode & 0o077 == 0);
    let (dir, hint) = (data.display(), format!("chmod 700 {}", data.display()));
    Some(if ok {
        finding("folder", true, "Alleen deze gebruiker kan in de map.", "Only this user can enter the folder.")
    } else {
        finding("folder", false, format!("Anderen kunnen in {dir}: {hint}"), format!("Others can enter {dir}: {hint}"))
    })
}

fn keys(data: &Path) -> Option<Finding> {
    let path = data.join("keys.cbor");
    Some(match mode(&path) {
        None => finding(
            "keys",
            false,
            "Er zijn geen sleutels: de map is niet (helemaal) ingericht.",
            "There are no keys: the folder was not set up, or not to the end.",
        ),
        Some(mode) if mode & 0o077 != 0 => {
            let hint = format!("chmod 600 {}", path.display());
            finding(
                "keys",
                false,
                format!("Anderen kunnen de sleutels lezen: {hint}"),
                format!("Others can read the keys: {hint}"),
            )
        }
        Some(_) => finding("keys", true, "De sleutels zijn er en zijn afgeschermd.", "The keys are there and private."),
    })
}

fn room(data: &Path) -> Option<Finding> {
    let found = rustix::fs::statvfs(data).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let mib = free / (1024 * 1024);
    Some(finding(
        "disk",
        free >= ROOM_BYTES,
        format!("Er is {mib} MiB vrij op de schijf."),
        format!("There are {mib} MiB free on the disk."),
    ))
}

/// Channels of a desk that never carried a message, or not lately: what was not tried does not work.
fn channels(data: &Path) -> Vec<Finding> {
    if !data.join(CHANNELS_FILE).exists() {
        return Vec::new();
    }
    let views = match channel_views(data, SystemClock.now()) {
        Ok(views) => views,
        Err(error) => {
            let failure = Failure::from(error);
            return vec![finding("channels", false, failure.nl, failure.en)];
        }
    };
    let found = views.into_iter().map(|view| {
        let text = |language| format!("{}: {}", view.name, standing_text(view.standing, language));
        let is_proven = view.standing == Standing::Proven;
        let [ask_nl, ask_en] =
            if is_proven { [""; 2] } else { [" Test het op de console.", " Test it on the console."] };
        let nl = format!("Kanaal {}.{ask_nl}", text(Language::Nl));
        let en = format!("Channel {}.{ask_en}", text(Language::En));
        finding("channel", is_proven, nl, en)
    });
    found.collect()
}

/// A roster with somebody on duty in the week to come.
fn roster(data: &Path) -> Option<Finding> {
    if !data.join(ROSTER_FILE).exists() {
        return None;
    }
    Some(match Roster::read(data).map(|roster| roster.view(local_now(SystemClock.now())).near_hole()) {
        Ok(None) => finding(
            "roster",
            true,
            "Deze week heeft altijd iemand dienst.",
            "Somebody is on duty all through the week to come.",
        ),
        Ok(Some(hole)) => finding(
            "roster",
            false,
            format!("Niemand heeft dienst van {} tot {}.", hole.from, hole.to),
            format!("Nobody is on duty from {} to {}.", hole.from, hole.to),
        ),
        Err(error) => {
            let failure = Failure::from(error);
            finding("roster", false, failure.nl, failure.en)
        }
    })
}

fn database(data: &Path) -> Option<Finding> {
    Some(match verify::verify(data) {
        Ok((file, head)) => finding(
            "database",
            true,
            format!("{file} is heel; het logboek telt {} regels.", head.seq),
            format!("{file} is whole; the audit has {} rows.", head.seq),
        ),
        Err(failure) => finding("database", false, failure.nl, failure.en),
    })
}
