//! The command line as a program sees it: exit codes, JSON, and what bad input gets. Each test runs the real `baken`.

#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test stops at the first surprise")]

mod attachments;
mod check_ins;
mod circles;
mod exports;
mod guidance;
mod guided;
mod incidents;
mod readiness;
mod recovery;
mod relay;
mod rights;
mod scan;
mod sharing;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use baken_schemas::alarm::ReceiptState;
use serde_json::{Value, json};

use relay::Town;

const PIN: &str = "482913";

/// A device: a home folder and the program.
struct Phone {
    folder: tempfile::TempDir,
}

impl Phone {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn activated(town: &Town) -> Self {
        let phone = Self::new();
        let answer = phone.ok(&["activate", &town.invite(), "--name", "Telefoon"]);
        assert_eq!(answer["organisation"], "Gemeente Voorbeeld");
        phone
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baken"));
        command.env_clear().env("BAKEN_PIN", PIN).args(["--json", "--home"]).arg(self.home()).args(args);
        command
    }

    /// Exit code and last line of JSON.
    fn run(&self, args: &[&str]) -> (i32, Value) {
        ended(&mut self.command(args))
    }

    /// The JSON of a command that ends well.
    fn ok(&self, args: &[&str]) -> Value {
        let (code, answer) = self.run(args);
        assert_eq!(code, 0, "{args:?}: {answer}");
        answer
    }

    /// Exit code and error code of one that does not.
    fn fails(&self, args: &[&str]) -> (i32, String) {
        let (code, answer) = self.run(args);
        (code, answer["error"]["code"].as_str().unwrap_or_else(|| panic!("{args:?}: {answer}")).to_owned())
    }

    /// Exit code and all lines of JSON of a command that is given input.
    fn typing(&self, args: &[&str], input: &str) -> (i32, Vec<Value>) {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("baken starts");
        // What it does not read is lost with the pipe.
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("baken ends");
        let out = String::from_utf8(output.stdout).expect("text");
        let lines = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code().expect("an exit code"), lines)
    }

    /// What people see of a command.
    fn says(&self, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baken"));
        command.env_clear().env("BAKEN_PIN", PIN).arg("--home").arg(self.home()).args(args);
        let output = command.stdin(Stdio::null()).output().expect("baken runs");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("baken starts");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Running { child, lines }
    }
}

