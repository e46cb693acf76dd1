//! What is wrong with a configuration, where, and what to do about it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The configuration is not used.
    Error,
    /// The configuration is used.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Names the kind of mistake for scripts.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters it is about.
    pub length: usize,
    /// The line's text.
    pub excerpt: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

impl Diagnostic {
    /// Returns an error about a whole file.
    pub fn of_file(file: &str, code: &str, message: String, help: &str) -> Self {
        Self {
            code: code.to_owned(),
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            excerpt: String::new(),
            message,
            help: help.to_owned(),
        }
    }

    /// Returns an error about a place in a text.
    pub fn at(
        file: &str,
        text: &str,
        span: std::ops::Range<usize>,
        code: &str,
        message: String,
    ) -> Self {
        let place = Place::of(text, &span);
        Self {
            line: place.line,
            column: place.column,
            length: place.length,
            excerpt: place.excerpt,
            ..Self::of_file(file, code, message, "")
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

struct Place {
    line: usize,
    column: usize,
    length: usize,
    excerpt: String,
}

impl Place {
    fn of(text: &str, span: &std::ops::Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let (before, behind) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = behind.find('\n').map_or(text.len(), |at| start + at);
        let excerpt = text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let column = text.get(line_start..start).unwrap_or_default().chars().count();
        let end = span.end.clamp(start, line_end);
        let length = text.get(start..end).unwrap_or_default().chars().count().max(1);
        let line = before.matches('\n').count() + 1;
        Self { line, column: column + 1, length, excerpt: excerpt.to_owned() }
    }
}

/// Renders diagnostics for people, the way compilers do.
pub fn render(diagnostics: &[Diagnostic]) -> String {
    written(diagnostics, Excerpts::Shown)
}

/// Renders diagnostics for everybody who may see how an instance fares: without what stands in the
/// files, which may be a secret.
pub fn render_places(diagnostics: &[Diagnostic]) -> String {
    written(diagnostics, Excerpts::Left)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excerpts {
    Shown,
    Left,
}

fn written(diagnostics: &[Diagnostic], excerpts: Excerpts) -> String {
    let mut out = String::new();
    for one in diagnostics {
        let word = match one.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{word}: {}", one.message);
        out.push_str(&one.place(excerpts));
        if !one.help.is_empty() {
            let _ = writeln!(out, "  = help: {}", one.help);
        }
        out.push('\n');
    }
    // A file of somebody else's is looked at as well, and nothing in it steers a terminal.
    let steers = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    out.replace(|letter| steers(letter) || is_reordering(letter), "\u{fffd}")
}

/// Returns whether a letter has no look of its own and changes the order in which others are shown:
/// a text with it can be read as another one than it is.
pub const fn is_reordering(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

impl Diagnostic {
    /// Returns where it is, and what stands there.
    fn place(&self, excerpts: Excerpts) -> String {
        let Self { file, line, column, excerpt, .. } = self;
        if *line == 0 {
            return format!("  --> {file}\n");
        }
        let gap = " ".repeat(line.to_string().len());
        let head = format!("{gap}--> {file}:{line}:{column}\n");
        if excerpts == Excerpts::Left {
            return head;
        }
        let blank = |letter| if letter == '\t' { '\t' } else { ' ' };
        let indent: String = excerpt.chars().take(column - 1).map(blank).collect();
        let bar = "^".repeat(self.length);
        format!("{head}{gap} |\n{line} | {excerpt}\n{gap} | {indent}{bar}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_file_steers_no_terminal_and_is_not_for_everybody() {
        let text = "[services.a]\nenvironment = { PIN = \"1234\u{1b}[2J\", X = 0 } # \u{202e}\n";
        let at = text.find("X = ").unwrap();
        let one = Diagnostic::at("f.toml", text, at..at + 1, "x", "no \u{9b}\u{7}X".to_owned());
        let told = render(&[one.clone().help("leave it out")]);
        assert_eq!(
            told,
            "error: no \u{fffd}\u{fffd}X\n --> f.toml:2:35\n  |\n\
             2 | environment = { PIN = \"1234\u{fffd}[2J\", X = 0 } # \u{fffd}\n\
             \x20 |                                   ^\n  = help: leave it out\n\n"
        );
        let told = render_places(&[one.help("leave it out")]);
        assert_eq!(
            told,
            "error: no \u{fffd}\u{fffd}X\n --> f.toml:2:35\n  = help: leave it out\n\n"
        );
    }
}
