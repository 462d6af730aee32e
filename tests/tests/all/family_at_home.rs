//! A family member's phone as a responder, with real processes: a missed check-in rings at home before it rings at the
//! desk, who has it is shown by name, and what is to stay hidden from home never gets there.

use std::path::Path;

use anyhow::{Result, ensure};
use baken_tests::marks::{Mark, found_in_bytes, found_in_folder};
use baken_tests::story::phone::Phone;
use baken_tests::story::play::let_in;
use baken_tests::story::process::until;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

/// Seconds that the partner has before the desk is called.
const AT_HOME_S: i64 = 4;

/// A municipality that calls family first, an alderman's phone, and her partner's in the family circle, chosen.
struct Home {
    town: Town,
    phone: Phone,
    partner: Phone,
}

impl Home {
    async fn found(data: &Path) -> Result<Self> {
        let plan = Plan { data: data.to_owned(), log_level: "trace".to_owned(), tapped: true, programs: (None, None) };
        let town = Town::found(&plan).await?;
        let ladder = |name: &str| format!("{name}=familie:{AT_HOME_S},Meldkamer Oost:60");
        let org = town.folder("org");
        let (alarms, check_ins) = (ladder("Standaard"), ladder("Check-ins"));
        let directory = ["org", "directory", "--data", &org, "--ladder", &alarms, "--check-in-ladder", &check_ins];
        town.server(&[&directory[..], &["--publish"]].concat()).await?;
        let phone = Phone::new(&town, "alderman_phone", "nl");
        let invite = town.invite("Femke Wolters", "wethouder", "0611223344").await?;
        phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
        phone.run(&["record", "add", "profile", "name=Femke Wolters"]).await?;
        phone.run(&["circle", "create", "family", "--name", "Thuis"]).await?;
        phone.run(&["sync"]).await?;
        let partner = Phone::new(&town, "partner_phone", "nl");
        let home = Self { town, phone, partner };
        let_in(&home.phone, "Thuis", &home.partner, "Telefoon Jan").await?;
        home.partner.run(&["alarm", "responder", "agree", "--name", "Jan Obbink"]).await?;
        let added = home.phone.run(&["alarm", "family", "add", "Jan Obbink"]).await?;
        ensure!(added["member"]["called"] == json!(true), "{added}");
        home.partner.run(&["sync"]).await?;
        Ok(home)
    }

    /// The partner's alarms, once `fits` finds what it looks for.
    async fn incoming<T>(&self, what: &str, fits: impl Fn(&Value) -> Option<T>) -> Result<T> {
        until(what, async || Ok(fits(&self.partner.run(&["alarm", "incoming"]).await?))).await
    }

    async fn alarm(&self, alarm: &str) -> Result<Value> {
        self.phone.run(&["alarm", "show", alarm]).await
    }
}

