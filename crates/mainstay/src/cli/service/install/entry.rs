//! Whether the service can enter where its program lies, and who else can change what it runs.

use std::{io, path::Path};

use mainstay_platform::{access, paths::Right};

use super::account::Account;
use crate::errors::CliError;

/// What was looked at and done, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// What was granted.
    pub(super) granted: Vec<String>,
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
    access::grant(folder, identity, Right::Read).map_err(|error| {
        let what = format!("`{}` may not read `{}`: {error}", account.name(), folder.display());
        let hint = format!(
            "grant it: icacls \"{}\" /grant \"*{identity}:(OI)(CI)RX\"\n       or run as the system: --account LocalSystem",
            folder.display()
        );
        CliError::refused(what, hint)
    })?;
    entry.granted.push(format!("read on {}", folder.display()));
    Ok(())
}

/// Who can change the program can do whatever its account can.
pub(super) fn look_who_writes(
    account: &Account,
    folder: &Path,
    is_accepted: bool,
) -> Result<Option<String>, CliError> {
    // Where there is no list to be read there is nothing to warn of.
    let list = access::entries(folder).unwrap_or_default();
    let Some(who) = access::who_writes(&list) else { return Ok(None) };
    let what = format!("{} can be changed by every user", folder.display());
    let line = format!("icacls \"{}\" /inheritance:d /remove:g *{who}", folder.display());
    if account.is_mighty() && !is_accepted {
        let hint = format!(
            "take that away: {line}\n       or let an account of the service's own run it: leave `--account` out\n       or accept it: --allow-writable"
        );
        return Err(CliError::refused(
            format!("{what}, and its programs would run as the system"),
            hint,
        ));
    }
    Ok(Some(format!("{what}: {line}")))
}

fn cannot(what: &str, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot {what}: {error}"), "")
}
