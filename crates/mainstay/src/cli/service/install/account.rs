//! Whom a service runs as, and with which password.

use std::io::{self, BufRead as _, IsTerminal as _};

use mainstay_platform::{local, logon, scm};

use crate::{errors::CliError, words};

/// The system's own accounts, as people write them and as the manager wants them.
const WELL_KNOWN: [[&str; 2]; 6] = [
    ["LocalSystem", "LocalSystem"],
    [r"NT AUTHORITY\SYSTEM", "LocalSystem"],
    ["LocalService", r"NT AUTHORITY\LocalService"],
    [r"NT AUTHORITY\LocalService", r"NT AUTHORITY\LocalService"],
    ["NetworkService", r"NT AUTHORITY\NetworkService"],
    [r"NT AUTHORITY\NetworkService", r"NT AUTHORITY\NetworkService"],
];

/// Whom a service runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Account {
    /// An account that only this service has; the system makes it.
    Own {
        /// The service's name.
        service: String,
    },
    /// One of the system's, by the manager's name for it.
    WellKnown(&'static str),
    /// An account whose password the system changes by itself.
    Managed(String),
    /// An account with a password: `DOMAIN\user`, `.\user`.
    Person(String),
}

impl Account {
    /// Reads what was typed; nothing means an account of the service's own.
    pub(in crate::cli) fn parse(typed: Option<&str>, service: &str) -> Self {
        let Some(typed) = typed else { return Self::Own { service: service.to_owned() } };
        if typed.eq_ignore_ascii_case(&own_name(service)) {
            return Self::Own { service: service.to_owned() };
        }
        let known = WELL_KNOWN.iter().find(|[name, _]| name.eq_ignore_ascii_case(typed));
        match known {
            Some([_, name]) => Self::WellKnown(name),
            None if typed.ends_with('$') => Self::Managed(qualified(typed)),
            None => Self::Person(qualified(typed)),
        }
    }

    /// Returns the manager's name for it.
    pub(in crate::cli) fn name(&self) -> String {
        match self {
            Self::Own { service } => own_name(service),
            Self::WellKnown(name) => (*name).to_owned(),
            Self::Managed(name) | Self::Person(name) => name.clone(),
        }
    }

    /// Returns whether whoever can write its program owns the machine.
    pub(super) fn is_mighty(&self) -> bool {
        *self == Self::WellKnown("LocalSystem")
    }

    /// Returns the identities whose rights are looked at before the installation, that of the
    /// service first; none for the account that may do everything.
    ///
    /// Rights are given to the service and never to an account that others have, too. What an
    /// account may by groups that only its logon brings together is not known here.
    pub(super) fn identities(&self, service: &str) -> io::Result<Vec<String>> {
        if self.is_mighty() {
            return Ok(Vec::new());
        }
        let own = scm::identity_of(service)?;
        Ok([own].into_iter().chain(self.identity()).collect())
    }

    /// Returns the identity of the account itself, where it is another one than the service's and
    /// does not have every right anyway.
    pub(in crate::cli) fn identity(&self) -> Option<String> {
        if self.is_mighty() || matches!(self, Self::Own { .. }) {
            return None;
        }
        // A directory server that does not answer is no reason to give up.
        local::group(&self.name()).ok().flatten()
    }

    /// Asks for the password of an account that has one.
    pub(super) fn password(&self, from_stdin: bool) -> Result<Option<String>, CliError> {
        let Self::Person(name) = self else { return Ok(None) };
        let read = if from_stdin { read_line() } else { ask(name) };
        let password = read.map_err(|error| {
            let what = format!("there is no password for `{name}`: {error}");
            CliError::refused(what, "run it in a terminal, or give it with `--password-stdin`")
        })?;
        Ok(Some(password))
    }

    /// Lets it log on as a service, where that is a right of its own.
    pub(super) fn allow(&self) -> io::Result<()> {
        match self {
            Self::Own { .. } | Self::WellKnown(_) => Ok(()),
            Self::Managed(name) | Self::Person(name) => logon::allow_services(name),
        }
    }
}

fn own_name(service: &str) -> String {
    format!(r"NT SERVICE\{service}")
}

/// A bare name is one of this machine.
fn qualified(name: &str) -> String {
    if name.contains(['\\', '@']) { name.to_owned() } else { format!(r".\{name}") }
}

fn ask(name: &str) -> io::Result<String> {
    logon::ask_secret(&words::told(&format!("password of {name}: ")))
}

fn read_line() -> io::Result<String> {
    if io::stdin().is_terminal() {
        return Err(io::Error::other("stdin is a terminal, which would show it"));
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_known_however_they_are_written() {
        let check = |typed: &str, expected: &str| {
            assert_eq!(Account::parse(Some(typed), "web").name(), expected);
        };
        check("localsystem", "LocalSystem");
        check(r"nt authority\networkservice", r"NT AUTHORITY\NetworkService");
        check(r"nt service\WEB", r"NT SERVICE\web");
        check("anna", r".\anna");
        check(r"corp\svc-web$", r"corp\svc-web$");
        check("anna@corp.example", "anna@corp.example");
        assert_eq!(Account::parse(None, "my web").name(), r"NT SERVICE\my web");
    }

    #[test]
    fn only_people_have_passwords() {
        for typed in [None, Some("LocalSystem"), Some(r"corp\gmsa$")] {
            assert_eq!(Account::parse(typed, "web").password(true), Ok(None));
        }
    }
}
