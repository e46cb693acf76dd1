//! Finds the texts for people in a source file: what errors say, what clap shows as help, and
//! every literal that reads like language.

use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use mainstay_words::{LABEL, Pattern, SIGN, bare, fragments};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What makes a type one whose comments are help.
const CLAP: &[&str] = &["Parser", "ClapArgs", "Args", "Subcommand", "ValueEnum"];

/// What clap shows of an attribute.
const SHOWN: &[&str] =
    &["about", "long_about", "help", "long_help", "after_help", "before_help", "help_heading"];

/// Whose words are for us: they say why something cannot happen.
const OURS: &[&str] = &[
    "expect",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "panic",
    "unreachable",
    "env",
    "include_str",
    "cfg",
];

/// Returns the texts of a file, each fragment by itself.
pub(super) fn texts(source: &str) -> Result<Vec<String>> {
    let stream =
        TokenStream::from_str(source).map_err(|error| anyhow!("it is no Rust: {error}"))?;
    let mut collector = Collector::default();
    collector.walk(stream, Place::Code);
    Ok(collector.found)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    /// Within a type whose comments are help.
    Clap,
}

#[derive(Debug, Default)]
struct Collector {
    found: Vec<String>,
    /// The lines of the comment before what comes next.
    comment: Vec<String>,
    is_clap: bool,
}

