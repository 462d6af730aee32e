//! What the service is for, told from beginning to end with real processes: each step is a command that a person types,
//! and each test holds to what they read.

mod first_thirty_days;
mod scaled_down;
mod threatened_mayor;

use anyhow::Result;
use baken_tests::story::phone::Phone;
use baken_tests::story::town::{Plan, Town, text_of};

/// Somebody in office, with a phone that is activated, in a municipality of their own.
struct Person {
    folder: tempfile::TempDir,
    town: Town,
    phone: Phone,
}

impl Person {
    /// A municipality, and a phone that was just bought.
    async fn found(name: &'static str) -> Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("zandhoven");
        let plan = Plan { data, log_level: "info".to_owned(), tapped: false, programs: (None, None) };
        let town = Town::found(&plan).await?;
        let phone = Phone::new(&town, name, "nl");
        Ok(Self { folder, town, phone })
    }

    /// As [`Self::found`], activated, with a profile.
    async fn in_office(phone: &'static str, name: &str, office: &str) -> Result<Self> {
        let person = Self::found(phone).await?;
        person.activate(name, office).await?;
        person.make(&["profile", &format!("name={name}"), &format!("office={office}")]).await?;
        Ok(person)
    }

    async fn activate(&self, name: &str, office: &str) -> Result<String> {
        let invite = self.town.invite(name, office, "0611223344").await?;
        self.phone.says(&["activate", &invite, "--name", "Telefoon"]).await
    }

    /// Types a command, and reads what it says: all of these, and nothing of those.
    async fn sees(&self, args: &[&str], there: &[&str], not_there: &[&str]) -> String {
        let said = self.phone.says(args).await.expect("it is done");
        for words in there {
            assert!(said.contains(words), "baken {}: nothing of {words:?} in\n{said}", args.join(" "));
        }
        for words in not_there {
            assert!(!said.contains(words), "baken {}: {words:?} in\n{said}", args.join(" "));
        }
        said
    }

    /// Makes a record.
    async fn make(&self, args: &[&str]) -> Result<String> {
        text_of(&self.phone.run(&[&["record", "add"], args].concat()).await?, "record")
    }

    /// A path beside the town's.
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// The day that lies so many days ahead, as people type it.
fn in_days(days: i64) -> String {
    use baken_schemas::edition::Date;
    use baken_schemas::time::{Clock as _, SystemClock};
    Date::of(SystemClock.now()).plus_days(days).to_string()
}
