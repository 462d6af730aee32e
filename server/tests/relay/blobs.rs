//! Blobs: chunks in any order, to members only, and how full a circle may be.

use baken_schemas::api::{self, BlobChunks, CircleUsage};
use baken_schemas::blob::{BlobRef, BlobSealer, CHUNK_BYTES, MAX_SEALED_CHUNK_BYTES, leaf};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::EntryKind;
use baken_schemas::id::{BlobId, IdempotencyKey};
use minicbor::bytes::ByteVec;
use rusqlite::Connection;

use crate::relay::circles::{Circle, batch};
use crate::relay::world::World;

/// A file of `size` bytes, sealed: its record's part, and the bodies of its chunks.
fn sealed(world: &mut World, size: usize) -> (BlobRef, Vec<Vec<u8>>) {
    let mut sealer = BlobSealer::new(size as u64, &mut world.rng).unwrap();
    let mut bodies = Vec::new();
    while let Some((_, len)) = sealer.next_chunk() {
        bodies.push(body(&sealer.seal(&vec![7; len], &mut world.rng).unwrap()));
    }
    (sealer.finish().unwrap(), bodies)
}

fn body(sealed: &[u8]) -> Vec<u8> {
    cbor::to_vec(&ByteVec::from(sealed.to_vec()))
}

fn chunk_path(circle: &Circle, blob: BlobId, chunk: impl std::fmt::Display) -> String {
    let path = circle.path(api::BLOB_CHUNK);
    path.replace("{blob}", &blob.to_string()).replace("{chunk}", &chunk.to_string())
}

fn blob_path(circle: &Circle, blob: BlobId) -> String {
    circle.path(api::BLOB).replace("{blob}", &blob.to_string())
}

async fn there(world: &mut World, phone: &DeviceKeys, circle: &Circle, blob: BlobId) -> BlobChunks {
    let answer = world.call(phone, "GET", &blob_path(circle, blob), &[]).await.ok();
    cbor::from_slice(&answer, "chunks").unwrap()
}

async fn usage(world: &mut World, phone: &DeviceKeys, circle: &Circle) -> CircleUsage {
    let answer = world.call(phone, "GET", &circle.path(api::USAGE), &[]).await.ok();
    cbor::from_slice(&answer, "usage").unwrap()
}

#[tokio::test]
async fn chunks_come_in_any_order_and_again_and_go_out_as_they_came() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let (blob, bodies) = sealed(&mut world, 2 * CHUNK_BYTES + 5);
    assert!(there(&mut world, &phone, &circle, blob.blob).await.chunks.is_empty());
    for index in [2, 0, 2] {
        world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, index), &bodies[index]).await.ok();
    }
    let found = there(&mut world, &phone, &circle, blob.blob).await;
    assert_eq!(found.chunks.iter().map(|chunk| chunk.index).collect::<Vec<_>>(), [0, 2]);
    world.call(&phone, "GET", &chunk_path(&circle, blob.blob, 1), &[]).await.is(404, "not_found");
    world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, 1), &bodies[1]).await.ok();
    world.restart().await;
    for (index, expected) in bodies.iter().enumerate() {
        let found = world.call(&phone, "GET", &chunk_path(&circle, blob.blob, index), &[]).await.ok();
        assert_eq!(found[..], expected[..]);
    }
    let leaves: Vec<_> =
        there(&mut world, &phone, &circle, blob.blob).await.chunks.iter().map(|chunk| chunk.leaf).collect();
    assert_eq!(baken_schemas::blob::root(&leaves), Some(blob.root));
}

