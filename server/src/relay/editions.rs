//! Editions: published by whoever a root that is trusted here names, read by anybody. The relay keeps the newest of each,
//! file by file, so that whoever has most of the files fetches the rest; and some of the files that those replaced, so
//! that whoever has one of these fetches only how it changed.
//!
//! It believes no publication that a phone would not: the same rules, from the same start. What the files say it does not
//! look at.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use baken_schemas::FormatError;
use baken_schemas::api::Publication;
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::edition::signed::{
    Accepted, EditionError, EditionHead, EditionName, EditionRoot, accept, file_hash,
};
use baken_schemas::edition::{FileChange, shipped};
use baken_schemas::id::DeviceId;
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::read_body;
use crate::relay::once::Answer;
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// The most replaced files that are kept, of all editions together: of 256 KiB at most.
const MAX_REPLACED: u32 = 64;

/// `GET /v0/editions/{edition}`.
pub(super) async fn head(State(relay): State<Relay>, Path(edition): Path<String>) -> Response {
    let found = page::id::<EditionName>(&edition)
        .and_then(|name| relay.store().read(|db| stored_head(db, name))?.ok_or(Refusal::NoEdition));
    found.map_or_else(|refusal| refusal.into_response(), |head| Answer(head).into_response())
}

/// `GET /v0/edition-files/{hash}`.
pub(super) async fn file(State(relay): State<Relay>, Path(hash): Path<String>) -> Response {
    let found = page::id::<Hash>(&hash)
        .and_then(|hash| relay.store().read(|db| stored_file(db, hash))?.ok_or(Refusal::NoEdition));
    let answer = |bytes: Vec<u8>| Answer(cbor::to_vec(&ByteVec::from(bytes))).into_response();
    found.map_or_else(|refusal| refusal.into_response(), answer)
}

/// `GET /v0/edition-files/{hash}/from/{old}`.
pub(super) async fn change(State(relay): State<Relay>, Path((hash, old)): Path<(String, String)>) -> Response {
    change_of(&relay, &hash, &old).await.map_or_else(|refusal| refusal.into_response(), IntoResponse::into_response)
}

async fn change_of(relay: &Relay, hash: &str, old: &str) -> Result<Answer, Refusal> {
    let (hash, old) = (page::id::<Hash>(hash)?, page::id::<Hash>(old)?);
    // Anybody may ask, so one at a time: who comes meanwhile fetches the whole file.
    let _one = relay.changes().try_acquire().map_err(|_| Refusal::TooOften)?;
    let read = |hash| {
        let stored = relay.store().read(|db| stored_file(db, hash))?;
        stored.or_else(|| shipped_file(hash)).ok_or(Refusal::NoEdition)
    };
    let (new, old) = (read(hash)?, read(old)?);
    // Some milliseconds for the largest of files: not on the threads that carry alarms.
    let change = tokio::task::spawn_blocking(move || FileChange::between(&old, &new)).await;
    let change = change.ok().flatten().ok_or(Refusal::NoEdition)?;
    Ok(Answer(cbor::to_vec(&change)))
}

/// A file of the edition that this program was built with: phones that were never updated have it.
fn shipped_file(hash: Hash) -> Option<Vec<u8>> {
    static FILES: OnceLock<BTreeMap<Hash, String>> = OnceLock::new();
    let files =
        FILES.get_or_init(|| shipped::files().into_values().map(|text| (file_hash(text.as_bytes()), text)).collect());
    files.get(&hash).map(|text| text.clone().into_bytes())
}

/// `POST /v0/editions`.
pub(super) async fn post(State(relay): State<Relay>, request: Request) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: Request) -> Result<Answer, Refusal> {
    if !relay.publications().allow(request.extensions(), relay.now()) {
        return Err(Refusal::TooOften);
    }
    let body = read_body(request).await?;
    let publication: Publication = cbor::from_slice(&body, "a publication")?;
    let name = claimed_name(&publication.head)?;
    let anchor = anchor(relay, name)?;
    // Strangers do not get as far as the writer.
    accept(&anchor, None, &publication.head)?;
    let (now, own) = (relay.now(), relay.keys().device);
    let op = move |db: &Connection| store(db, &anchor, &publication, own, now);
    relay.store().write::<_, Refusal>(Priority::Normal, op).await?;
    Ok(Answer(Vec::new()))
}

