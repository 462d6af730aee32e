//! An uneasy councillor, with real processes: from a feeling through signals and the four questions, with no network, to
//! tasks that are done and calm; and nothing of it at the relay.

use anyhow::{Context as _, Result, ensure};
use baken_tests::marks::{Mark, found_in_folder};
use baken_tests::story::phone::Phone;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

/// What she wrote, each in a place of its own.
const WORDS: [&str; 5] =
    ["Zelfde witte bus", "Belt en zwijgt", "Ans van Dam", "plan is van 2019", "besproken op donderdag"];

/// The step of a way that comes next; `done` when there is none.
async fn next(phone: &Phone, way: &str) -> Result<String> {
    let told = phone.run(&["steps", way]).await?;
    let steps = told["ways"][0]["steps"].as_array().context("steps")?;
    Ok(steps
        .iter()
        .find(|step| step["next"] == true)
        .map_or("done", |step| step["step"].as_str().unwrap_or(""))
        .to_owned())
}

async fn story(town: &mut Town) -> Result<()> {
    let phone = Phone::new(town, "councillor_phone", "nl");
    let invite = town.invite("Noor Achterberg", "raadslid", "0611223355").await?;
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
    phone.run(&["record", "add", "profile", "name=Noor Achterberg", "office=raadslid", "home_address=Kade 4"]).await?;
    phone.run(&["sync"]).await?;
    ensure!(phone.run(&["steps"]).await?["now"] == "start");

    // From here on there is no network.
    town.kill_relay().await?;
    let card = phone.run(&["guidance", "card", "uneasy"]).await?;
    ensure!(card["card"]["call"][0]["id"] == "support-team", "{card}");
    let bus = text_of(&phone.run(&["signal", "add", WORDS[0], "--place", "thuis"]).await?, "record")?;
    ensure!(phone.run(&["steps"]).await?["now"] == "unease");
    ensure!(next(&phone, "unease").await? == "four-questions");

    // With her adviser; halfway she is called away.
    let begun = phone.run(&["review", "start", "--with", WORDS[2]]).await?;
    ensure!(begun["next"] == 1 && begun["contacts"][0]["id"] == "support-team", "{begun}");
    let left = phone.run(&["review", "answer", "1", "no", "--said", WORDS[3]]).await?;
    ensure!(left["task"]["due"].is_i64(), "{left}");
    phone.run(&["review", "answer", "2", "yes"]).await?;
    let resumed = phone.run(&["review"]).await?;
    ensure!(resumed["review"] == begun["review"] && resumed["next"] == 3, "{resumed}");
    phone.run(&["review", "answer", "3", "open"]).await?;
    let end = phone.run(&["review", "answer", "4", "yes"]).await?;
    let tasks = end["tasks"].as_array().context("tasks")?.clone();
    ensure!(tasks.len() == 2 && end["next"] == Value::Null, "{end}");
    ensure!(end["contacts"][0]["id"] == "support-team", "it is there whatever was answered");

    // A second signal: together they may mean something, and somebody must be told.
    let call = text_of(&phone.run(&["signal", "add", WORDS[1], "--place", "Thuis"]).await?, "record")?;
    let signals = phone.run(&["signal", "list"]).await?;
    let why: Vec<&Value> =
        signals["together"].as_array().context("groups")?.iter().map(|group| &group["why"]).collect();
    ensure!(why == ["same-place", "same-time"] && signals["fact"]["id"] == "signals-combined", "{signals}");
    ensure!(next(&phone, "unease").await? == "signals-told");
    for signal in [&bus, &call] {
        phone.run(&["signal", "told", signal, "driehoek", "police"]).await?;
    }
    ensure!(phone.run(&["signal", "list"]).await?["untold"] == json!([]));
    ensure!(next(&phone, "unease").await? == "review-tasks");

    // There is no concrete threat: a home scan may be asked for, in a letter that says nothing of all this.
    let letter = phone.run(&["scan", "letter", "--office", "councillor"]).await?.to_string();
    ensure!(!WORDS.iter().any(|word| letter.contains(word)));
    let agenda = phone.run(&["agenda"]).await?.to_string();
    ensure!(agenda.contains("Gesprek") && !agenda.contains("adviseur"), "neutral: {agenda}");

    // Done, and calm.
    for task in &tasks {
        let task = text_of(task, "record")?;
        phone.run(&["agenda", "--done", &task, "--outcome", WORDS[4]]).await?;
    }
    ensure!(next(&phone, "unease").await? == "done");
    ensure!(phone.run(&["steps"]).await?["now"] == "start", "calm: the start goes on where it was");

    // The network is back: it goes to her other devices, and the relay can read none of it.
    town.start_relay().await?;
    phone.run(&["sync"]).await?;
    ensure!(phone.run(&["status"]).await?["pending"] == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uneasy_councillor_from_a_feeling_to_calm() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let mut town = Town::found(&plan).await.expect("a town");
    story(&mut town).await.expect("the story holds");
    let marks: Vec<Mark> = WORDS.iter().map(|word| Mark::word(word)).collect();
    for part in ["relay", "phones", "log"] {
        assert_eq!(found_in_folder(&marks, &data.join(part)).expect("it can be read"), [""; 0], "{part}");
    }
}
