//! `mainstay ddns check`: is the configuration of a client right, and does it work?

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_agent::{configuration, secrets::Vault};
use mainstay_api::config::{self, Config, ServiceConfig, suggestion};
use serde_json::{Value, json};

use super::{
    attempt::{self, Attempt},
    judge::{self, KIND},
};
use crate::{cli::doctor::secrets, errors::CliError, instance, print};

/// Read the configuration of clients and say what is wrong with it
///
/// With `--try`, everything is asked that can be without writing: secrets, sources, providers, name
/// servers. A command that is a source or tells a secret is run; PCP makes a mapping for a moment.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns check                  all services of this kind\n  mainstay ddns check home\n  mainstay ddns check home --try       ask everybody, write nothing\n  mainstay ddns check path/to/mainstay.toml --try --json\n\nThe code is 0 when all is right, else 1. With `--try` it is 0 when every name has an address and\neverybody who was asked has answered."
)]
pub(super) struct Args {
    /// A file, or the name of a service; else all services of the kind
    #[arg(value_name = "FILE|NAME")]
    subject: Option<PathBuf>,

    /// Ask sources, providers and name servers, too, and say what would be written
    #[arg(long = "try")]
    is_tried: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of a service: nothing more where it was only read, or what is wrong.
type Judged = Result<Option<Attempt>, String>;
/// Services and their configurations.
pub(super) type Meant<'c> = Vec<(&'c str, &'c ServiceConfig)>;

pub(super) async fn run(args: &Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let subject = args.subject.as_deref();
    let file = subject.filter(|path| path.is_file());
    let located = instance::to_start(file, named)?;
    let config = configuration::load(&located.file)
        .map_err(|found| CliError::refused(config::render(&found), ""))?;
    let name = subject.filter(|_| file.is_none()).map(|path| path.to_string_lossy().into_owned());
    let meant = meant(&config, name.as_deref(), &located.file)?;
    let vault = Vault::new(&located.instance, located.service.as_deref());
    let mut judged: Vec<(&str, Judged)> = Vec::new();
    for (name, service) in meant {
        let read = service.kind.as_ref().map_or(Ok(()), judge::read);
        let outcome = match read.map_err(|error| format!("{KIND}.{error}")) {
            Ok(()) if args.is_tried => attempt::make(&vault, name, service).await.map(Some),
            other => other.map(|()| None),
        };
        judged.push((name, outcome));
    }
    if args.json {
        print::json(&json!({ "services": judged.iter().map(described).collect::<Vec<_>>() }));
    } else {
        judged.iter().for_each(tell);
    }
    let mut of_them = config.clone();
    of_them.services.retain(|name, _| judged.iter().any(|(judged, _)| *judged == name.as_str()));
    secrets::warn_of(&secrets::unset_of(&located, &of_them));
    let is_right = |(_, judged): &(&str, Judged)| {
        judged.as_ref().is_ok_and(|tried| tried.as_ref().is_none_or(Attempt::is_well))
    };
    Ok(if judged.iter().all(is_right) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn described((name, judged): &(&str, Judged)) -> Value {
    let tried = judged.as_ref().ok().and_then(Option::as_ref);
    let mut document = tried.map_or_else(|| json!({}), Attempt::document);
    document["service"] = json!(name);
    document["error"] = json!(judged.as_ref().err());
    document
}

fn tell((name, judged): &(&str, Judged)) {
    match judged {
        Ok(None) => print::told(&format!("{name}: no mistakes\n")),
        Ok(Some(attempt)) => {
            print::told(&format!("{name}\n"));
            for line in attempt.lines() {
                print::told(&format!("  {}\n", print::harmless(&line)));
            }
            print::talk("nothing was written");
        }
        Err(why) => print::talk(&format!("error: service `{name}`, {why}")),
    }
}

/// Returns the services of this kind that are meant; one at least.
pub(super) fn meant<'c>(
    config: &'c Config,
    name: Option<&str>,
    file: &Path,
) -> Result<Meant<'c>, CliError> {
    let is_ours =
        |service: &ServiceConfig| service.kind.as_ref().is_some_and(|kind| kind.name == KIND);
    let all = config.services.iter().filter(|(_, service)| is_ours(service));
    let all: Meant<'c> = all.map(|(name, service)| (name.as_str(), service)).collect();
    let found: Meant<'c> =
        all.iter().filter(|(own, _)| name.is_none_or(|name| name == *own)).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let what = match name {
        Some(name) => format!("`{}` has no service `{name}` of this kind", file.display()),
        None => format!("`{}` has no service of this kind", file.display()),
    };
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let near = name.and_then(|name| suggestion(name, &names));
    let hint = near.map_or_else(
        || "`mainstay ddns setup` makes one".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(CliError::refused(what, hint))
}
