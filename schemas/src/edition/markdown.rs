//! The little of Markdown that an edition is written in: paragraphs, `## ` headings, `- ` lists, `**bold**`, links,
//! `{{fact.ID}}` and `{{contact.ID}}`. Own, because so little of it is there: what a larger reader would take (HTML,
//! pictures, tables) must be refused here, since no screen shows it.

use crate::edition::finding::Finding;
use crate::edition::item::{Block, Line, Link, Span};

/// The heading that a chapter's checklist stands under, in every language.
pub(super) const CHECKLIST: &str = "Checklist";

/// The front matter between two lines `+++`, the text behind it, and the number of the text's first line.
pub(super) fn split_front<'a>(file: &str, text: &'a str) -> Result<(&'a str, &'a str, u32), Vec<Finding>> {
    let missing = || {
        let (nl, en) = (
            "het bestand begint niet met gegevens tussen twee regels +++; zet ze erboven",
            "the file does not begin with front matter between two lines +++; put it on top",
        );
        vec![Finding::error("front_matter", file, nl, en).at(1)]
    };
    let rest = text.strip_prefix("+++\n").ok_or_else(missing)?;
    let (front, body) = rest.split_once("\n+++\n").ok_or_else(missing)?;
    let first = 3 + front.lines().count().max(1);
    Ok((front, body, u32::try_from(first).unwrap_or(u32::MAX)))
}

/// A text as blocks.
pub(super) fn blocks(file: &str, body: &str, first_line: u32) -> Result<Vec<Block>, Vec<Finding>> {
    let (mut blocks, mut findings) = (Vec::new(), Vec::new());
    let mut open: Option<Open> = None;
    for (number, raw) in (first_line..).zip(body.lines()) {
        let line = raw.trim_end();
        if let Some((nl, en)) = refused(line) {
            findings.push(Finding::error("markdown", file, nl, en).at(number));
            continue;
        }
        let continues = line.starts_with("  ") || !line.starts_with("- ");
        match (&mut open, line) {
            (_, "") => close(file, &mut open, &mut blocks, &mut findings),
            (_, heading) if heading.starts_with("## ") => {
                close(file, &mut open, &mut blocks, &mut findings);
                open = Some(Open::heading(number, heading.trim_start_matches("## ")));
                close(file, &mut open, &mut blocks, &mut findings);
            }
            (Some(Open { is_list: true, lines, .. }), item) if item.starts_with("- ") => {
                lines.push((number, item.trim_start_matches("- ").to_owned()));
            }
            (Some(Open { lines, .. }), more) if continues => {
                if let Some((_, text)) = lines.last_mut() {
                    text.push(' ');
                    text.push_str(more.trim_start());
                }
            }
            (_, item) if item.starts_with("- ") => {
                close(file, &mut open, &mut blocks, &mut findings);
                let lines = vec![(number, item.trim_start_matches("- ").to_owned())];
                open = Some(Open { is_list: true, is_heading: false, lines });
            }
            (_, text) => {
                open = Some(Open {
                    is_list: false,
                    is_heading: false,
                    lines: vec![(number, text.trim_start().to_owned())],
                })
            }
        }
    }
    close(file, &mut open, &mut blocks, &mut findings);
    if findings.is_empty() { Ok(blocks) } else { Err(findings) }
}

/// A block whose end has not come.
struct Open {
    is_list: bool,
    is_heading: bool,
    lines: Vec<(u32, String)>,
}

impl Open {
    fn heading(number: u32, text: &str) -> Self {
        Self { is_list: false, is_heading: true, lines: vec![(number, text.to_owned())] }
    }
}

fn close(file: &str, open: &mut Option<Open>, blocks: &mut Vec<Block>, findings: &mut Vec<Finding>) {
    let Some(Open { is_list, is_heading, lines }) = open.take() else { return };
    let mut read = Vec::new();
    for (number, text) in lines {
        match spans(&text) {
            Ok(spans) => read.push(Line { number, spans }),
            Err((nl, en)) => findings.push(Finding::error("markdown", file, nl, en).at(number)),
        }
    }
    if is_list {
        blocks.push(Block::List(read));
    } else if let Some(line) = read.pop() {
        blocks.push(if is_heading { Block::Heading(line) } else { Block::Paragraph(line) });
    }
}

type Words = (&'static str, &'static str);

/// What a line may not be.
fn refused(line: &str) -> Option<Words> {
    let trimmed = line.trim_start();
    let numbered = trimmed
        .split_once(". ")
        .is_some_and(|(number, _)| (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()));
    if trimmed.starts_with("- ") && line.starts_with(' ') {
        Some(("een lijst in een lijst; maak er een lijst van", "a list within a list; make them one"))
    } else if trimmed.starts_with('#') && !line.starts_with("## ") {
        Some(("er zijn alleen koppen met ##", "there are only headings with ##"))
    } else if trimmed.starts_with('|') {
        Some(("een tabel; schrijf een lijst", "a table; write a list"))
    } else if trimmed.starts_with("* ") || trimmed.starts_with("+ ") || numbered {
        Some(("een lijst begint met een streepje: - ", "a list begins with a dash: - "))
    } else if line.contains("![") {
        Some(("een plaatje; zeg het in woorden", "a picture; say it in words"))
    } else if has_tag(line) {
        Some(("HTML; schrijf gewone tekst", "HTML; write plain text"))
    } else {
        None
    }
}

