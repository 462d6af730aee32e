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
    assert!(names.iter().any(|name| name == "vault.db-wal" || name == "vault-2.db-wal"), "{names:?}");
    for path in device.home.vault_databases() {
        let start = std::fs::read(path).unwrap()[..16].to_vec();
        assert_ne!(start, b"SQLite format 3\0");
        assert_ne!(start, [0; 16]);
    }
    let read: String = setting::required(&vault.connection, "marker").unwrap();
    assert_eq!(read, MARKER);
}

#[test]
fn a_kept_statement_is_made_once() {
    let device = device();
    create(&device);
    let vault = unlock(&device, PIN).unwrap();
    let sql = "SELECT counter FROM entry WHERE circle = ?1 AND slot = ?2 ORDER BY counter DESC LIMIT 1";
    for slot in 0..3 {
        let mut statement = vault.connection.prepare_cached(sql).unwrap();
        assert!(!statement.exists((1, slot)).unwrap());
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
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
    let path = unlock(&device, PIN).unwrap().files.own.clone();
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
    assert!(matches!(unlock(&device, PIN), Err(BakenError::VaultNewer { found: 9, known: 3 })));
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

fn later(device: &Device, ms: i64) {
    let later = device.clock.now().plus_ms(ms);
    *device.clock.0.lock().unwrap() = later;
}

/// A session's PIN, tried and ready to be changed.
fn tried(device: &Device, pin: &str) -> Tried {
    later(device, 300_000);
    try_pin(&device.home, &device.context, pin).unwrap().accept(&device.home, &device.context).unwrap()
}

fn add_duress(device: &Device, pin: &str, duress: &str) -> Result<(), BakenError> {
    tried(device, pin).add_duress(&device.home, &device.context, duress)
}

/// What the databases look like from outside: their lengths and times.
fn looks(home: &Home) -> Vec<(u64, std::time::SystemTime)> {
    let look = |path: &std::path::PathBuf| {
        let metadata = std::fs::metadata(path).unwrap();
        (metadata.len(), metadata.modified().unwrap())
    };
    home.vault_databases().iter().map(look).collect()
}

/// The phone that the first version left, in a folder of its own.
fn first_version() -> Device {
    let device = device();
    let frozen = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vault_1");
    for name in ["vault.db", "vault.header", "outbox.db", "platform.key"] {
        std::fs::copy(frozen.join(name), device.home.folder().join(name)).unwrap();
    }
    device
}

#[test]
fn a_vault_of_the_preview_is_refused_in_words_and_left_as_it_is() {
    let old = first_version();
    let names = ["vault.db", "vault.header", "outbox.db", "platform.key"];
    let read = || names.map(|name| std::fs::read(old.home.folder().join(name)).unwrap());
    let before = read();
    for pin in ["000000", "482913"] {
        assert!(matches!(unlock(&old, pin), Err(BakenError::VaultOlder { found: 0 })));
        let decoy = Vault::unlock_decoy(&old.home, &old.context, pin);
        assert!(matches!(decoy, Err(BakenError::VaultOlder { found: 0 })));
    }
    assert_eq!(read(), before);
    assert!(!old.home.vault_attempts().exists(), "nothing was tried");
}

#[test]
fn either_file_may_be_the_true_one() {
    let mut first = 0;
    for _ in 0..3 {
        let device = device();
        for _ in 0..8 {
            create(&device);
            first += usize::from(unlock(&device, PIN).unwrap().files.own == device.home.vault_databases()[0]);
            std::fs::remove_file(device.home.vault_header()).unwrap();
        }
    }
    assert!((3..=21).contains(&first), "{first} of 24");
}

#[test]
fn both_files_stay_of_one_size_whichever_grows() {
    let device = device();
    create(&device);
    add_duress(&device, PIN, "111111").unwrap();
    for (pin, units) in [(PIN, 2), ("111111", 2), (PIN, 3), ("111111", 3)] {
        later(&device, 60_000);
        let vault = unlock(&device, pin).unwrap();
        let filling = vec![7_u8; 4 * 1024 * 1024];
        let name = units.to_string();
        vault.connection.execute("INSERT INTO setting (name, value) VALUES (?1, ?2)", (name, filling)).unwrap();
        drop(vault);
        let [a, b] = looks(&device.home)[..] else { panic!("two files") };
        assert_eq!((a.0, a), (units * 4 * 1024 * 1024, b));
        // Filling is nothing that a later look could tell from rows.
        for path in device.home.vault_databases() {
            let bytes = std::fs::read(path).unwrap();
            assert!(bytes.chunks(4096).all(|page| page.iter().filter(|byte| **byte == 0).count() < 100));
        }
    }
    for pin in [PIN, "111111"] {
        let vault = unlock(&device, pin).unwrap();
        let found: String = vault.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
        let rows: i64 = vault
            .connection
            .query_row("SELECT count(*) FROM setting WHERE length(value) = 4194304", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 2);
    }
}

#[test]
fn a_changed_pin_opens_and_the_old_one_does_not() {
    let device = device();
    create(&device);
    add_duress(&device, PIN, "111111").unwrap();
    let before = std::fs::read(device.home.vault_header()).unwrap();
    tried(&device, PIN).change_pin(&device.home, &device.context, "975310").unwrap();
    let after = std::fs::read(device.home.vault_header()).unwrap();
    assert_eq!(before[..56], after[..56], "the salt stays");
    assert!(matches!(unlock(&device, PIN), Err(BakenError::WrongPin { .. })));
    later(&device, 60_000);
    let vault = unlock(&device, "975310").unwrap();
    assert_eq!(setting::required::<String>(&vault.connection, "marker").unwrap(), MARKER);
    drop(vault);
    assert!(unlock(&device, "111111").unwrap().is_duress());
    assert_eq!(tried(&device, "975310").duress_pins(), 1);

    // From the decoy only its own PIN changes.
    tried(&device, "111111").change_pin(&device.home, &device.context, "222222").unwrap();
    assert!(matches!(unlock(&device, "111111"), Err(BakenError::WrongPin { .. })));
    later(&device, 60_000);
    assert!(unlock(&device, "222222").unwrap().is_duress());
    assert!(!unlock(&device, "975310").unwrap().is_decoy());
}

#[test]
fn up_to_five_duress_pins_open_the_decoy_and_clearing_removes_them() {
    let device = device();
    create(&device);
    let pins: Vec<String> = (1..=5).map(|number| number.to_string().repeat(6)).collect();
    for (number, pin) in pins.iter().enumerate() {
        add_duress(&device, PIN, pin).unwrap();
        assert_eq!(tried(&device, PIN).duress_pins(), number + 1);
    }
    assert!(matches!(add_duress(&device, PIN, "666666"), Err(BakenError::TooManyDuressPins)));
    for pin in &pins {
        later(&device, 60_000);
        let vault = unlock(&device, pin).unwrap();
        assert!(vault.is_duress() && vault.open_decoy().unwrap().is_none());
        assert_eq!(setting::read::<String>(&vault.connection, "marker").unwrap(), None);
    }
    tried(&device, PIN).clear_duress(&device.home, &device.context).unwrap();
    for pin in &pins {
        later(&device, 300_000);
        assert!(matches!(unlock(&device, pin), Err(BakenError::WrongPin { .. })));
    }
    later(&device, 300_000);
    assert!(!unlock(&device, PIN).unwrap().is_decoy());
}

#[test]
fn a_pin_that_another_slot_has_is_refused_and_counts_as_a_try() {
    let device = device();
    create(&device);
    add_duress(&device, PIN, "111111").unwrap();
    for (session, taken) in [(PIN, PIN), (PIN, "111111"), ("111111", PIN)] {
        assert!(matches!(add_duress(&device, session, taken), Err(BakenError::PinTaken)));
        let changed = tried(&device, session).change_pin(&device.home, &device.context, taken);
        assert!(matches!(changed, Err(BakenError::PinTaken)));
    }
}

#[test]
fn whatever_is_set_in_the_decoy_leaves_the_truth_alone() {
    let device = device();
    create(&device);
    for pin in ["111111", "222222"] {
        add_duress(&device, PIN, pin).unwrap();
    }
    assert_eq!(tried(&device, "111111").duress_pins(), 0, "how many there are is not told in the decoy");
    for pin in ["333333", "444444", "555555"] {
        add_duress(&device, "111111", pin).unwrap();
        later(&device, 60_000);
        assert!(unlock(&device, pin).unwrap().is_duress(), "it works, as whoever set it will see");
    }
    // No place is free any more: another duress PIN gives way, never the true one.
    add_duress(&device, "111111", "666666").unwrap();
    assert!(unlock(&device, "666666").unwrap().is_duress());
    tried(&device, "111111").set_wipe_after_ten(&device.home, &device.context, true).unwrap();
    assert!(tried(&device, "111111").wipes_after_ten().unwrap());
    assert!(!tried(&device, PIN).wipes_after_ten().unwrap());
    tried(&device, "111111").clear_duress(&device.home, &device.context).unwrap();
    later(&device, 60_000);
    let vault = unlock(&device, PIN).unwrap();
    assert_eq!(setting::required::<String>(&vault.connection, "marker").unwrap(), MARKER);
    drop(vault);
    assert!(unlock(&device, "111111").unwrap().is_duress());
}

#[test]
fn the_owner_edits_what_the_decoy_shows() {
    let device = device();
    create(&device);
    add_duress(&device, PIN, "111111").unwrap();
    let decoy = Vault::unlock_decoy(&device.home, &device.context, PIN).unwrap();
    assert!(decoy.is_decoy() && !decoy.is_duress());
    setting::write(&decoy.connection, "shown", &"boodschappen".to_owned()).unwrap();
    drop(decoy);
    let shown = unlock(&device, "111111").unwrap();
    assert_eq!(setting::required::<String>(&shown.connection, "shown").unwrap(), "boodschappen");
    drop(shown);
    assert_eq!(setting::read::<String>(&unlock(&device, PIN).unwrap().connection, "shown").unwrap(), None);
}

#[test]
fn ten_wrong_pins_wipe_only_if_the_owner_asked_for_it() {
    for asked in [false, true] {
        let device = device();
        create(&device);
        tried(&device, PIN).set_wipe_after_ten(&device.home, &device.context, asked).unwrap();
        assert_eq!(tried(&device, PIN).wipes_after_ten().unwrap(), asked);
        for _ in 0..9 {
            later(&device, 300_000);
            assert!(matches!(unlock(&device, "000000"), Err(BakenError::WrongPin { .. })));
        }
        later(&device, 300_000);
        let tenth = unlock(&device, "000000");
        later(&device, 300_000);
        if asked {
            assert!(matches!(tenth, Err(BakenError::NotActivated)));
            assert!(matches!(unlock(&device, PIN), Err(BakenError::NotActivated)));
        } else {
            assert!(matches!(tenth, Err(BakenError::WrongPin { wait_ms: 30_000 })));
            drop(unlock(&device, PIN).unwrap());
        }
    }
}

#[test]
fn turning_the_wipe_off_from_outside_loses_the_vault() {
    let device = device();
    create(&device);
    let before = std::fs::read(device.home.vault_header()).unwrap();
    tried(&device, PIN).set_wipe_after_ten(&device.home, &device.context, true).unwrap();
    let mut bytes = std::fs::read(device.home.vault_header()).unwrap();
    // Everything behind the slots, replaced by random bytes, with the hash mended.
    bytes[3560..4064].copy_from_slice(&before[100..604]);
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&bytes[..4064]).into();
    bytes[4064..].copy_from_slice(&hash);
    std::fs::write(device.home.vault_header(), bytes).unwrap();
    assert!(matches!(unlock(&device, PIN), Err(BakenError::KeyStoreLost)));
}

/// A platform that knows its owner, or not.
struct Finger {
    mask: u8,
    known: std::sync::atomic::AtomicBool,
}

impl key_store::BiometricKey for Finger {
    fn wrap(&self, key: &baken_schemas::crypto::SymmetricKey) -> Result<Vec<u8>, BakenError> {
        Ok(key.as_bytes().iter().map(|byte| byte ^ self.mask).collect())
    }
    fn unwrap(&self, wrapped: &[u8]) -> Result<baken_schemas::crypto::SymmetricKey, BakenError> {
        if !self.known.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(BakenError::BiometricRefused);
        }
        let key: Vec<u8> = wrapped.iter().map(|byte| byte ^ self.mask).collect();
        baken_schemas::crypto::SymmetricKey::from_slice(&key).ok_or(BakenError::BiometricRefused)
    }
}

