//! What the manager of services has in its database, and what lies about of services that it has
//! forgotten.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_agent::configuration;
use mainstay_api::config::Config;
use mainstay_platform::{
    access,
    registry::{Key, Purpose as Wanted},
    scm::{Database, Intent, Purpose},
};

use super::finding::Finding;
use crate::{
    cli::{
        install::{OWN_TIME, longest_stop},
        service::{
            list::is_ours,
            logon::{is_own, who_lacks},
        },
    },
    foreign::{folder_of, split_line},
    place::{Place, folders_of_services},
};

/// More names would hide the rest.
const NAMES_SHOWN: usize = 5;

/// A service of the manager's.
#[derive(Debug, Default)]
struct Registered {
    name: String,
    command_line: String,
    account: String,
    /// How long it may stop when the machine shuts down, where the system has such a time.
    shutdown: Option<Duration>,
    /// It is gone as soon as nobody looks at it any more.
    is_marked: bool,
}

/// Looks at all services; at nothing where there is no such manager.
pub(super) fn look() -> Vec<Finding> {
    let Ok(all) = registered() else { return Vec::new() };
    let (ours, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|service| is_ours(&quoted(&service.command_line)));
    let mut findings: Vec<Finding> = ours.iter().flat_map(of_ours).collect();
    findings.extend(writable_folders(&ours));
    findings.extend(left_over(&ours));
    findings.extend(unquoted_others(&others));
    findings
}

fn registered() -> std::io::Result<Vec<Registered>> {
    let database = Database::open(Purpose::Look)?;
    let all = database.list()?;
    let known = all.into_iter().filter_map(|listed| {
        // One that vanished meanwhile, or that this account may not look at, is left out.
        let service = database.service(&listed.name, Intent::Look).ok()?;
        let record = service.record().ok()?;
        Some(Registered {
            is_marked: is_marked(&listed.name),
            shutdown: service.preshutdown_timeout().ok(),
            name: listed.name,
            command_line: record.command_line,
            account: record.account,
        })
    });
    Ok(known.collect())
}

fn is_marked(name: &str) -> bool {
    let key = Key::open(&format!(r"SYSTEM\CurrentControlSet\Services\{name}"), Wanted::Look);
    let values = key.and_then(|key| key.values()).unwrap_or_default();
    let flag = values.iter().find(|value| value.name.eq_ignore_ascii_case("DeleteFlag"));
    flag.and_then(|value| value.data.number()).is_some_and(|number| number != 0)
}

fn of_ours(service: &Registered) -> Vec<Finding> {
    let place = Place::of(&service.name).ok();
    let config = place.and_then(|place| configuration::load(&place.located().file).ok());
    let timeout = config.as_ref().and_then(|config| short_shutdown(service, config));
    [unquoted(service), marked(service), logon_missing(service), timeout]
        .into_iter()
        .flatten()
        .collect()
}

fn unquoted(service: &Registered) -> Option<Finding> {
    let line = &service.command_line;
    is_unquoted(line).then(|| {
        Finding::bad(
            format!("command line of `{}` is not quoted: {line}", service.name),
            "whoever can make a file at one of the spaces is run in its place",
            format!("quote the program: sc config \"{}\" binPath= \"\\\"…\\\" …\"", service.name),
        )
    })
}

