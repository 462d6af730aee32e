//! Family members who are called in an alarm: chosen by the person whose alarms they are, and agreed to by the holder of
//! the device that is called.
//!
//! - The **holder agrees** on their own device, a guest's in the family circle. It makes a key that works while the device
//!   is locked, signs it with its main key, and puts that into the circle as a record under its own id.
//! - The **person chooses** in the dossier, so that all of their devices do the same. A choice counts while the device is
//!   in a family circle of theirs, is none of their own, and has agreed: the record's author must be the device it is
//!   about, and the signature that of the key which the membership log gives that device.
//! - Each of the person's devices puts its **alarm key** into the circle in the same way, so that those who are called can
//!   tell who calls.
//!
//! What follows from this is noted in the alarm outbox at every sync, and at once after a choice or a removal here: see
//! `alarm::family` and `alarm::incoming`.

use baken_schemas::alarm::FamilyResponder;
use baken_schemas::circle::{CircleKind, MemberState};
use baken_schemas::crypto::VerifyKey;
use baken_schemas::device::Identity;
use baken_schemas::id::{AlarmId, CircleId, DeviceId, RecordId};
use baken_schemas::org::LadderUse;
use baken_schemas::record::{DELETED, FieldNumber, KindNumber, Value, kind_named};
use baken_schemas::signed::Signed;
use rusqlite::Connection;
use serde::Serialize;

use crate::alarm::{Called, Caller};
use crate::baken::UnlockedVault;
use crate::circle::Circle;
use crate::devices::DeviceNames;
use crate::record::{RecordView, all_views};
use crate::{Baken, BakenError};

/// The most letters of a name.
const MAX_NAME_CHARS: usize = 64;

/// A member of the family who can be called in an alarm, or has been chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyMemberView {
    /// Their device.
    pub device: DeviceId,
    /// What they are called: as they said when they agreed, else as their device is called.
    pub name: Option<String>,
    /// The circle.
    pub circle: Option<CircleId>,
    /// They agreed to be called, on that device.
    pub agreed: bool,
    /// This person chose them.
    pub chosen: bool,
    /// Both hold: alarms on a ladder that calls family are sealed to them.
    pub called: bool,
    /// Open check-ins of this device of which the relay may still have a form that they can open.
    pub check_ins: Vec<AlarmId>,
}

/// How many family responders today's ladders call at most, for alarms and for missed check-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FamilyPlaces {
    /// On the ladder of alarms.
    pub alarms: usize,
    /// On the ladder of missed check-ins.
    pub check_ins: usize,
}

