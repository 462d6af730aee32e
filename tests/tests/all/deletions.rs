//! A tablet that deletes everything at once, and what the person's phone makes of it, over a real relay.

use baken_core::sync::StatusView;
use baken_core::{Baken, BakenError};
use baken_schemas::record::Value;
use baken_schemas::time::Clock as _;

use crate::town::{PIN, Town};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn sync(town: &Town, device: &Baken) -> StatusView {
    device.sync(&town.network).await.unwrap();
    device.status().unwrap()
}

fn shown(device: &Baken) -> usize {
    device.records(Some("contact")).unwrap().iter().filter(|view| !view.deleted).count()
}

/// Deletes every contact that this device has.
fn delete_all(device: &Baken) {
    for view in device.records(Some("contact")).unwrap() {
        device.delete(view.record).unwrap();
    }
}

#[tokio::test]
async fn a_tablet_deletes_everything_at_once_and_the_phone_takes_it_back_or_says_it_is_right() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    for number in 0..30 {
        phone.create("contact", vec![("name".to_owned(), Value::Text(format!("nummer {number}")))]).unwrap();
    }
    for device in [&phone, &tablet, &phone] {
        sync(&town, device).await;
    }
    delete_all(&tablet);
    sync(&town, &tablet).await;
    let status = sync(&town, &phone).await;
    let by = tablet.status().unwrap().device;
    let [held] = &status.held_deletions[..] else { panic!("{:?}", status.held_deletions) };
    assert_eq!((held.by, held.name.as_deref(), held.count, held.this), (Some(by), Some("mayor_tablet"), 30, false));
    assert_eq!(held.until, town.clock.now().plus_ms(DAY_MS));
    assert_eq!((shown(&phone), shown(&tablet)), (30, 30));

    // The tablet has no second word; the phone takes all of it back.
    assert!(matches!(tablet.confirm_deletions(by), Err(BakenError::OwnDeletions)));
    assert_eq!(phone.undo_deletions(by).unwrap(), 30);
    for device in [&phone, &tablet] {
        assert!(sync(&town, device).await.held_deletions.is_empty());
        assert!(device.deletions().unwrap().is_empty());
    }

    // This time it was meant.
    delete_all(&tablet);
    sync(&town, &tablet).await;
    sync(&town, &phone).await;
    assert_eq!(phone.confirm_deletions(by).unwrap(), 30);
    for device in [&phone, &tablet] {
        assert!(sync(&town, device).await.held_deletions.is_empty());
        assert_eq!(shown(device), 0);
    }

    // Thirty days later they are erased, which says so when it is too late.
    town.clock.advance_ms(31 * DAY_MS);
    phone.lock();
    phone.unlock(PIN).unwrap();
    sync(&town, &phone).await;
    sync(&town, &tablet).await;
    let first = tablet.records(Some("contact")).unwrap().remove(0);
    assert!(first.erased && first.deleted);
    let until = town.clock.now().plus_ms(30 * DAY_MS);
    assert!(matches!(tablet.restore(first.record), Err(BakenError::Erased { values_until }) if values_until == until));
    // Its history brings it back.
    let name = tablet.history(first.record).unwrap().into_iter().find(|put| put.name == Some("name")).unwrap();
    tablet.put(first.record, vec![("name".to_owned(), name.value)]).unwrap();
    tablet.restore(first.record).unwrap();
    sync(&town, &tablet).await;
    sync(&town, &phone).await;
    assert_eq!(shown(&phone), 1);
    assert!(phone.status().unwrap().trustworthy);
}