/// Which edition a head says it is.
fn claimed_name(head: &EditionHead) -> Result<EditionName, FormatError> {
    use baken_schemas::edition::signed::{Countersigned, Manifest};
    Ok(Countersigned::<Manifest>::parse(&head.manifest)?.claims().edition)
}

/// The root that an edition's roots start from here.
fn anchor(relay: &Relay, name: EditionName) -> Result<EditionRoot, Refusal> {
    match name.org() {
        None => relay.options().national_root.clone().ok_or(Refusal::NoNationalRoot),
        Some(org) => Ok(EditionRoot::of_org(name, &relay.trust().directory(org)?.value().root)),
    }
}

fn store(
    db: &Connection,
    anchor: &EditionRoot,
    publication: &Publication,
    own: DeviceId,
    now: Timestamp,
) -> Result<(), Refusal> {
    let name = anchor.edition;
    let held = held(db, anchor)?;
    let accepted = accept(anchor, held.as_ref(), &publication.head)?;
    if held.is_some_and(|held| held.manifest == accepted.manifest && held.root == accepted.root) {
        return Ok(());
    }
    let sent: BTreeMap<Hash, &[u8]> = publication.files.iter().map(|file| (file_hash(file), &file[..])).collect();
    db.prepare_cached("DELETE FROM edition_part WHERE edition = ?1")?.execute([name.to_string()])?;
    for entry in &accepted.manifest.files {
        let length = match (sent.get(&entry.sha256), stored_file(db, entry.sha256)?) {
            (_, Some(there)) => there.len(),
            (Some(bytes), None) => {
                db.prepare_cached("INSERT INTO edition_file (hash, bytes) VALUES (?1, ?2)")?
                    .execute(params![entry.sha256.0, bytes])?;
                bytes.len()
            }
            (None, None) => return Err(EditionError::File(entry.path.clone()).into()),
        };
        if u32::try_from(length) != Ok(entry.length) {
            return Err(EditionError::File(entry.path.clone()).into());
        }
        // Two files may have the same bytes.
        db.prepare_cached("INSERT OR IGNORE INTO edition_part (edition, hash) VALUES (?1, ?2)")?
            .execute(params![name.to_string(), entry.sha256.0])?;
    }
    // What was replaced last stays for a while. It is found by its hash alone, and is as public as it was.
    db.prepare_cached(
        "DELETE FROM edition_file WHERE hash NOT IN (SELECT hash FROM edition_part) AND rowid NOT IN
             (SELECT rowid FROM edition_file WHERE hash NOT IN (SELECT hash FROM edition_part)
              ORDER BY rowid DESC LIMIT ?1)",
    )?
    .execute([MAX_REPLACED])?;
    db.prepare_cached("INSERT OR REPLACE INTO edition (edition, head, at) VALUES (?1, ?2, ?3)")?.execute(params![
        name.to_string(),
        cbor::to_vec(&accepted.head),
        now.0
    ])?;
    audit::append_for(db, now, own, "edition_taken", &name, &format!("version_{}", accepted.manifest.version))?;
    Ok(())
}

/// What is here, checked as it was when it came.
fn held(db: &Connection, anchor: &EditionRoot) -> Result<Option<Accepted>, StoreError> {
    let Some(bytes) = stored_head(db, anchor.edition)? else { return Ok(None) };
    let head: EditionHead = cbor::from_slice(&bytes, "an edition's head").map_err(|_| StoreError::Damaged)?;
    // One that the root trusted now does not lead to counts for nothing: the operator has put another root here.
    Ok(accept(anchor, None, &head).ok())
}

fn stored_head(db: &Connection, name: EditionName) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = db.prepare_cached("SELECT head FROM edition WHERE edition = ?1")?;
    Ok(statement.query_row([name.to_string()], |row| row.get(0)).optional()?)
}

fn stored_file(db: &Connection, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = db.prepare_cached("SELECT bytes FROM edition_file WHERE hash = ?1")?;
    Ok(statement.query_row([hash.0], |row| row.get(0)).optional()?)
}