impl Baken {
    /// Everybody in this person's family circles, and whoever was chosen.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn family_members(&self) -> Result<Vec<FamilyMemberView>, BakenError> {
        let mut members = self.with_settled(members)?;
        if let Some(outbox) = self.outbox_if_there()? {
            for member in &mut members {
                member.check_ins = outbox.check_ins_sealed_to(member.device)?;
            }
        }
        Ok(members)
    }

    /// How many can be called.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], and those of the disk.
    pub fn family_places(&self) -> Result<FamilyPlaces, BakenError> {
        let directory = self.directory()?;
        let places = |serves| directory.ladder_for(serves).map_or(0, |ladder| ladder.family_places());
        Ok(FamilyPlaces { alarms: places(LadderUse::Alarms), check_ins: places(LadderUse::CheckIns) })
    }

    /// Has a family member called in this person's alarms from now on, who then sees where this person is. Needs their
    /// agreement first.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NotOwner`] on a guest's device, [`BakenError::NoSuchDevice`] for a device that is
    /// in no family circle of this person or is their own, [`BakenError::NotAgreed`], and [`BakenError::FamilyFull`].
    pub fn call_family(&self, pin: &str, device: DeviceId) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        let places = self.family_places()?;
        let members = self.with_settled(members)?;
        let member = members.iter().find(|member| member.device == device).ok_or(BakenError::NoSuchDevice)?;
        let circle = member.circle.ok_or(BakenError::NoSuchDevice)?;
        if !member.agreed {
            return Err(BakenError::NotAgreed);
        }
        let others = members.iter().filter(|other| other.called && other.device != device).count();
        if others >= places.alarms.max(places.check_ins).max(1) {
            return Err(BakenError::FamilyFull);
        }
        let edits = vec![(DELETED, Value::Bool(false)), (CIRCLE, Value::Bytes(circle.0.to_vec()))];
        self.choose(device, edits)
    }

    /// Has a family member called no more. Every later alarm is sealed without them; open check-ins are sealed anew at the
    /// next contact, and [`FamilyMemberView::check_ins`] says which are not yet.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NotOwner`], and [`BakenError::NoSuchDevice`] for one that was not chosen.
    pub fn stop_calling_family(&self, pin: &str, device: DeviceId) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        let members = self.with_settled(members)?;
        if !members.iter().any(|member| member.device == device && member.chosen) {
            return Err(BakenError::NoSuchDevice);
        }
        self.choose(device, vec![(DELETED, Value::Bool(true))])
    }

    fn choose(&self, device: DeviceId, edits: Vec<(FieldNumber, Value)>) -> Result<(), BakenError> {
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        self.edit(home, RecordId(device.0), kind("called-family")?, edits)?;
        self.share_caller()?;
        self.note_family()
    }

    /// Agrees that this device is called in the alarms of the person whose family circle it is in. `name` is what they and
    /// their desks see when an alarm is acknowledged here.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NotFamily`] on any device but a guest's in a family circle,
    /// [`BakenError::ValueRefused`] for a name that is empty or too long, [`BakenError::MayNotWrite`] for a viewer.
    pub fn agree_to_be_called(&self, pin: &str, name: &str) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            return Err(BakenError::ValueRefused);
        }
        let circle = self.family_home()?;
        let keys = self.device_keys()?;
        let kem = self.alarm_outbox()?.become_responder(name, &self.context)?;
        let responder = FamilyResponder { device: keys.device, alarm: keys.alarm.verify_key(), kem };
        let document = Signed::make(responder, &keys.sig).bytes().to_vec();
        let edits =
            vec![(DELETED, Value::Bool(false)), (NAME, Value::Text(name.to_owned())), (KEYS, Value::Bytes(document))];
        self.edit(circle, RecordId(keys.device.0), kind("family-responder")?, edits)
    }

    /// This device is called no more, and can open no alarm that comes later.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NotFamily`].
    pub fn stop_being_called(&self, pin: &str) -> Result<(), BakenError> {
        self.check_pin(pin)?;
        let circle = self.family_home()?;
        let device = self.device_keys()?.device;
        self.alarm_outbox()?.stop_responding()?;
        self.edit(circle, RecordId(device.0), kind("family-responder")?, vec![(DELETED, Value::Bool(true))])
    }

    /// How this device's holder is called in alarms; `None` before they agreed. Works with the vault locked.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], and those of the disk.
    pub fn responds_as(&self) -> Result<Option<String>, BakenError> {
        self.alarm_outbox()?.responds_as()
    }

    /// The family circle that this device is a guest in.
    fn family_home(&self) -> Result<CircleId, BakenError> {
        self.with_vault(|open| {
            let home = open.circles.home();
            let is_guest = open.account().is_none() && home.membership().kind() == CircleKind::Family;
            if is_guest { Ok(home.id()) } else { Err(BakenError::NotFamily) }
        })
    }

    /// Puts this device's alarm key into the family circles in which somebody is chosen, so that they can tell who calls.
    pub(crate) fn share_caller(&self) -> Result<(), BakenError> {
        let Ok(name) = self.caller_name() else { return Ok(()) };
        let number = kind("family-caller")?;
        let missing = self.with_settled(|open| {
            let (connection, device) = (&open.vault.connection, open.keys.device);
            let document = open.keys.identity().bytes().to_vec();
            let chosen = chosen(connection, open.circles.home())?;
            let mut missing = Vec::new();
            for circle in own_families(open) {
                let is_chosen = chosen.iter().any(|chosen| circle.membership().is_active(*chosen));
                let there = find(&all_views(connection, circle, Some(number))?, device);
                let same = there.is_some_and(|(keys, called)| keys == document && called.as_ref() == Some(&name));
                if is_chosen && !same && circle.membership().may_write(device) && circle.current_epoch().is_some() {
                    missing.push((circle.id(), device, document.clone()));
                }
            }
            Ok(missing)
        })?;
        for (circle, device, document) in missing {
            let edits = vec![(NAME, Value::Text(name.clone())), (KEYS, Value::Bytes(document))];
            self.edit(circle, RecordId(device.0), number, edits)?;
        }
        Ok(())
    }

    /// What those who are called see as the caller: the profile's name, else what the device is called.
    fn caller_name(&self) -> Result<String, BakenError> {
        let profile = self.with_settled(|open| {
            let views = all_views(&open.vault.connection, open.circles.home(), Some(kind("profile")?))?;
            Ok(views.iter().filter(|view| !view.deleted).find_map(|view| text_of(view, NAME)))
        })?;
        profile.filter(|name| !name.trim().is_empty()).map_or_else(|| self.own_name(), Ok)
    }

    /// Notes in the alarm outbox who of the family is called, and on a guest's device whose alarms it answers.
    pub(crate) fn note_family(&self) -> Result<(), BakenError> {
        let Some(outbox) = self.outbox_if_there()? else { return Ok(()) };
        let (family, callers) = self.with_settled(|open| {
            if open.vault.is_decoy() || open.travel.is_some() {
                return Ok((None, None));
            }
            if open.account().is_some() { Ok((Some(called(open)?), None)) } else { Ok((None, Some(callers(open)?))) }
        })?;
        if let Some(family) = family {
            outbox.keep_family(&family)?;
        }
        if let Some(callers) = callers {
            outbox.keep_callers(&callers)?;
        }
        Ok(())
    }
}

