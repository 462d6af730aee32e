//! A phone of the second version of the vault opens with this one, and keeps all it had.

use super::*;

/// A copy of the frozen folder, on the day after.
fn second_version() -> (tempfile::TempDir, Arc<SetClock>, Baken) {
    let frozen = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vault_2");
    let folder = tempfile::tempdir().unwrap();
    for name in ["vault.db", "vault-2.db", "vault.header", "outbox.db", "platform.key", "vault.attempts"] {
        std::fs::copy(frozen.join(name), folder.path().join(name)).unwrap();
    }
    let clock = Arc::new(SetClock::default());
    clock.0.store(1_795_478_400_000, Ordering::SeqCst);
    let baken = open(folder.path(), &clock);
    (folder, clock, baken)
}

fn texts(baken: &Baken, kind: &str, field: &str) -> Vec<String> {
    let records = baken.records(Some(kind)).unwrap();
    let fields = records.iter().flat_map(|record| &record.fields).filter(|found| found.name == Some(field));
    let texts = fields.flat_map(|field| &field.values).filter_map(|value| match &value.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_vault_of_version_two_is_migrated_and_keeps_everything() {
    let (_folder, clock, baken) = second_version();
    baken.unlock(PIN).unwrap();
    let version: u32 = baken
        .with_vault(|open| Ok(open.vault.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(version, 3);
    assert_eq!(texts(&baken, "contact", "name"), ["Zus"]);
    // One of the numbers had come and was not merged yet.
    assert_eq!(texts(&baken, "contact", "phone"), ["06-3", "06-2"]);
    let sister = baken.records(Some("contact")).unwrap()[0].record;
    assert_eq!(baken.history(sister).unwrap().iter().filter(|put| put.name == Some("phone")).count(), 3);
    assert_eq!(baken.circles().unwrap().len(), 2);

    // Deleted before deletions were accounted for: its thirty days count from now.
    let deletions = baken.deletions().unwrap();
    assert_eq!((deletions.len(), deletions[0].kind_name, deletions[0].held_until), (1, Some("note"), None));
    assert_eq!(deletions[0].restorable_until, Some(clock.now().plus_ms(30 * 24 * 60 * 60 * 1000)));
    assert!(baken.record(deletions[0].record).unwrap().deleted);
    baken.restore(deletions[0].record).unwrap();
    assert_eq!(texts(&baken, "note", "text"), ["maar nog te herstellen"]);
    assert!(baken.deletions().unwrap().is_empty());
    // It goes on as a phone of this version, and both its files are of one size.
    baken.create("note", vec![text("title", "Nieuw")]).unwrap();
    baken.lock();
    let lengths = baken.home.vault_databases().map(|path| std::fs::metadata(path).unwrap().len());
    assert_eq!(lengths, [4 * 1024 * 1024; 2]);
}

#[test]
fn its_decoy_is_migrated_too() {
    let (_folder, _clock, baken) = second_version();
    baken.unlock(DURESS).unwrap();
    assert_eq!(texts(&baken, "contact", "name"), ["Politie, geen spoed", "Receptie gemeentehuis"]);
    assert_eq!(texts(&baken, "note", "title"), ["Dinsdag"]);
    assert!(baken.alarm_outbox().unwrap().waiting_notes().unwrap() > 0, "its outbox is there");
}
