//! Writes that happen once: the answer is kept in the transaction of the effect, and a repeat gets it again.

use axum::response::{IntoResponse, Response};
use http::header;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::Write;
use crate::relay::problem::Refusal;
use crate::relay::wakes::Topic;
use crate::store::Priority;

/// A successful answer: CBOR, or a signed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer(pub(super) Vec<u8>);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/cbor"), (header::CACHE_CONTROL, "no-store")], self.0).into_response()
    }
}

/// What a write did: its answer, and who is to be woken once it is committed.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) answer: Vec<u8>,
    pub(super) wakes: Vec<Topic>,
    /// What was written stays, and the caller is refused all the same. Such an answer is not kept.
    pub(super) refusal: Option<Refusal>,
}

impl Done {
    /// An empty answer, nobody woken.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// An empty answer, and these woken.
    pub(super) fn waking(wakes: Vec<Topic>) -> Self {
        Self { wakes, ..Self::default() }
    }
}

impl Relay {
    /// Runs a write once for each idempotency key.
    pub(super) async fn once(
        &self,
        write: Write,
        priority: Priority,
        mut op: impl FnMut(&Connection) -> Result<Done, Refusal> + Send + 'static,
    ) -> Result<Answer, Refusal> {
        let at = self.now();
        let done: Result<Done, Refusal> = self
            .store()
            .write(priority, move |db| {
                if let Some(answer) = earlier_answer(db, write)? {
                    return Ok(Done { answer, ..Done::default() });
                }
                let done = op(db)?;
                if done.refusal.is_some() {
                    return Ok(done);
                }
                db.prepare_cached(
                    "INSERT INTO idempotency (device, key, request_hash, body, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![write.device.0, write.key.0, write.request.0, done.answer, at.0])?;
                Ok(done)
            })
            .await;
        let done = done?;
        self.wakes().wake(&done.wakes);
        done.refusal.map_or(Ok(Answer(done.answer)), Err)
    }
}

fn earlier_answer(db: &Connection, write: Write) -> Result<Option<Vec<u8>>, Refusal> {
    let earlier = db
        .prepare_cached("SELECT request_hash, body FROM idempotency WHERE device = ?1 AND key = ?2")?
        .query_row(params![write.device.0, write.key.0], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?)))
        .optional()?;
    match earlier {
        Some((request, _)) if request != write.request.0 => Err(Refusal::IdempotencyConflict),
        Some((_, body)) => Ok(Some(body)),
        None => Ok(None),
    }
}
