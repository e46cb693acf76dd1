//! `mainstay kind`: the kinds that there are, and whether one is as it should be.

mod check;
mod list;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use mainstay_agent::kinds;

use crate::{errors::CliError, instance};

/// Look at kinds: what services run that need no command
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay kind list\n  mainstay kind check ./mainstay-kind-tide --config tide.json"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Check(check::Args),
    /// The name of a kind, which is not built in, or a slip of the keyboard.
    #[command(external_subcommand)]
    Other(Vec<String>),
}

pub(super) fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    match &args.command {
        Command::List(args) => Ok(list::run(args, instance)),
        Command::Check(args) => check::run(args, instance),
        Command::Other(words) => Err(not_built_in(words, instance)),
    }
}

/// Says why a kind is not run, and what runs it.
fn not_built_in(words: &[String], instance: Option<&str>) -> CliError {
    let name = words.first().map(String::as_str).unwrap_or_default();
    let state = instance::choose(instance).map(|located| located.instance.state);
    let hint = match kinds::find(name, &kinds::folders(&state.unwrap_or_default())) {
        Ok(found) => format!("it is a program of its own: `{}`", found.command.join(" ")),
        Err(_) => "`mainstay kind list` lists all; `mainstay kind check NAME` tries one".to_owned(),
    };
    CliError::usage(format!("no kind `{name}` is built in"), hint)
}
