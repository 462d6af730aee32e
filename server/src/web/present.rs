//! From what the desk knows to what a page shows: every figure with its unit, every age reckoned, every warning in words.

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, Provenance, ReceiptState};

use crate::desk::{AlarmDetail, AlarmSummary, DeliveryView, FAMILY, HolderView, MapTiles, PassedOnView, SignatureView};
use crate::web::plan::Plan;
use crate::web::words::Words;
use baken_schemas::id::BlobId;
use baken_schemas::local_time::local;
use baken_schemas::time::Timestamp;

/// A fix older than this, in seconds, is shown as old.
const OLD_FIX_S: i64 = 120;

/// A position on a page.
#[derive(Debug)]
pub struct ShownPosition {
    /// Latitude and longitude.
    pub degrees: String,
    /// The Dutch grid.
    pub rd: Option<String>,
    /// `geo:` link.
    pub geo: String,
    /// "12 m".
    pub accuracy: String,
    /// How long ago the fix was made.
    pub age: String,
    /// It is old.
    pub is_old: bool,
    /// It came with an update.
    pub from_update: bool,
}

/// An alarm on a page.
#[derive(Debug)]
pub struct ShownAlarm {
    /// Its id.
    pub id: String,
    /// Nobody has it.
    pub ringing: bool,
    /// It is over.
    pub closed: bool,
    /// Nobody needs help: somebody, or a machine, tests the way.
    pub test: bool,
    /// An officer of this desk has it.
    pub taken_here: bool,
    /// What kind.
    pub kind: &'static str,
    /// How far.
    pub state: &'static str,
    /// Who calls.
    pub who: String,
    /// Office.
    pub office: String,
    /// Number, empty when unknown.
    pub phone: String,
    /// How long ago it came in.
    pub age: String,
    /// When it came in.
    pub received: String,
    /// What the signature proves.
    pub signature: String,
    /// It is proven.
    pub proven: bool,
    /// How it came to be.
    pub provenance: String,
    /// Why it could not be opened, empty when it was.
    pub unopened: &'static str,
    /// Words sent along.
    pub text: String,
    /// Where.
    pub position: Option<ShownPosition>,
    /// Why not.
    pub absent: &'static str,
    /// "61 %".
    pub battery: Option<String>,
    /// "Agent Jansen van Meldkamer Oost heeft dit alarm", or that nobody has, or that nothing followed.
    pub held: String,
    /// The receipt by which an officer of this desk has it; empty when none has.
    pub holding: String,
    /// Whether somebody verified it; empty where the state says so already.
    pub verification: &'static str,
    /// The caller must not be seen to have called.
    pub discreet: bool,
    /// The incident that it is part of; empty when it is in none.
    pub incident: String,
    /// "en nog 480 alarmen van dit toestel", empty when none are folded behind it.
    pub folded: String,
    /// What an officer must mind, most urgent first.
    pub warnings: Vec<&'static str>,
    /// That its content was destroyed; empty when it was not.
    pub shredded: String,
}

impl ShownAlarm {
    /// An alarm in a language.
    pub fn of(alarm: &AlarmSummary, words: &'static Words) -> Self {
        let name = alarm.person.as_ref().map(|person| person.name.as_str());
        let mut warnings = Vec::new();
        if alarm.duress {
            warnings.push(words.duress_warning);
        }
        if alarm.discreet {
            warnings.push(words.silent_warning);
        }
        if alarm.withdrawn {
            warnings.push(words.withdrawn_warning);
        }
        if alarm.withdrawn_elsewhere {
            warnings.push(words.withdrawn_elsewhere_warning);
        }
        let says = |holder: &HolderView, what: &str| {
            let officer = holder.officer.as_deref().unwrap_or(words.an_officer);
            format!("{officer} {} {} {what}", words.of_desk, holder.desk)
        };
        let held = match (&alarm.held_by, &alarm.had_by) {
            (Some(holder), _) => says(holder, words.has_it),
            (None, Some(holder)) => says(holder, words.had_it),
            (None, None) => words.no_one_has_it.to_owned(),
        };
        let here = alarm.held_by.as_ref().filter(|holder| holder.own);
        Self {
            id: alarm.alarm.to_string(),
            ringing: alarm.ringing,
            closed: alarm.state == ReceiptState::Closed,
            test: matches!(alarm.kind, Some(AlarmKind::Test | AlarmKind::Probe)),
            taken_here: here.is_some(),
            holding: here.map(|holder| holder.receipt.to_string()).unwrap_or_default(),
            kind: words.kind(alarm.kind),
            state: words.state(alarm.state),
            who: name.unwrap_or(words.unknown_sender).to_owned(),
            office: alarm.person.as_ref().map(|person| person.office.clone()).unwrap_or_default(),
            phone: alarm.person.as_ref().map(|person| person.phone.clone()).unwrap_or_default(),
            age: words.duration(alarm.age_s),
            received: local(alarm.received_at),
            signature: words.signature(alarm.signature, name),
            proven: alarm.signature == SignatureView::Proven,
            provenance: provenance(alarm, words),
            unopened: alarm.unopened.map(|why| words.unopened(why)).unwrap_or_default(),
            text: alarm.text.clone(),
            position: alarm.position.as_ref().map(|position| ShownPosition {
                degrees: format!("{}, {}", position.place.latitude, position.place.longitude),
                rd: position.place.rd.map(|(x, y)| format!("{x}, {y}")),
                geo: position.place.geo.clone(),
                accuracy: format!("{} {}", position.place.accuracy_m, words.metre),
                age: words.duration(position.age_now_s),
                is_old: position.age_now_s > OLD_FIX_S,
                from_update: position.from_update,
            }),
            absent: words.absent(alarm.position_absent),
            battery: alarm.battery_percent.map(|percent| format!("{percent} %")),
            held,
            verification: match (alarm.verified, alarm.state) {
                (_, ReceiptState::Verified) => "",
                (true, _) => words.verified_badge,
                (false, _) => words.not_verified,
            },
            discreet: alarm.discreet,
            incident: alarm.incident.map(|incident| incident.to_string()).unwrap_or_default(),
            folded: folded(alarm, words),
            warnings,
            shredded: String::new(),
        }
        .without_content(alarm.shredded_at, words)
    }

