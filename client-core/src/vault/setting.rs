//! Single values of the vault, by name, as CBOR: the device's own, and each circle's.

use baken_schemas::cbor;
use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension as _};
use zeroize::Zeroizing;

use crate::BakenError;
use crate::circle::CircleRow;

fn value_of<T>(bytes: Option<Vec<u8>>, name: &'static str) -> Result<Option<T>, BakenError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let Some(bytes) = bytes.map(Zeroizing::new) else { return Ok(None) };
    cbor::from_slice(&bytes, name).map(Some).map_err(|_| BakenError::VaultDamaged { part: "a setting" })
}

/// A value; `None` when it was never set.
///
/// # Errors
/// [`BakenError::VaultDamaged`] when it is there and cannot be read.
pub(crate) fn read<T>(connection: &Connection, name: &'static str) -> Result<Option<T>, BakenError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let bytes = connection
        .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    value_of(bytes, name)
}

/// A value that every vault has.
///
/// # Errors
/// [`BakenError::VaultDamaged`].
pub(crate) fn required<T>(connection: &Connection, name: &'static str) -> Result<T, BakenError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    read(connection, name)?.ok_or(BakenError::VaultDamaged { part: "a setting" })
}

/// Sets a value.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn write<T: Encode<()>>(connection: &Connection, name: &'static str, value: &T) -> Result<(), BakenError> {
    let bytes = Zeroizing::new(cbor::to_vec(value));
    connection
        .prepare_cached("INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2")?
        .execute((name, &*bytes))?;
    Ok(())
}

/// Forgets a value.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn remove(connection: &Connection, name: &'static str) -> Result<(), BakenError> {
    connection.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// A circle's value; `None` when it was never set.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_of<T>(
    connection: &Connection,
    circle: CircleRow,
    name: &'static str,
) -> Result<Option<T>, BakenError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let bytes = connection
        .prepare_cached("SELECT value FROM circle_setting WHERE circle = ?1 AND name = ?2")?
        .query_row((circle.0, name), |row| row.get(0))
        .optional()?;
    value_of(bytes, name)
}

/// Sets a circle's value.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn write_of<T: Encode<()>>(
    connection: &Connection,
    circle: CircleRow,
    name: &'static str,
    value: &T,
) -> Result<(), BakenError> {
    let bytes = Zeroizing::new(cbor::to_vec(value));
    connection
        .prepare_cached(
            "INSERT INTO circle_setting (circle, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET value = ?3",
        )?
        .execute((circle.0, name, &*bytes))?;
    Ok(())
}

/// Forgets a circle's value.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn remove_of(connection: &Connection, circle: CircleRow, name: &'static str) -> Result<(), BakenError> {
    connection
        .prepare_cached("DELETE FROM circle_setting WHERE circle = ?1 AND name = ?2")?
        .execute((circle.0, name))?;
    Ok(())
}
