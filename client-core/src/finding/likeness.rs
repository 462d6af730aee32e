//! How alike two words are: what is forgiven, and what is not.

/// How alike two words are, from 0 to 1.
#[allow(clippy::cast_precision_loss, reason = "a word has at most 40 letters")]
pub(crate) fn likeness(wanted: &str, known: &str) -> f32 {
    if wanted == known {
        return 1.0;
    }
    let (wanted_len, known_len) = (wanted.chars().count(), known.chars().count());
    if wanted_len >= 3 && known.starts_with(wanted) {
        return 0.3 + 0.6 * wanted_len as f32 / known_len as f32;
    }
    // Numbers are meant as they stand.
    if wanted.bytes().any(|byte| byte.is_ascii_digit()) {
        return 0.0;
    }
    if known_len >= 4 && wanted.starts_with(known) {
        return 0.7;
    }
    let shorter = wanted_len.min(known_len);
    let common = wanted.chars().zip(known.chars()).take_while(|(a, b)| a == b).count();
    if common >= 5 && common * 10 >= shorter * 7 {
        return 0.6;
    }
    let allowed = match wanted_len {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if allowed > 0 && wanted_len.abs_diff(known_len) <= allowed && is_within(wanted, known, allowed) {
        return 0.5;
    }
    if wanted_len >= 5 && known.contains(wanted) { 0.4 } else { 0.0 }
}

/// Whether one word becomes the other with at most so many errors: a letter too many, too few, another, or two swapped.
fn is_within(a: &str, b: &str, allowed: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = at(&last, j) + usize::from(letter != other);
            let mut best = changed.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(other) && b.get(j - 1) == Some(letter);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_some_and(|least| *least > allowed) {
            return false;
        }
        before = std::mem::replace(&mut last, row);
    }
    at(&last, b.len()) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_forgiven_and_other_words_are_not_taken() {
        for (wanted, known) in [
            ("bedreiging", "bedreiging"),
            ("bedreigin", "bedreiging"),
            ("bedreigd", "bedreiging"),
            ("bedrieging", "bedreiging"),
            ("poltie", "politie"),
            ("aagnifte", "aangifte"),
            ("brievenbus", "brievenbussen"),
            ("bril", "brillen"),
            ("enkel", "dubbelenkel"),
        ] {
            assert!(likeness(wanted, known) > 0.0, "{wanted} {known}");
        }
        for (wanted, known) in
            [("bus", "bel"), ("113", "112"), ("deur", "duur_"), ("politiek", "muziek"), ("kat", "hat")]
        {
            assert!(likeness(wanted, known) <= 0.0, "{wanted} {known}");
        }
    }

    #[test]
    fn errors_are_counted_as_people_make_them() {
        for (a, b, errors) in [
            ("abcd", "abcd", 0),
            ("abcd", "acbd", 1),
            ("abcd", "abd", 1),
            ("abcd", "abxcd", 1),
            ("abcd", "badc", 2),
            ("", "ab", 2),
        ] {
            assert!(is_within(a, b, errors), "{a} {b}");
            assert!(errors == 0 || !is_within(a, b, errors - 1), "{a} {b}");
        }
    }
}
