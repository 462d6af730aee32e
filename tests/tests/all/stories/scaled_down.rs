//! A threat is scaled down: measures end on a day, care begins for her and apart for the family, and the moments after one,
//! three, six and twelve months are kept until she has no more wishes.

use baken_schemas::edition::Date;
use baken_schemas::local_time::local;
use baken_schemas::record::words::Origin;
use baken_tests::story::phone::Phone;
use baken_tests::story::play::let_in;
use baken_tests::story::town::text_of;
use serde_json::Value;

use super::{Person, in_days};

/// The moments of follow-up in an agenda, each by its record.
fn follow_ups(agenda: &Value) -> Vec<(String, i64)> {
    let items = agenda["agenda"].as_array().expect("a list").iter().filter(|item| item["due"] == "follow-up");
    items.map(|item| (text_of(item, "record").expect("an id"), item["at"].as_i64().expect("a moment"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaled_down_threat() {
    let iris = Person::in_office("mayor_phone", "Iris Bakker", "burgemeester").await.expect("a mayor");
    let incident = text_of(
        &iris
            .phone
            .run(&["incident", "add", "--what", "Maanden van berichten", "--where", "online"])
            .await
            .expect("kept"),
        "record",
    )
    .expect("an id");
    let decided = format!("origin={}", Origin::System.tag());
    let camera =
        iris.make(&["measure", "title=Camera op zolder", "type=camera", "status=done", &decided]).await.expect("kept");
    let ends = format!("ends={}", in_days(20));
    let named = ["subscription", "title=Alarmcentrale", "cost_cents=5000", "every=month", &ends];
    iris.make(&named).await.expect("kept");

    // What the rules say then, to her and to whoever looks after it.
    iris.sees(
        &["rights", "--threat", "over"],
        &["Plan nazorg, voor uzelf en voor uw gezin.", "Kijk samen terug en blijf volgen.", "Waarom: regel R12"],
        &["Doe nu geen zelfscan"],
    )
    .await;
    iris.sees(&["guidance", "search", "nazrog"], &["16-support-and-aftercare"], &[]).await;

    // The measure ends on a day; the agenda says that something is due, not what.
    let ended = [&["record", "set", &camera], &["status=ended", &ends][..]].concat();
    iris.phone.run(&ended).await.expect("kept");
    let hidden = ["Camera", "Alarmcentrale", "5000", "maatregel", "Baken"];
    let agenda = iris.sees(&["agenda"], &[&in_days(20)], &hidden).await;
    assert_eq!(
        agenda.matches(&in_days(20)).count(),
        1,
        "an ended measure asks nothing more, what is paid does: {agenda}"
    );

    // Care for herself, after one, three, six and twelve months; asked twice it is one.
    let today = in_days(0);
    let start = ["aftercare", "start", "--from", &today];
    let own = iris.sees(&start, &["Vastgelegd"], &[]).await;
    assert_eq!(own.lines().count(), 5, "a plan and four moments: {own}");
    assert_eq!(iris.phone.says(&start).await.expect("it is there"), own);
    let from: Date = today.parse().expect("a day");
    let year = ["agenda", "--days", "400"];
    let mine = follow_ups(&iris.phone.run(&year).await.expect("a year"));
    let months: Vec<i64> =
        mine.iter().map(|(_, at)| Date::of(baken_schemas::time::Timestamp(*at)).since(from)).collect();
    let about = [28..=31, 89..=92, 181..=184, 365..=366];
    assert!(months.len() == 4 && months.iter().zip(about).all(|(days, about)| about.contains(days)), "{months:?}");

    // And for the family, apart: in their circle, on their phone, with nothing of hers.
    let (code, refused) = iris.phone.try_run(&["aftercare", "start", "--for", "family"]).await.expect("it answers");
    assert_eq!((code, refused["error"]["code"].as_str()), (3, Some("no_family_circle")));
    iris.phone.run(&["circle", "create", "family", "--name", "Thuis"]).await.expect("it is made");
    iris.phone.run(&["sync"]).await.expect("it is sent");
    let jan = Phone::new(&iris.town, "partner_phone", "nl");
    let_in(&iris.phone, "Thuis", &jan, "Telefoon Jan").await.expect("he is in");
    iris.sees(&["aftercare", "start", "--for", "family", "--from", &today], &["Vastgelegd"], &[]).await;
    iris.phone.run(&["sync"]).await.expect("it is sent");
    jan.run(&["sync"]).await.expect("it has come");
    let theirs = follow_ups(&jan.run(&year).await.expect("a year"));
    assert_eq!(theirs.len(), 4);
    assert!(theirs.iter().all(|(record, _)| mine.iter().all(|(own, _)| own != record)), "each has their own");
    let all = jan.says(&["record", "list"]).await.expect("a list");
    for hers in ["Maanden van berichten", "Camera", "Alarmcentrale"] {
        assert!(!all.contains(hers), "{hers} in {all}");
    }
    // He chooses who helps him; that is theirs, and she sees that it was chosen.
    let plan = all.lines().find(|line| line.contains("aftercare")).expect("a plan");
    let plan = plan.split_whitespace().next().expect("an id");
    jan.run(&["record", "set", plan, "helper=Slachtofferhulp", "agreed=Maandag bellen"]).await.expect("kept");
    jan.run(&["sync"]).await.expect("it is sent");
    iris.phone.run(&["sync"]).await.expect("it has come");
    iris.sees(&["record", "search", "slachtoferhulp"], &["aftercare", "helper"], &[]).await;

    // Looking back, inside and with others, joined to what happened; and what she wishes next time.
    let evaluation = [
        "evaluation",
        "title=Terugblik",
        "inside=Sneller bellen",
        "outside=Vast contact bij de politie",
        "learnt=Eerst vastleggen",
    ];
    iris.make(&evaluation).await.expect("kept");
    iris.sees(&["record", "search", "terugblik", "politie"], &["evaluation", "Terugblik"], &["Maanden"]).await;
    iris.sees(&["incident", "show", &incident], &["Maanden van berichten"], &[]).await;

    // A month later: the first moment is done and leaves the agenda, with what came of it.
    let (first, at) = &mine[0];
    let done = ["record", "set", first, "done=ja", "outcome=Slaapt beter, wil met een ander praten die dit meemaakte"];
    iris.phone.run(&done).await.expect("kept");
    let left = iris.phone.run(&year).await.expect("a year");
    assert_eq!(follow_ups(&left).len(), 7, "three of hers and four of theirs");
    let day = local(baken_schemas::time::Timestamp(*at));
    iris.sees(&["record", "search", "meemaakte"], &["follow-up", "outcome"], &[&day]).await;

    // When there is no more to wish, the plan ends; what was written stays.
    let plans = iris.phone.run(&["record", "list", "aftercare"]).await.expect("plans");
    let plans = plans["records"].as_array().expect("a list");
    let own = plans.iter().find(|plan| plan["fields"]["for"] == "self").expect("her plan");
    let own = text_of(own, "record").expect("an id");
    iris.phone
        .run(&["record", "set", &own, &format!("ended_at={today}"), "agreed=Geen wensen meer"])
        .await
        .expect("kept");
    iris.sees(&["record", "show", &own], &["Geen wensen meer", &today], &[]).await;
    iris.sees(&["guidance", "read", "26"], &["Na het incident"], &[]).await;
}
