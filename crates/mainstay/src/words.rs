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

/// Where a locale is looked for; the first that says something counts.
const LOCALES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

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
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into());
        let option = said_of("lang", words);
        chosen(&Said {
            asked: option.or_else(|| variable("MAINSTAY_LANG")),
            locale: LOCALES.into_iter().find_map(variable),
            desktop: language::of_desktop(),
            terminal: variable("TERM"),
        })
    })
}

/// What is said of the person's language, by whom.
#[derive(Debug, Default)]
struct Said {
    /// `--lang`, or the variable that is for us alone.
    asked: Option<String>,
    locale: Option<String>,
    desktop: String,
    /// The kind of the terminal.
    terminal: Option<String>,
}

/// Who asks for Chinese gets it. A locale asks for it only where it can be shown: in UTF-8, and not
/// on the console of Linux, which has no such letters.
fn chosen(said: &Said) -> Language {
    if let Some(tag) = &said.asked {
        return of_tag(tag);
    }
    let Some(locale) = &said.locale else { return of_tag(&said.desktop) };
    let (tag, encoding) = locale.split_once('.').unwrap_or((locale, "UTF-8"));
    let encoding = encoding.split('@').next().unwrap_or_default().to_lowercase();
    let is_shown =
        ["utf-8", "utf8"].contains(&encoding.as_str()) && said.terminal.as_deref() != Some("linux");
    if is_shown { of_tag(tag) } else { Language::English }
}

/// All that is Chinese is told in the one Chinese that there is: `zh-TW` and `zh-Hant`, too.
fn of_tag(tag: &str) -> Language {
    let language = tag.split(['-', '_', '@']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case("zh") { Language::Chinese } else { Language::English }
}

/// Returns the value of an option before clap reads it: what clap says needs `--lang` already, and a
/// command line that is being completed is not whole.
pub(crate) fn said_of(option: &str, words: impl Iterator<Item = String>) -> Option<String> {
    let mut words = words.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        match word.strip_prefix("--").and_then(|word| word.strip_prefix(option)) {
            Some("") => return words.next(),
            Some(rest) if rest.starts_with('=') => {
                return rest.strip_prefix('=').map(str::to_owned);
            }
            Some(_) | None => {}
        }
    }
    None
}

/// The table, read when it is first needed.
fn chinese() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    // A table that makes no sense does not pass the tests.
    CATALOG.get_or_init(|| Catalog::of(TABLES).unwrap_or_default())
}

/// Returns a text of any number of lines in the language of the person.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    told_in(text, language())
}

/// Returns a text in a language.
pub(crate) fn told_in(text: &str, language: Language) -> Cow<'_, str> {
    match language {
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

/// Returns a word that stands alone, as a heading or before a value, in the language of the person.
/// Every literal in the brackets has to be in the table, under `label`.
pub(crate) fn label(text: &str) -> &str {
    match language() {
        Language::English => text,
        Language::Chinese => chinese().label(text),
    }
}

/// Returns what stands between the items of a list, in the language of the person.
pub(crate) fn between_items() -> &'static str {
    match language() {
        Language::English => ", ",
        Language::Chinese => chinese().sign("list, "),
    }
}

/// Returns what stands between a sentence and its reason, in the language of the person.
pub(crate) fn before_reason() -> &'static str {
    match language() {
        Language::English => ": ",
        Language::Chinese => chinese().sign(": "),
    }
}

/// Returns a note in brackets, as it stands behind a word in the language of the person.
pub(crate) fn in_brackets(note: &str) -> String {
    let (open, close) = match language() {
        Language::English => (" (", ")"),
        Language::Chinese => (chinese().sign(" ("), chinese().sign(")")),
    };
    [open, note, close].concat()
}

/// Says that every literal in it is a label.
#[cfg(test)]
const fn labels<const N: usize>(labels: [&str; N]) -> [&str; N] {
    labels
}

/// Says that every literal in it is such a sign.
#[cfg(test)]
const fn signs<const N: usize>(signs: [&str; N]) -> [&str; N] {
    signs
}

