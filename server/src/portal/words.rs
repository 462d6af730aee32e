//! Every sentence of the portal that is no command's own, in Dutch and in English.

use baken_schemas::Language;

use crate::web::words;

words! {
    lang: "nl", "en";
    other_lang: "en", "nl";
    other_lang_name: "English", "Nederlands";
    portal: "Adviseur", "Adviser";
    menu: "Menu", "Menu";
    skip: "Naar de inhoud", "Skip to the content";
    enter_title: "Portaal van de adviseur", "The adviser's portal";
    enter_explain: "Deze link werkt één keer, in deze browser op deze computer.", "This link works once, in this browser on this machine.";
    enter: "Open het portaal", "Open the portal";
    leave: "Sluit af", "Close";
    left: "U bent weg. Start het portaal opnieuw voor een nieuwe link.", "You have left. Start the portal again for a new link.";
    no_link: "Open het portaal met de link die het bij het starten liet zien. Is die al gebruikt, of deed u een half uur niets? Start het portaal dan opnieuw.", "Open the portal with the link that it showed when it started. Was it used, or did you do nothing for half an hour? Then start the portal again.";
    back: "Terug naar het overzicht", "Back to the overview";
    not_found: "Deze pagina is er niet.", "There is no such page.";
    overview: "Overzicht", "Overview";
    overview_explain: "Wat er nu om aandacht vraagt.", "What asks for attention now.";
    holes: "Gaten", "Holes";
    no_holes: "Geen gaten gevonden.", "No holes were found.";
    late: "Over tijd", "Overdue";
    nothing_late: "Niets is over tijd.", "Nothing is overdue.";
    agreed: "Mensen die hun gereedheid delen", "People who share how ready they are";
    unsent: "Getekend en nog niet bij de relay", "Signed and not at the relay yet";
    send: "Stuur nu", "Send now";
    no_root: "De sleutel van de organisatie ligt niet op deze computer. Wat ondertekend moet worden, doet de bewaarder daarvan; u ziet hier wat die intypt.", "The organisation's key does not lie on this machine. What must be signed its keeper does; here you see what they type.";
    hole_one_desk: "Er is maar één meldkamer: valt die uit, dan ziet niemand een alarm.", "There is only one desk: when it fails nobody sees an alarm.";
    hole_desk: "Staat op geen enkele ladder:", "Stands on no ladder:";
    hole_one_rung: "één trede: na het wachten wordt niemand anders gebeld", "one rung: after the wait nobody else is called";
    hole_last_rung: "de laatste trede belt maar één meldkamer", "the last rung calls one desk only";
    hole_long: "iemand wacht langer dan twee minuten op de volgende trede", "somebody waits longer than two minutes for the next rung";
    hole_check_ins: "Gemiste check-ins klimmen de ladder van alarmen: er is geen eigen ladder.", "Missed check-ins climb the ladder of alarms: they have none of their own.";
    hole_sms: "Er is geen nummer voor alarmen per sms.", "There is no number for alarms by text message.";
    hole_function: "Niemand heeft de functie", "Nobody has the function";
    hole_deputy: "Geen vervanger voor", "No deputy for";
    people: "Mensen", "People";
    invited: "Uitgenodigd", "Invited";
    nobody_invited: "Nog niemand is uitgenodigd.", "Nobody has been invited yet.";
    name: "Naam", "Name";
    office: "Functie", "Office";
    phone: "Telefoonnummer om terug te bellen", "Number to call back";
    role: "Wat wordt het toestel?", "What will the device be?";
    role_office_holder: "Bestuurder", "Office-holder";
    role_bridge: "Bridge voor knoppen", "Bridge for buttons";
    role_adviser: "Adviseur", "Adviser";
    hours: "Geldig, in uren", "Good for, in hours";
    until: "Geldig tot", "Good until";
    invite: "Nodig uit", "Invite";
    invite_somebody: "Nodig iemand uit", "Invite somebody";
    invite_show: "Toon de uitnodiging", "Show the invite";
    invite_of: "Uitnodiging voor", "Invite for";
    invite_explain: "Laat deze code scannen, in persoon: wie hem het eerst gebruikt, wordt deze persoon. Stuur hem niet per mail of app.", "Have this code scanned, in person: whoever uses it first becomes that person. Do not send it by mail or app.";
    invite_code: "Code om te scannen", "Code to scan";
    invite_text: "Of typ of plak deze tekst", "Or type or paste this text";
    copy: "Kopieer", "Copy";
    invite_gone: "Deze uitnodiging is niet meer te tonen: het portaal is intussen opnieuw gestart. Maak een nieuwe.", "This invite cannot be shown any more: the portal was started again since. Make a new one.";
    dismiss: "Onthef als adviseur", "Dismiss as adviser";
    dismissed_on: "ontheven op", "dismissed on";
    readiness: "Gereedheid", "Readiness";
    readiness_explain: "Alleen van wie daarmee instemde, en alleen of een stap gedaan is.", "Only of those who agreed, and only whether a step was done.";
    readiness_none: "Nog niemand stemde hiermee in.", "Nobody has agreed to this yet.";
    on: "Op", "On";
    ladders: "Ladders", "Ladders";
    ladders_explain: "Een ladder zegt welke meldkamer wanneer wordt gebeld, zolang niemand het alarm heeft.", "A ladder says which desk is called when, as long as nobody has the alarm.";
    desks: "Meldkamers", "Desks";
    directory_version: "Adreslijst, versie", "Directory, version";
    for_check_ins: "voor gemiste check-ins", "for missed check-ins";
    for_alarms: "voor alarmen", "for alarms";
    waits: "wacht", "waits";
    family: "familie", "family";
    together: "Samen, in seconden", "Together, in seconds";
    change_ladder: "Wijzig of maak een ladder", "Change or make a ladder";
    ladder_written: "De ladder, zo geschreven: Naam=Meldkamer:10,Meldkamer+Andere:40", "The ladder, written so: Name=Desk:10,Desk+Other:40";
    ladder_hint: "Een komma begint de volgende trede, een plus zet er een meldkamer bij, het getal is hoeveel seconden er wordt gewacht. Het woord familie belt wie iemand zelf koos.", "A comma begins the next rung, a plus adds a desk to it, the number is for how many seconds it waits. The word familie calls whom of their family a person chose.";
    serves: "Waarvoor?", "For what?";
    sms_number: "Nummer voor alarmen per sms", "Number for alarms by text message";
    see_first: "Bekijk wat er verandert", "See what changes";
    preview: "Wat er verandert", "What changes";
    now: "Nu", "Now";
    then: "Straks", "Then";
    none_now: "Nu is er geen ladder van deze naam.", "There is no ladder of this name now.";
    then_holes: "Gaten die dan blijven", "Holes that remain then";
    sign_and_send: "Teken en stuur", "Sign and send";
    keeper_types: "Laat de bewaarder van de sleutel dit intypen:", "Have the keeper of the key type this:";
    do_not: "Toch niet", "Do not";
    roles: "Functies", "Functions";
    roles_explain: "Wie doet wat als er dreiging is. Nummers gaan met de uitgave naar telefoons; namen niet.", "Who does what in time of threat. Numbers go to phones with the edition; names do not.";
    no_roles: "Nog niemand heeft een functie.", "Nobody has a function yet.";
    function: "Functie", "Function";
    holder: "Wie", "Who";
    number: "Nummer", "Number";
    always: "Dag en nacht bereikbaar", "Answered day and night";
    deputy: "Vervanger", "Deputy";
    deputy_number: "Nummer van de vervanger", "The deputy's number";
    no_deputy: "geen vervanger", "no deputy";
    keep: "Leg vast", "Keep";
    remove: "Haal weg", "Remove";
    insurance: "Verzekering", "Insurance";
    insurance_none: "Er is nog niets vastgelegd.", "Nothing is written down yet.";
    insured_elected: "Gekozen leden", "Elected members";
    insured_executive: "Bestuur", "Executive";
    insurer: "Verzekeraar", "Insurer";
    terms: "Voorwaarden van", "Terms of";
    read_on: "Gelezen op", "Read on";
    plan: "Plan", "Plan";
    plan_explain: "Het integrale plan. De beheerder van de relay kan dit lezen: schrijf geen namen van bedreigde mensen, geen incidenten en geen maatregelen.", "The integral plan. The relay's operator can read it: write no names of people at risk, no incidents and no measures.";
    nothing: "Nog niets.", "Nothing yet.";
    what: "Wat, in één regel", "What, in one line";
    theme: "Thema", "Theme";
    owner: "Wie zorgt ervoor?", "Who sees to it?";
    nobody: "niemand", "nobody";
    due: "Voor", "By";
    overdue: "over tijd", "overdue";
    state: "Stand", "State";
    add: "Voeg toe", "Add";
    change: "Wijzig", "Change";
    after: "Na afschalen", "After scaling down";
    after_explain: "Zet klaar wat er volgt als maatregelen zijn afgebouwd: een jaar nazorg, en evalueren.", "Prepare what follows once measures were scaled down: a year of aftercare, and evaluating.";
    after_on: "Vanaf", "From";
    after_do: "Zet de zes punten in het plan", "Put the six items into the plan";
    year: "Jaar", "Year";
    year_explain: "Taken van het jaar en van een nieuwe periode staan er vanzelf.", "Tasks of the year and of a new term are there by themselves.";
    year_before: "Vorig jaar", "The year before";
    year_after: "Volgend jaar", "The year after";
    inform: "Informeren:", "Inform:";
    informed: "Gedaan", "Done";
    inform_somebody: "Iemand informeren", "Inform somebody";
    inform_explain: "De relay bewaart alleen het nummer van het account en de dag.", "The relay keeps the number of the account and the day alone.";
    person: "Wie", "Whom";
    term: "Een nieuwe periode", "A new term";
    starts: "Eerste dag", "First day";
    ends: "Eerste dag van de volgende", "First day of the next";
    edition: "Uitgave", "Edition";
    edition_explain: "De eigen laag van uw organisatie bij de leidraad: protocollen, nummers, feiten. Telefoons geloven alleen wat met de sleutel van de organisatie is ondertekend.", "Your organisation's own layer of the guidance: protocols, numbers, facts. Phones believe only what is signed with the organisation's key.";
    edition_folder: "De bron ligt in", "The source lies in";
    edition_export: "Zet functies en verzekering erin", "Put functions and insurance into it";
    edition_none: "Er is nog geen bron. Begin met de functies.", "There is no source yet. Begin with the functions.";
    edition_files: "Bestanden", "Files";
    edition_file: "Bestand", "File";
    edition_new: "Nieuw bestand, zoals nl/chapters/40-ons-protocol.md", "A new file, such as nl/chapters/40-our-protocol.md";
    edition_text: "Tekst", "Text";
    edition_check: "Gecontroleerd", "Looked over";
    edition_changes: "Anders dan wat het laatst gebouwd is", "Other than what was built last";
    edition_build: "Bouw", "Build";
    edition_build_sign: "Bouw en teken", "Build and sign";
    edition_publish: "Stuur naar de relay", "Send to the relay";
    edition_keeper: "De bewaarder van de sleutel tekent het bestand met: baken-server edition sign BESTAND --key ORG/root.key", "The keeper of the key signs the file with: baken-server edition sign FILE --key ORG/root.key";
    file_kept: "Bewaard:", "Kept:";
    file_refused: "Een bestand van de bron heet iets als nl/chapters/40-ons-protocol.md of facts.toml, en is hooguit 128 kB.", "A file of the source is called something like nl/chapters/40-our-protocol.md or facts.toml, and has at most 128 kB.";
}

impl Words {
    /// The texts of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::Nl => &NL,
            Language::En => &EN,
        }
    }
}
