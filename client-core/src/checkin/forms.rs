//! What is sent for a check-in, and what the relay's answer proves.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, DepositReceipt, DepositState, DepositTimers, MAX_TIMER_S,
    MIN_TIMER_S, Provenance,
};
use baken_schemas::api::Deposit;
use baken_schemas::cbor;
use baken_schemas::id::AlarmId;
use baken_schemas::org::Directory;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Transaction, params};

use super::elsewhere::settle_replaced;
use super::store::{self, Stored};
use crate::alarm::{Phone, desk_for_check_ins, ladder_for_check_ins, word_in};
use crate::{BakenError, Context};

/// For how long the same bytes are sent again after a try whose answer did not come.
const SAME_BYTES_MS: i64 = 30_000;
/// Heartbeats in the silence that a check-in allows: two may get lost.
const HEARTBEATS_IN_SILENCE: i64 = 4;
/// The shortest and the longest time between two heartbeats, in milliseconds.
const HEARTBEAT_MS: (i64, i64) = (15_000, 5 * 60_000);
/// How far a number goes ahead of one that the relay has seen already.
const NUMBERS_AHEAD: i64 = 1_000;
/// The most forms that a relay may have for all the phone knows.
const MAX_FORMS: i64 = 4_096;

/// Whether there is something to send for an open check-in.
pub(super) fn is_due(stored: &Stored, now: Timestamp) -> bool {
    let Some((renewed_at, silent_s)) = stored.renewed.filter(|_| !stored.fresh) else { return true };
    let (shortest, longest) = HEARTBEAT_MS;
    let every_ms = (i64::from(silent_s) * 1000 / HEARTBEATS_IN_SILENCE).clamp(shortest, longest);
    // A clock that went back tells nothing about how long it has been.
    !(0..every_ms).contains(&now.since_ms(renewed_at))
}

/// Seconds until a moment, within what timers can be.
fn timer_s(until: Timestamp, now: Timestamp) -> u32 {
    let seconds = u32::try_from(until.since_ms(now).max(0).saturating_add(999) / 1000).unwrap_or(MAX_TIMER_S);
    seconds.clamp(MIN_TIMER_S, MAX_TIMER_S)
}

/// The body to send for a check-in now; `None` when it waits for nothing any more.
pub(crate) fn next_form(
    tx: &Transaction<'_>,
    deposit: AlarmId,
    phone: &Phone,
    context: &Context,
) -> Result<Option<Vec<u8>>, BakenError> {
    let stored = store::find(tx, deposit)?;
    let now = context.now();
    if !stored.is_open() {
        return Ok(None);
    }
    let answered = !stored.fresh;
    if !answered && !stored.form.is_empty() && (0..SAME_BYTES_MS).contains(&now.since_ms(stored.form_at)) {
        return Ok(Some(stored.form));
    }
    let ladder = ladder_for_check_ins(phone).ok_or(BakenError::NoLadder)?;
    let desk = desk_for_check_ins(phone).ok_or(BakenError::NoLadder)?.desk;
    let body = AlarmBody {
        kind: AlarmKind::Missed,
        fix: stored.fix,
        battery_percent: stored.battery_percent,
        text: stored.text.clone(),
        made_at: now,
        card_key: Some(phone.card_key.as_bytes().to_vec().into()),
        family: None,
        provenance: Provenance::Phone,
    };
    let header = AlarmHeader {
        alarm: deposit,
        device: phone.device,
        class: AlarmClass::Deposit,
        ladder: ladder.ladder,
        ladder_version: ladder.version,
    };
    let to = (&phone.directory, &phone.family[..]);
    let alarm = context.with_rng(|rng| Alarm::seal_under(&stored.content, header, &body, to, &phone.alarm_key, rng))?;
    let family = word_in(alarm.value(), &stored.content)?;
    let number = stored.number + 1;
    let timers = DepositTimers {
        deposit,
        device: phone.device,
        seq: number,
        sealed: alarm.hash(),
        desk,
        due_in_s: (!stored.due_known).then(|| timer_s(stored.due_at, now)),
        silent_after_s: stored.silent_after_s.unwrap_or_else(|| timer_s(stored.due_at, now)),
        grace_s: stored.grace_s,
    };
    let timers = Signed::make(timers, &phone.alarm_key);
    let form = cbor::to_vec(&Deposit { timers: timers.bytes().to_vec().into(), alarm: alarm.bytes().to_vec().into() });
    // Its number is on disk before it is sent: no two forms ever have the same.
    tx.execute(
        "UPDATE check_in SET number = ?2, form = ?3, form_at = ?4, fresh = 1 WHERE deposit = ?1",
        params![deposit.0, number.cast_signed(), form, now.0],
    )?;
    tx.execute(
        "INSERT INTO check_in_form (deposit, number, hash, family) VALUES (?1, ?2, ?3, ?4)",
        params![deposit.0, number.cast_signed(), alarm.hash().0, family],
    )?;
    tx.execute(
        "DELETE FROM check_in_form WHERE deposit = ?1 AND number <= ?2",
        params![deposit.0, number.cast_signed().saturating_sub(MAX_FORMS)],
    )?;
    Ok(Some(form))
}

