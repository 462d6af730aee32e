//! The bridge's TLS: its own certificate, which buttons are told to trust, or one that was given.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::BridgeSettings;
use crate::folder::{DataFolder, read_whole};
use crate::tls::{self, TlsError};

/// Makes the folder's own root and certificate, for the addresses that it listens on and these hosts.
///
/// # Errors
/// [`TlsError`].
pub fn make_certificate(folder: &DataFolder, listens: &[SocketAddr], hosts: &[String]) -> Result<(), TlsError> {
    let mut names: Vec<String> = hosts.to_vec();
    names.extend(
        listens.iter().filter(|address| !address.ip().is_unspecified()).map(|address| address.ip().to_string()),
    );
    names.push("localhost".to_owned());
    names.sort();
    names.dedup();
    tls::make(folder, "Baken bridge", &names).map(drop)
}

/// What DC-09 over TLS is served with: the certificate that the settings name, else the folder's own, which is made where
/// there is none yet.
///
/// # Errors
/// [`TlsError`].
pub fn server_config(folder: &DataFolder, settings: &BridgeSettings) -> Result<Arc<ServerConfig>, TlsError> {
    let config = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => given(&folder.path_of(certificate), &folder.path_of(key))?,
        (None, None) => {
            if !tls::is_made(folder) {
                make_certificate(folder, settings.tls.as_slice(), &[])?;
            }
            tls::server_config(folder)?
        }
        _ => return Err(TlsError::Certificate("tls_certificate and tls_key belong together".to_owned())),
    };
    // DC-09 names no protocol of its own.
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols.clear();
    Ok(Arc::new(config))
}

fn given(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |error: rustls_pki_types::pem::Error| TlsError::Certificate(error.to_string());
    let chain =
        CertificateDer::pem_slice_iter(&read_whole(certificate)?).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let key = PrivateKeyDer::from_pem_slice(&Zeroizing::new(read_whole(key)?)).map_err(wrong)?;
    tls::config_of(chain, key)
}
