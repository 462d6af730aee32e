//! The HTTP API between devices and the relay: paths, and the bodies that are not documents of their own.
//!
//! Bodies are CBOR (`application/cbor`), errors RFC 9457 problem details in JSON. Every write answers a repeat with
//! the same idempotency key alike.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::crypto::Hash;
use crate::edition::signed::EditionHead;
use crate::id::{AccountId, AlarmId, CircleId, DeviceId, InviteId};
use crate::time::Timestamp;

/// `GET`: [`About`] as JSON. No signature.
pub const ABOUT: &str = "/v0/about";
/// `GET /v0/orgs/{org}/directory`: the newest signed directory. No signature.
pub const DIRECTORY: &str = "/v0/orgs/{org}/directory";
/// `POST`: a document signed by an organisation root: directory, invite registration, roster line or
/// dismissal. No signature.
pub const ORG_DOCUMENTS: &str = "/v0/org-documents";
/// `POST`: [`Activation`]. Signed with the new device's own key.
pub const ACTIVATE: &str = "/v0/activate";
/// `POST`: the identity document of a further device of the caller's account.
pub const DEVICES: &str = "/v0/devices";
/// `POST`: the identity document of a guest's device, which joins a circle of the caller's and has no account.
pub const GUESTS: &str = "/v0/guests";
/// `PUT`: the caller's account's root, sealed under its recovery code ([`crate::recovery::SealedRoot`]).
pub const SEALED_ROOT: &str = "/v0/recovery";
/// `GET /v0/recovery/{name}`: a sealed root, for who has the code that gives its name. No signature.
pub const SEALED_ROOT_NAMED: &str = "/v0/recovery/{name}";
/// `POST`: [`Recovery`] → [`Activated`]. Signed with the new device's own key.
pub const RECOVER: &str = "/v0/recover";
/// `PUT`/`GET /v0/pairing/{rendezvous}/{offer|hello|grant}`: messages of a pairing. Only `hello` and `grant` are signed.
pub const PAIRING: &str = "/v0/pairing/{rendezvous}/{message}";
/// `POST /v0/circles/{circle}/log`: a membership record. `GET ?after=SEQ`: a [`Page`] of records from `SEQ` + 1;
/// without `after` from 0.
pub const LOG: &str = "/v0/circles/{circle}/log";
/// `POST /v0/circles/{circle}/entries`: [`EntryBatch`] → [`EntriesStored`]. `GET ?after=CURSOR`: a [`Page`] of entries.
pub const ENTRIES: &str = "/v0/circles/{circle}/entries";
/// `PUT`/`GET /v0/circles/{circle}/blobs/{blob}/{chunk}`: a sealed chunk of a [`crate::blob`], as a CBOR byte string.
/// The same bytes again are fine; others are refused.
pub const BLOB_CHUNK: &str = "/v0/circles/{circle}/blobs/{blob}/{chunk}";
/// `GET /v0/circles/{circle}/blobs/{blob}`: [`BlobChunks`], so that an upload goes on where it stopped and a download can
/// judge each chunk. `DELETE`: frees the blob's space; a repeat is fine.
pub const BLOB: &str = "/v0/circles/{circle}/blobs/{blob}";
/// `GET`: [`CircleUsage`].
pub const USAGE: &str = "/v0/circles/{circle}/usage";
/// `PUT`: the caller's card. `GET /v0/cards/{device}`: a device's card, for a desk that was handed its alarm.
pub const CARD: &str = "/v0/cards/{device}";
/// `POST`: an enrolment for a desk.
pub const ENROLMENTS: &str = "/v0/enrolments";
/// `POST`: an alarm → the relay's signed receipt `stored`.
pub const ALARMS: &str = "/v0/alarms";
/// `POST`: the caller's [`crate::alarm::SmsContext`], so that its text messages are alarms.
pub const SMS_CONTEXTS: &str = "/v0/sms-contexts";
/// `POST`: a [`crate::alarm::SmsAlarm`] of a bridge → the relay's signed receipt `stored` for the text.
pub const SMS: &str = "/v0/sms";
/// `POST`: a [`Deposit`], new or renewed → the relay's signed [`crate::alarm::DepositReceipt`]. `GET`: the account's others,
/// [`DepositsElsewhere`].
pub const DEPOSITS: &str = "/v0/deposits";
/// `POST`: a [`crate::alarm::Settlement`] of a deposit → the relay's signed [`crate::alarm::DepositReceipt`].
pub const SETTLEMENTS: &str = "/v0/settlements";
/// `POST`: a [`crate::alarm::Raise`] of a desk of the organisation; a repeat is fine.
pub const RAISES: &str = "/v0/raises";
/// `POST`: an update of an alarm.
pub const UPDATES: &str = "/v0/updates";
/// `POST`: a note to a desk.
pub const NOTES: &str = "/v0/notes";
/// `POST`: an [`crate::order::Order`]: of an owner to lock or wipe another device of the dossier, or of a desk that a
/// device has had freeze itself. Goes into the mail of whoever carries it out; a repeat is fine.
pub const ORDERS: &str = "/v0/orders";
/// `POST`: a responder's receipt for an alarm it was handed: of a desk, or of a family member's device.
pub const RECEIPTS: &str = "/v0/receipts";
/// `POST`: a [`crate::alarm::Escalation`] of who was handed the alarm: the next rung is called at once. A repeat is fine.
pub const ESCALATIONS: &str = "/v0/escalations";
/// `POST`: a [`crate::alarm::HandingOn`] of a desk that was handed the alarm. A repeat is fine.
pub const HANDINGS_ON: &str = "/v0/handings-on";
/// `GET /v0/alarms/{alarm}/receipts`: [`Documents`], every receipt so far, in order of arrival.
pub const ALARM_RECEIPTS: &str = "/v0/alarms/{alarm}/receipts";
/// `PUT`/`GET /v0/alarms/{alarm}/blobs/{blob}/{chunk}`: a sealed chunk of a file that goes along with an alarm, as a CBOR
/// byte string. The phone that pressed stores, desks that were handed the alarm fetch.
pub const ALARM_CHUNK: &str = "/v0/alarms/{alarm}/blobs/{blob}/{chunk}";
/// `GET ?after=CURSOR`: a [`Page`] of [`Mail`].
pub const MAIL: &str = "/v0/mail";
/// `GET ?after=SIZE`: the head of the relay's audit and the proof that it goes on from one of that size, an
/// [`AuditAnswer`](crate::audit::AuditAnswer).
pub const AUDIT: &str = "/v0/audit";
/// `GET ?mail=CURSOR&circles=ID.CURSOR,…`: server-sent events, see [`LiveEvent`]; a circle with its cursor of entries.
pub const LIVE: &str = "/v0/live";
/// `GET /v0/editions/{edition}`: the newest [`EditionHead`] of an edition, by its
/// [`crate::edition::signed::EditionName`]. No signature: public content needs no account.
pub const EDITION: &str = "/v0/editions/{edition}";
/// `GET /v0/edition-files/{hash}`: a file of a published edition by the SHA-256 of its bytes, as a CBOR byte string. No
/// signature.
pub const EDITION_FILE: &str = "/v0/edition-files/{hash}";
/// `GET /v0/edition-files/{hash}/from/{old}`: how the file that the caller has under its SHA-256 becomes this one, a
/// [`crate::edition::FileChange`]. No signature; 404 where the relay no longer has the old one.
pub const EDITION_CHANGE: &str = "/v0/edition-files/{hash}/from/{old}";
/// `POST`: a [`Publication`]. No signature of the request: the publishers' are the permission.
pub const EDITIONS: &str = "/v0/editions";
/// `GET`: the organisation's [`Plan`](crate::adviser::Plan), for its advisers.
pub const PLAN: &str = "/v0/plan";
/// `PUT /v0/plan/{line}`: a [`PlanChange`](crate::adviser::PlanChange) of an adviser →
/// [`PlanChanged`](crate::adviser::PlanChanged). Refused where the line has another version than it names.
pub const PLAN_LINE: &str = "/v0/plan/{line}";
/// `PUT`: the caller's [`ReadinessReport`](crate::adviser::ReadinessReport), by consent. `DELETE`: the consent is
/// withdrawn, and what was said is destroyed; a repeat is fine. `GET`: for advisers,
/// [`OrgReadiness`](crate::adviser::OrgReadiness).
pub const READINESS: &str = "/v0/readiness";
/// `GET`: 200 while the process runs.
pub const HEALTH: &str = "/health";
/// `GET`: 200 while it can take writes.
pub const READY: &str = "/ready";

