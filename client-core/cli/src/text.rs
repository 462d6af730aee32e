//! Every sentence the command line prints, Dutch and English side by side. What an alarm's state is called is in the
//! core (`alarm/words.rs`), so that every app says it alike.

use baken_core::BakenError;
use baken_schemas::Language;

/// A sentence in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    nl: &'static str,
    en: &'static str,
}

impl Text {
    const fn new(nl: &'static str, en: &'static str) -> Self {
        Self { nl, en }
    }

    /// The sentence.
    pub fn of(self, language: Language) -> &'static str {
        language.pick(self.nl, self.en)
    }

    /// The sentence with its `{}`s filled in turn.
    pub fn with(self, language: Language, values: &[&str]) -> String {
        let mut parts = self.of(language).split("{}");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            filled.push_str(value);
            filled.push_str(part);
        }
        filled
    }
}

macro_rules! texts {
    ($($name:ident: $nl:literal, $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: Text = Text::new($nl, $en);
        )*
    };
}

texts! {
    NOTHING: "niets", "nothing";
    PIN: "Pincode: ", "PIN: ";
    NEW_PIN: "Nieuwe pincode (6 tot 64 tekens): ", "New PIN (6 to 64 characters): ";
    NEW_PIN_AGAIN: "Nog een keer: ", "Once more: ";
    ACTIVATED: "Dit toestel is geactiveerd bij {}.", "This device is activated with {}.";
    OPERATOR_READS: "Let op: de beheerder van deze server kan uw alarmen lezen.",
                    "Note: the operator of this server can read your alarms.";
    FILE_KEY: "De sleutel van dit toestel ligt in een bestand, niet in een beveiligde chip: bewaar de map goed.",
              "This device's key lies in a file, not in a secure chip: keep the folder safe.";
    DEVICE: "toestel", "device";
    PENDING: "nog te verzenden", "still to send";
    CONFLICTS: "conflicten", "conflicts";
    LAST_SUCCESS: "laatst gelukt", "last success";
    NEVER: "nog nooit", "never";
    STUCK: "vastgelopen", "stuck";
    NOT_STUCK: "nee", "no";
    STUCK_COPIED: "deze map is gekopieerd of teruggezet: koppel dit toestel opnieuw",
                  "this folder was copied or restored: pair this device again";
    STUCK_NEWER: "een nieuwere versie van Baken schreef iets dat deze niet kan lezen",
                 "a newer version of Baken wrote what this one cannot read";
    STUCK_MISSING: "een wijziging waar andere op bouwen is niet gekomen", "an entry that others build on has not come";
    STUCK_QUARANTINE: "wat niet te controleren was, ligt apart", "what could not be verified is set aside";
    STUCK_FAILED: "{}, sinds {}", "{}, since {}";
    ALARMS_WAITING: "alarmen nog niet verzonden", "alarms not sent yet";
    WAITING: "wacht op iets anders", "wait for something else";
    QUARANTINE: "apart gezet", "set aside";
    UNTRUSTWORTHY: "De server of een toestel sprak zichzelf tegen. Vergelijk uw toestellen en meld het uw organisatie.",
                   "The server or a device contradicted itself. Compare your devices and tell your organisation.";
    LADDER_CHANGED: "De volgorde van wie wordt gewaarschuwd is gewijzigd.", "Who is called, and in which order, has changed.";
    RECORD: "gegeven", "record";
    KIND: "soort", "kind";
    FIELD: "veld", "field";
    VALUE: "waarde", "value";
    HOLDS: "bevat", "holds";
    BY: "door", "by";
    AT: "wanneer", "at";
    STATE: "stand", "state";
    SINCE: "geldt", "stands";
    YES: "ja", "yes";
    IN_CONFLICT: "conflict", "conflict";
    DELETED: "verwijderd", "deleted";
    MADE: "Vastgelegd: {}", "Kept: {}";
    NEWER: "gemaakt met een nieuwere versie", "made by a newer version";
    SYNCED: "Bijgewerkt: {} verzonden, {} ontvangen, {} conflicten.", "Synced: {} sent, {} received, {} conflicts.";
    SYNC_FAILED: "Niet gelukt ({}); opnieuw over {} s.", "Did not work ({}); again in {} s.";
    PAIR_RELAY: "Typ of plak dit op het nieuwe toestel, achter `baken pair show --relay`. Het is geen geheim:",
                "Type or paste this on the new device, behind `baken pair show --relay`. It is no secret:";
    PAIR_SCAN: "Scan dit op uw andere toestel, of plak de tekst achter `baken pair accept`. Vijf minuten geldig.",
               "Scan this on your other device, or paste the text behind `baken pair accept`. Good for five minutes.";
    PAIR_DIGITS: "Typ deze cijfers op uw andere toestel: {}", "Type these digits on your other device: {}";
    PAIR_TYPE: "Typ de zes cijfers die het nieuwe toestel toont: ", "Type the six digits that the new device shows: ";
    PAIR_PAIRED: "Gekoppeld.", "Paired.";
    THIS: "dit toestel", "this device";
    NAME: "naam", "name";
    PRESSED: "Alarm {} ligt vast op dit toestel.", "Alarm {} is kept on this device.";
    CALL_112: "BEL 112", "CALL 112";
    CALL_112_LONG: "BEL 112: nog niemand heeft dit alarm gezien.", "CALL 112: nobody has seen this alarm yet.";
    REFUSED_BY_RELAY: "De server weigerde het ({}, {}). Dit toestel blijft het proberen.",
                      "The server refused it ({}, {}). This device keeps trying.";
    WARN_REFUSED: "{} bericht(en) over dit alarm zijn vervalst en tellen niet.",
                  "{} message(s) about this alarm are forged and do not count.";
    WARN_MISSING: "Een bericht van {} is nog niet aangekomen of wordt achtergehouden.",
                  "A message by {} has not arrived or is held back.";
    WARN_CONTRADICTING: "{} zegt twee dingen tegelijk.", "{} says two things at once.";
    THE_RELAY: "de server", "the server";
    UPDATES_WAITING: "{} aanvulling(en) nog niet verzonden", "{} update(s) not sent yet";
    KEEP_TRYING: "Verzenden gaat door met: baken alarm watch {}", "Sending goes on with: baken alarm watch {}";
    UPDATED: "Aanvulling ligt vast.", "The update is kept.";
    CARD_PUBLISHED: "De kaart ligt verzegeld bij de server, bijgewerkt.", "The card lies sealed at the server, up to date.";
    CIRCLE: "kring", "circle";
    ACCOUNT: "account", "account";
}

