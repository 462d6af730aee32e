//! The directory: which relay, desks and ladders an organisation vouches for. One document under one version, so that a
//! relay cannot show a phone the desks of one day with the ladders of another.

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::FormatError;
use crate::crypto::{KemPublic, VerifyKey};
use crate::id::{DeviceId, LadderId};
use crate::org::OrgId;
use crate::signed::{Document, Signed, Unverified};
use crate::time::Timestamp;

/// The most responders one alarm can be sealed to.
pub const MAX_RESPONDERS: usize = 4;
/// The most desks, ladders, TLS roots and addresses in a directory.
const MAX_LISTED: usize = 64;

/// The relay as the organisation vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayEntry {
    /// The relay, as a device that signs `stored`.
    #[n(0)]
    pub relay: DeviceId,
    /// Checks what it signs.
    #[n(1)]
    pub sig: VerifyKey,
    /// Where it is: `https://host:port`, the first is tried first.
    #[n(2)]
    pub urls: Vec<String>,
    /// The TLS roots (DER) that its certificate must come from.
    #[n(3)]
    pub tls_roots: Vec<minicbor::bytes::ByteVec>,
    /// The relay's operator also holds a desk's key (`serve all`): phones say that the operator can read alarms.
    #[n(4)]
    pub operator_reads_alarms: bool,
}

/// A desk as the organisation vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeskEntry {
    /// The desk.
    #[n(0)]
    pub desk: DeviceId,
    /// What people call it: "Meldkamer Oost".
    #[n(1)]
    pub name: String,
    /// Checks its receipts.
    #[n(2)]
    pub sig: VerifyKey,
    /// Seals to it.
    #[n(3)]
    pub kem: KemPublic,
}

/// One step of a ladder: these desks, perhaps the person's family, and how long to wait for a human before the next step.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rung {
    /// The desks that are called; none on a rung of family alone.
    #[n(0)]
    pub responders: Vec<DeviceId>,
    /// Seconds to wait for `seen`.
    #[n(1)]
    pub wait_s: u32,
    /// Whether the person's own family responders are called on it too.
    #[n(2)]
    pub family: CallsFamily,
}

/// Whether a rung calls family. One that does not is written without a word of it, as all were before any did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallsFamily {
    /// Desks only.
    No,
    /// The person's own family responders too, at the same moment as its desks: 1.
    Yes,
}

impl<C> Encode<C> for CallsFamily {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::No => encoder.null()?.ok(),
            Self::Yes => encoder.u8(1)?.ok(),
        }
    }

    fn is_nil(&self) -> bool {
        *self == Self::No
    }
}

impl<'b, C> Decode<'b, C> for CallsFamily {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match decoder.u8()? {
            1 => Ok(Self::Yes),
            _ => Err(minicbor::decode::Error::message("a rung calls family or does not")),
        }
    }

    fn nil() -> Option<Self> {
        Some(Self::No)
    }
}

/// What a ladder is climbed for. One for alarms is written without a word of it, as all were before there were others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LadderUse {
    /// Alarms; and check-ins that were missed, where no ladder is for those.
    Alarms,
    /// Check-ins that were missed: 1.
    CheckIns,
}

impl<C> Encode<C> for LadderUse {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Alarms => encoder.null()?.ok(),
            Self::CheckIns => encoder.u8(1)?.ok(),
        }
    }

    fn is_nil(&self) -> bool {
        *self == Self::Alarms
    }
}

impl<'b, C> Decode<'b, C> for LadderUse {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match decoder.u8()? {
            1 => Ok(Self::CheckIns),
            _ => Err(minicbor::decode::Error::message("a ladder's use that is not known")),
        }
    }

    fn nil() -> Option<Self> {
        Some(Self::Alarms)
    }
}

/// A ladder that office-holders can accept.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ladder {
    /// The ladder.
    #[n(0)]
    pub ladder: LadderId,
    /// Rises with every change.
    #[n(1)]
    pub version: u32,
    /// What people call it.
    #[n(2)]
    pub name: String,
    /// From the first to the last.
    #[n(3)]
    pub rungs: Vec<Rung>,
    /// What it is climbed for.
    #[n(4)]
    pub serves: LadderUse,
}

impl Ladder {
    /// Whether any rung calls family.
    pub fn calls_family(&self) -> bool {
        self.rungs.iter().any(|rung| rung.family == CallsFamily::Yes)
    }

    /// How many family responders an alarm on this ladder can be sealed to beside its desks.
    pub fn family_places(&self) -> usize {
        if self.calls_family() { MAX_RESPONDERS.saturating_sub(self.responders().len()) } else { 0 }
    }

