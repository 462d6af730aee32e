//! Mail to a real server, PyPI's `aiosmtpd`: with TLS and without, in good order and in trouble.

use baken_schemas::time::{SystemClock, Timestamp};
use baken_server::channel::{Encryption, Letter, Login, Mail, MailConfig, Outcome, Why};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::peer::Peer;

const LETTER: Letter<'_> = Letter {
    id: "7f3a-received",
    to: "piket@politie.example",
    subject: "Baken: alarm binnengekomen",
    text: "Er is een alarm: café.\n\n.een regel met een punt\nhttps://desk.example/alarms/7f3a\n",
    made_at: Timestamp(1_795_451_400_000),
};

/// A private root, and a server's certificate from it in a file.
struct Certificates {
    root: String,
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&root_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server.pem"), certificate.pem() + &key.serialize_pem()).unwrap();
        Self { root, folder }
    }

    fn path(&self) -> String {
        self.folder.path().join("server.pem").to_str().unwrap().to_owned()
    }
}

async fn server(arguments: &[&str]) -> (Peer, u16) {
    Peer::listening("smtp_server.py", arguments, &[]).await
}

/// A server in the desk's own network, without encryption.
fn plain(port: u16) -> MailConfig {
    MailConfig {
        port,
        encryption: Encryption::Plain,
        own_network: true,
        timeout_ms: 5_000,
        ..MailConfig::new("127.0.0.1", "baken@desk.example")
    }
}

async fn send(config: MailConfig) -> Outcome {
    Mail::new(config).unwrap().send(&LETTER, &SystemClock).await
}

#[track_caller]
fn assert_handed_over(outcome: Outcome) {
    match outcome {
        Outcome::HandedOver { answer, reference } => {
            assert_eq!((answer.answer.as_str(), reference.as_str()), ("250", ""))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_real_server_takes_a_letter_and_that_is_handed_over_not_delivered() {
    let (mut peer, port) = server(&[]).await;
    assert_handed_over(send(plain(port)).await);
    let seen = peer.next().await;
    assert_eq!((&seen["from"], &seen["to"]), (&json!("baken@desk.example"), &json!(["piket@politie.example"])));
    assert_eq!(seen["headers"]["Message-ID"], "<7f3a-received@desk.example>");
    assert_eq!(seen["headers"]["Subject"], LETTER.subject);
    assert_eq!(seen["headers"]["Auto-Submitted"], "auto-generated");
    let text = seen["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim(), LETTER.text.trim());
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn tls_and_starttls_are_spoken_under_the_own_root_with_a_login() {
    let certificates = Certificates::make();
    let login = || Some(Login { name: "desk".to_owned(), password: "horse battery".to_owned().into() });
    for (encryption, flag) in [(Encryption::Tls, "--tls"), (Encryption::StartTls, "--starttls")] {
        let (mut peer, port) =
            server(&[flag, "--certificate", &certificates.path(), "--login", "desk:horse battery"]).await;
        let config = |root_pem: Option<String>, login| MailConfig {
            encryption,
            root_pem,
            login,
            own_network: false,
            ..plain(port)
        };
        assert_handed_over(send(config(Some(certificates.root.clone()), login())).await);
        let seen = peer.next().await;
        assert_eq!((&seen["tls"], &seen["login"]), (&json!(true), &json!("desk")), "{encryption:?}");
        // Another root, the machine's own roots, another password.
        for root in [Some(Certificates::make().root), None] {
            assert_eq!(send(config(root, login())).await, Outcome::Retry { why: Why::Unreachable }, "{encryption:?}");
        }
        let wrong = Some(Login { name: "desk".to_owned(), password: "other".to_owned().into() });
        let outcome = send(config(Some(certificates.root.clone()), wrong)).await;
        assert_eq!(
            outcome,
            Outcome::Retry { why: Why::Reply { reply: 535 } },
            "a password can be mended: {encryption:?}"
        );
        assert!(peer.stop().await.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_offers_no_tls_gets_neither_letter_nor_password() {
    let (peer, port) = server(&[]).await;
    let certificates = Certificates::make();
    let config = MailConfig {
        encryption: Encryption::StartTls,
        root_pem: Some(certificates.root),
        login: Some(Login { name: "desk".to_owned(), password: "word".to_owned().into() }),
        ..plain(port)
    };
    assert_eq!(send(config.clone()).await, Outcome::Retry { why: Why::Unoffered });
    let without_login = MailConfig { login: None, ..config.clone() };
    assert_eq!(send(without_login).await, Outcome::Retry { why: Why::Unoffered });
    let config = MailConfig { encryption: Encryption::Tls, ..config };
    assert_eq!(send(config).await, Outcome::Retry { why: Why::Unreachable });
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn a_server_in_trouble_is_tried_again_with_the_same_letter_and_one_that_refuses_is_not() {
    let (mut peer, port) = server(&["--answers", "451,452,554,250"]).await;
    for reply in [451, 452] {
        assert_eq!(send(plain(port)).await, Outcome::Retry { why: Why::Reply { reply } });
        assert_eq!(peer.next().await["answered"], reply.to_string());
    }
    assert_eq!(send(plain(port)).await, Outcome::Refused { why: Why::Reply { reply: 554 } });
    peer.next().await;
    assert_handed_over(send(plain(port)).await);
    assert_handed_over(send(plain(port)).await);
    let (first, second) = (peer.next().await, peer.next().await);
    assert_eq!(first["headers"], second["headers"], "mailboxes show a repeat once");
    peer.stop().await;

    let (peer, port) = server(&["--refuses", LETTER.to]).await;
    assert_eq!(send(plain(port)).await, Outcome::Refused { why: Why::Reply { reply: 550 } });
    let other = Letter { to: "wacht@politie.example", ..LETTER };
    assert_handed_over(Mail::new(plain(port)).unwrap().send(&other, &SystemClock).await);
    assert_eq!(peer.stop().await.len(), 1, "one recipient's refusal is no other's");
}

#[tokio::test]
async fn a_server_that_hangs_breaks_off_or_is_gone_is_each_called_by_its_name() {
    let (peer, port) = server(&["--answers", "hang"]).await;
    let config = MailConfig { timeout_ms: 1_000, ..plain(port) };
    assert_eq!(send(config.clone()).await, Outcome::Retry { why: Why::NoAnswer { waited_ms: 1_000 } });
    peer.stop().await;
    assert_eq!(send(config).await, Outcome::Retry { why: Why::Unreachable });

    let (peer, port) = server(&["--answers", "drop"]).await;
    assert_eq!(send(plain(port)).await, Outcome::Retry { why: Why::Broken });
    peer.stop().await;

    // One that takes connections and never says a word: nothing can have arrived.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let held = tokio::spawn(async move {
        let (mut stream, _) = silent.accept().await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        said
    });
    let config = MailConfig { timeout_ms: 300, ..plain(port) };
    assert_eq!(send(config).await, Outcome::Retry { why: Why::Unreachable });
    assert!(held.await.unwrap().is_empty());
}
