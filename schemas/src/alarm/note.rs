//! Notes: unlocking, settling and withdrawing each send one of the same size. Whether the true PIN or a duress PIN was
//! used only the desk learns.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{KemSecret, SigningKey, Wrapped, open_wrapped, transcript, wrap};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId, NoteId};
use crate::org::DeskEntry;
use crate::signed::{Document, Signed};
use crate::time::Timestamp;

/// Size of a note in bytes before sealing, padded.
const NOTE_SIZE: usize = 256;

/// A sealed note; its envelope is signed by the device's `alarm` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Note {
    /// The note.
    #[n(0)]
    pub note: NoteId,
    /// Who sends it.
    #[n(1)]
    pub device: DeviceId,
    /// The desk it is for.
    #[n(2)]
    pub desk: DeviceId,
    /// The [`NoteBody`], padded and sealed.
    #[n(3)]
    pub sealed: Wrapped,
}

impl Document for Note {
    const LABEL: &'static str = "baken/note/v0";
    const MAX_BYTES: usize = 2048;

    fn check(&self) -> Result<(), FormatError> {
        if self.sealed.lens() == Wrapped::lens_for(NOTE_SIZE) {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "every note has the same size" })
        }
    }
}

/// What happened on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum NoteKind {
    /// The vault was unlocked.
    #[n(0)]
    Unlocked,
    /// A check-in was settled.
    #[n(1)]
    Settled,
    /// An alarm was withdrawn.
    #[n(2)]
    Withdrawn,
}

/// What a note says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoteBody {
    /// What happened.
    #[n(0)]
    pub kind: NoteKind,
    /// A duress PIN was used: start the ladder.
    #[n(1)]
    pub duress: bool,
    /// The alarm or deposit it is about.
    #[n(2)]
    pub alarm: Option<AlarmId>,
    /// The sender's own clock, for information.
    #[n(3)]
    pub made_at: Timestamp,
    /// The order that freezes the sender ([`crate::order::Order`]), whichever PIN it was: the desk hands it to the relay
    /// on duress and keeps it to itself otherwise. None from a device that has prepared none yet.
    #[n(4)]
    pub freeze: Option<ByteVec>,
}

impl std::fmt::Debug for NoteBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoteBody(…)")
    }
}

impl Note {
    fn bound(note: NoteId, device: DeviceId, desk: DeviceId) -> Vec<u8> {
        transcript(Self::LABEL, &[&note.0, &device.0, &desk.0])
    }

    /// Seals and signs a note.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a bad desk key.
    pub fn seal(
        note: NoteId,
        device: DeviceId,
        desk: &DeskEntry,
        body: &NoteBody,
        alarm_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let padded = pad_to(&cbor::to_vec(body), NOTE_SIZE, Self::LABEL)?;
        let bound = Self::bound(note, device, desk.desk);
        let sealed = wrap(&desk.kem, None, Self::LABEL, &bound, &padded, rng)?;
        Ok(Signed::make(Self { note, device, desk: desk.desk, sealed }, alarm_key))
    }

    /// Opens a note at its desk.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, kem: &KemSecret) -> Result<NoteBody, FormatError> {
        let bound = Self::bound(self.note, self.device, self.desk);
        let padded = open_wrapped(kem, None, Self::LABEL, &bound, &self.sealed)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}
