//! The first screen from a cold start: 112, whom to call, the questions. A fresh process each time, with the vault locked,
//! on a phone that has an edition from its relay.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use baken_core::guidance::ReadAs;
use baken_schemas::Language;
use baken_schemas::edition::Audience;
use serde_json::{Value, json};

use crate::bench::phone::phone_in;
use crate::bench::{Bench, Spread, now};
use crate::story::process::{Programs, run};

/// How often a fresh process opens it.
const OPENINGS: usize = 40;

/// Opens the first screen, in this process, and says how long that took; the process is to be a fresh one.
///
/// # Errors
/// When it is not whole.
pub fn first_screen(home: &Path) -> Result<Value> {
    let begin = now();
    let phone = phone_in(home, 3)?;
    let guidance = phone.guidance()?;
    let who = ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office: None };
    let contacts = guidance.contacts(who, None);
    let (questions, cards) = (guidance.questions(who), guidance.cards(who));
    let ms = begin.elapsed().as_secs_f64() * 1e3;
    let first = contacts.first().context("there are contacts")?;
    ensure!(first.number == "112" && !questions.is_empty() && !cards.is_empty(), "the first screen is not whole");
    Ok(json!(ms))
}

/// Measures it, and the program as a whole.
///
/// # Errors
/// When a process fails.
pub async fn measure(bench: &mut Bench, folder: &Path) -> Result<()> {
    eprintln!("bench guidance: first screens");
    let own = std::env::current_exe()?;
    let home = folder.join("edition-phone").display().to_string();
    let mut times = Vec::new();
    for _ in 0..OPENINGS {
        let (code, out, err) = run(&own, &["first-screen", &home], &[]).await?;
        if code != 0 {
            bail!("the first screen failed: {err}");
        }
        times.push(Duration::from_secs_f64(out.trim().parse::<f64>()? / 1e3));
    }
    let spread = Spread::of(times);
    bench.set("first screen from a cold start, p50", "ms", "baken", spread.p50_us() / 1e3);
    bench.set("first screen from a cold start, p99", "ms", "baken", spread.p99_us() / 1e3);
    let phone = Programs::find()?.phone;
    let mut times = Vec::new();
    for _ in 0..OPENINGS {
        let begin = now();
        let (code, out, _) = run(&phone, &["--home", &home, "contacts"], &[]).await?;
        times.push(begin.elapsed());
        ensure!(code == 0 && out.contains("112"), "`baken contacts` ended with {code}");
    }
    let spread = Spread::of(times);
    bench.set("`baken contacts`, from start to end of its process, p50", "ms", "baken", spread.p50_us() / 1e3);
    Ok(())
}
