//! Each thing that can be wrong with an edition's source is found, by its code and where it is.

use baken_schemas::Language;
use baken_schemas::edition::check::{CheckWith, check, may_be_published};
use baken_schemas::edition::{Files, Finding, Layers, compile};
use proptest::prelude::*;

use super::{day, found, local, sample};

/// The sample with one text in one file replaced by another.
fn with(file: &str, from: &str, to: &str) -> Files {
    let mut files = sample();
    let text = files.get_mut(file).expect("a file of the sample");
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
    files
}

/// Whether a code is among findings in a file; every finding must say something in both languages.
fn has(findings: &[Finding], file: &str, code: &str) -> bool {
    assert!(findings.iter().all(|finding| !finding.nl.is_empty() && !finding.en.is_empty()));
    findings.iter().any(|finding| finding.file == file && finding.code == code)
}

#[test]
fn each_mistake_is_found_where_it_is() {
    let long = "woord ".repeat(401);
    let sentence = format!("U {} dit.\n\n## Eerst", "belt en ".repeat(12));
    let mistakes: &[(&str, &str, &str, &str)] = &[
        ("edition.toml", "national", "regional", "malformed"),
        ("edition.toml", "2027-06-01", "2026-06-01", "expired"),
        ("edition.toml", "name", "expiry = 3\nname", "unknown_key"),
        ("facts.toml", "2027-05-23\"\nstatus = \"unc", "2026-11-27\"\nstatus = \"unc", "past_review"),
        ("facts.toml", "valid_to = \"2024-01-01\"", "valid_from = \"2024-01-01\"\nvalid_to = \"2024-01-01\"", "dates"),
        ("facts.toml", "checked = \"2026-11-23\"", "checked = \"2026-12-01\"", "dates"),
        ("facts.toml", "source_date = \"2023\"", "source_date = \"2026-11-24\"", "dates"),
        ("facts.toml", "source_date = \"2023\"", "source_date = \"lately\"", "value"),
        ("facts.toml", "value = 2400", "value = \"2024-01-01\"", "value"),
        ("facts.toml", "value = 2400", "", "value"),
        ("facts.toml", "check_at = \"uw politiecontact\"", "", "value"),
        ("facts.toml", "source = [\"W1\"]", "source = []", "value"),
        ("facts.toml", "[\"W1\"]", "[\"W2\"]", "dead_reference"),
        ("facts.toml", "[\"L29\"]", "[\"L62\"]", "dead_reference"),
        ("facts.toml", "rows = [\"L29\"]", "offices = [\"president\"]", "malformed"),
        ("facts.toml", "\"report-delay\"", "\"measures-maximum\"", "duplicate_id"),
        ("facts.toml", "en = \"2,400 euros\"", "", "translation_missing"),
        ("facts.toml", "valid_to", "valid_until", "unknown_key"),
        ("contacts.toml", "next = \"emergency\"", "next = \"nobody\"", "dead_reference"),
        ("contacts.toml", "\"112\"", "\"call us\"", "value"),
        ("contacts.toml", "mon-fri", "fri-mon", "malformed"),
        ("contacts.toml", "U wilt iets melden.", "U wilt thans iets melden.", "hard_word"),
        ("questions.toml", "02-threatened", "02-gone", "dead_reference"),
        ("scan.toml", "id = 1", "id = 2", "scan"),
        ("scan.toml", "theme = \"home\"", "theme = \"road\"", "dead_reference"),
        ("sources.toml", "[[source]]", "[[source]]\nid = \"W9\"\ntitle = \"x\"\n\n[[source]]", "unused_source"),
        ("chapters/nl/02-threatened.md", "2027-05-27", "2026-11-01", "past_review"),
        ("chapters/nl/02-threatened.md", "{{fact.measures-maximum}}", "{{fact.none}}", "dead_reference"),
        ("chapters/nl/02-threatened.md", "{{contact.emergency}}", "{{contact.none}}", "dead_reference"),
        ("chapters/nl/02-threatened.md", "card:direct-danger", "card:none", "dead_reference"),
        ("chapters/nl/02-threatened.md", "S:Aangifte", "X:Aangifte", "dead_reference"),
        ("chapters/nl/20-roles.md", "sources = [\"S\"]", "sources = []", "source_missing"),
        ("chapters/nl/20-roles.md", "sources = [\"S\"]\n", "", "source_missing"),
        ("chapters/nl/02-threatened.md", "U hoeft", &long, "chapter_long"),
        ("chapters/nl/02-threatened.md", "## Eerst", &sentence, "sentence_long"),
        ("chapters/nl/02-threatened.md", "## Checklist", "## Lijst", "checklist_missing"),
        ("chapters/nl/02-threatened.md", "- [ ] Ik heb alles", "- Ik heb alles", "checklist"),
        ("chapters/nl/02-threatened.md", "- [ ] Ik heb alles bewaard.\n", "", "checklist_items"),
        ("chapters/nl/02-threatened.md", "summary = \"Wat u nu doet, en wie u helpt.\"\n", "", "summary"),
        ("chapters/nl/02-threatened.md", "+++\n", "", "front_matter"),
        ("chapters/nl/02-threatened.md", "Gooi niets weg.", "Gooi <b>niets</b> weg.", "markdown"),
        ("chapters/en/02-threatened.md", "\"office-holder\", \"family\"", "\"office-holder\"", "translation_differs"),
        ("chapters/en/02-threatened.md", "- [ ] I have called the police.\n", "", "translation_differs"),
        (
            "cards/nl/direct-danger.md",
            "Ga naar een veilige plek",
            "Ga nu meteen naar een veilige plek",
            "card_line_long",
        ),
        ("cards/nl/direct-danger.md", "- Ga naar een veilige plek.\n", "", "card_lines"),
        ("cards/nl/direct-danger.md", "[\"emergency\"]", "[]", "card_call"),
        ("cards/nl/direct-danger.md", "[\"emergency\"]", "[\"nobody\"]", "dead_reference"),
    ];
    for (file, from, to, code) in mistakes {
        let findings = found(&with(file, from, to));
        assert!(has(&findings, file, code), "{file}: {from:?} -> {to:?} has no {code}: {findings:#?}");
    }
}

