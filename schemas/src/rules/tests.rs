//! The rules over every office, organisation and day, by the edition that Baken ships.

use proptest::prelude::*;

use crate::Language;
use crate::edition::{Audience, Date, Edition, Layers, Office, Reader, Status, shipped};
use crate::rules::{
    Act, Code, Cover, Decision, HomeMark, May, OrganisationKind, Origin, Recipient, Rule, Situation, Threat, Why,
    decide, sharing,
};
use crate::time::Timestamp;

/// Days on which the facts differ, and one of a year that no scheme is known of.
const DAYS: [&str; 6] = ["2019-06-01", "2021-01-01", "2023-12-31", "2024-01-01", "2026-01-01", "2026-11-27"];

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

fn edition() -> Edition {
    shipped::edition().expect("the shipped edition")
}

fn layers() -> &'static Layers {
    static LAYERS: std::sync::OnceLock<Layers> = std::sync::OnceLock::new();
    LAYERS.get_or_init(|| Layers::new(edition()))
}

fn of(situation: Situation) -> Decision {
    decide(layers(), &situation).expect("an office of that organisation")
}

fn ordinary(office: Office, on: &str) -> Situation {
    Situation::ordinary(office, day(on))
}

fn facts(decision: &Decision, code: Code) -> Vec<&'static str> {
    let answer = decision.answers.iter().find(|answer| answer.code == code);
    answer.unwrap_or_else(|| panic!("no {code}: {decision:#?}")).facts.clone()
}

fn place(decision: &Decision, code: Code) -> usize {
    decision.answers.iter().position(|answer| answer.code == code).unwrap_or_else(|| panic!("no {code}"))
}

#[test]
fn every_office_in_every_organisation_on_every_day_has_an_answer_or_says_why_not() {
    for office in Office::ALL {
        for organisation in OrganisationKind::ALL {
            for on in DAYS {
                let situation = Situation { organisation: *organisation, ..ordinary(*office, on) };
                let decided = decide(layers(), &situation);
                if office.organisation() != *organisation {
                    let error = decided.expect_err("an office of another organisation");
                    assert_eq!((error.belongs, error.given), (office.organisation(), *organisation));
                    continue;
                }
                let decision = decided.expect("an office of this organisation");
                let is_scheme_known = on >= "2021-01-01";
                let (entitled, outside) = (decision.says(Code::EntitledToMeasures), decision.says(Code::OutsideScheme));
                assert_eq!(entitled, office.is_executive() && is_scheme_known, "{office} on {on}");
                assert_eq!(outside, !office.is_executive(), "{office} on {on}");
                assert_eq!(decision.gaps.is_empty(), is_scheme_known || !office.is_executive(), "{office} on {on}");
            }
        }
    }
}

#[test]
fn r06_the_scheme_changes_with_the_year() {
    let mayor = |on| of(ordinary(Office::Mayor, on));
    let before = facts(&mayor("2023-12-31"), Code::EntitledToMeasures);
    for old in ["entitled-executives-2021", "measures-maximum", "measures-package", "measures-reimbursed"] {
        assert!(before.contains(&old), "{old} on the last day: {before:?}");
    }
    let after = facts(&mayor("2024-01-01"), Code::EntitledToMeasures);
    for new in ["entitled-executives", "measures-2024", "measures-adviser", "measures-provided"] {
        assert!(after.contains(&new) && !before.contains(&new), "{new} on the first day: {after:?}");
    }
    assert!(!after.contains(&"measures-maximum"), "no amount since 2024: {after:?}");
}

#[test]
fn r06_who_pays_is_the_own_organisation() {
    for (office, payer) in [
        (Office::Mayor, "payer-municipality"),
        (Office::Alderman, "payer-municipality"),
        (Office::KingsCommissioner, "payer-province"),
        (Office::Deputy, "payer-province"),
        (Office::DikeReeve, "payer-water-authority"),
        (Office::WaterExecutive, "payer-water-authority"),
    ] {
        assert_eq!(facts(&of(ordinary(office, "2026-11-27")), Code::OrganisationPays).first(), Some(&payer));
        let before = facts(&of(ordinary(office, "2023-12-31")), Code::OrganisationPays);
        assert_eq!(before.first(), Some(&"payer-executives-2021"));
    }
}

