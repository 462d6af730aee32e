//! What the documents say is there, is there: every command, flag, path and test that they name.
//!
//! Commands are held against `--help` of the real programs, so a flag that was renamed shows here and not to a reader.
//! Not here: whether a command does what the text says of it. That is what stories are for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use baken_tests::story::process::{Programs, run};

/// Documents with commands that a reader types.
const WITH_COMMANDS: [&str; 3] = ["README.md", "docs/tour.md", "CONTRIBUTING.md"];
/// Documents that name files.
const WITH_PATHS: [&str; 6] =
    ["README.md", "docs/tour.md", "docs/proof.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md"];
/// Documents that name tests, beside the decisions.
const WITH_TESTS: [&str; 3] = ["ARCHITECTURE.md", "SECURITY.md", "docs/proof.md"];
/// Where decisions lie.
const DECISIONS: &str = "docs/adr";
/// Where a path in a document may start.
const ROOTS: [&str; 7] =
    ["", "docs", "schemas/src", "client-core/src", "client-core/cli/src", "server/src", "tests/src"];
/// What a reader types that is no program of ours.
const PROGRAMS: [&str; 3] = ["baken", "baken-server", "cargo xtask"];
/// The longest ARCHITECTURE.md, in lines.
const ARCHITECTURE_LINES: usize = 150;
/// The deepest a folder is looked into for tests.
const MAX_DEPTH: usize = 12;

pub(super) fn workspace() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in a workspace")?.to_owned())
}

pub(super) fn document(name: &str) -> Result<String> {
    std::fs::read_to_string(workspace()?.join(name)).with_context(|| format!("{name} cannot be read"))
}

/// Some documents, and every decision.
fn and_decisions(names: &[&str]) -> Result<Vec<String>> {
    let mut all: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    for entry in std::fs::read_dir(workspace()?.join(DECISIONS))? {
        all.push(format!("{DECISIONS}/{}", entry?.file_name().to_string_lossy()));
    }
    Ok(all)
}

/// Lines of code blocks, continued ones joined, and code spans of a text.
pub(super) struct Code {
    blocks: Vec<String>,
    pub(super) spans: Vec<String>,
}

pub(super) fn code_of(text: &str) -> Code {
    let mut code = Code { blocks: Vec::new(), spans: Vec::new() };
    let mut prose = String::new();
    let mut fenced = false;
    let mut begun = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push('\n');
        } else if let Some(more) = line.strip_suffix('\\') {
            begun.push_str(more);
        } else {
            code.blocks.push(format!("{}{line}", std::mem::take(&mut begun)));
        }
    }
    code.spans = prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect();
    code
}

/// The words of a command line up to its comment, pipe or redirection; a quoted word is one.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => {
                if word.starts_with('#') || ["|", ">", ">>", "<", "&&", ";"].contains(&word.as_str()) {
                    break;
                }
                words.push(std::mem::take(&mut word));
            }
            _ => word.push(letter),
        }
    }
    words
}

/// The command lines of ours in a text, each as a program and its arguments.
pub(super) fn commands_of(text: &str) -> Vec<(&'static str, Vec<String>)> {
    let code = code_of(text);
    let mut found = Vec::new();
    for line in code.blocks.iter().chain(&code.spans) {
        let words: Vec<_> = words_of(line).into_iter().skip_while(|word| is_setting(word)).collect();
        for program in PROGRAMS {
            let name: Vec<_> = program.split(' ').collect();
            if words.len() > name.len() && words.iter().zip(&name).all(|(word, part)| word == part) {
                found.push((program, words.iter().skip(name.len()).cloned().collect()));
            }
        }
    }
    found
}

