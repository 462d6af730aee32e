//! Who calls: reads a signed request (RFC 9421, `baken_schemas::request`) and checks it against the device's key.
//!
//! The order matters: headers first, then the key, and only for a known device the body, so that a stranger cannot
//! make the relay read megabytes. The authority must be one of the relay's own, so that a request signed for one
//! relay is none for another.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::crypto::{Hash, VerifyKey};
use baken_schemas::device::Identity;
use baken_schemas::id::{AccountId, DeviceId, IdempotencyKey};
use baken_schemas::org::OrgId;
use baken_schemas::request::{
    DEVICE_HEADER, DIGEST_HEADER, IDEMPOTENCY_HEADER, RequestClaims, RequestKey, RequestParts, SIGNATURE_HEADER,
    SIGNATURE_INPUT_HEADER, SignedHeaders, request_claims, verify_request,
};
use bytes::Bytes;
use http::request::Parts;
use rusqlite::{Connection, OptionalExtension as _};

use crate::relay::Relay;
use crate::relay::problem::Refusal;
use crate::store::StoreError;

/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A device that was enrolled here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phone {
    pub(super) device: DeviceId,
    pub(super) org: OrgId,
    pub(super) account: AccountId,
    pub(super) sig: VerifyKey,
    pub(super) alarm: VerifyKey,
    /// It is in circles of the account and stands for nobody's account.
    pub(super) guest: bool,
    /// It came by the recovery code.
    pub(super) recovered: bool,
    /// It was taken out of the account's dossier, for now or for good.
    pub(super) removed: bool,
    pub(super) advises: Advises,
}

/// Whether a device came by an adviser's invite, and is one still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advises {
    Never,
    Now,
    /// The root has dismissed it. It is heard when it calls for help, like any device.
    NoLonger,
}

impl Advises {
    /// From the column `device.adviser`.
    fn of(column: u8) -> Self {
        match column {
            0 => Self::Never,
            1 => Self::Now,
            _ => Self::NoLonger,
        }
    }
}

/// A desk, and the organisations that vouch for the key it signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Desk {
    pub(super) desk: DeviceId,
    pub(super) orgs: Vec<OrgId>,
    /// The key it signed with.
    pub(super) sig: VerifyKey,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// A phone or a bridge.
    Phone(Phone),
    /// A desk.
    Desk(Desk),
}

impl Caller {
    pub(super) fn device(&self) -> DeviceId {
        match self {
            Self::Phone(phone) => phone.device,
            Self::Desk(desk) => desk.desk,
        }
    }

    /// The same caller by what the directories say now; `None` when no organisation vouches for a desk any more. For
    /// what outlasts the request that was checked.
    pub(super) fn renewed(&self, relay: &Relay) -> Option<Self> {
        let Self::Desk(desk) = self else { return Some(self.clone()) };
        let orgs = vouching(&relay.trust().desk(desk.desk), desk.sig);
        (!orgs.is_empty()).then(|| Self::Desk(Desk { orgs, ..desk.clone() }))
    }

    /// The organisations within which it reads mail.
    pub(super) fn orgs(&self) -> Vec<OrgId> {
        match self {
            Self::Phone(phone) => vec![phone.org],
            Self::Desk(desk) => desk.orgs.clone(),
        }
    }

    /// Any enrolled device, whatever became of it since: for alarms and what belongs to them, and for circles, whose
    /// logs say who may do what.
    pub(super) fn phone(&self) -> Result<Phone, Refusal> {
        match self {
            Self::Phone(phone) => Ok(*phone),
            Self::Desk(_) => Err(Refusal::NotAllowed),
        }
    }

    /// An enrolled device that was not taken out of its account's dossier.
    pub(super) fn present(&self) -> Result<Phone, Refusal> {
        let phone = self.phone()?;
        if phone.removed { Err(Refusal::Removed) } else { Ok(phone) }
    }

    /// A device that acts for its account: no guest, and not taken out.
    pub(super) fn holder(&self) -> Result<Phone, Refusal> {
        let phone = self.present()?;
        if phone.guest { Err(Refusal::NotAllowed) } else { Ok(phone) }
    }

