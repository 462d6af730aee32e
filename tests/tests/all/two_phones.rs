//! Phones of one office-holder and a real relay, without sockets: activation, pairing, offline edits, and what a relay
//! that forgets, withholds or was restored leads to.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use baken_core::pairing::PairInto;
use baken_core::sync::{FindingKind, Followed, StuckReason};
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_core::{Baken, BakenError};
use baken_schemas::api::Page;
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::crypto::SigningKey;
use baken_schemas::org::{Directory, Invite};
use baken_schemas::record::Value;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;
use baken_tests::sim::network::{AUTHORITY, Network};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::town::{Between, PIN, TLS_ROOT, Town};

/// The network with the relay's live stream, which the simulation leaves out.
struct WithStream<'a> {
    network: &'a Network,
    router: axum::Router,
    opened: AtomicUsize,
}

#[async_trait]
impl Transport for WithStream<'_> {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.network.send(request).await
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let mut built = http::Request::builder().uri(request.path_and_query).header("host", AUTHORITY);
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        let built = built.body(axum::body::Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(built).await.unwrap();
        assert_eq!(answer.status(), 200);
        // The relay writes whole events; their `data` lines are what a transport hands on.
        let events = answer.into_body().into_data_stream().flat_map(|chunk| {
            let chunk = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
            let data = chunk.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| Ok(data.to_owned()));
            futures_util::stream::iter(data.collect::<Vec<_>>())
        });
        Ok(Box::pin(events))
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn contact(name: &str, phone: &str) -> Vec<(String, Value)> {
    vec![("name".to_owned(), text(name)), ("phone".to_owned(), text(phone))]
}

async fn sync_both(town: &Town, phone: &Baken, tablet: &Baken) {
    for _ in 0..2 {
        phone.sync(&town.network).await.unwrap();
        tablet.sync(&town.network).await.unwrap();
    }
}

fn assert_alike(phone: &Baken, tablet: &Baken) {
    let sorted = |device: &Baken| {
        let mut views = device.records(None).unwrap();
        views.sort_by_key(|view| view.record);
        views
    };
    assert_eq!(sorted(phone), sorted(tablet));
}

#[tokio::test]
async fn offline_edits_on_both_phones_converge_and_the_one_conflict_is_settled_by_hand() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    let sister = phone.create("contact", contact("Zus", "06-1")).unwrap();
    sync_both(&town, &phone, &tablet).await;
    assert_alike(&phone, &tablet);

    town.network.connect(None);
    phone.put(sister, vec![("phone".to_owned(), text("06-2"))]).unwrap();
    phone.put(sister, vec![("remark".to_owned(), text("werkt in de zorg"))]).unwrap();
    tablet.put(sister, vec![("phone".to_owned(), text("06-3"))]).unwrap();
    assert!(matches!(phone.sync(&town.network).await, Err(BakenError::NotReached)));
    let status = phone.status().unwrap();
    assert_eq!(status.pending, 2);
    assert!(matches!(status.stuck_because, Some(StuckReason::Failed { code, .. }) if code == "not_reached"));

    town.network.connect(Some(town.relay.router()));
    sync_both(&town, &phone, &tablet).await;
    assert_alike(&phone, &tablet);
    let conflicts = tablet.conflicts().unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].values.len(), 2);
    let refused = tablet.put(sister, vec![("phone".to_owned(), text("06-4"))]);
    assert_eq!(refused.unwrap_err().code(), "in_conflict");
    tablet.resolve(sister, conflicts[0].field, text("06-3")).unwrap();
    sync_both(&town, &phone, &tablet).await;
    assert_alike(&phone, &tablet);
    assert!(phone.conflicts().unwrap().is_empty());
    let numbers = phone.history(sister).unwrap().into_iter().filter(|put| put.name == Some("phone")).count();
    assert_eq!(numbers, 4, "nothing that was written is gone");
    let status = phone.status().unwrap();
    assert_eq!((status.pending, status.stuck_because, status.trustworthy), (0, None, true));
    // Names of devices travel as records.
    assert_eq!(phone.records(Some("device")).unwrap().len(), 2);
}

