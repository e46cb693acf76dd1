//! `mainstay ddns update`: write names at once, without waiting for a change.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_ddns::host::ask::Request;
use serde_json::{Value, json};

use super::found::{self, Whom};
use crate::{errors::CliError, print};

/// Write names at once, parked ones as well
///
/// What a provider has asked for is forgotten: use it once a password is right again, not as a habit.
/// Only the least time between two writes of one record, `min-interval`, is kept.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns update --now\n  mainstay ddns update home.example.org\n  mainstay ddns update cf/home.example.org/AAAA --service home"
)]
pub(super) struct Args {
    /// Names, or records as `mainstay ddns status` calls them
    #[arg(value_name = "NAME", required_unless_present = "now")]
    names: Vec<String>,

    /// All names
    #[arg(long, conflicts_with = "names")]
    now: bool,

    #[command(flatten)]
    whom: Whom,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let clients = found::clients(&args.whom, instance)?;
    let (mut updating, mut refused) = (Vec::new(), Vec::new());
    let mut unknown = args.names.clone();
    for client in &clients {
        match client.ask(&Request::Update(args.names.clone())).await {
            Ok(answer) => {
                let all = answer["unknown"].as_array().map(Vec::as_slice).unwrap_or_default();
                unknown.retain(|name| all.iter().any(|one| one == name));
                let ids = answer["updating"].as_array().cloned().unwrap_or_default();
                updating.extend(ids.into_iter().map(|id| (client.name(), id)));
            }
            Err(error) => refused.push(error),
        }
    }
    // Of several clients one may have the name: whoever has it not refuses in vain.
    if updating.is_empty()
        && let Some(error) = refused.pop()
    {
        return Err(error);
    }
    if args.json {
        let all: Vec<Value> =
            updating.iter().map(|(name, id)| json!({ "service": name, "id": id })).collect();
        print::json(&json!({ "updating": all }));
    } else {
        let lines: String = updating.iter().map(|(_, id)| line(id)).collect();
        print::told(&lines);
        print::talk("`mainstay ddns status` shows what comes of it");
    }
    if unknown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let what = match unknown.as_slice() {
        [name] => format!("no name is called `{name}`"),
        names => format!("no names are called so: `{}`", names.join("`, `")),
    };
    Err(CliError::refused(what, "`mainstay ddns status` shows all of them"))
}

fn line(id: &Value) -> String {
    format!("{} is tried now\n", print::harmless(id.as_str().unwrap_or_default()))
}
