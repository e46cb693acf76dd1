//! `mainstay upgrade`: keeper and agent become another binary while programs run on.

mod handover;
mod services;

use std::{path::PathBuf, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::control::{Status, UpgradeAnswer, UpgradeRequest};

use crate::{cost::Before, errors::CliError, print};

/// Replace keeper and agent by this binary, or another; programs run on
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay upgrade\n  mainstay upgrade --program /opt/mainstay/bin/mainstay"
)]
pub(super) struct Args {
    /// The binary that keeper and agent become; this one when none is named
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let program = binary(args.program)?;
    let ours = services::meant(instance)?;
    if !ours.is_empty() {
        let json = if args.json { services::Json::Yes } else { services::Json::No };
        return services::run(&program, ours, json).await;
    }
    let (located, mut client) = super::connect(instance).await?;
    let status: Status = client.get("/v1/status").await?;
    let mut before = Before::look(&located, status)?;
    let request = UpgradeRequest { program };
    before.begin();
    let answer: UpgradeAnswer = client.post("/v1/upgrade", &request).await?;
    let cost = before.account(answer.former_agent.pid).await?;
    if args.json {
        print::json(&cost);
    } else {
        print::told(&format!("keeper and agent are now `{}`\n", request.program));
        print::data(&cost.told());
    }
    Ok(if cost.is_nothing() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Returns the whole path of a binary: the keeper has a current folder of its own.
fn binary(named: Option<PathBuf>) -> Result<String, CliError> {
    let path = match named {
        Some(path) => path,
        None => std::env::current_exe().map_err(|error| {
            let hint = "name a binary with `--program PATH`";
            CliError::refused(format!("cannot find our own binary: {error}"), hint)
        })?,
    };
    let whole = path.canonicalize().map_err(|error| {
        let hint = "nothing has changed; name a binary that is there";
        CliError::refused(format!("cannot upgrade to `{}`: {error}", path.display()), hint)
    })?;
    whole.into_os_string().into_string().map_err(|_| {
        let hint = "give it a name that is UTF-8";
        CliError::refused(format!("cannot upgrade to `{}`: odd letters", path.display()), hint)
    })
}
