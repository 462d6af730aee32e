//! Every operation of the relay's API, as data.

use super::{Answer, By, Method, Operation};
use crate::api;

use Answer::{Document, Empty, Json, Plain, Stream, Structure};
use By::{AnyKey, MainKey, NewDevice, Nobody};
use Method::{Delete, Get, Post, Put};

const OFFER: &str = "/v0/pairing/{rendezvous}/offer";
const HELLO: &str = "/v0/pairing/{rendezvous}/hello";
const GRANT: &str = "/v0/pairing/{rendezvous}/grant";

/// An operation without body, query or refusals of its own, to be filled in.
const fn operation(method: Method, path: &'static str, id: &'static str, by: By) -> Operation {
    Operation { method, path, id, by, summary: "", body: None, query: &[], answer: Empty, refusals: &[] }
}

const NOT_ALLOWED: (u16, &str) = (403, "not_allowed");
const DISMISSED: (u16, &str) = (403, "dismissed");
const NOT_MEMBER: (u16, &str) = (403, "not_member");
const REMOVED: (u16, &str) = (403, "removed");
const NOT_THE_ROOT: (u16, &str) = (403, "not_the_root");
const NO_EDITION: (u16, &str) = (404, "no_edition");
const PLAN_CHANGED: (u16, &str) = (409, "plan_changed");
const NOT_SHARED: (u16, &str) = (409, "not_shared");
const TOO_MANY: (u16, &str) = (409, "too_many");
const QUOTA_FULL: (u16, &str) = (413, "quota_full");

