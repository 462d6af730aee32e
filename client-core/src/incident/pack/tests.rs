//! What goes into packs, without a vault: texts, counts and checks. What stays out of them, with one, is in the stories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;

use super::council::{CouncilCounts, SMALL};
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
    // A word that this version does not know is of an unknown source.
    let newer = CouncilCounts::of(Some(2026), std::iter::repeat_n("a-word-of-tomorrow", 6));
    assert_eq!((newer.by_threat_source[3].clone(), newer.year), (("unknown".to_owned(), Some(6)), Some(2026)));
}

proptest! {
    /// From what is said nobody works out a count of one to four, nor how many those under five are together when that is
    /// as few.
    #[test]
    fn no_small_count_can_be_worked_out(of in proptest::collection::vec(0_usize..9, 4)) {
        let words = ["angry-resident", "confused-person", "organised-crime", "unknown"];
        let threats = of.iter().zip(words).flat_map(|(count, word)| std::iter::repeat_n(word, *count));
        let counts = CouncilCounts::of(None, threats);
        let said: u64 = counts.by_threat_source.iter().filter_map(|(_, count)| *count).sum();
        prop_assert!(counts.by_threat_source.iter().all(|(_, count)| count.is_none_or(|count| count >= SMALL)));
        let left_out = counts.by_threat_source.iter().any(|(_, count)| count.is_none());
        if let (Some(total), true) = (counts.total, left_out) {
            prop_assert!(total - said >= SMALL);
        }
    }

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
