//! The binary as an operator meets it: what it says, and with which exit code it ends, when something is in its way.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const ORG: &str = "abababababababababababababababababababababababababababababababab";

fn server(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baken-server"));
    command.arg("--json").args(args).stdin(Stdio::null());
    command
}

/// Runs it to its end: exit code and the last line.
pub fn run(args: &[&str]) -> (i32, Value) {
    let output = server(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or("null");
    (output.status.code().unwrap(), serde_json::from_str(last).unwrap())
}

pub fn code(said: &Value) -> &str {
    said["error"]["code"].as_str().unwrap()
}

/// A relay that serves; killed when the test ends.
pub struct Serving(Child);

impl Serving {
    pub fn start(data: &str) -> Self {
        let mut child = server(&["serve", "relay", "--data", data]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["serving"], "relay", "{said}");
        Self(child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn free_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("https://{}", listener.local_addr().unwrap())
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_folder_in_use_a_port_in_use_and_a_folder_not_set_up_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let url = free_url();
    assert_eq!(run(&["serve", "relay", "--data", text(&first)]).0, 3);
    for data in [&first, &second] {
        let (exit, said) = run(&["init", "relay", "--data", text(data), "--url", &url, "--org", ORG]);
        assert_eq!((exit, said["url"].as_str().unwrap()), (0, url.as_str()));
    }
    let keys = std::fs::read(first.join("keys.cbor")).unwrap();
    let (exit, said) = run(&["init", "relay", "--data", text(&first), "--url", &url]);
    assert_eq!((exit, code(&said)), (3, "already_set_up"));
    assert_eq!(std::fs::read(first.join("keys.cbor")).unwrap(), keys);
    let serving = Serving::start(text(&first));
    let (exit, said) = run(&["serve", "relay", "--data", text(&first)]);
    assert_eq!((exit, code(&said)), (73, "folder_in_use"));
    let (exit, said) = run(&["serve", "relay", "--data", text(&second)]);
    assert_eq!((exit, code(&said)), (74, "port_in_use"));
    // Looking it over needs no stop; and killed at once, nothing is left in the way of the next start.
    assert_eq!(run(&["doctor", "--data", text(&first)]).0, 0);
    drop(serving);
    drop(Serving::start(text(&first)));
    let (exit, said) = run(&["verify", "--data", text(&first)]);
    assert_eq!((exit, &said["ok"]), (0, &Value::Bool(true)));
}

#[test]
fn what_cannot_be_used_is_named_with_a_code() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    for url in ["http://127.0.0.1:1", "https://127.0.0.1:1/path", "relay"] {
        let (exit, said) = run(&["init", "relay", "--data", text(&data), "--url", url]);
        assert_eq!((exit, code(&said)), (3, "bad_url"));
    }
    run(&["init", "relay", "--data", text(&data), "--url", &free_url()]);
    std::fs::write(data.join("config.toml"), "url = 5").unwrap();
    let (exit, said) = run(&["serve", "relay", "--data", text(&data)]);
    assert_eq!((exit, code(&said)), (3, "damaged_file"));
    let (exit, said) = run(&["verify", "--data", text(dir.path())]);
    assert_eq!((exit, code(&said)), (3, "no_database"));
    std::fs::write(data.join("relay.db"), [7; 8192]).unwrap();
    let (exit, said) = run(&["verify", "--data", text(&data)]);
    assert_eq!((exit, code(&said)), (3, "damaged_database"));
    let (exit, _) = run(&["doctor", "--data", text(&data)]);
    assert_eq!(exit, 3);
    assert_eq!(server(&["serve", "nothing"]).output().unwrap().status.code(), Some(2));
}
