//! `[[smtp]]` of `desk.toml`.

use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    Channel, ChannelsError, Include, Means, calling_events, read_recipients, read_root, told_of_warnings, wrong,
};
use crate::channel::{Encryption, Login, Mail, MailConfig, read_mail_address};
use crate::desk::duty::Reach;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    server: String,
    /// By default the usual one for the encryption.
    port: Option<u16>,
    /// `tls`, `starttls`, or `plain` to a machine in the desk's own network.
    #[serde(default)]
    encryption: Encryption,
    #[serde(default)]
    own_network: bool,
    login: Option<String>,
    password: Option<String>,
    /// A PEM file beside `desk.toml`: the private root that the server's certificate comes from.
    root: Option<String>,
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
        write!(f, "smtp::Entry({})", self.name)
    }
}

impl Entry {
    pub(super) fn read(self, data: &Path) -> Result<Channel, ChannelsError> {
        let login = match (self.login, self.password) {
            (Some(name), Some(password)) => Some(Login { name, password: Zeroizing::new(password) }),
            (None, None) => None,
            _ => return Err(wrong(&self.name, &"give both login and password, or neither")),
        };
        let config = MailConfig {
            port: self.port.unwrap_or(self.encryption.usual_port()),
            encryption: self.encryption,
            own_network: self.own_network,
            root_pem: read_root(&self.name, self.root.as_ref(), data)?,
            login,
            ..MailConfig::new(self.server, self.from)
        };
        let mail = Mail::new(config).map_err(|error| wrong(&self.name, &error))?;
        let (recipients, on_duty) = read_recipients(&self.name, self.to, |to| read_mail_address(to).is_some())?;
        let include = Include { kind: self.kind, person: self.person, position: self.position, officer: self.officer };
        Ok(Channel {
            name: self.name,
            include,
            events: self.events,
            warnings: self.warnings,
            language: self.language,
            recipients,
            on_duty: on_duty.then_some(Reach::Mail),
            means: Means::Smtp(Arc::new(mail)),
        })
    }
}
