//! The thread that reads what a crash has left and puts it into a file.

use std::{
    io,
    path::Path,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::{Duration, SystemTime},
};

use mainstay_api::{
    bundle::{BUNDLE_FORMAT, Bundle, Dump, Ending, Limits, Origin, SystemLimit, Variable},
    config::ServiceConfig,
    keeper::{Exited, Streams},
};
use mainstay_core::UnitName;
use mainstay_platform::{clock, dump, fail, limits, paths};
use mainstay_storage::{instance::Instance, shelf::Shelf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    case::{Case, ending_of},
    plain, tail,
};
use crate::{events::complain, launch};

/// So many crashes may wait for the disk; their exits wait with them.
const JOBS_MAX: usize = 64;
/// What began at once would compete with the very restart that follows the crash.
const BEGIN_AFTER: Duration = Duration::from_millis(10);

/// Something for the writer.
#[derive(Debug)]
pub(super) enum Job {
    Write(Box<Case>),
    /// What was not known of an end is.
    Amend(Exited),
}

/// What became of a bundle.
#[derive(Debug)]
pub(crate) struct Written {
    pub(super) unit: UnitName,
    pub(super) run: u64,
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    New,
    /// It was there, or is older than all that are kept.
    Old,
    Failed(String),
}

impl Job {
    pub(super) fn into_case(self) -> Option<Box<Case>> {
        match self {
            Self::Write(case) => Some(case),
            Self::Amend(_) => None,
        }
    }
}

/// Returns what the writer could not take.
pub(super) fn returned(error: mpsc::TrySendError<Job>) -> Job {
    match error {
        mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job) => job,
    }
}

/// The way to the writer and back.
type Ways = (SyncSender<Job>, UnboundedReceiver<Written>);

/// Starts the thread; it ends with the way to it.
pub(super) fn start(instance: Instance) -> io::Result<Ways> {
    let (jobs, inbox) = mpsc::sync_channel(JOBS_MAX);
    // As many as there were jobs, at most.
    let (outbox, written) = unbounded_channel();
    thread::Builder::new()
        .name("bundles".to_owned())
        .spawn(move || work(&instance, &inbox, &outbox))?;
    Ok((jobs, written))
}

fn work(instance: &Instance, inbox: &Receiver<Job>, outbox: &UnboundedSender<Written>) {
    while let Ok(job) = inbox.recv() {
        let case = match job {
            Job::Write(case) => case,
            Job::Amend(exited) => {
                if let Err(error) = amend(instance, &exited) {
                    complain("cannot amend a crash bundle", &error);
                }
                continue;
            }
        };
        thread::park_timeout(BEGIN_AFTER);
        let outcome =
            write(instance, &case).unwrap_or_else(|error| Outcome::Failed(error.to_string()));
        if outbox.send(Written { unit: case.unit, run: case.run, outcome }).is_err() {
            return;
        }
    }
}

fn shelf(instance: &Instance, unit: &str) -> Shelf {
    Shelf::new(instance.bundles().join(unit))
}

/// Writes a bundle once: an exit that a former agent has written one for may come again.
fn write(instance: &Instance, case: &Case) -> io::Result<Outcome> {
    let shelf = shelf(instance, &case.unit.to_string());
    let keep = usize::try_from(case.service.bundles).unwrap_or(usize::MAX);
    let there = shelf.numbers()?;
    let is_past = there.len() >= keep && there.first().is_some_and(|first| case.run < *first);
    if there.contains(&case.run) || is_past {
        return Ok(Outcome::Old);
    }
    paths::create_private(shelf.folder())?;
    let bytes = serde_json::to_vec_pretty(&bundle(instance, case))?;
    fail::point("agent.bundle.before");
    shelf.put(case.run, &bytes, paths::create_private_file)?;
    fail::point("agent.bundle.after");
    shelf.thin(keep)?;
    Ok(Outcome::New)
}

