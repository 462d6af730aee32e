use super::*;

const ROSTER: &str = r#"
    [[person]]
    name = "Agent Jansen"
    mail = "jansen@politie.example"
    phone = "+31612345678"

    [[person]]
    name = "Agent Bakker"
    mail = "bakker@politie.example"

    [[person]]
    name = "Agent Visser"
    phone = "+31612345679"

    [[shift]]
    who = ["Agent Jansen"]
    from = "mon 08:00"
    to = "fri 17:00"

    [[shift]]
    who = ["Agent Bakker", "Agent Visser"]
    from = "fri 17:00"
    to = "mon 08:00"
"#;

fn at(text: &str) -> WallTime {
    text.parse().unwrap()
}

fn roster(more: &str) -> Roster {
    Roster::parse(&format!("{ROSTER}{more}")).unwrap()
}

#[test]
fn shifts_come_back_every_week_across_its_end() {
    let roster = roster("");
    // 2026-11-23 was a Monday.
    for (moment, who) in [
        ("2026-11-23 07:59", vec!["Agent Bakker", "Agent Visser"]),
        ("2026-11-23 08:00", vec!["Agent Jansen"]),
        ("2026-11-27 16:59", vec!["Agent Jansen"]),
        ("2026-11-27 17:00", vec!["Agent Bakker", "Agent Visser"]),
        ("2026-11-29 23:59", vec!["Agent Bakker", "Agent Visser"]),
        ("2027-06-16 12:00", vec!["Agent Jansen"]),
    ] {
        assert_eq!(roster.on_duty(at(moment)), who, "{moment}");
    }
    assert_eq!(roster.holes(at("2026-11-27 12:00")), []);
}

#[test]
fn a_hole_is_found_with_its_bounds_and_told_nobody_never() {
    let text = ROSTER.replace("to = \"fri 17:00\"", "to = \"fri 16:30\"");
    let roster = Roster::parse(&text).unwrap();
    let holes = roster.holes(at("2026-11-25 12:00"));
    assert_eq!(holes.len(), 8, "one a week for eight weeks: {holes:?}");
    assert_eq!(holes[0], Hole { from: at("2026-11-27 16:30"), to: at("2026-11-27 17:00") });
    // In the hole everybody is told who can be.
    let all = roster.addresses_at(at("2026-11-27 16:45"), Reach::Mail);
    assert_eq!(all, ["bakker@politie.example", "jansen@politie.example"]);
    // A roster of nobody is one hole.
    let nobody = Roster::parse("").unwrap().holes(at("2026-11-25 12:00"));
    assert_eq!(nobody, [Hole { from: at("2026-11-25 12:00"), to: at("2027-01-20 12:00") }]);
}

#[test]
fn only_who_is_on_duty_and_can_be_reached_is_told() {
    let roster = roster("");
    let (week, weekend) = (at("2026-11-25 12:00"), at("2026-11-28 12:00"));
    assert_eq!(roster.addresses_at(week, Reach::Phone), ["+31612345678"]);
    assert_eq!(roster.addresses_at(weekend, Reach::Phone), ["+31612345679"]);
    assert_eq!(roster.addresses_at(weekend, Reach::Mail), ["bakker@politie.example"]);
    assert_eq!(roster.addresses(Reach::Phone), ["+31612345678", "+31612345679"]);
}

#[test]
fn a_change_goes_before_the_shifts_and_a_hand_over_is_one() {
    let mut roster =
        roster("[[change]]\nwho = [\"Agent Bakker\"]\nfrom = \"2026-12-24 17:00\"\nto = \"2026-12-26 09:00\"\n");
    assert_eq!(roster.on_duty(at("2026-12-24 16:59")), ["Agent Jansen"]);
    assert_eq!(roster.on_duty(at("2026-12-25 12:00")), ["Agent Bakker"]);
    assert_eq!(roster.on_duty(at("2026-12-26 09:00")), ["Agent Bakker", "Agent Visser"]);
    roster.hand_over("Agent Visser", at("2026-12-25 12:00"), at("2026-12-25 18:00")).unwrap();
    assert_eq!(roster.on_duty(at("2026-12-25 12:00")), ["Agent Visser"]);
    assert_eq!(roster.on_duty(at("2026-12-25 18:00")), ["Agent Bakker"]);
    let file = roster.to_toml();
    assert_eq!(Roster::parse(&file).unwrap(), roster, "{file}");
    let stranger = roster.hand_over("Agent Anders", at("2026-12-25 12:00"), at("2026-12-25 18:00"));
    assert!(stranger.is_err());
    // What is over goes when the next comes.
    roster.hand_over("Agent Jansen", at("2027-01-01 00:00"), at("2027-01-01 08:00")).unwrap();
    assert_eq!(roster.changes.len(), 1);
}

#[test]
fn the_wall_follows_summer_and_winter() {
    // 08:00 on the wall, in both.
    for (utc_ms, wall) in [(1_795_503_600_000, "2026-11-24 08:00"), (1_782_194_400_000, "2026-06-23 08:00")] {
        assert_eq!(local_now(Timestamp(utc_ms)).to_string(), wall);
    }
}

#[test]
fn mistakes_are_named_without_anybodys_number() {
    for (text, expected) in [
        (ROSTER.replace("+31612345679", "0612345679"), "person 3"),
        (ROSTER.replace("jansen@politie", "jansen@ politie"), "person 1"),
        (ROSTER.replace("name = \"Agent Visser\"", "name = \"Agent Bakker\""), "person 3"),
        (ROSTER.replace("who = [\"Agent Jansen\"]", "who = []"), "shift 1"),
        (ROSTER.replace("who = [\"Agent Jansen\"]", "who = [\"Agent Anders\"]"), "shift 1"),
        (ROSTER.replace("fri 17:00", "vrij 17:00"), "mon 08:00"),
        (ROSTER.replace("fri 17:00", "fri 24:00"), "mon 08:00"),
        (ROSTER.replace("phone", "fone"), "line "),
        (
            format!(
                "{ROSTER}[[change]]\nwho = [\"Agent Bakker\"]\nfrom = \"2026-12-26 09:00\"\nto = \"2026-12-24 17:00\"\n"
            ),
            "change 1",
        ),
        (
            format!(
                "{ROSTER}[[change]]\nwho = [\"Agent Bakker\"]\nfrom = \"2026-02-30 09:00\"\nto = \"2026-12-24 17:00\"\n"
            ),
            "2026-12-24 17:00",
        ),
    ] {
        let error = Roster::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} instead of {expected}");
        assert!(!error.contains("12345") && !error.contains("jansen@"), "{error}");
    }
}
