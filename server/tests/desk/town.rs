//! A relay, desks and their organisation over TLS on loopback, each in a folder of its own, as `init` and `serve` make them;
//! and phones that speak the real API.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use baken_schemas::alarm::{Alarm, AlarmBody, AlarmClass, AlarmHeader, ContentKey, Receipt, check_receipt};
use baken_schemas::api::{self, Activation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, IdempotencyKey};
use baken_schemas::org::{Directory, Enrolment, Invite, InviteRole, RelayEntry};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, SystemClock};
use baken_server::desk::{Channels, Desk, DeskParts};
use baken_server::folder::DataFolder;
use baken_server::org::{DirectoryChange, Invitee, Organisation};
use baken_server::relay::{Relay, RelayOptions};
use baken_server::relay_client::{Caller, RelayClient, Trust};
use baken_server::store::{Disk, StoreOptions};
use baken_server::tls;
use baken_server::web::{RelayPlace, serve_desk};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::desk::world::entry;

/// How long anything may take before a test gives up on it: far longer than it does.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again until something is there.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let looked = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

/// Something that serves until it is stopped.
struct Serving {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Serving {
    async fn end(self) {
        drop(self.stop);
        self.ended.await.unwrap();
    }
}

pub async fn listen(address: SocketAddr) -> (TcpListener, SocketAddr) {
    let listener = tls::listen(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A desk of a town.
pub struct Site {
    pub dir: TempDir,
    pub keys: DeviceKeys,
    pub desk: Arc<Desk>,
    serving: Option<Serving>,
}

pub struct Town {
    pub rng: ChaCha20Rng,
    pub org: Organisation,
    relay_dir: TempDir,
    relay_keys: DeviceKeys,
    pub relay_entry: RelayEntry,
    relay_address: SocketAddr,
    relay: Option<Serving>,
    pub sites: Vec<Site>,
}

fn tls_folder(dir: &Path) -> DataFolder {
    DataFolder::open(dir).unwrap()
}

impl Town {
    /// A town with desks of these names, on the usual ladder. `channels` is every desk's `desk.toml`.
    pub async fn new(names: &[&str], channels: &str) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let relay_dir = tempfile::tempdir().unwrap();
        let relay_keys = DeviceKeys::make(&mut rng);
        let (listener, relay_address) = listen(ANY).await;
        let folder = tls_folder(relay_dir.path());
        let root = tls::make(&folder, "relay", &["127.0.0.1".to_owned()]).unwrap();
        drop(folder);
        let relay_entry = RelayEntry {
            relay: relay_keys.device,
            sig: relay_keys.sig.verify_key(),
            urls: vec![format!("https://{relay_address}")],
            tls_roots: vec![root.into()],
            operator_reads_alarms: false,
        };
        let org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
        let mut town =
            Self { rng, org, relay_dir, relay_keys, relay_entry, relay_address, relay: None, sites: Vec::new() };
        town.serve_relay(listener).await;
        for name in names {
            let site = town.make_site(channels);
            let change = DirectoryChange {
                relay: Some(town.relay_entry.clone()),
                desks: vec![entry(&site.keys, name)],
                ladders: Vec::new(),
                without_desks: Vec::new(),
                sms_number: None,
            };
            let documents = town.org.sign_directory(change, SystemClock.now(), &mut town.rng).unwrap();
            town.publish(&documents).await;
            town.sites.push(site);
        }
        for site in 0..town.sites.len() {
            town.start_desk(site).await;
        }
        town
    }

    async fn serve_relay(&mut self, listener: TcpListener) {
        let folder = tls_folder(self.relay_dir.path());
        let config = tls::server_config(&folder).unwrap();
        let options = RelayOptions { authorities: vec![self.relay_address.to_string()], ..RelayOptions::default() };
        let relay = Relay::open(
            &Disk::new(folder.dir()),
            StoreOptions::default(),
            self.relay_keys.clone(),
            Arc::new(SystemClock),
            &mut self.rng,
            options,
        )
        .await
        .unwrap();
        relay.add_org(self.org.org()).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopping = relay.clone();
        let ended = tokio::spawn(async move {
            let told = async move {
                let _ = stopped.await;
                stopping.stop();
            };
            tls::serve(listener, config, relay.router(), told).await;
            relay.close();
            drop(folder);
        });
        self.relay = Some(Serving { stop, ended });
    }

    /// The relay goes.
    pub async fn stop_relay(&mut self) {
        self.relay.take().expect("the relay serves").end().await;
    }

    /// The relay comes back at the same place.
    pub async fn start_relay(&mut self) {
        let (listener, _) = listen(self.relay_address).await;
        self.serve_relay(listener).await;
    }

    /// In the relay's place, with its certificate, comes a liar: of every alarm it says that it has another by that id, and
    /// to all else that it is down. Gives how many alarms it has lied about. [`Self::stop_relay`] ends it.
    pub async fn start_liar(&mut self) -> Arc<AtomicUsize> {
        let (listener, _) = listen(self.relay_address).await;
        let config = tls::server_config(&tls_folder(self.relay_dir.path())).unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&told);
        let lie = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let problem = r#"{"type":"about:blank","title":"","status":409,"code":"alarm_conflict","detail":""}"#;
            std::future::ready((StatusCode::CONFLICT, problem))
        };
        let router = Router::new().route(api::ALARMS, post(lie)).fallback(|| async { StatusCode::SERVICE_UNAVAILABLE });
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(tls::serve(listener, config, router, async { drop(stopped.await) }));
        self.relay = Some(Serving { stop, ended });
        told
    }

