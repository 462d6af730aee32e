//! The disk: files that change while they are read, disks that are full, chunks that rot, and a large file in little
//! memory.

use std::fs;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use baken_schemas::blob::{CHUNK_BYTES, MAX_BLOB_BYTES};
use baken_schemas::id::BlobId;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::stage::{Device, Relay};
use super::{damaged, file};
use crate::BakenError;
use crate::attachment::{Source, Stamp, open_to, save, seal_file};

/// What somebody does to a file and to the time of its last change.
type Meddling<'a> = Box<dyn FnMut(&mut Vec<u8>, &mut SystemTime) + 'a>;

/// A file that somebody else also has in hand: after so many reads, something is done to it.
struct Changing<'a> {
    bytes: Cursor<Vec<u8>>,
    changed: SystemTime,
    reads: usize,
    after: usize,
    change: Meddling<'a>,
}

impl<'a> Changing<'a> {
    fn new(size: usize, after: usize, change: impl FnMut(&mut Vec<u8>, &mut SystemTime) + 'a) -> Self {
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_465_407);
        Self { bytes: Cursor::new(file(size)), changed, reads: 0, after, change: Box::new(change) }
    }
}

impl Read for Changing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.reads == self.after {
            (self.change)(self.bytes.get_mut(), &mut self.changed);
        }
        self.reads += 1;
        self.bytes.read(buffer)
    }
}

impl Seek for Changing<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

impl Source for Changing<'_> {
    fn stamp(&self) -> std::io::Result<Stamp> {
        Ok(Stamp { size: self.bytes.get_ref().len() as u64, changed: Some(self.changed) })
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_nothing_behind() {
    type Change = fn(&mut Vec<u8>, &mut SystemTime);
    let changes: [(&str, Change); 5] = [
        ("it grows", |bytes, _| bytes.push(1)),
        ("it is cut", |bytes, _| bytes.truncate(CHUNK_BYTES + 1)),
        ("it is written to, and its time says so", |_, changed| *changed += Duration::from_nanos(1)),
        ("its start is altered, and nothing says so", |bytes, _| bytes[5] ^= 1),
        ("its end is altered, and nothing says so", |bytes, _| *bytes.last_mut().unwrap() ^= 1),
    ];
    for (name, change) in changes {
        for after in [1, 2] {
            let device = Device::new(20);
            let mut source = Changing::new(3 * CHUNK_BYTES, after, change);
            let sealed = seal_file(&device.store, &device.context, &mut source, &|_| ());
            // Altered before it was read for the first time, it is simply another file.
            if name.starts_with("its end") {
                assert!(sealed.is_ok(), "{name}, after {after} reads");
                continue;
            }
            assert!(matches!(sealed, Err(BakenError::AttachmentChanged)), "{name}, after {after} reads: {sealed:?}");
            assert!(device.left_behind().is_empty(), "{name}");
        }
    }
    let device = Device::new(21);
    let mut quiet = Changing::new(3 * CHUNK_BYTES, 1, |_, _| {});
    seal_file(&device.store, &device.context, &mut quiet, &|_| ()).unwrap();
    // The last part altered between the two passes.
    let mut source = Changing::new(3 * CHUNK_BYTES, 4, |bytes, _| *bytes.last_mut().unwrap() ^= 1);
    let sealed = seal_file(&device.store, &device.context, &mut source, &|_| ());
    assert!(matches!(sealed, Err(BakenError::AttachmentChanged)));
}

#[test]
fn a_real_file_is_sealed_and_saved_again_and_a_folder_is_not() {
    let device = Device::new(22);
    let path = device.folder.path().join("foto.jpg");
    fs::write(&path, file(CHUNK_BYTES + 9)).unwrap();
    let blob = seal_file(&device.store, &device.context, &mut fs::File::open(&path).unwrap(), &|_| ()).unwrap();
    let saved = device.folder.path().join("terug.jpg");
    fs::write(&saved, b"before").unwrap();
    save(&device.store, &blob, &saved).unwrap();
    assert!(fs::read(&saved).unwrap() == fs::read(&path).unwrap());
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let chunk = device.chunk_file(&blob, 1);
    assert_eq!(fs::metadata(&chunk).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing of it can be read where it lies.
    let sealed = fs::read(device.chunk_file(&blob, 0)).unwrap();
    let readable = &file(CHUNK_BYTES)[1000..1032];
    assert!(!sealed.windows(32).any(|window| window == readable));
    // Damaged, what was at the path stays.
    fs::write(&chunk, b"short").unwrap();
    assert_eq!(damaged(save(&device.store, &blob, &saved)), "a chunk is cut short");
    assert!(fs::read(&saved).unwrap() == fs::read(&path).unwrap());
    assert_eq!(fs::read_dir(device.folder.path()).unwrap().count(), 3, "something was left beside it");
    let folder = seal_file(&device.store, &device.context, &mut fs::File::open(device.folder.path()).unwrap(), &|_| ());
    assert!(matches!(folder, Err(BakenError::Disk(_))));
}

/// A file too large is refused before a byte of it is read.
#[test]
fn a_file_past_200_mebibytes_is_refused() {
    struct Huge;
    impl Read for Huge {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(ErrorKind::Other.into())
        }
    }
    impl Seek for Huge {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Err(ErrorKind::Other.into())
        }
    }
    impl Source for Huge {
        fn stamp(&self) -> std::io::Result<Stamp> {
            Ok(Stamp { size: MAX_BLOB_BYTES + 1, changed: None })
        }
    }
    let device = Device::new(23);
    let refused = seal_file(&device.store, &device.context, &mut Huge, &|_| ());
    assert!(matches!(refused, Err(BakenError::AttachmentTooLarge)));
    assert!(device.left_behind().is_empty());
}