fn amend(instance: &Instance, exited: &Exited) -> io::Result<()> {
    let shelf = shelf(instance, &exited.unit);
    if !shelf.numbers()?.contains(&exited.run) {
        return Ok(());
    }
    let bytes = std::fs::read(shelf.path(exited.run))?;
    let bundle: Bundle = serde_json::from_slice(&bytes)?;
    let Ending { how, code, signal, .. } = ending_of(exited.status);
    let exit = Ending { how, code, signal, ..bundle.exit };
    let bytes = serde_json::to_vec_pretty(&Bundle { exit, ..bundle })?;
    shelf.put(exited.run, &bytes, paths::create_private_file)
}

fn bundle(instance: &Instance, case: &Case) -> Bundle {
    let mut gaps = Vec::new();
    let service = &case.service;
    let unit = case.unit.to_string();
    Bundle {
        format: BUNDLE_FORMAT,
        service: case.unit.service.to_string(),
        lines: lines(instance, case, &mut gaps),
        unit,
        run: case.run,
        pid: case.pid,
        exit: case.ending.clone(),
        then: case.sequel.clone(),
        left_out: case.left_out,
        command: plain::command(&service.command),
        directory: service.directory.clone(),
        environment: environment(instance, case),
        limits: Limits { configured: configured(service), system: system(case, &mut gaps) },
        usage: case.usage.clone(),
        results: case.results.clone(),
        dump: dump_of(case),
        gaps,
    }
}

fn lines(
    instance: &Instance,
    case: &Case,
    gaps: &mut Vec<String>,
) -> Vec<mainstay_api::bundle::Words> {
    if case.service.logs.streams == Streams::Off {
        gaps.push("its output is discarded (`logs = \"off\"`)".to_owned());
        return Vec::new();
    }
    let folder = instance.logs_of(&case.unit.to_string());
    tail::of_run(&folder, case.run).unwrap_or_else(|error| {
        gaps.push(format!("its log cannot be read: {error}"));
        Vec::new()
    })
}

fn environment(instance: &Instance, case: &Case) -> Vec<Variable> {
    // The agent's is the keeper's, from which programs inherit.
    let inherited = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let own = launch::own_variables(instance, &case.unit, case.run).into_iter();
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let mut all = plain::environment(inherited, &case.service.environment, own);
    // Of what was fetched nothing but the name is known here.
    for name in case.service.fetched.environment.keys() {
        all.retain(|variable| variable.name != *name);
        all.push(Variable { name: name.clone(), value: None, origin: Origin::Configured });
    }
    all
}

fn configured(service: &ServiceConfig) -> std::collections::BTreeMap<String, String> {
    let files = service.files.map(|files| ("limits.files".to_owned(), files.to_string()));
    files.into_iter().collect()
}

fn system(case: &Case, gaps: &mut Vec<String>) -> Vec<SystemLimit> {
    match limits::of(case.keeper) {
        Ok(all) => all
            .into_iter()
            .map(|limits::Limit { name, soft, hard }| SystemLimit { name, soft, hard })
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => {
            gaps.push(format!("the limits of the system cannot be read: {error}"));
            Vec::new()
        }
    }
}

fn dump_of(case: &Case) -> Option<Dump> {
    let directory = case.service.directory.as_deref().unwrap_or("/");
    // A file system may know the time of a file to two seconds only.
    let since = case.lived + Duration::from_secs(10);
    let dead = dump::Dead {
        pid: case.pid,
        program: case.service.command.first().map_or("", String::as_str),
        directory: Path::new(directory),
        signal: case.signal,
        started: clock::realtime().checked_sub(since).unwrap_or(SystemTime::UNIX_EPOCH),
    };
    Some(match dump::find(&dead)? {
        dump::Dump::File(path) => Dump::File(path.display().to_string()),
        dump::Dump::Command(command) => Dump::Command(command),
        dump::Dump::Elsewhere(words) => Dump::Elsewhere(words),
    })
}