    /// What is left to show once its content was destroyed.
    fn without_content(self, shredded_at: Option<Timestamp>, words: &'static Words) -> Self {
        let Some(at) = shredded_at else { return self };
        Self {
            kind: words.shredded_kind,
            who: words.shredded_who.to_owned(),
            signature: String::new(),
            absent: "",
            shredded: format!("{} {}. {}", words.shredded, local(at), words.shredded_rest),
            ..self
        }
    }
}

fn folded(alarm: &AlarmSummary, words: &Words) -> String {
    match (alarm.folded, alarm.folded_ringing) {
        (0, _) => String::new(),
        (count, 0) => format!("+ {count} {}", words.folded),
        (count, ringing) => format!("+ {count} {}, {ringing} {}", words.folded, words.folded_ringing),
    }
}

/// The plan of an alarm's newest position and of those that updates brought before; `None` without one.
pub fn plan(detail: &AlarmDetail, map: Option<&MapTiles>, words: &Words) -> Option<Plan> {
    let now = &detail.summary.position.as_ref()?.place;
    let with_place =
        detail.updates.iter().filter_map(|update| Some((update.position.clone()?, local(update.received_at))));
    let first = detail.pressed_at.clone().map(|place| (place, local(detail.summary.received_at)));
    let before: Vec<_> = with_place.chain(first).filter(|(place, _)| place != now).collect();
    let way = if before.is_empty() { String::new() } else { format!(", {}", words.plan_way) };
    Plan::draw(now, &before, map, format!("{} {} m{way}", words.plan_shows, now.accuracy_m))
}

/// What a list shows as one: an alarm, or the alarms of an incident.
#[derive(Debug)]
pub struct ShownEntry {
    /// The incident; empty for a single alarm.
    pub incident: String,
    /// Its alarms.
    pub alarms: Vec<ShownAlarm>,
}

impl ShownEntry {
    /// Puts the alarms of an incident together, where the first of them stands.
    pub fn of(alarms: Vec<ShownAlarm>) -> Vec<Self> {
        let mut entries: Vec<Self> = Vec::new();
        for alarm in alarms {
            let of_it = entries.iter_mut().find(|entry| !alarm.incident.is_empty() && entry.incident == alarm.incident);
            match of_it {
                Some(entry) => entry.alarms.push(alarm),
                None => entries.push(Self { incident: alarm.incident.clone(), alarms: vec![alarm] }),
            }
        }
        entries
    }
}

/// A line with a heading, as on the card.
#[derive(Debug)]
pub struct Line {
    /// What it is.
    pub label: &'static str,
    /// What it says.
    pub text: String,
}

/// A moment in the course of an alarm.
#[derive(Debug)]
pub struct Moment {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// Who says it.
    pub by: String,
    /// What was said.
    pub text: String,
    /// Something about it that an officer must mind; empty when there is nothing.
    pub trouble: &'static str,
}

