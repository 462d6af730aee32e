//! Telling the desk what is wrong with a button: that it has fallen silent, that its battery is low, that its panel cannot
//! reach it; and that it is over.
//!
//! Each is one alarm of the kind [`AlarmKind::Trouble`], made in the transaction that keeps the trouble: once for each, and
//! neither lost nor doubled by a crash. What follows is an update of that alarm. A deadline is a row; while the bridge is
//! down nobody listens, so that each button has its whole interval again when it starts.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Update, UpdateBody};
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use super::buttons::{self, Trouble, TroubleKind};
use super::store::{self, Errand, NewOutgoing};
use super::{Bridge, BridgeError, Button, words};
use crate::audit;
use crate::dc09::Account;
use crate::store::Priority;

/// How often deadlines are looked at, and what was heard is written down.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Bridge {
    /// Notes that a button was heard; it is written down with the next look.
    pub(super) fn heard(&self, account: &Account, at: Timestamp) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone(), at);
    }

    /// Counts what was not taken; it is written down with the next look.
    pub(super) fn count_refused(&self, code: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Makes a row for every button, before the first is heard.
    pub(super) async fn fit_buttons(&self) -> Result<(), BridgeError> {
        let (buttons, now) = (self.buttons.clone(), self.clock.now());
        self.store.write(Priority::Normal, move |db| Ok::<_, BridgeError>(buttons::fit(db, &buttons, now)?)).await
    }

    /// Watches over the buttons, for ever.
    pub(super) async fn supervise(&self) -> Result<(), BridgeError> {
        loop {
            if self.look(self.clock.now()).await? {
                self.changed();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Writes down what was heard and what was not taken, and tells of the buttons that have fallen silent or are back.
    /// Whether there is something to send.
    async fn look(&self, now: Timestamp) -> Result<bool, BridgeError> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        let refused = std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner));
        let silent = self.store.read(|db| Ok::<_, BridgeError>(buttons::silent(db, now)?))?;
        if heard.is_empty() && refused.is_empty() && silent.is_empty() {
            return Ok(false);
        }
        let mut alarms = HashMap::new();
        for (account, last) in silent {
            let Some((account, button)) = self.buttons.iter().find(|(known, _)| known.as_str() == account) else {
                continue;
            };
            if !heard.contains_key(account) {
                alarms.insert(account.clone(), (self.trouble_alarm(button, TroubleKind::Silent, last)?, last));
            }
        }
        let this = self.teller();
        let buttons = self.buttons.clone();
        self.store
            .write(Priority::Alarm, move |db| {
                let mut told = false;
                for (code, count) in &refused {
                    buttons::count_refused(db, code, *count, now)?;
                }
                for (account, at) in &heard {
                    buttons::heard(db, account, *at)?;
                    if let Some(button) = buttons.get(account) {
                        told |= this.end(db, (account, button), TroubleKind::Silent, *at)?;
                    }
                }
                for (account, (alarm, last)) in &alarms {
                    told |= this.begin(db, account, TroubleKind::Silent, alarm, last.unwrap_or(now))?;
                }
                Ok(told)
            })
            .await
    }

    /// The alarm that tells of a trouble, sealed.
    pub(super) fn trouble_alarm(
        &self,
        button: &Button,
        kind: TroubleKind,
        since: Option<Timestamp>,
    ) -> Result<NewOutgoing, BridgeError> {
        let text = words::trouble(self.language, button, kind, since);
        self.make_alarm(AlarmKind::Trouble, button, text, self.clock.now(), "bridge")
    }

    /// What it takes to write updates inside a transaction.
    pub(super) fn teller(&self) -> Teller {
        Teller {
            keys: self.keys.clone(),
            language: self.language,
            clock_now: self.clock.now(),
            rng: std::sync::Mutex::new(self.fork_rng()),
        }
    }
}

/// Tells the desk, within the transaction of what it tells of.
pub(super) struct Teller {
    keys: baken_schemas::device::DeviceKeys,
    language: baken_schemas::Language,
    clock_now: Timestamp,
    rng: std::sync::Mutex<rand::rngs::ChaCha20Rng>,
}

impl Teller {
    /// What the bridge writes in.
    pub(super) fn language(&self) -> baken_schemas::Language {
        self.language
    }

    /// Keeps a trouble and its alarm; `false` where it is known.
    pub(super) fn begin(
        &self,
        db: &Connection,
        account: &Account,
        kind: TroubleKind,
        alarm: &NewOutgoing,
        since: Timestamp,
    ) -> Result<bool, BridgeError> {
        if buttons::trouble(db, account, kind)?.is_some() {
            return Ok(false);
        }
        store::add(db, alarm, self.clock_now)?;
        buttons::begin(db, account, &Trouble { kind, since, alarm: alarm.alarm })?;
        audit::append_for(db, self.clock_now, self.keys.device, "button_trouble", &alarm.alarm, kind.code())?;
        Ok(true)
    }

    /// Ends a trouble and says so in an update of its alarm; `false` where there was none.
    pub(super) fn end(
        &self,
        db: &Connection,
        (account, button): (&Account, &Button),
        kind: TroubleKind,
        at: Timestamp,
    ) -> Result<bool, BridgeError> {
        let Some(trouble) = buttons::trouble(db, account, kind)? else { return Ok(false) };
        buttons::end(db, account, kind)?;
        audit::append_for(db, self.clock_now, self.keys.device, "button_trouble_over", &trouble.alarm, kind.code())?;
        let fingerprint = Hash::of("baken/bridge-trouble-over/v0", &[&trouble.alarm.0]);
        self.update(db, trouble.alarm, words::over(self.language, button, kind, at), fingerprint.0)
    }

    /// Adds an update of an alarm; `false` where the alarm is too old to have its key.
    pub(super) fn update(
        &self,
        db: &Connection,
        alarm: AlarmId,
        text: String,
        fingerprint: [u8; 32],
    ) -> Result<bool, BridgeError> {
        let Some((content, sequence)) = store::next_update(db, alarm)? else { return Ok(false) };
        let body = UpdateBody {
            fix: Fix::Absent(FixAbsent::NoReceiver),
            battery_percent: None,
            text,
            made_at: self.clock_now,
            attachment: None,
        };
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (alarm, self.keys.device, sequence);
        let update = Update::seal(of, &body, &content, &self.keys.alarm, &mut *rng)?;
        let document = update.bytes().to_vec();
        let new = NewOutgoing { errand: Errand::Update, fingerprint, alarm, document, content_key: None };
        store::add(db, &new, self.clock_now)?;
        Ok(true)
    }
}
