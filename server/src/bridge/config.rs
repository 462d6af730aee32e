//! A bridge's settings: where it is (`config.toml`, written by `init`), and its buttons (`bridge.toml`, by hand).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use baken_schemas::Language;
use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::dc09::events::CodeTable;
use crate::dc09::{Account, Key};
use crate::folder::{FolderError, read_whole};

/// The file of buttons.
pub const BUTTONS_FILE: &str = "bridge.toml";
/// What a new folder's `bridge.toml` explains.
pub const BUTTONS_TEMPLATE: &str = include_str!("bridge.toml");
/// The most buttons.
const MAX_BUTTONS: usize = 10_000;
/// The longest name of a button, and of a person, in bytes.
const MAX_NAME_BYTES: usize = 120;
/// The longest that a button may be silent, in seconds: 40 days, beyond what any class of EN 50136 allows.
const MAX_SUPERVISE_S: u32 = 40 * 24 * 3_600;

/// The shortest token or secret of a gateway in bytes.
const MIN_SECRET_BYTES: usize = 16;

/// `config.toml` of a bridge. It listens wherever it is told to, and nowhere else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeSettings {
    /// Where it listens for buttons over TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Where it listens for buttons over UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<SocketAddr>,
    /// Where it listens for buttons over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<SocketAddr>,
    /// The certificate chain for TLS, PEM; without one the folder's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// What it writes to the desk in.
    #[serde(default)]
    pub language: Language,
    /// The organisation.
    pub org: OrgId,
    /// The account that it was invited for.
    pub account: AccountId,
}

/// A hardware button, or a panel with several.
#[derive(Debug, Clone)]
pub struct Button {
    /// What people call it: its place.
    pub name: String,
    /// Whose it is, where it is somebody's.
    pub person: Option<String>,
    /// How long it may be silent, in milliseconds; 0 for ever.
    pub supervise_ms: i64,
    /// Its key; without one everything comes in the clear.
    pub key: Option<Key>,
    /// What its codes mean.
    pub codes: CodeTable,
}

impl Button {
    /// The name, and whose it is: what the desk reads.
    pub fn label(&self) -> String {
        match &self.person {
            Some(person) => format!("{} ({person})", self.name),
            None => self.name.clone(),
        }
    }
}

/// Every button by its account.
pub type Buttons = HashMap<Account, Button>;

/// Where text messages come in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateways {
    /// Where the gateways' callbacks are listened for. Without `tls` only on this machine itself, behind a proxy.
    pub listen: SocketAddr,
    /// With the certificate that is used for buttons: gateways trust public ones only.
    #[serde(default)]
    pub tls: bool,
    /// Twilio's callbacks.
    pub twilio: Option<Twilio>,
    /// CM.com's.
    pub cm: Option<Cm>,
}

/// How Twilio calls.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// The address exactly as it stands at Twilio, which signs it.
    pub url: String,
    /// The account's token, which signs callbacks.
    #[serde(deserialize_with = "secret")]
    pub auth_token: Zeroizing<String>,
}

/// How CM.com calls.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cm {
    /// What stands in the header `X-Baken-Secret`, or last in the path.
    #[serde(deserialize_with = "secret")]
    pub secret: Zeroizing<String>,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

