//! A whole new council from a table (CSV): names, offices, numbers. Values in, values out; every line at fault is named, and
//! where one is, nothing of the table is used.
//!
//! Spreadsheets differ: a byte order mark, semicolons, tabs, quotes and empty lines at the end are all taken. Columns are
//! found by their heads, in Dutch or English, in any order; others are passed over.

use std::collections::HashMap;

use baken_schemas::Language;
use baken_schemas::edition::Office;

use crate::org::{MAX_TEXT_BYTES, Person};

/// The most people of one table.
pub const MAX_NEWCOMERS: usize = 1000;
/// The largest table in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The most faults that are named at once.
const MAX_FAULTS: usize = 50;

/// Somebody who begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Name.
    pub name: String,
    /// Office.
    pub office: Office,
    /// Where a desk calls back.
    pub phone: String,
}

impl std::fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Newcomer(…)")
    }
}

/// What is wrong with a line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Its number, from 1; the head of the table is on line 1.
    pub line: u64,
    /// What to do about it, in Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

impl LineFault {
    fn new(line: u64, nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self { line, nl: nl.into(), en: en.into() }
    }

    /// In a reader's language.
    pub fn told(&self, language: Language) -> &str {
        language.pick(&self.nl, &self.en)
    }
}

/// A column that a table must have, and how its head may be written.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("name", &["name", "naam"]),
    ("office", &["office", "ambt", "functie"]),
    ("phone", &["phone", "telefoon", "nummer"]),
];

/// Digits that tell one number from another, however it is written.
fn number_key(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("0031").or(digits.strip_prefix("31")).unwrap_or(&digits);
    national.trim_start_matches('0').to_owned()
}

/// What two lines about one person have in common.
fn person_key(name: &str, phone: &str) -> (String, String) {
    (name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(), number_key(phone))
}

