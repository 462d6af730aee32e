//! A partner with children, with real processes: their phone from the invitation to aftercare. What is theirs is all there,
//! also without a network, and nothing of the dossier ever is.

use anyhow::{Context as _, Result, ensure};
use baken_schemas::record::words::Origin;
use baken_tests::story::phone::Phone;
use baken_tests::story::play::let_in;
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::Value;

/// What stays in the dossier.
const SECRETS: [&str; 6] =
    ["Brief zonder afzender", "Camera op zolder", "Lindelaan 12", "penicilline", "psycholoog Mulder", "Dossiernotitie"];

async fn sync(phones: &[&Phone]) -> Result<()> {
    for phone in phones {
        phone.run(&["sync"]).await?;
    }
    Ok(())
}

fn ids(list: &Value) -> Result<Vec<&str>> {
    Ok(list.as_array().context("a list")?.iter().filter_map(|item| item["id"].as_str()).collect())
}

/// An alderman's dossier, with a word of each secret in it, and a family circle.
async fn alderman(town: &Town) -> Result<Phone> {
    let phone = Phone::new(town, "alderman_phone", "nl");
    let invite = town.invite("Femke Wolters", "wethouder", "0611223344").await?;
    phone.run(&["activate", &invite, "--name", "Telefoon"]).await?;
    phone
        .run(&["record", "add", "profile", "name=Femke Wolters", "office=wethouder", "home_address=Lindelaan 12"])
        .await?;
    phone.run(&["record", "add", "incident", "what=Brief zonder afzender"]).await?;
    let origin = format!("origin={}", Origin::System.tag());
    phone.run(&["record", "add", "measure", "title=Camera op zolder", &origin]).await?;
    phone.run(&["record", "add", "medical", "what=penicilline", "whom=Pim"]).await?;
    phone.run(&["record", "add", "note", "title=Dossiernotitie"]).await?;
    phone.run(&["circle", "create", "family", "--name", "Thuis"]).await?;
    let plan = ["plan", "title=Als de bel gaat", "text=Eerst door het raam kijken"];
    phone.run(&[&["record", "add", "--circle", "Thuis"][..], &plan].concat()).await?;
    let guidance = ["guidance", "title=Voor ons", "chapter=15-talking-with-children", "remark=zondag samen lezen"];
    phone.run(&[&["record", "add", "--circle", "Thuis"][..], &guidance].concat()).await?;
    phone.run(&["sync"]).await?;
    Ok(phone)
}

async fn story(town: &mut Town) -> Result<()> {
    let phone = alderman(town).await?;
    let partner = Phone::new(town, "partner_phone", "nl");
    // Before any invitation: guidance for family is for everybody.
    let before = partner.run(&["guidance", "--audience", "family", "card"]).await?;
    ensure!(ids(&before["cards"])?.contains(&"child-112"), "{before}");
    ensure!(partner.try_run(&["family"]).await?.0 == 3);
    let_in(&phone, "Thuis", &partner, "Telefoon Jan").await?;
    sync(&[&partner, &phone, &partner]).await?;

    // Alone with the phone, and without a network.
    town.kill_relay().await?;
    let page = partner.run(&["family"]).await?;
    ensure!(page["name"] == "Thuis" && page["plans"][0]["fields"]["title"] == "Als de bel gaat", "{page}");
    ensure!(
        page["chapters"][0]["id"] == "15-talking-with-children"
            && page["chapters"][0]["remark"] == "zondag samen lezen"
    );
    ensure!(ids(&page["chapters"])?.contains(&"14-at-home-together"), "{page}");
    ensure!(ids(&page["children"])? == ["child-112", "child-door"], "{}", page["children"]);
    let call = ids(&page["public_contacts"])?;
    ensure!(call[0] == "emergency" && call.contains(&"child-line") && call.contains(&"victim-support"), "{call:?}");
    ensure!(page["free_choice"]["id"] == "free-choice" && page["free_choice"]["source_date"].is_string());
    // The phone knows whose it is: guidance is the family's without a word, and what is the office-holder's is not shown.
    let chapter = partner.run(&["guidance", "read", "14"]).await?;
    ensure!(chapter["chapter"]["id"] == "14-at-home-together");
    let (code, refused) = partner.try_run(&["guidance", "read", "05"]).await?;
    ensure!(code == 3 && refused["error"]["code"] == "not_for_audience", "{refused}");
    ensure!(phone.run(&["guidance", "read", "05"]).await?["chapter"]["id"] == "05-feeling-unsafe");

    // The ways are of somebody who holds an office.
    ensure!(partner.try_run(&["steps"]).await?.1["error"]["code"] == "not_owner");

    // Their own: a contact, a note, and afterwards a helper of their own choice.
    partner.run(&["record", "add", "contact", "name=Oma Riet", "phone=0699887766"]).await?;
    let helped = partner.run(&["aftercare", "start", "--helper", "huisarts De Bruin"]).await?;
    ensure!(helped["moments"].as_array().is_some_and(|moments| moments.len() == 4), "{helped}");
    phone.run(&["aftercare", "start", "--helper", "psycholoog Mulder"]).await?;
    town.start_relay().await?;
    sync(&[&partner, &phone, &partner]).await?;

    let theirs = partner.run(&["family"]).await?;
    let plans = theirs["aftercare"].as_array().context("a list")?;
    ensure!(plans.len() == 1 && plans[0]["fields"]["helper"] == "huisarts De Bruin", "{theirs}");
    ensure!(plans[0]["fields"]["for"] == "family", "what is started at home is the family's");
    let seen = phone.run(&["family"]).await?;
    ensure!(seen["contacts"][0]["fields"]["name"] == "Oma Riet", "{seen}");
    // A talk that was held is off the agenda, which says nothing of what it is about.
    let agenda = partner.run(&["agenda", "--days", "400"]).await?;
    let due = agenda["agenda"].as_array().context("a list")?;
    ensure!(due.len() == 4 && due.iter().all(|item| item["title"] == "Gesprek" && item["about"].is_null()), "{agenda}");
    let talk = text_of(&due[0], "record")?;
    partner.run(&["agenda", "--done", &talk, "--outcome", "ging goed"]).await?;
    let left = partner.run(&["agenda", "--days", "400"]).await?;
    ensure!(left["agenda"].as_array().is_some_and(|due| due.len() == 3), "{left}");

    // Nothing of the dossier: not in a record of any kind, nor on any page.
    let mut all = partner.run(&["record", "list"]).await?.to_string();
    for kind in ["profile", "incident", "measure", "medical", "note", "aftercare", "follow-up", "contact"] {
        all += &partner.run(&["record", "list", kind]).await?.to_string();
    }
    all += &format!("{theirs}{}", partner.run(&["status"]).await?);
    for secret in SECRETS {
        ensure!(!all.contains(secret), "{secret} reached the partner's phone");
        ensure!(!seen.to_string().contains(secret), "{secret} is on the family's page of the dossier's own phone");
    }
    ensure!(all.contains("huisarts De Bruin"), "the search finds what is there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_with_children_from_the_invitation_to_aftercare() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data, log_level: "info".to_owned(), tapped: false, programs: (None, None) };
    let mut town = Town::found(&plan).await.expect("a town");
    story(&mut town).await.expect("the story holds");
}
