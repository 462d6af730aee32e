//! Passing an alarm on: to another desk of the directory, which is given the key, or to the next rung of the ladder before
//! its time. Each is a document that the desk signs, written down with its place in the queue to the relay; neither says
//! how far the alarm has got, which is what receipts do.
//!
//! What others passed on is taken from the mail, checked, and shown in the alarm's course. A key that came so opens the
//! alarm like a slot of its own.

use baken_schemas::alarm::{Escalation, HandedAlarm, HandingOn, ReceiptDetail, ReceiptState, check_handing_on};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::officers::Officer;
use super::opened::Opened;
use super::orders::{OutgoingKind, OutgoingOrder};
use super::store::passed_on::{NewPassedOn, PassedOnKind, PassedOnRow};
use super::store::{self, AlarmRow, Form, MailPosition, Sending};
use super::take::advance_mail;
use super::{ActError, Desk, DeskError, Known, MAX_WORDS_BYTES, hash_of};
use crate::audit;
use crate::store::Priority;

/// The most times that this desk passes one alarm on.
const MAX_PASSED_ON: u32 = 100;

/// Where an officer sends an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// To this desk.
    Desk(DeviceId),
    /// To the next rung of its ladder.
    NextRung,
}

/// An alarm that was passed on.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PassedOnView {
    /// The name of the desk it was handed on to; `None` for the next rung.
    pub to: Option<String>,
    /// By which desk.
    pub by: String,
    /// It is this desk.
    pub own: bool,
    /// The officer.
    pub officer: Option<String>,
    /// Why.
    pub text: Option<String>,
    /// When, by that desk's clock.
    pub at: Timestamp,
    /// Whether the relay has it from this desk: `waiting`, `sent`, `refused`; `None` where nothing is to be sent.
    pub sending: Option<&'static str>,
}

impl std::fmt::Debug for PassedOnView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassedOnView(…)")
    }
}

/// What is signed, as it goes to the relay and into the course.
struct Made {
    hash: Hash,
    document: Vec<u8>,
    kind: PassedOnKind,
    outgoing: OutgoingKind,
    act: &'static str,
}

impl Desk {
    /// The other desks of the directory: to whom an alarm can be handed on.
    pub fn other_desks(&self) -> Vec<(DeviceId, String)> {
        let known = self.known();
        let desks = known.directory.as_ref().map(|directory| directory.value().desks.iter());
        let others = desks.into_iter().flatten().filter(|entry| entry.desk != self.keys.device);
        others.map(|entry| (entry.desk, entry.name.clone())).collect()
    }

