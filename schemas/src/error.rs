//! The one error of reading bytes that came from outside.

/// Why bytes could not be taken. Never carries content: what was read may be private or hostile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes are no well-formed deterministic CBOR of the expected shape.
    #[error("malformed {what}: the bytes are damaged or not of this format")]
    Malformed {
        /// The thing being read.
        what: &'static str,
    },
    /// Well-formed, but larger than the format allows.
    #[error("{what} is larger than the {limit} bytes allowed")]
    TooLarge {
        /// The thing being read.
        what: &'static str,
        /// The largest size in bytes.
        limit: usize,
    },
    /// Another document, or a version that this program does not know.
    #[error("expected {expected}, found another kind or version: a newer version of Baken may be needed")]
    WrongDocument {
        /// The label that was expected.
        expected: &'static str,
    },
    /// The signature is not by the key it must be by.
    #[error("{what} is not signed by the key it must be signed by")]
    Signature {
        /// The thing that was signed.
        what: &'static str,
    },
    /// Wrong key, or altered bytes: which of the two cannot be told.
    #[error("{what} cannot be opened: wrong key or altered bytes")]
    Sealed {
        /// The thing that was sealed.
        what: &'static str,
    },
    /// A rule of the format is broken.
    #[error("{what}: {rule}")]
    Rule {
        /// The thing being read.
        what: &'static str,
        /// The rule, in words.
        rule: &'static str,
    },
}

impl FormatError {
    /// A stable code for logs, exit messages and the HTTP API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::WrongDocument { .. } => "wrong_document",
            Self::Signature { .. } => "bad_signature",
            Self::Sealed { .. } => "cannot_open",
            Self::Rule { .. } => "rule_broken",
        }
    }
}