    /// The relay goes on somewhere else.
    pub async fn move_relay(&mut self, listener: TcpListener, entry: RelayEntry) {
        self.stop_relay().await;
        self.relay_address = listener.local_addr().unwrap();
        self.relay_entry = entry;
        self.serve_relay(listener).await;
    }

    fn make_site(&mut self, channels: &str) -> Site {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("desk.toml"), channels).unwrap();
        let folder = tls_folder(dir.path());
        tls::make(&folder, "desk", &["127.0.0.1".to_owned()]).unwrap();
        let keys = DeviceKeys::make(&mut self.rng);
        let desk = Arc::new(self.open_desk(dir.path(), &keys));
        Site { dir, keys, desk, serving: None }
    }

    fn open_desk(&mut self, dir: &Path, keys: &DeviceKeys) -> Desk {
        let parts = DeskParts {
            keys: keys.clone(),
            org: self.org.org(),
            console_url: "https://127.0.0.1".to_owned(),
            passkeys: false,
            channels: Channels::read(dir).unwrap(),
            clock: Arc::new(SystemClock),
            rng: Box::new(ChaCha20Rng::from_rng(&mut self.rng)),
        };
        Desk::open(&Disk::new(dir), StoreOptions::default(), parts).unwrap()
    }

    async fn start_desk(&mut self, site: usize) {
        let (listener, _) = listen(ANY).await;
        let desk = Arc::clone(&self.sites[site].desk);
        let config = tls::server_config(&tls_folder(self.sites[site].dir.path())).unwrap();
        let place = RelayPlace { urls: self.relay_entry.urls.clone(), trust: Trust::of_relay(&self.relay_entry) };
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            serve_desk(desk, place, listener, config, async { drop(stopped.await) }).await.unwrap();
        });
        self.sites[site].serving = Some(Serving { stop, ended });
    }

    /// A desk's process is killed: its loops stop where they are, and nothing is closed in an orderly way.
    pub fn kill_desk(&mut self, site: usize) {
        self.sites[site].serving.take().expect("the desk serves").ended.abort();
    }

    /// A killed desk is started again.
    pub async fn revive_desk(&mut self, site: usize) {
        let (dir, keys) = (self.sites[site].dir.path().to_owned(), self.sites[site].keys.clone());
        self.sites[site].desk = Arc::new(self.open_desk(&dir, &keys));
        self.start_desk(site).await;
    }

    pub async fn publish(&mut self, documents: &[Vec<u8>]) {
        let client = RelayClient::new(&self.relay_entry.urls, &Trust::of_relay(&self.relay_entry), None).unwrap();
        for document in documents {
            client.publish(document, IdempotencyKey::make(&mut self.rng)).await.unwrap();
        }
    }

    /// An invite, known to relay and desks.
    pub async fn invite(&mut self, name: &str, role: InviteRole) -> Signed<Invite> {
        let invitee =
            Invitee { name: name.to_owned(), office: "burgemeester".to_owned(), phone: "+31".to_owned(), role };
        let expires_at = SystemClock.now().plus_ms(3_600_000);
        let issued = self.org.invite(invitee, expires_at, &mut self.rng).unwrap();
        self.publish(&issued.documents).await;
        issued.invite
    }

    /// An activated phone that every desk knows.
    pub async fn phone(&mut self, name: &str) -> TownPhone {
        let invite = self.invite(name, InviteRole::OfficeHolder).await.into_value();
        let keys = DeviceKeys::make(&mut self.rng);
        let client = |which: RequestKey| {
            let key = if which == RequestKey::Sig { keys.sig.clone() } else { keys.alarm.clone() };
            let caller = Caller { device: keys.device, key, which };
            // All that a phone has at first is the invite.
            RelayClient::new(
                std::slice::from_ref(&invite.relay_url),
                &Trust::RootHash(invite.tls_root_sha256),
                Some(caller),
            )
            .unwrap()
        };
        let phone = TownPhone { sig: client(RequestKey::Sig), alarm: client(RequestKey::Alarm), keys: keys.clone() };
        let activation = Activation {
            invite: invite.invite,
            token: invite.relay_token(),
            identity: keys.identity().bytes().to_vec().into(),
        };
        phone.sig.activate(&activation, IdempotencyKey::make(&mut self.rng)).await.unwrap();
        for desk in &self.directory().desks {
            let enrolment = Enrolment::make(&keys, desk, invite.account, &invite.desk_key(), &mut self.rng).unwrap();
            let once = IdempotencyKey::make(&mut self.rng);
            phone.sig.post(api::ENROLMENTS, enrolment.bytes(), once).await.unwrap();
        }
        phone
    }

    pub fn directory(&self) -> Directory {
        self.org.directory.clone().unwrap().into_value()
    }

    /// Makes an alarm and posts it; the relay must answer with its receipt.
    pub async fn press(&mut self, phone: &TownPhone, body: AlarmBody) -> (Signed<Alarm>, ContentKey) {
        let directory = self.directory();
        let header = AlarmHeader {
            alarm: AlarmId::make(&mut self.rng),
            device: phone.keys.device,
            class: AlarmClass::Alarm,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let (alarm, content) = Alarm::seal(header, &body, &directory, &phone.keys.alarm, &mut self.rng).unwrap();
        let once = IdempotencyKey(header.alarm.0);
        let stored = phone.alarm.post(api::ALARMS, alarm.bytes(), once).await.unwrap();
        assert_eq!(check_receipt(&stored, &directory).unwrap().value().alarm_hash, alarm.hash());
        (alarm, content)
    }

    /// The receipts that the relay gives a phone, each checked.
    pub async fn receipts(&self, phone: &TownPhone, alarm: &Signed<Alarm>) -> Vec<Signed<Receipt>> {
        let documents = phone.alarm.receipts(alarm.value().header.alarm).await.unwrap().documents;
        documents.iter().map(|document| check_receipt(document, &self.directory()).unwrap()).collect()
    }

    /// Waits until the phone has as many receipts.
    pub async fn wait_for_receipts(
        &self,
        phone: &TownPhone,
        alarm: &Signed<Alarm>,
        count: usize,
    ) -> Vec<Signed<Receipt>> {
        let waited = async {
            loop {
                let receipts = self.receipts(phone, alarm).await;
                if receipts.len() >= count {
                    return receipts;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("the receipts come in time")
    }
}

/// A phone that speaks the relay's API.
pub struct TownPhone {
    pub keys: DeviceKeys,
    pub sig: RelayClient,
    pub alarm: RelayClient,
}
