//! What is said of sharing and of being informed.

use super::Text;

texts! {
    GOES: "Gaat naar {}:", "Goes to {}:";
    GOES_AGAIN: "Wordt bijgewerkt in {}:", "Is brought up to date in {}:";
    STAYS: "Blijft thuis:", "Stays at home:";
    READ_BY: "Gelezen door: {}", "Read by: {}";
    READ_BY_NOBODY: "Er leest nog niemand anders mee in deze zaak.", "Nobody else is in this case yet.";
    CANNOT_SAY: "leest alleen; kan niet melden wat getoond is", "reads only; cannot say what was shown";
    STAYS_CHOSEN: "zo hebt u gekozen", "as you chose";
    STAYS_NEWER: "gemaakt door een nieuwere versie", "made by a newer version";
    STAYS_UNSHARED: "verwijst naar iets dat daar niet gedeeld is", "names something that is not shared there";
    STAYS_FILE: "bijlage, niet gekozen", "attachment, not chosen";
    FILE_NOT_HERE: "bijlage, niet op dit toestel", "attachment, not on this device";
    FILE_GOES: "bijlage", "attachment";
    CAUTION_COST: "let op: wat beveiliging kost of door wie", "note: what security costs, or by whom";
    CAUTION_THIRD_PARTY: "let op: gegevens van een ander", "note: somebody else's data";
    CHANGED: "nieuwe waarde", "new value";
    SAME: "staat er al", "is there already";
    THEIRS: "een ander schreef daar iets anders", "somebody else wrote something there";
    R11: "Regel {}: {}", "Rule {}: {}";
    R11_DECIDED: "Dit gaat alleen mee als wie over de maatregel besliste dat goed vindt. Typ {} als dat zo is: ",
                 "This goes only if whoever decided on the measure agrees. Type {} if that is so: ";
    R11_WORD: "BESLOTEN", "DECIDED";
    SHARE_WORD: "DELEN", "SHARE";
    SHARE_ASK: "Typ {} om dit te delen: ", "Type {} to share this: ";
    SHARED: "Gedeeld in {}; het gaat mee met de volgende baken sync. Wat u hierna thuis wijzigt, zien zij pas als u opnieuw deelt.",
            "Shared in {}; it goes with the next baken sync. What you change at home from now on they see when you share again.";
    WITHDRAWN: "Teruggehaald uit {}, zodra u synchroniseert. Wie het gelezen heeft, kan het hebben bewaard.",
               "Taken back from {}, once you sync. Who has read it may have kept it.";
    STATE_SHARED: "gedeeld", "shared";
    STATE_WITHDRAWN: "teruggehaald", "taken back";
    STATE_GONE: "daar weggehaald door een ander, of nog niet hier", "taken away there by somebody else, or not here yet";
    STATE_BACK: "teruggehaald, en daar door een ander teruggezet", "taken back, and put there again by somebody else";
    STATE_UNKNOWN: "die zaak is niet op dit toestel", "that case is not on this device";
    WRITTEN_THERE: "in de zaak zelf geschreven", "written in the case itself";
    DIFFERS: "thuis anders: {}", "differs at home: {}";
    THEY_WROTE: "door een ander geschreven: {}", "written by somebody else: {}";
    DELETED_AT_HOME: "thuis verwijderd", "deleted at home";
    FILES: "{} bijlage(n)", "{} attachment(s)";
    NOT_SHOWN: "nog niet getoond, voor zover dat toestel meldt", "not shown yet, as far as that device says";
    SHOWN_OLDER: "een eerdere versie getoond", "showed an earlier version";
    SHOWN_NEWEST: "getoond zoals het er staat", "showed it as it stands there";
    IS_OUT: "is uit de zaak", "is out of the case";
    LOG_MEANS: "Dit zegt het toestel van de lezer zelf, met zijn eigen klok. Getoond is niet gelezen, en niet gemeld is niet \
                ongelezen.",
               "The reader's device says so itself, by its own clock. Shown is not read, and not said is not unread.";
    NOTHING_SHARED: "Er is niets gedeeld.", "Nothing is shared.";
    ITEM: "wat", "item";
    SINCE_WHEN: "sinds", "since";
    DEVICE: "toestel", "device";
    SHOWN_AT: "getoond op", "shown at";
    NO_NEWS: "geen nieuws", "no news";
    NEXT: "volgende op {}", "next on {}";
    MISSED: "Beloofd op {}, en nog niets gehoord.", "Promised on {}, and nothing heard yet.";
    BRIEFED: "Vastgelegd; het gaat mee met de volgende baken sync.", "Kept; it goes with the next baken sync.";
    TOLD_BY: "van {}", "from {}";
    KEPT_IN: "Niet meegegaan, want vertrouwelijk: {} gegeven(s): {}. Regel {}: {}",
             "Left out, being confidential: {} record(s): {}. Rule {}: {}";
    HAS_COSTS: "Let op: {} gegeven(s) noemen kosten of leveranciers van beveiliging. Houd die uit openbare stukken.",
               "Note: {} record(s) name costs or suppliers of security. Keep those out of public papers.";
    HAS_THIRD_PARTIES: "Let op: {} gegeven(s) noemen anderen.", "Note: {} record(s) name other people.";
    INVITE_CONFIDENTIAL: "Wat in deze zaak vertrouwelijk is, of over een vertrouwelijke maatregel gaat: {}. Wie erbij komt, leest dat ook.",
                         "What is confidential in this case, or tells of a confidential measure: {}. Whoever joins reads that too.";
    LEFT_CONFIDENTIAL: "vertrouwelijke maatregel: deel die met de hand in de zaak",
                       "a confidential measure: share it into the case by hand";
}
