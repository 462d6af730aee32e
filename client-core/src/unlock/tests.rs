//! A mayor's phone unlocked with the true PIN and under duress: what the desk learns, what is shown, and what anybody
//! else can tell. And what is left in memory after locking.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod attachments;
mod inbox;
mod memory;
mod second_version;
mod traces;
mod travel;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use baken_schemas::alarm::{Note, NoteBody, NoteKind};
use baken_schemas::circle::CircleKind;
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, CircleId, LadderId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::org::{CallsFamily, DeskEntry, Directory, Ladder, LadderUse, OrgId, RelayEntry, Rung};
use baken_schemas::record::Value;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::activation::{Stage, save_setup};
use crate::baken::UnlockedVault;
use crate::circle::{Circle, Founding};
use crate::device::{self, Device};
use crate::home::Home;
use crate::key_store::FileKeyStore;
use crate::vault::{KdfCost, Vault};
use crate::{Baken, BakenError, Context};

const PIN: &str = "864209";
const DURESS: &str = "135791";
/// Argon2id at its cheapest: these tests are about what is done around it.
const COST: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };

#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The mayor's phone, activated, and the desk it would call.
struct Mayor {
    baken: Baken,
    clock: Arc<SetClock>,
    desk: DeviceKeys,
    keys: DeviceKeys,
    folder: tempfile::TempDir,
}

impl Mayor {
    fn activated() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::default());
        clock.0.store(1_795_392_000_000, Ordering::SeqCst);
        let desk = DeviceKeys::make(&mut rng);
        let keys = DeviceKeys::make(&mut rng);
        let root = SigningKey::make(&mut rng);
        let directory = directory(&root, &desk, &mut rng);
        let org = OrgId::of(&root.verify_key());
        let (account, circle) = (AccountId::make(&mut rng), CircleId::make(&mut rng));
        let device = Device::make(account, org, circle, Some(SymmetricKey::make(&mut rng)), keys.clone(), &mut rng);
        let baken = open(folder.path(), &clock);
        let vault = Vault::create(&baken.home, &baken.context, PIN, COST, |connection| {
            device::save(connection, &device)?;
            let founding =
                Founding { circle, kind: CircleKind::Dossier, root: root.verify_key(), signer: &root, recovery: None };
            Circle::found(connection, founding, &device.keys, &mut rng)?;
            save_setup(connection, Stage::Done, &directory, "Telefoon van Ans")
        });
        baken.set_vault(UnlockedVault::load(vault.unwrap()).unwrap());
        baken.enrol_outbox().unwrap();
        baken.note_order_keys().unwrap();
        Self { baken, clock, desk, keys, folder }
    }

    /// With one duress PIN, locked.
    fn under_threat() -> Self {
        let mayor = Self::activated();
        mayor.baken.add_duress_pin(PIN, DURESS).unwrap();
        mayor.baken.create("contact", vec![text("name", "Joris van den Echte"), text("phone", "0611111111")]).unwrap();
        mayor.baken.lock();
        mayor
    }

    fn pass_s(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// The notes that wait, as they will be sent and as the desk opens them; then none waits.
    fn take_notes(&self) -> Vec<(usize, NoteBody)> {
        let outbox = self.baken.alarm_outbox().unwrap();
        let documents: Vec<Vec<u8>> = outbox
            .write(|tx| {
                let rows = tx
                    .prepare("SELECT document FROM note ORDER BY seq")?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                tx.execute("DELETE FROM note", [])?;
                Ok(rows)
            })
            .unwrap();
        let open = |document: &Vec<u8>| {
            let note = Unverified::<Note>::parse(document).unwrap().verify(&self.keys.alarm.verify_key()).unwrap();
            assert_eq!(note.value().desk, self.desk.device);
            (document.len(), note.value().open(&self.desk.kem).unwrap())
        };
        documents.iter().map(open).collect()
    }

    fn names(&self) -> Vec<String> {
        let records = self.baken.records(Some("contact")).unwrap();
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        records.iter().map(|record| text(&record.fields[0].values[0].value)).collect()
    }
}

fn open(folder: &std::path::Path, clock: &Arc<SetClock>) -> Baken {
    open_with(folder, clock, 9)
}

fn open_with(folder: &std::path::Path, clock: &Arc<SetClock>, seed: u64) -> Baken {
    let home = Home::open(folder).unwrap();
    let store = Arc::new(FileKeyStore::new(home.platform_key()));
    let rng = Box::new(ChaCha20Rng::seed_from_u64(seed));
    Baken::open(home, Context::new(Arc::<SetClock>::clone(clock), rng, store))
}

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}

