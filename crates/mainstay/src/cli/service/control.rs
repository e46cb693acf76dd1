//! `mainstay service start|stop|restart`: ask the manager, then wait until it is so.

use std::{io, path::Path, process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_platform::{
    clock,
    lock::FileLock,
    process::Process,
    scm::{Control, Intent, Service, State, Status, code},
};

use super::{ours, trouble};
use crate::{errors::CliError, place::Place, print};

/// How long a start may take before nobody waits any more.
const START_WITHIN: Duration = Duration::from_secs(30);
/// What a stop may take beyond what the service itself has announced.
const SLACK: Duration = Duration::from_secs(5);
/// How long a process may take to go when its service has stopped.
const GONE_WITHIN: Duration = Duration::from_secs(10);
/// So often a service is asked to stop that runs again.
const ASKED_MAX: u32 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Which service, and whether to wait.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The service's name
    name: String,

    /// Return as soon as the manager has been asked
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn start(args: &Args) -> Result<ExitCode, CliError> {
    let service = ours(&args.name, Intent::Control)?;
    begin(&service, &args.name)?;
    if args.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(report(&args.name, &settled(&service, State::Running, START_WITHIN).await?))
}

pub(super) async fn stop(args: &Args) -> Result<ExitCode, CliError> {
    let service = ours(&args.name, Intent::Control)?;
    if !args.no_wait {
        end(&service, &args.name).await?;
        return Ok(report(&args.name, &status(&service, &args.name)?));
    }
    ask(&service, &args.name)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restart(args: &Args) -> Result<ExitCode, CliError> {
    let service = ours(&args.name, Intent::Control)?;
    end(&service, &args.name).await?;
    start(args).await
}

/// Stops a service and waits for it and for its agent; one that does not run is as good.
///
/// An agent without a keeper starts its service again: a stop that comes while a keeper makes room
/// for its successor is none until the successor has heard of it, too.
pub(in crate::cli) async fn end(service: &Service, name: &str) -> Result<(), CliError> {
    for _ in 0..ASKED_MAX {
        ask(service, name)?;
        let until = status(service, name)?.wait_hint + SLACK;
        let now = settled(service, State::Stopped, until).await?;
        if now.state == State::Stopped {
            if agent_gone(service, name).await? == Gone::Yes {
                return Ok(());
            }
        } else if now.state != State::Running {
            return Err(still(name, now.state));
        }
    }
    Err(still(name, status(service, name)?.state))
}

fn still(name: &str, state: State) -> CliError {
    let what = format!("`{name}` is still {state}");
    CliError::refused(what, "`mainstay service status NAME` says when it has stopped")
}

/// Whether a service that has stopped will stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    Yes,
    RunsAgain,
}

/// Waits until the agent of a service that has stopped is gone, or the service runs again. The
/// agent has files open that may be deleted next, and the lock that its successor needs.
async fn agent_gone(service: &Service, name: &str) -> Result<Gone, CliError> {
    let place = Place::of(name).map_err(|error| trouble::refused("find its folder", &error))?;
    let lock = place.located().instance.agent_lock();
    let until = clock::monotonic() + GONE_WITHIN;
    while is_held(&lock) {
        if status(service, name)?.state != State::Stopped {
            // Before it has said what it accepts nothing can be asked of it.
            settled(service, State::Running, START_WITHIN).await?;
            return Ok(Gone::RunsAgain);
        }
        if clock::monotonic() >= until {
            let what = format!("`{name}` has stopped, but its agent has not");
            return Err(CliError::refused(what, "end it in Task Manager, then try again"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(Gone::Yes)
}

/// Returns whether somebody is seen to hold a lock; whoever may not look sees nobody.
fn is_held(lock: &Path) -> bool {
    lock.exists() && FileLock::try_take(lock).is_ok_and(|lock| lock.is_none())
}

/// Stops a service and waits until its process is gone, too: it has said that it has stopped a
/// moment before it lets go of its files.
pub(in crate::cli) async fn end_process(service: &Service, name: &str) -> Result<(), CliError> {
    let process = process_of(service, name)?;
    end(service, name).await?;
    gone(process, name).await
}

/// Returns the process of a service that runs.
pub(in crate::cli) fn process_of(
    service: &Service,
    name: &str,
) -> Result<Option<Process>, CliError> {
    let pid = status(service, name)?.pid;
    // Whoever cannot be looked at has ended.
    Ok((pid != 0).then(|| Process::open_pid(pid).ok().flatten()).flatten())
}

/// Waits until a process is gone.
pub(in crate::cli) async fn gone(process: Option<Process>, name: &str) -> Result<(), CliError> {
    let Some(process) = process else { return Ok(()) };
    let until = clock::monotonic() + GONE_WITHIN;
    while !process.has_ended() {
        if clock::monotonic() >= until {
            let what = format!("`{name}` has stopped, but its process {} has not", process.pid());
            return Err(CliError::refused(what, "end it in Task Manager, then try again"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn ask(service: &Service, name: &str) -> Result<(), CliError> {
    match service.control(Control::Stop) {
        Err(error) if error.raw_os_error() == Some(code::NOT_ACTIVE) => Ok(()),
        // It stops already.
        Err(error) if error.raw_os_error() == Some(code::CANNOT_ACCEPT) => Ok(()),
        done => done.map_err(|error| trouble::refused(&format!("stop `{name}`"), &error)),
    }
}

/// Starts a service; one that runs is refused.
pub(in crate::cli) fn begin(service: &Service, name: &str) -> Result<(), CliError> {
    service.start(&[]).map_err(|error| trouble::refused(&format!("start `{name}`"), &error))
}

pub(in crate::cli) fn status(service: &Service, name: &str) -> Result<Status, CliError> {
    service.status().map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))
}

/// Waits until a service is where it is wanted, has ended or come back instead, or takes longer
/// than it has said; each sign of life gives it that time anew.
pub(in crate::cli) async fn settled(
    service: &Service,
    wanted: State,
    patience: Duration,
) -> Result<Status, CliError> {
    let refused = |error: io::Error| trouble::refused("look at the service", &error);
    let mut last = service.status().map_err(refused)?;
    let mut until = clock::monotonic() + patience;
    loop {
        let now = service.status().map_err(refused)?;
        let is_over = now.state == State::Stopped && wanted == State::Running;
        let has_come_back = now.state == State::Running && last.state == State::StopPending;
        if now.state == wanted || is_over || has_come_back || clock::monotonic() >= until {
            return Ok(now);
        }
        if now.checkpoint != last.checkpoint {
            until = clock::monotonic() + patience.max(now.wait_hint + SLACK);
        }
        last = now;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn report(name: &str, status: &Status) -> ExitCode {
    print::told(&format!("{name} is {}\n", super::status::in_words(status)));
    let has_failed = status.state == State::Stopped && status.exit_code != 0;
    ExitCode::from(u8::from(has_failed))
}
