//! The audit's head for phones: each goes on from the last, and a history that is written anew cannot be proven to who held
//! a head of before.

use baken_schemas::api;
use baken_schemas::audit::{AuditAnswer, AuditHead, check_goes_on};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use baken_server::audit::{self, Event};
use baken_server::relay::tree_root;
use baken_server::store::{Priority, StoreError};
use rusqlite::Connection;

use crate::relay::world::World;

/// What the relay answers to who holds a head of this size.
async fn ask(world: &mut World, phone: &DeviceKeys, from: u64) -> (AuditHead, Vec<Hash>) {
    let path = format!("{}?after={from}", api::AUDIT);
    let answer = world.call_locked(phone, "GET", &path, &[]).await.ok();
    let answer: AuditAnswer = cbor::from_slice(&answer, "an answer").unwrap();
    let relay = world.directory.value().relay.sig;
    let head = Unverified::<AuditHead>::parse(&answer.head).unwrap().verify(&relay).unwrap().into_value();
    (head, answer.path)
}

async fn press_some(world: &mut World, phone: &DeviceKeys, count: usize) {
    for _ in 0..count {
        let alarm = world.alarm(phone).0;
        world.press(phone, &alarm).await.ok();
    }
}

/// Writes the history anew, in itself without fault: the `from`th row and all behind it are others.
fn rewrite(db: &Connection, from: u64) {
    let rows: Vec<(i64, String, String, String, String)> = db
        .prepare("SELECT at, actor, act, subject, result FROM audit ORDER BY seq")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    db.execute("DELETE FROM audit", []).unwrap();
    for (number, (at, actor, act, subject, result)) in (1..).zip(&rows) {
        let result = if number == from { "nothing happened" } else { result };
        audit::append(db, &Event { at: Timestamp(*at), actor, act, subject, result }).unwrap();
    }
    audit::verify(db).unwrap();
}

fn tree_of(world: &World) -> (Hash, bool) {
    world.relay.store().read(tree_root).unwrap()
}

#[tokio::test]
async fn i6_each_head_goes_on_from_the_last_whatever_is_kept_of_the_tree() {
    let mut world = World::new().await;
    let (phone, desk) = (world.phone().await, world.desks[0].clone());
    let (mut held, path) = ask(&mut world, &phone, 0).await;
    assert!(held.size > 0 && path.is_empty());
    for count in [0, 1, 70, 3, 140] {
        press_some(&mut world, &phone, count).await;
        // The sweep keeps nodes, which change no root.
        let before = tree_of(&world);
        world.sweep().await;
        assert_eq!((tree_of(&world), before.1), (before, true));
        let (head, path) = ask(&mut world, &phone, held.size).await;
        check_goes_on((held.size, held.root), (head.size, head.root), &path).unwrap();
        assert_eq!((head.size, head.root), (held.size + count as u64, before.0));
        held = head;
    }
    let kept: i64 = world
        .relay
        .store()
        .read(|db| Ok::<_, StoreError>(db.query_row("SELECT count(*) FROM audit_node", [], |row| row.get(0))?))
        .unwrap();
    assert!(kept > 3, "{kept}");
    // Phones alone ask.
    world.call(&desk, "GET", &format!("{}?after=0", api::AUDIT), &[]).await.is(403, "not_allowed");
}

#[tokio::test]
async fn i6_a_relay_whose_history_was_rewritten_has_no_proof_for_who_held_a_head() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    press_some(&mut world, &phone, 150).await;
    world.sweep().await;
    let (held, _) = ask(&mut world, &phone, 0).await;
    world.relay.close();
    let path = world.dir.path().join("relay.db");
    let db = Connection::open(&path).unwrap();
    rewrite(&db, 20);
    drop(db);
    world.restart().await;
    // What was kept of the tree is not of these rows: `verify` says so.
    assert!(!tree_of(&world).1);
    world.relay.close();
    Connection::open(&path).unwrap().execute("DELETE FROM audit_node", []).unwrap();
    world.restart().await;
    assert!(tree_of(&world).1, "in itself it is whole");
    press_some(&mut world, &phone, 5).await;
    let (head, path) = ask(&mut world, &phone, held.size).await;
    assert!(head.size > held.size);
    assert!(check_goes_on((held.size, held.root), (head.size, head.root), &path).is_err());
}

#[tokio::test]
async fn rows_whose_time_is_over_go_and_the_tree_goes_on() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (held, _) = ask(&mut world, &phone, 0).await;
    let old = world.relay.now().plus_ms(-500 * 24 * 60 * 60 * 1000);
    let add = move |db: &Connection| {
        // The world's own rows are as old as these.
        db.execute("UPDATE audit SET at = ?1", [old.0])?;
        db.execute("DELETE FROM audit", [])?;
        for _ in 0..4200 {
            audit::append(db, &Event { at: old, actor: "t", act: "t", subject: "", result: "ok" })?;
        }
        Ok::<_, StoreError>(())
    };
    world.relay.store().write(Priority::Normal, add).await.unwrap();
    let (whole, _) = ask(&mut world, &phone, 0).await;
    let (from_4160, _) = ask(&mut world, &phone, 4160).await;
    assert_eq!(whole.root, from_4160.root);
    for _ in 0..3 {
        world.sweep().await;
    }
    let start = world.relay.store().read(audit::start).unwrap().seq;
    assert_eq!(start, 4096);
    let (head, path) = ask(&mut world, &phone, whole.size).await;
    check_goes_on((whole.size, whole.root), (head.size, head.root), &path).unwrap();
    assert!(tree_of(&world).1);
    // Of a head that is older than every row, and ends where no node does, nothing can be proven any more.
    assert!(held.size % 64 != 0);
    let path = format!("{}?after={}", api::AUDIT, held.size);
    world.call_locked(&phone, "GET", &path, &[]).await.is(404, "not_found");
}
