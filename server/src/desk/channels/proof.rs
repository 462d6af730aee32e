//! Whether a channel works: it does once a message really went over it, and not for ever. Each recipient counts for
//! itself, so that one who was never reached does not hide behind the others.

use std::path::Path;

use baken_schemas::crypto::SymmetricKey;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{DeliveryView, ReceiverView, mark_of, shortened};
use crate::desk::config::{Channel, Channels, Means};
use crate::desk::duty::DutyView;
use crate::desk::officers::Officers;
use crate::desk::push::browsers;
use crate::desk::{Desk, DeskError, OpenError, at_rest_key, store};
use crate::folder;
use crate::store::{Disk, inspect};

/// How long a proof lasts, in milliseconds: a test a month, and some days of grace.
pub const PROOF_LASTS_MS: i64 = 35 * 24 * 3_600_000;

/// How a channel or a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing ever went over it.
    Never,
    /// Something did, too long ago.
    Old,
    /// Something did, and lately.
    Proven,
}

/// A channel, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelView {
    /// Its name in `desk.toml`.
    pub name: String,
    /// `webhook`, `dc09`, `smtp`, `sms`, `push`.
    pub kind: &'static str,
    /// How the least proven of its recipients stands.
    pub standing: Standing,
    /// Each recipient; one without a name where the channel itself is the one.
    pub recipients: Vec<RecipientView>,
    /// Whether the receivers of an alarm centre are watched: every how many seconds.
    pub supervision_s: Option<i64>,
    /// The receivers of an alarm centre; empty where nobody watches them, or the desk does not run.
    pub receivers: Vec<ReceiverView>,
}

/// A recipient of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipientView {
    /// So far as tells it from the others.
    pub to: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// When something was last handed over or delivered.
    pub proven_at: Option<Timestamp>,
    /// `test` or `alarm`: what it was.
    pub proven_by: Option<&'static str>,
    /// `handed-over` or `delivered`: how far that got.
    pub proof: Option<&'static str>,
    /// How many messages are queued.
    pub queued: u32,
    /// A test is under way.
    pub testing: bool,
    /// The newest message.
    pub last: Option<DeliveryView>,
}

impl Desk {
    /// Every channel, in the order of `desk.toml`.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn channel_views(&self) -> Result<Vec<ChannelView>, DeskError> {
        let known = (&self.channels, &self.officers);
        let mut views = self.store.read(|db| Ok::<_, DeskError>(views(db, known, &self.at_rest, self.now())?))?;
        for view in &mut views {
            view.receivers = self.receivers_of(&view.name);
        }
        Ok(views)
    }

    /// Who is on duty, where a channel asks for it.
    pub fn duty_view(&self) -> Option<DutyView> {
        self.channels.duty_view(self.now())
    }

    /// Says in the log which channels were never proven, or not lately, and that nobody is on duty within a week.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn log_unproven(&self) -> Result<(), DeskError> {
        for view in self.channel_views()? {
            if view.standing != Standing::Proven {
                tracing::warn!(event = "channel_unproven", channel = view.name, standing = ?view.standing);
            }
        }
        if let Some(hole) = self.duty_view().and_then(|duty| duty.near_hole()) {
            tracing::warn!(event = "nobody_on_duty", from = %hole.from, to = %hole.to);
        }
        Ok(())
    }
}

/// Every channel of a desk's folder, whether or not the desk runs.
///
/// # Errors
/// [`OpenError`]: `desk.toml`, the keys or the database cannot be read.
pub fn channel_views(data: &Path, now: Timestamp) -> Result<Vec<ChannelView>, OpenError> {
    let channels = Channels::read(data)?;
    let officers = Officers::open(data)?;
    let at_rest = at_rest_key(&folder::read_keys_of(data)?);
    let disk = Disk::new(data);
    if !data.join(store::DATABASE.file).exists() {
        let empty = Connection::open_in_memory().map_err(DeskError::from)?;
        for script in store::DATABASE.migrations {
            empty.execute_batch(script).map_err(DeskError::from)?;
        }
        return Ok(views(&empty, (&channels, &officers), &at_rest, now).map_err(DeskError::from)?);
    }
    let db = inspect(&disk, store::DATABASE.file).map_err(DeskError::from)?;
    Ok(views(&db, (&channels, &officers), &at_rest, now).map_err(DeskError::from)?)
}

fn views(
    db: &Connection,
    (channels, officers): (&Channels, &Officers),
    at_rest: &SymmetricKey,
    now: Timestamp,
) -> rusqlite::Result<Vec<ChannelView>> {
    channels.list.iter().map(|channel| view(db, (channel, channels, officers), at_rest, now)).collect()
}

fn view(
    db: &Connection,
    (channel, channels, officers): (&Channel, &Channels, &Officers),
    at_rest: &SymmetricKey,
    now: Timestamp,
) -> rusqlite::Result<ChannelView> {
    let addressed: Vec<(String, Option<String>)> = match channel.means {
        Means::Push(_) => {
            let browsers = browsers(db, at_rest, officers)?.into_iter();
            browsers.map(|browser| (browser.id, Some(browser.shown))).collect()
        }
        _ => {
            let shown = |to: String| (to.clone(), (!to.is_empty()).then(|| shortened(&to)));
            channels.recipients(channel).into_iter().map(shown).collect()
        }
    };
    let mut recipients = Vec::new();
    for (to, shown) in addressed {
        let mark = mark_of(at_rest, &to);
        let proof = store::delivery::proof(db, &channel.name, &mark)?;
        let (queued, tests) = store::delivery::count_queued(db, &channel.name, &mark)?;
        let last = store::delivery::newest(db, &channel.name, &mark)?;
        recipients.push(RecipientView {
            to: shown,
            standing: match proof {
                None => Standing::Never,
                Some(proof) if now.since_ms(proof.at) > PROOF_LASTS_MS => Standing::Old,
                Some(_) => Standing::Proven,
            },
            proven_at: proof.map(|proof| proof.at),
            proven_by: proof.map(|proof| if proof.is_test { "test" } else { "alarm" }),
            proof: proof.map(|proof| proof.state.as_str()),
            queued,
            testing: tests > 0,
            last: last.map(|row| DeliveryView::of(row, channels, at_rest)),
        });
    }
    Ok(ChannelView {
        name: channel.name.clone(),
        kind: channel.kind(),
        standing: recipients.iter().map(|recipient| recipient.standing).min().unwrap_or(Standing::Never),
        recipients,
        supervision_s: match &channel.means {
            Means::Dc09(centre) => centre.supervise_every_ms.map(|ms| ms / 1000),
            _ => None,
        },
        receivers: Vec::new(),
    })
}
