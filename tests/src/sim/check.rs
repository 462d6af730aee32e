//! What must hold after every step, whatever the weather: I1 (an alarm is shown once), I2 (nothing shown is more than
//! what really happened), I6 (what counts upwards never goes back), I7 (what was pressed is not lost).

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use baken_core::alarm::{AlarmState, AlarmView, ReceiptView, Signer};
use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Clock as _;

use crate::sim::truth::Act;
use crate::sim::world::{LADDER_MS, World};

impl World {
    /// Holds everything that is shown against what really happened.
    pub(super) fn check(&mut self) -> Result<()> {
        self.check_relay()?;
        for desk in 0..self.desks.len() {
            self.check_desk(desk)?;
        }
        for phone in 0..self.phones.len() {
            self.check_phone(phone)?;
        }
        Ok(())
    }

    fn check_relay(&mut self) -> Result<()> {
        let Some(found) = self.relay.look()? else { return Ok(()) };
        let alarms: BTreeSet<AlarmId> = found.alarms.iter().map(|(alarm, _)| *alarm).collect();
        ensure!(alarms.is_superset(&self.truth.stored), "I1: the relay lost an alarm that it had");
        ensure!(alarms.iter().all(|alarm| self.truth.pressed.contains_key(alarm)), "the relay has an alarm of nobody");
        self.truth.stored = alarms;
        if let Some(before) = &self.looked {
            ensure!(found.mail >= before.mail, "I6: the relay's mail went back");
            ensure!(found.audit.seq >= before.audit.seq, "I6: the relay's audit went back");
            for (alarm, receipts) in &before.alarms {
                let now = found.alarms.iter().find(|(found, _)| found == alarm).map(|(_, receipts)| receipts);
                let kept = now.is_some_and(|now| now.starts_with(receipts));
                ensure!(kept, "I6: receipts of {alarm} changed at the relay");
            }
        }
        self.looked = Some(found);
        Ok(())
    }

    fn check_desk(&mut self, number: usize) -> Result<()> {
        let site = &mut self.desks[number];
        let place = site.desk.mail_position()?;
        ensure!(place.cursor >= site.mail.cursor, "I6: the mail of {} went back", site.name);
        if place == site.mail && site.desk.changes().borrow().eq(&site.changes) {
            return Ok(());
        }
        (site.mail, site.changes) = (place, *site.desk.changes().borrow());
        let (open, closed) = (site.desk.alarms(true)?, site.desk.alarms(false)?);
        let mut shown = BTreeSet::new();
        for summary in open.alarms.iter().chain(&closed.alarms) {
            let (name, alarm) = (site.name, summary.alarm);
            ensure!(shown.insert(alarm), "I1: {name} shows {alarm} twice");
            ensure!(self.truth.stored.contains(&alarm), "I1: {name} shows {alarm}, which the relay never had");
            let receipts = site.desk.alarm(alarm)?.map(|detail| detail.receipts).unwrap_or_default();
            let received = receipts.iter().filter(|receipt| receipt.own && receipt.state == ReceiptState::Received);
            ensure!(received.count() == 1, "I1: {name} took {alarm} more than once");
            let by_human = summary.state.is_by_human();
            ensure!(!by_human || self.truth.farthest(alarm) >= Some(summary.state), "I2: {name} overstates {alarm}");
            ensure!(summary.held_by.is_some() == by_human, "I2: {name} says that nobody has {alarm}, or somebody");
        }
        let here = |at: &&(usize, AlarmId)| at.0 == number;
        let lost = self.truth.at_desk.iter().filter(here).find(|(_, alarm)| !shown.contains(alarm));
        ensure!(lost.is_none(), "I1: {} lost {lost:?}", site.name);
        self.truth.at_desk.extend(shown.into_iter().map(|alarm| (number, alarm)));
        Ok(())
    }

    fn check_phone(&mut self, number: usize) -> Result<()> {
        let views = self.phones[number].baken.alarms()?;
        let name = self.phones[number].name;
        let own: BTreeSet<AlarmId> =
            self.truth.pressed.iter().filter(|(_, pressed)| pressed.phone == number).map(|(alarm, _)| *alarm).collect();
        let shown: BTreeSet<AlarmId> = views.iter().map(|view| view.alarm).collect();
        ensure!(shown == own, "I7: {name} shows {} alarms, {} were pressed", shown.len(), own.len());
        for view in &views {
            self.check_view(view).map_err(|broken| broken.context(format!("on {name}, {}", view.alarm)))?;
            let now = (view.state, view.receipts.len());
            let before = self.phones[number].shown.insert(view.alarm, now);
            let up = before.is_none_or(|(state, receipts)| state <= now.0 && receipts <= now.1);
            ensure!(up, "I6: {name} showed {before:?} of {}, now {now:?}", view.alarm);
        }
        Ok(())
    }

    fn check_view(&self, view: &AlarmView) -> Result<()> {
        for receipt in &view.receipts {
            ensure!(self.is_true(view.alarm, receipt), "I2: {:?} is shown and never was", receipt.state);
        }
        let farthest = view.receipts.iter().map(|receipt| AlarmState::from(receipt.state)).max();
        ensure!(view.state == farthest.unwrap_or(AlarmState::NotSent), "I2: {:?} without its receipt", view.state);
        let by_human = self.truth.acts.iter().any(|act| act.alarm == view.alarm);
        ensure!(by_human || !view.green, "I2: green, and no human has it");
        ensure!(view.green == (view.state >= AlarmState::Seen), "I2: green is not what the state says");
        Ok(())
    }

    /// Whether what a receipt says happened.
    fn is_true(&self, alarm: AlarmId, receipt: &ReceiptView) -> bool {
        let desk = match &receipt.by {
            Signer::Relay | Signer::Family(_) => None,
            Signer::Desk(name) => self.desks.iter().position(|desk| desk.name == name),
        };
        match (receipt.state, desk) {
            (ReceiptState::Stored, None) => self.truth.stored.contains(&alarm),
            (ReceiptState::Exhausted, None) => self.truth.pressed.get(&alarm).is_some_and(|pressed| {
                self.truth.stored.contains(&alarm) && self.clock.now().since_ms(pressed.at) >= LADDER_MS
            }),
            (ReceiptState::Received, Some(desk)) => self.truth.at_desk.contains(&(desk, alarm)),
            (state, Some(desk)) => receipt.officer.clone().is_some_and(|officer| {
                self.truth.did(&Act { alarm, state, desk: self.desks[desk].name, officer, words: receipt.text.clone() })
            }),
            (_, None) => false,
        }
    }
}
