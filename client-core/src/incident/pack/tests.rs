//! What goes into packs, without a vault: texts, counts and checks. What stays out of them, with one, is in the stories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use baken_schemas::adviser::SMALLEST_SHOWN;
use proptest::prelude::*;

use super::council::CouncilCounts;
use super::html::escaped;
use super::{row, verify};
use crate::BakenError;

#[test]
fn a_folder_that_is_no_pack_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let error = verify(folder.path()).unwrap_err();
    assert!(matches!(&error, BakenError::PackDamaged { what } if what.contains("verklaring.baken")), "{error}");
    std::fs::write(folder.path().join("verklaring.baken"), b"niets").unwrap();
    assert!(matches!(verify(folder.path()).unwrap_err(), BakenError::Format(_)));
}

#[test]
fn counts_are_said_from_five_and_the_total_only_when_it_tells_nothing_of_the_rest() {
    let counts = |angry: usize, crime: usize, none: usize| {
        let threats = std::iter::repeat_n("angry-resident", angry)
            .chain(std::iter::repeat_n("organised-crime", crime))
            .chain(std::iter::repeat_n("", none));
        CouncilCounts::of(None, threats)
    };
    // Seven less five would be two.
    assert_eq!(counts(5, 2, 0).total, None);
    assert_eq!(counts(5, 2, 0).by_threat_source[0].1, Some(5));
    assert_eq!(counts(5, 2, 0).by_threat_source[2].1, None);
    // Six that are spread over three kinds could be any.
    assert_eq!(counts(5, 3, 3).total, Some(11));
    assert_eq!(counts(4, 0, 0).total, None);
    // Two that are eight together are four each.
    let fours = ["angry-resident"; 4].into_iter().chain(["confused-person"; 4]);
    let fours = fours.chain(["organised-crime"; 7]).chain([""; 6]);
    assert_eq!(CouncilCounts::of(None, fours).total, None);
    // A word that this version does not know is of an unknown source.
    let newer = CouncilCounts::of(Some(2026), std::iter::repeat_n("a-word-of-tomorrow", 6));
    assert_eq!((newer.by_threat_source[3].clone(), newer.year), (("unknown".to_owned(), Some(6)), Some(2026)));
}

/// From what is said nobody works out a count under five, nor that it is not some number under five, nor how many those under
/// five are together when that is as few. Who looks knows the rule: all that could have been said alike is gone through.
#[test]
fn no_small_count_can_be_worked_out() {
    let words = ["angry-resident", "confused-person", "organised-crime", "unknown"];
    let each = 0..SMALLEST_SHOWN + 2;
    let mut fitting: BTreeMap<_, Vec<[usize; 4]>> = BTreeMap::new();
    for angry in each.clone() {
        for confused in each.clone() {
            for crime in each.clone() {
                for none in each.clone() {
                    let of = [angry, confused, crime, none];
                    let threats = of.iter().zip(words).flat_map(|(count, word)| std::iter::repeat_n(word, *count));
                    let counts = CouncilCounts::of(None, threats);
                    let by_source: Vec<_> = counts.by_threat_source.into_iter().map(|(_, count)| count).collect();
                    fitting.entry((counts.total, by_source)).or_default().push(of);
                }
            }
        }
    }
    for ((total, by_source), fitting) in fitting {
        for (at, said) in by_source.iter().enumerate() {
            let possible: BTreeSet<usize> = fitting.iter().map(|of| of[at]).collect();
            let expected = said.map_or_else(|| (0..SMALLEST_SHOWN).collect(), |said| BTreeSet::from([said]));
            assert_eq!(possible, expected, "{by_source:?} of {total:?}");
            assert!(said.is_none_or(|said| said >= SMALLEST_SHOWN));
        }
        if let (Some(total), true) = (total, by_source.contains(&None)) {
            assert!(total - by_source.iter().flatten().sum::<usize>() >= SMALLEST_SHOWN);
        }
    }
}

proptest! {
    #[test]
    fn a_text_of_a_person_is_nothing_but_text(text in ".{0,60}") {
        let safe = escaped(&text);
        prop_assert!(!safe.contains(['<', '>', '"', '\'']));
        let back = safe.replace("&#39;", "'").replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<");
        prop_assert_eq!(back.replace("&amp;", "&"), text);
    }

    #[test]
    fn a_cell_is_one_cell_and_no_formula(text in "[=+@\",;\r\na-z-]{0,20}") {
        let row = row([text.as_str(), "b"]);
        let inner = row.strip_prefix('"').and_then(|row| row.strip_suffix("\",\"b\"\r\n")).expect("two cells");
        prop_assert!(!inner.starts_with(['=', '+', '-', '@']));
        let inner = inner.replace("\"\"", "\"");
        prop_assert_eq!(inner.trim_start_matches('\''), text);
    }
}
