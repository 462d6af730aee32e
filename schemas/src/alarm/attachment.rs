//! What a phone sends along with an update of an alarm: a photo, or some seconds of sound. Its bytes are a
//! [`crate::blob`] that lies at the relay beside the alarm; what opens them is in the update, sealed as all of it is.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::FormatError;
use crate::blob::BlobRef;

/// The largest file that goes along with an alarm, in bytes: a photo at the size of a screen, or a minute of sound.
pub const MAX_ATTACHMENT_BYTES: usize = 2 * 1024 * 1024;
/// What an attachment is called in errors.
const WHAT: &str = "an alarm's attachment";

/// What a file is, as its first bytes say. A desk shows these and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum MediaType {
    /// A photo.
    #[n(0)]
    Jpeg,
    /// A picture of a screen.
    #[n(1)]
    Png,
    /// A photo.
    #[n(2)]
    Webp,
    /// Sound: Opus or Vorbis.
    #[n(3)]
    Ogg,
    /// Sound: AAC, as phones record it.
    #[n(4)]
    M4a,
    /// Sound.
    #[n(5)]
    Mp3,
    /// Sound, uncompressed.
    #[n(6)]
    Wav,
}

impl MediaType {
    /// What a file is; `None` for anything that no desk would show.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_at = |at: usize, what: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(what));
        match bytes {
            _ if is_at(0, &[0xff, 0xd8, 0xff]) => Some(Self::Jpeg),
            _ if is_at(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if is_at(0, b"RIFF") && is_at(8, b"WEBP") => Some(Self::Webp),
            _ if is_at(0, b"RIFF") && is_at(8, b"WAVE") => Some(Self::Wav),
            _ if is_at(0, b"OggS") => Some(Self::Ogg),
            _ if is_at(4, b"ftypM4A") => Some(Self::M4a),
            // With tags before it, or a frame at once.
            _ if is_at(0, b"ID3") => Some(Self::Mp3),
            [0xff, second, ..] if second & 0xe6 == 0xe2 => Some(Self::Mp3),
            _ => None,
        }
    }

    /// Its name in HTTP.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Ogg => "audio/ogg",
            Self::M4a => "audio/mp4",
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
        }
    }

    /// Whether it is to be heard; otherwise it is to be seen.
    pub fn is_sound(self) -> bool {
        matches!(self, Self::Ogg | Self::M4a | Self::Mp3 | Self::Wav)
    }
}

/// A file that goes along with an update.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AlarmAttachment {
    /// What it is, as the sender found it.
    #[n(0)]
    pub media: MediaType,
    /// Opens its bytes.
    #[n(1)]
    pub blob: BlobRef,
}

impl AlarmAttachment {
    /// Whether it is of a size that is taken. To be asked before anything is fetched.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`], [`FormatError::Rule`].
    pub fn check(&self) -> Result<(), FormatError> {
        if self.blob.size > MAX_ATTACHMENT_BYTES as u64 {
            return Err(FormatError::TooLarge { what: WHAT, limit: MAX_ATTACHMENT_BYTES });
        }
        self.blob.check()
    }
}
