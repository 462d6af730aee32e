//! Warnings to a second party: what keeps alarms from arriving, or would, is told to people before one is needed. Each once,
//! in the console and over the channels, and once more when it is over.
//!
//! What is wrong is looked at anew every few seconds and compared with what was warned of, so that a warning is a row and
//! neither lost nor doubled by a crash. The look is on a thread of its own with a runtime of its own ([`watch`]): the
//! desk's workers cannot stop it, and that one of them stands still is among what it sees.

mod beats;
mod watch;

pub(super) use beats::Beats;
pub use beats::STALLED_MS;

use baken_schemas::alarm::ReceiptState;
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::channels::{About, Standing, given_up};
use super::run::RelayLink;
use super::store::NewDelivery;
use super::store::warning::WarningRow;
use super::take::{add_deliveries, id_of};
use super::{Desk, DeskError, store};
use crate::audit;
use crate::store::Priority;
use crate::tls;

/// How long before a certificate ends it is warned of, in milliseconds: long enough for a holiday.
const CERTIFICATE_MS: i64 = 21 * 24 * 3_600_000;
/// How long the relay may not be heard before it is wrong at all, in milliseconds: connecting takes a moment.
const RELAY_QUIET_MS: i64 = 10_000;
/// How long the relay may not be heard before the channels are told, in milliseconds: a restart is no news.
const RELAY_DOWN_MS: i64 = 2 * 60_000;
/// How long a channel may be unproven before the others are told, in milliseconds: who sets a desk up tests it that day.
const UNPROVEN_MS: i64 = 24 * 3_600_000;
/// After how many tries a message that is still queued says that its channel fails.
const FAILING_TRIES: u32 = 4;
/// The most warnings that were over which are shown.
const SHOWN_OVER: u32 = 50;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrong {
    /// The relay is not heard: alarms do not come in.
    RelayDown,
    /// The relay says that its ladders stand still.
    RelayStalled,
    /// The relay does not hear another desk.
    DeskSilent,
    /// A receiver of an alarm centre does not answer.
    ReceiverSilent,
    /// A channel was never proven, or not lately.
    ChannelUnproven,
    /// The last message over a channel failed, or fails again and again.
    ChannelFails,
    /// Nobody is on duty within a week.
    NobodyOnDuty,
    /// One of this desk's workers stands still.
    WorkerStalled,
    /// A certificate ends soon, or has ended.
    CertificateEnds,
}

impl Wrong {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::RelayDown,
        Self::RelayStalled,
        Self::DeskSilent,
        Self::ReceiverSilent,
        Self::ChannelUnproven,
        Self::ChannelFails,
        Self::NobodyOnDuty,
        Self::WorkerStalled,
        Self::CertificateEnds,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RelayDown => "relay-down",
            Self::RelayStalled => "relay-stalled",
            Self::DeskSilent => "desk-silent",
            Self::ReceiverSilent => "receiver-silent",
            Self::ChannelUnproven => "channel-unproven",
            Self::ChannelFails => "channel-fails",
            Self::NobodyOnDuty => "nobody-on-duty",
            Self::WorkerStalled => "worker-stalled",
            Self::CertificateEnds => "certificate-ends",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wrong| wrong.as_str() == word)
    }

    /// How long it is waited before it is told outside the console.
    fn patience_ms(self) -> i64 {
        match self {
            Self::RelayDown => RELAY_DOWN_MS,
            Self::ChannelUnproven => UNPROVEN_MS,
            _ => 0,
        }
    }
}

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningView {
    /// What is wrong.
    pub what: Wrong,
    /// Which one: a channel, another desk, a worker, whose certificate; may be empty.
    pub about: String,
    /// Since when.
    pub since: Timestamp,
    /// The channels were told.
    pub told: bool,
    /// When it was over.
    pub over_at: Option<Timestamp>,
}

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    what: Wrong,
    about: String,
    since: Timestamp,
}

impl Desk {
    /// What is wrong now, the link to the relay being as it is.
    fn look(&self, link: &RelayLink) -> Result<Vec<Found>, DeskError> {
        let now = self.now();
        let mut found = Vec::new();
        let mut note = |what, about: &str, since| found.push(Found { what, about: about.to_owned(), since });
        if let RelayLink::Down { since, .. } = link
            && now.since_ms(*since) >= RELAY_QUIET_MS
        {
            note(Wrong::RelayDown, "", *since);
        }
        if let Some(since) = self.relay_stalled()? {
            note(Wrong::RelayStalled, "", since);
        }
        for silent in self.silent_desks()? {
            note(Wrong::DeskSilent, &silent.desk, silent.since);
        }
        for silent in self.silent_receivers() {
            note(Wrong::ReceiverSilent, &format!("{} ({})", silent.channel, silent.path), silent.since);
        }
        for view in self.channel_views()? {
            if view.standing != Standing::Proven {
                note(Wrong::ChannelUnproven, &view.name, now);
            }
            let failing = view.recipients.iter().filter_map(|recipient| recipient.last.as_ref()).find(|last| {
                let gave_up = last.state == "failed" && last.why != Some(crate::channel::Why::AlarmClosed);
                gave_up || (last.state == "queued" && last.attempts >= FAILING_TRIES)
            });
            if let Some(last) = failing {
                note(Wrong::ChannelFails, &view.name, last.tried_at.unwrap_or(now));
            }
        }
        if self.duty_view().is_some_and(|duty| duty.near_hole().is_some()) {
            note(Wrong::NobodyOnDuty, "", now);
        }
        for (worker, since) in self.beats.stalled(now) {
            note(Wrong::WorkerStalled, worker, since);
        }
        let certificates = [("console", tls::certificate_ends(&self.dir)), ("relay", self.relay_certificate())];
        for (whose, ends) in certificates {
            if ends.is_some_and(|ends| ends.since_ms(now) < CERTIFICATE_MS) {
                note(Wrong::CertificateEnds, whose, now);
            }
        }
        Ok(found)
    }