/// The table.
pub const OPERATIONS: &[Operation] = &[
    Operation { summary: "Whether the process runs.", answer: Plain, ..operation(Get, api::HEALTH, "health", Nobody) },
    Operation { summary: "Whether it can take writes.", answer: Plain, ..operation(Get, api::READY, "ready", Nobody) },
    Operation {
        summary: "What the relay says of itself.",
        answer: Json,
        ..operation(Get, api::ABOUT, "about", Nobody)
    },
    Operation {
        summary: "The newest directory of an organisation.",
        answer: Document("baken/directory/v0"),
        refusals: &[(404, "unknown_org")],
        ..operation(Get, api::DIRECTORY, "directory", Nobody)
    },
    Operation {
        summary: "Publishes a directory, an invite's registration, a roster line or an adviser's dismissal, signed by the \
                  organisation's root.",
        body: Some("baken/directory/v0, baken/invite-registration/v0, baken/roster/v0 or baken/dismissal/v0"),
        refusals: &[
            (404, "unknown_org"),
            (409, "older_version"),
            (409, "no_directory"),
            (409, "conflict"),
            (422, "other_relay"),
        ],
        ..operation(Post, api::ORG_DOCUMENTS, "publish", Nobody)
    },
    Operation {
        summary: "The newest of an edition: every root and the manifest.",
        answer: Structure("EditionHead"),
        refusals: &[NO_EDITION],
        ..operation(Get, api::EDITION, "edition", Nobody)
    },
    Operation {
        summary: "A file of a published edition, by the SHA-256 of its bytes.",
        answer: Structure("a file, as a byte string"),
        refusals: &[NO_EDITION],
        ..operation(Get, api::EDITION_FILE, "editionFile", Nobody)
    },
    Operation {
        summary: "How an earlier version of a file of a published edition becomes this one.",
        answer: Structure("FileChange"),
        refusals: &[NO_EDITION, (429, "too_often")],
        ..operation(Get, api::EDITION_CHANGE, "editionChange", Nobody)
    },
    Operation {
        summary: "Publishes an edition, signed by its publishers.",
        body: Some("Publication"),
        refusals: &[
            (404, "unknown_org"),
            (409, "no_directory"),
            (409, "no_national_root"),
            (409, "older_version"),
            (409, "two_of_one_version"),
            (422, "too_few_signatures"),
            (422, "other_edition"),
            (422, "root_order"),
            (422, "edition_file"),
            (429, "too_often"),
        ],
        ..operation(Post, api::EDITIONS, "publishEdition", Nobody)
    },
    Operation {
        summary: "Uses an invite: enrols the first device of an account.",
        body: Some("Activation"),
        answer: Structure("Activated"),
        refusals: &[
            (403, "invite_unknown"),
            DISMISSED,
            (409, "invite_used"),
            (409, "device_taken"),
            (409, "too_many"),
            (410, "invite_expired"),
        ],
        ..operation(Post, api::ACTIVATE, "activate", NewDevice)
    },
    Operation {
        summary: "Enrols a further device of the caller's account.",
        body: Some("baken/device/v0"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "device_taken"), (409, "too_many")],
        ..operation(Post, api::DEVICES, "addDevice", MainKey)
    },
    Operation {
        summary: "Enrols a guest's device, which joins a circle of the caller's and has no account.",
        body: Some("baken/device/v0"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "device_taken"), (409, "too_many")],
        ..operation(Post, api::GUESTS, "addGuest", MainKey)
    },
    Operation {
        summary: "Keeps the account's root, sealed under its recovery code.",
        body: Some("baken/sealed-root/v0"),
        refusals: &[NOT_ALLOWED, REMOVED, NOT_THE_ROOT, (409, "older_version"), (409, "conflict"), (409, "too_many")],
        ..operation(Put, api::SEALED_ROOT, "putSealedRoot", MainKey)
    },
    Operation {
        summary: "Fetches a sealed root by the name that its recovery code gives.",
        answer: Document("baken/sealed-root/v0"),
        refusals: &[(429, "too_often")],
        ..operation(Get, api::SEALED_ROOT_NAMED, "sealedRoot", Nobody)
    },
    Operation {
        summary: "Enrols a new device of an account, brought in by the recovery code.",
        body: Some("Recovery"),
        answer: Structure("Activated"),
        refusals: &[NOT_THE_ROOT, (409, "device_taken"), (409, "too_many")],
        ..operation(Post, api::RECOVER, "recover", NewDevice)
    },
    Operation {
        summary: "Lays down the offer of a new device that wants to pair.",
        body: Some("baken/device/v0"),
        refusals: &[(409, "conflict"), (429, "too_often")],
        ..operation(Put, OFFER, "putOffer", Nobody)
    },
    Operation {
        summary: "Fetches the offer.",
        answer: Document("baken/device/v0"),
        ..operation(Get, OFFER, "offer", Nobody)
    },
    Operation {
        summary: "Answers an offer.",
        body: Some("a Hello, sealed with the code's secret"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "conflict")],
        ..operation(Put, HELLO, "putHello", MainKey)
    },
    Operation {
        summary: "Fetches the hello.",
        answer: Structure("a Hello, sealed"),
        ..operation(Get, HELLO, "hello", Nobody)
    },
    Operation {
        summary: "Gives the new device what it needs.",
        body: Some("a Grant, sealed with the code's secret"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "conflict")],
        ..operation(Put, GRANT, "putGrant", MainKey)
    },
    Operation {
        summary: "Fetches the grant.",
        answer: Structure("a Grant, sealed"),
        ..operation(Get, GRANT, "grant", Nobody)
    },
    Operation {
        summary: "Adds a record to a circle's membership log; the first at a number wins.",
        body: Some("baken/membership/v0"),
        refusals: &[
            NOT_ALLOWED,
            REMOVED,
            (403, "day_not_over"),
            (409, "log_conflict"),
            (409, "conflict"),
            (409, "too_many"),
        ],
        ..operation(Post, api::LOG, "addLogRecord", MainKey)
    },
    Operation {
        summary: "Records of a circle's membership log behind a number; without `after`, from the first.",
        query: &["after"],
        answer: Structure("Page of baken/membership/v0"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER],
        ..operation(Get, api::LOG, "log", MainKey)
    },
    Operation {
        summary: "Stores entries of the caller, in order.",
        body: Some("EntryBatch"),
        answer: Structure("EntriesStored"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED, (409, "entry_out_of_order"), (409, "entry_conflict"), QUOTA_FULL],
        ..operation(Post, api::ENTRIES, "addEntries", MainKey)
    },
    Operation {
        summary: "Entries of a circle behind a cursor, in the relay's order.",
        query: &["after"],
        answer: Structure("Page of baken/entry/v0"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED],
        ..operation(Get, api::ENTRIES, "entries", MainKey)
    },
    Operation {
        summary: "Stores a chunk of a blob; the same bytes again are fine.",
        body: Some("a sealed chunk, as a byte string"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED, (409, "conflict"), QUOTA_FULL],
        ..operation(Put, api::BLOB_CHUNK, "putChunk", MainKey)
    },
    Operation {
        summary: "A chunk of a blob.",
        answer: Structure("a sealed chunk, as a byte string"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED],
        ..operation(Get, api::BLOB_CHUNK, "chunk", MainKey)
    },
    Operation {
        summary: "Which chunks of a blob are here, with their hashes.",
        answer: Structure("BlobChunks"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED],
        ..operation(Get, api::BLOB, "blob", MainKey)
    },
    Operation {
        summary: "Frees the space of a blob; a repeat is fine.",
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED],
        ..operation(Delete, api::BLOB, "deleteBlob", MainKey)
    },
    Operation {
        summary: "How full a circle is, and how full it may be.",
        answer: Structure("CircleUsage"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED],
        ..operation(Get, api::USAGE, "usage", MainKey)
    },
    Operation {
        summary: "Stores the caller's card.",
        body: Some("baken/card/v0"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "older_version")],
        ..operation(Put, api::CARD, "putCard", MainKey)
    },
    Operation {
        summary: "A device's card, for a desk that was handed its alarm. Written into the audit.",
        answer: Document("baken/card/v0"),
        refusals: &[NOT_ALLOWED, (403, "not_handed")],
        ..operation(Get, api::CARD, "card", MainKey)
    },
    Operation {
        summary: "Sends an enrolment to a desk.",
        body: Some("baken/enrolment/v0"),
        refusals: &[NOT_ALLOWED, REMOVED],
        ..operation(Post, api::ENROLMENTS, "enrol", MainKey)
    },
    Operation {
        summary: "Sends an alarm; the answer says that it is on disk.",
        body: Some("baken/alarm/v0"),
        answer: Document("baken/receipt/v0"),
        refusals: &[NOT_ALLOWED, (409, "alarm_conflict"), (422, "no_timers")],
        ..operation(Post, api::ALARMS, "sendAlarm", AnyKey)
    },
    Operation {
        summary: "Leaves what the caller's text messages need to be alarms.",
        body: Some("baken/sms-context/v0"),
        refusals: &[NOT_ALLOWED, (409, "conflict")],
        ..operation(Post, api::SMS_CONTEXTS, "leaveSmsContext", AnyKey)
    },
    Operation {
        summary: "Sends an alarm that a bridge took in as a text message; the answer says that it is on disk.",
        body: Some("baken/sms-alarm/v0"),
        answer: Document("baken/receipt/v0"),
        refusals: &[NOT_ALLOWED, (404, "not_found"), (409, "alarm_conflict")],
        ..operation(Post, api::SMS, "sendSms", AnyKey)
    },
    Operation {
        summary: "Hands in an alarm beforehand, or renews it. Raised when a timer runs out.",
        body: Some("Deposit"),
        answer: Document("baken/deposit-receipt/v0"),
        refusals: &[NOT_ALLOWED, (409, "conflict"), (409, "too_many")],
        ..operation(Post, api::DEPOSITS, "deposit", AnyKey)
    },
    Operation {
        summary: "The deposits that lie ready of the account's other devices.",
        answer: Structure("DepositsElsewhere"),
        refusals: &[NOT_ALLOWED, REMOVED],
        ..operation(Get, api::DEPOSITS, "depositsElsewhere", AnyKey)
    },
    Operation {
        summary: "Settles a deposit of the caller's account: no timer raises it, and the desk that watches it gets the note.",
        body: Some("baken/settlement/v0"),
        answer: Document("baken/deposit-receipt/v0"),
        refusals: &[NOT_ALLOWED, REMOVED, (409, "conflict")],
        ..operation(Post, api::SETTLEMENTS, "settle", AnyKey)
    },
    Operation {
        summary: "Has a deposit raised at once, by the desk that watches it.",
        body: Some("baken/raise/v0"),
        refusals: &[NOT_ALLOWED],
        ..operation(Post, api::RAISES, "raise", MainKey)
    },
    Operation {
        summary: "Sends an update of an alarm.",
        body: Some("baken/alarm-update/v0"),
        refusals: &[NOT_ALLOWED, (409, "conflict"), (409, "too_many")],
        ..operation(Post, api::UPDATES, "sendUpdate", AnyKey)
    },
    Operation {
        summary: "Sends a note to a desk.",
        body: Some("baken/note/v0"),
        refusals: &[NOT_ALLOWED],
        ..operation(Post, api::NOTES, "sendNote", AnyKey)
    },
    Operation {
        summary: "Hands in an order: of an owner to lock or wipe another device of its dossier, or of a desk to freeze one.",
        body: Some("baken/order/v0"),
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED, (404, "not_found"), (429, "too_often")],
        ..operation(Post, api::ORDERS, "giveOrder", MainKey)
    },
    Operation {
        summary: "A responder's receipt for an alarm it was handed. From `seen` on it stops the ladder.",
        body: Some("baken/receipt/v0"),
        refusals: &[NOT_ALLOWED, (403, "not_handed"), (409, "too_many")],
        ..operation(Post, api::RECEIPTS, "sendReceipt", AnyKey)
    },
    Operation {
        summary: "Sends an alarm on to the next rung of its ladder at once, by whoever was handed it.",
        body: Some("baken/escalation/v0"),
        refusals: &[(403, "not_handed"), (409, "top_of_ladder")],
        ..operation(Post, api::ESCALATIONS, "escalate", AnyKey)
    },
    Operation {
        summary: "Hands an alarm on to another desk of the directory, with the key to it.",
        body: Some("baken/handing-on/v0"),
        refusals: &[NOT_ALLOWED, (403, "not_handed"), (409, "too_many")],
        ..operation(Post, api::HANDINGS_ON, "handOn", MainKey)
    },
    Operation {
        summary: "Every receipt for an alarm so far, in order of arrival.",
        answer: Structure("Documents of baken/receipt/v0"),
        ..operation(Get, api::ALARM_RECEIPTS, "receipts", AnyKey)
    },
    Operation {
        summary: "Stores a chunk of a file that goes along with the caller's alarm; the same bytes again are fine.",
        body: Some("a sealed chunk, as a byte string"),
        refusals: &[NOT_ALLOWED, (404, "not_found"), (409, "conflict"), QUOTA_FULL],
        ..operation(Put, api::ALARM_CHUNK, "putAlarmChunk", AnyKey)
    },
    Operation {
        summary: "A chunk of a file that went along with an alarm, for a desk that was handed it.",
        answer: Structure("a sealed chunk, as a byte string"),
        refusals: &[NOT_ALLOWED, (404, "not_found")],
        ..operation(Get, api::ALARM_CHUNK, "alarmChunk", MainKey)
    },
    Operation {
        summary: "The caller's mail behind a cursor. Reading takes nothing out.",
        query: &["after"],
        answer: Structure("Page of Mail"),
        ..operation(Get, api::MAIL, "mail", AnyKey)
    },
    Operation {
        summary: "The head of the relay's audit, and the proof that it goes on from one of size `after`.",
        query: &["after"],
        answer: Structure("AuditAnswer"),
        refusals: &[NOT_ALLOWED, (404, "not_found")],
        ..operation(Get, api::AUDIT, "auditHead", AnyKey)
    },
    Operation {
        summary: "New mail and entries as they come. With the alarm key, mail only.",
        query: &["mail", "circles"],
        answer: Stream,
        refusals: &[NOT_ALLOWED, NOT_MEMBER, REMOVED, (403, "alarm_key")],
        ..operation(Get, api::LIVE, "live", AnyKey)
    },
    Operation {
        summary: "The organisation's plan, for its advisers.",
        answer: Structure("Plan"),
        refusals: &[NOT_ALLOWED, REMOVED, DISMISSED],
        ..operation(Get, api::PLAN, "plan", MainKey)
    },
    Operation {
        summary: "Changes a line of the plan, unless somebody changed it since it was read.",
        body: Some("PlanChange"),
        answer: Structure("PlanChanged"),
        refusals: &[NOT_ALLOWED, REMOVED, DISMISSED, PLAN_CHANGED, TOO_MANY],
        ..operation(Put, api::PLAN_LINE, "changePlan", MainKey)
    },
    Operation {
        summary: "How ready those say they are who agreed to say so, for advisers.",
        answer: Structure("OrgReadiness"),
        refusals: &[NOT_ALLOWED, REMOVED, DISMISSED],
        ..operation(Get, api::READINESS, "readiness", MainKey)
    },
    Operation {
        summary: "Says how ready the caller's person is, by their consent.",
        body: Some("ReadinessReport"),
        refusals: &[NOT_ALLOWED, REMOVED, NOT_SHARED],
        ..operation(Put, api::READINESS, "shareReadiness", MainKey)
    },
    Operation {
        summary: "Withdraws that consent, and destroys what was said.",
        refusals: &[NOT_ALLOWED, REMOVED],
        ..operation(Delete, api::READINESS, "withholdReadiness", MainKey)
    },
];
