//! What an organisation's root signs and hands the relay: directories, invites' registrations, roster lines,
//! dismissals. Nobody logs in for this; the signature is the permission, and a document that is here already changes
//! nothing.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::MailKind;
use baken_schemas::crypto::{Hash, VerifyKey};
use baken_schemas::id::DeviceId;
use baken_schemas::org::{Directory, Dismissal, InviteRegistration, OrgId, RosterLine};
use baken_schemas::signed::{Document as _, Signed, Unverified, label_of};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::read_body;
use crate::relay::dismissal;
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::once::Answer;
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::relay::trust;
use crate::relay::wakes::Topic;
use crate::store::Priority;

/// `GET /v0/orgs/{org}/directory`.
pub(super) async fn directory(State(relay): State<Relay>, Path(org): Path<String>) -> Response {
    let found = page::id::<Hash>(&org).and_then(|org| relay.trust().directory(OrgId(org)));
    match found {
        Ok(directory) => Answer(directory.bytes().to_vec()).into_response(),
        Err(Refusal::NoDirectory) => Refusal::NotFound.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST /v0/org-documents`.
pub(super) async fn post(State(relay): State<Relay>, request: Request) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: Request) -> Result<Answer, Refusal> {
    let body = read_body(request).await?;
    match label_of(&body)?.as_str() {
        Directory::LABEL => take_directory(relay, &body).await?,
        InviteRegistration::LABEL => take_registration(relay, &body).await?,
        RosterLine::LABEL => take_roster(relay, &body).await?,
        Dismissal::LABEL => dismissal::take(relay, &body).await?,
        _ => return Err(FormatError::WrongDocument { expected: "a document of an organisation's root" }.into()),
    }
    Ok(Answer(Vec::new()))
}

async fn take_directory(relay: &Relay, body: &[u8]) -> Result<(), Refusal> {
    let org = Unverified::<Directory>::parse(body)?.claims().org();
    if !relay.trust().serves(org) {
        return Err(Refusal::UnknownOrg);
    }
    let directory = Arc::new(Directory::verify(body, org)?);
    let (keys, entry) = (relay.keys(), &directory.value().relay);
    if entry.relay != keys.device || entry.sig != keys.sig.verify_key() {
        return Err(Refusal::OtherRelay);
    }
    let now = relay.now();
    let stored = Arc::clone(&directory);
    let op = move |db: &Connection| store_directory(db, org, &stored, now);
    let wakes: Vec<Topic> = relay.store().write(Priority::Normal, op).await?;
    relay.trust().take(org, Some(directory));
    relay.wakes().wake(&wakes);
    Ok(())
}

fn store_directory(
    db: &Connection,
    org: OrgId,
    directory: &Signed<Directory>,
    now: Timestamp,
) -> Result<Vec<Topic>, Refusal> {
    let value = directory.value();
    let version = i64::try_from(value.version).map_err(|_| Refusal::OlderVersion)?;
    if trust::directory_bytes(db, org, value.version)?.is_some_and(|there| there == directory.bytes()) {
        return Ok(Vec::new());
    }
    let newest: Option<i64> = db
        .prepare_cached("SELECT max(version) FROM directory WHERE org = ?1")?
        .query_row([org.0.0], |row| row.get(0))?;
    if newest.is_some_and(|newest| newest >= version) {
        return Err(Refusal::OlderVersion);
    }
    db.prepare_cached("INSERT INTO directory (org, version, bytes, at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        org.0.0,
        version,
        directory.bytes(),
        now.0
    ])?;
    audit::append_for(db, now, value.relay.relay, "directory_taken", &org, &format!("version_{version}"))?;
    let document = put_document(db, directory.bytes(), Keep::WithMail, now)?;
    let mut statement = db.prepare_cached("SELECT device FROM device WHERE org = ?1")?;
    let phones = statement.query_map([org.0.0], |row| row.get(0).map(DeviceId))?.collect::<Result<Vec<_>, _>>()?;
    let everybody = phones.into_iter().chain(value.desks.iter().map(|desk| desk.desk));
    Ok(everybody
        .map(|recipient| mail::put(db, (org, recipient), MailKind::Directory, document, now))
        .collect::<Result<_, _>>()?)
}

/// The root of an organisation, which its directory brought.
pub(super) fn root_of(relay: &Relay, org: OrgId) -> Result<VerifyKey, Refusal> {
    Ok(relay.trust().directory(org)?.value().root)
}

async fn take_registration(relay: &Relay, body: &[u8]) -> Result<(), Refusal> {
    let unverified = Unverified::<InviteRegistration>::parse(body)?;
    let root = root_of(relay, unverified.claims().org)?;
    let invite = unverified.verify(&root)?.into_value();
    relay
        .store()
        .write(Priority::Normal, move |db| {
            let there: Option<[u8; 32]> = db
                .prepare_cached("SELECT token_hash FROM invite WHERE invite = ?1")?
                .query_row([invite.invite.0], |row| row.get(0))
                .optional()?;
            match there {
                Some(token_hash) if token_hash == invite.token_hash.0 => return Ok(()),
                Some(_) => return Err(Refusal::Conflict),
                None => {}
            }
            db.prepare_cached(
                "INSERT INTO invite (invite, org, account, expires_at, token_hash, role) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                invite.invite.0,
                invite.org.0.0,
                invite.account.0,
                invite.expires_at.0,
                invite.token_hash.0,
                invite.role as u8
            ])?;
            Ok(())
        })
        .await
}

async fn take_roster(relay: &Relay, body: &[u8]) -> Result<(), Refusal> {
    let unverified = Unverified::<RosterLine>::parse(body)?;
    let (org, desk) = (unverified.claims().org, unverified.claims().desk);
    let line = unverified.verify(&root_of(relay, org)?)?;
    relay.trust().directory(org)?.value().desk(desk).ok_or(Refusal::NotFound)?;
    let now = relay.now();
    let op = move |db: &Connection| Ok(mail::put_once(db, (org, desk), MailKind::Roster, line.bytes(), now)?);
    let woken: Option<Topic> = relay.store().write::<_, Refusal>(Priority::Normal, op).await?;
    relay.wakes().wake(woken.as_slice());
    Ok(())
}
