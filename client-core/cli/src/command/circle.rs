//! `baken circle`: who shares what, and what an owner does about it. Anything that the relay must take is sent at once.

use baken_core::circle::{CircleView, MemberView, NoticeKind, NoticeView};
use baken_core::transport::http::{Dates, HttpTransport};
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::{pair, short};
use crate::args::{Arguments, CircleCommand, GuestRole, Sharing};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text::{self, Text};

pub async fn run(arguments: &Arguments, command: &CircleCommand, out: &Output) -> Result<End, Failure> {
    match command {
        CircleCommand::List => list(arguments, out),
        CircleCommand::Show { circle } => show(arguments, circle, out),
        CircleCommand::Create { kind, name } => create(arguments, *kind, name, out),
        CircleCommand::Invite { circle, code, viewer, with_confidential } => {
            let role = if *viewer { MemberRole::Viewer } else { MemberRole::Member };
            pair::accept(arguments, code, Some((circle.as_str(), role)), *with_confidential, out).await
        }
        CircleCommand::Remove { circle, device } => remove(arguments, circle, device, out).await,
        CircleCommand::Leave { circle } => leave(arguments, circle, out).await,
        CircleCommand::Role { circle, device, role } => set_role(arguments, circle, device, *role, out).await,
        CircleCommand::Freeze { circle, device } => freeze(arguments, circle, device, out).await,
        CircleCommand::Veto { device } => veto(arguments, device.as_deref(), out).await,
        CircleCommand::Confirm { device } => confirm(arguments, device, out).await,
    }
}

fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let (circles, notices) = (baken.circles()?, baken.notices()?);
    out.json(&json!({"circles": circles}));
    for circle in &circles {
        tell_members(circle, &notices, out);
    }
    Ok(End::Done)
}

fn show(arguments: &Arguments, circle: &str, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let (circles, notices) = (baken.circles()?, baken.notices()?);
    let circle = find_circle(&circles, circle)?;
    out.json(&json!(circle));
    tell_members(circle, &notices, out);
    if is_out(circle) {
        return Ok(End::Done);
    }
    let lang = out.language;
    // A guest has no code, and no word in it.
    if circle.role == Some(MemberRole::Owner) {
        let recoverable = if circle.recoverable { text::RECOVERABLE } else { text::NOT_RECOVERABLE };
        out.line(recoverable.of(lang));
    }
    out.line(text::SAFETY_NUMBER.with(lang, &[&out.paint(Colour::Green, &circle.safety_number)]));
    out.line(text::SAFETY_COMPARE.of(lang));
    Ok(End::Done)
}

fn create(arguments: &Arguments, kind: Sharing, name: &str, out: &Output) -> Result<End, Failure> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::Input("no_name"));
    }
    let baken = Phone::unlocked(arguments, out)?.baken;
    let kind = match kind {
        Sharing::Family => CircleKind::Family,
        Sharing::Case => CircleKind::Case,
    };
    let circle = baken.found_circle(kind, name)?;
    out.json(&json!({"circle": circle, "kind": kind, "name": name}));
    out.line(text::CIRCLE_FOUNDED.with(out.language, &[name, &short(circle)]));
    Ok(End::Done)
}

/// A device in a circle that something is to be done about, and the way to the relay.
struct Act {
    phone: Phone,
    relay: HttpTransport,
    circle: CircleView,
}

impl Act {
    fn new(phone: Phone, circle: &str) -> Result<Self, Failure> {
        let circle = find_circle(&phone.baken.circles()?, circle)?.clone();
        let relay = phone.relay(Dates::Checked)?;
        Ok(Self { phone, relay, circle })
    }

    fn member(&self, typed: &str) -> Result<&MemberView, Failure> {
        let known: Vec<(DeviceId, Option<&str>)> =
            self.circle.members.iter().map(|member| (member.device, member.name.as_deref())).collect();
        let device = find_named(&known, typed, BakenError::NoSuchDevice.into())?;
        let mut members = self.circle.members.iter();
        Ok(members.find(|member| member.device == device).ok_or(BakenError::NoSuchDevice)?)
    }

    /// What the other circles of this person need after something happened in one: the next sync does it as well, so
    /// this is no failure without a connection.
    async fn settle(&self, out: &Output) {
        if self.phone.baken.sync(&self.relay).await.is_err() {
            out.line(out.paint(Colour::Yellow, text::REST_AT_SYNC.of(out.language)));
        }
    }

    /// Says how the device stands now; `None` when it is out.
    fn tell(&self, device: DeviceId, out: &Output) -> Result<Option<MemberState>, Failure> {
        let circles = self.phone.baken.circles()?;
        let now = circles.iter().find(|circle| circle.circle == self.circle.circle);
        let mut members = now.into_iter().flat_map(|circle| &circle.members);
        let state = members.find(|member| member.device == device).map(|member| member.state);
        out.json(&json!({"circle": self.circle.circle, "device": device, "state": state_word(state)}));
        Ok(state)
    }
}

