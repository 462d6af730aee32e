//! A phone without data, told with real processes: pressed while the relay cannot be reached, sent as a text by way of an
//! SMS gateway and the bridge, taken by an officer; then the phone has data again, and it is still one alarm.

use anyhow::{Result, ensure};
use baken_schemas::alarm::SmsText;
use baken_tests::marks::{Mark, found_in_folder};
use baken_tests::story::console::Officer;
use baken_tests::story::gateway::{Gateway, NUMBER};
use baken_tests::story::phone::Phone;
use baken_tests::story::process::until;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

/// A town whose bridge is called by a gateway, and whose directory says at which number.
async fn found(folder: &tempfile::TempDir) -> Result<(Town, Gateway)> {
    let plan =
        Plan { data: folder.path().join("town"), log_level: "warn".to_owned(), tapped: false, programs: (None, None) };
    let mut town = Town::found(&plan).await?;
    let gateway = Gateway::connect(&mut town).await?;
    Ok((town, gateway))
}

/// The open alarms at the console.
async fn open(officer: &Officer) -> Result<Vec<Value>> {
    let list = officer.look("/api/alarms").await?;
    Ok(list["alarms"].as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_without_data_goes_as_a_text_and_stays_one_alarm_when_data_is_back() -> Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let (mut town, gateway) = found(&folder).await?;
    let phone = Phone::new(&town, "mayor", "nl");
    let invite = town.invite("A. Testma", "burgemeester", "+31600000001").await?;
    phone.run(&["activate", &invite, "--name", "telefoon"]).await?;
    // Beforehand, while there is data, a sync leaves what texts need.
    phone.run(&["sync"]).await?;
    let officer = town.officer("De Vries").await?;

    // The phone has no data: nothing answers it. Then it is put away.
    town.kill_relay().await?;
    let press = ["alarm", "press", "--position", "52.37175,4.89035,12,4", "--text", "bij het stadhuis"];
    let (code, pressed) = phone.try_run(&press).await?;
    ensure!(code != 0, "it was sent: {pressed}");
    let sms = phone.run(&["alarm", "sms"]).await?;
    ensure!(sms["number"] == NUMBER, "{sms}");
    let (alarm, text) = (text_of(&sms, "alarm")?, text_of(&sms, "text")?);
    ensure!(text.len() <= 160 && text.is_ascii(), "{text}");
    town.start_relay().await?;

    // Its owner sends the text; the gateway passes it on.
    ensure!(gateway.pass_on(&town, &text).await? == 200, "the bridge did not take it");
    let shown = until("the desk rings", async || {
        Ok(open(&officer).await?.into_iter().find(|shown| shown["alarm"] == alarm.as_str()))
    })
    .await?;
    ensure!(shown["provenance"]["sms"]["bridge"] == "Knop balie stadhuis", "{shown}");
    ensure!(shown["signature"] == "proven" && shown["ringing"] == true, "{shown}");
    ensure!(shown["position"]["accuracy_m"] == 12, "{shown}");
    ensure!(shown["person"]["name"] == "A. Testma", "{shown}");
    officer.act(&format!("/api/alarms/{alarm}/acknowledge"), &json!({})).await?;

    // Data is back: the phone learns who has it, sends the alarm itself, and nothing rings twice.
    let mut following = phone.start(&["alarm", "watch", &alarm, "--until", "seen", "--timeout", "60"])?;
    let seen = following.json_where(|line| line["state"] == "seen").await?;
    ensure!(seen["officer"] == "De Vries", "{seen}");
    until("the same alarm by data", async || {
        phone.try_run(&["alarm", "watch", &alarm, "--timeout", "1"]).await?;
        let shown = open(&officer).await?.into_iter().find(|shown| shown["alarm"] == alarm.as_str());
        Ok(shown.filter(|shown| shown["text"] == "bij het stadhuis"))
    })
    .await
    .and_then(|shown| {
        ensure!(shown["provenance"] == "phone" && shown["by_text"] == true, "{shown}");
        ensure!(shown["ringing"] == false && shown["held_by"]["officer"] == "De Vries", "{shown}");
        Ok(())
    })?;
    ensure!(open(&officer).await?.len() == 1, "one alarm, by two ways: {:?}", open(&officer).await?);
    // Played back, it is the alarm that it was.
    ensure!(gateway.pass_on(&town, &text).await? == 200, "a repeat");
    ensure!(open(&officer).await?.len() == 1, "a repeat rings nothing");

    // I4: neither who passed it on nor who stored it has what it says; the text itself they have.
    let place = [523_717_500_i32.to_be_bytes(), 48_903_500_i32.to_be_bytes()].concat();
    let marks = [Mark::word("stadhuis"), Mark::word("52.371"), Mark::bytes("the position as in a text", place)];
    let sent = SmsText::from_text(&text)?.to_bytes();
    for role in ["relay", "bridge"] {
        let folder = std::path::PathBuf::from(town.folder(role));
        ensure!(!found_in_folder(&[Mark::bytes("the text", sent.clone())], &folder)?.is_empty(), "{role}");
        let found: Vec<_> = found_in_folder(&marks, &folder)?;
        // The button's place is the bridge's own.
        let found: Vec<_> = found.iter().filter(|found| !(role == "bridge" && found.contains("bridge.toml"))).collect();
        ensure!(found.is_empty(), "{role}: {found:?}");
    }
    Ok(())
}