/// `/dev/full` in the place of a chunk that is being written: a disk that fills at that very chunk.
#[tokio::test]
async fn a_disk_that_fills_leaves_no_half_chunk_and_the_download_goes_on() {
    let (phone, tablet, relay) = (Device::new(24), Device::new(25), Relay::default());
    let sent = file(8 * CHUNK_BYTES);
    let blob = phone.seal(&sent);
    phone.upload(&relay, &blob).await.unwrap();
    tablet.store.prepare(blob.blob).unwrap();
    symlink("/dev/full", tablet.chunk_file(&blob, 3).with_extension("new")).unwrap();
    let full = tablet.download(&relay, &blob).await;
    assert!(matches!(full, Err(BakenError::DiskFull)), "{full:?}");
    assert!(!tablet.chunk_file(&blob, 3).exists());
    let unfinished = |path: &std::path::PathBuf| path.extension().is_some();
    assert!(!tablet.left_behind().iter().any(unfinished));
    let kept = (0..8).filter(|index| tablet.chunk_file(&blob, *index).exists()).count();
    relay.take_chunk_requests();
    tablet.download(&relay, &blob).await.unwrap();
    assert_eq!(relay.take_chunk_requests(), 8 - kept);
    assert!(tablet.open(&blob).unwrap() == sent);
    // The disk to which the file is given back may be full as well.
    let mut nowhere = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(matches!(open_to(&tablet.store, &blob, &mut nowhere), Err(BakenError::DiskFull)));
}

#[test]
fn a_disk_that_fills_while_a_file_is_sealed_leaves_nothing_behind() {
    let device = Device::new(26);
    let blobs = device.folder.path().join("blobs");
    let mut source = Changing::new(5 * CHUNK_BYTES, 1, |_, _| {
        let unfinished = fs::read_dir(&blobs).unwrap().next().unwrap().unwrap().path();
        symlink("/dev/full", unfinished.join("3.new")).unwrap();
    });
    let full = seal_file(&device.store, &device.context, &mut source, &|_| ());
    assert!(matches!(full, Err(BakenError::DiskFull)), "{full:?}");
    assert!(device.left_behind().is_empty());
}

#[test]
fn what_no_record_names_and_what_was_half_sealed_is_cleared_away() {
    let device = Device::new(27);
    device.store.keep_only(|_| Ok(false)).unwrap();
    let (kept, other) = (device.seal(&file(10)), device.seal(&file(10)));
    // As a process that was killed leaves it.
    std::mem::forget(device.store.begin(BlobId([3; 16])).unwrap());
    device.store.keep_only(|blob| Ok(blob == kept.blob)).unwrap();
    assert_eq!(device.left_behind().len(), 2, "one folder with one chunk");
    device.open(&kept).unwrap();
    assert!(matches!(device.open(&other), Err(BakenError::AttachmentNotHere)));
}

