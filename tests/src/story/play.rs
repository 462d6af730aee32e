//! The main job, told step by step. Every step is checked; the first that fails ends the story with what was seen.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use baken_schemas::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::phone::Phone;
use super::telling::Teller;
use super::town::{BUTTON_ACCOUNT, BUTTON_KEY, Plan, Town, text_of};
use super::unable::{destroyed_phone, text_message, timelines};
use crate::marks::{Mark, found_in_folder};

/// What the story comes to: the demo's last line.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Every step was checked and held.
    pub ok: bool,
    /// Both phones show the same dossier.
    pub converged: bool,
    /// Fields with two values after the offline edits.
    pub conflicts: usize,
    /// From the press to the relay's signed `stored`; the server was down for `outage_ms` of it.
    pub press_to_stored_ms: u64,
    /// From the press to the alarm on the console, likewise.
    pub press_to_desk_ms: u64,
    /// From the press to the officer's name on the phone, likewise.
    pub press_to_seen_ms: u64,
    /// How long the relay was down after the press.
    pub outage_ms: u64,
    /// The states the phone verified, in order.
    pub receipts: Vec<String>,
    /// Messages that the webhook receiver verified for the alarm.
    pub webhook: usize,
    /// What the DC-09 receiver answered.
    pub dc09: String,
    /// The alarm that came by text message, and then by data too.
    pub by_text: String,
    /// The check-in that was missed with its phone destroyed; the second desk took it.
    pub missed: String,
    /// Timelines that were checked without a server.
    pub timelines: usize,
    /// Where the console is.
    pub console: String,
    /// Words from the story's private content: none of them lies in the relay's files.
    pub private_words: Vec<String>,
}

/// How to play.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the town is made.
    pub plan: Plan,
    /// The language it is told in.
    pub language: Language,
    /// Nothing is told.
    pub quiet: bool,
}

const MAYOR: &str = "Marit Oosterhof";
const OFFICER: &str = "Agent De Wit";
/// Words of the story that only Marit's devices, the desk and its receivers may hold.
pub const PRIVATE_WORDS: [&str; 12] = [
    "Oosterhof",
    "Veldkamp",
    "Lindelaan",
    "Zwaluwstraat",
    "KZ-482-B",
    "0612345678",
    "0687654321",
    "dakgoot",
    "penicilline",
    "bosuil",
    "Wolters",
    "huisbezoek",
];

