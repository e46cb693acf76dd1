//! Command lines as Windows splits them, on every system.

/// Returns the words of a whole command line, the program first.
///
/// The program ends at the second quote, or at the first blank when it has no quotes: backslashes
/// mean nothing special in it.
pub(crate) fn split_line(line: &str) -> Vec<String> {
    let line = line.trim_start();
    let (program, rest) = match line.strip_prefix('"') {
        Some(behind) => behind.split_once('"').unwrap_or((behind, "")),
        None => line.split_once([' ', '\t']).unwrap_or((line, "")),
    };
    let mut words = vec![program.to_owned()];
    words.extend(split_arguments(rest));
    words
}

/// Returns the words behind the program, by the rules of `CommandLineToArgvW`: of backslashes
/// before a quote every second one stays, an odd one makes the quote a letter, and two quotes
/// within quotes are one letter.
pub(crate) fn split_arguments(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.chars().peekable();
    loop {
        while letters.next_if(|letter| is_blank(*letter)).is_some() {}
        if letters.peek().is_none() {
            return words;
        }
        words.push(next_word(&mut letters));
    }
}

fn next_word(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let (mut word, mut is_quoted) = (String::new(), false);
    while let Some(letter) = letters.next_if(|letter| is_quoted || !is_blank(*letter)) {
        match letter {
            '\\' => {
                let mut count = 1;
                while letters.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                let is_before_quote = letters.peek() == Some(&'"');
                let kept = if is_before_quote { count / 2 } else { count };
                word.extend(std::iter::repeat_n('\\', kept));
                if is_before_quote && count % 2 == 1 {
                    letters.next();
                    word.push('"');
                }
            }
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => word.push('"'),
            '"' => is_quoted = !is_quoted,
            letter => word.push(letter),
        }
    }
    word
}

const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

/// Returns the name of a program's file in small letters, without folder and `.exe`.
pub(crate) fn file_stem(program: &str) -> String {
    let name = program.rsplit(['\\', '/']).next().unwrap_or(program).to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// Returns the folder of a file, empty when it names none.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once(['\\', '/']).map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_the_system_splits_it() {
        let check =
            |line: &str, expected: &[&str]| assert_eq!(split_line(line), expected, "{line}");
        check(r#""C:\Program Files\a.exe" b"#, &[r"C:\Program Files\a.exe", "b"]);
        check(r"C:\a.exe  b	c ", &[r"C:\a.exe", "b", "c"]);
        check(r#"a "b c" d"e f"g"#, &["a", "b c", "de fg"]);
        check(r#"a \"b\" \\"c d\\" \\\"e"#, &["a", "\"b\"", r"\c d\", r#"\"e"#]);
        check(r#"a "b ""c"" d" "" e\\f\"#, &["a", "b \"c\" d", "", r"e\\f\"]);
        check(r#"a "open end"#, &["a", "open end"]);
        check(r#""C:\a\" b"#, &[r"C:\a\", "b"]);
    }

    #[test]
    fn a_program_is_known_by_its_file() {
        assert_eq!(file_stem(r"C:\Tools\NSSM.exe"), "nssm");
        assert_eq!(file_stem("shawl"), "shawl");
        assert_eq!(folder_of(r"C:\Tools\nssm.exe"), r"C:\Tools");
    }
}
