//! One page of the manual, in the language of `man`: in English, whoever asks.

use std::io;

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, roman},
};

use super::shown;

/// The section of manuals that commands for users are in.
const SECTION: &str = "1";

/// What each section begins with that is written by itself; once is enough.
const PREAMBLE: [&str; 2] = [".ie \\n(.g .ds Aq \\(aq", ".el .ds Aq '"];

/// What the codes mean that every command ends with.
const CODES: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "Refused, or failed."),
    ("2", "The command line is wrong."),
    ("3", "No agent can be reached."),
    ("70", "A bug of Mainstay."),
];

/// Returns the name of the file of a page.
pub(super) fn file_name(command: &Command) -> String {
    format!("{}.{SECTION}", title(command))
}

/// Returns what a page is called: the words of the command with dashes between them.
fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// Returns the page of a command.
pub(super) fn page(command: &Command) -> Vec<u8> {
    let man = Man::new(command.clone().disable_help_subcommand(true));
    let head = format!(
        ".TH \"{}\" {SECTION} \"\" \"mainstay {}\" \"Mainstay\"",
        title(command).to_uppercase(),
        env!("CARGO_PKG_VERSION")
    );
    let mut page = Vec::new();
    let written = write(&man, command, &mut page);
    debug_assert!(written.is_ok(), "a vector takes all that is written to it");
    let page = String::from_utf8_lossy(&page);
    let lines = page.lines().map(str::trim_end).filter(|line| !PREAMBLE.contains(line));
    let lines = PREAMBLE.into_iter().chain([head.as_str()]).chain(lines);
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

fn write(man: &Man, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if shown(command).next().is_some() {
        man.render_subcommands_section(page)?;
    }
    let mut rest = Roff::default();
    add_remarks(&mut rest, command);
    add_codes(&mut rest);
    add_relations(&mut rest, command);
    rest.to_writer(page)
}

/// Adds what stands below the help: examples as they are typed, all else as text.
fn add_remarks(page: &mut Roff, command: &Command) {
    let text = command.get_after_long_help().or_else(|| command.get_after_help());
    let text = text.map(ToString::to_string).unwrap_or_default();
    let (mut examples, mut notes) = (Vec::new(), Vec::new());
    for block in text.split("\n\n") {
        match block.split_once('\n') {
            Some((head, lines)) if head.starts_with("Example") => examples.push(lines.to_owned()),
            _ if block.trim().is_empty() => {}
            _ => notes.push(block.replace('\n', " ")),
        }
    }
    add_section(page, "NOTES", &notes, |page, note| {
        page.text([roman(note)]);
    });
    add_section(page, "EXAMPLES", &examples, |page, lines| {
        page.control("nf", []);
        for line in lines.lines() {
            page.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        page.control("fi", []);
    });
}

fn add_section(page: &mut Roff, title: &str, blocks: &[String], add: impl Fn(&mut Roff, &str)) {
    for (place, block) in blocks.iter().enumerate() {
        if place == 0 {
            page.control("SH", [title]);
        } else {
            page.control("PP", []);
        }
        add(page, block);
    }
}

fn add_codes(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in CODES {
        page.control("TP", []);
        page.text([roman(code)]);
        page.text([roman(meaning)]);
    }
}

/// Adds whom a page belongs to; those below it are told above.
fn add_relations(page: &mut Roff, command: &Command) {
    let words: Vec<&str> = command.get_bin_name().unwrap_or_default().split(' ').collect();
    let above = words.iter().enumerate().skip(1).map(|(count, _)| {
        let title = words.get(..count).unwrap_or_default().join("-");
        format!("{title}({SECTION})")
    });
    let above: Vec<String> = above.collect();
    if !above.is_empty() {
        page.control("SH", ["SEE ALSO"]);
        page.text([Inline::Roman(above.join(", "))]);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn of(words: &[&str]) -> String {
        let mut whole = Cli::command();
        whole.build();
        let below = |above: Command, word: &&str| above.find_subcommand(word).unwrap().clone();
        String::from_utf8(page(&words.iter().fold(whole, below))).unwrap()
    }

    #[test]
    fn a_page_says_all_that_help_says() {
        let page = of(&["ddns", "status"]);
        for words in [
            ".TH \"MAINSTAY-DDNS-STATUS\" 1 \"\" \"mainstay ",
            "mainstay\\-ddns\\-status \\- Show which names are published",
            "\\fB\\-\\-metrics\\fR",
            "NOTES\nThe code is 0 when every name is published, else 1.",
            "EXAMPLES\n.nf\nmainstay ddns status\n",
            ".SH \"EXIT STATUS\"",
            ".SH \"SEE ALSO\"\nmainstay(1), mainstay\\-ddns(1)",
        ] {
            assert!(page.contains(words), "{words} is missing: {page}");
        }
        assert!(of(&[]).contains("mainstay\\-logs(1)"));
    }
}
