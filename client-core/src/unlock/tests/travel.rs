//! A phone that travels: what is left on it, what opens it, and where a power loss may come. The way to the relay is
//! told in the tests across crates.

use std::path::Path;

use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent};
use baken_schemas::record::{KindSpec, kind_named};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::*;
use crate::alarm::Call;
use crate::vault::{SCHEMA, VaultKey, database, try_pin};

const MARKER: &str = "geheim dossierwoord";

fn contacts() -> Vec<&'static KindSpec> {
    vec![kind_named("contact").unwrap()]
}

/// A mayor under threat whose dossier holds the marker, unlocked.
fn mayor_before_the_journey() -> Mayor {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.create("note", vec![text("title", MARKER), text("text", MARKER)]).unwrap();
    mayor
}

/// Whether any value of any table holds the text.
fn holds(connection: &Connection, wanted: &str) -> bool {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let has = |bytes: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes());
    tables.iter().any(|table| {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut found = false;
        while let Some(row) = rows.next().unwrap() {
            found |= (0..columns).any(|column| match row.get_ref(column).unwrap() {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => has(bytes),
                _ => false,
            });
        }
        found
    })
}

fn in_vault(baken: &Baken, wanted: &str) -> bool {
    baken.with_vault(|open| Ok(holds(&open.vault.connection, wanted))).unwrap()
}

/// The key of the true database, with the salt of a file.
fn key_of(mayor: &Mayor, path: &Path) -> VaultKey {
    mayor.pass_s(300);
    let tried = try_pin(&mayor.baken.home, &mayor.baken.context, PIN).unwrap();
    let [truth, ..] = tried.keys_for_tests();
    tried.accept(&mayor.baken.home, &mayor.baken.context).unwrap();
    let salt = std::fs::read(path).unwrap()[..16].try_into().unwrap();
    VaultKey { key: SymmetricKey::from_slice(&truth).unwrap(), salt }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_dossier_is_in_no_table_of_a_phone_that_travels_and_the_old_key_opens_nothing() {
    let mayor = mayor_before_the_journey();
    let baken = &mayor.baken;
    let old_keys = baken.home.vault_databases().map(|path| key_of(&mayor, &path));
    std::fs::create_dir_all(baken.home.blobs().join("een bijlage")).unwrap();
    assert!(in_vault(baken, MARKER) && in_vault(baken, "Joris van den Echte"));
    let before = old_keys.iter().zip(baken.home.vault_databases());
    baken.lock();
    assert_eq!(before.filter(|(key, path)| database::open(path, key, SCHEMA).is_ok()).count(), 1);
    baken.unlock(PIN).unwrap();

    baken.pack(PIN, &contacts()).unwrap();
    assert!(!in_vault(baken, MARKER) && in_vault(baken, "Joris van den Echte"));
    assert!(is_empty(&baken.home.blobs()));
    let travel = baken.travelling().unwrap().unwrap();
    assert_eq!((travel.kept, travel.changed, travel.waits), (1, 0, false));
    assert_eq!(baken.status().unwrap().travelling, Some(travel));
    baken.lock();
    for path in baken.home.vault_databases() {
        assert!(old_keys.iter().all(|key| database::open(&path, key, SCHEMA).is_err()), "{path:?}");
        let salt = std::fs::read(&path).unwrap()[..16].try_into().unwrap();
        let key = VaultKey { salt, ..old_keys[0].clone() };
        assert!(database::open(&path, &key, SCHEMA).is_err(), "{path:?}");
    }
    // It looks like any other vault: two files, of one size, and the header.
    let lengths = baken.home.vault_databases().map(|path| std::fs::metadata(path).unwrap().len());
    assert_eq!(lengths, [4 * 1024 * 1024; 2]);
    assert!(!baken.home.vault_beside().exists());
    baken.unlock(PIN).unwrap();
    assert_eq!(mayor.names(), ["Joris van den Echte"]);
}

#[test]
fn what_came_along_can_be_changed_and_what_changed_is_told() {
    let mayor = mayor_before_the_journey();
    let baken = &mayor.baken;
    baken.pack(PIN, &contacts()).unwrap();
    let joris = baken.records(Some("contact")).unwrap()[0].record;
    baken.put(joris, vec![text("phone", "0622222222")]).unwrap();
    baken.create("note", vec![text("title", "Onderweg")]).unwrap();
    assert_eq!(baken.travelling().unwrap().unwrap().changed, 2);
    baken.put(joris, vec![text("phone", "0611111111")]).unwrap();
    assert_eq!(baken.travelling().unwrap().unwrap().changed, 1, "what is as it was has not changed");
    let status = baken.status().unwrap();
    assert_eq!((status.pending, status.stuck_because), (0, None));
    assert!(matches!(baken.found_circle(CircleKind::Family, "Familie"), Err(BakenError::Travelling)));
}

#[test]
fn an_alarm_and_a_duress_pin_work_on_the_way_as_ever() {
    let mayor = mayor_before_the_journey();
    let baken = &mayor.baken;
    baken.pack(PIN, &contacts()).unwrap();
    baken.lock();
    let call = Call {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: Some(40),
        text: "aan de grens".to_owned(),
        countdown_s: 0,
    };
    let alarm = baken.press(&call).unwrap();
    assert_eq!(baken.alarms().unwrap()[0].alarm, alarm);
    mayor.take_notes();
    baken.unlock(DURESS).unwrap();
    assert_eq!(mayor.names(), ["Politie, geen spoed", "Receptie gemeentehuis"]);
    assert!(mayor.take_notes().iter().all(|(_, note)| note.duress));
    // Nothing in it tells of the journey.
    assert_eq!((baken.travelling().unwrap(), baken.status().unwrap().travelling), (None, None));
    baken.lock();
    baken.unlock(PIN).unwrap();
    assert!(baken.travelling().unwrap().is_some());
}

/// A copy of a folder.
fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
        }
    }
    to
}

