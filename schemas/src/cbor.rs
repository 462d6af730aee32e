//! Deterministic CBOR: definite lengths, shortest forms, no floats, no duplicate keys, nothing behind the end.
//!
//! Every structure is an array of fields in a fixed order (no maps, so no duplicate keys). Strictness is checked in
//! one way for all of them: what was decoded is encoded again and must give the very bytes that came in. Signatures
//! and associated data never use that second encoding; they are over the bytes received.

use minicbor::{Decode, Decoder, Encode};

use crate::FormatError;

/// Encodes a value.
pub fn to_vec<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into a Vec cannot fail, and no Encode of this crate refuses a value.
    let encoded = minicbor::encode(value, &mut bytes);
    debug_assert!(encoded.is_ok());
    bytes
}

/// Decodes exactly one value from all of `bytes`. `what` names it in the error.
///
/// # Errors
/// [`FormatError::Malformed`] when the bytes are of another shape, not deterministic, or go on behind the value.
pub fn from_slice<T>(bytes: &[u8], what: &'static str) -> Result<T, FormatError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let mut decoder = Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| FormatError::Malformed { what })?;
    if decoder.position() != bytes.len() || to_vec(&value) != bytes {
        return Err(FormatError::Malformed { what });
    }
    Ok(value)
}
