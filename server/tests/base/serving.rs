//! The real server behind TLS on a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use baken_schemas::api::{self, About};
use baken_server::folder::DataFolder;
use baken_server::tls::{self, TlsError};
use tokio::sync::oneshot;

use crate::relay::world::World;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Served {
    address: SocketAddr,
    root: Vec<u8>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

async fn serve(folder: &DataFolder, router: Router) -> Served {
    let root = tls::make(folder, "test", &["127.0.0.1".to_owned()]).unwrap();
    let config = tls::server_config(folder).unwrap();
    let listener = tls::listen(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(tls::serve(listener, config, router, async { drop(stopped.await) }));
    Served { address, root, stop, ended }
}

fn client(root: &[u8]) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from(root.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_relay_answers_over_http2_to_who_pinned_its_root_and_to_nobody_else() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(dir.path()).unwrap();
    let served = serve(&folder, world.relay.router()).await;
    let url = format!("https://{}{}", served.address, api::ABOUT);
    let response = client(&served.root).get(&url).send().await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    let about: About = response.json().await.unwrap();
    assert_eq!(about.service, "baken-relay");
    assert_eq!(tls::root(&folder).unwrap(), served.root);
    let other_dir = tempfile::tempdir().unwrap();
    let other = tls::make(&DataFolder::open(other_dir.path()).unwrap(), "other", &["127.0.0.1".to_owned()]).unwrap();
    assert!(client(&other).get(&url).send().await.unwrap_err().is_connect());
    drop(served.stop);
    served.ended.await.unwrap();
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_ends() {
    let (entered, inside) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let once = Arc::new(std::sync::Mutex::new(Some((entered, released))));
    let router = Router::new().route(
        "/slow",
        get(move || {
            let taken = once.lock().unwrap().take();
            async move {
                let (entered, released) = taken.expect("called once");
                entered.send(()).unwrap();
                released.await.unwrap();
                "done"
            }
        }),
    );
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(dir.path()).unwrap();
    let served = serve(&folder, router).await;
    let asking = tokio::spawn(client(&served.root).get(format!("https://{}/slow", served.address)).send());
    inside.await.unwrap();
    drop(served.stop);
    // No new connections are taken from here on.
    let closed = async { while tokio::net::TcpStream::connect(served.address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), closed).await.expect("the listener closes");
    release.send(()).unwrap();
    assert_eq!(asking.await.unwrap().unwrap().text().await.unwrap(), "done");
    served.ended.await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = tls::listen(ANY).await.unwrap().into_std().unwrap();
    let address = taken.local_addr().unwrap();
    match tls::listen(address).await {
        Err(TlsError::PortInUse(found)) => assert_eq!(found, address),
        other => panic!("{other:?}"),
    }
}

#[test]
fn addresses_are_https_with_host_and_port_and_nothing_more() {
    assert_eq!(tls::host_and_port("https://relay.example").unwrap(), ("relay.example".to_owned(), 443));
    assert_eq!(tls::host_and_port("https://127.0.0.1:8443").unwrap(), ("127.0.0.1".to_owned(), 8443));
    assert_eq!(tls::host_and_port("https://[::1]:8443").unwrap(), ("::1".to_owned(), 8443));
    for bad in ["", "relay.example", "http://relay.example", "https://relay.example/", "https://relay.example/x?y"] {
        assert!(matches!(tls::host_and_port(bad), Err(TlsError::BadUrl(_))), "{bad}");
    }
}
