//! Text messages of phones without data: kept as they came, signed as this bridge's word of which way they came, and sent on.

use baken_schemas::FormatError;
use baken_schemas::alarm::{ReceiptState, SmsAlarm, SmsText, check_receipt};
use baken_schemas::id::AlarmId;
use baken_schemas::signed::{Signed, Unverified};

use super::store::{self, Errand, NewOutgoing};
use super::{Bridge, BridgeError, REPEAT_MS};
use crate::audit;
use crate::store::Priority;

/// The most text messages that wait for the relay. Anybody can send what looks like one.
const MAX_WAITING_TEXTS: i64 = 1_000;

impl Bridge {
    /// Takes in a text message: on disk, to go to the relay, when this returns. A repeat is the one that is there. Whether it
    /// is an alarm only the relay can tell; what cannot be one is not kept.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub async fn take_text(&self, text: &str) -> Result<TextTaken, BridgeError> {
        let Ok(text) = SmsText::from_text(text) else { return Ok(TextTaken::NoAlarm) };
        let (fingerprint, now, device) = (text.hash().0, self.clock.now(), self.keys.device);
        let alarm = SmsAlarm { bridge: device, text: text.to_bytes().into(), taken_at: now };
        let new = NewOutgoing {
            errand: Errand::Sms,
            fingerprint,
            alarm: AlarmId::from_slice(&fingerprint[..AlarmId::LEN]).unwrap_or(AlarmId([0; 16])),
            document: Signed::make(alarm, &self.keys.alarm).bytes().to_vec(),
            content_key: None,
        };
        let taken = self
            .store
            .write(Priority::Alarm, move |db| {
                if store::repeated(db, &fingerprint, now.plus_ms(-REPEAT_MS))?.is_some() {
                    return Ok::<_, BridgeError>(TextTaken::Kept);
                }
                if store::waiting(db, Errand::Sms)? >= MAX_WAITING_TEXTS && !store::make_room(db)? {
                    return Ok(TextTaken::TooMany);
                }
                store::add(db, &new, now)?;
                audit::append_for(db, now, device, "text_taken", &new.alarm, "ok")?;
                Ok(TextTaken::Kept)
            })
            .await?;
        self.changed();
        Ok(taken)
    }

    /// Checks that a receipt says `stored` of this very text and is the relay's.
    pub(super) fn check_text_stored(&self, document: &[u8], receipt: &[u8]) -> Result<(), FormatError> {
        let checked = check_receipt(receipt, self.directory().value())?.into_value();
        let text = SmsText::from_bytes(&Unverified::<SmsAlarm>::parse(document)?.claims().text)?;
        let same = checked.alarm_hash == text.hash() && checked.state == ReceiptState::Stored;
        if same { Ok(()) } else { Err(FormatError::Rule { what: "a receipt", rule: "it is not for this text" }) }
    }
}

/// What a text message came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTaken {
    /// It is on disk here.
    Kept,
    /// It is some other text.
    NoAlarm,
    /// Too many wait for the relay already.
    TooMany,
}