#[test]
fn a_power_loss_leaves_the_full_vault_or_the_small_one_never_neither() {
    let mayor = mayor_before_the_journey();
    let baken = &mayor.baken;
    baken.lock();
    let full = copied(mayor.folder.path());
    baken.unlock(PIN).unwrap();
    baken.pack(PIN, &contacts()).unwrap();
    baken.lock();
    let small = mayor.folder.path();
    let changed: Vec<&str> = ["vault.db", "vault-2.db"]
        .into_iter()
        .filter(|name| {
            std::fs::read(full.path().join(name)).unwrap()[..16] != std::fs::read(small.join(name)).unwrap()[..16]
        })
        .collect();
    let [own] = changed[..] else { panic!("one database has another key: {changed:?}") };

    // Before the header: the new database lies beside, whole or cut short, and goes.
    for cut in [0, 10, 5000, usize::MAX] {
        let before = copied(full.path());
        let beside = std::fs::read(small.join(own)).unwrap();
        std::fs::write(before.path().join("vault-3.db"), &beside[..cut.min(beside.len())]).unwrap();
        let phone = open(before.path(), &mayor.clock);
        phone.unlock(DURESS).unwrap();
        phone.lock();
        phone.unlock(PIN).unwrap();
        assert!(in_vault(&phone, MARKER) && phone.travelling().unwrap().is_none());
        assert!(!before.path().join("vault-3.db").exists());
    }

    // After it: the move is made up for, also where somebody was forced to unlock in between.
    for forced in [false, true] {
        let after = copied(full.path());
        std::fs::copy(small.join("vault.header"), after.path().join("vault.header")).unwrap();
        std::fs::copy(small.join(own), after.path().join("vault-3.db")).unwrap();
        std::fs::create_dir_all(after.path().join("blobs").join("een bijlage")).unwrap();
        let phone = open(after.path(), &mayor.clock);
        if forced {
            phone.unlock(DURESS).unwrap();
            phone.lock();
        }
        phone.unlock(PIN).unwrap();
        assert!(!in_vault(&phone, MARKER) && phone.travelling().unwrap().is_some());
        assert!(!after.path().join("vault-3.db").exists() && is_empty(&after.path().join("blobs")));
        phone.lock();
        phone.unlock(PIN).unwrap();
    }
}

#[test]
fn a_duress_pin_packs_nothing() {
    let mayor = mayor_before_the_journey();
    assert!(matches!(mayor.baken.pack(DURESS, &contacts()), Err(BakenError::WrongPin { .. })));
    mayor.pass_s(300);
    mayor.baken.unlock(PIN).unwrap();
    assert!(in_vault(&mayor.baken, MARKER));
}
