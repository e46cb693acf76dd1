//! `mainstay service remove`: stop, wait for the end, delete, and see that it is gone.

use std::{process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_platform::{
    clock,
    scm::{Intent, Purpose, code},
};

use super::{control, database, demand_elevation, grants, ours, source, trouble};
use crate::{
    errors::CliError,
    place::{self, Place},
    print,
};

/// How long whoever looks at the service may keep it from vanishing.
const GONE_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Stop a service and remove it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service remove web\n  mainstay service remove web --purge     its configuration and logs, too"
)]
pub(super) struct Args {
    /// The service's name
    name: String,

    /// Delete its configuration, logs and state, too
    #[arg(long)]
    purge: bool,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    demand_elevation("removing a service")?;
    if place::is_machine(&args.name) {
        let what = format!("`{}` is the machine's instance, with all its programs", args.name);
        return Err(CliError::refused(what, "`mainstay uninstall` removes it"));
    }
    let purge = if args.purge { Purge::Yes } else { Purge::No };
    from_system(&args.name, purge).await?;
    Ok(ExitCode::SUCCESS)
}

/// Whether configuration, logs and state go, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Purge {
    Yes,
    No,
}

/// Stops a service, waits for its end, deletes it, and sees that it is gone.
pub(in crate::cli) async fn from_system(name: &str, purge: Purge) -> Result<(), CliError> {
    {
        let service = ours(name, Intent::Change)?;
        control::end_process(&service, name).await?;
        match service.delete() {
            Err(error) if error.raw_os_error() == Some(code::MARKED_FOR_DELETION) => {}
            done => done.map_err(|error| trouble::refused(&format!("remove `{name}`"), &error))?,
        }
    }
    wait_until_gone(name).await?;
    if let Some(warning) = source::forget_with_the_last() {
        print::talk(&format!("warning: {warning}"));
    }
    forget(name, purge)
}

/// As long as somebody has it open it stays, and its name is taken.
async fn wait_until_gone(name: &str) -> Result<(), CliError> {
    let database = database(Purpose::Look)?;
    let until = clock::monotonic() + GONE_WITHIN;
    loop {
        match database.service(name, Intent::Look) {
            Err(error) if error.raw_os_error() == Some(code::NO_SUCH_SERVICE) => return Ok(()),
            _ if clock::monotonic() < until => tokio::time::sleep(LOOK_EVERY).await,
            _ => {
                let what = format!("`{name}` is marked for deletion, and somebody holds it open");
                let hint = "close services.msc, Task Manager and Process Explorer; it is gone then";
                return Err(CliError::refused(what, hint));
            }
        }
    }
}

fn forget(name: &str, purge: Purge) -> Result<(), CliError> {
    let place = Place::of(name).map_err(|error| trouble::refused("find its folder", &error))?;
    grants::take_back(&place);
    let folder = place.folder();
    if purge == Purge::No {
        let kept =
            format!("removed `{name}`; its configuration and logs stay in {}\n", folder.display());
        print::told(&kept);
        return Ok(());
    }
    place.purge().map_err(|error| {
        let what = format!("`{name}` is removed, but not all of `{}`: {error}", folder.display());
        CliError::refused(what, "close what has a file in it open, then delete it")
    })?;
    print::told(&format!("removed `{name}`, its configuration and its logs\n"));
    Ok(())
}
