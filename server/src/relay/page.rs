//! Pages of items behind a cursor, and what paths and queries say.

use std::str::FromStr;

use axum::extract::Query;
use baken_schemas::api::{Item, PAGE_BYTES, PAGE_ITEMS, Page};
use http::Uri;
use rusqlite::{CachedStatement, Params};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::relay::problem::Refusal;
use crate::store::StoreError;

/// How many rows a page's query asks for: one more than fit, to know whether there are more.
pub(super) const PAGE_ROWS: usize = PAGE_ITEMS + 1;

/// `?after=CURSOR`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    pub(super) after: Option<u64>,
}

/// Reads a query.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    Query::try_from_uri(uri).map(|Query(query)| query).map_err(|_| Refusal::BadAddress)
}

/// Reads an id out of a path.
pub(super) fn id<T: FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::BadAddress)
}

/// A page out of rows `(cursor, bytes)`, at most [`PAGE_ROWS`] of them.
pub(super) fn collect(
    mut statement: CachedStatement<'_>,
    params: impl Params,
    generation: u64,
) -> Result<Page, StoreError> {
    let mut rows = statement.query(params)?;
    let mut page = Page { items: Vec::new(), more: false, generation, floor: 0 };
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let (cursor, bytes): (u64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        size += bytes.len();
        if page.items.len() == PAGE_ITEMS || (size > PAGE_BYTES && !page.items.is_empty()) {
            page.more = true;
            break;
        }
        page.items.push(Item { cursor, bytes: bytes.into() });
    }
    Ok(page)
}
