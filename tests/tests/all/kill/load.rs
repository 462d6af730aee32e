//! A load that asks until it is answered, as phones and officers do, and remembers what it was answered.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use baken_schemas::alarm::{AlarmKind, Receipt, ReceiptState};
use baken_schemas::api::{self, Documents, Page};
use baken_schemas::cbor;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, SystemClock};
use baken_tests::circle::Writer;
use baken_tests::fleet::{Org, Wire};
use baken_tests::story::console::Officer;
use baken_tests::story::process::PATIENCE;
use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

/// Phones that press at the same time.
const PHONES: usize = 3;
/// Alarms that each presses in a round, one after another.
const PRESSES: usize = 2;
/// Entries that are written in a round.
const ENTRIES: usize = 4;
/// Rounds in which each phone hands a deposit in as well: those of the first ten are raised while the test still looks.
const DEPOSIT_ROUNDS: u64 = 10;
/// After how long a deposit is due, in seconds: the shortest there is.
const DEPOSIT_DUE_S: u32 = 60;
/// Between two tries of what got no answer, as a phone waits too.
const RETRY: Duration = Duration::from_millis(10);
/// Between two looks at the whole list: the desk opens every alarm in it anew.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What was answered with 2xx.
#[derive(Debug, Default)]
struct Answered {
    alarms: HashMap<AlarmId, Pressed>,
    /// Deposits that were answered: each is an alarm a minute later.
    deposits: Vec<AlarmId>,
    /// Alarms that an officer acknowledged.
    acknowledged: Vec<AlarmId>,
    /// The circle's records and entries, each in order.
    records: Vec<Bytes>,
    entries: Vec<Bytes>,
}

/// An alarm that was answered.
#[derive(Debug, Clone)]
struct Pressed {
    /// Which phone's.
    phone: usize,
    /// The answer: the relay's receipt.
    stored: Bytes,
}

