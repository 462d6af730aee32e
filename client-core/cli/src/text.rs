//! Every sentence the command line prints, Dutch and English side by side. What an alarm's state is called is in the
//! core (`alarm/words.rs`), so that every app says it alike.

mod failures;

use baken_schemas::Language;

pub use failures::{core_help, core_message, own_failure};

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

pub mod sharing;

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
    NEW_PASSPHRASE: "Nieuwe wachtzin (6 tot 64 tekens): ", "New passphrase (6 to 64 characters): ";
    PASSPHRASE_CHANGED: "De wachtzin is veranderd. Er is niets verloren.", "The passphrase is changed. Nothing is lost.";
    PASSPHRASE_OTHERS: "Een deel ligt achter een andere wachtzin, van een toestel dat apart was. Verander die ook.",
                       "Some lie behind another passphrase, of a device that was apart. Change that one too.";
    REMINDED: "In de agenda gezet op {}: moment voor uzelf.", "Put into the agenda on {}: time for yourself.";
    REMINDED_NOT: "Er is geen herinnering meer.", "There is no reminder any more.";
    FINISHED: "Gedaan: {}", "Done: {}";
    LETTER_MENTION: "Wat u noemt", "What to mention";
    LETTER_LEAVE_OUT: "Wat u weglaat, want een brief wordt bewaard en door meer mensen gelezen",
                      "What to leave out, since a letter is filed and read by more people";
    OF_OFFICE: "Als {}:", "As {}:";
    STEP_NEXT: "Nu: {}", "Now: {}";
    STEPS_DONE: "Alles wat Baken kan zien, is gedaan.", "All that Baken can see is done.";
    STEPS_COUNT: "{} van {}", "{} of {}";
    TASK_LEFT: "Te doen: {}, voor {} ({})", "To do: {}, by {} ({})";
    REVIEW_WITH: "Bespreek dit met uw adviseur. Het mag in stukken.", "Discuss this with your adviser. It can be done in parts.";
    REVIEW_WHOM: "Met wie? (Enter slaat over) ", "With whom? (Enter skips) ";
    REVIEW_HOW: "Antwoord met: baken review answer {} yes|no|open", "Answer with: baken review answer {} yes|no|open";
    REVIEW_YES_NO: "ja, nee of open (leeg: later verder): ", "yes, no or open (empty: go on later): ";
    REVIEW_SAID: "Wat is erover gezegd? (Enter slaat over) ", "What was said of it? (Enter skips) ";
    REVIEW_DAY: "Voor welke dag? (Enter: {}) ", "By which day? (Enter: {}) ";
    REVIEW_LATER: "Later verder met: baken review", "Go on later with: baken review";
    REVIEW_SIGNAL: "Is u iets opgevallen? Schrijf het hier op (leeg: nee): ", "Did something strike you? Write it here (empty: no): ";
    REVIEW_HEAD: "De vier vragen, {} {}", "The four questions, {} {}";
    REVIEW_CALL: "U mag altijd bellen, een gevoel is genoeg:", "You may always call, a feeling is enough:";
    SIGNAL_ADDED: "Opgeschreven: {}. Vertel het uw griffier, secretaris of burgemeester, en noteer het: baken signal told",
                  "Written down: {}. Tell your clerk, secretary or mayor, and note it: baken signal told";
    SIGNAL_TOLD: "Genoteerd: {}", "Noted: {}";
    SEEN_WHERE: "waar", "where";
    TOLD: "verteld aan", "told to";
    SIGNALS_TOGETHER: "Samen kunnen ze reden zijn om meer te doen. Bespreek ze samen met de politie; die weegt het.",
                      "Together they may be a reason to do more. Discuss them together with the police, who weigh it.";
    SIGNALS_UNTOLD: "Nog aan niemand verteld: {}. Noteer het met: baken signal told ID driehoek",
                    "Told to nobody yet: {}. Note it with: baken signal told ID driehoek";
    OFFICE: "ambt", "office";
    ORGANISATION: "organisatie", "organisation";
    FROM: "vanaf", "from";
    UNTIL: "tot en met", "until";
    OFFICE_HELD: "nu", "now";
    OFFICE_NOT_HELD: "niet nu", "not now";
    LIFE_STAYS: "Blijft", "Stays";
    LIFE_ENDS: "Eindigt", "Ends";
    LIFE_CHANGES: "Verandert", "Changes";
    LIFE_DOES: "Doet Baken", "Baken does";
    LIFE_TO_DO: "Doet u", "You do";
    LIFE_ASK: "Zal Baken dit doen en de taken in uw agenda zetten? (ja/nee) ",
              "Shall Baken do this and put the tasks into your agenda? (yes/no) ";
    LIFE_NOT_YET: "Er is nog niets gedaan. Doe het met --yes.", "Nothing is done yet. Do it with --yes.";
    LIFE_NOTHING: "Er is niets gedaan.", "Nothing was done.";
    LIFE_DONE: "Gedaan. {} taken staan in uw agenda: baken agenda --full", "Done. {} tasks are in your agenda: baken agenda --full";
    FAMILY_CALL: "Wie u belt", "Whom you call";
    FAMILY_PLAN: "Wat is afgesproken", "What was agreed";
    FAMILY_NO_PLAN: "Nog niets. Begin met: baken record add --circle NAAM plan title=…",
                    "Nothing yet. Begin with: baken record add --circle NAME plan title=…";
    FAMILY_READ: "Om te lezen", "To read";
    FAMILY_CHILDREN: "Voor kinderen", "For children";
    FAMILY_AFTERCARE: "Daarna", "Afterwards";
    FAMILY_NO_AFTERCARE: "Nog geen nazorg. Begin met: baken aftercare start --for family",
                         "No aftercare yet. Begin with: baken aftercare start --for family";
    FAMILY_HELPER: "{}: hulp van {}", "{}: help from {}";
    FAMILY_NO_HELPER: "nog niemand (kies met --helper)", "nobody yet (choose with --helper)";
    PIN: "Pincode: ", "PIN: ";
    PASSPHRASE: "Wachtzin van de check-up: ", "Passphrase of the check-up: ";
    ASK_WHAT: "Wat is er gebeurd? ", "What happened? ";
    ASK_WHEN: "Wanneer? (Enter: nu; of 08:30, of 2026-11-20 08:30) ", "When? (Enter: now; or 08:30, or 2026-11-20 08:30) ";
    ASK_WHERE: "Waar? ", "Where? ";
    ASK_WHO: "Wie, of hoe zag die eruit? ", "Who, or what did they look like? ";
    ASK_WITH_WHAT: "Waarmee? ", "With what? ";
    ASK_HOW: "Op welke wijze? ", "In which way? ";
    ASK_WHY: "Waarom, voor zover u weet? ", "Why, as far as you know? ";
    ASK_THREAT_SOURCE: "Bron: 1 boze inwoner, 2 verward persoon, 3 georganiseerde criminaliteit, 4 onbekend? ",
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
    TEST_DUE: "De maandelijkse test is weer aan de beurt (vorige: {}). Doe hem met: baken alarm press --kind test",
              "The monthly test is due again (the last: {}). Do it with: baken alarm press --kind test";
    TEST_NEVER: "De maandelijkse test is nog niet gedaan. Doe hem met: baken alarm press --kind test",
                "The monthly test has not been done yet. Do it with: baken alarm press --kind test";
    AUDIT_HEAD: "Logboek van de server: {} regels, controlegetal {} (opgehaald {}).",
                "The server's audit: {} rows, root {} (fetched {}).";
    AUDIT_REWRITTEN: "De server heeft zijn logboek herschreven, of is uit een back-up hersteld (gevonden {}; hier {} regels, daar {}). Vraag de beheerder wat er gebeurd is.",
                     "The server has written its audit anew, or was restored from a backup (found {}; {} rows here, {} there). Ask its keeper what happened.";
    PATH_NEVER: "De weg naar een meldkamer is nog nooit bewezen: baken alarm path --now",
                "The way to a desk was never proven yet: baken alarm path --now";
    PATH_UNANSWERED: "Sinds {} heeft geen meldkamer een proefbericht beantwoord. Bel bij nood 112.",
                     "Since {} no desk has answered a probe. In an emergency call 112.";
    HOME_ANSWERED: "Het toestel van {} (familie) antwoordde het laatst om {}. Een test bewijst het opnieuw.",
                   "{}'s device (family) last answered at {}. A test proves it anew.";
    HOME_NEVER: "Het toestel van {} (familie) antwoordde nog nooit. Doe een test: baken alarm press --kind test",
                "{}'s device (family) never answered yet. Make a test: baken alarm press --kind test";
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
    CHECK_IN_SETTLED_ELSEWHERE: "Check-in {} is afgemeld op een ander toestel van u. Deed u dat niet zelf? Druk dan op alarm.",
                                "Check-in {} was settled on another device of yours. Was that not you? Then press the alarm.";
    CHECK_IN_ELSEWHERE: "{}  van {}: af te melden voor {}, anders gaat om {} een alarm af",
                        "{}  of {}: to be settled before {}, or an alarm goes off at {}";
    NO_CHECK_INS_ELSEWHERE: "Uw andere toestellen hebben geen check-in bij de server.",
                            "Your other devices have no check-in at the server.";
    OTHER_DEVICE: "een ander toestel van u", "another device of yours";
    TAKEN_OVER: "Overgenomen van een ander toestel.", "Taken over from another device.";
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
    TYPE_TO_GO_ON: "Typ {} om door te gaan: ", "Type {} to go on: ";
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
    READY_SAID: " (zelf gezegd)", " (you said so)";
    READINESS_WITHHELD: "Uw adviseur ziet dit niet. Delen kan met: baken readiness share",
                        "Your adviser does not see this. To share it: baken readiness share";
    READINESS_GIVEN: "Uw adviseur mag dit zien; het is nog niet verzonden. Dat doet: baken sync",
                     "Your adviser may see this; it is not sent yet. That does: baken sync";
    READINESS_SHARED: "Uw adviseur ziet deze woorden, en niet waarop ze rusten. Stoppen kan altijd: baken readiness withhold",
                      "Your adviser sees these words, and not what they rest on. You can stop any time: baken readiness withhold";
    READINESS_WITHDRAWING: "U deelt dit niet meer; de server weet dat nog niet. Dat doet: baken sync",
                           "You no longer share this; the server does not know yet. That does: baken sync";
}
