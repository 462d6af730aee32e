//! The disk's promises, one by one, on logs written by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::super::log::{Event, Inode, Log, Point};
use super::{Loss, SECTOR_BYTES};

/// Seeds for one law: enough that each outcome, at one in ten or so, is all but certain to be seen.
const SEEDS: u64 = 200;

/// A log of these files (with what they held before) and events.
fn log_of(files: &[(&str, Option<&[u8]>)], events: Vec<Event>) -> Log {
    let mut log = Log::default();
    for (name, before) in files {
        log.add_file(PathBuf::from(name), before.map(<[u8]>::to_vec));
    }
    for event in events {
        log.add(event);
    }
    log
}

fn write(file: usize, offset: u64, bytes: &[u8]) -> Event {
    Event::Write { inode: Inode(file), offset, bytes: bytes.into() }
}

fn sync(file: usize) -> Event {
    Event::Sync { inode: Inode(file), folder: false }
}

/// What `name` holds after a cut at the end of `log`; `None` if it is not there.
fn after_cut(log: &Log, loss: Loss, name: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    log.replay().image_at(Point(log.events.len()), loss, folder.path()).unwrap();
    fs::read(folder.path().join(name)).ok()
}

/// Everything that `name` can hold, over all seeds.
fn outcomes(log: &Log, loss: fn(u64) -> Loss, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..SEEDS).map(|seed| after_cut(log, loss(seed), name)).collect()
}

fn reorder(seed: u64) -> Loss {
    Loss::Reorder { seed }
}

fn torn(seed: u64) -> Loss {
    Loss::Torn { seed }
}

#[test]
fn what_was_synced_survives_every_loss() {
    let log = log_of(&[("a", Some(b"old"))], vec![write(0, 0, b"new"), sync(0)]);
    for loss in [Loss::Nothing, Loss::DropUnsynced, reorder(1), torn(1)] {
        assert_eq!(after_cut(&log, loss, "a").as_deref(), Some(b"new".as_slice()), "{loss:?}");
    }
}

#[test]
fn what_was_not_synced_is_dropped_or_kept_as_asked() {
    let log = log_of(&[("a", Some(b"old"))], vec![write(0, 0, b"new")]);
    assert_eq!(after_cut(&log, Loss::DropUnsynced, "a").as_deref(), Some(b"old".as_slice()));
    assert_eq!(after_cut(&log, Loss::Nothing, "a").as_deref(), Some(b"new".as_slice()));
}

#[test]
fn unsynced_writes_and_truncations_survive_independently() {
    let change = Event::Truncate { inode: Inode(0), length: 1 };
    let log = log_of(&[("a", Some(b"..."))], vec![write(0, 0, b"x"), change, write(0, 2, b"y")]);
    let expected = ["...", "x..", "..y", "x.y", ".", "x", ".\0y", "x\0y"];
    let expected = expected.iter().map(|bytes| Some(bytes.as_bytes().to_vec())).collect();
    assert_eq!(outcomes(&log, reorder, "a"), expected);
}

#[test]
fn a_write_is_torn_at_sector_boundaries_of_the_file_and_nowhere_else() {
    let before = vec![0; 3 * SECTOR_BYTES];
    // From the middle of the first sector to the middle of the third.
    let offset = SECTOR_BYTES / 2;
    let log = log_of(&[("a", Some(&before))], vec![write(0, offset as u64, &vec![1; 2 * SECTOR_BYTES])]);
    let torn_files = outcomes(&log, torn, "a");
    let expected = (0..8_usize).map(|kept| {
        let mut bytes = before.clone();
        for (index, byte) in bytes.iter_mut().enumerate().skip(offset).take(2 * SECTOR_BYTES) {
            *byte = u8::from(kept & (1 << (index / SECTOR_BYTES)) != 0);
        }
        Some(bytes)
    });
    assert_eq!(torn_files, expected.collect());
    assert_eq!(outcomes(&log, reorder, "a").len(), 2, "without tearing, it is whole or absent");
}

