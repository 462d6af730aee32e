//! Fair weather: within a bound everything drains (I10), and then everybody agrees (I3), every alarm is where it must be
//! once (I1), nothing a person wrote or pressed is gone (I7), and nobody was accused of what nobody did (I5).

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use baken_core::alarm::{AlarmState, Signer, Warning};
use baken_core::record::{ConflictView, HistoryView, RecordView};
use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::RecordId;
use baken_server::audit;
use baken_server::desk::{SignatureView, database_path};

use crate::sim::Tally;
use crate::sim::network::Weather;
use crate::sim::phone::Phone;
use crate::sim::trace::Trace;
use crate::sim::truth::Act;
use crate::sim::world::World;

/// In how many rounds everything is through. A ladder takes 50 s from when the relay has the alarm.
const ROUNDS: u32 = 12;
/// Milliseconds between two rounds: longer than any wait of a phone that was not refused anything.
const ROUND_MS: i64 = 25_000;

impl World {
    /// Lets everything drain and checks what is left.
    pub(super) async fn drain(&mut self, trace: &mut Trace) -> Result<Tally> {
        self.lines().iter().for_each(|line| line.set_weather(Weather::FAIR));
        self.relay.start(&mut self.rng).await?;
        let mut left = Vec::new();
        for round in 0..ROUNDS {
            self.round().await?;
            self.check()?;
            left = self.left()?;
            trace.note("round", &format!("{round}: {left:?}"));
            if left.is_empty() {
                break;
            }
        }
        ensure!(left.is_empty(), "I10: still not through after {ROUNDS} rounds of fair weather: {left:?}");
        self.check_alarms()?;
        let conflicts = self.check_dossiers(trace)?;
        self.check_audits()?;
        let lies = self.phones.iter().map(|phone| phone.baken.alarm_outbox()?.refused_documents());
        let lies_refused = lies.sum::<Result<u32, _>>()?;
        let exhausted = self.phones.iter().flat_map(|phone| phone.shown.values());
        Ok(Tally {
            alarms: self.truth.pressed.len(),
            edits: self.truth.edits.len(),
            acts: self.truth.acts.len(),
            conflicts,
            kills: self.kills,
            exhausted: exhausted.filter(|(state, _)| *state == AlarmState::Exhausted).count(),
            lies_refused,
        })
    }

    async fn round(&mut self) -> Result<()> {
        self.clock.advance_ms(ROUND_MS);
        self.relay.tick().await?;
        for phone in &self.phones {
            phone.unlocked()?;
            phone.deliver().await?;
            phone.sync().await?;
        }
        for desk in &self.desks {
            desk.take_mail(0).await?;
            desk.post_receipts().await?;
        }
        Ok(())
    }

    /// What has not drained.
    fn left(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        let relay = self.relay.look()?.context("the relay runs")?;
        let mut note = |yes: bool, what: String| {
            if yes {
                left.push(what)
            }
        };
        note(relay.climbing > 0, format!("{} ladders climb", relay.climbing));
        for phone in &self.phones {
            let status = phone.baken.status()?;
            note(status.pending > 0, format!("{} has {} entries to send", phone.name, status.pending));
            note(status.waiting > 0, format!("{} has {} entries that wait", phone.name, status.waiting));
            note(status.stuck_because.is_some(), format!("{} is stuck: {:?}", phone.name, status.stuck_because));
            for view in phone.baken.alarms()? {
                let at_relay = relay.alarms.iter().find(|(alarm, _)| *alarm == view.alarm);
                let receipts = at_relay.map_or(1, |(_, receipts)| receipts.len());
                let here = view.receipts.len();
                note(here < receipts, format!("{} has {here} of {receipts} receipts", phone.name));
                note(view.updates_waiting > 0, format!("{} has updates to send", phone.name));
            }
        }
        for desk in &self.desks {
            let receipts = desk.desk.outgoing_receipts()?.len();
            note(receipts > 0, format!("{} has {receipts} receipts to send", desk.name));
        }
        Ok(left)
    }