/// What a failure of the command line itself says, and what to do: by its code.
pub fn own_failure(code: &str, language: Language) -> (&'static str, &'static str) {
    let (message, help) = match code {
        "pin_missing" => (
            Text::new("er is een pincode nodig", "a PIN is needed"),
            Text::new("Geef --pin-file, of zet BAKEN_PIN.", "Give --pin-file, or set BAKEN_PIN."),
        ),
        "pins_differ" => (
            Text::new("de twee pincodes zijn niet gelijk", "the two PINs are not the same"),
            Text::new("Probeer het opnieuw.", "Try again."),
        ),
        "no_equals_sign" => (
            Text::new("een veld en zijn waarde horen aan elkaar met =", "a field and its value go together with ="),
            Text::new("Schrijf bijvoorbeeld phone=0612345678.", "Write, for instance, phone=0612345678."),
        ),
        "value_not_bool" => (
            Text::new("dit veld is ja of nee", "this field is yes or no"),
            Text::new("Schrijf true of false.", "Write true or false."),
        ),
        "value_not_int" => (
            Text::new("dit veld is een heel getal", "this field is a whole number"),
            Text::new("Schrijf alleen cijfers.", "Write digits only."),
        ),
        "value_not_time" => (
            Text::new("dit veld is een datum of tijdstip", "this field is a date or a moment"),
            Text::new("Schrijf 2026-11-23 of 2026-11-23T20:15:00Z.", "Write 2026-11-23 or 2026-11-23T20:15:00Z."),
        ),
        "position" => (
            Text::new("de positie is niet te lezen", "the position cannot be read"),
            Text::new(
                "Schrijf breedte,lengte,meters[,seconden]: 52.3702,4.8952,12,4.",
                "Write latitude,longitude,metres[,seconds]: 52.3702,4.8952,12,4.",
            ),
        ),
        "ambiguous" => (
            Text::new("er zijn er meer die zo beginnen", "there are several that begin so"),
            Text::new("Geef meer tekens.", "Give more characters."),
        ),
        "no_such_value" => (
            Text::new("zo veel waarden zijn er niet", "there are not as many values"),
            Text::new("Kijk met: baken conflicts list", "Look with: baken conflicts list"),
        ),
        "relay_text" => (
            Text::new("dit is niet de tekst van `baken pair relay`", "this is not the text of `baken pair relay`"),
            Text::new("Kopieer de hele tekst, van BAKEN-RELAY: af.", "Copy the whole text, from BAKEN-RELAY: on."),
        ),
        "relay_url" => (
            Text::new("het adres van de server is onbruikbaar", "the server's address cannot be used"),
            Text::new("Vraag uw organisatie om een nieuwe uitnodiging.", "Ask your organisation for a new invite."),
        ),
        "relay_roots" => (
            Text::new("de certificaten van de server zijn onbruikbaar", "the server's certificates cannot be used"),
            Text::new("Meld dit aan uw organisatie.", "Tell your organisation."),
        ),
        "client" => (
            Text::new("het netwerk kon niet worden opgezet", "the network could not be set up"),
            Text::new("Probeer het opnieuw.", "Try again."),
        ),
        _ => (
            Text::new("een bestand kon niet worden gelezen of geschreven", "a file could not be read or written"),
            Text::new("Controleer of het bestaat en leesbaar is.", "Check that it exists and is readable."),
        ),
    };
    (message.of(language), help.of(language))
}

