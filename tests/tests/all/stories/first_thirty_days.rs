//! A new alderman's first thirty days: from an empty phone to one that is ready, with a second beside it and a code in the
//! safe.

use baken_schemas::record::words::HomeMark;
use baken_tests::story::phone::Phone;
use baken_tests::story::play::pair;
use baken_tests::story::process::until;
use serde_json::json;

use super::{Person, in_days};

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_first_thirty_days() {
    let noor = Person::found("alderman_phone").await.expect("a town");

    // The first evening, before anybody has given her anything.
    noor.sees(&["contacts"], &["112  Alarmnummer (nu bereikbaar)", "Ondersteuningsteam"], &[]).await;
    noor.sees(&["guidance", "read", "18"], &["eerste dertig dagen", "[ ] "], &[]).await;

    // The invite is handed to her, and the rules say where to begin.
    let told = noor.activate("Noor Hendriks", "wethouder").await.expect("it is activated");
    assert!(told.contains("geactiveerd bij Gemeente Zandhoven"), "{told}");
    noor.make(&["profile", "name=Noor Hendriks", "office=wethouder", "home_address=Lindelaan 12"]).await.expect("kept");
    let rights = ["rights", "--new-in-office"];
    noor.sees(
        &rights,
        &[
            "Zoek eerst uit of uw woning het keurmerk heeft.",
            "U heeft recht op maatregelen aan huis.",
            "Vraag een woningscan met een veiligheidsgesprek aan.",
            "Loop de start van uw ambt door: contacten, protocol, zelfscan.",
        ],
        &["geldt niet voor u"],
    )
    .await;

    // Whom to call in an alarm, and what they will see.
    noor.make(&["contact", "name=Sam Hendriks", "relation=partner", "phone=06-12345678", "emergency=ja"])
        .await
        .expect("kept");
    let home = [
        "home",
        "address=Lindelaan 12",
        "access=code 4711 bij de poort",
        &format!("pkvw={}", HomeMark::UnderWay.tag()),
    ];
    noor.make(&home).await.expect("kept");
    noor.sees(&["card", "show"], &["Lindelaan 12", "Sam Hendriks, partner, 06-12345678"], &[]).await;

    // The test of the alarm: it is asked for, and then no more.
    noor.sees(&["status"], &["Doe hem met: baken alarm press --kind test"], &[]).await;
    noor.sees(&["alarm", "press", "--kind", "test"], &["nog niemand heeft het gezien"], &[]).await;
    let answered = until("the desk has the test", async || {
        noor.phone.run(&["alarm", "watch", "last", "--until", "stored", "--timeout", "1"]).await?;
        Ok(noor.phone.says(&["alarm", "tests"]).await?.contains("Meldkamer Oost").then_some(()))
    });
    answered.await.expect("it is answered");
    noor.sees(&["alarm", "tests"], &["Meldkamer Oost"], &["nog niet gedaan"]).await;

    // The scan: five minutes, tips at once, five of them first.
    let gate = ["scan", "start", "--gate", "no"];
    noor.sees(&gate, &["0 van 20 beantwoord", "Voldoet uw woning aan het Politiekeurmerk"], &[]).await;
    noor.sees(&["scan", "answer", "1", "no"], &["Laat een PKVW-bedrijf kijken"], &[]).await;
    for question in ["7", "14", "15"] {
        noor.phone.run(&["scan", "answer", question, "no"]).await.expect("it is answered");
    }
    let result = noor
        .sees(&["scan", "result"], &["4 van 20 beantwoord", "Eerst doen", "Nog niet beantwoord: 2, 3, 4"], &[])
        .await;
    assert!(!result.contains("Daarna"), "four tips are all first: {result}");
    // Two tips become tasks; home scan and training get a day. The agenda shows none of what they are about.
    noor.sees(&["scan", "task", "14", "--by", &in_days(7)], &["In uw dossier gezet"], &[]).await;
    noor.sees(&["scan", "task", "1", "--by", &in_days(21)], &["In uw dossier gezet"], &[]).await;
    noor.make(&["measure", "title=Woningscan gevraagd", "type=home-scan", "status=wished"]).await.expect("kept");
    let visit = format!("when={}", in_days(14));
    noor.make(&["appointment", "title=Woningscan", "whom=Adviseur", &visit]).await.expect("kept");
    let agenda = noor.sees(&["agenda", "--days", "30"], &["Afspraak"], &["Woningscan", "PKVW", "Baken"]).await;
    let days = [in_days(7), in_days(14), in_days(21)];
    let places: Vec<_> = days.iter().map(|day| agenda.find(day.as_str()).expect("the day is there")).collect();
    assert!(places.is_sorted(), "the first first: {agenda}");

    // A second phone, in one room, on the first day: it has the same, and no answers of the scan.
    let tablet = Phone::new(&noor.town, "alderman_tablet", "nl");
    noor.phone.run(&["sync"]).await.expect("it is sent");
    pair(&noor.phone, &tablet).await.expect("it is paired");
    tablet.run(&["sync"]).await.expect("it has come");
    let found = tablet.says(&["record", "search", "woningscna"]).await.expect("it is looked for");
    assert!(found.contains("Woningscan gevraagd") && found.contains("appointment"), "{found}");
    let empty = tablet.says(&["record", "search", "zeppelin"]).await.expect("it is looked for");
    assert!(empty.contains("Niets gevonden"), "{empty}");
    let scan = tablet.run(&["scan", "result"]).await.expect("it is shown");
    assert_eq!(scan["result"]["answered"], json!(0), "answers stay where they were given");

    // The code goes into the safe. Thirty days on nothing waits and nothing is stuck.
    let printed = noor.phone.says(&["recovery", "print"]).await.expect("it is shown once");
    assert!(printed.contains("zeven groepen") && printed.contains("7. "), "{printed}");
    noor.phone.run(&["sync"]).await.expect("it is sent");
    noor.sees(&["status"], &["nog te verzenden           0", "vastgelopen                nee"], &["maandelijkse test"])
        .await;
}