/// The settlement to send; `None` when the relay has confirmed it.
pub(crate) fn settlement(tx: &Transaction<'_>, deposit: AlarmId) -> Result<Option<Vec<u8>>, BakenError> {
    let sql = "SELECT settlement FROM check_in WHERE deposit = ?1 AND settled = 1";
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query([deposit.0])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// What an answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proven {
    /// What was sent is there, and counts.
    Kept,
    /// The relay has raised the check-in.
    Raised,
    /// Nothing, or that it stands otherwise than this phone has it.
    Nothing,
}

/// Keeps the relay's answer to the form sent last.
pub(crate) fn keep_answer(
    tx: &Transaction<'_>,
    deposit: AlarmId,
    answer: &[u8],
    directory: &Directory,
) -> Result<Proven, BakenError> {
    let stored = store::find(tx, deposit)?;
    let Ok(sent) = cbor::from_slice::<Deposit>(&stored.form, "a deposit") else {
        // Extended or moved meanwhile: the next form is answered too.
        return Ok(Proven::Nothing);
    };
    let timers = *Unverified::<DepositTimers>::parse(&sent.timers)?.claims();
    let state = match DepositReceipt::verify(answer, &sent.timers, directory) {
        Ok(receipt) if receipt.deposit == deposit => receipt.state,
        _ => return Ok(Proven::Nothing),
    };
    match state {
        DepositState::Ready => {
            tx.execute(
                "UPDATE check_in SET fresh = 0, form = x'', due_known = 1, renewed_at = form_at, renewed_silent_s = ?2,
                                     refused_status = 0, refused_code = '' WHERE deposit = ?1",
                params![deposit.0, timers.silent_after_s],
            )?;
            tx.execute(
                "DELETE FROM check_in_form WHERE deposit = ?1 AND number < ?2",
                params![deposit.0, timers.seq.cast_signed()],
            )?;
            settle_replaced(tx, deposit)?;
            Ok(Proven::Kept)
        }
        DepositState::Raised => raise(tx, deposit),
        DepositState::Settled => {
            // Nobody here has settled it, and no other device has said so: it does not lie ready, and that is shown.
            tx.execute(
                "UPDATE check_in SET renewed_silent_s = 0, due_known = 0, refused_status = 409,
                                     refused_code = 'settled_elsewhere' WHERE deposit = ?1",
                [deposit.0],
            )?;
            Ok(Proven::Nothing)
        }
    }
}

/// Keeps the relay's answer to a settlement.
pub(crate) fn keep_settlement_answer(
    tx: &Transaction<'_>,
    deposit: AlarmId,
    answer: &[u8],
    directory: &Directory,
) -> Result<Proven, BakenError> {
    let Some(sent) = settlement(tx, deposit)? else { return Ok(Proven::Kept) };
    let state = match DepositReceipt::verify(answer, &sent, directory) {
        Ok(receipt) if receipt.deposit == deposit => receipt.state,
        _ => return Ok(Proven::Nothing),
    };
    if state == DepositState::Ready {
        return Ok(Proven::Nothing);
    }
    tx.execute(
        "UPDATE check_in SET settled = 2, settlement = x'', form = x'', refused_status = 0, refused_code = ''
         WHERE deposit = ?1",
        [deposit.0],
    )?;
    if state == DepositState::Raised { raise(tx, deposit) } else { Ok(Proven::Kept) }
}

fn raise(tx: &Transaction<'_>, deposit: AlarmId) -> Result<Proven, BakenError> {
    tx.execute("UPDATE check_in SET raised = 1, form = x'', fresh = 0 WHERE deposit = ?1", [deposit.0])?;
    Ok(Proven::Raised)
}

/// Keeps that the relay refused something of a check-in. One that does not know it has lost it, and gets it whole.
pub(crate) fn note_refusal(tx: &Transaction<'_>, deposit: AlarmId, status: u16, code: &str) -> Result<(), BakenError> {
    tx.execute(
        "UPDATE check_in SET refused_status = ?2, refused_code = ?3, form = x'' WHERE deposit = ?1",
        params![deposit.0, status, code],
    )?;
    if status == 404 {
        let lost = "UPDATE check_in SET due_known = 0, renewed_silent_s = 0 WHERE deposit = ?1 AND settled = 0";
        tx.execute(lost, [deposit.0])?;
    }
    // Another form has this number, as after this phone's files were put back: the next goes far ahead.
    if code == "conflict" {
        let ahead = "UPDATE check_in SET number = number + ?2 WHERE deposit = ?1";
        tx.execute(ahead, params![deposit.0, NUMBERS_AHEAD])?;
    }
    Ok(())
}
