//! A relay whose disk is full: sync is refused with 507, alarms still go into the reserve, nothing is half written, and
//! once there is room again everything goes on.
//!
//! The disk is a small file system in memory, mounted in a name space of the relay's own: it goes when the relay does.
//! Mounting takes root; as anybody else the test fails and says so.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use baken_schemas::alarm::AlarmKind;
use baken_schemas::api::{self, Mail, MailKind, Page};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::org::{OrgId, RelayEntry};
use baken_schemas::request::RequestKey;
use baken_schemas::time::{Clock as _, SystemClock};
use baken_tests::circle::Writer;
use baken_tests::fleet::{Org, Wire};
use baken_tests::story::process::{Process, Programs, free_port, run};
use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

/// The disk: the reserve of 64 MiB, the room for twice that which making it anew asks for, and the database.
const DISK: &str = "size=192m";
/// Alarms that a full disk must still take.
const ALARMS: usize = 100;
/// The most entries of 64 KiB until even the last page of the log is full.
const MOST_ENTRIES: usize = 1_000;
/// What an entry holds, in bytes.
const ENTRY_BYTES: usize = 60_000;

/// A relay on a disk of its own.
struct SmallDisk {
    process: Process,
    /// The disk as this process reaches it.
    seen_here: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk over `folder`, with what lies in `set_up` on it, and serves from it.
    async fn serve(server: &Path, set_up: &Path, folder: &Path, log: &Path) -> Result<Self> {
        let script = format!(
            "mount -t tmpfs -o {DISK} tmpfs \"$2\" && cp -a \"$1\"/. \"$2\" && exec \"$0\" --json serve relay --data \"$2\""
        );
        let text = |path: &Path| path.display().to_string();
        let args = ["-m", "sh", "-c", &script, &text(server), &text(set_up), &text(folder)];
        let mut process = Process::start("relay", Path::new("unshare"), &args, &[], log)?;
        let started = process.json_where(|line| line.get("serving").is_some()).await;
        started.with_context(|| std::fs::read_to_string(log).unwrap_or_default())?;
        let id = process.id().context("the relay runs")?;
        // Another process's mounts are seen through its root. `unshare` and the shell have become the relay.
        let seen_here = PathBuf::from(format!("/proc/{id}/root{}", folder.display()));
        ensure!(seen_here.join("reserve").exists(), "the relay keeps a reserve");
        Ok(Self { process, seen_here })
    }

    /// Somebody else's file takes all the room there is.
    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.seen_here.join("somebody-elses"))?;
        let block = [0x5a; 4096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// It is gone.
    fn make_room(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.seen_here.join("somebody-elses"))?)
    }
}

/// A phone with a circle, and what the relay has answered.
struct Phone<'wire> {
    wire: &'wire Wire,
    keys: DeviceKeys,
    writer: Writer,
    stored: Vec<Bytes>,
    rng: ChaCha20Rng,
}

impl Phone<'_> {
    async fn post(&mut self, path: &str, body: Vec<u8>) -> Result<(u16, Bytes)> {
        let path = path.replace("{circle}", &self.writer.circle().to_string());
        let key = IdempotencyKey::make(&mut self.rng);
        self.wire.send((&self.keys, RequestKey::Sig), "POST", &path, body, key).await
    }

    /// Posts entries until one is refused, and gives its bytes and the refusal's status and code.
    async fn write_until_refused(&mut self) -> Result<(Vec<u8>, u16, String)> {
        for _ in 0..MOST_ENTRIES {
            let entry = self.writer.entry(&self.keys, ENTRY_BYTES, &mut self.rng)?.bytes().to_vec();
            let (status, answer) = self.post_entry(&entry).await?;
            if status != 200 {
                let problem: api::Problem = serde_json::from_slice(&answer)?;
                return Ok((entry, status, problem.code));
            }
        }
        anyhow::bail!("{MOST_ENTRIES} entries were taken by a full disk")
    }

    async fn post_entry(&mut self, entry: &[u8]) -> Result<(u16, Bytes)> {
        let batch = api::EntryBatch { entries: vec![entry.to_vec().into()] };
        let answered = self.post(api::ENTRIES, cbor::to_vec(&batch)).await?;
        if answered.0 == 200 {
            self.stored.push(Bytes::copy_from_slice(entry));
        }
        Ok(answered)
    }
}