fn ended(command: &mut Command) -> (i32, Value) {
    let output = command.stdin(Stdio::null()).output().expect("baken runs");
    let out = String::from_utf8(output.stdout).expect("text");
    let line = out.lines().last().unwrap_or_else(|| panic!("no output, {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("an exit code"), serde_json::from_str(line).expect("JSON"))
}

/// A command that goes on; killed when dropped.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// The next line that fits; the test's runner ends one that never comes.
    fn line_where(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).expect("a line"), 0, "it ended before that");
            let value = serde_json::from_str(&line).expect("JSON");
            if fits(&value) {
                return value;
            }
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{line}").expect("it reads");
    }

    fn ends(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_has_examples_and_exit_codes_and_every_command_has_help() {
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_baken")).args(args).arg("--help").output().expect("baken runs");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    };
    let all = help(&[]);
    for part in ["Exit codes:", "Examples:", "6  not reached", "--json", "--home"] {
        assert!(all.contains(part), "{part}");
    }
    for args in [
        &["activate"][..],
        &["record", "add"],
        &["conflicts", "resolve"],
        &["sync"],
        &["pair", "show"],
        &["circle", "create"],
        &["circle", "invite"],
        &["circle", "remove"],
        &["circle", "veto"],
        &["recovery", "restore"],
        &["recovery", "set-aside"],
        &["record", "list"],
        &["record", "revert"],
        &["attach", "add"],
        &["attach", "fetch"],
        &["attach", "save"],
        &["export"],
        &["import"],
        &["alarm", "press"],
        &["alarm", "watch"],
        &["pin", "change"],
        &["pin", "duress", "add"],
        &["devices"],
        &["devices", "lock"],
        &["devices", "wipe"],
        &["wipe"],
    ] {
        assert!(help(args).contains("Example"), "{args:?}");
    }
}

#[test]
fn usage_errors_end_with_2_and_are_json_when_asked() {
    let phone = Phone::new();
    for args in [
        &["alarm", "press", "--wait", "soon"][..],
        &["nothing"],
        &["record", "add", "note"],
        &["record", "revert", "3f2a", "phone", "first"],
        &["circle", "create", "club", "--name", "x"],
        &["circle", "create", "family"],
        &["circle", "role", "familie", "Tablet", "owner"],
        &["circle", "remove", "dossier"],
        &["recovery", "restore"],
        &[],
    ] {
        assert_eq!(phone.fails(args), (2, "usage".to_owned()), "{args:?}");
    }
}

#[test]
fn a_device_that_is_not_activated_says_so_and_an_alarm_there_says_112() {
    let phone = Phone::new();
    for args in [
        &["status"][..],
        &["record", "list"],
        &["sync"],
        &["alarm", "list"],
        &["pair", "relay"],
        &["circle", "list"],
        &["circle", "veto"],
        &["recovery", "print"],
        &["recovery", "set-aside", "--yes"],
    ] {
        assert_eq!(phone.fails(args), (3, "not_activated".to_owned()), "{args:?}");
    }
    let output = phone.command(&["alarm", "press"]).output().expect("baken runs");
    let out = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(serde_json::from_str::<Value>(out.lines().next().expect("a line")).expect("JSON")["call_112"], true);
}

#[test]
fn bad_invites_are_refused_and_leave_nothing() {
    let mut town = Town::found();
    let phone = Phone::new();
    let invite = town.invite();
    let (head, tail) = invite.split_at(invite.len() / 2);
    let mistyped = format!("{head}{}{}", if tail.starts_with('A') { 'B' } else { 'A' }, &tail[1..]);
    let cut = &invite[..invite.len() - 8];
    for text in ["", "hallo", "BAKEN-INVITE:", cut, mistyped.as_str(), &town.forged_invite()] {
        assert_eq!(phone.fails(&["activate", text]), (3, "invite_invalid".to_owned()), "{text}");
    }
    assert_eq!(phone.fails(&["activate", &town.bridge_invite()]), (3, "invite_role".to_owned()));
    assert_eq!(phone.fails(&["activate", &town.invite_to_another_server()]), (8, "untrusted".to_owned()));
    assert_eq!(phone.fails(&["status"]), (3, "not_activated".to_owned()));
    // A PIN that is too short is refused before the invite is used up.
    let short = ended(phone.command(&["activate", &invite]).env("BAKEN_PIN", "123"));
    assert_eq!((short.0, &short.1["error"]["code"]), (3, &json!("pin_refused")));
    let none = ended(phone.command(&["activate", &invite]).env_remove("BAKEN_PIN"));
    assert_eq!((none.0, &none.1["error"]["code"]), (2, &json!("pin_missing")));

    phone.ok(&["activate", &invite]);
    assert_eq!(phone.fails(&["activate", &invite]), (3, "already_activated".to_owned()));
    town.unplug();
    assert_eq!(Phone::new().fails(&["activate", &invite]), (6, "not_reached".to_owned()));
}

#[test]
fn a_wrong_pin_ends_with_4_and_a_pin_comes_from_a_file() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let file = phone.folder.path().join("pin");
    std::fs::write(&file, format!("{PIN}\n")).expect("a file");
    let with_file = ["--pin-file", file.to_str().expect("a path"), "status"];
    assert_eq!(ended(phone.command(&with_file).env("BAKEN_PIN", "000000")).0, 0);
    let (code, answer) = ended(phone.command(&["status"]).env("BAKEN_PIN", "000000"));
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("wrong_pin")));
    // No content of the dossier and no PIN comes along.
    assert!(!answer.to_string().contains("000000"));
}

#[test]
fn a_damaged_vault_ends_with_5() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let header = phone.home().join("vault.header");
    let mut bytes = std::fs::read(&header).expect("a header");
    bytes.truncate(100);
    std::fs::write(&header, bytes).expect("written");
    assert_eq!(phone.fails(&["status"]), (5, "vault_damaged".to_owned()));
    // The alarm does not care.
    assert_eq!(phone.ok(&["alarm", "press"])["state"], "stored");
}

