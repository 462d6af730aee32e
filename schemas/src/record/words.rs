//! The words of fields that take one of a list: what a list is counted by, sent to a register by, or asked about must be
//! the same word on every phone. What each is called on a screen is the screen's affair.
//!
//! A list only grows. A word of a newer version is kept and shown as it is.

/// How far a measure is. Not wanting it is an end like any other: what is done at home is the office-holder's choice.
pub const MEASURE_STATUS: &[&str] = &["proposed", "wished", "decided", "done", "ended", "not-wanted"];
/// Whose idea a measure was. What comes from the stelsel bewaken en beveiligen is confidential.
pub const ORIGIN: &[&str] = &["own", "adviser", "police-advice", STELSEL];
/// The word of [`ORIGIN`] that makes a measure confidential whatever else it says.
pub const STELSEL: &str = "stelsel";
/// What kind of measure: PKVW is the police label for safe homes, BRP the register of residents, KVK that of trade.
pub const MEASURE_TYPE: &[&str] = &[
    "pkvw",
    "home-scan",
    "home-security",
    "camera",
    "alarm-system",
    "button",
    "letterbox",
    "safe-transport",
    "safe-room",
    "other-address",
    "personal-protection",
    "surveillance",
    "kadaster",
    "kvk",
    "brp",
    "insurance",
    "digital",
    "training",
    "agreement",
    "other",
];
/// Who pays.
pub const PAYER: &[&str] = &["self", "organisation", "state", "police", "insurer", "other", "unknown"];
/// How often a subscription costs what it costs.
pub const PERIOD: &[&str] = &["once", "month", "quarter", "year"];
/// How far a home is with the police label.
pub const LABEL: &[&str] = &["certificate", "being-arranged", "none", "unknown"];
/// Where a threat comes from, as the Leidraad tells them apart.
pub const THREAT: &[&str] = &["angry-resident", "confused-person", "organised-crime", "unknown"];
/// What the police were told. No offence is still a report; `none-yet` is said, not left out.
pub const POLICE: &[&str] = &["aangifte", "melding", "none-yet"];
/// Why two incidents or signals belong together.
pub const LINK: &[&str] = &[SAME_PERPETRATOR, "same-event", "follow-up", "related"];
/// The word of [`LINK`] for one person behind both.
pub const SAME_PERPETRATOR: &str = "same-perpetrator";
/// Where a file comes from.
pub const FILE_ORIGIN: &[&str] = &["own", "received", "screenshot", "camera", "witness", "public", "unknown"];
/// What was trained.
pub const TRAINING: &[&str] = &["aggression", "undue-influence", "digital", "resilience", "button", "other"];
/// Whom aftercare is for.
pub const AFTERCARE: &[&str] = &["self", "family"];
/// How one of the four questions was answered. All but yes leaves something to do.
pub const REVIEW: &[&str] = &[REVIEW_YES, "no", "open"];
/// The word of [`REVIEW`] for which there is nothing to do.
pub const REVIEW_YES: &str = "yes";
