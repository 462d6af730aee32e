//! What the words of the lists are called.

use baken_schemas::Language;

/// A word of [`baken_schemas::record::words`] as people say it; one of a newer version as it is.
pub fn label(word: &str, language: Language) -> &str {
    let (nl, en) = match word {
        "angry-resident" => ("boze inwoner", "angry resident"),
        "confused-person" => ("verward persoon", "confused person"),
        "organised-crime" => ("georganiseerde criminaliteit", "organised crime"),
        "unknown" => ("onbekend", "unknown"),
        "aangifte" => ("aangifte gedaan", "reported as a crime (aangifte)"),
        "melding" => ("melding gedaan", "reported without complaint (melding)"),
        "none-yet" => ("nog niet gemeld", "not reported yet"),
        "own" => ("zelf", "own"),
        "received" => ("ontvangen", "received"),
        "screenshot" => ("schermafdruk", "screenshot"),
        "camera" => ("camera", "camera"),
        "witness" => ("getuige", "witness"),
        "public" => ("openbaar", "public"),
        "same-perpetrator" => ("zelfde dader", "same perpetrator"),
        "same-event" => ("zelfde gebeurtenis", "same event"),
        "follow-up" => ("vervolg", "follow-up"),
        "related" => ("hangt samen", "related"),
        other => (other, other),
    };
    language.pick(nl, en)
}