/// `NAME=value` before a command.
fn is_setting(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.len() < word.len() && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

/// What `--help` of one command lists.
#[derive(Debug, Default, Clone)]
struct Help {
    subcommands: BTreeSet<String>,
    /// Flags, and whether a value follows.
    flags: BTreeMap<String, bool>,
    takes_arguments: bool,
}

fn help_of(text: &str) -> Help {
    let mut help = Help { flags: BTreeMap::from([("--help".to_owned(), false)]), ..Help::default() };
    let mut part = "";
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            part = line;
        }
        let mut words = line.split_whitespace();
        if part == "Commands:" && line.starts_with("  ") && !line.starts_with("   ") {
            help.subcommands.extend(words.next().map(str::to_owned));
        } else if part == "Arguments:" {
            help.takes_arguments = true;
        } else if part.starts_with("Options") {
            let flag = words.find(|word| !(word.len() == 3 && word.ends_with(',')));
            if let Some(flag) = flag.filter(|flag| flag.starts_with("--")) {
                help.flags.insert(flag.to_owned(), words.next().is_some_and(|value| value.starts_with(['<', '['])));
            }
        }
    }
    help
}

/// The programs, and what they were already asked.
pub(super) struct Asked {
    programs: BTreeMap<&'static str, PathBuf>,
    helps: BTreeMap<Vec<String>, Help>,
}

impl Asked {
    pub(super) fn find() -> Result<Self> {
        let found = Programs::find()?;
        let xtask = found.server.with_file_name("xtask");
        if !xtask.exists() {
            bail!("{} is missing; make it with `cargo build -p xtask`", xtask.display());
        }
        let programs = BTreeMap::from([("baken", found.phone), ("baken-server", found.server), ("cargo xtask", xtask)]);
        Ok(Self { programs, helps: BTreeMap::new() })
    }

    async fn help(&mut self, program: &'static str, path: &[String]) -> Result<Help> {
        let key: Vec<_> = std::iter::once(program.to_owned()).chain(path.iter().cloned()).collect();
        if let Some(help) = self.helps.get(&key) {
            return Ok(help.clone());
        }
        let binary = self.programs.get(program).context("the program was found")?;
        let args: Vec<_> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let (exit, out, err) = run(binary, &args, &[]).await?;
        if exit != 0 {
            bail!("{program} {} ended with {exit}: {err}", args.join(" "));
        }
        let help = help_of(&out);
        self.helps.insert(key, help.clone());
        Ok(help)
    }

    /// What is wrong with a command line, if anything is.
    pub(super) async fn fault(&mut self, program: &'static str, args: &[String]) -> Result<Option<String>> {
        let mut path = Vec::new();
        let mut help = self.help(program, &path).await?;
        let mut flags = help.flags.clone();
        let mut args = args.iter().take_while(|arg| *arg != "--");
        while let Some(arg) = args.next() {
            if arg.starts_with('-') {
                let name = arg.split('=').next().unwrap_or_default();
                match flags.get(name) {
                    None => return Ok(Some(format!("no flag {name}"))),
                    Some(true) if !arg.contains('=') => _ = args.next(),
                    Some(_) => {}
                }
            } else if help.subcommands.contains(arg) {
                path.push(arg.clone());
                help = self.help(program, &path).await?;
                flags.extend(help.flags.clone());
            } else if arg == "…" || arg == "|" {
                break;
            } else if !help.takes_arguments {
                return Ok(Some(format!("no command {arg}")));
            }
        }
        Ok(None)
    }
}

