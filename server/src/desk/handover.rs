//! The hand-over to 112: what an officer reads aloud, in Dutch or English, made of what the desk knows at that moment. Who,
//! where with how accurate and how old, what, since when, what is known, whom to call back. Nothing that is not proven is
//! said as if it were.

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, ReceiptState};
use baken_schemas::id::AlarmId;
use baken_schemas::local_time::local;
use serde::Serialize;

use super::officers::Officer;
use super::{AlarmDetail, AlarmSummary, Desk, DeskError, SignatureView};
use crate::audit;
use crate::store::Priority;

/// The text in both languages, a line each.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Handover {
    /// In Dutch.
    pub nl: Vec<String>,
    /// In English.
    pub en: Vec<String>,
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handover(…)")
    }
}

impl Desk {
    /// What to read aloud to 112; `None` when there is no such alarm. Who asked for it is in the audit.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn handover(&self, alarm: AlarmId, officer: &Officer) -> Result<Option<Handover>, DeskError> {
        let Some(detail) = self.alarm(alarm)? else { return Ok(None) };
        let desk = self.name();
        let [nl, en] = [Language::Nl, Language::En].map(|language| lines(&detail, &desk, language));
        let (now, actor, subject) = (self.now(), officer.id.to_string(), alarm.to_string());
        self.store
            .write(Priority::Alarm, move |db| {
                let event =
                    audit::Event { at: now, actor: &actor, act: "handover_made", subject: &subject, result: "ok" };
                audit::append(db, &event)?;
                Ok::<_, DeskError>(())
            })
            .await?;
        Ok(Some(Handover { nl, en }))
    }
}

fn lines(detail: &AlarmDetail, desk: &str, language: Language) -> Vec<String> {
    let summary = &detail.summary;
    let label = |nl: &'static str, en: &'static str, said: String| format!("{}: {said}.", language.pick(nl, en));
    let mut lines = vec![language.pick("Dit is", "This is").to_owned() + &format!(" {desk}.")];
    lines.push(label("Wie", "Who", who(summary, language)));
    lines.push(label("Waar", "Where", place(summary, language)));
    if let Some(card) = detail.card.as_ref().filter(|card| !card.home_address.is_empty()) {
        lines.push(label("Woonadres", "Home address", card.home_address.clone()));
    }
    lines.push(label("Wat", "What", what(summary, language)));
    lines.push(label("Sinds", "Since", since(summary, language)));
    lines.push(label("Gecontroleerd", "Verified", verified(summary, language)));
    if let Some(underway) = detail.receipts.iter().rfind(|receipt| receipt.state == ReceiptState::Underway) {
        let what = underway.text.clone().unwrap_or_else(|| language.pick("hulp", "help").to_owned());
        lines.push(label("Al onderweg", "On its way already", format!("{what} ({})", underway.by)));
    }
    if let Some(card) = detail.card.as_ref().filter(|card| !card.medical.is_empty()) {
        lines.push(label("Medisch", "Medical", card.medical.clone()));
    }
    lines.push(label("Terugbellen", "Call back", call_back(detail, language)));
    lines
}

fn who(summary: &AlarmSummary, language: Language) -> String {
    let Some(person) = &summary.person else {
        return language.pick("niet bekend", "not known").to_owned();
    };
    let name = format!("{}, {}", person.name, person.office);
    match summary.signature {
        SignatureView::Proven => name,
        _ => format!("{name} ({})", language.pick("niet bewezen", "not proven")),
    }
}

