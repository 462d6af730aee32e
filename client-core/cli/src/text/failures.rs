//! What a failure says, and what to do about it.

use baken_core::BakenError;
use baken_schemas::Language;
use baken_schemas::code::CodeError;

use super::{NOT_IN_CIRCLE, Text};

/// What a failure of the command line itself says, and what to do: by its code.
pub fn own_failure(code: &str, language: Language) -> (&'static str, &'static str) {
    let (message, help) = match code {
        "pin_missing" => (
            Text::new("er is een pincode nodig", "a PIN is needed"),
            Text::new("Geef --pin-file, of zet BAKEN_PIN.", "Give --pin-file, or set BAKEN_PIN."),
        ),
        "not_confirmed" => (
            Text::new("er is niets gewist: het woord klopte niet", "nothing was wiped: the word was another"),
            Text::new("Typ het gevraagde woord, of geef --yes.", "Type the word that is asked for, or give --yes."),
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
        "share_not_confirmed" => (
            Text::new("er is niets gedeeld: het woord klopte niet", "nothing was shared: the word was another"),
            Text::new("Typ het gevraagde woord, of geef --yes.", "Type the word that is asked for, or give --yes."),
        ),
        "what_missing" => (
            Text::new("er staat niet wat er is gebeurd", "it does not say what happened"),
            Text::new("Zeg het in een paar woorden: --what.", "Say it in a few words: --what."),
        ),
        "threat_source_unknown" => (
            Text::new("die bron is er niet", "there is no such source"),
            Text::new("Kies 1, 2, 3 of 4, of laat het open.", "Choose 1, 2, 3 or 4, or leave it open."),
        ),
        "value_not_time" => (
            Text::new("dit veld is een datum of tijdstip", "this field is a date or a moment"),
            Text::new(
                "Schrijf 2026-11-23, 2026-11-23 20:15 of 2026-11-23T20:15:00Z.",
                "Write 2026-11-23, 2026-11-23 20:15 or 2026-11-23T20:15:00Z.",
            ),
        ),
        "check_in_end" => (
            Text::new("dit tijdstip of deze duur is niet te lezen", "this moment or span cannot be read"),
            Text::new(
                "Schrijf --for 2h30m, --until 23:00 of --until \"2026-11-27 23:00\".",
                "Write --for 2h30m, --until 23:00 or --until \"2026-11-27 23:00\".",
            ),
        ),
        "span" => (
            Text::new("deze duur is niet te lezen", "this span cannot be read"),
            Text::new("Schrijf bijvoorbeeld 5m, 2h30m of 1d.", "Write 5m, 2h30m or 1d, for instance."),
        ),
        "days" => (
            Text::new("deze dagen zijn niet te lezen", "these days cannot be read"),
            Text::new("Schrijf elke-dag, werkdagen of ma,di,wo.", "Write daily, weekdays, or mon,tue,wed."),
        ),
        "time_of_day" => (
            Text::new("dit is geen tijd van de dag", "this is no time of day"),
            Text::new("Schrijf 23:00.", "Write 23:00."),
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
        "value_bytes" => (
            Text::new("dit veld kan niet worden getypt", "this field cannot be typed"),
            Text::new("Baken vult het zelf.", "Baken fills it in itself."),
        ),
        "not_started" => (
            Text::new("er is niets veranderd: het woord klopte niet", "nothing has changed: the word was another"),
            Text::new("Typ het gevraagde woord, of geef --yes.", "Type the word that is asked for, or give --yes."),
        ),
        "not_travelling" => (
            Text::new(
                "dit toestel is niet op reis: het dossier is hier",
                "this phone is not travelling: its dossier is here",
            ),
            Text::new("Er is niets terug te brengen.", "There is nothing to bring back."),
        ),
        "nothing_held" => (
            Text::new("van dat toestel wordt niets vastgehouden", "nothing of that device is held"),
            Text::new("Kijk met: baken record deletions", "Look with: baken record deletions"),
        ),
        "no_such_version" => (
            Text::new("die waarde is er niet in de geschiedenis", "the history has no such value"),
            Text::new("Kijk met: baken record history", "Look with: baken record history"),
        ),
        "no_name" => (
            Text::new("een kring heeft een naam", "a circle has a name"),
            Text::new("Geef --name NAAM.", "Give --name NAME."),
        ),
        "remove_itself" => (
            Text::new("dit is het toestel waarop u werkt", "this is the device that you are using"),
            Text::new("Verlaat de kring met: baken circle leave", "Leave the circle with: baken circle leave"),
        ),
        "order_itself" => (
            Text::new("dit is het toestel waarop u werkt", "this is the device that you are using"),
            Text::new("Wis het met: baken wipe", "Wipe it with: baken wipe"),
        ),
        "last_owner" => (
            Text::new(
                "als laatste eigenaar kunt u anderen niet achterlaten",
                "the last owner cannot leave others behind",
            ),
            Text::new(
                "Haal eerst de anderen eruit: baken circle remove",
                "Take the others out first: baken circle remove",
            ),
        ),
        "role_of_owner" => (
            Text::new("een eigenaar blijft eigenaar", "an owner stays an owner"),
            Text::new("Alleen gasten zijn lid of lezer.", "Only guests are members or viewers."),
        ),
        "circle_rules" => (
            Text::new("de regels van de kring staan dit niet toe", "the rules of the circle do not allow this"),
            Text::new("Kijk hoe het staat met: baken circle list", "Look how things stand with: baken circle list"),
        ),
        "nothing_waits" => (
            Text::new("er wacht geen toestel op uw woord", "no device waits for your word"),
            Text::new("Kijk met: baken status", "Look with: baken status"),
        ),
        "several_wait" => (
            Text::new("er wachten meer toestellen", "several devices wait"),
            Text::new(
                "Noem het toestel: baken circle veto TOESTEL. Welke er zijn, zegt baken status.",
                "Name the device: baken circle veto DEVICE. Which there are says baken status.",
            ),
        ),
        "confirm_elsewhere" => (
            Text::new(
                "wie een toestel voorstelt, laat het niet zelf toe",
                "the device that proposed another does not let it in itself",
            ),
            Text::new("Doe dit op een ander toestel van u.", "Do this on another of your devices."),
        ),
        "invite_dossier" => (
            Text::new("in uw dossier komen alleen uw eigen toestellen", "only your own devices come into your dossier"),
            Text::new("Uw eigen toestel: baken pair accept", "For your own device: baken pair accept"),
        ),
        "code_missing" => (
            Text::new("er is een code nodig", "a code is needed"),
            Text::new(
                "Typ hem, of geef hem als eerste regel van de invoer.",
                "Type it, or give it as the first line of the input.",
            ),
        ),
        "not_exported" => (
            Text::new("er is niets geschreven: het woord klopte niet", "nothing was written: the word was another"),
            Text::new("Typ het gevraagde woord, of geef --yes.", "Type the word that is asked for, or give --yes."),
        ),
        "not_set_aside" => (
            Text::new("er is niets opzij gezet: het woord klopte niet", "nothing was set aside: the word was another"),
            Text::new("Typ het gevraagde woord, of geef --yes.", "Type the word that is asked for, or give --yes."),
        ),
        "not_a_signal" => (
            Text::new("dit is een incident en geen signaal", "this is an incident and no signal"),
            Text::new("Gebruik: baken incident report", "Use: baken incident report"),
        ),
        "no_such_review_question" => (
            Text::new("er zijn vier vragen, 1 tot en met 4", "there are four questions, 1 to 4"),
            Text::new("Kijk met: baken review show", "Look with: baken review show"),
        ),
        "office_missing" => (
            Text::new("er is een ambt nodig", "an office is needed"),
            Text::new(
                "Geef --office, of zet uw ambt in het profiel: baken record add profile office=wethouder",
                "Give --office, or put yours into the profile: baken record add profile office=alderman",
            ),
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
        "no_file_name" => (
            Text::new("dit bestand heeft geen naam die past", "this file has no name that fits"),
            Text::new("Geef --name NAAM.", "Give --name NAME."),
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
    if error.code() == "removed" {
        return NOT_IN_CIRCLE.of(language).trim_end_matches('.').to_owned();
    }
    if language == Language::En {
        // The source says what of it is off; a format's error never holds content.
        return match std::error::Error::source(error) {
            Some(source)
                if source.is::<baken_schemas::FormatError>()
                    || source.is::<baken_schemas::edition::signed::EditionError>() =>
            {
                format!("{error}: {source}")
            }
            _ => error.to_string(),
        };
    }
    if let BakenError::RecoveryCode(error) | BakenError::ExportCode(error) = error {
        return code_message(*error);
    }
    if let BakenError::EditionRefused(error) = error {
        return format!("de uitgave is niet te vertrouwen ({})", error.code());
    }
    let sentence = match error.code() {
        "wrong_pin" => "de pincode klopt niet",
        "too_soon" => "te snel na een verkeerde pincode",
        "pin_refused" => "een pincode heeft 6 tot 64 tekens",
        "pin_taken" => "deze pincode kan niet; kies een andere",
        "too_many_duress_pins" => "voor nog een dwangpincode is geen plaats",
        "pin_needed" => "de pincode is nodig",
        "biometric_refused" => "de vinger of het gezicht is niet herkend",
        "vault_damaged" => "de kluis is beschadigd",
        "vault_newer" => "de kluis is gemaakt met een nieuwere versie van Baken",
        "key_store_lost" => "de sleutel van dit toestel ontbreekt of is beschadigd",
        "not_encrypting" => "dit programma kan niet versleutelen en schrijft daarom niets",
        "locked" => "de kluis is op slot",
        "not_activated" => "dit toestel is niet geactiveerd",
        "wiped_from_afar" => "een ander toestel van u heeft dit toestel laten wissen: alles erop is vernietigd",
        "already_activated" => "dit toestel is al geactiveerd",
        "home_in_use" => "een ander programma heeft deze kluis open",
        "disk" => "een bestand in de map kon niet worden gelezen of geschreven",
        "disk_full" if matches!(error, BakenError::Refused { .. }) => "de schijf van de server is vol",
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
        "vault_older" => "de kluis is gemaakt met een proefversie van Baken",
        "no_such_guidance" => "dat hoofdstuk of die kaart is er niet",
        "not_for_audience" => "dit is voor andere lezers geschreven",
        "office_elsewhere" => "dit ambt hoort bij een andere soort organisatie",
        "no_such_question" => "die vraag heeft de zelfscan niet",
        "not_an_answer" => "\"niet van toepassing\" past niet bij deze vraag",
        "scan_gate" => "de zelfscan begint met de vraag of u nu bedreigd wordt of in gevaar bent",
        "no_tip" => "bij deze vraag is er geen tip",
        "no_review" => "de vier vragen zijn nog niet begonnen",
        "not_a_task" => "dit is geen taak, afspraak of maatregel",
        "office_not_held" => "dit ambt staat niet in het dossier",
        "office_held" => "dit ambt staat al in het profiel",
        "no_such_circle" => "die kring is er niet",
        "not_shared" => "dit soort gegeven wordt in deze soort kring niet gedeeld",
        "confidential" => "dit vertelt over een vertrouwelijke maatregel (regel R11)",
        "not_shared_there" => "dat is in die zaak niet gedeeld, of niet meer",
        "briefing_empty" => {
            "een bericht zegt wat er nieuw is of dat er niets is, en een volgend moment ligt in de toekomst"
        }
        "may_not_write" => "dit toestel kan in deze kring niet schrijven",
        "not_owner" => "alleen een toestel van de eigenaar van de kring kan dit",
        "no_such_device" => "dat toestel is er niet in deze kring",
        "no_epoch_key" => "de nieuwste sleutel van de kring is nog niet op dit toestel",
        "recovery_sheet" => "het herstelblad is onbruikbaar: verkeerd overgenomen, of iets anders",
        "recovery_unknown" => "de server heeft niets dat met deze herstelcode opengaat",
        "no_root" => "de sleutel van uw account is niet op dit toestel",
        "unknown_kind" => "dat soort gegeven bestaat niet",
        "unknown_field" => "dit soort gegeven heeft dat veld niet",
        "value_refused" => "die waarde past niet in het veld",
        "unknown_word" => "dat woord kent dit veld niet",
        "no_such_incident" => "er is geen incident of signaal met dit nummer",
        "same_record" => "dat is twee keer hetzelfde",
        "pack_damaged" => "de map is niet wat er is ondertekend",
        "lock_wrong" => "de wachtzin past niet",
        "no_family_circle" => "er is geen familiekring",
        "no_such_record" => "dat gegeven is er niet",
        "own_deletions" => "een toestel bevestigt niet wat het zelf heeft verwijderd",
        "travelling" => "het dossier is op reis niet op dit toestel",
        "root_elsewhere" => "de herstelcode wordt voor het eerst gemaakt op het toestel dat is geactiveerd",
        "no_recovery_code" => "er is nog geen herstelcode, en dit toestel heeft waar die uit wordt gemaakt",
        "other_dossier" => "dit toestel komt terug in zijn eigen dossier, en werd met een ander gekoppeld",
        "last_device" => "geen ander toestel van u heeft het dossier",
        "not_all_sent" => "nog niet alles wat hier is geschreven, is verzonden",
        "erased" => "dit gegeven is gewist",
        "in_conflict" => "dit veld heeft twee waarden; kies er eerst een",
        "no_conflict" => "dit veld heeft dat conflict niet",
        "attachment_too_large" => "een bijlage mag hoogstens 200 MiB zijn",
        "no_inbox" => "hier kan pas iets worden genoteerd nadat het dossier één keer is geopend",
        "inbox_full" => "er wachten zoveel notities als er plaats is",
        "not_a_photo_or_sound" => "het bestand is geen foto (JPEG, PNG, WebP) en geen geluid (Ogg, M4A, MP3, WAV)",
        "alarm_attachment_too_large" => "wat met een alarm meegaat, mag hoogstens 2 MiB zijn",
        "attachment_changed" => "het bestand veranderde terwijl het werd gelezen; er is niets bewaard",
        "attachment_not_here" => "de bijlage staat niet helemaal op dit toestel",
        "attachment_not_there" => "de bijlage staat niet helemaal op de server",
        "attachment_damaged" => "de bijlage is beschadigd; er wordt niets van getoond",
        "day_not_over" => "er is nog geen dag voorbij waarin een ander toestel bezwaar kan maken",
        "quota_full" => "deze kring heeft op de server geen ruimte meer",
        "no_such_attachment" => "dat is geen bijlage, of die heeft dat bestand niet",
        "file_exists" => "er is al een bestand met die naam, of iets in die map",
        "export_invalid" => "dit bestand is niet te lezen: een andere code, gewijzigd, afgebroken of geen export",
        "no_such_alarm" => "dat alarm is er niet",
        "not_family" => "dit toestel is geen gast in een familiekring",
        "not_agreed" => "de houder van dat toestel heeft er niet mee ingestemd om geroepen te worden",
        "family_full" => "er worden er al zoveel geroepen als de ladder plaatsen heeft",
        "top_of_ladder" => "iedereen op de ladder is al geroepen",
        "no_timeline" => "dit was een check-in: de meldkamer heeft het verloop, dit toestel niet",
        "no_alarm_text" => "dit alarm kan niet per sms",
        "no_such_check_in" => "die check-in is er niet",
        "check_in_time" => "een check-in duurt een minuut tot zeven dagen, met hooguit een uur uitstel",
        "check_in_text" => "een check-in heeft hooguit 1.600 bytes tekst",
        "check_in_over" => "deze check-in is al afgemeld of een alarm geworden",
        "too_many_check_ins" => "er lopen te veel check-ins",
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
        BakenError::Erased { values_until } => {
            format!("{sentence}; zijn geschiedenis heeft de waarden tot {}", values_until.to_rfc3339())
        }
        _ => sentence.to_owned(),
    }
}

/// Which group of a typed code holds the mistake.
fn code_message(error: CodeError) -> String {
    match error {
        CodeError::Length { found } => format!("de code heeft 35 tekens, dit zijn er {found}"),
        CodeError::Group { group } => format!("in groep {group} van de code staat een fout"),
        CodeError::Whole => "de groepen van de code horen niet bij elkaar".to_owned(),
    }
}

/// What to do about an error of the core.
pub fn core_help(error: &BakenError, language: Language) -> &'static str {
    if error.code() == "removed" {
        return language.pick("Wat u eerder schreef, is bewaard.", "What you wrote before is kept.");
    }
    if language == Language::En {
        return error.help();
    }
    if let BakenError::EditionRefused(_) = error {
        return "Wat hier staat, blijft goed; meld uw organisatie dat haar server dit aanbiedt.";
    }
    match error.code() {
        "no_such_guidance" => "Kijk met: baken guidance",
        "not_for_audience" => "Zeg met --audience voor wie u leest.",
        "office_elsewhere" => "Laat --organisation weg: die volgt uit het ambt.",
        "no_such_question" => "Kijk met: baken scan questions",
        "not_an_answer" => "Antwoord yes, no of unknown.",
        "scan_gate" => "Antwoord met: baken scan start --gate no, of yes als het zo is.",
        "no_tip" => "Kijk met baken scan result welke tips er zijn.",
        "no_review" => "Begin met: baken review start",
        "not_a_task" => "Kijk met baken agenda wat er moet.",
        "office_not_held" => "Kijk welke ambten er staan: baken life",
        "office_held" => "Noem de tweede organisatie met --organisation.",
        "wrong_pin" | "too_soon" => "Wacht even en probeer het opnieuw; de wachttijd groeit met elke misser.",
        "pin_refused" => "Kies een pincode van 6 tot 64 tekens.",
        "pin_taken" => "Kies een pincode die van alle andere op dit toestel verschilt.",
        "too_many_duress_pins" => "Verwijder ze met: baken pin duress clear",
        "pin_needed" => "Typ uw pincode.",
        "biometric_refused" => "Probeer het opnieuw, of typ uw pincode.",
        "vault_damaged" => "Laat de map zoals hij is; zet een back-up terug of activeer dit toestel opnieuw.",
        "vault_newer" | "not_encrypting" => "Installeer de nieuwste versie van Baken.",
        "key_store_lost" => "Zet het sleutelbestand terug, of activeer dit toestel opnieuw.",
        "locked" => "Ontgrendel eerst met uw pincode.",
        "not_activated" | "wiped_from_afar" => "Activeer met een uitnodiging, of koppel met uw andere toestel.",
        "already_activated" => "Gebruik een andere map voor een ander toestel.",
        "home_in_use" => "Sluit het andere programma dat deze map gebruikt.",
        "disk" => "Controleer of de map bestaat, beschrijfbaar is en de schijf in orde is.",
        "disk_full" if matches!(error, BakenError::Refused { .. }) => {
            "Meld uw organisatie dat de schijf van de server vol is."
        }
        "disk_full" => "Maak ruimte; er is niets verloren.",
        "database" => "Probeer het opnieuw; blijft het, bewaar de map en meld deze code.",
        "invite_invalid" => "Scan of plak de hele uitnodiging opnieuw, of vraag een nieuwe.",
        "invite_role" => "Vraag uw organisatie om een uitnodiging voor een bestuurder.",
        "wrong_root" | "directory_invalid" => "Ga niet verder; vraag wie de uitnodiging gaf de server na te kijken.",
        "pairing_code_invalid" => "Scan of plak de hele code opnieuw.",
        "pairing_expired" | "pairing_broken" => "Begin opnieuw met koppelen op het nieuwe toestel.",
        "pairing_digits" => "Lees de zes cijfers nog eens van het nieuwe toestel.",
        "vault_older" => "Open haar met de versie die haar maakte, en begin met deze opnieuw.",
        "no_such_circle" | "no_such_device" => "Kijk met: baken circle list",
        "not_shared" => "Schrijf het in uw dossier, of kies een soort die de kring deelt.",
        "confidential" => {
            "Vraag wie over de maatregel besliste of deze lezers het mogen weten; geef dan --with-confidential."
        }
        "not_shared_there" => "Kijk met: baken share list",
        "briefing_empty" => "Geef --told of --no-news, en een --next die nog komt.",
        "may_not_write" => "Vraag het de eigenaar van de kring; wat u eerder schreef, is bewaard.",
        "not_owner" => "Doe dit op een toestel van de eigenaar.",
        "no_epoch_key" => "Werk opnieuw bij; een ander toestel van de kring moet de sleutel doorgeven.",
        "recovery_code" => "Vergelijk de code met het papier, groep voor groep.",
        "recovery_sheet" => "Scan of typ de tekst van het blad opnieuw.",
        "recovery_unknown" => "Gebruik de nieuwste code die is gemaakt, met het blad dat erbij hoort.",
        "no_root" => "Typ de herstelcode die eerder is gemaakt; een nieuwe vervangt hem.",
        "unknown_kind" | "unknown_field" => "Kijk met: baken record kinds",
        "value_refused" => "Geef een kortere waarde, of een van het soort van het veld.",
        "unknown_word" => "Gebruik een van zijn woorden: baken record kinds",
        "no_such_incident" => "Kijk met: baken incident list",
        "same_record" => "Noem twee verschillende.",
        "pack_damaged" => "Ga er niet op af; vraag een nieuwe aan wie hem maakte.",
        "lock_wrong" => "Typ de wachtzin van de check-up; dat is niet uw pincode. Niemand kan hem terughalen.",
        "no_family_circle" => "Maak er eerst een: baken circle create family --name Familie",
        "no_such_record" => "Kijk met: baken record list",
        "attachment_too_large" => "Kies een kleiner bestand, of deel het op.",
        "no_inbox" => "Open het dossier één keer met uw pincode, bijvoorbeeld met `baken status`.",
        "inbox_full" => "Open het dossier met uw pincode: ze worden incidenten, en er is weer plaats.",
        "not_a_photo_or_sound" => "Stuur een ander bestand, of zeg het in woorden met `baken alarm update --text`.",
        "alarm_attachment_too_large" => "Stuur een kleinere foto, of een kortere opname.",
        "attachment_changed" => "Wacht tot er niet meer in geschreven wordt, en voeg het opnieuw toe.",
        "attachment_not_here" => "Haal haar eerst op; wat er al staat wordt niet opnieuw gehaald.",
        "attachment_not_there" => "Laat het toestel dat haar toevoegde verbinding maken; haal haar dan opnieuw op.",
        "attachment_damaged" => "Haal haar opnieuw op; blijft het, voeg haar opnieuw toe en meld het uw organisatie.",
        "day_not_over" => "Wacht tot de dag voorbij is, of laat een ander toestel van u het doen.",
        "quota_full" => "Verwijder bijlagen die niet meer nodig zijn, of vraag uw organisatie om meer ruimte.",
        "no_such_attachment" => "Kijk met: baken attach list",
        "file_exists" => "Kies een andere naam, of schrijf eroverheen met --force.",
        "export_code" => "Vergelijk de code met wat is getoond, groep voor groep.",
        "export_invalid" => "Kijk of de code bij dit bestand hoort, en kopieer het hele bestand opnieuw.",
        "own_deletions" => "Doe dit op een ander toestel van u.",
        "travelling" => "Breng het terug met baken travel end, met een ander toestel van u erbij.",
        "root_elsewhere" => "Maak hem daar; daarna kan elk toestel van u hem vervangen.",
        "no_recovery_code" => "Maak hem eerst, en leg hem in een kluis: baken recovery print.",
        "other_dossier" => "Koppel het met een toestel van het dossier waarvan het op reis is.",
        "last_device" => "Koppel eerst een tweede toestel: dat bewaart het dossier en brengt het terug.",
        "not_all_sent" => "Werk bij en probeer het opnieuw; er is niets veranderd.",
        "erased" => "Zet eerst een waarde terug (baken record history, baken record revert) en herstel het dan.",
        "no_such_alarm" => "Kijk met: baken alarm list",
        "not_family" => "Doe dit op het eigen toestel van het familielid, nadat het in de kring is.",
        "not_agreed" => "Op hun eigen toestel: baken alarm responder agree; werk daarna beide bij.",
        "family_full" => "Verwijder er eerst een: baken alarm family list",
        "no_timeline" => "Vraag het de meldkamer.",
        "no_alarm_text" => "Bel 112; het alarm gaat weg zodra er verbinding is.",
        "no_such_check_in" | "check_in_over" => "Kijk met: baken check-in list",
        "check_in_time" => "Kies een tijdstip van een minuut tot zeven dagen vooruit.",
        "check_in_text" => "Schrijf minder.",
        "too_many_check_ins" => "Meld er eerst een af.",
        "in_conflict" => "Kies met: baken conflicts resolve",
        "no_conflict" => "Kijk met: baken conflicts list",
        "no_ladder" => "Bel 112, en vraag uw organisatie iemand aan te wijzen.",
        "not_reached" => "Het is bewaard en gaat weg zodra er verbinding is.",
        "untrusted" => "Ga op dit netwerk niet verder; er is niets verzonden.",
        "out_of_date" => "Zet datum en tijd van dit toestel goed; kloppen die, meld het dan uw organisatie.",
        "bad_answer" => "Kijk of de server en dit programma van dezelfde versie zijn.",
        "not_trustworthy" => "Vergelijk uw toestellen, en meld uw organisatie dat de server liegt.",
        "invite_used" => "Vraag een nieuwe uitnodiging; gebruikte u deze niet zelf, meld dat dan meteen.",
        "invite_expired" | "invite_unknown" => "Vraag uw organisatie om een nieuwe uitnodiging.",
        "unknown_device" => "Activeer of koppel dit toestel opnieuw.",
        "entry_conflict" => "De map van dit toestel is gekopieerd of teruggezet: koppel het opnieuw.",
        "too_often" | "busy" | "stopping" => "Probeer het over een minuut opnieuw.",
        _ => "Probeer het later opnieuw; blijft het, meld dan deze code.",
    }
}
