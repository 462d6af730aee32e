//! Attachments from file to file: through a relay that breaks off, lies or is full, and over disks that do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod disk;
mod stage;

use baken_schemas::blob::CHUNK_BYTES;

use crate::BakenError;
use crate::attachment::Progress;
use stage::{Device, Relay};

/// A file whose chunks are all different.
fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / CHUNK_BYTES * 31 + at) as u8).collect()
}

fn damaged(found: Result<impl std::fmt::Debug, BakenError>) -> &'static str {
    match found {
        Err(BakenError::AttachmentDamaged { part }) => part,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_of_every_size_arrive_on_the_other_device() {
    for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * 1024 * 1024] {
        let (phone, tablet, relay) = (Device::new(1), Device::new(2), Relay::default());
        let sent = file(size);
        let blob = phone.seal(&sent);
        assert!(matches!(tablet.open(&blob), Err(BakenError::AttachmentNotHere)));
        assert!(matches!(tablet.download(&relay, &blob).await, Err(BakenError::AttachmentNotThere)));
        phone.upload(&relay, &blob).await.unwrap();
        tablet.download(&relay, &blob).await.unwrap();
        let told = tablet.told.lock().unwrap().clone();
        assert_eq!(told.first(), Some(&Progress { done: 0, total: size as u64 }));
        assert_eq!(told.last(), Some(&Progress { done: size as u64, total: size as u64 }));
        assert!(told.is_sorted_by_key(|progress| progress.done));
        assert!(tablet.open(&blob).unwrap() == sent, "{size} bytes");
        assert!(phone.open(&blob).unwrap() == sent, "{size} bytes");
        // With all of it there, no chunk travels again.
        relay.take_chunk_requests();
        phone.upload(&relay, &blob).await.unwrap();
        tablet.download(&relay, &blob).await.unwrap();
        assert_eq!(relay.take_chunk_requests(), 0);
        tablet.store.free(blob.blob).unwrap();
        tablet.store.free(blob.blob).unwrap();
        assert!(tablet.left_behind().is_empty());
    }
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_where_it_stopped() {
    let (phone, relay) = (Device::new(3), Relay::default());
    let blob = phone.seal(&file(20 * CHUNK_BYTES));
    *relay.breaks_after.lock().unwrap() = Some(7);
    assert!(matches!(phone.upload(&relay, &blob).await, Err(BakenError::NotReached)));
    assert_eq!(relay.with_chunks(|chunks| chunks.len()), 7);
    *relay.breaks_after.lock().unwrap() = None;
    relay.take_chunk_requests();
    phone.upload(&relay, &blob).await.unwrap();
    assert_eq!(relay.take_chunk_requests(), 13);
    assert_eq!(phone.told.lock().unwrap()[0].done, 7 * CHUNK_BYTES as u64);
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_stopped() {
    let (phone, tablet, relay) = (Device::new(4), Device::new(5), Relay::default());
    let sent = file(20 * CHUNK_BYTES);
    let blob = phone.seal(&sent);
    phone.upload(&relay, &blob).await.unwrap();
    *relay.breaks_after.lock().unwrap() = Some(7);
    assert!(matches!(tablet.download(&relay, &blob).await, Err(BakenError::NotReached)));
    assert!(matches!(tablet.open(&blob), Err(BakenError::AttachmentNotHere)));
    let kept = (0..20).filter(|index| tablet.chunk_file(&blob, *index).exists()).count();
    // Some may have been on their way when the line broke; what was kept is not fetched again.
    assert!((4..=7).contains(&kept), "{kept}");
    *relay.breaks_after.lock().unwrap() = None;
    relay.take_chunk_requests();
    tablet.download(&relay, &blob).await.unwrap();
    assert_eq!(relay.take_chunk_requests(), 20 - kept);
    assert!(tablet.open(&blob).unwrap() == sent);
}

/// On a slow line four at once would each run out of time, again and again.
#[tokio::test]
async fn several_chunks_travel_at_once_but_on_a_slow_line_one() {
    for (step_ms, most) in [(0, 4), (300, 4), (6_000, 1)] {
        let (phone, tablet, relay) = (Device::on_a_line(15, step_ms), Device::on_a_line(16, step_ms), Relay::default());
        let blob = phone.seal(&file(12 * CHUNK_BYTES));
        phone.upload(&relay, &blob).await.unwrap();
        tablet.download(&relay, &blob).await.unwrap();
        assert_eq!(relay.most_at_once.load(std::sync::atomic::Ordering::Relaxed), most, "{step_ms} ms");
    }
}

/// A relay that swaps, cuts, alters, repeats or withholds chunks, or lists others: refused with words, nothing of it kept,
/// and mended once the relay gives what it should.
#[tokio::test]
async fn a_relay_that_lies_about_chunks_is_found_out() {
    let (phone, relay) = (Device::new(6), Relay::default());
    let sent = file(3 * CHUNK_BYTES + 100);
    let blob = phone.seal(&sent);
    phone.upload(&relay, &blob).await.unwrap();
    let honest = relay.with_chunks(|chunks| chunks.clone());
    type Lie = fn(&mut std::collections::BTreeMap<u32, stage::Lying>);
    let lies: [(Lie, &str); 9] = [
        (|chunks| chunks.get_mut(&1).unwrap().bytes = chunks[&2].bytes.clone(), "a chunk lies in another's place"),
        (|chunks| chunks.get_mut(&1).unwrap().bytes.truncate(1000), "a chunk is cut short"),
        (|chunks| chunks.get_mut(&1).unwrap().bytes.clear(), "a chunk is cut short"),
        (|chunks| chunks.get_mut(&1).unwrap().bytes.push(0), "a chunk is too long"),
        (|chunks| chunks.get_mut(&1).unwrap().bytes[500] ^= 1, "a chunk was altered"),
        (|chunks| chunks.get_mut(&1).unwrap().leaf.0[3] ^= 1, "the relay's list of its chunks"),
        // The whole list and the bytes in another order, so that each chunk fits its leaf.
        (
            |chunks| {
                let (one, two) = (chunks[&1].clone(), chunks[&2].clone());
                chunks.insert(1, two);
                chunks.insert(2, one);
            },
            "the relay's list of its chunks",
        ),
        (|chunks| drop(chunks.insert(2, chunks[&1].clone())), "the relay's list of its chunks"),
        (
            |chunks| {
                let bytes = vec![0; chunks[&3].bytes.len()];
                let leaf = baken_schemas::blob::leaf(&bytes);
                chunks.insert(3, stage::Lying { leaf, bytes });
            },
            "the relay's list of its chunks",
        ),
    ];
    for (lie, words) in lies {
        let tablet = Device::new(7);
        relay.with_chunks(lie);
        assert_eq!(damaged(tablet.download(&relay, &blob).await), words);
        relay.with_chunks(|chunks| chunks.clone_from(&honest));
        tablet.download(&relay, &blob).await.unwrap();
        assert!(tablet.open(&blob).unwrap() == sent, "after: {words}");
    }
    let tablet = Device::new(8);
    relay.withheld.lock().unwrap().push(2);
    assert!(matches!(tablet.download(&relay, &blob).await, Err(BakenError::AttachmentNotThere)));
    relay.withheld.lock().unwrap().clear();
    relay.with_chunks(|chunks| chunks.remove(&3));
    assert!(matches!(tablet.download(&relay, &blob).await, Err(BakenError::AttachmentNotThere)));
    // What it lists beyond the blob's end is nothing to the device.
    relay.with_chunks(|chunks| {
        chunks.clone_from(&honest);
        chunks.insert(4, honest[&0].clone());
    });
    tablet.download(&relay, &blob).await.unwrap();
    assert!(tablet.open(&blob).unwrap() == sent);
}

/// A member has the key, so what it seals opens; the root, which the author signed, tells all the same.
#[tokio::test]
async fn another_member_with_the_key_cannot_slip_in_a_chunk() {
    let (phone, member, tablet, relay) = (Device::new(9), Device::new(9), Device::new(10), Relay::default());
    // Both draw the same randomness, and so the same id and key.
    let blob = phone.seal(&file(1000));
    let forged = member.seal(&vec![7; 1000]);
    assert_eq!((blob.blob, &blob.key), (forged.blob, &forged.key));
    assert!(blob.root != forged.root);
    member.upload(&relay, &forged).await.unwrap();
    assert_eq!(damaged(tablet.download(&relay, &blob).await), "the relay's list of its chunks");
    assert_eq!(damaged(member.open(&blob)), "a chunk is not the one that was signed");
    // The author sees that another's bytes lie in the place of its own.
    assert!(matches!(phone.upload(&relay, &blob).await, Err(BakenError::NotTrustworthy { .. })));
}

#[tokio::test]
async fn a_full_circle_is_told_and_the_upload_goes_on_once_there_is_room() {
    let (phone, tablet, relay) = (Device::new(11), Device::new(12), Relay::default());
    let sent = file(9 * CHUNK_BYTES);
    let blob = phone.seal(&sent);
    *relay.full_after.lock().unwrap() = Some(5);
    let refused = phone.upload(&relay, &blob).await.unwrap_err();
    assert_eq!(refused.code(), "quota_full");
    assert!(refused.help().contains("Delete attachments"));
    assert!(matches!(tablet.download(&relay, &blob).await, Err(BakenError::AttachmentNotThere)));
    *relay.full_after.lock().unwrap() = None;
    relay.take_chunk_requests();
    phone.upload(&relay, &blob).await.unwrap();
    assert_eq!(relay.take_chunk_requests(), 4);
    tablet.download(&relay, &blob).await.unwrap();
    assert!(tablet.open(&blob).unwrap() == sent);
}

#[tokio::test]
async fn what_is_damaged_on_the_device_is_not_sent_and_what_is_missing_is_told() {
    let (phone, relay) = (Device::new(13), Relay::default());
    let blob = phone.seal(&file(2 * CHUNK_BYTES));
    let path = phone.chunk_file(&blob, 1);
    let mut sealed = std::fs::read(&path).unwrap();
    sealed[100] ^= 1;
    std::fs::write(&path, &sealed).unwrap();
    assert_eq!(damaged(phone.upload(&relay, &blob).await), "its chunks on this device");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(phone.upload(&relay, &blob).await, Err(BakenError::AttachmentNotHere)));
    assert!(relay.with_chunks(|chunks| chunks.is_empty()));
}

/// A record that says other things of its blob than hold.
#[tokio::test]
async fn a_blob_that_contradicts_itself_is_refused_before_anything_is_asked() {
    let (phone, relay) = (Device::new(14), Relay::default());
    let mut blob = phone.seal(&file(10));
    blob.chunks = 3;
    assert!(matches!(phone.download(&relay, &blob).await, Err(BakenError::Format(_))));
    assert!(matches!(phone.upload(&relay, &blob).await, Err(BakenError::Format(_))));
    assert!(matches!(phone.open(&blob), Err(BakenError::Format(_))));
    blob.size = u64::MAX;
    assert!(matches!(phone.open(&blob), Err(BakenError::Format(_))));
    assert!(relay.asked.lock().unwrap().is_empty());
}