#[test]
fn a_new_name_needs_a_sync_of_its_folder_and_not_of_its_file() {
    let create = Event::Create { inode: Inode(0) };
    let mut events = vec![create, write(0, 0, b"new"), sync(0)];
    let log = log_of(&[("a", None), ("b", None)], events.clone());
    assert_eq!(after_cut(&log, Loss::DropUnsynced, "a"), None);

    // The first sync of a journal beside it syncs the folder, and all names in it.
    events.extend([Event::Create { inode: Inode(1) }, Event::Sync { inode: Inode(1), folder: true }]);
    let log = log_of(&[("a", None), ("b", None)], events);
    assert_eq!(after_cut(&log, Loss::DropUnsynced, "a").as_deref(), Some(b"new".as_slice()));
}

#[test]
fn a_folder_s_sync_is_not_another_folder_s() {
    let events = vec![
        Event::Create { inode: Inode(0) },
        Event::Create { inode: Inode(1) },
        Event::Sync { inode: Inode(1), folder: true },
    ];
    let log = log_of(&[("relay/a", None), ("desk/b", None)], events);
    assert_eq!(after_cut(&log, Loss::DropUnsynced, "relay/a"), None);
    assert!(after_cut(&log, Loss::DropUnsynced, "desk/b").is_some());
}

#[test]
fn a_deleted_file_can_come_back_until_the_folder_is_synced() {
    let delete = |folder| Event::Delete { path: PathBuf::from("a"), folder };
    let undone = log_of(&[("a", Some(b"old"))], vec![delete(false)]);
    assert_eq!(outcomes(&undone, reorder, "a"), BTreeSet::from([None, Some(b"old".to_vec())]));
    let done = log_of(&[("a", Some(b"old"))], vec![delete(true)]);
    assert_eq!(outcomes(&done, reorder, "a"), BTreeSet::from([None]));

    // Deleted and made again: the old file, none, or the new one.
    let remade = vec![delete(false), Event::Create { inode: Inode(1) }, write(1, 0, b"new"), sync(1)];
    let remade = log_of(&[("a", Some(b"old")), ("a", None)], remade);
    let expected = BTreeSet::from([None, Some(b"old".to_vec()), Some(b"new".to_vec())]);
    assert_eq!(outcomes(&remade, reorder, "a"), expected);
}

#[test]
fn the_same_seed_and_point_give_the_same_files_whatever_was_asked_before() {
    let events = (0..20).map(|index| write(0, index * 512, &[index as u8; 700])).collect();
    let log = log_of(&[("a", Some(b""))], events);
    let image = |replay: &mut super::Replay<'_>, point| {
        let folder = tempfile::tempdir().unwrap();
        replay.image_at(Point(point), torn(7), folder.path()).unwrap();
        fs::read(folder.path().join("a")).unwrap()
    };
    let mut replay = log.replay();
    let (late, early) = (image(&mut replay, 20), image(&mut replay, 9));
    assert_eq!(image(&mut log.replay(), 9), early);
    assert_eq!(image(&mut replay, 20), late);
}

#[test]
fn an_image_is_never_laid_over_another() {
    let log = log_of(&[("a", Some(b"old"))], Vec::new());
    let folder = tempfile::tempdir().unwrap();
    log.replay().image_at(Point(0), Loss::Nothing, folder.path()).unwrap();
    assert!(log.replay().image_at(Point(0), Loss::Nothing, folder.path()).is_err());
}

#[test]
fn points_differ_on_disk_and_come_after_the_promises_between() {
    let mark = |text: &str| Event::Mark(text.to_owned());
    let log = log_of(&[("a", Some(b""))], vec![write(0, 0, b"x"), mark("1"), mark("2"), sync(0), mark("3")]);
    assert_eq!(log.points().collect::<Vec<_>>(), [Point(0), Point(3), Point(5)]);
    assert_eq!(log.marks_before(Point(3)).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(log.sample_points(2), [Point(0), Point(3)]);
    assert_eq!(log.sample_points(9).len(), 3);
}
