//! Mailboxes: documents for one device, read by cursor and never taken out by reading.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::api::{Item, Mail, MailKind, PAGE_BYTES, Page};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::DeviceId;
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use http::Uri;
use rusqlite::{Connection, params, params_from_iter};

use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, Caller};
use crate::relay::once::Answer;
use crate::relay::page::{self, After, PAGE_ROWS};
use crate::relay::problem::Refusal;
use crate::relay::taken;
use crate::relay::wakes::Topic;
use crate::store::StoreError;

/// `GET /v0/mail?after=`.
pub(super) async fn page(State(relay): State<Relay>, uri: Uri, request: ByAnyKey) -> Response {
    read_page(&relay, &uri, &request.caller).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read_page(relay: &Relay, uri: &Uri, caller: &Caller) -> Result<Answer, Refusal> {
    let After { after } = page::query(uri)?;
    relay.presence().note(caller, relay.now());
    let (recipient, orgs, generation) = (caller.device(), caller.orgs(), relay.generation());
    let after = after.unwrap_or(0);
    let read = move |db: &Connection| Ok::<_, StoreError>((read(db, recipient, &orgs, after)?, taken::newest(db)?));
    let (Found { mail, more }, newest) = relay.store().read_page(read).await?;
    relay.taken().note(recipient, after, newest);
    let items = mail.into_iter().map(|(cursor, mail)| Item { cursor, bytes: cbor::to_vec(&mail).into() });
    Ok(Answer(cbor::to_vec(&Page { items: items.collect(), more, generation, floor: 0 })))
}

/// As much mail as goes into one page, each at its cursor.
pub(super) struct Found {
    pub(super) mail: Vec<(u64, Mail)>,
    more: bool,
}

/// A recipient's mail behind a cursor.
pub(super) fn read(db: &Connection, recipient: DeviceId, orgs: &[OrgId], after: u64) -> Result<Found, StoreError> {
    let places = vec!["?"; orgs.len()].join(", ");
    let mut statement = db.prepare_cached(&format!(
        "SELECT m.cursor, m.kind, d.bytes FROM mail m JOIN document d ON d.document = m.document
         WHERE m.recipient = ? AND m.cursor > ? AND m.org IN ({places}) ORDER BY m.cursor LIMIT ?"
    ))?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut values: Vec<&dyn rusqlite::ToSql> = vec![&recipient.0, &after];
    values.extend(orgs.iter().map(|org| &org.0.0 as &dyn rusqlite::ToSql));
    values.push(&PAGE_ROWS);
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Found { mail: Vec::new(), more: false };
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let (cursor, kind, document): (u64, u8, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        size += document.len();
        if found.mail.len() + 1 == PAGE_ROWS || (size > PAGE_BYTES && !found.mail.is_empty()) {
            found.more = true;
            break;
        }
        found.mail.push((cursor, Mail { kind: kind_of(kind)?, document: document.into() }));
    }
    Ok(found)
}

fn number_of(kind: MailKind) -> u8 {
    match kind {
        MailKind::Alarm => 0,
        MailKind::Update => 1,
        MailKind::Note => 2,
        MailKind::Receipt => 3,
        MailKind::Enrolment => 4,
        MailKind::Roster => 5,
        MailKind::Directory => 6,
        MailKind::Order => 7,
        MailKind::Silence => 8,
        MailKind::Timers => 9,
        MailKind::Sms => 12,
        MailKind::Escalation => 13,
        MailKind::HandingOn => 14,
        MailKind::Settlement => 15,
        MailKind::NoteOfRemoved => 16,
    }
}

fn kind_of(number: u8) -> Result<MailKind, StoreError> {
    use MailKind::{
        Alarm, Directory, Enrolment, Escalation, HandingOn, Note, NoteOfRemoved, Order, Receipt, Roster, Settlement,
        Silence, Sms, Timers, Update,
    };
    let all = [
        Alarm,
        Update,
        Note,
        Receipt,
        Enrolment,
        Roster,
        Directory,
        Order,
        Silence,
        Timers,
        Sms,
        Escalation,
        HandingOn,
        Settlement,
        NoteOfRemoved,
    ];
    all.into_iter().find(|kind| number_of(*kind) == number).ok_or(StoreError::Damaged)
}

/// How long a document is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// As long as its alarm.
    WithAlarm,
    /// As long as the mail.
    WithMail,
}

/// Keeps a document; its number.
pub(super) fn put_document(db: &Connection, bytes: &[u8], keep: Keep, at: Timestamp) -> Result<i64, StoreError> {
    db.prepare_cached("INSERT INTO document (bytes, lasts, at) VALUES (?1, ?2, ?3)")?.execute(params![
        bytes,
        keep == Keep::WithAlarm,
        at.0
    ])?;
    Ok(db.last_insert_rowid())
}

/// Puts a document into a mailbox; who is to be woken.
pub(super) fn put(
    db: &Connection,
    (org, recipient): (OrgId, DeviceId),
    kind: MailKind,
    document: i64,
    at: Timestamp,
) -> Result<Topic, StoreError> {
    db.prepare_cached("INSERT INTO mail (org, recipient, kind, document, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![org.0.0, recipient.0, number_of(kind), document, at.0])?;
    Ok(Topic::Mail(recipient))
}

/// Puts a document into a mailbox unless these very bytes went that way before.
pub(super) fn put_once(
    db: &Connection,
    to: (OrgId, DeviceId),
    kind: MailKind,
    bytes: &[u8],
    at: Timestamp,
) -> Result<Option<Topic>, StoreError> {
    let hash = Hash::of("baken/relay-sent/v0", &[&to.0.0.0, &to.1.0, bytes]);
    let first = db
        .prepare_cached("INSERT OR IGNORE INTO sent_once (hash, at) VALUES (?1, ?2)")?
        .execute(params![hash.0, at.0])?;
    if first == 0 {
        return Ok(None);
    }
    let document = put_document(db, bytes, Keep::WithMail, at)?;
    put(db, to, kind, document, at).map(Some)
}
