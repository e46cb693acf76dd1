//! The only place that prints: data to stdout, talk to stderr.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use mainstay_api::config::is_reordering;
use mainstay_platform::pager::Pager;
use serde::Serialize;

use crate::{errors::CliError, export::Export, words};

/// Where data goes instead of stdout.
enum Elsewhere {
    Pager(Pager),
    File(Export),
}

static ELSEWHERE: Mutex<Option<Elsewhere>> = Mutex::new(None);

fn elsewhere() -> MutexGuard<'static, Option<Elsewhere>> {
    ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints data to a pager from now on.
pub(crate) fn divert(pager: Pager) {
    elsewhere().replace(Elsewhere::Pager(pager));
}

/// Prints data into a file from now on, which is there once that has been said.
pub(crate) fn divert_to_file(file: Export) {
    elsewhere().replace(Elsewhere::File(file));
}

/// Says that the file is whole, where there is one.
pub(crate) fn finish_file() -> Result<(), CliError> {
    let file = elsewhere().take_if(|elsewhere| matches!(elsewhere, Elsewhere::File(_)));
    if let Some(Elsewhere::File(file)) = file { file.finish() } else { Ok(()) }
}

/// Lets a person read to the end, where there is a pager. A file that is not whole is none.
pub(crate) fn finish() {
    let gone = elsewhere().take();
    if let Some(Elsewhere::Pager(pager)) = gone {
        pager.finish();
    }
}

/// Prints data; a reader that has seen enough is no error.
pub(crate) fn data(text: &str) {
    bytes(text.as_bytes());
}

/// Prints data for people, in their language. What programs or users have written is data alone.
pub(crate) fn told(text: &str) {
    data(&words::told(text));
}

/// Prints data as it is.
pub(crate) fn bytes(bytes: &[u8]) {
    if let Err(error) = write(bytes) {
        give_up(&error);
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    match &mut *elsewhere() {
        Some(Elsewhere::Pager(pager)) => return pager.write_all(bytes),
        Some(Elsewhere::File(file)) => return file.write_all(bytes),
        None => {}
    }
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// stdout, as a place to copy to.
#[derive(Debug)]
pub(crate) struct Data;

impl io::Write for Data {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        bytes(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        data(&(text + "\n"));
    }
}

/// Asks the person something: the answer is typed behind it.
pub(crate) fn ask(prompt: &str) {
    let mut err = io::stderr().lock();
    // Without a stderr there is nobody to ask.
    drop(write!(err, "{}", words::told(prompt)).and_then(|()| err.flush()));
}

/// Tells the person something, in their language.
pub(crate) fn talk(text: &str) {
    raw_talk(&words::told(text));
}

/// Tells the person something as it stands here.
pub(crate) fn raw_talk(text: &str) {
    // Without a stderr there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Returns whether somebody sees at once what is said.
pub(crate) fn is_talk_live() -> bool {
    io::stderr().is_terminal()
}

/// Puts a line in the place of the last one on the terminal, which took so many columns; returns
/// how many it takes. Nothing is left of it when it is empty.
pub(crate) fn live(line: &str, former: usize) -> usize {
    let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0);
    let line = words::told(line);
    let line = mainstay_words::within(&line, usize::from(width).saturating_sub(1));
    let columns = mainstay_words::width(line);
    let blank = " ".repeat(former.saturating_sub(columns));
    let end = if line.is_empty() { "\r" } else { "" };
    let mut out = io::stderr().lock();
    // Without a stderr there is nobody to tell.
    drop(write!(out, "\r{line}{blank}{end}").and_then(|()| out.flush()));
    columns
}

/// Returns whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns whether colours are wanted on stdout; `CLICOLOR_FORCE` wants them in a pipe as well.
pub(crate) fn is_coloured() -> bool {
    let value = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_forced = value("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    (is_terminal() || is_forced) && are_colours_allowed()
}

/// Wraps a text in a colour of a terminal, or in another such code.
pub(crate) fn wrapped(text: &str, code: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Returns whether nobody has forbidden colours.
pub(crate) fn are_colours_allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns how wide the terminal is, where stdout is one.
pub(crate) fn columns() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(width.0.into())
}

/// Wraps a text in a colour, where colours are wanted.
pub(crate) fn coloured(text: &str, state: &str) -> String {
    let code = match state {
        "failed" => "31",
        "backoff" | "stopping" | "waiting" | "paused" => "33",
        "running" | "completed" => "32",
        _ => return text.to_owned(),
    };
    if is_coloured() { wrapped(text, code) } else { text.to_owned() }
}

/// Returns a state as it stands in a sentence behind `is`, coloured where colours are wanted.
pub(crate) fn phrase(state: &str) -> String {
    coloured(wording(state), state)
}

/// Returns a state as it stands in a sentence behind `is`.
pub(crate) fn wording(state: &str) -> &str {
    if state == "backoff" { "between two attempts" } else { state }
}

/// Ends: a reader that has seen enough is no error, as in `mainstay logs | head`; all else is.
#[expect(clippy::exit, reason = "nothing that is left to do could be told")]
fn give_up(error: &io::Error) {
    finish();
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    talk(&CliError::refused(format!("cannot write the output: {error}"), "").to_string());
    std::process::exit(1);
}

/// Returns a text without what could steer a terminal; what would put letters in another order is
/// shown by its number.
pub(crate) fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => skip_sequence(&mut letters),
            '\t' | '\n' => clean.push(letter),
            letter if letter.is_control() => {}
            // Shown as `less` does: what is left out would still have been meant to deceive.
            letter if is_reordering(letter) => {
                // A string never refuses.
                let _ = write!(clean, "<U+{:04X}>", u32::from(letter));
            }
            letter => clean.push(letter),
        }
    }
    clean
}

/// Skips what follows an escape: `[` up to its final letter, `]` up to its end, else one letter.
fn skip_sequence(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => while letters.next().is_some_and(|letter| !('@'..='~').contains(&letter)) {},
        Some(']') => {
            while letters.next().is_some_and(|letter| !matches!(letter, '\u{7}' | '\u{1b}')) {}
        }
        Some(_) | None => {}
    }
}

/// How far the names of facts reach.
const FACT_COLUMNS: usize = 10;

/// Returns a line with a fact: its name, as [`words::label`] tells it, and its value.
pub(crate) fn fact(name: &str, value: &str) -> String {
    format!("{} {value}\n", mainstay_words::padded(name, FACT_COLUMNS))
}

/// Returns a number of things as people say it.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ if thing.ends_with('s') => format!("{number} {thing}es"),
        _ => format!("{number} {thing}s"),
    }
}

/// Returns a time span as people say it.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!([0, 1, 2].map(|number| count(number, "unit")), ["0 units", "1 unit", "2 units"]);
        assert_eq!([1, 3].map(|number| count(number, "process")), ["1 process", "3 processes"]);
    }

    #[test]
    fn a_state_reads_well_in_a_sentence() {
        assert_eq!(["backoff", "failed"].map(wording), ["between two attempts", "failed"]);
    }

    #[test]
    fn a_terminal_never_gets_a_programs_escape_codes() {
        let check = |text: &str, expected: &str| assert_eq!(harmless(text), expected);
        check("plain\ttext", "plain\ttext");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("\u{1b}]0;title\u{7}text", "text");
        check("\u{1b}ctext", "text");
        check("bell\u{7}\r", "bell");
        check("\u{202e}txt.exe\u{202c}\u{61c}", "<U+202E>txt.exe<U+202C><U+061C>");
        check("\u{200b}\u{5e9}\u{4e2d}", "\u{200b}\u{5e9}\u{4e2d}");
    }
}