#[test]
fn the_last_device_does_not_travel_and_says_what_to_do() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    phone.ok(&["record", "add", "note", "title=Alleen hier"]);
    assert_eq!(phone.ok(&["travel", "status"]), json!({"travelling": null}));
    assert_eq!(phone.ok(&["status"])["travelling"], json!(null));
    assert_eq!(phone.fails(&["travel", "end"]), (3, "not_travelling".to_owned()));
    assert_eq!(phone.fails(&["travel", "start", "--keep", "account", "--yes"]), (3, "unknown_kind".to_owned()));
    assert_eq!(phone.fails(&["travel", "start", "--yes"]), (3, "last_device".to_owned()));
    let (code, lines) = phone.typing(
        &["travel", "start"],
        "nee
",
    );
    assert_eq!((code, &lines[0]["error"]["code"]), (3, &json!("not_started")));
    assert_eq!(phone.ok(&["record", "list", "note"])["records"].as_array().map(Vec::len), Some(1));
}

#[test]
fn records_are_kept_changed_deleted_and_restored_offline() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    town.unplug();
    let made = phone.ok(&["record", "add", "contact", "name=Joris", "phone=0687654321", "emergency=ja"]);
    let record = made["record"].as_str().expect("an id");
    let start = &record[..6];
    phone.ok(&["record", "set", start, "phone=0611111111", "relation=partner"]);
    let shown = phone.ok(&["record", "show", start]);
    assert_eq!(
        shown["fields"],
        json!({"name": "Joris", "relation": "partner", "phone": "0611111111", "emergency": true})
    );
    phone.ok(&["record", "delete", record]);
    assert_eq!(phone.ok(&["record", "list", "contact"])["records"], json!([]));
    let deletion = phone.ok(&["record", "deletions"])["deletions"][0].clone();
    assert_eq!((&deletion["record"], &deletion["name"]), (&made["record"], &json!("Telefoon")));
    let month_ms = 30 * 24 * 60 * 60 * 1000;
    let from = deletion["restorable_until"].as_i64().expect("a moment") - month_ms;
    assert!((0..60_000).contains(&(from - deletion["at"].as_i64().expect("a moment"))), "{deletion}");
    assert!(phone.says(&["record", "list", "--deleted"]).contains("te herstellen tot"));
    phone.ok(&["record", "restore", record]);
    assert_eq!(phone.ok(&["record", "deletions"]), json!({"held": [], "deletions": []}));
    assert_eq!(phone.ok(&["record", "list", "contact"])["records"][0]["record"], record);
    let history = phone.ok(&["record", "history", record])["history"].clone();
    let numbers: Vec<&Value> =
        history.as_array().expect("a list").iter().filter(|put| put["field"] == "phone").collect();
    assert_eq!(numbers.iter().map(|put| &put["value"]).collect::<Vec<_>>(), ["0687654321", "0611111111"]);
    assert_eq!(numbers.iter().map(|put| &put["number"]).collect::<Vec<_>>(), [1, 2]);
    phone.ok(&["record", "revert", record, "phone", "1"]);
    assert_eq!(phone.ok(&["record", "show", record])["fields"]["phone"], "0687654321");
    phone.ok(&["record", "revert", record, "phone", "2"]);
    assert_eq!(phone.ok(&["card", "show"])["card"]["contacts"], json!(["Joris, partner, 0611111111"]));

    for (args, code) in [
        (&["record", "show", "zz"][..], "no_such_record"),
        (&["record", "deletions", "--confirm", "Tablet"], "nothing_held"),
        (&["record", "add", "vehicle", "name=x"], "unknown_kind"),
        (&["record", "add", "measure", "status=bijna"], "unknown_word"),
        (&["record", "add", "contact", "colour=x"], "unknown_field"),
        (&["record", "add", "contact", "name"], "no_equals_sign"),
        (&["record", "set", record, "emergency=misschien"], "value_not_bool"),
        (&["record", "add", "measure", "due=2026-02-30"], "value_not_time"),
        (&["record", "add", "attachment", "blob=x"], "value_bytes"),
        (&["record", "add", "--circle", "familie", "note", "title=x"], "no_such_circle"),
        (&["record", "revert", record, "phone", "9"], "no_such_version"),
        (&["record", "revert", record, "colour", "1"], "unknown_field"),
        (&["conflicts", "resolve", record, "phone", "--take", "1"], "no_conflict"),
    ] {
        assert_eq!(phone.fails(args), (3, code.to_owned()), "{args:?}");
    }
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!((code, &answer["error"]["code"]), (6, &json!("not_reached")));
    let status = phone.ok(&["status"]);
    assert!(status["pending"].as_u64().expect("a number") > 0);
    assert_eq!(status["stuck_because"]["code"], "not_reached");
}

