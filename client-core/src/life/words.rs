//! What each change brings, as a table: what becomes of what, when, and the facts it rests on. Sentences that a task gets
//! as its title are in the person's own voice.

use super::Change;
use super::Outcome::{self, Changes, Done, Ends, Stays, ToDo};
use crate::task::TaskTitle;

/// Where a line of the table applies, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Always, once.
    Once,
    /// Once, to members of an executive.
    Executive,
    /// Once, where there is a family circle.
    Family,
    /// Once, when the day is over or today.
    Now,
    /// Once, when the day is still to come.
    Later,
    /// Each measure that does not come from the system and was neither ended nor refused.
    EachMeasure,
    /// Each measure of the system that guards and secures people.
    EachSystemMeasure,
    /// Each subscription that runs.
    EachSubscription,
    /// Each case that is shared.
    EachCase,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) id: &'static str,
    pub(super) outcome: Outcome,
    pub(super) applies: For,
    pub(super) text: TaskTitle,
    /// Ids of facts; those of other offices and those that do not hold are left out.
    pub(super) facts: &'static [&'static str],
    /// Of a task: its day, counted from that of the change.
    pub(super) days: i64,
}

macro_rules! lines {
    ($($outcome:ident $applies:ident $id:literal $days:literal [$($fact:literal),*] $nl:literal, $en:literal;)+) => {
        &[$(Line {
            id: $id,
            outcome: $outcome,
            applies: For::$applies,
            text: TaskTitle { nl: $nl, en: $en },
            facts: &[$($fact),*],
            days: $days,
        }),+]
    };
}

const LEAVE_OFFICE: &[Line] = lines! {
    Stays Once "dossier" 0 []
        "Uw dossier, incidenten, zelfscan en check-ups blijven van u, op uw eigen toestellen.",
        "Your dossier, incidents, self-scan and check-ups stay yours, on your own devices.";
    Stays Family "family" 0 [] "De gezinskring blijft.", "The family circle stays.";
    Stays Once "guidance" 0 []
        "De informatie en de landelijke nummers blijven, ook zonder organisatie.",
        "The guidance and the national numbers stay, without an organisation too.";
    Ends Executive "rights" 0 ["measures-in-office", "measures-after-office"]
        "Het recht op maatregelen van uw organisatie eindigt met uw ambt.",
        "The right to measures from your organisation ends with your office.";
    Ends Once "alarm" 0 []
        "Uw alarm gaat naar wie uw organisatie aanwees. Bel 112 als u niet zeker weet dat daar nog iemand luistert.",
        "Your alarm goes to whom your organisation named. Call 112 when you are not sure that somebody still listens there.";
    Done Once "office" 0 []
        "Baken schrijft op tot wanneer u dit ambt heeft.", "Baken writes down until when you hold this office.";
    ToDo Once "alarm-end" -14 []
        "Vragen tot wanneer de meldkamer mijn alarm aanneemt", "Ask until when the desk takes my alarm";
    ToDo EachMeasure "measure" -14 ["measures-after-office"]
        "Bij vertrek: blijft deze maatregel, en wie betaalt?", "On leaving: does this measure stay, and who pays?";
    ToDo EachSystemMeasure "measure-system" -14 []
        "Bij vertrek: met de politie bespreken wat hiermee gebeurt", "On leaving: discuss with the police what becomes of this";
    ToDo EachSubscription "subscription" -30 []
        "Bij vertrek: dit abonnement overnemen of opzeggen", "On leaving: take this subscription over or end it";
    ToDo Once "insurance" -14 ["insurance-advice", "insurance-councillors"]
        "Vragen of de verzekering na het vertrek nog dekt", "Ask whether the insurance still covers me afterwards";
    ToDo Once "kvk" 14 ["kvk-website"]
        "Bij KVK nagaan of de afscherming van mijn adres blijft", "Check at the KVK whether the shielding of my address stays";
    ToDo Once "contacts" 0 []
        "Contacten van de organisatie nakijken en eigen contacten kiezen",
        "Look through the organisation's contacts and choose my own";
    ToDo Once "devices" 0 []
        "Toestellen van de organisatie uit mijn dossier halen en wissen",
        "Take the organisation's devices out of my dossier and wipe them";
    ToDo EachCase "case" 0 [] "Deze zaak afsluiten met wie erin zit", "Close this case with those who are in it";
    ToDo Once "aftercare" 30 ["free-choice", "aftercare-moments"]
        "Kiezen of ik nazorg wil, en bij wie", "Choose whether I want aftercare, and with whom";
};

