//! The desk's rows. Every function takes a connection: `&Transaction` comes in as one where it writes, and whoever calls
//! decides what belongs into one transaction. Nothing is opened, signed or decided here.

pub(super) mod alarm;
pub(super) mod attachment;
pub(super) mod delivery;
pub(super) mod figure;
pub(super) mod incident;
pub(super) mod keeping;
pub(super) mod order;
pub(super) mod passed_on;
pub(super) mod push;
pub(super) mod receipt;
pub(super) mod sealed;
pub(super) mod session;
pub(super) mod tested;
mod trust;
pub(super) mod warning;
pub(super) mod watch;

pub(super) use alarm::{AlarmRow, Form, NewAlarm, NoteRow, UpdateRow};
pub(super) use delivery::{Claim, DeliveryRow, DeliveryState, NewDelivery, RecipientMark};
pub use receipt::OutgoingReceipt;
pub(super) use receipt::{NewReceipt, ReceiptRow, Sending};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::Schema;

pub(super) use trust::{
    add_enrolment, add_roster, card, directories, enrolments, put_card, put_directory, put_silence, rosters, silent,
};

/// The desk's database.
pub(super) const DATABASE: Schema = Schema {
    file: "desk.db",
    migrations: &[
        crate::audit::TABLE,
        include_str!("schema.sql"),
        include_str!("schema_2.sql"),
        // Makes the table of alarms anew: before those that add to it.
        include_str!("schema_3_deposit.sql"),
        include_str!("schema_4_sms.sql"),
        include_str!("schema_5_silence.sql"),
        include_str!("schema_6_channels.sql"),
        include_str!("schema_7_attachment.sql"),
        include_str!("schema_8_keeping.sql"),
        include_str!("schema_9_warnings.sql"),
        include_str!("schema_10_tested.sql"),
        include_str!("schema_11_follow_up.sql"),
        include_str!("schema_12_passed_on.sql"),
        include_str!("schema_13_incident.sql"),
        include_str!("schema_14_push.sql"),
    ],
};

fn meta(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", params![name], |row| row.get(0)).optional()
}

/// How far the mail of which generation of the relay has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailPosition {
    /// The relay's generation, 0 before the first mail.
    pub generation: u64,
    /// The last cursor taken.
    pub cursor: u64,
}

pub(super) fn mail_position(db: &Connection) -> rusqlite::Result<MailPosition> {
    let number =
        |name| -> rusqlite::Result<u64> { Ok(meta(db, name)?.and_then(|text| text.parse().ok()).unwrap_or_default()) };
    Ok(MailPosition { generation: number("generation")?, cursor: number("mail_cursor")? })
}

pub(super) fn put_mail_position(db: &Connection, position: MailPosition) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.execute(sql, params!["generation", position.generation.to_string()])?;
    db.execute(sql, params!["mail_cursor", position.cursor.to_string()])?;
    Ok(())
}