async fn remove(arguments: &Arguments, circle: &str, device: &str, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let act = Act::new(phone, circle)?;
    let member = act.member(device)?;
    if member.this {
        return Err(Failure::Input("remove_itself"));
    }
    let name = device_name(member.name.as_deref(), member.device);
    let refused = act.phone.baken.remove_device(&act.relay, act.circle.circle, member.device, &pin).await;
    refused.map_err(by_rules)?;
    let now = act.tell(member.device, out)?;
    out.line(text::DEVICE_OUT.with(out.language, &[&name, &circle_name(&act.circle, out.language)]));
    if matches!(now, Some(MemberState::Leaving { .. })) {
        out.line(text::OWNER_MAY_OBJECT.of(out.language));
    }
    act.settle(out).await;
    Ok(End::Done)
}

async fn leave(arguments: &Arguments, circle: &str, out: &Output) -> Result<End, Failure> {
    let act = Act::new(Phone::unlocked(arguments, out)?, circle)?;
    let in_it = |member: &&MemberView| member.state == MemberState::Active;
    let others_stay = act.circle.members.iter().filter(in_it).any(|member| !member.this);
    let owners = act.circle.members.iter().filter(in_it).filter(|member| member.role == MemberRole::Owner);
    if others_stay && act.circle.role == Some(MemberRole::Owner) && owners.count() == 1 {
        return Err(Failure::Input("last_owner"));
    }
    act.phone.baken.leave_circle(&act.relay, act.circle.circle).await.map_err(by_rules)?;
    out.json(&json!({"circle": act.circle.circle, "left": true}));
    out.line(text::LEFT.with(out.language, &[&circle_name(&act.circle, out.language)]));
    out.line(text::NOT_IN_CIRCLE.of(out.language));
    Ok(End::Done)
}

async fn set_role(
    arguments: &Arguments,
    circle: &str,
    device: &str,
    role: GuestRole,
    out: &Output,
) -> Result<End, Failure> {
    let act = Act::new(Phone::unlocked(arguments, out)?, circle)?;
    let member = act.member(device)?;
    if member.role == MemberRole::Owner {
        return Err(Failure::Input("role_of_owner"));
    }
    let role = match role {
        GuestRole::Member => MemberRole::Member,
        GuestRole::Viewer => MemberRole::Viewer,
    };
    // The log takes a role that a device has already, and would grow for nothing.
    if member.role != role {
        let refused = act.phone.baken.set_role(&act.relay, act.circle.circle, member.device, role).await;
        refused.map_err(by_rules)?;
    }
    out.json(&json!({"circle": act.circle.circle, "device": member.device, "role": role}));
    let name = device_name(member.name.as_deref(), member.device);
    out.line(text::ROLE_IS.with(out.language, &[&name, role_text(role).of(out.language)]));
    Ok(End::Done)
}

async fn freeze(arguments: &Arguments, circle: &str, device: &str, out: &Output) -> Result<End, Failure> {
    let act = Act::new(Phone::unlocked(arguments, out)?, circle)?;
    let member = act.member(device)?;
    act.phone.baken.freeze_device(&act.relay, act.circle.circle, member.device).await.map_err(by_rules)?;
    act.tell(member.device, out)?;
    let name = device_name(member.name.as_deref(), member.device);
    out.line(text::FROZEN.with(out.language, &[&name, &circle_name(&act.circle, out.language), &short(member.device)]));
    Ok(End::Done)
}

async fn veto(arguments: &Arguments, device: Option<&str>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let relay = phone.relay(Dates::Checked)?;
    // Nobody lets itself in, or lifts its own freeze.
    let can_object = |notice: &NoticeView| !notice.this || notice.kind == NoticeKind::Leaving;
    let waiting = waiting(&phone, &relay, can_object).await?;
    let device = one_of(&waiting, device)?;
    let about: Vec<&NoticeView> = waiting.iter().filter(|notice| notice.device == device).collect();
    for notice in &about {
        phone.baken.veto(&relay, notice.circle, device).await.map_err(by_rules)?;
        let name = device_name(notice.name.as_deref(), device);
        let said = if notice.kind == NoticeKind::Proposed { text::STAYS_OUT } else { text::IS_BACK };
        out.json(&json!({"circle": notice.circle, "device": device, "objected_to": notice.kind}));
        out.line(said.with(out.language, &[&name]));
    }
    if phone.baken.sync(&relay).await.is_err() {
        out.line(out.paint(Colour::Yellow, text::REST_AT_SYNC.of(out.language)));
    }
    Ok(End::Done)
}

