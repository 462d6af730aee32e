//! What a desk warns of: once, in the console and over its channels, and that it is over.

use baken_schemas::api::MailKind;
use baken_schemas::org::Silence;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;
use baken_server::desk::run::RelayLink;
use baken_server::desk::{STALLED_MS, WarningView, Wrong, database_path};
use rusqlite::Connection;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::World;
use crate::peer::Peer;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Mail to two channels over a server on this machine.
async fn mail() -> (Peer, String) {
    let (peer, port) = Peer::listening("smtp_server.py", &[], &[]).await;
    let channel = |name: &str, to: &str| {
        format!(
            "[[smtp]]\nname = \"{name}\"\nserver = \"127.0.0.1\"\nport = {port}\nencryption = \"plain\"\n\
             own_network = true\nfrom = \"baken@desk.example\"\nto = [\"{to}\"]\n"
        )
    };
    (peer, channel("piket", "piket@politie.example") + &channel("beheer", "beheer@politie.example"))
}

fn live(world: &World) -> RelayLink {
    RelayLink::Live { since: world.clock.now() }
}

fn open(world: &World) -> Vec<WarningView> {
    world.desk.warnings().unwrap().0
}

fn kinds(world: &World) -> Vec<(Wrong, String)> {
    open(world).into_iter().map(|warning| (warning.what, warning.about)).collect()
}

/// How many messages there are about warnings, by channel.
fn messages(world: &World, channel: &str) -> i64 {
    let db = Connection::open(database_path(world.dir.path())).unwrap();
    let sql = "SELECT count(*) FROM delivery WHERE is_test = 0 AND channel = ?1";
    db.query_row(sql, [channel], |row| row.get(0)).unwrap()
}

/// The relay's word about a desk, or itself.
async fn silence(world: &mut World, about: baken_schemas::id::DeviceId, silent: bool) {
    let now = world.clock.now();
    let said = Silence { relay: world.relay.device, desk: about, since: silent.then_some(now), at: now };
    let signed = Signed::make(said, &world.relay.sig);
    world.bring(MailKind::Silence, signed.bytes()).await;
}

#[tokio::test]
async fn oncall_1326_keepalive_195_a_channel_that_nobody_tested_is_told_of_over_the_others_once() {
    let (_peer, channels) = mail().await;
    let world = World::with_channels(&channels).await;
    for _ in 0..3 {
        world.desk.warn(&live(&world)).await.unwrap();
    }
    let unproven = |name: &str| (Wrong::ChannelUnproven, name.to_owned());
    assert_eq!(kinds(&world), [unproven("piket"), unproven("beheer")]);
    assert_eq!((messages(&world, "piket"), messages(&world, "beheer")), (0, 0), "who sets up has a day to test");
    world.clock.advance(DAY_MS);
    for _ in 0..3 {
        world.desk.warn(&live(&world)).await.unwrap();
    }
    // Each is told over the other: a channel is not proven by the word that it is not.
    assert_eq!((messages(&world, "piket"), messages(&world, "beheer")), (1, 1));
    world.desk.test_channel("piket", "t").await.unwrap();
    world.desk.test_channel("beheer", "t").await.unwrap();
    world.desk.deliver_all().await.unwrap();
    world.desk.warn(&live(&world)).await.unwrap();
    assert!(open(&world).is_empty());
    assert_eq!(world.desk.warnings().unwrap().1.len(), 2);
    assert_eq!((messages(&world, "piket"), messages(&world, "beheer")), (2, 2), "that it is over is told once too");
}