#[tokio::test]
async fn other_bytes_other_sizes_other_places_and_strangers_are_refused() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let circle = Circle::found(&mut world, &phone).await;
    let (blob, bodies) = sealed(&mut world, CHUNK_BYTES + 300);
    let (_, others) = sealed(&mut world, CHUNK_BYTES);
    let first = chunk_path(&circle, blob.blob, 0);
    world.call(&phone, "PUT", &first, &bodies[0]).await.ok();
    world.call(&phone, "PUT", &first, &others[0]).await.is(409, "conflict");
    let kept = world.call(&phone, "GET", &first, &[]).await.ok();
    assert_eq!(kept[..], bodies[0][..]);
    // A size that says more of the file than its class does.
    for len in [0, 100, 373, MAX_SEALED_CHUNK_BYTES - 1] {
        world.call(&phone, "PUT", &first, &body(&vec![0; len])).await.is(422, "rule_broken");
    }
    world.call(&phone, "PUT", &first, &bodies[1][1..]).await.is(422, "malformed");
    world.call(&phone, "PUT", &first, &vec![0; MAX_SEALED_CHUNK_BYTES + 6]).await.is(413, "too_large");
    for place in ["800", "-1", "01", "+1", "x", "4294967296"] {
        world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, place), &bodies[1]).await.is(400, "bad_address");
        world.call(&phone, "GET", &chunk_path(&circle, blob.blob, place), &[]).await.is(400, "bad_address");
    }
    let (whole, used) = (blob_path(&circle, blob.blob), circle.path(api::USAGE));
    world.call(&stranger, "PUT", &first, &bodies[0]).await.is(403, "not_member");
    for (method, path) in [("GET", &first), ("GET", &whole), ("DELETE", &whole), ("GET", &used)] {
        world.call(&stranger, method, path, &[]).await.is(403, "not_member");
        world.call_locked(&phone, method, path, &[]).await.is(403, "alarm_key");
        let desk = world.desks[0].clone();
        world.call(&desk, method, path, &[]).await.is(403, "not_allowed");
    }
    // The same id in another circle is another blob.
    let theirs = Circle::found(&mut world, &stranger).await;
    assert!(there(&mut world, &stranger, &theirs, blob.blob).await.chunks.is_empty());
    world.call(&stranger, "DELETE", &blob_path(&theirs, blob.blob), &[]).await.ok();
    assert_eq!(there(&mut world, &phone, &circle, blob.blob).await.chunks.len(), 1);
}

#[tokio::test]
async fn a_deleted_blob_frees_its_space_and_can_come_again() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    // More than are cleared away in one transaction.
    let (_, bodies) = sealed(&mut world, 10);
    let (blob, kept) = (BlobId::make(&mut world.rng), BlobId::make(&mut world.rng));
    for index in 0..37 {
        world.call(&phone, "PUT", &chunk_path(&circle, blob, index), &bodies[0]).await.ok();
    }
    world.call(&phone, "PUT", &chunk_path(&circle, kept, 0), &bodies[0]).await.ok();
    let before = usage(&mut world, &phone, &circle).await.used;
    let key = IdempotencyKey::make(&mut world.rng);
    world.call_once(&phone, ("DELETE", &blob_path(&circle, blob)), &[], key).await.ok();
    assert!(there(&mut world, &phone, &circle, blob).await.chunks.is_empty());
    assert_eq!(usage(&mut world, &phone, &circle).await.used, before / 38);
    world.call(&phone, "DELETE", &blob_path(&circle, blob), &[]).await.ok();
    world.call(&phone, "PUT", &chunk_path(&circle, blob, 3), &bodies[0]).await.ok();
    let found = there(&mut world, &phone, &circle, blob).await;
    assert_eq!(found.chunks.len(), 1);
    let sealed: ByteVec = cbor::from_slice(&bodies[0], "chunk").unwrap();
    assert_eq!(found.chunks[0].leaf, leaf(&sealed));
}

#[tokio::test]
async fn a_full_circle_refuses_chunks_then_entries_and_never_an_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let chunk = MAX_SEALED_CHUNK_BYTES as u64;
    // Room for two chunks, and behind them the part that is kept for entries.
    let one = circle.entry(&mut world, &phone, None);
    let entry = one.bytes().len() as u64;
    let quota = 2 * chunk * 16 / 15 + 16;
    world.restart_with_quota(quota).await;
    let (blob, bodies) = sealed(&mut world, 3 * CHUNK_BYTES);
    for index in [0, 1] {
        world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, index), &bodies[index]).await.ok();
    }
    let refused = world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, 2), &bodies[2]).await;
    refused.is(413, "quota_full");
    assert!(String::from_utf8_lossy(&refused.body).contains("delete attachments"), "it says what to do");
    // What is there may still come again.
    world.call(&phone, "PUT", &chunk_path(&circle, blob.blob, 1), &bodies[1]).await.ok();
    let full = usage(&mut world, &phone, &circle).await;
    assert_eq!((full.used, full.quota), (2 * chunk, quota));
    assert!(full.quota_for_blobs < full.quota);
    // Notes go on.
    let path = circle.path(api::ENTRIES);
    world.call(&phone, "POST", &path, &batch(&[&one])).await.ok();
    assert_eq!(usage(&mut world, &phone, &circle).await.used, 2 * chunk + entry);
    // Until nothing is left for them either; half a batch is not taken.
    world.restart_with_quota(2 * chunk + 3 * entry - 100).await;
    let two = circle.entry(&mut world, &phone, Some(&one));
    let three = circle.entry(&mut world, &phone, Some(&two));
    world.call(&phone, "POST", &path, &batch(&[&two, &three])).await.is(413, "quota_full");
    world.call(&phone, "POST", &path, &batch(&[&one, &two])).await.ok();
    world.call(&phone, "POST", &path, &batch(&[&three])).await.is(413, "quota_full");
    // An alarm is neither refused nor counted.
    let before = usage(&mut world, &phone, &circle).await.used;
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    assert_eq!(usage(&mut world, &phone, &circle).await.used, before);
    // Room that was freed is room for what was refused.
    world.call(&phone, "DELETE", &blob_path(&circle, blob.blob), &[]).await.ok();
    world.call(&phone, "POST", &path, &batch(&[&three])).await.ok();
    assert_eq!(usage(&mut world, &phone, &circle).await.used, 3 * entry);
}

