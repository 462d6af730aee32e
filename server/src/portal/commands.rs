//! Running a command of `baken-server` inside this process, and hearing what it says.

use std::path::Path;

use baken_schemas::Language;
use clap::Parser as _;
use serde_json::Value;

use crate::cli::{Cli, Failure, Said, Say, perform};
use crate::portal::guard::Visit;

/// What a command said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// As JSON.
    pub value: Value,
    /// In the reader's language.
    pub text: String,
}

/// Options of a command, as a form gave them: those without a value are left out.
pub(super) type Options<'a> = &'a [(&'a str, &'a str)];

/// The words of a command line. A value stands behind its option's equals sign and a position behind `--`, so that nothing
/// somebody fills in is ever taken for an option.
fn line(words: &[&str], data: Option<&Path>, options: Options<'_>, positions: &[&str]) -> Vec<String> {
    let mut line = vec!["baken-server".to_owned()];
    line.extend(words.iter().map(|word| (*word).to_owned()));
    line.extend(data.map(|data| format!("--data={}", data.display())));
    line.extend(options.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| match *value {
        FLAG => format!("--{name}"),
        value => format!("--{name}={value}"),
    }));
    if !positions.is_empty() {
        line.push("--".to_owned());
        line.extend(positions.iter().map(|word| (*word).to_owned()));
    }
    line
}

/// The value of an option that has none. A form cannot hold it: browsers send no control characters but ends of lines.
pub(super) const FLAG: &str = "\u{0}";

async fn run(line: Vec<String>, language: Language) -> Result<Heard, Failure> {
    let cli = Cli::try_parse_from(line).map_err(|error| {
        // Its first line says what is wrong with which value; the rest is about typing commands.
        let told = error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Failure::bad_input("usage", format!("Dit kan zo niet: {told}"), format!("This cannot be: {told}"))
    })?;
    let (say, heard) = Say::heard(language);
    let ended = perform(&cli, &say).await;
    let said: Vec<Said> = heard.take();
    let all = || said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join("\n");
    match ended {
        Ok(()) => {
            let value = said.last().map(|said| said.value.clone()).unwrap_or_default();
            Ok(Heard { value, text: all() })
        }
        // What there was to say has been said.
        Err(failure) if failure.code.is_empty() => Err(Failure { nl: all(), en: all(), ..failure }),
        Err(failure) => Err(failure),
    }
}

impl Visit {
    /// A command on the adviser's folder.
    pub(super) async fn command(&self, words: &[&str], options: Options<'_>) -> Result<Heard, Failure> {
        self.command_with(words, options, &[]).await
    }

    /// A command on the adviser's folder, with positions.
    pub(super) async fn command_with(
        &self,
        words: &[&str],
        options: Options<'_>,
        positions: &[&str],
    ) -> Result<Heard, Failure> {
        let _alone = self.portal.alone.lock().await;
        run(line(words, Some(&self.portal.folders.adviser), options, positions), self.language).await
    }

    /// A command on the root's folder.
    pub(super) async fn root_command(&self, words: &[&str], options: Options<'_>) -> Result<Heard, Failure> {
        self.root_command_with(words, options, &[]).await
    }

    /// A command on the root's folder, with positions.
    pub(super) async fn root_command_with(
        &self,
        words: &[&str],
        options: Options<'_>,
        positions: &[&str],
    ) -> Result<Heard, Failure> {
        let Some(root) = self.portal.root() else {
            return Err(Failure::bad_input(
                "no_root",
                "De sleutel van de organisatie ligt niet op deze computer.",
                "The organisation's key does not lie on this machine.",
            ));
        };
        let _alone = self.portal.alone.lock().await;
        run(line(words, Some(root), options, positions), self.language).await
    }

    /// A command on no folder.
    pub(super) async fn plain_command(
        &self,
        words: &[&str],
        options: Options<'_>,
        positions: &[&str],
    ) -> Result<Heard, Failure> {
        let _alone = self.portal.alone.lock().await;
        run(line(words, None, options, positions), self.language).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_never_an_option() {
        let typed =
            line(&["org", "plan", "add"], Some(Path::new("a")), &[("owner", "--publish"), ("due", "")], &["--data=b"]);
        assert_eq!(typed, ["baken-server", "org", "plan", "add", "--data=a", "--owner=--publish", "--", "--data=b"]);
    }

    #[tokio::test]
    async fn a_command_that_cannot_be_says_which_value_is_wrong() {
        let failure =
            run(line(&["org", "plan", "list"], None, &[("data", "x"), ("theme", "nothing")], &[]), Language::En)
                .await
                .unwrap_err();
        assert!(failure.en.contains("nothing") && failure.code == "usage", "{failure:?}");
        let missing = tempfile::tempdir().unwrap();
        let data = missing.path().display().to_string();
        let failure = run(line(&["org", "people"], None, &[("data", &data)], &[]), Language::Nl).await.unwrap_err();
        assert_eq!(failure.exit, crate::exit::BAD_INPUT, "{failure:?}");
    }
}
