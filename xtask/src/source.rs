//! Splits Rust source into what is code and what is comment; the text inside literals is neither.

/// One source line, taken apart.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The code, with emptied string literals.
    pub(crate) code: String,
    /// The text of comments.
    pub(crate) comment: String,
}

#[derive(Clone, Copy)]
enum Place {
    Code,
    LineComment,
    BlockComment(usize),
    /// Inside a string that ends with a quote and this many `#`; `None` when escapes count.
    Text(Option<usize>),
}

/// Takes a whole file apart.
pub(crate) fn split(source: &str) -> Vec<Line> {
    let mut place = Place::Code;
    let mut lines = Vec::new();
    for text in source.lines() {
        let mut line = Line::default();
        let characters: Vec<char> = text.chars().collect();
        let mut rest = characters.as_slice();
        while !rest.is_empty() {
            let (next, taken) = step(place, rest, &mut line);
            place = next;
            rest = rest.get(taken..).unwrap_or_default();
        }
        if matches!(place, Place::LineComment) {
            place = Place::Code;
        }
        lines.push(line);
    }
    lines
}

/// Takes one step and returns the new place and the number of characters consumed.
fn step(place: Place, rest: &[char], line: &mut Line) -> (Place, usize) {
    match place {
        Place::Code => in_code(rest, line),
        Place::LineComment => {
            line.comment.extend(rest);
            (Place::LineComment, rest.len())
        }
        Place::BlockComment(depth) => in_block(depth, rest, line),
        Place::Text(hashes) => in_text(hashes, rest),
    }
}

fn in_code(rest: &[char], line: &mut Line) -> (Place, usize) {
    match rest {
        ['/', '/', ..] => return (Place::LineComment, 2),
        ['/', '*', ..] => return (Place::BlockComment(1), 2),
        ['"', ..] => return (Place::Text(None), 1),
        ['r', '"' | '#', ..] => {
            let hashes = rest.iter().skip(1).take_while(|c| **c == '#').count();
            let is_raw = rest.get(1 + hashes) == Some(&'"');
            let ends_word = line.code.chars().last().is_some_and(is_word);
            if is_raw && (!ends_word || line.code.ends_with('b')) {
                return (Place::Text(Some(hashes)), 2 + hashes);
            }
        }
        ['\'', '\\', _, '\'', ..] => return (Place::Code, 4),
        ['\'', _, '\'', ..] => return (Place::Code, 3),
        _ => {}
    }
    line.code.extend(rest.first());
    (Place::Code, 1)
}

fn in_block(depth: usize, rest: &[char], line: &mut Line) -> (Place, usize) {
    match rest {
        ['*', '/', ..] if depth == 1 => (Place::Code, 2),
        ['*', '/', ..] => (Place::BlockComment(depth - 1), 2),
        ['/', '*', ..] => (Place::BlockComment(depth + 1), 2),
        _ => {
            line.comment.extend(rest.first());
            (Place::BlockComment(depth), 1)
        }
    }
}

fn in_text(hashes: Option<usize>, rest: &[char]) -> (Place, usize) {
    match (hashes, rest) {
        (None, ['\\', _, ..]) => (Place::Text(None), 2),
        (None, ['"', ..]) => (Place::Code, 1),
        (Some(count), ['"', tail @ ..])
            if tail.iter().take_while(|c| **c == '#').count() >= count =>
        {
            (Place::Code, 1 + count)
        }
        _ => (Place::Text(hashes), 1),
    }
}

/// Says whether `code` contains `word` with no letter, digit or underscore beside it.
pub(crate) fn mentions(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().last());
        let after = code.get(at + word.len()..).and_then(|text| text.chars().next());
        let starts = !before.is_some_and(is_word) || !word.starts_with(is_word);
        starts && (!after.is_some_and(is_word) || !word.ends_with(is_word))
    })
}

pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        split(source).iter().map(|line| line.code.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn literals_and_comments_are_not_code() {
        assert_eq!(code("a(\"b // c\"); // d"), "a(); ");
        assert_eq!(code("a(r#\"b \" c\"#);"), "a();");
        assert_eq!(code("a('\"', '\\'', b)"), "a(, , b)");
        assert_eq!(code("a /* b /* c */ d */ e"), "a  e");
        assert_eq!(code("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
    }

    #[test]
    fn a_string_may_span_lines() {
        assert_eq!(code("a(\"b\nc\nd\") e"), "a(\n\n) e");
    }

    #[test]
    fn comments_keep_their_text() {
        assert_eq!(split("a // b").first().unwrap().comment, " b");
    }

    #[test]
    fn a_word_stands_alone() {
        assert!(mentions("cfg(unix)", "unix"));
        assert!(!mentions("unix_time", "unix"));
        assert!(mentions("libc::c_int", "libc::"));
        assert!(!mentions("mylibc::c_int", "libc::"));
    }
}
