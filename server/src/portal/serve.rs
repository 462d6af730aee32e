//! Setting a portal up for where it listens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use baken_schemas::time::Clock;
use rand_core::CryptoRng;

use crate::desk::officers::Token;
use crate::portal::{Inside, Portal};

/// Where what an adviser works on lies.
#[derive(Debug, Clone)]
pub struct PortalFolders {
    /// The adviser's own folder.
    pub adviser: PathBuf,
    /// The organisation's root, where it lies on this machine.
    pub root: Option<PathBuf>,
    /// The source of the organisation's edition.
    pub edition: PathBuf,
}

/// Where a portal is reached.
#[derive(Debug, Clone)]
pub struct PortalAt {
    /// `http://localhost:port`.
    pub origin: String,
    /// The link that opens it, good once.
    pub link: String,
}

/// Prepares a portal that listens at `address`: where it is reached, and its routes.
pub fn portal(
    folders: PortalFolders,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    rng: &mut dyn CryptoRng,
) -> (PortalAt, axum::Router) {
    let token = Token::make(rng);
    let origin = format!("http://localhost:{}", address.port());
    let at = PortalAt { link: format!("{origin}/enter/{}", token.reveal()), origin };
    let inside = Inside { link: Some(token.hash()), ..Inside::default() };
    let portal =
        Portal { folders, port: address.port(), inside: Arc::new(Mutex::new(inside)), alone: Arc::default(), clock };
    (at, portal.router())
}
