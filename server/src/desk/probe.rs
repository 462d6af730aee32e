//! Answering probes: alarms of the kind `probe` of devices that are known here. No officer sees them, no channel is
//! called, and nothing is kept of them but the answers, until the relay has had those for a day. Receiving one and being
//! done with it are two receipts, so that the relay's ladder stops here.
//!
//! What is not signed by a known device, or cannot be opened, is no probe and rings.

use baken_schemas::alarm::{AlarmKind, Receipt, ReceiptState};

use super::opened::{Opened, SignatureView};
use super::store::{self, Form, MailPosition, NewAlarm, Sending};
use super::take::{ReceiptToMake, advance_mail};
use super::{Desk, DeskError, figures};
use crate::store::Priority;

/// How long the answers to a probe are kept, in milliseconds.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Whether what came is a probe.
pub(super) fn is_probe(new: &NewAlarm, opened: &Opened) -> bool {
    new.form == Form::Alarm
        && opened.signature == SignatureView::Proven
        && opened.body().is_some_and(|body| body.kind == AlarmKind::Probe)
}

impl Desk {
    /// Answers a probe. One that is handed over again gets the same answers.
    pub(super) async fn answer_probe(&self, place: MailPosition, new: NewAlarm) -> Result<(), DeskError> {
        let (keys, now, mut rng) = (self.keys.clone(), self.now(), self.fork_rng());
        self.store
            .write(Priority::Normal, move |db| {
                if !advance_mail(db, place)? {
                    return Ok(());
                }
                store::receipt::forget_probes(db, now.plus_ms(-KEPT_MS))?;
                if store::receipt::count_own(db, new.hash)? > 0 {
                    return Ok::<_, DeskError>(store::receipt::send_again(db, new.hash, now)?);
                }
                store::figure::count_probe(db, figures::month_of(now))?;
                for state in [ReceiptState::Received, ReceiptState::Closed] {
                    let to_make = ReceiptToMake { state, at: now, sending: Sending::Due };
                    let receipt = to_make.make(&new, keys.device, store::receipt::last_own(db, new.hash)?);
                    let signed = Receipt::make(receipt, None, &keys.sig, &mut rng)?;
                    store::receipt::add(db, &to_make.row(&signed, Vec::new()))?;
                }
                Ok(())
            })
            .await
    }
}
