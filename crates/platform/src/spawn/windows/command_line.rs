//! One text for all arguments, quoted so that `CommandLineToArgvW` finds them again.

/// Returns the command line of a command and its arguments.
pub(super) fn line(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

/// Quotes a word: backslashes count only before a quotation mark, and double there.
fn quote(word: &str) -> String {
    let is_plain = |character: char| !matches!(character, ' ' | '\t' | '\n' | '\u{b}' | '"');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for character in word.chars() {
        match character {
            '\\' => backslashes += 1,
            '"' => {
                quoted.push_str(&"\\".repeat(backslashes * 2 + 1));
                quoted.push('"');
                backslashes = 0;
            }
            other => {
                quoted.push_str(&"\\".repeat(backslashes));
                quoted.push(other);
                backslashes = 0;
            }
        }
    }
    quoted.push_str(&"\\".repeat(backslashes * 2));
    quoted.push('"');
    quoted
}

/// Returns an environment block: sorted by name without regard to case, as the system wants it,
/// the last of several values, each with a NUL, and one NUL more.
pub(super) fn environment(variables: &[String]) -> Vec<u16> {
    let mut sorted = std::collections::BTreeMap::new();
    for variable in variables {
        // Hidden variables such as `=C:` begin with the sign.
        let end = variable.char_indices().skip(1).find(|(_, character)| *character == '=');
        let name = end.and_then(|(at, _)| variable.get(..at)).unwrap_or(variable);
        sorted.insert(name.to_uppercase(), variable);
    }
    let mut block: Vec<u16> = Vec::new();
    for variable in sorted.values() {
        block.extend(variable.encode_utf16().chain([0]));
    }
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], expected: &str) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(line(&words), expected);
    }

    #[test]
    fn words_are_quoted_as_the_system_splits_them() {
        check(&["a", "b"], "a b");
        check(&["two words", ""], "\"two words\" \"\"");
        check(&["say \"hi\""], "\"say \\\"hi\\\"\"");
        check(&[r"C:\folder\"], r"C:\folder\");
        check(&[r"C:\a folder\"], r#""C:\a folder\\""#);
        check(&[r#"a\\"b"#], r#""a\\\\\"b""#);
        check(&[r"a\\b c"], r#""a\\b c""#);
        check(&["tab\there"], "\"tab\there\"");
    }

    #[test]
    fn an_environment_is_sorted_and_ends_twice() {
        let variables = ["b=2", "A=1", "B=3"].map(str::to_owned);
        let block = String::from_utf16(&environment(&variables)).unwrap();
        assert_eq!(block, "A=1\0B=3\0\0");
        assert_eq!(environment(&[]), [0, 0]);
    }
}