    /// An adviser of its organisation.
    pub(super) fn adviser(&self) -> Result<Phone, Refusal> {
        let phone = self.holder()?;
        match phone.advises {
            Advises::Now => Ok(phone),
            Advises::Never => Err(Refusal::NotAllowed),
            Advises::NoLonger => Err(Refusal::Dismissed),
        }
    }

    pub(super) fn desk(&self) -> Result<&Desk, Refusal> {
        match self {
            Self::Desk(desk) => Ok(desk),
            Self::Phone(_) => Err(Refusal::NotAllowed),
        }
    }
}

/// One write of a device: what a repeat is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) device: DeviceId,
    pub(super) key: IdempotencyKey,
    /// Of method, path, query and body.
    pub(super) request: Hash,
}

/// A request whose signature by the device's main key holds.
#[derive(Debug)]
pub(super) struct BySig {
    pub(super) caller: Caller,
    pub(super) write: Write,
    pub(super) body: Bytes,
}

/// A request whose signature by the device's main or alarm key holds.
#[derive(Debug)]
pub(super) struct ByAnyKey {
    pub(super) caller: Caller,
    pub(super) key: RequestKey,
    pub(super) write: Write,
    pub(super) body: Bytes,
}

/// A request that is signed by a key which its body brings: an activation.
#[derive(Debug)]
pub(super) struct ByNewDevice {
    head: Head,
    pub(super) body: Bytes,
}

impl FromRequest<Relay> for BySig {
    type Rejection = Response;

    async fn from_request(request: Request, relay: &Relay) -> Result<Self, Response> {
        let found = authenticate(request, relay, Some(RequestKey::Sig)).await.map_err(Refusal::into_response)?;
        Ok(Self { caller: found.caller, write: found.write, body: found.body })
    }
}

impl FromRequest<Relay> for ByAnyKey {
    type Rejection = Response;

    async fn from_request(request: Request, relay: &Relay) -> Result<Self, Response> {
        authenticate(request, relay, None).await.map_err(Refusal::into_response)
    }
}

impl FromRequest<Relay> for ByNewDevice {
    type Rejection = Response;

    async fn from_request(request: Request, relay: &Relay) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let head = Head::read(&parts, relay).map_err(Refusal::into_response)?;
        let body = read_body(Request::from_parts(parts, body)).await.map_err(Refusal::into_response)?;
        Ok(Self { head, body })
    }
}

impl ByNewDevice {
    /// Checks the request against the identity that its body brought.
    pub(super) fn verify(&self, identity: &Identity) -> Result<Write, Refusal> {
        if self.head.claims.key != RequestKey::Sig {
            return Err(Refusal::AlarmKey);
        }
        if identity.device != self.head.claims.device {
            return Err(Refusal::BadRequestSignature);
        }
        self.head.verify(&identity.sig, &self.body)?;
        Ok(self.head.write(&self.body))
    }
}

/// What a request says before its body.
#[derive(Debug)]
struct Head {
    method: String,
    authority: String,
    path: String,
    query: String,
    headers: SignedHeaders,
    claims: RequestClaims,
}