/// What may happen to the chunks on a disk.
#[derive(Debug, Clone)]
enum Edit {
    Flip(u32, prop::sample::Index, u8),
    Cut(u32, prop::sample::Index),
    Append(u32, Vec<u8>),
    Swap(u32, u32),
    Copy(u32, u32),
    Remove(u32),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = || 0_u32..3;
    prop_oneof![
        (index(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte, with)| Edit::Flip(at, byte, with)),
        (index(), any::<prop::sample::Index>()).prop_map(|(at, len)| Edit::Cut(at, len)),
        (index(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(at, more)| Edit::Append(at, more)),
        (index(), index()).prop_map(|(one, other)| Edit::Swap(one, other)),
        (index(), index()).prop_map(|(from, to)| Edit::Copy(from, to)),
        index().prop_map(Edit::Remove),
    ]
}

/// Applies an edit to chunks in memory.
fn apply(chunks: &mut [Option<Vec<u8>>], edit: &Edit) {
    let at = |index: &u32| *index as usize;
    match edit {
        Edit::Flip(index, byte, with) => {
            if let Some(chunk) = chunks[at(index)].as_mut().filter(|chunk| !chunk.is_empty()) {
                let byte = byte.index(chunk.len());
                chunk[byte] ^= with;
            }
        }
        Edit::Cut(index, len) => {
            if let Some(chunk) = &mut chunks[at(index)] {
                chunk.truncate(len.index(chunk.len() + 1));
            }
        }
        Edit::Append(index, more) => {
            if let Some(chunk) = &mut chunks[at(index)] {
                chunk.extend_from_slice(more);
            }
        }
        Edit::Swap(one, other) => chunks.swap(at(one), at(other)),
        Edit::Copy(from, to) => chunks[at(to)] = chunks[at(from)].clone(),
        Edit::Remove(index) => chunks[at(index)] = None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever happens to the chunks: the file comes back whole or not a byte of it, and a download mends what is wrong
    /// and fetches nothing else.
    #[test]
    fn no_edit_of_stored_chunks_gives_another_file(edits in prop::collection::vec(edit(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (phone, relay) = (Device::new(28), Relay::default());
        let sent = file(2 * CHUNK_BYTES + 100);
        let blob = phone.seal(&sent);
        runtime.block_on(phone.upload(&relay, &blob)).unwrap();
        let good: Vec<_> = (0..3).map(|index| Some(fs::read(phone.chunk_file(&blob, index)).unwrap())).collect();
        let mut chunks = good.clone();
        edits.iter().for_each(|edit| apply(&mut chunks, edit));
        for (index, chunk) in (0..).zip(&chunks) {
            let path = phone.chunk_file(&blob, index);
            match chunk {
                Some(chunk) => fs::write(&path, chunk).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
        }
        match phone.open(&blob) {
            Ok(file) => prop_assert!(chunks == good && file == sent),
            Err(BakenError::AttachmentNotHere) => prop_assert!(chunks.contains(&None)),
            Err(BakenError::AttachmentDamaged { .. }) => prop_assert!(chunks != good),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
        relay.take_chunk_requests();
        runtime.block_on(phone.download(&relay, &blob)).unwrap();
        let wrong = chunks.iter().zip(&good).filter(|(found, good)| found != good).count();
        prop_assert_eq!(relay.take_chunk_requests(), wrong);
        prop_assert!(phone.open(&blob).unwrap() == sent);
    }
}

/// A file that is made as it is read, and remembers how much was asked for at once.
struct Film {
    size: u64,
    at: u64,
    most: usize,
}

impl Read for Film {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        const BLOCK: [u8; 4096] = [0x5a; 4096];
        self.most = self.most.max(buffer.len());
        // One block at a time, each with its number at its start.
        let within = self.at % BLOCK.len() as u64;
        let left = (self.size - self.at).min(BLOCK.len() as u64 - within) as usize;
        let len = buffer.len().min(left);
        let mut block = BLOCK;
        block[..8].copy_from_slice(&(self.at - within).to_be_bytes());
        buffer[..len].copy_from_slice(&block[within as usize..within as usize + len]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Film {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(ErrorKind::Unsupported.into()) };
        self.at = at;
        Ok(at)
    }
}

impl Source for Film {
    fn stamp(&self) -> std::io::Result<Stamp> {
        Ok(Stamp { size: self.size, changed: None })
    }
}

/// Hashes what is written, and remembers how much came at once.
struct Screen {
    hash: Sha256,
    most: usize,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.most = self.most.max(bytes.len());
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_largest_file_goes_in_and_out_a_chunk_at_a_time() {
    let device = Device::new(29);
    let mut film = Film { size: MAX_BLOB_BYTES, at: 0, most: 0 };
    let blob = seal_file(&device.store, &device.context, &mut film, &|_| ()).unwrap();
    assert_eq!(blob.chunks, 800);
    let mut screen = Screen { hash: Sha256::new(), most: 0 };
    open_to(&device.store, &blob, &mut screen).unwrap();
    let mut expected = Screen { hash: Sha256::new(), most: 0 };
    film.at = 0;
    std::io::copy(&mut film, &mut expected).unwrap();
    assert!(screen.hash.finalize() == expected.hash.finalize());
    assert!(film.most <= CHUNK_BYTES && screen.most <= CHUNK_BYTES);
}
