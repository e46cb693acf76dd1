//! The names that a command line is completed with: those of the instance that it is for. Whoever
//! does not answer in time has none, and nobody says a word about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use clap_complete::CompletionCandidate;
use mainstay_api::{
    config::catalogue::{Key, Part, parts},
    control::{Events, Secrets, Status, UnitDetail},
};
use mainstay_platform::clock;

use crate::{
    cli::service,
    client::{Client, escaped},
    errors::CliError,
    instance,
    words::{self, said_of},
};

/// Somebody waits with a finger on a key.
const PATIENCE: Duration = Duration::from_millis(300);
/// So many events are looked at for their types.
const EVENTS: usize = 1_000;
/// So many units are asked for their hooks and checks.
const UNITS_MAX: usize = 50;
/// The table of the configuration that a service is.
const SERVICE: &str = "services.NAME";

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Units, services and groups.
    Units,
    Services,
    Instances,
    Secrets,
    EventTypes,
    Hooks,
    Checks,
    /// Keys of a service in the configuration.
    Keys,
    /// The same, to be followed by a value.
    KeysToSet,
    /// Services of the operating system that are ours.
    Installed,
}

/// Names, each with a word about it.
type Found = BTreeMap<String, String>;

/// Returns the names that there are, in the time that all of them together have.
pub(super) fn of(what: Names) -> Vec<CompletionCandidate> {
    static BEGAN: OnceLock<Duration> = OnceLock::new();
    let spent = clock::monotonic().saturating_sub(*BEGAN.get_or_init(clock::monotonic));
    let (sender, receiver) = mpsc::channel();
    // Whatever hangs there ends with us.
    let asking = thread::Builder::new().spawn(move || sender.send(found(what)));
    let found =
        asking.ok().and_then(|_| receiver.recv_timeout(PATIENCE.saturating_sub(spent)).ok());
    let named = |(name, about): (String, String)| {
        let about = Some(about).filter(|about| !about.is_empty());
        CompletionCandidate::new(name)
            .help(about.map(|about| words::told(&about).into_owned().into()))
    };
    found.into_iter().flatten().map(named).collect()
}

fn found(what: Names) -> Found {
    match what {
        Names::Instances => {
            instance::names().into_iter().map(|name| (name, String::new())).collect()
        }
        Names::Keys => keys("").collect(),
        Names::KeysToSet => keys("=").collect(),
        Names::Installed => installed(),
        Names::Units
        | Names::Services
        | Names::Secrets
        | Names::EventTypes
        | Names::Hooks
        | Names::Checks => told(what).unwrap_or_default(),
    }
}

/// Asks the agent.
fn told(what: Names) -> Option<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(ask(what)).ok()
}

async fn ask(what: Names) -> Result<Found, CliError> {
    let named = said_of("instance", std::env::args().skip_while(|word| word != "--").skip(1));
    let located = instance::choose(named.as_deref())?;
    let mut client = Client::connect(&located).await?;
    match what {
        Names::Secrets => {
            let all: Secrets = client.get("/v1/secrets").await?;
            let used = |services: &[String]| services.join(", ");
            Ok(all.secrets.into_iter().map(|one| (one.name, used(&one.services))).collect())
        }
        Names::EventTypes => {
            let all: Events = client.get(&format!("/v1/events?limit={EVENTS}")).await?;
            Ok(all.events.into_iter().map(|event| (event.event, String::new())).collect())
        }
        Names::Hooks | Names::Checks => beside(&mut client, what).await,
        Names::Services => Ok(services(&client.get("/v1/status").await?)),
        Names::Units => Ok(units(client.get("/v1/status").await?)),
        Names::Instances | Names::Keys | Names::KeysToSet | Names::Installed => Ok(Found::new()),
    }
}

fn services(status: &Status) -> Found {
    status.units.iter().map(|unit| (unit.service.clone(), String::new())).collect()
}

fn units(status: Status) -> Found {
    let groups = status.groups.into_iter().map(|group| {
        let about = group.description.unwrap_or_else(|| group.services.join(", "));
        (format!("@{}", group.name), about)
    });
    let groups: Found = groups.collect();
    let units = status.units.into_iter().map(|unit| (unit.unit, unit.state));
    groups.into_iter().chain(units).collect()
}

/// Returns what runs beside programs: hooks or checks, of all units.
async fn beside(client: &mut Client, what: Names) -> Result<Found, CliError> {
    let status: Status = client.get("/v1/status").await?;
    let mut all = BTreeSet::new();
    for unit in status.units.iter().take(UNITS_MAX) {
        let detail: UnitDetail = client.get(&format!("/v1/units/{}", escaped(&unit.unit))).await?;
        if what == Names::Hooks {
            all.extend(detail.hooks.into_iter().map(|hook| hook.hook));
        } else {
            all.extend(detail.checks.into_iter().map(|check| check.check));
        }
    }
    Ok(all.into_iter().map(|name| (name, String::new())).collect())
}

/// Returns the keys of a service, those of its tables with a dot.
fn keys(end: &'static str) -> impl Iterator<Item = (String, String)> {
    let service = parts().into_iter().find(|part| part.path == SERVICE);
    let own = service.into_iter().flat_map(|part| part.keys.iter());
    own.flat_map(|key| {
        let below = below(key).into_iter().flat_map(|part| part.keys.iter());
        let dotted = below.map(move |below| (format!("{}.{}", key.name, below.name), below));
        [(key.name.to_owned(), key)].into_iter().chain(dotted)
    })
    .map(move |(name, key)| (name + end, about(key)))
}

/// Returns the table that a key may hold, where its keys are known by name.
fn below(key: &'static Key) -> Option<&'static Part> {
    let path = format!("{SERVICE}.{}", key.name);
    key.shape.parts().into_iter().find(|part| part.path == path)
}

fn about(key: &Key) -> String {
    let text = match words::language() {
        words::Language::English => key.about.en,
        words::Language::Chinese => key.about.zh,
    };
    text.split_inclusive(['.', '。']).next().unwrap_or_default().to_owned()
}

fn installed() -> Found {
    service::list::names().into_iter().map(|name| (name, String::new())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_tables_have_a_dot_and_say_what_they_are_for() {
        let keys: Found = keys("=").collect();
        assert!(keys.contains_key("command=") && keys.contains_key("restart.delay="));
        assert!(keys.values().all(|about| !about.is_empty()));
        assert!(keys.len() > 60, "{}", keys.len());
    }
}