#[tokio::test]
async fn healthchecks_363_433_156_a_worker_that_stands_still_is_told_of_and_so_is_that_it_goes_on() {
    let (mut peer, channels) = mail().await;
    let world = World::with_channels(
        &channels.replace("\n[[smtp]]\nname = \"beheer\"", "\n[[smtp]]\nwarnings = false\nname = \"beheer\""),
    )
    .await;
    world.desk.beat("mail");
    world.desk.beat("receipts");
    world.clock.advance(STALLED_MS - 1000);
    world.desk.warn(&live(&world)).await.unwrap();
    assert!(!kinds(&world).iter().any(|(what, _)| *what == Wrong::WorkerStalled));
    world.clock.advance(1000);
    world.desk.beat("receipts");
    for _ in 0..2 {
        world.desk.warn(&live(&world)).await.unwrap();
    }
    assert!(kinds(&world).contains(&(Wrong::WorkerStalled, "mail".to_owned())));
    world.desk.deliver_all().await.unwrap();
    let letter = peer.next().await;
    assert_eq!(letter["headers"]["Subject"], "Baken: storing: een onderdeel van de meldkamer staat stil (mail)");
    assert!(letter["text"].as_str().unwrap().contains("https://desk.example:8444/warnings"), "{letter}");
    world.desk.beat("mail");
    world.desk.warn(&live(&world)).await.unwrap();
    world.desk.deliver_all().await.unwrap();
    let letter = peer.next().await;
    assert_eq!(letter["headers"]["Subject"], "Baken: voorbij: een onderdeel van de meldkamer staat stil (mail)");
    assert_eq!((messages(&world, "piket"), messages(&world, "beheer")), (2, 0));
}

#[tokio::test]
async fn a_relay_that_is_not_heard_or_stands_still_and_another_desk_are_told_of() {
    let (_peer, channels) = mail().await;
    let mut world = World::with_channels(&channels).await;
    let down = RelayLink::Down { since: world.clock.now(), why: "weg".to_owned() };
    world.desk.warn(&down).await.unwrap();
    assert!(!kinds(&world).iter().any(|(what, _)| *what == Wrong::RelayDown), "connecting takes a moment");
    world.clock.advance(MINUTE_MS);
    world.desk.warn(&down).await.unwrap();
    let count = |world: &World, wrong: Wrong| kinds(world).iter().filter(|(what, _)| *what == wrong).count();
    assert_eq!(count(&world, Wrong::RelayDown), 1);
    assert_eq!(messages(&world, "piket"), 0, "a restart is no news");
    world.clock.advance(MINUTE_MS);
    world.desk.warn(&down).await.unwrap();
    assert_eq!(messages(&world, "piket"), 1);
    world.desk.warn(&live(&world)).await.unwrap();
    assert_eq!((count(&world, Wrong::RelayDown), messages(&world, "piket")), (0, 2));

    let (relay, other) = (world.relay.device, world.other.device);
    silence(&mut world, relay, true).await;
    silence(&mut world, other, true).await;
    world.desk.warn(&live(&world)).await.unwrap();
    assert_eq!((count(&world, Wrong::RelayStalled), count(&world, Wrong::DeskSilent)), (1, 1));
    assert_eq!(messages(&world, "piket"), 4);
    world.clock.advance(1);
    silence(&mut world, relay, false).await;
    world.desk.warn(&live(&world)).await.unwrap();
    assert_eq!((count(&world, Wrong::RelayStalled), count(&world, Wrong::DeskSilent)), (0, 1));
    // After a crash nothing is told twice.
    world.restart();
    world.desk.warn(&live(&world)).await.unwrap();
    assert_eq!(messages(&world, "piket"), 5);
}

#[tokio::test]
async fn a_certificate_that_ends_is_told_of_before_it_has() {
    let mut world = World::new().await;
    let (_, token) = world.officer("Agent Jansen");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 1, 31);
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(world.dir.path().join("tls-server.der"), certificate.der()).unwrap();
    world.desk.warn(&live(&world)).await.unwrap();
    let days_left = (1_927_584_000_000 - world.clock.now().0) / DAY_MS;
    assert!(open(&world).is_empty() && days_left > 30);
    world.clock.advance((days_left - 20) * DAY_MS);
    world.desk.warn(&live(&world)).await.unwrap();
    assert_eq!(kinds(&world), [(Wrong::CertificateEnds, "console".to_owned())]);
    // Officers' links do not last that long: a new one.
    drop(token);
    let token = world.desk.officers().link("Agent Jansen", world.clock.now(), &mut world.rng).unwrap();
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    let page = browser.get("/").await.text;
    assert!(page.contains("Storing: een certificaat verloopt of is verlopen (console)"), "{page}");
    let listed = browser.get("/api/warnings").await.text;
    assert!(listed.contains("certificate-ends"), "{listed}");
    let page = browser.get("/warnings?lang=en").await.text;
    assert!(page.contains("a certificate ends or has ended (console)"), "{page}");
}
