//! Running a bridge: alarms to the relay until it has each, the directory kept new, every desk told whose this is.

use std::sync::Arc;
use std::time::Duration;

use baken_schemas::api;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{DeviceId, IdempotencyKey};
use baken_schemas::org::{DeskEntry, Directory, Enrolment};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Signed;
use rustls::ServerConfig;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::store::{self, Errand, Outgoing};
use super::{Bridge, BridgeError, ButtonHandler, Gateways, gateway};
use crate::dc09::receiver::{Limits, Receiver};
use crate::desk::run::idempotency_of;
use crate::relay_client::{Backoff, Caller, RelayClient, RelayError, Trust};
use crate::store::Priority;
use crate::tls;

/// How often the directory is looked at.
const REFRESH: Duration = Duration::from_secs(60);
/// The longest sleep of the sender.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The longest wait before the directory is asked for again, in milliseconds.
const LONGEST_WAIT_MS: u64 = 15_000;
/// The first and the longest wait before an alarm is tried again, in milliseconds.
const RETRY_MS: (i64, i64) = (250, 2_000);

/// The same for a text message that the relay refuses.
const REFUSED_TEXT_RETRY_MS: (i64, i64) = (2_000, 60_000);
/// How long such a one is kept, in milliseconds: long enough for a relay that was restored to learn of its phone.
const TEXT_KEPT_MS: i64 = 24 * 3_600_000;

/// Is told of each newer directory, to keep it in the folder.
pub type KeepDirectory = Box<dyn Fn(&Signed<Directory>) + Send + Sync>;

/// Where buttons come in.
#[derive(Debug, Default)]
pub struct Doors {
    /// DC-09 over TCP.
    pub tcp: Option<TcpListener>,
    /// DC-09 over UDP.
    pub udp: Option<UdpSocket>,
    /// DC-09 over TLS, with this certificate.
    pub tls: Option<(TcpListener, Arc<ServerConfig>)>,
    /// Callbacks of SMS gateways.
    pub sms: Option<SmsDoor>,
}

/// Where SMS gateways call.
#[derive(Debug)]
pub struct SmsDoor {
    /// The listener.
    pub listener: TcpListener,
    /// Which gateways, and how they prove themselves.
    pub gateways: Gateways,
    /// TLS in this process; without it a proxy has it.
    pub tls: Option<Arc<ServerConfig>>,
}

impl From<TcpListener> for Doors {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp: Some(tcp), ..Self::default() }
    }
}

/// Runs a bridge behind its doors until `stop` is done. The database stays open.
///
/// # Errors
/// [`BridgeError::Store`] when the database failed, or a door did.
pub async fn serve(
    bridge: Arc<Bridge>,
    doors: impl Into<Doors>,
    keep: KeepDirectory,
    stop: impl Future<Output = ()>,
) -> Result<(), BridgeError> {
    let Doors { tcp, udp, tls: tls_door, sms } = doors.into();
    bridge.fit_buttons().await?;
    let handler = ButtonHandler::new(Arc::clone(&bridge));
    let rng = Box::new(bridge.fork_rng());
    let receiver = Arc::new(Receiver::new(handler, bridge.clock.clone(), rng, Limits::default()));
    let by_tcp = behind(tcp, |listener| Arc::clone(&receiver).serve(listener, std::future::pending()));
    let by_udp = behind(udp, |socket| Arc::clone(&receiver).serve_udp(socket, std::future::pending()));
    let by_tls = behind(tls_door, |(listener, config)| {
        Arc::clone(&receiver).serve_tls(listener, TlsAcceptor::from(config), std::future::pending())
    });
    let by_sms = behind(sms, |door| {
        let router = gateway::router(Arc::clone(&bridge), door.gateways);
        async move {
            match door.tls {
                Some(config) => {
                    tls::serve(door.listener, config, router, std::future::pending()).await;
                    Ok(())
                }
                None => axum::serve(door.listener, router).await,
            }
        }
    });
    tokio::select! {
        ended = by_sms => ended,
        ended = by_tcp => ended,
        ended = by_udp => ended,
        ended = by_tls => ended,
        ended = bridge.supervise() => ended,
        ended = bridge.send_alarms() => ended,
        ended = bridge.stay_known(&keep) => ended,
        () = stop => Ok(()),
    }
}

/// Serves a door that is there; of one that is not, nothing is heard for ever.
async fn behind<D, F: Future<Output = std::io::Result<()>>>(
    door: Option<D>,
    serve: impl FnOnce(D) -> F,
) -> Result<(), BridgeError> {
    match door {
        Some(door) => serve(door).await.map_err(|error| BridgeError::Store(crate::store::StoreError::Folder(error))),
        None => std::future::pending().await,
    }
}

impl Bridge {
    fn client(&self, which: RequestKey) -> Result<RelayClient, RelayError> {
        let key = match which {
            RequestKey::Sig => self.keys.sig.clone(),
            RequestKey::Alarm => self.keys.alarm.clone(),
        };
        let directory = self.directory();
        let relay = &directory.value().relay;
        let caller = Caller { device: self.keys.device, key, which };
        RelayClient::new(&relay.urls, &Trust::of_relay(relay), Some(caller))
    }

