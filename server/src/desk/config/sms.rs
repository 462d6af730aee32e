//! `[[sms]]` of `desk.toml`.

use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    Channel, ChannelsError, Include, Means, calling_events, read_recipients, read_root, told_of_warnings, wrong,
};
use crate::channel::sms::{GatewayKind, Sms, SmsConfig, SmsError, is_number};
use crate::desk::duty::Reach;

/// Where gateways' callbacks come in: `/callbacks/<channel>/<part>`.
const CALLBACKS: &str = "callbacks";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    gateway: GatewayKind,
    /// By default the gateway's own.
    url: Option<String>,
    #[serde(default)]
    own_network: bool,
    root: Option<String>,
    account: Option<String>,
    token: String,
    callback_secret: Option<String>,
    /// Where the gateway reaches this console, `https://…`: it may be a proxy that passes on `/callbacks/` alone.
    callback_url: String,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    language: Language,
    #[serde(default)]
    kind: bool,
    #[serde(default)]
    person: bool,
    #[serde(default)]
    position: bool,
    #[serde(default)]
    officer: bool,
    #[serde(default = "calling_events")]
    events: Vec<ReceiptState>,
    #[serde(default = "told_of_warnings")]
    warnings: bool,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sms::Entry({})", self.name)
    }
}

impl Entry {
    pub(super) fn read(self, data: &Path) -> Result<Channel, ChannelsError> {
        let wrong = |error: &dyn std::fmt::Display| wrong(&self.name, error);
        let mut callback = reqwest::Url::parse(&self.callback_url).map_err(|_| wrong(&SmsError::Callback))?;
        callback
            .path_segments_mut()
            .map_err(|()| wrong(&SmsError::Callback))?
            .pop_if_empty()
            .extend([CALLBACKS, &self.name]);
        let config = SmsConfig {
            gateway: self.gateway,
            url: self.url,
            own_network: self.own_network,
            root_pem: read_root(&self.name, self.root.as_ref(), data)?,
            account: self.account,
            token: Zeroizing::new(self.token),
            callback_secret: self.callback_secret.map(Zeroizing::new),
            from: self.from,
            callback,
        };
        let sms = Sms::new(config).map_err(|error| wrong(&error))?;
        let (recipients, on_duty) = read_recipients(&self.name, self.to, is_number)?;
        let include = Include { kind: self.kind, person: self.person, position: self.position, officer: self.officer };
        Ok(Channel {
            name: self.name,
            include,
            events: self.events,
            warnings: self.warnings,
            language: self.language,
            recipients,
            on_duty: on_duty.then_some(Reach::Phone),
            means: Means::Sms(Arc::new(sms)),
        })
    }
}
