//! `[[dc09]]` of `desk.toml`.

use std::collections::BTreeMap;

use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use serde::Deserialize;

use super::{AlarmCentre, Channel, ChannelsError, Include, Means, wrong};
use crate::dc09::events::CodeTable;
use crate::dc09::sender::Centre;
use crate::dc09::{Account, Coding, Form, Key, Prefix};

/// How often a receiver may be asked whether it is there, in seconds: EN 50136's classes lie between.
const SUPERVISION_S: std::ops::RangeInclusive<u32> = 5..=86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    /// `host:port`.
    address: String,
    backup: Option<String>,
    /// The number under which the centre knows this desk.
    account: Account,
    /// Numbers of single accounts of Baken, where the centre tells people apart.
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
    /// `hex:…` or `ascii:…`; without one everything goes in the clear.
    key: Option<String>,
    /// The longest silence towards each receiver, in seconds, as agreed with the centre.
    supervision_s: Option<u32>,
    #[serde(default)]
    person: bool,
    #[serde(default)]
    position: bool,
    #[serde(default = "Prefix::unused")]
    receiver: Prefix,
    #[serde(default = "Prefix::unused")]
    line: Prefix,
    #[serde(default)]
    form: Form,
    #[serde(default)]
    codes: CodeTable,
    area: Option<u8>,
    #[serde(default)]
    zone: u16,
    #[serde(default)]
    language: Language,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dc09::Entry({})", self.name)
    }
}

impl Entry {
    pub(super) fn read(self) -> Result<Channel, ChannelsError> {
        let wrong = |error: &dyn std::fmt::Display| wrong(&self.name, error);
        let key = self.key.as_deref().map(str::parse::<Key>).transpose().map_err(|error| wrong(&error))?;
        if self.supervision_s.is_some_and(|seconds| !SUPERVISION_S.contains(&seconds)) {
            let (least, most) = (SUPERVISION_S.start(), SUPERVISION_S.end());
            return Err(wrong(&format!("supervision_s is {least} to {most} seconds")));
        }
        let accounts = self
            .accounts
            .iter()
            .map(|(account, number)| Ok((account.parse()?, number.clone())))
            .collect::<Result<_, baken_schemas::FormatError>>()
            .map_err(|error| wrong(&error))?;
        let usual = Coding::new(self.account);
        let coding = Coding {
            receiver: self.receiver,
            line: self.line,
            form: self.form,
            codes: self.codes,
            area: self.area.unwrap_or(usual.area),
            zone: self.zone,
            language: self.language,
            ..usual
        };
        let mut centre = Centre::new(self.address, coding, key);
        centre.back_up = self.backup;
        let supervise_every_ms = self.supervision_s.map(|seconds| i64::from(seconds) * 1000);
        Ok(Channel {
            name: self.name,
            include: Include { kind: true, person: self.person, position: self.position, officer: false },
            // An alarm centre is told of the alarm itself.
            events: vec![ReceiptState::Received],
            warnings: false,
            language: self.language,
            recipients: Vec::new(),
            on_duty: None,
            means: Means::Dc09(Box::new(AlarmCentre { centre, accounts, supervise_every_ms })),
        })
    }
}
