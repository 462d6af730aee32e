//! An edition's update and installation, over a relay's real router in this process.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use baken_core::Baken;
use baken_core::guidance::{LayerUpdate, Outcome};
use baken_core::transport::{Request, Transport as _};
use baken_schemas::api::{self, Publication};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::edition::signed::{Countersigned, EditionHead, EditionName, EditionRoot, Manifest};
use baken_schemas::edition::{Files, shipped};
use baken_schemas::time::{Clock as _, SystemClock};
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, StoreOptions};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::bench::baken::Counted;
use crate::bench::phone::phone_in;
use crate::bench::{Bench, now};
use crate::sim::network::AUTHORITY;

/// How many facts change.
const FACTS: usize = 10;
/// How often the whole edition is installed; the median counts.
const INSTALLS: u64 = 9;

/// Measures both.
///
/// # Errors
/// When a step fails, or an update did not come.
pub async fn measure(bench: &mut Bench, folder: &Path) -> Result<()> {
    eprintln!("bench guidance: editions");
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let publisher = SigningKey::make(&mut rng);
    let root =
        EditionRoot { edition: EditionName::National, version: 1, keys: vec![publisher.verify_key()], threshold: 1 };
    let disk = folder.join("edition-relay");
    std::fs::create_dir_all(&disk)?;
    let options = RelayOptions {
        authorities: vec![AUTHORITY.to_owned()],
        national_root: Some(root.clone()),
        ..RelayOptions::default()
    };
    let store = StoreOptions { inline: true, ..StoreOptions::default() };
    let keys = DeviceKeys::make(&mut rng);
    let relay = Relay::open(&Disk::new(disk), store, keys, Arc::new(SystemClock), &mut rng, options).await?;
    let wire = Counted::new(8);
    wire.network.connect(Some(relay.router()));
    let reader = |name: &str, seed| {
        let home = folder.join(name);
        std::fs::create_dir_all(home.join("guidance"))?;
        let anchor = Countersigned::unsigned(root.clone()).to_bytes();
        std::fs::write(home.join("guidance").join("national-root.cbor"), anchor)?;
        phone_in(&home, seed)
    };

    // Whole: no file of it is one that the program was built with.
    let files = edition(1_000, |text| format!("{text}\n"), "\n# Anders.\n");
    publish(&wire, &publisher, &files, true).await?;
    let (mut times, mut whole_bytes) = (Vec::new(), 0);
    for round in 0..INSTALLS {
        let phone = reader(&format!("edition-whole-{round}"), round)?;
        wire.take();
        let begin = now();
        updated(phone.update_guidance(&wire).await)?;
        times.push(begin.elapsed());
        whole_bytes =
            files.values().map(|text| text.len() as u64).sum::<u64>() + size_of_head(&publisher, &files)? as u64;
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    bench.set("whole edition: fetched, verified and installed", "ms", "baken", median.as_secs_f64() * 1e3);

    // Ten facts: whoever has the edition before fetches what changed.
    let phone = reader("edition-phone", 99)?;
    let (before, after) = (edition(2_000, |text| text.to_owned(), ""), with_facts_changed(2_001)?);
    publish(&wire, &publisher, &before, true).await?;
    updated(phone.update_guidance(&wire).await)?;
    publish(&wire, &publisher, &after, false).await?;
    wire.take();
    let begin = now();
    updated(phone.update_guidance(&wire).await)?;
    let took = begin.elapsed();
    let delta = wire.take();
    ensure!(text_of(&phone)?.contains(CHANGED), "the changed facts have come");
    #[allow(clippy::cast_precision_loss, reason = "some hundred kilobytes")]
    let (delta, whole) = (delta as f64, whole_bytes as f64);
    bench.set("whole edition, bytes", "kB", "baken", whole / 1e3);
    bench.set("ten changed facts, bytes", "kB", "baken", delta / 1e3);
    bench.set("ten changed facts, share of the edition", "%", "baken", delta * 100.0 / whole);
    bench.set("ten changed facts: fetched, verified and installed", "ms", "baken", took.as_secs_f64() * 1e3);
    bench.remarks.push(format!(
        "bytes are those of all answers' bodies: head, manifest and files. Of the update's, {} are the signed manifest, \
         which names every file by its hash",
        size_of_head(&publisher, &after)?
    ));
    Ok(())
}

/// What a changed fact says from now on.
const CHANGED: &str = "Dit is per 1 januari anders.";

/// The shipped edition under another version; `change` of every text in Markdown.
fn edition(version: u64, change: impl Fn(&str) -> String, comment: &str) -> Files {
    let mut files = shipped::files();
    for (path, text) in &mut files {
        if path.ends_with(".md") {
            *text = change(text);
        } else {
            text.push_str(comment);
        }
    }
    if let Some(head) = files.get_mut("edition.toml") {
        let kept: Vec<&str> = head.lines().filter(|line| !line.starts_with("version")).collect();
        *head = format!("{}\nversion = {version}\n", kept.join("\n"));
    }
    files
}

/// The edition with ten facts, from the first to the last, that say something else and were checked on another day.
fn with_facts_changed(version: u64) -> Result<Files> {
    let mut files = edition(version, |text| text.to_owned(), "");
    let facts = files.get_mut("facts.toml").context("there are facts")?;
    let mut blocks: Vec<String> = facts.split("[[fact]]").map(str::to_owned).collect();
    let texts: Vec<usize> = (1..blocks.len()).filter(|at| blocks[*at].contains("kind = \"text\"")).collect();
    for nth in 0..FACTS {
        let block = &mut blocks[texts[nth * texts.len() / FACTS]];
        let end = block.find(".\"\nen = ").context("a text is a sentence")?;
        block.replace_range(end..=end, &format!(". {CHANGED}"));
        *block = block.replace("checked = \"2026-11-23\"", "checked = \"2026-12-01\"");
    }
    *facts = blocks.join("[[fact]]");
    Ok(files)
}

fn head(publisher: &SigningKey, files: &Files) -> Result<EditionHead> {
    let manifest = Manifest::of(EditionName::National, files, SystemClock.now())?;
    let mut manifest = Countersigned::unsigned(manifest);
    manifest.sign(publisher);
    Ok(EditionHead { roots: Vec::new(), manifest: manifest.to_bytes().into() })
}

fn size_of_head(publisher: &SigningKey, files: &Files) -> Result<usize> {
    Ok(cbor::to_vec(&head(publisher, files)?).len())
}

/// Publishes an edition with all of its files, or with those alone that a change touches.
async fn publish(wire: &Counted, publisher: &SigningKey, files: &Files, all: bool) -> Result<()> {
    let sent = files.iter().filter(|(path, _)| all || path.ends_with(".toml"));
    let files_sent = sent.map(|(_, text)| text.clone().into_bytes().into()).collect();
    let publication = Publication { head: head(publisher, files)?, files: files_sent };
    let request = Request {
        method: http::Method::POST,
        path_and_query: api::EDITIONS.to_owned(),
        headers: Vec::new(),
        body: cbor::to_vec(&publication),
    };
    let answer = wire.send(request).await?;
    ensure!((200..300).contains(&answer.status), "the relay answered {}", answer.status);
    Ok(())
}

fn updated(updates: Vec<LayerUpdate>) -> Result<()> {
    let update = updates.into_iter().next().context("there is a national layer")?;
    ensure!(update.outcome? == Outcome::Updated, "a newer edition was offered");
    Ok(())
}

fn text_of(phone: &Baken) -> Result<String> {
    use baken_schemas::{Language, edition::Audience};
    let who = baken_core::guidance::ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office: None };
    Ok(phone.guidance()?.fact(who, "entitled-executives")?.text)
}
