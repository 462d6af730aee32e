//! `[[push]]` of `desk.toml`: the officers' browsers, which are woken without a word of what for. Who is woken is no line of
//! this file: each officer turns it on in the console, in the browser itself.

use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use serde::Deserialize;

use super::{Channel, ChannelsError, Include, Means, calling_events, read_root, told_of_warnings, wrong};
use crate::channel::{Push, PushConfig};

/// How long one try at a push service may take, in milliseconds.
const PUSH_TIMEOUT_MS: u64 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    /// Whom a push service can ask about what comes from here.
    subject: String,
    /// A PEM file beside `desk.toml`: the private root that the push service's certificate comes from.
    root: Option<String>,
    /// The push service stands in the desk's own network, and is meant to.
    #[serde(default)]
    own_network: bool,
    #[serde(default = "calling_events")]
    events: Vec<ReceiptState>,
    #[serde(default = "told_of_warnings")]
    warnings: bool,
}

impl Entry {
    pub(super) fn read(self, data: &Path) -> Result<Channel, ChannelsError> {
        let config = PushConfig {
            root_pem: read_root(&self.name, self.root.as_ref(), data)?,
            subject: self.subject,
            timeout_ms: PUSH_TIMEOUT_MS,
            own_network: self.own_network,
        };
        let push = Push::new(config).map_err(|error| wrong(&self.name, &error))?;
        Ok(Channel {
            name: self.name,
            include: Include::default(),
            events: self.events,
            warnings: self.warnings,
            // The browser has the words.
            language: Language::default(),
            recipients: Vec::new(),
            on_duty: None,
            means: Means::Push(Arc::new(push)),
        })
    }
}
