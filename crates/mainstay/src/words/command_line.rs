//! What clap says, in the person's language: help, and what is wrong with a command line.
//!
//! Clap's own text is taken without line breaks, translated like everything else, and wrapped by
//! us: clap breaks lines at blanks, of which Chinese has none.

use std::io::{self, IsTerminal as _};

use clap::{Command, Error, error::ErrorKind};

use super::{Language, chinese, language, wrap::wrapped};
use crate::print;

/// The widest that help is.
const COLUMNS_MAX: usize = 100;

/// What clap adds behind a text of ours, which is no part of its sentence.
const ADDED: [&str; 2] = [" [default", " [possible"];

/// Returns the command as its help is to be written: for Chinese, without line breaks.
pub(crate) fn unwrapped(command: Command) -> Command {
    match language() {
        Language::English => command,
        Language::Chinese => command.term_width(usize::MAX).max_term_width(usize::MAX),
    }
}

/// Prints what clap has to say: help goes to stdout, mistakes to stderr.
pub(crate) fn complain(error: &Error) {
    if language() == Language::English {
        // Without a place to write to there is nobody to tell.
        return drop(error.print());
    }
    let is_coloured = if error.use_stderr() {
        io::stderr().is_terminal() && print::are_colours_allowed()
    } else {
        print::is_coloured()
    };
    let text = error.render();
    let is_help = !error.use_stderr();
    // Mistakes are told without colours, since those stand in the middle of sentences.
    let text = if is_coloured && is_help { text.ansi().to_string() } else { text.to_string() };
    let columns = print::columns().map_or(COLUMNS_MAX, |columns| columns.min(COLUMNS_MAX));
    let told = wrapped(&in_chinese(&text, error.kind()), columns);
    if error.use_stderr() { print::raw_talk(told.trim_end()) } else { print::data(&told) }
}

fn in_chinese(text: &str, kind: ErrorKind) -> String {
    if kind == ErrorKind::DisplayVersion {
        return text.to_owned();
    }
    let lines: Vec<String> = text.split('\n').map(line_in_chinese).collect();
    lines.join("\n")
}

/// The line that begins with `Usage:` goes on with words that mean the same in every language.
fn line_in_chinese(line: &str) -> String {
    let Some((before, behind)) = line.split_once("Usage:") else {
        let added = ADDED.iter().filter_map(|added| line.find(added)).min();
        let (text, added) = line.split_at(added.unwrap_or(line.len()));
        let text = chinese().told(text);
        return if added.is_empty() {
            text
        } else {
            text + " " + &chinese().told(added.trim_start())
        };
    };
    let usage = chinese().exact("Usage").unwrap_or("Usage");
    format!("{before}{usage}{}{}", chinese().sign(": "), behind.trim_start())
}
