//! Circles as people see them: who is in, and what waits for their word.

use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{Value, kind_named};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::circle::duties::DAY_MS;
use crate::circle::{Circle, freeze, log};
use crate::devices::DeviceNames;
use crate::record::all_views;
use crate::{Baken, BakenError};

/// A circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CircleView {
    /// The circle.
    pub circle: CircleId,
    /// What it is for.
    pub kind: CircleKind,
    /// What it is called; `None` for the dossier and until its name has come.
    pub name: Option<String>,
    /// How this device stands in it; `None` before it is in the log.
    pub own: Option<MemberState>,
    /// What this device may do.
    pub role: Option<MemberRole>,
    /// Everyone who is in it or waits.
    pub members: Vec<MemberView>,
    /// Six groups of five digits, to compare in person: they are the same on every device that sees the same members.
    pub safety_number: String,
    /// It has a recovery code.
    pub recoverable: bool,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberView {
    /// The device.
    pub device: DeviceId,
    /// What it is called; `None` until its name has come.
    pub name: Option<String>,
    /// What it may do.
    pub role: MemberRole,
    /// How it stands.
    #[serde(flatten)]
    pub state: MemberState,
    /// It is this one.
    pub this: bool,
}

/// What waits about a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// It was proposed as a further device of this person.
    Proposed,
    /// It was removed, and its owner may object.
    Leaving,
    /// It was frozen.
    Frozen,
}

/// Something that waits for this person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeView {
    /// The circle.
    pub circle: CircleId,
    /// What it is.
    pub kind: NoticeKind,
    /// The device it is about.
    pub device: DeviceId,
    /// What it is called, where that is known.
    pub name: Option<String>,
    /// The device that proposed it.
    pub by: Option<DeviceId>,
    /// It is about this very device.
    pub this: bool,
    /// When it takes effect by itself, by this device's clock; a freeze stays until it is lifted.
    pub takes_effect_at: Option<Timestamp>,
    /// Frozen because a duress PIN was used on it: when this device heard of that, by its own clock.
    pub duress_heard_at: Option<Timestamp>,
}

impl Baken {
    /// Every circle of this device, its own first.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn circles(&self) -> Result<Vec<CircleView>, BakenError> {
        self.with_settled(|open| {
            let connection = &open.vault.connection;
            open.circles.all().map(|circle| circle_view(connection, circle, open.keys.device)).collect()
        })
    }

    /// What waits for this person's word, in all circles.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn notices(&self) -> Result<Vec<NoticeView>, BakenError> {
        let heard = self.freezes_heard()?;
        self.with_settled(|open| {
            let connection = &open.vault.connection;
            let mut notices = Vec::new();
            for circle in open.circles.all() {
                let names = DeviceNames::read(connection, circle)?;
                for (member, state) in circle.membership().members() {
                    let (kind, by) = match state {
                        MemberState::Proposed { by } => (NoticeKind::Proposed, Some(by)),
                        MemberState::Leaving { .. } => (NoticeKind::Leaving, None),
                        MemberState::Frozen { .. } => (NoticeKind::Frozen, None),
                        MemberState::Active | MemberState::Gone { .. } => continue,
                    };
                    let seen = log::observed(connection, circle.row(), member.device)?;
                    let effect = seen.map(|seen| seen.plus_ms(DAY_MS)).filter(|_| kind != NoticeKind::Frozen);
                    notices.push(NoticeView {
                        circle: circle.id(),
                        kind,
                        device: member.device,
                        name: names.of(member.device),
                        by,
                        this: member.device == open.keys.device,
                        takes_effect_at: effect,
                        duress_heard_at: freeze::heard_at(open.circles.home(), member.device, &heard)
                            .filter(|_| kind == NoticeKind::Frozen),
                    });
                }
            }
            Ok(notices)
        })
    }
}

fn circle_view(connection: &Connection, circle: &Circle, device: DeviceId) -> Result<CircleView, BakenError> {
    let membership = circle.membership();
    let names = DeviceNames::read(connection, circle)?;
    let members = membership.members().filter(|(_, state)| !matches!(state, MemberState::Gone { .. }));
    Ok(CircleView {
        circle: circle.id(),
        kind: membership.kind(),
        name: name(connection, circle)?,
        own: membership.state(device),
        role: membership.member(device).map(|member| member.role),
        members: members
            .map(|(member, state)| MemberView {
                device: member.device,
                name: names.of(member.device),
                role: member.role,
                state,
                this: member.device == device,
            })
            .collect(),
        safety_number: membership.head().safety_number(&membership.root()),
        recoverable: membership.recovery().is_some(),
    })
}

fn name(connection: &Connection, circle: &Circle) -> Result<Option<String>, BakenError> {
    let kind = kind_named("circle").map(|kind| kind.number);
    let views = all_views(connection, circle, kind)?;
    let own = views.iter().find(|view| view.record == RecordId(circle.id().0));
    let values = own.into_iter().flat_map(|view| &view.fields).flat_map(|field| &field.values);
    Ok(values
        .filter_map(|value| match &value.value {
            Value::Text(name) => Some(name.clone()),
            _ => None,
        })
        .next_back())
}
