//! Baken under this load: the core's public interface, and the real relay over TLS.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baken_core::Baken;
use baken_schemas::circle::{CircleKind, Cut, Epoch, LogRecord, Member, MemberRole, Membership, Operation, Readers};
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use baken_schemas::signed::Signed;
use baken_server::store::{Disk, inspect};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;

use super::fleet::{Fleet, KIND, fields, texts};
use super::{Load, REST, WIRE_PULL, WIRE_UP, text};
use crate::bench::phone::memory;
use crate::bench::relay::Served;
use crate::bench::{Bench, Spread, cpu_time, now};

const CONTESTANT: &str = "baken";
/// Devices in the circle that one is revoked of.
const REVOKE_OF: usize = 60;
/// How often that is done; the median counts.
const REVOKE_TIMES: usize = 11;

/// Adds Baken's figures.
///
/// # Errors
/// When a part fails, or an edit does not arrive.
pub async fn measure(bench: &mut Bench, folder: &Path, load: &Load) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let revoked = Spread::of((0..REVOKE_TIMES).map(|_| revoke(&mut rng)).collect::<Result<_>>()?);
    let served = Served::start(&folder.join("direct"), false, &mut rng).await?;

    eprintln!("bench sync: baken, {} live edits", load.live);
    let homes = folder.join("live");
    let mut fleet = Fleet::found(&served, &homes, &mut rng).await?;
    fleet.add(&homes, &mut rng).await?;
    bench.set_live(CONTESTANT, live(&fleet, load.live, load.bytes).await?);

    eprintln!("bench sync: baken, a backlog of {} edits", load.backlog);
    let (mut up, mut pull) = (Vec::new(), Vec::new());
    for round in 0..load.rounds {
        let homes = folder.join(format!("backlog-{round}"));
        let backlog = Backlog::make(&served, &homes, &homes, (round, load.backlog, load.bytes), &mut rng).await?;
        up.push(backlog.send().await?);
        pull.push(backlog.pull().await?);
    }
    bench.set_up(load, CONTESTANT, up);
    bench.set_pull(load, CONTESTANT, pull);

    let counted = Served::start(&folder.join("counted"), true, &mut rng).await?;
    let proxy = counted.proxy.as_ref().context("this relay has a proxy")?;
    let homes = folder.join("counted-homes");
    let backlog = Backlog::make(&counted, &homes, &homes, (0, load.backlog, load.bytes), &mut rng).await?;
    let before = at_rest(&counted)?;
    proxy.take();
    backlog.send().await?;
    bench.set_bytes(load, CONTESTANT, WIRE_UP, proxy.take());
    bench.set_bytes(load, CONTESTANT, REST, at_rest(&counted)?.saturating_sub(before));
    backlog.pull().await?;
    bench.set_bytes(load, CONTESTANT, WIRE_PULL, proxy.take());

    for records in load.first_syncs {
        eprintln!("bench sync: baken, a first sync of {records} records");
        // Only the fresh phone is measured: it alone lies on the disk.
        let (author, fresh) = (memory()?, folder.join(format!("first-{records}")));
        let backlog = Backlog::make(&served, author.path(), &fresh, (0, records, load.bytes), &mut rng).await?;
        backlog.send().await?;
        bench.set(&format!("first_sync_{records}"), "ms", CONTESTANT, backlog.pull().await?.as_secs_f64() * 1e3);
    }

    let homes = memory()?;
    let mut fleet = Fleet::found(&served, homes.path(), &mut rng).await?;
    for devices in load.devices {
        eprintln!("bench sync: baken, an edit to {devices} devices");
        while fleet.phones.len() < devices {
            fleet.add(homes.path(), &mut rng).await?;
        }
        let times = Spread::of(live(&fleet, load.fan_outs, load.bytes).await?);
        bench.set(&format!("fanout_{devices}"), "ms", CONTESTANT, times.p50_us() / 1e3);
    }
    bench.set(&format!("revoke_1_of_{REVOKE_OF}"), "ms", CONTESTANT, revoked.p50_us() / 1e3);
    bench.remarks.push(format!(
        "fanout: until the last device of a circle can read an edit, the median of {}; all phones share this machine's \
         processors, each on a thread and connections of its own, with their homes in memory, since they would share one \
         disk. revoke: CPU of the new epoch for those who stay, made and signed",
        load.fan_outs
    ));
    Ok(())
}