fn has_tag(line: &str) -> bool {
    line.split('<')
        .skip(1)
        .any(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '!'))
}

/// A line's text in pieces.
pub(super) fn spans(text: &str) -> Result<Vec<Span>, Words> {
    let mut spans = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (span, behind) = if let Some(inner) = rest.strip_prefix("**") {
            let (bold, behind) =
                inner.split_once("**").ok_or(("er mist ** aan het eind", "a closing ** is missing"))?;
            (Some(Span::Bold(self::spans(bold)?)), behind)
        } else if let Some(inner) = rest.strip_prefix("{{") {
            let (name, behind) =
                inner.split_once("}}").ok_or(("er mist }} aan het eind", "a closing }} is missing"))?;
            (Some(inserted(name.trim())?), behind)
        } else if let Some((text, target, behind)) = link_at(rest) {
            (Some(Span::Link { text: text.to_owned(), to: link(target)? }), behind)
        } else {
            plain.push(next);
            (None, rest.strip_prefix(next).unwrap_or_default())
        };
        if let Some(span) = span {
            if !plain.is_empty() {
                spans.push(Span::Text(std::mem::take(&mut plain)));
            }
            spans.push(span);
        }
        rest = behind;
    }
    if !plain.is_empty() {
        spans.push(Span::Text(plain));
    }
    Ok(spans)
}

fn link_at(rest: &str) -> Option<(&str, &str, &str)> {
    let (text, behind) = rest.strip_prefix('[')?.split_once("](")?;
    let (target, behind) = behind.split_once(')')?;
    (!text.is_empty() && !text.contains(['[', ']', '{', '*'])).then_some((text, target, behind))
}

fn link(target: &str) -> Result<Link, Words> {
    if let Some(id) = target.strip_prefix("chapter:") {
        Ok(Link::Chapter(id.to_owned()))
    } else if let Some(id) = target.strip_prefix("card:") {
        Ok(Link::Card(id.to_owned()))
    } else if target.strip_prefix("https://").is_some_and(|host| !host.is_empty())
        && !target.contains(char::is_whitespace)
    {
        Ok(Link::Web(target.to_owned()))
    } else {
        Err((
            "een link gaat naar chapter:ID, card:ID of een adres met https://",
            "a link leads to chapter:ID, card:ID or an address with https://",
        ))
    }
}

fn inserted(name: &str) -> Result<Span, Words> {
    match name.split_once('.') {
        Some(("fact", id)) if !id.is_empty() => Ok(Span::Fact(id.to_owned())),
        Some(("contact", id)) if !id.is_empty() => Ok(Span::Contact(id.to_owned())),
        _ => Err(("tussen {{ en }} staat fact.ID of contact.ID", "between {{ and }} stands fact.ID or contact.ID")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_paragraphs_headings_lists_and_what_stands_in_them() {
        let body = "Bel **{{contact.emergency}}** of lees\n[verder](chapter:03-report).\n\n## Kop\n- een\n- twee\n  gaat door\n\nEn {{ fact.max }} [niet zo].";
        let read = blocks("f.md", body, 10).unwrap();
        let text = |text: &str| Span::Text(text.to_owned());
        let link = Span::Link { text: "verder".to_owned(), to: Link::Chapter("03-report".to_owned()) };
        assert_eq!(
            read,
            [
                Block::Paragraph(Line {
                    number: 10,
                    spans: vec![
                        text("Bel "),
                        Span::Bold(vec![Span::Contact("emergency".to_owned())]),
                        text(" of lees "),
                        link,
                        text("."),
                    ],
                }),
                Block::Heading(Line { number: 13, spans: vec![text("Kop")] }),
                Block::List(vec![
                    Line { number: 14, spans: vec![text("een")] },
                    Line { number: 15, spans: vec![text("twee gaat door")] },
                ]),
                Block::Paragraph(Line {
                    number: 18,
                    spans: vec![text("En "), Span::Fact("max".to_owned()), text(" [niet zo].")],
                }),
            ]
        );
    }

    #[test]
    fn what_no_screen_shows_is_refused_with_its_line() {
        for wrong in [
            "# Kop",
            "### Kop",
            "| a | b |",
            "1. een",
            "* een",
            "- een\n  - twee",
            "<b>x</b>",
            "![x](https://x.nl/y.png)",
            "**open",
            "{{fact.x",
            "{{fact}}",
            "[x](http://x.nl)",
            "[x](mailto:x@y.nl)",
            "{{feit.x}}",
        ] {
            let findings = blocks("f.md", &format!("eerst\n\n{wrong}"), 1).unwrap_err();
            assert!(findings.iter().all(|finding| finding.line >= Some(3) && finding.code == "markdown"), "{wrong}");
        }
    }

    #[test]
    fn front_matter_stands_between_two_lines() {
        assert_eq!(split_front("f", "+++\na = 1\nb = 2\n+++\ntekst\n").unwrap(), ("a = 1\nb = 2", "tekst\n", 5));
        for wrong in ["", "tekst", "+++\na = 1\n", "\n+++\n+++\n"] {
            assert!(split_front("f", wrong).is_err(), "{wrong:?}");
        }
    }
}
