//! How much room a text takes on a terminal: a Chinese letter takes two columns.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns how many columns a text takes, escape sequences of colours aside.
pub fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once("\u{1b}[") {
        columns += plain.width();
        rest = behind.split_once('m').map_or("", |(_, rest)| rest);
    }
    columns + rest.width()
}

/// Returns a text with blanks behind it, so that it takes so many columns.
pub fn padded(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    text.to_owned() + &" ".repeat(blanks)
}

/// Returns as much of a text as fits into so many columns.
pub fn within(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += letter.width().unwrap_or_default();
        if taken > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_letter_takes_two_columns() {
        assert_eq!(["web", "服务", "é", "\u{1b}[31m运行\u{1b}[0m"].map(width), [3, 4, 1, 4]);
        assert_eq!(padded("单元", 6), "单元  ");
        assert_eq!(padded("单元", 3), "单元");
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        let check = |columns: usize, expected: &str| assert_eq!(within("a服务", columns), expected);
        check(0, "");
        check(2, "a");
        check(3, "a服");
        check(5, "a服务");
        check(9, "a服务");
    }
}
