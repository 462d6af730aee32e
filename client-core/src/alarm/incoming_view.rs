//! Alarms of others as a family member's device shows them: who calls, where, what others have said, and always 112.

use baken_schemas::alarm::{AlarmKind, Escalation, Fix, Receipt, ReceiptDetail, Update};
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::{Unverified, hash_of};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::BakenError;
use crate::alarm::answer::{last_escalation, own_receipts};
use crate::alarm::incoming::{Incoming, Part, caller, find, parts};
use crate::alarm::outbox::phone;
use crate::alarm::{AlarmOutbox, ReceiptView, Signer};

/// An alarm that this device was called in.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IncomingView {
    /// The alarm.
    pub alarm: AlarmId,
    /// Who calls, as the family circle names them; `None` while they are not known here.
    pub caller: Option<String>,
    /// From which device.
    pub device: DeviceId,
    /// The caller's key signed it. Where not, it was sealed by somebody who has this device's key from the circle.
    pub proven: bool,
    /// What kind of help; `None` when it cannot be opened.
    pub kind: Option<AlarmKind>,
    /// When it came, by this device's clock.
    pub arrived_at: Timestamp,
    /// Where the caller is, by the newest that came; `None` when it cannot be opened.
    pub fix: Option<Fix>,
    /// Age of that position in seconds by now; `None` without one.
    pub fix_age_s: Option<i64>,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
    /// Their words, in order.
    pub texts: Vec<String>,
    /// What desks, other family members and the relay have said, in order of arrival.
    pub said: Vec<ReceiptView>,
    /// Who of the others sent it on, in order of arrival.
    pub sent_on_by: Vec<Signer>,
    /// When this device's holder said that they have seen it.
    pub acknowledged_at: Option<Timestamp>,
    /// The relay has that, so that the others are told.
    pub acknowledgement_handed_in: bool,
    /// When this device's holder last sent it on.
    pub escalated: Option<EscalatedView>,
    /// A desk has closed it.
    pub closed: bool,
    /// Nobody is to wait for this device: shown until it is closed.
    pub call_112: bool,
}

impl std::fmt::Debug for IncomingView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IncomingView").field("alarm", &self.alarm).finish_non_exhaustive()
    }
}

/// How an escalation of this device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EscalatedView {
    /// When it was made, by this device's clock.
    pub at: Timestamp,
    /// The relay has it, and has called the next rung.
    pub handed_in: bool,
    /// The relay's code when it refused: `top_of_ladder` when everybody was called already.
    pub refused: Option<String>,
}

