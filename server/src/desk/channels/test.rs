//! Testing a channel: rows like an alarm's, made by an officer's button or on the command line, delivered by the same loop.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;

use super::About;
use crate::audit;
use crate::desk::take::add_deliveries;
use crate::desk::{Desk, DeskError, store};
use crate::store::{Priority, StoreError, StoreFailure};

/// Why a channel is not tested. The codes are part of the console's JSON API.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// No such channel.
    #[error("desk.toml has no channel of that name")]
    Unknown,
    /// One is not done yet.
    #[error("a test of this channel is still under way")]
    UnderWay,
    /// No browser is woken.
    #[error("no officer has turned notifications on in a browser yet: that is done in the console")]
    Nobody,
    /// The desk itself.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl TestError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_channel",
            Self::UnderWay => "test_under_way",
            Self::Nobody => "nobody_subscribed",
            Self::Desk(_) => "desk_failed",
        }
    }
}

impl From<StoreError> for TestError {
    fn from(error: StoreError) -> Self {
        Self::Desk(error.into())
    }
}

impl From<rusqlite::Error> for TestError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Desk(error.into())
    }
}

impl StoreFailure for TestError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Desk(error) => error.store_error(),
            _ => None,
        }
    }
}

impl Desk {
    /// Sends a test to every recipient of a channel. What becomes of it shows like any delivery; nothing else of the desk
    /// changes. `by` is who asks, for the audit.
    ///
    /// # Errors
    /// [`TestError`].
    pub async fn test_channel(&self, name: &str, by: &str) -> Result<AlarmId, TestError> {
        let channel = self.channels.find(name).ok_or(TestError::Unknown)?;
        let mut rng = self.fork_rng();
        let test = AlarmId::make(&mut rng);
        let hash = Hash::of("baken/channel-test/v0", &[&test.0]);
        let deliveries = self.deliveries_to(channel, &About::Test { test }, (hash, ReceiptState::Received));
        if deliveries.is_empty() {
            return Err(TestError::Nobody);
        }
        let (now, by) = (self.now(), by.to_owned());
        self.store
            .write(Priority::Normal, move |db| {
                for delivery in &deliveries {
                    if store::delivery::count_queued(db, &delivery.channel, &delivery.recipient)?.1 > 0 {
                        return Err(TestError::UnderWay);
                    }
                }
                add_deliveries(db, &deliveries)?;
                let subject = test.to_string();
                let event =
                    audit::Event { at: now, actor: &by, act: "channel_tested", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok::<_, TestError>(())
            })
            .await?;
        self.changed();
        Ok(test)
    }

    /// Delivers what is queued until nothing is, for a process that runs no loops.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn deliver_all(&self) -> Result<(), DeskError> {
        self.release_deliveries().await?;
        while let Some(due) = self.next_delivery()? {
            let wait = u64::try_from(due.since_ms(self.now())).unwrap_or_default();
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
            for claim in self.claim_deliveries().await? {
                self.deliver(claim).await?;
            }
        }
        Ok(())
    }
}
