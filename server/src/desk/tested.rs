//! When each person last tested the whole way from their phone to this desk.

use std::collections::HashMap;

use baken_schemas::alarm::AlarmKind;
use baken_schemas::id::{AccountId, DeviceId};
use baken_schemas::time::Timestamp;
use serde::Serialize;

use super::opened::{Opened, SignatureView};
use super::{Desk, DeskError, Known, store};

/// How long a test counts, in milliseconds: a test a month, and some days of grace.
const COUNTS_MS: i64 = 35 * 24 * 3_600_000;

/// A person, and when they last tested.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TestedView {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// When their last test came in; `None` before the first.
    pub tested_at: Option<Timestamp>,
    /// It is more than a month ago, or there was none.
    pub is_due: bool,
}

impl std::fmt::Debug for TestedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestedView(…)")
    }
}

/// Whose proven test this is.
pub(super) fn tester(device: DeviceId, opened: &Opened, known: &Known) -> Option<AccountId> {
    let is_test = opened.signature == SignatureView::Proven && opened.kind() == Some(AlarmKind::Test);
    known.people.sender(device).filter(|_| is_test).map(|sender| sender.account)
}

impl Desk {
    /// Everybody in this desk's roster: those whose test is longest ago first.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn tested(&self) -> Result<Vec<TestedView>, DeskError> {
        let now = self.now();
        let tested = self.store.read(|db| Ok::<_, DeskError>(store::tested::all(db)?))?;
        let tested: HashMap<AccountId, Timestamp> = tested.into_iter().collect();
        let known = self.known();
        let mut views: Vec<TestedView> = known
            .people
            .list()
            .into_iter()
            .map(|(account, person)| {
                let tested_at = tested.get(&account).copied();
                TestedView {
                    name: person.name.clone(),
                    office: person.office.clone(),
                    tested_at,
                    is_due: tested_at.is_none_or(|at| now.since_ms(at) > COUNTS_MS),
                }
            })
            .collect();
        views.sort_by(|one, other| (one.tested_at, &one.name).cmp(&(other.tested_at, &other.name)));
        Ok(views)
    }
}