/// What an error of the core says.
pub fn core_message(error: &BakenError, language: Language) -> String {
    if language == Language::En {
        // The source says what of it is off; a format's error never holds content.
        return match std::error::Error::source(error) {
            Some(source) if source.is::<baken_schemas::FormatError>() => format!("{error}: {source}"),
            _ => error.to_string(),
        };
    }
    let sentence = match error.code() {
        "wrong_pin" => "de pincode klopt niet",
        "too_soon" => "te snel na een verkeerde pincode",
        "pin_refused" => "een pincode heeft 6 tot 64 tekens",
        "vault_damaged" => "de kluis is beschadigd",
        "vault_newer" => "de kluis is gemaakt met een nieuwere versie van Baken",
        "key_store_lost" => "de sleutel van dit toestel ontbreekt of is beschadigd",
        "not_encrypting" => "dit programma kan niet versleutelen en schrijft daarom niets",
        "locked" => "de kluis is op slot",
        "not_activated" => "dit toestel is niet geactiveerd",
        "already_activated" => "dit toestel is al geactiveerd",
        "home_in_use" => "een ander programma heeft deze kluis open",
        "disk" => "een bestand in de map kon niet worden gelezen of geschreven",
        "disk_full" => "de schijf is vol",
        "database" => "de database gaf een fout",
        "invite_invalid" => "de uitnodiging is onbruikbaar: verkeerd overgenomen, of niet van deze organisatie",
        "invite_role" => "de uitnodiging is voor een ander soort toestel",
        "wrong_root" => "de server is niet die van de uitnodiging",
        "directory_invalid" => "de lijst van uw organisatie is niet te vertrouwen",
        "pairing_code_invalid" => "de koppelcode is onbruikbaar",
        "pairing_expired" => "de vijf minuten van de koppelcode zijn voorbij",
        "pairing_digits" => "de zes cijfers kloppen niet",
        "pairing_broken" => "het koppelen is gestopt: wat binnenkwam hoort er niet bij",
        "pairing_too_late" => "koppelen zonder wachttijd kan alleen binnen 24 uur na activering",
        "unknown_kind" => "dat soort gegeven bestaat niet",
        "unknown_field" => "dit soort gegeven heeft dat veld niet",
        "value_refused" => "die waarde past niet in het veld",
        "no_such_record" => "dat gegeven is er niet",
        "in_conflict" => "dit veld heeft twee waarden; kies er eerst een",
        "no_conflict" => "dit veld heeft dat conflict niet",
        "attachment_too_large" => "een bijlage mag hoogstens 200 MiB zijn",
        "attachment_changed" => "het bestand veranderde terwijl het werd gelezen; er is niets bewaard",
        "attachment_not_here" => "de bijlage staat niet helemaal op dit toestel",
        "attachment_not_there" => "de bijlage staat niet helemaal op de server",
        "attachment_damaged" => "de bijlage is beschadigd; er wordt niets van getoond",
        "quota_full" => "deze kring heeft op de server geen ruimte meer",
        "no_such_alarm" => "dat alarm is er niet",
        "no_ladder" => "uw organisatie heeft niemand aangewezen voor een alarm",
        "not_reached" => "de server is niet bereikbaar",
        "untrusted" => "de server die antwoordde is niet die van uw uitnodiging",
        "out_of_date" => "het certificaat van de server geldt niet op de datum van dit toestel",
        "bad_answer" => "het antwoord van de server is onleesbaar",
        "not_trustworthy" => "de server is niet te vertrouwen: hij sprak zichzelf tegen",
        code => match error {
            BakenError::Refused { status, .. } => return format!("de server weigerde: {code} ({status})"),
            _ => return format!("de bytes zijn beschadigd of van een andere versie ({code})"),
        },
    };
    match error {
        BakenError::WrongPin { wait_ms } | BakenError::TooSoon { wait_ms } => {
            format!("{sentence}; opnieuw over {} s", (wait_ms + 999) / 1000)
        }
        BakenError::PairingDigits { left } => format!("{sentence}; nog {left} pogingen"),
        _ => sentence.to_owned(),
    }
}