#[test]
fn r07_elected_members_are_told_what_their_organisation_may_pay() {
    for (office, fact) in [
        (Office::Councillor, "payer-council"),
        (Office::CommitteeMember, "payer-council"),
        (Office::StatesMember, "payer-assembly"),
        (Office::WaterCouncillor, "payer-assembly"),
    ] {
        let decision = of(ordinary(office, "2026-11-27"));
        assert_eq!(facts(&decision, Code::OrganisationMayPay).first(), Some(&fact));
        assert!(!decision.says(Code::OrganisationPays) && !decision.says(Code::AskForAdvice));
    }
    // Their own scan came in June 2025, and is no fact before.
    let scan = |on| facts(&of(ordinary(Office::Councillor, on)), Code::AskHomeScan).contains(&"scan-councillors");
    assert_eq!((scan("2025-05-31"), scan("2025-06-01")), (false, true));
}

#[test]
fn r08_the_home_comes_before_any_measure() {
    let with = |home| of(Situation { home, ..ordinary(Office::Deputy, "2026-11-27") });
    for (home, code) in [(HomeMark::NotMet, Code::BringHomeFirst), (HomeMark::Unknown, Code::LookAtHome)] {
        let decision = with(home);
        assert!(!decision.says(Code::AskForAdvice));
        assert!(place(&decision, code) < place(&decision, Code::EntitledToMeasures));
        let facts = facts(&decision, code);
        assert!(facts.contains(&"pkvw-own-cost") && facts.contains(&"pkvw-precondition"), "{facts:?}");
    }
    for home in [HomeMark::Met, HomeMark::UnderWay] {
        let decision = with(home);
        assert!(decision.says(Code::AskForAdvice));
        assert!(!decision.says(Code::BringHomeFirst) && !decision.says(Code::LookAtHome));
    }
    // The mark is no condition for whoever is outside the scheme; the cost is theirs all the same.
    let councillor = of(Situation { home: HomeMark::NotMet, ..ordinary(Office::Councillor, "2026-11-27") });
    assert!(!facts(&councillor, Code::BringHomeFirst).contains(&"pkvw-precondition"));
}

#[test]
fn r02_a_concrete_threat_goes_before_scans_and_measures() {
    let threat = Situation { threat: Threat::Concrete, home: HomeMark::Met, ..ordinary(Office::Mayor, "2026-11-27") };
    let decision = of(threat);
    assert_eq!(place(&decision, Code::SkipScans), 0);
    assert!(!decision.says(Code::TakeSelfScan) && !decision.says(Code::AskHomeScan));
    assert!(!decision.says(Code::AskForAdvice), "the police's way, not a scan");
    assert!(place(&decision, Code::FileComplaint) < place(&decision, Code::MayorRoute));
    assert!(place(&decision, Code::MayorRoute) < place(&decision, Code::EntitledToMeasures));
    let calm = of(Situation { threat: Threat::None, ..threat });
    assert!(calm.says(Code::TakeSelfScan) && calm.says(Code::AskHomeScan) && !calm.says(Code::SkipScans));
}

#[test]
fn r03_r04_whatever_was_done_is_reported_somewhere() {
    let with = |act, on| of(Situation { act, threat: Threat::Concrete, ..ordinary(Office::Councillor, on) });
    for act in Act::ALL {
        let decision = with(*act, "2026-11-27");
        assert!(decision.says(Code::ReportInternally), "{act}");
        assert_ne!(decision.says(Code::FileComplaint), decision.says(Code::ReportAnyway), "{act}");
    }
    assert!(with(Act::NoOffence, "2026-11-27").says(Code::ReportAnyway));
    // Doxing is an offence since 2024.
    let doxing = |on| facts(&with(Act::Offence, on), Code::FileComplaint).contains(&"law-doxing");
    assert_eq!((doxing("2023-12-31"), doxing("2024-01-01")), (false, true));
    // The higher penalty was checked for some offices, and said not to be for others.
    let water = of(Situation { act: Act::Offence, ..ordinary(Office::DikeReeve, "2026-11-27") });
    let facts = facts(&water, Code::FileComplaint);
    assert!(facts.contains(&"law-doxing-water") && !facts.contains(&"law-doxing-office"));
}

