//! What the manager of services refuses, as a sentence with a remedy.

use std::io;

use mainstay_platform::scm::code;

use crate::{elevation, errors::CliError, explain};

/// Returns what to tell somebody whose wish the manager has refused.
pub(in crate::cli) fn refused(doing: &str, error: &io::Error) -> CliError {
    if error.kind() == io::ErrorKind::Unsupported {
        return CliError::refused(format!("cannot {doing}: {error}"), ELSEWHERE);
    }
    let told = told(doing, error);
    match elevation::hint().filter(|_| error.raw_os_error() == Some(code::ACCESS_DENIED)) {
        Some(hint) => CliError { hint, ..told },
        None => told,
    }
}

/// Returns what to tell somebody who cannot do this at all; `doing` is something like "removing a
/// service".
pub(in crate::cli) fn impossible(doing: &str, error: &io::Error) -> CliError {
    CliError::refused(format!("{doing} is not possible: {error}"), ELSEWHERE)
}

/// What to do where there is no manager of services that we know.
const ELSEWHERE: &str = "services of the operating system are Windows' so far; `mainstay up FILE` keeps programs running here, also as the program of a systemd unit";

fn told(doing: &str, error: &io::Error) -> CliError {
    let number = error.raw_os_error().unwrap_or_default();
    match explain::number(number) {
        Some(found) => {
            CliError::refused(format!("cannot {doing}: {} ({number})", found.meaning), found.remedy)
        }
        None => CliError::refused(format!("cannot {doing}: {error}"), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_everybody_looks_up_is_a_sentence_with_a_remedy() {
        let error = io::Error::from_raw_os_error(code::MARKED_FOR_DELETION);
        assert_eq!(
            told("install `web`", &error).to_string(),
            "error: cannot install `web`: it is marked for deletion, and somebody holds it open (1072)\n\
             hint:  close services.msc, Task Manager and Process Explorer"
        );
    }
}
