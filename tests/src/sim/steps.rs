//! What can happen: each step is drawn from the seed, done with the real parts, and noted in the truth. A step that the
//! parts refuse by their rules (a desk that was not the first) is a step too; anything else that fails is a broken
//! promise.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use anyhow::{Result, bail};
use baken_core::BakenError;
use baken_core::alarm::Call;
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent};
use baken_schemas::record::{FieldType, Value, kind_named};
use baken_schemas::time::Clock as _;
use baken_server::desk::{Act, ActError, Ending};
use futures_util::future::{FutureExt as _, join_all};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;

use crate::sim::network::Weather;
use crate::sim::truth::{self, Edit, Pressed};
use crate::sim::world::{World, wrong_ms};

/// Of a hundred operations of a phone, how many end in a kill on the way.
const KILLED_ON_THE_WAY: u32 = 8;
/// How many waits of eight days there are at most: together less than the month for which mail is kept.
const MOST_LONG_WAITS: u32 = 2;
/// Eight days: past the week for which the relay remembers what was repeated.
const LONG_WAIT_MS: i64 = 8 * 24 * 3_600_000;
/// What people write down.
const KINDS: [&str; 3] = ["profile", "contact", "incident"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Edit,
    Sync,
    Press,
    Update,
    Deliver,
    TakeMail,
    PostReceipts,
    Act,
    Wait,
    Weather,
    Late,
    EverybodyAtOnce,
    KillRelay,
    StartRelay,
    KillDesk,
    KillPhone,
    SetClock,
}

/// How often each happens, beside the others.
const WEIGHTS: [(Step, u32); 17] = [
    (Step::Edit, 20),
    (Step::Sync, 12),
    (Step::Press, 7),
    (Step::Update, 4),
    (Step::Deliver, 14),
    (Step::TakeMail, 16),
    (Step::PostReceipts, 10),
    (Step::Act, 14),
    (Step::Wait, 9),
    (Step::Weather, 8),
    (Step::Late, 5),
    (Step::EverybodyAtOnce, 5),
    (Step::KillRelay, 3),
    (Step::StartRelay, 5),
    (Step::KillDesk, 2),
    (Step::KillPhone, 2),
    (Step::SetClock, 2),
];

/// Polls `work` until it is done, or so many times and never again, as when its process is killed.
async fn until_killed<T>(polls: Option<u32>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| match (work.as_mut().poll(context), &mut left) {
        (Poll::Ready(done), _) => Poll::Ready(Some(done)),
        (Poll::Pending, Some(0)) => Poll::Ready(None),
        (Poll::Pending, left) => {
            *left = left.map(|left| left - 1);
            Poll::Pending
        }
    })
    .await
}

impl World {
    /// Takes the next step. Says what happened.
    pub(super) async fn step(&mut self) -> Result<String> {
        let step = WEIGHTS.choose_weighted(&mut self.rng, |(_, weight)| *weight)?.0;
        let how = match step {
            Step::Edit => self.edit()?,
            Step::Sync => self.sync().await?,
            Step::Press => self.press()?,
            Step::Update => self.update()?,
            Step::Deliver => self.deliver().await?,
            Step::TakeMail => self.take_mail().await?,
            Step::PostReceipts => self.post_receipts().await?,
            Step::Act => self.act().await?,
            Step::Wait => self.wait().await?,
            Step::Weather => self.change_weather(),
            Step::Late => self.network.deliver_late(self.rng.random_range(0..64)).await.unwrap_or_default(),
            Step::EverybodyAtOnce => self.everybody_at_once().await?,
            Step::KillRelay => self.kill_relay()?,
            Step::StartRelay => self.start_relay().await?,
            Step::KillDesk => {
                let desk = self.some_desk();
                self.kill_desk(desk)?
            }
            Step::KillPhone => {
                let phone = self.some_phone();
                self.kill_phone(phone)?
            }
            Step::SetClock => {
                let (phone, off_ms) = (self.some_phone(), wrong_ms(&mut self.rng));
                self.phones[phone].clock.set_off_ms(off_ms);
                format!("{} off by {off_ms} ms", self.phones[phone].name)
            }
        };
        Ok(format!("{step:?}: {how}"))
    }

    fn some_phone(&mut self) -> usize {
        self.rng.random_range(0..self.phones.len())
    }

    fn some_desk(&mut self) -> usize {
        // Half of the time the first, which has all alarms.
        if self.rng.random_bool(0.5) { 0 } else { self.rng.random_range(0..self.desks.len()) }
    }

    /// When the operation that follows is killed on its way, if it is.
    fn fuse(&mut self) -> Option<u32> {
        let (burns, polls) = (self.rng.random_range(0..100), self.rng.random_range(0..12));
        (burns < KILLED_ON_THE_WAY).then_some(polls)
    }

