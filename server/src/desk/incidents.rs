//! Incidents: several alarms, of one victim or many, that officers treat as one. An incident is no more than that; what is
//! done with it is done with each of its alarms, and each has receipts of its own.
//!
//! Alarms of one device beyond twenty a minute are folded behind one of the same kind: shown as one entry with a count.
//! None is refused and none is lost: each is kept, answered as received, and gets what the entry gets.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use serde::{Serialize, Serializer};

use super::act::Act;
use super::officers::Officer;
use super::opened::Opened;
use super::store::{self, incident};
use super::{ActError, AlarmSummary, Desk, DeskError};
use crate::audit;
use crate::store::Priority;

/// How many alarms of one device in a minute are shown each by itself.
const SHOWN_A_MINUTE: usize = 20;
/// That minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;
/// How many of those behind an entry its page lists.
const FOLDED_SHOWN: usize = 100;

/// An incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IncidentId(pub [u8; 16]);

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for IncidentId {
    type Err = ActError;

    fn from_str(text: &str) -> Result<Self, ActError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(ActError::UnknownIncident)
    }
}

impl Serialize for IncidentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An incident and its alarms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentView {
    /// The incident.
    pub incident: IncidentId,
    /// Its alarms, in the order in which they joined.
    pub alarms: Vec<AlarmSummary>,
}

/// What became of an act on an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoneToIncident {
    /// How many alarms it was done with.
    pub done: usize,
    /// With which not, and why: the codes of acts.
    pub refused: Vec<Refused>,
}

/// An alarm with which it was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The alarm.
    pub alarm: AlarmId,
    /// Why.
    pub code: &'static str,
}

/// An alarm behind an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FoldedView {
    /// The alarm.
    pub alarm: AlarmId,
    /// When it arrived here.
    pub received_at: Timestamp,
    /// How far it has got.
    pub state: ReceiptState,
}

impl Desk {
    /// Joins two alarms, or an alarm and the incident that the other is in.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn join(&self, alarm: AlarmId, with: AlarmId, officer: &Officer) -> Result<IncidentId, ActError> {
        let (now, officer_id) = (self.now(), officer.id);
        let mut fresh = [0; 16];
        let rng: &mut dyn CryptoRng = &mut self.fork_rng();
        rng.fill_bytes(&mut fresh);
        let joined = self
            .store
            .write(Priority::Alarm, move |db| {
                if alarm == with || store::alarm::find(db, alarm)?.is_none() || store::alarm::find(db, with)?.is_none()
                {
                    return Err(ActError::Unknown);
                }
                let before = incident::of_alarm(db, alarm)?;
                let joined = match incident::of_alarm(db, with)? {
                    Some(there) => there,
                    None => {
                        incident::join(db, with, IncidentId(fresh), now)?;
                        IncidentId(fresh)
                    }
                };
                if incident::alarms(db, joined)?.len() >= incident::MAX_ALARMS {
                    return Err(ActError::TooMany);
                }
                incident::join(db, alarm, joined, now)?;
                if let Some(left) = before.filter(|left| *left != joined) {
                    incident::dissolve(db, left)?;
                }
                let (actor, subject) = (officer_id.to_string(), alarm.to_string());
                let event =
                    audit::Event { at: now, actor: &actor, act: "incident_joined", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok(joined)
            })
            .await?;
        self.changed();
        Ok(joined)
    }

    /// Takes an alarm out of its incident.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn leave(&self, alarm: AlarmId, officer: &Officer) -> Result<(), ActError> {
        let (now, officer_id) = (self.now(), officer.id);
        self.store
            .write(Priority::Alarm, move |db| {
                if !incident::leave(db, alarm)? {
                    return Err(ActError::UnknownIncident);
                }
                let (actor, subject) = (officer_id.to_string(), alarm.to_string());
                let event =
                    audit::Event { at: now, actor: &actor, act: "incident_left", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok(())
            })
            .await?;
        self.changed();
        Ok(())
    }

