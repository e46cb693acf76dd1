//! `mainstay ddns run FILE`: the kind by hand, without keeper and agent.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_agent::{
    configuration,
    secrets::{Vault, config_by_hand},
};
use mainstay_api::config::{self, Config, ServiceConfig, suggestion};
use mainstay_ddns::{config as ddns, host};
use mainstay_platform::paths;

use super::judge::KIND;
use crate::{errors::CliError, instance, print};

/// Keep names here, in the foreground, until Ctrl-C
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns run mainstay.toml\n  mainstay ddns run mainstay.toml --service home --state /var/lib/home-ddns"
)]
pub(super) struct Args {
    /// A configuration file with a service of the kind `ddns`; else the nearest `mainstay.toml`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Which service, when there are several
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Where it keeps what it has published; else nothing is kept from run to run
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let located = instance::to_start(args.file.as_deref(), named)?;
    let config = configuration::load(&located.file)
        .map_err(|found| CliError::refused(config::render(&found).trim_end().to_owned(), ""))?;
    let (name, service) = meant(&config, args.service.as_deref(), &located.file)?;
    let vault = Vault::new(&located.instance, located.service.as_deref());
    let value = config_by_hand(&vault, &name, service)
        .map_err(|error| CliError::refused(error.to_string(), ""))?
        .unwrap_or_default();
    let ready = ddns::read(&value).map_err(|error| {
        CliError::refused(format!("service `{name}`: {error}"), "`mainstay check` tells all of it")
    })?;
    if let Some(folder) = &args.state {
        paths::create_private(folder).map_err(|error| {
            CliError::refused(format!("cannot make `{}`: {error}", folder.display()), "")
        })?;
    } else {
        print::talk("nothing is kept: `--state FOLDER` keeps what was published over a restart");
    }
    let ended = host::keep(ready, args.state.as_deref()).await;
    ended.map_err(|(_, why)| CliError::refused(why, "`mainstay ddns check` tells more"))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the service that is meant.
fn meant<'a>(
    config: &'a Config,
    name: Option<&str>,
    file: &Path,
) -> Result<(String, &'a ServiceConfig), CliError> {
    let is_ours =
        |service: &&ServiceConfig| service.kind.as_ref().is_some_and(|kind| kind.name == KIND);
    let mut ours = config.services.iter().filter(|(_, service)| is_ours(service));
    let names: Vec<&str> = ours.clone().map(|(name, _)| name.as_str()).collect();
    let found = match name {
        Some(name) => ours.find(|(own, _)| own.as_str() == name),
        None => ours.next().filter(|_| ours.next().is_none()),
    };
    found.map(|(name, service)| (name.to_string(), service)).ok_or_else(|| {
        let what = match name {
            Some(name) => format!("`{}` has no service `{name}` of this kind", file.display()),
            None => format!("`{}` has not exactly one service of this kind", file.display()),
        };
        let near = name.and_then(|name| suggestion(name, &names));
        let hint = match (near, names.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "`mainstay ddns setup` makes one".to_owned(),
            (None, names) => format!("name one with `--service`: {}", names.join(", ")),
        };
        CliError::refused(what, hint)
    })
}
