//! Spans of time: `3s`, `210.4 ms` and `1m 3s`, as a program writes them into a text.

/// Returns a span of time with its units told; nothing, where a text is no such span.
pub(crate) fn told<'t>(text: &str, unit: impl Fn(&str) -> Option<&'t str>) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = number(rest)?;
        let behind = behind.strip_prefix(' ').unwrap_or(behind);
        let (name, behind) = behind.split_once(' ').unwrap_or((behind, ""));
        parts.push(format!("{number} {}", unit(name)?));
        rest = behind;
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Returns whether a text has its units behind blanks, as sentences have them and tables have not.
pub(crate) fn is_sentence(text: &str) -> bool {
    number(text).is_some_and(|(_, behind)| behind.starts_with(' '))
}

/// Returns the number that a text begins with, and what follows.
fn number(text: &str) -> Option<(&str, &str)> {
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let end = text.find(|letter: char| !is_of_number(letter))?;
    let (number, behind) = text.split_at(end);
    (number.starts_with(|letter: char| letter.is_ascii_digit()) && !number.ends_with('.'))
        .then_some((number, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_numbers_with_their_units_and_nothing_else() {
        let unit = |name: &str| match name {
            "s" => Some("秒"),
            "m" => Some("分钟"),
            _ => None,
        };
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(told(text, unit).as_deref(), expected, "{text}");
        };
        check("3s", Some("3 秒"));
        check("3.5 s", Some("3.5 秒"));
        check("1m 3s", Some("1 分钟 3 秒"));
        for text in ["", "s", "3", "3x", "3 s of it", "of 3 s", "3. s", "soon"] {
            check(text, None);
        }
    }
}
