//! Where editions lie: `guidance/<layer>.edition`, a bundle each, written whole and synced before it is used. Public, so
//! not encrypted; what keeps it true are its signatures, checked whenever it is read.

use std::path::{Path, PathBuf};

use baken_schemas::cbor;
use baken_schemas::crypto::VerifyKey;
use baken_schemas::edition::signed::{
    Accepted, Bundle, Countersigned, EditionError, EditionName, EditionRoot, MAX_BUNDLE_BYTES, accept,
    open as open_files,
};
use baken_schemas::edition::{Date, Edition, Files, Layer, Layers, shipped};
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::BakenError;
use crate::disk;
use crate::home::{Home, HomeLock, lock_file, read_file_up_to, replace_file};

/// Names the publishers of the national edition, in place of what the program was built with.
const NATIONAL_ROOT_FILE: &str = "national-root.cbor";
/// The largest file that names a root.
const MAX_ROOT_BYTES: u64 = 16 * 1024;

/// Where a layer's edition came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// With the program.
    Shipped,
    /// From a relay.
    Installed,
}

/// A layer that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerState {
    /// The layer.
    pub layer: Layer,
    /// The edition's name; empty where there is none that can be read.
    pub name: String,
    /// Its version; 0 where there is none.
    pub version: u64,
    /// Where it came from.
    pub origin: Origin,
    /// When it was made, where that is known.
    pub issued_at: Option<Timestamp>,
    /// From this day on it may be out of date.
    pub expires: Option<Date>,
    /// That day, when it has come.
    pub stale_since: Option<Date>,
    /// Whether newer ones can be taken: it is known who publishes them.
    pub can_update: bool,
    /// Why what lies on the disk was not read, by its code.
    pub fault: Option<String>,
}

/// An edition on the disk that holds.
pub(super) struct Installed {
    pub(super) accepted: Accepted,
    pub(super) files: Files,
    pub(super) edition: Edition,
}

/// The folder of editions.
fn folder(home: &Home) -> PathBuf {
    home.guidance()
}

fn path(home: &Home, layer: Layer) -> PathBuf {
    folder(home).join(format!("{layer}.edition"))
}

/// The root that an edition's roots start from; `None` when it is not known who publishes it.
pub(super) fn anchor(home: &Home, name: EditionName, org_root: Option<&VerifyKey>) -> Option<EditionRoot> {
    match name.org() {
        Some(org) => org_root.filter(|root| OrgId::of(root) == org).map(|root| EditionRoot::of_org(name, root)),
        None => {
            let placed = read_file_up_to(&folder(home).join(NATIONAL_ROOT_FILE), MAX_ROOT_BYTES).ok().flatten();
            let bytes = placed.as_deref().or(shipped::national_root())?;
            let root = Countersigned::<EditionRoot>::parse(bytes).ok()?.claims().clone();
            (root.edition == name).then_some(root)
        }
    }
}

/// The editions that a device reads: the national one, and its organisation's.
pub(super) fn names(org_root: Option<&VerifyKey>) -> Vec<EditionName> {
    let org = org_root.map(OrgId::of);
    let of_org = org.map(|org| [EditionName::Province(org), EditionName::Organisation(org)]);
    std::iter::once(EditionName::National).chain(of_org.into_iter().flatten()).collect()
}

/// Reads an edition from the disk and verifies it; `None` when there is none.
pub(super) fn installed(home: &Home, anchor: &EditionRoot) -> Result<Option<Installed>, BakenError> {
    let Some(bytes) = read_file_up_to(&path(home, anchor.edition.layer()), MAX_BUNDLE_BYTES as u64)? else {
        return Ok(None);
    };
    let read = || {
        let bundle = Bundle::parse(&bytes)?;
        let accepted = accept(anchor, None, &bundle.head)?;
        let files = bundle.texts()?;
        let edition = open_files(&accepted, &files)?;
        Ok::<_, EditionError>(Installed { accepted, files, edition })
    };
    Ok(Some(read()?))
}