/// Fields of the kinds here, as `baken_schemas::record` declares them.
const NAME: FieldNumber = 1;
const KEYS: FieldNumber = 2;
const CIRCLE: FieldNumber = 2;

fn kind(name: &str) -> Result<KindNumber, BakenError> {
    Ok(kind_named(name).ok_or(BakenError::UnknownKind)?.number)
}

/// This person's family circles.
fn own_families(open: &UnlockedVault) -> impl Iterator<Item = &Circle> {
    let (home, device) = (open.circles.home().membership(), open.keys.device);
    open.circles.all().filter(move |circle| {
        let membership = circle.membership();
        membership.kind() == CircleKind::Family && membership.root() == home.root() && membership.is_owner(device)
    })
}

/// Whom this person chose, the first chosen first.
fn chosen(connection: &Connection, home: &Circle) -> Result<Vec<DeviceId>, BakenError> {
    if home.membership().kind() != CircleKind::Dossier {
        return Ok(Vec::new());
    }
    let views = all_views(connection, home, Some(kind("called-family")?))?;
    Ok(views.iter().filter(|view| !view.deleted).map(|view| DeviceId(view.record.0)).collect())
}

/// What a device put about itself: keys, and its name. What another device put under its id does not count.
fn find(views: &[RecordView], device: DeviceId) -> Option<(Vec<u8>, Option<String>)> {
    let view = views.iter().find(|view| view.record == RecordId(device.0) && !view.deleted)?;
    let by_itself = |number: FieldNumber| {
        let fields = view.fields.iter().filter(move |field| field.field == number);
        fields.flat_map(|field| &field.values).rfind(move |value| value.by == Some(device))
    };
    let Value::Bytes(keys) = &by_itself(KEYS)?.value else { return None };
    let name = by_itself(NAME).and_then(|value| match &value.value {
        Value::Text(name) => Some(name.clone()),
        _ => None,
    });
    Some((keys.clone(), name))
}

