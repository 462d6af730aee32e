//! Figures in words, a line each: for a terminal and for the console's page alike.

use baken_schemas::Language;

use super::{Count, Ending, Figures, SMALLEST, Share, Timing};

/// The figures, each with its label.
pub fn lines(figures: &Figures, language: Language) -> Vec<(String, String)> {
    let pick = |nl: &'static str, en: &'static str| language.pick(nl, en);
    let mut lines =
        vec![(pick("Maanden (UTC)", "Months (UTC)").to_owned(), format!("{} - {}", figures.from, figures.to))];
    timing(&mut lines, (pick("Alarmen", "Alarms"), &figures.calls), language);
    for (kind, count) in &figures.kinds {
        lines.push((format!("  {}", kind_words(kind, language)), count.to_string()));
    }
    for (ending, count) in &figures.endings {
        let said = match ending {
            Ending::Unsaid => pick("afgesloten, niets over gezegd", "closed, nothing said of it"),
            Ending::Real => pick("afgesloten: echt", "closed: real"),
            Ending::FalseAlarm => pick("afgesloten: loos", "closed: false alarm"),
            Ending::Exercise => pick("afgesloten: oefening", "closed: exercise"),
        };
        lines.push((format!("  {said}"), count.to_string()));
    }
    lines.push((
        format!("  {}", pick("loos, van wat echt of loos heet", "false, of what is called real or false")),
        share(figures.false_alarms, language),
    ));
    timing(&mut lines, (pick("Tests door gebruikers", "Users' tests"), &figures.tests), language);
    lines.push((pick("Storingsmeldingen", "Messages of trouble").to_owned(), figures.trouble.to_string()));
    lines.push((pick("Automatische tests", "Automatic tests").to_owned(), figures.probes.to_string()));
    lines
}

fn timing(lines: &mut Vec<(String, String)>, (label, timing): (&str, &Timing), language: Language) {
    let pick = |nl: &'static str, en: &'static str| language.pick(nl, en);
    lines.push((label.to_owned(), timing.came_in.to_string()));
    if timing.came_in == Count::Exactly(0) {
        return;
    }
    let rows = [
        (pick("door een mens opgepakt", "taken by a human"), timing.seen.to_string()),
        (pick("binnen 10 s", "within 10 s"), share(timing.within_10_s, language)),
        (pick("binnen 40 s", "within 40 s"), share(timing.within_40_s, language)),
        (pick("mediaan", "median"), seconds(timing.median_ms, language)),
        (pick("langste", "longest"), seconds(timing.worst_ms, language)),
    ];
    lines.extend(rows.into_iter().map(|(label, value)| (format!("  {label}"), value)));
}

fn share(share: Option<Share>, language: Language) -> String {
    match share {
        None => too_few(language),
        Some(Share { percent, at_most: false }) => format!("{percent:.1} %"),
        Some(Share { percent, at_most: true }) => format!("{} {percent:.1} %", language.pick("hooguit", "at most")),
    }
}

fn seconds(ms: Option<i64>, language: Language) -> String {
    ms.map_or_else(|| too_few(language), |ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100))
}

fn too_few(language: Language) -> String {
    format!("{} {SMALLEST}", language.pick("te weinig: minder dan", "too few: less than"))
}

fn kind_words(kind: &str, language: Language) -> &'static str {
    let pick = |nl: &'static str, en: &'static str| language.pick(nl, en);
    match kind {
        "panic" => pick("noodalarm", "emergency"),
        "silent" => pick("stil alarm", "silent alarm"),
        "medical" => pick("medisch alarm", "medical alarm"),
        "duress" => pick("dwang", "duress"),
        "button" => pick("vaste knop", "hardware button"),
        "missed" => pick("check-in gemist", "check-in missed"),
        "probe" => pick("automatische test zonder bewijs", "automatic test without proof"),
        _ => pick("kon niet worden geopend", "could not be opened"),
    }
}
