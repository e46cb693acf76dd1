//! How many files keeper and agent must be allowed to have open for a configuration.

use std::path::Path;

use mainstay_api::{
    config::{Config, Diagnostic, ServiceConfig},
    keeper::Streams,
};
use mainstay_platform::daemon;

/// What each of the two needs besides what units take.
const BASE: u64 = 96;
/// A process, a pipe and a segment.
const UNIT: u64 = 3;
/// Another pipe and another segment.
const SPLIT: u64 = 2;
/// The socket for notifications.
const SOCKET: u64 = 1;

/// Returns how many open files the units of a configuration take, and what is needed besides.
pub fn needed(config: &Config) -> u64 {
    config.services.values().map(of_service).sum::<u64>() + BASE
}

fn of_service(service: &ServiceConfig) -> u64 {
    let more = if service.logs.streams == Streams::Split { SPLIT } else { 0 };
    let stored = service.care.notify.map_or(0, |notify| u64::from(notify.store));
    let heard = if service.care.has_socket() { SOCKET + stored } else { 0 };
    u64::from(service.instances) * (UNIT + more + heard)
}

/// Says with the number needed that a configuration is too large for what is allowed here.
pub fn check(config: &Config, main: &Path) -> Result<(), Vec<Diagnostic>> {
    let (needed, allowed) = (needed(config), daemon::file_limit());
    if needed <= allowed {
        return Ok(());
    }
    let units: u64 = config.services.values().map(|service| u64::from(service.instances)).sum();
    let message = if units == 1 {
        format!("1 unit needs {needed} open files, and {allowed} are allowed")
    } else {
        format!("{units} units need {needed} open files, and {allowed} are allowed")
    };
    let help = format!("raise the hard limit where `mainstay up` is started: `ulimit -n {needed}`");
    let file = main.display().to_string();
    Err(vec![Diagnostic::of_file(&file, "too-many-files", message, &help)])
}
