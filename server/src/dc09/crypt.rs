//! The cipher of DC-09: AES-CBC, zero vector, padded in front, written as hexadecimal digits.
//!
//! It hides content from a bystander and no more: nothing is authenticated, so whoever is on the line can alter
//! blocks and fix the linear check. What comes out of [`Key::open`] is a guess until its shape, account and time
//! have been looked at (`Message::open`).

use std::fmt;
use std::str::FromStr;

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use data_encoding::{HEXLOWER_PERMISSIVE, HEXUPPER};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

const BLOCK: usize = 16;
const ZERO_IV: [u8; BLOCK] = [0; BLOCK];
/// Characters of the padding: inside what the standard permits, and readable to peers that insist on text.
const PADDING: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Why text is no key, or bytes no cipher's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of a length AES has.
    #[error("a DC-09 key has 16, 24 or 32 bytes: that many characters behind `ascii:`, twice as many behind `hex:`")]
    Length,
    /// Not hexadecimal.
    #[error("what stands behind `hex:` must be hexadecimal digits")]
    NotHex,
    /// Not printable ASCII.
    #[error("what stands behind `ascii:` must be printable ASCII")]
    NotAscii,
    /// Neither `hex:` nor `ascii:`.
    #[error("say how the key is written: `hex:…` for its bytes, `ascii:…` where the text itself is the key")]
    NoForm,
    /// The cipher's text is not whole blocks of hexadecimal digits.
    #[error("the enciphered part is no whole number of blocks in hexadecimal digits")]
    Blocks,
}

/// An account's AES-128, -192 or -256 key.
///
/// Vendors hand out keys both as bytes in hexadecimal and as text whose letters are the bytes, and the two look
/// alike; so the form is always said: `hex:30313233…` or `ascii:0123…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// A key of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if matches!(bytes.len(), 16 | 24 | 32) {
            Ok(Self(Zeroizing::new(bytes.to_vec())))
        } else {
            Err(KeyError::Length)
        }
    }

    /// Enciphers what follows the `[`: padding, `|` unless the data is empty, then `region`, as upper-case digits.
    ///
    /// The padding is 16 to 31 random characters, so that the first block is random throughout and stands in for
    /// the vector that DC-09 fixes at zero.
    pub(super) fn seal(&self, region: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        let bar = usize::from(!region.starts_with(b"]"));
        let padding = BLOCK + (BLOCK - (bar + region.len()) % BLOCK) % BLOCK;
        let mut plain = Zeroizing::new(Vec::with_capacity(padding + bar + region.len()));
        while plain.len() < padding {
            let mut byte = [0];
            rng.fill_bytes(&mut byte);
            // 248 is four times 62: bytes beyond it would favour the first letters.
            if byte[0] < 248 {
                plain.push(PADDING[usize::from(byte[0]) % PADDING.len()]);
            }
        }
        if bar == 1 {
            plain.push(b'|');
        }
        plain.extend_from_slice(region);
        HEXUPPER.encode(&self.encipher(&plain)).into_bytes()
    }

    /// Deciphers hexadecimal digits of either case; the padding is still in front.
    pub(super) fn open(&self, digits: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let cipher = HEXLOWER_PERMISSIVE.decode(digits).map_err(|_| KeyError::Blocks)?;
        if cipher.is_empty() {
            return Err(KeyError::Blocks);
        }
        self.decipher(&cipher).map(Zeroizing::new).ok_or(KeyError::Blocks)
    }

    fn encipher(&self, plain: &[u8]) -> Vec<u8> {
        match self.0.len() {
            16 => encipher::<aes::Aes128>(&self.0, plain),
            24 => encipher::<aes::Aes192>(&self.0, plain),
            _ => encipher::<aes::Aes256>(&self.0, plain),
        }
    }

    fn decipher(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        match self.0.len() {
            16 => decipher::<aes::Aes128>(&self.0, cipher),
            24 => decipher::<aes::Aes192>(&self.0, cipher),
            _ => decipher::<aes::Aes256>(&self.0, cipher),
        }
    }
}

fn encipher<C>(key: &[u8], plain: &[u8]) -> Vec<u8>
where
    C: aes::cipher::BlockCipherEncrypt + aes::cipher::KeyInit,
{
    cbc::Encryptor::<C>::new_from_slices(key, &ZERO_IV)
        .expect("the key's length was checked when it was made")
        .encrypt_padded_vec::<NoPadding>(plain)
}

fn decipher<C>(key: &[u8], cipher: &[u8]) -> Option<Vec<u8>>
where
    C: aes::cipher::BlockCipherDecrypt + aes::cipher::KeyInit,
{
    cbc::Decryptor::<C>::new_from_slices(key, &ZERO_IV).ok()?.decrypt_padded_vec::<NoPadding>(cipher).ok()
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if let Some(digits) = text.strip_prefix("hex:") {
            let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| KeyError::NotHex)?;
            Self::from_bytes(&Zeroizing::new(bytes))
        } else if let Some(ascii) = text.strip_prefix("ascii:") {
            if !ascii.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(KeyError::NotAscii);
            }
            Self::from_bytes(ascii.as_bytes())
        } else {
            Err(KeyError::NoForm)
        }
    }
}

/// From configuration, in the same two forms. There is no way to write one back.
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Zeroizing::new(String::deserialize(deserializer)?).parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(AES-{})", self.0.len() * 8)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    use super::{Key, KeyError};

    fn keys() -> [Key; 3] {
        [16, 24, 32].map(|len| Key::from_bytes(&vec![7; len]).unwrap())
    }

    #[test]
    fn a_key_says_how_it_is_written() {
        let ascii: Key = "ascii:0123456789ABCDEF".parse().unwrap();
        assert_eq!(ascii, "hex:30313233343536373839414243444546".parse().unwrap());
        assert_eq!("0123456789ABCDEF".parse::<Key>(), Err(KeyError::NoForm));
        assert_eq!("hex:0123456789ABCDEF".parse::<Key>(), Err(KeyError::Length));
        assert_eq!("hex:zz".parse::<Key>(), Err(KeyError::NotHex));
        assert_eq!("ascii:0123456789ABCDE\u{e9}".parse::<Key>(), Err(KeyError::NotAscii));
        assert_eq!(format!("{ascii:?}"), "Key(AES-128)");
    }

    proptest! {
        #[test]
        fn the_first_block_is_all_padding_and_differs(region in "[ -~]{0,80}", seed: u64) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            for key in keys() {
                let sealed = key.seal(region.as_bytes(), &mut rng);
                let again = key.seal(region.as_bytes(), &mut rng);
                prop_assert_ne!(&sealed[..32], &again[..32]);
                let plain = key.open(&sealed).unwrap();
                prop_assert!(plain[..16].iter().all(u8::is_ascii_alphanumeric));
                let padding = plain.len() - region.len() - usize::from(!region.starts_with(']'));
                prop_assert!((16..=31).contains(&padding), "padding of {}", padding);
                prop_assert!(plain.ends_with(region.as_bytes()));
            }
        }

        #[test]
        fn nothing_deciphered_can_panic(digits in proptest::collection::vec(any::<u8>(), 0..100)) {
            for key in keys() {
                let _ = key.open(&digits);
            }
        }
    }
}