async fn confirm(arguments: &Arguments, device: &str, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let relay = phone.relay(Dates::Checked)?;
    let waiting = waiting(&phone, &relay, |notice| notice.kind == NoticeKind::Proposed).await?;
    let device = one_of(&waiting, Some(device))?;
    let own = phone.baken.status()?.device;
    for notice in waiting.iter().filter(|notice| notice.device == device) {
        if notice.by == Some(own) || notice.this {
            return Err(Failure::Input("confirm_elsewhere"));
        }
        phone.baken.confirm_device(&relay, notice.circle, device, &pin).await.map_err(by_rules)?;
        out.json(&json!({"circle": notice.circle, "device": device, "state": "active"}));
        out.line(text::LET_IN.with(out.language, &[&device_name(notice.name.as_deref(), device)]));
    }
    if phone.baken.sync(&relay).await.is_err() {
        out.line(out.paint(Colour::Yellow, text::REST_AT_SYNC.of(out.language)));
    }
    Ok(End::Done)
}

/// What waits; looked for at the relay when nothing is known of here.
async fn waiting(
    phone: &Phone,
    relay: &HttpTransport,
    wanted: impl Fn(&NoticeView) -> bool,
) -> Result<Vec<NoticeView>, Failure> {
    let known = |baken: &Baken| Ok::<_, Failure>(baken.notices()?.into_iter().filter(&wanted).collect::<Vec<_>>());
    let here = known(&phone.baken)?;
    if !here.is_empty() {
        return Ok(here);
    }
    phone.baken.sync(relay).await?;
    let there = known(&phone.baken)?;
    if there.is_empty() { Err(Failure::Input("nothing_waits")) } else { Ok(there) }
}

/// The device that was named, or the only one there is.
fn one_of(waiting: &[NoticeView], typed: Option<&str>) -> Result<DeviceId, Failure> {
    let mut known: Vec<(DeviceId, Option<&str>)> = Vec::new();
    for notice in waiting {
        if !known.iter().any(|(device, _)| *device == notice.device) {
            known.push((notice.device, notice.name.as_deref()));
        }
    }
    match (typed, known.as_slice()) {
        (Some(typed), known) => find_named(known, typed, Failure::Input("nothing_waits")),
        (None, [(only, _)]) => Ok(*only),
        (None, _) => Err(Failure::Input("several_wait")),
    }
}

/// The circle of this name or id; `dossier` is this device's own.
///
/// # Errors
/// [`BakenError::NoSuchCircle`], or that there are several.
pub fn find_circle<'a>(circles: &'a [CircleView], typed: &str) -> Result<&'a CircleView, Failure> {
    if typed.eq_ignore_ascii_case("dossier")
        && let Some(own) = circles.first()
    {
        return Ok(own);
    }
    let known: Vec<(CircleId, Option<&str>)> =
        circles.iter().map(|circle| (circle.circle, circle.name.as_deref())).collect();
    let id = find_named(&known, typed, BakenError::NoSuchCircle.into())?;
    Ok(circles.iter().find(|circle| circle.circle == id).ok_or(BakenError::NoSuchCircle)?)
}

/// The one of this whole id; else the one of this name or start of an id. A name that looks like another's id makes it
/// ambiguous: whoever chose that name must not be mistaken for the other.
///
/// # Errors
/// `none`, or that there are several.
pub fn find_named<Id>(known: &[(Id, Option<&str>)], typed: &str, none: Failure) -> Result<Id, Failure>
where
    Id: Copy + PartialEq + std::fmt::Display + std::str::FromStr,
{
    let typed = typed.trim();
    if let Ok(id) = typed.parse::<Id>()
        && known.iter().any(|(known, _)| *known == id)
    {
        return Ok(id);
    }
    let (name, start) = (typed.to_lowercase(), typed.to_ascii_lowercase());
    let fits = |(id, called): &&(Id, Option<&str>)| {
        called.is_some_and(|called| called.to_lowercase() == name) || id.to_string().starts_with(&start)
    };
    let mut fitting = known.iter().filter(|_| !typed.is_empty()).filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some((only, _)), None) => Ok(*only),
        (Some(_), Some(_)) => Err(Failure::Input("ambiguous")),
        (None, _) => Err(none),
    }
}

/// What the circle's own rules refuse is not unexpected.
fn by_rules(error: BakenError) -> Failure {
    match error {
        BakenError::Format(_) => Failure::Input("circle_rules"),
        other => other.into(),
    }
}

/// What a circle is called.
pub fn circle_name(circle: &CircleView, language: Language) -> String {
    circle.name.clone().unwrap_or_else(|| kind_text(circle.kind).of(language).to_owned())
}

