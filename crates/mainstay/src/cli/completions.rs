//! `mainstay completions`: what a shell needs to complete our commands, and the answers to it.
//!
//! The script of a shell is short: it asks us each time, with a variable that says which shell it
//! is. So what is completed is always of this version, with the names of an instance that runs.

mod names;
mod places;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Command, CommandFactory as _};
use clap_complete::{CompleteEnv, Shell, env::Shells};

use crate::{
    errors::CliError,
    print,
    words::{self, Language},
};

/// Which shell asks what may stand on a command line.
const VARIABLE: &str = "MAINSTAY_COMPLETE";

const NAME: &str = "mainstay";

/// Bash takes `@` for the beginning of a word; names of groups and of copies have it in them.
const FOR_BASH: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n";

/// Print the completion of a shell
///
/// The shell asks Mainstay each time, so that names of units, services, groups, instances, secrets
/// and keys are completed as well. An agent that does not answer within 0.3 s is left out.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay completions bash > /etc/bash_completion.d/mainstay\n  mainstay completions zsh > ~/.zfunc/_mainstay\n  mainstay completions fish > ~/.config/fish/completions/mainstay.fish\n  mainstay completions powershell >> $PROFILE"
)]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let shell = args.shell.to_string();
    let shells = Shells::builtins();
    let unknown = || CliError::bug(format!("no completion is known for `{shell}`"));
    let completer = shells.completer(&shell).ok_or_else(unknown)?;
    let mut script = Vec::new();
    if args.shell == Shell::Bash {
        script.extend_from_slice(FOR_BASH.as_bytes());
    }
    completer
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .map_err(|error| CliError::bug(format!("cannot write the completion: {error}")))?;
    print::bytes(&script);
    Ok(ExitCode::SUCCESS)
}

/// Answers a shell, if it is one that asks.
pub(super) fn answered() -> Option<ExitCode> {
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(whole).var(VARIABLE);
    match asked.try_complete(std::env::args_os(), here.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        // Whatever is said now would stand in the middle of what somebody types.
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// Returns the whole command line, with names where they belong.
fn whole() -> Command {
    let command = places::filled(super::Cli::command());
    if words::language() == Language::English { command } else { translated(command) }
}

/// Returns a command that is described in the language of the person.
fn translated(command: Command) -> Command {
    let told = |text: &dyn std::fmt::Display| words::told(&text.to_string()).into_owned();
    let command = match command.get_about().map(|about| told(about)) {
        Some(about) => command.about(about),
        None => command,
    };
    let command = command.mut_args(|arg| match arg.get_help().map(|help| told(help)) {
        Some(help) => arg.help(help),
        None => arg,
    });
    command.mut_subcommands(translated)
}
