//! A case with the police contact, with real processes: shared, opened, briefed and withdrawn, by two `baken`s and a relay
//! that reads none of it. The reader on the police's side is a device with `baken`, beside the desk's console.

use std::path::Path;

use anyhow::Result;
use baken_tests::marks::{Mark, found_in_bytes, found_in_folder};
use baken_tests::story::phone::Phone;
use baken_tests::story::play::let_in;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

const MARKS: [&str; 5] = ["Kogelbrief", "zolderkamer", "Buurvrouw", "aangehouden", "Wolters"];

/// A municipality, an alderman's phone with a case, and the police contact's device in it.
struct Case {
    town: Town,
    phone: Phone,
    police: Phone,
}

impl Case {
    async fn found(data: &Path) -> Result<Self> {
        let plan = Plan { data: data.to_owned(), log_level: "trace".to_owned(), tapped: true, programs: (None, None) };
        let town = Town::found(&plan).await?;
        let phone = Phone::new(&town, "alderman_phone", "nl");
        let invite = town.invite("Femke Wolters", "wethouder", "0611223344").await?;
        phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
        phone.run(&["circle", "create", "case", "--name", "Zaak"]).await?;
        phone.run(&["sync"]).await?;
        let police = Phone::new(&town, "police_device", "nl");
        let case = Self { town, phone, police };
        let_in(&case.phone, "Zaak", &case.police, "Toestel recherche").await?;
        case.sync().await?;
        Ok(case)
    }

    async fn sync(&self) -> Result<()> {
        self.phone.run(&["sync"]).await?;
        self.police.run(&["sync"]).await?;
        self.phone.run(&["sync"]).await?;
        Ok(())
    }

