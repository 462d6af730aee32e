//! A photo, sound and positions that go along with an alarm, told with real processes: from the phone's files to the
//! officer's screen, with nothing of them at the relay.

use anyhow::{Result, ensure};
use baken_tests::marks::{Mark, found_in_folder};
use baken_tests::story::phone::Phone;
use baken_tests::story::town::{Plan, Town, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_sound_and_where_somebody_is_reach_the_officer_and_the_relay_reads_none_of_it() -> Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let plan =
        Plan { data: folder.path().join("town"), log_level: "warn".to_owned(), tapped: false, programs: (None, None) };
    let town = Town::found(&plan).await?;
    let phone = Phone::new(&town, "mayor", "nl");
    let invite = town.invite("A. Testma", "burgemeester", "+31600000001").await?;
    phone.run(&["activate", &invite, "--name", "telefoon"]).await?;
    let officer = town.officer("De Vries").await?;

    // Pressed, and followed by where she is.
    let locate = ["alarm", "press", "--wait", "closed", "--timeout", "120", "--locate", "echo 52.37175,4.89035,12"];
    let pressed = phone.start(&locate)?;
    let list = officer.look_until("/api/alarms", |list| list["alarms"].get(0).cloned()).await?;
    let alarm = text_of(&list, "alarm")?;
    let api = format!("/api/alarms/{alarm}");
    officer
        .look_until(&api, |shown| (shown["position"]["from_update"] == true).then(|| shown["position"].clone()))
        .await
        .and_then(|position| {
            ensure!(position["accuracy_m"] == 12, "{position}");
            Ok(())
        })?;

    // A photo of two chunks, made of what is not to be found at the relay.
    let mark = "de man met de rode jas";
    let mut photo = vec![0xff, 0xd8, 0xff, 0xe0];
    while photo.len() < 300_000 {
        photo.extend_from_slice(mark.as_bytes());
    }
    let sound = [b"OggS".as_slice(), &[7; 20_000]].concat();
    for (name, file) in [("deur.jpg", &photo), ("stemmen.ogg", &sound)] {
        let path = folder.path().join(name);
        std::fs::write(&path, file)?;
        phone.run(&["alarm", "attach", &path.display().to_string(), "--to", &alarm]).await?;
    }
    let script = folder.path().join("script.sh");
    std::fs::write(&script, "#!/bin/sh\n")?;
    let (code, refused) = phone.try_run(&["alarm", "attach", &script.display().to_string()]).await?;
    ensure!(code == 3 && refused["error"]["code"] == "not_a_photo_or_sound", "{code} {refused}");

    let here = officer
        .look_until(&api, |shown| {
            let files = shown["updates"].as_array()?.iter().map(|update| &update["attachment"]);
            let here: Vec<_> = files.filter(|file| file["here"] == true).cloned().collect();
            (here.len() == 2).then_some(here)
        })
        .await?;
    for file in here {
        let (expected, size) = if file["media"] == "jpeg" { (&photo, 300_000) } else { (&sound, 20_004) };
        ensure!(file["size"].as_u64().is_some_and(|bytes| bytes >= size), "{file}");
        let path = format!("/alarms/{alarm}/attachments/{}", text_of(&file, "blob")?);
        ensure!(&officer.fetch(&path).await? == expected, "{file}");
        ensure!(officer.fetch(&format!("/alarms/{alarm}/attachments/{}", "0".repeat(32))).await.is_err());
    }
    let page = String::from_utf8(officer.fetch(&format!("/alarms/{alarm}")).await?)?;
    ensure!(page.contains("<img src=") && page.contains("<audio controls"), "the page shows both");

    // I4: neither in the relay's folder nor, at rest, in the desk's.
    for role in ["relay", "desk"] {
        let found =
            found_in_folder(&[Mark::word(mark), Mark::word("52.37")], &std::path::PathBuf::from(town.folder(role)))?;
        ensure!(found.is_empty(), "{role}: {found:?}");
    }
    drop(pressed);
    Ok(())
}
