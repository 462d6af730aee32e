//! Signed editions: who may publish one ([`EditionRoot`]), what is in it ([`Manifest`]), and the rules by which a device
//! takes a newer one ([`accept`]).
//!
//! After The Update Framework (theupdateframework.github.io/specification), without its online roles: a root names keys and
//! how many of them must sign; the next root is signed by the one before it and by itself; a manifest names every file by
//! its hash, so that files of two editions are never mixed. Versions only rise. When the keys are others, the version of
//! the content starts anew, or a thief who published a huge one would have stopped all updates. There is no online key for
//! freshness: an edition expires, and then says so on the screen.
//!
//! The national edition starts from a root that a program is built with. An organisation's, and the province's that it
//! passes on, start from the organisation's root key as version 0: that key signs editions itself, or a first root that
//! names publishers. Keep it among their keys, with a threshold of one, and it can name others when theirs are lost.

use std::fmt;
use std::str::FromStr;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest as _, Sha256};

use crate::cbor;
use crate::crypto::{Hash, Signature, SigningKey, VerifyKey};
use crate::edition::{
    Date, Edition, Files, Finding, Layer, MAX_EDITION_BYTES, MAX_FILE_BYTES, MAX_FILES, compile, is_known, is_path,
    language_of,
};
use crate::org::OrgId;
use crate::signed::Document;
use crate::time::Timestamp;
use crate::{FormatError, Language};

/// What this program understands of files; it passes over one that asks for more.
pub const APP_LEVEL: u32 = 1;
/// The most keys of a root, and the most signatures of a document.
const MAX_KEYS: usize = 16;
/// The most roots from the first to the newest.
pub const MAX_ROOTS: usize = 64;
/// The largest bundle, in bytes.
pub const MAX_BUNDLE_BYTES: usize = MAX_EDITION_BYTES + 512 * 1024;

/// Which edition: a layer, and whose. In documents, addresses and files it is its text: `national`, `province-ORG` or
/// `organisation-ORG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditionName {
    /// The national edition.
    National,
    /// What a province or water authority adds, as an organisation passes it on.
    Province(OrgId),
    /// What an organisation adds.
    Organisation(OrgId),
}

impl EditionName {
    /// The layer.
    pub fn layer(self) -> Layer {
        match self {
            Self::National => Layer::National,
            Self::Province(_) => Layer::Province,
            Self::Organisation(_) => Layer::Organisation,
        }
    }

    /// The organisation that answers for it.
    pub fn org(self) -> Option<OrgId> {
        match self {
            Self::National => None,
            Self::Province(org) | Self::Organisation(org) => Some(org),
        }
    }
}

impl fmt::Display for EditionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.layer().tag())?;
        self.org().map_or(Ok(()), |org| write!(f, "-{org}"))
    }
}

impl FromStr for EditionName {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let org = |hex: &str| hex.parse::<Hash>().map(OrgId);
        let name = match text.split_once('-') {
            None if text == Layer::National.tag() => Self::National,
            Some((layer, hex)) if layer == Layer::Province.tag() => Self::Province(org(hex)?),
            Some((layer, hex)) if layer == Layer::Organisation.tag() => Self::Organisation(org(hex)?),
            _ => return Err(FormatError::Malformed { what: "an edition's name" }),
        };
        // Hex in capitals would be a second form of the same name.
        if name.to_string() == text { Ok(name) } else { Err(FormatError::Malformed { what: "an edition's name" }) }
    }
}

impl<C> Encode<C> for EditionName {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for EditionName {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decoder.str()?.parse().map_err(|_| minicbor::decode::Error::message("an edition's name"))
    }
}

/// Who may publish an edition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EditionRoot {
    /// Of which edition.
    #[n(0)]
    pub edition: EditionName,
    /// Rises by one.
    #[n(1)]
    pub version: u64,
    /// The publishers' keys, in order, none twice.
    #[n(2)]
    pub keys: Vec<VerifyKey>,
    /// How many of them must sign.
    #[n(3)]
    pub threshold: u8,
}

impl Document for EditionRoot {
    const LABEL: &'static str = "baken/edition-root/v0";
    const MAX_BYTES: usize = 8 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        if self.keys.is_empty() || self.keys.len() > MAX_KEYS || !self.keys.is_sorted_by(|a, b| a < b) {
            return Err(rule("1 to 16 keys, in order, none twice"));
        }
        if self.threshold == 0 || usize::from(self.threshold) > self.keys.len() {
            return Err(rule("the threshold is at least one and at most the number of keys"));
        }
        Ok(())
    }
}

impl EditionRoot {
    /// What an organisation's editions start from: its root key alone, as version 0.
    pub fn of_org(edition: EditionName, root: &VerifyKey) -> Self {
        Self { edition, version: 0, keys: vec![*root], threshold: 1 }
    }

