//! `mainstay service edit`: the configuration in the editor; a mistake changes nothing.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_platform::{editor, scm::Intent};

use super::{
    demand_elevation, failure::FailureArgs, files::FileArgs, install::set_all, ours,
    settings::Configuration,
};
use crate::{errors::CliError, print};

/// Open the configuration of a service in the editor, or change what follows its failures and
/// which files get its output
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service edit web\n  mainstay service edit web --on-failure scm --recovery restart/15s,restart/30s"
)]
pub(super) struct Args {
    /// The service's name
    name: String,

    #[command(flatten)]
    failure: FailureArgs,

    #[command(flatten)]
    files: FileArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    demand_elevation("changing a service")?;
    ours(&args.name, Intent::Look)?;
    let file = Configuration::of(&args.name)?;
    if !args.failure.is_empty() || !args.files.is_empty() {
        return change(args, &file);
    }
    let copy = file.path.with_extension("edit.toml");
    write(&copy, &file.text)?;
    let outcome = edit(&file, &copy);
    if outcome.is_ok() {
        // What was not accepted stays, so that nobody's work is lost.
        drop(fs::remove_file(&copy));
    }
    outcome
}

/// The configuration comes first: what can be wrong is wrong before anything is changed.
fn change(args: &Args, file: &Configuration) -> Result<ExitCode, CliError> {
    let Args { name, failure, files } = args;
    for folder in files.folders()? {
        let folder = folder.display();
        print::talk(&format!("the account of `{name}` must be allowed to write to {folder}"));
    }
    let text = file.with(failure, files)?;
    let service = ours(name, Intent::Change)?;
    for warning in set_all(&service, &failure.settings(&service)) {
        print::talk(&format!("warning: {warning}"));
    }
    if text != file.text {
        file.replace(&text)?;
        file.say_how_to_apply();
    }
    Ok(ExitCode::SUCCESS)
}

fn edit(file: &Configuration, copy: &std::path::Path) -> Result<ExitCode, CliError> {
    loop {
        editor::edit(copy)
            .map_err(|error| CliError::refused(format!("cannot edit: {error}"), ""))?;
        let text = fs::read_to_string(copy).map_err(|error| {
            CliError::refused(format!("cannot read what you wrote: {error}"), "")
        })?;
        if text == file.text {
            print::talk("nothing was changed");
            return Ok(ExitCode::SUCCESS);
        }
        match file.check(&text) {
            Ok(()) => {
                file.replace(&text)?;
                file.say_how_to_apply();
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => print::talk(&error.to_string()),
        }
        if !wants_again() {
            let hint = format!("what you wrote is in `{}`", copy.display());
            return Err(CliError::refused("nothing was changed", hint));
        }
    }
}

fn write(path: &std::path::Path, text: &str) -> Result<(), CliError> {
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        CliError::refused(format!("cannot write `{}`: {error}", path.display()), "")
    })
}

/// Without a terminal nobody can try again.
fn wants_again() -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    print::talk("Enter opens it again; `q` gives up");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok_and(|bytes| bytes > 0) && answer.trim() != "q"
}
