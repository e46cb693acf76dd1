//! Which language explanations are in.

use std::env;

use mainstay_platform::language;

/// A language that explanations are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// Where a language is looked for; the first that says something counts.
const VARIABLES: [&str; 4] = ["MAINSTAY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

/// Returns the language of the person at the terminal: `MAINSTAY_LANG`, else the locale, else the
/// desktop's.
pub(crate) fn language() -> Language {
    let said = VARIABLES.iter().filter_map(|name| env::var(name).ok());
    of(said.chain([language::of_desktop()]))
}

fn of(mut said: impl Iterator<Item = String>) -> Language {
    let first = said.find(|tag| !tag.is_empty()).unwrap_or_default().to_lowercase();
    if first.starts_with("zh") { Language::Chinese } else { Language::English }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_says_something_counts() {
        let check = |said: &[&str], expected: Language| {
            assert_eq!(of(said.iter().map(|&tag| tag.to_owned())), expected, "{said:?}");
        };
        check(&["zh_CN.UTF-8"], Language::Chinese);
        check(&["", "zh-Hant-TW"], Language::Chinese);
        check(&["en", "zh_CN"], Language::English);
        check(&["C.UTF-8", "zh"], Language::English);
        check(&[], Language::English);
    }
}
