//! Runs one program of `tests/peers` and reads the JSON lines it prints.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a peer may take for one line: far longer than it does, since Python starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

fn python() -> PathBuf {
    let python =
        std::env::var_os("BAKEN_PYTHON").map_or_else(|| workspace().join(".baken/python/bin/python"), PathBuf::from);
    assert!(python.exists(), "no Python with the test peers at {}: run `cargo xtask test`", python.display());
    python
}

/// A running peer. It ends when its standard input closes, so never outlives the test.
pub struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts `tests/peers/<program>`.
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(python())
            .arg(workspace().join("tests/peers").join(program))
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
        Self { child, lines }
    }

    /// Starts a peer that listens, and waits until it does. Gives its port.
    pub async fn listening(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (Self, u16) {
        let arguments = [arguments, &["--until-stdin-closes"]].concat();
        let mut peer = Self::start(program, &arguments, environment);
        let port = peer.next().await["listening"].as_u64().expect("it says where it listens");
        (peer, u16::try_from(port).expect("a port"))
    }

    /// The next line it prints.
    pub async fn next(&mut self) -> Value {
        self.next_or_end().await.expect("the peer ended: its packages may be missing or old: run `cargo xtask test`")
    }

    async fn next_or_end(&mut self) -> Option<Value> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("the peer prints in time");
        line.expect("its output is text").map(|line| serde_json::from_str(&line).expect("it prints JSON"))
    }

    /// Writes one line to its standard input.
    pub async fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input is a pipe");
        input.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
        input.flush().await.expect("it reads");
    }

    /// Ends it in good order and gives what it printed that was not read.
    pub async fn stop(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let mut rest = Vec::new();
        while let Some(line) = self.next_or_end().await {
            rest.push(line);
        }
        self.child.wait().await.expect("it ends");
        rest
    }
}