/// The most items in a [`Page`].
pub const PAGE_ITEMS: usize = 256;
/// The most circles of one account, and of one live stream.
pub const MAX_CIRCLES: usize = 16;
/// The most bytes of items in a [`Page`], except that one item always fits.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The largest request body in bytes.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Publishes an edition: its head, and those of its files that the relay does not have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Publication {
    /// Every root and the manifest.
    #[n(0)]
    pub head: EditionHead,
    /// Files that are new, in any order.
    #[n(1)]
    pub files: Vec<ByteVec>,
}

/// What a relay says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct About {
    /// `baken-relay`.
    pub service: String,
    /// Its software version.
    pub version: String,
    /// The API's version: 0.
    pub api: u32,
    /// The relay's operator also runs the desk (`serve all`) and can read alarms.
    pub operator_reads_alarms: bool,
}

/// Uses an invite.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Activation {
    /// The invite.
    #[n(0)]
    pub invite: InviteId,
    /// The relay's half of its secret, 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub token: [u8; 32],
    /// The device's signed identity.
    #[n(2)]
    pub identity: ByteVec,
}

impl std::fmt::Debug for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Activation").field("invite", &self.invite).finish_non_exhaustive()
    }
}

/// The answer to an activation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Activated {
    /// The account.
    #[n(0)]
    pub account: AccountId,
}