#[tokio::test]
async fn a_full_circle_takes_the_checkpoint_that_makes_room() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let one = circle.entry(&mut world, &phone, None);
    world.restart_with_quota(one.bytes().len() as u64 + 64).await;
    let path = circle.path(api::ENTRIES);
    world.call(&phone, "POST", &path, &batch(&[&one])).await.ok();
    let two = circle.entry(&mut world, &phone, Some(&one));
    world.call(&phone, "POST", &path, &batch(&[&two])).await.is(413, "quota_full");
    let part = |world: &mut World, part, before: &_| {
        circle.entry_of(world, &phone, Some(before), EntryKind::Checkpoint { part, of: 2 })
    };
    let first = part(&mut world, 0, &one);
    world.call(&phone, "POST", &path, &batch(&[&first])).await.ok();
    // It too has an end: twice the quota.
    let second = part(&mut world, 1, &first);
    world.call(&phone, "POST", &path, &batch(&[&second])).await.is(413, "quota_full");
}

/// A database from before blobs counts the entries it has.
#[tokio::test]
async fn entries_from_before_the_count_are_counted() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let one = circle.entry(&mut world, &phone, None);
    world.call(&phone, "POST", &circle.path(api::ENTRIES), &batch(&[&one])).await.ok();
    world.relay.close();
    let database = Connection::open(world.dir.path().join("relay.db")).unwrap();
    // What came since, newest first.
    let undo = "DROP TABLE dismissal;
                CREATE INDEX alarm_of_device ON alarm (device, at);
                DROP TABLE readiness; DROP TABLE plan_line; DROP TABLE plan;
                ALTER TABLE invite DROP COLUMN role; ALTER TABLE device DROP COLUMN adviser;
                DROP TABLE handing_on; DROP TABLE follow_up; DROP TABLE audit_node; DROP TABLE cleared_alarm; DROP TABLE mail_taken; DROP TABLE audit_start;
                DROP INDEX mail_of_document; DROP INDEX alarm_standing;
                ALTER TABLE alarm DROP COLUMN standing; ALTER TABLE alarm DROP COLUMN closed_at;
                DROP TABLE escalation; ALTER TABLE alarm DROP COLUMN escalated_to;
                DROP TABLE edition_part; DROP TABLE edition_file; DROP TABLE edition;
                DROP TABLE alarm_chunk;
                DROP TABLE deposit; DROP TABLE deposit_clock; ALTER TABLE alarm DROP COLUMN quiet;
                DROP TABLE alarm_sms; DROP TABLE sms_context; DROP TABLE device_order;
                DROP TRIGGER entry_comes; DROP TRIGGER entry_goes; DROP TABLE blob_chunk; DROP TABLE circle_usage;
                PRAGMA user_version = 3;";
    database.execute_batch(undo).unwrap();
    drop(database);
    world.restart().await;
    assert_eq!(usage(&mut world, &phone, &circle).await.used, one.bytes().len() as u64);
}

#[tokio::test]
async fn a_viewer_fetches_blobs_and_neither_adds_nor_clears_any() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let viewer = world.guest_of(&phone).await;
    let mut circle = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    circle.add(&mut world, &phone, &viewer, MemberRole::Viewer).await;
    let (blob, bodies) = sealed(&mut world, CHUNK_BYTES + 5);
    let first = chunk_path(&circle, blob.blob, 0);
    world.call(&phone, "PUT", &first, &bodies[0]).await.ok();
    world.call(&viewer, "PUT", &chunk_path(&circle, blob.blob, 1), &bodies[1]).await.is(403, "not_allowed");
    world.call(&viewer, "DELETE", &blob_path(&circle, blob.blob), &[]).await.is(403, "not_allowed");
    assert_eq!(world.call(&viewer, "GET", &first, &[]).await.ok()[..], bodies[0][..]);
    assert_eq!(there(&mut world, &viewer, &circle, blob.blob).await.chunks.len(), 1);
}
