//! An adviser's year, with real processes: a whole new council is invited from a table, the plan and its two advisers, what
//! phones believe of functions and insurance, readiness by consent, a year of due tasks to the evaluation of the norm. And
//! that of the private things on those phones nothing is on the adviser's side, wherever one looks.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use baken_tests::marks::{Mark, found_in_bytes, found_in_folder};
use baken_tests::story::phone::{PIN, Phone};
use baken_tests::story::process::run;
use baken_tests::story::town::{Plan, Town, last_json, text_of};
use serde_json::{Value, json};

/// What two people write on their phones; each word stands in one private place.
const PRIVATE: [&str; 5] = ["paarsebrief", "slaaptslecht", "zolderraamslot", "tantetruus", "noodsleutel"];

/// `baken-server --json` with what it says on every line, whatever it ends with.
async fn server(town: &Town, args: &[&str]) -> Result<(i32, Vec<Value>)> {
    let all = [&["--json", "--lang", "en"][..], args].concat();
    let (code, out, err) = run(&town.programs.server, &all, &[]).await?;
    let lines = out.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    Ok((code, lines.with_context(|| format!("{out}{err}"))?))
}

async fn refused(town: &Town, args: &[&str]) -> Result<String> {
    let (code, lines) = server(town, args).await?;
    let last = lines.last().context("it said something")?;
    match last["error"]["code"].as_str() {
        Some(word) if code == 3 => Ok(word.to_owned()),
        _ => bail!("{} ended with {code}: {last}", args.join(" ")),
    }
}

/// An adviser: a folder and its commands.
struct Adviser<'a> {
    town: &'a Town,
    data: String,
}

impl<'a> Adviser<'a> {
    async fn invited(town: &'a Town, name: &str) -> Result<Self> {
        let org = town.folder("org");
        let invite = ["org", "invite", "--data", &org, "--role", "adviser", "--name", name, "--office", "adviseur"];
        let made = town.server(&[&invite[..], &["--phone", "0600000009", "--publish"]].concat()).await?;
        let data = town.folder(name);
        let invite = text_of(&made, "invite")?;
        town.server(&["init", "adviser", "--data", &data, "--invite", &invite]).await?;
        Ok(Self { town, data })
    }

