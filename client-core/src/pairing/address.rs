//! Where the relay is, as text: what a new device needs before it knows any organisation. The old device shows it.
//!
//! It is no secret and needs no signature: pairing does not rely on the relay being the right one. The grant, sealed
//! under the secret of the QR code, brings the organisation's directory, and that is what counts from then on.

use baken_schemas::FormatError;
use baken_schemas::{cbor, text};
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::{Baken, BakenError};

const PREFIX: &str = "BAKEN-RELAY";

/// Where the relay is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayAddress {
    /// `https://host:port`.
    #[n(0)]
    pub url: String,
    /// SHA-256 of its TLS root (DER).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub tls_root_sha256: [u8; 32],
}

impl RelayAddress {
    /// `BAKEN-RELAY:…`, to print or to show as QR code.
    pub fn to_text(&self) -> String {
        text::encode(PREFIX, &cbor::to_vec(self))
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`BakenError::PairingCodeInvalid`] that says whether it was mistyped or is none.
    pub fn from_text(address: &str) -> Result<Self, BakenError> {
        text::decode(PREFIX, address)
            .and_then(|bytes| cbor::from_slice(&bytes, PREFIX))
            .map_err(BakenError::PairingCodeInvalid)
    }
}

impl Baken {
    /// Where this device's relay is, to tell a new device. Works with the vault locked.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`].
    pub fn relay_address(&self) -> Result<RelayAddress, BakenError> {
        let relay = self.directory()?.relay;
        let unnamed =
            || BakenError::DirectoryInvalid(FormatError::Rule { what: "the directory", rule: "it names no relay" });
        let url = relay.urls.into_iter().next().ok_or_else(unnamed)?;
        let root = relay.tls_roots.first().ok_or_else(unnamed)?;
        Ok(RelayAddress { url, tls_root_sha256: Sha256::digest(&**root).into() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn it_survives_typing_and_not_a_typing_error() {
        let address = RelayAddress { url: "https://baken.example:8443".to_owned(), tls_root_sha256: [7; 32] };
        let text = address.to_text();
        assert_eq!(RelayAddress::from_text(&format!(" {}\n", text.to_lowercase())).unwrap(), address);
        let (head, tail) = text.split_at(text.len() - 9);
        let wrong = format!(
            "{head}{}",
            if tail.starts_with('A') {
                tail.replacen('A', "B", 1)
            } else {
                format!("A{}", tail.chars().skip(1).collect::<String>())
            }
        );
        assert!(matches!(RelayAddress::from_text(&wrong), Err(BakenError::PairingCodeInvalid(_))));
    }
}