    fn edit(&mut self) -> Result<String> {
        let number = self.some_phone();
        let text = Value::Text(format!("woord {}", self.truth.edits.len()));
        let phone = &self.phones[number];
        let baken = phone.unlocked()?;
        let kind = KINDS.choose(&mut self.rng).copied().unwrap_or(KINDS[0]);
        let records = baken.records(Some(kind))?;
        let fields = kind_named(kind).map(|kind| kind.fields).unwrap_or_default();
        let texts: Vec<&str> =
            fields.iter().filter(|field| field.holds == FieldType::Text).map(|field| field.name).collect();
        // Few fields of few records, so that people get in each other's way.
        let field = texts[self.rng.random_range(0..texts.len().min(3))];
        let put = vec![(field.to_owned(), text.clone())];
        let conflicts = baken.conflicts()?;
        let (record, how) = match (records.choose(&mut self.rng), self.rng.random_range(0..100)) {
            (None, _) | (Some(_), 0..15) => (baken.create(kind, put)?, "made"),
            (Some(view), 15..25) => {
                if view.deleted {
                    baken.restore(view.record)?
                } else {
                    baken.delete(view.record)?
                }
                return Ok(format!("{} deleted or restored {}", phone.name, view.record));
            }
            (Some(view), choice) => match conflicts.choose(&mut self.rng) {
                Some(conflict) if choice < 60 => {
                    if conflict.field == 0 {
                        baken.resolve(conflict.record, 0, Value::Bool(false))?;
                        return Ok(format!("{} kept {}", phone.name, conflict.record));
                    }
                    baken.resolve(conflict.record, conflict.field, text.clone())?;
                    (conflict.record, "resolved")
                }
                _ => match baken.put(view.record, put) {
                    Err(BakenError::InConflict) => return Ok(format!("{} in conflict", phone.name)),
                    done => done.map(|()| (view.record, "put"))?,
                },
            },
        };
        self.truth.edits.push(Edit { account: phone.account, record, value: text });
        Ok(format!("{} {how} {record}", phone.name))
    }

    async fn sync(&mut self) -> Result<String> {
        let (number, fuse) = (self.some_phone(), self.fuse());
        let phone = &self.phones[number];
        phone.unlocked()?;
        let done = until_killed(fuse, phone.sync()).await;
        self.done_or_killed(number, done)
    }

    async fn deliver(&mut self) -> Result<String> {
        let (number, fuse, hurry) = (self.some_phone(), self.fuse(), self.rng.random_bool(0.3));
        let phone = &mut self.phones[number];
        phone.was_lied_to |= phone.line.weather().lies;
        if hurry {
            phone.baken.alarm_outbox()?.hurry();
        }
        let done = until_killed(fuse, phone.deliver()).await;
        self.done_or_killed(number, done)
    }

    fn done_or_killed(&mut self, number: usize, done: Option<Result<String>>) -> Result<String> {
        match done {
            Some(how) => Ok(format!("{} {}", self.phones[number].name, how?)),
            None => self.kill_phone(number),
        }
    }

    fn press(&mut self) -> Result<String> {
        let number = self.some_phone();
        let kinds = [AlarmKind::Panic, AlarmKind::Silent, AlarmKind::Medical, AlarmKind::Test];
        let kind = kinds.choose(&mut self.rng).copied().unwrap_or(AlarmKind::Panic);
        let text = format!("hulp {}", self.truth.pressed.len());
        let call = Call {
            kind,
            fix: Fix::Absent(FixAbsent::NoReceiver),
            battery_percent: Some(50),
            text: text.clone(),
            countdown_s: 0,
        };
        let alarm = self.phones[number].baken.press(&call)?;
        let pressed = Pressed { phone: number, at: self.clock.now(), text, updates: Vec::new() };
        self.truth.pressed.insert(alarm, pressed);
        Ok(format!("{} {alarm}", self.phones[number].name))
    }

    fn update(&mut self) -> Result<String> {
        let alarms: Vec<_> = self.truth.pressed.keys().copied().collect();
        let Some(alarm) = alarms.choose(&mut self.rng) else { return Ok("nothing to update".to_owned()) };
        let Some(pressed) = self.truth.pressed.get_mut(alarm) else { bail!("an alarm that was just there") };
        let phone = &self.phones[pressed.phone];
        let text = format!("en verder {}", pressed.updates.len());
        phone.baken.update_alarm(*alarm, Fix::Absent(FixAbsent::NotYet), None, &text)?;
        pressed.updates.push(text);
        Ok(format!("{} {alarm}", phone.name))
    }

    async fn take_mail(&mut self) -> Result<String> {
        let desk = self.some_desk();
        let again = if self.rng.random_bool(0.3) { self.rng.random_range(1..40) } else { 0 };
        let fuse = self.fuse();
        match until_killed(fuse, self.desks[desk].take_mail(again)).await {
            Some(how) => Ok(format!("{} {}", self.desks[desk].name, how?)),
            None => self.kill_desk(desk),
        }
    }

    async fn post_receipts(&mut self) -> Result<String> {
        let (desk, fuse) = (self.some_desk(), self.fuse());
        match until_killed(fuse, self.desks[desk].post_receipts()).await {
            Some(how) => Ok(format!("{} {}", self.desks[desk].name, how?)),
            None => self.kill_desk(desk),
        }
    }

