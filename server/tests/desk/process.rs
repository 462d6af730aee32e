//! Root, desk, officers and bridge by the binary, as those who keep them meet it: what it says, how it ends, and that
//! nothing is lost when something is in its way.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn server(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baken-server"));
    command.arg("--json").args(args).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs it to its end: exit code and the last line.
fn run(args: &[&str]) -> (i32, Value) {
    let output = server(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), serde_json::from_str(text.lines().last().unwrap_or("null")).unwrap())
}

/// Runs it; it must succeed.
fn done(args: &[&str]) -> Value {
    let (exit, said) = run(args);
    assert_eq!(exit, 0, "{args:?}: {said}");
    said
}

/// Runs it; it must fail with this exit code and this code.
fn fails(args: &[&str], exit: i32, code: &str) -> Value {
    let (found, said) = run(args);
    assert_eq!((found, said["error"]["code"].as_str()), (exit, Some(code)), "{args:?}: {said}");
    said
}

/// A process that serves; killed when the test ends.
struct Serving(Child);

impl Serving {
    fn start(role: &str, data: &str) -> Self {
        let mut child = server(&["serve", role, "--data", data]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["serving"], role, "{said}");
        Self(child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Folders of an organisation, a relay and a desk, as `init` makes them.
struct Setup {
    dir: TempDir,
}

impl Setup {
    fn new() -> Self {
        let setup = Self { dir: tempfile::tempdir().unwrap() };
        let made = done(&["org", "init", "--data", &setup.at("org"), "--name", "Gemeente Voorbeeld"]);
        let org = made["org"].as_str().unwrap();
        let url = format!("https://{}", free_address());
        done(&["init", "relay", "--data", &setup.at("relay"), "--url", &url, "--org", org]);
        let url = format!("https://{}", free_address());
        let relay = setup.at("relay/relay.cbor");
        let desk = setup.at("desk");
        done(&["init", "desk", "--data", &desk, "--name", "Oost", "--url", &url, "--relay", &relay, "--org", org]);
        setup
    }

    fn at(&self, path: &str) -> String {
        self.path(path).to_str().unwrap().to_owned()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn directory(&self, more: &[&str]) -> (i32, Value) {
        let (org, relay, desk) = (self.at("org"), self.at("relay/relay.cbor"), self.at("desk/desk.cbor"));
        let mut args = vec!["org", "directory", "--data", &org, "--relay", &relay, "--desk", &desk];
        args.extend(more);
        run(&args)
    }

    fn invite(&self, more: &[&str]) -> Vec<String> {
        let org = self.at("org");
        let mut args = vec!["org", "invite", "--data", &org, "--name", "Ans Testma", "--office", "burgemeester"];
        args.extend(["--phone", "+31600000001"]);
        args.extend(more);
        args.into_iter().map(str::to_owned).collect()
    }
}

fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn waiting(setup: &Setup) -> usize {
    std::fs::read_dir(setup.path("org/unsent")).unwrap().count()
}

#[test]
fn what_the_root_signed_waits_until_the_relay_has_it() {
    let setup = Setup::new();
    let org = setup.at("org");
    assert_eq!(mode(&setup.path("org/root.key")), 0o600);
    fails(&borrowed(&setup.invite(&[])), 3, "org_refused");
    // Nobody is there to take it: it is signed, kept, and said to be.
    let (exit, said) = setup.directory(&["--publish"]);
    assert_eq!((exit, said["error"]["code"].as_str()), (6, Some("relay_not_reached")), "{said}");
    fails(&borrowed(&setup.invite(&["--publish"])), 6, "relay_not_reached");
    // The directory, the invite's registration, one roster line.
    assert_eq!(waiting(&setup), 3);
    fails(&["org", "publish", "--data", &org], 6, "relay_not_reached");
    let _relay = Serving::start("relay", &setup.at("relay"));
    assert_eq!(done(&["org", "publish", "--data", &org])["sent"], 3);
    assert_eq!((waiting(&setup), done(&["org", "publish", "--data", &org])["sent"].as_u64()), (0, Some(0)));
    // The book knows everybody, also the one whose invite came to nothing.
    let people = done(&["org", "people", "--data", &org]);
    assert_eq!(people["people"][0]["name"], "Ans Testma");
    let root = std::fs::read(setup.path("org/root.key")).unwrap();
    fails(&["org", "init", "--data", &org, "--name", "Gemeente Anders"], 3, "already_set_up");
    assert_eq!(std::fs::read(setup.path("org/root.key")).unwrap(), root);
}

#[test]
fn an_adviser_is_dismissed_and_may_be_invited_again() {
    let setup = Setup::new();
    let org = setup.at("org");
    assert_eq!(setup.directory(&[]).0, 0);
    let invite = |role: &str, name: &str| {
        let args = ["org", "invite", "--data", &org, "--role", role, "--name", name, "--office", "adviseur"];
        let made = done(&[&args[..], &["--phone", "0600000009"]].concat());
        (made["invite"].as_str().unwrap().to_owned(), made["account"].as_str().unwrap().to_owned())
    };
    let join = |folder: &str, invite: &str| {
        done(&["org", "publish", "--data", &org]);
        done(&["init", "adviser", "--data", &setup.at(folder), "--invite", invite]);
    };
    let plan = |folder: &str| run(&["org", "plan", "list", "--data", &setup.at(folder)]);
    let dismiss = |who: &str| ["org", "dismiss", "--data", &org, who, "--publish"].map(str::to_owned);
    let (text, first) = invite("adviser", "J. Voorbeeld");
    invite("office-holder", "Ans Testma");
    fails(&borrowed(&dismiss("Ans Testma")), 3, "not_adviser");
    fails(&borrowed(&dismiss("Niemand")), 3, "unknown_person");
    let relay = Serving::start("relay", &setup.at("relay"));
    join("first", &text);
    assert_eq!(plan("first").0, 0);

    // The relay is down: signed, noted and kept, and nothing changes yet.
    drop(relay);
    fails(&borrowed(&dismiss("J. Voorbeeld")), 6, "relay_not_reached");
    assert_eq!(waiting(&setup), 1);
    let people = |at: usize| done(&["org", "people", "--data", &org])["people"][at].clone();
    let dismissed_at = people(0)["dismissed_at"].clone();
    assert!(dismissed_at.is_i64() && people(1)["dismissed_at"].is_null(), "{}", people(0));
    let _relay = Serving::start("relay", &setup.at("relay"));
    assert_eq!(plan("first").0, 0);
    let again = done(&borrowed(&dismiss("J. Voorbeeld")));
    assert_eq!((&again["again"], &again["dismissed_at"]), (&Value::Bool(true), &dismissed_at));
    let (exit, said) = plan("first");
    assert_eq!((exit, said["error"]["code"].as_str()), (3, Some("dismissed")), "{said}");

    // Invited again under the same name, in a folder of their own; the name now means that one.
    let (text, second) = invite("adviser", "J. Voorbeeld");
    join("second", &text);
    assert_eq!((plan("second").0, plan("first").0), (0, 3));
    let (_, third) = invite("adviser", "J. Voorbeeld");
    fails(&borrowed(&dismiss("J. Voorbeeld")), 3, "ambiguous");
    assert_eq!(done(&borrowed(&dismiss(&third)))["account"], third.as_str());
    let out = setup.at("dismissal.cbor");
    let written = done(&["org", "dismiss", "--data", &org, "J. Voorbeeld", "--out", &out]);
    assert_eq!((&written["account"], &written["sent"]), (&Value::from(second), &Value::from(0)));
    assert!(std::fs::metadata(&out).unwrap().len() > 0 && plan("second").0 == 0, "nobody has told the relay");
    done(&["org", "publish", "--data", &org]);
    assert_eq!(plan("second").1["error"]["code"], "dismissed");
    assert_eq!(done(&borrowed(&dismiss(&first)))["again"], true, "the account still says which one is meant");
}

#[test]
fn what_the_root_is_given_is_looked_at_first() {
    let setup = Setup::new();
    let (org, desk) = (setup.at("org"), setup.at("desk/desk.cbor"));
    std::fs::write(setup.path("other.cbor"), b"something else").unwrap();
    let other = setup.at("other.cbor");
    fails(&["org", "directory", "--data", &org, "--relay", &other, "--desk", &desk], 3, "malformed");
    fails(&["org", "directory", "--data", &org, "--desk", &desk], 3, "org_refused");
    let (exit, said) = setup.directory(&["--ladder", "Standaard=West:10"]);
    assert_eq!((exit, said["error"]["code"].as_str()), (3, Some("org_refused")), "{said}");
    // clap's own code for what cannot be read at all.
    assert_eq!(server(&["org", "directory", "--data", &org, "--ladder", "Oost"]).status().unwrap().code(), Some(2));
    assert_eq!(waiting(&setup), 0, "nothing that was refused is sent later");
    let out = setup.at("directory-out.cbor");
    assert_eq!(setup.directory(&["--out", &out]).0, 0);
    assert_eq!(std::fs::read(out).unwrap(), std::fs::read(setup.path("org/directory.cbor")).unwrap());
    // A root that was exchanged no longer fits what lies beside it.
    std::fs::write(setup.path("org/root.key"), [1; 32]).unwrap();
    fails(&["org", "people", "--data", &org], 3, "bad_signature");
}

#[test]
fn officers_come_and_go_while_the_desk_runs() {
    let setup = Setup::new();
    let desk = setup.at("desk");
    for secret in ["keys.cbor", "desk.toml", "tls-server.key"] {
        assert_eq!(mode(&setup.path("desk").join(secret)), 0o600, "{secret}");
    }
    let serving = Serving::start("desk", &desk);
    fails(&["serve", "desk", "--data", &desk], 73, "folder_in_use");
    let added = done(&["officer", "add", "--data", &desk, "--name", "Agent Jansen"]);
    let link = added["link"].as_str().unwrap();
    assert!(link.starts_with("https://127.0.0.1:") && link.contains("/login/"), "{link}");
    fails(&["officer", "add", "--data", &desk, "--name", "Agent Jansen"], 3, "officer_refused");
    fails(&["officer", "link", "--data", &desk, "--name", "Agent Bakker"], 3, "officer_refused");
    let again = done(&["officer", "link", "--data", &desk, "--name", "Agent Jansen"]);
    assert_ne!(again["link"], added["link"]);
    assert_eq!(done(&["officer", "list", "--data", &desk])["officers"][0], "Agent Jansen");
    done(&["officer", "remove", "--data", &desk, "--name", "Agent Jansen"]);
    assert!(done(&["officer", "list", "--data", &desk])["officers"].as_array().unwrap().is_empty());
    drop(serving);
    assert_eq!(done(&["verify", "--data", &desk])["ok"], true);
    fails(&["officer", "list", "--data", &setup.at("nowhere")], 3, "not_set_up");
}

#[test]
fn a_mistake_in_a_file_of_channels_or_buttons_is_named_without_its_secrets() {
    let setup = Setup::new();
    let desk = setup.at("desk");
    let channels = "[[webhook]]\nname = \"zaak\"\nurl = \"http://cases.example\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";
    std::fs::write(setup.path("desk/desk.toml"), channels).unwrap();
    let said = fails(&["serve", "desk", "--data", &desk], 3, "bad_channel");
    assert!(!said.to_string().contains("MfKQ9"), "{said}");
    std::fs::write(setup.path("desk/desk.toml"), "[[webhook]]\nsecret = \"whsec_MfKQ9\n").unwrap();
    let said = fails(&["serve", "desk", "--data", &desk], 3, "damaged_file");
    assert!(said.to_string().contains("line 2") && !said.to_string().contains("MfKQ9"), "{said}");
}

#[test]
fn a_bridge_joins_with_its_invite_and_with_no_other() {
    let setup = Setup::new();
    let _relay = Serving::start("relay", &setup.at("relay"));
    assert_eq!(setup.directory(&["--publish"]).0, 0);
    let text = |said: Value| said["invite"].as_str().unwrap().to_owned();
    let phones = text(done(&borrowed(&setup.invite(&["--publish"]))));
    let bridges = text(done(&borrowed(&setup.invite(&["--role", "bridge", "--publish"]))));
    let unknown = text(done(&borrowed(&setup.invite(&["--role", "bridge", "--out", &setup.at("out")]))));
    let bridge = setup.at("bridge");
    let address = free_address();
    let init = |data: &str, invite: &str| -> Vec<String> {
        ["init", "bridge", "--data", data, "--invite", invite, "--listen", &address].map(str::to_owned).to_vec()
    };
    fails(&borrowed(&init(&bridge, &phones)), 3, "invite_role");
    fails(&borrowed(&init(&bridge, &unknown)), 3, "relay_refused");
    fails(&borrowed(&init(&bridge, &bridges.replacen('A', "B", 2))), 3, "rule_broken");
    // The folder is none the worse for it.
    done(&borrowed(&init(&bridge, &bridges)));
    fails(&borrowed(&init(&bridge, &bridges)), 3, "already_set_up");
    fails(&borrowed(&init(&setup.at("second"), &bridges)), 3, "relay_refused");
    for secret in ["keys.cbor", "desk.key", "bridge.toml"] {
        assert_eq!(mode(&setup.path("bridge").join(secret)), 0o600, "{secret}");
    }
    let button = "[[button]]\naccount = \"B007\"\nname = \"Balie\"\nkey = \"ascii:FEDCBA9876543210\"\n";
    std::fs::write(setup.path("bridge/bridge.toml"), button.replace("ascii:", "")).unwrap();
    let said = fails(&["serve", "bridge", "--data", &bridge], 3, "bad_button");
    assert!(!said.to_string().contains("FEDCBA"), "{said}");
    std::fs::write(setup.path("bridge/bridge.toml"), button).unwrap();
    let _bridge = Serving::start("bridge", &bridge);
    let send = ["dc09", "send", "--to", &address, "--account", "B007", "--key", "ascii:FEDCBA9876543210"];
    assert_eq!(done(&send)["answer"], "ACK");
    let plain = ["dc09", "send", "--to", &address, "--account", "B007"];
    fails(&plain, 6, "not_delivered");
}

#[test]
fn the_keeper_of_a_desk_sees_and_tests_its_channels() {
    let setup = Setup::new();
    let desk = setup.at("desk");
    assert_eq!(run(&["channel", "list", "--data", &desk]).1, Value::Null, "no channels, and nothing to say");
    // A receiver of the desk's own kind: an alarm centre as `dc09 listen` plays it.
    let address = free_address();
    let listen = ["dc09", "listen", "--on", &address, "--account", "1234"];
    let centre = server(&listen).stdout(Stdio::piped()).spawn().unwrap();
    let mut centre = Serving(centre);
    let mut printed = BufReader::new(centre.0.stdout.take().unwrap());
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(centre.0.try_wait().unwrap().is_none(), "the alarm centre ended");
        std::thread::yield_now();
    }
    let channels = format!("[[dc09]]\nname = \"pac\"\naddress = \"{address}\"\naccount = \"1234\"\n");
    std::fs::write(setup.path("desk/desk.toml"), channels).unwrap();
    let listed = done(&["channel", "list", "--data", &desk]);
    assert_eq!(listed["channel"]["standing"], "never", "{listed}");
    let (exit, said) = run(&["doctor", "--data", &desk]);
    assert_eq!((exit, &said["error"]["code"]), (3, &Value::from("not_well")), "{said}");

    fails(&["channel", "test", "--data", &desk, "--name", "other"], 3, "unknown_channel");
    let tested = done(&["channel", "test", "--data", &desk, "--name", "pac"]);
    let recipient = &tested["channel"]["recipients"][0];
    assert_eq!((&recipient["proof"], &recipient["proven_by"]), (&Value::from("delivered"), &Value::from("test")));
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    // "Manual test" of SIA DC-03.
    assert!(line.contains("\"RX\""), "{line}");
    assert_eq!(run(&["doctor", "--data", &desk]).0, 0);

    // While the desk runs its console has the button, and the list can still be read.
    let serving = Serving::start("desk", &desk);
    fails(&["channel", "test", "--data", &desk], 73, "folder_in_use");
    assert_eq!(done(&["channel", "list", "--data", &desk])["channel"]["standing"], "proven");
    drop(serving);

    // An alarm centre that is gone: the test says so and ends.
    drop(centre);
    let (exit, said) = run(&["channel", "test", "--data", &desk]);
    assert_eq!((exit, &said["error"]["code"]), (6, &Value::from("test_failed")), "{said}");
    assert_eq!(done(&["verify", "--data", &desk])["ok"], true);
}

#[test]
fn a_roster_is_checked_when_it_is_saved_and_its_holes_are_told() {
    let setup = Setup::new();
    let (desk, file) = (setup.at("desk"), setup.at("roster.toml"));
    let person = |name: &str| format!("[[person]]\nname = \"{name}\"\nphone = \"+31612345678\"\n");
    let shift = |from: &str, to: &str| format!("[[shift]]\nwho = [\"Jansen\"]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    fails(&["duty", "show", "--data", &desk], 3, "no_roster");
    fails(&["duty", "show", "--data", &setup.at("nowhere")], 3, "not_set_up");
    // A channel that asks for a roster does not start without one.
    let channels =
        "[[smtp]]\nname = \"piket\"\nserver = \"mail.example.nl\"\nfrom = \"desk@example.nl\"\nto = [\"on-duty\"]\n";
    std::fs::write(setup.path("desk/desk.toml"), channels).unwrap();
    fails(&["serve", "desk", "--data", &desk], 3, "no_roster");
    std::fs::write(&file, person("Bakker") + &shift("mon 08:00", "fri 17:00")).unwrap();
    let said = fails(&["duty", "set", "--data", &desk, &file], 3, "bad_roster");
    assert!(!said.to_string().contains("12345678"), "{said}");
    std::fs::write(&file, person("Jansen") + &person("Bakker") + &shift("mon 08:00", "fri 17:00")).unwrap();
    let set = done(&["duty", "set", "--data", &desk, &file]);
    assert!(set["holes"].as_array().unwrap().len() >= 8, "a hole each weekend: {set}");
    assert_eq!(mode(&setup.path("desk/roster.toml")), 0o600);
    std::fs::write(&file, person("Jansen") + &person("Bakker") + &shift("mon 00:00", "mon 00:00")).unwrap();
    let set = done(&["duty", "set", "--data", &desk, &file]);
    assert_eq!((&set["on_duty"][0], set["holes"].as_array().unwrap().len()), (&Value::from("Jansen"), 0), "{set}");
    let over = done(&["duty", "hand-over", "--data", &desk, "--to", "Bakker", "--until", "2199-01-01 00:00"]);
    assert_eq!(over["on_duty"], serde_json::json!(["Bakker"]), "{over}");
    assert_eq!(done(&["duty", "show", "--data", &desk])["on_duty"], serde_json::json!(["Bakker"]));
    fails(&["duty", "hand-over", "--data", &desk, "--to", "Anders", "--until", "2199-01-01 00:00"], 3, "bad_roster");
    fails(&["duty", "set", "--data", &setup.at("relay"), &file], 3, "damaged_file");
}

#[test]
fn what_was_agreed_with_a_person_is_written_down_while_the_desk_runs() {
    let setup = Setup::new();
    let _relay = Serving::start("relay", &setup.at("relay"));
    assert_eq!(setup.directory(&["--publish"]).0, 0);
    let desk = setup.at("desk");
    let _desk = Serving::start("desk", &desk);
    done(&borrowed(&setup.invite(&["--publish"])));
    // The roster line travels; nobody is known before.
    let account = (0..2_000).find_map(|_| {
        let listed = done(&["instruction", "list", "--data", &desk]);
        listed["people"][0]["account"].as_str().map(str::to_owned)
    });
    let account = account.expect("the roster line arrives in time");
    let mut writing = server(&["instruction", "set", "--data", &desk, "--person", "Ans Testma", "--listen-in", "0613"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut writing.stdin.take().unwrap(), "Bel eerst de partner.\n".as_bytes()).unwrap();
    assert!(writing.wait().unwrap().success());
    let shown = done(&["instruction", "show", "--data", &desk, "--person", &account]);
    assert_eq!(shown["instruction"]["text"], "Bel eerst de partner.");
    assert_eq!((&shown["instruction"]["listen_in"], &shown["name"]), (&"0613".into(), &"Ans Testma".into()));
    assert_eq!(done(&["instruction", "list", "--data", &desk])["people"][0]["agreed"], true);
    let long = "0".repeat(41);
    let too_long = ["instruction", "set", "--data", &desk, "--person", &account, "--call-back", &long];
    fails(&too_long, 3, "instruction_too_long");
    fails(&["instruction", "show", "--data", &desk, "--person", "Nemo"], 3, "unknown_person");
    done(&["instruction", "remove", "--data", &desk, "--person", &account]);
    assert_eq!(done(&["instruction", "show", "--data", &desk, "--person", &account])["instruction"], Value::Null);
}
