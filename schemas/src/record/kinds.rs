//! Every kind of record. Numbers are for ever: kinds and fields are added, none is changed or used again.

use super::words;
use super::{FieldNumber, FieldSpec, FieldType, Keeping, KindSpec};
use crate::circle::CircleKind::{self, Case, Dossier, Family};
use FieldType::{Bool, Bytes, Int, Text, Time};

const fn field(number: FieldNumber, name: &'static str, holds: FieldType) -> FieldSpec {
    FieldSpec { number, name, holds, words: &[] }
}

/// A text that is one of these words.
const fn one_of(number: FieldNumber, name: &'static str, words: &'static [&'static str]) -> FieldSpec {
    FieldSpec { number, name, holds: Text, words }
}

const OWN: &[CircleKind] = &[Dossier];
const SHARED: &[CircleKind] = &[Dossier, Case];

/// Every kind this version knows. A kind or field of a newer version is kept and passed on unread.
pub const KINDS: &[KindSpec] = &[
    KindSpec {
        number: 1,
        name: "profile",
        fields: &[
            field(1, "name", Text),
            field(2, "office", Text),
            field(3, "organisation", Text),
            field(4, "phone", Text),
            field(5, "home_address", Text),
            field(6, "car", Text),
            field(7, "household", Text),
            field(8, "medical", Text),
            field(9, "code_word", Text),
            field(10, "language", Text),
        ],
        circles: &[Dossier],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 2,
        name: "contact",
        fields: &[
            field(1, "name", Text),
            field(2, "relation", Text),
            field(3, "phone", Text),
            field(4, "email", Text),
            field(5, "available", Text),
            field(6, "emergency", Bool),
            field(7, "remark", Text),
        ],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 3,
        name: "measure",
        fields: &[
            field(1, "title", Text),
            field(2, "state", Text),
            field(3, "decided_by", Text),
            field(4, "provider", Text),
            field(5, "due", Time),
            field(6, "confidential", Bool),
            field(7, "remark", Text),
            one_of(8, "type", words::MEASURE_TYPE),
            one_of(9, "status", words::MEASURE_STATUS),
            one_of(10, "origin", words::Origin::TAGS),
            field(11, "police_asked_at", Time),
            one_of(12, "paid_by", words::PAYER),
            field(13, "contract", Text),
            field(14, "ends", Time),
        ],
        circles: &[Dossier, Case],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 4,
        name: "incident",
        fields: &[
            field(1, "what", Text),
            field(2, "happened_at", Time),
            field(3, "place", Text),
            field(4, "source", Text),
            field(5, "witnesses", Text),
            field(6, "reported_to", Text),
            field(7, "police_report", Text),
            // The seven W's are what (1), when (2), where (3) and these four.
            field(8, "who", Text),
            field(9, "with_what", Text),
            field(10, "how", Text),
            field(11, "why", Text),
            one_of(12, "threat_source", words::THREAT_SOURCE),
            field(13, "reported_at", Time),
            one_of(14, "police", words::POLICE),
            field(15, "police_reason", Text),
            field(16, "police_number", Text),
            field(17, "police_at", Time),
            field(18, "vpt_asked", Bool),
            field(19, "domicile_office", Bool),
            field(20, "told", Text),
            field(21, "follow_up", Time),
        ],
        circles: &[Dossier, Case],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 5,
        name: "note",
        fields: &[field(1, "title", Text), field(2, "text", Text)],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 6,
        name: "device",
        fields: &[field(1, "name", Text)],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ForGood,
    },
    KindSpec {
        number: 7,
        name: "plan",
        fields: &[field(1, "title", Text), field(2, "text", Text), field(3, "when", Time)],
        circles: &[Family],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 8,
        name: "guidance",
        fields: &[field(1, "title", Text), field(2, "chapter", Text), field(3, "remark", Text)],
        circles: &[Family],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 9,
        name: "attachment",
        fields: &[
            field(1, "name", Text),
            field(2, "media_type", Text),
            field(3, "blob", Bytes),
            field(4, "thumbnail", Bytes),
            field(5, "of", Bytes),
            // SHA-256 of the file as it was added: what a receipt of the police can be compared with.
            field(6, "sha256", Bytes),
            field(7, "added_at", Time),
            // When the file was changed last, by what it was copied from; no proof of when it was made.
            field(8, "modified_at", Time),
            one_of(9, "origin", words::FILE_ORIGIN),
        ],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ByPerson,
    },
    // What all of an account's devices hold in common and no circle else: see `client-core/src/account.rs`.
    KindSpec {
        number: 10,
        name: "account",
        fields: &[field(1, "desk_key", Bytes)],
        circles: &[Dossier],
        keeping: Keeping::ForGood,
    },
    // A family member's device that agreed to be called in an alarm, by its own id: `baken_schemas::alarm::FamilyResponder`.
    KindSpec {
        number: 16,
        name: "family-responder",
        fields: &[field(1, "name", Text), field(2, "keys", Bytes)],
        circles: &[Family],
        keeping: Keeping::ByBaken,
    },
    // Whose alarms the family can be called in, by the device's id: its signed identity.
    KindSpec {
        number: 17,
        name: "family-caller",
        fields: &[field(1, "name", Text), field(2, "keys", Bytes)],
        circles: &[Family],
        keeping: Keeping::ByBaken,
    },
    // Whom of the family this person wants called, by the device's id.
    KindSpec {
        number: 18,
        name: "called-family",
        fields: &[field(1, "name", Text), field(2, "circle", Bytes)],
        circles: &[Dossier],
        keeping: Keeping::ByBaken,
    },
    KindSpec {
        number: 11,
        name: "circle",
        fields: &[field(1, "name", Text)],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ForGood,
    },
    // Answers of the self-scan: no circle shares them. The kind is how an export writes down what the phone alone keeps.
    KindSpec {
        number: 20,
        name: "scan",
        fields: &[
            field(1, "question", Int),
            field(2, "answer", Text),
            field(3, "answered_at", Time),
            field(4, "before", Text),
        ],
        circles: &[],
        keeping: Keeping::ByPerson,
    },
    // What a responder needs to find the door, the car and the people: the card is drawn from these and the profile.
    KindSpec {
        number: 40,
        name: "home",
        fields: &[
            field(1, "address", Text),
            field(2, "access", Text),
            field(3, "remark", Text),
            one_of(4, "pkvw", words::HomeMark::TAGS),
            field(5, "pkvw_at", Time),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 41,
        name: "car",
        fields: &[
            field(1, "plate", Text),
            field(2, "make", Text),
            field(3, "colour", Text),
            field(4, "driver", Text),
            field(5, "remark", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 42,
        name: "housemate",
        fields: &[
            field(1, "name", Text),
            field(2, "relation", Text),
            field(3, "born", Int),
            field(4, "phone", Text),
            field(5, "remark", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 43,
        name: "medical",
        fields: &[
            field(1, "what", Text),
            field(2, "whom", Text),
            field(3, "medicine", Text),
            field(4, "doctor", Text),
            field(5, "remark", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 44,
        name: "subscription",
        fields: &[
            field(1, "title", Text),
            field(2, "measure", Bytes),
            field(3, "supplier", Text),
            field(4, "contract", Text),
            // Of one period, tax included.
            field(5, "cost_cents", Int),
            one_of(6, "every", words::PERIOD),
            field(7, "owner", Text),
            one_of(8, "paid_by", words::PAYER),
            field(9, "starts", Time),
            field(10, "ends", Time),
            field(11, "remark", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 45,
        name: "training",
        fields: &[
            field(1, "title", Text),
            one_of(2, "type", words::TRAINING),
            field(3, "provider", Text),
            field(4, "done_at", Time),
            field(5, "repeat_at", Time),
            field(6, "remark", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    // A mental check-up, and the lock that it lies behind: see `private.rs`.
    KindSpec {
        number: 46,
        name: "check-up",
        fields: &[
            field(1, "sealed", Bytes),
            field(2, "lock", Bytes),
            field(3, "next", Time),
            // Of a reminder alone: after how many months the next check-up is.
            field(4, "every", Int),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 47,
        name: "lock",
        // The newest is what new check-ups are sealed with.
        fields: &[field(1, "wrapped", Bytes), field(2, "made_at", Time)],
        circles: OWN,
        keeping: Keeping::Sealed,
    },
    KindSpec {
        number: 48,
        name: "appointment",
        fields: &[
            field(1, "title", Text),
            field(2, "when", Time),
            field(3, "place", Text),
            field(4, "whom", Text),
            field(5, "done", Bool),
            field(6, "remark", Text),
        ],
        circles: &[Dossier, Family, Case],
        keeping: Keeping::ByPerson,
    },
    // What the person was told about threat and measures, and when they are told again. Nothing new is told too.
    KindSpec {
        number: 49,
        name: "briefing",
        fields: &[
            field(1, "by", Text),
            field(2, "at", Time),
            field(3, "no_news", Bool),
            field(4, "told", Text),
            field(5, "next", Time),
        ],
        circles: SHARED,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 50,
        name: "aftercare",
        fields: &[
            field(1, "title", Text),
            one_of(2, "for", words::AFTERCARE),
            field(3, "scaled_down_at", Time),
            field(4, "helper", Text),
            field(5, "agreed", Text),
            field(6, "ended_at", Time),
        ],
        circles: &[Dossier, Family],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 51,
        name: "follow-up",
        fields: &[
            field(1, "title", Text),
            field(2, "when", Time),
            field(3, "of", Bytes),
            field(4, "done", Bool),
            field(5, "outcome", Text),
        ],
        circles: &[Dossier, Family],
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 52,
        name: "evaluation",
        fields: &[
            field(1, "title", Text),
            field(2, "at", Time),
            field(3, "inside", Text),
            field(4, "outside", Text),
            field(5, "learnt", Text),
            field(6, "of", Bytes),
        ],
        circles: SHARED,
        keeping: Keeping::ByPerson,
    },
    KindSpec {
        number: 53,
        name: "link",
        fields: &[field(1, "from", Bytes), field(2, "to", Bytes), one_of(3, "why", words::LINK)],
        circles: SHARED,
        keeping: Keeping::ByPerson,
    },
    // Less than an incident. Together they can mean something: driehoek and regional mayor are told of each.
    KindSpec {
        number: 54,
        name: "signal",
        fields: &[
            field(1, "what", Text),
            field(2, "seen_at", Time),
            field(3, "place", Text),
            one_of(4, "threat_source", words::THREAT_SOURCE),
            field(5, "driehoek_told_at", Time),
            field(6, "region_told_at", Time),
            field(7, "police_told_at", Time),
            field(8, "remark", Text),
        ],
        circles: SHARED,
        keeping: Keeping::ByPerson,
    },
    // An item of the dossier that was copied into a case. It is here and not there, so that nobody else changes it.
    KindSpec {
        number: 60,
        name: "share",
        fields: &[
            field(1, "item", Bytes),
            field(2, "circle", Bytes),
            field(3, "copy", Bytes),
            field(4, "shared_at", Time),
            field(5, "updated_at", Time),
            field(6, "withdrawn_at", Time),
            // Names of fields that stay at home, with a space between.
            field(7, "without", Text),
            // The person said that whoever decided on a confidential measure lets these readers know of it.
            field(8, "decided", Bool),
        ],
        circles: OWN,
        keeping: Keeping::ByBaken,
    },
    // A reader's device says that it showed an item of the case: by an id of both, and true by its author alone.
    KindSpec {
        number: 61,
        name: "opened",
        fields: &[field(1, "item", Bytes), field(2, "at", Time), field(3, "version", Time)],
        circles: &[Case],
        keeping: Keeping::ByBaken,
    },
    // A further office, or when one ends: the profile names the first. See `client-core/src/life/office.rs`.
    KindSpec {
        number: 62,
        name: "office",
        fields: &[
            field(1, "office", Text),
            field(2, "organisation", Text),
            field(3, "from", Time),
            field(4, "until", Time),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
    // The four questions at a feeling of unsafety, gone through once, with whom.
    KindSpec {
        number: 63,
        name: "review",
        fields: &[
            field(1, "whom", Text),
            field(2, "at", Time),
            one_of(3, "plan", words::REVIEW),
            field(4, "plan_said", Text),
            one_of(5, "choices", words::REVIEW),
            field(6, "choices_said", Text),
            one_of(7, "information", words::REVIEW),
            field(8, "information_said", Text),
            one_of(9, "home", words::REVIEW),
            field(10, "home_said", Text),
        ],
        circles: OWN,
        keeping: Keeping::ByPerson,
    },
];
