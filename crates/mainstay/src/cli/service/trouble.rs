//! Numbers of the service manager, as sentences with a remedy.

use std::io;

use mainstay_platform::scm::code;

use crate::errors::CliError;

/// What a number means, and what helps.
struct Sentence {
    number: i32,
    meaning: &'static str,
    remedy: &'static str,
}

const SENTENCES: &[Sentence] = &[
    Sentence {
        number: 2,
        meaning: "the program is not there",
        remedy: "look at its path with `mainstay service status NAME`",
    },
    Sentence {
        number: code::ACCESS_DENIED,
        meaning: "this account may not do that",
        remedy: "open a terminal with `Run as administrator` and repeat the line there",
    },
    Sentence {
        number: 193,
        meaning: "the file is no program for this system: a script without its interpreter, most likely",
        remedy: "name the interpreter as the program: `… -- python script.py`",
    },
    Sentence {
        number: code::REQUEST_TIMEOUT,
        meaning: "the service did not say in time that it runs",
        remedy: "`mainstay logs` of the service, or its `keeper.log`, says what it was doing",
    },
    Sentence {
        number: code::ALREADY_RUNNING,
        meaning: "it runs already",
        remedy: "`mainstay service restart NAME` starts it anew",
    },
    Sentence {
        number: code::DISABLED,
        meaning: "it is disabled",
        remedy: "`sc config NAME start= demand` allows it to be started",
    },
    Sentence {
        number: code::NO_SUCH_SERVICE,
        meaning: "there is no such service",
        remedy: "`mainstay service list` shows those there are",
    },
    Sentence {
        number: code::CANNOT_ACCEPT,
        meaning: "it is about to start or to stop and takes no orders",
        remedy: "wait until `mainstay service status NAME` says something else",
    },
    Sentence { number: code::NOT_ACTIVE, meaning: "it does not run", remedy: "" },
    Sentence {
        number: 1067,
        meaning: "its process has ended unexpectedly",
        remedy: "`keeper.log` in its state folder has its last words",
    },
    Sentence {
        number: code::LOGON_FAILED,
        meaning: "it cannot be started as its account: the password is wrong, or the right to log on as a service is missing",
        remedy: "give the password anew, or grant the right in `secpol.msc`",
    },
    Sentence {
        number: code::MARKED_FOR_DELETION,
        meaning: "it is marked for deletion, and somebody holds it open",
        remedy: "close services.msc, Task Manager and Process Explorer",
    },
    Sentence {
        number: code::EXISTS,
        meaning: "there is a service of that name",
        remedy: "choose another name, or `mainstay service remove NAME` first",
    },
    Sentence {
        number: code::DISPLAY_NAME_TAKEN,
        meaning: "another service is shown by that name",
        remedy: "choose another one with `--display-name`",
    },
];

/// Returns what to tell somebody whose wish the manager has refused.
pub(super) fn refused(doing: &str, error: &io::Error) -> CliError {
    if error.kind() == io::ErrorKind::Unsupported {
        let hint = "services of the operating system are Windows' so far; `mainstay up` keeps programs running here";
        return CliError::refused(format!("cannot {doing}: {error}"), hint);
    }
    match sentence(error.raw_os_error().unwrap_or_default()) {
        Some((meaning, remedy)) => {
            let number = error.raw_os_error().unwrap_or_default();
            CliError::refused(format!("cannot {doing}: {meaning} ({number})"), remedy)
        }
        None => CliError::refused(format!("cannot {doing}: {error}"), ""),
    }
}

/// Returns meaning and remedy of a number.
pub(super) fn sentence(number: i32) -> Option<(&'static str, &'static str)> {
    let found = SENTENCES.iter().find(|sentence| sentence.number == number)?;
    Some((found.meaning, found.remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_everybody_looks_up_is_a_sentence_with_a_remedy() {
        let error = io::Error::from_raw_os_error(code::MARKED_FOR_DELETION);
        assert_eq!(
            refused("install `web`", &error).to_string(),
            "error: cannot install `web`: it is marked for deletion, and somebody holds it open (1072)\n\
             hint:  close services.msc, Task Manager and Process Explorer"
        );
    }

    #[test]
    fn every_number_has_one_sentence() {
        for (index, one) in SENTENCES.iter().enumerate() {
            assert!(SENTENCES.iter().skip(index + 1).all(|other| other.number != one.number));
        }
    }
}