/// Edits one after the other, each awaited on every other phone.
async fn live(fleet: &Fleet<'_>, edits: usize, bytes: usize) -> Result<Vec<Duration>> {
    let first = fleet.phones.first().context("a fleet has a first phone")?;
    let record = first.create(KIND, fields("at first".to_owned()))?;
    let mut following = fleet.follow()?;
    // Not timed: that all follow, and know the record.
    following.edit(record, "warm").await?;
    let mut times = Vec::with_capacity(edits);
    for edit in 0..edits {
        times.push(following.edit(record, &text(0, edit, bytes)).await?);
    }
    following.stop()?;
    Ok(times)
}

/// An account whose phone has made records offline, and whose second phone, paired before, has none of them.
struct Backlog<'a> {
    served: &'a Served,
    fleet: Fleet<'a>,
    right: Vec<String>,
}

impl<'a> Backlog<'a> {
    async fn make(
        served: &'a Served,
        author: &Path,
        fresh: &Path,
        (round, records, bytes): (usize, usize, usize),
        rng: &mut dyn CryptoRng,
    ) -> Result<Self> {
        let mut fleet = Fleet::found(served, author, rng).await?;
        fleet.add(fresh, rng).await?;
        let right: Vec<String> = (0..records).map(|edit| text(round, edit, bytes)).collect();
        let backlog = Self { served, fleet, right };
        for text in &backlog.right {
            backlog.phone(0)?.create(KIND, fields(text.clone()))?;
        }
        Ok(backlog)
    }

    fn phone(&self, number: usize) -> Result<&Baken> {
        Ok(self.fleet.phones.get(number).context("the phone is there")?)
    }

    /// Until the relay has acknowledged all.
    async fn send(&self) -> Result<Duration> {
        let begin = now();
        self.phone(0)?.sync(&self.served.transport()?).await?;
        let took = begin.elapsed();
        let pending = self.phone(0)?.status()?.pending;
        ensure!(pending == 0, "{pending} edits are still pending");
        Ok(took)
    }

    /// Until the fresh phone has read all.
    async fn pull(&self) -> Result<Duration> {
        let fresh = self.phone(1)?;
        let begin = now();
        fresh.sync(&self.served.transport()?).await?;
        let mut texts = texts(fresh)?;
        let took = begin.elapsed();
        texts.sort_unstable();
        let mut right = self.right.clone();
        right.sort_unstable();
        ensure!(texts == right, "{} of {} edits arrived as they were", texts.len(), right.len());
        Ok(took)
    }
}

/// The bytes in use in the relay's database, those in its log counted.
fn at_rest(served: &Served) -> Result<u64> {
    let database = inspect(&Disk::new(served.data.clone()), "relay.db")?;
    let ask = |what: &str| database.query_row(&format!("PRAGMA {what}"), [], |row| row.get::<_, u64>(0));
    Ok((ask("page_count")? - ask("freelist_count")?) * ask("page_size")?)
}

/// CPU of revoking one of [`REVOKE_OF`] devices, on the device that does it.
fn revoke(rng: &mut dyn CryptoRng) -> Result<Duration> {
    let devices: Vec<DeviceKeys> = (0..REVOKE_OF).map(|_| DeviceKeys::make(rng)).collect();
    let member = |keys: &DeviceKeys| Member {
        device: keys.device,
        sig: keys.sig.verify_key(),
        kem: keys.kem.public(),
        role: MemberRole::Owner,
    };
    let owner = devices.first().context("there are devices")?;
    let root = SigningKey::make(rng).verify_key();
    let (mut membership, _) =
        Membership::found(CircleId::make(rng), CircleKind::Family, root, None, member(owner), &owner.sig);
    for keys in devices.iter().skip(1) {
        let record = membership.next(owner.device, Operation::Add { member: member(keys) }, &owner.sig);
        membership.apply(record.bytes())?;
    }
    let revoked = devices.last().context("there are devices")?;
    let begin = cpu_time();
    std::hint::black_box(remove(&membership, owner, revoked, rng)?);
    Ok(cpu_time().saturating_sub(begin))
}

/// The record that revokes a device: its removal, with an epoch for all others.
fn remove(
    membership: &Membership,
    by: &DeviceKeys,
    whom: &DeviceKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Signed<LogRecord>> {
    let without = membership.without(whom.device)?;
    let members = without.readers();
    let readers = Readers { members: &members, recovery: None };
    let (epoch, _) = Epoch::make(membership.circle(), membership.epoch() + 1, readers, None, rng)?;
    let cut = Cut { device: whom.device, counter: 0 };
    Ok(membership.next(by.device, Operation::Remove { cut, epoch }, &by.sig))
}