#[test]
fn two_devices_pair_by_code_and_digits_and_settle_a_conflict() {
    let town = Town::found();
    let (phone, tablet) = (Phone::activated(&town), Phone::new());
    let relay = phone.ok(&["pair", "relay"])["relay"].as_str().expect("a text").to_owned();
    assert_eq!(tablet.fails(&["pair", "show", "--relay", "BAKEN-RELAY:AB"]), (3, "relay_text".to_owned()));
    assert_eq!(phone.fails(&["pair", "accept", "BAKEN-PAIR:AB"]), (3, "pairing_code_invalid".to_owned()));

    let mut showing = tablet.start(&["pair", "show", "--relay", &relay, "--name", "Tablet"]);
    let code = showing.line_where(|line| line["step"] == "code")["text"].clone();
    let mut accepting = phone.start(&["pair", "accept", code.as_str().expect("a text")]);
    let digits = showing.line_where(|line| line["step"] == "digits")["digits"].clone();
    let digits = digits.as_str().expect("digits");
    let wrong = if digits == "123456" { "654321" } else { "123456" };
    accepting.types(wrong);
    accepting.line_where(|line| line["step"] == "wrong_digits");
    accepting.types(digits);
    accepting.line_where(|line| line["step"] == "paired");
    showing.line_where(|line| line["step"] == "paired");
    assert_eq!((accepting.ends(), showing.ends()), (Some(0), Some(0)));

    let made = phone.ok(&["record", "add", "contact", "name=Joris", "phone=1"]);
    let record = made["record"].as_str().expect("an id");
    phone.ok(&["sync"]);
    tablet.ok(&["sync"]);
    let devices = tablet.ok(&["devices"])["devices"].clone();
    assert_eq!((&devices[0]["name"], &devices[1]["name"]), (&json!("Telefoon"), &json!("Tablet")));
    assert_eq!((&devices[0]["this"], &devices[1]["this"]), (&json!(false), &json!(true)));

    phone.ok(&["record", "set", record, "phone=2"]);
    tablet.ok(&["record", "set", record, "phone=3"]);
    for device in [&phone, &tablet, &phone] {
        device.ok(&["sync"]);
    }
    assert_eq!(phone.ok(&["record", "show", record]), tablet.ok(&["record", "show", record]));
    assert_eq!(phone.fails(&["record", "set", record, "phone=4"]), (3, "in_conflict".to_owned()));
    let conflicts = phone.ok(&["conflicts", "list"])["conflicts"].clone();
    assert_eq!(conflicts.as_array().map(Vec::len), Some(1));
    let values: Vec<&Value> =
        conflicts[0]["values"].as_array().expect("values").iter().map(|view| &view["value"]).collect();
    assert_eq!(values, ["2", "3"]);
    phone.ok(&["conflicts", "resolve", record, "phone", "--take", "2"]);
    phone.ok(&["sync"]);
    tablet.ok(&["sync"]);
    assert_eq!(tablet.ok(&["record", "show", record])["fields"]["phone"], "3");
    // The value that was not taken can be put back.
    tablet.ok(&["record", "revert", record, "phone", "2"]);
    assert_eq!(tablet.ok(&["record", "show", record])["fields"]["phone"], "2");
}

