//! Newer editions from the relay: head first, then only what of the files is not here, then everything verified once more
//! and written before anybody reads it. The relay is believed nothing.

use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::edition::signed::{
    Accepted, Bundle, EditionError, EditionHead, EditionName, EditionRoot, FileEntry, accept, file_hash, open,
};
use baken_schemas::edition::{FileChange, Files, Layer, shipped};
use http::Method;
use minicbor::bytes::ByteVec;
use serde::Serialize;

use crate::client::{path_with, send_unsigned};
use crate::guidance::store::{self, Installed};
use crate::transport::Transport;
use crate::{Baken, BakenError};

/// What came of looking for a newer edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A newer one is here now.
    Updated,
    /// What is here is the newest there.
    Unchanged,
    /// There is none.
    None,
}

/// What came of it, for one layer.
#[derive(Debug)]
pub struct LayerUpdate {
    /// The layer.
    pub layer: Layer,
    /// What came of it.
    pub outcome: Result<Outcome, BakenError>,
    /// How many files were fetched.
    pub files_fetched: usize,
}

impl Baken {
    /// Looks for newer editions at the relay and installs them. One layer's failure does not keep the others.
    pub async fn update_guidance(&self, transport: &dyn Transport) -> Vec<LayerUpdate> {
        let org_root = self.edition_org();
        let mut updates = Vec::new();
        for name in store::names(org_root.as_ref()) {
            let Some(anchor) = store::anchor(&self.home, name, org_root.as_ref()) else { continue };
            let mut files_fetched = 0;
            let outcome = self.update_layer(transport, &anchor, &mut files_fetched).await;
            updates.push(LayerUpdate { layer: name.layer(), outcome, files_fetched });
        }
        updates
    }

    async fn update_layer(
        &self,
        transport: &dyn Transport,
        anchor: &EditionRoot,
        files_fetched: &mut usize,
    ) -> Result<Outcome, BakenError> {
        let path = path_with(api::EDITION, anchor.edition)?;
        let head = match send_unsigned(transport, Method::GET, &path, Vec::new()).await {
            Ok(bytes) => cbor::from_slice::<EditionHead>(&bytes, "an edition's head").map_err(BakenError::BadAnswer)?,
            Err(BakenError::Refused { status: 404, .. }) => return Ok(Outcome::None),
            Err(error) => return Err(error),
        };
        let accepted = accept(anchor, store::held(&self.home, anchor).as_ref(), &head)?;
        // Of a damaged one no file is here; its version counts as long as its head can be read.
        let held = store::installed(&self.home, anchor).unwrap_or_default();
        if is_known(&accepted, held.as_ref())? {
            return Ok(Outcome::Unchanged);
        }
        let files = self.fetch(transport, &accepted, held.as_ref(), files_fetched).await?;
        self.install(anchor, &accepted, &files)?;
        Ok(Outcome::Updated)
    }

    /// The files of an accepted edition: those that are here, and the others from the relay.
    async fn fetch(
        &self,
        transport: &dyn Transport,
        accepted: &Accepted,
        held: Option<&Installed>,
        fetched: &mut usize,
    ) -> Result<Files, BakenError> {
        let (known, shipped) = (store::known_files(held), shipped::files());
        let known: std::collections::BTreeMap<_, _> =
            known.iter().map(|text| (file_hash(text.as_bytes()), text)).collect();
        let mut files = Files::new();
        for entry in accepted.manifest.readable() {
            let text = if let Some(text) = known.get(&entry.sha256) {
                (*text).clone()
            } else {
                let old = held.and_then(|held| held.files.get(&entry.path)).or_else(|| shipped.get(&entry.path));
                let changed = match old {
                    Some(old) => changed(transport, entry, old).await?,
                    None => None,
                };
                let bytes = match changed {
                    Some(bytes) => bytes,
                    None => whole(transport, entry).await?,
                };
                *fetched += 1;
                String::from_utf8(bytes).map_err(|_| EditionError::File(entry.path.clone()))?
            };
            files.insert(entry.path.clone(), text);
        }
        Ok(files)
    }

    /// Installs an edition: checked against what is on the disk by now, then written, and only then read by anybody.
    pub(super) fn install(&self, anchor: &EditionRoot, accepted: &Accepted, files: &Files) -> Result<(), BakenError> {
        let edition = open(accepted, files)?;
        if anchor.edition != EditionName::National {
            let (above, _) = store::open(&self.home, None, self.context.now())?;
            if let Some(touched) = above.collisions(&edition).into_iter().find(|collision| collision.is_emergency) {
                return Err(EditionError::EmergencyNumber(touched.id).into());
            }
        }
        let lock = store::lock(&self.home)?;
        // Another process may have installed a newer one meanwhile.
        let accepted = accept(anchor, store::held(&self.home, anchor).as_ref(), &accepted.head)?;
        store::write(&self.home, &lock, &Bundle::of(&accepted, files)?, anchor.edition.layer())
    }
}

/// A file by how it differs from the one that is here; `None` when the relay cannot tell, or tells what does not fit.
async fn changed(transport: &dyn Transport, entry: &FileEntry, old: &str) -> Result<Option<Vec<u8>>, BakenError> {
    let path = path_with(&path_with(api::EDITION_CHANGE, entry.sha256)?, file_hash(old.as_bytes()))?;
    let answer = match send_unsigned(transport, Method::GET, &path, Vec::new()).await {
        Ok(answer) => answer,
        Err(BakenError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let change = cbor::from_slice::<FileChange>(&answer, "a file's change").ok();
    let made = change.and_then(|change| change.apply(old.as_bytes()).ok());
    Ok(made.filter(|made| file_hash(made) == entry.sha256))
}

/// A whole file.
async fn whole(transport: &dyn Transport, entry: &FileEntry) -> Result<Vec<u8>, BakenError> {
    let path = path_with(api::EDITION_FILE, entry.sha256)?;
    let answer = send_unsigned(transport, Method::GET, &path, Vec::new()).await?;
    let bytes: ByteVec = cbor::from_slice(&answer, "a file").map_err(BakenError::BadAnswer)?;
    if file_hash(&bytes) == entry.sha256 {
        Ok(bytes.into())
    } else {
        Err(EditionError::File(entry.path.clone()).into())
    }
}

/// Whether an accepted edition is what this device reads already, or older than what it was shipped with.
fn is_known(accepted: &Accepted, held: Option<&Installed>) -> Result<bool, BakenError> {
    if held.is_some_and(|held| held.accepted.manifest == accepted.manifest && held.accepted.root == accepted.root) {
        return Ok(true);
    }
    if accepted.manifest.edition != EditionName::National {
        return Ok(false);
    }
    let shipped = shipped::edition().map_err(EditionError::Source)?;
    Ok(accepted.manifest.version <= shipped.version)
}