macro_rules! blank_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
blank_debug!(Twilio, Cm);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonsFile {
    #[serde(default)]
    button: Vec<ButtonEntry>,
    sms: Option<Gateways>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonEntry {
    account: Account,
    name: String,
    /// Whose it is.
    person: Option<String>,
    /// The longest that it may be silent, in seconds.
    supervise_s: Option<u32>,
    /// `hex:…` or `ascii:…`.
    key: Option<String>,
    #[serde(default)]
    codes: CodeTable,
}

/// Why the buttons cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ButtonsError {
    /// The file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its part about text messages cannot be used.
    #[error("bridge.toml, [sms]: {0}")]
    Sms(&'static str),
    /// An entry of it cannot be used.
    #[error("bridge.toml, button {number}: {why}")]
    Entry {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads where text messages come in; `None` where they do not.
///
/// # Errors
/// [`ButtonsError`].
pub fn read_gateways(data: &Path) -> Result<Option<Gateways>, ButtonsError> {
    let Some(gateways) = read_file(data)?.and_then(|file| file.sms) else { return Ok(None) };
    if gateways.twilio.is_none() && gateways.cm.is_none() {
        return Err(ButtonsError::Sms("say by which gateway: [sms.twilio] or [sms.cm]"));
    }
    let secrets =
        [gateways.twilio.as_ref().map(|twilio| &twilio.auth_token), gateways.cm.as_ref().map(|cm| &cm.secret)];
    if secrets.into_iter().flatten().any(|secret| secret.len() < MIN_SECRET_BYTES) {
        return Err(ButtonsError::Sms("a token or secret has at least 16 characters"));
    }
    if !gateways.tls && !gateways.listen.ip().is_loopback() {
        return Err(ButtonsError::Sms(
            "without `tls = true` listen on 127.0.0.1, behind a proxy that has a certificate",
        ));
    }
    Ok(Some(gateways))
}

/// Reads the buttons of a data folder; without the file there are none.
///
/// # Errors
/// [`ButtonsError`], naming the entry and what to mend.
pub fn read_buttons(data: &Path) -> Result<Buttons, ButtonsError> {
    let Some(file) = read_file(data)? else { return Ok(Buttons::new()) };
    let mut buttons = Buttons::new();
    for (at, entry) in file.button.into_iter().enumerate() {
        let wrong = |why: String| ButtonsError::Entry { number: at + 1, why };
        let key = entry.key.as_deref().map(str::parse::<Key>).transpose().map_err(|error| wrong(error.to_string()))?;
        let names = std::iter::once(&entry.name).chain(&entry.person);
        if names.into_iter().any(|name| name.is_empty() || name.len() > MAX_NAME_BYTES) {
            return Err(wrong(format!("a name has 1 to {MAX_NAME_BYTES} bytes")));
        }
        if entry.supervise_s.is_some_and(|seconds| seconds == 0 || seconds > MAX_SUPERVISE_S) {
            return Err(wrong(format!(
                "supervise_s is 1 to {MAX_SUPERVISE_S}; leave it out for a button that may be silent"
            )));
        }
        let button = Button {
            name: entry.name,
            person: entry.person,
            supervise_ms: i64::from(entry.supervise_s.unwrap_or_default()) * 1000,
            key,
            codes: entry.codes,
        };
        if buttons.insert(entry.account, button).is_some() {
            return Err(wrong("another button has this account".to_owned()));
        }
        if buttons.len() > MAX_BUTTONS {
            return Err(wrong(format!("a bridge has at most {MAX_BUTTONS} buttons")));
        }
    }
    Ok(buttons)
}

fn read_file(data: &Path) -> Result<Option<ButtonsFile>, ButtonsError> {
    let path = data.join(BUTTONS_FILE);
    let bytes = match read_whole(&path) {
        Err(FolderError::Missing(_)) => return Ok(None),
        other => other?,
    };
    let damaged = |why: String| FolderError::Damaged { path: path.clone(), why };
    let text = String::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
    // The parser's longer words quote the line at fault, which may hold a key.
    Ok(toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Buttons, ButtonsError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(BUTTONS_FILE), text).unwrap();
        read_buttons(folder.path())
    }

    const BUTTON: &str = "[[button]]\naccount = \"B007\"\nname = \"Balie\"\nkey = \"ascii:FEDCBA9876543210\"\n";

    #[test]
    fn the_file_that_init_writes_has_no_buttons_yet() {
        assert!(read(BUTTONS_TEMPLATE).unwrap().is_empty());
        assert_eq!(read(&BUTTONS_TEMPLATE.replace("\n#. ", "\n")).unwrap().len(), 1);
    }

    #[test]
    fn mistakes_are_named_without_showing_keys() {
        for (text, expected) in [
            (format!("{BUTTON}{BUTTON}"), "another button"),
            (BUTTON.replace("ascii:", ""), "hex:"),
            (BUTTON.replace("Balie", ""), "a name has"),
            (BUTTON.replace("name", "nam"), "nam"),
            (format!("{BUTTON}person = \"\"\n"), "a name has"),
            (format!("{BUTTON}supervise_s = 0\n"), "supervise_s"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("FEDCBA"), "{error}");
        }
    }

    #[test]
    fn gateways_are_read_and_their_mistakes_are_named_without_showing_secrets() {
        let read = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(BUTTONS_FILE), text).unwrap();
            read_gateways(folder.path())
        };
        const SMS: &str = "[sms]\nlisten = \"127.0.0.1:0\"\n[sms.cm]\nsecret = \"0123456789abcdef\"\n";
        assert!(read(BUTTON).unwrap().is_none());
        assert!(read(SMS).unwrap().unwrap().cm.is_some());
        for (text, expected) in [
            (SMS.split("[sms.cm]").next().unwrap().to_owned(), "by which gateway"),
            (SMS.replace("0123456789abcdef", "0123456789"), "at least 16"),
            (SMS.replace("127.0.0.1", "0.0.0.0"), "behind a proxy"),
            (SMS.replace("secret", "sekret"), "sekret"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("0123456789"), "{error}");
        }
    }
}