#[test]
fn an_alarm_needs_no_pin_waits_when_offline_and_shows_who_has_it() {
    let mut town = Town::found();
    let phone = Phone::activated(&town);
    let without_pin = |args: &[&str]| ended(phone.command(args).env_remove("BAKEN_PIN"));
    let (code, pressed) = without_pin(&["alarm", "press", "--position", "52.3702,-4.8952,12,4", "--text", "hulp"]);
    assert_eq!((code, &pressed["state"], &pressed["green"]), (0, &json!("stored"), &json!(false)));
    let alarm = pressed["alarm"].as_str().expect("an id").to_owned();

    town.relay_claims_seen();
    town.officer_says(ReceiptState::Seen, "A. de Vries", "");
    let mut watching = phone.start(&["alarm", "watch", "last", "--until", "seen", "--timeout", "60"]);
    assert_eq!(watching.line_where(|line| line["state"] == "stored")["officer"], Value::Null);
    let seen = watching.line_where(|line| line["state"] == "seen");
    assert_eq!(seen["officer"], "A. de Vries");
    assert_eq!(seen["words"], "Meldkamer Oost: gezien door A. de Vries");
    assert_eq!((&seen["green"], &seen["call_112"]), (&json!(true), &json!(false)));
    assert_eq!(watching.ends(), Some(0));
    let (_, shown) = without_pin(&["alarm", "show", &alarm[..8]]);
    assert_eq!(shown["warnings"], json!([{"what": "refused", "count": 1}]), "the relay's own claim");

    town.unplug();
    let (code, pressed) = without_pin(&["alarm", "press", "--kind", "test", "--position", "hier"]);
    assert_eq!((code, &pressed["state"], &pressed["words"]), (6, &json!("not-sent"), &json!("nog niet verzonden")));
    let (code, waited) =
        without_pin(&["--lang", "en", "alarm", "watch", "last", "--until", "stored", "--timeout", "1"]);
    assert_eq!((code, &waited["words"]), (6, &json!("not sent yet")));
    assert_eq!(phone.ok(&["alarm", "list"])["alarms"].as_array().map(Vec::len), Some(2));
    assert_eq!(phone.fails(&["alarm", "show", "zz"]), (3, "no_such_alarm".to_owned()));
    assert_eq!(phone.fails(&["alarm", "update", "last", "--position", "x"]), (3, "position".to_owned()));
}

#[test]
fn people_get_sentences_in_their_language_and_no_colours_in_a_pipe() {
    let phone = Phone::new();
    for (lang, message) in [("nl", "niet geactiveerd"), ("en", "not activated")] {
        let output = Command::new(env!("CARGO_BIN_EXE_baken"))
            .args(["--lang", lang, "alarm", "press", "--home"])
            .arg(phone.home())
            .output()
            .expect("baken runs");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(err.contains(message), "{err}");
        assert!(out.contains("112") && !out.contains('\x1b') && !out.contains('{'), "{out}");
    }
}

