//! Following alarms while the program runs: rounds when something is due, the relay's live stream in between.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

use baken_schemas::FormatError;
use baken_schemas::api::{self, LiveEvent};
use baken_schemas::cbor;
use baken_schemas::id::IdempotencyKey;
use data_encoding::BASE64;
use futures_util::{Stream, StreamExt as _};
use rusqlite::params;

use crate::alarm::deliver::{client, mail_place};
use crate::alarm::outbox::phone;
use crate::alarm::receipts::take_mail;
use crate::alarm::schedule::{backoff_ms, jittered};
use crate::alarm::{AlarmOutbox, Round};
use crate::timer;
use crate::transport::{EventStream, Transport};
use crate::{BakenError, Context};

impl AlarmOutbox {
    /// Delivers and listens, with a probe every few minutes, until `tell` breaks: it is called after every round and every
    /// event. Endless otherwise, whatever the network does. May be cancelled anywhere.
    ///
    /// # Errors
    /// Those of the disk only.
    pub async fn follow(
        &self,
        transport: &dyn Transport,
        context: &Context,
        tell: &mut (dyn FnMut(&Round) -> ControlFlow<()> + Send),
    ) -> Result<(), BakenError> {
        let mut events = self.events(transport, context);
        loop {
            let round = self.deliver(transport, context).await?;
            // After what matters, and whatever is wrong with it ends nothing: that nothing is proven then shows.
            let _ = self.probe_when_due(context);
            if tell(&round).is_break() {
                return Ok(());
            }
            loop {
                let wait_ms = u64::try_from(self.next_due_ms(context.now())?).unwrap_or_default();
                tokio::select! {
                    () = timer::sleep(Duration::from_millis(wait_ms)) => break,
                    () = self.bell.notified() => break,
                    Some(data) = events.next() => {
                        let round = self.take_event(&data, context)?;
                        if tell(&round).is_break() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Judges and keeps one event of the live stream, and moves the mail cursor in the same transaction. Events that
    /// are not mail, and mail that is known, change nothing.
    ///
    /// # Errors
    /// Those of the disk only.
    pub fn take_event(&self, data: &str, context: &Context) -> Result<Round, BakenError> {
        let mut round = Round::default();
        let event = match decode_event(data) {
            Ok(event) => event,
            Err(error) => {
                round.error = Some(BakenError::BadAnswer(error));
                return Ok(round);
            }
        };
        let LiveEvent::Mail { cursor, mail } = event else { return Ok(round) };
        let now = context.now();
        let verdict = self.write(|tx| {
            if cursor <= mail_place(tx)?.cursor {
                return Ok(None);
            }
            let verdict = take_mail(tx, &mail, now)?;
            tx.execute("UPDATE phone SET mail_cursor = ?1", params![cursor.cast_signed()])?;
            Ok(Some(verdict))
        })?;
        if let Some(verdict) = verdict {
            round.add(verdict);
        }
        Ok(round)
    }

    /// The live stream's events, without end: opened again from the newest cursor, with growing waits, when it breaks.
    fn events<'a>(
        &'a self,
        transport: &'a dyn Transport,
        context: &'a Context,
    ) -> Pin<Box<dyn Stream<Item = String> + Send + 'a>> {
        let closed: (Option<EventStream>, usize) = (None, 0);
        Box::pin(futures_util::stream::unfold(closed, move |(mut stream, mut failures)| async move {
            loop {
                match &mut stream {
                    Some(open) => match open.next().await {
                        Some(Ok(data)) => return Some((data, (stream, 0))),
                        Some(Err(_)) | None => stream = None,
                    },
                    None => {
                        if failures > 0 {
                            let wait_ms = context.with_rng(|rng| jittered(backoff_ms(failures - 1), rng));
                            timer::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or_default())).await;
                        }
                        failures = failures.saturating_add(1);
                        stream = self.open_live(transport, context).await.ok();
                    }
                }
            }
        }))
    }

    async fn open_live(&self, transport: &dyn Transport, context: &Context) -> Result<EventStream, BakenError> {
        let (phone, place) = self.read(|db| Ok((phone(db)?, mail_place(db)?)))?;
        let key = context.with_rng(|rng| IdempotencyKey::make(rng));
        client(&phone, transport).live(&format!("{}?mail={}", api::LIVE, place.cursor), key).await
    }
}

/// Reads the data of an event: base64 of the CBOR of a [`LiveEvent`].
fn decode_event(data: &str) -> Result<LiveEvent, FormatError> {
    let what = "a live event";
    let bytes = BASE64.decode(data.as_bytes()).map_err(|_| FormatError::Malformed { what })?;
    cbor::from_slice(&bytes, what)
}
