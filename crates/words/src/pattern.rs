//! A text as it stands in the source: what is always the same, and holes in braces.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    /// Named as in the source, or by its number where it has no name there.
    Hole(String),
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// The longest name of a hole: more between braces is no hole.
const HOLE_LETTERS_MAX: usize = 60;

impl Pattern {
    /// Reads a text with the syntax of `format!`; braces that hold no name are letters.
    pub fn of(text: &str) -> Self {
        let mut reader = Reader::default();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (plain, brace) = rest.split_at(at);
            reader.literal.push_str(plain);
            rest = reader.brace(brace);
        }
        reader.literal.push_str(rest);
        reader.end_literal();
        Self { pieces: reader.pieces }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Returns the names of its holes, sorted, each once.
    pub fn holes(&self) -> Vec<&str> {
        let holes = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        });
        let mut holes: Vec<&str> = holes.collect();
        holes.sort_unstable();
        holes.dedup();
        holes
    }

    pub(crate) fn has_holes_side_by_side(&self) -> bool {
        let is_hole = |piece: &Piece| matches!(piece, Piece::Hole(_));
        self.pieces
            .iter()
            .zip(self.pieces.iter().skip(1))
            .any(|(one, next)| is_hole(one) && is_hole(next))
    }

    /// Returns what is always the same, with `hole` in the place of each hole.
    pub fn with_holes(&self, hole: &str) -> String {
        self.filled(|_| hole.to_owned())
    }

    /// Returns the text with its holes filled.
    pub(crate) fn filled(&self, mut fill: impl FnMut(&str) -> String) -> String {
        let each = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Hole(name) => fill(name),
        });
        each.collect()
    }

    /// Returns how many letters are always the same.
    pub(crate) fn weight(&self) -> usize {
        let literal = |piece: &Piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Hole(_) => 0,
        };
        self.pieces.iter().map(literal).sum()
    }
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    literal: String,
    unnamed: usize,
}

impl Reader {
    /// Reads what begins with a brace; returns what follows.
    fn brace<'t>(&mut self, text: &'t str) -> &'t str {
        for double in ["{{", "}}"] {
            if let Some(rest) = text.strip_prefix(double) {
                self.literal.extend(double.chars().next());
                return rest;
            }
        }
        if let Some((name, rest)) = hole(text) {
            self.end_literal();
            let name = if name.is_empty() { self.next_number() } else { name.to_owned() };
            self.pieces.push(Piece::Hole(name));
            return rest;
        }
        self.literal.extend(text.chars().next());
        text.get(1..).unwrap_or_default()
    }

    fn next_number(&mut self) -> String {
        self.unnamed += 1;
        (self.unnamed - 1).to_string()
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
    }
}

/// Returns the name between the braces that a text begins with, and what follows.
fn hole(text: &str) -> Option<(&str, &str)> {
    let (inside, rest) = text.strip_prefix('{')?.split_once('}')?;
    let name = inside.split(':').next()?.trim();
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || "_.".contains(letter));
    (is_name && inside.len() <= HOLE_LETTERS_MAX && !inside.contains(['{', '\n', '"']))
        .then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_braces_is_a_hole() {
        let check = |text: &str, holes: &[&str], shown: &str| {
            assert_eq!(Pattern::of(text).holes(), holes, "{text}");
            assert_eq!(Pattern::of(text).with_holes("_"), shown, "{text}");
        };
        check("no holes", &[], "no holes");
        check("run {number} of `{unit}`", &["number", "unit"], "run _ of `_`");
        check("{} and {}", &["0", "1"], "_ and _");
        check("{1} and {0:?}", &["0", "1"], "_ and _");
        check("{title:width$} {}", &["0", "title"], "_ _");
        check("a {{brace}}", &[], "a {brace}");
        check("{ a = \"b\" }", &[], "{ a = \"b\" }");
        check("open {", &[], "open {");
        check("{0.name}", &["0.name"], "_");
    }
}
