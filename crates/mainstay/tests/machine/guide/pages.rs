//! Pages of Markdown: their headings and blocks of code, and what stands around a block for its sake.

use std::{fs, path::PathBuf};

/// A page of the documentation.
#[derive(Debug)]
pub(super) struct Page {
    /// How deep each heading is.
    pub(super) headings: Vec<usize>,
    pub(super) blocks: Vec<Block>,
}

/// A block of code, with what the lines before it say of it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) language: String,
    pub(super) lines: Vec<String>,
    /// Where it begins, for whoever has to mend it.
    pub(super) place: String,
    /// The file whose content it is, and no terminal's: the line before ends with its name and a colon.
    pub(super) file: Option<String>,
    /// Why nobody runs it, as a comment says: `<!-- not run: … -->`.
    pub(super) not_run: Option<String>,
    /// Numbers are different each time, as a comment says: `<!-- counts differ -->`.
    pub(super) counts_differ: bool,
}

impl Block {
    /// Returns its lines as a text.
    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| line.clone() + "\n").collect()
    }
}

/// Returns where the documentation begins.
pub(super) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Reads a page by its path in the repository.
pub(super) fn read(name: &str) -> Page {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let mut page = Page { headings: Vec::new(), blocks: Vec::new() };
    let mut before: Vec<&str> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let body = body.map(str::to_owned).collect();
            page.blocks.push(block(language, body, &before, format!("{name}:{}", index + 1)));
            before.clear();
        } else if line.starts_with('#') {
            page.headings.push(line.chars().take_while(|letter| *letter == '#').count());
            before.clear();
        } else if !line.is_empty() {
            before.push(line);
        }
    }
    page
}

fn block(language: &str, lines: Vec<String>, before: &[&str], place: String) -> Block {
    let is_comment = |line: &&&str| line.starts_with("<!-- ");
    let comments: Vec<&str> = before.iter().rev().take_while(is_comment).copied().collect();
    let words = before.len().checked_sub(comments.len() + 1).and_then(|at| before.get(at));
    Block {
        language: language.to_owned(),
        lines,
        place,
        file: words.and_then(|line| file_named_by(line)).filter(|_| language != "console"),
        not_run: comments.iter().find_map(|line| reason_in(line)).map(str::to_owned),
        counts_differ: comments.contains(&"<!-- counts differ -->"),
    }
}

fn reason_in(comment: &str) -> Option<&str> {
    comment.strip_prefix("<!-- not run: ")?.strip_suffix(" -->")
}

/// ``Write this to `mainstay.toml`:`` names a file.
fn file_named_by(line: &str) -> Option<String> {
    let named = line.strip_suffix("`:").or_else(|| line.strip_suffix("`："))?;
    named.rsplit_once('`').map(|(_, name)| name.to_owned())
}

#[test]
fn a_line_before_a_block_names_its_file() {
    let check = |line: &str, name: Option<&str>| assert_eq!(file_named_by(line).as_deref(), name);
    check("Write this to `mainstay.toml`:", Some("mainstay.toml"));
    check("把它写入 `web.py`：", Some("web.py"));
    check("Then:", None);
    let before = ["A file, `a.toml`:", "<!-- not run: it is a whim -->"];
    let found = block("toml", Vec::new(), &before, String::new());
    assert_eq!(found.file.as_deref(), Some("a.toml"));
    assert_eq!(found.not_run.as_deref(), Some("it is a whim"));
    assert_eq!(block("sh", Vec::new(), &[], String::new()).file, None);
    let before = ["The last word is `stopped`:"];
    assert_eq!(block("console", Vec::new(), &before, String::new()).file, None);
}