/// What a device is called, or the start of its id until its name has come.
pub fn device_name(name: Option<&str>, device: DeviceId) -> String {
    name.map_or_else(|| short(device), str::to_owned)
}

fn kind_text(kind: CircleKind) -> Text {
    match kind {
        CircleKind::Dossier => text::DOSSIER,
        CircleKind::Family => text::FAMILY,
        CircleKind::Case => text::CASE,
    }
}

fn role_text(role: MemberRole) -> Text {
    match role {
        MemberRole::Owner => text::OWNER,
        MemberRole::Member => text::MEMBER,
        MemberRole::Viewer => text::VIEWER,
    }
}

/// How a member stands, for programs.
pub fn state_word(state: Option<MemberState>) -> &'static str {
    match state {
        Some(MemberState::Active) => "active",
        Some(MemberState::Proposed { .. }) => "proposed",
        Some(MemberState::Frozen { .. }) => "frozen",
        Some(MemberState::Leaving { .. }) => "leaving",
        Some(MemberState::Gone { .. }) | None => "gone",
    }
}

/// How a member stands, for people; nothing when all is as it should be.
pub fn state_text(state: MemberState, takes_effect_at: Option<Timestamp>, language: Language) -> String {
    let until = takes_effect_at.map(Timestamp::to_rfc3339);
    match (state, until) {
        (MemberState::Active, _) => String::new(),
        (MemberState::Proposed { .. }, Some(until)) => text::WAITS_UNTIL.with(language, &[&until]),
        (MemberState::Proposed { .. }, None) => text::WAITS.of(language).to_owned(),
        (MemberState::Leaving { .. }, Some(until)) => text::REMOVED_UNTIL.with(language, &[&until]),
        (MemberState::Leaving { .. } | MemberState::Gone { .. }, _) => text::REMOVED.of(language).to_owned(),
        (MemberState::Frozen { .. }, _) => text::IS_FROZEN.of(language).to_owned(),
    }
}

/// When what waits about a device takes effect.
pub fn effect_of(notices: &[NoticeView], circle: CircleId, device: DeviceId) -> Option<Timestamp> {
    notices.iter().find(|notice| (notice.circle, notice.device) == (circle, device))?.takes_effect_at
}

/// Whether this device gets nothing new from the circle. A guest is not told why or by whom; an owner may object.
pub fn is_out(circle: &CircleView) -> bool {
    match circle.own {
        Some(MemberState::Gone { .. }) => true,
        Some(MemberState::Leaving { .. } | MemberState::Frozen { .. }) => circle.role != Some(MemberRole::Owner),
        Some(MemberState::Active | MemberState::Proposed { .. }) | None => false,
    }
}

fn tell_members(circle: &CircleView, notices: &[NoticeView], out: &Output) {
    let lang = out.language;
    let kind = kind_text(circle.kind).of(lang);
    let name = circle.name.as_deref().map(|name| format!("{name}  ")).unwrap_or_default();
    let role = circle.role.filter(|_| !is_out(circle)).map(|role| role_text(role).of(lang)).unwrap_or_default();
    out.line(format!("{name}{kind}  {}  {role}", short(circle.circle)).trim_end());
    if is_out(circle) {
        out.line(format!("  {}", text::NOT_IN_CIRCLE.of(lang)));
        return;
    }
    for member in &circle.members {
        let name = device_name(member.name.as_deref(), member.device);
        let state = state_text(member.state, effect_of(notices, circle.circle, member.device), lang);
        let this = if member.this { text::THIS.of(lang) } else { "" };
        let role = role_text(member.role).of(lang);
        let tail: Vec<&str> = [this, state.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
        out.line(format!("  {}  {name:<20}  {role:<9}  {}", short(member.device), tail.join(", ")).trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_anothers_id_is_not_mistaken_for_it() {
        let (tablet, stranger) = (DeviceId([0xab; 16]), DeviceId([0x12; 16]));
        let none = || Failure::Input("none");
        let honest = [(tablet, Some("Tablet")), (stranger, Some("Telefoon"))];
        for typed in ["tablet", "abab", &tablet.to_string()] {
            assert!(matches!(find_named(&honest, typed, none()), Ok(found) if found == tablet), "{typed}");
        }
        for typed in ["", "cd"] {
            assert!(matches!(find_named(&honest, typed, none()), Err(Failure::Input("none"))), "{typed}");
        }
        let named_alike = [(tablet, Some("Tablet")), (stranger, Some("abab"))];
        assert!(matches!(find_named(&named_alike, "abab", none()), Err(Failure::Input("ambiguous"))));
        let whole = tablet.to_string();
        let named_whole = [(tablet, None), (stranger, Some(whole.as_str()))];
        assert!(matches!(find_named(&named_whole, &whole, none()), Ok(found) if found == tablet));
    }
}
