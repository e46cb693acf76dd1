//! Lines that a person pastes into a shell, or keeps in a file of its commands: words as that shell
//! reads them, so that a word stays one word and runs nothing.

/// Who reads a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// `cmd`, at its prompt.
    Prompt,
    /// `cmd`, from a file, where a percent sign is doubled.
    File,
    /// `PowerShell`, in both of its versions.
    PowerShell,
}

/// What `cmd` reads for itself outside of quotes.
const OF_CMD: [char; 10] = ['"', '&', '|', '<', '>', '^', '(', ')', '%', '!'];

/// Returns the words as a line; nothing when the shell has no way to say one of them.
pub(crate) fn line(words: &[String], reader: Reader) -> Option<String> {
    let typed: Vec<String> = words.iter().map(|one| word(one, reader)).collect::<Option<_>>()?;
    let line = typed.join(" ");
    // What begins with a quote is a text there, and no command.
    let is_text = reader == Reader::PowerShell && line.starts_with('\'');
    Some(if is_text { format!("& {line}") } else { line })
}

/// Returns a word as it is typed; nothing when there is no way to say it.
pub(crate) fn word(word: &str, reader: Reader) -> Option<String> {
    if word.contains(['\r', '\n', '\0']) {
        return None;
    }
    let is_torn = reader == Reader::PowerShell && is_option_with_dot(word);
    if !word.is_empty() && word.chars().all(is_plain) && !is_torn {
        return Some(word.to_owned());
    }
    match reader {
        Reader::Prompt | Reader::File => Some(for_cmd(word, reader)),
        Reader::PowerShell => for_power_shell(word),
    }
}

/// Returns a word of a hint, as it is typed in `cmd`; one that cannot be typed is shown as it is.
pub(crate) fn shown(name: &str) -> String {
    word(name, Reader::Prompt).unwrap_or_else(|| name.to_owned())
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':' | '\\' | '/' | '=' | '+')
}

/// `PowerShell` ends such an option at the dot, and keeps `--` for itself.
fn is_option_with_dot(word: &str) -> bool {
    word == "--" || (word.starts_with('-') && word.contains(['.', ':']))
}

/// Within quotes only percent signs mean something, and only at a quote of the word's own is `cmd`
/// outside of them; there each letter that it knows is marked instead, the quotes, too.
fn for_cmd(word: &str, reader: Reader) -> String {
    let quoted = quoted(word);
    let escaped = if word.contains('"') || (reader == Reader::Prompt && word.contains('%')) {
        let mark = |letter: char| {
            let mark = OF_CMD.contains(&letter).then_some('^');
            mark.into_iter().chain([letter])
        };
        quoted.chars().flat_map(mark).collect()
    } else {
        quoted
    };
    match reader {
        Reader::File => escaped.replace("^%", "%").replace('%', "%%"),
        Reader::Prompt | Reader::PowerShell => escaped,
    }
}

/// Returns a word in quotes, as programs of Windows read their command line.
fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for letter in word.chars() {
        match letter {
            '\\' => backslashes += 1,
            '"' => {
                text.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        text.push(letter);
    }
    text.extend(std::iter::repeat_n('\\', backslashes));
    text.push('"');
    text
}

/// Version 5 gives a program its words without marking their quotes, and an empty one not at all.
fn for_power_shell(word: &str) -> Option<String> {
    let is_torn = word.is_empty() || word.contains('"') || word.ends_with('\\');
    (!is_torn).then(|| format!("'{}'", word.replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::words::split_arguments;

    #[test]
    fn a_word_stays_one_word_for_each_shell() {
        let check = |word_: &str, expected: [Option<&str>; 3]| {
            let typed = [Reader::Prompt, Reader::File, Reader::PowerShell]
                .map(|reader| word(word_, reader));
            assert_eq!(typed.each_ref().map(Option::as_deref), expected, "{word_}");
        };
        check(r"C:\a", [Some(r"C:\a"); 3]);
        check("a b", [Some("\"a b\""), Some("\"a b\""), Some("'a b'")]);
        check("a&calc", [Some("\"a&calc\""), Some("\"a&calc\""), Some("'a&calc'")]);
        check("100%", [Some("^\"100^%^\""), Some("\"100%%\""), Some("'100%'")]);
        check("%PATH%", [Some("^\"^%PATH^%^\""), Some("\"%%PATH%%\""), Some("'%PATH%'")]);
        check("a\"&calc", [Some("^\"a\\^\"^&calc^\""), Some("^\"a\\^\"^&calc^\""), None]);
        check("it's", [Some("\"it's\""), Some("\"it's\""), Some("'it''s'")]);
        check(r"a b\", [Some(r#""a b\\""#), Some(r#""a b\\""#), None]);
        check("-c.toml", [Some("-c.toml"), Some("-c.toml"), Some("'-c.toml'")]);
        check("", [Some("\"\""), Some("\"\""), None]);
        check("a\nb", [None; 3]);
    }

    #[test]
    fn what_is_typed_is_split_into_the_same_words() {
        // What `cmd` leaves of a line without percent signs.
        let left = |line: &str| line.replace('^', "");
        for one in ["plain", "", "a b", "a\"b", r"a b\", r#"a\"b c"#, r"C:\x\", "ä&b"] {
            let typed = word(one, Reader::Prompt).unwrap();
            assert_eq!(split_arguments(&left(&typed)), [one], "{typed}");
        }
    }

    #[test]
    fn a_program_in_quotes_is_called_by_power_shell() {
        let words = [r"C:\Program Files\a.exe", "--", "b"].map(str::to_owned);
        let expected = r"& 'C:\Program Files\a.exe' '--' b";
        assert_eq!(line(&words, Reader::PowerShell).as_deref(), Some(expected));
        let expected = r#""C:\Program Files\a.exe" -- b"#;
        assert_eq!(line(&words, Reader::Prompt).as_deref(), Some(expected));
    }
}
