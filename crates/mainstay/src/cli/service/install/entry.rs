//! Whether the service can enter where its program lies.

use std::{
    io,
    path::{Path, PathBuf},
};

use mainstay_platform::{
    access,
    paths::{self, Right},
};

use super::account::Account;
use crate::errors::CliError;

/// What was looked at and done, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What was granted.
    pub(super) granted: Vec<String>,
    /// Where.
    pub(super) folders: Vec<PathBuf>,
    /// What they should know.
    pub(super) warnings: Vec<String>,
}

/// What the service needs to reach.
#[derive(Debug, Clone)]
pub(super) struct Reach<'a> {
    /// The service's name.
    pub(super) service: &'a str,
    /// The program.
    pub(super) image: &'a Path,
    /// Where it starts.
    pub(super) directory: &'a Path,
    /// Folders that it may write to, because it was asked for.
    pub(super) writes: Vec<&'a Path>,
}

/// Lets the service reach what it needs, or refuses with what would help.
pub(super) fn prepare(account: &Account, reach: &Reach<'_>) -> Result<Entry, CliError> {
    let mut entry = Entry::default();
    let identities = account
        .identities(reach.service)
        .map_err(|error| cannot("tell the service's identity", &error))?;
    if let Some(identity) = identities.first() {
        let program = reach.image.parent().unwrap_or(reach.image);
        for folder in [program, reach.directory] {
            admit(account, &identities, folder, &mut entry)?;
        }
        for folder in &reach.writes {
            let list = access::entries(folder).unwrap_or_default();
            if access::service_may(&list, &identities, Right::Modify) {
                continue;
            }
            access::grant(folder, identity, Right::Modify).map_err(|error| {
                cannot(&format!("grant rights on `{}`", folder.display()), &error)
            })?;
            entry.granted.push(format!("write on {}", folder.display()));
            entry.folders.push((*folder).to_owned());
        }
    }
    Ok(entry)
}

fn admit(
    account: &Account,
    identities: &[String],
    folder: &Path,
    entry: &mut Entry,
) -> Result<(), CliError> {
    let list = access::entries(folder)
        .map_err(|error| cannot(&format!("look who may enter `{}`", folder.display()), &error))?;
    let Some(identity) = identities.first() else { return Ok(()) };
    if access::service_may(&list, identities, Right::Read) {
        return Ok(());
    }
    if paths::is_everybodys(folder) {
        let what = format!(
            "`{}` may not read `{}`, which holds much more than a program",
            account.name(),
            folder.display()
        );
        let hint = "put the program into a folder of its own, and name that with `--directory`\n       or run as the system: --account LocalSystem";
        return Err(CliError::refused(what, hint));
    }
    access::grant(folder, identity, Right::Read).map_err(|error| {
        let what = format!("`{}` may not read `{}`: {error}", account.name(), folder.display());
        let hint = format!(
            "grant it: icacls \"{}\" /grant \"*{identity}:(OI)(CI)RX\"\n       or run as the system: --account LocalSystem",
            folder.display()
        );
        CliError::refused(what, hint)
    })?;
    entry.granted.push(format!("read on {}", folder.display()));
    entry.folders.push(folder.to_owned());
    Ok(())
}

fn cannot(what: &str, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot {what}: {error}"), "")
}
