//! Devices, a desk and an organisation root made straight from the formats, to drive a relay by hand: for load,
//! crashes, captures and lies, where a whole phone would hide what is on the wire.

use std::net::IpAddr;

use anyhow::{Context as _, Result, bail};
use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, DepositTimers, Fix, Position, Provenance,
};
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, IdempotencyKey, InviteId, LadderId};
use baken_schemas::org::{
    CallsFamily, DeskEntry, Directory, Invite, InviteRegistration, InviteRole, Ladder, LadderUse, RelayEntry, Rung,
};
use baken_schemas::request::{RequestKey, RequestParts, sign_request};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use rand_core::CryptoRng;

use crate::story::process::PATIENCE;

/// An organisation: its root, its desks' keys, and the directory that names them.
#[derive(Debug, Clone)]
pub struct Org {
    /// The root.
    pub root: SigningKey,
    /// The desks, all on the one ladder.
    pub desks: Vec<DeviceKeys>,
    /// The signed directory.
    pub directory: Signed<Directory>,
}

impl Org {
    /// An organisation with `desks` desks on a ladder with one rung a desk and `wait_s` seconds between.
    pub fn make(relay: RelayEntry, root: SigningKey, desks: usize, wait_s: u32, rng: &mut dyn CryptoRng) -> Self {
        let desks: Vec<DeviceKeys> = (0..desks).map(|_| DeviceKeys::make(rng)).collect();
        let entries = desks
            .iter()
            .map(|keys| DeskEntry {
                desk: keys.device,
                name: "Meldkamer".to_owned(),
                sig: keys.sig.verify_key(),
                kem: keys.kem.public(),
            })
            .collect();
        let rungs =
            desks.iter().map(|keys| Rung { responders: vec![keys.device], wait_s, family: CallsFamily::No }).collect();
        let ladder = Ladder {
            ladder: LadderId::make(rng),
            version: 1,
            name: "Standaard".to_owned(),
            rungs,
            serves: LadderUse::Alarms,
        };
        let directory = Directory {
            root: root.verify_key(),
            version: 1,
            name: "Gemeente".to_owned(),
            issued_at: Timestamp(0),
            relay,
            desks: entries,
            ladders: vec![ladder],
            sms_number: None,
        };
        let directory = Signed::make(directory, &root);
        Self { root, desks, directory }
    }

    /// An invite and what the relay is told of it.
    pub fn invite(&self, now: Timestamp, rng: &mut dyn CryptoRng) -> (Invite, Signed<InviteRegistration>) {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let invite = Invite {
            org: self.directory.value().org(),
            relay_url: String::new(),
            tls_root_sha256: [0; 32],
            account: AccountId::make(rng),
            invite: InviteId::make(rng),
            role: InviteRole::OfficeHolder,
            expires_at: now.plus_ms(3_600_000),
            secret,
        };
        let registration = Signed::make(InviteRegistration::of(&invite), &self.root);
        (invite, registration)
    }

    /// A sealed alarm by `keys`, with `text` in it.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn alarm(
        &self,
        keys: &DeviceKeys,
        kind: AlarmKind,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Signed<Alarm>, ContentKey)> {
        self.sealed(keys, AlarmClass::Alarm, kind, text, rng)
    }

    /// A deposit by `keys`, watched by the first desk, due and silent after `due_s` seconds without a grace: the sealed
    /// alarm, and the body to hand in.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn deposit(
        &self,
        keys: &DeviceKeys,
        due_s: u32,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Signed<Alarm>, Vec<u8>)> {
        let (alarm, _) = self.sealed(keys, AlarmClass::Deposit, AlarmKind::Missed, text, rng)?;
        let timers = DepositTimers {
            deposit: alarm.value().header.alarm,
            device: keys.device,
            seq: 1,
            sealed: alarm.hash(),
            desk: self.directory.value().desks.first().context("there is a desk")?.desk,
            due_in_s: Some(due_s),
            silent_after_s: due_s,
            grace_s: 0,
        };
        let timers = Signed::make(timers, &keys.alarm).bytes().to_vec().into();
        let body = cbor::to_vec(&api::Deposit { timers, alarm: alarm.bytes().to_vec().into() });
        Ok((alarm, body))
    }

    fn sealed(
        &self,
        keys: &DeviceKeys,
        class: AlarmClass,
        kind: AlarmKind,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Signed<Alarm>, ContentKey)> {
        let directory = self.directory.value();
        let ladder = directory.ladders.first().context("there is a ladder")?;
        let header = AlarmHeader {
            alarm: AlarmId::make(rng),
            device: keys.device,
            class,
            ladder: ladder.ladder,
            ladder_version: ladder.version,
        };
        let body = AlarmBody {
            kind,
            fix: Fix::At(Position { latitude_e7: 523_717_500, longitude_e7: 48_903_500, accuracy_m: 12, age_s: 4 }),
            battery_percent: Some(61),
            text: text.to_owned(),
            made_at: Timestamp(0),
            card_key: None,
            family: None,
            provenance: Provenance::Phone,
        };
        Ok(Alarm::seal(header, &body, directory, &keys.alarm, rng)?)
    }
}