#[tokio::test]
async fn a_phone_that_follows_gets_the_others_edit_and_sends_its_own_at_once() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_both(&town, &phone, &tablet).await;
    let stream = WithStream { network: &town.network, router: town.relay.router(), opened: AtomicUsize::new(0) };
    let mut rounds = 0;
    let mut follow = |followed: &Followed| {
        let counts = match followed {
            Followed::Synced(counts) | Followed::Live(counts) => *counts,
            Followed::Failed { error, .. } => panic!("{error}"),
        };
        rounds += 1;
        match rounds {
            // Followed by an edit of the other phone, which the stream tells of.
            1 => {
                phone.create("contact", contact("van de telefoon", "06-1")).unwrap();
                ControlFlow::Continue(())
            }
            _ if counts.received == 0 && counts.sent == 0 => ControlFlow::Continue(()),
            _ if counts.received > 0 => {
                // And one of its own, which it sends without being told to.
                tablet.create("contact", contact("van de tablet", "06-2")).unwrap();
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    };
    let following = tablet.follow(&stream, &mut follow);
    let other = async {
        // The phone's own sync, once the tablet has told it to edit.
        while phone.records(Some("contact")).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        phone.sync(&town.network).await.unwrap();
    };
    let both = futures_util::future::join(following, other);
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("both edits go through in time").0.unwrap();
    assert_eq!(stream.opened.load(Ordering::SeqCst), 1);
    phone.sync(&town.network).await.unwrap();
    assert_alike(&phone, &tablet);
    assert_eq!(phone.records(Some("contact")).unwrap().len(), 2);
}

#[tokio::test]
async fn a_circle_that_is_founded_while_a_phone_follows_is_followed_at_once() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.sync(&town.network).await.unwrap();
    let stream = WithStream { network: &town.network, router: town.relay.router(), opened: AtomicUsize::new(0) };
    let note = |phone: &Baken| phone.records(Some("note")).unwrap().len();
    // That it has synced since it opened the stream anew: what is written then comes live.
    let (tell, mut told) = tokio::sync::watch::channel(false);
    let mut follow = |followed: &Followed| match followed {
        Followed::Failed { error, .. } => panic!("{error}"),
        Followed::Synced(_) => {
            tell.send_replace(stream.opened.load(Ordering::SeqCst) == 2);
            ControlFlow::Continue(())
        }
        Followed::Live(counts) if counts.received > 0 && note(&phone) == 1 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let following = phone.follow(&stream, &mut follow);
    let partner = async {
        let circle = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
        let into = PairInto::Circle { circle, role: MemberRole::Member };
        let (partner, _) = town.pair(&phone, "partner", into).await;
        partner.sync(&town.network).await.unwrap();
        told.wait_for(|told| *told).await.unwrap();
        partner.create_in(circle, "note", vec![("text".to_owned(), text("de sleutel ligt bij Jan"))]).unwrap();
        partner.sync(&town.network).await.unwrap();
    };
    let both = futures_util::future::join(following, partner);
    tokio::time::timeout(Duration::from_secs(30), both)
        .await
        .expect("it comes long before the minute is over")
        .0
        .unwrap();
}

#[tokio::test]
async fn a_log_that_is_read_twice_at_once_accuses_nobody() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_both(&town, &phone, &tablet).await;
    town.pair(&phone, "mayor_laptop", PairInto::Dossier).await;
    let (one, other) = futures_util::future::join(tablet.sync(&town.network), tablet.sync(&town.network)).await;
    one.unwrap();
    other.unwrap();
    assert!(tablet.status().unwrap().trustworthy);
}

