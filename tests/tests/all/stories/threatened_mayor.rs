//! A threatened mayor: from a note with the vault locked, by complaint and measures, to what the police are handed, what
//! she is told, and how it ends.

use baken_schemas::record::words::{Origin, THREAT_SOURCE};
use baken_tests::story::town::text_of;

use super::{Person, in_days};

#[tokio::test(flavor = "multi_thread")]
async fn a_threatened_mayor() {
    let femke = Person::in_office("mayor_phone", "Femke Obbink", "burgemeester").await.expect("a mayor");

    // Somebody is at the door. Whom to call needs no PIN, and neither does a note of what was said.
    femke.sees(&["contacts", "--kind", "danger"], &["112  Alarmnummer"], &[]).await;
    femke.sees(&["guidance", "search", "bedrijgd", "aan", "de", "deur"], &["! someone-at-the-door"], &[]).await;
    let noted = "Man aan de deur zei dat hij weet waar mijn kinderen naar school gaan";
    femke.sees(&["incident", "note", noted, "--place", "thuis"], &["Genoteerd en verzegeld"], &[]).await;
    femke.sees(&["incident", "list"], &["Man aan de deur"], &["aangifte"]).await;

    // What happened, while it is fresh, and the picture of the door's camera.
    let listed = femke.phone.run(&["incident", "list"]).await.expect("a list");
    let incident = text_of(&listed["incidents"][0], "record").expect("an id");
    let threat = format!("threat_source={}", THREAT_SOURCE[0]);
    let more = ["who=Man met pet", "why=Het besluit over de opvang", "witnesses=De buurvrouw", &threat];
    femke.phone.run(&[&["record", "set", &incident], &more[..]].concat()).await.expect("kept");
    let picture = femke.path("deurbel.jpg");
    std::fs::write(&picture, b"\xff\xd8\xff\xe1 a picture \xff\xd9").expect("a file");
    let added = ["attach", "add", &picture, "--to", &incident, "--origin", "camera", "--name", "De deurbel om 19.40"];
    femke.phone.run(&added).await.expect("kept");

    // What comes first, and by which way: of a mayor where she lives counts.
    let rights = ["rights", "--threat", "concrete", "--act", "offence"];
    let way = femke
        .sees(
            &rights,
            &[
                "Doe nu geen zelfscan en geen woningscan. De dreiging gaat voor.",
                "Doe aangifte bij de politie. Zeg welk ambt u heeft en vraag om de VPT-code.",
                "Meld het ook binnen uw organisatie.",
                "Voor een bedreigde burgemeester geldt een eigen weg. Vraag de politie wie nu beslist.",
                "Leg vast in welke gemeente u woont.",
                "Wie in uw geval beslist onder de circulaire van 2026, is niet nagegaan.",
            ],
            &["De dreiging loopt via de politie in uw regio"],
        )
        .await;
    let place = |words: &str| way.find(words).expect("it is said");
    assert!(place("Doe aangifte") < place("eigen weg"), "the complaint comes first");
    let known = [&rights[..], &["--residence-known"]].concat();
    femke.sees(&known, &["geldt een eigen weg"], &["Leg vast in welke gemeente u woont."]).await;

    // Inside first, then the complaint with the address of the town hall; who hears of it is written down.
    femke.phone.run(&["incident", "report", &incident, "--internal", "Gemeentesecretaris"]).await.expect("kept");
    let complaint = ["incident", "report", &incident, "--police", "aangifte", "--number", "PL0600-2026123456"];
    femke.sees(&complaint, &["om de VPT-code gevraagd?", "--vpt yes"], &[]).await;
    let before = femke.phone.run(&["incident", "show", &incident]).await.expect("it is shown");
    let later = [&complaint[..5], &["--vpt", "yes", "--domicile", "yes"]].concat();
    femke.sees(&later, &["Vastgelegd"], &["om de VPT-code gevraagd?"]).await;
    femke.phone.run(&["incident", "report", &incident, "--told", "driehoek"]).await.expect("kept");
    femke.phone.run(&["incident", "report", &incident, "--told", "regioburgemeester"]).await.expect("kept");
    let shown = ["aangifte gedaan", "ja", "driehoek; regioburgemeester", "De deurbel om 19.40"];
    femke.sees(&["incident", "show", &incident], &shown, &["true"]).await;
    let after = femke.phone.run(&["incident", "show", &incident]).await.expect("it is shown");
    let at = |shown: &serde_json::Value| shown["incident"]["fields"]["police_at"].clone();
    assert_eq!(at(&before), at(&after), "adding the code is no second visit");

    // Measures: what the state decides is confidential, whatever else is said of it.
    let decided = format!("origin={}", Origin::System.tag());
    femke.make(&["measure", "title=Camera op zolder", "type=camera", "status=decided", &decided]).await.expect("kept");
    let own = format!("origin={}", Origin::Own.tag());
    femke.make(&["measure", "title=Nieuwe brievenbus", "type=letterbox", "status=done", &own]).await.expect("kept");
    let measures = femke.sees(&["record", "list", "measure"], &["Camera op zolder", "Nieuwe brievenbus"], &[]).await;
    let marked: Vec<&str> = measures.lines().filter(|line| line.contains("vertrouwelijk")).collect();
    assert!(matches!(marked.as_slice(), [only] if only.contains("Camera op zolder")), "{measures}");
    femke
        .sees(
            &[&rights[..], &["--measure", "system"]].concat(),
            &["Zeg anderen niets over deze maatregel, ook niet aan gezin of raad."],
            &[],
        )
        .await;

    // Handed over: a page that can be read, evidence that opens, and nothing of measures.
    let folder = femke.path("politie");
    let pack = ["incident", "pack", &incident, "--for", "police", "--out", &folder];
    femke.sees(&pack, &["overdracht.html", "Er staan geen maatregelen in."], &[]).await;
    let page = std::fs::read_to_string(format!("{folder}/overdracht.html")).expect("a page");
    for there in ["Man met pet", "PL0600-2026123456", "op het adres van de organisatie", "De deurbel om 19.40"] {
        assert!(page.contains(there), "{there}");
    }
    for hidden in ["Camera op zolder", "brievenbus", "driehoek", "Gemeentesecretaris"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    assert!(std::path::Path::new(&folder).join("bewijs/001-De deurbel om 19.40.jpg").exists());
    let verified = ["incident", "verify", &folder];
    femke.sees(&verified, &["Alle 3 bestanden zijn zoals ze op"], &[]).await;

    // No news is told too, and says when the next is; on a lock screen that is a call.
    let next = in_days(7);
    let briefing = ["briefing", "by=Politie", "no_news=ja", &format!("at={}", in_days(0)), &format!("next={next}")];
    femke.make(&briefing).await.expect("kept");
    let hidden = ["Politie", "dreiging", "Baken", "maatregel"];
    femke.sees(&["agenda"], &["Belafspraak", &next], &hidden).await;

    // It is over: care for her, and looking back.
    let over = ["rights", "--threat", "over"];
    femke
        .sees(
            &over,
            &["Plan nazorg, voor uzelf en voor uw gezin.", "Kijk samen terug en blijf volgen."],
            &["Doe aangifte", "De dreiging gaat voor"],
        )
        .await;
    femke.sees(&["aftercare", "start"], &["Vastgelegd"], &[]).await;
    let year = femke.phone.run(&["agenda", "--days", "366"]).await.expect("a year");
    let of_kind =
        |due: &str| year["agenda"].as_array().expect("a list").iter().filter(|item| item["due"] == due).count();
    assert_eq!((of_kind("follow-up"), of_kind("briefing")), (4, 1), "{year}");

    // The picture is gone from the disk: the pack says so and is made of the rest.
    let blobs = femke.phone.home().join("blobs");
    std::fs::remove_dir_all(&blobs).expect("they lie there");
    let other = femke.path("politie-later");
    let pack = ["incident", "pack", &incident, "--for", "police", "--out", &other];
    let said = femke.phone.says(&pack).await.expect("the rest is handed over");
    assert!(said.contains("1 bestand(en) staan niet op dit toestel en zijn niet bijgevoegd."), "{said}");
    let page = std::fs::read_to_string(format!("{other}/overdracht.html")).expect("a page");
    assert!(page.contains("Niet in deze map, want niet op dit toestel: 1 bestand(en)."), "{page}");
    femke.sees(&["incident", "show", &incident], &["Man aan de deur", "De deurbel om 19.40"], &[]).await;
}
