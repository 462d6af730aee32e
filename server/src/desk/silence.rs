//! Other desks that the relay does not hear, and that its own ladders stand still, as it says. Only its word: what it proves
//! is that somebody should look.

use baken_schemas::org::Silence;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use super::store::{self, MailPosition};
use super::take::advance_mail;
use super::{Desk, DeskError, hash_of};
use crate::store::Priority;

/// A desk that is not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilentDesk {
    /// Its name in the directory.
    pub desk: String,
    /// Since when, by the relay's clock.
    pub since: Timestamp,
}

impl Desk {
    /// Takes the relay's word that a desk is silent, or is heard again.
    pub(super) async fn take_silence(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let directory = self.directory();
        let checked = Unverified::<Silence>::parse(&document).ok().zip(directory).and_then(|(silence, directory)| {
            let directory = directory.value();
            let silence = silence.verify(&directory.relay.sig).ok()?;
            // Only of desks there are, and itself: a relay must not fill this desk's disk with others.
            let about = silence.value().desk;
            let is_known = directory.desk(about).is_some() || about == directory.relay.relay;
            (silence.value().relay == directory.relay.relay && is_known).then_some(silence)
        });
        let Some(silence) = checked else {
            return self.pass_over(place, "silence_taken", hash_of(&document), false).await;
        };
        let silence = silence.into_value();
        tracing::warn!(event = "other_desk", desk = %silence.desk, silent = silence.since.is_some());
        self.store
            .write(Priority::Normal, move |db| {
                if advance_mail(db, place)? {
                    store::put_silence(db, silence.desk, silence.since, silence.at)?;
                }
                Ok(())
            })
            .await
    }

    /// Since when the relay's own ladders stand still, as it says.
    pub(super) fn relay_stalled(&self) -> Result<Option<Timestamp>, DeskError> {
        let Some(directory) = self.directory() else { return Ok(None) };
        let silent = self.store.read(|db| Ok::<_, DeskError>(store::silent(db)?))?;
        let relay = directory.value().relay.relay;
        Ok(silent.into_iter().find(|(desk, _)| *desk == relay).map(|(_, since)| since))
    }

    /// The other desks of the directory that are not heard.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn silent_desks(&self) -> Result<Vec<SilentDesk>, DeskError> {
        let Some(directory) = self.directory() else { return Ok(Vec::new()) };
        let silent = self.store.read(|db| Ok::<_, DeskError>(store::silent(db)?))?;
        let named = silent.into_iter().filter_map(|(desk, since)| {
            let entry = directory.value().desk(desk)?;
            Some(SilentDesk { desk: entry.name.clone(), since })
        });
        Ok(named.collect())
    }
}