/// A client over TLS 1.3 that trusts one root (DER), follows no redirect, and calls from `local` where that is said.
///
/// # Errors
/// When the root is no certificate.
pub fn https_client(tls_root: &[u8], local: Option<IpAddr>) -> Result<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from(tls_root.to_vec()))?;
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .local_address(local)
        .build()?)
}

/// The way to a relay over HTTPS.
#[derive(Debug, Clone)]
pub struct Wire {
    client: reqwest::Client,
    base: String,
    authority: String,
}

impl Wire {
    /// A client for `https://host:port` that trusts one TLS root (DER).
    ///
    /// # Errors
    /// When the root is no certificate.
    pub fn new(url: &str, tls_root: &[u8]) -> Result<Self> {
        let client = https_client(tls_root, None)?;
        let authority = url.strip_prefix("https://").context("the relay is at https")?.to_owned();
        Ok(Self { client, base: url.to_owned(), authority })
    }

    /// The same relay through another client.
    #[must_use]
    pub fn with(&self, client: reqwest::Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// Sends a signed request; a live stream is read from the response.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn request(
        &self,
        signer: (&DeviceKeys, RequestKey),
        method: &str,
        path_and_query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<reqwest::Response> {
        self.execute(self.signed(signer, method, path_and_query, body, idempotency)?).await
    }

    /// Whether the relay says that it can take writes.
    pub async fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("{}{}", self.base, api::READY)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Opens a live stream of all mail, which may last for an hour.
    ///
    /// # Errors
    /// When it is refused, or there is no answer.
    pub async fn live(&self, keys: &DeviceKeys, idempotency: IdempotencyKey) -> Result<reqwest::Response> {
        let path = format!("{}?mail=0", api::LIVE);
        let mut request = self.signed((keys, RequestKey::Sig), "GET", &path, Vec::new(), idempotency)?;
        *request.timeout_mut() = Some(std::time::Duration::from_secs(3600));
        Ok(self.execute(request).await?.error_for_status()?)
    }

    /// Sends what [`Wire::signed`] made.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response> {
        Ok(self.client.execute(request).await?)
    }

    /// A signed request, to be sent later.
    ///
    /// # Errors
    /// When it is no request.
    pub fn signed(
        &self,
        (keys, which): (&DeviceKeys, RequestKey),
        method: &str,
        path_and_query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<reqwest::Request> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let parts = RequestParts { method, authority: &self.authority, path, query, body: &body };
        let signing = match which {
            RequestKey::Sig => &keys.sig,
            RequestKey::Alarm => &keys.alarm,
        };
        let headers = sign_request(&parts, keys.device, which, signing, idempotency);
        let mut request = self
            .client
            .request(method.parse()?, format!("{}{path_and_query}", self.base))
            .header("content-type", "application/cbor")
            .body(body);
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        Ok(request.build()?)
    }

    /// Sends a signed request and reads the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        signer: (&DeviceKeys, RequestKey),
        method: &str,
        path_and_query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<(u16, Bytes)> {
        let response = self.request(signer, method, path_and_query, body, idempotency).await?;
        Ok((response.status().as_u16(), response.bytes().await?))
    }

    /// Sends a document of the organisation's root.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn publish(&self, document: &[u8]) -> Result<()> {
        let response = self
            .client
            .post(format!("{}{}", self.base, api::ORG_DOCUMENTS))
            .header("content-type", "application/cbor")
            .body(document.to_vec())
            .send()
            .await?;
        if !response.status().is_success() {
            bail!("the relay refused an organisation's document: {}", response.text().await?);
        }
        Ok(())
    }

    /// Activates a new device of a new account.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn activate(&self, org: &Org, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<DeviceKeys> {
        let (invite, registration) = org.invite(now, rng);
        self.publish(registration.bytes()).await?;
        let keys = DeviceKeys::make(rng);
        let body = cbor::to_vec(&api::Activation {
            invite: invite.invite,
            token: invite.relay_token(),
            identity: keys.identity().bytes().to_vec().into(),
        });
        let idempotency = IdempotencyKey::make(rng);
        let (status, answer) = self.send((&keys, RequestKey::Sig), "POST", api::ACTIVATE, body, idempotency).await?;
        if !(200..300).contains(&status) {
            bail!("activation answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(keys)
    }

    /// Sends an alarm; the status and the answer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn press(&self, keys: &DeviceKeys, alarm: &Signed<Alarm>) -> Result<(u16, Bytes)> {
        let response = self.execute(self.pressed(keys, alarm)?).await?;
        Ok((response.status().as_u16(), response.bytes().await?))
    }

    /// The request that sends an alarm.
    ///
    /// # Errors
    /// When it is no request.
    pub fn pressed(&self, keys: &DeviceKeys, alarm: &Signed<Alarm>) -> Result<reqwest::Request> {
        // The idempotency key is the alarm's own id: a repeat is the same write.
        let idempotency = IdempotencyKey(alarm.value().header.alarm.0);
        self.signed((keys, RequestKey::Alarm), "POST", api::ALARMS, alarm.bytes().to_vec(), idempotency)
    }
}