/// Every item behind the cursors of a path.
async fn pages(wire: &Wire, keys: &DeviceKeys, path: &str, rng: &mut ChaCha20Rng) -> Result<Vec<Vec<u8>>> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let key = IdempotencyKey::make(rng);
        let path = format!("{path}?after={after}");
        let (status, body) = wire.send((keys, RequestKey::Sig), "GET", &path, Vec::new(), key).await?;
        ensure!(status == 200, "{path} answered {status}");
        let page: Page = cbor::from_slice(&body, "a page")?;
        after = page.items.last().map_or(after, |item| item.cursor);
        found.extend(page.items.into_iter().map(|item| Vec::from(item.bytes)));
        if !page.more {
            return Ok(found);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_a_full_disk_still_takes_alarms() -> Result<()> {
    ensure!(
        std::fs::metadata("/proc/self")?.uid() == 0,
        "this test mounts a small disk and must run as root: `sudo -E cargo test -p baken-tests disk_full`"
    );
    let data = tempfile::tempdir()?;
    let (set_up, folder) = (data.path().join("set-up"), data.path().join("relay"));
    std::fs::create_dir(&folder)?;
    let server = Programs::find()?.server;
    let mut rng = ChaCha20Rng::seed_from_u64(507);
    let root = SigningKey::make(&mut rng);
    let url = format!("https://127.0.0.1:{}", free_port()?);
    let org = OrgId::of(&root.verify_key()).0.to_string();
    let init = ["init", "relay", "--data", &set_up.display().to_string(), "--url", &url, "--org", &org];
    let (code, out, err) = run(&server, &init, &[]).await?;
    ensure!(code == 0, "init relay ended with {code}: {out}{err}");
    let disk = SmallDisk::serve(&server, &set_up, &folder, &data.path().join("relay.log")).await?;

    let entry: RelayEntry = cbor::from_slice(&std::fs::read(set_up.join("relay.cbor"))?, "a relay's entry")?;
    let wire = Wire::new(&url, entry.tls_roots.first().context("a relay has a TLS root")?)?;
    let org = Org::make(entry, root, 1, 3_600, &mut rng);
    wire.publish(org.directory.bytes()).await?;
    let keys = wire.activate(&org, SystemClock.now(), &mut rng).await?;
    let (writer, records) = Writer::found(&keys, &mut rng)?;
    let mut phone = Phone { wire: &wire, keys, writer, stored: Vec::new(), rng };
    for record in records {
        let (status, _) = phone.post(api::LOG, record.bytes().to_vec()).await?;
        ensure!(status == 200, "the log answered {status}");
    }

    disk.fill()?;
    let (refused, status, code) = phone.write_until_refused().await?;
    assert_eq!((status, code.as_str()), (507, "disk_full"), "sync is told why");
    let mut pressed = Vec::new();
    for number in 0..ALARMS {
        let (alarm, _) = org.alarm(&phone.keys, AlarmKind::Panic, "help", &mut phone.rng)?;
        let (status, answer) = wire.press(&phone.keys, &alarm).await?;
        ensure!(status == 200, "alarm {number} was answered {status}: {}", String::from_utf8_lossy(&answer));
        pressed.push(alarm.bytes().to_vec());
    }
    assert!(!disk.seen_here.join("reserve").exists(), "the alarms went into the reserve");
    assert_eq!(phone.post_entry(&refused).await?.0, 507, "and sync may not");

    // Nothing is there by half: what was answered, and no more.
    let circle = api::ENTRIES.replace("{circle}", &phone.writer.circle().to_string());
    assert!(pages(&wire, &phone.keys, &circle, &mut phone.rng).await? == phone.stored);
    let desk = org.desks.first().context("there is a desk")?;
    let handed: Vec<Vec<u8>> = pages(&wire, desk, api::MAIL, &mut phone.rng)
        .await?
        .iter()
        .map(|item| cbor::from_slice::<Mail>(item, "mail"))
        .filter(|mail| mail.as_ref().is_ok_and(|mail| mail.kind == MailKind::Alarm) || mail.is_err())
        .map(|mail| Ok(Vec::from(mail?.document)))
        .collect::<Result<_>>()?;
    assert!(handed == pressed, "the desk is handed {} of {ALARMS} alarms", handed.len());

    disk.make_room()?;
    assert_eq!(phone.post_entry(&refused).await?.0, 200, "what was refused goes on where it stopped");
    assert!(disk.seen_here.join("reserve").exists(), "and the reserve is made anew");
    assert!(pages(&wire, &phone.keys, &circle, &mut phone.rng).await? == phone.stored);
    let SmallDisk { mut process, .. } = disk;
    process.kill().await
}