/// Plays the story and leaves the town running.
///
/// # Errors
/// The first step that did not hold.
pub async fn play(options: &Options) -> Result<(Town, Summary)> {
    let teller = Teller::new(options.language, options.quiet);
    let tell = |nl: &str, en: &str| teller.tell(nl, en);
    tell(
        "Gemeente Zandhoven wordt ingericht: organisatiesleutel, relay, meldkamer en bridge, elk met een eigen map en proces.",
        "The municipality of Zandhoven is set up: organisation root, relay, desk and bridge, each with its own folder and process.",
    );
    let mut town = Town::found(&options.plan).await?;
    let officer = town.officer(OFFICER).await?;
    tell(
        &format!("Meldkamer Oost is bereikbaar; {OFFICER} is ingelogd."),
        &format!("Meldkamer Oost is up; {OFFICER} has logged in."),
    );

    // Two phones.
    let phone = Phone::new(&town, "mayor_phone", teller.lang());
    let tablet = Phone::new(&town, "mayor_tablet", teller.lang());
    let invite = town.invite(MAYOR, "burgemeester", "0612345678").await?;
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
    tell(
        &format!("{MAYOR}, burgemeester, activeert haar telefoon met de uitnodiging."),
        &format!("{MAYOR}, mayor, activates her phone with the invite."),
    );
    pair(&phone, &tablet).await?;
    tell(
        "De tablet is in dezelfde kamer gekoppeld: QR-tekst gescand, zes cijfers overgetypt, pincode ingevoerd.",
        "The tablet is paired in the same room: QR text scanned, six digits typed over, PIN entered.",
    );

    // The dossier, and a true conflict made offline.
    let (converged, conflicts) = dossier(&teller, &mut town, &phone, &tablet).await?;

    // The alarm, pressed while the relay is down.
    town.kill_relay().await?;
    tell("De relay valt uit.", "The relay goes down.");
    let pressed = teller.elapsed_ms();
    let alarm = press(&phone).await?;
    tell(
        "Marit drukt op de knop. De telefoon zegt eerlijk: nog niet verzonden. Hij blijft proberen.",
        "Marit presses the button. The phone says honestly: not sent yet. It keeps trying.",
    );
    let mut watching = phone.start(&["alarm", "watch", &alarm, "--until", "closed"])?;
    let state_is = |wanted: &'static str| move |line: &Value| line["state"] == wanted;
    watching.json_where(state_is("not-sent")).await?;
    town.start_relay().await?;
    let outage_ms = teller.elapsed_ms() - pressed;
    tell(
        &format!("De relay is terug, {outage_ms} ms na de druk op de knop."),
        &format!("The relay is back, {outage_ms} ms after the press."),
    );
    watching.json_where(state_is("stored")).await?;
    let press_to_stored_ms = teller.elapsed_ms() - pressed;
    tell(
        &format!("De relay heeft het alarm op schijf: ondertekend ontvangstbewijs na {press_to_stored_ms} ms."),
        &format!("The relay has the alarm on disk: signed receipt after {press_to_stored_ms} ms."),
    );
    let shown = officer.look_until(&format!("/api/alarms/{alarm}"), opened).await?;
    let press_to_desk_ms = teller.elapsed_ms() - pressed;
    check_shown(&shown)?;
    tell(
        &format!(
            "Op de console: paniekalarm van {MAYOR}, positie 12 m nauwkeurig en 4 s oud, met haar kaart; na {press_to_desk_ms} ms."
        ),
        &format!(
            "On the console: panic alarm by {MAYOR}, position good to 12 m and 4 s old, with her card; after {press_to_desk_ms} ms."
        ),
    );
    let webhook = receive_webhook(&mut town, &alarm).await?;
    let dc09 = receive_dc09(&mut town, &officer, &alarm).await?;
    tell(
        "Buiten de meldkamer: webhook ondertekend en gecontroleerd, DC-09-frame versleuteld aangenomen (ACK).",
        "Outside the desk: webhook signed and verified, DC-09 frame taken encrypted (ACK).",
    );

    officer.act(&format!("/api/alarms/{alarm}/acknowledge"), &json!({})).await?;
    let seen = watching.json_where(state_is("seen")).await?;
    let press_to_seen_ms = teller.elapsed_ms() - pressed;
    ensure!(seen["officer"] == OFFICER, "the phone shows {seen} instead of {OFFICER}");
    tell(
        &format!(
            "De telefoon toont, gecontroleerd op handtekening: Meldkamer Oost meldt: gezien door {OFFICER}; na {press_to_seen_ms} ms."
        ),
        &format!(
            "The phone shows, checked by signature: Meldkamer Oost says: seen by {OFFICER}; after {press_to_seen_ms} ms."
        ),
    );
    let verification = json!({ "how": "teruggebeld, codewoord klopt" });
    officer.act(&format!("/api/alarms/{alarm}/verify"), &verification).await?;
    watching.json_where(state_is("verified")).await?;
    tell(
        "Geverifieerd: teruggebeld, het codewoord klopt. De politie geeft het voorrang.",
        "Verified: called back, the code word is right. The police give it priority.",
    );
    let outcome = json!({ "outcome": "Eenheid ter plaatse, verdachte weg, veilig thuis" });
    officer.act(&format!("/api/alarms/{alarm}/close"), &outcome).await?;
    watching.json_where(state_is("closed")).await?;
    ensure!(watching.wait().await? == 0, "watching the alarm did not end well");
    let receipts = receipts_of(&phone, &alarm).await?;
    tell("Afgesloten met uitkomst.", "Closed with an outcome.");

    press_hardware_button(&town, &officer).await?;
    tell(
        "De knop aan de balie gaat af: DC-09 naar de bridge, verzegeld naar de meldkamer, pas na opslag bevestigd.",
        "The button at the counter goes off: DC-09 to the bridge, sealed to the desk, confirmed only once stored.",
    );

    let by_text = text_message(&teller, &mut town, &phone, &officer).await?;
    let (second_desk, missed) = destroyed_phone(&teller, &town, &officer).await?;
    let timelines = timelines(&town, &phone, &[&alarm, &by_text], (&second_desk, &missed)).await?;
    tell(
        &format!(
            "Het verloop van {timelines} alarmen is meegenomen en zonder enige server gecontroleerd: elk bewijs klopt."
        ),
        &format!("The course of {timelines} alarms was taken along and checked without any server: every proof holds."),
    );

    let marks: Vec<Mark> = PRIVATE_WORDS.iter().map(|word| Mark::word(word)).collect();
    let found = found_in_folder(&marks, &town.data.join("relay"))?;
    ensure!(found.is_empty(), "private words lie at the relay: {found:?}");
    tell(
        "De bestanden van de relay doorzocht: geen enkel woord van Marit te vinden.",
        "The relay's files searched: not one of Marit's words to be found.",
    );
    let console = town.officer_link("Bezoeker").await?;
    let summary = Summary {
        ok: true,
        converged,
        conflicts,
        press_to_stored_ms,
        press_to_desk_ms,
        press_to_seen_ms,
        outage_ms,
        receipts,
        webhook,
        dc09,
        by_text,
        missed,
        timelines,
        console,
        private_words: PRIVATE_WORDS.map(str::to_owned).to_vec(),
    };
    Ok((town, summary))
}