fn place(summary: &AlarmSummary, language: Language) -> String {
    let Some(position) = &summary.position else {
        return language.pick("plaats niet bekend", "position not known").to_owned();
    };
    let place = &position.place;
    let degrees = format!("{} {}", language.pick("breedte", "latitude"), place.latitude)
        + &format!(", {} {}", language.pick("lengte", "longitude"), place.longitude);
    let rd = place.rd.map(|(x, y)| format!(" (RD {x}, {y})")).unwrap_or_default();
    let accuracy = language.pick("nauwkeurig tot", "accurate to");
    let metres = language.pick("meter", "metres");
    let age = duration(position.age_now_s, language);
    match language {
        Language::Nl => format!("{degrees}{rd}, {accuracy} {} {metres}, {age} geleden gemeten", place.accuracy_m),
        Language::En => format!("{degrees}{rd}, {accuracy} {} {metres}, measured {age} ago", place.accuracy_m),
    }
}

fn what(summary: &AlarmSummary, language: Language) -> String {
    let kind = match summary.kind {
        _ if summary.duress => {
            language.pick("gedwongen: er is een dwangcode gebruikt", "forced: a duress PIN was used")
        }
        Some(AlarmKind::Silent) => language
            .pick("stil alarm: de persoon mag niet gebeld worden", "silent alarm: the person must not be called"),
        Some(AlarmKind::Panic) => language.pick("noodalarm", "emergency alarm"),
        Some(AlarmKind::Medical) => language.pick("medisch noodgeval", "medical emergency"),
        Some(AlarmKind::Duress) => language.pick("gedwongen", "forced"),
        Some(AlarmKind::Button) => language.pick("vaste alarmknop", "fixed alarm button"),
        Some(AlarmKind::Missed) => language.pick("meldde zich niet op tijd", "did not check in in time"),
        Some(AlarmKind::Test | AlarmKind::Probe) => language.pick("TEST, geen echt alarm", "TEST, no real alarm"),
        Some(AlarmKind::Trouble) => language.pick("storing, geen noodoproep", "trouble, no call for help"),
        None => language.pick("alarm dat niet te openen is", "alarm that cannot be opened"),
    };
    if summary.text.is_empty() { kind.to_owned() } else { format!("{kind}; {}", summary.text.trim_end_matches('.')) }
}

fn since(summary: &AlarmSummary, language: Language) -> String {
    let ago = duration(summary.age_s, language);
    format!("{}, {ago} {}", local(summary.received_at), language.pick("geleden", "ago"))
}

fn verified(summary: &AlarmSummary, language: Language) -> String {
    let Some(verification) = &summary.verification else {
        return language.pick("nog niet", "not yet").to_owned();
    };
    let how = verification.how.clone().unwrap_or_default();
    let officer = verification.officer.as_deref().unwrap_or(language.pick("een medewerker", "an officer"));
    format!("{how} ({officer}, {}, {})", verification.desk, local(verification.at))
}

/// Of whom must not be called, no number is read aloud as one to call.
fn call_back(detail: &AlarmDetail, language: Language) -> String {
    let number = detail.call_back.clone();
    let known = match number {
        Some(number) if detail.summary.discreet => format!(
            "{} {number}",
            language.pick(
                "niet de persoon zelf, die wordt misschien gezien; nummer",
                "not the person, who may be watched; number"
            )
        ),
        Some(number) => format!("{} {number}", language.pick("de persoon op", "the person at")),
        None => language.pick("geen nummer van de persoon bekend", "no number of the person known").to_owned(),
    };
    match detail.instruction.as_ref().filter(|instruction| !instruction.listen_in.is_empty()) {
        Some(instruction) => {
            format!("{known}; {} {}", language.pick("meeluisteren op", "listen in at"), instruction.listen_in)
        }
        None => known,
    }
}

fn duration(seconds: i64, language: Language) -> String {
    let seconds = seconds.max(0);
    let (number, nl, en) = match seconds {
        0..120 => (seconds, "seconden", "seconds"),
        120..7_200 => (seconds / 60, "minuten", "minutes"),
        7_200..172_800 => (seconds / 3_600, "uur", "hours"),
        _ => (seconds / 86_400, "dagen", "days"),
    };
    format!("{number} {}", language.pick(nl, en))
}
