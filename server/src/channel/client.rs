//! The HTTP client under webhooks and SMS gateways: no redirects (a signed body goes where it was meant to go and nowhere
//! else), no proxy from the environment, a bound on the time and on the answer, and no way into the desk's own network
//! unless its entry says so.

use std::sync::Arc;
use std::time::Duration;

use super::address::{OutsideOnly, is_inside, leads_inside};
use super::outcome::Why;

/// How much of an answer is read before the connection is dropped instead of kept for the next message.
pub(super) const MAX_ANSWER_BYTES: usize = 4 * 1024;

/// What is wrong with where a message is to go.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not an address that a message may go to.
    #[error("its address must start with https:// (http:// is taken for this machine itself alone)")]
    Address,
    /// An address in this desk's own network that is not said to be one.
    #[error("its address lies in this desk's own network: if that is meant, add own_network = true")]
    OwnNetwork,
    /// A certificate that cannot be read.
    #[error("its root certificate is no PEM certificate")]
    Root(#[source] reqwest::Error),
    /// The HTTP client would not start.
    #[error("its HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// Reads an address: encrypted, or to this very machine. Credentials in an address end up in logs.
pub(super) fn read_address(text: &str, own_network: bool) -> Result<reqwest::Url, HttpError> {
    let address = reqwest::Url::parse(text).map_err(|_| HttpError::Address)?;
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let own = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let bare = address.username().is_empty() && address.password().is_none();
    if !bare || !(address.scheme() == "https" || (address.scheme() == "http" && own)) {
        return Err(HttpError::Address);
    }
    if !own_network && is_inside(host) {
        return Err(HttpError::OwnNetwork);
    }
    Ok(address)
}

/// A client of one receiver. `root_pem` is a private root that alone is trusted; without it, the machine's own roots are.
pub(super) fn make_client(
    root_pem: Option<&str>,
    timeout_ms: u64,
    own_network: bool,
) -> Result<reqwest::Client, HttpError> {
    // reqwest takes the process's provider; an error means that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_millis(timeout_ms))
        .user_agent(concat!("baken/", env!("CARGO_PKG_VERSION")));
    if !own_network {
        builder = builder.dns_resolver(Arc::new(OutsideOnly));
    }
    if let Some(pem) = root_pem {
        builder =
            builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(HttpError::Root)?);
    }
    builder.build().map_err(HttpError::Client)
}

/// Why a request had no answer. A connection that was not made in time is unreachable, not unanswered: nothing can have
/// arrived.
pub(super) fn why(error: &reqwest::Error, timeout_ms: u64) -> Why {
    if leads_inside(error) {
        Why::OwnNetwork
    } else if error.is_connect() {
        Why::Unreachable
    } else if error.is_timeout() {
        Why::NoAnswer { waited_ms: timeout_ms }
    } else {
        Why::Broken
    }
}

/// Reads an answer up to its bound, so that the connection can be used again; of one that says more, only the beginning.
pub(super) async fn read_answer(response: &mut reqwest::Response) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        read.extend_from_slice(&chunk);
        if read.len() > MAX_ANSWER_BYTES {
            read.truncate(MAX_ANSWER_BYTES);
            break;
        }
    }
    read
}

/// Whether a status speaks about this very message, so that sending it again does not help. Everything else may be mended
/// while the alarm is still open: a wrong path, an expired token, a proxy's redirect, a server that is down.
pub(super) fn is_final(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 410 | 413 | 415 | 422)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Asks for a page at a name that leads to this machine, as one of somebody else's may.
    async fn ask(own_network: bool) -> (Why, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let knocked = tokio::spawn(async move { listener.accept().await.map(drop) });
        // Past the look at the address itself, which knows this name.
        let client = make_client(None, 2_000, own_network).unwrap();
        let error = client.post(format!("https://localhost:{port}/")).send().await.unwrap_err();
        let why = why(&error, 2_000);
        let is_knocked = knocked.is_finished();
        knocked.abort();
        (why, is_knocked)
    }

    #[tokio::test]
    async fn a_name_that_leads_into_the_own_network_is_not_followed_there() {
        assert_eq!(ask(false).await, (Why::OwnNetwork, false));
        // Said to be meant, it goes there, and finds no TLS.
        assert_eq!(ask(true).await, (Why::Unreachable, true));
    }

    #[test]
    fn an_address_is_outside_unless_it_is_said_to_be_inside() {
        for inside in
            ["https://localhost/", "https://localhost./", "https://127.1/", "https://0x7f.1/", "https://[::1]/"]
        {
            assert!(matches!(read_address(inside, false), Err(HttpError::OwnNetwork)), "{inside}");
            assert!(read_address(inside, true).is_ok(), "{inside}");
        }
        assert!(read_address("https://desk.example/", false).is_ok());
    }
}