    fn vouches_for<T: Document>(&self, document: &Countersigned<T>) -> Result<(), EditionError> {
        let found = document.signers(&self.keys);
        let needed = usize::from(self.threshold);
        if found >= needed { Ok(()) } else { Err(EditionError::Signatures { found, needed }) }
    }
}

/// A file of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FileEntry {
    /// Its path.
    #[n(0)]
    pub path: String,
    /// The SHA-256 of its bytes.
    #[n(1)]
    pub sha256: Hash,
    /// Its length in bytes.
    #[n(2)]
    pub length: u32,
    /// The tag of its language; `None` where it is not of one.
    #[n(3)]
    pub language: Option<String>,
    /// What a program must understand to read it: [`APP_LEVEL`].
    #[n(4)]
    pub min_app: u32,
}

/// What is in an edition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Manifest {
    /// Which edition.
    #[n(0)]
    pub edition: EditionName,
    /// Rises with every one.
    #[n(1)]
    pub version: u64,
    /// When it was made.
    #[n(2)]
    pub issued_at: Timestamp,
    /// From this moment on all of it is shown as possibly out of date.
    #[n(3)]
    pub expires: Timestamp,
    /// Its files, by path.
    #[n(4)]
    pub files: Vec<FileEntry>,
}

impl Document for Manifest {
    const LABEL: &'static str = "baken/edition/v0";
    const MAX_BYTES: usize = 128 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        if self.version == 0 || self.files.is_empty() || self.files.len() > MAX_FILES {
            return Err(rule("a version of at least 1, and 1 to 512 files"));
        }
        if !self.files.is_sorted_by(|a, b| a.path < b.path) || !self.files.iter().all(|file| is_path(&file.path)) {
            return Err(rule("files have plain paths, in order, none twice"));
        }
        let lengths = || self.files.iter().map(|file| usize::try_from(file.length).unwrap_or(usize::MAX));
        if lengths().any(|length| length > MAX_FILE_BYTES) || lengths().sum::<usize>() > MAX_EDITION_BYTES {
            return Err(rule("files are at most 256 KiB each and 3 MiB together"));
        }
        if self.files.iter().any(|file| file.language.as_deref().is_some_and(|tag| tag.parse::<Language>().is_err())) {
            return Err(rule("a file's language is one that is known"));
        }
        Ok(())
    }
}

