//! The officers' browsers that are woken: each turns it on in the console, at the browser itself, and off again there. What
//! is sent says nothing ([`crate::channel::Push`]); the browser shows words of its own and opens the console.
//!
//! A browser that its push service does not know any more stays in the list as ended until its officer turns it on again or
//! takes it out, so that nobody trusts in one that is not woken. An officer who was removed is woken no more.

use baken_schemas::crypto::SymmetricKey;
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::channels::mark_of;
use super::config::{Channel, Means};
use super::officers::{Officer, OfficerId, Officers};
use super::store::push::{self, SubscriptionRow};
use super::{Desk, DeskError, open_sealed};
use crate::audit;
use crate::channel::PushError;
use crate::store::{Priority, StoreError, StoreFailure};

/// What is sealed of a subscription.
#[derive(Serialize, Deserialize)]
struct Sealed {
    endpoint: String,
    /// As they were called when they turned it on.
    officer: String,
    host: String,
}

/// A browser that is woken, as a screen may show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// Its id.
    pub id: String,
    /// Whose.
    pub officer: String,
    /// The push service's host, which tells one kind of browser from another.
    pub host: String,
    /// When it was turned on.
    pub added_at: Timestamp,
    /// When its push service said that it takes none any more.
    pub ended_at: Option<Timestamp>,
    /// It is of the officer who looks.
    pub own: bool,
}

/// A browser that is to be woken.
pub(super) struct Browser {
    /// Its id, in hex: what a message is addressed to.
    pub id: String,
    /// Name and service, for people.
    pub shown: String,
}

/// Why a browser is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// `desk.toml` has no such channel.
    #[error("desk.toml has no [[push]]: this desk wakes no browsers")]
    Off,
    /// The address.
    #[error(transparent)]
    Endpoint(#[from] PushError),
    /// Too many.
    #[error("an officer has at most {} browsers, and the desk 500: take one out first", push::MAX_OF_OFFICER)]
    TooMany,
    /// None of this officer's.
    #[error("there is no such browser of yours")]
    Unknown,
    /// The desk itself.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl SubscribeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Off => "push_off",
            Self::Endpoint(_) => "push_address",
            Self::TooMany => "too_many",
            Self::Unknown => "unknown_browser",
            Self::Desk(_) => "desk_failed",
        }
    }
}

impl From<StoreError> for SubscribeError {
    fn from(error: StoreError) -> Self {
        Self::Desk(error.into())
    }
}

impl From<rusqlite::Error> for SubscribeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Desk(error.into())
    }
}

impl StoreFailure for SubscribeError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Desk(error) => error.store_error(),
            _ => None,
        }
    }
}

fn open_row(row: &SubscriptionRow, at_rest: &SymmetricKey) -> Option<Sealed> {
    serde_json::from_slice(&open_sealed(at_rest, &row.sealed)?).ok()
}

/// The browsers that are woken now.
pub(super) fn browsers(db: &Connection, at_rest: &SymmetricKey, officers: &Officers) -> rusqlite::Result<Vec<Browser>> {
    let rows = push::all(db)?.into_iter().filter(|row| row.ended_at.is_none() && officers.find(row.officer).is_some());
    Ok(rows.filter_map(|row| browser(&row, at_rest)).collect())
}

fn browser(row: &SubscriptionRow, at_rest: &SymmetricKey) -> Option<Browser> {
    let sealed = open_row(row, at_rest)?;
    let shown = format!("{} ({})", sealed.officer, sealed.host);
    Some(Browser { id: HEXLOWER.encode(&row.id), shown })
}

fn read_id(id: &str) -> Option<[u8; 16]> {
    HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()
}

impl Desk {
    /// The channel of browsers, where there is one.
    fn push_channel(&self) -> Option<&Channel> {
        self.channels.list.iter().find(|channel| matches!(channel.means, Means::Push(_)))
    }

    /// What a browser subscribes with; `None` where `desk.toml` has no `[[push]]`.
    pub fn push_key(&self) -> Option<&str> {
        self.push_channel().map(|_| self.vapid.public())
    }

