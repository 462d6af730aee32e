//! Webhooks to a real receiver, PyPI's `standardwebhooks` behind Python's HTTP server, and to servers that misbehave.

use std::time::Duration;

use baken_schemas::time::{Clock, SystemClock, Timestamp};
use baken_server::channel::{Outcome, Webhook, WebhookConfig, WebhookId, WebhookSecret, Why};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::Peer;

const BODY: &str = r#"{"type":"alarm.received","timestamp":"2026-11-23T16:30:00Z","data":{"note":"café"}}"#;

fn secret(seed: u64) -> WebhookSecret {
    WebhookSecret::make(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn id() -> WebhookId {
    "alarm_7f3a-1".parse().unwrap()
}

async fn receiver(arguments: &[&str], secret: &WebhookSecret) -> (Peer, u16) {
    Peer::listening("webhook_receiver.py", arguments, &[("WEBHOOK_SECRET", secret.reveal())]).await
}

/// A receiver on this machine, said to be one.
fn config(port: u16, secret: WebhookSecret) -> WebhookConfig {
    WebhookConfig { own_network: true, ..WebhookConfig::new(format!("http://127.0.0.1:{port}/hook"), secret) }
}

fn webhook(port: u16, secret: WebhookSecret) -> Webhook {
    Webhook::new(&config(port, secret)).unwrap()
}

#[track_caller]
fn assert_delivered(outcome: Outcome, status: &str) {
    assert!(matches!(&outcome, Outcome::Delivered(answer) if answer.answer == status), "{outcome:?}");
}

#[tokio::test]
async fn a_real_receiver_verifies_a_webhook_and_its_answer_is_a_machine_s() {
    let (mut peer, port) = receiver(&[], &secret(1)).await;
    assert_delivered(webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await, "204");
    let seen = peer.next().await;
    assert_eq!((&seen["verified"], &seen["id"], &seen["repeat"]), (&true.into(), &id().as_str().into(), &false.into()));
    assert_eq!(seen["body"], serde_json::from_str::<serde_json::Value>(BODY).unwrap());
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn a_try_that_failed_is_made_again_under_the_same_id() {
    let (mut peer, port) = receiver(&["--answers", "503,429,302,204"], &secret(1)).await;
    let webhook = webhook(port, secret(1));
    for status in [503, 429, 302] {
        assert_eq!(webhook.send(&id(), BODY, &SystemClock).await, Outcome::Retry { why: Why::Status { status } });
        let seen = peer.next().await;
        assert_eq!((&seen["id"], &seen["repeat"]), (&id().as_str().into(), &false.into()));
    }
    for repeat in [false, true] {
        assert_delivered(webhook.send(&id(), BODY, &SystemClock).await, "204");
        assert_eq!(peer.next().await["repeat"], repeat, "a receiver can tell by the id");
    }
    assert!(peer.stop().await.is_empty(), "the redirect was not followed");
}

#[tokio::test]
async fn the_wrong_secret_is_refused_and_a_second_one_bridges_the_change() {
    let (mut peer, port) = receiver(&[], &secret(2)).await;
    let outcome = webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Status { status: 401 } });
    assert_eq!(peer.next().await["verified"], false);

    let mut config = config(port, secret(1));
    config.secrets.push(secret(2));
    assert_delivered(Webhook::new(&config).unwrap().send(&id(), BODY, &SystemClock).await, "204");
    assert_eq!(peer.next().await["verified"], true);
    peer.stop().await;
}

/// A clock that is ten minutes slow.
struct Slow;

impl Clock for Slow {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(-600_000)
    }
}

#[tokio::test]
async fn the_timestamp_is_that_of_the_try_and_an_old_one_is_refused() {
    let (mut peer, port) = receiver(&[], &secret(1)).await;
    let outcome = webhook(port, secret(1)).send(&id(), BODY, &Slow).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Status { status: 401 } });
    assert_eq!(peer.next().await["why"], "Message timestamp too old");
    assert_delivered(webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await, "204");
    peer.stop().await;
}

#[tokio::test]
async fn a_private_root_is_trusted_where_it_is_named_and_nowhere_else() {
    let root_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params_leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params_leaf.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receiver.pem");
    std::fs::write(&path, certificate.pem() + &key.serialize_pem()).unwrap();

    let (peer, port) = receiver(&["--certificate", path.to_str().unwrap()], &secret(1)).await;
    let mut config = config(port, secret(1));
    config.address = format!("https://127.0.0.1:{port}/hook");
    let outcome = Webhook::new(&config).unwrap().send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Unreachable });
    config.root_pem = Some(root.pem());
    assert_delivered(Webhook::new(&config).unwrap().send(&id(), BODY, &SystemClock).await, "204");
    assert_eq!(peer.stop().await.len(), 1);

    config.root_pem = Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned());
    assert!(Webhook::new(&config).is_err());
}

/// A server that reads one request and then does as it is told with the connection.
async fn misbehaving<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(BODY.as_bytes()) {
            request.push(stream.read_u8().await.unwrap());
        }
        answer(stream).await;
    });
    port
}

#[tokio::test]
async fn a_server_that_is_gone_breaks_off_or_never_answers_is_each_called_by_its_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Unreachable });

    let port = misbehaving(|stream| async move { drop(stream) }).await;
    let outcome = webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::Broken });

    let port = misbehaving(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let mut config = config(port, secret(1));
    config.timeout_ms = 300;
    let outcome = Webhook::new(&config).unwrap().send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::NoAnswer { waited_ms: 300 } });
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_its_status_counts() {
    let port = misbehaving(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let chunk = [&b"400\r\n"[..], &[b'x'; 1024], b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let sent = webhook(port, secret(1));
    let outcome = tokio::time::timeout(Duration::from_secs(5), sent.send(&id(), BODY, &SystemClock)).await;
    assert_delivered(outcome.expect("long before the ten seconds of a try"), "200");
}

#[tokio::test]
async fn an_answer_that_drips_is_cut_off_and_is_no_delivery() {
    let port = misbehaving(|mut stream| async move {
        // A status line without an end, one byte at a time.
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: ".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut config = config(port, secret(1));
    config.timeout_ms = 400;
    let outcome = Webhook::new(&config).unwrap().send(&id(), BODY, &SystemClock).await;
    assert_eq!(outcome, Outcome::Retry { why: Why::NoAnswer { waited_ms: 400 } });
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_no_delivery() {
    for answer in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 2000 OK\r\n\r\n", b"\0\0\0\0"] {
        let port = misbehaving(move |mut stream| async move { stream.write_all(answer).await.unwrap() }).await;
        let outcome = webhook(port, secret(1)).send(&id(), BODY, &SystemClock).await;
        assert_eq!(outcome, Outcome::Retry { why: Why::Broken }, "{answer:?}");
    }
}
