//! `mainstay ddns setup`: from nothing to a name that is kept, in a minute, in English or Chinese.
//!
//! ```text
//!  provider ─► credentials ─► names ─► try out ─► write down ─► secrets ─► start
//!                   ▲                     │ wrong
//!                   └─────────────────────┘
//! ```
//!
//! Everything may be said by the command line; what is not is asked for, on a terminal only.

mod account;
mod ask;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_api::control::CommandAnswer;
use mainstay_ddns::{
    config::{self, Config},
    trial::{self, Depth, Trial},
};
use serde_json::{Value, json};

use self::{account::Account, ask::Asker};
use super::{language, place, seen};
use crate::{
    cli::{secret, up},
    client::Client,
    errors::{CliError, Kind},
    instance, print,
};

/// Set up names that follow this machine's address: asks, tries out, writes it down
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns setup\n  mainstay ddns setup --lang zh\n  mainstay ddns setup --provider duckdns --name me.duckdns.org --secret-file token=token.txt --yes"
)]
#[expect(clippy::struct_excessive_bools, reason = "options of a command line")]
pub(super) struct Args {
    /// Whose names: one of `mainstay ddns providers`
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// A name to keep; may be given several times
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,

    /// Something that the account takes; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    plain: Vec<Pair>,

    /// A secret that the account takes, in a file (`-` is stdin); may be given several times
    #[arg(long = "secret-file", value_name = "KEY=PATH", value_parser = pair)]
    secrets: Vec<Pair>,

    /// Only these families of addresses: ipv4 or ipv6; may be given several times
    #[arg(long = "family", value_name = "FAMILY", value_parser = ["ipv4", "ipv6"])]
    families: Vec<String>,

    /// A service of your own that tells the caller's address; else the usual sources are asked
    #[arg(long, value_name = "FAMILY=URL", value_parser = pair)]
    echo: Vec<Pair>,

    /// What the service is called
    #[arg(long, value_name = "NAME", default_value = "ddns")]
    service: String,

    /// The configuration file that it is written into
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Take the usual answer to each question
    #[arg(short, long)]
    yes: bool,

    /// Ask no source and read no record before it is written down
    #[arg(long)]
    no_try: bool,

    /// Do not start it
    #[arg(long)]
    no_start: bool,

    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A key and its value.
type Pair = (String, String);

fn pair(text: &str) -> Result<Pair, &'static str> {
    let (key, value) = text.split_once('=').ok_or("write `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) async fn run(args: Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let asker = Asker::new(args.yes);
    let file = place::file_for(args.file.as_deref(), &args.service, named)?;
    place::check_name(&file, &args.service)?;
    let mut account = Account::begin(&args, &asker)?;
    let config = account.complete(&asker)?;
    if !args.no_try {
        try_out(&mut account, &asker, config).await?;
    }
    let tables = config::to_toml(&args.service, &account.written(&args.service));
    if args.dry_run {
        print::data(&tables);
        return Ok(ExitCode::SUCCESS);
    }
    print::raw_talk(&format!("\n{tables}"));
    let question = language::written_to(&file);
    if !asker.agrees(&question)? {
        return Err(CliError::refused(language::nothing_written(), ""));
    }
    let whole = place::with_service(&file, &args.service, &tables)?;
    place::write(&file, &whole)?;
    let located = place::instance_of(&file)?;
    for (name, value) in account.secrets(&args.service) {
        secret::store(&located, &name, value).await?;
        print::talk(&language::stored(&name));
    }
    print::told(&format!("{}\n", language::done(&args.service, &file)));
    if args.no_start {
        return Ok(ExitCode::SUCCESS);
    }
    start(&file, &asker).await
}

/// Shows what is seen, and asks for other credentials as long as they are refused.
async fn try_out(account: &mut Account, asker: &Asker, mut config: Config) -> Result<(), CliError> {
    loop {
        print::talk(language::looking());
        let tried = trial::try_out(&config, Depth::NextStep, seen::WITHIN).await;
        let trial = tried.map_err(|error| CliError::refused(error.to_string(), ""))?;
        tell(&config, &trial);
        if !is_refused(&trial) {
            return account.choose_families(asker, &config, &trial);
        }
        if !asker.is_live() || !asker.agrees(language::once_more())? {
            return Ok(());
        }
        account.ask_again(asker)?;
        config = account.complete(asker)?;
    }
}

fn tell(config: &Config, trial: &Trial) {
    for line in seen::addresses(config, trial) {
        print::talk(&line);
    }
    for record in &trial.records {
        print::talk(&seen::record(record));
    }
}

fn is_refused(trial: &Trial) -> bool {
    trial.records.iter().any(|record| matches!(record.next, trial::Next::Failed(_)))
}

/// Has an agent that runs take it, or becomes one.
async fn start(file: &Path, asker: &Asker) -> Result<ExitCode, CliError> {
    let located = place::instance_of(file)?;
    match Client::connect(&located).await {
        Ok(mut client) => {
            let _answer: CommandAnswer = client.post("/v1/apply", &json!(null)).await?;
            print::told(&format!("{}\n", language::taken()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.kind == Kind::Unreachable => {
            let way = format!("`{}`", instance::start_command(&located));
            let is_service = located.service.is_some();
            if is_service || !asker.is_live() || !asker.agrees(language::start_now())? {
                print::talk(&language::later(&way));
                return Ok(ExitCode::SUCCESS);
            }
            up::hold(&located, None).await
        }
        Err(error) => Err(error),
    }
}

/// A configuration of one account.
fn whole(account: &Value) -> Value {
    json!({ "accounts": account })
}
