//! Deposits: an alarm that is handed in beforehand, and that the relay raises unless it is renewed or settled. That is
//! how a check-in works when the phone is destroyed, flat, or beside somebody who cannot reach it.
//!
//! Nobody's clock is compared with another's: both timers count from the moment at which they arrive. `due_in_s` is sent
//! when a person starts or extends a check-in; a heartbeat leaves it out, so that a phone which goes on running by itself
//! does not put off what its owner has to do. `silent_after_s` starts anew with each that arrives.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::alarm::{Alarm, AlarmClass, Note};
use crate::crypto::{Hash, VerifyKey};
use crate::id::{AlarmId, DeviceId};
use crate::org::Directory;
use crate::signed::{Document, Signed, Unverified, hash_of};
use crate::time::Timestamp;

/// The shortest that either timer can be, in seconds.
pub const MIN_TIMER_S: u32 = 60;
/// The longest that either timer can be, in seconds: seven days. Whoever is away for longer starts another.
pub const MAX_TIMER_S: u32 = 7 * 24 * 3600;
/// The longest grace behind a timer, in seconds.
pub const MAX_GRACE_S: u32 = 3600;

/// When a deposit is to be raised; its envelope is signed by the device's `alarm` key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DepositTimers {
    /// The deposit: the id of its alarm.
    #[n(0)]
    pub deposit: AlarmId,
    /// Whose it is.
    #[n(1)]
    pub device: DeviceId,
    /// From 1, rising with each renewal; the newest counts.
    #[n(2)]
    pub seq: u64,
    /// Hash of the envelope of the sealed alarm that these go with.
    #[n(3)]
    pub sealed: Hash,
    /// The desk that watches the deposit: it is sent these timers, and the note of its settlement.
    #[n(4)]
    pub desk: DeviceId,
    /// Seconds from arrival until the check-in is due; `None` leaves it due when it was.
    #[n(5)]
    pub due_in_s: Option<u32>,
    /// Seconds from arrival for which the phone may be silent.
    #[n(6)]
    pub silent_after_s: u32,
    /// Seconds between a timer that has run out and the raising.
    #[n(7)]
    pub grace_s: u32,
}

impl Document for DepositTimers {
    const LABEL: &'static str = "baken/deposit-timers/v0";
    const MAX_BYTES: usize = 512;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| Err(FormatError::Rule { what: Self::LABEL, rule });
        let lasts = MIN_TIMER_S..=MAX_TIMER_S;
        if !lasts.contains(&self.silent_after_s) || self.due_in_s.is_some_and(|due| !lasts.contains(&due)) {
            return rule("a timer is one minute to seven days");
        }
        if self.grace_s > MAX_GRACE_S {
            return rule("a grace is at most an hour");
        }
        // What keeps the last number has signed numbers.
        if self.seq == 0 || i64::try_from(self.seq).is_err() {
            return rule("its number is from 1 and has at most 63 bits");
        }
        Ok(())
    }
}

impl DepositTimers {
    /// Reads the two documents of a deposit, and checks that `alarm_key` signed both and that they belong together.
    ///
    /// # Errors
    /// [`FormatError`]; [`FormatError::Rule`] when the alarm is none to lie ready, or is another one.
    pub fn verify_pair(
        timers: &[u8],
        alarm: &[u8],
        alarm_key: &VerifyKey,
    ) -> Result<(Signed<Self>, Signed<Alarm>), FormatError> {
        let rule = |rule| Err(FormatError::Rule { what: Self::LABEL, rule });
        let timers = Unverified::<Self>::parse(timers)?.verify(alarm_key)?;
        let alarm = Unverified::<Alarm>::parse(alarm)?.verify(alarm_key)?;
        let (about, header) = (timers.value(), alarm.value().header);
        if header.class != AlarmClass::Deposit {
            return rule("only an alarm that is to lie ready is handed in beforehand");
        }
        if (about.deposit, about.device, about.sealed) != (header.alarm, header.device, alarm.hash()) {
            return rule("the timers are for another alarm");
        }
        Ok((timers, alarm))
    }
}

/// Settles a deposit, by the device that handed it in or by another of the same account: a phone may be destroyed while its
/// owner is safe. Its envelope is signed by the `alarm` key of the device that settles. Whether the true PIN or a duress PIN
/// did it stands only in the note.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Settlement {
    /// The deposit.
    #[n(0)]
    pub deposit: AlarmId,
    /// Who settles it.
    #[n(1)]
    pub device: DeviceId,
    /// The signed [`Note`] for the desk that watches it.
    #[n(2)]
    pub note: ByteVec,
}

impl Document for Settlement {
    const LABEL: &'static str = "baken/settlement/v0";
    const MAX_BYTES: usize = 4096;
}

impl Settlement {
    /// Reads a settlement, and checks that `alarm_key` signed it and its note, and that both are of one device.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn verify(bytes: &[u8], alarm_key: &VerifyKey) -> Result<(Signed<Self>, Signed<Note>), FormatError> {
        let settlement = Unverified::<Self>::parse(bytes)?.verify(alarm_key)?;
        let note = Unverified::<Note>::parse(&settlement.value().note)?.verify(alarm_key)?;
        if note.value().device != settlement.value().device {
            return Err(FormatError::Rule { what: Self::LABEL, rule: "its note is of another device" });
        }
        Ok((settlement, note))
    }
}

/// A desk has the relay raise a deposit at once, settled or not; its envelope is signed by the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Raise {
    /// The deposit.
    #[n(0)]
    pub deposit: AlarmId,
    /// The desk that asks: any that the organisation vouches for.
    #[n(1)]
    pub desk: DeviceId,
}

impl Document for Raise {
    const LABEL: &'static str = "baken/raise/v0";
    const MAX_BYTES: usize = 256;
}

/// How a deposit stands at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DepositState {
    /// It lies ready, with these timers.
    #[n(0)]
    Ready,
    /// It is settled: no timer raises it.
    #[n(1)]
    Settled,
    /// It was raised before this came: it is an alarm now, and a desk closes it.
    #[n(2)]
    Raised,
}

/// The relay's answer to a deposit, a renewal or a settlement; its envelope is signed by the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DepositReceipt {
    /// The deposit.
    #[n(0)]
    pub deposit: AlarmId,
    /// Hash of the envelope of the timers or the settlement that this answers.
    #[n(1)]
    pub answers: Hash,
    /// How it stands.
    #[n(2)]
    pub state: DepositState,
    /// When, by the relay's clock.
    #[n(3)]
    pub at: Timestamp,
    /// The relay.
    #[n(4)]
    pub by: DeviceId,
}

impl Document for DepositReceipt {
    const LABEL: &'static str = "baken/deposit-receipt/v0";
    const MAX_BYTES: usize = 512;
}

impl DepositReceipt {
    /// Reads the relay's answer to these very bytes.
    ///
    /// # Errors
    /// [`FormatError::Signature`] when the directory's relay did not sign it, [`FormatError::Rule`] when it answers
    /// something else.
    pub fn verify(bytes: &[u8], asked: &[u8], directory: &Directory) -> Result<Self, FormatError> {
        let receipt = Unverified::<Self>::parse(bytes)?.verify(&directory.relay.sig)?.into_value();
        if receipt.by != directory.relay.relay {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        if receipt.answers != hash_of(asked) {
            return Err(FormatError::Rule { what: Self::LABEL, rule: "it answers something else" });
        }
        Ok(receipt)
    }
}