#[test]
fn r05_a_feeling_is_enough_for_help_questions_signals_and_police() {
    let decision = of(Situation { threat: Threat::Unease, ..ordinary(Office::Alderman, "2026-11-27") });
    for code in [Code::CallSupportTeam, Code::AskFourQuestions, Code::ShareSignal, Code::TalkToPolice] {
        assert!(decision.says(code), "{code}");
    }
    assert!(!decision.says(Code::FileComplaint) && !decision.says(Code::RegularRoute));
}

#[test]
fn r09_r10_the_way_of_a_threat_depends_on_office_residence_and_circular() {
    let with = |office, residence_known, on| {
        of(Situation { threat: Threat::Concrete, residence_known, ..ordinary(office, on) })
    };
    for office in Office::ALL {
        let decision = with(*office, false, "2026-11-27");
        let is_mayor = *office == Office::Mayor;
        assert_eq!((decision.says(Code::MayorRoute), decision.says(Code::RegularRoute)), (is_mayor, !is_mayor));
        assert_eq!(decision.says(Code::NameResidence), is_mayor);
    }
    assert!(!with(Office::Mayor, true, "2026-11-27").says(Code::NameResidence));
    let first = |on| facts(&with(Office::Mayor, true, on), Code::MayorRoute).first().copied();
    assert_eq!(first("2025-12-31"), Some("system-circular-2023"));
    assert_eq!(first("2026-01-01"), Some("system-circular"));
    // Who decides under the circular of 2026 is not confirmed, and said so.
    let facts = facts(&with(Office::Mayor, true, "2026-01-01"), Code::MayorRoute);
    assert!(facts.contains(&"system-authority"));
    assert_eq!(layers().fact("system-authority").map(|(_, fact)| fact.provenance.status), Some(Status::Unconfirmed));
    // Before the circular of 2023 the edition knows of none.
    let gaps = with(Office::Mayor, true, "2022-01-01").gaps;
    assert_eq!(gaps.iter().map(|gap| gap.code).collect::<Vec<_>>(), [Code::MayorRoute]);
}

#[test]
fn r11_a_measure_of_the_system_is_told_to_nobody_by_default() {
    let decision = of(Situation { measure: Some(Origin::System), ..ordinary(Office::Mayor, "2026-11-27") });
    assert!(decision.says(Code::KeepMeasuresSecret));
    let never: Vec<Recipient> =
        decision.sharing.iter().filter(|share| share.may == May::Never).map(|share| share.with).collect();
    assert_eq!(never, [Recipient::Family, Recipient::Council, Recipient::Public]);
    assert!(decision.sharing.iter().all(|share| share.may != May::OwnChoice));
    let of_org = of(Situation { measure: Some(Origin::Organisation), ..ordinary(Office::Mayor, "2026-11-27") });
    assert!(of_org.says(Code::KeepMeasuresOutOfPapers) && !of_org.says(Code::KeepMeasuresSecret));
}

#[test]
fn r12_afterwards_there_is_care_for_the_family_too() {
    let decision = of(Situation { threat: Threat::Over, ..ordinary(Office::DikeReeve, "2026-11-27") });
    assert!(decision.says(Code::Evaluate));
    assert!(Code::PlanAftercare.audience().contains(&Audience::Family));
    assert!(facts(&decision, Code::PlanAftercare).contains(&"aftercare-moments"));
    assert!(!decision.says(Code::TakeSelfScan));
}

#[test]
fn r13_councillors_of_unknown_cover_are_looked_after() {
    for office in Office::ALL {
        for cover in Cover::ALL {
            let decision = of(Situation { cover: *cover, ..ordinary(*office, "2026-11-27") });
            let asked = *cover == Cover::Unknown && matches!(office, Office::Councillor | Office::CommitteeMember);
            assert_eq!(decision.says(Code::CheckInsurance), asked, "{office} {cover}");
            assert_eq!(decision.says(Code::InsuranceCovers), *cover == Cover::Covered, "{office} {cover}");
            assert_eq!(decision.says(Code::InsuranceExcludes), *cover == Cover::NotCovered, "{office} {cover}");
        }
    }
}