/// Pairs `new` with `old`, as two people's hands would.
///
/// # Errors
/// When a step does not hold.
pub async fn pair(old: &Phone, new: &Phone) -> Result<()> {
    let relay = text_of(&old.run(&["pair", "relay"]).await?, "relay")?;
    let mut showing = new.start(&["pair", "show", "--relay", &relay, "--name", "Tablet"])?;
    let code = text_of(&showing.json_where(|line| line["step"] == "code").await?, "text")?;
    let mut accepting = old.start(&["pair", "accept", &code])?;
    let digits = text_of(&showing.json_where(|line| line["step"] == "digits").await?, "digits")?;
    accepting.type_line(&digits).await?;
    showing.json_where(|line| line["step"] == "paired").await?;
    let (shown, accepted) = (showing.wait().await?, accepting.wait().await?);
    ensure!(shown == 0 && accepted == 0, "pairing ended with {shown} and {accepted}");
    Ok(())
}

/// Lets a guest's device into a circle, both in one room.
///
/// # Errors
/// When a step does not hold.
pub async fn let_in(host: &Phone, circle: &str, guest: &Phone, name: &str) -> Result<()> {
    let relay = text_of(&host.run(&["pair", "relay"]).await?, "relay")?;
    let mut showing = guest.start(&["pair", "show", "--relay", &relay, "--name", name])?;
    let code = text_of(&showing.json_where(|line| line["step"] == "code").await?, "text")?;
    let mut inviting = host.start(&["circle", "invite", circle, &code])?;
    let digits = text_of(&showing.json_where(|line| line["step"] == "digits").await?, "digits")?;
    inviting.json_where(|line| line["step"] == "type_digits").await?;
    inviting.type_line(&digits).await?;
    showing.json_where(|line| line["step"] == "paired").await?;
    let (invited, shown) = (inviting.wait().await?, showing.wait().await?);
    ensure!(invited == 0 && shown == 0, "the invitation ended with {invited} and {shown}");
    Ok(())
}

