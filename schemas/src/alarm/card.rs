//! The card: what a responder needs of the dossier. It lies sealed at the relay; its key travels only in an alarm.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::cbor;
use crate::crypto::{SEAL_OVERHEAD, SigningKey, SymmetricKey, open, seal, transcript};
use crate::entry::{pad_to, unpad};
use crate::id::DeviceId;
use crate::signed::{Document, Signed};

/// Size of a card in bytes before sealing, padded.
const CARD_SIZE: usize = 4096;

/// A sealed card; its envelope is signed by the device's `sig` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    /// Whose alarms it goes with.
    #[n(0)]
    pub device: DeviceId,
    /// Rises with every change.
    #[n(1)]
    pub version: u64,
    /// The [`CardBody`], padded and sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Document for Card {
    const LABEL: &'static str = "baken/card/v0";
    const MAX_BYTES: usize = 8 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        if self.sealed.len() == CARD_SIZE + SEAL_OVERHEAD {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "every card has the same size" })
        }
    }
}

/// What a responder reads. Empty texts are not shown.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CardBody {
    /// Who.
    #[n(0)]
    pub name: String,
    /// Office.
    #[n(1)]
    pub office: String,
    /// Number to call back.
    #[n(2)]
    pub phone: String,
    /// Home address.
    #[n(3)]
    pub home_address: String,
    /// Car and number plate.
    #[n(4)]
    pub car: String,
    /// Who else lives there.
    #[n(5)]
    pub household: String,
    /// What a medic must know.
    #[n(6)]
    pub medical: String,
    /// The word by which the person shows who they are.
    #[n(7)]
    pub code_word: String,
    /// Emergency contacts: name, relation, number.
    #[n(8)]
    pub contacts: Vec<String>,
}

impl std::fmt::Debug for CardBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardBody(…)")
    }
}

impl Card {
    fn bound(device: DeviceId, version: u64) -> Vec<u8> {
        transcript(Self::LABEL, &[&device.0, &version.to_be_bytes()])
    }

    /// Seals and signs a card.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past about 4,000 bytes of text.
    pub fn seal(
        device: DeviceId,
        version: u64,
        body: &CardBody,
        card_key: &SymmetricKey,
        sig: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let padded = pad_to(&cbor::to_vec(body), CARD_SIZE, Self::LABEL)?;
        let sealed = seal(card_key, Self::LABEL, &Self::bound(device, version), &padded, rng);
        Ok(Signed::make(Self { device, version, sealed }, sig))
    }

    /// Opens the card with the key of an alarm.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, card_key: &SymmetricKey) -> Result<CardBody, FormatError> {
        let bound = Self::bound(self.device, self.version);
        let padded = open(card_key, Self::LABEL, &bound, &self.sealed, Self::LABEL)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}
