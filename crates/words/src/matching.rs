//! Whether a text is one that a pattern has made, and what is in its holes.
//!
//! No piece is looked for twice, so that no text takes longer than its length times the pieces.

use crate::pattern::{Pattern, Piece};

/// What is in a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held<'p, 't> {
    pub(crate) hole: &'p str,
    pub(crate) text: &'t str,
    /// Between backticks: a name, which means the same in every language.
    pub(crate) is_name: bool,
}

/// Returns what is in the holes, where the pattern can have made the text.
pub(crate) fn held<'p, 't>(pattern: &'p Pattern, text: &'t str) -> Option<Vec<Held<'p, 't>>> {
    let mut found: Vec<Held<'p, 't>> = Vec::new();
    let mut rest = text;
    let mut open: Option<&'p str> = None;
    let mut is_quoted = false;
    let mut pieces = pattern.pieces().iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            // Of two holes side by side the first one takes everything.
            Piece::Hole(name) if open.is_some() => found.push(empty(name)),
            Piece::Hole(name) => open = Some(name),
            Piece::Literal(literal) => {
                let is_last = pieces.peek().is_none();
                let (inside, behind) = cut(rest, literal, open.is_some(), is_last)?;
                let is_name = is_quoted && literal.starts_with('`');
                if is_name && inside.contains('`') {
                    return None;
                }
                found.extend(open.take().map(|hole| Held { hole, text: inside, is_name }));
                is_quoted = literal.ends_with('`');
                rest = behind;
            }
        }
    }
    match open {
        Some(hole) => found.push(Held { hole, text: rest, is_name: false }),
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(found)
}

const fn empty(hole: &str) -> Held<'_, 'static> {
    Held { hole, text: "", is_name: false }
}

/// Returns what stands before a literal and behind it: at once, unless a hole is open; at the end,
/// if nothing follows.
fn cut<'t>(
    text: &'t str,
    literal: &str,
    is_open: bool,
    is_last: bool,
) -> Option<(&'t str, &'t str)> {
    match (is_open, is_last) {
        (false, _) => Some(("", text.strip_prefix(literal)?)),
        (true, true) => Some((text.strip_suffix(literal)?, "")),
        (true, false) => text.split_once(literal),
    }
}