impl Collector {
    fn walk(&mut self, stream: TokenStream, place: Place) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            rest = match (first, behind) {
                (TokenTree::Punct(sign), [TokenTree::Group(group), behind @ ..])
                    if sign.as_char() == '#' =>
                {
                    self.attribute(group, behind)
                }
                // Of the whole file.
                (
                    TokenTree::Punct(sign),
                    [TokenTree::Punct(bang), TokenTree::Group(_), behind @ ..],
                ) if sign.as_char() == '#' && bang.as_char() == '!' => behind,
                (TokenTree::Ident(name), _) => {
                    let behind = self.name(&name.to_string(), behind, place);
                    if place == Place::Clap {
                        self.end_comment(true);
                    }
                    behind
                }
                (TokenTree::Literal(literal), _) => {
                    self.found.extend(string(literal).iter().flat_map(|text| language(text)));
                    behind
                }
                (TokenTree::Group(group), _) => {
                    self.group(group, place);
                    behind
                }
                (TokenTree::Punct(_), _) => behind,
            };
        }
    }

    /// Reads an attribute; returns what follows it, or what it stands on if that is a test.
    fn attribute<'t>(&mut self, group: &Group, behind: &'t [TokenTree]) -> &'t [TokenTree] {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let name = tokens.first().map(ToString::to_string).unwrap_or_default();
        match (name.as_str(), tokens.get(1..).unwrap_or_default()) {
            ("cfg", [TokenTree::Group(what)]) if what.stream().to_string() == "test" => {
                self.comment.clear();
                return behind_item(behind);
            }
            ("derive", [TokenTree::Group(what)]) => {
                self.is_clap |= has_any(what, CLAP);
            }
            ("doc", [_, TokenTree::Literal(text)]) => self.comment.extend(string(text)),
            ("error", [TokenTree::Group(what)]) => self.all_of(what),
            ("command" | "arg" | "value" | "group", [TokenTree::Group(what)]) => self.shown(what),
            _ => {}
        }
        behind
    }

    fn name<'t>(&mut self, name: &str, behind: &'t [TokenTree], place: Place) -> &'t [TokenTree] {
        match (name, behind) {
            ("struct" | "enum", _) => {
                let is_clap = std::mem::take(&mut self.is_clap);
                self.end_comment(is_clap);
                let Some(at) = behind.iter().position(ends_item) else { return behind };
                if let (Some(TokenTree::Group(body)), true) = (behind.get(at), is_clap) {
                    self.walk(body.stream(), Place::Clap);
                    return behind.get(at + 1..).unwrap_or_default();
                }
                behind
            }
            (
                "words",
                [
                    TokenTree::Punct(_),
                    TokenTree::Punct(_),
                    TokenTree::Ident(how),
                    TokenTree::Group(of),
                    behind @ ..,
                ],
            ) => {
                match how.to_string().as_str() {
                    "label" | "labels" => self.as_they_are(of, LABEL),
                    "sign" | "signs" => self.as_they_are(of, SIGN),
                    _ => self.all_of(of),
                }
                behind
            }
            ("count", [TokenTree::Group(of), ..]) => {
                self.count(of);
                behind
            }
            (
                name,
                [TokenTree::Punct(_), TokenTree::Group(_), behind @ ..]
                | [TokenTree::Group(_), behind @ ..],
            ) if OURS.contains(&name) => behind,
            _ => {
                if place == Place::Code && !["pub", "crate", "super", "self", "in"].contains(&name)
                {
                    self.comment.clear();
                }
                behind
            }
        }
    }

    fn group(&mut self, group: &Group, place: Place) {
        let is_body = group.delimiter() == Delimiter::Brace;
        self.walk(group.stream(), if is_body { place } else { Place::Code });
    }

    /// The comment stands on something that clap shows, or on something else.
    fn end_comment(&mut self, is_help: bool) {
        let lines = std::mem::take(&mut self.comment);
        if !is_help {
            return;
        }
        for paragraph in lines.split(|line| line.trim().is_empty()) {
            let text = paragraph.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            self.found.extend((!text.is_empty()).then(|| bare(&text).to_owned()));
        }
    }

    /// Every literal, language or not.
    fn all_of(&mut self, group: &Group) {
        for token in group.stream() {
            match token {
                TokenTree::Literal(literal) => {
                    let text = string(&literal).unwrap_or_default();
                    self.found.extend(
                        fragments_of(&text).filter(|text| has_letters(text)).map(str::to_owned),
                    );
                }
                TokenTree::Group(group) => self.all_of(&group),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    /// Every literal, untouched, in a context: signs have no letters.
    fn as_they_are(&mut self, group: &Group, context: &str) {
        for token in group.stream() {
            match token {
                TokenTree::Literal(literal) => {
                    self.found.extend(string(&literal).map(|text| format!("{context}{text}")));
                }
                TokenTree::Group(group) => self.as_they_are(&group, context),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    /// What clap shows of an attribute.
    fn shown(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        for three in tokens.windows(3) {
            if let [TokenTree::Ident(name), _, TokenTree::Literal(text)] = three
                && SHOWN.contains(&name.to_string().as_str())
            {
                self.found.extend(string(text).iter().flat_map(|text| spoken(text)));
            }
        }
    }

    /// `count(number, "unit")`: one of them, and several.
    fn count(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        if let [.., TokenTree::Punct(_), TokenTree::Literal(thing)] = tokens.as_slice() {
            let Some(thing) = string(thing) else { return };
            let end = if thing.ends_with('s') { "es" } else { "s" };
            self.found.extend([format!("1 {thing}"), format!("{{}} {thing}{end}")]);
        }
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(sign) => sign.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

fn behind_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let end = tokens.iter().position(ends_item).map_or(tokens.len(), |at| at + 1);
    tokens.get(end..).unwrap_or_default()
}

fn has_any(group: &Group, names: &[&str]) -> bool {
    group.stream().into_iter().any(|token| names.contains(&token.to_string().as_str()))
}

fn string(literal: &proc_macro2::Literal) -> Option<String> {
    let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) else { return None };
    Some(text.value())
}

fn fragments_of(text: &str) -> impl Iterator<Item = &str> {
    let found = fragments(text).into_iter().map(|fragment| bare(fragment.text));
    found.filter(|text| !is_command(text))
}

fn has_letters(text: &str) -> bool {
    Pattern::of(text).with_holes("").contains(char::is_alphabetic)
}

/// Returns the fragments of a text that have a word.
fn spoken(text: &str) -> Vec<String> {
    let found = fragments_of(text).filter(|text| words_of(text).iter().any(|word| is_word(word)));
    found.map(str::to_owned).collect()
}

/// Returns the fragments of a text that read like language: a word, and something beside it.
fn language(text: &str) -> Vec<String> {
    spoken(text).into_iter().filter(|text| words_of(text).len() > 1).collect()
}

fn is_command(text: &str) -> bool {
    ["mainstay ", "$ ", "> "].iter().any(|start| text.starts_with(start))
}

fn words_of(text: &str) -> Vec<String> {
    let shown = Pattern::of(text).with_holes("\u{1}");
    shown.split_whitespace().map(str::to_owned).collect()
}

fn is_word(text: &str) -> bool {
    let bare = text.trim_matches(|letter: char| letter.is_ascii_punctuation() || letter == '\u{1}');
    bare.len() > 1
        && bare.chars().all(|letter| letter.is_alphabetic() || "-'’".contains(letter))
        && bare.chars().skip(1).any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        assert_eq!(texts(source).unwrap(), expected, "{source}");
    }

    #[test]
    fn what_reads_like_language_is_found() {
        check(
            "fn f() { say(\"cannot start `{name}`: {error}\") }",
            &["cannot start `{name}`: {error}"],
        );
        check("fn f() { format!(\"\\nkilled {}\\n\", 1) }", &["killed {}"]);
        check(
            "const A: &str = \"web\"; const B: &str = \"GET /v1\"; const C: &str = \"{} {}\";",
            &[],
        );
        check("fn f() { x.expect(\"it was checked\"); assert!(a, \"two words\"); }", &[]);
        check(
            "fn f() { words::of(\"STATE\"); words::label(\"log\"); words::signs([\"; \"]); count(n, \"unit\") }",
            &["STATE", "label\u{4}log", "sign\u{4}; ", "1 unit", "{} units"],
        );
    }

    #[test]
    fn what_errors_say_is_found() {
        check(
            "#[derive(Debug)] enum E { #[error(\"gone\")] A, #[serde(rename = \"not this\")] B }",
            &["gone"],
        );
    }

    #[test]
    fn help_is_found() {
        check(
            "/// Show units\n#[derive(ClapArgs)]\n#[command(after_help = \"Examples:\\n  mainstay x     run it\")]\npub(super) struct A {\n/// One\n/// line.\n///\n/// Another\n#[arg(long, value_name = \"TWO WORDS\")]\na: u8 }",
            &["Examples", "run it", "Show units", "One line", "Another"],
        );
        check("/// Not shown\n#[derive(Debug)]\nstruct A { /// Nor this\n a: u8 }", &[]);
    }

    #[test]
    fn tests_say_nothing_to_people() {
        check(
            "#[cfg(test)] mod tests { const A: &str = \"two words\"; } fn f() { say(\"three more words\") }",
            &["three more words"],
        );
    }
}
