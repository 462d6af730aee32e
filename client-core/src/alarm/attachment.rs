//! Photos and sound that go along with an alarm: sealed here, with the vault locked or not, and sent chunk by chunk behind
//! everything else. The update that names a file waits for the last of its chunks; updates made since go before it.

use baken_schemas::alarm::{AlarmAttachment, Fix, FixAbsent, MAX_ATTACHMENT_BYTES, MediaType, Update, UpdateBody};
use baken_schemas::api;
use baken_schemas::blob::BlobSealer;
use baken_schemas::cbor;
use baken_schemas::id::{AlarmId, BlobId};
use http::Method;
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::alarm::AlarmOutbox;
use crate::alarm::deliver::Answer;
use crate::alarm::outbox::{insert_update, last_update, phone, sealed};
use crate::alarm::schedule::Job;
use crate::client::{SignedClient, idempotency_of};
use crate::{Baken, BakenError, Context};

impl Baken {
    /// Sends a photo or sound along with an alarm; see [`AlarmOutbox::attach`].
    ///
    /// # Errors
    /// See [`AlarmOutbox::attach`].
    pub fn attach_to_alarm(&self, alarm: AlarmId, file: &[u8]) -> Result<MediaType, BakenError> {
        self.alarm_outbox()?.attach(alarm, file, &self.context)
    }
}

impl AlarmOutbox {
    /// Seals a photo (JPEG, PNG, WebP) or sound (Ogg, M4A, MP3, WAV) of at most [`MAX_ATTACHMENT_BYTES`] for those who have
    /// the alarm, and has it on disk when it returns. What it is, its first bytes say.
    ///
    /// # Errors
    /// [`BakenError::NotAPhotoOrSound`], [`BakenError::AlarmAttachmentTooLarge`], [`BakenError::NoSuchAlarm`], and those of
    /// the disk. Nothing was written then.
    pub fn attach(&self, alarm: AlarmId, file: &[u8], context: &Context) -> Result<MediaType, BakenError> {
        let media = MediaType::of(file).ok_or(BakenError::NotAPhotoOrSound)?;
        if file.len() > MAX_ATTACHMENT_BYTES {
            return Err(BakenError::AlarmAttachmentTooLarge);
        }
        let phone = self.read(phone)?;
        let made_at = context.now();
        let (chunks, blob) = context.with_rng(|rng| {
            let mut sealer = BlobSealer::new(file.len() as u64, rng)?;
            let (mut chunks, mut rest) = (Vec::new(), file);
            while let Some((index, len)) = sealer.next_chunk() {
                let (chunk, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                chunks.push((index, sealer.seal(chunk, rng)?));
                rest = after;
            }
            Ok::<_, BakenError>((chunks, sealer.finish()?))
        })?;
        let id = blob.blob;
        let body = UpdateBody {
            // Where the sender is now, the updates without a file say.
            fix: Fix::Absent(FixAbsent::NotYet),
            battery_percent: None,
            text: String::new(),
            made_at,
            attachment: Some(AlarmAttachment { media, blob }),
        };
        self.write(|tx| {
            let (_, content) = sealed(tx, alarm)?;
            let seq = last_update(tx, alarm)?.saturating_add(1);
            let place = (alarm, phone.device, seq);
            let update = context.with_rng(|rng| Update::seal(place, &body, &content, &phone.alarm_key, rng))?;
            insert_update(tx, &update)?;
            let mut insert = tx.prepare_cached(
                "INSERT INTO attachment_chunk (alarm, seq, blob, chunk, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (index, chunk) in &chunks {
                insert.execute(params![alarm.0, seq.cast_signed(), id.0, index, chunk])?;
            }
            Ok(())
        })?;
        self.bell.notify_one();
        Ok(media)
    }

    /// Sends a chunk. Whatever is more urgent and comes up meanwhile breaks it off: it is sent again, whole.
    pub(super) async fn send_chunk(
        &self,
        client: &SignedClient<'_>,
        (alarm, seq, chunk): (AlarmId, u64, u32),
        context: &Context,
    ) -> Result<Answer, BakenError> {
        let found: Option<(BlobId, Vec<u8>)> = self.read(|db| {
            let find = "SELECT blob, bytes FROM attachment_chunk WHERE alarm = ?1 AND seq = ?2 AND chunk = ?3";
            let place = params![alarm.0, seq.cast_signed(), chunk];
            Ok(db.query_row(find, place, |row| Ok((BlobId(row.get(0)?), row.get(1)?))).optional()?)
        })?;
        let Some((blob, bytes)) = found else { return Ok(Answer::Over) };
        let path = api::ALARM_CHUNK
            .replace("{alarm}", &alarm.to_string())
            .replace("{blob}", &blob.to_string())
            .replace("{chunk}", &chunk.to_string());
        let body = cbor::to_vec(&ByteVec::from(bytes));
        let key = idempotency_of(&path, &body);
        let mut sent = std::pin::pin!(client.send(Method::PUT, &path, body, key));
        loop {
            tokio::select! {
                answer = &mut sent => return Ok(Answer::Sent(answer?)),
                () = self.bell.notified() => {
                    let open = self.open_jobs(context.now())?;
                    let due = self.schedule().due(&open, context.now());
                    if due.iter().any(|job| *job < Job::Receipts(AlarmId([0; 16]))) {
                        return Ok(Answer::Over);
                    }
                }
            }
        }
    }

    /// The relay has this chunk.
    pub(super) fn note_chunk_stored(&self, alarm: AlarmId, seq: u64, chunk: u32) -> Result<(), BakenError> {
        self.at_chunk("DELETE FROM attachment_chunk", (alarm, seq, chunk))
    }

    /// The relay refused this chunk: those of other files go first.
    pub(super) fn note_chunk_refused(&self, alarm: AlarmId, seq: u64, chunk: u32) -> Result<(), BakenError> {
        self.at_chunk("UPDATE attachment_chunk SET refused = refused + 1", (alarm, seq, chunk))
    }

    fn at_chunk(&self, what: &str, (alarm, seq, chunk): (AlarmId, u64, u32)) -> Result<(), BakenError> {
        self.write(|tx| {
            let sql = format!("{what} WHERE alarm = ?1 AND seq = ?2 AND chunk = ?3");
            tx.execute(&sql, params![alarm.0, seq.cast_signed(), chunk])?;
            Ok(())
        })
    }
}

/// The next chunk to send: of an alarm that the relay has by data.
pub(super) fn waiting(db: &Connection) -> Result<Option<Job>, BakenError> {
    let next = "SELECT alarm, seq, chunk FROM attachment_chunk AS c
                WHERE EXISTS (SELECT 1 FROM receipt AS r WHERE r.alarm = c.alarm AND r.by_sms = 0)
                ORDER BY refused, rowid LIMIT 1";
    let next = db
        .prepare_cached(next)?
        .query_row([], |row| Ok(Job::Chunk(AlarmId(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?)));
    Ok(next.optional()?)
}
