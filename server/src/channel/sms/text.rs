//! Text that fits one message: 160 characters of the GSM alphabet (3GPP TS 23.038), without those that count twice.

use baken_schemas::alarm::MAX_SMS_CHARACTERS;

use crate::dc09::to_ascii;

/// Puts `body` before `end` in one message. What does not fit is cut from the body, never from the end: that is where the
/// link is. Letters beyond ASCII fall back on their likeness; signs that the alphabet lacks, or has only as two characters,
/// are replaced.
pub fn gsm(body: &str, end: &str) -> String {
    let (body, end) = (plain(body), plain(end));
    let room = MAX_SMS_CHARACTERS.saturating_sub(end.len());
    let mut text: String = body.chars().take(room).collect();
    text.push_str(&end);
    text.truncate(MAX_SMS_CHARACTERS);
    text
}

fn plain(text: &str) -> String {
    let ascii = to_ascii(text, usize::MAX);
    ascii
        .chars()
        .map(|character| match character {
            '{' => '(',
            '}' => ')',
            '`' => '\'',
            '\\' => '/',
            '~' => '-',
            fits => fits,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_is_never_longer_and_keeps_its_end(body in ".{0,400}") {
            let end = " https://desk.example/alarms/00112233445566778899aabbccddeeff";
            let text = gsm(&body, end);
            prop_assert!(text.len() <= MAX_SMS_CHARACTERS && text.is_ascii());
            prop_assert!(text.ends_with(end));
            let twice = |sign: char| "[]{}\\~^|`".contains(sign);
            prop_assert!(!text.contains(twice));
        }
    }

    #[test]
    fn accents_fall_away() {
        assert_eq!(gsm("Café {1}", " x"), "Cafe (1) x");
    }
}
