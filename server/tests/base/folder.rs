//! Data folders: one process at a time, keys never thrown away, files whole.

use std::os::unix::fs::PermissionsExt as _;

use baken_schemas::device::DeviceKeys;
use baken_server::folder::{Access, DataFolder, FolderError};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

#[test]
fn two_servers_do_not_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = DataFolder::open(dir.path()).unwrap();
    assert!(matches!(DataFolder::open(dir.path()), Err(FolderError::InUse(_))));
    drop(first);
    DataFolder::open(dir.path()).unwrap();
    assert!(matches!(DataFolder::open(&dir.path().join("none")), Err(FolderError::Missing(_))));
}

#[test]
fn keys_come_back_as_they_were_and_are_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::create(&dir.path().join("relay")).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys = DeviceKeys::make(&mut rng);
    assert!(matches!(folder.read_keys(), Err(FolderError::Missing(_))));
    folder.write_keys(&keys).unwrap();
    assert_eq!(folder.read_keys().unwrap().identity(), keys.identity());
    assert!(matches!(folder.write_keys(&DeviceKeys::make(&mut rng)), Err(FolderError::Exists(_))));
    let mode = |name: &str| std::fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("keys.cbor"), 0o600);
    assert_eq!(std::fs::metadata(folder.dir()).unwrap().permissions().mode() & 0o777, 0o700);
    let whole = folder.read("keys.cbor").unwrap();
    for cut in 0..whole.len() {
        folder.write("keys.cbor", &whole[..cut], Access::Secret).unwrap();
        assert!(matches!(folder.read_keys(), Err(FolderError::Damaged { .. })), "cut at {cut}");
    }
}

#[test]
fn a_leftover_of_a_crash_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(dir.path()).unwrap();
    std::fs::write(folder.path("relay.cbor.new"), b"half").unwrap();
    folder.write("relay.cbor", b"whole", Access::Open).unwrap();
    assert_eq!(folder.read("relay.cbor").unwrap(), b"whole");
    assert!(!folder.has("relay.cbor.new"));
}
