//! What the bridge writes into an alarm, in the language of its settings.

use baken_schemas::Language;
use baken_schemas::time::Timestamp;

use super::Button;
use super::buttons::TroubleKind;
use crate::dc09::Message;
use crate::dc09::data::read_text;

/// The most characters of what a button's message says, far below what an alarm holds.
const MAX_WORDS: usize = 400;

/// What the desk reads beside the button's name: the text and the zones that came, and a position as text, since DC-09
/// does not say how good or how old one is.
pub(super) fn of_message(message: &Message, zones: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(read_text(&message.content.data).map(str::to_owned));
    words.extend(message.content.element('I').map(str::to_owned));
    let zones: Vec<&str> = zones.iter().copied().filter(|zone| !zone.is_empty()).collect();
    if !zones.is_empty() {
        words.push(format!("zone {}", zones.join(", ")));
    }
    if let Some((latitude_e7, longitude_e7)) = message.content.position_e7() {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        words.push(format!("{:.5}, {:.5}", degrees(latitude_e7), degrees(longitude_e7)));
    }
    words.join("; ").chars().take(MAX_WORDS).collect()
}

/// That the battery is low, beside a press.
pub(super) fn battery_low_since(language: Language, since: Timestamp) -> String {
    let since = since.to_rfc3339();
    language.pick(format!("batterij zwak sinds {since}"), format!("battery low since {since}"))
}

/// Something is wrong with a button.
pub(super) fn trouble(language: Language, button: &Button, kind: TroubleKind, since: Option<Timestamp>) -> String {
    let name = &button.label();
    let agreed_s = button.supervise_ms / 1000;
    match (kind, since.map(Timestamp::to_rfc3339)) {
        (TroubleKind::Silent, Some(since)) => language.pick(
            format!("Knop {name} is niet meer gehoord sinds {since}; afgesproken is elke {agreed_s} s."),
            format!("Button {name} has not been heard since {since}; agreed is every {agreed_s} s."),
        ),
        (TroubleKind::Silent, None) => language.pick(
            format!("Knop {name} is nog nooit gehoord; afgesproken is elke {agreed_s} s."),
            format!("Button {name} has never been heard; agreed is every {agreed_s} s."),
        ),
        (TroubleKind::BatteryLow, _) => language
            .pick(format!("De batterij van knop {name} is zwak."), format!("The battery of button {name} is low.")),
        (TroubleKind::Unreachable, _) => language.pick(
            format!("Het paneel meldt dat knop {name} niet bereikbaar is."),
            format!("The panel says that button {name} cannot be reached."),
        ),
    }
}

/// It is over.
pub(super) fn over(language: Language, button: &Button, kind: TroubleKind, at: Timestamp) -> String {
    let (name, at) = (&button.label(), at.to_rfc3339());
    match kind {
        TroubleKind::Silent => {
            language.pick(format!("Knop {name} is weer gehoord: {at}."), format!("Button {name} is heard again: {at}."))
        }
        TroubleKind::BatteryLow => language.pick(
            format!("De batterij van knop {name} is weer goed: {at}."),
            format!("The battery of button {name} is well again: {at}."),
        ),
        TroubleKind::Unreachable => language.pick(
            format!("Knop {name} is weer bereikbaar: {at}."),
            format!("Button {name} can be reached again: {at}."),
        ),
    }
}

/// A button that sends that its alarm is over.
pub(super) fn restored(language: Language, button: &Button) -> String {
    let name = button.label();
    language.pick(
        format!("Knop {name} meldt herstel. Wie dat deed, is niet bekend."),
        format!("Button {name} reports a restoral. Who did it is not known."),
    )
}