fn directory(root: &SigningKey, desk: &DeviceKeys, rng: &mut ChaCha20Rng) -> Signed<Directory> {
    let relay = DeviceKeys::make(rng);
    let entry = |keys: &DeviceKeys, name: &str| DeskEntry {
        desk: keys.device,
        name: name.to_owned(),
        sig: keys.sig.verify_key(),
        kem: keys.kem.public(),
    };
    let desks = vec![entry(&DeviceKeys::make(rng), "Meldkamer West"), entry(desk, "Meldkamer Oost")];
    let rungs = vec![Rung { responders: vec![desk.device], wait_s: 10, family: CallsFamily::No }];
    let directory = Directory {
        root: root.verify_key(),
        version: 1,
        name: "Gemeente Voorbeeld".to_owned(),
        issued_at: Timestamp(0),
        relay: RelayEntry {
            relay: relay.device,
            sig: relay.sig.verify_key(),
            urls: vec!["https://relay.example".to_owned()],
            tls_roots: vec![vec![0].into()],
            operator_reads_alarms: false,
        },
        desks,
        ladders: vec![Ladder {
            ladder: LadderId::make(rng),
            version: 1,
            name: "Alle alarmen".to_owned(),
            rungs,
            serves: LadderUse::Alarms,
        }],
        sms_number: None,
    };
    Signed::make(directory, root)
}

#[test]
fn every_unlock_leaves_the_desk_one_note_of_one_size_that_says_which_pin_it_was() {
    let mayor = Mayor::under_threat();
    let (mut sizes, mut orders) = (Vec::new(), Vec::new());
    for (pin, duress) in [(PIN, false), (DURESS, true), (PIN, false), (DURESS, true)] {
        mayor.pass_s(60);
        mayor.baken.unlock(pin).unwrap();
        let notes = mayor.take_notes();
        let [(size, body)] = &notes[..] else { panic!("{} notes", notes.len()) };
        assert_eq!((body.kind, body.duress, body.alarm), (NoteKind::Unlocked, duress, None));
        sizes.push(*size);
        orders.push(body.freeze.clone());
    }
    // The order by which the phone freezes itself goes along whichever PIN it was: only the desk learns which.
    let order = Unverified::<Order>::parse(orders[0].as_ref().unwrap()).unwrap();
    assert_eq!(order.verify(&mayor.keys.sig.verify_key()).unwrap().value().kind, OrderKind::Freeze);
    assert!(orders.iter().all(|order| *order == orders[0]));
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    assert!(matches!(mayor.baken.unlock("000000"), Err(BakenError::WrongPin { .. })));
    assert!(mayor.take_notes().is_empty(), "a wrong PIN unlocks nothing");
    mayor.pass_s(60);
    mayor.baken.unlock_decoy(PIN).unwrap();
    assert!(mayor.take_notes().iter().all(|(_, body)| !body.duress), "its owner edits the decoy freely");
}

#[test]
fn unlocking_does_not_fail_because_the_outbox_does() {
    let mayor = Mayor::under_threat();
    mayor.baken.close_outbox();
    std::fs::write(mayor.baken.home.outbox_database(), b"rubbish").unwrap();
    for pin in [PIN, DURESS] {
        mayor.baken.unlock(pin).unwrap();
    }
}

#[test]
fn a_duress_pin_opens_the_decoy_and_loads_nothing_of_the_truth() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(mayor.names(), ["Joris van den Echte"]);
    let real = mayor.baken.with_vault(|open| device::load(&open.vault.connection)).unwrap();
    let real_status = mayor.baken.status().unwrap();
    mayor.baken.unlock(DURESS).unwrap();
    assert!(!mayor.names().is_empty() && !mayor.names().contains(&"Joris van den Echte".to_owned()));

    let shown = mayor.baken.with_vault(|open| device::load(&open.vault.connection)).unwrap();
    assert_ne!(shown.keys.kem.as_bytes(), real.keys.kem.as_bytes());
    assert_ne!(shown.keys.sig.to_bytes(), real.keys.sig.to_bytes());
    assert_ne!(shown.keys.alarm.to_bytes(), real.keys.alarm.to_bytes());
    assert_ne!(shown.desk_key, real.desk_key);
    assert_ne!(shown.card_key, real.card_key);
    assert!(shown.root.is_none() && shown.circle != real.circle);
    // What anybody can see anyway is the same.
    let status = mayor.baken.status().unwrap();
    assert_eq!((status.device, status.account), (real_status.device, real_status.account));
    assert_eq!(mayor.baken.devices().unwrap()[0].name.as_deref(), Some("Telefoon van Ans"));

    // Edits stay in the decoy, and come back with it.
    mayor.baken.create("contact", vec![text("name", "Voor de vorm")]).unwrap();
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(mayor.names(), ["Joris van den Echte"]);
    mayor.baken.unlock(DURESS).unwrap();
    assert!(mayor.names().contains(&"Voor de vorm".to_owned()));
}

