//! Officers: files in the desk's folder, so that the command line can add and remove one while the desk runs.
//!
//! ```text
//! officers/<officer>.json          {"name", "added_at"}: who may act, as long as the file is there
//! officers/links/<hash>.json       {"officer", "expires_at"}: a login link, by the hash of its token
//! ```
//! A session is good only while the officer's file is there: removing it logs the officer out at once. That a link is
//! used once is not decided here but in the desk's database, where it cannot be undone by a copy of a file.

use std::path::{Path, PathBuf};

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::folder::{Access, FolderError, read_whole, write_whole};

/// How long a login link is good for, in milliseconds.
pub const LINK_LIFETIME_MS: i64 = 30 * 60_000;
/// The longest name in bytes: it must fit a receipt beside what the officer says.
pub const MAX_NAME_BYTES: usize = 60;
/// The most officers of one desk.
const MAX_OFFICERS: usize = 1_000;

/// An officer's pseudonym, in audit rows and file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OfficerId(pub [u8; 16]);

impl std::fmt::Display for OfficerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl OfficerId {
    fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

/// A person who acts at this desk.
#[derive(Clone, PartialEq, Eq)]
pub struct Officer {
    /// The pseudonym.
    pub id: OfficerId,
    /// The name that goes into receipts.
    pub name: String,
}

impl std::fmt::Debug for Officer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Officer({})", self.id)
    }
}

/// A secret of 32 random bytes that a person or a browser holds: of a login link or a session.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A new one.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(Zeroizing::new(BASE64URL_NOPAD.encode(bytes.as_ref())))
    }

    /// What came in a link or a cookie; `None` when it can be no token.
    pub fn read(text: &str) -> Option<Self> {
        let decoded = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (decoded.len() == 32).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text for the link or the cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> Hash {
        Hash::of("baken/console-token/v0", &[self.0.as_bytes()])
    }
}

#[derive(Serialize, Deserialize)]
struct OfficerFile {
    name: String,
    added_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct LinkFile {
    officer: String,
    expires_at: Timestamp,
}

/// Why an officer cannot be added or found.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// A name that is empty or too long.
    #[error("a name has 1 to {MAX_NAME_BYTES} bytes and no control characters")]
    Name,
    /// There is one of this name.
    #[error("there is an officer of this name: use `officer link` for a new login link")]
    Exists,
    /// There is none of this name.
    #[error("there is no officer of this name: `officer list` shows who there is")]
    Unknown,
    /// The desk has as many as it takes.
    #[error("a desk has at most {MAX_OFFICERS} officers")]
    Full,
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The officers of a desk's folder.
#[derive(Debug, Clone)]
pub struct Officers {
    dir: PathBuf,
}

fn folder_error(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

impl Officers {
    /// The officers in `DATA/officers`; the folder is made when it is missing.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(data: &Path) -> Result<Self, FolderError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let dir = data.join("officers");
        let links = dir.join("links");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&links).map_err(folder_error(&links))?;
        Ok(Self { dir })
    }

    fn file(&self, officer: OfficerId) -> PathBuf {
        self.dir.join(format!("{officer}.json"))
    }

    fn link_file(&self, token_hash: Hash) -> PathBuf {
        self.dir.join("links").join(format!("{token_hash}.json"))
    }