    fn typed<'b>(&'b self, args: &[&'b str]) -> Vec<&'b str> {
        [&["org"], args, &["--data", &self.data]].concat()
    }

    async fn ok(&self, args: &[&str]) -> Result<Value> {
        self.town.server(&self.typed(args)).await
    }

    async fn refused(&self, args: &[&str]) -> Result<String> {
        refused(self.town, &self.typed(args)).await
    }
}

/// The invite on a printed page.
fn invite_of(page: &str) -> Result<String> {
    let start = page.find("BAKEN-INVITE:").context("the page has an invite")?;
    let invite = page[start..].split('<').next().unwrap_or_default();
    Ok(invite.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisers_year_from_a_new_council_to_the_evaluation_of_the_norm() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let town = Town::found(&plan).await.expect("a town");
    let phones = a_council_is_invited(&town, &data).await.expect("packs");
    let (one, other) = (
        Adviser::invited(&town, "one").await.expect("an adviser"),
        Adviser::invited(&town, "other").await.expect("one more"),
    );
    two_advisers_keep_one_plan(&one, &other).await.expect("a plan");
    phones_believe_the_edition(&town, &one, &data, &phones).await.expect("an edition");
    a_year_goes_by(&one, &data).await.expect("a year");
    readiness_is_theirs_to_share(&town, &one, &data, &phones).await.expect("readiness");
}

/// A table with a fault makes nothing; mended, a page for each, by which their phones are activated.
async fn a_council_is_invited(town: &Town, data: &Path) -> Result<[Phone; 2]> {
    let (org, table, out) = (town.folder("org"), data.join("raad.csv"), data.join("packs"));
    let (table, out) = (table.display().to_string(), out.display().to_string());
    let make = ["org", "pack", "--data", &org, "--csv", &table, "--out", &out, "--publish"];
    let row = |name: &str, office: &str, number: u32| format!("{name};{office};06{number:08}\r\n");
    let good = "\u{feff}Naam;Ambt;Telefoon\r\n".to_owned()
        + &row("Ans Testma", "burgemeester", 1)
        + &row("Bo Testma", "raadslid", 2)
        + &(3..12).map(|number| row(&format!("Raadslid {number}"), "Raadslid", number)).collect::<String>();
    let book = std::fs::read(data.join("org/organisation.json"))?;
    std::fs::write(&table, good.clone() + &row("Koning", "koning", 90) + &row("bo testma", "raadslid", 2))?;
    let (code, said) = server(town, &make).await?;
    let lines: Vec<&Value> = said.iter().filter_map(|line| line["fault"].get("line")).collect();
    assert_eq!((code, lines), (3, vec![&json!(13), &json!(14)]), "{said:?}");
    assert!(
        !Path::new(&out).exists() && std::fs::read(data.join("org/organisation.json"))? == book,
        "nothing half done"
    );

    std::fs::write(&table, &good)?;
    let made = town.server(&make).await?;
    assert_eq!(made["packs"].as_array().map(Vec::len), Some(11));
    assert_eq!(refused(town, &make).await?, "bad_council", "they were invited already");
    let mut phones = Vec::new();
    for (number, name) in [(0, "mayor_phone"), (1, "councillor_phone")] {
        let file = made["packs"][number]["file"].as_str().context("a file")?;
        let page = std::fs::read_to_string(Path::new(&out).join(file))?;
        assert!(page.contains("<svg") && !page.contains("src=") && !page.contains("<script"), "it stands by itself");
        assert!(
            page.contains("baken activate -") && !page.contains("op uw telefoon"),
            "it names what there is: {page}"
        );
        assert_eq!(page.contains("Uw veiligheid als raadslid") || page.contains("raadslid ·"), number == 1, "{page}");
        let phone = Phone::new(town, name, "en");
        phone.run(&["activate", &invite_of(&page)?, "--name", "Telefoon"]).await?;
        phones.push(phone);
    }
    phones.try_into().map_err(|_| anyhow::anyhow!("two phones"))
}

/// Two advisers see one plan; what one has not seen, they do not write over.
async fn two_advisers_keep_one_plan(one: &Adviser<'_>, other: &Adviser<'_>) -> Result<()> {
    let add = [
        "plan",
        "add",
        "--theme",
        "physical",
        "Toegang receptie",
        "--owner",
        "security-officer",
        "--due",
        "2027-05-01",
    ];
    let added = one.ok(&add).await?;
    let (id, version) = (text_of(&added, "id")?, added["version"].to_string());
    for theme in ["information", "working", "continuity"] {
        other.ok(&["plan", "add", "--theme", theme, "Beleid nakijken"]).await?;
    }
    let seen = other.ok(&["plan", "list"]).await?;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(4));
    other.ok(&["plan", "set", &id, "--state", "under-way", "--if-version", &version]).await?;
    let late = ["plan", "set", &id, "--title", "Iets anders", "--if-version", &version];
    assert_eq!(one.refused(&late).await?, "plan_changed");
    // Somebody's measures were scaled down: what the organisation does about that, without a word on whom.
    let after = one.ok(&["plan", "after", "--on", "2026-11-27", "--owner", "safety-adviser"]).await?;
    assert_eq!(after["added"].as_array().map(Vec::len), Some(6));
    let listed = other.ok(&["plan", "list", "--theme", "working"]).await?;
    let due = |days: &str| listed["items"].as_array().is_some_and(|all| all.iter().any(|item| item["due"] == days));
    assert!(due("2026-12-27") && due("2027-11-27"), "{listed}");
    // Broken off halfway, it is simply typed again.
    let again = other.ok(&["plan", "after", "--on", "2026-11-27"]).await?;
    assert_eq!(again["added"], json!([]));
    for id in after["added"].as_array().into_iter().flatten() {
        one.ok(&["plan", "remove", id.as_str().unwrap_or_default()]).await?;
    }
    let item = one.ok(&["plan", "list", "--theme", "physical"]).await?["items"][0].clone();
    assert_eq!((&item["title"], &item["state"]), (&json!("Toegang receptie"), &json!("under-way")));
    assert_eq!(one.refused(&["plan", "set", "ffffffff", "--state", "done"]).await?, "unknown_line");
    let never = ["year", "term", "2026-03-30", "--ends", "2026-03-01"];
    assert_eq!(one.refused(&never).await?, "rule_broken");
    Ok(())
}

/// Functions, numbers and insurance go out in the signed edition, and no relay alone can tell a phone otherwise.
async fn phones_believe_the_edition(
    town: &Town,
    adviser: &Adviser<'_>,
    data: &Path,
    phones: &[Phone; 2],
) -> Result<()> {
    let role = ["role", "set", "safety-adviser", "--holder", "J. Voorbeeld", "--number", "0123-456789", "--always"];
    let alone = adviser.ok(&role).await?;
    assert_eq!(alone["warnings"], json!(["no_deputy"]));
    adviser.ok(&[&role[..], &["--deputy", "K. Voorbeeld", "--deputy-number", "0123-456780"]].concat()).await?;
    let insurance =
        ["insurance", "set", "--elected", "not-covered", "--executive", "covered", "--insurer", "Voorbeeld"];
    let read_early = [&insurance[..], &["--terms", "2026-05-01", "--read-on", "2026-04-01"]].concat();
    assert_eq!(adviser.refused(&read_early).await?, "rule_broken");
    adviser.ok(&[&insurance[..], &["--terms", "2026-01-01"]].concat()).await?;

    let source = data.join("edition");
    let source = source.display().to_string();
    let export = ["role", "export", "--edition", &source];
    // A number that is the national emergency number is refused, and the source stays as it was.
    adviser.ok(&["role", "set", "clerk", "--holder", "G. Voorbeeld", "--number", "112"]).await?;
    let (code, said) = server(town, &adviser.typed(&export)).await?;
    let findings = said.iter().flat_map(|line| line["findings"].as_array().into_iter().flatten());
    assert!(code == 3 && findings.clone().any(|finding| finding["code"] == "emergency_number"), "{said:?}");
    assert!(!Path::new(&source).exists());
    adviser.ok(&["role", "remove", "clerk"]).await?;
    assert_eq!(adviser.ok(&export).await?["version"], 1);
    assert_eq!(adviser.ok(&export).await?["changed"], false);
    assert!(
        !std::fs::read_to_string(data.join("edition/contacts.toml"))?.contains("J. Voorbeeld"),
        "names stay inside"
    );

    let people = town.server(&["org", "people", "--data", &town.folder("org")]).await?;
    std::fs::write(Path::new(&adviser.data).join("people.json"), people.to_string())?;
    let org = baken_org(town)?;
    let (built, key) = (data.join("zandhoven.edition"), data.join("org/root.key"));
    let [built, key] = [built, key].map(|path| path.display().to_string());
    let directory = data.join("org/directory.cbor").display().to_string();
    town.server(&["edition", "build", &source, "--org", &org, "--out", &built]).await?;
    town.server(&["edition", "sign", &built, "--key", &key]).await?;
    town.server(&["edition", "publish", &built, "--directory", &directory]).await?;
    let [mayor, councillor] = phones;
    for (phone, office, code) in
        [(mayor, "mayor", "insurance-covers"), (councillor, "councillor", "insurance-excludes")]
    {
        let before = phone.run(&["rights", "--office", office]).await?.to_string();
        assert!(!before.contains(code), "{before}");
        phone.run(&["sync"]).await?;
        let contacts = phone.run(&["contacts", "--kind", "threat"]).await?.to_string();
        assert!(contacts.contains("0123-456789") && contacts.contains("0123-456780"), "{contacts}");
        let rights = phone.run(&["rights", "--office", office]).await?;
        let answers = rights["answers"].as_array().context("answers")?;
        let answer = answers.iter().find(|answer| answer["code"] == code).with_context(|| format!("{rights}"))?;
        assert_eq!((&answer["rule"], &answer["facts"][0]["layer"]), (&json!("R13"), &json!("organisation")));
    }
    Ok(())
}

fn baken_org(town: &Town) -> Result<String> {
    let config = std::fs::read_to_string(Path::new(&town.folder("one")).join("config.toml"))?;
    let org =
        config.lines().find_map(|line| line.strip_prefix("org = ")).context("the settings name the organisation")?;
    Ok(org.trim_matches('"').to_owned())
}

/// A term begins, and a year later the norm is evaluated. The clock is what is typed.
async fn a_year_goes_by(adviser: &Adviser<'_>, data: &Path) -> Result<()> {
    let due = |shown: &Value, only_late: bool| -> Vec<String> {
        let all = shown["due"].as_array().cloned().unwrap_or_default();
        let kept = all.iter().filter(|due| !only_late || due["overdue"] == true);
        kept.filter_map(|due| due["task"].as_str().map(str::to_owned)).collect()
    };
    let show = async |year: &str, today: &str| adviser.ok(&["year", "show", year, "--today", today]).await;
    assert!(!due(&show("2027", "2027-01-01").await?, false).iter().any(|task| task.starts_with("term-")));
    adviser.ok(&["year", "term", "2027-01-04", "--ends", "2031-01-06"]).await?;
    let begun = show("2027", "2027-01-04").await?;
    for task in ["term-packs", "term-insurance", "term-budget", "term-talk"] {
        assert!(due(&begun, false).contains(&task.to_owned()), "{begun}");
    }
    adviser.ok(&["agenda", "add", "--person", "Bo Testma", "--on", "2027-02-01", "--owner", "safety-adviser"]).await?;
    assert_eq!(adviser.refused(&["agenda", "add", "--person", "Testma", "--on", "2027-02-01"]).await?, "ambiguous");
    adviser.ok(&["year", "set", "protocol", "2027", "--owner", "secretary", "--due", "2027-05-20"]).await?;
    assert_eq!(adviser.refused(&["year", "set", "budget", "2027", "--due", "2029-01-01"]).await?, "rule_broken");

    // Each month somebody looks what is late, and does it; the year ends with the norm.
    let mut done = Vec::new();
    for month in 1..=12 {
        let shown = show("2027", &format!("2027-{month:02}-28")).await?;
        for task in due(&shown, true) {
            adviser.ok(&["year", "set", &task, "2027", "--state", "done"]).await?;
            done.push(task);
        }
        for late in shown["due"].as_array().into_iter().flatten().filter(|due| due["overdue"] == true) {
            let id = late["id"].as_str().unwrap_or_default();
            match late["due"].as_str() {
                Some("item") => drop(adviser.ok(&["plan", "set", id, "--state", "done"]).await?),
                Some("inform") => drop(adviser.ok(&["agenda", "done", id]).await?),
                _ => {}
            }
        }
        assert_eq!(show("2027", &format!("2027-{month:02}-28")).await?["overdue"], 0);
    }
    assert_eq!(done.last().map(String::as_str), Some("norm-evaluation"));
    for task in
        ["budget", "insurance", "protocol", "integral-plan", "trainings", "aggression-talk", "undermining-picture"]
    {
        assert!(done.iter().any(|one| one == task), "{task}: {done:?}");
    }
    let place = |task: &str| done.iter().position(|one| one == task);
    assert!(place("protocol") > place("undermining-picture") || place("protocol") > place("insurance"), "it was moved");
    // The next year has its tasks by itself, and in even years the scan again.
    let next = due(&show("2028", "2027-12-31").await?, false);
    assert!(next.contains(&"budget".to_owned()) && next.contains(&"resilience-scan".to_owned()));
    let file = data.join("jaar.ics");
    let file = file.display().to_string();
    adviser.ok(&["year", "show", "2028", "--today", "2028-01-01", "--ics", &file]).await?;
    let calendar = std::fs::read_to_string(&file)?.to_lowercase();
    assert!(calendar.contains("dtstart;value=date:20280615"), "{calendar}");
    for word in ["baken", "agressie", "dreig", "ondermijn", "politiek", "testma"] {
        assert!(!calendar.contains(word), "{word} in a calendar that others see");
    }
    Ok(())
}

/// Who agrees is seen, word by word; who withdraws is gone; and what those words rest on is nowhere.
async fn readiness_is_theirs_to_share(
    town: &Town,
    adviser: &Adviser<'_>,
    data: &Path,
    phones: &[Phone; 2],
) -> Result<()> {
    let [mayor, councillor] = phones;
    for phone in phones {
        phone.run(&["incident", "add", "--what", PRIVATE[0], "--where", "thuis"]).await?;
        phone
            .run(&["record", "add", "measure", &format!("title={}", PRIVATE[2]), "type=home-scan", "status=done"])
            .await?;
        phone
            .run(&["record", "add", "contact", &format!("name={}", PRIVATE[3]), "phone=0611111111", "emergency=true"])
            .await?;
        phone.run(&["record", "add", "note", &format!("title={}", PRIVATE[4])]).await?;
        let home = phone.home().display().to_string();
        let check_up = ["--json", "--home", &home, "check-up", "add", PRIVATE[1], "--with", "huisarts"];
        let env = [("BAKEN_PIN", PIN), ("BAKEN_CHECK_UP", "een twee drie vier vijf")];
        let (code, out, err) = run(&town.programs.phone, &check_up, &env).await?;
        assert_eq!(code, 0, "{out}{err}");
        phone.run(&["sync"]).await?;
    }
    mayor.run(&["scan", "start", "--gate", "no"]).await?;
    for question in 1..=20 {
        mayor.run(&["scan", "answer", &question.to_string(), "unknown"]).await?;
    }
    assert_eq!(adviser.ok(&["readiness", "list"]).await?["people"], json!([]), "nobody agreed yet");
    for phone in phones {
        phone.run(&["readiness", "say", "start-pack", "done"]).await?;
        assert_eq!(phone.run(&["readiness", "share"]).await?["consent"], "shared");
    }
    let listed = adviser.ok(&["readiness", "list"]).await?;
    let people = listed["people"].as_array().context("people")?;
    assert_eq!(people.len(), 2);
    for person in people {
        let steps = &person["readiness"];
        assert_eq!((&steps["home-scan"], &steps["training"]), (&json!("done"), &json!("not")), "{person}");
    }
    let scanned = people.iter().filter(|person| person["readiness"]["self-scan"] == "done");
    assert_eq!(scanned.count(), 1, "that it was had, of one of them: {listed}");
    // Two are too few to be counted for others.
    let counts = adviser.ok(&["readiness", "counts"]).await?;
    assert_eq!((&counts["people"], &counts["steps"][0]["done"]), (&Value::Null, &Value::Null));
    // What changes is told with a sync; what is withdrawn is gone.
    mayor.run(&["record", "add", "training", "title=Agressie", "done_at=2026-01-15"]).await?;
    mayor.run(&["sync"]).await?;
    assert!(adviser.ok(&["readiness", "list"]).await?.to_string().contains("\"training\":\"done\""));
    assert_eq!(councillor.run(&["readiness", "withhold"]).await?["consent"], "withheld");
    councillor.run(&["sync"]).await?;
    let listed = adviser.ok(&["readiness", "list"]).await?;
    assert_eq!(listed["people"].as_array().map(Vec::len), Some(1));

    // Nothing private: not at the relay, not in an adviser's folder, not in what any of the commands says.
    let marks: Vec<Mark> = PRIVATE.iter().map(|word| Mark::word(word)).collect();
    for place in [data.join("relay"), data.join("one"), data.join("other"), data.join("org")] {
        assert_eq!(found_in_folder(&marks, &place)?, Vec::<String>::new(), "{}", place.display());
    }
    for said in [
        &["readiness", "list"][..],
        &["readiness", "counts"],
        &["plan", "list"],
        &["year", "show", "2027"],
        &["agenda", "list"],
        &["role", "list"],
    ] {
        let (code, out, _) = run(&town.programs.server, &adviser.typed(said), &[]).await?;
        assert_eq!((code, found_in_bytes(&marks, "what it says", out.as_bytes())), (0, Vec::new()));
    }
    // The marks would be found where they are.
    let (_, told, _) = run(
        &town.programs.phone,
        &["--json", "--home", &mayor.home().display().to_string(), "record", "list"],
        &[("BAKEN_PIN", PIN)],
    )
    .await?;
    assert!(!found_in_bytes(&marks, "the phone's own list", told.as_bytes()).is_empty());
    assert!(last_json(&told).is_ok());
    Ok(())
}