    /// Alarms to the relay, for ever.
    async fn send_alarms(self: &Arc<Self>) -> Result<(), BridgeError> {
        let mut changes = self.changes.subscribe();
        let mut version = self.directory().value().version;
        let mut client = Arc::new(self.client(RequestKey::Alarm)?);
        loop {
            changes.borrow_and_update();
            let newest = self.directory().value().version;
            if newest != version {
                // The relay may have moved, or have another root.
                version = newest;
                match self.client(RequestKey::Alarm) {
                    Ok(newer) => client = Arc::new(newer),
                    Err(error) => tracing::error!(event = "relay_not_usable", why = %error),
                }
            }
            let now = self.clock.now();
            let due = self.store.read(|db| Ok::<_, BridgeError>(store::due(db, now)?))?;
            let mut under_way = JoinSet::new();
            for outgoing in due {
                let (bridge, client) = (Arc::clone(self), Arc::clone(&client));
                under_way.spawn(async move { bridge.send(&client, outgoing).await });
            }
            while let Some(sent) = under_way.join_next().await {
                if let Ok(outcome) = sent {
                    outcome?;
                }
            }
            let next = self.store.read(|db| Ok::<_, BridgeError>(store::next_due(db)?))?;
            let wait = next.map_or(LONGEST_SLEEP, |next| {
                let ms = u64::try_from(next.since_ms(self.clock.now())).unwrap_or_default();
                Duration::from_millis(ms.max(5)).min(LONGEST_SLEEP)
            });
            // An error means that the bridge is gone; then the loop ends with it.
            let _ = tokio::time::timeout(wait, changes.changed()).await;
        }
    }

    async fn send(&self, client: &RelayClient, outgoing: Outgoing) -> Result<(), BridgeError> {
        let number = outgoing.number;
        let now = self.clock.now();
        let checked = match outgoing.errand {
            Errand::Alarm => {
                let once = IdempotencyKey(outgoing.alarm.0);
                let answer = client.post(api::ALARMS, &outgoing.document, once).await;
                answer.and_then(|receipt| Ok(self.check_stored(&outgoing.document, &receipt).map(|()| receipt)?))
            }
            Errand::Update => {
                let once = idempotency_of(Hash::of("baken/bridge-update/v0", &[&outgoing.document]));
                client.post(api::UPDATES, &outgoing.document, once).await
            }
            Errand::Sms => {
                let once = idempotency_of(Hash::of("baken/bridge-sms/v0", &[&outgoing.document]));
                let answer = client.post(api::SMS, &outgoing.document, once).await;
                answer.and_then(|receipt| Ok(self.check_text_stored(&outgoing.document, &receipt).map(|()| receipt)?))
            }
        };
        match checked {
            Ok(receipt) => {
                self.store
                    .write(Priority::Alarm, move |db| Ok::<_, BridgeError>(store::stored(db, number, &receipt, now)?))
                    .await?;
                self.changed();
            }
            Err(error) => {
                // Nothing that a relay says is final: it may lie, or be put right. Of "another alarm has this id" it is
                // not to be expected soon, so that waits longest from the first.
                let refused = matches!(&error, RelayError::Refused { status: 400..=499, .. });
                let taken = matches!(&error, RelayError::Refused { status: 409, .. });
                tracing::warn!(event = "alarm_not_stored", alarm = %outgoing.alarm, why = %error);
                // Anybody can send a text that is no alarm of anybody's: such a one is not kept for ever, nor tried as often.
                if refused && outgoing.errand == Errand::Sms && now.since_ms(outgoing.made_at) > TEXT_KEPT_MS {
                    self.store
                        .write(Priority::Normal, move |db| Ok::<_, BridgeError>(store::give_up(db, number)?))
                        .await?;
                    return Ok(());
                }
                let (first_ms, longest_ms) =
                    if refused && outgoing.errand == Errand::Sms { REFUSED_TEXT_RETRY_MS } else { RETRY_MS };
                let backoff_ms = first_ms.saturating_mul(1 << outgoing.attempts.min(16)).min(longest_ms);
                let delay_ms = if taken { longest_ms } else { backoff_ms };
                self.store
                    .write(Priority::Alarm, move |db| {
                        Ok::<_, BridgeError>(store::put_off(db, number, now.plus_ms(delay_ms), refused)?)
                    })
                    .await?;
            }
        }
        Ok(())
    }

    /// Keeps the directory new and every desk told.
    async fn stay_known(&self, keep: &KeepDirectory) -> Result<(), BridgeError> {
        let mut backoff = Backoff::up_to(LONGEST_WAIT_MS);
        loop {
            let wait = match self.refresh(keep).await {
                Ok(()) => {
                    backoff.succeeded();
                    REFRESH
                }
                Err(BridgeError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(event = "not_refreshed", why = %error);
                    backoff.after_failure()
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Fetches the directory, and enrols at desks that do not know this bridge yet.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub async fn refresh(&self, keep: &KeepDirectory) -> Result<(), BridgeError> {
        let client = self.client(RequestKey::Sig)?;
        let held = self.directory();
        let newest = client.directory(held.value().org()).await?;
        if newest.value().version > held.value().version {
            keep(&newest);
            *self.directory.write().unwrap_or_else(std::sync::PoisonError::into_inner) = newest;
            self.changed();
        }
        for desk in &self.directory().value().desks {
            self.enrol(&client, desk).await?;
        }
        Ok(())
    }

    async fn enrol(&self, client: &RelayClient, desk: &DeskEntry) -> Result<(), BridgeError> {
        let (id, kem): (DeviceId, Hash) = (desk.desk, Hash::of("baken/kem-public/v0", &[&desk.kem.0]));
        if self.store.read(|db| Ok::<_, BridgeError>(store::is_enrolled(db, id, kem)?))? {
            return Ok(());
        }
        let enrolment = Enrolment::make(&self.keys, desk, self.account, &self.desk_key, &mut self.fork_rng())?;
        client.post(api::ENROLMENTS, enrolment.bytes(), idempotency_of(enrolment.hash())).await?;
        let now = self.clock.now();
        self.store.write(Priority::Normal, move |db| Ok::<_, BridgeError>(store::enrolled(db, id, kem, now)?)).await
    }
}
