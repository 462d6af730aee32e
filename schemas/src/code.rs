//! Codes that a person reads from paper or a screen and types: 128 random bits, in seven groups of five characters of
//! Crockford's base32. Four of a group count and one checks the group, so that a wrong letter is named by its group.
//!
//! What a code is for stands in the label of its checksum: one for another purpose is refused as a whole.

use crate::crypto::Hash;

/// Crockford's base32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Groups in a code.
const GROUPS: usize = 7;
/// Characters of a group that count.
const GROUP_DIGITS: usize = 4;
/// Odd weights: a change of any one character of a group changes its check.
const WEIGHTS: [u32; GROUP_DIGITS] = [1, 3, 5, 7];

/// Why a typed code is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many characters.
    #[error("a code has 35 characters, this has {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A group's check does not fit, or a character that occurs in no code.
    #[error("group {group} of the code holds a mistake")]
    Group {
        /// From 1.
        group: usize,
    },
    /// Every group fits, but not together: groups were swapped, two mistakes hide each other, or the code is for
    /// something else.
    #[error("the groups of the code do not belong together")]
    Whole,
}

fn check_of(digits: &[u32]) -> u32 {
    digits.iter().zip(WEIGHTS).fold(0, |sum, (digit, weight)| sum + digit * weight) % 32
}

/// Twelve bits over the whole code.
fn checksum(label: &str, secret: &[u8; 16]) -> u32 {
    let [a, b, ..] = Hash::of(label, &[secret]).0;
    u32::from(a) << 4 | u32::from(b) >> 4
}

/// The text that is shown: `XXXXX-XXXXX-…`.
pub(crate) fn to_text(label: &str, secret: &[u8; 16]) -> String {
    // 128 bits and 12 of checksum are 28 digits of 5 bits.
    let mut digits = Vec::with_capacity(GROUPS * GROUP_DIGITS);
    let (mut held, mut bits) = (0_u32, 0);
    for (byte, width) in secret.iter().map(|byte| (u32::from(*byte), 8)).chain([(checksum(label, secret), 12)]) {
        held = held << width | byte;
        bits += width;
        while bits >= 5 {
            bits -= 5;
            digits.push(held >> bits & 31);
            held &= (1 << bits) - 1;
        }
    }
    let letter = |digit: &u32| char::from(ALPHABET[*digit as usize % 32]);
    let groups: Vec<String> =
        digits.chunks(GROUP_DIGITS).map(|group| group.iter().chain([&check_of(group)]).map(letter).collect()).collect();
    groups.join("-")
}

/// Reads a typed code. Spaces, hyphens and lower case are forgiven; O is 0, I and L are 1.
///
/// # Errors
/// [`CodeError`], which names the group.
pub(crate) fn from_text(label: &str, typed: &str) -> Result<[u8; 16], CodeError> {
    let typed: Vec<char> = typed
        .chars()
        .filter(|char| !char.is_whitespace() && *char != '-')
        .map(|char| char.to_ascii_uppercase())
        .collect();
    if typed.len() != GROUPS * (GROUP_DIGITS + 1) {
        return Err(CodeError::Length { found: typed.len() });
    }
    let mut secret = Vec::with_capacity(17);
    let (mut held, mut bits) = (0_u32, 0);
    for (index, group) in typed.chunks(GROUP_DIGITS + 1).enumerate() {
        let wrong = CodeError::Group { group: index + 1 };
        let digits = group.iter().map(|char| digit_of(*char)).collect::<Option<Vec<u32>>>().ok_or(wrong)?;
        let Some((check, digits)) = digits.split_last() else { return Err(wrong) };
        if check_of(digits) != *check {
            return Err(wrong);
        }
        for digit in digits {
            held = held << 5 | digit;
            bits += 5;
            if bits >= 8 && secret.len() < 16 {
                bits -= 8;
                secret.push((held >> bits & 255) as u8);
                held &= (1 << bits) - 1;
            }
        }
    }
    let secret: [u8; 16] = secret.try_into().map_err(|_| CodeError::Whole)?;
    if checksum(label, &secret) == held { Ok(secret) } else { Err(CodeError::Whole) }
}

fn digit_of(char: char) -> Option<u32> {
    let char = match char {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|letter| char::from(*letter) == char)?;
    u32::try_from(place).ok()
}
