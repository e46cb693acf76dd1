//! Which names stand where on the command line.

use clap::Command;
use clap_complete::engine::ArgValueCandidates;

use super::names::{self, Names};

/// The command that others are below, those others, which of their arguments it is, what it takes.
type Place = (&'static str, &'static str, &'static str, Names);

const PLACES: &[Place] = &[
    (
        "",
        "status start stop restart pause resume kill reset reload logs events tree",
        "names",
        Names::Units,
    ),
    ("", "events", "units", Names::Units),
    ("", "why show env", "name", Names::Units),
    ("", "set get edit remove", "name", Names::Services),
    ("", "set", "keys", Names::KeysToSet),
    ("", "set", "unset", Names::Keys),
    ("", "get", "key", Names::Keys),
    ("", "events", "types", Names::EventTypes),
    ("", "logs", "hook", Names::Hooks),
    ("", "logs", "check", Names::Checks),
    ("secret", "set remove", "name", Names::Secrets),
    ("drill", "crash hang", "name", Names::Units),
    ("ddns", "status update run", "service", Names::Services),
    ("service", "start stop restart status edit get set dump remove", "name", Names::Installed),
];

/// Returns the command line with the names of the instance where they belong.
pub(super) fn filled(whole: Command) -> Command {
    let whole = with(whole, "instance", Names::Instances);
    PLACES.iter().fold(whole, |whole, (above, commands, argument, what)| {
        commands.split(' ').fold(whole, |whole, name| at(whole, &[above, name], argument, *what))
    })
}

fn at(command: Command, words: &[&str], argument: &'static str, what: Names) -> Command {
    match words.split_first() {
        Some((&"", rest)) => at(command, rest, argument, what),
        Some((word, rest)) => {
            command.mut_subcommand(*word, |below| at(below, rest, argument, what))
        }
        None => with(command, argument, what),
    }
}

/// Goes through all arguments, since those stay in their places then.
fn with(command: Command, argument: &'static str, what: Names) -> Command {
    command.mut_args(|arg| {
        let is_meant = arg.get_id() == argument;
        if is_meant { arg.add(ArgValueCandidates::new(move || names::of(what))) } else { arg }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    /// Those that name what nobody knows yet, or what no instance knows.
    const OTHERS: &[&str] = &[
        "add name",
        "kind check name",
        "import nssm name",
        "import sc name",
        "import shawl name",
        "ddns setup names",
        "ddns setup service",
        "ddns import service",
        "ddns providers name",
        "ddns update names",
        "service install name",
        "service run name",
    ];

    /// Returns every argument below that is called as names are, and takes none.
    fn empty(command: &Command, path: &str) -> Vec<String> {
        let is_name = |id: &str| ["name", "names", "units", "service"].contains(&id);
        let own = command.get_arguments().filter(|arg| is_name(arg.get_id().as_str()));
        let own = own.filter(|arg| arg.get::<ArgValueCandidates>().is_none());
        let own = own.map(|arg| format!("{path}{}", arg.get_id()));
        let below = command
            .get_subcommands()
            .flat_map(|below| empty(below, &format!("{path}{} ", below.get_name())));
        own.chain(below).collect()
    }

    #[test]
    fn every_name_is_completed_that_somebody_knows() {
        assert_eq!(empty(&filled(Cli::command()), ""), OTHERS);
    }
}