/// Fills the dossier on both phones, offline for a while; whether they converge, and the number of conflicts.
async fn dossier(teller: &Teller, town: &mut Town, phone: &Phone, tablet: &Phone) -> Result<(bool, usize)> {
    phone
        .run(&[
            "record",
            "add",
            "profile",
            &format!("name={MAYOR}"),
            "office=burgemeester",
            "phone=0612345678",
            "home_address=Lindelaan 12, Zandhoven",
            "car=blauwe stationwagen KZ-482-B",
            "household=partner Joris Veldkamp, twee kinderen",
            "medical=allergisch voor penicilline",
            "code_word=bosuil",
        ])
        .await?;
    let partner = phone
        .run(&[
            "record",
            "add",
            "contact",
            "name=Joris Veldkamp",
            "relation=partner",
            "phone=0687654321",
            "emergency=true",
        ])
        .await?;
    let partner = text_of(&partner, "record")?;
    let measure = phone.run(&["record", "add", "measure", "title=Verlichting bij de dakgoot", "state=gewenst"]).await?;
    let measure = text_of(&measure, "record")?;
    phone.run(&["sync"]).await?;
    phone.run(&["card", "publish"]).await?;
    tablet.run(&["sync"]).await?;
    teller.tell(
        "Het dossier staat op beide toestellen; de kaart voor hulpverleners ligt verzegeld klaar.",
        "The dossier is on both devices; the card for responders lies ready, sealed.",
    );
    town.kill_relay().await?;
    phone.run(&["record", "set", &partner, "phone=0611111111"]).await?;
    phone.run(&["record", "set", &measure, "state=besloten"]).await?;
    tablet.run(&["record", "set", &partner, "phone=0622222222"]).await?;
    tablet.run(&["record", "set", &partner, "remark=Woont doordeweeks Zwaluwstraat 3"]).await?;
    let (code, answer) = phone.try_run(&["sync"]).await?;
    ensure!(code == 6, "syncing with the relay down ended with {code}: {answer}");
    teller.tell(
        "Zonder verbinding wijzigen telefoon en tablet allebei het nummer van de partner, en elk nog iets anders.",
        "With no connection, phone and tablet both change the partner's number, and each something else too.",
    );
    town.start_relay().await?;
    for device in [phone, tablet, phone] {
        device.run(&["sync"]).await?;
    }
    let mut views = Vec::new();
    for device in [phone, tablet] {
        let mut records = Vec::new();
        for record in [&partner, &measure] {
            records.push(device.run(&["record", "show", record]).await?);
        }
        views.push((records, conflicts_of(device).await?));
    }
    let (here, there) = (views.first().context("two views")?, views.get(1).context("two views")?);
    ensure!(here.0 == there.0, "the devices differ: {} and {}", json!(here.0), json!(there.0));
    ensure!(here.1 == 1 && there.1 == 1, "{} and {} conflicts instead of one", here.1, there.1);
    teller.tell(
        "Weer verbonden: beide toestellen tonen hetzelfde. Eén conflict, met beide nummers bewaard; de rest is samengevoegd.",
        "Connected again: both devices show the same. One conflict, both numbers kept; the rest has merged.",
    );
    Ok((true, here.1))
}

async fn conflicts_of(phone: &Phone) -> Result<usize> {
    let answer = phone.run(&["conflicts", "list"]).await?;
    Ok(answer["conflicts"].as_array().context("conflicts are listed")?.len())
}

async fn press(phone: &Phone) -> Result<String> {
    let args = ["alarm", "press", "--position", "52.3717500,4.8903500,12,4", "--text", "man bij de dakgoot"];
    let (code, answer) = phone.try_run(&args).await?;
    ensure!(code == 6, "pressing with the relay down ended with {code}: {answer}");
    ensure!(answer["state"] == "not-sent", "the phone claims {answer}");
    text_of(&answer, "alarm")
}

