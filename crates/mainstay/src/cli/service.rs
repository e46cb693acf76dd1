//! `mainstay service`: one service of the operating system for each program, NSSM's way.

pub(in crate::cli) mod control;
mod edit;
mod failure;
mod files;
mod grants;
pub(in crate::cli) mod install;
pub(in crate::cli) mod kept;
pub(in crate::cli) mod list;
pub(in crate::cli) mod logon;
pub(in crate::cli) mod recovery;
pub(in crate::cli) mod remove;
mod run;
mod settings;
mod share;
pub(in crate::cli) mod shutdown;
pub(in crate::cli) mod source;
pub(in crate::cli) mod status;
pub(in crate::cli) mod trouble;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use mainstay_api::control::UnitDetail;
use mainstay_platform::scm::{self, Database, Intent, Purpose, Service};

use crate::{
    client::{Client, escaped},
    elevation,
    errors::CliError,
    place::{self, Place},
};

/// Make a program a service of this system, one for each program
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service install web -- node server.js\n  mainstay service status web\n  mainstay service remove web"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Install(Box<install::Args>),
    /// Start a service
    #[command(after_help = "Example:\n  mainstay service start web")]
    Start(control::Args),
    /// Stop a service and wait until its programs have ended
    #[command(after_help = "Example:\n  mainstay service stop web")]
    Stop(control::Args),
    /// Stop a service, then start it
    #[command(after_help = "Example:\n  mainstay service restart web")]
    Restart(control::Args),
    Status(status::Args),
    List(list::Args),
    Edit(edit::Args),
    Get(settings::GetArgs),
    Set(settings::SetArgs),
    Dump(settings::DumpArgs),
    Remove(remove::Args),
    Run(run::Args),
}

pub(super) async fn run(args: Args) -> Result<ExitCode, CliError> {
    match args.command {
        Command::Install(args) => install::run(&args).await,
        Command::Start(args) => control::start(&args).await,
        Command::Stop(args) => control::stop(&args).await,
        Command::Restart(args) => control::restart(&args).await,
        Command::Status(args) => status::run(&args).await,
        Command::List(args) => list::list(&args),
        Command::Edit(args) => edit::run(&args),
        Command::Get(args) => settings::get(&args),
        Command::Set(args) => settings::set(&args),
        Command::Dump(args) => settings::dump(&args),
        Command::Remove(args) => remove::run(&args).await,
        Command::Run(args) => run::run(&args).await,
    }
}

/// Opens the database, and says whose turn it is when that is refused.
pub(in crate::cli) fn database(purpose: Purpose) -> Result<Database, CliError> {
    Database::open(purpose).map_err(|error| trouble::refused("open the list of services", &error))
}

/// Opens a service by its name.
pub(in crate::cli) fn service(name: &str, intent: Intent) -> Result<Service, CliError> {
    check_name(name)?;
    database(Purpose::Look)?
        .service(name, intent)
        .map_err(|error| trouble::refused(&format!("open service `{name}`"), &error))
}

/// Opens a service that is ours; of others not even the state is changed.
pub(in crate::cli) fn ours(name: &str, intent: Intent) -> Result<Service, CliError> {
    let service = service(name, intent)?;
    let record = service.record().map_err(|error| list::look(name, &error))?;
    if list::is_ours(&record.command_line) {
        return Ok(service);
    }
    let what = format!("`{name}` is no service of Mainstay: it runs `{}`", record.command_line);
    let hint = "`mainstay service list` shows ours; sc.exe and services.msc change others";
    Err(CliError::refused(what, hint))
}

/// Asks a service's agent for its only unit.
async fn program_of(place: &Place) -> Result<UnitDetail, CliError> {
    let mut client = Client::connect(&place.located()).await?;
    client.get(&format!("/v1/units/{}", escaped(&place.unit()))).await
}

pub(in crate::cli) fn check_name(name: &str) -> Result<(), CliError> {
    place::name_fault(name)
        .map_or(Ok(()), |fault| Err(CliError::usage(format!("`{name}` names no service"), fault)))
}

/// Refuses whoever may not change services, with the line to paste where that is allowed.
pub(in crate::cli) fn demand_elevation(doing: &str) -> Result<(), CliError> {
    match scm::is_elevated() {
        Ok(true) => {
            install::own::repair();
            Ok(())
        }
        Ok(false) => {
            let what = format!("{doing} needs an administrator");
            Err(CliError::refused(what, elevation::paste()))
        }
        Err(error) => Err(trouble::impossible(doing, &error)),
    }
}