/// Comes back to an account with its recovery code.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Recovery {
    /// The new device's signed identity.
    #[n(0)]
    pub identity: ByteVec,
    /// The [`crate::recovery::RecoveryClaim`], signed by the account's root.
    #[n(1)]
    pub claim: ByteVec,
}

/// Entries of one writer, in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryBatch {
    /// At most [`PAGE_ITEMS`].
    #[n(0)]
    pub entries: Vec<ByteVec>,
}

/// Which of a batch the relay has on disk: all up to this counter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntriesStored {
    /// The writer's last counter at the relay.
    #[n(0)]
    pub counter: u64,
    /// The hash of that entry.
    #[n(1)]
    pub hash: Hash,
}

/// An alarm handed in beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Deposit {
    /// The signed [`crate::alarm::DepositTimers`].
    #[n(0)]
    pub timers: ByteVec,
    /// The sealed and signed [`crate::alarm::Alarm`].
    #[n(1)]
    pub alarm: ByteVec,
}

/// The deposits that lie ready of the caller's account, but for its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct DepositsElsewhere {
    /// The first due first.
    #[n(0)]
    pub deposits: Vec<DepositElsewhere>,
}

/// A deposit of another device of the account, as the relay has it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DepositElsewhere {
    /// The deposit.
    #[n(0)]
    pub deposit: AlarmId,
    /// The device that handed it in.
    #[n(1)]
    pub device: DeviceId,
    /// When it is due, by the relay's clock.
    #[n(2)]
    pub due_at: Timestamp,
    /// When it is raised if nothing comes, by the relay's clock: sooner where its device may not be silent for so long.
    #[n(3)]
    pub raise_at: Timestamp,
    /// The newest signed [`crate::alarm::DepositTimers`]: that this deposit is that device's is not the relay's word.
    #[n(4)]
    pub timers: ByteVec,
    /// The signed [`crate::device::Identity`] of that device.
    #[n(5)]
    pub identity: ByteVec,
}

/// A deposit was settled by another device of the account, for the device that handed it in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SettledElsewhere {
    /// The signed [`crate::device::Identity`] of the device that settled it.
    #[n(0)]
    pub identity: ByteVec,
    /// The signed [`crate::alarm::Settlement`].
    #[n(1)]
    pub settlement: ByteVec,
}

/// One item of a page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Item {
    /// Where it stands; ask again with `after` this.
    #[n(0)]
    pub cursor: u64,
    /// The item's bytes.
    #[n(1)]
    pub bytes: ByteVec,
}