/// The SHA-256 of a file's bytes.
pub fn file_hash(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

impl Manifest {
    /// The manifest of source files, which must compile. What this version does not know is left out.
    ///
    /// # Errors
    /// [`EditionError::Source`], [`EditionError::OtherEdition`] when they are of another layer.
    pub fn of(edition: EditionName, files: &Files, issued_at: Timestamp) -> Result<Self, EditionError> {
        let compiled = compile(files).map_err(EditionError::Source)?;
        if compiled.layer != edition.layer() {
            return Err(EditionError::OtherEdition);
        }
        let entry = |(path, text): (&String, &String)| FileEntry {
            path: path.clone(),
            sha256: file_hash(text.as_bytes()),
            length: u32::try_from(text.len()).unwrap_or(u32::MAX),
            language: language_of(path).map(|language| language.tag().to_owned()),
            min_app: APP_LEVEL,
        };
        let known = |(path, _): &(&String, &String)| is_known(path);
        let (version, expires) = (compiled.version, compiled.expires.start());
        let manifest =
            Self { edition, version, issued_at, expires, files: files.iter().filter(known).map(entry).collect() };
        manifest.check()?;
        Ok(manifest)
    }

    /// The files that this program reads.
    pub fn readable(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(|file| file.min_app <= APP_LEVEL)
    }

    /// The day on which it expires.
    pub fn expires_on(&self) -> Date {
        Date::of(self.expires)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Envelope {
    #[n(0)]
    label: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    payload: Vec<u8>,
    #[n(2)]
    signatures: Vec<BySigner>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct BySigner {
    #[n(0)]
    key: VerifyKey,
    #[n(1)]
    signature: Signature,
}

/// A document with any number of signatures: CBOR `[label, payload, [[key, signature], …]]`, signatures in the order of
/// their keys. Each is over label and payload as they stand, as in [`crate::signed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersigned<T> {
    value: T,
    envelope: Envelope,
}

impl<T: Document> Countersigned<T> {
    /// A document that nobody has signed yet.
    pub fn unsigned(value: T) -> Self {
        let payload = cbor::to_vec(&value);
        Self { value, envelope: Envelope { label: T::LABEL.to_owned(), payload, signatures: Vec::new() } }
    }

    /// Adds a signature; one that the key has made before is replaced.
    pub fn sign(&mut self, key: &SigningKey) {
        let by = BySigner { key: key.verify_key(), signature: key.sign(T::LABEL, &[&self.envelope.payload]) };
        let signatures = &mut self.envelope.signatures;
        signatures.retain(|other| other.key != by.key);
        signatures.push(by);
        signatures.sort_by_key(|by| by.key);
    }

    /// Reads a document of this kind. Nothing of it is to be believed yet.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > T::MAX_BYTES {
            return Err(FormatError::TooLarge { what: T::LABEL, limit: T::MAX_BYTES });
        }
        let envelope: Envelope = cbor::from_slice(bytes, T::LABEL)?;
        if envelope.label != T::LABEL {
            return Err(FormatError::WrongDocument { expected: T::LABEL });
        }
        let signatures = &envelope.signatures;
        if signatures.len() > 2 * MAX_KEYS || !signatures.is_sorted_by(|a, b| a.key < b.key) {
            return Err(FormatError::Rule {
                what: T::LABEL,
                rule: "signatures in the order of their keys, none twice",
            });
        }
        let value: T = cbor::from_slice(&envelope.payload, T::LABEL)?;
        value.check()?;
        Ok(Self { value, envelope })
    }

    /// What it says.
    pub fn claims(&self) -> &T {
        &self.value
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(&self.envelope)
    }

    /// How many of these keys have signed it, truly.
    pub fn signers(&self, keys: &[VerifyKey]) -> usize {
        let holds = |by: &&BySigner| {
            keys.contains(&by.key)
                && by.key.verify(T::LABEL, T::LABEL, &[&self.envelope.payload], &by.signature).is_ok()
        };
        self.envelope.signatures.iter().filter(holds).count()
    }
}

/// Why an edition was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditionError {
    /// Bytes that are not what they must be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Fewer signatures than the root asks for.
    #[error("signed by {found} of the publishers, {needed} are needed")]
    Signatures {
        /// How many hold.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// It is of another edition than was asked for.
    #[error("it belongs to another edition or layer")]
    OtherEdition,
    /// A root is left out, or two say different things under one version.
    #[error("the roots do not follow one another: version {expected} was expected, {found} found")]
    RootOrder {
        /// The version that comes next.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// Older than what is here.
    #[error("it is older ({offered}) than what is here ({held})")]
    Rollback {
        /// The version here.
        held: u64,
        /// The version offered.
        offered: u64,
    },
    /// Another content under the version that is here.
    #[error("two different editions have version {0}")]
    TwoOfOneVersion(u64),
    /// A file is missing, or is another than the manifest names.
    #[error("the file {0} is missing or not the one that was signed")]
    File(String),
    /// The files do not compile.
    #[error("the files of the edition cannot be read: {}", first(.0))]
    Source(Vec<Finding>),
    /// It touches an emergency number of a layer above it.
    #[error("it touches the national emergency number {0}")]
    EmergencyNumber(String),
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(|finding| finding.told(Language::En)).unwrap_or_default()
}

impl EditionError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format(error) => error.code(),
            Self::Signatures { .. } => "too_few_signatures",
            Self::OtherEdition => "other_edition",
            Self::RootOrder { .. } => "root_order",
            Self::Rollback { .. } => "older_version",
            Self::TwoOfOneVersion(_) => "two_of_one_version",
            Self::File(_) => "edition_file",
            Self::Source(_) => "edition_source",
            Self::EmergencyNumber(_) => "emergency_number",
        }
    }
}

/// The newest of an edition, as it is offered: every root after the first trusted one, and the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EditionHead {
    /// [`EditionRoot`]s, oldest first.
    #[n(0)]
    pub roots: Vec<ByteVec>,
    /// The [`Manifest`].
    #[n(1)]
    pub manifest: ByteVec,
}

/// An edition's head that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As it came.
    pub head: EditionHead,
    /// Its newest root.
    pub root: EditionRoot,
    /// What is in it.
    pub manifest: Manifest,
}

/// Checks an offered head, starting from a root that is trusted, against what was accepted before.
///
/// # Errors
/// [`EditionError`]; what was held stays good.
pub fn accept(anchor: &EditionRoot, held: Option<&Accepted>, head: &EditionHead) -> Result<Accepted, EditionError> {
    let root = follow(anchor, &head.roots)?;
    let manifest = Countersigned::<Manifest>::parse(&head.manifest)?;
    if manifest.claims().edition != anchor.edition {
        return Err(EditionError::OtherEdition);
    }
    root.vouches_for(&manifest)?;
    let manifest = manifest.value;
    if let Some(held) = held {
        if root.version < held.root.version {
            return Err(EditionError::Rollback { held: held.root.version, offered: root.version });
        }
        if root.version == held.root.version && root != held.root {
            return Err(EditionError::TwoOfOneVersion(root.version));
        }
        if root.keys == held.root.keys {
            let (here, offered) = (held.manifest.version, manifest.version);
            if offered < here {
                return Err(EditionError::Rollback { held: here, offered });
            }
            if offered == here && manifest != held.manifest {
                return Err(EditionError::TwoOfOneVersion(here));
            }
        }
    }
    Ok(Accepted { head: head.clone(), root, manifest })
}

