//! Printing: text and tables for people, one JSON object a line for programs. A reader that went away (a closed pipe)
//! is no fault.

use std::io::{IsTerminal as _, Write as _};

use baken_schemas::Language;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::text;

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    /// The reader's language.
    pub language: Language,
    colours: bool,
}

/// A colour, on a terminal only.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    /// All is well.
    Green,
    /// Look at this.
    Yellow,
    /// Act now.
    Red,
}

impl Output {
    /// Output to standard output.
    pub fn new(json: bool, language: Language) -> Self {
        let colours = !json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, language, colours }
    }

    /// Whether a program reads along.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for programs.
    pub fn json(&self, value: &Value) {
        if self.json {
            self.write(&value.to_string());
        }
    }

    /// A line for people.
    pub fn line(&self, line: impl AsRef<str>) {
        if !self.json {
            self.write(line.as_ref());
        }
    }

    /// Text in a colour, on a terminal.
    pub fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Red => 31,
        };
        format!("\x1b[1;{code}m{text}\x1b[0m")
    }

    /// A QR code for people: dark on light whatever the terminal's colours are, since scanners stumble over the inverse.
    pub fn qr(&self, drawn: &str) {
        for line in drawn.lines() {
            self.line(if self.colours { format!("\x1b[30;107m{line}\x1b[0m") } else { line.to_owned() });
        }
    }

    /// A table for people: columns as wide as their widest cell.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        if self.json {
            return;
        }
        if rows.is_empty() {
            self.write(text::NOTHING.of(self.language));
            return;
        }
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
        };
        let print = |cells: &mut dyn Iterator<Item = &str>| {
            let line: Vec<String> =
                cells.enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column))).collect();
            self.write(line.join("  ").trim_end());
        };
        print(&mut head.iter().copied());
        for row in rows {
            print(&mut row.iter().map(String::as_str));
        }
    }

    /// What went wrong: an object for programs on standard output, a sentence for people on standard error.
    pub fn failure(&self, failure: &Failure) {
        let (message, help) = (failure.message(self.language), failure.help(self.language));
        if self.json {
            self.json(&json!({"error": {"code": failure.code(), "message": message, "help": help}}));
            return;
        }
        let _ = writeln!(std::io::stderr(), "baken: {message}\n       {help}");
    }

    fn write(&self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    }
}