#[test]
fn a_translation_that_is_not_there_is_missed_in_its_own_file() {
    let mut files = sample();
    files.remove("chapters/en/20-roles.md");
    assert!(has(&found(&files), "chapters/en/20-roles.md", "translation_missing"));
    let mut files = sample();
    files.remove("edition.toml");
    assert!(has(&found(&files), "edition.toml", "missing_file"));
    let mut files = sample();
    files.insert("notes.txt".to_owned(), String::new());
    let findings = found(&files);
    assert!(has(&findings, "notes.txt", "unknown_file") && may_be_published(&findings));
}

#[test]
fn a_finding_names_line_and_id_and_what_to_do() {
    let findings = found(&with("facts.toml", "[\"W1\"]", "[\"W2\"]"));
    let told: Vec<String> = findings.iter().map(|finding| finding.told(Language::En)).collect();
    let wanted = "facts.toml:2: measures-maximum: source W2 does not exist; correct the name or add it";
    assert!(told.iter().any(|told| told == wanted), "{told:?}");
    let line =
        sample()["chapters/nl/02-threatened.md"].lines().position(|line| line.contains("fact.measures")).unwrap() + 1;
    let findings = found(&with("chapters/nl/02-threatened.md", "{{fact.measures-maximum}}", "{{fact.none}}"));
    // The paragraph begins a line before.
    assert!(findings.iter().any(|finding| finding.line.map(|line| line as usize + 1) == Some(line)), "{findings:?}");
}

#[test]
fn hard_dutch_is_harder_than_b1() {
    let official = "De verantwoordelijke volksvertegenwoordiger communiceert aangelegenheden betreffende \
                    veiligheidsmaatregelen vertrouwelijk binnen organisatorische verantwoordelijkheden. "
        .repeat(8);
    let findings = found(&with("chapters/nl/02-threatened.md", "## Eerst", &format!("{official}\n\n## Eerst")));
    assert!(has(&findings, "chapters/nl/02-threatened.md", "hard_to_read"), "{findings:#?}");
}

