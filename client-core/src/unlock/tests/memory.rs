//! What is left in memory after locking, by looking: a child process unlocks, reads and locks, and this one searches
//! its memory for the PIN, every key and a word of the dossier. The alarm and card keys are not among them: the alarm
//! outbox works without a PIN and keeps them.

#![allow(clippy::print_stdout, reason = "the child tells this test on standard output where it stands")]

use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Child, Command, Stdio};

use zeroize::Zeroizing;

use super::*;

/// Set in the child only: the folder of its device.
const CHILD: &str = "BAKEN_TEST_MEMORY_CHILD";
const THIS_TEST: &str = "unlock::tests::memory::a_locked_phone_has_no_pin_no_key_and_no_word_in_its_memory";
const MARKER: &str = "Zonnebloemstraatzeventien";

/// The child: does as each line tells it.
fn live(folder: &str) {
    let clock = Arc::new(SetClock::default());
    clock.0.store(1_795_400_000_000, Ordering::SeqCst);
    // Its randomness is its own: with that of the device's birth it would draw the same keys.
    let baken = open_with(std::path::Path::new(folder), &clock, 10);
    // Unbuffered: standard input's own buffer would keep the PIN.
    let mut input = std::fs::File::open("/dev/stdin").unwrap();
    println!("\nchild ready");
    let mut order = Zeroizing::new([0; 7]);
    while input.read_exact(order.as_mut()).is_ok() {
        if order.as_ref() == b"lock___" {
            baken.lock();
        } else {
            let pin = std::str::from_utf8(&order[..6]).unwrap();
            baken.unlock(pin).unwrap();
            // Reading brings pages and records into memory.
            assert!(!baken.records(None).unwrap().is_empty());
        }
        println!("child done");
    }
}

struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(folder: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([THIS_TEST, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, lines };
        running.wait_for("child ready");
        running
    }

    fn wait_for(&mut self, wanted: &str) {
        let mut line = String::new();
        while line.trim() != wanted {
            line.clear();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "the child ended");
        }
    }

    fn tell(&mut self, order: &str) {
        self.child.stdin.as_mut().unwrap().write_all(format!("{order:_<7}").as_bytes()).unwrap();
        self.wait_for("child done");
    }

    /// How often each of these is in its memory.
    fn count(&self, needles: &[(&'static str, Vec<u8>)]) -> Vec<(&'static str, usize)> {
        let folder = format!("/proc/{}", self.child.id());
        let maps = std::fs::read_to_string(format!("{folder}/maps")).unwrap();
        let mut memory = std::fs::File::open(format!("{folder}/mem")).unwrap();
        let mut counts: Vec<(&'static str, usize)> = needles.iter().map(|(name, _)| (*name, 0)).collect();
        for line in maps.lines() {
            let mut parts = line.split_whitespace();
            let (range, rights) = (parts.next().unwrap(), parts.next().unwrap());
            let (from, to) = range.split_once('-').unwrap();
            let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
            if !rights.starts_with("rw") {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            // A few ranges of the kernel's cannot be read.
            if memory.seek(SeekFrom::Start(from)).is_err() || memory.read_exact(&mut bytes).is_err() {
                continue;
            }
            for ((_, needle), (_, count)) in needles.iter().zip(&mut counts) {
                let first = needle[0];
                let mut at = 0;
                while let Some(found) = bytes[at..].iter().position(|byte| *byte == first) {
                    at += found;
                    *count += usize::from(bytes[at..].starts_with(needle));
                    at += 1;
                }
            }
        }
        counts
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_locked_phone_has_no_pin_no_key_and_no_word_in_its_memory() {
    if let Ok(folder) = std::env::var(CHILD) {
        return live(&folder);
    }
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.create("contact", vec![text("name", MARKER)]).unwrap();
    let (keys, epoch) = mayor
        .baken
        .with_vault(|open| {
            let epoch = open.circles.home().current_epoch().map(|(_, key)| *key.as_bytes());
            Ok((device::load(&open.vault.connection)?, epoch.unwrap()))
        })
        .unwrap();
    mayor.baken.lock();
    let tried = crate::vault::try_pin(&mayor.baken.home, &mayor.baken.context, PIN).unwrap();
    let vault = tried.accept(&mayor.baken.home, &mayor.baken.context).unwrap().keys_for_tests();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes).into_bytes();
    let needles: Vec<(&'static str, Vec<u8>)> = vec![
        ("PIN", PIN.as_bytes().to_vec()),
        ("vault key", vault[0].to_vec()),
        ("vault key in hexadecimal", hex(&vault[0])),
        ("the decoy's key", vault[1].to_vec()),
        ("the slot's key", vault[2].to_vec()),
        ("signing key", keys.keys.sig.to_bytes().to_vec()),
        ("KEM secret", keys.keys.kem.as_bytes().to_vec()),
        ("desk key", keys.desk_key.as_ref().unwrap().as_bytes().to_vec()),
        ("epoch key", epoch.to_vec()),
        ("a word of the dossier", MARKER.as_bytes().to_vec()),
    ];

    let mut phone = Running::start(mayor.folder.path());
    phone.tell(PIN);
    let open = phone.count(&needles);
    // The vault's own key lies with SQLCipher alone, masked.
    for name in ["the decoy's key", "KEM secret", "epoch key", "a word of the dossier"] {
        assert!(open.iter().any(|(found, count)| *found == name && *count > 0), "the search finds {name}: {open:?}");
    }
    phone.tell("lock");
    let locked = phone.count(&needles);
    assert!(locked.iter().all(|(_, count)| *count == 0), "locked: {locked:?}; open: {open:?}");

    // Under duress nothing of the truth was there at all.
    phone.tell(DURESS);
    let duress = phone.count(&needles);
    assert!(duress.iter().all(|(name, count)| *count == 0 || *name == "the decoy's key"), "under duress: {duress:?}");
}
