//! Holds the commands that a person is advised to type to the commands, options, kinds, fields and words that there are:
//! nobody is sent to something that is refused.

use baken_schemas::record::kind_named;
use clap::{Command, CommandFactory as _};

use crate::args::Arguments;

/// What stands for something that the person fills in.
const FILLED_IN: &str = "…";

/// Fails where one of these commands, with `; ` between, is none. What is set in an item is held to the kind that the
/// command before it lists.
pub fn check(commands: &str) {
    let mut program = Arguments::command();
    program.build();
    let mut kind = None;
    for line in commands.split("; ") {
        let mut words = line.split(' ').peekable();
        assert_eq!(words.next(), Some("baken"), "{line}");
        if words.next_if_eq(&"--home").is_some() {
            words.next();
        }
        let mut found = &program;
        let mut path = Vec::new();
        while found.has_subcommands() {
            let Some(word) = words.next_if(|word| !word.starts_with("--")) else { break };
            found = found.find_subcommand(word).unwrap_or_else(|| panic!("{line}: no {word}"));
            path.push(word);
        }
        assert!(!path.is_empty(), "{line}: no command");
        if let ["record", "add" | "list"] = path[..] {
            let name = words.next().unwrap_or_else(|| panic!("{line}: of what kind?"));
            kind = Some(kind_named(name).unwrap_or_else(|| panic!("{line}: no kind {name}")));
        }
        for word in words {
            if let Some(option) = word.strip_prefix("--") {
                assert!(has_option(found, option), "{line}: no --{option}");
            } else if let ("record", Some((field, value))) = (path[0], word.split_once('=')) {
                let kind = kind.unwrap_or_else(|| panic!("{line}: of what kind?"));
                let field = kind.field_named(field).unwrap_or_else(|| panic!("{line}: {} has no {field}", kind.name));
                let fits = field.words.is_empty() || field.words.contains(&value) || value == FILLED_IN;
                assert!(fits, "{line}: {value} is refused");
            }
        }
    }
}

fn has_option(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(option))
}