#[test]
fn a_finger_opens_the_truth_until_the_pin_is_due() {
    let device = device();
    create(&device);
    let finger = Finger { mask: 0x5a, known: true.into() };
    let open = |finger: &Finger| Vault::unlock_biometric(&device.home, &device.context, finger);
    assert!(matches!(open(&finger), Err(BakenError::PinNeeded)), "none was set up");
    let set = |wanted: bool| {
        let key: Option<&dyn key_store::BiometricKey> = if wanted { Some(&finger) } else { None };
        tried(&device, PIN).set_biometric(&device.home, &device.context, key).unwrap();
    };
    set(true);
    let vault = open(&finger).unwrap();
    assert_eq!(setting::required::<String>(&vault.connection, "marker").unwrap(), MARKER);
    drop(vault);
    // Duress PINs come and go without it.
    add_duress(&device, PIN, "111111").unwrap();
    assert!(!open(&finger).unwrap().is_decoy());

    later(&device, 72 * 3_600_000);
    assert!(matches!(open(&finger), Err(BakenError::PinNeeded)));
    drop(unlock(&device, PIN).unwrap());
    finger.known.store(false, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..3 {
        assert!(matches!(open(&finger), Err(BakenError::BiometricRefused)));
    }
    finger.known.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(open(&finger), Err(BakenError::PinNeeded)));
    drop(unlock(&device, PIN).unwrap());
    drop(open(&finger).unwrap());
    assert!(matches!(open(&Finger { mask: 1, known: true.into() }), Err(BakenError::BiometricRefused)));
    drop(unlock(&device, PIN).unwrap());
    tried(&device, PIN).change_pin(&device.home, &device.context, "975310").unwrap();
    assert!(matches!(open(&finger), Err(BakenError::PinNeeded)), "it was good for the old PIN");
}

#[test]
fn a_wipe_destroys_the_keys_first_and_leaves_no_file() {
    let device = device();
    create(&device);
    std::fs::create_dir_all(device.home.blobs().join("ab")).unwrap();
    std::fs::write(device.home.blobs().join("ab").join("0"), b"sealed").unwrap();
    let header = std::fs::File::open(device.home.vault_header()).unwrap();
    let key = std::fs::File::open(device.home.platform_key()).unwrap();
    let before =
        [std::fs::read(device.home.vault_header()).unwrap(), std::fs::read(device.home.platform_key()).unwrap()];
    wipe(&device.home, &device.context).unwrap();
    assert!(matches!(unlock(&device, PIN), Err(BakenError::NotActivated)));
    let left: Vec<_> = std::fs::read_dir(device.home.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["vault.lock"]);
    // The very bytes on disk were overwritten, not only their names removed.
    for (file, before) in [header, key].into_iter().zip(before) {
        let mut after = Vec::new();
        std::io::Read::read_to_end(&mut &file, &mut after).unwrap();
        assert_eq!(after.len(), before.len());
        assert_ne!(after, before);
    }
    wipe(&device.home, &device.context).unwrap();
    create(&device);
    drop(unlock(&device, PIN).unwrap());
}
