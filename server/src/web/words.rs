//! Every sentence of the console, in Dutch and in English. Short, and never more than is known.

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, FixAbsent, Provenance, ReceiptState};

use crate::desk::passkeys::PasskeyError;
use crate::desk::{SignatureView, Standing, Unopened};

/// Declares each text once, with both languages side by side.
macro_rules! words {
    ($($name:ident: $nl:literal, $en:literal;)*) => {
        /// The texts in one language.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each field's text says what it is")]
        pub struct Words {
            $(pub $name: &'static str,)*
        }

        const NL: Words = Words { $($name: $nl,)* };
        const EN: Words = Words { $($name: $en,)* };
    };
}

pub(crate) use words;

words! {
    lang: "nl", "en";
    other_lang: "en", "nl";
    other_lang_name: "English", "Nederlands";
    alarms: "Alarmen", "Alarms";
    open_alarms: "Open alarmen", "Open alarms";
    closed_alarms: "Afgesloten alarmen", "Closed alarms";
    none_open: "Er zijn geen open alarmen.", "There are no open alarms.";
    none_closed: "Er zijn nog geen afgesloten alarmen.", "No alarm has been closed yet.";
    back: "Terug naar alle alarmen", "Back to all alarms";
    log_out: "Uitloggen", "Log out";
    logged_in_as: "Ingelogd als", "Logged in as";
    log_in: "Inloggen", "Log in";
    log_in_title: "Inloggen bij de meldkamer", "Log in to the desk";
    log_in_explain: "Deze link werkt één keer. Klik op de knop om in te loggen.", "This link works once. Press the button to log in.";
    log_in_ask: "Vraag de beheerder om een inloglink. Die werkt één keer en een half uur lang.", "Ask the keeper of this desk for a login link. It works once, for half an hour.";
    log_in_refused: "Deze link is al gebruikt, verlopen of onbekend. Vraag om een nieuwe.", "This link was used, has expired or is unknown. Ask for a new one.";
    menu: "Menu", "Menu";
    skip: "Naar de inhoud", "Skip to the content";
    rings: "ALARM", "ALARM";
    waiting: "wacht op u", "waiting for you";
    sound_on: "Het geluid staat uit. Klik hier om het aan te zetten.", "The sound is off. Click here to turn it on.";
    copy: "Kopieer", "Copy";
    copied: "Gekopieerd:", "Copied:";
    not_copied: "Kopiëren lukte niet. Selecteer de tekst.", "Copying did not work. Select the text.";
    accuracy: "Nauwkeurig tot", "Accurate to";
    plan_shows: "Plattegrond met het noorden boven: de plaats, nauwkeurig tot", "Plan with north above: the position, accurate to";
    plan_way: "en de weg ernaartoe", "and the way there";
    test_band: "TEST · geen noodoproep", "TEST · no call for help";
    more_acts: "Meer: overdragen, doorgeven, samenvoegen", "More: hand over, pass on, join";
    earlier: "Eerder van deze persoon", "Earlier, of this person";
    roster: "Rooster", "Roster";
    roster_broken: "Het rooster kan niet worden gelezen; het laatste goede geldt.", "The roster cannot be read; the last good one counts.";
    roster_file: "De beheerder wijzigt het rooster met: baken-server duty set.", "The keeper changes the roster with: baken-server duty set.";
    no_roster: "Er is geen rooster. De beheerder maakt er een met: baken-server duty set.", "There is no roster. The keeper makes one with: baken-server duty set.";
    this_week: "De komende week", "The week to come";
    holes: "Gaten in de komende acht weken", "Holes in the eight weeks to come";
    from: "Van", "From";
    until: "Tot", "Until";
    who: "Wie", "Who";
    nobody: "niemand", "nobody";
    duty_hand: "Dienst overdragen, vanaf nu", "Hand the duty over, from now on";
    duty_hand_do: "Draag over", "Hand over";
    duty_when: "Vul een datum en een tijd in.", "Fill in a date and a time.";
    duty_refused: "Het rooster is niet gewijzigd.", "The roster was not changed.";
    shift: "Overdracht", "Shift";
    shift_explain: "Loop dit samen door bij het wisselen van de dienst.", "Go through this together when the shift changes.";
    shift_closed: "Afgesloten in de laatste twaalf uur", "Closed in the last twelve hours";
    shift_note: "Laat iets achter voor de volgende dienst", "Leave a note for the next shift";
    shift_note_what: "Wat moet de volgende weten?", "What must the next one know?";
    shift_note_keep: "Bewaar", "Keep";
    shift_note_kept: "Dit ligt versleuteld bij deze meldkamer en verdwijnt na twee weken.", "This lies sealed at this desk and goes after two weeks.";
    shift_note_words: "Schrijf iets, hooguit 2000 tekens.", "Write something, at most 2000 characters.";
    shift_notes: "Van eerdere diensten", "From earlier shifts";
    shift_notes_none: "Er is niets achtergelaten.", "Nothing was left.";
    mind: "Let op", "Mind";
    log_in_key: "Gebruik uw passkey: de vingerafdruk, pincode of veiligheidssleutel waarmee u zich hier hebt aangemeld.", "Use your passkey: the fingerprint, PIN or security key with which you signed up here.";
    log_in_with_key: "Inloggen met passkey", "Log in with a passkey";
    log_in_lost: "Passkeys kwijt? Vraag de beheerder van deze meldkamer om een inloglink.", "Lost your passkeys? Ask the keeper of this desk for a login link.";
    enrol_explain: "Deze link werkt één keer. U voegt er twee passkeys mee toe; daarna logt u daarmee in.", "This link works once. With it you add two passkeys, and from then on log in with those.";
    passkey_busy: "Volg de aanwijzingen van uw browser…", "Follow what your browser asks…";
    passkey_broken: "Afgebroken of te laat. Probeer het opnieuw.", "Broken off, or too late. Try again.";
    passkey_twice: "Deze passkey staat er al. Gebruik een ander apparaat of een andere sleutel.", "This passkey is there already. Use another device or another key.";
    passkey_unsupported: "Hiervoor is een browser met script en passkeys nodig. Werk uw browser bij.", "This takes a browser with script and passkeys. Update your browser.";
    locked: "De console is vergrendeld", "The console is locked";
    locked_quiet: "Er wacht geen alarm.", "No alarm is waiting.";
    locked_ringing: "wacht op iemand. Ontgrendel nu.", "waiting for somebody. Unlock now.";
    locked_explain: "Een half uur raakte niemand de console aan. Er klinkt nog steeds geluid bij een alarm. Ingelogd:", "Nobody touched the console for half an hour. It still sounds when an alarm comes. Logged in:";
    keys: "Uw passkeys", "Your passkeys";
    keys_two: "Voeg twee passkeys toe, op twee verschillende apparaten of sleutels. Dan komt u er ook in als u er een kwijt bent.", "Add two passkeys, on two different devices or keys. Then you still come in when you lose one.";
    keys_one_more: "Nog één, op een ander apparaat of een andere sleutel. Daarna gaat de console open.", "One more, on another device or another key. Then the console opens.";
    keys_go_on: "Ga naar de alarmen", "Go on to the alarms";
    keys_prove: "Wilt u een passkey toevoegen of verwijderen? Gebruik dan eerst uw passkey. Zo kan niemand anders het doen als u even weg bent.", "Do you want to add or remove a passkey? Use your passkey first. Then nobody else can do it while you are away.";
    keys_prove_now: "Gebruik uw passkey", "Use your passkey";
    key_name: "Hoe heet deze passkey?", "What is this passkey called?";
    key_hint: "Bijvoorbeeld: blauwe sleutel aan mijn bos, of dienstlaptop.", "Such as: blue key on my key ring, or work laptop.";
    key_add: "Voeg deze passkey toe", "Add this passkey";
    key_added: "Toegevoegd", "Added";
    key_used: "laatst gebruikt", "last used";
    key_never_used: "nog niet", "not yet";
    key_remove: "Verwijder", "Remove";
    already_in: "Al ingelogd? Ga verder", "Logged in already? Go on";
    stale: "Deze pagina loopt niet meer bij. Ververs de pagina en controleer uw verbinding.", "This page is no longer up to date. Reload it and check your connection.";
    old_title: "Niet meer actueel", "No longer up to date";
    old: "Deze pagina is al een half uur niet bijgewerkt. Daarom is verborgen wat er stond: plaatsen en alarmen kunnen veranderd zijn, en nieuwe alarmen ziet u hier niet. Controleer de verbinding met de desk en kijk op een ander scherm. Wat u invulde, is nog in deze pagina: laat haar open. Zodra de desk antwoordt, komt alles terug.", "This page has not been updated for half an hour. So what stood here is hidden: positions and alarms may have changed, and you do not see new alarms here. Check the connection to the desk and look on another screen. What you filled in is still in this page: leave it open. As soon as the desk answers, all comes back.";
    old_show: "Laat toch zien wat er stond", "Show what stood here all the same";
    desk_silent: "is niet bereikbaar voor de relay", "is not heard by the relay";
    relay_down: "Geen verbinding met de relay. Nieuwe alarmen komen niet binnen.", "No connection to the relay. New alarms do not come in.";
    since: "Sinds", "Since";
    acknowledge: "Ik heb deze", "I have this one";
    acknowledge_also: "Ook oppakken", "Take it as well";
    verify: "Geverifieerd", "Verified";
    verify_how: "Hoe is dit gecontroleerd?", "How was this checked?";
    underway: "Hulp onderweg", "Help is on its way";
    underway_what: "Wat is er onderweg?", "What is on its way?";
    close: "Afsluiten", "Close";
    close_outcome: "Hoe is het afgelopen?", "What was the outcome?";
    ending: "Wat was het?", "What was it?";
    ending_unsaid: "niet gezegd", "not said";
    ending_real: "echt", "real";
    ending_false: "loos alarm", "false alarm";
    ending_exercise: "oefening", "exercise";
    keeping: "Bewaren", "Keeping";
    kept_until: "De inhoud van dit alarm wordt vernietigd op", "The content of this alarm will be destroyed on";
    kept_while_open: "De inhoud blijft bewaard zolang het alarm openstaat.", "The content is kept while the alarm is open.";
    held: "Wordt langer bewaard door", "Kept longer by";
    hold: "Langer bewaren", "Keep longer";
    hold_why: "Waarom langer bewaren? (klacht, zaak)", "Why keep it longer? (complaint, case)";
    release: "Niet langer bewaren dan andere", "Keep no longer than others";
    shredded: "Plaats, tekst, namen en berichten van dit alarm zijn vernietigd op", "Position, text, names and messages of this alarm were destroyed on";
    shredded_rest: "Wat blijft: dat het er was, hoe ver het kwam en wanneer.", "What stays: that it was there, how far it got and when.";
    shredded_kind: "Vernietigd alarm", "Destroyed alarm";
    shredded_who: "afzender niet bewaard", "sender not kept";
    act_shredded: "De inhoud van dit alarm is al vernietigd.", "The content of this alarm was destroyed already.";
    tests: "Tests", "Tests";
    tests_explain: "Wanneer ieders laatste test hier binnenkwam. Iedereen test elke maand.", "When each person's last test came in here. Everybody tests once a month.";
    never_tested: "nog nooit", "never";
    test_is_due: "het is tijd voor een test", "it is time for a test";
    warning: "Storing:", "Trouble:";
    warnings: "Storingen", "Trouble";
    warnings_none: "Er is nu niets mis.", "Nothing is wrong now.";
    warnings_over: "Voorbij", "Over";
    over_at: "voorbij op", "over on";
    figures: "Cijfers", "Figures";
    figures_explain: "Zonder persoonsgegevens. Aantallen van 1 tot 4 worden niet genoemd.", "Without personal data. Counts of 1 to 4 are not told.";
    acts: "Wat doet u?", "What do you do?";
    acknowledge_first: "Pak het alarm eerst op met de knop hierboven.", "Take the alarm first, with the button above.";
    no_one_has_it: "Nog niemand heeft dit alarm opgepakt", "Nobody has taken this alarm yet";
    has_it: "heeft dit alarm", "has this alarm";
    had_it: "had dit alarm, en er volgde niets. Pak het op.", "had this alarm, and nothing followed. Take it.";
    take_over: "Overnemen", "Take it over";
    hand_to: "Overdragen aan een collega", "Hand it to a colleague";
    hand_to_whom: "Aan wie?", "To whom?";
    people: "Personen", "People";
    people_explain: "Spreek met elke persoon af wat u doet als het alarm afgaat. Het staat bij het alarm zodra u dat opent.", "Agree with each person what you do when they call. It stands beside the alarm as soon as you open it.";
    people_back: "Terug naar alle personen", "Back to all people";
    no_people: "Er zijn nog geen personen bekend.", "Nobody is known here yet.";
    instruction: "Wat te doen", "What to do";
    instruction_none: "Er is niets afgesproken.", "Nothing was agreed.";
    instruction_there: "afspraken vastgelegd", "agreements written down";
    instruction_change: "Afspraken bekijken en wijzigen", "See and change what was agreed";
    instruction_keep: "Bewaren", "Keep";
    instruction_sealed: "Dit ligt versleuteld bij deze meldkamer. Laat alles leeg om het te wissen.", "This lies sealed at this desk. Leave all of it empty to delete it.";
    instruction_too_long: "Dat is te veel: hooguit 4000 tekens, en 40 voor een nummer.", "That is too much: at most 4000 characters, and 40 for a number.";
    call_back: "Terugbelnummer", "Number to call back";
    listen_in: "Meeluisteren op", "Listen in at";
    way_called_back: "Teruggebeld op het bekende nummer", "Called back on the known number";
    way_listened_in: "Meegeluisterd", "Listened in";
    way_code_word: "Codewoord gevraagd en gekregen", "Asked for the code word and heard it";
    way_seen: "Iemand ter plaatse heeft het gezien", "Somebody on the spot has seen it";
    handover: "Overdragen aan 112", "Hand over to 112";
    handover_explain: "Bel 112 en lees dit voor. Ververs de pagina voor de nieuwste gegevens.", "Call 112 and read this aloud. Reload the page for the newest facts.";
    handover_back: "Terug naar het alarm", "Back to the alarm";
    incident: "Incident", "Incident";
    of_incident: "alarmen die bij elkaar horen", "alarms that belong together";
    incident_show: "Bekijk het incident", "Look at the incident";
    incident_join: "Hoort bij hetzelfde incident als", "Part of the same incident as";
    incident_join_do: "Samenvoegen", "Join";
    incident_leave: "Hoort niet bij dit incident", "Not part of this incident";
    incident_acts: "Wat u hier doet, doet u met elk alarm van het incident.", "What you do here you do with every alarm of the incident.";
    incident_done: "Gedaan bij zoveel alarmen:", "Done with so many alarms:";
    incident_not_done: "Niet gedaan bij:", "Not done with:";
    folded: "alarmen van dit toestel", "alarms of this device";
    folded_ringing: "nog niet opgepakt", "not taken yet";
    folded_all: "Meer alarmen van dit toestel", "More alarms of this device";
    act_unknown_incident: "Dit incident is er niet meer.", "This incident is no more.";
    hand_on: "Doorgeven aan een andere meldkamer", "Hand it on to another desk";
    hand_on_to_whom: "Aan welke meldkamer?", "To which desk?";
    pass_on_why: "Waarom?", "Why?";
    next_rung: "Volgende trede nu oproepen", "Call the next rung now";
    handed_on_to: "Doorgegeven aan", "Handed on to";
    next_rung_called: "Volgende trede opgeroepen", "Next rung called";
    top_of_ladder: "De relay kent geen hogere trede: iedereen is al opgeroepen.", "The relay knows no higher rung: everybody was called already.";
    act_unknown_desk: "Die meldkamer staat niet in de lijst van de organisatie.", "The organisation's directory lists no such desk.";
    act_stays_here: "Dit kan niet worden doorgegeven. Bel de andere meldkamer.", "This cannot be passed on. Call the other desk.";
    act_unknown_officer: "Die collega werkt niet bij deze meldkamer.", "No colleague of that name works at this desk.";
    an_officer: "een medewerker", "an officer";
    of_desk: "van", "of";
    also_by_text: "ook per sms", "by text message too";
    received: "Binnengekomen", "Came in";
    ago: "geleden", "ago";
    no_position: "Geen plaats", "No position";
    accurate_to: "nauwkeurig tot", "accurate to";
    fix_age: "Gemeten", "Measured";
    from_update: "bijgewerkt na het alarm", "updated after the alarm";
    rd: "RD", "RD (Dutch grid)";
    call: "Bel", "Call";
    call_person: "Bel de persoon.", "Call the person.";
    unknown_sender: "Onbekende afzender", "Unknown sender";
    battery: "Batterij", "Battery";
    card: "Kaart van de persoon", "The person's card";
    no_card: "Er is geen kaart, of hij is nog niet opgehaald.", "There is no card, or it has not been fetched yet.";
    card_office: "Functie", "Office";
    card_phone: "Telefoon", "Phone";
    card_home: "Woonadres", "Home address";
    card_car: "Auto", "Car";
    card_household: "Huisgenoten", "Household";
    card_medical: "Medisch", "Medical";
    card_code_word: "Codewoord", "Code word";
    card_contacts: "Noodcontacten", "Emergency contacts";
    timeline: "Verloop", "Course";
    timeline_take: "Neem het verloop mee met alle ondertekende meldingen (bevat plaats, namen en de sleutel van de kaart)", "Take the course along with every signed receipt (holds position, names and the key of the card)";
    updates: "Bijgewerkt door de telefoon", "Updates from the phone";
    attachments: "Foto en geluid van de telefoon", "Photo and sound from the phone";
    attachment_coming: "Onderweg van de server.", "On its way from the server.";
    photo: "Foto", "Photo";
    family: "familie", "family";
    machines: "Doorgegeven over kanalen", "Passed on over channels";
    machines_explain: "Een antwoord van een systeem is geen mens die het gezien heeft.", "A machine's answer is not a person who has seen it.";
    no_machines: "Over dit alarm ging niets naar buiten.", "Nothing went out about this alarm.";
    tries: "poging(en)", "attempt(s)";
    answered: "antwoordde", "answered";
    verified_badge: "Geverifieerd", "Verified";
    not_verified: "Niet geverifieerd", "Not verified";
    silent_warning: "Stil alarm: bel of app niet terug zonder overleg. De persoon wordt misschien gezien.", "Silent alarm: do not call or text back without consulting. The person may be watched.";
    duress_warning: "Dwang: er is een dwangcode gebruikt. Behandel dit als gijzeling tot het tegendeel blijkt.", "Duress: a duress PIN was used. Treat this as a hostage situation until shown otherwise.";
    withdrawn_warning: "De telefoon meldt dat het alarm is ingetrokken of de check-in afgemeld. Controleer of de persoon dat zelf en vrij deed.", "The phone says that the alarm was withdrawn or the check-in settled. Check that the person did so freely.";
    withdrawn_elsewhere_warning: "Een ander toestel van deze persoon meldt dat het alarm is ingetrokken of de check-in afgemeld. Dat toestel kan gestolen zijn: controleer het bij de persoon zelf.", "Another device of this person says that the alarm was withdrawn or the check-in settled. That device may be stolen: check with the person.";
    sending: "De relay heeft dit nog niet", "The relay does not have this yet";
    send_refused: "De relay weigerde dit", "The relay refused this";
    note_unlocked: "Telefoon ontgrendeld", "Phone unlocked";
    note_settled: "Check-in afgemeld", "Check-in settled";
    note_withdrawn: "Alarm ingetrokken", "Alarm withdrawn";
    note_unreadable: "Notitie die niet geopend kan worden", "A note that cannot be opened";
    with_duress: "met dwangcode", "with the duress PIN";
    phones_clock: "Volgens de klok van de afzender", "By the sender's own clock";
    more_open: "Er zijn meer open alarmen dan hier passen. In totaal:", "There are more open alarms than fit here. In all:";
    error_title: "Dat ging niet", "That did not work";
    not_found: "Deze pagina of dit alarm is er niet.", "There is no such page or alarm.";
    forbidden: "Dit verzoek kwam niet van de console zelf en is geweigerd.", "This request did not come from the console itself and was refused.";
    act_held: "Een ander heeft dit alarm al:", "Somebody else already has this alarm:";
    act_not_taken: "Pak het alarm eerst op.", "Acknowledge the alarm first.";
    act_closed: "Het alarm is al afgesloten.", "The alarm is closed.";
    act_words: "Vul iets in, hooguit 400 tekens.", "Say something, at most 400 characters.";
    act_too_many: "Over dit alarm is al te veel vastgelegd.", "Too much was recorded about this alarm already.";
    act_failed: "De meldkamer kon dit niet opslaan. Probeer het opnieuw.", "The desk could not store this. Try again.";
    channels: "Kanalen", "Channels";
    channels_explain: "Een kanaal telt pas als er een bericht over ging. Test elk kanaal na een wijziging en daarna elke maand.", "A channel counts only once a message has gone over it. Test each after a change, and then every month.";
    no_channels: "Er zijn geen kanalen ingesteld. De meldkamer waarschuwt niemand buiten deze console.", "No channels are configured. The desk tells nobody outside this console.";
    test_channel: "Test dit kanaal", "Test this channel";
    testing: "Er loopt een test", "A test is under way";
    last_proof: "Laatst bewezen", "Last proven";
    by_test: "door een test", "by a test";
    by_alarm: "door een alarm", "by an alarm";
    last_message: "Laatste bericht", "Last message";
    a_test: "test", "test";
    in_queue: "in de wachtrij", "queued";
    to_whom: "aan", "to";
    not_watched: "Niet bewaakt: spreek met de alarmcentrale een tijd af en zet die in desk.toml (supervision_s).", "Not watched: agree on a time with the alarm centre and put it into desk.toml (supervision_s).";
    last_heard: "antwoordde laatst", "last answered";
    not_heard: "antwoordde nog niet", "has not answered yet";
    silent_receiver: "Een ontvanger van de alarmcentrale antwoordt niet:", "A receiver of the alarm centre does not answer:";
    test_under_way: "Er loopt al een test van dit kanaal. Wacht tot die klaar is.", "A test of this channel is still under way. Wait until it is done.";
    nobody_subscribed: "Nog niemand heeft meldingen aangezet in een browser. Dat doet u onderaan de pagina met kanalen.", "Nobody has turned notifications on in a browser yet. You do that at the bottom of the page of channels.";
    browsers: "Browsers die een melding krijgen", "Browsers that get a notification";
    no_browsers: "Nog geen enkele.", "None yet.";
    browser_ended: "krijgt niets meer: zet meldingen in die browser opnieuw aan. Sinds", "gets nothing any more: turn notifications on again in that browser. Since";
    browser_remove: "Deze browser niet meer", "Not this browser any more";
    push_here: "Meldingen in deze browser", "Notifications in this browser";
    push_explain: "Deze browser geeft dan een melding zodra er iets is, ook als Baken niet openstaat. De melding zelf is leeg: wat er is, leest u in Baken. De dienst van de maker van de browser ziet alleen dat en wanneer er een melding komt. Test het kanaal daarna.", "This browser then notifies you as soon as there is something, also when Baken is not open. The notification itself is empty: what there is you read in Baken. The service of the browser's maker sees only that a notification comes, and when. Test the channel afterwards.";
    push_on: "Zet meldingen aan in deze browser", "Turn notifications on in this browser";
    push_done: "Meldingen staan aan. Test nu het kanaal.", "Notifications are on. Test the channel now.";
    push_denied: "Deze browser mag geen meldingen geven. Sta dat toe bij de instellingen van de site.", "This browser may not notify you. Allow it in the site's settings.";
    push_failed: "Dat lukte niet:", "That did not work:";
    push_unsupported: "Deze browser kan hier geen meldingen geven. Daarvoor is een script nodig, en een certificaat dat de browser zonder waarschuwing vertrouwt.", "This browser cannot notify you here. That takes a script, and a certificate that the browser trusts without a warning.";
    on_duty_now: "Nu dienst", "On duty now";
    nobody_on_duty: "Niemand: iedereen in het rooster wordt gewaarschuwd.", "Nobody: everybody in the roster is told.";
    duty_hole: "Niemand heeft dienst:", "Nobody is on duty:";
    duty_unreachable: "Staat in het rooster zonder mail en telefoon:", "In the roster without mail and phone:";
    second: "s", "s";
    minute: "min", "min";
    hour: "u", "h";
    day: "d", "d";
    metre: "m", "m";
}

impl Words {
    /// The texts of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::Nl => &NL,
            Language::En => &EN,
        }
    }

    fn is_dutch(&self) -> bool {
        self.lang == NL.lang
    }

    fn pick(&self, nl: &'static str, en: &'static str) -> &'static str {
        if self.is_dutch() { nl } else { en }
    }

    /// Why an act was not done with an alarm of an incident, by its code.
    pub fn refusal(&self, code: &str) -> &'static str {
        match code {
            "already_acknowledged" => self.pick("een ander heeft het", "somebody else has it"),
            "acknowledge_first" => self.pick("eerst oppakken", "take it first"),
            "alarm_closed" => self.pick("al afgesloten", "closed already"),
            _ => self.pick("niet gelukt", "not done"),
        }
    }

    /// Why a passkey was not taken.
    pub fn passkey_refusal(&self, error: &PasskeyError) -> &'static str {
        match error {
            PasskeyError::Off => self.pick(
                "Deze console heeft geen passkeys: het adres is een nummer en geen naam. Log in met een link.",
                "This console has no passkeys: its address is a number and not a name. Log in with a link.",
            ),
            PasskeyError::NotAllowed => self.pick(
                "Log eerst in met een passkey of met een nieuwe link van de beheerder.",
                "Log in with a passkey first, or with a new link of the keeper.",
            ),
            PasskeyError::ProveAgain => self.pick(
                "Gebruik eerst uw passkey. Daarna kunt u passkeys toevoegen en verwijderen.",
                "Use your passkey first. After that you can add and remove passkeys.",
            ),
            PasskeyError::TooOften => self.pick(
                "Vanaf uw adres is te vaak geprobeerd in te loggen. Wacht een minuut.",
                "Log-ins were tried too often from your address. Wait a minute.",
            ),
            PasskeyError::TooLate => {
                self.pick("Dat duurde te lang. Begin opnieuw.", "That took too long. Begin again.")
            }
            PasskeyError::Refused(_) => self.pick(
                "Deze passkey is niet aangenomen. Probeer het opnieuw.",
                "This passkey was not accepted. Try again.",
            ),
            PasskeyError::Unknown => self.pick(
                "Deze meldkamer kent deze passkey niet. Gebruik een andere, of vraag de beheerder om een inloglink.",
                "This desk does not know this passkey. Use another, or ask the keeper for a login link.",
            ),
            PasskeyError::Name => self.pick(
                "Geef de passkey een naam van hooguit 60 tekens.",
                "Give the passkey a name of at most 60 characters.",
            ),
            PasskeyError::TooMany => {
                self.pick("U hebt er al tien. Verwijder er eerst een.", "You have ten already. Remove one first.")
            }
            PasskeyError::TooFew => self
                .pick("Er blijven er altijd twee. Voeg eerst een nieuwe toe.", "Two always stay. Add a new one first."),
            PasskeyError::Desk(_) => self.act_failed,
        }
    }

    /// A kind of alarm.
    pub fn kind(&self, kind: Option<AlarmKind>) -> &'static str {
        match kind {
            Some(AlarmKind::Panic) => self.pick("Noodalarm", "Emergency"),
            Some(AlarmKind::Silent) => self.pick("Stil alarm", "Silent alarm"),
            Some(AlarmKind::Medical) => self.pick("Medisch alarm", "Medical alarm"),
            Some(AlarmKind::Duress) => self.pick("Dwang", "Duress"),
            Some(AlarmKind::Button) => self.pick("Vaste knop", "Hardware button"),
            Some(AlarmKind::Missed) => self.pick("Check-in gemist", "Check-in missed"),
            Some(AlarmKind::Test) => self.pick("Test door de gebruiker", "The user's test"),
            Some(AlarmKind::Probe) => self.pick("Automatische test", "Automatic test"),
            Some(AlarmKind::Trouble) => self.pick("Storing: geen noodoproep", "Trouble: no call for help"),
            None => self.pick("Alarm dat niet geopend kan worden", "An alarm that cannot be opened"),
        }
    }

    /// How far an alarm has got.
    pub fn state(&self, state: ReceiptState) -> &'static str {
        match state {
            ReceiptState::Stored => self.pick("Opgeslagen bij de relay", "Stored at the relay"),
            ReceiptState::Received => self.pick("Ontvangen door het systeem", "Received by the system"),
            ReceiptState::Exhausted => self.pick("Niemand reageerde op tijd", "Nobody answered in time"),
            ReceiptState::Reopened => self.pick("Opnieuw opgeroepen", "Called out again"),
            ReceiptState::Seen => self.pick("Opgepakt", "Taken"),
            ReceiptState::Verified => self.pick("Geverifieerd", "Verified"),
            ReceiptState::Underway => self.pick("Hulp onderweg", "Help is on its way"),
            ReceiptState::Closed => self.pick("Afgesloten", "Closed"),
        }
    }

    /// What a signature proves.
    pub fn signature(&self, signature: SignatureView, name: Option<&str>) -> String {
        match (signature, name) {
            (SignatureView::Proven, Some(name)) if self.is_dutch() => {
                format!("Ondertekend door het toestel van {name}")
            }
            (SignatureView::Proven, Some(name)) => format!("Signed by {name}'s device"),
            (SignatureView::Proven, None) => self.pick("Ondertekend", "Signed").to_owned(),
            (SignatureView::UnknownDevice, _) => self
                .pick(
                    "Niet ondertekend door een bekend toestel: wie dit stuurt is niet bewezen",
                    "Not signed by a known device: who sends this is not proven",
                )
                .to_owned(),
            (SignatureView::Mismatch, _) => self
                .pick(
                    "De handtekening klopt niet met het toestel: veranderd onderweg of van een ander",
                    "The signature does not fit the device: altered on the way, or somebody else",
                )
                .to_owned(),
            (SignatureView::None, _) => self.pick("Zonder handtekening", "Without a signature").to_owned(),
        }
    }

    /// Why there is no content.
    pub fn unopened(&self, why: Unopened) -> &'static str {
        match why {
            Unopened::NotHandedOver => self.pick(
                "Een check-in van deze persoon liep af en de relay heeft hem niet overhandigd. Bel de persoon.",
                "A check-in of this person fell due, and the relay has not handed it over. Call the person.",
            ),
            Unopened::NotForUs => self.pick(
                "Dit alarm is niet voor deze meldkamer verzegeld en kan hier niet worden geopend.",
                "This alarm was not sealed to this desk and cannot be opened here.",
            ),
            Unopened::CannotOpen => self.pick(
                "Dit alarm kan niet worden geopend: het is beschadigd of veranderd.",
                "This alarm cannot be opened: it was damaged or altered.",
            ),
            Unopened::Unreadable => self.pick(
                "Wat binnenkwam is onleesbaar. Misschien is deze software te oud.",
                "What came in cannot be read. This software may be too old.",
            ),
        }
    }

    /// Why there is no position.
    pub fn absent(&self, why: Option<FixAbsent>) -> &'static str {
        match why {
            Some(FixAbsent::NotYet) => {
                self.pick("De telefoon heeft nog geen plaats gevonden.", "The phone has not found a position yet.")
            }
            Some(FixAbsent::SwitchedOff) => {
                self.pick("Plaatsbepaling staat uit op de telefoon.", "Location is switched off on the phone.")
            }
            Some(FixAbsent::NoReceiver) => self.pick(
                "De afzender heeft geen ontvanger voor plaatsbepaling.",
                "The sender has no receiver for positions.",
            ),
            None => self.pick("Onbekend.", "Unknown."),
        }
    }

    /// How an alarm came to be.
    pub fn provenance(&self, provenance: &Provenance) -> String {
        match provenance {
            Provenance::Phone => self.pick("Van een telefoon", "From a phone").to_owned(),
            Provenance::Sms { bridge } if bridge.is_empty() => self
                .pick("Van een telefoon, per sms via een bridge", "From a phone, by text message through a bridge")
                .to_owned(),
            Provenance::Sms { bridge } if self.is_dutch() => {
                format!("Van een telefoon, per sms via de bridge: {bridge}")
            }
            Provenance::Sms { bridge } => format!("From a phone, by text message through the bridge: {bridge}"),
            Provenance::Button { button, transport } if self.is_dutch() => {
                format!("Van een vaste knop via een bridge: {button} ({transport})")
            }
            Provenance::Button { button, transport } => {
                format!("From a hardware button by a bridge: {button} ({transport})")
            }
        }
    }

    /// How far a message to a machine is.
    pub fn delivery(&self, state: &str) -> &'static str {
        match state {
            "delivered" => self.pick("aangenomen door de ontvanger", "taken by the receiver"),
            "handed-over" => {
                self.pick("doorgegeven, nog niet bekend of het aankwam", "handed over, not known whether it arrived")
            }
            "failed" => self.pick("mislukt", "failed"),
            _ => self.pick("in de wachtrij", "queued"),
        }
    }

    /// How a channel stands.
    pub fn standing(&self, standing: Standing) -> &'static str {
        match standing {
            Standing::Never => self.pick("Nooit bewezen", "Never proven"),
            Standing::Old => self.pick("Langer dan 35 dagen niet bewezen", "Not proven for more than 35 days"),
            Standing::Proven => self.pick("Werkt", "Works"),
        }
    }

    /// How a channel speaks.
    pub fn channel_kind(&self, kind: &str) -> &'static str {
        match kind {
            "webhook" => "webhook",
            "dc09" => self.pick("alarmcentrale (DC-09)", "alarm centre (DC-09)"),
            "smtp" => self.pick("mail", "mail"),
            "sms" => "sms",
            "push" => self.pick("browsers van medewerkers", "officers' browsers"),
            _ => self.pick("vervallen kanaal", "channel that is gone"),
        }
    }

    /// Which receiver of an alarm centre.
    pub fn receiver(&self, path: &str) -> &'static str {
        match path {
            "main" => self.pick("hoofdontvanger", "main receiver"),
            _ => self.pick("reserve-ontvanger", "back-up receiver"),
        }
    }

    /// A note.
    pub fn note(&self, note: Option<&str>) -> &'static str {
        match note {
            Some("unlocked") => self.note_unlocked,
            Some("settled") => self.note_settled,
            Some("withdrawn") => self.note_withdrawn,
            _ => self.note_unreadable,
        }
    }

    /// How long: the two largest units that matter.
    pub fn duration(&self, seconds: i64) -> String {
        let seconds = seconds.max(0);
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match seconds {
            0..60 => format!("{seconds} {}", self.second),
            60..3600 => format!("{minutes} {} {} {}", self.minute, seconds % 60, self.second),
            3600..86_400 => format!("{hours} {} {minutes} {}", self.hour, self.minute),
            _ => format!("{days} {} {hours} {}", self.day, self.hour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        let words = Words::of(Language::Nl);
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_660, "1 u 1 min"), (90_000, "1 d 1 u")]
        {
            assert_eq!(words.duration(seconds), text);
        }
    }
}