impl Head {
    fn read(parts: &Parts, relay: &Relay) -> Result<Self, Refusal> {
        let header = |name: &str| -> Result<String, Refusal> {
            let mut values = parts.headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (Some(value), None) => Ok(value.to_str().map_err(|_| Refusal::Unsigned)?.to_owned()),
                _ => Err(Refusal::Unsigned),
            }
        };
        let headers = SignedHeaders {
            device: header(DEVICE_HEADER)?,
            idempotency_key: header(IDEMPOTENCY_HEADER)?,
            digest: header(DIGEST_HEADER)?,
            signature_input: header(SIGNATURE_INPUT_HEADER)?,
            signature: header(SIGNATURE_HEADER)?,
        };
        let claims = request_claims(&headers).map_err(|_| Refusal::Unsigned)?;
        // HTTP/2 has the authority in the URI, HTTP/1.1 in the host header.
        let authority = match parts.uri.authority() {
            Some(authority) => authority.as_str().to_owned(),
            None => header("host")?,
        };
        if !relay.is_called(&authority) {
            return Err(Refusal::BadRequestSignature);
        }
        Ok(Self {
            method: parts.method.as_str().to_owned(),
            authority,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            claims,
        })
    }

    fn verify(&self, key: &VerifyKey, body: &[u8]) -> Result<(), Refusal> {
        let parts = RequestParts {
            method: &self.method,
            authority: self.authority.strip_suffix(":443").unwrap_or(&self.authority),
            path: &self.path,
            query: &self.query,
            body,
        };
        verify_request(&parts, &self.headers, &self.claims, key).map_err(|_| Refusal::BadRequestSignature)
    }

    fn write(&self, body: &[u8]) -> Write {
        let fields = [self.method.as_bytes(), self.path.as_bytes(), self.query.as_bytes(), body];
        Write {
            device: self.claims.device,
            key: self.claims.idempotency,
            request: Hash::of("baken/relay-request/v0", &fields),
        }
    }
}

async fn authenticate(request: Request, relay: &Relay, only: Option<RequestKey>) -> Result<ByAnyKey, Refusal> {
    let (parts, body) = request.into_parts();
    let head = Head::read(&parts, relay)?;
    let claims = head.claims;
    if only.is_some_and(|only| only != claims.key) {
        return Err(Refusal::AlarmKey);
    }
    let phone = relay.store().read(|db| phone(db, claims.device))?;
    let desk_keys = if phone.is_none() { relay.trust().desk(claims.device) } else { Vec::new() };
    if phone.is_none() && desk_keys.is_empty() {
        return Err(Refusal::UnknownDevice);
    }
    let body = read_body(Request::from_parts(parts, body)).await?;
    let caller = if let Some(phone) = phone {
        let key = if claims.key == RequestKey::Sig { phone.sig } else { phone.alarm };
        head.verify(&key, &body)?;
        Caller::Phone(phone)
    } else {
        if claims.key != RequestKey::Sig {
            return Err(Refusal::AlarmKey);
        }
        let signed_by = desk_keys.iter().map(|(_, key)| *key).find(|key| head.verify(key, &body).is_ok());
        let key = signed_by.ok_or(Refusal::BadRequestSignature)?;
        let orgs = vouching(&desk_keys, key);
        Caller::Desk(Desk { desk: claims.device, orgs, sig: key })
    };
    let write = head.write(&body);
    Ok(ByAnyKey { caller, key: claims.key, write, body })
}

/// The organisations that give a desk this key.
fn vouching(desk_keys: &[(OrgId, VerifyKey)], key: VerifyKey) -> Vec<OrgId> {
    desk_keys.iter().filter(|(_, other)| *other == key).map(|(org, _)| *org).collect()
}

/// A body, no larger than the route takes.
pub(super) async fn read_body(request: Request) -> Result<Bytes, Refusal> {
    tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Refusal::Slow)?
        .map_err(|_| Refusal::TooLarge)
}

/// An enrolled device.
pub(super) fn phone(db: &Connection, device: DeviceId) -> Result<Option<Phone>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT d.org, d.account, d.sig, d.alarm, d.guest, d.recovered, EXISTS (
                 SELECT 1 FROM member m JOIN circle c ON c.circle = m.circle
                 WHERE m.device = d.device AND m.state = 2 AND c.account = d.account AND c.kind = 0
             ), d.adviser FROM device d WHERE d.device = ?1",
        )?
        .query_row([device.0], |row| {
            Ok(Phone {
                device,
                org: OrgId(Hash(row.get(0)?)),
                account: AccountId(row.get(1)?),
                sig: VerifyKey(row.get(2)?),
                alarm: VerifyKey(row.get(3)?),
                guest: row.get(4)?,
                recovered: row.get(5)?,
                removed: row.get(6)?,
                advises: Advises::of(row.get(7)?),
            })
        })
        .optional()?)
}