#[test]
fn r14_a_term_begins_with_a_pack_and_a_budget() {
    let new = |office| of(Situation { new_in_office: true, ..ordinary(office, "2026-11-27") });
    assert_eq!(facts(&new(Office::Mayor), Code::ReadStartPack).first(), Some(&"safety-package"));
    assert_eq!(facts(&new(Office::Councillor), Code::ReadStartPack).first(), Some(&"own-safety-brochure"));
    assert!(new(Office::Councillor).says(Code::PrepareTerm));
    assert!(!of(ordinary(Office::Councillor, "2026-11-27")).says(Code::PrepareTerm));
}

#[test]
fn a_missing_fact_is_named_and_nothing_is_guessed() {
    let mut edition = edition();
    edition.facts.retain(|fact| fact.id != "pkvw-own-cost" && fact.id != "system-silence");
    edition.contacts.clear();
    let layers = Layers::new(edition);
    let situation = Situation { measure: Some(Origin::System), ..ordinary(Office::Mayor, "2026-11-27") };
    let decision = decide(&layers, &situation).expect("a mayor");
    assert!(!decision.says(Code::LookAtHome) && !decision.says(Code::KeepMeasuresSecret));
    let missing: Vec<&str> = decision.gaps.iter().flat_map(|gap| &gap.wanted).map(|wanted| wanted.id).collect();
    assert_eq!(missing, ["system-silence", "pkvw-own-cost", "ccv"]);
    // What may not be told stays so without any fact.
    assert!(decision.sharing.iter().any(|share| (share.with, share.may) == (Recipient::Family, May::Never)));
    let danger = decide(&layers, &Situation { threat: Threat::Danger, ..situation }).expect("a mayor");
    assert_eq!((danger.answers.len(), danger.gaps[0].wanted[0].id), (0, "emergency"));
    // Of a fact that does not hold it is said when it does.
    let before = of(ordinary(Office::Mayor, "2020-12-31"));
    let gap = before.gaps.iter().find(|gap| gap.code == Code::EntitledToMeasures).expect("no scheme then");
    let dates = gap.wanted.iter().map(|wanted| match wanted.why {
        Why::NotOn { valid_from, .. } => valid_from,
        why => panic!("{why:?}"),
    });
    assert_eq!(dates.collect::<Vec<_>>(), [Some(day("2024-01-01")), Some(day("2021-01-01"))]);
}

/// Facts, contacts and dates are the edition's: no rule and no sentence states one.
#[test]
fn no_sentence_holds_an_amount_a_number_or_a_date() {
    for code in Code::ALL {
        for language in [Language::Nl, Language::En] {
            let text = code.say(language);
            assert!(!text.is_empty() && !text.contains(|letter: char| letter.is_ascii_digit()), "{code}: {text}");
        }
        assert!(code.rows().iter().all(|row| row.starts_with('L')), "{code}");
    }
    for rule in Rule::ALL {
        assert!(Code::ALL.iter().any(|code| code.rule() == *rule), "{rule} has no answer");
    }
}

#[test]
fn a_reader_sees_why_with_sources_dates_and_doubts_in_their_language() {
    let situation = Situation { threat: Threat::Concrete, ..ordinary(Office::Mayor, "2026-11-27") };
    let decision = of(situation);
    let reader = |language| Reader {
        layers: layers(),
        language,
        audience: Audience::OfficeHolder,
        office: Some(Office::Mayor),
        now: day("2026-11-27").start(),
    };
    let [dutch, english] = [Language::Nl, Language::En].map(|language| reader(language).decision(&decision));
    for (nl, en) in dutch.answers.iter().zip(&english.answers) {
        assert_ne!(nl.text, en.text);
        for fact in &nl.facts {
            assert!(!fact.provenance.sources.is_empty() && fact.holds, "{}", fact.id);
            assert!(fact.provenance.status == Status::Confirmed || fact.provenance.check_at.is_some(), "{}", fact.id);
        }
    }
    assert!(dutch.answers.iter().any(|answer| answer.contacts.iter().any(|contact| contact.id == "police")));
    // On a day that is asked and is not today, what held then holds.
    let then = of(ordinary(Office::Mayor, "2023-12-31"));
    let view = reader(Language::Nl).decision(&then);
    let entitled = view.answers.iter().find(|answer| answer.code == Code::EntitledToMeasures).expect("the old scheme");
    assert!(entitled.facts.iter().all(|fact| fact.holds));
    assert!(entitled.facts.iter().any(|fact| fact.id == "measures-maximum" && fact.text.contains("euro")));
    let gap = &reader(Language::En).decision(&of(ordinary(Office::Mayor, "2020-12-31"))).gaps[0];
    assert!(gap.text.contains("does not hold on 2020-12-31, but from 2024-01-01"), "{}", gap.text);
}

