//! Phones of one account at a real relay, and those of them that follow: each on a thread and with connections of its
//! own, as if on a device of its own.

use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use async_trait::async_trait;
use baken_core::Baken;
use baken_core::sync::Followed;
use baken_core::transport::http::{Dates, HttpTransport};
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::SystemClock;
use rand_core::CryptoRng;
use tokio::sync::{mpsc, watch};

use crate::bench::now;
use crate::bench::phone::{PIN, invite, pair, phone_in};
use crate::bench::relay::Served;
use crate::fleet::https_client;
use crate::story::process::PATIENCE;

/// The kind of the records, and its field.
pub const KIND: &str = "note";
const FIELD: &str = "text";

impl Served {
    /// A new way to the relay: no connection is shared with another.
    pub fn transport(&self) -> Result<HttpTransport> {
        let relay = &self.org.directory.value().relay;
        Ok(HttpTransport::to_relay(relay, Dates::Checked, Arc::new(SystemClock))?)
    }
}

/// The fields of a record with this text.
pub fn fields(text: String) -> Vec<(String, Value)> {
    vec![(FIELD.to_owned(), Value::Text(text))]
}

/// The text of every record there is.
pub fn texts(phone: &Baken) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for record in phone.records(Some(KIND))? {
        let field = record.fields.into_iter().find(|field| field.name == Some(FIELD)).context("a note has a text")?;
        ensure!(field.values.len() == 1, "a note is in conflict");
        for value in field.values {
            if let Value::Text(text) = value.value {
                texts.push(text);
            }
        }
    }
    Ok(texts)
}

/// The phones of one account.
pub struct Fleet<'a> {
    served: &'a Served,
    /// The first is the one that was activated.
    pub phones: Vec<Arc<Baken>>,
}

impl<'a> Fleet<'a> {
    /// An account with its first phone, whose home is made in `folder`.
    pub async fn found(served: &'a Served, folder: &Path, rng: &mut dyn CryptoRng) -> Result<Self> {
        let (invite, registration) = invite(&served.org, rng)?;
        served.wire.publish(registration.bytes()).await?;
        let phone = phone_in(&folder.join("phone"), rng.next_u64())?;
        phone.activate(&served.transport()?, &invite, PIN, "phone").await?;
        Ok(Self { served, phones: vec![Arc::new(phone)] })
    }

    /// Pairs another phone.
    pub async fn add(&mut self, folder: &Path, rng: &mut dyn CryptoRng) -> Result<()> {
        let number = self.phones.len();
        let name = format!("phone-{number}");
        let phone = phone_in(&folder.join(&name), rng.next_u64())?;
        let door = Door::new(self.served, number)?;
        let old = self.phones.first().context("a fleet has a first phone")?;
        let paired = pair(old, &phone, &door, &self.served.transport()?, &name).await?;
        if paired.is_in_at.is_some() {
            let second = self.phones.get(1).context("a fleet that waits has a second phone")?;
            let home = second.status()?.circle;
            second.confirm_device(&self.served.transport()?, home, paired.device, PIN).await?;
        }
        self.phones.push(Arc::new(phone));
        Ok(())
    }

    /// All its phones follow from now on.
    pub fn follow(&self) -> Result<Following> {
        let (tell, news) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(());
        let mut threads = Vec::new();
        for (number, phone) in self.phones.iter().enumerate() {
            let (phone, transport) = (Arc::clone(phone), self.served.transport()?);
            let (tell, mut stopped) = (tell.clone(), stopped.clone());
            threads.push(std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async move {
                    let mut on_sync = |followed: &Followed| {
                        if let Followed::Failed { error, .. } = followed {
                            eprintln!("bench sync: a phone that follows failed: {error}");
                        }
                        // Nobody listens any more when it is about to stop.
                        let _ = tell.send(number);
                        ControlFlow::Continue(())
                    };
                    tokio::select! {
                        ended = phone.follow(&transport, &mut on_sync) => Ok(ended?),
                        _ = stopped.changed() => Ok(()),
                    }
                })
            }));
        }
        Ok(Following { phones: self.phones.clone(), news, stop, threads })
    }
}

/// Phones that follow.
pub struct Following {
    phones: Vec<Arc<Baken>>,
    /// Which phone has synced just now.
    news: mpsc::UnboundedReceiver<usize>,
    stop: watch::Sender<()>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Following {
    /// Puts a record's text on the first phone; how long until the last of the others can read it.
    pub async fn edit(&mut self, record: RecordId, text: &str) -> Result<Duration> {
        let first = self.phones.first().context("a fleet has a first phone")?;
        let mut waiting: Vec<bool> = self.phones.iter().enumerate().map(|(number, _)| number > 0).collect();
        let mut left = self.phones.len().saturating_sub(1);
        let begin = now();
        first.put(record, fields(text.to_owned()))?;
        let all = async {
            while left > 0 {
                let number = self.news.recv().await.context("every phone has stopped")?;
                if waiting[number] && has(&self.phones[number], record, text) {
                    waiting[number] = false;
                    left -= 1;
                }
            }
            anyhow::Ok(begin.elapsed())
        };
        tokio::time::timeout(PATIENCE, all).await.context("a live edit did not arrive")?
    }

    /// Ends it.
    pub fn stop(self) -> Result<()> {
        self.stop.send_replace(());
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a phone that follows panicked"))??;
        }
        Ok(())
    }
}

/// Whether the phone reads this text. A record that it does not know yet is none.
fn has(phone: &Baken, record: RecordId, text: &str) -> bool {
    phone.record(record).is_ok_and(|view| {
        view.fields.iter().any(|field| {
            field.name == Some(FIELD)
                && field.values.iter().any(|value| matches!(&value.value, Value::Text(it) if it == text))
        })
    })
}

/// The way to the relay from an address of this machine that no other phone has: a relay takes only so many offers to
/// pair a minute from one.
struct Door {
    client: reqwest::Client,
    url: String,
    authority: String,
}

impl Door {
    fn new(served: &Served, number: usize) -> Result<Self> {
        let relay = &served.org.directory.value().relay;
        let root = relay.tls_roots.first().context("a relay has a root")?;
        let url = relay.urls.first().context("a relay has an address")?.clone();
        let authority = url.trim_start_matches("https://").to_owned();
        // Elsewhere than on Linux, the one address of loopback must do, and pairing waits.
        let last = if cfg!(target_os = "linux") { u8::try_from(number % 250 + 2)? } else { 1 };
        let client = https_client(root, Some(Ipv4Addr::new(127, 0, 0, last).into()))?;
        Ok(Self { client, url, authority })
    }
}

#[async_trait]
impl Transport for Door {
    fn authority(&self) -> &str {
        &self.authority
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = format!("{}{}", self.url, request.path_and_query);
        let mut asked = self.client.request(request.method, url).body(request.body);
        for (name, value) in request.headers {
            asked = asked.header(name, value);
        }
        let answer = asked.send().await.map_err(|_| TransportError::Unreachable)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|_| TransportError::Unreachable)?;
        Ok(Response { status, body })
    }

    async fn live(&self, _request: Request) -> Result<EventStream, TransportError> {
        Err(TransportError::Unreachable)
    }
}
