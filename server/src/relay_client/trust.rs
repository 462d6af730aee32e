//! What a connection to a relay trusts: the TLS roots of a signed directory, or, on the very first contact, the hash of
//! one root from an invite. Never the roots of the operating system.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::relay_client::RelayError;
use crate::tls;

/// The most certificates of a chain that are looked through for the root.
const MAX_CHAIN: usize = 8;

/// What makes a server the relay.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Its chain ends in one of these roots (DER).
    Roots(Vec<Vec<u8>>),
    /// Its chain, as sent, holds the root with this SHA-256 and ends in it.
    RootHash([u8; 32]),
}

impl Trust {
    /// The roots that a directory names.
    pub fn of_relay(relay: &baken_schemas::org::RelayEntry) -> Self {
        Self::Roots(relay.tls_roots.iter().map(|root| root.to_vec()).collect())
    }

    /// TLS 1.3 with post-quantum key exchange first, trusting this and nothing else.
    ///
    /// # Errors
    /// [`RelayError::Untrusted`] when there is no usable root.
    pub fn client_config(&self) -> Result<ClientConfig, RelayError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| RelayError::Untrusted)?;
        let mut config = match self {
            Self::Roots(roots) => builder.with_root_certificates(store(roots)?).with_no_client_auth(),
            Self::RootHash(sha256) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinnedRoot { sha256: *sha256, provider }))
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn store(roots: &[Vec<u8>]) -> Result<RootCertStore, RelayError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from(root.clone())).map_err(|_| RelayError::Untrusted)?;
    }
    if store.is_empty() { Err(RelayError::Untrusted) } else { Ok(store) }
}

/// Whether a request failed because the certificate was not trusted, rather than for want of a connection.
pub(super) fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = at {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented);
        }
        // An I/O error's source skips the very error that it wraps.
        at = match current.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => current.source(),
        };
    }
    false
}

/// Accepts a server whose chain holds the pinned root, and then only if that chain really leads to it.
#[derive(Debug)]
struct PinnedRoot {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let root = intermediates
            .iter()
            .take(MAX_CHAIN)
            .find(|certificate| tls::root_sha256(certificate) == self.sha256)
            .ok_or_else(|| unknown.clone())?;
        let roots = store(&[root.to_vec()]).map_err(|_| unknown.clone())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|_| unknown)?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