#[test]
fn seven_words_in_a_row_of_another_text_are_copied() {
    let theirs = "Volgens de gids: gooi niets weg, vraag de politie om hulp en houd moed.";
    let copied = |text: &str| {
        let files = with("chapters/nl/20-roles.md", "Leg het vast.", text);
        let with = CheckWith { against: vec![("gids", theirs)], ..CheckWith::default() };
        check(&files, day("2026-11-27"), &with)
    };
    let findings = copied("Gooi niets weg; vraag de politie morgen.");
    assert!(!has(&findings, "chapters/nl/20-roles.md", "copied"), "six are not: {findings:?}");
    let findings = copied("GOOI NIETS WEG. Vraag de politie\nom hulp nu.");
    assert!(has(&findings, "chapters/nl/20-roles.md", "copied"));
    let told: Vec<_> = findings.iter().map(|finding| finding.en.as_str()).collect();
    assert!(told.iter().any(|told| told.contains("\"gooi niets weg vraag de politie om hulp\"")), "{told:?}");
}

#[test]
fn a_lower_layer_adds_and_is_told_what_it_repeats() {
    let national = Layers::new(compile(&sample()).unwrap());
    let check_local = |files: &Files| {
        let with = CheckWith { above: Some(&national), ..CheckWith::default() };
        check(files, day("2026-11-27"), &with)
    };
    assert_eq!(check_local(&local()), []);
    // Alone, it names what is not there.
    assert!(has(&found(&local()), "contacts.toml", "dead_reference"));

    let contact = |from: &str, to: &str| {
        let mut files = local();
        let text = files.get_mut("contacts.toml").unwrap();
        *text = text.replace(from, to);
        files
    };
    assert!(has(&check_local(&contact("\"clerk\"", "\"police\"")), "contacts.toml", "in_two_layers"));
    let mut with_fact = local();
    let fact = sample()["facts.toml"].split("[[fact]]").nth(1).expect("the first fact").to_owned();
    with_fact.insert("facts.toml".to_owned(), format!("[[fact]]{fact}"));
    assert!(has(&check_local(&with_fact), "facts.toml", "in_two_layers"));
    for (from, to) in [("\"clerk\"", "\"emergency\""), ("0123-456789", "112"), ("0123-456789", "+31 112")] {
        assert!(has(&check_local(&contact(from, to)), "contacts.toml", "emergency_number"), "{to}");
    }
    assert!(has(&check_local(&contact("kinds", "emergency = true\nkinds")), "contacts.toml", "value"));
    let mut files = local();
    files.insert("facts.toml".to_owned(), sample()["facts.toml"].clone());
    assert!(has(&check_local(&files), "facts.toml", "in_two_layers"));
    let mut files = local();
    for language in ["nl", "en"] {
        let path = format!("cards/{language}/direct-danger.md");
        let text = sample()[&path].replace("call = [\"emergency\"]", "call = [\"clerk\"]");
        files.insert(path, text);
    }
    assert!(has(&check_local(&files), "cards/nl/direct-danger.md", "emergency_number"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever stands in the files, it is compiled or refused, and refusals name a file.
    #[test]
    fn any_text_in_any_file_is_compiled_or_refused(
        file in 0_usize..12,
        at in any::<prop::sample::Index>(),
        cut in 0_usize..40,
        put in "[\\PC\n]{0,40}|\\{\\{fact\\.|\\*\\*|\\[x\\]\\(|\\+\\+\\+\n|## Checklist\n|= \\[\\[|\"\"\"|- \\[ \\] ",
    ) {
        let mut files = sample();
        let path = files.keys().nth(file % files.len()).cloned().unwrap();
        let text = files.get_mut(&path).unwrap();
        let letters: Vec<char> = text.chars().collect();
        let start = at.index(letters.len() + 1);
        let end = (start + cut).min(letters.len());
        *text = letters[..start].iter().collect::<String>() + &put + &letters[end..].iter().collect::<String>();
        for finding in found(&files) {
            prop_assert!(!finding.file.is_empty());
        }
    }

    /// Nor does it matter what it is called.
    #[test]
    fn any_file_of_any_name_is_compiled_or_refused(path in "[a-z0-9/.A-Z-]{0,20}|(chapters|cards)/(nl|en|de)/[a-z]{1,4}\\.md", text in "\\PC{0,80}") {
        let mut files = sample();
        files.insert(path, text);
        let _ = found(&files);
    }
}
