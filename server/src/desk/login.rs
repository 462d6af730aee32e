//! Officers log in with a one-time link and act in a session of one shift at most.

use baken_schemas::time::Timestamp;

use super::officers::{Officer, OfficerId, Token};
use super::{Desk, DeskError, store};
use crate::audit;
use crate::store::Priority;

/// How long a session lasts, in milliseconds: a shift of eight hours.
pub const SESSION_LIFETIME_MS: i64 = 8 * 3_600_000;

/// An officer who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub officer: Officer,
    /// What the browser holds.
    pub token: Token,
}

impl Desk {
    /// Uses a login link. `None` when it is unknown, expired or was used before.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn log_in(&self, link: &Token) -> Result<Option<Session>, DeskError> {
        let now = self.now();
        let Some(officer) = self.officers.of_link(link, now) else {
            tracing::warn!(event = "login_refused");
            if self.strangers.may_be_noted(now) {
                self.note(now, None, "login", "refused").await?;
            }
            return Ok(None);
        };
        let token = Token::make(&mut self.fork_rng());
        let (link_hash, token_hash, id) = (link.hash(), token.hash(), officer.id);
        let until = now.plus_ms(SESSION_LIFETIME_MS);
        let first = self
            .store
            .write(Priority::Normal, move |db| {
                if !store::session::use_link(db, link_hash, now)? {
                    return Ok::<_, DeskError>(false);
                }
                store::session::add(db, token_hash, id, (now, until))?;
                Ok(true)
            })
            .await?;
        self.officers.forget_link(link);
        self.note(now, Some(id), "login", if first { "ok" } else { "used_before" }).await?;
        Ok(first.then_some(Session { officer, token }))
    }

    /// Whose session this is. `None` when it is unknown, has expired, or the officer was removed.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn session(&self, token: &Token) -> Result<Option<Officer>, DeskError> {
        let (hash, now) = (token.hash(), self.now());
        let officer = self.store.read(|db| Ok::<_, DeskError>(store::session::find(db, hash, now)?))?;
        Ok(officer.and_then(|id| self.officers.find(id)))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn log_out(&self, token: &Token) -> Result<(), DeskError> {
        let hash = token.hash();
        self.store.write(Priority::Normal, move |db| Ok(store::session::end(db, hash)?)).await
    }

    async fn note(
        &self,
        at: Timestamp,
        officer: Option<OfficerId>,
        act: &'static str,
        result: &'static str,
    ) -> Result<(), DeskError> {
        let actor = officer.map_or_else(|| "unknown".to_owned(), |officer| officer.to_string());
        self.store
            .write(Priority::Normal, move |db| {
                let event = audit::Event { at, actor: &actor, act, subject: "console", result };
                audit::append(db, &event)?;
                Ok(())
            })
            .await
    }
}
