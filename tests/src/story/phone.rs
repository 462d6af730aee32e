//! A phone: the `baken` program with a home folder of its own.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value;

use super::process::{Process, Programs, run};
use super::town::{Town, last_json};

/// The PIN of every phone in a story.
pub const PIN: &str = "482913";

/// A phone.
#[derive(Debug, Clone)]
pub struct Phone {
    /// What the story calls it.
    pub name: &'static str,
    programs: Programs,
    home: PathBuf,
    log: PathBuf,
    lang: &'static str,
}

impl Phone {
    /// A phone of this town, not yet activated.
    pub fn new(town: &Town, name: &'static str, lang: &'static str) -> Self {
        Self {
            name,
            programs: town.programs.clone(),
            home: town.data.join("phones").join(name),
            log: town.data.join("log").join(format!("{name}.log")),
            lang,
        }
    }

    /// Its home folder.
    pub fn home(&self) -> &PathBuf {
        &self.home
    }

    fn arguments<'a>(&'a self, home: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["--json", "--lang", self.lang, "--home", home];
        all.extend_from_slice(args);
        all
    }

    /// Runs a command; its exit code and last JSON line.
    ///
    /// # Errors
    /// When it cannot be run or prints no JSON.
    pub async fn try_run(&self, args: &[&str]) -> Result<(i32, Value)> {
        let home = self.home.display().to_string();
        let all = self.arguments(&home, args);
        let (code, out, err) = run(&self.programs.phone, &all, &[("BAKEN_PIN", PIN)]).await?;
        let answer = last_json(&out).map_err(|error| error.context(format!("{}: {out}{err}", args.join(" "))))?;
        Ok((code, answer))
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn run(&self, args: &[&str]) -> Result<Value> {
        let (code, answer) = self.try_run(args).await?;
        if code != 0 {
            bail!("{}: baken {} ended with {code}: {answer}", self.name, args.join(" "));
        }
        Ok(answer)
    }

    /// Runs a command that must succeed, as a person does: what it says in words.
    ///
    /// # Errors
    /// When it does not.
    pub async fn says(&self, args: &[&str]) -> Result<String> {
        let home = self.home.display().to_string();
        let all = [&["--lang", self.lang, "--home", &home][..], args].concat();
        let (code, out, err) = run(&self.programs.phone, &all, &[("BAKEN_PIN", PIN)]).await?;
        if code != 0 {
            bail!("{}: baken {} ended with {code}: {out}{err}", self.name, args.join(" "));
        }
        Ok(out)
    }

    /// Starts a command that goes on.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, args: &[&str]) -> Result<Process> {
        let home = self.home.display().to_string();
        let all = self.arguments(&home, args);
        Process::start(self.name, &self.programs.phone, &all, &[("BAKEN_PIN", PIN)], &self.log)
    }
}
