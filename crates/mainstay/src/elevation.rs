//! What to tell whoever needs an administrator's rights for what they have typed: the very line to
//! paste into an elevated terminal. Nobody is shown a window: there may be none over a network.

use std::env;

use mainstay_platform::{daemon, scm};

use crate::typed::{self, Reader};

/// Returns the lines to paste, where the system says that elevation is what is missing.
pub(crate) fn hint() -> Option<String> {
    matches!(scm::is_elevated(), Ok(false)).then(paste)
}

/// Returns what to paste to do the same again: for `cmd`, and for PowerShell.
pub(crate) fn paste() -> String {
    let own = daemon::own_program().unwrap_or_default().display().to_string();
    let words: Vec<String> = [own].into_iter().chain(env::args().skip(1)).collect();
    let here = env::current_dir().unwrap_or_default().display().to_string();
    lines(&here, &words)
}

/// Where no line can say it in either shell, people have to.
fn lines(here: &str, words: &[String]) -> String {
    let said = |reader| typed::word(here, reader).zip(typed::line(words, reader));
    let for_cmd = said(Reader::Prompt)
        .map(|(here, line)| format!("paste into an elevated cmd: cd /d {here} && {line}"));
    let for_power_shell = said(Reader::PowerShell)
        .map(|(here, line)| format!("or into an elevated PowerShell: cd {here}; {line}"));
    let lines: Vec<String> = [for_cmd, for_power_shell].into_iter().flatten().collect();
    if lines.is_empty() {
        return "do it in an elevated terminal".to_owned();
    }
    lines.join("\n       ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_runs_nothing_but_what_was_typed() {
        let words = [r"C:\a b\mainstay.exe", "service", "--", "x&calc"].map(str::to_owned);
        let expected = "paste into an elevated cmd: cd /d \"C:\\p&q\" && \
                        \"C:\\a b\\mainstay.exe\" service -- \"x&calc\"\n       \
                        or into an elevated PowerShell: cd 'C:\\p&q'; \
                        & 'C:\\a b\\mainstay.exe' service '--' 'x&calc'";
        assert_eq!(lines(r"C:\p&q", &words), expected);
        let torn = [r"C:\mainstay.exe", "a\nb"].map(str::to_owned);
        assert_eq!(lines("C:", &torn), "do it in an elevated terminal");
    }
}
