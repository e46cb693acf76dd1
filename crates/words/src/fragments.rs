//! What is looked up by itself: a line, or a cell of a line, where two blanks end a cell.

/// One fragment of a text, and what stands before it: line ends and blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'t> {
    /// Line ends and blanks, untouched.
    pub before: &'t str,
    /// Without blanks at its ends; empty at the end of a text.
    pub text: &'t str,
}

/// Takes a text apart, so that nothing of it is lost.
pub fn fragments(text: &str) -> Vec<Fragment<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.len() - rest.trim_start_matches([' ', '\n', '\t']).len();
        let (before, behind) = rest.split_at(start);
        let (fragment, behind) = behind.split_at(end_of(behind));
        found.push(Fragment { before, text: fragment });
        rest = behind;
    }
    found
}

/// Returns where a fragment ends, that begins with no blank.
fn end_of(text: &str) -> usize {
    let ends = ["\n", "\t", "  ", " \n"].into_iter().filter_map(|end| text.find(end));
    ends.min().unwrap_or_else(|| text.trim_end_matches(' ').len())
}

/// What says whose words follow, before a colon and a blank.
pub(crate) const PREFIXES: &[&str] = &["error", "warning", "note", "hint", "tip"];

/// Returns the prefix of a text, and what follows it.
pub(crate) fn prefixed(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ").filter(|(prefix, _)| PREFIXES.contains(prefix))
}

/// Returns a fragment without the signs that join it to another one, as it is looked up.
pub fn bare(text: &str) -> &str {
    let joints = ["; ", ", ", ": ", ". "];
    let text = joints.iter().find_map(|joint| text.strip_prefix(joint)).unwrap_or(text);
    let text = prefixed(text).map_or(text, |(_, rest)| rest);
    let text =
        if text.ends_with("...") { text } else { text.trim_end_matches([';', ',', ':', '.', ' ']) };
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inside.filter(|inside| !inside.contains(['(', ')'])).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joints_are_no_text() {
        let found = ["; it goes on", "Examples:", "({n} more)", ".NET (4)", "done."].map(bare);
        assert_eq!(found, ["it goes on", "Examples", "{n} more", ".NET (4)", "done"]);
    }

    #[test]
    fn lines_and_cells_stand_alone() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found: Vec<_> = fragments(text).iter().map(|one| (one.before, one.text)).collect();
            assert_eq!(found, expected, "{text:?}");
            let again: String =
                fragments(text).iter().map(|one| one.before.to_owned() + one.text).collect();
            assert_eq!(again, text);
        };
        check("", &[]);
        check("one thing", &[("", "one thing")]);
        check(
            "one\n  two words  three\n",
            &[("", "one"), ("\n  ", "two words"), ("  ", "three"), ("\n", "")],
        );
        check("\nbegins late ", &[("\n", "begins late"), (" ", "")]);
        check("ends \nhere", &[("", "ends"), (" \n", "here")]);
    }
}
