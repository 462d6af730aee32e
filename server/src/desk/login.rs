//! Officers log in with a one-time link, or with a passkey ([`super::passkeys`]), and act in a session of one shift at most.

use baken_schemas::crypto::Hash;
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
        let id = officer.id;
        let session = self.start_session(officer, now, Some(link.hash())).await?;
        self.officers.forget_link(link);
        self.note(now, Some(id), "login", if session.is_some() { "ok" } else { "used_before" }).await?;
        if let (Some(passkeys), Some(session)) = (&self.passkeys, &session) {
            passkeys.linked(&session.token, now);
        }
        Ok(session)
    }

    /// Starts a session, and uses the link up by which somebody came. `None` when that was used before.
    pub(super) async fn start_session(
        &self,
        officer: Officer,
        now: Timestamp,
        link: Option<Hash>,
    ) -> Result<Option<Session>, DeskError> {
        let token = Token::make(&mut self.fork_rng());
        let (token_hash, id, until) = (token.hash(), officer.id, now.plus_ms(SESSION_LIFETIME_MS));
        let started = self
            .store
            .write(Priority::Normal, move |db| {
                if let Some(link) = link
                    && !store::session::use_link(db, link, now)?
                {
                    return Ok::<_, DeskError>(false);
                }
                store::session::add(db, token_hash, id, (now, until))?;
                Ok(true)
            })
            .await?;
        Ok(started.then_some(Session { officer, token }))
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

    pub(super) async fn note(
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