const SECOND_OFFICE: &[Line] = lines! {
    Stays Once "dossier" 0 [] "U houdt één dossier, van u.", "You keep one dossier, yours.";
    Changes Once "alarm" 0 []
        "Een toestel hoort bij één organisatie: uw alarm gaat verder naar wie de eerste aanwees.",
        "A device belongs to one organisation: your alarm goes on to whom the first one named.";
    Done Once "office" 0 []
        "Baken schrijft dit ambt bij het eerste; `rights` antwoordt voor beide.",
        "Baken writes this office beside the first; `rights` answers for both.";
    ToDo Once "contact" 7 []
        "Contact en meldpunt van de tweede organisatie in Baken zetten",
        "Put contact and reporting point of the second organisation into Baken";
    ToDo Once "alarm-second" 14 []
        "Beide organisaties vragen wie mijn alarm aanneemt", "Ask both organisations who takes my alarm";
    ToDo Once "pack" 14 ["safety-package", "own-safety-brochure"]
        "De start van het tweede ambt doorlopen", "Go through the start of the second office";
    ToDo Once "payer" 30 ["measures-two-offices"]
        "Beide organisaties vragen wie welke maatregel betaalt", "Ask both organisations who pays for which measure";
    ToDo Once "insurance" 30 ["insurance-advice", "insurance-councillors"]
        "Vragen of de verzekering van de tweede organisatie mij dekt",
        "Ask whether the second organisation's insurance covers me";
    ToDo Once "scan" 30 ["self-scan-minutes"]
        "De zelfscan opnieuw doen, voor het tweede ambt", "Take the self-scan again, for the second office";
};

const MOVE: &[Line] = lines! {
    Done Now "home" 0 []
        "Baken zet het nieuwe adres in uw dossier en haalt het oude van de kaart. Het keurmerk staat weer op onbekend.",
        "Baken puts the new address into your dossier and takes the old one off the card. The quality mark is unknown again.";
    Changes Now "card" 0 []
        "Wie uw alarm aanneemt, ziet het nieuwe adres na de eerste verbinding.",
        "Who takes your alarm sees the new address after the first connection.";
    ToDo Later "address" 0 []
        "Vandaag het nieuwe adres in Baken zetten", "Put the new address into Baken today";
    ToDo Once "pkvw" 14 ["pkvw-precondition", "pkvw-own-cost"]
        "Uitzoeken of de nieuwe woning het keurmerk heeft", "Find out whether the new home has the quality mark";
    ToDo Executive "measures" -30 ["measures-after-moving", "measures-home-area"]
        "Vragen welke maatregelen er in de nieuwe woning komen", "Ask which measures the new home gets";
    ToDo EachMeasure "measure" -14 []
        "Bij verhuizing: gaat deze maatregel mee?", "On moving: does this measure come along?";
    ToDo EachSystemMeasure "measure-system" -30 []
        "Bij verhuizing: vooraf met de politie bespreken", "On moving: discuss with the police beforehand";
    ToDo EachSubscription "subscription" 0 []
        "Bij verhuizing: het adres van dit abonnement wijzigen", "On moving: change the address of this subscription";
    ToDo Once "brp" 7 ["brp-secrecy", "brp-children"]
        "Geheimhouding vragen bij de gemeente waar ik nu woon", "Ask the municipality where I live now for secrecy";
    ToDo Once "kvk" 14 ["kvk-shielding", "kvk-limits"]
        "KVK vragen het nieuwe adres af te schermen", "Ask the KVK to shield the new address";
    ToDo Once "kadaster" 14 ["kadaster-guarded", "kadaster-office-holders"]
        "Vragen of het Kadaster het nieuwe adres kan afschermen", "Ask whether the land registry can shield the new address";
    ToDo Once "responders" 3 []
        "Nieuwe buren en noodcontacten kiezen, en het thuis bespreken",
        "Choose new neighbours and emergency contacts, and discuss it at home";
    ToDo Once "police" 7 ["system-residence"]
        "Vragen wie nu mijn contact bij de politie is", "Ask who my contact at the police is now";
    ToDo Once "scan" 14 ["self-scan-minutes"] "De zelfscan opnieuw doen", "Take the self-scan again";
    ToDo Once "home-scan" 30 ["scan-all", "scan-domains"] "Opnieuw een woningscan vragen", "Ask for a home scan again";
};

