//! `mainstay set` and `mainstay get`: single keys of a service; comments and order stay.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::{
    config::{NoSuchKey, no_such_key},
    control::{CommandAnswer, EditKeys, KeyValue, ServiceText, Status},
};

use super::{
    apply::{self, Told},
    changes::WaitArgs,
};
use crate::{client::escaped, errors::CliError, print};

/// Set keys of a service in its file, and apply that
///
/// A value of TOML is taken as one, anything else as text. What cannot be applied is not written.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay set web restart.delay=5s environment.PORT=8081\n  mainstay set web 'command=[\"./web\", \"-v\"]'\n  mainstay set web --unset directory"
)]
pub(super) struct Args {
    /// The service's name
    name: String,

    /// What to set; keys of tables have dots, checks their names between them, names with dots
    /// quotes: `environment."a.b"=1`
    #[arg(value_name = "KEY=VALUE", required_unless_present = "unset", value_parser = parse_key)]
    keys: Vec<KeyValue>,

    /// A key to take out, so that its default holds; may be given several times
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,

    #[command(flatten)]
    wait: WaitArgs,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Show what stands in the files of a service, or of one of its keys
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay get web\n  mainstay get web restart.delay")]
pub(super) struct GetArgs {
    /// The service's name
    name: String,

    /// A key; those of tables have dots, names with dots quotes: `environment."a.b"`
    key: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_key(text: &str) -> Result<KeyValue, &'static str> {
    let (key, value) = text.split_once('=').ok_or("it sets nothing; write `KEY=VALUE`")?;
    if key.is_empty() {
        return Err("there is no key; write `KEY=VALUE`");
    }
    Ok(KeyValue { key: key.to_owned(), value: value.to_owned() })
}

pub(super) async fn set(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let before: Status = client.get("/v1/status").await?;
    let edit = EditKeys { set: args.keys, unset: args.unset };
    let path = format!("/v1/services/{}", escaped(&args.name));
    let answer: CommandAnswer = client.patch(&path, &edit).await?;
    apply::settle(&mut client, before, &answer, Told { wait: &args.wait, json: args.json }).await
}

pub(super) async fn get(args: &GetArgs, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let key = args.key.as_ref().map(|key| format!("?key={}", escaped(key)));
    let path = format!("/v1/services/{}{}", escaped(&args.name), key.unwrap_or_default());
    let answer: ServiceText = client.get(&path).await?;
    if args.json {
        print::json(&answer);
    } else if let Some(text) = &answer.text {
        print::data(&format!("{}\n", text.trim_end()));
    }
    if answer.text.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    let key = args.key.as_deref().unwrap_or_default();
    if let Some(NoSuchKey { near }) = no_such_key(key) {
        let what = format!("no service has a key `{key}`");
        let hint = near.map_or_else(
            || "`docs/reference/configuration.md` lists all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(CliError::refused(what, hint));
    }
    if !args.json {
        let key = args.key.as_deref();
        print::talk(&format!("`{}` is not set; its default holds", key.unwrap_or_default()));
    }
    Ok(ExitCode::from(1))
}
