//! `mainstay man`: the manual pages, made from what the command line says of itself.

mod page;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args as ClapArgs, Command, CommandFactory as _};
use mainstay_storage::atomic;

use self::page::page;
use crate::{errors::CliError, names, print};

/// Print a manual page, or write all of them into a folder
///
/// There is one for each command, in English: mainstay.1, mainstay-logs.1 and so on.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay man logs | man -l -\n  mainstay man ddns setup > mainstay-ddns-setup.1\n  mainstay man --out /usr/local/share/man/man1"
)]
pub(super) struct Args {
    /// The command, such as `logs` or `ddns setup`; else `mainstay` itself
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,

    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut whole = super::Cli::command();
    whole.build();
    match &args.out {
        Some(folder) => write_all(&whole, folder)?,
        None => print::bytes(&page(named(&whole, &args.command)?)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the command that words name.
fn named<'c>(whole: &'c Command, words: &[String]) -> Result<&'c Command, CliError> {
    words.iter().try_fold(whole, |command, word| {
        command.find_subcommand(word).ok_or_else(|| unknown(command, word))
    })
}

fn unknown(command: &Command, word: &str) -> CliError {
    let path = command.get_bin_name().unwrap_or_default();
    let names: Vec<&str> = shown(command).map(Command::get_name).collect();
    let hint = names::near(word, &names).map_or_else(
        || format!("`{path} --help` lists what there is"),
        |near| format!("did you mean `{near}`?"),
    );
    CliError::usage(format!("there is no command `{path} {word}`"), hint)
}

fn write_all(whole: &Command, folder: &Path) -> Result<(), CliError> {
    let refused = |path: &Path, error: &io::Error| {
        let what = format!("cannot write `{}`: {error}", path.display());
        CliError::refused(what, "name a folder in which you may write")
    };
    fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    let all = documented(whole);
    for command in &all {
        let path = folder.join(page::file_name(command));
        atomic::replace(&path, &page(command), |path| File::create(path))
            .map_err(|error| refused(&path, &error))?;
    }
    print::talk(&format!("wrote {} pages into `{}`", all.len(), folder.display()));
    Ok(())
}

/// Returns a command and all below it that have a page.
fn documented(command: &Command) -> Vec<&Command> {
    let below = shown(command).flat_map(documented);
    [command].into_iter().chain(below).collect()
}

/// Returns the commands right below another one that people are told about.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let is_shown = |below: &&Command| !below.is_hide_set() && below.get_name() != "help";
    command.get_subcommands().filter(is_shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Command {
        let mut whole = super::super::Cli::command();
        whole.build();
        whole
    }

    #[test]
    fn whoever_mistypes_a_command_is_told_what_is_near() {
        let check = |words: &[&str], hint: &str| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let error = named(&whole(), &words).unwrap_err();
            assert!(error.hint.contains(hint), "{error}");
        };
        check(&["lgos"], "did you mean `logs`?");
        check(&["ddns", "nonsense"], "`mainstay ddns --help`");
    }

    #[test]
    fn every_command_has_a_page_of_its_own() {
        let whole = whole();
        let mut titles: Vec<String> = documented(&whole).into_iter().map(page::file_name).collect();
        let count = titles.len();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), count);
        assert!(titles.iter().any(|title| title == "mainstay-service-install.1"));
    }
}