const NEW_ORGANISATION: &[Line] = lines! {
    Stays Once "dossier" 0 []
        "Uw dossier blijft van u en gaat mee, ook zelfscan en check-ups. Niemand van de oude of nieuwe organisatie leest het.",
        "Your dossier stays yours and comes along, self-scan and check-ups too. Nobody of either organisation reads it.";
    Ends Family "family" 0 []
        "De gezinskring gaat via de oude server. U maakt bij de nieuwe organisatie een nieuwe.",
        "The family circle goes by the old server. You make a new one with the new organisation.";
    Ends EachCase "case" 0 []
        "Deze zaak eindigt voor u. Wie erin zit, houdt wat gedeeld is.",
        "This case ends for you. Who is in it keeps what was shared.";
    Changes Once "ladder" 0 []
        "Alarmknop, ladder en meldkamer zijn die van de nieuwe organisatie zodra u daar geactiveerd bent, en niet eerder.",
        "Alarm button, ladder and desk are those of the new organisation once you are activated there, and not before.";
    Changes Once "edition" 0 []
        "Nummers en protocol van de oude organisatie verdwijnen. Die van de nieuwe komen met haar uitnodiging.",
        "Numbers and protocol of the old organisation go. Those of the new one come with its invite.";
    ToDo Once "invite" -7 []
        "De nieuwe organisatie om een uitnodiging vragen, en die zelf ophalen",
        "Ask the new organisation for an invite, and fetch it in person";
    ToDo Once "check-ins" 0 [] "Lopende check-ins afronden op het oude toestel", "Settle running check-ins on the old device";
    ToDo Once "export" 0 [] "Mijn dossier uitvoeren in een verzegeld bestand", "Export my dossier into a sealed file";
    ToDo Once "activate" 0 []
        "Mij bij de nieuwe organisatie activeren, naast de oude", "Activate with the new organisation, beside the old one";
    ToDo Once "import" 0 [] "Mijn dossier invoeren en nakijken", "Import my dossier and look it through";
    ToDo Once "recovery" 1 [] "Een nieuwe herstelcode printen", "Print a new recovery code";
    ToDo Family "family-again" 1 [] "De gezinskring opnieuw maken en het gezin uitnodigen", "Make the family circle again and invite the family";
    ToDo EachMeasure "measure" -14 ["measures-in-office", "measures-start"]
        "Bij overstap: wie neemt deze maatregel over, en wie betaalt?", "On changing: who takes this measure over, and who pays?";
    ToDo Once "test" 1 [] "Een proefalarm sturen bij de nieuwe organisatie", "Send a test alarm with the new organisation";
    ToDo Once "contacts" 7 []
        "Contacten van de oude organisatie nakijken, die van de nieuwe erbij zetten",
        "Look through the old organisation's contacts, add those of the new one";
    ToDo Once "wipe" 14 [] "Het oude Baken wissen als alles over is", "Wipe the old Baken once everything is across";
};

impl Change {
    pub(super) fn lines(&self) -> &'static [Line] {
        match self {
            Self::LeaveOffice { .. } => LEAVE_OFFICE,
            Self::SecondOffice { .. } => SECOND_OFFICE,
            Self::Move { .. } => MOVE,
            Self::NewOrganisation { .. } => NEW_ORGANISATION,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::collections::BTreeSet;

    use baken_schemas::edition::{Layers, shipped};

    use super::*;

    #[test]
    fn every_line_is_there_once_and_rests_on_facts_that_exist() {
        let layers = Layers::new(shipped::edition().ok().unwrap());
        for lines in [LEAVE_OFFICE, SECOND_OFFICE, MOVE, NEW_ORGANISATION] {
            let ids: BTreeSet<&str> = lines.iter().map(|line| line.id).collect();
            assert_eq!(ids.len(), lines.len());
            for line in lines {
                assert!(line.facts.iter().all(|fact| layers.fact(fact).is_some()), "{}", line.id);
                assert!(line.outcome == ToDo || line.days == 0, "{} has a day and is no task", line.id);
                assert_eq!(line.outcome != ToDo, line.text.nl.ends_with('.'), "{}: a title has no full stop", line.id);
            }
        }
    }
}
