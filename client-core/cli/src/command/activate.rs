//! `baken activate`: from an invite to a device.

use baken_core::BakenError;
use baken_core::transport::http::{Dates, HttpTransport, Trust};
use baken_schemas::org::Invite;
use serde_json::json;

use super::read_stdin;
use crate::args::{ActivateArgs, Arguments};
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::{Phone, clock};
use crate::text;

pub async fn run(arguments: &Arguments, activate: &ActivateArgs, out: &Output) -> Result<End, Failure> {
    let invite = if activate.invite == "-" { read_stdin(false)? } else { activate.invite.clone() };
    // Looked at before a PIN is asked for. The signature is checked by the core, once it has the directory.
    let unverified = Invite::from_text(&invite).map_err(BakenError::InviteInvalid)?;
    let phone = Phone::open(arguments)?;
    let pin = if phone.baken.is_activated() { phone.pin(out)? } else { phone.new_pin(out)? };
    let claims = unverified.claims();
    let relay = HttpTransport::new(&claims.relay_url, Trust::Pinned(claims.tls_root_sha256), Dates::Checked, clock())?;
    phone.baken.activate(&relay, &invite, &pin, &activate.name).await?;

    let directory = phone.baken.directory()?;
    let status = phone.baken.status()?;
    out.json(&json!({
        "activated": true,
        "account": status.account,
        "device": status.device,
        "organisation": directory.name,
        "operator_reads_alarms": directory.relay.operator_reads_alarms,
    }));
    out.line(text::ACTIVATED.with(out.language, &[&directory.name]));
    if directory.relay.operator_reads_alarms {
        out.line(text::OPERATOR_READS.of(out.language));
    }
    out.line(text::FILE_KEY.of(out.language));
    Ok(End::Done)
}