/// Reads a table. People who are in `known` already are faults, unless `again` says that they are meant.
///
/// # Errors
/// Every line at fault, at most fifty.
pub fn read_council(bytes: &[u8], known: &[Person], again: bool) -> Result<Vec<Newcomer>, Vec<LineFault>> {
    // One end of a line: where it has two letters, a reader counts from the line before.
    let text = text_of(bytes).map_err(|fault| vec![fault])?.replace("\r\n", "\n");
    let head = text.lines().next().unwrap_or_default();
    let delimiter =
        *[b';', b'\t', b','].iter().max_by_key(|by| head.bytes().filter(|byte| byte == *by).count()).unwrap_or(&b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let places = columns(&mut reader).map_err(|fault| vec![fault])?;
    let mut table = Table { known, again, seen: HashMap::new(), newcomers: Vec::new(), faults: Vec::new() };
    for record in reader.records() {
        let Ok(record) = record else {
            table.faults.push(LineFault::new(0, "de tabel is niet leesbaar", "the table cannot be read"));
            break;
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| places.get(at).and_then(|place| record.get(*place)).unwrap_or_default();
        table.take(line, [field(0), field(1), field(2)]);
        if table.faults.len() >= MAX_FAULTS || table.newcomers.len() > MAX_NEWCOMERS {
            break;
        }
    }
    if table.newcomers.len() > MAX_NEWCOMERS {
        let (nl, en) = (
            format!("meer dan {MAX_NEWCOMERS} mensen; splits de tabel"),
            format!("more than {MAX_NEWCOMERS} people; split the table"),
        );
        return Err(vec![LineFault::new(MAX_NEWCOMERS as u64 + 2, nl, en)]);
    }
    if table.newcomers.is_empty() && table.faults.is_empty() {
        table.faults.push(LineFault::new(2, "er staat niemand in de tabel", "there is nobody in the table"));
    }
    if table.faults.is_empty() { Ok(table.newcomers) } else { Err(table.faults) }
}

/// Reads one person, typed field by field: by the same rules as a line of a table.
///
/// # Errors
/// What is at fault, on line 1.
pub fn read_person(
    [name, office, phone]: [&str; 3],
    known: &[Person],
    again: bool,
) -> Result<Newcomer, Vec<LineFault>> {
    let mut table = Table { known, again, seen: HashMap::new(), newcomers: Vec::new(), faults: Vec::new() };
    table.take(1, [name.trim(), office.trim(), phone.trim()]);
    table.newcomers.pop().ok_or(table.faults)
}

fn text_of(bytes: &[u8]) -> Result<&str, LineFault> {
    if bytes.len() > MAX_BYTES {
        return Err(LineFault::new(1, "de tabel is groter dan 1 MiB", "the table is larger than 1 MiB"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() as u64 + 1;
        let (nl, en) = (
            "dit is geen UTF-8; bewaar de tabel als \"CSV UTF-8\"",
            "this is not UTF-8; save the table as \"CSV UTF-8\"",
        );
        LineFault::new(line, nl, en)
    })
}

/// Where each column stands.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<Vec<usize>, LineFault> {
    let heads: Vec<String> =
        reader.headers().map(|heads| heads.iter().map(str::to_lowercase).collect()).unwrap_or_default();
    let mut places = Vec::new();
    for (column, written) in COLUMNS {
        let mut found =
            (0..heads.len()).filter(|at| heads.get(*at).is_some_and(|head| written.contains(&head.as_str())));
        match (found.next(), found.next()) {
            (Some(place), None) => places.push(place),
            (None, _) => {
                let (nl, en) = (
                    format!(
                        "de kolom {} ontbreekt; de eerste regel noemt de kolommen: naam, ambt, telefoon",
                        written.join(" / ")
                    ),
                    format!("the column {column} is missing; the first line names the columns: name, office, phone"),
                );
                return Err(LineFault::new(1, nl, en));
            }
            _ => {
                let (nl, en) =
                    (format!("de kolom {column} staat er twee keer"), format!("there are two columns {column}"));
                return Err(LineFault::new(1, nl, en));
            }
        }
    }
    Ok(places)
}

struct Table<'a> {
    known: &'a [Person],
    again: bool,
    /// The line on which each was seen first.
    seen: HashMap<(String, String), u64>,
    newcomers: Vec<Newcomer>,
    faults: Vec<LineFault>,
}

impl Table<'_> {
    fn take(&mut self, line: u64, [name, office, phone]: [&str; 3]) {
        let mut fault = |nl: String, en: String| self.faults.push(LineFault::new(line, nl, en));
        for (field, text) in [("name", name), ("phone", phone)] {
            if !(1..=MAX_TEXT_BYTES).contains(&text.len()) || text.chars().any(char::is_control) {
                let (nl, en) = (
                    format!("{field}: leeg, te lang of geen gewone tekst"),
                    format!("{field}: empty, too long or no plain text"),
                );
                return fault(nl, en);
            }
        }
        if number_key(phone).len() < 3 {
            return fault(
                "phone: dit is geen telefoonnummer".to_owned(),
                "phone: this is no telephone number".to_owned(),
            );
        }
        let Some(office) = Office::written(office) else {
            let all: Vec<&str> = Office::ALL.iter().map(|office| office.dutch()).collect();
            let tags = Office::TAGS.join(", ");
            return fault(
                format!("onbekend ambt; schrijf een van: {}", all.join(", ")),
                format!("an unknown office; write one of: {tags}"),
            );
        };
        let key = person_key(name, phone);
        if let Some(first) = self.seen.get(&key) {
            return fault(format!("staat ook op regel {first}"), format!("is on line {first} too"));
        }
        if !self.again && self.known.iter().any(|person| person_key(&person.name, &person.phone) == key) {
            return fault(
                "is al uitgenodigd; met --again komt er een nieuwe uitnodiging".to_owned(),
                "was invited already; --again makes a new invite".to_owned(),
            );
        }
        self.seen.insert(key, line);
        self.newcomers.push(Newcomer { name: name.to_owned(), office, phone: phone.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(table: &str) -> Result<Vec<Newcomer>, Vec<LineFault>> {
        read_council(table.as_bytes(), &[], false)
    }

    fn lines(table: &str) -> Vec<(u64, String)> {
        let faults = read(table).expect_err("a fault");
        faults.into_iter().map(|fault| (fault.line, fault.en)).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let table = "\u{feff}Telefoon;Naam;Fractie;Ambt\r\n\"+31 6 0000 0001\";\"Testma; Ans\";A;Raadslid\r\n\r\n;;;\r\n0600000002;B. Testma;B;wethouder\r\n";
        let people = read(table).expect("a table");
        assert_eq!(people.len(), 2);
        assert_eq!((people[0].name.as_str(), people[0].office), ("Testma; Ans", Office::Councillor));
        assert_eq!((people[1].phone.as_str(), people[1].office), ("0600000002", Office::Alderman));
        assert_eq!(read("name,office,phone\nA,mayor,0612345678\n").expect("a table").len(), 1);
    }

    #[test]
    fn one_person_is_read_as_a_line_is() {
        let person = read_person([" A; Testma ", "raadslid", "0611111111"], &[], false).expect("a person");
        assert_eq!((person.name.as_str(), person.office), ("A; Testma", Office::Councillor));
        for fields in [["", "raadslid", "0611111111"], ["A", "koning", "0611111111"], ["A", "raadslid", "geen"]] {
            let typed = read_person(fields, &[], false).expect_err("a fault");
            let [name, office, phone] = fields;
            let on_a_line = read(&format!("naam,ambt,telefoon\n{name},{office},{phone}\n")).expect_err("a fault");
            assert_eq!((typed.len(), &typed[0].en), (1, &on_a_line[0].en));
        }
    }

    #[test]
    fn every_line_at_fault_is_named() {
        let table = "naam,ambt,telefoon\nA,raadslid,0611111111\nB,koning,0622222222\n,raadslid,0633333333\n\
            D,raadslid,geen\na ,raadslid,+31 6 11111111\n";
        let faults = lines(table);
        assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(lines(&table.replace('\n', "\r\n")), faults);
        assert!(faults[0].1.contains("unknown office") && faults[3].1.contains("line 2"), "{faults:?}");
        assert!(lines("naam,telefoon\nA,06\n")[0].1.contains("office is missing"));
        assert_eq!(lines("naam,ambt,telefoon\n")[0].0, 2);
        assert_eq!(lines("")[0].0, 1);
        assert!(lines("naam,naam,ambt,telefoon\n")[0].1.contains("two columns"));
        let latin: &[u8] = b"naam,ambt,telefoon\nA,raadslid,0611111111\nRen\xe9,raadslid,0622222222\n";
        assert_eq!(read_council(latin, &[], false).expect_err("a fault")[0].line, 3);
        let many: String = (0..=MAX_NEWCOMERS).map(|n| format!("P{n},raadslid,06{n:08}\n")).collect();
        assert!(lines(&format!("naam,ambt,telefoon\n{many}"))[0].1.contains("more than 1000"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_wrong(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut table = b"naam;ambt;telefoon\n".to_vec();
            table.extend(bytes);
            match read_council(&table, &[], false) {
                Ok(people) => prop_assert!(people.iter().all(|one| !one.name.is_empty() && number_key(&one.phone).len() >= 3)),
                Err(faults) => prop_assert!(!faults.is_empty() && faults.len() <= MAX_FAULTS),
            }
        }

        #[test]
        fn names_come_out_as_they_were_written(names in proptest::collection::btree_set("[A-Z][a-zé\", ;]{0,20}[a-z]", 1..20)) {
            let row = |(number, name): (usize, &String)| format!("\"{}\",raadslid,06{number:08}\n", name.replace('"', "\"\""));
            let rows: String = names.iter().enumerate().map(row).collect();
            let people = read(&format!("naam,ambt,telefoon\n{rows}")).expect("a table");
            prop_assert_eq!(people.into_iter().map(|one| one.name).collect::<Vec<_>>(), names.into_iter().collect::<Vec<_>>());
        }
    }
}
