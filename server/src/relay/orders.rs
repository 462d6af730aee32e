//! Orders, put into the mail of whoever carries them out. An owner hands in the order to lock or wipe another device of
//! its dossier, whatever became of that one since; a desk hands in the order by which a device freezes itself, which goes
//! to the other owners.
//!
//! The relay can hold an order back. It can neither make one nor have one count twice: who carries it out checks the
//! author's signature and number.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::MailKind;
use baken_schemas::id::DeviceId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::auth::{BySig, Caller, Desk, Phone, phone};
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::{Relay, log, standing};
use crate::store::Priority;

/// The most orders that one device gives about another in a day: a mistake can be made good, and no mailbox filled.
const MAX_A_DAY: u32 = 16;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `POST /v0/orders`.
pub(super) async fn post(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let order = match &request.caller {
        Caller::Phone(_) => by_owner(&request.caller.holder()?, &request.body)?,
        Caller::Desk(desk) => by_desk(relay, desk, &request.body)?,
    };
    let now = relay.now();
    relay.once(request.write, Priority::Alarm, move |db| store(db, &order, now)).await
}

/// An order that the caller gives about another device.
fn by_owner(caller: &Phone, body: &[u8]) -> Result<Given, Refusal> {
    let unverified = Unverified::<Order>::parse(body)?;
    let claims = unverified.claims();
    // A device whose vault is open freezes itself by the log.
    if claims.kind == OrderKind::Freeze {
        return Err(Refusal::NotAllowed);
    }
    if claims.author != caller.device {
        return Err(FormatError::Signature { what: Order::LABEL }.into());
    }
    Ok(Given { author: *caller, order: unverified.verify(&caller.sig)? })
}

/// An order that a desk hands on from the device that it freezes.
fn by_desk(relay: &Relay, desk: &Desk, body: &[u8]) -> Result<Given, Refusal> {
    let unverified = Unverified::<Order>::parse(body)?;
    let claims = unverified.claims();
    if claims.kind != OrderKind::Freeze {
        return Err(Refusal::NotAllowed);
    }
    let author = relay.store().read(|db| phone(db, claims.author))?;
    let author = author.filter(|author| desk.orgs.contains(&author.org)).ok_or(Refusal::NotFound)?;
    Ok(Given { author, order: unverified.verify(&author.sig)? })
}

/// An order, and whose it is.
struct Given {
    author: Phone,
    order: Signed<Order>,
}

fn store(db: &Connection, Given { author, order: signed }: &Given, now: Timestamp) -> Result<Done, Refusal> {
    let order = signed.value();
    if author.guest || log::dossier(db, author.account)? != Some(order.circle) {
        return Err(Refusal::NotMember);
    }
    let recipients = recipients(db, order)?;
    if recipients.is_empty() || !note(db, signed, now)? {
        return Ok(Done::nothing());
    }
    let document = put_document(db, signed.bytes(), Keep::WithMail, now)?;
    let mut wakes = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let org = phone(db, recipient)?.ok_or(Refusal::NotFound)?.org;
        wakes.push(mail::put(db, (org, recipient), MailKind::Order, document, now)?);
    }
    let act = match order.kind {
        OrderKind::Lock => "lock_ordered",
        OrderKind::Wipe => "wipe_ordered",
        OrderKind::Freeze => "freeze_ordered",
    };
    audit::append_for(db, now, order.author, act, &order.device, "ok")?;
    Ok(Done::waking(wakes))
}

/// Who carries an order out; nobody when a device is to be frozen that is out already.
fn recipients(db: &Connection, order: &Order) -> Result<Vec<DeviceId>, Refusal> {
    if order.kind != OrderKind::Freeze {
        standing::owner(db, order.circle, order.author)?;
        return if standing::is_known(db, order.circle, order.device)? {
            Ok(vec![order.device])
        } else {
            Err(Refusal::NotFound)
        };
    }
    let mut owners = standing::owners(db, order.circle)?;
    if !owners.contains(&order.author) {
        return Ok(Vec::new());
    }
    owners.retain(|owner| *owner != order.author);
    Ok(owners)
}

/// Counts an order; whether it is new.
fn note(db: &Connection, signed: &Signed<Order>, now: Timestamp) -> Result<bool, Refusal> {
    let (order, hash) = (signed.value(), signed.hash());
    let there: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM device_order WHERE hash = ?1)")?
        .query_row([hash.0], |row| row.get(0))?;
    if there {
        return Ok(false);
    }
    let today: u32 = db
        .prepare_cached("SELECT count(*) FROM device_order WHERE author = ?1 AND device = ?2 AND at > ?3")?
        .query_row(params![order.author.0, order.device.0, now.plus_ms(-DAY_MS).0], |row| row.get(0))?;
    if today >= MAX_A_DAY {
        return Err(Refusal::TooOften);
    }
    db.prepare_cached("INSERT INTO device_order (hash, author, device, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![hash.0, order.author.0, order.device.0, now.0])?;
    Ok(true)
}