/// The console's view of an alarm once it is opened and its card is there.
fn opened(alarm: &Value) -> Option<Value> {
    (alarm["kind"].is_string() && alarm["card"].is_object()).then(|| alarm.clone())
}

fn check_shown(alarm: &Value) -> Result<()> {
    for (pointer, wanted) in [
        ("/kind", json!("panic")),
        ("/person/name", json!(MAYOR)),
        ("/position/accuracy_m", json!(12)),
        ("/position/age_s", json!(4)),
        ("/card/code_word", json!("bosuil")),
        ("/text", json!("man bij de dakgoot")),
    ] {
        let found = alarm.pointer(pointer).unwrap_or(&Value::Null);
        ensure!(*found == wanted, "the console shows {found} at {pointer} instead of {wanted}");
    }
    Ok(())
}

/// Waits for the webhook of this alarm, verified by its receiver; how many there are.
async fn receive_webhook(town: &mut Town, alarm: &str) -> Result<usize> {
    let message = town.webhook.json_where(|line| line.to_string().contains(alarm)).await?;
    ensure!(message["verified"] == true, "the webhook did not verify: {message}");
    Ok(town.webhook.lines().iter().filter(|line| line.contains(alarm)).count())
}

/// Waits for the DC-09 event at the receiver and for its ACK at the desk.
async fn receive_dc09(town: &mut Town, officer: &super::console::Officer, alarm: &str) -> Result<String> {
    let event = town.dc09.json_where(|line| line["code"] == "PA").await?;
    ensure!(event["account"] == "1234", "the receiver got another account: {event}");
    officer
        .look_until(&format!("/api/alarms/{alarm}"), |alarm| {
            let deliveries = alarm["deliveries"].as_array()?;
            let dc09 = deliveries.iter().find(|delivery| delivery["channel"] == "dc09")?;
            (dc09["answer"] == "ACK").then(|| "ACK".to_owned())
        })
        .await
}

async fn receipts_of(phone: &Phone, alarm: &str) -> Result<Vec<String>> {
    let shown = phone.run(&["alarm", "show", alarm]).await?;
    let receipts: Vec<String> = shown["receipts"]
        .as_array()
        .context("receipts are listed")?
        .iter()
        .map(|receipt| text_of(receipt, "state"))
        .collect::<Result<_>>()?;
    let wanted = ["stored", "received", "seen", "verified", "closed"];
    ensure!(receipts == wanted, "the phone verified {receipts:?} instead of {wanted:?}");
    Ok(receipts)
}

/// Presses a hardware button: a DC-09 dialler against the bridge.
async fn press_hardware_button(town: &Town, officer: &super::console::Officer) -> Result<()> {
    let known: BTreeSet<String> = alarms_of(&officer.look("/api/alarms").await?);
    let address = format!("127.0.0.1:{}", town.button_port);
    let answer = town
        .server(&[
            "dc09",
            "send",
            "--to",
            &address,
            "--account",
            BUTTON_ACCOUNT,
            "--key",
            &format!("ascii:{BUTTON_KEY}"),
            "--code",
            "PA",
        ])
        .await?;
    ensure!(answer["answer"] == "ACK", "the bridge answered the button with {answer}");
    let new = officer.look_until("/api/alarms", |list| alarms_of(list).difference(&known).next().cloned()).await?;
    let shown = officer.look(&format!("/api/alarms/{new}")).await?;
    if shown["kind"] != "button" {
        bail!("the button's alarm shows as {shown}");
    }
    officer.act(&format!("/api/alarms/{new}/acknowledge"), &json!({})).await?;
    officer.act(&format!("/api/alarms/{new}/close"), &json!({ "outcome": "Knop getest" })).await?;
    Ok(())
}

fn alarms_of(list: &Value) -> BTreeSet<String> {
    let alarms = list["alarms"].as_array().into_iter().flatten();
    alarms.filter_map(|alarm| alarm["alarm"].as_str().map(str::to_owned)).collect()
}
