//! Every sentence the command line prints, Dutch and English side by side. What an alarm's state is called is in the
//! core (`alarm/words.rs`), so that every app says it alike.

use baken_core::BakenError;
use baken_schemas::Language;
use baken_schemas::code::CodeError;

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
    CHECKLIST: "Checklist", "Checklist";
    SOURCES: "Bronnen: {}. Geschreven op {}, opnieuw te bekijken voor {}.",
             "Sources: {}. Written on {}, to be looked at again by {}.";
    UNCONFIRMED: "Nog niet bevestigd: {}. Nagaan bij {}.", "Not confirmed yet: {}. Check at {}.";
    UNCONFIRMED_CONTACT: "Nog niet bevestigd. Nagaan bij {}.", "Not confirmed yet. Check at {}.";
    MAYBE_STALE: "mogelijk verouderd sinds {}", "may be out of date since {}";
    REACHABLE_NOW: "nu bereikbaar", "reachable now";
    REACHABLE_SEE: "zie de tijden", "see the hours";
    REACHABLE_NOT: "nu niet bereikbaar", "not reachable now";
    ALSO: "Ook:", "Also:";
    CALL: "Bel", "Call";
    NOTHING_FOUND: "Niets gevonden. In gevaar? Bel 112.", "Nothing found. In danger? Call 112.";
    LAYER: "{}: {}, versie {}, geldig tot {}", "{}: {}, version {}, good until {}";
    LAYER_FAULT: "Wat is opgeslagen, is niet te vertrouwen en wordt niet gelezen ({}).",
                 "What is stored cannot be trusted and is not read ({}).";
    LAYER_WITH_PROGRAM: "Nieuwere komen met een nieuwere versie van Baken.",
                        "Newer ones come with a newer version of Baken.";
    LAYER_UPDATED: "{}: bijgewerkt, {} bestanden gehaald", "{}: updated, {} files fetched";
    UP_TO_DATE: "{}: dit is de nieuwste", "{}: this is the newest";
    NOT_UPDATED: "{}: niet bijgewerkt: {}", "{}: not updated: {}";
    WHY: "Waarom: regel {}{}, voor {}", "Why: rule {}{}, for {}";
    LEIDRAAD_ROWS: ", Leidraad {}", ", Leidraad {}";
    SOURCE_OF: "bron: {} ({})", "source: {} ({})";
    SHARING: "Wie mag van de maatregel weten:", "Who may know of the measure:";
    ON_DAY: "Op {} geldt:", "On {} this holds:";
    GATE_HOW: "Antwoord met: baken scan start --gate yes (of no)", "Answer with: baken scan start --gate yes (or no)";
    GATE_YES: "Doe de zelfscan een andere keer. Nu eerst dit.", "Take the self-scan another time. This comes first.";
    SCAN_DONE: "Alle vragen zijn beantwoord. Kijk met: baken scan result",
               "All questions are answered. Look with: baken scan result";
    SCAN_ANSWER_HOW: "Antwoord met: baken scan answer {} yes|no|unknown{}",
                     "Answer with: baken scan answer {} yes|no|unknown{}";
    SCAN_YES_NO: "ja, nee of ? (leeg: later verder): ", "yes, no or ? (empty: go on later): ";
    SCAN_YES_NO_NA: "ja, nee, ? of nvt (leeg: later verder): ", "yes, no, ? or na (empty: go on later): ";
    SCAN_LATER: "Later verder met: baken scan", "Go on later with: baken scan";
    SCAN_PROGRESS: "{} van {} beantwoord", "{} of {} answered";
    SCAN_TIP: "Tip:", "Tip:";
    SCAN_FIRST: "Eerst doen", "Do first";
    SCAN_REST: "Daarna", "After that";
    SCAN_NO_TIPS: "Geen tips.", "No tips.";
    SCAN_OPEN: "Nog niet beantwoord: {}", "Not answered yet: {}";
    SCAN_SOLVED: "opgelost", "solved";
    SCAN_NEW: "nieuw aandachtspunt", "new point of attention";
    SCAN_SAME: "nog steeds", "still so";
    SCAN_NO_CHANGES: "Er is nog geen eerdere scan om mee te vergelijken.", "There is no earlier scan to compare with.";
    SCAN_AGAIN: "Een nieuwe ronde. De antwoorden van de vorige blijven ter vergelijking.",
                "A new round. The answers of the last one stay for comparison.";
    SCAN_TASK: "In uw dossier gezet: {}", "Put into your dossier: {}";
    SCAN_SHARED: "Gedeeld: {}", "Shared: {}";
    SCAN_CLEARED: "De antwoorden van de zelfscan zijn gewist.", "The answers of the self-scan are gone.";
    PIN: "Pincode: ", "PIN: ";
    PASSPHRASE: "Wachtzin van de check-up: ", "Passphrase of the check-up: ";
    ASK_WHAT: "Wat is er gebeurd? ", "What happened? ";
    ASK_WHEN: "Wanneer? (Enter: nu; of 08:30, of 2026-11-20 08:30) ", "When? (Enter: now; or 08:30, or 2026-11-20 08:30) ";
    ASK_WHERE: "Waar? ", "Where? ";
    ASK_WHO: "Wie, of hoe zag die eruit? ", "Who, or what did they look like? ";
    ASK_WITH_WHAT: "Waarmee? ", "With what? ";
    ASK_HOW: "Op welke wijze? ", "In which way? ";
    ASK_WHY: "Waarom, voor zover u weet? ", "Why, as far as you know? ";
    ASK_THREAT: "Bron: 1 boze inwoner, 2 verward persoon, 3 georganiseerde criminaliteit, 4 onbekend? ",
                "Source: 1 angry resident, 2 confused person, 3 organised crime, 4 unknown? ";
    INCIDENT_NEXT: "Meld het ook intern: baken incident report {} --internal NAAM\n\
                    Bewijs erbij: baken attach add BESTAND --to {}\nOverdragen: baken incident pack {} --for police --out MAP",
                   "Report it inside too: baken incident report {} --internal NAME\n\
                    Add evidence: baken attach add FILE --to {}\nHand it over: baken incident pack {} --for police --out FOLDER";
    ASK_VPT: "Hebt u gezegd dat u een ambt bekleedt, en om de VPT-code gevraagd? Noteer het met --vpt yes.",
             "Did you say that you hold an office, and ask for the VPT code? Note it with --vpt yes.";
    LINKED: "Samengevoegd.", "Joined.";
    WHEN: "wanneer", "when";
    WHAT: "wat", "what";
    SOURCE: "bron", "source";
    REPORTED_TO: "intern gemeld", "reported to";
    POLICE: "politie", "police";
    EVIDENCE: "bewijs", "evidence";
    SAME_PERPETRATOR: "zelfde dader", "same perpetrator";
    LINK: "verband", "joined with";
    OVERDUE: "voorbij", "overdue";
    PACKED: "In {} liggen: {}. Wie de map vindt, leest alles: wis haar na de overdracht.",
            "In {} there are: {}. Who finds the folder reads everything: delete it once it is handed over.";
    PACK_NOT_HERE: "{} bestand(en) staan niet op dit toestel en zijn niet bijgevoegd. Haal ze op: baken attach fetch",
                   "{} file(s) are not on this device and not in it. Fetch them: baken attach fetch";
    PACK_FINGERPRINT: "Vingerafdruk van het toestel dat tekende: {}", "Fingerprint of the device that signed: {}";
    CONFIDENTIAL: "vertrouwelijk", "confidential";
    PACK_CONFIDENTIAL: "Er staan geen maatregelen in. Zeg er ook niets over tegen derden.",
                       "No measures are in it. Do not speak of them to third parties either.";
    PACK_VERIFIED: "Alle {} bestanden zijn zoals ze op {} zijn ondertekend.",
                   "All {} files are as they were signed on {}.";
    PACK_PROVES: "Vergelijk de vingerafdruk met het toestel van de melder. De ondertekening zegt niet wie een foto maakte.",
                 "Compare the fingerprint with the reporter's device. The signature does not say who made a photo.";
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
    STUCK_UNCONFIRMED: "dit toestel wacht tot een ander toestel van u het toelaat",
                       "this device waits until another of your devices lets it in";
    STUCK_MISSING_LOG: "een wijziging van de ledenlijst die een ander toestel kent, is niet gekomen",
                       "a change of the members that another device knows has not come";
    STUCK_MISSING_CHECKPOINT: "het overzicht waarmee dit toestel moet beginnen, is nog niet compleet",
                              "the overview that this device must start from is not complete yet";
    NOT_IN_CIRCLE: "Dit apparaat krijgt niets nieuws meer uit deze kring. Wat tot nu toe gedeeld is, blijft hier.",
                   "This device gets nothing new from this circle any more. What was shared until now stays here.";
    SOMETHING_WAITS: "Er wacht iets op uw woord. Kijk met: baken status",
                     "Something waits for your word. Look with: baken status";
    FOUND_FORK: "Betrapt: in de kring {} schreef het toestel {} twee verschillende dingen op dezelfde plaats. Het is \
                 gekopieerd, of een ander heeft zijn sleutels. Zoek uit van wie het is, en haal het uit de kring (baken \
                 circle remove) tot dat duidelijk is. Meld het uw organisatie.",
                "Caught: in the circle {} the device {} wrote two different things in one place. It was copied, or \
                 somebody else has its keys. Find out whose it is, and take it out of the circle (baken circle remove) \
                 until that is clear. Tell your organisation.";
    FOUND_OWN_FORK: "Betrapt: de map van dit toestel is gekopieerd of teruggezet. Voer hier niets meer in: zet het \
                     opzij (baken recovery set-aside) en koppel het opnieuw met een ander toestel van u.",
                    "Caught: this device's folder was copied or restored. Enter nothing more here: put it aside (baken \
                     recovery set-aside) and pair it anew with another of your devices.";
    FOUND_WITHHELD: "Betrapt: de server houdt in de kring {} een wijziging achter van het toestel {}, die een ander \
                     toestel al kent. Wat hier staat, kan verouderd zijn. Vergelijk uw toestellen en meld het uw \
                     organisatie. Invoeren kan: er gaat niets verloren.",
                    "Caught: in the circle {} the server holds back a change by the device {} that another device knows. \
                     What is here may be out of date. Compare your devices and tell your organisation. You can go on \
                     entering: nothing gets lost.";
    FOUND_ROLLED_BACK: "Betrapt: de server is in de kring {} vergeten wat hij van dit toestel had bevestigd, zonder te zeggen dat hij \
                        is teruggezet. Dit toestel stuurt alles opnieuw. Meld het uw organisatie.",
                       "Caught: in the circle {} the server has forgotten what it had acknowledged to this device, without saying that it \
                        was restored. This device sends everything again. Tell your organisation.";
    FOUND_LOG_CONFLICT: "Betrapt: de server toont niet iedereen dezelfde leden van de kring {}. Vergelijk in persoon het \
                         veiligheidsnummer (baken circle show) met de andere toestellen, en meld het uw organisatie. \
                         Voer tot dan niets in.",
                        "Caught: the server does not show everybody the same members of the circle {}. Compare the safety \
                         number (baken circle show) with the other devices in person, and tell your organisation. Enter \
                         nothing until then.";
    FOUND_LOG_WITHHELD: "Betrapt: de server houdt een wijziging van de leden van de kring {} achter; iemand die eruit is, \
                         kan nog meelezen. Vergelijk in persoon het veiligheidsnummer (baken circle show) met de \
                         andere toestellen, en meld het uw organisatie. Voer tot dan niets in.",
                        "Caught: the server holds back a change of the members of the circle {}; somebody who is out may still \
                         read along. Compare the safety number (baken circle show) with the other devices in person, and \
                         tell your organisation. Enter nothing until then.";
    FOUND_INVENTED: "Betrapt: de server bevestigde in de kring {} een wijziging die dit toestel nooit heeft gemaakt. Meld het uw \
                     organisatie. Invoeren kan: er gaat niets verloren.",
                    "Caught: in the circle {} the server acknowledged a change that this device never made. Tell your organisation. You \
                     can go on entering: nothing gets lost.";
    OLDER_STATE: "Teruggehaald met de herstelcode. Wat na {} is gewijzigd, kan ontbreken, tot een ander toestel \
                  bevestigt dat dit het nieuwste is.",
                 "Brought back with the recovery code. What was changed after {} may be missing, until another device \
                  confirms that this is the newest.";
    NOTICE_THIS_WAITS: "Dit toestel wacht tot {} voor het erbij komt. Een ander toestel van u kan het eerder toelaten \
                        (baken circle confirm {}) of tegenhouden (baken circle veto).",
                       "This device waits until {} before it is in. Another of your devices can let it in earlier (baken \
                        circle confirm {}) or keep it out (baken circle veto).";
    NOTICE_PROPOSED_HERE: "Toestel {}, dat u hier toevoegde, komt erbij op {}. Eerder kan op een ander toestel van u: \
                           baken circle confirm {}. Toch niet: baken circle veto",
                          "Device {}, which you added here, is in at {}. Earlier, on another of your devices: baken \
                           circle confirm {}. Rather not: baken circle veto";
    NOTICE_PROPOSED: "Toestel {} is voorgesteld voor {} en komt erbij op {}. Was u dit niet: baken circle veto. Wel: \
                      baken circle confirm {}",
                     "Device {} was proposed for {} and is in at {}. If it was not you: baken circle veto. If it was: \
                      baken circle confirm {}";
    NOTICE_THIS_LEAVES: "Dit toestel is uit {} gehaald; dat is definitief op {}. Bezwaar: baken circle veto",
                        "This device was taken out of {}; that is final at {}. To object: baken circle veto";
    NOTICE_LEAVING: "Toestel {} is uit {} gehaald; dat is definitief op {}. Bezwaar: baken circle veto",
                    "Device {} was taken out of {}; that is final at {}. To object: baken circle veto";
    NOTICE_THIS_FROZEN: "Dit toestel is stilgezet in {}. Een ander toestel van u laat het weer toe: baken circle veto {}",
                        "This device is frozen in {}. Another of your devices lets it back in: baken circle veto {}";
    NOTICE_FROZEN: "Toestel {} is stilgezet in {}. Weer toelaten: baken circle veto {}",
                   "Device {} is frozen in {}. To let it back in: baken circle veto {}";
    NOTICE_DURESS: "Op toestel {} is een dwangpincode gebruikt; dit toestel hoorde dat op {}. Het is stilgezet in {}. \
                    Is het weer veilig, laat het dan weer toe: baken circle veto {}",
                   "A duress PIN was used on device {}; this device heard of it at {}. It is frozen in {}. When it is \
                    safe, let it back in: baken circle veto {}";
    LOCK_ASKED: "{}: op {} gevraagd zich te vergrendelen.", "{}: asked at {} to lock itself.";
    WIPE_ASKED: "{}: op {} gevraagd zich te wissen.", "{}: asked at {} to wipe itself.";
    ORDER_HANDED: "De server heeft het sinds {}; of het gedaan is, is niet bekend.",
                  "The server has had it since {}; it is not known whether it has been done.";
    ORDER_WAITS: "De server heeft het nog niet; het gaat mee met baken sync.",
                 "The server does not have it yet; it goes with baken sync.";
    WIPE_FAR_ASK: "Alles op {} wordt vernietigd, ook wat nog niet is verzonden. Typ {} om door te gaan: ",
                  "Everything on {} will be destroyed, also what it has not sent yet. Type {} to go on: ";
    TAKE_OUT_TOO: "Haal het ook uit uw dossier: baken circle remove dossier {}",
                  "Take it out of your dossier too: baken circle remove dossier {}";
    LOCKED_FROM_AFAR: "Een ander toestel van u heeft dit toestel vergrendeld. Het gaat open met de pincode.",
                      "Another device of yours has locked this device. It opens with the PIN.";
    GUEST: "geen: gast in een kring", "none: a guest in a circle";
    DOSSIER: "dossier", "dossier";
    FAMILY: "familie", "family";
    CASE: "zaak", "case";
    OWNER: "eigenaar", "owner";
    MEMBER: "lid", "member";
    VIEWER: "lezer", "viewer";
    WAITS: "wacht tot het wordt toegelaten", "waits to be let in";
    WAITS_UNTIL: "wacht tot {}", "waits until {}";
    REMOVED: "verwijderd", "removed";
    REMOVED_UNTIL: "verwijderd, definitief op {}", "removed, final at {}";
    IS_FROZEN: "stilgezet", "frozen";
    RECOVERABLE: "Er is een herstelcode voor.", "There is a recovery code for it.";
    NOT_RECOVERABLE: "Er is geen herstelcode voor: baken recovery print",
                     "There is no recovery code for it: baken recovery print";
    SAFETY_NUMBER: "Veiligheidsnummer: {}", "Safety number: {}";
    SAFETY_COMPARE: "Vergelijk het in persoon: lees het elkaar voor. Gelijk: u ziet dezelfde leden. Anders: werk beide \
                     toestellen bij (baken sync) en vergelijk opnieuw. Blijft het anders, voer dan niets in en meld \
                     het uw organisatie.",
                    "Compare it in person: read it out to each other. The same: you see the same members. Different: \
                     sync both devices (baken sync) and compare again. If it stays different, enter nothing and tell \
                     your organisation.";
    CIRCLE_FOUNDED: "De kring {} ({}) is gemaakt. De server hoort ervan bij de volgende keer: baken sync",
                    "The circle {} ({}) is made. The server hears of it next time: baken sync";
    DEVICE_OUT: "{} is uit {}: het krijgt niets nieuws meer. Wat het al had, houdt het.",
                "{} is out of {}: it gets nothing new any more. What it had, it keeps.";
    OWNER_MAY_OBJECT: "Een eigenaar kan een dag lang bezwaar maken (baken circle veto); daarna is het definitief.",
                      "An owner may object for a day (baken circle veto); after that it is final.";
    REST_AT_SYNC: "De server was daarna niet bereikbaar: de rest gaat bij de volgende keer, met baken sync.",
                  "The server could not be reached after that: the rest goes next time, with baken sync.";
    LEFT: "U bent uit {}.", "You have left {}.";
    ROLE_IS: "{} is nu {}.", "{} is a {} now.";
    FROZEN: "{} is stilgezet in {}, tot een ander toestel van u het weer toelaat: baken circle veto {}",
            "{} is frozen in {}, until another of your devices lets it back in: baken circle veto {}";
    STAYS_OUT: "Bezwaar gemaakt: {} blijft erbuiten.", "Objected: {} stays out.";
    IS_BACK: "Bezwaar gemaakt: {} is terug.", "Objected: {} is back.";
    LET_IN: "{} is erbij.", "{} is in.";
    GUEST_IN: "De gast is erbij, in {}.", "The guest is in, in {}.";
    PAIR_THIS_WAITS: "Dit toestel is nog niet binnen: het wacht tot {}.",
                     "This device is not in yet: it waits until {}.";
    PAIR_IT_WAITS: "Het nieuwe toestel is nog niet binnen: het wacht tot {}, zodat u bezwaar kunt maken.",
                   "The new device is not in yet: it waits until {}, so that you can object.";
    PAIR_OTHERS_CAN: "Op een ander toestel van u laat u het meteen toe (baken circle confirm {}) of houdt u het tegen \
                      (baken circle veto).",
                     "On another of your devices you let it in at once (baken circle confirm {}) or keep it out (baken \
                      circle veto).";
    PAIR_NOBODY_OBJECTS: "Met een enkel toestel is er geen ander toestel dat bezwaar maakt als iemand het in handen \
                          krijgt: een tweede is de moeite waard.",
                         "With a single device there is no other to object when somebody gets hold of it: a second one \
                          is worth having.";
    TYPE_OLD_CODE: "Typ de herstelcode die u eerder maakte (die vervalt): ",
                   "Type the recovery code that you made before (it expires): ";
    TYPE_CODE: "Typ de herstelcode van het papier: ", "Type the recovery code on the paper: ";
    RECOVERY_CODE: "Uw herstelcode, zeven groepen:", "Your recovery code, seven groups:";
    RECOVERY_WRITE: "Schrijf de code nu over op papier: hij wordt maar een keer getoond. Een eerdere code vervalt.",
                    "Write the code down on paper now: it is shown only once. An earlier code has expired.";
    RECOVERY_NEVER: "Maak er geen foto van, mail hem niet en bewaar hem niet op een computer. Leg het papier in een kluis.",
                    "Do not photograph it, do not mail it, do not keep it on a computer. Put the paper in a safe.";
    RECOVERY_SHEET: "Bij de code hoort dit blad. Het is geen geheim, maar zonder kunt u niet terug:",
                    "This sheet belongs to the code. It is no secret, but there is no way back without it:";
    RECOVERED: "Uw account is terug op dit toestel.", "Your account is back on this device.";
    OTHERS_OUT: "Uw andere toestellen zijn eruit gehaald.", "Your other devices were taken out.";
    OTHERS_IN: "Uw andere toestellen blijven erbij.", "Your other devices stay in.";
    PRINT_AGAIN: "Heeft iemand de code gezien, maak dan een nieuwe: baken recovery print",
                 "If anybody saw the code, make a new one: baken recovery print";
    ASIDE_WORD: "OPZIJ", "ASIDE";
    ASIDE_ASK: "Dit toestel wordt opzij gezet; er wordt niets gewist. Typ {} om door te gaan: ",
               "This device will be put aside; nothing is deleted. Type {} to go on: ";
    SET_ASIDE: "Opzij gezet in {}. Ga verder met baken recovery restore of baken pair show; die map opent u weer met \
                baken --home.",
               "Put aside in {}. Go on with baken recovery restore or baken pair show; open that folder again with baken \
                --home.";
    ALARMS_MOVE_ALONG: "Let op: {} alarm(en) zijn nog niet verzonden en gaan mee opzij. Verzend ze eerst (baken alarm \
                        watch), of bel 112.",
                       "Note: {} alarm(s) are not sent yet and go aside as well. Send them first (baken alarm watch), or \
                        call 112.";
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
    TRAVEL_WORD: "REIS", "TRAVEL";
    TRAVEL_ASK: "Typ {} om door te gaan: ", "Type {} to go on: ";
    TRAVEL_GOES: "Niet meer op dit toestel, tot een ander toestel van u het terugbrengt: {}.",
                 "Not on this phone any more, until another device of yours brings it back: {}.";
    TRAVEL_STAYS: "Mee gaan: {}. Alarmen werken als altijd.", "Come along: {}. Alarms work as ever.";
    TRAVEL_STARTED: "Op reis. Terug: baken travel end, met een ander toestel van u erbij.",
                    "Travelling. Back: baken travel end, beside another device of yours.";
    TRAVELLING: "Op reis sinds {}: het dossier is niet op dit toestel. Mee: {} gegevens, gewijzigd: {} velden.",
                "Travelling since {}: the dossier is not on this phone. Along: {} records, changed: {} fields.";
    TRAVEL_WAITS: "Gekoppeld; een ander toestel van u moet dit toelaten. Daarna: baken sync",
                  "Paired; another device of yours has to let this one in. Then: baken sync";
    TRAVEL_NONE: "Dit toestel is niet op reis.", "This phone is not travelling.";
    TRAVEL_ENDED: "Terug van reis: het dossier is weer op dit toestel.", "Back: the dossier is on this phone again.";
    HELD: "{} verwijderde {} gegevens ineens; ze blijven staan tot {}. Klopt het: baken record deletions --confirm {}. \
           Klopt het niet: baken record deletions --undo {}",
          "{} deleted {} records at once; they are kept until {}. If that is right: baken record deletions --confirm {}. \
           If not: baken record deletions --undo {}";
    HELD_HERE: "Dit toestel ({}) verwijderde {} gegevens ineens; ze blijven staan tot {}. Klopt het, bevestig het op een \
                ander toestel van u: baken record deletions --confirm {}. Klopt het niet: baken record deletions --undo {}",
               "This device ({}) deleted {} records at once; they are kept until {}. If that is right, confirm it on \
                another device of yours: baken record deletions --confirm {}. If not: baken record deletions --undo {}";
    HELD_UNTIL: "verwijdering vastgehouden tot {}", "deletion held until {}";
    RESTORABLE_UNTIL: "te herstellen tot {}", "can be restored until {}";
    ERASED_UNTIL: "gewist; in de geschiedenis tot {}", "erased; in the history until {}";
    DELETIONS_CONFIRMED: "Bevestigd: {} gegevens zijn verwijderd.", "Confirmed: {} records are deleted.";
    DELETIONS_UNDONE: "Hersteld: {} gegevens.", "Restored: {} records.";
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
    NOT_A_RESPONDER: "Dit toestel wordt in geen alarm geroepen. Toestemmen kan met: baken alarm responder agree --name NAAM",
                     "This device is called in no alarm. To agree to it: baken alarm responder agree --name NAME";
    RESPONDS_AS: "Dit toestel wordt in alarmen geroepen, als {}.", "This device is called in alarms, as {}.";
    RESPONDER_AGREED: "U bent te roepen als {}. Zodra u bent gekozen, gaan alarmen hier af met: baken alarm incoming follow",
                      "You can be called as {}. Once you are chosen, alarms ring here with: baken alarm incoming follow";
    RESPONDER_STOPPED: "Dit toestel wordt niet meer geroepen, en kan een later alarm niet openen.",
                       "This device is called no more, and cannot open a later alarm.";
    FAMILY_ADDED: "{} wordt voortaan in uw alarmen geroepen.", "{} is called in your alarms from now on.";
    FAMILY_SEES: "{} ziet in een alarm waar u bent, en wat u erbij schrijft. Stille alarmen en dwang gaan nooit naar familie.",
                 "{} sees in an alarm where you are, and what you write. Silent alarms and duress never go to family.";
    FAMILY_REMOVED: "{} wordt niet meer geroepen.", "{} is called no more.";
    FAMILY_STILL_SEALED: "Check-in {} ligt mogelijk nog bij de server in een vorm die zij kunnen openen; hij wordt bij het volgende contact vervangen.",
                         "Check-in {} may still lie at the server in a form that they can open; the next contact replaces it.";
    FAMILY_PLACES: "De ladders van uw organisatie roepen hoogstens {} van uw familie bij een alarm, en {} bij een gemiste check-in.",
                   "Your organisation's ladders call at most {} of your family in an alarm, and {} for a missed check-in.";
    FAMILY_CALLED: "wordt geroepen", "is called";
    FAMILY_CHOSEN: "gekozen, maar stemt niet meer toe", "chosen, but agrees no more";
    FAMILY_GONE: "gekozen, maar niet meer in de kring", "chosen, but no longer in the circle";
    FAMILY_AGREED: "stemt toe, niet gekozen", "agrees, not chosen";
    FAMILY_SILENT: "heeft niet toegestemd", "has not agreed";
    CALLER: "wie", "who";
    UNKNOWN_CALLER: "onbekend ({})", "unknown ({})";
    INCOMING_HEAD: "ALARM van {}: {} ({})", "ALARM from {}: {} ({})";
    NOT_PROVEN: "Dit toestel kent de sleutel van de beller nog niet. Het alarm kwam van iemand uit de kring.",
                "This device does not know the caller's key yet. The alarm came from somebody in the circle.";
    INCOMING_OPEN: "u hebt nog niet gereageerd", "you have not answered yet";
    INCOMING_WAITS: "gezien; nog niet verzonden", "seen; not sent yet";
    INCOMING_ACKNOWLEDGED: "u hebt het gezien", "you have seen it";
    INCOMING_CLOSED: "afgesloten", "closed";
    INCOMING_SEALED: "Dit alarm kan niet worden geopend. Bel de persoon.", "This alarm cannot be opened. Call the person.";
    AT_PLACE: "{}, {} (op {} m nauwkeurig, {} s oud)", "{}, {} (within {} m, {} s old)";
    NO_PLACE_YET: "plaats nog niet bekend", "place not known yet";
    NO_PLACE_OFF: "plaatsbepaling staat uit", "location is switched off";
    NO_PLACE_RECEIVER: "geen plaatsbepaling", "no location";
    SENT_ON_BY: "{} heeft het doorgezet", "{} has sent it on";
    ESCALATED: "doorgezet: de volgende is geroepen", "sent on: the next one is called";
    ESCALATION_WAITS: "doorzetten is nog niet verzonden", "sending it on has not gone out yet";
    TOP_OF_LADDER: "iedereen is al geroepen", "everybody was called already";
    INCOMING_112: "Bij direct gevaar: BEL 112.", "In immediate danger: CALL 112.";
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
    PATH_PROVEN: "Om {} was de weg naar {} open (heen en terug in {} ms).",
                 "At {} the way to {} was open (there and back in {} ms).";
    TESTS: "test", "test";
    TEST_STORED: "server", "server";
    TEST_RECEIVED: "aangekomen", "arrived";
    TEST_SEEN: "gezien", "seen";
    TEST_CLOSED: "afgesloten", "closed";
    TEST_DUE: "De maandelijkse test is weer aan de beurt (vorige: {}). Zie: baken alarm tests",
              "The monthly test is due again (the last: {}). See: baken alarm tests";
    TEST_NEVER: "De maandelijkse test is nog niet gedaan. Zie: baken alarm tests",
                "The monthly test has not been done yet. See: baken alarm tests";
    AUDIT_HEAD: "Logboek van de server: {} regels, controlegetal {} (opgehaald {}).",
                "The server's audit: {} rows, root {} (fetched {}).";
    AUDIT_REWRITTEN: "De server heeft zijn logboek herschreven, of is uit een back-up hersteld (gevonden {}; hier {} regels, daar {}). Vraag de beheerder wat er gebeurd is.",
                     "The server has written its audit anew, or was restored from a backup (found {}; {} rows here, {} there). Ask its keeper what happened.";
    PATH_NEVER: "De weg naar een meldkamer is nog nooit bewezen: baken alarm path --now",
                "The way to a desk was never proven yet: baken alarm path --now";
    PATH_UNANSWERED: "Sinds {} heeft geen meldkamer een proefbericht beantwoord. Bel bij nood 112.",
                     "Since {} no desk has answered a probe. In an emergency call 112.";
    TIMELINE_WRITTEN: "Het alarm met alle ondertekende meldingen staat in {}. Controleren: baken-server verify --timeline",
                      "The alarm with every signed receipt is in {}. To check it: baken-server verify --timeline";
    TIMELINE_READABLE: "Wie dit bestand krijgt, leest plaats, woorden en namen, en heeft de sleutel van uw kaart.",
                       "Whoever gets this file reads position, words and names, and has the key of your card.";
    COUNTDOWN: "Wordt verzonden om {}. Intrekken kan tot dan met: baken alarm withdraw {}",
               "Will be sent at {}. Until then it can be withdrawn with: baken alarm withdraw {}";
    WITHDRAWN_UNSENT: "Ingetrokken voor het werd verzonden.", "Withdrawn before it was sent.";
    WITHDRAWN: "Ingetrokken. De server heeft het bericht voor de meldkamer; een medewerker sluit het alarm af.",
               "Withdrawn. The server has the word for the desk; an officer closes the alarm.";
    WITHDRAWN_WAITS: "Ingetrokken; de server heeft het nog niet. Verzenden gaat door met: baken alarm watch",
                     "Withdrawn; the server does not have it yet. Sending goes on with: baken alarm watch";
    SMS_SEND: "Stuur deze sms naar {}:", "Send this text message to {}:";
    SMS_POSSIBLE: "Geen verbinding? Stuur het als sms: baken alarm sms {}", "No connection? Send it as a text message: baken alarm sms {}";
    PLACE: "Plaats", "Place";
    PLAN: "Plan", "Plan";
    DUE_AT: "afmelden voor", "settle before";
    RAISED_AT: "anders alarm om", "else alarm at";
    RENEWED_AT: "laatst vernieuwd", "last renewed";
    NOT_AT_RELAY: "niet bij de server", "not at the server";
    DAYS: "dagen", "days";
    TIME: "tijd", "time";
    WEEKDAYS: "ma di wo do vr za zo", "mon tue wed thu fri sat sun";
    CHECK_IN_SOON: "Check-in {} loopt bijna af: meld u af of verleng hem.",
                   "Check-in {} is due soon: settle or extend it.";
    CHECK_IN_DUE: "De tijd van check-in {} is om: meld u nu af, of er gaat een alarm af.",
                  "Check-in {} is due: settle it now, or an alarm goes off.";
    CHECK_IN_CALLED: "Check-in {} kwam nooit bij de server en de tijd is om: dit toestel geeft nu zelf alarm.",
                     "Check-in {} never reached the server and its time is over: this device now raises an alarm itself.";
    CHECK_IN_KEEP_TRYING: "Verzenden gaat door met: baken check-in watch",
                          "Sending goes on with: baken check-in watch";
    NOTED: "Genoteerd en verzegeld. Het staat tussen uw incidenten zodra u uw pincode hebt ingetoetst.",
           "Noted and sealed. It is among your incidents once you have typed your PIN.";
    UPDATED: "Aanvulling ligt vast.", "The update is kept.";
    CARD_PUBLISHED: "De kaart ligt verzegeld bij de server, bijgewerkt.", "The card lies sealed at the server, up to date.";
    PIN_CHANGED: "De pincode is gewijzigd.", "The PIN is changed.";
    DURESS_ADDED: "Dwangpincodes: {}. Vul wat ze tonen met: baken --decoy record add …",
                  "Duress PINs: {}. Fill in what they show with: baken --decoy record add …";
    DURESS_CLEARED: "Alle dwangpincodes zijn verwijderd.", "All duress PINs are removed.";
    WIPE_ON: "Tien verkeerde pincodes achter elkaar wissen dit toestel.", "Ten wrong PINs in a row wipe this device.";
    WIPE_OFF: "Verkeerde pincodes wissen niets.", "Wrong PINs wipe nothing.";
    WIPE_WORD: "WISSEN", "WIPE";
    WIPE_ASK: "Alles op dit toestel wordt vernietigd. Typ {} om door te gaan: ",
              "Everything on this device will be destroyed. Type {} to go on: ";
    WIPED: "Dit toestel is gewist.", "This device is wiped.";
    ATTACHMENT: "bijlage", "attachment";
    MEDIA_TYPE: "bestandssoort", "media type";
    SIZE: "grootte", "size";
    OF_RECORD: "bij", "of";
    HERE: "hier", "here";
    AT_RELAY: "op de server", "at the server";
    NO: "nee", "no";
    NOT_KNOWN: "onbekend", "unknown";
    ATTACHMENTS_PENDING: "bijlagen nog te verzenden", "attachments still to send";
    SEALING: "verzegelen", "sealing";
    FETCHING: "ophalen", "fetching";
    FETCHED: "Opgehaald: {}", "Fetched: {}";
    SAVED_READABLE: "Geschreven: {}. Wie dit bestand vindt, kan het lezen.",
                    "Written: {}. Whoever finds this file can read it.";
    STUCK_QUOTA: "de kring {} heeft op de server geen ruimte meer voor bijlagen, sinds {}; gegevens gaan gewoon door",
                 "the circle {} has no room at the server for attachments, since {}; records go on as usual";
    EXPORTING: "schrijven", "writing";
    IMPORTING: "invoeren", "importing";
    EXPORTED: "Geschreven: {} gegevens en {} bestanden in {}.", "Written: {} records and {} files, in {}.";
    EXPORT_CODE: "De code die dit bestand opent, zeven groepen. Hij wordt maar een keer getoond en is niet terug te halen:",
                 "The code that opens this file, seven groups. It is shown only once, and nobody can get it back:";
    EXPORT_APART: "Bewaar code en bestand op verschillende plaatsen: wie beide heeft, leest alles.",
                  "Keep code and file in different places: who has both reads everything.";
    EXPORT_NOT_HERE: "Van {} bijlage(n) staat het bestand niet op dit toestel; dat zit er niet in.",
                     "The files of {} attachment(s) are not on this device, and not in it.";
    CLEAR_WARNING: "Let op: wie deze map vindt, leest alles: adressen, maatregelen, meldingen en bijlagen. Ook na \
                    verwijderen kan het op de schijf, in een back-up of een prullenbak blijven staan.",
                   "Note: whoever finds this folder reads everything: addresses, measures, incidents and attachments. \
                    After deleting it may still be on the disk, in a backup or in a bin.";
    CLEAR_WORD: "LEESBAAR", "READABLE";
    CLEAR_ASK: "Typ {} om door te gaan: ", "Type {} to go on: ";
    TYPE_EXPORT_CODE: "Typ de code van het bestand: ", "Type the code of the file: ";
    IMPORTED: "Ingevoerd: {} nieuw, {} aangevuld, {} waren er al, {} bestanden.",
              "Imported: {} new, {} filled in, {} were here already, {} files.";
    IMPORT_DIFFERS: "Hier staat iets anders, dat blijft: {} {}: {}", "Another value is here and stays: {} {}: {}";
    IMPORT_IN_HISTORY: "Had twee waarden, deze staat nu in de geschiedenis: {} {}: {}",
                       "Had two values, this one is in the history now: {} {}: {}";
    IMPORT_NO_FILE: "Bijlage zonder bestand: {}", "Attachment without its file: {}";
    IMPORT_LEFT_OUT: "Niet ingevoerd: {} ({}): {}", "Left out: {} ({}): {}";
    LEFT_NOT_IN_CIRCLE: "dit toestel is niet in die kring", "this device is not in that circle";
    LEFT_MAY_NOT_WRITE: "dit toestel kan in die kring niet schrijven", "this device cannot write in that circle";
    LEFT_NOT_SHARED: "dit soort gegeven hoort niet in het dossier", "such records do not belong in the dossier";
    LEFT_VALUE: "een waarde past niet in haar veld", "a value does not fit its field";
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
        "what_missing" => (
            Text::new("er staat niet wat er is gebeurd", "it does not say what happened"),
            Text::new("Zeg het in een paar woorden: --what.", "Say it in a few words: --what."),
        ),
        "threat_unknown" => (
            Text::new("die bron is er niet", "there is no such source"),
            Text::new("Kies 1, 2, 3 of 4, of laat het open.", "Choose 1, 2, 3 or 4, or leave it open."),
        ),
        "value_not_time" => (
            Text::new("dit veld is een datum of tijdstip", "this field is a date or a moment"),
            Text::new("Schrijf 2026-11-23 of 2026-11-23T20:15:00Z.", "Write 2026-11-23 or 2026-11-23T20:15:00Z."),
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
        "no_such_circle" => "die kring is er niet",
        "not_shared" => "dit soort gegeven wordt in deze soort kring niet gedeeld",
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