    /// Adds an officer and makes the first login link's token.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub fn add(&self, name: &str, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<(Officer, Token), OfficerError> {
        let name = name.trim();
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(OfficerError::Name);
        }
        let officers = self.list()?;
        if officers.iter().any(|officer| officer.name == name) {
            return Err(OfficerError::Exists);
        }
        if officers.len() >= MAX_OFFICERS {
            return Err(OfficerError::Full);
        }
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let officer = Officer { id: OfficerId(id), name: name.to_owned() };
        let file = OfficerFile { name: officer.name.clone(), added_at: now };
        write_json(&self.file(officer.id), &file)?;
        let token = self.make_link(officer.id, now, rng)?;
        Ok((officer, token))
    }

    /// Makes another login link for an officer.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub fn link(&self, name: &str, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Token, OfficerError> {
        let officer = self.named(name)?;
        Ok(self.make_link(officer.id, now, rng)?)
    }

    fn make_link(&self, officer: OfficerId, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Token, FolderError> {
        let token = Token::make(rng);
        let link = LinkFile { officer: officer.to_string(), expires_at: now.plus_ms(LINK_LIFETIME_MS) };
        write_json(&self.link_file(token.hash()), &link)?;
        Ok(token)
    }

    /// The officer of a name.
    ///
    /// # Errors
    /// [`OfficerError::Unknown`], [`OfficerError::Folder`].
    pub fn named(&self, name: &str) -> Result<Officer, OfficerError> {
        self.list()?.into_iter().find(|officer| officer.name == name.trim()).ok_or(OfficerError::Unknown)
    }

    /// Removes an officer; sessions end at once.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub fn remove(&self, name: &str) -> Result<(), OfficerError> {
        let path = self.file(self.named(name)?.id);
        std::fs::remove_file(&path).map_err(folder_error(&path))?;
        Ok(())
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn list(&self) -> Result<Vec<Officer>, FolderError> {
        let mut officers = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(folder_error(&self.dir))?.take(MAX_OFFICERS + 16) {
            let path = entry.map_err(folder_error(&self.dir))?.path();
            let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
            if let Some(officer) = id.and_then(OfficerId::parse).and_then(|id| self.find(id)) {
                officers.push(officer);
            }
        }
        officers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(officers)
    }

    /// An officer, while the file is there and whole.
    pub fn find(&self, id: OfficerId) -> Option<Officer> {
        let file: OfficerFile = read_json(&self.file(id))?;
        Some(Officer { id, name: file.name })
    }

    /// Whose link this is, while it has not expired. Whether it was used, the database knows.
    pub fn of_link(&self, token: &Token, now: Timestamp) -> Option<Officer> {
        let link: LinkFile = read_json(&self.link_file(token.hash()))?;
        (link.expires_at > now).then_some(())?;
        self.find(OfficerId::parse(&link.officer)?)
    }

    /// Takes a used link's file away. That it could not be is no harm: the link stays used.
    pub fn forget_link(&self, token: &Token) {
        let _ = std::fs::remove_file(self.link_file(token.hash()));
    }

    /// Takes the links away that were made for an officer and not used yet.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn forget_links(&self, officer: OfficerId) -> Result<(), FolderError> {
        let links = self.dir.join("links");
        for entry in std::fs::read_dir(&links).map_err(folder_error(&links))? {
            let path = entry.map_err(folder_error(&links))?.path();
            let link: Option<LinkFile> = read_json(&path);
            if link.is_some_and(|link| OfficerId::parse(&link.officer) == Some(officer)) {
                match std::fs::remove_file(&path) {
                    // It was used up just now, and what it opened ends with the passkeys.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    removed => removed.map_err(folder_error(&path))?,
                }
            }
        }
        Ok(())
    }
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), FolderError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| FolderError::Damaged { path: path.to_owned(), why: error.to_string() })?;
    write_whole(path, &bytes, Access::Secret)
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read_whole(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    use super::*;

    #[test]
    fn an_officer_is_found_by_a_link_until_it_expires_or_they_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let officers = Officers::open(folder.path()).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (officer, token) = officers.add("Agent Jansen", Timestamp(0), &mut rng).unwrap();
        assert!(matches!(officers.add("Agent Jansen", Timestamp(0), &mut rng), Err(OfficerError::Exists)));
        let token = Token::read(token.reveal()).unwrap();
        assert_eq!(officers.of_link(&token, Timestamp(LINK_LIFETIME_MS - 1)), Some(officer));
        assert_eq!(officers.of_link(&token, Timestamp(LINK_LIFETIME_MS)), None);
        officers.remove("Agent Jansen").unwrap();
        assert_eq!(officers.of_link(&token, Timestamp(1)), None);
        assert!(officers.list().unwrap().is_empty());
    }

    #[test]
    fn files_say_nothing_that_opens_a_console() {
        let folder = tempfile::tempdir().unwrap();
        let officers = Officers::open(folder.path()).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (_, token) = officers.add("Agent Jansen", Timestamp(0), &mut rng).unwrap();
        for entry in std::fs::read_dir(folder.path().join("officers/links")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap() + path.to_str().unwrap();
            assert!(!text.contains(token.reveal()));
        }
        assert!(Token::read("not a token").is_none());
    }
}