impl AlarmOutbox {
    /// Every alarm that this device was called in, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn incoming_alarms(&self, now: Timestamp) -> Result<Vec<IncomingView>, BakenError> {
        self.read(|db| {
            let mut statement = db.prepare("SELECT alarm FROM incoming ORDER BY seq DESC")?;
            let ids = statement.query_map([], |row| row.get(0).map(AlarmId))?.collect::<Result<Vec<_>, _>>()?;
            ids.into_iter().map(|alarm| view(db, alarm, now)).collect()
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], and those of the disk.
    pub fn incoming_alarm(&self, alarm: AlarmId, now: Timestamp) -> Result<IncomingView, BakenError> {
        self.read(|db| view(db, alarm, now))
    }
}

fn view(db: &Connection, alarm: AlarmId, now: Timestamp) -> Result<IncomingView, BakenError> {
    let incoming = find(db, alarm)?.ok_or(BakenError::NoSuchAlarm)?;
    let said = said(db, &incoming)?;
    let (updates, own) = (updates(db, &incoming)?, own_receipts(db, alarm)?);
    let body = incoming.opened.as_ref().map(|(body, _)| body);
    let first = body.map(|body| (body.fix, incoming.arrived_at));
    let with_place = |(fix, _): &&(Fix, Timestamp)| matches!(fix, Fix::At(_));
    let places: Vec<(Fix, Timestamp)> = first.into_iter().chain(updates.iter().map(|update| update.place)).collect();
    let place = places.iter().rev().find(with_place).or(places.first()).copied();
    let fix_age_s = place.and_then(|(fix, at)| match fix {
        Fix::At(position) => Some(i64::from(position.age_s).saturating_add(now.since_ms(at).max(0) / 1000)),
        Fix::Absent(_) => None,
    });
    let texts = body.map(|body| body.text.clone()).into_iter().chain(updates.iter().map(|update| update.text.clone()));
    let closed = said.iter().any(|said| said.state == baken_schemas::alarm::ReceiptState::Closed);
    let seen = own.iter().find(|(receipt, _)| receipt.state.is_by_human());
    let mut sent_on_by = Vec::new();
    for (document, _) in parts(db, alarm, Part::Escalation)? {
        let escalation = Unverified::<Escalation>::parse(&document)?.claims().clone();
        let detail = incoming.opened.as_ref().and_then(|(_, key)| escalation.open_detail(key).ok().flatten());
        sent_on_by.push(signer(db, escalation.by, detail.as_ref())?);
    }
    Ok(IncomingView {
        alarm,
        caller: caller(db, incoming.caller)?.map(|caller| caller.name),
        device: incoming.caller,
        proven: incoming.proven,
        kind: body.map(|body| body.kind),
        arrived_at: incoming.arrived_at,
        fix: place.map(|(fix, _)| fix),
        fix_age_s,
        battery_percent: updates
            .iter()
            .rev()
            .find_map(|update| update.battery_percent)
            .or_else(|| body.and_then(|body| body.battery_percent)),
        texts: texts.filter(|text| !text.is_empty()).collect(),
        said,
        sent_on_by,
        acknowledged_at: seen.map(|(receipt, _)| receipt.at),
        acknowledgement_handed_in: seen.is_some_and(|(_, there)| *there),
        escalated: last_escalation(db, alarm)?,
        closed,
        call_112: !closed,
    })
}

struct Opened {
    place: (Fix, Timestamp),
    battery_percent: Option<u8>,
    text: String,
}

/// The updates that open, by their number.
fn updates(db: &Connection, incoming: &Incoming) -> Result<Vec<Opened>, BakenError> {
    let Some((_, content)) = &incoming.opened else { return Ok(Vec::new()) };
    let mut updates = Vec::new();
    for (document, arrived_at) in parts(db, incoming.alarm, Part::Update)? {
        let update = Unverified::<Update>::parse(&document)?.claims().clone();
        if let Ok(body) = update.open(content) {
            let opened =
                Opened { place: (body.fix, arrived_at), battery_percent: body.battery_percent, text: body.text };
            updates.push((update.seq, opened));
        }
    }
    updates.sort_by_key(|(seq, _)| *seq);
    Ok(updates.into_iter().map(|(_, opened)| opened).collect())
}

/// What others have said. Each was checked when it came.
fn said(db: &Connection, incoming: &Incoming) -> Result<Vec<ReceiptView>, BakenError> {
    let mut said = Vec::new();
    for (document, _) in parts(db, incoming.alarm, Part::Receipt)? {
        let receipt = Unverified::<Receipt>::parse(&document)?.claims().clone();
        let hash: Hash = hash_of(&document);
        let detail = incoming.opened.as_ref().and_then(|(_, key)| receipt.open_detail(key).ok().flatten());
        let by = signer(db, receipt.by, detail.as_ref())?;
        let (officer, text) = detail.map(|detail| (detail.officer, detail.text)).unzip();
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        said.push(ReceiptView {
            state: receipt.state,
            by,
            at: receipt.at,
            officer: filled(officer),
            text: filled(text),
            hash,
        });
    }
    Ok(said)
}

/// A desk by the directory's name; of a family member the name that its own device signed.
fn signer(db: &Connection, by: DeviceId, detail: Option<&ReceiptDetail>) -> Result<Signer, BakenError> {
    let directory = phone(db)?.directory;
    Ok(match directory.desk(by) {
        Some(desk) => Signer::Desk(desk.name.clone()),
        None if by == directory.relay.relay => Signer::Relay,
        None => Signer::Family(detail.map(|detail| detail.officer.clone()).unwrap_or_default()),
    })
}