/// Says that every literal in it is for people.
pub(crate) const fn known<const N: usize>(texts: [&str; N]) -> [&str; N] {
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_asks_for_chinese_where_that_can_be_shown() {
        let check = |locale: &str, expected: Language| {
            let said = Said { locale: Some(locale.into()), ..Said::default() };
            assert_eq!(chosen(&said), expected, "{locale}");
        };
        for locale in ["zh_CN.UTF-8", "zh_CN.utf8", "zh_SG.UTF-8@pinyin", "zh_CN", "zh", "zh-Hans"]
        {
            check(locale, Language::Chinese);
        }
        for locale in ["zh_TW.UTF-8", "zh_HK.UTF-8", "zh-Hant-TW"] {
            check(locale, Language::Chinese);
        }
        for locale in
            ["zh_CN.GBK", "zh_CN.GB18030", "zh_TW.Big5", "C", "C.UTF-8", "POSIX", "en_US.UTF-8"]
        {
            check(locale, Language::English);
        }
        check("zhuang", Language::English);
    }

    #[test]
    fn who_asks_counts_before_the_locale_and_that_before_the_desktop() {
        let text = |text: &str| Some(text.to_owned());
        let check =
            |said: Said, expected: Language| assert_eq!(chosen(&said), expected, "{said:?}");
        let chinese = || Said { locale: text("zh_CN.UTF-8"), ..Said::default() };
        check(Said { asked: text("en"), ..chinese() }, Language::English);
        check(Said { terminal: text("linux"), ..chinese() }, Language::English);
        check(Said { terminal: text("xterm-256color"), ..chinese() }, Language::Chinese);
        check(
            Said { locale: text("zh_CN.GBK"), asked: text("zh-CN"), ..chinese() },
            Language::Chinese,
        );
        check(Said { desktop: "zh-CN".into(), ..Said::default() }, Language::Chinese);
        check(
            Said { desktop: "zh-CN".into(), locale: text("C"), ..Said::default() },
            Language::English,
        );
        check(Said::default(), Language::English);
    }

    /// Returns the word of each row of a table of the page of words, and its Chinese one.
    fn words_of(page: &str) -> Vec<(String, String)> {
        let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
        let cells = rows.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let pair = |cells: Vec<&str>| match cells.as_slice() {
            ["", word, chinese, _, _, ""] => Some((word.replace('`', ""), (*chinese).to_owned())),
            _ => None,
        };
        cells.filter_map(pair).collect()
    }

    #[test]
    fn states_are_called_as_the_page_of_words_calls_them() {
        let page = words_of(include_str!("../../../docs/reference/glossary.md"));
        let catalog = Catalog::of(TABLES).unwrap();
        for state in elsewhere::STATES {
            let on_page =
                page.iter().find(|(word, _)| word == state).map(|(_, told)| told.as_str());
            assert_eq!(catalog.exact(state), on_page, "{state}");
        }
        for (label, word) in
            [("unit", "unit"), ("keeper", "keeper"), ("agent", "agent"), ("hook", "hook")]
        {
            let on_page = page.iter().find(|(it, _)| it == word).map(|(_, told)| told.as_str());
            assert_eq!(Some(catalog.label(label)), on_page, "{label}");
        }
        for (note, word) in
            [("not ready", "not ready"), ("degraded: its last runs were all short", "degraded")]
        {
            let on_page = page.iter().find(|(it, _)| it == word).map(|(_, told)| told.as_str());
            let told = catalog.exact(note).unwrap();
            assert_eq!(told.split('：').next(), on_page, "{note}");
        }
    }

    #[test]
    fn the_option_is_known_before_anything_is_said() {
        let check = |line: &str, expected: Option<&str>| {
            let words = line.split(' ').map(str::to_owned);
            assert_eq!(said_of("lang", words).as_deref(), expected, "{line}");
        };
        check("status --lang zh-CN", Some("zh-CN"));
        check("--lang=en status", Some("en"));
        check("status --language zh", None);
        check("status --lang", None);
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
            .chain(&elsewhere::MANAGER)
            .chain(&elsewhere::CLAP)
            .chain(&elsewhere::SENTENCES)
        {
            assert!(ids.iter().any(|id| id == text), "{text}");
        }
        let has = |context: &str, word: &str| ids.contains(&format!("{context}{word}"));
        assert!(elsewhere::VERDICTS.iter().all(|word| has(mainstay_words::LABEL, word)));
        assert!(elsewhere::SPANS.iter().all(|word| has(mainstay_words::LABEL, word)));
        assert!(elsewhere::LIMITS.iter().all(|word| has(mainstay_words::LABEL, word)));
        assert!(elsewhere::SIGNS.iter().all(|sign| has(mainstay_words::SIGN, sign)));
    }

    #[test]
    fn the_tables_are_read_and_no_text_is_taken_for_another() {
        let catalog = Catalog::of(TABLES).unwrap();
        assert_eq!(catalog.mistaken("x1"), Vec::<String>::new());
    }
}