#[tokio::test]
async fn an_activation_cut_off_anywhere_is_gone_on_from() {
    let mut town = Town::found().await;
    for lose_answer in [false, true] {
        for cut_after in 0..12 {
            let invite = town.invite().await;
            let name = format!("phone_{cut_after}_{lose_answer}");
            let cut = Between {
                network: &town.network,
                left: AtomicUsize::new(cut_after),
                lose_answer,
                change: |_, answer| answer,
            };
            let first = town.phone(&name).activate(&cut, &invite, PIN, &name).await;
            // The program died with the connection; a new one goes on.
            town.clock.advance_ms(60_000);
            let phone = town.phone(&name);
            match first {
                Ok(()) => phone.unlock(PIN).unwrap(),
                Err(error) => {
                    assert_eq!(error.code(), "not_reached");
                    phone.activate(&town.network, &invite, PIN, &name).await.unwrap();
                }
            }
            assert!(phone.is_set_up().unwrap());
            assert!(phone.directory().is_ok(), "the alarm button works");
            phone.create("note", vec![("title".to_owned(), text("eerste"))]).unwrap();
            phone.sync(&town.network).await.unwrap();
            let status = phone.status().unwrap();
            assert_eq!((status.pending, status.devices), (0, 1));
            let again = phone.activate(&town.network, &invite, PIN, &name).await;
            assert_eq!(again.unwrap_err().code(), "already_activated");
        }
    }
}

#[tokio::test]
async fn a_bad_invite_leaves_no_device_behind() {
    let mut town = Town::found().await;
    let used = town.invite().await;
    town.phone("first").activate(&town.network, &used, PIN, "first").await.unwrap();
    let refused = town.phone("second").activate(&town.network, &used, PIN, "second").await.unwrap_err();
    assert_eq!(refused.code(), "invite_used");
    // Refused by the relay, it can still be activated with another invite.
    let fresh = town.invite().await;
    town.phone("second").activate(&town.network, &fresh, PIN, "second").await.unwrap();

    let mistyped = format!("{}A", used);
    let third = town.phone("third");
    assert_eq!(third.activate(&town.network, &mistyped, PIN, "x").await.unwrap_err().code(), "invite_invalid");
    let fresh = town.invite().await;
    assert_eq!(third.activate(&town.network, &fresh, "1234", "x").await.unwrap_err().code(), "pin_refused");
    town.clock.advance_ms(2 * 3_600_000);
    assert_eq!(third.activate(&town.network, &fresh, PIN, "x").await.unwrap_err().code(), "invite_expired");

    // An invite by somebody else's root, and one that pins another server.
    let stranger = SigningKey::make(&mut town.rng);
    let (mut invite, _) = town.org.invite(town.clock.now(), &mut town.rng);
    invite.tls_root_sha256 = Sha256::digest(TLS_ROOT).into();
    let forged = Invite::to_text(&Signed::make(invite.clone(), &stranger));
    let fourth = town.phone("fourth");
    assert_eq!(fourth.activate(&town.network, &forged, PIN, "x").await.unwrap_err().code(), "invite_invalid");
    invite.tls_root_sha256 = [9; 32];
    let elsewhere = Invite::to_text(&Signed::make(invite, &town.org.root));
    assert_eq!(fourth.activate(&town.network, &elsewhere, PIN, "x").await.unwrap_err().code(), "wrong_root");
    assert!(!fourth.is_activated());
}

/// All entries but the first, as if they had never come.
const FORGET: &str = "
    DELETE FROM entry WHERE cursor > 1; DELETE FROM idempotency; DELETE FROM writer;
    INSERT INTO writer (circle, slot, counter, hash) SELECT circle, slot, counter, hash FROM entry;";

