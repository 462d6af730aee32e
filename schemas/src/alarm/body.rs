//! What an alarm says, to those who can open it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What kind of help is called. On the wire all look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// The button was pressed.
    #[n(0)]
    Panic,
    /// The button was pressed, and the phone must not show it.
    #[n(1)]
    Silent,
    /// Medical help.
    #[n(2)]
    Medical,
    /// A duress PIN was used.
    #[n(3)]
    Duress,
    /// A hardware button.
    #[n(4)]
    Button,
    /// A check-in was missed.
    #[n(5)]
    Missed,
    /// The user tests the whole path.
    #[n(6)]
    Test,
    /// The relay or desk tests the path.
    #[n(7)]
    Probe,
    /// Something that calls for help may not be able to: a button that is silent, a battery that is low. Nobody calls.
    #[n(8)]
    Trouble,
}

impl AlarmKind {
    /// Whether family responders are called too. Somebody at home may be the threat, so what is to stay hidden goes to
    /// desks only; and what tests the way to a desk, or needs no person, wakes nobody.
    pub fn is_for_family(self) -> bool {
        !matches!(self, Self::Silent | Self::Duress | Self::Probe | Self::Trouble)
    }
}

/// A place, as the phone's receiver gave it.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// Latitude in 10⁻⁷ degrees, WGS 84, north positive.
    #[n(0)]
    pub latitude_e7: i32,
    /// Longitude in 10⁻⁷ degrees, WGS 84, east positive.
    #[n(1)]
    pub longitude_e7: i32,
    /// Radius in metres that the fix is good to.
    #[n(2)]
    pub accuracy_m: u32,
    /// Age of the fix in seconds when the alarm was made.
    #[n(3)]
    pub age_s: u32,
}

impl std::fmt::Debug for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Position(…)")
    }
}

/// Why there is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FixAbsent {
    /// The receiver has not found one yet.
    #[n(0)]
    NotYet,
    /// Location is switched off or forbidden on the phone.
    #[n(1)]
    SwitchedOff,
    /// The sender has no receiver (a fixed button, a terminal).
    #[n(2)]
    NoReceiver,
}

/// A position, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// Where.
    #[n(0)]
    At(#[n(0)] Position),
    /// Why not.
    #[n(1)]
    Absent(#[n(0)] FixAbsent),
}

/// How the alarm came to be, so that a desk sees a signed phone apart from a wire anyone could imitate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A phone sealed and signed it.
    #[n(0)]
    Phone,
    /// A bridge took it in for a hardware button.
    #[n(1)]
    Button {
        /// The account or number of the button.
        #[n(0)]
        button: String,
        /// "SIA DC-09, encrypted", "SIA DC-09, plain".
        #[n(1)]
        transport: String,
    },
    /// A phone sealed it into a text message, which a bridge passed on. Never inside an alarm: who opens the text says so.
    #[n(2)]
    Sms {
        /// The bridge, as the desk knows it; empty when it does not.
        #[n(0)]
        bridge: String,
    },
}

/// The sealed content of an alarm.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct AlarmBody {
    /// What kind of help.
    #[n(0)]
    pub kind: AlarmKind,
    /// Where.
    #[n(1)]
    pub fix: Fix,
    /// Battery of the sender in per cent.
    #[n(2)]
    pub battery_percent: Option<u8>,
    /// Words added to it; up to about 1,700 bytes.
    #[n(3)]
    pub text: String,
    /// The phone's own clock, which may be years off: for information.
    #[n(4)]
    pub made_at: Timestamp,
    /// The key of the sender's card at the relay, 32 bytes.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub card_key: Option<minicbor::bytes::ByteVec>,
    /// How it came to be.
    #[n(6)]
    pub provenance: Provenance,
    /// The signed [`crate::alarm::AlarmFamily`] of an alarm that family responders can open; set by sealing.
    #[n(7)]
    pub family: Option<minicbor::bytes::ByteVec>,
}

impl std::fmt::Debug for AlarmBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlarmBody(…)")
    }
}