fn text_of(view: &RecordView, number: FieldNumber) -> Option<String> {
    let values = view.fields.iter().filter(|field| field.field == number).flat_map(|field| &field.values);
    values
        .filter_map(|value| match &value.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
        .next_back()
}

/// What a member of a family circle agreed to, if its own key signed it and nobody else wrote it.
fn agreed(circle: &Circle, views: &[RecordView], device: DeviceId, sig: &VerifyKey) -> Option<Called> {
    let (document, name) = find(views, device)?;
    let keys = FamilyResponder::verify(&document, device, sig).ok()?;
    circle.membership().is_active(device).then(|| Called { name: name.unwrap_or_default(), keys })
}

/// Whom alarms are sealed to beside desks.
fn called(open: &UnlockedVault) -> Result<Vec<Called>, BakenError> {
    let connection = &open.vault.connection;
    let mut family = Vec::new();
    for device in chosen(connection, open.circles.home())? {
        for circle in own_families(open) {
            let views = all_views(connection, circle, Some(kind("family-responder")?))?;
            // Nobody answers an alarm of their own.
            let member = circle.membership().member(device).filter(|_| !open.is_own_device(device));
            if let Some(called) = member.and_then(|member| agreed(circle, &views, device, &member.sig)) {
                family.push(called);
                break;
            }
        }
    }
    Ok(family)
}

fn members(open: &mut UnlockedVault) -> Result<Vec<FamilyMemberView>, BakenError> {
    let open = &*open;
    let (connection, home) = (&open.vault.connection, open.circles.home());
    if open.account().is_none() || home.membership().kind() != CircleKind::Dossier {
        return Err(BakenError::NotOwner);
    }
    let chosen = chosen(connection, home)?;
    let called: Vec<DeviceId> = called(open)?.into_iter().map(|called| called.keys.device).collect();
    let mut members: Vec<FamilyMemberView> = Vec::new();
    for circle in own_families(open) {
        let names = DeviceNames::read(connection, circle)?;
        let views = all_views(connection, circle, Some(kind("family-responder")?))?;
        for (member, state) in circle.membership().members() {
            let device = member.device;
            let known = members.iter().any(|known| known.device == device);
            if state != MemberState::Active || open.is_own_device(device) || known {
                continue;
            }
            let agreed = agreed(circle, &views, device, &member.sig);
            let name = agreed.as_ref().map(|agreed| agreed.name.clone()).filter(|name| !name.is_empty());
            members.push(FamilyMemberView {
                device,
                name: name.or_else(|| names.of(device)),
                circle: Some(circle.id()),
                agreed: agreed.is_some(),
                chosen: chosen.contains(&device),
                called: called.contains(&device),
                check_ins: Vec::new(),
            });
        }
    }
    for device in chosen {
        if !members.iter().any(|member| member.device == device) {
            // Taken out of the circle, and the choice still stands.
            let (name, circle) = (None, None);
            let (agreed, called, check_ins) = (false, false, Vec::new());
            members.push(FamilyMemberView { device, name, circle, agreed, chosen: true, called, check_ins });
        }
    }
    Ok(members)
}

/// Whose alarms a guest's device answers: those of the owners of the family circle it is in.
fn callers(open: &UnlockedVault) -> Result<Vec<Caller>, BakenError> {
    let home = open.circles.home();
    if home.membership().kind() != CircleKind::Family {
        return Ok(Vec::new());
    }
    let views = all_views(&open.vault.connection, home, Some(kind("family-caller")?))?;
    let mut callers = Vec::new();
    for (member, _) in home.membership().members() {
        let device = member.device;
        if !home.membership().is_owner(device) {
            continue;
        }
        let Some((document, name)) = find(&views, device) else { continue };
        // Its own key signed it, and that key is the one in the log.
        let identity = Identity::verify(&document).ok().map(Signed::into_value);
        let same = |identity: &Identity| identity.device == device && identity.sig == member.sig;
        if let Some(identity) = identity.filter(same) {
            callers.push(Caller { device, name: name.unwrap_or_default(), alarm_key: identity.alarm });
        }
    }
    Ok(callers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FieldView, ValueView};
    use baken_schemas::time::Timestamp;

    fn record(device: DeviceId, author: DeviceId) -> RecordView {
        let value = |value| ValueView { value, by: Some(author), at: Timestamp(0), newer: false };
        let field = |field, put| FieldView { field, name: None, values: vec![value(put)] };
        RecordView {
            record: RecordId(device.0),
            circle: CircleId([1; 16]),
            kind: 16,
            kind_name: Some("family-responder"),
            deleted: false,
            deletion_held: None,
            erased: false,
            edited_since_deleted: false,
            in_conflict: false,
            newer: false,
            fields: vec![field(NAME, Value::Text("Jan".into())), field(KEYS, Value::Bytes(vec![1]))],
        }
    }

    #[test]
    fn what_another_device_writes_about_one_does_not_count() {
        let (partner, child) = (DeviceId([2; 16]), DeviceId([3; 16]));
        let own = [record(partner, partner)];
        assert_eq!(find(&own, partner), Some((vec![1], Some("Jan".to_owned()))));
        assert_eq!(find(&[record(partner, child)], partner), None, "written by another member");
        assert_eq!(find(&own, child), None);
        assert_eq!(find(&[RecordView { deleted: true, ..record(partner, partner) }], partner), None);
    }
}
