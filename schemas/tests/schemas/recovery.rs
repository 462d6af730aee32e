//! The recovery code on paper: what is forgiven, what is refused and where, and what the code opens.

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::code::CodeError;
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::id::AccountId;
use baken_schemas::recovery::{RecoveryClaim, RecoveryCode, RecoveryContent, RecoverySheet, SealedRoot};
use baken_schemas::signed::{Signed, Unverified};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::world::World;

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn code_of(seed: u64) -> RecoveryCode {
    RecoveryCode::make(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// Two codes are the same when they give the same name for every account.
fn name_of(code: &RecoveryCode) -> Hash {
    code.name(AccountId([7; 16]))
}

fn read(typed: &str) -> Result<Hash, CodeError> {
    RecoveryCode::from_text(typed).map(|code| name_of(&code))
}

proptest! {
    #[test]
    fn a_code_is_read_as_it_was_printed(seed in any::<u64>()) {
        let code = code_of(seed);
        let text = code.to_text();
        prop_assert_eq!(text.len(), 7 * 5 + 6);
        prop_assert!(text.split('-').all(|group| group.len() == 5 && group.chars().all(|char| ALPHABET.contains(char))));
        prop_assert_eq!(read(&text), Ok(name_of(&code)));
        prop_assert_eq!(RecoveryCode::from_text(&text).expect("read").to_text(), text);
    }

    #[test]
    fn anything_else_is_refused_quietly(typed in "\\PC{0,60}") {
        prop_assert!(RecoveryCode::from_text(&typed).is_err());
    }

    /// The right letters in any order but the right one: 35 characters always.
    #[test]
    fn letters_alone_are_no_code(typed in "[0-9A-HJKMNP-TV-Za-z]{35}") {
        prop_assert!(RecoveryCode::from_text(&typed).is_err());
    }
}

/// Every letter of several codes, replaced by every other: the group is named.
#[test]
fn a_wrong_letter_is_named_by_its_group() {
    for seed in 0..4 {
        let good = code_of(seed).to_text();
        for (at, right) in good.char_indices().filter(|(_, char)| *char != '-') {
            for wrong in ALPHABET.chars().chain(['U', '?', 'é']).filter(|wrong| *wrong != right) {
                let typed = format!("{}{wrong}{}", &good[..at], &good[at + 1..]);
                assert_eq!(read(&typed), Err(CodeError::Group { group: at / 6 + 1 }), "{wrong} at {at}");
            }
        }
    }
}

#[test]
fn swapped_letters_and_groups_are_refused() {
    let mut swaps = 0;
    for seed in 0..16 {
        let code = code_of(seed);
        let good: Vec<char> = code.to_text().chars().filter(|char| *char != '-').collect();
        for a in 0..good.len() {
            for b in a + 1..good.len() {
                let mut typed = good.clone();
                typed.swap(a, b);
                if typed != good {
                    assert!(read(&typed.iter().collect::<String>()).is_err(), "letters {a} and {b}");
                    swaps += 1;
                }
            }
        }
        let groups: Vec<&[char]> = good.chunks(5).collect();
        for a in 0..groups.len() {
            for b in a + 1..groups.len() {
                let mut typed = groups.clone();
                typed.swap(a, b);
                let typed: String = typed.concat().into_iter().collect();
                assert_eq!(read(&typed), Err(CodeError::Whole), "groups {a} and {b}");
            }
        }
    }
    assert!(swaps > 9000);
}

#[test]
fn what_people_write_otherwise_is_forgiven() {
    // Found by its seed: a code with both digits that have look-alikes.
    let code = (0..).map(code_of).find(|code| code.to_text().contains('0') && code.to_text().contains('1'));
    let code = code.expect("one in a few codes");
    let good = code.to_text();
    for typed in [
        good.to_lowercase(),
        good.replace('-', ""),
        good.replace('-', " "),
        good.replace('-', "\r\n"),
        format!("  {good}\n"),
        good.replace('0', "O"),
        good.replace('0', "o"),
        good.replace('1', "I"),
        good.replace('1', "l"),
        good.replace('1', "L").replace('0', "o").to_lowercase(),
    ] {
        assert_eq!(read(&typed), Ok(name_of(&code)), "{typed}");
    }
    for (typed, found) in [(String::new(), 0), (good[..good.len() - 1].to_owned(), 34), (format!("{good}0"), 36)] {
        assert_eq!(read(&typed), Err(CodeError::Length { found }));
    }
}

#[test]
fn a_code_gives_each_account_keys_of_its_own() {
    let (code, other) = (code_of(1), code_of(2));
    let [one, two] = [AccountId([1; 16]), AccountId([2; 16])];
    assert_ne!(code.name(one), code.name(two));
    assert_ne!(code.name(one), other.name(one));
    assert_ne!(code.kem(one).as_bytes(), code.kem(two).as_bytes());
    assert_ne!(code.kem(one).as_bytes(), other.kem(one).as_bytes());
    assert_ne!(&code.name(one).0, code.kem(one).as_bytes());
    assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
}

#[test]
fn a_sealed_root_opens_with_its_code_account_and_root() {
    let mut world = World::new(90);
    let (account, code, root) = (world.account, world.code.clone(), world.account_root.clone());
    let content = RecoveryContent { root: *root.to_bytes(), circle: world.circle };
    let sealed = code.seal_root(account, &content, &mut world.rng);
    assert_eq!(sealed.name, code.name(account));
    let signed = Signed::make(sealed.clone(), &root);
    let opened = SealedRoot::open(signed.bytes(), account, &code).expect("the code on the paper");
    assert_eq!(opened, content);
    assert_eq!(opened.root().verify_key(), root.verify_key());
    assert!(!format!("{opened:?}").contains("root"));

    let other = AccountId([1; 16]);
    let refused = SealedRoot::open(signed.bytes(), other, &code);
    assert!(matches!(refused, Err(FormatError::Rule { .. })), "another account's: {refused:?}");
    let refused = SealedRoot::open(signed.bytes(), account, &code_of(5));
    assert!(matches!(refused, Err(FormatError::Sealed { .. })), "another code: {refused:?}");
    // The relay signs what it has, or what is another account's, with a root of its own.
    let resigned = Signed::make(sealed.clone(), &world.org_root);
    let refused = SealedRoot::open(resigned.bytes(), account, &code);
    assert!(matches!(refused, Err(FormatError::Signature { .. })), "another root: {refused:?}");
    let mut moved = sealed;
    moved.account = other;
    let moved = Signed::make(moved, &root);
    let refused = SealedRoot::open(moved.bytes(), other, &code);
    assert!(matches!(refused, Err(FormatError::Sealed { .. })), "moved to another account: {refused:?}");
}

#[test]
fn a_claim_names_one_device_and_is_the_roots() {
    let world = World::new(91);
    let identity = world.mayor_phone.identity();
    let claim = RecoveryClaim::make(world.account, world.circle, identity.value(), &world.account_root);
    assert_eq!(claim.value().device, world.mayor_phone.device);
    assert_eq!(claim.value().fingerprint, identity.value().fingerprint());
    let verified = |key: &SigningKey| {
        let claim = Unverified::<RecoveryClaim>::parse(claim.bytes()).expect("well-formed");
        claim.verify(&key.verify_key()).is_ok()
    };
    assert!(verified(&world.account_root) && !verified(&world.mayor_phone.sig));
}

fn sheet_of(world: &World) -> RecoverySheet {
    RecoverySheet {
        org: world.org(),
        relay_url: "https://relay.example:8443".into(),
        tls_root_sha256: [0x5a; 32],
        account: world.account,
    }
}

#[test]
fn a_sheet_that_was_cut_or_mistyped_is_refused() {
    let sheet = sheet_of(&World::new(92));
    let good = sheet.to_text();
    assert!(good.starts_with("BAKEN-SHEET:"));
    for typed in [good.clone(), good.to_lowercase(), format!("\n {good}\r\n")] {
        assert_eq!(RecoverySheet::from_text(&typed), Ok(sheet.clone()));
    }
    for len in 0..good.len() {
        assert!(RecoverySheet::from_text(&good[..len]).is_err(), "cut to {len}");
    }
    let start = "BAKEN-SHEET:".len();
    for at in start..good.len() {
        for wrong in ['A', 'Q', '7', '1'] {
            if !good[at..].starts_with(wrong) {
                let typed = format!("{}{wrong}{}", &good[..at], &good[at + 1..]);
                assert!(RecoverySheet::from_text(&typed).is_err(), "{wrong} at {at}");
            }
        }
        let swapped = good.get(at..at + 2).and_then(|two| {
            let swapped: String = two.chars().rev().collect();
            (swapped != two).then(|| format!("{}{swapped}{}", &good[..at], &good[at + 2..]))
        });
        assert!(swapped.is_none_or(|typed| RecoverySheet::from_text(&typed).is_err()), "swapped at {at}");
    }
    assert!(RecoverySheet::from_text(&good.replace("SHEET", "PAIR")).is_err());
    // What is no sheet inside the right frame.
    let other = baken_schemas::text::encode("BAKEN-SHEET", &cbor::to_vec(&7_u32));
    assert!(RecoverySheet::from_text(&other).is_err());
}
