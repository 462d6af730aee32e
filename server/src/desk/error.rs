//! Why the desk could not do something.

use baken_schemas::FormatError;

use crate::folder::FolderError;
use crate::relay_client::RelayError;
use crate::store::{StoreError, StoreFailure};

/// Why the desk could not take mail, act or look. Carries no content.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document that is not what it must be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A file in the desk's folder, such as an officer's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The organisation's directory does not vouch for this desk's keys.
    #[error("the organisation's directory does not list this desk with these keys: give it desk.cbor and publish")]
    NotListed,
    /// A directory that is older than the one held.
    #[error("the relay offered directory {found}, but {held} was seen before: it is holding back or was restored")]
    OldDirectory {
        /// The version held.
        held: u64,
        /// The version offered.
        found: u64,
    },
}

impl From<rusqlite::Error> for DeskError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl StoreFailure for DeskError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Why an officer's act was not done. The codes are part of the console's JSON API.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such alarm here.
    #[error("there is no such alarm at this desk")]
    Unknown,
    /// Somebody else has it.
    #[error("another officer already has this alarm")]
    Held,
    /// It must be acknowledged at this desk first.
    #[error("acknowledge the alarm first")]
    NotTaken,
    /// It is over.
    #[error("the alarm is closed")]
    Closed,
    /// Its content was destroyed, as its time was over.
    #[error("the alarm's content was destroyed already")]
    Shredded,
    /// Nobody of that name works here.
    #[error("this desk has no officer of that name")]
    UnknownOfficer,
    /// No such incident, or the alarm is in none.
    #[error("there is no such incident at this desk")]
    UnknownIncident,
    /// No other desk of that name.
    #[error("the directory lists no such other desk")]
    UnknownDesk,
    /// What rings is no alarm that another can be given.
    #[error("this cannot be passed on: call the other desk")]
    StaysHere,
    /// What the officer says is missing or too long.
    #[error("say it in 1 to {} bytes", crate::desk::MAX_WORDS_BYTES)]
    Words,
    /// More was said about one alarm than anybody reads.
    #[error("too much was said about this alarm already")]
    TooMany,
    /// The desk itself.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl ActError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_alarm",
            Self::Held => "already_acknowledged",
            Self::NotTaken => "acknowledge_first",
            Self::Closed => "alarm_closed",
            Self::Shredded => "alarm_shredded",
            Self::UnknownOfficer => "unknown_officer",
            Self::UnknownIncident => "unknown_incident",
            Self::UnknownDesk => "unknown_desk",
            Self::StaysHere => "cannot_be_passed_on",
            Self::Words => "words_missing_or_too_long",
            Self::TooMany => "too_many_receipts",
            Self::Desk(_) => "desk_failed",
        }
    }
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Desk(error.into())
    }
}

impl From<rusqlite::Error> for ActError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Desk(error.into())
    }
}

impl From<FormatError> for ActError {
    fn from(error: FormatError) -> Self {
        Self::Desk(error.into())
    }
}

impl StoreFailure for ActError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Desk(error) => error.store_error(),
            _ => None,
        }
    }
}
