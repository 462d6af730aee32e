//! The small fields of a DC-09 header, each checked once and kept as the text that was on the wire.
//!
//! As text, because a receiver must echo them verbatim: an account `0012` that comes back as `012` is no answer to
//! the message that was sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a field's text was refused. Never carries the text, which may point at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not an account.
    #[error("a DC-09 account is 3 to 16 letters and digits")]
    Account,
    /// Not a receiver or line number.
    #[error("a DC-09 receiver or line number is at most 6 hexadecimal digits")]
    Prefix,
    /// Not a sequence number.
    #[error("a DC-09 sequence number is 0 to 9999, written as 4 decimal digits")]
    Sequence,
}

/// The number under which an alarm centre knows one subscriber: 3 to 16 ASCII letters and digits, kept verbatim.
///
/// Its `Debug` is blank: to those who hold the list it names a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(String);

impl Account {
    /// The account's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Account {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let fits = (3..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldError::Account) }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(…)")
    }
}

/// A receiver number (`R`) or line number (`L`): up to 6 hexadecimal digits. Empty where a dialler writes a bare `L`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// `0`: what is written where there is no such number.
    pub fn unused() -> Self {
        Self("0".to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let fits = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldError::Prefix) }
    }
}

/// The number of a message at its sender: 1 to 9999, and 0 for supervision. A resend keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Sequence(u16);

impl Sequence {
    /// Supervision messages carry no number of their own.
    pub const NULL: Self = Self(0);
    /// The first number of a sender.
    pub const FIRST: Self = Self(1);

    /// The one after this; 9999 is followed by 1, so that 0 stays with supervision.
    pub fn next(self) -> Self {
        if self.0 >= 9999 { Self::FIRST } else { Self(self.0 + 1) }
    }
}

impl TryFrom<u16> for Sequence {
    type Error = FieldError;

    fn try_from(number: u16) -> Result<Self, FieldError> {
        if number <= 9999 { Ok(Self(number)) } else { Err(FieldError::Sequence) }
    }
}

impl From<Sequence> for u16 {
    fn from(sequence: Sequence) -> Self {
        sequence.0
    }
}

impl FromStr for Sequence {
    type Err = FieldError;

    /// Four decimal digits. One public dialler writes hexadecimal, which is refused: it would be echoed wrongly.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FieldError::Sequence);
        }
        text.parse().map(Self).map_err(|_| FieldError::Sequence)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// What a frame is, between its quotation marks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// An event in SIA DC-03 codes.
    SiaDcs,
    /// An event in Contact ID codes.
    AdmCid,
    /// Supervision: "I am here".
    Null,
    /// Supervision with extended data (DC-09-2026).
    Xnm,
    /// Taken.
    Ack,
    /// Not taken: its timestamp, or its key, is off.
    Nak,
    /// Understood as a frame, but nothing that can be processed.
    Duh,
    /// Taken, with something to do.
    Rsp,
    /// Another of the standard's tokens, which Baken does not interpret.
    Other(String),
}

impl MessageId {
    /// The token on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SiaDcs => "SIA-DCS",
            Self::AdmCid => "ADM-CID",
            Self::Null => "NULL",
            Self::Xnm => "XNM",
            Self::Ack => "ACK",
            Self::Nak => "NAK",
            Self::Duh => "DUH",
            Self::Rsp => "RSP",
            Self::Other(token) => token,
        }
    }

    /// Whether this answers another message.
    pub fn is_reply(&self) -> bool {
        matches!(self, Self::Ack | Self::Nak | Self::Duh | Self::Rsp)
    }

    /// The token between the quotation marks, without its `*`; `None` where it could be none.
    pub(super) fn read(token: &str) -> Option<Self> {
        let known = match token {
            "SIA-DCS" => Self::SiaDcs,
            "ADM-CID" => Self::AdmCid,
            "NULL" => Self::Null,
            "XNM" => Self::Xnm,
            "ACK" => Self::Ack,
            "NAK" => Self::Nak,
            "DUH" => Self::Duh,
            "RSP" => Self::Rsp,
            other => {
                let fits = (1..=10).contains(&other.len())
                    && other.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
                return fits.then(|| Self::Other(other.to_owned()));
            }
        };
        Some(known)
    }
}

/// Serde through the text, so that configuration is checked where it is read.
macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(Account, Prefix);

#[cfg(test)]
mod tests {
    use super::{Account, MessageId, Prefix, Sequence};

    #[test]
    fn accounts_keep_their_leading_zeros() {
        assert_eq!("0012".parse::<Account>().unwrap().as_str(), "0012");
        for bad in ["", "12", "12345678901234567", "12]4", "12 4", "123é"] {
            assert!(bad.parse::<Account>().is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn a_sequence_is_decimal_and_wraps_past_supervision() {
        assert_eq!("0099".parse::<Sequence>().unwrap().next().to_string(), "0100");
        assert_eq!("9999".parse::<Sequence>().unwrap().next(), Sequence::FIRST);
        for bad in ["00A1", "12", "10000", "+001"] {
            assert!(bad.parse::<Sequence>().is_err(), "{bad:?} passed");
        }
        assert!(Sequence::try_from(10_000).is_err());
    }

    #[test]
    fn a_bare_prefix_is_taken_and_a_long_one_is_not() {
        assert_eq!("".parse::<Prefix>().unwrap().as_str(), "");
        assert_eq!("579BDF".parse::<Prefix>().unwrap().as_str(), "579BDF");
        assert!("579BDF1".parse::<Prefix>().is_err());
        assert!("G".parse::<Prefix>().is_err());
    }

    #[test]
    fn unknown_tokens_are_kept_and_impossible_ones_are_not() {
        assert_eq!(MessageId::read("SCN-S16").unwrap().as_str(), "SCN-S16");
        assert!(MessageId::read("").is_none());
        assert!(MessageId::read("sia-dcs").is_none());
        assert!(MessageId::read("SIA-DCS-SIA").is_none());
    }
}
