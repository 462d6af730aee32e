//! What the person's profile says: who they are, where they live, which office they hold.

use baken_schemas::edition::Office;
use baken_schemas::record::Value;

use crate::{Baken, BakenError};

impl Baken {
    /// The office that the person holds today, the profile's first, where Baken knows it and nothing contradicts it.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn own_office(&self) -> Result<Option<Office>, BakenError> {
        Ok(self.offices()?.into_iter().filter(|office| office.held).find_map(|office| office.office))
    }

    /// Whether the profile has a home address.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn has_home_address(&self) -> Result<bool, BakenError> {
        Ok(self.of_profile("home_address")?.is_some_and(|address| !address.trim().is_empty()))
    }

    /// What stands in a field of the first profile.
    pub(crate) fn of_profile(&self, name: &str) -> Result<Option<String>, BakenError> {
        let profiles = self.records(Some("profile"))?;
        let profile = profiles.into_iter().find(|profile| !profile.deleted);
        let field = profile.and_then(|profile| profile.fields.into_iter().find(|field| field.name == Some(name)));
        let values = field.map(|field| field.values).unwrap_or_default();
        match values.as_slice() {
            [only] => Ok(if let Value::Text(text) = &only.value { Some(text.clone()) } else { None }),
            _ => Ok(None),
        }
    }
}
