//! `mainstay service run`: the very configuration of a service, in the foreground, to find out what
//! is wrong with it.
//!
//! Keeper, agent, folders and logs are those of the service; only the account is the caller's.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_platform::scm::{Intent, State};

use super::{control, demand_elevation, service, settings::Configuration, trouble};
use crate::{
    cli::{logs::tail::Tail, up},
    errors::CliError,
    place::Place,
    print, typed,
};

/// Run a service here, in the foreground, to see what is wrong; Ctrl-C stops it
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service run web")]
pub(super) struct Args {
    /// The service's name
    name: String,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    demand_elevation("running a service by hand")?;
    let name = &args.name;
    let account = idle(name)?;
    // It must be one of ours.
    Configuration::of(name)?;
    let place = Place::of(name).map_err(|error| trouble::refused("find its folder", &error))?;
    let located = place.located();
    print::talk(&format!("`{name}` runs here, as you and not as {account}"));
    let mut tail = Tail::of(&located)?;
    let ended = tokio::select! {
        ended = up::hold(&located, Some(name)) => ended,
        shown = tail.follow() => shown.map(|()| ExitCode::SUCCESS),
    };
    tail.show()?;
    ended
}

/// Returns the account of a service that does not run; there is never more than one of it.
fn idle(name: &str) -> Result<String, CliError> {
    let service = service(name, Intent::Look)?;
    let status = control::status(&service, name)?;
    if status.state != State::Stopped {
        let what = format!("cannot run `{name}` here: the service is {}", status.state);
        let quoted = typed::shown(name);
        let hint = format!("stop it first: `mainstay service stop {quoted}`");
        return Err(CliError::refused(what, hint));
    }
    let record = service.record();
    Ok(record.map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))?.account)
}
