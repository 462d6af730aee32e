//! A database of the first schema goes on: whoever was a member is an owner that was just seen, and writers' chains end
//! where their entries do. One of the twelfth keeps its receipts in their order, and the ladders that climb.

use std::sync::Arc;

use baken_schemas::device::DeviceKeys;
use baken_server::audit;
use baken_server::relay::SCHEMA;
use baken_server::store::StoreError;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rusqlite::{Connection, params};

use crate::relay::world::{ManualClock, open};

#[tokio::test]
async fn a_database_of_the_first_schema_keeps_its_members_and_chains() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join("relay.db")).unwrap();
    old.execute_batch(include_str!("../../src/relay/schema_1.sql")).unwrap();
    old.execute_batch(audit::TABLE).unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    let (circle, device, zero) = ([1_u8; 16], [2_u8; 16], [0_u8; 32]);
    old.execute(
        "INSERT INTO circle (circle, account, seq, head) VALUES (?1, ?2, 0, ?3)",
        params![circle, device, zero],
    )
    .unwrap();
    old.execute("INSERT INTO log_record (circle, seq, bytes, at) VALUES (?1, 0, x'00', 77)", [circle]).unwrap();
    for slot in 0..2_u8 {
        old.execute("INSERT INTO member (circle, slot, device) VALUES (?1, ?2, ?3)", params![circle, slot, [slot; 16]])
            .unwrap();
        for counter in 1..=3_u8 {
            let hash = [slot * 16 + counter; 32];
            old.execute(
                "INSERT INTO entry (circle, slot, counter, hash, bytes, at) VALUES (?1, ?2, ?3, ?4, x'00', 5)",
                params![circle, slot, counter, hash],
            )
            .unwrap();
        }
    }
    drop(old);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys = DeviceKeys::make(&mut rng);
    let relay = open(dir.path(), &Arc::new(ManualClock::at(1000)), &keys, &mut rng).await;
    let found = relay.store().read(|db| {
        let writers: Vec<(u16, u64, [u8; 32])> = db
            .prepare("SELECT slot, counter, hash FROM writer ORDER BY slot")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let members: Vec<(u8, u8, u8, u64, i64)> = db
            .prepare("SELECT state, writes, owner, acknowledged, seen_at FROM member ORDER BY slot")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
            .collect::<Result<_, _>>()?;
        Ok::<_, StoreError>((writers, members))
    });
    let (writers, members) = found.unwrap();
    assert_eq!(writers, [(0, 3, [3; 32]), (1, 3, [19; 32])]);
    assert_eq!(members, [(1, 1, 1, 0, 77), (1, 1, 1, 0, 77)]);
}

#[tokio::test]
async fn a_database_of_the_twelfth_schema_keeps_its_receipts_and_ladders() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join("relay.db")).unwrap();
    // With the audit's two, that many scripts came before.
    const SCRIPTS: usize = 15;
    SCHEMA.migrations[..SCRIPTS].iter().for_each(|script| old.execute_batch(script).unwrap());
    old.pragma_update(None, "user_version", SCRIPTS).unwrap();
    let (org, desk) = ([1_u8; 32], [2_u8; 16]);
    old.execute("INSERT INTO org (org, added_at) VALUES (?1, 0)", [org]).unwrap();
    for number in 1..=2_u8 {
        let alarm = [number; 16];
        old.execute(
            "INSERT INTO alarm (alarm, org, account, device, hash, document, at) VALUES (?1, ?2, ?3, ?3, ?4, 1, 0)",
            params![alarm, org, desk, [number; 32]],
        )
        .unwrap();
        old.execute(
            "INSERT INTO ladder_run (alarm, rung, due_at, wait_ms, fence) VALUES (?1, ?2, 70, 40, 3)",
            params![alarm, number],
        )
        .unwrap();
    }
    // Those of two alarms by turns.
    for (hash, number) in [(9_u8, 2_u8), (5, 1), (8, 2)] {
        old.execute(
            "INSERT INTO receipt (alarm, hash, signer, document, at) VALUES (?1, ?2, ?3, ?4, 7)",
            params![[number; 16], [hash; 32], desk, hash],
        )
        .unwrap();
    }
    drop(old);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys = DeviceKeys::make(&mut rng);
    let relay = open(dir.path(), &Arc::new(ManualClock::at(50)), &keys, &mut rng).await;
    let found = relay.store().read(|db| {
        let receipts: Vec<([u8; 16], i64)> = db
            .prepare("SELECT alarm, document FROM receipt ORDER BY alarm, place")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let ladders: Vec<([u8; 16], u32, i64, i64, u32)> = db
            .prepare("SELECT alarm, rung, due_at, wait_ms, fence FROM ladder_run ORDER BY alarm")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
            .collect::<Result<_, _>>()?;
        Ok::<_, StoreError>((receipts, ladders))
    });
    let (receipts, ladders) = found.unwrap();
    assert_eq!(receipts, [([1; 16], 5), ([2; 16], 9), ([2; 16], 8)]);
    assert_eq!(ladders, [([1; 16], 1, 70, 40, 3), ([2; 16], 2, 70, 40, 3)]);
}