/// An alarm of the list by its id.
fn named(id: &str) -> impl Fn(&Value) -> Option<Value> {
    move |list| list["alarms"].as_array()?.iter().find(|alarm| alarm["alarm"] == *id).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_check_in_rings_at_home_first_and_what_is_hidden_from_home_never_gets_there() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let home = Home::found(&data).await.expect("a home");
    let desk = home.town.officer("Agent Oost").await.expect("an officer");
    let mut following = home.partner.start(&["alarm", "incoming", "follow"]).expect("it starts");

    // Missed: it rings at home, and when nobody there answers, at the desk.
    let start =
        ["check-in", "start", "--for", "1m", "--grace", "0s", "--place", "Kerkpad 9", "--position", "52.09,5.12,8"];
    let started = home.phone.run(&start).await.expect("it is started");
    let id = text_of(&started, "check_in").expect("an id");
    let rung = until("the partner's phone rings", async || {
        Ok(following
            .lines()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["alarm"] == *id))
    });
    let rang = match rung.await {
        Ok(rang) => rang,
        // A minute and some: more than one wait is patient for.
        Err(_) => following.json_where(|line| line["alarm"] == *id).await.expect("it rings"),
    };
    assert_eq!((rang["kind"].as_str(), rang["caller"].as_str()), (Some("missed"), Some("Femke Wolters")));
    assert_eq!((rang["proven"].as_bool(), rang["call_112"].as_bool()), (Some(true), Some(true)));
    assert!(rang["place"].as_str().is_some_and(|place| place.contains("52.09000") && place.contains("8 m")), "{rang}");
    assert!(rang["texts"][0].as_str().is_some_and(|text| text.contains("Kerkpad 9")), "{rang}");
    let path = format!("/api/alarms/{id}");
    let at_desk = desk.look_until(&path, |alarm| Some(alarm.clone())).await.expect("the desk is called next");
    assert_eq!(at_desk["ringing"], true);
    // The phone at home follows all the while, and nothing of that rings anywhere.
    let list = desk.look("/api/alarms").await.expect("a list");
    assert_eq!(list["open"], 1, "{list}");
    desk.act(&format!("{path}/acknowledge"), &json!({})).await.expect("it is taken");
    let told = |list: &Value| {
        let alarm = named(&id)(list)?;
        alarm["said_words"]
            .as_array()?
            .iter()
            .any(|said| said.as_str().is_some_and(|said| said.contains("Agent Oost")))
            .then_some(())
    };
    home.incoming("the partner sees that the desk has it", told).await.expect("the desk's receipt");

    // Acknowledged at home, by name, and no desk is called.
    let pressed = home.phone.run(&["alarm", "press", "--position", "52.10,5.20,12"]).await.expect("it is sent");
    let second = text_of(&pressed, "alarm").expect("an id");
    home.incoming("it rings at home", named(&second)).await.expect("it is there");
    // Locked: no PIN is given to any of this, and none is asked.
    home.partner.run(&["alarm", "incoming", "acknowledge", &second]).await.expect("it is acknowledged");
    let watched = home.phone.run(&["alarm", "watch", &second, "--until", "seen", "--timeout", "30"]).await;
    assert_eq!(watched.expect("somebody has it")["words"], "Jan Obbink (familie) heeft het gezien");
    let shown = home.alarm(&second).await.expect("it is shown");
    assert_eq!(
        (shown["words"].as_str(), shown["green"].as_bool()),
        (Some("Jan Obbink (familie) heeft het gezien"), Some(true))
    );
    tokio::time::sleep(std::time::Duration::from_secs(AT_HOME_S.unsigned_abs() + 2)).await;
    let list = desk.look("/api/alarms").await.expect("a list");
    assert!(named(&second)(&list).is_none(), "the first human has it: {list}");

    // Sent on by the partner, the desk has it at once, and it rings there whatever the partner has seen.
    let words = ["alarm", "incoming", "escalate", &second, "--text", "neemt niet op"];
    let escalated = home.partner.run(&words).await.expect("it is sent on");
    assert_eq!(escalated["escalated"]["handed_in"], true);
    let with_jan = |alarm: &Value| {
        let by_jan = |receipt: &Value| {
            receipt["family"] == true && receipt["officer"] == "Jan Obbink" && receipt["state"] == "seen"
        };
        alarm["receipts"].as_array()?.iter().any(by_jan).then(|| alarm.clone())
    };
    let at_desk = desk.look_until(&format!("/api/alarms/{second}"), with_jan).await.expect("the desk is called");
    assert_eq!((at_desk["ringing"].as_bool(), at_desk["held_by"].is_null()), (Some(true), true), "{at_desk}");
    let (_, told) = home.phone.try_run(&["alarm", "watch", &second, "--timeout", "3"]).await.expect("it listens");
    assert_eq!(told["alarm"], json!(second));
    let shown = home.alarm(&second).await.expect("it is shown");
    assert_eq!(shown["sent_on"][0]["by"], json!({"role": "family", "name": "Jan Obbink"}));
    assert_eq!(shown["sent_on"][0]["text"], "neemt niet op");

    // The proof holds, with what was said at home in it.
    let file = folder.path().join("proof.baken").display().to_string();
    home.phone.run(&["alarm", "export", &second, &file]).await.expect("it is written");
    let verified = home.town.server(&["verify", "--timeline", &file]).await.expect("it holds");
    let steps = verified["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["family"] == true && step["state"] == "seen"), "{verified}");

    // Silent: the desk at once, and nothing at home.
    let silent = home.phone.run(&["alarm", "press", "--kind", "silent"]).await.expect("it is sent");
    let silent = text_of(&silent, "alarm").expect("an id");
    desk.look_until(&format!("/api/alarms/{silent}"), |alarm| Some(alarm.clone())).await.expect("the desk has it");
    // Taken out, nothing more comes home.
    home.phone.run(&["alarm", "family", "remove", "Jan Obbink"]).await.expect("he is called no more");
    let third = home.phone.run(&["alarm", "press"]).await.expect("it is sent");
    let third = text_of(&third, "alarm").expect("an id");
    desk.look_until(&format!("/api/alarms/{third}"), |alarm| Some(alarm.clone()))
        .await
        .expect("the desk has it at once");
    let list = home.partner.run(&["alarm", "incoming"]).await.expect("a list");
    for hidden in [&silent, &third] {
        assert!(named(hidden)(&list).is_none(), "{list}");
    }
    following.kill().await.expect("it runs");

    // At the relay and on its wire every alarm has the same size, and nothing of it shows.
    let sizes = alarm_sizes(&data.join("relay/relay.db"));
    assert!(sizes.len() >= 4 && sizes.windows(2).all(|pair| pair[0] == pair[1]), "{sizes:?}");
    let captured = home.town.tap.as_ref().expect("a tap").captured();
    let marks: Vec<Mark> = ["Femke", "Kerkpad", "silent", "Obbink", "52.09"].map(Mark::word).into();
    assert_eq!(found_in_bytes(&marks, "the traffic behind TLS", &captured), [""; 0]);
    assert_eq!(found_in_folder(&marks, &data.join("relay")).expect("files"), [""; 0]);
}

/// The length of every alarm that the relay has, deposits too.
fn alarm_sizes(database: &Path) -> Vec<usize> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(database, flags).expect("the relay's database");
    let mut statement =
        db.prepare("SELECT length(d.bytes) FROM alarm a JOIN document d ON d.document = a.document").expect("SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a number")).collect()
}
