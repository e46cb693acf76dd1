//! `mainstay add` and `mainstay remove`: change the configuration file, comments stay.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::control::{AddService, CommandAnswer};

use crate::{client::escaped, errors::CliError, print};

/// Add a service to the configuration and start it
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay add api --requires db -- ./api --port 8080")]
pub(super) struct Args {
    /// Its name
    name: String,

    /// Where it starts
    #[arg(long, value_name = "DIR")]
    directory: Option<String>,

    /// A variable that it gets; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,

    /// When it is started: auto, delayed, manual or disabled
    #[arg(long, value_name = "TYPE")]
    start: Option<String>,

    /// A service that must be ready first; may be given several times
    #[arg(long, value_name = "NAME")]
    requires: Vec<String>,

    /// The program and its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Which service to remove.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay remove api")]
pub(super) struct RemoveArgs {
    /// Its name
    name: String,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let mut environment = Vec::new();
    for pair in &args.environment {
        let Some((name, value)) = pair.split_once('=') else {
            let hint = "write `--env NAME=VALUE`";
            return Err(CliError::usage(format!("`{pair}` sets no variable"), hint));
        };
        environment.push((name.to_owned(), value.to_owned()));
    }
    let (located, mut client) = super::connect(instance).await?;
    let service = AddService {
        name: args.name.clone(),
        command: args.command,
        directory: args.directory,
        environment,
        start: args.start,
        requires: args.requires,
    };
    let _answer: CommandAnswer = client.post("/v1/services", &service).await?;
    print::data(&format!("added `{}` to {}\n", args.name, located.file.display()));
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn remove(args: RemoveArgs, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, mut client) = super::connect(instance).await?;
    let _answer: CommandAnswer =
        client.delete(&format!("/v1/services/{}", escaped(&args.name))).await?;
    print::data(&format!("removed `{}` from {}\n", args.name, located.file.display()));
    Ok(ExitCode::SUCCESS)
}
