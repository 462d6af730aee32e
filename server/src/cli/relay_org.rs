//! `baken-server relay-org add`: which organisations a relay serves. The relay must be stopped meanwhile.

use std::path::PathBuf;

use baken_schemas::crypto::Hash;
use baken_schemas::org::OrgId;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::Subcommand;
use serde_json::json;

use crate::cli::{Failure, Say};
use crate::folder::DataFolder;
use crate::relay;
use crate::store::{Disk, Priority, Store, StoreError, StoreOptions};

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum RelayOrg {
    /// Serve an organisation from now on
    #[command(after_help = "Example:\n  baken-server relay-org add --data relay --org ORG")]
    Add {
        /// The relay's folder
        #[arg(long)]
        data: PathBuf,
        /// The organisation, as `org init` printed it
        #[arg(long)]
        org: Hash,
    },
}

/// Runs it.
pub(super) async fn run(relay_org: &RelayOrg, say: &Say) -> Result<(), Failure> {
    let RelayOrg::Add { data, org } = relay_org;
    let folder = DataFolder::open(data)?;
    folder.read_keys()?;
    let store = Store::open(&Disk::new(folder.dir()), &relay::SCHEMA, StoreOptions::default())?;
    let (org, now) = (*org, SystemClock.now());
    store.write::<_, StoreError>(Priority::Normal, move |db| relay::add_org(db, OrgId(org), now)).await?;
    store.close();
    say.say(
        &json!({ "org": org }),
        &format!("De relay bedient nu ook organisatie {org}."),
        &format!("The relay now also serves organisation {org}."),
    );
    Ok(())
}
