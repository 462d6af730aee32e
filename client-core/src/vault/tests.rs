//! The vault on disk: really encrypted, refuses what is not its own, and says which.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::sync::{Arc, Mutex};

use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng as _;

use super::*;
use crate::key_store::FileKeyStore;

struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct Device {
    home: Home,
    context: Context,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn device() -> Device {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    let clock = Arc::new(ManualClock(Mutex::new(Timestamp(1_795_465_407_000))));
    let context = Context::new(
        clock.clone(),
        Box::new(rand::rngs::StdRng::seed_from_u64(1)),
        Arc::new(FileKeyStore::new(home.platform_key())),
    );
    Device { home, context, clock, _folder: folder }
}

const PIN: &str = "246810";
const MARKER: &str = "Kerkstraat-Zevenaar-marker";

fn create(device: &Device) {
    let vault = Vault::create(&device.home, &device.context, PIN, header::TEST_COST, |connection| {
        setting::write(connection, "marker", &MARKER.to_owned())
    });
    drop(vault.unwrap());
}

fn unlock(device: &Device, pin: &str) -> Result<Vault, BakenError> {
    Vault::unlock(&device.home, &device.context, pin)
}

#[test]
fn every_file_is_encrypted_also_while_open() {
    let device = device();
    create(&device);
    let vault = unlock(&device, PIN).unwrap();
    setting::write(&vault.connection, "second", &format!("{MARKER} again")).unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(device.home.folder()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|window| window == &MARKER.as_bytes()[..8]), "{path:?}");
        assert!(!bytes.windows(6).any(|window| window == b"SQLite"), "{path:?}");
        assert!(!bytes.windows(7).any(|window| window == b"setting"), "{path:?}");
        names.push(path.file_name().unwrap().to_owned());
    }
    assert!(names.iter().any(|name| name == "vault.db-wal"), "{names:?}");
    let start = std::fs::read(device.home.vault_database()).unwrap()[..16].to_vec();
    assert_ne!(start, b"SQLite format 3\0");
    assert_ne!(start, [0; 16]);
    let read: String = setting::required(&vault.connection, "marker").unwrap();
    assert_eq!(read, MARKER);
}

#[test]
fn a_wrong_pin_waits_and_the_right_one_still_opens() {
    let device = device();
    create(&device);
    assert!(matches!(unlock(&device, "000000"), Err(BakenError::WrongPin { wait_ms: 1000 })));
    assert!(matches!(unlock(&device, PIN), Err(BakenError::TooSoon { .. })));
    let later = device.clock.now().plus_ms(1000);
    *device.clock.0.lock().unwrap() = later;
    drop(unlock(&device, PIN).unwrap());
    drop(unlock(&device, PIN).unwrap());
}

#[test]
fn a_damaged_database_is_told_from_a_wrong_pin() {
    let device = device();
    create(&device);
    let path = device.home.vault_database();
    let whole = std::fs::read(&path).unwrap();
    for at in [0, 17, 100, 2000, 4000] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(unlock(&device, PIN), Err(BakenError::VaultDamaged { .. })), "byte {at}");
    }
    std::fs::write(&path, &whole[..1000]).unwrap();
    assert!(matches!(unlock(&device, PIN), Err(BakenError::VaultDamaged { .. })));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(unlock(&device, PIN), Err(BakenError::VaultDamaged { .. })));
    std::fs::write(&path, whole).unwrap();
    drop(unlock(&device, PIN).unwrap());
}

#[test]
fn a_newer_database_says_so_and_is_left_alone() {
    let device = device();
    create(&device);
    let vault = unlock(&device, PIN).unwrap();
    vault.connection.execute_batch("PRAGMA user_version = 9").unwrap();
    drop(vault);
    assert!(matches!(unlock(&device, PIN), Err(BakenError::VaultNewer { found: 9, known: 2 })));
}

#[test]
fn without_its_key_store_it_says_so() {
    let device = device();
    create(&device);
    std::fs::remove_file(device.home.platform_key()).unwrap();
    assert!(matches!(unlock(&device, PIN), Err(BakenError::KeyStoreLost)));
}

#[test]
fn a_creation_cut_short_leaves_no_vault_and_can_be_repeated() {
    let device = device();
    let cut = Vault::create(&device.home, &device.context, PIN, header::TEST_COST, |_| Err(BakenError::DiskFull));
    assert!(matches!(cut, Err(BakenError::DiskFull)));
    assert!(matches!(unlock(&device, PIN), Err(BakenError::NotActivated)));
    create(&device);
    let again = Vault::create(&device.home, &device.context, PIN, header::TEST_COST, |_| Ok(()));
    assert!(matches!(again, Err(BakenError::AlreadyActivated)));
    drop(unlock(&device, PIN).unwrap());
}
