//! A bridge's settings: where it is (`config.toml`, written by `init`), and its buttons (`bridge.toml`, by hand).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use serde::{Deserialize, Serialize};

use crate::dc09::events::CodeTable;
use crate::dc09::{Account, Key};
use crate::folder::{FolderError, read_whole};

/// The file of buttons.
pub const BUTTONS_FILE: &str = "bridge.toml";
/// What a new folder's `bridge.toml` explains.
pub const BUTTONS_TEMPLATE: &str = include_str!("bridge.toml");
/// The most buttons.
const MAX_BUTTONS: usize = 10_000;
/// The longest name of a button in bytes.
const MAX_NAME_BYTES: usize = 120;

/// `config.toml` of a bridge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeSettings {
    /// Where it listens for buttons.
    pub listen: SocketAddr,
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
    /// Its key; without one everything comes in the clear.
    pub key: Option<Key>,
    /// What its codes mean.
    pub codes: CodeTable,
}

/// Every button by its account.
pub type Buttons = HashMap<Account, Button>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonsFile {
    #[serde(default)]
    button: Vec<ButtonEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonEntry {
    account: Account,
    name: String,
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
    /// An entry of it cannot be used.
    #[error("bridge.toml, button {number}: {why}")]
    Entry {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads `bridge.toml` of a data folder; without the file there are no buttons.
///
/// # Errors
/// [`ButtonsError`], naming the entry and what to mend.
pub fn read_buttons(data: &Path) -> Result<Buttons, ButtonsError> {
    let path = data.join(BUTTONS_FILE);
    let bytes = match read_whole(&path) {
        Err(FolderError::Missing(_)) => return Ok(Buttons::new()),
        other => other?,
    };
    let damaged = |why: String| FolderError::Damaged { path: path.clone(), why };
    let text = String::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
    // The parser's longer words quote the line at fault, which may hold a key.
    let file: ButtonsFile = toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
    let mut buttons = Buttons::new();
    for (at, entry) in file.button.into_iter().enumerate() {
        let wrong = |why: String| ButtonsError::Entry { number: at + 1, why };
        let key = entry.key.as_deref().map(str::parse::<Key>).transpose().map_err(|error| wrong(error.to_string()))?;
        if entry.name.is_empty() || entry.name.len() > MAX_NAME_BYTES {
            return Err(wrong(format!("a name has 1 to {MAX_NAME_BYTES} bytes")));
        }
        let button = Button { name: entry.name, key, codes: entry.codes };
        if buttons.insert(entry.account, button).is_some() {
            return Err(wrong("another button has this account".to_owned()));
        }
        if buttons.len() > MAX_BUTTONS {
            return Err(wrong(format!("a bridge has at most {MAX_BUTTONS} buttons")));
        }
    }
    Ok(buttons)
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
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("FEDCBA"), "{error}");
        }
    }
}