/// Phones, a circle's writer and an officer.
pub struct Load<'town> {
    wire: &'town Wire,
    org: &'town Org,
    officer: &'town Officer,
    phones: Vec<DeviceKeys>,
    writer: Mutex<(Writer, ChaCha20Rng)>,
    answered: Mutex<Answered>,
    interrupted: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'town> Load<'town> {
    /// Enrols the phones and founds the circle of the first.
    pub async fn begin(wire: &'town Wire, org: &'town Org, officer: &'town Officer, seed: u64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut phones = Vec::new();
        for _ in 0..PHONES {
            phones.push(wire.activate(org, SystemClock.now(), &mut rng).await?);
        }
        let (writer, records) = Writer::found(phones.first().context("there are phones")?, &mut rng)?;
        let writer = Mutex::new((writer, rng));
        let (answered, interrupted) = (Mutex::default(), AtomicUsize::new(0));
        let load = Self { wire, org, officer, phones, writer, answered, interrupted };
        for record in records {
            load.append(record.bytes()).await?;
        }
        Ok(load)
    }

    /// How many tries got no answer, or one that says to come back.
    pub fn interruptions(&self) -> usize {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// One round: every phone presses, the circle grows, the officer takes an alarm of an earlier round.
    pub async fn round(&self, number: u64) -> Result<()> {
        let presses = (0..PHONES).zip(0..).map(|(phone, salt)| {
            let rng = ChaCha20Rng::seed_from_u64(number * 1_000 + salt);
            self.press(phone, number < DEPOSIT_ROUNDS, rng)
        });
        let (presses, circle, officer) =
            tokio::join!(futures_util::future::try_join_all(presses), self.write(number), self.acknowledge_one(),);
        presses?;
        circle?;
        officer
    }

    /// Tries until there is an answer that is one.
    async fn until_answered<T, F: Future<Output = Result<Option<T>>>>(&self, once: impl Fn() -> F) -> Result<T> {
        let tries = async {
            loop {
                if let Some(answer) = once().await? {
                    return Ok(answer);
                }
                self.interrupted.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(RETRY).await;
            }
        };
        tokio::time::timeout(PATIENCE, tries).await.context("a request was never answered")?
    }

    async fn press(&self, phone: usize, deposits: bool, mut rng: ChaCha20Rng) -> Result<()> {
        let keys = self.phones.get(phone).context("there are phones")?;
        if deposits {
            let (alarm, body) = self.org.deposit(keys, DEPOSIT_DUE_S, "help", &mut rng)?;
            let (signer, once) = ((keys, RequestKey::Alarm), IdempotencyKey::make(&mut rng));
            let hand_in = || async { answer(self.wire.send(signer, "POST", api::DEPOSITS, body.clone(), once).await) };
            self.until_answered(hand_in).await?;
            lock(&self.answered).deposits.push(alarm.value().header.alarm);
        }
        for _ in 0..PRESSES {
            let (alarm, _) = self.org.alarm(keys, AlarmKind::Panic, "help", &mut rng)?;
            let stored = self.until_answered(|| async { answer(self.wire.press(keys, &alarm).await) }).await?;
            lock(&self.answered).alarms.insert(alarm.value().header.alarm, Pressed { phone, stored });
        }
        Ok(())
    }

    async fn send(&self, path: &str, body: Vec<u8>) -> Result<Bytes> {
        let keys = self.phones.first().context("there are phones")?;
        let idempotency = IdempotencyKey::make(&mut lock(&self.writer).1);
        let path = path.replace("{circle}", &lock(&self.writer).0.circle().to_string());
        let signer = (keys, RequestKey::Sig);
        let once = || async { answer(self.wire.send(signer, "POST", &path, body.clone(), idempotency).await) };
        self.until_answered(once).await
    }

    async fn append(&self, record: &[u8]) -> Result<()> {
        self.send(api::LOG, record.to_vec()).await?;
        lock(&self.answered).records.push(Bytes::copy_from_slice(record));
        Ok(())
    }

    async fn write(&self, round: u64) -> Result<()> {
        let keys = self.phones.first().context("there are phones")?;
        for _ in 0..ENTRIES {
            let entry = {
                let mut writer = lock(&self.writer);
                let (writer, rng) = &mut *writer;
                writer.entry(keys, 500, rng)?
            };
            let batch = api::EntryBatch { entries: vec![entry.bytes().to_vec().into()] };
            self.send(api::ENTRIES, cbor::to_vec(&batch)).await?;
            lock(&self.answered).entries.push(Bytes::copy_from_slice(entry.bytes()));
        }
        if round.is_multiple_of(5) {
            let record = {
                let mut writer = lock(&self.writer);
                let (writer, rng) = &mut *writer;
                writer.next_epoch(keys, rng)?
            };
            self.append(record.bytes()).await?;
        }
        Ok(())
    }

    /// Takes an alarm that the desk shows and nobody has. Whether a try without an answer took it is not known, and it is
    /// made again: acknowledging what one has is no error.
    async fn acknowledge_one(&self) -> Result<()> {
        let list = self.until_answered(|| async { Ok(self.officer.look("/api/alarms").await.ok()) }).await?;
        let alarms = list.get("alarms").and_then(Value::as_array).context("a list has alarms")?;
        let ringing = |alarm: &&Value| {
            let pressed = alarm.get("kind").and_then(Value::as_str) != Some("missed");
            pressed && alarm.get("ringing").and_then(Value::as_bool) == Some(true)
        };
        let Some(alarm) = alarms.iter().find(ringing).and_then(|alarm| alarm.get("alarm")?.as_str()) else {
            return Ok(());
        };
        let path = format!("/api/alarms/{alarm}/acknowledge");
        self.until_answered(|| async { Ok(self.officer.act(&path, &json!({})).await.ok()) }).await?;
        lock(&self.answered).acknowledged.push(alarm.parse()?);
        Ok(())
    }

    /// Waits until the first deposit has been raised: the others follow within seconds.
    pub async fn a_deposit_is_raised(&self) -> Result<()> {
        let raised = async {
            loop {
                let list = self.officer.look("/api/alarms").await?;
                let alarms = list.get("alarms").and_then(Value::as_array).context("a list has alarms")?;
                if alarms.iter().any(|alarm| alarm.get("kind").and_then(Value::as_str) == Some("missed")) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(2 * PATIENCE, raised).await.context("no deposit was raised")?
    }

    /// Every alarm answered is shown at the desk exactly once, every deposit once it is raised, and nothing else is.
    pub async fn alarms_are_shown_once(&self) -> Result<()> {
        // The desk takes its mail in order: once alarms pressed now are shown, a late double of an earlier one is too.
        self.press(0, false, ChaCha20Rng::seed_from_u64(u64::MAX)).await?;
        let expected: HashSet<String> = {
            let answered = lock(&self.answered);
            answered.alarms.keys().chain(&answered.deposits).map(ToString::to_string).collect()
        };
        let shown = exactly_shown(self.officer, expected.len()).await?;
        let missing = expected.difference(&shown).count();
        ensure!(missing == 0, "{missing} alarms were answered and are not shown");
        Ok(())
    }

    /// The circle is at the relay as it was answered, in order and nothing beside it.
    pub async fn the_circle_is_kept(&self) -> Result<()> {
        let (records, entries) = {
            let answered = lock(&self.answered);
            (answered.records.clone(), answered.entries.clone())
        };
        for (path, expected) in [(api::LOG, records), (api::ENTRIES, entries)] {
            let found = self.pages(path).await?;
            ensure!(found == expected, "{path} has {} of {} that were answered", found.len(), expected.len());
        }
        Ok(())
    }

    async fn get(&self, keys: &DeviceKeys, path: &str) -> Result<Bytes> {
        let key = IdempotencyKey::make(&mut lock(&self.writer).1);
        let (status, body) = self.wire.send((keys, RequestKey::Sig), "GET", path, Vec::new(), key).await?;
        ensure!(status == 200, "{path} answered {status}");
        Ok(body)
    }

    async fn pages(&self, path: &str) -> Result<Vec<Bytes>> {
        let path = path.replace("{circle}", &lock(&self.writer).0.circle().to_string());
        let keys = self.phones.first().context("there are phones")?;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query = after.map(|after| format!("?after={after}")).unwrap_or_default();
            let page: Page = cbor::from_slice(&self.get(keys, &format!("{path}{query}")).await?, "a page")?;
            after = page.items.last().map(|item| item.cursor);
            found.extend(page.items.into_iter().map(|item| Bytes::from(Vec::from(item.bytes))));
            if !page.more {
                return Ok(found);
            }
        }
    }

    /// What an officer was told is done comes to the phone whose alarm it is, behind the receipt that the relay answered
    /// with.
    pub async fn receipts_are_kept(&self) -> Result<()> {
        let acknowledged = lock(&self.answered).acknowledged.clone();
        ensure!(acknowledged.len() >= 10, "{} alarms were acknowledged", acknowledged.len());
        for alarm in acknowledged {
            let Pressed { phone, stored } =
                lock(&self.answered).alarms.get(&alarm).cloned().context("what is acknowledged was pressed")?;
            let keys = self.phones.get(phone).context("a phone pressed it")?;
            let path = api::ALARM_RECEIPTS.replace("{alarm}", &alarm.to_string());
            self.until_answered(|| async {
                let found: Documents = cbor::from_slice(&self.get(keys, &path).await?, "receipts")?;
                let first = found.documents.first().map(|document| &document[..]);
                ensure!(first == Some(&stored[..]), "the relay's receipt is not the one it answered with");
                let seen = found.documents.iter().any(|document| {
                    Unverified::<Receipt>::parse(document)
                        .is_ok_and(|receipt| receipt.claims().state == ReceiptState::Seen)
                });
                Ok(seen.then_some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// What a try came to: `None` when it is to be made again.
fn answer(tried: Result<(u16, Bytes)>) -> Result<Option<Bytes>> {
    match tried {
        Ok((200..300, body)) => Ok(Some(body)),
        Err(_) | Ok((429 | 500.., _)) => Ok(None),
        Ok((status, body)) => bail!("the relay answered {status}: {}", String::from_utf8_lossy(&body)),
    }
}

/// The alarms that the desk shows, once it shows so many; it must not show more, and none twice.
pub async fn exactly_shown(officer: &Officer, expected: usize) -> Result<HashSet<String>> {
    let all = async {
        loop {
            let list = officer.look("/api/alarms").await?;
            let alarms = list.get("alarms").and_then(Value::as_array).context("a list has alarms")?;
            let id = |alarm: &Value| alarm.get("alarm").and_then(Value::as_str).map(str::to_owned);
            let mut shown: Vec<String> = alarms.iter().filter_map(id).collect();
            // A flood is shown behind its first alarms.
            for entry in alarms.iter().filter(|alarm| alarm.get("folded").and_then(Value::as_u64) > Some(0)) {
                let entry = id(entry).context("an alarm has an id")?;
                let detail = officer.look(&format!("/api/alarms/{entry}")).await?;
                let folded = detail.get("folded_alarms").and_then(Value::as_array).context("it names them")?;
                shown.extend(folded.iter().filter_map(id));
            }
            if shown.len() >= expected {
                return anyhow::Ok(shown);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let shown =
        tokio::time::timeout(PATIENCE, all).await.context("the desk never showed every alarm that was answered")??;
    let distinct: HashSet<String> = shown.iter().cloned().collect();
    ensure!(distinct.len() == shown.len(), "an alarm is shown more than once");
    ensure!(shown.len() == expected, "{} alarms are shown, {expected} were pressed", shown.len());
    Ok(distinct)
}