    /// Hands an alarm on to another desk, or sends it to the next rung of its ladder. Handing it on starts the wait for what
    /// must follow anew.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn pass_on(&self, alarm: AlarmId, officer: &Officer, onward: Onward, why: &str) -> Result<(), ActError> {
        let why = why.trim();
        if why.len() > MAX_WORDS_BYTES {
            return Err(ActError::Words);
        }
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?.ok_or(ActError::Unknown)?;
        let opened = self.open_row(&row, &self.known());
        let detail = ReceiptDetail { officer: officer.name.clone(), text: why.to_owned() };
        let made = self.passing(&row, &opened, onward, &detail)?;
        let at_rest = self.seal_at_rest(&cbor::to_vec(&detail), &mut self.fork_rng());
        let (hash, now, follow_up_ms, officer_id) = (row.hash, self.now(), self.channels.follow_up_ms, officer.id);
        self.store
            .write(Priority::Alarm, move |db| {
                let row = store::alarm::find(db, alarm)?.filter(|row| row.hash == hash).ok_or(ActError::Unknown)?;
                if row.state == ReceiptState::Closed {
                    return Err(ActError::Closed);
                }
                let held = store::receipt::holding_here(db, hash)?.is_some();
                if !held && made.kind == PassedOnKind::HandedOn {
                    return Err(ActError::NotTaken);
                }
                if store::passed_on::count_own(db, hash)? >= MAX_PASSED_ON {
                    return Err(ActError::TooMany);
                }
                let new = NewPassedOn {
                    hash: made.hash,
                    alarm_hash: hash,
                    kind: made.kind,
                    own: true,
                    for_us: false,
                    document: made.document.clone(),
                    detail: at_rest.clone(),
                    at: now,
                };
                store::passed_on::add(db, &new)?;
                let outgoing = OutgoingOrder {
                    hash: made.hash,
                    kind: made.outgoing,
                    document: made.document.clone(),
                    attempts: 0,
                };
                store::order::add(db, &outgoing, now)?;
                if made.kind == PassedOnKind::HandedOn && row.state == ReceiptState::Seen {
                    store::alarm::follow_by(db, hash, Some(now.plus_ms(follow_up_ms)))?;
                }
                let (actor, subject) = (officer_id.to_string(), alarm.to_string());
                audit::append(
                    db,
                    &audit::Event { at: now, actor: &actor, act: made.act, subject: &subject, result: "ok" },
                )?;
                Ok(())
            })
            .await?;
        self.changed();
        Ok(())
    }

    fn passing(
        &self,
        row: &AlarmRow,
        opened: &Opened,
        onward: Onward,
        detail: &ReceiptDetail,
    ) -> Result<Made, ActError> {
        let (by, at, mut rng) = (self.keys.device, self.now(), self.fork_rng());
        // Only what the relay knows as an alarm can be passed on there.
        if !matches!(row.form, Form::Alarm | Form::Sms) {
            return Err(ActError::StaysHere);
        }
        let content = opened.content_key();
        Ok(match onward {
            Onward::Desk(to) => {
                let known = self.known();
                let directory = known.directory.as_ref().ok_or(ActError::UnknownDesk)?.value();
                let to = directory.desk(to).filter(|entry| entry.desk != by).ok_or(ActError::UnknownDesk)?;
                // Of a text the key that is wrapped here would open nothing: that hangs on the context's own key.
                let content = content.filter(|_| row.form == Form::Alarm).ok_or(ActError::StaysHere)?;
                let handed = HandedAlarm { alarm: row.alarm, alarm_hash: row.hash, at, by };
                let signed = HandingOn::make(&handed, to, (content, Some(detail)), &self.keys.sig, &mut rng)?;
                Made {
                    hash: signed.hash(),
                    document: signed.bytes().to_vec(),
                    kind: PassedOnKind::HandedOn,
                    outgoing: OutgoingKind::HandingOn,
                    act: "alarm_handed_on",
                }
            }
            Onward::NextRung => {
                let escalation = Escalation { alarm: row.alarm, alarm_hash: row.hash, at, by, detail: Vec::new() };
                let sealed = content.map(|content| (detail, content));
                let signed = Escalation::make(escalation, sealed, &self.keys.sig, &mut rng)?;
                Made {
                    hash: signed.hash(),
                    document: signed.bytes().to_vec(),
                    kind: PassedOnKind::NextRung,
                    outgoing: OutgoingKind::Escalation,
                    act: "next_rung_called",
                }
            }
        })
    }

    /// Takes what another desk handed on.
    pub(super) async fn take_handing_on(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let directory = self.directory();
        let checked = directory.and_then(|directory| check_handing_on(&document, directory.value()).ok());
        let Some(signed) = checked else {
            return self.pass_over(place, "handing_on_taken", hash_of(&document), false).await;
        };
        let HandingOn { alarm_hash, by, to, at, .. } = *signed.value();
        let for_us = to == self.keys.device;
        self.keep_passed_on(place, (by, alarm_hash, at), (PassedOnKind::HandedOn, for_us), document).await
    }

    /// Takes that another responder sent an alarm to the next rung. What is not by a desk of the directory is passed over:
    /// it changes nothing here.
    pub(super) async fn take_escalation(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let checked: Option<Signed<Escalation>> = self.directory().and_then(|directory| {
            let unverified = Unverified::<Escalation>::parse(&document).ok()?;
            let key = directory.value().desk(unverified.claims().by)?.sig;
            unverified.verify(&key).ok()
        });
        let Some(signed) = checked else {
            return self.pass_over(place, "escalation_taken", hash_of(&document), true).await;
        };
        let Escalation { alarm_hash, by, at, .. } = *signed.value();
        self.keep_passed_on(place, (by, alarm_hash, at), (PassedOnKind::NextRung, false), document).await
    }

    async fn keep_passed_on(
        &self,
        place: MailPosition,
        (by, alarm_hash, at): (DeviceId, Hash, Timestamp),
        (kind, for_us): (PassedOnKind, bool),
        document: Vec<u8>,
    ) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        // This desk's own, handed back, says nothing new.
        if by == self.keys.device {
            return self.pass_over(place, "passed_on_taken", hash, true).await;
        }
        let new = NewPassedOn { hash, alarm_hash, kind, own: false, for_us, document, detail: Vec::new(), at };
        self.store
            .write(Priority::Alarm, move |db| {
                if advance_mail(db, place)? {
                    store::passed_on::add(db, &new)?;
                }
                Ok::<_, DeskError>(())
            })
            .await?;
        if for_us {
            // What could not be opened may open now, and bring the key of its sender's card.
            self.forget_opened(alarm_hash);
            self.look_for_card_key(alarm_hash).await?;
        }
        Ok(())
    }

    async fn look_for_card_key(&self, alarm_hash: Hash) -> Result<(), DeskError> {
        let row = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find_hash(db, alarm_hash)?))?;
        let Some(row) = row else { return Ok(()) };
        let opened = self.open_row(&row, &self.known());
        if opened.body().is_none_or(|body| body.card_key.is_none()) {
            return Ok(());
        }
        let mark = move |db: &Connection| Ok::<_, DeskError>(store::alarm::brings_key(db, alarm_hash)?);
        self.store.write(Priority::Alarm, mark).await
    }

    /// How an alarm was passed on, in order of arrival here.
    pub(super) fn passed_on_views(&self, rows: &[PassedOnRow], opened: &Opened, known: &Known) -> Vec<PassedOnView> {
        rows.iter().filter_map(|row| self.passed_on_view(row, opened, known)).collect()
    }

    fn passed_on_view(&self, row: &PassedOnRow, opened: &Opened, known: &Known) -> Option<PassedOnView> {
        let content = opened.content_key();
        let (by, to, detail) = match row.kind {
            PassedOnKind::HandedOn => {
                let claims = Unverified::<HandingOn>::parse(&row.document).ok()?.claims().clone();
                let detail = content.and_then(|content| claims.open_detail(content).ok().flatten());
                (claims.by, Some(claims.to), detail)
            }
            PassedOnKind::NextRung => {
                let claims = Unverified::<Escalation>::parse(&row.document).ok()?.claims().clone();
                let detail = content.and_then(|content| claims.open_detail(content).ok().flatten());
                (claims.by, None, detail)
            }
        };
        let detail = if row.own {
            let detail = self.open_at_rest(&row.detail);
            detail.and_then(|detail| cbor::from_slice::<ReceiptDetail>(&detail, "who passed it on").ok())
        } else {
            detail
        };
        let (officer, text) = detail.map(|detail| (detail.officer, detail.text)).unzip();
        Some(PassedOnView {
            to: to.map(|to| super::view::name_of(to, known)),
            by: super::view::responder_name(by, known),
            own: row.own,
            officer,
            text: text.filter(|text| !text.is_empty()),
            at: row.at,
            sending: row.sending.and_then(|sending| match sending {
                Sending::Never => None,
                Sending::Due => Some("waiting"),
                Sending::Sent => Some("sent"),
                Sending::Refused => Some("refused"),
            }),
        })
    }
}