    /// The one line of the log about an item.
    async fn log(&self, item: &str) -> Result<Value> {
        let log = self.phone.run(&["share", "log", item]).await?;
        Ok(log["log"][0].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_shared_opened_briefed_and_withdrawn() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let case = Case::found(&data).await.expect("a case");
    let (phone, police) = (&case.phone, &case.police);

    // Previewed, and shared but for the witness.
    let made =
        phone.run(&["record", "add", "incident", "what=Kogelbrief", "witnesses=Buurvrouw"]).await.expect("it is made");
    let incident = text_of(&made, "record").expect("an id");
    let photo = folder.path().join("brief.txt");
    std::fs::write(&photo, "zolderkamer").expect("a file");
    let photo = photo.display().to_string();
    phone.run(&["attach", "add", &photo, "--to", &incident]).await.expect("it is added");
    let preview = ["share", &incident, "--with", "zaak", "--without", "witnesses", "--attachments", "--preview"];
    let preview = phone.run(&preview).await.expect("a preview")["preview"].clone();
    assert_eq!(preview["readers"][0]["name"], "Toestel recherche");
    assert_eq!(preview["stays"][0], json!({"name": "witnesses", "why": "chosen"}));
    assert_eq!(phone.run(&["share", "list"]).await.expect("a list")["shared"], json!([]), "a preview shares nothing");
    let share = ["share", &incident, "--with", "zaak", "--without", "witnesses", "--attachments", "--yes"];
    let shared = phone.run(&share).await.expect("it is shared");
    let copy = text_of(&shared, "copy").expect("an id");
    case.sync().await.expect("all is through");
    assert_eq!(case.log(&incident).await.expect("a log")["readers"][0]["shown"], Value::Null, "not opened yet");

    // Opened there, and the person hears by whose device.
    let seen = police.run(&["record", "show", &copy]).await.expect("it is there")["fields"].clone();
    assert_eq!((&seen["what"], seen.get("witnesses")), (&json!("Kogelbrief"), None));
    let files = police.run(&["attach", "list", &copy]).await.expect("files")["attachments"].clone();
    let file = text_of(&files[0], "record").expect("an id");
    let saved = folder.path().join("bij-de-politie.txt");
    police.run(&["attach", "save", &file, &saved.display().to_string()]).await.expect("it is fetched");
    assert_eq!(std::fs::read_to_string(&saved).expect("a file"), "zolderkamer");
    case.sync().await.expect("all is through");
    let reader = case.log(&incident).await.expect("a log")["readers"][0].clone();
    assert_eq!((&reader["name"], &reader["shown"]["newest"]), (&json!("Toestel recherche"), &json!(true)));

    // A confidential measure goes by no accident, and with its label.
    let made =
        phone.run(&["record", "add", "measure", "title=zolderkamer", "origin=system"]).await.expect("it is made");
    let measure = text_of(&made, "record").expect("an id");
    let unasked = phone.try_run(&["share", &measure, "--with", "zaak", "--yes"]).await.expect("an answer");
    assert_eq!((unasked.0, unasked.1["error"]["code"].as_str()), (3, Some("confidential")));
    let by_hand = ["record", "add", "--circle", "zaak", "measure", "title=zolderkamer", "confidential=true"];
    assert_eq!(phone.try_run(&by_hand).await.expect("an answer").1["error"]["code"], "confidential");
    let decided = ["share", &measure, "--with", "zaak", "--with-confidential"];
    phone.run(&decided).await.expect("it is shared");
    case.sync().await.expect("all is through");
    let list = police.run(&["record", "list", "measure"]).await.expect("a list")["records"].clone();
    assert_eq!(list[0]["fields"]["origin"], "system");

    // Briefed: no news, and when again.
    police
        .run(&["briefing", "add", "--no-news", "--next", "2099-12-11", "--by", "J. de Vries"])
        .await
        .expect("it is said");
    case.sync().await.expect("all is through");
    let heard = phone.run(&["briefing", "list"]).await.expect("a list")["briefings"][0].clone();
    assert_eq!((&heard["no_news"], &heard["device_name"]), (&json!(true), &json!("Toestel recherche")));
    let agenda = phone.run(&["agenda", "--days", "65535"]).await.expect("an agenda")["agenda"].clone();
    let titles: Vec<&str> =
        agenda.as_array().expect("a list").iter().filter_map(|item| item["title"].as_str()).collect();
    assert_eq!(titles, ["Belafspraak"], "neutral, and once");

    // Withdrawn.
    phone.run(&["share", "withdraw", &incident, "--with", "zaak"]).await.expect("it is taken back");
    case.sync().await.expect("all is through");
    let there = police.run(&["record", "list", "incident"]).await.expect("a list")["records"].clone();
    assert_eq!(there, json!([]));
    let again = folder.path().join("nog-eens.txt").display().to_string();
    let (code, _) = police.try_run(&["attach", "save", &file, &again]).await.expect("an answer");
    assert_ne!(code, 0, "its file is gone, here and at the relay");
    let list = phone.run(&["share", "list"]).await.expect("a list")["shared"].clone();
    let states: Vec<&str> =
        list.as_array().expect("a list").iter().filter_map(|share| share["state"].as_str()).collect();
    assert!(states.contains(&"withdrawn") && states.contains(&"shared"), "{list}");

    // Removed, the device gets nothing that comes after.
    phone.run(&["circle", "remove", "zaak", "Toestel recherche"]).await.expect("it is out");
    let made = phone.run(&["record", "add", "incident", "what=aangehouden"]).await.expect("it is made");
    let later = text_of(&made, "record").expect("an id");
    phone.run(&["share", &later, "--with", "zaak", "--yes"]).await.expect("it is shared");
    phone.run(&["sync"]).await.expect("it is sent");
    let _ = police.try_run(&["sync"]).await.expect("an answer");
    assert_eq!(police.run(&["record", "list", "incident"]).await.expect("a list")["records"], json!([]));
    assert_eq!(case.log(&later).await.expect("a log")["readers"], json!([]), "nobody reads along any more");

    // The relay saw sizes and times.
    let captured = case.town.tap.as_ref().expect("a tap").captured();
    let marks: Vec<Mark> = MARKS.map(Mark::word).into();
    assert_eq!(found_in_bytes(&marks, "the traffic behind TLS", &captured), [""; 0]);
    assert_eq!(found_in_folder(&marks, &data.join("relay")).expect("files"), [""; 0]);
}