    /// Every alarm is at the first desk, opened and proven; every act is on the phone; what nobody took ran out.
    fn check_alarms(&self) -> Result<()> {
        let mut shown = BTreeSet::new();
        for phone in &self.phones {
            for view in phone.baken.alarms()? {
                let lied = phone.was_lied_to;
                let fair = |warning: &Warning| lied && matches!(warning, Warning::Refused { .. });
                ensure!(view.warnings.iter().all(fair), "I5: {} warns of {:?}", phone.name, view.warnings);
                let farthest = self.truth.farthest(view.alarm).unwrap_or(ReceiptState::Exhausted);
                ensure!(
                    view.state == farthest.into(),
                    "I10: {} shows {:?}, {farthest:?} is true",
                    phone.name,
                    view.state
                );
                shown.extend(view.receipts.into_iter().filter_map(|receipt| {
                    let Signer::Desk(name) = receipt.by else { return None };
                    let desk = self.desks.iter().find(|desk| desk.name == name)?.name;
                    let (alarm, state, words) = (view.alarm, receipt.state, receipt.text);
                    Some(Act { alarm, state, desk, officer: receipt.officer?, words })
                }));
            }
        }
        ensure!(shown == self.truth.acts, "I2: phones do not show what officers did, and just that");

        let desk = &self.desks[0].desk;
        for (alarm, pressed) in &self.truth.pressed {
            let detail = desk.alarm(*alarm)?.with_context(|| format!("I1: {alarm} is not at the desk"))?;
            let summary = &detail.summary;
            ensure!(summary.text == pressed.text, "I1: {alarm} came with other words");
            ensure!(summary.signature == SignatureView::Proven, "{alarm} is not proven: {:?}", summary.signature);
            let person = summary.person.as_ref().map(|person| person.name.as_str());
            let owner = self.phones.iter().find(|phone| phone.account == self.phones[pressed.phone].account);
            ensure!(person == owner.map(|owner| owner.name), "{alarm} is shown as of {person:?}");
            let mut updates: Vec<_> = detail.updates.into_iter().map(|update| (update.sequence, update.text)).collect();
            updates.sort();
            let updates: Vec<String> = updates.into_iter().map(|(_, text)| text).collect();
            ensure!(updates == pressed.updates, "I1: updates of {alarm}: {updates:?}, not {:?}", pressed.updates);
        }
        Ok(())
    }

    /// Phones of an account hold the same, and all that was ever put. How many conflicts there are.
    fn check_dossiers(&self, trace: &mut Trace) -> Result<usize> {
        let mut conflicts = 0;
        for pair in self.phones.chunk_by(|one, other| one.account == other.account) {
            let dossiers = pair.iter().map(Dossier::of).collect::<Result<Vec<_>>>()?;
            for (phone, dossier) in pair.iter().zip(&dossiers) {
                ensure!(*dossier == dossiers[0], "I3: {} and {} differ", pair[0].name, phone.name);
                let status = phone.baken.status()?;
                ensure!(status.findings.is_empty(), "I5: {} accuses: {:?}", phone.name, status.findings);
                ensure!(status.quarantine.is_empty(), "I7: {} has entries in quarantine", phone.name);
            }
            for edit in self.truth.edits.iter().filter(|edit| edit.account == pair[0].account) {
                let history = dossiers[0].histories.iter().find(|(record, _)| *record == edit.record);
                let kept = history.is_some_and(|(_, history)| history.iter().any(|put| put.value == edit.value));
                ensure!(kept, "I7: what was put to {} is lost", edit.record);
            }
            conflicts += dossiers[0].conflicts.len();
            trace.note("dossier", &format!("{:?}", dossiers[0]));
        }
        Ok(conflicts)
    }

    fn check_audits(&self) -> Result<()> {
        let relay = self.relay.running().context("the relay runs")?;
        relay
            .store()
            .read(|db| Ok::<_, baken_server::store::StoreError>(audit::verify(db).is_ok()))?
            .then_some(())
            .context("I6: the relay's audit is broken")?;
        for desk in &self.desks {
            let db = rusqlite::Connection::open(database_path(&desk.folder()))?;
            audit::verify(&db).with_context(|| format!("I6: the audit of {}", desk.name))?;
        }
        Ok(())
    }
}

/// All that a phone knows of an account, in an order that is the same on every phone.
#[derive(Debug, PartialEq, Eq)]
struct Dossier {
    records: Vec<RecordView>,
    conflicts: Vec<ConflictView>,
    histories: Vec<(RecordId, Vec<HistoryView>)>,
}

impl Dossier {
    fn of(phone: &Phone) -> Result<Self> {
        let baken = phone.unlocked()?;
        let (mut records, mut conflicts) = (baken.records(None)?, baken.conflicts()?);
        records.sort_by_key(|view| view.record);
        conflicts.sort_by_key(|conflict| (conflict.record, conflict.field));
        let histories =
            records.iter().map(|view| Ok((view.record, baken.history(view.record)?))).collect::<Result<_>>()?;
        Ok(Self { records, conflicts, histories })
    }
}
