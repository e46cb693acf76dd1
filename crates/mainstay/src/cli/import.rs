//! `mainstay import`: what other wrappers' services become here; a report, until `--replace`.

mod added;
mod find;
mod replace;
mod report;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args as ClapArgs, Subcommand};

use mainstay_api::config::{self, SourceText};

use crate::{
    errors::CliError,
    foreign::{Translation, Untranslatable},
};

use self::{
    replace::{Doubts, Wish},
    report::Values,
};
use super::service;

/// Take over services of other wrappers
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay import nssm web              what it would become, row by row\n  mainstay import nssm --all\n  mainstay import nssm web --replace    take it over; its account and rights stay\n  mainstay import nssm web --undo       give it back"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A service of NSSM, or of srvany
    #[command(after_help = "Example:\n  mainstay import nssm web")]
    Nssm(NssmArgs),
    /// Any service: its command line, explained
    #[command(after_help = "Example:\n  mainstay import sc web")]
    Sc(NamedArgs),
    /// A service of `WinSW`, by its XML file
    #[command(after_help = "Example:\n  mainstay import winsw C:\\srv\\web.xml")]
    Winsw(WinswArgs),
    /// A service of shawl
    #[command(after_help = "Example:\n  mainstay import shawl web")]
    Shawl(NamedArgs),
}

#[derive(Debug, ClapArgs)]
struct NssmArgs {
    /// The service's name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,

    /// All services of NSSM
    #[arg(long, conflicts_with = "undo")]
    all: bool,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, ClapArgs)]
struct NamedArgs {
    /// The service's name
    name: String,

    #[command(flatten)]
    how: How,
}

#[derive(Debug, ClapArgs)]
struct WinswArgs {
    /// The XML file
    file: PathBuf,

    #[command(flatten)]
    how: How,
}

/// What to do with what was found.
#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "options of a command line")]
struct How {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Show the values of variables, too, which may be secrets
    #[arg(long)]
    show_values: bool,

    /// Let Mainstay run it from now on
    #[arg(long)]
    replace: bool,

    /// Take it over also where it is not certain that it will work
    #[arg(long, requires = "replace")]
    yes: bool,

    /// Let its former wrapper run it again
    #[arg(long, conflicts_with = "replace")]
    undo: bool,
}

impl How {
    const fn values(&self) -> Values {
        if self.show_values { Values::Show } else { Values::Hide }
    }

    const fn doubts(&self) -> Doubts {
        if self.yes { Doubts::Accept } else { Doubts::Refuse }
    }
}

pub(super) async fn run(args: Args) -> Result<ExitCode, CliError> {
    let file = match &args.command {
        Command::Winsw(args) => Some(find::whole(&args.file)),
        Command::Nssm(_) | Command::Sc(_) | Command::Shawl(_) => None,
    };
    let (found, how) = match args.command {
        Command::Nssm(NssmArgs { name: Some(name), how, .. }) if how.undo => {
            return replace::undo(&name).await;
        }
        Command::Sc(NamedArgs { name, how }) | Command::Shawl(NamedArgs { name, how })
            if how.undo =>
        {
            return replace::undo(&name).await;
        }
        Command::Nssm(NssmArgs { name: Some(name), how, .. }) => (vec![find::nssm(&name)?], how),
        Command::Nssm(args) => (find::all_of_nssm()?, args.how),
        Command::Sc(args) => (vec![find::plain(&args.name)?], args.how),
        Command::Shawl(args) => (vec![find::shawl(&args.name)?], args.how),
        Command::Winsw(args) => (vec![find::winsw(&args.file)?], args.how),
    };
    if how.json {
        report::print_json(&found, how.values())?;
    } else {
        report::print(&found, how.values())?;
    }
    for translation in &found {
        if how.undo {
            replace::undo(&translation.registered.name).await?;
        } else if how.replace {
            let wish = Wish { file: file.as_deref(), doubts: how.doubts() };
            replace::replace(translation, wish).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns what to tell somebody whose service has no equivalent.
fn untranslatable(name: &str, reason: Untranslatable) -> CliError {
    CliError::refused(format!("cannot translate `{name}`: {}", reason.what), reason.hint)
}

/// Returns what the only unit of a taken-over service is called, and its configuration.
fn configuration(translation: &Translation) -> Result<(crate::place::Place, String), CliError> {
    let name = &translation.registered.name;
    service::check_name(name)?;
    let place = crate::place::Place::of(name)
        .map_err(|error| service::trouble::refused("find its folder", &error))?;
    let text = translation.equivalent.configuration(&place.unit());
    check(name, &text)?;
    Ok((place, text))
}

/// Others allow what we refuse, such as a pause of two years; that must not be found out only when
/// the service is started.
fn check(name: &str, text: &str) -> Result<(), CliError> {
    let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
    config::parse(&[source]).map(drop).map_err(|mistakes| {
        let first = mistakes.first().map(|mistake| mistake.message.clone()).unwrap_or_default();
        let what = format!("`{name}` has settings that we refuse: {first}");
        CliError::refused(what, "change them there first")
    })
}