/// Counts what would go out.
#[derive(Debug, Default)]
struct NoNetwork(AtomicI64);

#[async_trait::async_trait]
impl crate::transport::Transport for NoNetwork {
    fn authority(&self) -> &str {
        "relay.example"
    }
    async fn send(
        &self,
        _: crate::transport::Request,
    ) -> Result<crate::transport::Response, crate::transport::TransportError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(crate::transport::TransportError::Unreachable)
    }
    async fn live(
        &self,
        _: crate::transport::Request,
    ) -> Result<crate::transport::EventStream, crate::transport::TransportError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(crate::transport::TransportError::Unreachable)
    }
}

#[tokio::test]
async fn nothing_of_a_decoy_is_sent() {
    let mayor = Mayor::under_threat();
    let network = NoNetwork::default();
    for by_owner in [false, true] {
        mayor.pass_s(60);
        if by_owner { mayor.baken.unlock_decoy(PIN) } else { mayor.baken.unlock(DURESS) }.unwrap();
        mayor.baken.create("contact", vec![text("name", "Voor de vorm")]).unwrap();
        assert!(matches!(mayor.baken.sync(&network).await, Err(BakenError::NotReached)));
        assert!(matches!(mayor.baken.update_card(&network).await, Err(BakenError::NotReached)));
    }
    assert_eq!(network.0.load(Ordering::SeqCst), 0, "not even a try, which the relay would see fail");
    mayor.pass_s(60);
    mayor.baken.unlock(PIN).unwrap();
    assert!(mayor.baken.sync(&network).await.is_err());
    assert!(network.0.load(Ordering::SeqCst) > 0);
}