/// The newest root, each signed by the one before it and by itself. Roots up to the trusted one are passed over.
///
/// # Errors
/// [`EditionError`].
pub fn follow(anchor: &EditionRoot, roots: &[ByteVec]) -> Result<EditionRoot, EditionError> {
    if roots.len() > MAX_ROOTS {
        return Err(FormatError::TooLarge { what: EditionRoot::LABEL, limit: MAX_ROOTS }.into());
    }
    let mut current = anchor.clone();
    for bytes in roots {
        let next = Countersigned::<EditionRoot>::parse(bytes)?;
        let claims = next.claims();
        if claims.edition != anchor.edition {
            return Err(EditionError::OtherEdition);
        }
        if claims.version < current.version || *claims == current {
            continue;
        }
        let expected = current.version.saturating_add(1);
        if claims.version != expected {
            return Err(EditionError::RootOrder { expected, found: claims.version });
        }
        current.vouches_for(&next)?;
        claims.vouches_for(&next)?;
        current = next.value;
    }
    Ok(current)
}

/// An edition in one file: what `build` makes and a device keeps.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Bundle {
    /// Its head.
    #[n(0)]
    pub head: EditionHead,
    /// Its files, by path.
    #[n(1)]
    pub files: Vec<BundledFile>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BundledFile {
    /// Its path.
    #[n(0)]
    pub path: String,
    /// Its bytes.
    #[n(1)]
    pub bytes: ByteVec,
}

impl Bundle {
    /// Reads a bundle. Nothing of it is checked but its shape.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(FormatError::TooLarge { what: "an edition", limit: MAX_BUNDLE_BYTES });
        }
        cbor::from_slice(bytes, "an edition")
    }

    /// A bundle of an accepted head. `files` may have more than it names.
    ///
    /// # Errors
    /// [`EditionError::File`] when one is missing or another.
    pub fn of(accepted: &Accepted, files: &Files) -> Result<Self, EditionError> {
        let file = |entry: &FileEntry| {
            let text = files.get(&entry.path).filter(|text| file_hash(text.as_bytes()) == entry.sha256);
            let text = text.ok_or_else(|| EditionError::File(entry.path.clone()))?;
            Ok(BundledFile { path: entry.path.clone(), bytes: text.clone().into_bytes().into() })
        };
        let files = accepted.manifest.readable().map(file).collect::<Result<_, EditionError>>()?;
        Ok(Self { head: accepted.head.clone(), files })
    }

    /// Its files as text, without a look at the manifest.
    ///
    /// # Errors
    /// [`EditionError::File`] when one is no text, or there twice.
    pub fn texts(&self) -> Result<Files, EditionError> {
        let mut files = Files::new();
        for file in &self.files {
            let text = String::from_utf8(file.bytes.to_vec()).map_err(|_| EditionError::File(file.path.clone()))?;
            if files.insert(file.path.clone(), text).is_some() {
                return Err(EditionError::File(file.path.clone()));
            }
        }
        Ok(files)
    }
}

/// Compiles the files of an accepted edition, after holding each against the manifest: none may be missing, another, or
/// too many.
///
/// # Errors
/// [`EditionError::File`], [`EditionError::Source`], [`EditionError::OtherEdition`] when the files say another layer or
/// version than the manifest.
pub fn open(accepted: &Accepted, files: &Files) -> Result<Edition, EditionError> {
    let manifest = &accepted.manifest;
    for entry in manifest.readable() {
        let is_there = files.get(&entry.path).is_some_and(|text| file_hash(text.as_bytes()) == entry.sha256);
        if !is_there {
            return Err(EditionError::File(entry.path.clone()));
        }
    }
    let named = |path: &&String| manifest.readable().any(|entry| entry.path == **path);
    if let Some(path) = files.keys().find(|path| !named(path)) {
        return Err(EditionError::File(path.clone()));
    }
    let edition = compile(files).map_err(EditionError::Source)?;
    let says_the_same = edition.layer == manifest.edition.layer()
        && edition.version == manifest.version
        && edition.expires == manifest.expires_on();
    if says_the_same { Ok(edition) } else { Err(EditionError::OtherEdition) }
}
