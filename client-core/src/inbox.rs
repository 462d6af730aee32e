//! The inbox: what is written down with the vault locked. It is sealed to a key whose other half lies in the vault, so it
//! takes no PIN to write and nobody reads it, not even who wrote it, before the vault is opened; then it becomes a record.
//!
//! It lies in the alarm outbox's file. Its key is that of the true vault: what somebody wrote about who threatens them is
//! never in the decoy that is opened under that very threat. Who makes a victim write a note, and then sees that it is not
//! there, has learnt that there is another vault (see SECURITY.md).

use baken_schemas::cbor;
use baken_schemas::circle::CircleKind;
use baken_schemas::crypto::{KemPublic, KemSecret, SymmetricKey, Wrapped, open, open_wrapped, seal, wrap};
use baken_schemas::id::RecordId;
use baken_schemas::record::{FieldNumber, KindNumber, MAX_VALUE_BYTES, Value};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rusqlite::{OptionalExtension as _, params};
use zeroize::Zeroizing;

use crate::record::checked_fields;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// The secret half of the inbox's key, in the vault.
const SECRET: &str = "inbox_key";
const KEY_LABEL: &str = "baken/inbox-key/v0";
const BODY_LABEL: &str = "baken/inbox-body/v0";
/// The most notes that wait for the vault to be opened.
const MAX_WAITING: u32 = 1_000;

/// A note as it lies there.
#[derive(Encode, Decode)]
struct SealedNote {
    /// The key of the body.
    #[n(0)]
    key: Wrapped,
    #[n(1)]
    body: ByteVec,
}

/// What a note says.
#[derive(Encode, Decode)]
struct NoteBody {
    /// The record that it becomes: taken twice, it is one.
    #[n(0)]
    record: RecordId,
    #[n(1)]
    kind: KindNumber,
    #[n(2)]
    fields: Vec<(FieldNumber, Value)>,
}

impl Baken {
    /// Writes down an incident, with the vault locked or not and without a PIN, and has it on disk when it returns. It is
    /// a record once the vault has been opened; until then nothing of it can be read or changed. How many wait.
    ///
    /// # Errors
    /// [`BakenError::NoInbox`] before the vault was first opened by this version, [`BakenError::InboxFull`],
    /// [`BakenError::UnknownField`], [`BakenError::ValueRefused`], and those of the disk.
    pub fn note_incident(&self, fields: Vec<(String, Value)>) -> Result<u32, BakenError> {
        let (kind, fields) = checked_fields("incident", fields)?;
        let body = Zeroizing::new(cbor::to_vec(&NoteBody {
            record: self.context.with_rng(|rng| RecordId::make(rng)),
            kind,
            fields,
        }));
        if body.len() > MAX_VALUE_BYTES {
            return Err(BakenError::ValueRefused);
        }
        let outbox = self.alarm_outbox()?;
        let public: Option<Vec<u8>> =
            outbox.read(|db| Ok(db.query_row("SELECT public FROM inbox_key", [], |row| row.get(0)).optional()?))?;
        let public =
            public.and_then(|bytes| cbor::from_slice::<KemPublic>(&bytes, "a key").ok()).ok_or(BakenError::NoInbox)?;
        let sealed = self.context.with_rng(|rng| {
            let key = SymmetricKey::make(rng);
            let wrapped = wrap(&public, None, KEY_LABEL, &[], key.as_bytes(), rng)?;
            let body = seal(&key, BODY_LABEL, &[], &body, rng).into();
            Ok::<_, BakenError>(cbor::to_vec(&SealedNote { key: wrapped, body }))
        })?;
        outbox.write(|tx| {
            let waiting: u32 = tx.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0))?;
            if waiting >= MAX_WAITING {
                return Err(BakenError::InboxFull);
            }
            tx.execute("INSERT INTO inbox (sealed) VALUES (?1)", [sealed])?;
            Ok(waiting.saturating_add(1))
        })
    }

    /// Makes records of what was written down while the true vault was locked. What cannot be taken now stays.
    pub(crate) fn take_inbox(&self) -> Result<(), BakenError> {
        // A guest's device has no dossier to put them into.
        if self.with_vault(|open| Ok(open.circles.home().membership().kind() != CircleKind::Dossier))? {
            return Ok(());
        }
        let secret = self.inbox_secret()?;
        let outbox = self.alarm_outbox()?;
        let notes: Vec<(i64, Vec<u8>)> = outbox.read(|db| {
            let mut statement = db.prepare("SELECT seq, sealed FROM inbox ORDER BY seq")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        for (seq, sealed) in notes {
            // One that this vault cannot open may be another's, before a journey or a recovery.
            let Some(note) = open_note(&secret, &sealed) else { continue };
            let (home, known) = self.with_vault(|open| {
                let mut known = open.vault.connection.prepare("SELECT 1 FROM record WHERE record = ?1")?;
                Ok((open.circles.home().id(), known.exists([note.record.0])?))
            })?;
            if !known {
                // One that cannot be taken in keeps none behind it out.
                if self.edit(home, note.record, note.kind, note.fields).is_err() {
                    continue;
                }
            }
            outbox.write(|tx| Ok(tx.execute("DELETE FROM inbox WHERE seq = ?1", [seq]).map(drop)?))?;
        }
        Ok(())
    }

    /// The secret half of the key; a new one where there is none. The public half lies where it is written to.
    fn inbox_secret(&self) -> Result<KemSecret, BakenError> {
        let damaged = || BakenError::VaultDamaged { part: "the inbox's key" };
        let secret = self.with_vault(|open| {
            let connection = &open.vault.connection;
            let kept: Option<ByteVec> = setting::read(connection, SECRET)?;
            if let Some(kept) = kept {
                return KemSecret::from_slice(&kept).ok_or_else(damaged);
            }
            let secret = self.context.with_rng(|rng| KemSecret::make(rng));
            setting::write(connection, SECRET, &ByteVec::from(secret.as_bytes().to_vec()))?;
            Ok(secret)
        })?;
        let public = cbor::to_vec(&secret.public());
        self.alarm_outbox()?.write(|tx| {
            tx.execute(
                "INSERT INTO inbox_key (id, public) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET public = ?1 WHERE public <> ?1",
                params![public],
            )?;
            Ok(())
        })?;
        Ok(secret)
    }
}

fn open_note(secret: &KemSecret, sealed: &[u8]) -> Option<NoteBody> {
    let note: SealedNote = cbor::from_slice(sealed, "a note of the inbox").ok()?;
    let key = open_wrapped(secret, None, KEY_LABEL, &[], &note.key).ok()?;
    let body = Zeroizing::new(open(&SymmetricKey::from_slice(&key)?, BODY_LABEL, &[], &note.body, BODY_LABEL).ok()?);
    cbor::from_slice(&body, BODY_LABEL).ok()
}