    /// Warns of what is wrong and was not warned of, and says of the rest that it is over.
    ///
    /// # Errors
    /// [`DeskError::Store`]: the next look tries again.
    pub async fn warn(&self, link: &RelayLink) -> Result<(), DeskError> {
        let (now, found) = (self.now(), self.look(link)?);
        let open = self.store.read(|db| Ok::<_, DeskError>(store::warning::open(db)?))?;
        let is = |row: &WarningRow, found: &Found| row.what == found.what.as_str() && row.about == found.about;
        let new: Vec<Found> = found.iter().filter(|found| !open.iter().any(|row| is(row, found))).cloned().collect();
        let mut told = Vec::new();
        let mut ended = Vec::new();
        for row in open {
            let Some(what) = Wrong::read(&row.what) else { continue };
            let still = found.iter().any(|found| is(&row, found));
            if !still {
                let messages = if row.told { self.warning_messages(what, &row, true) } else { Vec::new() };
                ended.push((row, messages));
            } else if !row.told && now.since_ms(row.since) >= what.patience_ms() {
                let messages = self.warning_messages(what, &row, false);
                told.push((row, messages));
            }
        }
        if new.is_empty() && told.is_empty() && ended.is_empty() {
            return Ok(());
        }
        for new in &new {
            tracing::warn!(event = "warning", what = new.what.as_str(), about = new.about);
        }
        let more = !new.is_empty();
        self.store
            .write(Priority::Normal, move |db| {
                for found in &new {
                    store::warning::begin(db, found.what.as_str(), &found.about, found.since)?;
                    note(db, found.what.as_str(), "begins", now)?;
                }
                for (row, messages) in &told {
                    if store::warning::tell(db, row.number, now)? {
                        add_deliveries(db, messages)?;
                    }
                }
                for (row, messages) in &ended {
                    if store::warning::end(db, row.number, now)? {
                        store::delivery::give_up_queued(db, hash_of(row), &given_up())?;
                        add_deliveries(db, messages)?;
                        note(db, &row.what, "over", now)?;
                    }
                }
                Ok::<_, DeskError>(())
            })
            .await?;
        self.changed();
        // What may be told at once is told at once.
        if more { Box::pin(self.warn(link)).await } else { Ok(()) }
    }

    /// What goes out about a warning: not over the channel that it is about.
    fn warning_messages(&self, what: Wrong, row: &WarningRow, over: bool) -> Vec<NewDelivery> {
        let hash = hash_of(row);
        let about = About::Warning { id: id_of(hash), what, about: &row.about, since: row.since, over };
        let event = if over { ReceiptState::Closed } else { ReceiptState::Received };
        let is_of_channel = matches!(what, Wrong::ChannelUnproven | Wrong::ChannelFails);
        let channels = self.channels.list.iter().filter(|channel| channel.warnings);
        let channels = channels.filter(|channel| !is_of_channel || channel.name != row.about);
        channels.flat_map(|channel| self.deliveries_to(channel, &about, (hash, event))).collect()
    }

    /// What the desk warns of now, the oldest first, and what was over lately, the newest first.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn warnings(&self) -> Result<(Vec<WarningView>, Vec<WarningView>), DeskError> {
        let view = |row: WarningRow| {
            let WarningRow { about, since, told, over_at, .. } = row;
            Some(WarningView { what: Wrong::read(&row.what)?, about, since, told, over_at })
        };
        let (open, over) = self
            .store
            .read(|db| Ok::<_, DeskError>((store::warning::open(db)?, store::warning::over(db, SHOWN_OVER)?)))?;
        Ok((open.into_iter().filter_map(view).collect(), over.into_iter().filter_map(view).collect()))
    }
}

/// Under which a warning's messages go out.
fn hash_of(row: &WarningRow) -> Hash {
    let since = row.since.0.to_be_bytes();
    Hash::of("baken/desk-warning/v0", &[&row.number.to_be_bytes(), row.what.as_bytes(), row.about.as_bytes(), &since])
}

fn note(db: &rusqlite::Connection, what: &str, result: &str, now: Timestamp) -> Result<(), DeskError> {
    audit::append(db, &audit::Event { at: now, actor: "desk", act: "warning", subject: what, result })?;
    Ok(())
}