fn unquoted_others(others: &[Registered]) -> Option<Finding> {
    let names: Vec<&str> = others
        .iter()
        .filter(|service| is_unquoted(&service.command_line))
        .map(|service| service.name.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    let shown: Vec<&str> = names.iter().copied().take(NAMES_SHOWN).collect();
    let more = if names.len() > NAMES_SHOWN { ", …" } else { "" };
    Some(Finding::hint(
        format!("command lines of other services are not quoted: {}{more}", shown.join(", ")),
        "whoever can make a file at one of the spaces is run in their place",
        "tell those who made them; `sc qc NAME` shows the line",
    ))
}

/// Returns whether the system would look for the program at a space before its end.
fn is_unquoted(command_line: &str) -> bool {
    let line = command_line.trim_start();
    if line.starts_with('"') {
        return false;
    }
    let end = line.to_ascii_lowercase().find(".exe").unwrap_or(0);
    line.get(..end).is_some_and(|program| program.contains(' '))
}

/// Returns the line as it was meant: whoever has taken the quotes away has changed nothing else.
fn quoted(command_line: &str) -> Cow<'_, str> {
    if !is_unquoted(command_line) {
        return Cow::Borrowed(command_line);
    }
    let line = command_line.trim_start();
    let end = line.to_ascii_lowercase().find(".exe").map_or(0, |at| at + ".exe".len());
    let (program, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    Cow::Owned(format!("\"{program}\"{rest}"))
}

fn marked(service: &Registered) -> Option<Finding> {
    service.is_marked.then(|| {
        Finding::bad(
            format!("`{}` is marked for deletion, and somebody holds it open", service.name),
            "it can neither be started nor installed anew",
            "close services.msc, Task Manager and Process Explorer; else restart the machine",
        )
    })
}

fn logon_missing(service: &Registered) -> Option<Finding> {
    let who = who_lacks(&service.name, &service.account)?;
    let why = if is_own(&service.account) {
        "it cannot be started (1069): a policy has replaced who may log on as a service"
    } else {
        "unless a group of the account has it, it cannot be started (1069)"
    };
    Some(logon_finding(service, &who, why))
}

fn logon_finding(service: &Registered, who: &str, why: &'static str) -> Finding {
    Finding::bad(
        format!(
            "`{}` runs as {}, which may not log on as a service",
            service.name, service.account
        ),
        why,
        format!(
            "grant `Log on as a service` to {who} in secpol.msc, or in the policy of the domain"
        ),
    )
}

fn short_shutdown(service: &Registered, config: &Config) -> Option<Finding> {
    let (given, needed) = (service.shutdown?, longest_stop(config) + OWN_TIME);
    (given < needed).then(|| {
        Finding::bad(
            format!(
                "`{}` has {given:?} to stop when the machine shuts down, and may need {needed:?}",
                service.name
            ),
            "its programs are killed with the machine",
            format!("sc preshutdown \"{}\" {}", service.name, needed.as_millis()),
        )
    })
}

/// Whoever can change what a service runs, or how, has the rights of its account.
fn writable_folders(ours: &[Registered]) -> Vec<Finding> {
    let folders: BTreeSet<(PathBuf, bool)> = ours.iter().flat_map(folders_of).collect();
    let look = |(folder, is_mighty): &(PathBuf, bool)| {
        let who = access::who_writes(&access::entries(folder).ok()?)?;
        Some(writable(folder, *is_mighty, who))
    };
    folders.iter().filter_map(look).collect()
}

/// Returns the folders of our program, of the service's programs and of its configuration, and
/// whether the service may do everything.
fn folders_of(service: &Registered) -> Vec<(PathBuf, bool)> {
    let is_mighty = service.account.eq_ignore_ascii_case("LocalSystem");
    let own = split_line(&service.command_line).into_iter().next().unwrap_or_default();
    let place = Place::of(&service.name).ok();
    let config = place.as_ref().and_then(|place| configuration::load(&place.located().file).ok());
    let commands = config.iter().flat_map(|config| config.services.values());
    let programs = commands.filter_map(|service| service.command.first().cloned());
    let mut folders: Vec<PathBuf> = [own]
        .into_iter()
        .chain(programs)
        .map(|program| PathBuf::from(folder_of(&program)))
        .filter(|folder| folder.is_absolute())
        .collect();
    folders.extend(place.map(|place| place.folder()));
    folders.into_iter().map(|folder| (folder, is_mighty)).collect()
}

fn writable(folder: &Path, is_mighty: bool, who: &str) -> Finding {
    let what =
        format!("{} can be changed by every user, and services run from it", folder.display());
    let remedy = format!("icacls \"{}\" /inheritance:d /remove:g *{who}", folder.display());
    if is_mighty {
        Finding::bad(what, "every user can become the system", remedy)
    } else {
        Finding::hint(what, "every user has the rights of the service's account", remedy)
    }
}

/// Returns the folders of services that the manager does not know.
fn left_over(ours: &[Registered]) -> Vec<Finding> {
    let is_known = |name: &str| ours.iter().any(|service| service.name.to_lowercase() == name);
    let left = folders_of_services().into_iter().filter(|(name, _)| !is_known(name));
    let told = |(name, folder): (String, PathBuf)| {
        Finding::hint(
            format!("folder of `{name}`, which is no service any more: {}", folder.display()),
            "its configuration and logs take room",
            format!("rmdir /s \"{}\"", folder.display()),
        )
    };
    left.map(told).collect()
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{self, SourceText};

    use super::{super::finding::Verdict, *};

    fn service(name: &str, command_line: &str) -> Registered {
        Registered {
            name: name.to_owned(),
            command_line: command_line.to_owned(),
            ..Registered::default()
        }
    }

    #[test]
    fn a_path_with_spaces_is_quoted_or_told() {
        let check = |line: &str, expected: bool| assert_eq!(is_unquoted(line), expected, "{line}");
        check(r#""C:\Program Files\a b.exe" x"#, false);
        check(r"C:\Program Files\a.exe x", true);
        check(r"C:\Windows\System32\svchost.exe -k netsvcs -p", false);
        check(r"C:\tools\a.EXE C:\b c.exe", false);
        check(r"\SystemRoot\System32\drivers\x y.sys", false);
        check("", false);
        let line = r"C:\Program Files\Mainstay\mainstay.exe keeper --service web";
        assert!(!is_ours(line) && is_ours(&quoted(line)), "it is ours all the same");
        let ours = unquoted(&service("web", r"C:\Program Files\m.exe keeper --service web"));
        assert_eq!(ours.unwrap().verdict, Verdict::Bad);
    }

    #[test]
    fn a_few_of_the_others_are_named_in_one_hint() {
        let others: Vec<_> =
            (1..=7).map(|number| service(&format!("s{number}"), r"C:\a b\c.exe")).collect();
        let found = unquoted_others(&others).unwrap();
        assert_eq!(found.verdict, Verdict::Hint);
        assert!(found.what.ends_with("not quoted: s1, s2, s3, s4, s5, …"), "{found:?}");
        assert_eq!(unquoted_others(&[service("x", "a.exe")]), None);
    }

    #[test]
    fn a_shutdown_that_is_too_short_is_told_with_the_line_that_helps() {
        let text = "[services.web]\ncommand = [\"a\"]\nstop = { timeout = \"55s\" }\n";
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let config = config::parse(&[source]).unwrap();
        let given = |seconds| Registered {
            shutdown: Some(Duration::from_secs(seconds)),
            ..service("web", "")
        };
        let found = short_shutdown(&given(35), &config).unwrap();
        assert_eq!(
            found.what,
            "`web` has 35s to stop when the machine shuts down, and may need 60s"
        );
        assert_eq!(found.remedy, "sc preshutdown \"web\" 60000");
        assert_eq!(short_shutdown(&given(60), &config), None);
        assert_eq!(short_shutdown(&service("web", ""), &config), None);
    }

    #[test]
    fn what_every_user_can_change_is_worse_when_the_system_runs_it() {
        let look = |is_mighty| writable(Path::new(r"C:\web"), is_mighty, access::USERS);
        assert_eq!((look(true).verdict, look(false).verdict), (Verdict::Bad, Verdict::Hint));
        let line = r#"icacls "C:\web" /inheritance:d /remove:g *S-1-5-32-545"#;
        assert_eq!(look(true).remedy, line);
    }

    #[test]
    fn a_service_that_cannot_be_removed_yet_says_who_holds_it() {
        let held = Registered { is_marked: true, ..service("web", "") };
        assert!(marked(&held).unwrap().remedy.contains("services.msc"));
        assert_eq!(marked(&service("web", "")), None);
    }
}
