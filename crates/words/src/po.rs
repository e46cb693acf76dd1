//! PO files: the tables that translators' tools know, read and written.
//!
//! Only what a table of one language needs: comments, `msgctxt`, `msgid`, `msgstr`, texts over
//! several lines.

use std::fmt::Write as _;

/// Stands between the context of a text and the text, as gettext has it.
pub const CONTEXT_END: char = '\u{4}';

/// One text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Lines before it that begin with `#`, whole.
    pub comments: Vec<String>,
    /// The English text; behind its context and [`CONTEXT_END`], where it has one.
    pub id: String,
    /// The other text; empty while there is none.
    pub text: String,
}

/// Says what is wrong with a PO file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of a PO file is not understood: `{text}`")]
pub struct PoError {
    line: usize,
    text: String,
}

#[derive(Clone, Copy)]
enum Field {
    Nothing,
    Context,
    Id,
    Text,
}

/// Reads a file; the first entry is its header when its `msgid` is empty.
pub fn parse(file: &str) -> Result<Vec<Entry>, PoError> {
    let mut entries = Vec::new();
    let mut entry = Entry::default();
    let mut field = Field::Nothing;
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.trim();
        let wrong = || PoError { line: number, text: line.to_owned() };
        let begins = ["#", "msgctxt ", "msgid "].iter().any(|start| line.starts_with(start));
        if begins && matches!(field, Field::Text) {
            entries.push(std::mem::take(&mut entry));
            field = Field::Nothing;
        }
        if line.starts_with('#') {
            entry.comments.push(line.to_owned());
            continue;
        }
        let quoted = if let Some(quoted) = line.strip_prefix("msgctxt ") {
            field = Field::Context;
            quoted
        } else if let Some(quoted) = line.strip_prefix("msgid ") {
            if matches!(field, Field::Context) {
                entry.id.push(CONTEXT_END);
            }
            field = Field::Id;
            quoted
        } else if let Some(quoted) = line.strip_prefix("msgstr ") {
            field = Field::Text;
            quoted
        } else {
            line
        };
        match field {
            Field::Context | Field::Id => entry.id.push_str(&unquoted(quoted).ok_or_else(wrong)?),
            Field::Text if !quoted.is_empty() => {
                entry.text.push_str(&unquoted(quoted).ok_or_else(wrong)?);
            }
            Field::Nothing if !quoted.is_empty() => return Err(wrong()),
            Field::Text | Field::Nothing => {}
        }
    }
    if matches!(field, Field::Text) {
        entries.push(entry);
    }
    Ok(entries)
}

fn unquoted(text: &str) -> Option<String> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(match letters.next()? {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            letter => plain.push(letter),
        }
    }
    Some(plain)
}

/// Writes a file.
pub fn write(entries: &[Entry]) -> String {
    let mut file = String::new();
    for (count, entry) in entries.iter().enumerate() {
        if count > 0 {
            file.push('\n');
        }
        for comment in &entry.comments {
            file.push_str(comment);
            file.push('\n');
        }
        let id = match entry.id.split_once(CONTEXT_END) {
            Some((context, id)) => {
                // Writing to a string succeeds.
                let _infallible = writeln!(file, "msgctxt {}", quoted(context));
                id
            }
            None => &entry.id,
        };
        let _infallible = writeln!(file, "msgid {}", quoted(id));
        let _infallible = writeln!(file, "msgstr {}", quoted(&entry.text));
    }
    file
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let one = Entry {
            comments: vec!["#: crates/core/src/unit.rs".into()],
            id: "say \"no\"\\\n".into(),
            text: "说“不”\t".into(),
        };
        let two = Entry { id: "later".into(), ..Entry::default() };
        let three =
            Entry { id: "label\u{4}unit".into(), text: "单元".into(), ..Entry::default() };
        let file = write(&[one.clone(), two.clone(), three.clone()]);
        assert!(file.contains("msgctxt \"label\"\nmsgid \"unit\"\n"), "{file}");
        assert_eq!(parse(&file), Ok(vec![one, two, three]), "{file}");
    }

    #[test]
    fn a_text_may_span_lines() {
        let file = "msgid \"\"\n\"one \"\n\"two\"\nmsgstr \"\"\n\"一\"\n\"二\"\n";
        let entry = Entry { id: "one two".into(), text: "一二".into(), ..Entry::default() };
        assert_eq!(parse(file), Ok(vec![entry]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(
            parse("msgid \"one\"\nmsgstr \"一").unwrap_err().to_string(),
            "line 2 of a PO file is not understood: `msgstr \"一`"
        );
        parse("nonsense").unwrap_err();
    }
}