/// What to do about an error of the core.
pub fn core_help(error: &BakenError, language: Language) -> &'static str {
    if language == Language::En {
        return error.help();
    }
    match error.code() {
        "wrong_pin" | "too_soon" => "Wacht even en probeer het opnieuw; de wachttijd groeit met elke misser.",
        "pin_refused" => "Kies een pincode van 6 tot 64 tekens.",
        "vault_damaged" => "Laat de map zoals hij is; zet een back-up terug of activeer dit toestel opnieuw.",
        "vault_newer" | "not_encrypting" => "Installeer de nieuwste versie van Baken.",
        "key_store_lost" => "Zet het sleutelbestand terug, of activeer dit toestel opnieuw.",
        "locked" => "Ontgrendel eerst met uw pincode.",
        "not_activated" => "Activeer met een uitnodiging, of koppel met uw andere toestel.",
        "already_activated" => "Gebruik een andere map voor een ander toestel.",
        "home_in_use" => "Sluit het andere programma dat deze map gebruikt.",
        "disk" => "Controleer of de map bestaat, beschrijfbaar is en de schijf in orde is.",
        "disk_full" => "Maak ruimte; er is niets verloren.",
        "database" => "Probeer het opnieuw; blijft het, bewaar de map en meld deze code.",
        "invite_invalid" => "Scan of plak de hele uitnodiging opnieuw, of vraag een nieuwe.",
        "invite_role" => "Vraag uw organisatie om een uitnodiging voor een bestuurder.",
        "wrong_root" | "directory_invalid" => "Ga niet verder; vraag wie de uitnodiging gaf de server na te kijken.",
        "pairing_code_invalid" => "Scan of plak de hele code opnieuw.",
        "pairing_expired" | "pairing_broken" => "Begin opnieuw met koppelen op het nieuwe toestel.",
        "pairing_digits" => "Lees de zes cijfers nog eens van het nieuwe toestel.",
        "pairing_too_late" => "Vraag uw organisatie om hulp.",
        "unknown_kind" | "unknown_field" => "Kijk met: baken record kinds",
        "value_refused" => "Geef een kortere waarde, of een van het soort van het veld.",
        "no_such_record" => "Kijk met: baken record list",
        "attachment_too_large" => "Kies een kleiner bestand, of deel het op.",
        "attachment_changed" => "Wacht tot er niet meer in geschreven wordt, en voeg het opnieuw toe.",
        "attachment_not_here" => "Haal haar eerst op; wat er al staat wordt niet opnieuw gehaald.",
        "attachment_not_there" => "Laat het toestel dat haar toevoegde verbinding maken; haal haar dan opnieuw op.",
        "attachment_damaged" => "Haal haar opnieuw op; blijft het, voeg haar opnieuw toe en meld het uw organisatie.",
        "quota_full" => "Verwijder bijlagen die niet meer nodig zijn, of vraag uw organisatie om meer ruimte.",
        "no_such_alarm" => "Kijk met: baken alarm list",
        "in_conflict" => "Kies met: baken conflicts resolve",
        "no_conflict" => "Kijk met: baken conflicts list",
        "no_ladder" => "Bel 112, en vraag uw organisatie iemand aan te wijzen.",
        "not_reached" => "Het is bewaard en gaat weg zodra er verbinding is.",
        "untrusted" => "Ga op dit netwerk niet verder; er is niets verzonden.",
        "out_of_date" => "Zet datum en tijd van dit toestel goed; kloppen die, meld het dan uw organisatie.",
        "not_trustworthy" => "Vergelijk uw toestellen, en meld uw organisatie dat de server liegt.",
        "invite_used" => "Vraag een nieuwe uitnodiging; gebruikte u deze niet zelf, meld dat dan meteen.",
        "invite_expired" | "unknown_invite" => "Vraag uw organisatie om een nieuwe uitnodiging.",
        "unknown_device" => "Activeer of koppel dit toestel opnieuw.",
        _ => "Probeer het later opnieuw; blijft het, meld dan deze code.",
    }
}