#[test]
fn a_duress_pin_shows_the_decoy_and_tells_the_desk_alone() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let with = |pin: &str, new: &str, args: &[&str]| {
        ended(phone.command(args).env("BAKEN_PIN", pin).env("BAKEN_NEW_PIN", new))
    };
    phone.ok(&["record", "add", "contact", "name=Joris van den Echte"]);
    let added = with(PIN, "111111", &["pin", "duress", "add"]);
    assert_eq!(added, (0, json!({"duress_pins": 1})));
    let (code, answer) = with(PIN, "111111", &["pin", "duress", "add"]);
    assert_eq!((code, &answer["error"]["code"]), (3, &json!("pin_taken")));
    // A PIN that is taken counts as a wrong try, so the next has to wait.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    phone.ok(&["--decoy", "record", "add", "contact", "name=Voor de vorm"]);

    let names = |pin: &str| {
        let (code, answer) = with(pin, "", &["record", "list", "contact"]);
        assert_eq!(code, 0, "{answer}");
        let records = answer["records"].as_array().expect("a list").clone();
        records
            .iter()
            .map(|record| record["fields"]["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(PIN), ["Joris van den Echte"]);
    let shown = names("111111");
    assert!(shown.contains(&"Voor de vorm".to_owned()) && !shown.contains(&"Joris van den Echte".to_owned()));
    let (code, answer) = with("111111", "", &["sync"]);
    assert_eq!((code, &answer["error"]["code"]), (6, &json!("not_reached")), "nothing of a decoy is sent");

    // The notes wait for a connection and go with everything else.
    phone.ok(&["sync"]);
    let duress = town.notes_of_duress();
    assert_eq!(duress.iter().filter(|duress| **duress).count(), 2, "{duress:?}");
    assert!(duress.len() > 4, "ordinary unlocks leave notes too");

    assert_eq!(with(PIN, "", &["pin", "duress", "clear"]), (0, json!({"duress_pins": 0})));
    assert_eq!(with("111111", "", &["status"]).0, 4);
}

#[test]
fn a_pin_is_changed_with_the_old_one() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let with = |pin: &str, new: &str, args: &[&str]| {
        ended(phone.command(args).env("BAKEN_PIN", pin).env("BAKEN_NEW_PIN", new))
    };
    let (code, answer) = with(PIN, "123", &["pin", "change"]);
    assert_eq!((code, &answer["error"]["code"]), (3, &json!("pin_refused")));
    assert_eq!(with(PIN, "975310", &["pin", "change"]), (0, json!({"changed": true})));
    assert_eq!(with("975310", "", &["status"]).0, 0);
    assert_eq!(with("975310", "", &["pin", "wipe-after-ten"]).1, json!({"wipe_after_ten": false}));
    assert_eq!(with("975310", "", &["pin", "wipe-after-ten", "on"]).1, json!({"wipe_after_ten": true}));
    assert_eq!(with(PIN, "", &["status"]).0, 4);
}

#[test]
fn a_wipe_asks_for_a_word_and_leaves_a_device_that_is_not_activated() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    assert_eq!(phone.fails(&["wipe"]), (3, "not_confirmed".to_owned()));
    phone.ok(&["status"]);
    let mut wiping = phone.start(&["--lang", "en", "wipe"]);
    wiping.types("WIPE");
    assert_eq!(wiping.line_where(|_| true), json!({"wiped": true}));
    assert_eq!(wiping.ends(), Some(0));
    for args in [&["status"][..], &["alarm", "list"], &["wipe", "--yes"]] {
        assert_eq!(phone.fails(args), (3, "not_activated".to_owned()), "{args:?}");
    }
    // Another invite makes it a device again.
    phone.ok(&["activate", &town.invite(), "--name", "Telefoon"]);
    phone.ok(&["wipe", "--yes"]);
}

#[test]
fn an_incident_is_noted_without_a_pin_and_read_with_one() {
    let town = Town::found();
    let phone = Phone::activated(&town);
    let locked = |args: &[&str]| ended(phone.command(args).env_remove("BAKEN_PIN"));
    let note = ["incident", "note", "Man aan de deur", "--where", "thuis", "--when", "2026-11-20T08:30:00Z"];
    assert_eq!(locked(&note), (0, json!({"noted": true, "waiting": 1})));
    assert_eq!(locked(&["incident", "note", "Hij is er weer"]).1, json!({"noted": true, "waiting": 2}));
    assert_ne!(locked(&["record", "list", "incident"]).0, 0);
    assert_eq!(locked(&["incident", "note", "x", "--at", "gisteren"]).0, 3);
    let records = phone.ok(&["record", "list", "incident"]);
    let first = &records["records"][0]["fields"];
    assert_eq!((&first["what"], &first["place"]), (&json!("Man aan de deur"), &json!("thuis")), "{records}");
    assert_eq!(first["happened_at"], 1_795_163_400_000_i64, "{records}");
    assert_eq!(records["records"].as_array().map(Vec::len), Some(2));
    assert_eq!(locked(&["incident", "note", "Brief"]).1, json!({"noted": true, "waiting": 1}));
}
