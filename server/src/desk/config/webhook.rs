//! `[[webhook]]` of `desk.toml`.

use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use serde::Deserialize;

use super::{Channel, ChannelsError, Include, Means, every_event, read_root, told_of_warnings, wrong};
use crate::channel::{Webhook, WebhookConfig, WebhookSecret};

/// How long one try at a webhook may take, in milliseconds.
const WEBHOOK_TIMEOUT_MS: u64 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    url: String,
    secret: String,
    /// The secret that the receiver still checks with while it changes over.
    old_secret: Option<String>,
    /// A PEM file beside `desk.toml`: the private root that the receiver's certificate comes from.
    root: Option<String>,
    /// The receiver stands in the desk's own network, and is meant to.
    #[serde(default)]
    own_network: bool,
    #[serde(default)]
    kind: bool,
    #[serde(default)]
    person: bool,
    #[serde(default)]
    position: bool,
    #[serde(default)]
    officer: bool,
    #[serde(default = "every_event")]
    events: Vec<ReceiptState>,
    #[serde(default = "told_of_warnings")]
    warnings: bool,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "webhook::Entry({})", self.name)
    }
}

impl Entry {
    pub(super) fn read(self, data: &Path) -> Result<Channel, ChannelsError> {
        let wrong = |error: &dyn std::fmt::Display| wrong(&self.name, error);
        let secrets = std::iter::once(&self.secret)
            .chain(&self.old_secret)
            .map(|secret| secret.parse::<WebhookSecret>())
            .collect::<Result<_, _>>();
        let config = WebhookConfig {
            root_pem: read_root(&self.name, self.root.as_ref(), data)?,
            secrets: secrets.map_err(|error| wrong(&error))?,
            address: self.url,
            timeout_ms: WEBHOOK_TIMEOUT_MS,
            own_network: self.own_network,
        };
        let webhook = Arc::new(Webhook::new(&config).map_err(|error| wrong(&error))?);
        let include = Include { kind: self.kind, person: self.person, position: self.position, officer: self.officer };
        Ok(Channel {
            name: self.name,
            include,
            events: self.events,
            warnings: self.warnings,
            // Nothing in it is a sentence.
            language: Language::default(),
            recipients: Vec::new(),
            on_duty: None,
            means: Means::Webhook(webhook),
        })
    }
}
