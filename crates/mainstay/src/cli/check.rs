//! `mainstay check`: is the configuration right?

use std::{path::PathBuf, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_agent::configuration;
use mainstay_api::config::{self, Config};

use super::{
    ddns,
    doctor::secrets::{self, Unset},
    programs,
};
use crate::{errors::CliError, instance, print};

/// Read the configuration and say everything that is wrong with it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay check\n  mainstay check path/to/mainstay.toml --json"
)]
pub(super) struct Args {
    /// The configuration file; else the nearest `mainstay.toml`
    #[arg(value_name = "FILE")]
    path: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let located = match &args.path {
        // A file that is not there yet has no instance, either.
        Some(path) => instance::of_file(path).ok(),
        None => Some(instance::to_start(None, named)?),
    };
    let file = located.as_ref().map(|located| located.file.clone());
    let path = args.path.clone().or(file).unwrap_or_default();
    let state = located.as_ref().map(|it| it.instance.state.clone()).unwrap_or_default();
    let unset = |config: &Config| {
        located.as_ref().map_or_else(Unset::new, |located| secrets::unset_of(located, config))
    };
    let read = configuration::load(&path);
    match read.and_then(|config| ddns::judged(config, &path)) {
        Ok(config) if args.json => {
            print::json(&serde_json::json!({
                "services": config.services.len(),
                "found": [],
                "missing": programs::missing(&config, &state),
                "unset-secrets": unset(&config),
            }));
            Ok(ExitCode::SUCCESS)
        }
        Ok(config) => {
            // It may come later, with a disk or an update: no mistake of the file.
            for programs::Missing { service, why } in programs::missing(&config, &state) {
                print::talk(&format!("warning: program of `{service}`: {why}"));
            }
            secrets::warn_of(&unset(&config));
            let services = print::count(config.services.len(), "service");
            print::told(&format!("{}: {services}, no mistakes\n", path.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(found) if args.json => {
            print::json(&serde_json::json!({ "found": found }));
            Ok(ExitCode::from(1))
        }
        Err(found) => {
            print::talk(config::render(&found).trim_end());
            Ok(ExitCode::from(1))
        }
    }
}