#[test]
fn an_office_is_found_as_people_write_it() {
    for office in Office::ALL {
        assert_eq!(Office::written(office.tag()), Some(*office));
        assert_eq!(Office::written(&format!(" {} ", office.dutch().to_uppercase())), Some(*office));
    }
    assert_eq!(Office::written("ambtenaar"), None);
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

prop_compose! {
    fn any_situation()(
        office in one_of(Office::ALL),
        home in one_of(HomeMark::ALL),
        threat in one_of(Threat::ALL),
        act in one_of(Act::ALL),
        residence_known in any::<bool>(),
        cover in one_of(Cover::ALL),
        new_in_office in any::<bool>(),
        measure in prop::option::of(one_of(Origin::ALL)),
        days in 0_i64..4000,
    ) -> Situation {
        let on = Date::of(Timestamp(1_546_300_800_000)).plus_days(days);
        let organisation = office.organisation();
        Situation { office, organisation, home, threat, act, residence_known, cover, new_in_office, measure, on }
    }
}

proptest! {
    #[test]
    fn the_rules_never_contradict_themselves(situation in any_situation(), missing in prop::collection::vec(0_usize..160, 0..20)) {
        let mut edition = edition();
        let gone: Vec<String> = missing.iter().filter_map(|index| edition.facts.get(*index)).map(|fact| fact.id.clone()).collect();
        edition.facts.retain(|fact| !gone.contains(&fact.id));
        let layers = Layers::new(edition);
        let decision = decide(&layers, &situation).expect("an office of its own organisation");
        prop_assert!(!(decision.says(Code::EntitledToMeasures) && decision.says(Code::OutsideScheme)));
        prop_assert!(!(decision.says(Code::MayorRoute) && decision.says(Code::RegularRoute)));
        prop_assert!(!(decision.says(Code::FileComplaint) && decision.says(Code::ReportAnyway)));
        if situation.threat == Threat::Danger {
            let codes: Vec<Code> = decision.answers.iter().map(|answer| answer.code).collect();
            prop_assert_eq!(codes, [Code::CallEmergency]);
            prop_assert_eq!(&decision.answers[0].contacts, &["emergency"]);
            prop_assert!(decision.gaps.is_empty() && decision.sharing.is_empty());
        } else {
            prop_assert!(!decision.says(Code::CallEmergency));
        }
        if decision.says(Code::AskForAdvice) {
            prop_assert!(matches!(situation.home, HomeMark::Met | HomeMark::UnderWay));
        }
        for answer in &decision.answers {
            prop_assert!(!answer.facts.is_empty() || answer.code == Code::CallEmergency);
            for id in &answer.facts {
                let (_, fact) = layers.fact(id).expect("a fact of the edition");
                prop_assert!(fact.holds_on(situation.on));
                prop_assert!(fact.offices.is_empty() || fact.offices.contains(&situation.office));
            }
        }
        // What could not be said is said to be so, and not said too.
        for gap in &decision.gaps {
            prop_assert!(!decision.says(gap.code) && !gap.wanted.is_empty());
        }
        // One asks twice, and is told the same.
        prop_assert_eq!(decide(&layers, &situation).expect("again"), decision);
    }

    #[test]
    fn confidential_measures_are_never_shareable_with_family_or_council(situation in any_situation()) {
        let decision = of(Situation { measure: Some(Origin::System), ..situation });
        for share in decision.sharing.iter().chain(&sharing(Origin::System)) {
            if matches!(share.with, Recipient::Family | Recipient::Council) {
                prop_assert_eq!(share.may, May::Never);
            }
        }
    }
}
