//! What a call was given: a JSON object, read name by name.

use baken_core::BakenError;
use baken_schemas::Language;
use baken_schemas::id::{AlarmId, RecordId};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// The arguments of a call.
pub(crate) struct Arguments(pub(crate) Json);

impl Arguments {
    /// A text; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    /// A whole number, where there is one.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Json::as_i64)
    }

    /// Something of the core's, by its own JSON.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.0.get(name)?.clone()).ok()
    }

    pub(crate) fn alarm(&self) -> Result<AlarmId, BakenError> {
        self.text("alarm").parse().map_err(|_| BakenError::NoSuchAlarm)
    }

    pub(crate) fn record(&self) -> Result<RecordId, BakenError> {
        self.text("record").parse().map_err(|_| BakenError::NoSuchRecord)
    }

    /// The reader's language.
    pub(crate) fn language(&self) -> Language {
        if self.text("language") == "en" { Language::En } else { Language::Nl }
    }
}
