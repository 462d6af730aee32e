//! Devices that had themselves frozen: a duress PIN was used on one, and its order has come to this device.
//!
//! An order counts once it is signed by that device's key in the dossier, and until a record of the dossier's log that
//! the device did not know when it signed freezes it or lets it back in. Who was let back in is therefore not frozen
//! again by the same order, wherever and whenever it is brought.

use baken_schemas::circle::{LogRecord, MemberRole, MemberState, Operation};
use baken_schemas::id::DeviceId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use super::{Circle, log};
use crate::BakenError;

/// An order as the outbox keeps it, and when it came.
pub(crate) type Heard = (Unverified<Order>, Timestamp);

/// A device that is to be frozen in this circle of its person's. An order that names more of the log than there is here
/// waits for the rest.
pub(super) fn due(
    connection: &Connection,
    home: &Circle,
    circle: &Circle,
    heard: &[Heard],
) -> Result<Option<DeviceId>, BakenError> {
    for (order, _) in heard {
        let device = order.claims().device;
        let is_reached = order.claims().number <= home.membership().head().seq.saturating_add(1);
        if !is_reached || !circle.membership().is_active(device) || !is_of(home, order) {
            continue;
        }
        let counts = if circle.id() == home.id() {
            !is_overtaken(connection, home, order.claims())?
        } else {
            is_frozen(home, device)
        };
        if counts {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

/// The devices whose orders there is nothing left to do about, or to say.
pub(crate) fn overtaken(connection: &Connection, home: &Circle, heard: &[Heard]) -> Result<Vec<DeviceId>, BakenError> {
    let mut overtaken = Vec::new();
    for (order, _) in heard {
        let device = order.claims().device;
        let is_over = !is_of(home, order)
            || matches!(home.membership().state(device), Some(MemberState::Gone { .. }))
            || (!is_frozen(home, device) && is_overtaken(connection, home, order.claims())?);
        if is_over {
            overtaken.push(device);
        }
    }
    Ok(overtaken)
}

/// When this device heard that a duress PIN was used on one that is frozen since.
pub(super) fn heard_at(home: &Circle, device: DeviceId, heard: &[Heard]) -> Option<Timestamp> {
    let about = |(order, _): &&Heard| order.claims().device == device && is_of(home, order);
    heard.iter().find(about).filter(|_| is_frozen(home, device)).map(|(_, at)| *at)
}

fn is_frozen(home: &Circle, device: DeviceId) -> bool {
    matches!(home.membership().state(device), Some(MemberState::Frozen { .. }))
}

/// Whether an owner of this dossier signed the order about itself.
fn is_of(home: &Circle, order: &Unverified<Order>) -> bool {
    let claims = order.claims();
    let author = home.membership().member(claims.author).filter(|member| member.role == MemberRole::Owner);
    claims.kind == OrderKind::Freeze
        && claims.circle == home.id()
        && author.is_some_and(|author| order.clone().verify(&author.sig).is_ok())
}

/// Whether the log says about the device, from the order's number on, that it is frozen or let back in.
fn is_overtaken(connection: &Connection, home: &Circle, order: &Order) -> Result<bool, BakenError> {
    for bytes in log::from(connection, home.row(), order.number)? {
        // The chain was verified before it was written.
        let record = Unverified::<LogRecord>::parse(&bytes)?;
        let about = match record.claims().operation {
            Operation::Freeze { cut } => Some(cut.device),
            Operation::Veto { device } => Some(device),
            _ => None,
        };
        if about == Some(order.device) {
            return Ok(true);
        }
    }
    Ok(false)
}
