//! What happens to attachments when a vault is opened, by either PIN.

use std::io::Cursor;
use std::path::Path;

use super::*;
use crate::attachment::{AttachTo, Existing, NewAttachment, Part, seal_file};

fn add(mayor: &Mayor, name: &str) -> baken_schemas::id::RecordId {
    let home = mayor.baken.status().unwrap().circle;
    let new = NewAttachment { name, media_type: "text/plain", thumbnail: None };
    let mut source = Cursor::new(name.as_bytes().to_vec());
    mayor.baken.add_attachment(AttachTo::Circle(home), new, &mut source, &|_| ()).unwrap()
}

fn blobs(mayor: &Mayor) -> usize {
    std::fs::read_dir(mayor.baken.home.blobs()).unwrap().count()
}

/// The file as it is saved.
fn saved(mayor: &Mayor, attachment: baken_schemas::id::RecordId, path: &Path) -> String {
    mayor.baken.save_attachment(attachment, Part::File, path, Existing::Replace).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_no_record_names_goes_when_the_truth_is_opened_and_the_decoys_attachments_stay() {
    let mayor = Mayor::under_threat();
    let path = mayor.folder.path().join("saved");
    mayor.baken.unlock(PIN).unwrap();
    let truth = add(&mayor, "brief.txt");
    // Sealed, and then the program was killed.
    seal_file(&mayor.baken.blobs(), &mayor.baken.context, &mut Cursor::new(b"half"), &|_| ()).unwrap();
    mayor.baken.unlock(DURESS).unwrap();
    let decoy = add(&mayor, "boodschappen.txt");
    assert!(mayor.baken.attachments(None).unwrap().iter().all(|view| view.name == "boodschappen.txt"));
    mayor.baken.unlock(DURESS).unwrap();
    assert_eq!(blobs(&mayor), 3, "a decoy does not know what the truth names");

    mayor.baken.unlock(PIN).unwrap();
    assert_eq!(blobs(&mayor), 2);
    assert_eq!(saved(&mayor, truth, &path), "brief.txt");
    assert!(matches!(
        mayor.baken.save_attachment(decoy, Part::File, &path, Existing::Replace),
        Err(BakenError::NoSuchRecord)
    ));
    mayor.baken.unlock(DURESS).unwrap();
    assert_eq!(saved(&mayor, decoy, &path), "boodschappen.txt");
}

#[test]
fn a_deleted_attachment_stays_here_as_long_as_it_can_be_restored() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    let attachment = add(&mayor, "brief.txt");
    mayor.baken.delete(attachment).unwrap();
    mayor.baken.unlock(PIN).unwrap();
    mayor.baken.restore(attachment).unwrap();
    assert_eq!(saved(&mayor, attachment, &mayor.folder.path().join("saved")), "brief.txt");
}

#[test]
fn a_wipe_takes_the_attachments_along() {
    let mayor = Mayor::under_threat();
    mayor.baken.unlock(PIN).unwrap();
    add(&mayor, "brief.txt");
    mayor.baken.wipe().unwrap();
    assert!(!mayor.baken.home.blobs().exists());
}
