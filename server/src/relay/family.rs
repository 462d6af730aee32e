//! Family members' devices that an alarm is sealed to. The alarm's slots name them; whom of those it may call, the relay
//! says by what it knows itself: a guest of the caller's account, in a family circle of it. Never another device of the
//! account: nobody answers an alarm of their own.

use baken_schemas::circle::CircleKind;
use baken_schemas::id::{AccountId, DeviceId};
use rusqlite::{Connection, params};

use crate::relay::standing::number_of;
use crate::store::StoreError;

/// Those of the named that are called for an alarm of this account, each once.
pub(super) fn among(db: &Connection, account: AccountId, named: &[DeviceId]) -> Result<Vec<DeviceId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT d.device FROM device d WHERE d.account = ?1 AND d.guest = 1 AND EXISTS (
             SELECT 1 FROM member m JOIN circle c ON c.circle = m.circle
             WHERE m.device = d.device AND m.state = 1 AND c.account = d.account AND c.kind = ?2
         )",
    )?;
    let rows =
        statement.query_map(params![account.0, number_of(CircleKind::Family)], |row| row.get(0).map(DeviceId))?;
    let of_account: Vec<DeviceId> = rows.collect::<Result<_, _>>()?;
    let mut family: Vec<DeviceId> = Vec::new();
    for device in named.iter().filter(|device| of_account.contains(device)) {
        if !family.contains(device) {
            family.push(*device);
        }
    }
    Ok(family)
}