/// The head of the edition on the disk, when its signatures hold, whatever became of its files: none older is taken.
pub(super) fn held(home: &Home, anchor: &EditionRoot) -> Option<Accepted> {
    let bytes = read_file_up_to(&path(home, anchor.edition.layer()), MAX_BUNDLE_BYTES as u64).ok()??;
    accept(anchor, None, &Bundle::parse(&bytes).ok()?.head).ok()
}

/// Writes an edition, durable when this returns. Call it with the lock.
pub(super) fn write(home: &Home, _lock: &HomeLock, bundle: &Bundle, layer: Layer) -> Result<(), BakenError> {
    replace_file(&path(home, layer), &cbor::to_vec(bundle))
}

/// Takes the lock of the editions, making their folder where it is missing. Nobody holds it while waiting for the network.
pub(super) fn lock(home: &Home) -> Result<HomeLock, BakenError> {
    let folder = folder(home);
    if !disk::is_dir(&folder) {
        disk::create_dir_all(&folder)?;
    }
    lock_file(&folder.join("lock"))
}

fn state(edition: &Edition, origin: Origin, issued_at: Option<Timestamp>, now: Timestamp) -> LayerState {
    LayerState {
        layer: edition.layer,
        name: edition.name.clone(),
        version: edition.version,
        origin,
        issued_at,
        expires: Some(edition.expires),
        stale_since: (edition.expires <= Date::of(now)).then_some(edition.expires),
        can_update: false,
        fault: None,
    }
}

/// Every layer there is, the national one first.
///
/// # Errors
/// [`BakenError::EditionRefused`] when the shipped edition cannot be read.
pub(super) fn open(
    home: &Home,
    org_root: Option<VerifyKey>,
    now: Timestamp,
) -> Result<(Layers, Vec<LayerState>), BakenError> {
    let shipped = shipped::edition().map_err(EditionError::Source)?;
    let mut shipped_state = state(&shipped, Origin::Shipped, None, now);
    let mut layers = Layers::new(shipped);
    let mut states = Vec::new();
    for name in names(org_root.as_ref()) {
        let anchor = anchor(home, name, org_root.as_ref());
        let can_update = anchor.is_some();
        let found = anchor.map_or(Ok(None), |anchor| installed(home, &anchor));
        let is_national = name == EditionName::National;
        match found {
            Ok(Some(found)) if !is_national || found.edition.version > shipped_state.version => {
                let issued_at = Some(found.accepted.manifest.issued_at);
                states.push(LayerState { can_update, ..state(&found.edition, Origin::Installed, issued_at, now) });
                if is_national {
                    layers = Layers::new(found.edition);
                } else {
                    layers.add(found.edition);
                }
            }
            Ok(_) if is_national => states.push(LayerState { can_update, ..shipped_state.clone() }),
            Ok(_) => {}
            Err(error) => {
                let fault = Some(error.code().to_owned());
                if is_national {
                    shipped_state.fault = fault;
                    states.push(LayerState { can_update, ..shipped_state.clone() });
                } else {
                    states.push(LayerState {
                        layer: name.layer(),
                        name: String::new(),
                        version: 0,
                        origin: Origin::Installed,
                        issued_at: None,
                        expires: None,
                        stale_since: None,
                        can_update,
                        fault,
                    });
                }
            }
        }
    }
    Ok((layers, states))
}

/// Files that are here already, whoever signed them: what need not be fetched.
pub(super) fn known_files(held: Option<&Installed>) -> Vec<String> {
    let shipped = shipped::files().into_values();
    shipped.chain(held.iter().flat_map(|held| held.files.values().cloned())).collect()
}

/// Removes every edition that was installed.
///
/// # Errors
/// [`BakenError::Disk`].
pub(crate) fn remove(folder: &Path) -> Result<(), BakenError> {
    match disk::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