#[tokio::test]
async fn every_command_in_a_document_is_one_that_the_programs_know() -> Result<()> {
    let mut asked = Asked::find()?;
    for name in WITH_COMMANDS {
        let commands = commands_of(&document(name)?);
        assert!(!commands.is_empty(), "{name} has no commands; are they still found?");
        for (program, args) in commands {
            let fault = asked.fault(program, &args).await?;
            assert_eq!(fault, None, "{name}: {program} {}", args.join(" "));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_command_that_is_not_there_would_be_found() -> Result<()> {
    let mut asked = Asked::find()?;
    let text = "Type `baken alarm pres` or:\n```\nA=1 baken-server org init --dir \\\n  x  # a word\ncargo xtask play\n\
                baken --home a alarm press --text \"--colour red\"\n```\n";
    let commands = commands_of(text);
    assert_eq!(commands.len(), 4);
    let mut faults = Vec::new();
    for (program, args) in commands {
        faults.push(asked.fault(program, &args).await?);
    }
    let found: Vec<_> = faults.iter().map(Option::as_deref).collect();
    assert_eq!(found, [Some("no flag --dir"), Some("no command play"), None, Some("no command pres")]);
    Ok(())
}

/// Whether a code span is meant as a path of the repository: it has a slash or a source file's ending, and nothing that
/// no path here has. What a run makes (`.baken`) need not be there, and the label
/// of a format is none.
fn is_path(span: &str) -> bool {
    let plain = span.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
    let ours = plain && !["/", ".baken", "baken/"].iter().any(|not| span.starts_with(not));
    ours && (span.contains('/') || span.ends_with(".rs") || span.ends_with(".md"))
}

fn missing_paths(text: &str) -> Result<Vec<String>> {
    let root = workspace()?;
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).map(str::to_owned);
    let spans = code_of(text).spans.into_iter().filter(|span| is_path(span));
    let there = |path: &String| ROOTS.iter().any(|from| root.join(from).join(path).exists());
    Ok(links.filter(|link| !link.contains("://")).chain(spans).filter(|path| !there(path)).collect())
}

#[test]
fn every_path_in_a_document_exists() -> Result<()> {
    for name in and_decisions(&WITH_PATHS)? {
        assert_eq!(missing_paths(&document(&name)?)?, Vec::<String>::new(), "{name}");
    }
    let wrong = "`server/src/nothing.rs` and [a page](docs/none.md), but `relay/alarms.rs` and `BAKEN-INVITE:…`";
    assert_eq!(missing_paths(wrong)?, ["docs/none.md", "server/src/nothing.rs"]);
    Ok(())
}

/// Every function marked as a test below `folder`.
pub(super) fn tests_below(folder: &Path, depth: usize, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && depth < MAX_DEPTH && name != "target" && !name.starts_with('.') {
            tests_below(&path, depth + 1, found)?;
        } else if name.ends_with(".rs") {
            let mut marked = false;
            for line in std::fs::read_to_string(&path)?.lines().map(str::trim_start) {
                marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let head = line.trim_start_matches("pub ").trim_start_matches("async ");
                if let Some(function) = head.strip_prefix("fn ") {
                    if marked {
                        found.extend(function.split('(').next().map(str::to_owned));
                    }
                    marked = false;
                }
            }
        }
    }
    Ok(())
}

/// Whether a code span is meant as a test's name: lower-case words joined by at least two underscores.
fn is_test_name(span: &str) -> bool {
    span.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && span.matches('_').count() >= 2
}

fn tests_named_in(text: &str) -> Vec<String> {
    code_of(text).spans.into_iter().filter(|span| is_test_name(span)).collect()
}

#[test]
fn every_test_that_a_document_names_exists() -> Result<()> {
    let mut tests = BTreeSet::new();
    tests_below(&workspace()?, 0, &mut tests)?;
    assert!(tests.contains("every_test_that_a_document_names_exists"));
    assert!(!tests.contains("tests_named_in"), "a function that is no test is not taken for one");
    for name in and_decisions(&WITH_TESTS)? {
        let named = tests_named_in(&document(&name)?);
        assert!(
            !named.is_empty() || !WITH_TESTS.contains(&name.as_str()),
            "{name} names no tests; are they still found?"
        );
        let missing: Vec<_> = named.into_iter().filter(|test| !tests.contains(test)).collect();
        assert_eq!(missing, Vec::<String>::new(), "{name}");
    }
    Ok(())
}

#[test]
fn the_map_is_short_and_shows_a_test_for_every_invariant() -> Result<()> {
    let map = document("ARCHITECTURE.md")?;
    assert!(map.lines().count() <= ARCHITECTURE_LINES, "{} lines", map.lines().count());
    for number in 1..=10 {
        let rest = map.split(&format!("- **I{number}** ")).nth(1).with_context(|| format!("I{number} is missing"))?;
        let own = rest.split("\n- **I").next().and_then(|own| own.split("\n\n").next()).unwrap_or_default();
        assert!(!tests_named_in(own).is_empty(), "I{number} names no test");
    }
    Ok(())
}
