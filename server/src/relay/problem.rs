//! Why the relay says no, and how it says so: RFC 9457 problem details with a stable code, in one place.
//!
//! One exhaustive match decides status, words and code; another line decides how loud the log is. Nothing of a
//! request's content is in either.

use axum::response::{IntoResponse, Response};
use baken_schemas::FormatError;
use baken_schemas::api::Problem;
use baken_schemas::edition::signed::EditionError;
use http::{HeaderValue, StatusCode, header};

use crate::store::{StoreError, StoreFailure};

/// Why a request was refused. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request's signature headers are missing or not of the profile.
    #[error("the request is not signed as it must be")]
    Unsigned,
    /// No such device is enrolled here, and no directory names it.
    #[error("the device is not known here")]
    UnknownDevice,
    /// The signature is not by the key of the device that it names.
    #[error("the request's signature does not hold")]
    BadRequestSignature,
    /// Signed with the alarm key, which is not good for this.
    #[error("this needs the device's main key")]
    AlarmKey,
    /// Known, but not for this.
    #[error("the caller may not do this")]
    NotAllowed,
    /// No member of the circle, or there is no such circle: which of the two is not told.
    #[error("the device is no member of this circle")]
    NotMember,
    /// It was in the circle, or in its account's dossier, and is not now.
    #[error("the device is no longer in")]
    Removed,
    /// It came by an adviser's invite, and the organisation's root has ended that.
    #[error("the organisation has dismissed this adviser")]
    Dismissed,
    /// Not signed by the root that the account's dossier names, or there is no such dossier: which is not told.
    #[error("it is not signed by the account's root")]
    NotTheRoot,
    /// The organisation is not served here.
    #[error("the organisation is not served here")]
    UnknownOrg,
    /// The organisation has published no directory yet.
    #[error("the organisation has published no directory")]
    NoDirectory,
    /// The directory vouches for another relay.
    #[error("the directory names another relay")]
    OtherRelay,
    /// A directory, card or sealed root that is not newer than what is here.
    #[error("a newer version is here already")]
    OlderVersion,
    /// No such invite, or another secret.
    #[error("the invite is not known")]
    InviteUnknown,
    /// The invite's time is over.
    #[error("the invite has expired")]
    InviteExpired,
    /// The invite was used, by another device.
    #[error("the invite was used already")]
    InviteUsed,
    /// Another device has this id.
    #[error("another device has this id")]
    DeviceTaken,
    /// The account has as many devices or circles as it may.
    #[error("the account has as many as it may")]
    TooMany,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyConflict,
    /// The alarm's id was used for other bytes.
    #[error("the alarm's id was used for another alarm")]
    AlarmConflict,
    /// Another update, note, pairing message or dossier is in its place.
    #[error("another one is in its place")]
    Conflict,
    /// Another record is at this number of the log.
    #[error("another record is at this place of the log")]
    LogConflict,
    /// Somebody may still object to what the record ends.
    #[error("a day has not passed yet")]
    DayNotOver,
    /// The entry does not follow the writer's last.
    #[error("the entry does not follow the writer's last")]
    EntryOutOfOrder,
    /// Another entry has this counter: the writer has forked.
    #[error("another entry has this counter")]
    EntryConflict,
    /// The desk was not handed this alarm, or the receipt is for other bytes.
    #[error("the alarm was not handed to this desk")]
    NotHanded,
    /// Nobody stands higher on the alarm's ladder.
    #[error("nobody stands higher on the alarm's ladder")]
    TopOfLadder,
    /// The circle holds as much as it may.
    #[error("the circle has no room left at this relay")]
    QuotaFull,
    /// An alarm that is to lie ready, without the timers that raise it.
    #[error("the alarm is to lie ready, and no timers came with it")]
    NoTimers,
    /// There is nothing here.
    #[error("there is nothing here")]
    NotFound,
    /// A path or query that means nothing.
    #[error("the address is malformed")]
    BadAddress,
    /// The body is larger than this address takes.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not come in time.
    #[error("the body did not come in time")]
    Slow,
    /// Too many of these from one address, or too many are waiting.
    #[error("too many at once")]
    TooOften,
    /// A line of the plan has another version than the change was made for.
    #[error("somebody else has changed this line meanwhile")]
    PlanChanged,
    /// A report of readiness without a consent that holds.
    #[error("this device has no consent to say how ready its person is")]
    NotShared,
    /// There is no such edition here, or no such file of one.
    #[error("there is no such edition here, nor a file of one")]
    NoEdition,
    /// The operator has named nobody who publishes the national edition.
    #[error("the relay knows nobody who publishes the national edition")]
    NoNationalRoot,
    /// An edition that a phone would not take.
    #[error(transparent)]
    Edition(#[from] EditionError),
    /// A format refuses what was sent.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl StoreFailure for Refusal {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl Refusal {
    /// Status, stable code, and what the caller can do.
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unsigned => (S::UNAUTHORIZED, "unsigned", "sign the request with the device's key"),
            Self::UnknownDevice => (S::UNAUTHORIZED, "unknown_device", "activate the device with an invite"),
            Self::BadRequestSignature => {
                (S::UNAUTHORIZED, "bad_signature", "sign method, authority, path, query and body as they are sent")
            }
            Self::AlarmKey => (S::FORBIDDEN, "alarm_key", "unlock the vault first"),
            Self::NotAllowed => (S::FORBIDDEN, "not_allowed", "another kind of device must do this"),
            Self::NotMember => (S::FORBIDDEN, "not_member", "a member of the circle must add this device first"),
            Self::Removed => (S::FORBIDDEN, "removed", "read the circle's log; alarms go on working"),
            Self::Dismissed => {
                (S::FORBIDDEN, "dismissed", "ask the organisation for a new invite; alarms go on working")
            }
            Self::NotTheRoot => (S::FORBIDDEN, "not_the_root", "use the recovery code of this account"),
            Self::UnknownOrg => (S::NOT_FOUND, "unknown_org", "the relay's operator must add the organisation"),
            Self::NoDirectory => (S::CONFLICT, "no_directory", "publish the organisation's directory first"),
            Self::OtherRelay => (S::UNPROCESSABLE_ENTITY, "other_relay", "sign a directory with this relay's entry"),
            Self::OlderVersion => (S::CONFLICT, "older_version", "fetch the newest and raise its version"),
            Self::InviteUnknown => (S::FORBIDDEN, "invite_unknown", "ask the organisation for a new invite"),
            Self::InviteExpired => (S::GONE, "invite_expired", "ask the organisation for a new invite"),
            Self::InviteUsed => (S::CONFLICT, "invite_used", "ask the organisation for a new invite"),
            Self::DeviceTaken => (S::CONFLICT, "device_taken", "make new keys and try again"),
            Self::TooMany => (S::CONFLICT, "too_many", "remove some first"),
            Self::IdempotencyConflict => {
                (S::CONFLICT, "idempotency_conflict", "use a new idempotency key for another request")
            }
            Self::AlarmConflict => (S::CONFLICT, "alarm_conflict", "make a new alarm id"),
            Self::Conflict => (S::CONFLICT, "conflict", "what is there stays; send under a new id or number"),
            Self::LogConflict => (S::CONFLICT, "log_conflict", "fetch the log and make the record anew"),
            Self::DayNotOver => {
                (S::FORBIDDEN, "day_not_over", "try again when a day has passed, or let another owner do it")
            }
            Self::EntryOutOfOrder => {
                (S::CONFLICT, "entry_out_of_order", "send every entry since the last that was stored, in order")
            }
            Self::EntryConflict => {
                (S::CONFLICT, "entry_conflict", "this device wrote from an old copy; activate it anew")
            }
            Self::NotHanded => (S::FORBIDDEN, "not_handed", "only who was handed the alarm may do this"),
            Self::TopOfLadder => (S::CONFLICT, "top_of_ladder", "everybody was called; call 112"),
            // Of the caller's own making, so no 507: that would be the operator's trouble, and is logged as such.
            Self::QuotaFull => {
                let detail = "delete attachments that are not needed any more, or ask the operator for more room";
                (S::PAYLOAD_TOO_LARGE, "quota_full", detail)
            }
            Self::NoTimers => (S::UNPROCESSABLE_ENTITY, "no_timers", "hand it in as a deposit"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "check the address"),
            Self::BadAddress => (S::BAD_REQUEST, "bad_address", "check path and query"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "send less at once"),
            Self::Slow => (S::REQUEST_TIMEOUT, "too_slow", "send it again"),
            Self::TooOften => (S::TOO_MANY_REQUESTS, "too_often", "wait a minute"),
            Self::PlanChanged => (S::CONFLICT, "plan_changed", "read the plan again, then make the change anew"),
            Self::NotShared => (S::CONFLICT, "not_shared", "it was withdrawn, or given on another device since"),
            Self::NoEdition => (S::NOT_FOUND, "no_edition", "ask for the newest of the edition again"),
            Self::NoNationalRoot => {
                (S::CONFLICT, "no_national_root", "the operator must put national-root.cbor into the relay's folder")
            }
            Self::Edition(error) => match error {
                EditionError::Rollback { .. } => (S::CONFLICT, error.code(), "publish a higher version"),
                EditionError::TwoOfOneVersion(_) => (S::CONFLICT, error.code(), "publish a higher version"),
                _ => (S::UNPROCESSABLE_ENTITY, error.code(), "build and sign the edition anew"),
            },
            Self::Format(error) => (S::UNPROCESSABLE_ENTITY, error.code(), "the document must be made anew"),
            Self::Store(StoreError::Full) => (S::INSUFFICIENT_STORAGE, "disk_full", "the operator must make room"),
            Self::Store(StoreError::Busy) => (S::SERVICE_UNAVAILABLE, "busy", "try again shortly"),
            Self::Store(StoreError::Unknown) => {
                (S::SERVICE_UNAVAILABLE, "outcome_unknown", "send it again with the same idempotency key")
            }
            Self::Store(StoreError::Stopped) => (S::SERVICE_UNAVAILABLE, "stopping", "try again shortly"),
            Self::Store(_) => (S::INTERNAL_SERVER_ERROR, "internal", "the operator must look at the log"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, detail) = self.parts();
        if status.is_server_error() {
            tracing::error!(event = "refused", code, status = status.as_u16(), cause = ?self);
        } else {
            tracing::debug!(event = "refused", code, status = status.as_u16());
        }
        let problem = Problem {
            kind: format!("urn:baken:problem:{code}"),
            title: self.to_string(),
            status: status.as_u16(),
            detail: detail.to_owned(),
            code: code.to_owned(),
        };
        let json = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, json).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