    async fn act(&mut self) -> Result<String> {
        let desk = self.some_desk();
        let site = &self.desks[desk];
        let open: Vec<_> = site.desk.alarms(true)?.alarms.into_iter().map(|alarm| alarm.alarm).collect();
        let (Some(alarm), Some(officer)) = (open.choose(&mut self.rng), site.officers.choose(&mut self.rng)) else {
            return Ok(format!("{} has none", site.name));
        };
        let words = format!("zegt {}", self.truth.acts.len());
        let act = match self.rng.random_range(0..10) {
            0..5 => Act::Acknowledge { also: self.rng.random_bool(0.3) },
            5..7 => Act::Verify { how: words.clone() },
            7 => Act::Underway { what: words.clone() },
            _ => Act::Close { outcome: words.clone(), ending: Ending::Unsaid },
        };
        let how = match site.desk.act(*alarm, officer, &act).await {
            Ok(()) => {
                let words = (!matches!(act, Act::Acknowledge { .. })).then_some(words);
                let (state, officer) = (act.state(), officer.name.clone());
                self.truth.acts.insert(truth::Act { alarm: *alarm, state, desk: site.name, officer, words });
                "done"
            }
            Err(ActError::Held) => "held by another",
            Err(ActError::NotTaken) => "not taken here",
            Err(error) => bail!("{} cannot act: {error}", site.name),
        };
        Ok(format!("{} {act:?} on {alarm}: {how}", site.name))
    }

    async fn wait(&mut self) -> Result<String> {
        let long = self.rng.random_bool(0.03) && self.long_waits < MOST_LONG_WAITS;
        let ms = if long {
            self.long_waits += 1;
            LONG_WAIT_MS
        } else {
            self.rng.random_range(100..15_000)
        };
        self.clock.advance_ms(ms);
        self.relay.tick().await?;
        if let Some(relay) = self.relay.running().filter(|_| long) {
            relay.sweep(relay.now()).await?;
        }
        Ok(format!("{ms} ms"))
    }

    fn change_weather(&mut self) -> String {
        let lines = self.lines();
        let weather = match self.rng.random_range(0..10) {
            0..4 => Weather::FAIR,
            4..6 => Weather { down: true, ..Weather::FAIR },
            _ => Weather {
                down: false,
                lose_requests: self.rng.random_range(0..50),
                late: 60,
                repeat: self.rng.random_range(0..30),
                lose_answers: self.rng.random_range(0..50),
                lies: self.rng.random_bool(0.6),
            },
        };
        if self.rng.random_bool(0.3) {
            lines.iter().for_each(|line| line.set_weather(weather));
            return format!("everywhere {weather:?}");
        }
        let line = self.rng.random_range(0..lines.len());
        lines[line].set_weather(weather);
        format!("line {line} {weather:?}")
    }

    /// Phones and desks do what they have to do, their requests among each other's; the relay may be killed amid them.
    async fn everybody_at_once(&mut self) -> Result<String> {
        let crash_after = self.rng.random_bool(0.4).then(|| self.rng.random_range(0..20_u32));
        for phone in &mut self.phones {
            phone.was_lied_to |= phone.line.weather().lies;
        }
        let phones = self.phones.iter().map(|phone| {
            let work = async move {
                let synced = if phone.baken.is_unlocked() { phone.sync().await? } else { "locked".to_owned() };
                Ok(format!("{} {synced}, {}", phone.name, phone.deliver().await?))
            };
            work.boxed_local()
        });
        let desks = self.desks.iter().map(|desk| {
            let work = async move {
                Ok(format!("{} {}, {}", desk.name, desk.take_mail(3).await?, desk.post_receipts().await?))
            };
            work.boxed_local()
        });
        let relay = &mut self.relay;
        let crash = async move {
            let Some(yields) = crash_after else { return Ok("relay stays".to_owned()) };
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            relay.kill()?;
            Ok("relay killed".to_owned())
        };
        let all: Vec<_> = phones.chain(desks).chain([crash.boxed_local()]).collect();
        let told: Vec<String> = join_all(all).await.into_iter().collect::<Result<_>>()?;
        self.kills += u32::from(crash_after.is_some());
        Ok(told.join("; "))
    }

    fn kill_relay(&mut self) -> Result<String> {
        self.kills += u32::from(self.relay.running().is_some());
        self.relay.kill()?;
        Ok(String::new())
    }

    async fn start_relay(&mut self) -> Result<String> {
        self.relay.start(&mut self.rng).await?;
        Ok(String::new())
    }

    fn kill_desk(&mut self, desk: usize) -> Result<String> {
        self.kills += 1;
        self.desks[desk].kill(&mut self.rng)?;
        Ok(format!("{} killed", self.desks[desk].name))
    }

    fn kill_phone(&mut self, phone: usize) -> Result<String> {
        self.kills += 1;
        self.phones[phone].kill(&mut self.rng)?;
        Ok(format!("{} killed", self.phones[phone].name))
    }
}
