//! `mainstay ddns check`: is the configuration of a client right?

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_agent::configuration;
use mainstay_api::config::{self, Config, KindConfig};
use serde_json::{Value, json};

use super::judge::{self, KIND};
use crate::{errors::CliError, instance, print};

/// Read the configuration of clients and say what is wrong with it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns check                  all services of this kind\n  mainstay ddns check home\n  mainstay ddns check path/to/mainstay.toml"
)]
pub(super) struct Args {
    /// A file, or the name of a service; else all services of the kind
    #[arg(value_name = "FILE|NAME")]
    subject: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A service, and what is wrong with it.
type Judged<'a> = (&'a str, Result<(), String>);
/// Services and their configurations.
pub(super) type Meant<'c> = Vec<(&'c str, &'c KindConfig)>;

pub(super) fn run(args: &Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let subject = args.subject.as_deref();
    let file = subject.filter(|path| path.is_file());
    let located = instance::to_start(file, named)?;
    let config = configuration::load(&located.file)
        .map_err(|found| CliError::refused(config::render(&found), ""))?;
    let name = subject.filter(|_| file.is_none()).map(|path| path.to_string_lossy().into_owned());
    let meant = meant(&config, name.as_deref(), &located.file)?;
    let judged: Vec<Judged<'_>> = meant
        .into_iter()
        .map(|(name, kind)| (name, judge::read(kind).map_err(|error| error.to_string())))
        .collect();
    let is_right = judged.iter().all(|(_, judged)| judged.is_ok());
    if args.json {
        print::json(&json!({ "services": judged.iter().map(described).collect::<Vec<_>>() }));
    } else {
        judged.iter().for_each(tell);
    }
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn described((name, judged): &Judged<'_>) -> Value {
    json!({ "service": name, "error": judged.as_ref().err() })
}

fn tell((name, judged): &Judged<'_>) {
    match judged {
        Ok(()) => print::data(&format!("{name}: no mistakes\n")),
        Err(why) => print::talk(&format!("error: service `{name}`, {KIND}.{why}")),
    }
}

/// Returns the services of this kind that are meant; one at least.
pub(super) fn meant<'c>(
    config: &'c Config,
    name: Option<&str>,
    file: &Path,
) -> Result<Meant<'c>, CliError> {
    let all = config.services.iter().filter_map(|(name, service)| {
        let kind = service.kind.as_ref().filter(|kind| kind.name == KIND)?;
        Some((name.as_str(), kind))
    });
    let found: Meant<'c> = all.filter(|(own, _)| name.is_none_or(|name| name == *own)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let what = match name {
        Some(name) => format!("`{}` has no service `{name}` of this kind", file.display()),
        None => format!("`{}` has no service of this kind", file.display()),
    };
    Err(CliError::refused(what, "`mainstay ddns setup` makes one"))
}
