//! Two who cannot call: one whose phone has no data, and one whose phone is destroyed. And what proves it afterwards.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::console::Officer;
use super::gateway::{Gateway, NUMBER};
use super::phone::Phone;
use super::process::until;
use super::second_desk::SecondDesk;
use super::telling::Teller;
use super::town::{Town, text_of};

const ALDERMAN: &str = "Femke Wolters";

/// The mayor's phone has no data: she sends the alarm as a text message, and it is one alarm also when data is back.
///
/// # Errors
/// The first step that did not hold.
pub async fn text_message(teller: &Teller, town: &mut Town, phone: &Phone, officer: &Officer) -> Result<String> {
    let gateway = Gateway::connect(town).await?;
    // The first brings the number, the second leaves at the relay what texts need.
    phone.run(&["sync"]).await?;
    phone.run(&["sync"]).await?;
    town.kill_relay().await?;
    let (code, pressed) = phone.try_run(&["alarm", "press", "--position", "52.3717500,4.8903500,12,4"]).await?;
    ensure!(code == 6, "pressing without data ended with {code}: {pressed}");
    let sms = phone.run(&["alarm", "sms"]).await?;
    let (alarm, text) = (text_of(&sms, "alarm")?, text_of(&sms, "text")?);
    ensure!(sms["number"] == NUMBER && text.len() <= 160, "{sms}");
    town.start_relay().await?;
    let status = gateway.pass_on(town, &text).await?;
    ensure!(status == 200, "the bridge answered the gateway with {status}");
    let shown = officer.look_until(&format!("/api/alarms/{alarm}"), |alarm| Some(alarm.clone())).await?;
    ensure!(shown["provenance"]["sms"].is_object() && shown["signature"] == "proven", "{shown}");
    ensure!(shown["position"]["accuracy_m"] == 12, "{shown}");
    teller.tell(
        &format!(
            "Zonder data: het alarm gaat als één sms van {} tekens, verzegeld; de meldkamer ziet wie en waar.",
            text.len()
        ),
        &format!(
            "Without data: the alarm goes as one text of {} characters, sealed; the desk sees who and where.",
            text.len()
        ),
    );
    officer.act(&format!("/api/alarms/{alarm}/acknowledge"), &json!({})).await?;
    let mut watching = phone.start(&["alarm", "watch", &alarm, "--until", "seen", "--timeout", "60"])?;
    watching.json_where(|line| line["state"] == "seen").await?;
    until("the same alarm by data", async || {
        phone.try_run(&["alarm", "watch", &alarm, "--timeout", "1"]).await?;
        let shown = officer.look(&format!("/api/alarms/{alarm}")).await?;
        Ok((shown["by_text"] == true && shown["provenance"] == "phone").then_some(()))
    })
    .await?;
    officer.act(&format!("/api/alarms/{alarm}/close"), &json!({ "outcome": "Was een vergissing" })).await?;
    teller.tell("Er is weer data: het blijft één alarm.", "Data is back: it stays one alarm.");
    Ok(alarm)
}

/// An alderman's phone is destroyed while her check-in runs. The first desk does not answer; the second does.
///
/// # Errors
/// The first step that did not hold.
pub async fn destroyed_phone(teller: &Teller, town: &Town, officer: &Officer) -> Result<(SecondDesk, String)> {
    let second = SecondDesk::found(town).await?;
    let phone = Phone::new(town, "alderman_phone", teller.lang());
    let invite = town.invite(ALDERMAN, "wethouder", "0611223344").await?;
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
    let start = ["check-in", "start", "--for", "60s", "--grace", "0s", "--note", "huisbezoek", "--position"];
    let started = phone.run(&[&start[..], &["52.1000,5.2000,30"]].concat()).await?;
    let id = text_of(&started, "check_in")?;
    phone.run(&["check-in", "renew", "--position", "52.0907,5.1214,8"]).await?;
    std::fs::remove_dir_all(phone.home()).context("the phone's folder is there")?;
    teller.tell(
        "Wethouder Wolters meldt zich aan voor een huisbezoek van een minuut. Haar telefoon wordt vernield.",
        "Alderman Wolters starts a check-in of a minute for a visit. Her phone is destroyed.",
    );
    let path = format!("/api/alarms/{id}");
    let anything = |alarm: &Value| Some(alarm.clone());
    // A minute, of which a look waits for one at most.
    let shown = match officer.look_until(&path, anything).await {
        Ok(shown) => shown,
        Err(_) => officer.look_until(&path, anything).await?,
    };
    ensure!(shown["kind"] == "missed" && shown["person"]["name"] == ALDERMAN, "{shown}");
    let latitude = shown["position"]["latitude"].as_str().unwrap_or_default();
    ensure!(latitude.starts_with("52.0907"), "the newest place, not {latitude}");
    teller.tell(
        "De relay laat het alarm afgaan: check-in gemist, met haar laatste plaats. In Oost reageert niemand.",
        "The relay raises it: check-in missed, with her newest place. In the East nobody answers.",
    );
    second.officer.look_until(&path, |alarm| (alarm["ringing"] == true).then_some(())).await?;
    second.officer.act(&format!("{path}/acknowledge"), &json!({})).await?;
    officer.look_until(&path, |alarm| (alarm["held_by"]["desk"] == "Meldkamer West").then_some(())).await?;
    second.officer.act(&format!("{path}/close"), &json!({ "outcome": "Aangetroffen, veilig" })).await?;
    teller.tell(
        "De volgende sport van de ladder, Meldkamer West, neemt het alarm aan; in Oost is dat meteen te zien.",
        "The next rung, Meldkamer West, takes the alarm; the East sees so at once.",
    );
    Ok((second, id))
}

/// Timelines, as phone and console write them, checked by a program that knows neither; how many held.
///
/// # Errors
/// When one does not hold.
pub async fn timelines(town: &Town, phone: &Phone, by_phone: &[&str], by_desk: (&SecondDesk, &str)) -> Result<usize> {
    let mut files = Vec::new();
    for alarm in by_phone {
        let file = town.folder(&format!("alarm-{alarm}.baken"));
        phone.run(&["alarm", "export", alarm, &file]).await?;
        files.push(file);
    }
    let (desk, alarm) = by_desk;
    let file = town.folder(&format!("alarm-{alarm}.baken"));
    std::fs::write(&file, desk.officer.fetch(&format!("/alarms/{alarm}/timeline")).await?)?;
    files.push(file);
    for file in &files {
        let proven = town.server(&["verify", "--timeline", file]).await?;
        let steps = proven["steps"].as_array().map_or(0, Vec::len);
        ensure!(proven["faults"] == json!([]) && steps > 2, "{proven}");
    }
    Ok(files.len())
}