/// A photo or sound that goes along with an alarm.
#[derive(Debug)]
pub struct ShownAttachment {
    /// Its id.
    pub blob: BlobId,
    /// Where the browser finds it.
    pub path: String,
    /// It is to be heard; otherwise it is to be seen.
    pub is_sound: bool,
    /// All of it is here.
    pub here: bool,
    /// When the update that names it arrived.
    pub at: String,
}

/// An alarm's page.
#[derive(Debug)]
pub struct ShownDetail {
    /// What the list shows.
    pub alarm: ShownAlarm,
    /// The phone's own clock when it was made.
    pub made_at: String,
    /// What was agreed to do, a line each; empty when nothing was.
    pub instruction: Vec<String>,
    /// The person's account; empty when the sender is unknown.
    pub account: String,
    /// The numbers for verifying: to call back, to listen in.
    pub numbers: Vec<Line>,
    /// How, by whom and when it was verified; empty while it is not.
    pub verification: String,
    /// The card's lines; empty without a card.
    pub card: Vec<Line>,
    /// Receipts and notes, in order of arrival.
    pub course: Vec<Moment>,
    /// Photos and sound, the newest first.
    pub attachments: Vec<ShownAttachment>,
    /// Updates, the newest first.
    pub updates: Vec<Moment>,
    /// Alarms folded behind it, the newest first: id and moment.
    pub folded: Vec<(String, String)>,
    /// Deliveries.
    pub machines: Vec<Moment>,
    /// How long it is kept.
    pub keeping: String,
    /// An officer keeps it longer.
    pub is_held: bool,
}

impl ShownDetail {
    /// An alarm in a language.
    pub fn of(detail: &AlarmDetail, language: Language) -> Self {
        let words = Words::of(language);
        let keeping = match (&detail.keeping.held, detail.keeping.until) {
            (Some(held), _) => {
                format!(
                    "{} {} ({} {}): {}",
                    words.held,
                    held.officer,
                    words.since.to_lowercase(),
                    local(held.since),
                    held.why
                )
            }
            (None, Some(until)) => format!("{} {}.", words.kept_until, local(until)),
            (None, None) => words.kept_while_open.to_owned(),
        };
        Self {
            is_held: detail.keeping.held.is_some(),
            keeping,
            alarm: ShownAlarm::of(&detail.summary, words),
            made_at: detail.made_at.map(local).unwrap_or_default(),
            instruction: instruction(detail),
            account: detail.account.map(|account| account.to_string()).unwrap_or_default(),
            numbers: numbers(detail, words),
            verification: verification(detail, words),
            card: card(detail, words),
            course: course(detail, words),
            attachments: attachments(detail),
            updates: updates(detail, words),
            folded: folded_alarms(detail, words),
            machines: machines(detail, language),
        }
    }
}

