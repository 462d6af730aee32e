//! A mayor crosses a border: the dossier stays with the tablet, and comes back to the phone by pairing.

use std::sync::atomic::AtomicUsize;

use baken_core::alarm::Call;
use baken_core::attachment::{AttachTo, NewAttachment, Part};
use baken_core::pairing::PairInto;
use baken_core::{Baken, BakenError};
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;

use crate::town::{Between, PIN, Town};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const CONTACTS: [&str; 1] = ["contact"];

fn fields(all: &[(&str, &str)]) -> Vec<(String, Value)> {
    all.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect()
}

async fn sync(town: &Town, devices: &[&Baken]) {
    for device in devices {
        device.sync(&town.network).await.unwrap();
    }
}

/// The texts that stand in a field, sorted.
fn texts(device: &Baken, record: RecordId, field: &str) -> Vec<String> {
    let view = device.record(record).unwrap();
    let found = view.fields.iter().find(|view| view.name == Some(field));
    let mut texts: Vec<String> = found
        .into_iter()
        .flat_map(|field| &field.values)
        .filter_map(|value| match &value.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    texts.sort_unstable();
    texts
}

/// A phone and a tablet of one person, with two contacts and a note in the dossier.
async fn two_devices(town: &mut Town) -> (Baken, Baken, RecordId, RecordId) {
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let sister = phone.create("contact", fields(&[("name", "Zus"), ("phone", "06-1")])).unwrap();
    let brother = phone.create("contact", fields(&[("name", "Broer"), ("phone", "06-2")])).unwrap();
    phone.create("note", fields(&[("title", "Alleen thuis")])).unwrap();
    phone.print_recovery(&town.network, PIN, None).await.unwrap();
    sync(town, &[&phone, &tablet, &phone]).await;
    (phone, tablet, sister, brother)
}

/// The phone shows a code again, and the tablet takes it in.
async fn pair_again(town: &Town, phone: &Baken, tablet: &Baken) {
    let mut start = phone.pair_start(&town.network, PIN, "mayor_phone").await.unwrap();
    let mut accept = tablet.pair_accept(&town.network, &start.code_text()).await.unwrap();
    let digits = phone.pair_digits(&mut start, &town.network).await.unwrap();
    tablet.pair_confirm(&mut accept, &town.network, &digits, PIN, PairInto::Dossier).await.unwrap();
    phone.pair_join(&start, &town.network).await.unwrap();
}

#[tokio::test]
async fn a_phone_travels_without_its_dossier_and_comes_back_with_all_of_it() {
    let mut town = Town::found().await;
    let (phone, tablet, sister, brother) = two_devices(&mut town).await;
    let old_device = phone.status().unwrap().device;
    phone.travel(&town.network, PIN, &CONTACTS).await.unwrap();
    assert!(phone.records(Some("note")).unwrap().is_empty());
    assert_eq!(phone.records(Some("contact")).unwrap().len(), 2);
    assert!(matches!(phone.sync(&town.network).await, Err(BakenError::Travelling)));
    assert!(matches!(phone.travel(&town.network, PIN, &CONTACTS).await, Err(BakenError::Travelling)));
    sync(&town, &[&tablet]).await;
    assert_eq!(tablet.status().unwrap().devices, 1, "the phone is out, and gets no new keys");

    // On the way: an alarm, a number that both change, one that only the phone does, something new.
    let call = Call {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = phone.press(&call).unwrap();
    phone.send_alarms(&town.network).await.unwrap();
    assert!(!phone.alarm(alarm).unwrap().receipts.is_empty(), "the relay has it");
    phone.put(sister, fields(&[("phone", "06-11")])).unwrap();
    tablet.put(sister, fields(&[("phone", "06-12")])).unwrap();
    phone.put(brother, fields(&[("phone", "06-21")])).unwrap();
    let new = phone.create("note", fields(&[("title", "Aan de grens")])).unwrap();
    sync(&town, &[&tablet]).await;
    assert_eq!(phone.travelling().unwrap().unwrap().changed, 3);

    // Paired again it waits for a day, and keeps what came along meanwhile, also over a restart.
    pair_again(&town, &phone, &tablet).await;
    assert!(phone.travelling().unwrap().unwrap().waits);
    assert!(matches!(phone.sync(&town.network).await, Err(BakenError::Travelling)));
    phone.lock();
    phone.unlock(PIN).unwrap();
    assert_eq!(texts(&phone, brother, "phone"), ["06-21"]);
    town.clock.advance_ms(DAY_MS + 1000);
    sync(&town, &[&tablet]).await;
    sync(&town, &[&phone]).await;
    assert_eq!(phone.travelling().unwrap(), None);
    sync(&town, &[&tablet, &phone, &tablet, &phone]).await;

    for device in [&phone, &tablet] {
        assert_eq!(device.records(Some("note")).unwrap().len(), 2);
        assert_eq!(texts(device, new, "title"), ["Aan de grens"]);
        assert_eq!(texts(device, brother, "phone"), ["06-21"], "nobody else had changed it");
        let both = texts(device, sister, "phone");
        assert!(both.contains(&"06-11".to_owned()) && both.contains(&"06-12".to_owned()), "{both:?}");
        assert_eq!(device.conflicts().unwrap().len(), 1);
        assert_eq!(texts(device, sister, "name"), ["Zus"]);
        assert!(device.status().unwrap().trustworthy);
        assert_eq!(device.status().unwrap().devices, 2);
    }
    let new_device = phone.status().unwrap().device;
    assert_ne!(new_device, old_device);
    // The alarm that is open is still followed as the device that called; later the button is the new one's.
    assert_eq!(phone.alarms().unwrap().len(), 1);
    phone.send_alarms(&town.network).await.unwrap();
    town.clock.advance_ms(8 * DAY_MS);
    phone.lock();
    phone.unlock(PIN).unwrap();
    phone.send_alarms(&town.network).await.unwrap();
    sync(&town, &[&phone]).await;
    let second = phone.press(&call).unwrap();
    phone.send_alarms(&town.network).await.unwrap();
    assert!(!phone.alarm(second).unwrap().receipts.is_empty(), "the relay takes it from the new device");
    assert_eq!(phone.alarms().unwrap().len(), 2, "nothing of the old one is gone");
}

#[tokio::test]
async fn the_last_device_does_not_leave_the_dossier_behind() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("note", fields(&[("title", "Alleen hier")])).unwrap();
    assert!(matches!(phone.travel(&town.network, PIN, &CONTACTS).await, Err(BakenError::LastDevice)));
    assert!(matches!(phone.travel(&town.network, "000000", &CONTACTS).await, Err(BakenError::WrongPin { .. })));
    assert!(matches!(phone.travel(&town.network, PIN, &["device"]).await, Err(BakenError::UnknownKind)));
    assert_eq!(phone.records(Some("note")).unwrap().len(), 1);
    assert_eq!(phone.travelling().unwrap(), None);
    phone.create("note", fields(&[("title", "Gaat gewoon door")])).unwrap();
    sync(&town, &[&phone]).await;
}

#[tokio::test]
async fn what_is_attached_on_the_way_comes_home() {
    let mut town = Town::found().await;
    let (phone, tablet, ..) = two_devices(&mut town).await;
    let add = |name| {
        let (new, circle) =
            (NewAttachment { name, media_type: "text/plain", thumbnail: None }, phone.status().unwrap());
        let to = AttachTo::Circle(circle.circle);
        phone.add_attachment(to, new, &mut std::io::Cursor::new(name.as_bytes()), &|_| ()).unwrap()
    };
    let left = add("thuis.txt");
    phone.travel(&town.network, PIN, &CONTACTS).await.unwrap();
    let blobs = || std::fs::read_dir(town.folder.path().join("mayor_phone").join("blobs")).unwrap().count();
    assert_eq!(blobs(), 0);
    let on_the_way = add("onderweg.txt");
    phone.lock();
    phone.unlock(PIN).unwrap();
    assert_eq!(blobs(), 1, "unlocking takes only what nothing names");
    pair_again(&town, &phone, &tablet).await;
    town.clock.advance_ms(DAY_MS);
    sync(&town, &[&tablet, &phone, &tablet]).await;
    for attachment in [left, on_the_way] {
        tablet.fetch_attachment(&town.network, attachment, Part::File, &|_| ()).await.unwrap();
    }
}

/// Until the recovery code is printed, the phone that was activated alone holds what it is made of.
#[tokio::test]
async fn who_has_no_recovery_code_prints_it_before_a_journey_and_no_other_device_asks_for_one_that_never_was() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync(&town, &[&phone, &tablet, &phone]).await;
    assert!(matches!(phone.travel(&town.network, PIN, &CONTACTS).await, Err(BakenError::NoRecoveryCode)));
    assert_eq!(phone.travelling().unwrap(), None);
    assert!(matches!(tablet.print_recovery(&town.network, PIN, None).await, Err(BakenError::RootElsewhere)));
    let paper = phone.print_recovery(&town.network, PIN, None).await.unwrap();
    phone.travel(&town.network, PIN, &CONTACTS).await.unwrap();
    sync(&town, &[&tablet]).await;
    assert!(matches!(tablet.print_recovery(&town.network, PIN, None).await, Err(BakenError::NoRoot)));
    tablet.print_recovery(&town.network, PIN, Some(&paper.code)).await.unwrap();
}