#[test]
fn an_alarm_works_in_the_decoy_as_anywhere() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(DURESS).unwrap();
    let call = crate::alarm::Call {
        kind: baken_schemas::alarm::AlarmKind::Silent,
        fix: baken_schemas::alarm::Fix::Absent(baken_schemas::alarm::FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = mayor.baken.press(&call).unwrap();
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.alarm(alarm).unwrap();
}

#[test]
fn an_alarm_is_withdrawn_with_either_pin_and_only_the_desk_reads_which() {
    let mayor = Mayor::under_threat();
    let call = crate::alarm::Call {
        kind: baken_schemas::alarm::AlarmKind::Panic,
        fix: baken_schemas::alarm::Fix::Absent(baken_schemas::alarm::FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = mayor.baken.press(&call).unwrap();
    mayor.take_notes();
    let wrong = mayor.baken.withdraw_alarm(alarm, "000000");
    assert!(matches!(wrong, Err(BakenError::WrongPin { .. })));
    assert!(mayor.take_notes().is_empty() && mayor.baken.alarm(alarm).unwrap().withdrawn.is_none());
    mayor.pass_s(60);
    // Locked, with the truth open, and with the decoy open.
    for open in [None, Some(PIN), Some(DURESS)] {
        mayor.baken.lock();
        if let Some(pin) = open {
            mayor.baken.unlock(pin).unwrap();
        }
        mayor.take_notes();
        mayor.baken.withdraw_alarm(alarm, PIN).unwrap();
        let shown = mayor.baken.alarm(alarm).unwrap();
        mayor.baken.withdraw_alarm(alarm, DURESS).unwrap();
        assert_eq!(mayor.baken.alarm(alarm).unwrap(), shown);
        let [(size, by_pin), (duress_size, by_duress)] = &mayor.take_notes()[..] else { panic!("two notes") };
        assert_eq!((size, by_pin.duress, by_duress.duress), (duress_size, false, true));
        assert!([by_pin, by_duress].iter().all(|note| note.kind == NoteKind::Withdrawn && note.alarm == Some(alarm)));
    }
}

#[test]
fn a_duress_pin_typed_where_the_truth_is_open_will_not_do_and_rings() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    mayor.take_notes();
    assert!(matches!(mayor.baken.check_pin(DURESS), Err(BakenError::WrongPin { .. })));
    let notes = mayor.take_notes();
    assert!(notes.len() == 1 && notes[0].1.duress);
    mayor.pass_s(60);
    mayor.baken.check_pin(PIN).unwrap();
    mayor.baken.unlock(DURESS).unwrap();
    assert!(matches!(mayor.baken.check_pin(PIN), Err(BakenError::WrongPin { .. })));
    mayor.pass_s(60);
    mayor.baken.check_pin(DURESS).unwrap();
}

#[test]
fn a_wipe_needs_no_pin_and_leaves_a_device_that_is_not_activated() {
    for (unlocked, pin) in [(false, PIN), (true, PIN), (true, DURESS)] {
        let mayor = Mayor::under_threat();
        if unlocked {
            mayor.baken.unlock(pin).unwrap();
        }
        mayor.baken.wipe().unwrap();
        assert!(!mayor.baken.is_activated() && !mayor.baken.is_unlocked());
        assert!(matches!(mayor.baken.alarms(), Err(BakenError::NotActivated)));
        assert!(matches!(mayor.baken.unlock(pin), Err(BakenError::NotActivated)));
        let left: Vec<_> =
            std::fs::read_dir(mayor.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["vault.lock"]);
        assert!(!open(mayor.folder.path(), &mayor.clock).is_activated());
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the wipe's time is what is tested")]
fn a_wipe_takes_less_than_a_fifth_of_a_second() {
    use std::time::{Duration, Instant};
    let mut took = Vec::new();
    for _ in 0..5 {
        let mayor = Mayor::under_threat();
        mayor.baken.unlock(PIN).unwrap();
        // What a busy disk takes for one durable write says nothing about the wipe, which makes six.
        let started = Instant::now();
        crate::home::replace_file(&mayor.folder.path().join("beside"), &[0; 4096]).unwrap();
        let one = started.elapsed();
        let started = Instant::now();
        mayor.baken.wipe().unwrap();
        took.push(started.elapsed().saturating_sub(one * 6));
    }
    assert!(took.iter().min().unwrap() < &Duration::from_millis(200), "{took:?}");
}

#[tokio::test]
async fn the_tenth_wrong_pin_wipes_a_phone_that_was_told_to() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.set_wipe_after_ten(PIN, true).unwrap();
    assert!(mayor.baken.wipes_after_ten(PIN).unwrap());
    mayor.baken.lock();
    for _ in 0..9 {
        mayor.pass_s(300);
        assert!(matches!(mayor.baken.unlock("000000"), Err(BakenError::WrongPin { .. })));
    }
    mayor.pass_s(300);
    assert!(matches!(mayor.baken.unlock("000000"), Err(BakenError::NotActivated)));
    assert!(matches!(mayor.baken.alarms(), Err(BakenError::NotActivated)));
    assert!(!mayor.baken.is_activated());
}

/// Wraps a key in memory, as a platform with a finger on it would.
struct Finger(SymmetricKey);

impl crate::key_store::BiometricKey for Finger {
    fn wrap(&self, key: &SymmetricKey) -> Result<Vec<u8>, BakenError> {
        let mask = self.0.derive("finger", &[]);
        Ok(key.as_bytes().iter().zip(mask.as_bytes()).map(|(key, mask)| key ^ mask).collect())
    }
    fn unwrap(&self, wrapped: &[u8]) -> Result<SymmetricKey, BakenError> {
        let mask = self.0.derive("finger", &[]);
        let key: Vec<u8> = wrapped.iter().zip(mask.as_bytes()).map(|(byte, mask)| byte ^ mask).collect();
        SymmetricKey::from_slice(&key).ok_or(BakenError::BiometricRefused)
    }
}

#[test]
fn what_was_ordered_is_carried_out_at_the_next_unlocking_if_a_crash_came_between() {
    let mayor = Mayor::under_threat();
    let finger = Finger(SymmetricKey::make(&mut ChaCha20Rng::seed_from_u64(3)));
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.set_biometric(PIN, Some(&finger)).unwrap();
    mayor.baken.unlock_biometric(&finger).unwrap();
    let due = |sql: &str| {
        let outbox = mayor.baken.alarm_outbox().unwrap();
        outbox.write(|tx| Ok(tx.execute(sql, [])?)).unwrap();
    };
    // Locked from afar: no finger opens it until the PIN was typed, whichever that is.
    for pin in [PIN, DURESS] {
        due("UPDATE phone SET lock_due = 1");
        mayor.pass_s(60);
        assert!(matches!(mayor.baken.unlock_biometric(&finger), Err(BakenError::PinNeeded)));
        assert!(matches!(mayor.baken.unlock("000000"), Err(BakenError::WrongPin { .. })));
        assert!(matches!(mayor.baken.unlock_biometric(&finger), Err(BakenError::PinNeeded)));
        mayor.pass_s(60);
        mayor.baken.unlock(pin).unwrap();
        mayor.baken.unlock_biometric(&finger).unwrap();
    }
    due("UPDATE phone SET wipe_due = 1");
    std::fs::create_dir_all(mayor.baken.home.blobs().join("a")).unwrap();
    std::fs::write(mayor.baken.home.blobs().join("a/0"), [0; 9]).unwrap();
    assert!(matches!(mayor.baken.unlock(PIN), Err(BakenError::NotActivated)));
    let left: Vec<_> = std::fs::read_dir(mayor.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["vault.lock"]);
}
