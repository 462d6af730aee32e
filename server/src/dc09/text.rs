//! Text on the wire: ASCII out, and whatever the field sends in.
//!
//! DC-09-2013 says Windows-1252, DC-09-2026 also UTF-8, and one widely used receiver drops every byte beyond ASCII
//! and then fails the frame's check. So Baken writes ASCII only, folding accents away; on reading it takes UTF-8
//! where it is that, and Windows-1252 otherwise.

/// Folds text to printable ASCII that may stand inside an element: accents fall away, what has no likeness becomes
/// `?`, the frame's own signs `[ ] |` and line ends become spaces. At most `limit` characters.
pub fn to_ascii(text: &str, limit: usize) -> String {
    let mut folded = String::new();
    for character in text.chars() {
        match character {
            '[' | ']' | '|' | '^' | '\n' | '\r' | '\t' => folded.push(' '),
            ' '..='~' => folded.push(character),
            other => folded.push_str(likeness(other)),
        }
        if folded.len() >= limit {
            break;
        }
    }
    folded.truncate(limit);
    folded
}

/// What a letter of the languages of the Netherlands and its neighbours looks like in ASCII.
fn likeness(character: char) -> &'static str {
    match character {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' | 'Ć' | 'Č' => "C",
        'ç' | 'ć' | 'č' => "c",
        'Ð' | 'Ď' | 'Đ' => "D",
        'ð' | 'ď' | 'đ' => "d",
        'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'Ğ' => "G",
        'ğ' => "g",
        'Ì'..='Ï' | 'İ' => "I",
        'ì'..='ï' | 'ı' => "i",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'Ł' => "L",
        'ł' => "l",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ñ' | 'ń' | 'ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'Ő' => "O",
        'ò'..='ö' | 'ø' | 'ő' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ř' => "R",
        'ř' => "r",
        'Ś' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'Ť' | 'Ț' => "T",
        'ť' | 'ț' => "t",
        'Ù'..='Ü' | 'Ů' | 'Ű' => "U",
        'ù'..='ü' | 'ů' | 'ű' => "u",
        'Ý' | 'Ÿ' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        '‘' | '’' | '‚' => "'",
        '“' | '”' | '„' => "\"",
        '–' | '—' => "-",
        '…' => "...",
        '€' => "EUR",
        '°' => " gr",
        '±' => "+-",
        '\u{a0}' => " ",
        _ => "?",
    }
}

/// Windows-1252's 0x80 to 0x9F; the five that it leaves open stay control characters.
const CP1252_UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads bytes as UTF-8 where they are that, and as Windows-1252 otherwise.
pub(super) fn read(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes
            .iter()
            .map(|&byte| match byte {
                0x80..=0x9f => CP1252_UPPER[usize::from(byte - 0x80)],
                _ => char::from(byte),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read, to_ascii};

    #[test]
    fn names_stay_readable() {
        assert_eq!(to_ascii("Burgemeester Geneviève Çelik – ‘hulp’", 80), "Burgemeester Genevieve Celik - 'hulp'");
        assert_eq!(to_ascii("a[b]c|d\r\ne", 80), "a b c d  e");
        assert_eq!(to_ascii("Œuvre", 1), "O");
    }

    #[test]
    fn both_encodings_of_the_standard_are_read() {
        assert_eq!(read("André".as_bytes()), "André");
        assert_eq!(read(b"Andr\xe9 \x80"), "André €");
    }

    proptest! {
        #[test]
        fn what_is_folded_can_always_stand_in_an_element(text in "\\PC{0,60}", limit in 0_usize..50) {
            let folded = to_ascii(&text, limit);
            prop_assert!(folded.len() <= limit);
            prop_assert!(folded.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"[]|".contains(&byte)));
        }
    }
}