#[tokio::test]
async fn a_relay_restored_from_a_backup_is_filled_again() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    for name in ["een", "twee", "drie"] {
        phone.create("contact", contact(name, "06-1")).unwrap();
        phone.sync(&town.network).await.unwrap();
    }
    tablet.sync(&town.network).await.unwrap();
    town.tamper(&format!("{FORGET} UPDATE relay SET generation = generation + 1;")).await;
    tablet.create("contact", contact("vier", "06-4")).unwrap();
    sync_both(&town, &tablet, &phone).await;
    assert_alike(&phone, &tablet);
    assert!(phone.status().unwrap().trustworthy && tablet.status().unwrap().trustworthy);
    // A third device gets all of it from the relay alone.
    let third = town.paired_with(&phone, &tablet, "mayor_laptop").await;
    third.sync(&town.network).await.unwrap();
    sync_both(&town, &phone, &tablet).await;
    assert_alike(&phone, &third);
    assert_eq!(third.records(Some("contact")).unwrap().len(), 4);
}

#[tokio::test]
async fn a_relay_that_forgets_without_saying_so_is_found_out_and_filled_again() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    for name in ["een", "twee"] {
        phone.create("contact", contact(name, "06-1")).unwrap();
        phone.sync(&town.network).await.unwrap();
    }
    town.tamper(FORGET).await;
    phone.create("contact", contact("drie", "06-3")).unwrap();
    phone.sync(&town.network).await.unwrap();
    let status = phone.status().unwrap();
    assert!(!status.trustworthy);
    assert_eq!(status.findings[0].kind, FindingKind::RolledBack);
    assert_eq!(status.pending, 0);
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_both(&town, &tablet, &phone).await;
    assert_alike(&phone, &tablet);
}

/// Leaves the second entry out of every page of entries.
fn withhold(path: &str, answer: Response) -> Response {
    if !path.contains("/entries?") {
        return answer;
    }
    let mut page: Page = cbor::from_slice(&answer.body, "a page").unwrap();
    page.items.retain(|item| item.cursor != 2);
    Response { status: answer.status, body: cbor::to_vec(&page).into() }
}

#[tokio::test]
async fn an_entry_that_is_withheld_is_missed_named_and_taken_when_it_comes() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    // Entries 1 and 2 are the phone's name and this.
    phone.sync(&town.network).await.unwrap();
    phone.create("contact", contact("een", "06-1")).unwrap();
    phone.sync(&town.network).await.unwrap();
    phone.create("contact", contact("twee", "06-2")).unwrap();
    phone.sync(&town.network).await.unwrap();

    let lying =
        Between { network: &town.network, left: AtomicUsize::new(usize::MAX), lose_answer: false, change: withhold };
    tablet.sync(&lying).await.unwrap();
    let status = tablet.status().unwrap();
    assert!(!status.trustworthy);
    assert_eq!(status.findings[0].kind, FindingKind::Withheld);
    assert_eq!(status.stuck_because, Some(StuckReason::MissingEntry));
    assert_eq!(status.waiting, 1);

    town.clock.advance_ms(11 * 60_000);
    sync_both(&town, &tablet, &phone).await;
    assert_alike(&phone, &tablet);
    let status = tablet.status().unwrap();
    assert_eq!((status.trustworthy, status.stuck_because, status.waiting), (true, None, 0));
}

