//! Identifiers: 16 random bytes each, of a type of its own, written as 32 lower-case hex digits.

use data_encoding::HEXLOWER_PERMISSIVE;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;

/// Implements CBOR (a byte string), hex text, serde (hex text) and JSON Schema for a newtype over `[u8; N]`.
macro_rules! byte_newtype {
    ($name:ident, $len:expr, $what:literal) => {
        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads exactly [`Self::LEN`] bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::from_slice(d.bytes()?).ok_or_else(|| decode::Error::message(concat!("length of ", $what)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let hex = HEXLOWER_PERMISSIVE.encode(&self.0);
                write!(f, "{}({}…)", stringify!($name), hex.get(..8).unwrap_or_default())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::FormatError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| Self::from_slice(&bytes))
                    .ok_or(crate::FormatError::Malformed { what: $what })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": format!("^[0-9a-f]{{{}}}$", $len * 2),
                    "description": $what,
                })
            }
        }
    };
}
pub(crate) use byte_newtype;

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = concat!("Identifies ", $what, ".")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new random id.
            pub fn make(rng: &mut dyn CryptoRng) -> Self {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        byte_newtype!($name, 16, $what);
    };
}

id!(AccountId, "an office-holder's account, a pseudonym to the relay");
id!(AlarmId, "an alarm; made by the phone, so that every way it travels is the same alarm");
id!(BlobId, "a blob: a file sealed in chunks");
id!(CircleId, "a circle");
id!(DeviceId, "a device: a phone, a desk, a bridge or a relay");
id!(EntryId, "an entry");
id!(IdempotencyKey, "one write, so that a repeat has no second effect");
id!(InviteId, "an invite");
id!(LadderId, "a ladder");
id!(LineId, "a line of an organisation's plan");
id!(NoteId, "a note");
id!(RecordId, "a record");
id!(SmsContextId, "what a phone leaves at the relay for its text messages");
id!(RendezvousId, "the place at the relay where two devices meet to pair");
