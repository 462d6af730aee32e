//! Which desks are heard: a desk holds a live stream open or asks for its mail. One that does neither for a while is told
//! of to the other desks of its organisation, and so is its return. Kept in memory: after a restart every desk has the
//! whole time again to be heard.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::api::MailKind;
use baken_schemas::id::DeviceId;
use baken_schemas::org::{OrgId, Silence};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::Caller;
use crate::relay::mail::{self, Keep, put_document};
use crate::store::{Priority, StoreError};

/// How long a desk may be quiet, in milliseconds. Its stream is looked at every five seconds.
pub const MAX_QUIET_MS: i64 = 2 * 60 * 1000;

/// When each desk was last heard.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    /// When this program first looked.
    since: Option<Timestamp>,
    last: HashMap<DeviceId, Timestamp>,
    /// Told of as silent.
    silent: HashSet<(OrgId, DeviceId)>,
}

/// What is to be told: of which desk, to whom, and since when it is silent.
struct Change {
    org: OrgId,
    desk: DeviceId,
    told: Vec<DeviceId>,
    since: Option<Timestamp>,
}

impl Presence {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A desk is here.
    pub(super) fn note(&self, caller: &Caller, now: Timestamp) {
        if let Caller::Desk(desk) = caller {
            self.heard().last.insert(desk.desk, now);
        }
    }

    /// What has changed by `now` among the desks of each organisation.
    fn changes(&self, desks: &[(OrgId, Vec<DeviceId>)], now: Timestamp) -> Vec<Change> {
        let mut heard = self.heard();
        let start = *heard.since.get_or_insert(now);
        let mut changes = Vec::new();
        for (org, of_org) in desks {
            for desk in of_org {
                let last = heard.last.get(desk).copied().unwrap_or(start);
                let is_silent = now.since_ms(last) >= MAX_QUIET_MS;
                let was_silent = heard.silent.contains(&(*org, *desk));
                if is_silent == was_silent {
                    continue;
                }
                if is_silent {
                    heard.silent.insert((*org, *desk));
                } else {
                    heard.silent.remove(&(*org, *desk));
                }
                let told = of_org.iter().copied().filter(|other| other != desk).collect();
                changes.push(Change { org: *org, desk: *desk, told, since: is_silent.then_some(last) });
            }
        }
        // A desk that has left is nobody's worry.
        heard.silent.retain(|(org, desk)| desks.iter().any(|(other, of_org)| other == org && of_org.contains(desk)));
        changes
    }

    /// Nobody was told after all.
    fn untold(&self, org: OrgId, desk: DeviceId) {
        let mut heard = self.heard();
        if !heard.silent.remove(&(org, desk)) {
            heard.silent.insert((org, desk));
        }
    }
}

impl Relay {
    /// Tells the other desks which desk has fallen silent, and which is heard again.
    ///
    /// # Errors
    /// When the store does not take it: it is told with the next look.
    pub async fn watch_desks(&self, now: Timestamp) -> Result<(), StoreError> {
        let desks = self.trust().desks();
        for change in self.presence().changes(&desks, now) {
            let result = if change.since.is_some() { "silent" } else { "heard" };
            tracing::warn!(event = "desk_presence", desk = %change.desk, result);
            let keys = self.keys();
            let (org, desk) = (change.org, change.desk);
            let silence = Silence { relay: keys.device, desk, since: change.since, at: now };
            let document = Signed::make(silence, &keys.sig).bytes().to_vec();
            let told = self
                .store()
                .write(Priority::Normal, move |db| {
                    audit::append_for(db, now, keys.device, "desk_presence", &desk, result)?;
                    let document = put_document(db, &document, Keep::WithMail, now)?;
                    let to = |desk: &DeviceId| mail::put(db, (org, *desk), MailKind::Silence, document, now);
                    change.told.iter().map(to).collect::<Result<Vec<_>, StoreError>>()
                })
                .await;
            match told {
                Ok(wakes) => self.wakes().wake(&wakes),
                Err(error) => {
                    self.presence().untold(org, desk);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