/// Items in the relay's order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// The items.
    #[n(0)]
    pub items: Vec<Item>,
    /// There are more behind the last.
    #[n(1)]
    pub more: bool,
    /// The relay's generation: another one means it was restored from a backup.
    #[n(2)]
    pub generation: u64,
    /// Of entries: those up to this cursor may be gone; a checkpoint lies behind it. Else 0.
    #[n(3)]
    pub floor: u64,
}

/// The chunks of a blob that the relay has.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlobChunks {
    /// By their place, at most [`crate::blob::MAX_CHUNKS`]; none when the relay has nothing of the blob.
    #[n(0)]
    pub chunks: Vec<ChunkThere>,
}

/// A chunk that the relay has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChunkThere {
    /// Its place.
    #[n(0)]
    pub index: u32,
    /// [`crate::blob::leaf`] of its bytes.
    #[n(1)]
    pub leaf: Hash,
}

/// How full a circle is, in bytes as they are stored. Alarms are never counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CircleUsage {
    /// Entries and chunks together.
    #[n(0)]
    pub used: u64,
    /// The most that they may be.
    #[n(1)]
    pub quota: u64,
    /// Past this no more chunks are taken: what is left is for entries, so that no film keeps a note out.
    #[n(2)]
    pub quota_for_blobs: u64,
}

/// Several documents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Documents {
    /// Each as signed.
    #[n(0)]
    pub documents: Vec<ByteVec>,
}

/// What lies in a device's mailbox. The document's label says the same; the kind saves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailKind {
    /// An alarm handed over to a responder.
    #[n(0)]
    Alarm,
    /// An update of an alarm.
    #[n(1)]
    Update,
    /// A note.
    #[n(2)]
    Note,
    /// A receipt for an alarm: of the caller's own, or of one a responder was handed.
    #[n(3)]
    Receipt,
    /// A device enrols at a desk.
    #[n(4)]
    Enrolment,
    /// A roster line for a desk.
    #[n(5)]
    Roster,
    /// A new directory.
    #[n(6)]
    Directory,
    /// An order to lock, wipe or freeze a device.
    #[n(7)]
    Order,
    /// A desk is not heard, or is heard again.
    #[n(8)]
    Silence,
    /// An alarm that came as a text message ([`crate::alarm::SmsHandover`]), handed over to a responder.
    #[n(12)]
    Sms,
    /// The timers of a deposit, for the desk that watches it.
    #[n(9)]
    Timers,
    /// Who was handed an alarm has sent it on to the next rung ([`crate::alarm::Escalation`]).
    #[n(13)]
    Escalation,
    /// A desk has handed an alarm on to another ([`crate::alarm::HandingOn`]): for that one, who was handed it before, and
    /// the phone.
    #[n(14)]
    HandingOn,
    /// Another device of the account has settled a deposit of this one ([`SettledElsewhere`]).
    #[n(15)]
    Settlement,
    /// A note of a device that was taken out of its account's dossier: it may be stolen, or its owner under duress.
    #[n(16)]
    NoteOfRemoved,
}

/// A document for one device, kept until it is 30 days old; a device reads by cursor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mail {
    /// What it is.
    #[n(0)]
    pub kind: MailKind,
    /// The document.
    #[n(1)]
    pub document: ByteVec,
}

/// What the live stream sends: the event's name, and base64 of the CBOR of this in its data. `id` is `mail.CURSOR` or
/// `entry.CURSOR`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum LiveEvent {
    /// Event `mail`: [`Mail`] at a cursor.
    #[n(0)]
    Mail {
        /// Where it stands.
        #[n(0)]
        cursor: u64,
        /// The mail.
        #[n(1)]
        mail: Mail,
    },
    /// Event `entry`: an entry of the circle.
    #[n(1)]
    Entry {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// Where it stands.
        #[n(1)]
        cursor: u64,
        /// The entry.
        #[n(2)]
        entry: ByteVec,
    },
    /// Event `log`: the circle's membership log has grown to this number.
    #[n(2)]
    Log {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// The last record.
        #[n(1)]
        seq: u64,
    },
}

/// RFC 9457 problem details: every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// `urn:baken:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do about it.
    pub detail: String,
    /// A stable code.
    pub code: String,
}
