//! What is written down while the vault is locked.

use proptest::prelude::*;

use super::*;

fn incidents(baken: &Baken) -> Vec<String> {
    let records = baken.records(Some("incident")).unwrap();
    let what = |record: &crate::record::RecordView| match &record.fields[0].values[0].value {
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    records.iter().map(what).collect()
}

fn what(saying: &str) -> Vec<(String, Value)> {
    vec![text("what", saying), ("happened_at".to_owned(), Value::Int(1_795_392_000_000))]
}

#[test]
fn an_incident_noted_with_the_vault_locked_is_a_record_once_it_is_open_and_once_only() {
    let mayor = Mayor::under_threat();
    assert_eq!(mayor.baken.note_incident(what("Man aan de deur")).unwrap(), 1);
    // Another program, that never saw a PIN.
    let other = open_with(mayor.folder.path(), &mayor.clock, 31);
    assert_eq!(other.note_incident(what("Hij is er weer")).unwrap(), 2);
    assert!(matches!(other.records(None), Err(BakenError::Locked)));
    drop(other);
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(incidents(&mayor.baken), ["Man aan de deur", "Hij is er weer"]);
    mayor.baken.lock();
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(incidents(&mayor.baken).len(), 2);
    // The room is free again.
    assert_eq!(mayor.baken.note_incident(what("En nog eens")).unwrap(), 1);
}

#[test]
fn what_was_noted_never_shows_in_the_decoy_and_waits_for_the_truth() {
    let mayor = Mayor::under_threat();
    mayor.baken.note_incident(what("Hij bedreigt mij")).unwrap();
    mayor.baken.unlock(DURESS).unwrap();
    assert_eq!(incidents(&mayor.baken), Vec::<String>::new());
    mayor.baken.lock();
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(incidents(&mayor.baken), ["Hij bedreigt mij"]);
}

#[test]
fn a_note_taken_in_before_a_crash_is_not_taken_in_again_over_what_was_changed_since() {
    let mayor = Mayor::under_threat();
    mayor.baken.note_incident(what("Brief")).unwrap();
    let outbox = mayor.baken.alarm_outbox().unwrap();
    let copy = |tx: &rusqlite::Transaction<'_>| Ok(tx.query_row("SELECT sealed FROM inbox", [], |row| row.get(0))?);
    let sealed: Vec<u8> = outbox.write(copy).unwrap();
    mayor.baken.unlock(PIN).unwrap();
    let record = mayor.baken.records(Some("incident")).unwrap()[0].record;
    mayor.baken.put(record, vec![text("what", "Brief zonder afzender")]).unwrap();
    mayor.baken.lock();
    outbox.write(|tx| Ok(tx.execute("INSERT INTO inbox (sealed) VALUES (?1)", [sealed]).map(drop)?)).unwrap();
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(incidents(&mayor.baken), ["Brief zonder afzender"]);
}

#[test]
fn what_does_not_fit_is_refused_in_words_and_nothing_of_it_kept() {
    let mayor = Mayor::activated();
    mayor.baken.lock();
    // As a version without an inbox left it.
    let outbox = mayor.baken.alarm_outbox().unwrap();
    outbox.write(|tx| Ok(tx.execute("DELETE FROM inbox_key", []).map(drop)?)).unwrap();
    assert!(matches!(mayor.baken.note_incident(what("te vroeg")), Err(BakenError::NoInbox)));
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.lock();
    assert!(matches!(mayor.baken.note_incident(Vec::new()), Err(BakenError::ValueRefused)));
    let unknown = mayor.baken.note_incident(vec![text("wie", "x")]);
    assert!(matches!(unknown, Err(BakenError::UnknownField)));
    let large = "x".repeat(70_000);
    assert!(matches!(mayor.baken.note_incident(what(&large)), Err(BakenError::ValueRefused)));
    for number in 1..=1_000 {
        assert_eq!(mayor.baken.note_incident(what("x")).unwrap(), number);
    }
    assert!(matches!(mayor.baken.note_incident(what("x")), Err(BakenError::InboxFull)));
    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(incidents(&mayor.baken).len(), 1_000);
}

#[test]
fn nothing_of_a_note_lies_readable_in_any_file() {
    let mayor = Mayor::activated();
    mayor.baken.lock();
    mayor.baken.note_incident(what("Zij stond bij de school van Noor")).unwrap();
    let outbox = mayor.baken.alarm_outbox().unwrap();
    let sealed: Vec<u8> =
        outbox.read(|db| Ok(db.query_row("SELECT sealed FROM inbox", [], |row| row.get(0))?)).unwrap();
    // Not even to who has the key of the file.
    assert!(!sealed.windows(6).any(|window| window == b"school"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_lies_in_the_inbox_keeps_nobody_out(garbage in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mayor = Mayor::activated();
        mayor.baken.lock();
        let outbox = mayor.baken.alarm_outbox().unwrap();
        outbox.write(|tx| Ok(tx.execute("INSERT INTO inbox (sealed) VALUES (?1)", [garbage]).map(drop)?)).unwrap();
        mayor.baken.note_incident(what("erna")).unwrap();
        mayor.baken.unlock(PIN).unwrap();
        prop_assert_eq!(incidents(&mayor.baken), ["erna"]);
    }
}
