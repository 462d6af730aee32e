//! A message: header, data, elements and time, written to and read from one frame.

use std::fmt;

use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::crypt::Key;
use super::frame::{Frame, FrameError, Header};
use super::position::{read_latitude, read_longitude};
use super::text;
use super::time::{read_time, write_time};

/// The most elements one message is read with: far more than the standard defines.
const MAX_ELEMENTS: usize = 32;

/// One element of extended data, `[x…]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// Its letter: `X` longitude, `Y` latitude, `H` time of occurrence, `I` alarm text, `V` verification, …
    pub letter: char,
    /// What follows the letter.
    pub value: String,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({}…)", self.letter)
    }
}

/// What stands after the `[`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Between `[` and the first `]`, with the account inside: `#1234|Nri1/PA501|Atext`. Empty for supervision.
    pub data: String,
    /// The extended data, in order. Never a `K`.
    pub elements: Vec<Element>,
    /// When the message was made, by its sender's clock. Whole seconds.
    pub made_at: Option<Timestamp>,
    /// Whether a `K` element, which carries a key, was in it. Its content was dropped unread.
    pub carried_key: bool,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} elements)", self.elements.len())
    }
}

impl Content {
    /// The content of the first element with this letter.
    pub fn element(&self, letter: char) -> Option<&str> {
        self.elements.iter().find(|element| element.letter == letter).map(|element| element.value.as_str())
    }

    /// Latitude and longitude in 10⁻⁷ degrees, where both are there and possible.
    pub fn position_e7(&self) -> Option<(i32, i32)> {
        Some((read_latitude(self.element('Y')?)?, read_longitude(self.element('X')?)?))
    }

    /// When the event happened (`H`), which may be long before the message was made.
    pub fn occurred_at(&self) -> Option<Timestamp> {
        read_time(self.element('H')?)
    }

    /// `data][x…][x…]_time`: all that follows the `[`.
    fn write(&self) -> Result<Vec<u8>, FrameError> {
        let wrong = |what| FrameError::Content { what };
        let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"[]".contains(&byte));
        if !printable(&self.data) {
            return Err(wrong("data may hold printable ASCII, without brackets"));
        }
        let mut written = format!("{}]", self.data);
        for Element { letter, value } in &self.elements {
            if !letter.is_ascii_graphic() || !printable(value) || value.contains('|') || "[]|K".contains(*letter) {
                return Err(wrong("an element may hold printable ASCII, without brackets and bars, and never a key"));
            }
            written.push_str(&format!("[{letter}{value}]"));
        }
        if let Some(made_at) = self.made_at {
            written.push('_');
            written.push_str(&write_time(made_at));
        }
        Ok(written.into_bytes())
    }

    fn read(region: &[u8]) -> Result<Self, FrameError> {
        let wrong = |what| FrameError::Content { what };
        let region = text::read(region);
        let (data, mut rest) = region.split_once(']').ok_or(wrong("no bracket after the data"))?;
        let mut content = Self { data: data.to_owned(), ..Self::default() };
        while let Some(opened) = rest.strip_prefix('[') {
            let (element, tail) = opened.split_once(']').ok_or(wrong("an element is not closed"))?;
            rest = tail;
            let mut characters = element.chars();
            match characters.next() {
                Some('K') => content.carried_key = true,
                Some(letter) if content.elements.len() < MAX_ELEMENTS => {
                    content.elements.push(Element { letter, value: characters.as_str().to_owned() });
                }
                Some(_) => return Err(wrong("too many elements")),
                None => {}
            }
        }
        match rest.strip_prefix('_') {
            // A plain alarm is not refused over a clock that writes nonsense: it has no time, then.
            Some(time) => content.made_at = read_time(time),
            None if rest.is_empty() => {}
            None => return Err(wrong("something follows the last bracket that is no time")),
        }
        Ok(content)
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What stands before the `[`. `encrypted` is how it came, and is set by [`Message::write`] on what goes.
    pub header: Header,
    /// What stands after it.
    pub content: Content,
}

