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

/// The length of the one deterministic item that `bytes` starts with: shortest heads, definite lengths, valid text, and
/// of the simple values only true, false and null. Maps are refused, as nothing of Baken uses them. `None` when there
/// is no such item.
///
/// For items that are kept without being understood, which [`from_slice`]'s second encoding cannot check. One pass
/// over the bytes, whatever the nesting.
pub fn item_len(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let mut missing: u64 = 1;
    while missing > 0 {
        let (head, behind) = rest.split_first()?;
        let (major, low) = (head >> 5, head & 0x1f);
        let (argument, behind) = argument(low, behind)?;
        rest = behind;
        missing -= 1;
        match major {
            0 | 1 => {}
            2 | 3 => {
                let (content, behind) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
                if major == 3 && std::str::from_utf8(content).is_err() {
                    return None;
                }
                rest = behind;
            }
            4 => missing = missing.checked_add(argument)?,
            6 => missing = missing.checked_add(1)?,
            7 if (20..=22).contains(&low) => {}
            _ => return None,
        }
    }
    Some(bytes.len() - rest.len())
}

/// The argument of a head, refused unless in its shortest form, and what comes behind it.
fn argument(low: u8, behind: &[u8]) -> Option<(u64, &[u8])> {
    let (width, least) = match low {
        0..=23 => return Some((u64::from(low), behind)),
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1 << 32),
        _ => return None,
    };
    let (digits, behind) = behind.split_at_checked(width)?;
    let argument = digits.iter().fold(0, |argument, digit| argument << 8 | u64::from(*digit));
    (argument >= least).then_some((argument, behind))
}