fn instruction(detail: &AlarmDetail) -> Vec<String> {
    let agreed = detail.instruction.as_ref().map(|instruction| instruction.text.as_str()).unwrap_or_default();
    agreed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn numbers(detail: &AlarmDetail, words: &'static Words) -> Vec<Line> {
    let listen_in = detail.instruction.as_ref().map(|instruction| instruction.listen_in.clone());
    // Whom nobody may call back is not offered to be called back.
    let call_back = detail.call_back.clone().filter(|_| !detail.summary.discreet);
    let all = [(words.call_back, call_back), (words.listen_in, listen_in.filter(|number| !number.is_empty()))];
    all.into_iter().filter_map(|(label, text)| Some(Line { label, text: text? })).collect()
}

fn verification(detail: &AlarmDetail, words: &Words) -> String {
    let Some(verification) = &detail.summary.verification else { return String::new() };
    let how = verification.how.as_deref().unwrap_or_default();
    let officer = verification.officer.as_deref().unwrap_or(words.an_officer);
    format!("{}: {how} ({officer}, {}, {})", words.verified_badge, verification.desk, local(verification.at))
}

fn folded_alarms(detail: &AlarmDetail, words: &Words) -> Vec<(String, String)> {
    let shown = detail.folded_alarms.iter();
    shown
        .map(|one| (one.alarm.to_string(), format!("{} · {}", local(one.received_at), words.state(one.state))))
        .collect()
}

fn card(detail: &AlarmDetail, words: &'static Words) -> Vec<Line> {
    let Some(card) = &detail.card else { return Vec::new() };
    let contacts = card.contacts.join("; ");
    [
        (words.card_code_word, &card.code_word),
        (words.card_phone, &card.phone),
        (words.card_home, &card.home_address),
        (words.card_household, &card.household),
        (words.card_medical, &card.medical),
        (words.card_car, &card.car),
        (words.card_contacts, &contacts),
        (words.card_office, &card.office),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(label, text)| Line { label, text: text.clone() })
    .collect()
}

/// Who says something, in the page's language where that is no name.
fn named<'a>(by: &'a str, words: &'static Words) -> &'a str {
    if by == FAMILY { words.family } else { by }
}

fn course(detail: &AlarmDetail, words: &'static Words) -> Vec<Moment> {
    let receipts = detail.receipts.iter().map(|receipt| Moment {
        at: local(receipt.at),
        what: words.state(receipt.state).to_owned(),
        by: match &receipt.officer {
            Some(officer) => format!("{officer}, {}", named(&receipt.by, words)),
            None => named(&receipt.by, words).to_owned(),
        },
        text: receipt.text.clone().unwrap_or_default(),
        trouble: match receipt.sending {
            Some("waiting") => words.sending,
            Some("refused") => words.send_refused,
            _ => "",
        },
    });
    let notes = detail.notes.iter().map(|note| Moment {
        at: local(note.received_at),
        what: words.note(note.note).to_owned(),
        by: words.signature(note.signature, None),
        text: if note.duress { words.with_duress.to_owned() } else { String::new() },
        trouble: if note.duress { words.duress_warning } else { "" },
    });
    let passed_on = detail.passed_on.iter().map(|passed| passed_on(passed, words));
    receipts.chain(passed_on).chain(notes).collect()
}

fn passed_on(passed: &PassedOnView, words: &'static Words) -> Moment {
    Moment {
        at: local(passed.at),
        what: match &passed.to {
            Some(to) => format!("{} {to}", words.handed_on_to),
            None => words.next_rung_called.to_owned(),
        },
        by: match &passed.officer {
            Some(officer) => format!("{officer}, {}", named(&passed.by, words)),
            None => named(&passed.by, words).to_owned(),
        },
        text: passed.text.clone().unwrap_or_default(),
        trouble: match passed.sending {
            Some("waiting") => words.sending,
            Some("refused") if passed.to.is_none() => words.top_of_ladder,
            Some("refused") => words.send_refused,
            _ => "",
        },
    }
}

fn attachments(detail: &AlarmDetail) -> Vec<ShownAttachment> {
    let named = detail.updates.iter().filter_map(|update| Some((update.received_at, update.attachment?)));
    let shown = named.map(|(received_at, attachment)| ShownAttachment {
        blob: attachment.blob,
        path: format!("/alarms/{}/attachments/{}", detail.summary.alarm, attachment.blob),
        is_sound: attachment.media.is_sound(),
        here: attachment.here,
        at: local(received_at),
    });
    shown.collect()
}

fn updates(detail: &AlarmDetail, words: &'static Words) -> Vec<Moment> {
    let shown = detail.updates.iter().filter(|update| update.attachment.is_none()).map(|update| {
        let place = update.position.as_ref().map(|place| {
            format!(
                "{}, {} ({} {} {})",
                place.latitude, place.longitude, words.accurate_to, place.accuracy_m, words.metre
            )
        });
        Moment {
            at: local(update.received_at),
            what: place.unwrap_or_else(|| words.no_position.to_owned()),
            by: update.battery_percent.map(|percent| format!("{} {percent} %", words.battery)).unwrap_or_default(),
            text: update.text.clone(),
            trouble: "",
        }
    });
    shown.collect()
}

fn machines(detail: &AlarmDetail, language: Language) -> Vec<Moment> {
    detail.deliveries.iter().map(|delivery| machine(delivery, language)).collect()
}

/// A message to a machine: how far it is, after how many tries, and why not further.
pub fn machine(delivery: &DeliveryView, language: Language) -> Moment {
    let words = Words::of(language);
    let to = delivery.to.as_ref().map(|to| format!(" {} {to}", words.to_whom)).unwrap_or_default();
    let answer = delivery.answer.as_ref().map(|answer| format!("{} {answer}", words.answered));
    let why = delivery.why.map(|why| why.text(language));
    let kind = words.channel_kind(delivery.channel);
    Moment {
        at: delivery.tried_at.map(local).unwrap_or_default(),
        what: format!("{} ({kind}){to}: {}", delivery.name, words.delivery(delivery.state)),
        by: if delivery.test { words.a_test.to_owned() } else { words.state(delivery.event).to_owned() },
        text: [answer, why, Some(format!("{} {}", delivery.attempts, words.tries))]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; "),
        trouble: if delivery.state == "failed" { words.delivery("failed") } else { "" },
    }
}

/// How an alarm came to be; and that it came by text message too, where it came by data.
fn provenance(alarm: &AlarmSummary, words: &Words) -> String {
    let Some(how) = &alarm.provenance else { return String::new() };
    let said = words.provenance(how);
    if alarm.by_text && *how == Provenance::Phone { format!("{said}, {}", words.also_by_text) } else { said }
}