impl Message {
    /// Writes the frame: enciphered where there is a key, plain otherwise.
    ///
    /// # Errors
    /// [`FrameError::Content`] where the content cannot stand in a frame or an enciphered message has no time;
    /// [`FrameError::TooLong`].
    pub fn write(&self, key: Option<&Key>, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FrameError> {
        let region = self.content.write()?;
        let body = match key {
            Some(_) if self.content.made_at.is_none() => {
                return Err(FrameError::Content { what: "an enciphered message must say when it was made" });
            }
            Some(key) => key.seal(&region, rng),
            None => region,
        };
        Frame { header: Header { encrypted: key.is_some(), ..self.header.clone() }, body }.write()
    }

    /// Reads a frame from LF to CR. A key is used if the frame is enciphered, and only then: whether a plain frame may
    /// come from an account that has a key is for the receiver to say.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn read(bytes: &[u8], key: Option<&Key>) -> Result<Self, FrameError> {
        Self::open(Frame::read(bytes)?, key)
    }

    /// Reads the body of a frame whose header was looked at first.
    ///
    /// # Errors
    /// [`FrameError::NeedsKey`], [`FrameError::NotOpened`], [`FrameError::Content`].
    pub fn open(frame: Frame, key: Option<&Key>) -> Result<Self, FrameError> {
        let Frame { header, body } = frame;
        if !header.encrypted {
            return Ok(Self { content: Content::read(&body)?, header });
        }
        let plain = key.ok_or(FrameError::NeedsKey)?.open(&body)?;
        let account = header.account.as_ref().map(|account| account.as_str()).unwrap_or_default();
        let region = without_padding(&plain, account).ok_or(FrameError::NotOpened)?;
        let content = Content::read(region).map_err(|_| FrameError::NotOpened)?;
        // CBC opens under any key. It was this one only if the rest has the shape, the account and a time.
        let ours = content.data.is_empty() || names(content.data.as_bytes(), account);
        if content.made_at.is_none() || !ours {
            return Err(FrameError::NotOpened);
        }
        Ok(Self { header, content })
    }

    /// SHA-256 over all that stays the same when a sender repeats itself: everything but padding and time made. A
    /// receiver tells repeats by it, within minutes, since sequence numbers come round.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        };
        add(self.header.id.as_str());
        add(&self.header.sequence.to_string());
        add(self.header.receiver.as_ref().map_or("-", |receiver| receiver.as_str()));
        add(self.header.line.as_str());
        add(self.header.account.as_ref().map_or("-", |account| account.as_str()));
        add(&self.content.data);
        for element in &self.content.elements {
            add(element.letter.encode_utf8(&mut [0; 4]));
            add(&element.value);
        }
        hash.finalize().into()
    }
}

/// Data starts with the account, `#` before it or not.
fn names(data: &[u8], account: &str) -> bool {
    let data = data.strip_prefix(b"#").unwrap_or(data);
    data.strip_prefix(account.as_bytes()).is_some_and(|rest| rest.starts_with(b"|"))
}

/// What follows the padding: from behind the first `|` that comes before the first `]`, else from that `]`. Where a
/// dialler wrote no `|` of its own, that takes the account for padding, so the account is looked for.
fn without_padding<'a>(plain: &'a [u8], account: &str) -> Option<&'a [u8]> {
    let close = plain.iter().position(|&byte| byte == b']')?;
    let Some(bar) = plain[..close].iter().position(|&byte| byte == b'|') else {
        return Some(&plain[close..]);
    };
    if names(&plain[bar + 1..close], account) {
        return Some(&plain[bar + 1..]);
    }
    let marker = format!("#{account}|");
    let start = plain[..close].windows(marker.len()).position(|window| window == marker.as_bytes());
    Some(&plain[start.unwrap_or(bar + 1)..])
}
