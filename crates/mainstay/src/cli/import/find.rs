//! Reading what other wrappers have left: the manager's record, the registry, a file.

use std::{
    io,
    path::{Path, PathBuf},
};

use mainstay_platform::{
    registry::{Key, Purpose as KeyPurpose, Value},
    scm::{Intent, Listed, Purpose, Record, Service, Start},
};

use super::untranslatable;
use crate::{
    cli::service::{self, trouble},
    errors::CliError,
    foreign::{
        Registered, Translation, demand_own_process, file_stem, nssm, plain, shawl, split_line,
        winsw,
    },
};

/// Where the keys of services are.
pub(super) const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";
/// A configuration file of `WinSW` over this size is refused.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn nssm(name: &str) -> Result<Translation, CliError> {
    let registered = registered(name)?;
    let below = format!(r"{SERVICES}\{name}\Parameters");
    let parameters = values(&below).map_err(|error| {
        let hint = "`mainstay import sc NAME` explains services of other kinds";
        let what =
            format!("`{name}` is no service of NSSM: its parameters cannot be read: {error}");
        CliError::refused(what, hint)
    })?;
    let found = nssm::Found {
        registered,
        parameters,
        exits: values(&format!(r"{below}\AppExit")).unwrap_or_default(),
        hooks: hooks(&format!(r"{below}\AppEvents")).unwrap_or_default(),
    };
    nssm::translate(&found, &variable)
        .map(Translation::with_what_is_left)
        .map_err(|reason| untranslatable(name, reason))
}

/// A service that is run by a program of that name, whatever its folder and version.
pub(super) fn all_of_nssm() -> Result<Vec<Translation>, CliError> {
    let listed = service::database(Purpose::Look)?
        .list()
        .map_err(|error| trouble::refused("list the services", &error))?;
    let names = listed.into_iter().map(|Listed { name, .. }| name).filter(|name| is_of_nssm(name));
    let found: Vec<Translation> = names.map(|name| nssm(&name)).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(CliError::refused("there is no service of NSSM here", ""));
    }
    Ok(found)
}

fn is_of_nssm(name: &str) -> bool {
    let Ok(registered) = registered(name) else { return false };
    let program = split_line(&registered.command_line).into_iter().next().unwrap_or_default();
    let parameters = values(&format!(r"{SERVICES}\{name}\Parameters")).unwrap_or_default();
    file_stem(&program).contains("nssm") && nssm::is_known(&parameters)
}

pub(super) fn plain(name: &str) -> Result<Translation, CliError> {
    plain::translate(&registered(name)?).map_err(|reason| untranslatable(name, reason))
}

pub(super) fn shawl(name: &str) -> Result<Translation, CliError> {
    shawl::translate(&registered(name)?).map_err(|reason| untranslatable(name, reason))
}

pub(super) fn winsw(path: &Path) -> Result<Translation, CliError> {
    let shown = path.display().to_string();
    let text = read(path).map_err(|error| {
        let hint = "name the XML file beside the WinSW program";
        CliError::refused(format!("cannot read `{shown}`: {error}"), hint)
    })?;
    let absolute = whole(path);
    let folder = absolute.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let file = winsw::File { text: &text, folder: &folder };
    winsw::translate(file, &variable)
        .map(Translation::with_what_is_left)
        .map_err(|reason| untranslatable(&shown, reason))
}

/// Returns the path of a file as a service would name it.
pub(super) fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn read(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    let bytes = std::fs::read(path)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    std::str::from_utf8(text).map(str::to_owned).map_err(no_text)
}

/// Variables of the machine, which are the same for every account; that of an administrator who
/// runs this would lead a service to that one's folders.
fn variable(name: &str) -> Option<String> {
    let is_machines = OF_MACHINE.iter().any(|known| known.eq_ignore_ascii_case(name));
    if is_machines {
        return std::env::var(name).ok();
    }
    let set = values(ENVIRONMENT).unwrap_or_default();
    let found = set.into_iter().find(|value| value.name.eq_ignore_ascii_case(name))?;
    found.data.text().map(str::to_owned)
}

/// What the system sets for every process.
const OF_MACHINE: [&str; 14] = [
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "COMPUTERNAME",
    "PUBLIC",
    "ALLUSERSPROFILE",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramW6432",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "CommonProgramW6432",
];
/// Where the others of the machine are.
const ENVIRONMENT: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

fn registered(name: &str) -> Result<Registered, CliError> {
    let service = service::service(name, Intent::Look)?;
    let refused = |error: io::Error| trouble::refused(&format!("look at `{name}`"), &error);
    let record = service.record().map_err(refused)?;
    demand_own_process(name, record.form).map_err(|reason| untranslatable(name, reason))?;
    Ok(as_registered(record, &service, name))
}

fn as_registered(record: Record, service: &Service, name: &str) -> Registered {
    let start = match record.start {
        Start::Automatic => "auto",
        Start::Delayed => "delayed",
        Start::Demand => "demand",
        Start::Disabled => "disabled",
    };
    Registered {
        name: name.to_owned(),
        display_name: record.display_name,
        description: service.description().unwrap_or_default(),
        command_line: record.command_line,
        start: start.to_owned(),
        account: record.account,
        dependencies: record.dependencies,
    }
}

fn values(path: &str) -> io::Result<Vec<Value>> {
    Key::open(path, KeyPurpose::Look)?.values()
}

/// Each event has a key with a value for each action.
fn hooks(path: &str) -> io::Result<Vec<nssm::Hook>> {
    let mut hooks = Vec::new();
    for event in Key::open(path, KeyPurpose::Look)?.keys()? {
        for value in values(&format!(r"{path}\{event}"))? {
            let command = value.data.text().unwrap_or_default().to_owned();
            hooks.push((format!("{event}/{}", value.name), command));
        }
    }
    Ok(hooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_whoever_imports_are_no_service_s() {
        for name in ["APPDATA", "USERPROFILE", "TEMP", "HOME", "USER"] {
            assert!(OF_MACHINE.iter().all(|known| *known != name));
        }
        assert_eq!(variable("HOME"), None);
    }
}
