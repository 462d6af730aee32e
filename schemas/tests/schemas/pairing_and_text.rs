//! Pairing between two devices in one room, and texts that people type: what is forgiven and what is not.

use baken_schemas::FormatError;
use baken_schemas::org::Invite;
use baken_schemas::pairing::{Grant, Hello, PairingCode};
use baken_schemas::text;
use proptest::prelude::*;

use crate::world::World;

fn invite_of(world: &World) -> String {
    Invite::to_text(&world.invite)
}

#[test]
fn an_invite_survives_the_way_people_pass_it_on() {
    let world = World::new(60);
    let good = invite_of(&world);
    let wrapped: String =
        good.as_bytes().chunks(40).map(|line| format!("  {}\r\n", String::from_utf8_lossy(line))).collect();
    for passed_on in [good.clone(), good.to_lowercase(), format!("\n{good}\n"), wrapped] {
        let invite = Invite::from_text(&passed_on).expect("still the same invite");
        let invite = invite.verify(&world.org_root.verify_key()).expect("signed by the root");
        assert!(invite.value() == world.invite.value());
        assert_eq!(invite.bytes(), world.invite.bytes());
    }
}

/// Every letter of an invite mistyped, swapped with its neighbour, left out: told from a forgery each time.
#[test]
fn a_mistyped_invite_is_named_as_mistyped() {
    let good = invite_of(&World::new(61));
    let start = "BAKEN-INVITE:".len();
    let mistyped = |text: String| {
        let result = Invite::from_text(&text).map(|_| ());
        assert!(matches!(result, Err(FormatError::Rule { what: "BAKEN-INVITE", .. })), "{result:?}");
    };
    for at in start..good.len() {
        let mut typed = good.clone().into_bytes();
        for other in [b'A', b'7', b'1', b'-'] {
            let right = typed[at];
            if other != right {
                typed[at] = other;
                mistyped(String::from_utf8(typed.clone()).expect("ASCII"));
                typed[at] = right;
            }
        }
        if at + 1 < typed.len() && typed[at] != typed[at + 1] {
            let mut swapped = typed.clone();
            swapped.swap(at, at + 1);
            mistyped(String::from_utf8(swapped).expect("ASCII"));
        }
        typed.remove(at);
        mistyped(String::from_utf8(typed).expect("ASCII"));
    }
    for len in 0..good.len() {
        mistyped(good[..len].to_owned());
    }
    for other in ["", "BAKEN-PAIR", "https://relay.example", "BAKEN-INVITE", "BAKEN-INVITE:", "BAKEN-INVITE:AAAAAAA"] {
        mistyped(other.to_owned());
    }
    mistyped(good.replace("BAKEN-INVITE", "BAKEN-PAIR"));
}

/// The relay sees one half of an invite's secret at activation, and cannot get to the other.
#[test]
fn the_two_halves_of_an_invites_secret_differ() {
    let world = World::new(62);
    let invite = world.invite.value();
    assert_ne!(&invite.relay_token(), invite.desk_key().as_bytes());
    assert_ne!(invite.relay_token(), invite.secret);
}

#[test]
fn two_devices_in_one_room_pair() {
    let mut world = World::new(63);
    let offer = world.mayor_tablet.identity();
    let shown = PairingCode::make(offer.value(), &mut world.rng);
    let scanned = PairingCode::from_text(&shown.to_text().to_lowercase()).expect("scanned");
    let tablet = scanned.check_offer(offer.bytes()).expect("the tablet that showed the code");

    let hello = Hello { identity: world.mayor_phone.identity().bytes().to_vec() };
    let hello = scanned.seal_hello(&tablet.kem, &hello, &mut world.rng).expect("a good key");
    let opened = shown.open_hello(&world.mayor_tablet.kem, &hello).expect("sealed with the code's secret");
    assert_eq!(opened.identity, world.mayor_phone.identity().bytes());
    let digits = shown.digits(offer.bytes(), &hello);
    assert_eq!(digits, scanned.digits(offer.bytes(), &hello));
    assert!(digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit()));

    let circle = world.circle();
    let grant = Grant {
        account: Some(world.account),
        org: world.org(),
        directory: world.directory.bytes().to_vec(),
        circle: world.circle,
        log_head: circle.membership.head(),
    };
    let sealed = scanned.seal_grant(&tablet.kem, &hello, &grant, &mut world.rng).expect("a good key");
    assert!(shown.open_grant(&world.mayor_tablet.kem, &hello, &sealed).expect("opens") == grant);

    // A grant follows one hello only; a hello is no grant.
    let other = Hello { identity: world.relay.identity().bytes().to_vec() };
    let other = scanned.seal_hello(&tablet.kem, &other, &mut world.rng).expect("a good key");
    assert!(shown.open_grant(&world.mayor_tablet.kem, &other, &sealed).is_err());
    assert!(shown.open_grant(&world.mayor_tablet.kem, &hello, &hello).is_err());
    assert!(shown.open_hello(&world.mayor_tablet.kem, &sealed).is_err());
}

/// The relay knows rendezvous and offer, and has keys of its own. Without the secret on the screen it gets nowhere.
#[test]
fn who_did_not_see_the_code_takes_no_part() {
    let mut world = World::new(64);
    let offer = world.mayor_tablet.identity();
    let shown = PairingCode::make(offer.value(), &mut world.rng);
    let guessed = PairingCode::make(offer.value(), &mut world.rng);
    let swapped = world.relay.identity();
    assert!(matches!(shown.check_offer(swapped.bytes()), Err(FormatError::Signature { .. })), "an offer of its own");

    let hello = Hello { identity: world.relay.identity().bytes().to_vec() };
    let hello = guessed.seal_hello(&offer.value().kem, &hello, &mut world.rng).expect("a good key");
    assert!(shown.open_hello(&world.mayor_tablet.kem, &hello).is_err(), "a hello with another secret");
    assert_ne!(shown.digits(offer.bytes(), b"hello"), guessed.digits(offer.bytes(), b"hello"));
    assert_ne!(shown.digits(offer.bytes(), b"hello"), shown.digits(offer.bytes(), b"other"));
    // An identity in a hello is checked against its own key.
    let mut forged = world.mayor_phone.identity().bytes().to_vec();
    *forged.last_mut().expect("not empty") ^= 1;
    let hello = shown.seal_hello(&offer.value().kem, &Hello { identity: forged }, &mut world.rng).expect("good key");
    assert!(matches!(shown.open_hello(&world.mayor_tablet.kem, &hello), Err(FormatError::Signature { .. })));
}

proptest! {
    #[test]
    fn text_of_any_bytes_is_read_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(text::decode("BAKEN-PAIR", &text::encode("BAKEN-PAIR", &bytes)), Ok(bytes));
    }

    #[test]
    fn arbitrary_text_is_refused_quietly(typed in "\\PC{0,200}") {
        prop_assert!(Invite::from_text(&typed).is_err());
        let prefixed = format!("BAKEN-PAIR:{typed}");
        prop_assert!(PairingCode::from_text(&prefixed).is_err());
    }
}
