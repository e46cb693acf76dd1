//! Sources speak English: what people read in Chinese stands in the tables (ADR 11).

use std::path::Path;

/// Files and folders that have both languages side by side, each with its reason.
const EXEMPT: &[(&str, &str)] = &[
    ("crates/api/src/config/catalogue.rs", "the reference of the configuration, its headings"),
    ("crates/api/src/config/catalogue", "the reference of the configuration, written page by page"),
    ("crates/ddns/src/providers", "the catalogue of providers tells both languages in JSON"),
    ("crates/ddns/src/provider.rs", "the catalogue of providers tells both languages in JSON"),
    ("crates/ddns/src/config/sources/kinds.rs", "the catalogue of sources tells both, too"),
];

/// Reports every line of a source outside of comments and tests that has a Chinese letter.
pub(super) fn check(path: &Path, source: &str) -> Vec<String> {
    let is_test = path.iter().any(|part| part == "tests" || part == "tests.rs");
    let is_exempt = EXEMPT.iter().any(|(start, _reason)| path.starts_with(start));
    if is_test || is_exempt {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    let mut is_test = false;
    for (number, line) in (1..).zip(source.lines()) {
        is_test |= line.trim() == "mod tests {";
        let is_comment = line.trim_start().starts_with("//");
        if !is_test && !is_comment && line.contains(is_chinese) {
            breaches.push(format!(
                "{}: line {number}: Chinese in a source; instead: write English, and fill its `msgstr` in words/zh-CN",
                path.display()
            ));
        }
    }
    breaches
}

const fn is_chinese(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_stands_in_tables_tests_and_comments_alone() {
        let check = |path: &str, source: &str, expected: usize| {
            assert_eq!(check(Path::new(path), source).len(), expected, "{path}: {source}");
        };
        let unit = "crates/core/src/unit.rs";
        check(unit, "//! 单元\nfn f() { say(\"unit\") }", 0);
        check(unit, "//! U.\nfn f() { say(\"单元\") }", 1);
        check(unit, "fn f() {}\n#[cfg(test)]\nmod tests {\n    const A: &str = \"单元\";\n}", 0);
        check("crates/core/src/unit/tests.rs", "const A: &str = \"单元\";", 0);
        check("crates/ddns/src/providers/alidns.rs", "const A: &str = \"阿里云\";", 0);
    }
}
