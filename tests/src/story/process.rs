//! Real processes: started, awaited by what they print or answer, killed, started again.
//!
//! A process that is dropped is killed, so that no test leaves a server behind.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How long anything in a story may take before it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long lies between two looks at something that cannot be awaited.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The most lines kept of what a process printed.
const KEPT_LINES: usize = 10_000;

/// Where the binaries under test and the Python peers are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `baken-server`.
    pub server: PathBuf,
    /// `baken`.
    pub phone: PathBuf,
    /// The interpreter with the peers' packages.
    pub python: PathBuf,
    /// The folder of the peers' programs.
    pub peers: PathBuf,
}

impl Programs {
    /// Finds the programs: binaries beside the running one (or `BAKEN_BIN_DIR`), Python from `BAKEN_PYTHON` or the
    /// workspace's `.baken/python`.
    ///
    /// # Errors
    /// Names what is missing and the command that makes it.
    pub fn find() -> Result<Self> {
        Self::find_in(None, None)
    }

    /// As [`Programs::find`], but with the binaries or the interpreter where the caller says.
    ///
    /// # Errors
    /// Names what is missing and the command that makes it.
    pub fn find_in(bin_dir: Option<PathBuf>, python: Option<PathBuf>) -> Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in a workspace")?;
        let bin_dir = match bin_dir.or_else(|| std::env::var_os("BAKEN_BIN_DIR").map(PathBuf::from)) {
            Some(dir) => dir,
            None => {
                let own = std::env::current_exe()?;
                let dir = own.parent().context("a program lies in a folder")?;
                // Test binaries lie one folder below the others.
                if dir.ends_with("deps") { dir.parent().unwrap_or(dir).to_owned() } else { dir.to_owned() }
            }
        };
        let python = python
            .or_else(|| std::env::var_os("BAKEN_PYTHON").map(PathBuf::from))
            .unwrap_or_else(|| workspace.join(".baken/python/bin/python"));
        let found = Self {
            server: bin_dir.join("baken-server"),
            phone: bin_dir.join("baken"),
            python,
            peers: workspace.join("tests/peers"),
        };
        for (path, mend) in [
            (&found.server, "cargo build -p baken-server"),
            (&found.phone, "cargo build -p baken-cli"),
            (&found.python, "cargo xtask setup"),
        ] {
            if !path.exists() {
                bail!("{} is missing; make it with `{mend}`", path.display());
            }
        }
        Ok(found)
    }
}

/// Looks again and again at what only looking can tell, until there is something.
///
/// # Errors
/// When a look fails, or finds nothing within [`PATIENCE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let found = async {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .with_context(|| format!("{what}: not within {} s", PATIENCE.as_secs()))?
}

/// A running process whose lines can be awaited.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Mutex<VecDeque<String>>>,
    seen: watch::Receiver<usize>,
    /// How many lines [`Process::line`] has handed out.
    read: usize,
}

impl Process {
    /// Starts `program`. What it prints to stderr goes to `log`, appended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, program: &Path, args: &[&str], env: &[(&str, &str)], log: &Path) -> Result<Self> {
        let log_file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} could not be started from {}", program.display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let stdin = child.stdin.take();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (count, seen) = watch::channel(0);
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if kept.len() < KEPT_LINES {
                    kept.push_back(line);
                    count.send_replace(kept.len());
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, stdin, lines, seen, read: 0 })
    }

    /// The next line it prints.
    ///
    /// # Errors
    /// When it ends, or prints nothing within [`PATIENCE`].
    pub async fn line(&mut self) -> Result<String> {
        let wanted = self.read + 1;
        tokio::time::timeout(PATIENCE, self.seen.wait_for(|count| *count >= wanted))
            .await
            .with_context(|| format!("{} printed nothing for {} s", self.name, PATIENCE.as_secs()))?
            .with_context(|| format!("{} ended; see its log", self.name))?;
        let lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let line = lines.get(self.read).cloned().context("the line was counted")?;
        self.read = wanted;
        Ok(line)
    }

    /// The next line that is JSON and fits.
    ///
    /// # Errors
    /// As [`Process::line`].
    pub async fn json_where(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        loop {
            let line = self.line().await?;
            if let Ok(value) = serde_json::from_str::<Value>(&line)
                && fits(&value)
            {
                return Ok(value);
            }
        }
    }

    /// Every line so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().cloned().collect()
    }

    /// Types a line.
    ///
    /// # Errors
    /// When it no longer listens.
    pub async fn type_line(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().with_context(|| format!("{} takes no input", self.name))?;
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
        stdin.flush().await?;
        Ok(())
    }

    /// The process id.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`].
    pub async fn wait(&mut self) -> Result<i32> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .with_context(|| format!("{} did not end", self.name))??;
        Ok(status.code().unwrap_or(-1))
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be awaited.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("{} could not be killed", self.name))
    }
}

/// Runs a program to its end and gives its exit code and what it printed.
///
/// # Errors
/// When it cannot be started or does not end within [`PATIENCE`].
pub async fn run(program: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<(i32, String, String)> {
    run_within(PATIENCE, program, args, env).await
}

/// As [`run`], for a program that may take longer.
///
/// # Errors
/// When it cannot be started or does not end in time.
pub async fn run_within(
    patience: Duration,
    program: &Path,
    args: &[&str],
    env: &[(&str, &str)],
) -> Result<(i32, String, String)> {
    let mut command = Command::new(program);
    command.args(args).envs(env.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(patience, command.output())
        .await
        .with_context(|| format!("{} {} did not end", program.display(), args.join(" ")))??;
    Ok((
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

/// A port that was free a moment ago.
///
/// # Errors
/// When the machine has none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
