//! The words of fields that take one of a list: what a list is counted by, sent to a register by, or asked about must be
//! the same word on every phone. What each is called on a screen is the screen's affair.
//!
//! A list only grows. A word of a newer version is kept and shown as it is. What the rules ask about too is a list of
//! variants here, and the rules read this one.

use crate::edition::words::tagged;

/// How far a measure is. Not wanting it is an end like any other: what is done at home is the office-holder's choice.
pub const MEASURE_STATUS: &[&str] = &["proposed", "wished", "decided", "done", "ended", "not-wanted"];
tagged! {
    /// Where a measure comes from: whose idea it was, or who decided on it.
    Origin, "an origin":
    /// The person.
    Own = "own",
    /// An adviser's advice.
    Adviser = "adviser",
    /// The police's advice.
    PoliceAdvice = "police-advice",
    /// The organisation, under the scheme or otherwise.
    Organisation = "organisation",
    /// The system that guards and secures people (stelsel bewaken en beveiligen): confidential whatever else it says.
    System = "system",
}

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
tagged! {
    /// Whether the home meets the police quality mark (PKVW).
    HomeMark, "a state of the home":
    /// It does, and there is a certificate.
    Met = "met",
    /// It is being arranged.
    UnderWay = "under-way",
    /// It does not.
    NotMet = "not-met",
    /// Nobody knows.
    Unknown = "unknown",
}

/// Where a threat comes from, as the Leidraad tells them apart. How concrete it is, is the rules' `Threat`.
pub const THREAT_SOURCE: &[&str] = &["angry-resident", "confused-person", "organised-crime", "unknown"];
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