    /// An incident; `None` when there is none of that id any more.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn incident(&self, id: IncidentId) -> Result<Option<IncidentView>, DeskError> {
        let alarms = self.store.read(|db| Ok::<_, DeskError>(incident::alarms(db, id)?))?;
        let mut shown = Vec::new();
        for alarm in alarms {
            shown.extend(self.alarm(alarm)?.map(|detail| detail.summary));
        }
        Ok((!shown.is_empty()).then_some(IncidentView { incident: id, alarms: shown }))
    }

    /// Does the same with every open alarm of an incident. What goes further than taking them takes first those that nobody
    /// has.
    ///
    /// # Errors
    /// [`ActError::UnknownIncident`], and those of the desk itself; what one alarm refuses is in the answer.
    pub async fn act_on_incident(
        &self,
        id: IncidentId,
        officer: &Officer,
        act: &Act,
    ) -> Result<DoneToIncident, ActError> {
        act.words()?;
        let incident = self.incident(id)?.ok_or(ActError::UnknownIncident)?;
        let mut answer = DoneToIncident { done: 0, refused: Vec::new() };
        for summary in incident.alarms.iter().filter(|summary| summary.state != ReceiptState::Closed) {
            let here = summary.held_by.as_ref().is_some_and(|holder| holder.own);
            let acted = match act {
                // A colleague who has one of them keeps it.
                Act::Acknowledge { .. } if here => Ok(()),
                _ => self.take_and_act(summary.alarm, officer, act, here).await,
            };
            match acted {
                Ok(()) => answer.done += 1,
                Err(error @ (ActError::Desk(_) | ActError::Words)) => return Err(error),
                Err(error) => answer.refused.push(Refused { alarm: summary.alarm, code: error.code() }),
            }
        }
        Ok(answer)
    }

    async fn take_and_act(&self, alarm: AlarmId, officer: &Officer, act: &Act, here: bool) -> Result<(), ActError> {
        if !here && act.state() != ReceiptState::Seen {
            self.act(alarm, officer, &Act::Acknowledge { also: false }).await?;
        }
        self.act(alarm, officer, act).await
    }

    /// Behind which alarm a new one is folded; `None` where it is shown by itself. Of the same kind, as well proven, and come
    /// in the same way, so that nothing graver hides behind something lesser, nor a true one behind a forged one, nor one
    /// button behind another of the same bridge.
    pub(super) fn folds_behind(&self, device: DeviceId, opened: &Opened) -> Result<Option<AlarmId>, DeskError> {
        let since = self.now().plus_ms(-MINUTE_MS);
        let candidates = self.store.read(|db| {
            let many = incident::count_since(db, device, since)? >= SHOWN_A_MINUTE;
            let open = if many { incident::open_of_device(db, device)? } else { Vec::new() };
            let rows = open.into_iter().filter_map(|alarm| store::alarm::find(db, alarm).transpose());
            Ok::<_, DeskError>(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let known = self.known();
        let alike = candidates.iter().find(|row| {
            let other = self.open_row(row, &known);
            let provenance = |opened: &Opened| opened.body().map(|body| body.provenance.clone());
            (other.kind(), other.signature) == (opened.kind(), opened.signature)
                && provenance(&other) == provenance(opened)
        });
        Ok(alike.map(|row| row.alarm))
    }

    /// Does with the alarms behind an entry what was done with it.
    pub(super) async fn act_on_folded(&self, entry: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        let mut after = 0;
        loop {
            let rows = self.store.read(|db| Ok::<_, DeskError>(incident::folded(db, entry, after)?))?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.number;
            for row in rows.iter().filter(|row| row.state != ReceiptState::Closed) {
                // One that somebody has done something else with stays as that left it.
                if let Err(error @ ActError::Desk(_)) = self.follow(row.alarm, officer, act).await {
                    return Err(error);
                }
            }
        }
    }

    async fn follow(&self, alarm: AlarmId, officer: &Officer, act: &Act) -> Result<(), ActError> {
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?.ok_or(ActError::Unknown)?;
        let held = self.store.read(|db| Ok::<_, DeskError>(store::receipt::holding_here(db, row.hash)?))?;
        let Some(holding) = held.filter(|_| row.state.is_by_human()) else {
            self.act_alone(alarm, officer, &Act::Acknowledge { also: true }).await?;
            return match act {
                Act::Acknowledge { .. } | Act::TakeOver { .. } | Act::HandTo { .. } => Ok(()),
                further => self.act_alone(alarm, officer, further).await,
            };
        };
        match act {
            Act::Acknowledge { .. } => Ok(()),
            Act::TakeOver { .. } => self.act_alone(alarm, officer, &Act::TakeOver { holding }).await,
            Act::HandTo { to, .. } => self.act_alone(alarm, officer, &Act::HandTo { holding, to: to.clone() }).await,
            further => self.act_alone(alarm, officer, further).await,
        }
    }

    /// The newest alarms behind an entry.
    pub(super) fn folded_views(&self, entry: AlarmId) -> Result<Vec<FoldedView>, DeskError> {
        let rows = self.store.read(|db| Ok::<_, DeskError>(incident::newest_folded(db, entry, FOLDED_SHOWN)?))?;
        let view =
            |row: &incident::FoldedRow| FoldedView { alarm: row.alarm, received_at: row.received_at, state: row.state };
        Ok(rows.iter().map(view).collect())
    }
}
