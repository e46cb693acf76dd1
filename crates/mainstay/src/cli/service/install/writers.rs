//! Who can change what a service runs: whoever can has all the rights of its account.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use mainstay_platform::access;

use super::account::Account;
use crate::errors::CliError;

/// A file or folder that every user can change, or put another one in the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weakness {
    path: PathBuf,
    who: &'static str,
}

impl Weakness {
    /// Returns the line that takes that away.
    fn remedy(&self) -> String {
        format!("icacls \"{}\" /inheritance:d /remove:g *{}", self.path.display(), self.who)
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can be changed by every user: {}", self.path.display(), self.remedy())
    }
}

/// Looks at the program, its folder, where it starts (scripts and libraries are there), and all
/// that leads to them.
pub(super) fn look(image: &Path, directory: &Path) -> Vec<Weakness> {
    let mut found: Vec<Weakness> = Vec::new();
    let folder = image.parent().unwrap_or(image);
    let mut seen: Vec<&Path> = Vec::new();
    for path in [folder, directory, image] {
        // A file has what its folder passes on.
        let is_told = path == image && found.iter().any(|weakness| weakness.path == folder);
        if !seen.contains(&path) && !is_told {
            found.extend(weakness(path, access::who_writes));
            seen.push(path);
        }
    }
    for above in folder.ancestors().skip(1).chain(directory.ancestors().skip(1)) {
        if !seen.contains(&above) {
            found.extend(weakness(above, access::who_moves));
            seen.push(above);
        }
    }
    found
}

type Question = fn(&[access::Entry]) -> Option<&'static str>;

fn weakness(path: &Path, who: Question) -> Option<Weakness> {
    // Where there is no list to be read there is nothing to warn of.
    let list = access::entries(path).ok()?;
    who(&list).map(|who| Weakness { path: path.to_owned(), who })
}

/// Refuses to run as the system what every user can change.
pub(super) fn refuse(account: &Account, found: &[Weakness]) -> Result<(), CliError> {
    let Some(first) = found.first().filter(|_| account.is_mighty()) else { return Ok(()) };
    let what = format!(
        "{} can be changed by every user, and its programs would run as the system",
        first.path.display()
    );
    let hint = format!(
        "take that away: {}\n       or let an account of the service's own run it: leave `--account` out\n       or accept it: --allow-writable",
        first.remedy()
    );
    Err(CliError::refused(what, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(path: &str) -> Weakness {
        Weakness { path: PathBuf::from(path), who: access::AUTHENTICATED }
    }

    #[test]
    fn what_every_user_can_change_is_not_run_as_the_system() {
        let system = Account::parse(Some("LocalSystem"), "web");
        let error = refuse(&system, &[weak(r"C:\apps\web")]).unwrap_err().to_string();
        assert!(error.contains(r"C:\apps\web can be changed by every user"), "{error}");
        let line = r#"icacls "C:\apps\web" /inheritance:d /remove:g *S-1-5-11"#;
        assert!(error.contains(line), "{error}");
        refuse(&system, &[]).unwrap();
        refuse(&Account::parse(None, "web"), &[weak(r"C:\apps\web")]).unwrap();
    }

    #[test]
    fn a_warning_names_folder_and_remedy() {
        let expected = r#"C:\apps\web can be changed by every user: icacls "C:\apps\web" /inheritance:d /remove:g *S-1-5-11"#;
        assert_eq!(weak(r"C:\apps\web").to_string(), expected);
    }
}
