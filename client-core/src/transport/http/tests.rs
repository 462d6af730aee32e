//! Against a real TLS server on loopback, with certificates of every wrong sort.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::convert::Infallible;

use baken_schemas::time::Timestamp;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

/// 2026-11-23, the day in all of these tests.
const TODAY: Timestamp = Timestamp(1_795_392_000_000);
const YEAR_MS: i64 = 365 * 86_400_000;

struct At(Timestamp);
impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A private root and what it signs.
struct Authority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn make(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let root = params.self_signed(&key).expect("a root").der().clone();
        Self { root, issuer: Issuer::new(params, key) }
    }

    fn pin(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(&self.root).into()
    }

    /// A server certificate from `from` to `to`, and its key.
    fn leaf(&self, name: &str, (from, to): (i32, i32)) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("params");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).expect("a leaf").der().clone();
        (leaf, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }
}

type Answer = hyper::Response<BoxBody<Bytes, Infallible>>;

async fn answer(request: hyper::Request<Incoming>) -> Result<Answer, Infallible> {
    let full = |text: String| Full::new(Bytes::from(text)).boxed();
    Ok(match request.uri().path() {
        "/live" => {
            let pieces = ["data: on", "e\n\n: still here\n\nda", "ta: two\n\n"];
            let frames = pieces.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
            Answer::new(BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))))
        }
        "/large" => Answer::new(full("x".repeat(MAX_ANSWER_BYTES + 1))),
        "/moved" => {
            let moved = hyper::Response::builder().status(302).header("location", "/");
            moved.body(full(String::new())).expect("an answer")
        }
        _ => {
            let version = request.version();
            let proof = request.headers().get("proof").cloned();
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            Answer::new(full(format!("{version:?} {proof:?} {}", body.len())))
        }
    })
}

/// Serves on a free port of loopback until the test's runtime ends.
async fn serve(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> u16 {
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(socket).await else { return };
                let served = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // A client that refuses the certificate breaks off: that is what these tests are about.
                let _ = served.serve_connection(TokioIo::new(tls), hyper::service::service_fn(answer)).await;
            });
        }
    });
    port
}

async fn relay(authority: &Authority, name: &str, years: (i32, i32)) -> u16 {
    let (leaf, key) = authority.leaf(name, years);
    serve(vec![leaf, authority.root.clone()], key).await
}

fn transport(port: u16, trust: Trust, dates: Dates, now: Timestamp) -> HttpTransport {
    HttpTransport::new(&format!("https://localhost:{port}"), trust, dates, Arc::new(At(now))).expect("a transport")
}

