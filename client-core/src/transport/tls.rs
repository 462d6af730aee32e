//! Whose certificate is taken for the relay's: never a public authority's, only what the phone was given.
//!
//! Two kinds of trust. Before there is a directory, an invite brings the SHA-256 of the relay's TLS root: the
//! certificate with that hash is looked for in the chain the server presents, and then is the only root. With a
//! verified directory, its roots are the only ones. Both then hand everything to webpki: the whole chain, its
//! signatures and constraints, and the name. Nothing is checked by hand but the hash.
//!
//! **Dates.** A certificate's dates are checked against the phone's clock, which can be years off. Sync then says so
//! and waits. An alarm must not: for it [`Dates::Ignored`] asks webpki again at the date that the certificate itself
//! names. What that gives up is small, since all that an alarm says is sealed and signed beneath TLS: who holds a
//! relay's outdated key can delay and drop, as the relay itself can, and no receipt can be forged with it.

use std::sync::Arc;

use baken_schemas::time::Clock;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, version};
use sha2::{Digest, Sha256};

use crate::transport::http::SetupError;

/// The most certificates of a chain that are looked at for the pinned one.
const MAX_CHAIN: usize = 8;

/// Whom to take for the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Who presents a chain to the root certificate (DER) with this SHA-256: an invite's word.
    Pinned([u8; 32]),
    /// Who presents a chain to one of these root certificates (DER): a verified directory's word.
    Roots(Vec<Vec<u8>>),
}

/// What the dates of a certificate are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The phone's clock.
    Checked,
    /// Nothing. For alarms, see the module.
    Ignored,
}

/// TLS 1.3 only, trusting only `trust`.
///
/// # Errors
/// [`SetupError::Roots`] when a root is no certificate, or there is none.
pub(super) fn client_config(trust: Trust, dates: Dates, clock: Arc<dyn Clock>) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = match trust {
        Trust::Pinned(hash) => Anchor::Pinned(hash),
        Trust::Roots(roots) => {
            let roots = roots.into_iter().map(CertificateDer::from);
            Anchor::Roots(verifier(roots, &provider).map_err(|_| SetupError::Roots)?)
        }
    };
    let verifier = RelayVerifier { anchor: trust, dates, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(PhoneTime(clock)))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|_| SetupError::Client)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier<'a>(
    roots: impl Iterator<Item = CertificateDer<'a>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root)?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|_| rustls::Error::General("no roots".into()))
}

/// The injected clock, as rustls asks for it. A time before 1970 counts as 1970.
struct PhoneTime(Arc<dyn Clock>);

impl std::fmt::Debug for PhoneTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneTime")
    }
}

impl TimeProvider for PhoneTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().0 / 1000).unwrap_or_default();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

#[derive(Debug)]
enum Anchor {
    Pinned([u8; 32]),
    Roots(Arc<WebPkiServerVerifier>),
}

#[derive(Debug)]
struct RelayVerifier {
    anchor: Anchor,
    dates: Dates,
    provider: Arc<CryptoProvider>,
}

impl RelayVerifier {
    fn webpki(&self, chain: &[CertificateDer<'_>]) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        match &self.anchor {
            Anchor::Roots(verifier) => Ok(Arc::clone(verifier)),
            Anchor::Pinned(hash) => {
                let root = chain
                    .iter()
                    .take(MAX_CHAIN)
                    .find(|certificate| Sha256::digest(certificate.as_ref()).as_slice() == hash)
                    .ok_or(CertificateError::UnknownIssuer)?;
                verifier(std::iter::once(root.clone()), &self.provider)
            }
        }
    }
}

impl ServerCertVerifier for RelayVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let webpki = self.webpki(intermediates)?;
        let mut at = now;
        // With dates ignored: once more for each certificate that can be out of date.
        for _ in 0..MAX_CHAIN {
            let checked = webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at);
            match (self.dates, &checked) {
                (
                    Dates::Ignored,
                    Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })),
                ) => at = *not_after,
                (
                    Dates::Ignored,
                    Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })),
                ) => at = *not_before,
                _ => return checked,
            }
        }
        Err(CertificateError::Expired.into())
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
