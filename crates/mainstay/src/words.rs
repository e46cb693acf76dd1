//! What people read, in their language: `--lang`, `MAINSTAY_LANG`, the locale, or the desktop's.
//!
//! The English text stands in the code; the Chinese one in `words/zh-CN/*.po`. Everything that is
//! printed for people passes through [`told`]; scripts read JSON, which is never translated.

mod command_line;
#[cfg(test)]
mod elsewhere;
mod wrap;

use std::{borrow::Cow, env, sync::OnceLock};

use clap::ValueEnum;
use mainstay_platform::language;
use mainstay_words::Catalog;

pub(crate) use self::command_line::{complain, unwrapped};

/// A language that people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    #[value(name = "en")]
    English,
    #[value(name = "zh-CN", alias = "zh")]
    Chinese,
}

/// Where a language is looked for; the first that says something counts.
const VARIABLES: [&str; 4] = ["MAINSTAY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

const TABLES: &[&str] = &[
    include_str!("../words/zh-CN/core.po"),
    include_str!("../words/zh-CN/api.po"),
    include_str!("../words/zh-CN/platform.po"),
    include_str!("../words/zh-CN/storage.po"),
    include_str!("../words/zh-CN/tls.po"),
    include_str!("../words/zh-CN/keeper.po"),
    include_str!("../words/zh-CN/agent.po"),
    include_str!("../words/zh-CN/service.po"),
    include_str!("../words/zh-CN/ddns.po"),
    include_str!("../words/zh-CN/cli.po"),
];

static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Returns the language of the person at the terminal.
pub(crate) fn language() -> Language {
    *LANGUAGE.get_or_init(|| {
        let option = asked_for(env::args_os().skip(1).map(|word| word.to_string_lossy().into()));
        let said = VARIABLES.iter().filter_map(|name| env::var(name).ok());
        of_tags(option.into_iter().chain(said).chain([language::of_desktop()]))
    })
}

/// Returns what `--lang` says, before clap reads it: what clap says needs it already.
fn asked_for(words: impl Iterator<Item = String>) -> Option<String> {
    let mut words = words.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        if word == "--lang" {
            return words.next();
        }
        if let Some(tag) = word.strip_prefix("--lang=") {
            return Some(tag.to_owned());
        }
    }
    None
}

fn of_tags(mut said: impl Iterator<Item = String>) -> Language {
    let first = said.find(|tag| !tag.is_empty()).unwrap_or_default().to_lowercase();
    if first.starts_with("zh") { Language::Chinese } else { Language::English }
}

/// The table, read when it is first needed.
fn chinese() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    // A table that makes no sense does not pass the tests.
    CATALOG.get_or_init(|| Catalog::of(TABLES).unwrap_or_default())
}

/// Returns a text of any number of lines in the language of the person.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    match language() {
        Language::English => Cow::Borrowed(text),
        Language::Chinese => Cow::Owned(chinese().told(text)),
    }
}

/// Returns a word or a heading in the language of the person. Every literal in the brackets has to
/// be in the table.
pub(crate) fn of(text: &str) -> Cow<'_, str> {
    match language() {
        Language::English => Cow::Borrowed(text),
        Language::Chinese => Cow::Owned(chinese().fragment(text)),
    }
}

/// Says that every literal in it is for people.
pub(crate) const fn known<const N: usize>(texts: [&str; N]) -> [&str; N] {
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_says_something_counts() {
        let check = |said: &[&str], expected: Language| {
            assert_eq!(of_tags(said.iter().map(|&tag| tag.to_owned())), expected, "{said:?}");
        };
        check(&["zh_CN.UTF-8"], Language::Chinese);
        check(&["", "zh-Hant-TW"], Language::Chinese);
        check(&["en", "zh_CN"], Language::English);
        check(&["C.UTF-8", "zh"], Language::English);
        check(&[], Language::English);
    }

    #[test]
    fn the_option_is_known_before_anything_is_said() {
        let check = |line: &str, expected: Option<&str>| {
            let words = line.split(' ').map(str::to_owned);
            assert_eq!(asked_for(words).as_deref(), expected, "{line}");
        };
        check("status --lang zh-CN", Some("zh-CN"));
        check("--lang=en status", Some("en"));
        check("add web -- program --lang zh", None);
        check("status --lang", None);
    }

    #[test]
    fn what_comes_from_elsewhere_is_in_a_table() {
        let ids: Vec<String> = TABLES
            .iter()
            .flat_map(|table| mainstay_words::po::parse(table).unwrap())
            .map(|entry| entry.id)
            .collect();
        for text in elsewhere::PIECES
            .iter()
            .chain(&elsewhere::SYSTEM)
            .chain(&elsewhere::STATES)
            .chain(&elsewhere::CLAP)
            .chain(&elsewhere::SENTENCES)
        {
            assert!(ids.iter().any(|id| id == text), "{text}");
        }
    }

    #[test]
    fn the_tables_are_read_and_no_text_is_taken_for_another() {
        let catalog = Catalog::of(TABLES).unwrap();
        assert_eq!(catalog.mistaken("x1"), Vec::<String>::new());
    }
}
