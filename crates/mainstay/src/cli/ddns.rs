//! `mainstay ddns`: names on a moving address, looked at and set up from a terminal.

mod attempt;
mod check;
mod found;
mod import;
mod judge;
mod language;
mod metrics;
mod place;
mod providers;
mod run;
mod seen;
mod setup;
mod sources;
mod status;
mod update;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

pub(super) use self::judge::judged;
use crate::errors::CliError;

/// Keep names in the DNS on a moving address
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  mainstay ddns setup              the first name, in a minute\n  mainstay ddns check --try        ask everybody, write nothing\n  mainstay ddns status             which names are published, since when, and why not\n  mainstay ddns update --now       write all of them, parked ones as well\n  mainstay ddns run home.toml      do the work here, in the foreground\n  mainstay ddns providers          whose names can be kept\n  mainstay ddns import ddns-go ~/.ddns_go_config.yaml"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::Args),
    Check(check::Args),
    Status(status::Args),
    Update(update::Args),
    Run(run::Args),
    Import(import::Args),
    Providers(providers::Args),
    Sources(sources::Args),
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    match args.command {
        Command::Status(args) => status::run(&args, instance).await,
        Command::Update(args) => update::run(&args, instance).await,
        Command::Run(args) => run::run(&args, instance).await,
        Command::Check(args) => check::run(&args, instance).await,
        Command::Import(args) => import::run(&args, instance).await,
        Command::Providers(args) => providers::run(&args),
        Command::Setup(args) => setup::run(args, instance).await,
        Command::Sources(args) => Ok(sources::run(&args)),
    }
}
