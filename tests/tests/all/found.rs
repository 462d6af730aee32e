//! Records are found by words: with typing errors, in any order, as they stand now, and only with the vault open.

use baken_core::{Baken, BakenError};
use baken_schemas::circle::CircleKind;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::record::words::THREAT_SOURCE;

use crate::town::{PIN, Town};

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}

fn found(phone: &Baken, words: &str) -> Vec<(RecordId, &'static str)> {
    phone.search_records(words).unwrap().iter().map(|hit| (hit.record.record, hit.field)).collect()
}

#[tokio::test]
async fn records_are_found_with_typing_errors_in_any_order_and_as_they_stand_now() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    assert_eq!(found(&phone, "brief"), [], "nothing is there yet");
    let letter = vec![
        text("what", "Brief zonder afzender"),
        text("witnesses", "Buurvrouw Annelies"),
        text("threat_source", THREAT_SOURCE[0]),
    ];
    let letter = phone.create("incident", letter).unwrap();
    let contact = phone.create("contact", vec![text("name", "Sam de Boer"), text("phone", "06-1234 5678")]).unwrap();
    for (words, field) in [
        ("brief", "what"),
        ("afzendre brif", "what"),
        ("annelise", "witnesses"),
        ("annelies brief", "what"),
        ("brief annelies", "what"),
        ("inwoner", "what"),
        ("resident", "threat_source"),
    ] {
        assert_eq!(found(&phone, words), [(letter, field)], "{words}");
    }
    assert_eq!(found(&phone, "0612345678"), [(contact, "name")], "however it was written");
    assert_eq!(found(&phone, "5678").first().map(|(record, _)| *record), Some(contact));
    for nothing in ["zeppelin", "", "mayor_phone"] {
        assert_eq!(found(&phone, nothing), [], "{nothing:?}");
    }

    // What is edited here, on the tablet, or in another circle is found as it is now.
    phone.put(letter, vec![text("what", "Pakket voor de deur")]).unwrap();
    assert_eq!((found(&phone, "afzender"), found(&phone, "paket").len()), (vec![], 1));
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let plan = phone.create_in(family, "plan", vec![text("title", "Als de bel gaat")]).unwrap();
    assert_eq!(found(&phone, "bel gaat")[0].0, plan);
    for _ in 0..2 {
        phone.sync(&town.network).await.unwrap();
        tablet.sync(&town.network).await.unwrap();
    }
    tablet.put(letter, vec![text("place", "Marktplein")]).unwrap();
    assert_eq!(found(&tablet, "marktplien"), [(letter, "place")]);
    tablet.sync(&town.network).await.unwrap();
    phone.sync(&town.network).await.unwrap();
    assert_eq!(found(&phone, "marktplien"), [(letter, "place")]);

    // Deleted is not found; restored is.
    phone.delete(contact).unwrap();
    assert_eq!(found(&phone, "boer"), []);
    phone.restore(contact).unwrap();
    assert_eq!(found(&phone, "boer"), [(contact, "name")]);

    // Two devices wrote one field: each value is found.
    phone.put(contact, vec![text("relation", "vriend")]).unwrap();
    tablet.sync(&town.network).await.unwrap();
    phone.put(contact, vec![text("remark", "Bellen na zes uur")]).unwrap();
    tablet.put(contact, vec![text("remark", "Heeft de reservesleutel")]).unwrap();
    for device in [&phone, &tablet, &phone] {
        device.sync(&town.network).await.unwrap();
    }
    assert_eq!((found(&phone, "reservesleutle").len(), found(&phone, "bellen uur").len()), (1, 1));

    // Locked, nothing is looked through; open again, all is as it was.
    phone.lock();
    assert!(matches!(phone.search_records("boer"), Err(BakenError::Locked)));
    phone.unlock(PIN).unwrap();
    assert_eq!(found(&phone, "boer"), [(contact, "name")]);
}