#[tokio::test]
async fn a_pairing_ends_after_three_wrong_digits_and_after_five_minutes() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.phone("mayor_tablet");
    let mut start = tablet.pair_start(&town.network, PIN, "tablet").await.unwrap();
    let mut accept = phone.pair_accept(&town.network, &start.code_text()).await.unwrap();
    let digits = tablet.pair_digits(&mut start, &town.network).await.unwrap();
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let wrong_pin = phone.pair_confirm(&mut accept, &town.network, &digits, "000000", PairInto::Dossier).await;
    assert_eq!(wrong_pin.unwrap_err().code(), "wrong_pin");
    town.clock.advance_ms(2000);
    for left in [2, 1, 0] {
        let refused = phone.pair_confirm(&mut accept, &town.network, wrong, PIN, PairInto::Dossier).await;
        assert!(matches!(refused, Err(BakenError::PairingDigits { left: shown }) if shown == left));
    }
    let over = phone.pair_confirm(&mut accept, &town.network, &digits, PIN, PairInto::Dossier).await;
    assert!(matches!(over, Err(BakenError::PairingDigits { left: 0 })));

    let mut start = tablet.pair_start(&town.network, PIN, "tablet").await.unwrap();
    let mut accept = phone.pair_accept(&town.network, &start.code_text()).await.unwrap();
    let digits = tablet.pair_digits(&mut start, &town.network).await.unwrap();
    town.clock.advance_ms(5 * 60_000);
    let late = phone.pair_confirm(&mut accept, &town.network, &digits, PIN, PairInto::Dossier).await;
    assert_eq!(late.unwrap_err().code(), "pairing_expired");
    assert!(!tablet.is_activated());
}

#[tokio::test]
async fn a_pairing_confirmed_again_after_a_lost_answer_adds_the_device_once() {
    let mut town = Town::found().await;
    for cut_after in 0..14 {
        let phone = town.activated(&format!("phone_{cut_after}")).await;
        let tablet = town.phone(&format!("tablet_{cut_after}"));
        let mut start = tablet.pair_start(&town.network, PIN, "tablet").await.unwrap();
        let mut accept = phone.pair_accept(&town.network, &start.code_text()).await.unwrap();
        let digits = tablet.pair_digits(&mut start, &town.network).await.unwrap();
        let cut = Between {
            network: &town.network,
            left: AtomicUsize::new(cut_after),
            lose_answer: true,
            change: |_, answer| answer,
        };
        if let Err(error) = phone.pair_confirm(&mut accept, &cut, &digits, PIN, PairInto::Dossier).await {
            assert_eq!(error.code(), "not_reached");
            phone.pair_confirm(&mut accept, &town.network, &digits, PIN, PairInto::Dossier).await.unwrap();
        }
        tablet.pair_join(&start, &town.network).await.unwrap();
        tablet.sync(&town.network).await.unwrap();
        assert_eq!(tablet.status().unwrap().devices, 2);
        assert!(tablet.status().unwrap().trustworthy);
        town.clock.advance_ms(60_000);
    }
}

#[tokio::test]
async fn i6_a_relay_cannot_take_a_new_phone_back_to_an_older_directory() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let newer = Directory { version: 2, ..town.org.directory.value().clone() };
    town.publish(Signed::make(newer, &town.org.root).bytes()).await;
    phone.send_alarms(&town.network).await.unwrap();
    assert_eq!(phone.directory().unwrap().version, 2);
    town.tamper("DELETE FROM directory WHERE version = 2").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    assert_eq!(tablet.directory().unwrap().version, 2);
}

#[tokio::test]
async fn a_copied_folder_is_found_out_before_it_writes_over_anything() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.sync(&town.network).await.unwrap();
    phone.lock();
    let copy = town.folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(town.folder.path().join("mayor_phone")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    phone.unlock(PIN).unwrap();
    phone.create("contact", contact("echt", "06-1")).unwrap();
    phone.sync(&town.network).await.unwrap();

    let copy = town.phone("copy");
    copy.unlock(PIN).unwrap();
    copy.create("contact", contact("kopie", "06-2")).unwrap();
    let refused = copy.sync(&town.network).await.unwrap_err();
    assert_eq!(refused.code(), "entry_conflict");
    let status = copy.status().unwrap();
    assert_eq!(status.stuck_because, Some(StuckReason::CopiedFolder));
    assert_eq!(status.findings[0].kind, FindingKind::OwnFork);
    assert_eq!(copy.records(Some("contact")).unwrap().len(), 1, "what was written in it can still be read");
    phone.sync(&town.network).await.unwrap();
    assert!(phone.status().unwrap().trustworthy);
}
