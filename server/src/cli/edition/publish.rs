//! `baken-server edition publish`: the relay is given the head, and the files that it does not have.

use std::collections::BTreeSet;

use baken_schemas::api::Publication;
use baken_schemas::crypto::Hash;
use baken_schemas::edition::signed::{Countersigned, Manifest, file_hash};
use baken_schemas::org::Directory;
use baken_schemas::signed::Unverified;
use serde_json::json;

use super::{Publish, files};
use crate::cli::{Failure, Say};
use crate::folder::read_whole;
use crate::relay_client::{RelayClient, Trust};

pub(super) async fn run(args: &Publish, say: &Say) -> Result<(), Failure> {
    let bundle = files::bundle(&args.file)?;
    let manifest = Countersigned::<Manifest>::parse(&bundle.head.manifest)?;
    let manifest = manifest.claims();
    // Only where the relay is, and what TLS must show: it is the relay that checks the edition.
    let directory = read_whole(&args.directory)?;
    let org = Unverified::<Directory>::parse(&directory)?.claims().org();
    let directory = Directory::verify(&directory, org)?.into_value();
    let client = RelayClient::new(&directory.relay.urls, &Trust::of_relay(&directory.relay), None)?;
    let there: BTreeSet<Hash> = match client.edition(manifest.edition).await? {
        Some(head) => {
            let known = Countersigned::<Manifest>::parse(&head.manifest)?;
            known.claims().files.iter().map(|file| file.sha256).collect()
        }
        None => BTreeSet::new(),
    };
    let new = bundle.files.iter().filter(|file| !there.contains(&file_hash(&file.bytes)));
    let files: Vec<_> = new.map(|file| file.bytes.clone()).collect();
    let sent = files.len();
    client.publish_edition(&Publication { head: bundle.head, files }).await?;
    let (edition, version) = (manifest.edition.to_string(), manifest.version);
    say.say(
        &json!({ "edition": edition, "version": version, "files_sent": sent }),
        &format!("{edition}, versie {version}, staat bij de relay; {sent} bestanden gestuurd."),
        &format!("{edition}, version {version}, is at the relay; {sent} files sent."),
    );
    Ok(())
}
