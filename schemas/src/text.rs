//! Text forms of bytes that people scan, type or paste: `BAKEN-INVITE:` and base32 in capitals (which QR codes hold
//! compactly), with a checksum so that a typing error is told apart from a forgery.

use data_encoding::BASE32_NOPAD;

use crate::FormatError;
use crate::crypto::Hash;

const CHECKSUM_LEN: usize = 4;

fn checksum(prefix: &str, bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    let hash = Hash::of("baken/text/v0", &[prefix.as_bytes(), bytes]);
    let [a, b, c, d, ..] = hash.0;
    [a, b, c, d]
}

/// Writes bytes as text behind `prefix`.
pub fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut checked = bytes.to_vec();
    checked.extend_from_slice(&checksum(prefix, bytes));
    format!("{prefix}:{}", BASE32_NOPAD.encode(&checked))
}

/// Reads text of the form `prefix:BASE32`. White space and lower case are forgiven.
///
/// # Errors
/// [`FormatError::Rule`] naming what is off: another prefix, a letter that cannot occur, or a wrong checksum.
pub fn decode(prefix: &'static str, text: &str) -> Result<Vec<u8>, FormatError> {
    let rule = |rule| FormatError::Rule { what: prefix, rule };
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let body = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix(':'))
        .ok_or(rule("the text does not start with this word and a colon"))?;
    let mut bytes = BASE32_NOPAD
        .decode(body.as_bytes())
        .map_err(|_| rule("the text is cut off or holds a character that cannot occur in it"))?;
    let end = bytes.len().checked_sub(CHECKSUM_LEN).ok_or(rule("the text is cut off"))?;
    let found = bytes.split_off(end);
    if found != checksum(prefix, &bytes) {
        return Err(rule("the checksum does not fit: the text was mistyped or cut off"));
    }
    Ok(bytes)
}
