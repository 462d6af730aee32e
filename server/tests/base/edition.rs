//! An edition from its source to a relay that serves, by the commands that an editor types.

use std::path::Path;

use super::process::{Serving, code, free_url, run, text};

const CONTACT: &str = "[[contact]]\nid = \"clerk\"\nname.nl = \"Griffier\"\npurpose.nl = \"Melden.\"\n\
    number = \"0123-456789\"\nhours.nl = \"overdag\"\naudience = [\"office-holder\"]\nkinds = [\"threat\"]\n\
    source = [\"Z\"]\nsource_date = \"2026\"\nchecked = \"2026-11-23\"\nreview_by = \"2126-05-23\"\nstatus = \"confirmed\"\n";

/// Writes the source of an organisation's edition.
fn write(folder: &Path, version: u64, contact: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let about = format!(
        "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\"]\nexpires = \"2126-06-01\"\nversion = {version}\n"
    );
    let source = "[[source]]\nid = \"Z\"\ntitle = \"Gemeente Zandhoven\"\n";
    for (name, text) in [("edition.toml", about.as_str()), ("sources.toml", source), ("contacts.toml", contact)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn a_mistake_is_named_by_file_line_and_id_and_nothing_is_built() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, out) = (dir.path().join("zandhoven"), dir.path().join("zandhoven.edition"));
    write(&folder, 1, &CONTACT.replace("[\"Z\"]", "[\"Y\"]"));
    let (exit, said) = run(&["edition", "check", text(&folder)]);
    assert_eq!((exit, &said["errors"]), (3, &1.into()));
    let wrong = said["findings"].as_array().unwrap().iter().find(|finding| finding["severity"] == "error").unwrap();
    assert_eq!((&wrong["file"], &wrong["line"], &wrong["id"]), (&"contacts.toml".into(), &2.into(), &"clerk".into()));
    let org = "ab".repeat(32);
    assert_eq!(run(&["edition", "build", text(&folder), "--org", &org, "--out", text(&out)]).0, 3);
    assert!(!out.exists());
    // 112 is the national edition's, which this program ships.
    write(&folder, 1, &CONTACT.replace("0123-456789", "112"));
    let (_, said) = run(&["edition", "check", text(&folder)]);
    assert_eq!(said["findings"][0]["code"], "emergency_number");
    // A sentence of somebody else.
    let theirs = dir.path().join("theirs.txt");
    std::fs::write(&theirs, "Hier staat: een twee drie vier vijf zes zeven.").unwrap();
    write(&folder, 1, &CONTACT.replace("Melden.", "Een twee drie vier vijf zes zeven."));
    assert_eq!(run(&["edition", "check", text(&folder)]).0, 0);
    let (exit, said) = run(&["edition", "check", text(&folder), "--against", text(&theirs)]);
    assert_eq!((exit, &said["findings"][0]["code"]), (3, &"copied".into()));
    // What is shipped can be published, whatever the day says of it.
    assert_eq!(run(&["edition", "check"]).0, 0);
}

#[test]
fn an_edition_is_built_signed_published_and_replaced_by_its_publishers() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    let (org_data, relay, desk) = (place("org"), place("relay"), place("desk"));
    let ok = |args: &[&str]| {
        let (exit, said) = run(args);
        assert_eq!(exit, 0, "{args:?}: {said}");
        said
    };
    let said = ok(&["org", "init", "--data", text(&org_data), "--name", "Gemeente Zandhoven"]);
    let org = said["org"].as_str().unwrap();
    ok(&["init", "relay", "--data", text(&relay), "--url", &free_url(), "--org", org]);
    let relay_entry = relay.join("relay.cbor");
    let to_relay = ["--relay", text(&relay_entry), "--org", org];
    ok(&[&["init", "desk", "--data", text(&desk), "--name", "Oost", "--url", &free_url()], &to_relay[..]].concat());
    let _serving = Serving::start(text(&relay));
    let desk_entry = desk.join("desk.cbor");
    ok(&[
        "org",
        "directory",
        "--data",
        text(&org_data),
        "--relay",
        to_relay[1],
        "--desk",
        text(&desk_entry),
        "--publish",
    ]);

    let (first, second) = (place("first"), place("second"));
    let (built, newer, directory) = (place("first.edition"), place("second.edition"), org_data.join("directory.cbor"));
    write(&first, 1, CONTACT);
    ok(&["edition", "build", text(&first), "--org", org, "--out", text(&built)]);
    let publish = |file: &Path| run(&["edition", "publish", text(file), "--directory", text(&directory)]);
    assert_eq!(code(&publish(&built).1), "relay_refused");
    ok(&["edition", "sign", text(&built), "--key", text(&org_data.join("root.key"))]);
    assert_eq!(publish(&built).1["files_sent"], 3);

    // Two publishers from now on, both of whom must sign.
    let (key, other, root) = (place("one.key"), place("two.key"), place("root-1.cbor"));
    let keys =
        [&key, &other].map(|key| ok(&["edition", "key", "--out", text(key)])["key"].as_str().unwrap().to_owned());
    assert_eq!(code(&run(&["edition", "key", "--out", text(&key)]).1), "already_set_up");
    let layer = ["edition", "root", "--layer", "organisation", "--org", org, "--version", "1", "--threshold", "2"];
    let publishers = ["--publisher", &keys[0], "--publisher", &keys[1], "--out", text(&root)];
    ok(&[&layer[..], &publishers].concat());
    for by in [&org_data.join("root.key"), &key, &other] {
        ok(&["edition", "sign", text(&root), "--key", text(by)]);
    }
    write(&second, 2, &CONTACT.replace("456789", "000000"));
    ok(&["edition", "build", text(&second), "--org", org, "--root", text(&root), "--out", text(&newer)]);
    ok(&["edition", "sign", text(&newer), "--key", text(&key)]);
    assert_eq!(publish(&newer).0, 3);
    ok(&["edition", "sign", text(&newer), "--key", text(&other)]);
    assert_eq!(publish(&newer).1["files_sent"], 2);
    assert_eq!(publish(&built).0, 3);

    let said = ok(&["edition", "diff", text(&built), text(&second)]);
    assert_eq!(
        (&said["versions"], &said["contacts"]["changed"]),
        (&serde_json::json!([1, 2]), &serde_json::json!(["clerk"]))
    );
    assert_eq!(said["files"]["changed"], serde_json::json!(["contacts.toml", "edition.toml"]));
}