    /// Every desk once, in the order they are first called.
    pub fn responders(&self) -> Vec<DeviceId> {
        let mut all = Vec::new();
        for responder in self.rungs.iter().flat_map(|rung| &rung.responders) {
            if !all.contains(responder) {
                all.push(*responder);
            }
        }
        all
    }
}

/// Who an organisation's relay and desks are, and which ladders there are. Signed by the root; the version only rises.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Directory {
    /// The root that signs this; phones check its hash.
    #[n(0)]
    pub root: VerifyKey,
    /// Rises with every change.
    #[n(1)]
    pub version: u64,
    /// The organisation's name.
    #[n(2)]
    pub name: String,
    /// When it was signed.
    #[n(3)]
    pub issued_at: Timestamp,
    /// The relay.
    #[n(4)]
    pub relay: RelayEntry,
    /// The desks.
    #[n(5)]
    pub desks: Vec<DeskEntry>,
    /// The ladders; the first for each use is the one a new phone starts with.
    #[n(6)]
    pub ladders: Vec<Ladder>,
    /// The number at which a bridge takes in alarms by text message; `None` where there is none.
    #[n(7)]
    pub sms_number: Option<String>,
}

impl Document for Directory {
    const LABEL: &'static str = "baken/directory/v0";
    const MAX_BYTES: usize = 256 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        let listed = [self.desks.len(), self.ladders.len(), self.relay.urls.len(), self.relay.tls_roots.len()];
        if listed.iter().any(|len| *len > MAX_LISTED) {
            return Err(rule("at most 64 of each"));
        }
        // As E.164 has it, so that a phone can send there as it stands, and nothing else stands on its screen.
        let is_number = |number: &String| {
            let digits = number.strip_prefix('+').unwrap_or_default();
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !self.sms_number.as_ref().is_none_or(is_number) {
            return Err(rule("a number is + and 7 to 15 digits"));
        }
        // Two with one name, and who speaks would depend on which is found first.
        for (at, desk) in self.desks.iter().enumerate() {
            let before = self.desks.iter().take(at).any(|other| other.desk == desk.desk);
            if before || desk.desk == self.relay.relay {
                return Err(rule("every desk has an id of its own, and none is the relay's"));
            }
        }
        for (at, ladder) in self.ladders.iter().enumerate() {
            let same = |other: &Ladder| (other.ladder, other.version) == (ladder.ladder, ladder.version);
            if self.ladders.iter().take(at).any(same) {
                return Err(rule("a version of a ladder is listed once"));
            }
        }
        for ladder in &self.ladders {
            let responders = ladder.responders();
            if responders.is_empty() || responders.len() > MAX_RESPONDERS {
                return Err(rule("a ladder has one to four responders"));
            }
            if ladder.calls_family() && ladder.family_places() == 0 {
                return Err(rule("a ladder that calls family has at most three desks"));
            }
            // Whatever the family does, a desk is called in the end.
            if ladder.calls_family() && ladder.rungs.last().is_none_or(|last| last.responders.is_empty()) {
                return Err(rule("the last rung of a ladder that calls family has a desk"));
            }
            if responders.iter().any(|responder| self.desk(*responder).is_none()) {
                return Err(rule("a ladder names a responder that is not in the directory"));
            }
        }
        Ok(())
    }
}

impl Directory {
    /// Reads a directory and checks that the root of `org` signed it.
    ///
    /// # Errors
    /// [`FormatError`]; [`FormatError::Signature`] when another root signed it.
    pub fn verify(bytes: &[u8], org: OrgId) -> Result<Signed<Self>, FormatError> {
        let unverified = Unverified::<Self>::parse(bytes)?;
        let root = unverified.claims().root;
        if OrgId::of(&root) != org {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        unverified.verify(&root)
    }

    /// The organisation.
    pub fn org(&self) -> OrgId {
        OrgId::of(&self.root)
    }

    /// A desk by its id.
    pub fn desk(&self, desk: DeviceId) -> Option<&DeskEntry> {
        self.desks.iter().find(|entry| entry.desk == desk)
    }

    /// The first ladder for a use; for check-ins that of alarms where there is no other.
    pub fn ladder_for(&self, serves: LadderUse) -> Option<&Ladder> {
        let first = |serves| self.ladders.iter().find(|ladder| ladder.serves == serves);
        first(serves).or_else(|| first(LadderUse::Alarms))
    }

    /// A ladder by id and version.
    pub fn ladder(&self, ladder: LadderId, version: u32) -> Option<&Ladder> {
        self.ladders.iter().find(|entry| entry.ladder == ladder && entry.version == version)
    }
}
