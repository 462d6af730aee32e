//! Guidance and public contacts on the command line: before activation, without PIN, in both languages; and an
//! organisation's own, once there is one.

use baken_schemas::edition::Files;
use serde_json::Value;

use super::Phone;
use super::relay::Town;

impl Phone {
    /// The JSON of a command that is given no PIN.
    pub(super) fn without_pin(&self, args: &[&str]) -> Value {
        let (code, answer) = super::ended(self.command(args).env_remove("BAKEN_PIN"));
        assert_eq!(code, 0, "{args:?}: {answer}");
        answer
    }
}

fn ids(items: &Value) -> Vec<String> {
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn i8_guidance_is_read_before_activation_without_pin_or_network() {
    let phone = Phone::new();
    let questions = phone.without_pin(&["guidance"]);
    assert!(!questions["questions"].as_array().unwrap().is_empty());
    assert_eq!(questions["layers"][0]["origin"], "shipped");

    let cards = phone.without_pin(&["guidance", "card"]);
    let urgent = cards["cards"].as_array().unwrap().iter().find(|card| card["kinds"][0] == "danger").expect("a card");
    let card = phone.without_pin(&["guidance", "card", urgent["id"].as_str().unwrap()]);
    assert_eq!(card["card"]["call"][0]["number"], "112");

    let contacts = phone.without_pin(&["contacts", "--kind", "danger"]);
    assert_eq!(
        (&contacts["contacts"][0]["number"], &contacts["contacts"][0]["reachable"]),
        (&"112".into(), &"now".into())
    );

    let hits = phone.without_pin(&["guidance", "search", "bedriegd"]);
    let chapter = hits["hits"].as_array().unwrap().iter().find(|hit| hit["kind"] == "chapter").expect("a chapter");
    let read = phone.without_pin(&["guidance", "read", chapter["id"].as_str().unwrap()]);
    assert!(read["chapter"]["checklist"].as_array().unwrap().len() >= 4);
    let start: String = chapter["id"].as_str().unwrap().chars().take(4).collect();
    assert_eq!(phone.without_pin(&["guidance", "read", &start])["chapter"]["id"], chapter["id"]);

    let check = phone.without_pin(&["guidance", "check"]);
    assert_eq!((&check["layers"][0]["layer"], check["updates"].as_array().unwrap().len()), (&"national".into(), 0));
}

#[test]
fn a_reader_gets_their_language_and_nothing_for_others() {
    let phone = Phone::new();
    let english = phone.without_pin(&["--lang", "en", "guidance"]);
    let dutch = phone.without_pin(&["guidance"]);
    assert_ne!(english["questions"][0]["question"], dutch["questions"][0]["question"]);
    assert_eq!(phone.fails(&["guidance", "read", "99-none"]), (3, "no_such_guidance".to_owned()));
    let advisers = phone.without_pin(&["guidance", "--audience", "adviser"]);
    let all = |answer: &Value| -> Vec<String> {
        answer["questions"].as_array().unwrap().iter().flat_map(|question| ids(&question["chapters"])).collect()
    };
    let (theirs, ours) = (all(&advisers), all(&dutch));
    let hidden = theirs.iter().find(|id| !ours.contains(id)).expect("a chapter for advisers");
    assert_eq!(phone.fails(&["guidance", "read", hidden]), (3, "not_for_audience".to_owned()));
    phone.without_pin(&["guidance", "--audience", "adviser", "read", hidden]);
}

#[test]
fn what_people_see_says_whom_to_call_and_where_it_comes_from() {
    let phone = Phone::new();
    let contacts = phone.says(&["contacts"]);
    assert!(contacts.starts_with("112") && contacts.contains("nu bereikbaar"), "{contacts}");
    let read = phone.says(&["--lang", "en", "guidance", "read", "02"]);
    assert!(
        read.contains("[ ] ") && read.contains("Sources: ") && !read.contains("{{") && !read.contains("**"),
        "{read}"
    );
}

#[test]
fn an_organisations_edition_is_taken_and_read_with_the_vault_locked() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    let check = phone.without_pin(&["guidance", "check"]);
    assert_eq!(check["layers"].as_array().unwrap().len(), 1);

    let source = |version: u64, number: &str| -> Files {
        let edition = format!(
            "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\"]\nexpires = \"2020-01-01\"\nversion = {version}\n"
        );
        let contact = format!(
            "[[contact]]\nid = \"clerk\"\nname.nl = \"Griffier\"\npurpose.nl = \"Melden.\"\nnumber = \"{number}\"\n\
             hours.nl = \"overdag\"\naudience = [\"office-holder\"]\nkinds = [\"threat\"]\nsource = [\"S\"]\n\
             source_date = \"2020\"\nchecked = \"2020-01-01\"\nreview_by = \"2027-05-23\"\nstatus = \"confirmed\"\n"
        );
        [("edition.toml", edition), ("contacts.toml", contact)].map(|(path, text)| (path.to_owned(), text)).into()
    };
    town.publish(&source(1, "0123-456789"));
    let check = phone.without_pin(&["guidance", "check"]);
    let of_org = |check: &Value| {
        let updates = check["updates"].as_array().unwrap();
        updates.iter().find(|update| update["layer"] == "organisation").expect("an update").clone()
    };
    assert_eq!((&of_org(&check)["outcome"], &of_org(&check)["files_fetched"]), (&"updated".into(), &2.into()));
    // It has expired: it is read, and says since when.
    assert_eq!(check["layers"][1]["stale_since"], "2020-01-01");
    assert!(phone.says(&["contacts", "--kind", "threat"]).contains("mogelijk verouderd sinds 2020-01-01"));
    let number = |phone: &Phone| {
        let contacts = phone.without_pin(&["contacts", "--kind", "threat"]);
        let all = contacts["contacts"].as_array().unwrap();
        all.iter().find(|contact| contact["id"] == "clerk").expect("the clerk")["number"].clone()
    };
    assert_eq!(number(&phone), "0123-456789");

    town.publish(&source(2, "0123-000000"));
    assert_eq!(of_org(&phone.without_pin(&["guidance", "check"]))["outcome"], "updated");
    // An older one, and one that touches 112, are not taken.
    town.publish(&source(1, "0123-456789"));
    let (code, check) = phone.run(&["guidance", "check"]);
    assert_eq!((code, &of_org(&check)["error"]), (8, &"older_version".into()));
    town.publish(&source(3, "112"));
    let (code, check) = phone.run(&["guidance", "check"]);
    assert_eq!((code, &of_org(&check)["error"]), (8, &"emergency_number".into()));
    assert_eq!(number(&phone), "0123-000000");
    // Without the relay it stays, and `check` says that it was not reached.
    town.unplug();
    assert_eq!(phone.run(&["guidance", "check"]).0, 6);
    assert_eq!(number(&phone), "0123-000000");
}
