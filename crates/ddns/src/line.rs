//! Words for people in one line: what others say may hold line ends, which would begin another
//! message, and letters that a terminal obeys or that turn the order of others around.

/// Returns a text in one line of harmless letters, at most so many of them.
pub(crate) fn of(text: &str, chars_max: usize) -> String {
    let mut letters = text.chars().filter(|one| one.is_whitespace() || !is_unseen(*one));
    let letter = |one: char| if one.is_whitespace() { ' ' } else { one };
    let mut line: String = letters.by_ref().take(chars_max).map(letter).collect();
    if letters.next().is_some() {
        line.push('…');
    }
    line
}

/// Says whether a letter is there for its effect alone: controls, marks of direction, no-width ones.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_line_or_steers_a_terminal() {
        assert_eq!(of("a\nSTOPPING=1\r\n\tb", 99), "a STOPPING=1   b");
        assert_eq!(of("\u{1b}[31mred\u{9b}2J\u{7}\u{0}\u{85}\u{2028}x", 99), "[31mred2J  x");
        assert_eq!(of("moc.\u{202e}elpmaxe\u{2066}\u{feff}\u{200b}", 99), "moc.elpmaxe");
        assert_eq!(of("café 网络", 99), "café 网络");
    }

    #[test]
    fn what_is_cut_shows_it() {
        assert_eq!(of("abcd", 4), "abcd");
        assert_eq!(of("abcde", 4), "abcd…");
        assert_eq!(of("网络abc", 2), "网络…");
        assert_eq!(of("abcd\u{0}\u{0}", 4), "abcd");
    }
}
