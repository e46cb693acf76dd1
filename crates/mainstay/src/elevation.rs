//! What to tell whoever needs an administrator's rights for what they have typed: the very line to
//! paste into an elevated terminal. Nobody is shown a window: there may be none over a network.

use std::{env, path::Path};

use mainstay_platform::{daemon, scm};

use crate::foreign::words::typed;

/// Returns the lines to paste, where the system says that elevation is what is missing.
pub(crate) fn hint() -> Option<String> {
    matches!(scm::is_elevated(), Ok(false)).then(paste)
}

/// Returns what to paste to do the same again: for `cmd`, and for PowerShell.
pub(crate) fn paste() -> String {
    let own = daemon::own_program().unwrap_or_default().display().to_string();
    let words: Vec<String> = [own].into_iter().chain(env::args().skip(1)).collect();
    let here = env::current_dir().unwrap_or_default();
    lines(&here, &words)
}

fn lines(here: &Path, words: &[String]) -> String {
    format!(
        "paste into an elevated terminal: {}\n       into an elevated PowerShell: {}",
        for_cmd(here, words),
        for_power_shell(here, words)
    )
}

fn for_cmd(here: &Path, words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| in_cmd(word)).collect();
    format!("cd /d \"{}\" && {}", here.display(), words.join(" "))
}

/// Within quotes `cmd` leaves everything alone but quotes and `%`; where there are such, each
/// letter that means something to it gets a caret, quotes included.
fn in_cmd(word: &str) -> String {
    let quoted = typed(word);
    if !word.contains(['"', '%']) {
        return quoted;
    }
    let mut text = String::with_capacity(quoted.len());
    for letter in quoted.chars() {
        if "\"%&|<>^()!".contains(letter) {
            text.push('^');
        }
        text.push(letter);
    }
    text
}

/// Behind `--%` every version of PowerShell passes a line on as it is.
fn for_power_shell(here: &Path, words: &[String]) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let here = literal(&here.display().to_string());
    let Some((program, rest)) = words.split_first() else { return String::new() };
    let rest: Vec<String> = rest.iter().map(|word| typed(word)).collect();
    format!("cd {here}; & {} --% {}", literal(program), rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_paste_does_the_same_again_in_either_shell() {
        let own = r"C:\Program Files\Mainstay\mainstay.exe";
        let words = [own, "service", "install", "web", "--env", "A=b c", "--", "node", "server.js"];
        assert_eq!(
            lines(Path::new(r"C:\apps\it's"), &words.map(str::to_owned)),
            "paste into an elevated terminal: cd /d \"C:\\apps\\it's\" && \
             \"C:\\Program Files\\Mainstay\\mainstay.exe\" service install web --env \"A=b c\" -- node server.js\n       \
             into an elevated PowerShell: cd 'C:\\apps\\it''s'; & \
             'C:\\Program Files\\Mainstay\\mainstay.exe' --% service install web --env \"A=b c\" -- node server.js"
        );
    }

    #[test]
    fn what_a_shell_would_read_is_kept_from_it() {
        let check = |word: &str, expected: &str| assert_eq!(in_cmd(word), expected);
        check("plain", "plain");
        check("a & b", "\"a & b\"");
        check("100%", "^\"100^%^\"");
        check("say \"a&b\"", "^\"say \\^\"a^&b\\^\"^\"");
        check(r"C:\a b\", "\"C:\\a b\\\\\"");
    }
}