    /// Has an officer's browser woken from now on; its id.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub async fn subscribe(&self, officer: &Officer, endpoint: &str) -> Result<String, SubscribeError> {
        let channel = self.push_channel().ok_or(SubscribeError::Off)?;
        let Means::Push(push) = &channel.means else { return Err(SubscribeError::Off) };
        let host = push.check_endpoint(endpoint)?;
        let sealed = Sealed { endpoint: endpoint.to_owned(), officer: officer.name.clone(), host };
        let mut rng = self.fork_rng();
        let mut id = [0; 16];
        rand_core::Rng::fill_bytes(&mut rng, &mut id);
        let sealed = self.seal_at_rest(&serde_json::to_vec(&sealed).unwrap_or_default(), &mut rng);
        let mark = mark_of(&self.at_rest, endpoint).0;
        let now = self.now();
        let row = SubscriptionRow { id, officer: officer.id, sealed, added_at: now, ended_at: None };
        let actor = officer.id;
        let id = self
            .store
            .write(Priority::Normal, move |db| {
                if !push::add(db, &row, &mark)? {
                    return Err(SubscribeError::TooMany);
                }
                note(db, now, &actor.to_string(), "browser_added")?;
                Ok(push::id_of(db, &mark)?)
            })
            .await?;
        self.changed();
        Ok(HEXLOWER.encode(&id))
    }

    /// Wakes a browser no more.
    ///
    /// # Errors
    /// [`SubscribeError::Unknown`], [`SubscribeError::Desk`].
    pub async fn unsubscribe(&self, officer: OfficerId, id: &str) -> Result<(), SubscribeError> {
        let (id, now) = (read_id(id).ok_or(SubscribeError::Unknown)?, self.now());
        self.store
            .write(Priority::Normal, move |db| {
                if !push::remove(db, id, officer)? {
                    return Err(SubscribeError::Unknown);
                }
                note(db, now, &officer.to_string(), "browser_removed")?;
                Ok(())
            })
            .await?;
        self.changed();
        Ok(())
    }

    /// Every browser, also those that ended.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn subscriptions(&self, looking: OfficerId) -> Result<Vec<SubscriptionView>, DeskError> {
        let rows = self.store.read(|db| Ok::<_, DeskError>(push::all(db)?))?;
        let view = |row: SubscriptionRow| {
            let sealed = open_row(&row, &self.at_rest)?;
            Some(SubscriptionView {
                id: HEXLOWER.encode(&row.id),
                officer: self.officers.find(row.officer)?.name,
                host: sealed.host,
                added_at: row.added_at,
                ended_at: row.ended_at,
                own: row.officer == looking,
            })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }

    /// The browsers that are woken now. None where they cannot be read: the store is then about to end this process.
    pub(super) fn browsers(&self) -> Vec<Browser> {
        self.store
            .read(|db| Ok::<_, DeskError>(browsers(db, &self.at_rest, &self.officers)?))
            .inspect_err(|error| tracing::error!(event = "browsers_not_read", why = %error))
            .unwrap_or_default()
    }

    /// Where a browser is woken, while it is.
    ///
    /// # Errors
    /// [`DeskError::Store`]: whether it is woken could not be read.
    pub(super) fn endpoint(&self, id: &str) -> Result<Option<String>, DeskError> {
        let Some(id) = read_id(id) else { return Ok(None) };
        let Some(row) = self.store.read(|db| Ok::<_, DeskError>(push::find(db, id)?))? else { return Ok(None) };
        let is_woken = row.ended_at.is_none() && self.officers.find(row.officer).is_some();
        Ok(open_row(&row, &self.at_rest).filter(|_| is_woken).map(|sealed| sealed.endpoint))
    }

    /// Its push service takes no message for a browser any more.
    pub(super) async fn end_subscription(&self, id: &str) -> Result<(), DeskError> {
        let Some(id) = read_id(id) else { return Ok(()) };
        let now = self.now();
        self.store
            .write(Priority::Normal, move |db| {
                if push::end(db, id, now)? {
                    note(db, now, "desk", "browser_ended")?;
                }
                Ok::<_, DeskError>(())
            })
            .await
    }
}

fn note(db: &Connection, at: Timestamp, actor: &str, act: &str) -> Result<(), DeskError> {
    audit::append(db, &audit::Event { at, actor, act, subject: "push", result: "ok" })?;
    Ok(())
}