#[tokio::test]
async fn a_departure_that_is_cut_off_anywhere_goes_on_and_loses_nothing() {
    let mut town = Town::found().await;
    let mut cuts = 0;
    // The last of these answers is the one to its leaving: it has left, and does not know.
    for left in 0..6 {
        let phone = town.activated(&format!("phone_{left}")).await;
        let tablet = town.paired(&phone, &format!("tablet_{left}")).await;
        phone.create("note", fields(&[("title", "Alleen thuis")])).unwrap();
        phone.print_recovery(&town.network, PIN, None).await.unwrap();
        sync(&town, &[&phone, &tablet, &phone]).await;
        let cut = Between {
            network: &town.network,
            left: AtomicUsize::new(left),
            lose_answer: true,
            change: |_, answer| answer,
        };
        if let Err(error) = phone.travel(&cut, PIN, &CONTACTS).await {
            assert_eq!(error.code(), "not_reached", "after {left}");
            cuts += 1;
            phone.lock();
            phone.unlock(PIN).unwrap();
            assert_eq!(phone.records(Some("note")).unwrap().len(), 1, "the full vault is there until the small one is");
            phone.travel(&town.network, PIN, &CONTACTS).await.unwrap();
        }
        assert!(phone.travelling().unwrap().is_some());
        sync(&town, &[&tablet]).await;
        assert_eq!(tablet.status().unwrap().devices, 1);
        assert_eq!(tablet.records(Some("note")).unwrap().len(), 1);
        town.clock.advance_ms(60_000);
    }
    assert!(cuts >= 5, "{cuts}");
}

#[tokio::test]
async fn what_came_along_from_the_family_circle_goes_back_there() {
    let mut town = Town::found().await;
    let (phone, tablet, ..) = two_devices(&mut town).await;
    let family = phone.found_circle(baken_schemas::circle::CircleKind::Family, "Familie").unwrap();
    let plan = phone.create_in(family, "plan", fields(&[("title", "Als de bel gaat")])).unwrap();
    sync(&town, &[&phone, &tablet, &phone, &tablet]).await;
    phone.travel(&town.network, PIN, &["contact", "plan"]).await.unwrap();
    phone.put(plan, fields(&[("text", "Niet opendoen")])).unwrap();
    sync(&town, &[&tablet]).await;
    pair_again(&town, &phone, &tablet).await;
    town.clock.advance_ms(DAY_MS + 1000);
    sync(&town, &[&tablet]).await;
    for _ in 0..3 {
        sync(&town, &[&phone, &tablet]).await;
    }
    for device in [&phone, &tablet] {
        assert_eq!(texts(device, plan, "text"), ["Niet opendoen"]);
        assert_eq!(device.record(plan).unwrap().circle, family);
        assert!(device.conflicts().unwrap().is_empty());
    }
}