fn get(path: &str) -> Request {
    Request { method: ::http::Method::GET, path_and_query: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

async fn outcome(port: u16, trust: Trust, dates: Dates, now: Timestamp) -> Result<u16, TransportError> {
    transport(port, trust, dates, now).send(get("/")).await.map(|answer| answer.status)
}

#[tokio::test]
async fn the_relay_of_the_invite_and_of_the_directory_is_spoken_to_over_http2() {
    let authority = Authority::make("relay");
    let port = relay(&authority, "localhost", (2026, 2030)).await;
    for trust in [Trust::Pinned(authority.pin()), Trust::Roots(vec![authority.root.to_vec()])] {
        let transport = transport(port, trust, Dates::Checked, TODAY);
        assert_eq!(transport.authority(), format!("localhost:{port}"));
        let request = Request {
            method: ::http::Method::POST,
            path_and_query: "/echo?a=1".to_owned(),
            headers: vec![("proof", "here".to_owned())],
            body: vec![7; 100_000],
        };
        let answer = transport.send(request).await.expect("an answer");
        assert_eq!(answer.status, 200);
        assert_eq!(&answer.body[..], br#"HTTP/2.0 Some("here") 100000"#);
    }
}

#[tokio::test]
async fn another_root_is_not_the_relay() {
    let (ours, theirs) = (Authority::make("relay"), Authority::make("relay"));
    let port = relay(&theirs, "localhost", (2026, 2030)).await;
    for dates in [Dates::Checked, Dates::Ignored] {
        let pinned = outcome(port, Trust::Pinned(ours.pin()), dates, TODAY).await;
        assert_eq!(pinned, Err(TransportError::Untrusted));
        let rooted = outcome(port, Trust::Roots(vec![ours.root.to_vec()]), dates, TODAY).await;
        assert_eq!(rooted, Err(TransportError::Untrusted));
    }
}

#[tokio::test]
async fn our_root_beside_a_leaf_that_it_did_not_sign_is_not_the_relay() {
    let (ours, theirs) = (Authority::make("relay"), Authority::make("relay"));
    let (leaf, key) = theirs.leaf("localhost", (2026, 2030));
    let port = serve(vec![leaf, ours.root.clone()], key).await;
    let pinned = outcome(port, Trust::Pinned(ours.pin()), Dates::Ignored, TODAY).await;
    assert_eq!(pinned, Err(TransportError::Untrusted));
}

#[tokio::test]
async fn a_wrong_name_is_not_the_relay() {
    let authority = Authority::make("relay");
    let port = relay(&authority, "elsewhere.example", (2026, 2030)).await;
    for dates in [Dates::Checked, Dates::Ignored] {
        let pinned = outcome(port, Trust::Pinned(authority.pin()), dates, TODAY).await;
        assert_eq!(pinned, Err(TransportError::Untrusted));
    }
}

#[tokio::test]
async fn a_clock_ten_years_off_stops_sync_with_a_word_and_an_alarm_not_at_all() {
    let authority = Authority::make("relay");
    let port = relay(&authority, "localhost", (2026, 2030)).await;
    let roots = || Trust::Roots(vec![authority.root.to_vec()]);
    for now in [TODAY.plus_ms(10 * YEAR_MS), TODAY.plus_ms(-10 * YEAR_MS), Timestamp(-YEAR_MS)] {
        assert_eq!(outcome(port, roots(), Dates::Checked, now).await, Err(TransportError::OutOfDate));
        assert_eq!(outcome(port, roots(), Dates::Ignored, now).await, Ok(200));
        assert_eq!(outcome(port, Trust::Pinned(authority.pin()), Dates::Ignored, now).await, Ok(200));
    }
}

#[tokio::test]
async fn nobody_there_a_redirect_and_an_endless_answer() {
    let authority = Authority::make("relay");
    let port = relay(&authority, "localhost", (2026, 2030)).await;
    let transport = transport(port, Trust::Pinned(authority.pin()), Dates::Checked, TODAY);
    assert_eq!(transport.send(get("/moved")).await.map(|answer| answer.status), Ok(302));
    assert_eq!(transport.send(get("/large")).await.map(|answer| answer.status), Err(TransportError::TooLarge));

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let nobody = outcome(port, Trust::Pinned(authority.pin()), Dates::Checked, TODAY).await;
    assert_eq!(nobody, Err(TransportError::Unreachable));
}

#[tokio::test]
async fn a_live_stream_gives_its_events_and_then_its_end() {
    let authority = Authority::make("relay");
    let port = relay(&authority, "localhost", (2026, 2030)).await;
    let transport = transport(port, Trust::Pinned(authority.pin()), Dates::Checked, TODAY);
    let events: Vec<_> = transport.live(get("/live")).await.expect("a stream").collect().await;
    assert_eq!(events, [Ok("one".to_owned()), Ok("two".to_owned()), Err(TransportError::Unreachable)]);
    assert!(transport.live(get("/moved")).await.is_err());
}

#[test]
fn only_an_address_of_a_relay_is_taken() {
    let make = |url: &str| HttpTransport::new(url, Trust::Pinned([0; 32]), Dates::Checked, Arc::new(At(TODAY)));
    for url in ["http://relay.example", "https://", "relay.example", "https://relay.example/path", "https://u@r.nl"] {
        assert_eq!(make(url).err(), Some(SetupError::Url), "{url}");
    }
    assert_eq!(make("https://relay.example:443/").expect("an address").authority(), "relay.example");
    let no_certificate = Trust::Roots(vec![vec![1, 2, 3]]);
    let made = HttpTransport::new("https://relay.example", no_certificate, Dates::Checked, Arc::new(At(TODAY)));
    assert_eq!(made.err(), Some(SetupError::Roots));
}
