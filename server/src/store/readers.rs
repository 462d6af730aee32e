//! A few connections that only read, each lent to one read at a time.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::store::open::{Disk, Schema, open_reader};
use crate::store::{StoreError, StoreFailure};

/// Connections kept open; more are opened and closed when more read at once.
const KEPT_READERS: usize = 8;

/// The readers of one database.
#[derive(Debug)]
pub(super) struct Readers {
    disk: Disk,
    schema: Schema,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(disk: Disk, schema: Schema) -> Self {
        Self { disk, schema, idle: Mutex::default() }
    }

    pub(super) fn read<T, E: StoreFailure>(&self, op: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.disk, &self.schema).map_err(E::from)?,
        };
        let snapshot = connection.unchecked_transaction().map_err(StoreError::from).map_err(E::from)?;
        let result = op(&snapshot);
        snapshot.finish().map_err(StoreError::from).map_err(E::from)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_READERS {
            idle.push(connection);
        }
        result
    }

    /// Closes the idle ones.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
