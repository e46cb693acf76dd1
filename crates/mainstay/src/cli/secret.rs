//! `mainstay secret set|list|remove`: values go in by stdin, a file or a prompt, never by the
//! command line, and never come out again.
//!
//! An agent that runs does it; without one it is done to the files, as long as nobody else has
//! them.

use std::{
    io::{self, IsTerminal as _, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;
use mainstay_agent::{
    configuration,
    secrets::{Secret, Vault, VaultError, without_line_end},
};
use mainstay_api::{
    config::{Config, SECRET_BYTES_MAX, check_secret_name},
    control::{CommandName, SecretAnswer, SecretInfo, Secrets, Status, Unit},
};
use mainstay_platform::{dump, lock::FileLock, logon, paths};
use mainstay_words::{padded, width as columns_of};

use super::{command, up};
use crate::{
    client::{Client, escaped},
    errors::{CliError, Kind},
    instance::{self, Located},
    print, words,
};

/// Keep secrets that services refer to; values never come out again
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  mainstay secret set db                 asks for the value\n  pass show db | mainstay secret set db  reads it from another program\n  mainstay secret list\n\nA service refers to it: environment = { DB_PASSWORD = { secret = \"db\" } }"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    Set(SetArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Set a secret, or another value for it; read from stdin, a file or the terminal
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay secret set db\n  pass show db | mainstay secret set db --restart\n  mainstay secret set key --file key.pem"
)]
struct SetArgs {
    /// Its name
    name: String,

    /// Read the value from this file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Restart the services that refer to it and are up
    #[arg(long)]
    restart: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "restart")]
    json: bool,
}

/// Show the names of all secrets, and who refers to them
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay secret list\n  mainstay secret list --json")]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Remove a secret; services that refer to it do not start any more
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay secret remove db")]
struct RemoveArgs {
    /// Its name
    name: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    match args.command {
        SecretCommand::Set(args) => set(args, named).await,
        SecretCommand::List(args) => list(&args, named).await,
        SecretCommand::Remove(args) => remove(&args, named).await,
    }
}

async fn set(args: SetArgs, named: Option<&str>) -> Result<ExitCode, CliError> {
    drop(dump::refuse());
    let name = checked(&args.name)?;
    let value = value(name, args.file.as_deref())?;
    let (answer, reached) = keep(name, &value, reach(named).await?).await?;
    if args.json {
        print::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    print::told(&if answer.replaced {
        format!("set anew: {name}\n")
    } else {
        format!("set: {name}\n")
    });
    if let Some(aside) = &answer.aside {
        print::talk(&format!(
            "the store was damaged: it is `{aside}` now, and its secrets are lost"
        ));
    }
    if answer.services.is_empty() || reached == Whom::Files {
        return Ok(ExitCode::SUCCESS);
    }
    let (_, mut client) = super::connect(named).await?;
    let status: Status = client.get("/v1/status").await?;
    let users = status.units.into_iter().filter(|unit| answer.services.contains(&unit.service));
    let (up, others): (Vec<Unit>, Vec<Unit>) = users.partition(is_up);
    let up: Vec<String> = up.into_iter().map(|unit| unit.unit).collect();
    if !args.restart {
        print::talk(&remedy(&up));
        return Ok(ExitCode::SUCCESS);
    }
    for unit in others.iter().filter(|unit| rests(unit)) {
        let (name, state) = (&unit.unit, print::wording(&unit.state));
        print::talk(&format!("{name} is {state}, and stays so: its next start gets it"));
    }
    if up.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    command::run(command::Args::of(up), CommandName::Restart, named).await
}

/// Sets a secret of an instance, for other commands that have asked for it.
pub(super) async fn store(
    located: &Located,
    name: &str,
    value: String,
) -> Result<SecretAnswer, CliError> {
    let value = Secret::new(value.into_bytes());
    let (answer, _) = keep(checked(name)?, &value, reach_at(located).await?).await?;
    Ok(answer)
}

async fn keep(
    name: &str,
    value: &Secret,
    reached: Reached,
) -> Result<(SecretAnswer, Whom), CliError> {
    Ok(match reached {
        Reached::Agent(mut client) => {
            let body = value.reveal().to_vec();
            let answer: SecretAnswer = client.post_bytes(&path_of(name), body).await?;
            (answer, Whom::Agent)
        }
        Reached::Files(files) => (files.set(name, value)?, Whom::Files),
    })
}

/// Returns whether a unit has the former value, or fails for it and is tried again.
fn is_up(unit: &Unit) -> bool {
    matches!(unit.state.as_str(), "starting" | "running" | "backoff")
}

/// Returns whether a unit is started by somebody else, or not at all.
fn rests(unit: &Unit) -> bool {
    matches!(unit.state.as_str(), "stopped" | "completed" | "failed")
}

fn remedy(up: &[String]) -> String {
    if up.is_empty() {
        return "whoever refers to it gets it at the next start".to_owned();
    }
    format!("next starts get it; to start anew: `mainstay restart {}`", up.join(" "))
}

async fn list(args: &ListArgs, named: Option<&str>) -> Result<ExitCode, CliError> {
    let found: Secrets = match reach(named).await? {
        Reached::Agent(mut client) => client.get("/v1/secrets").await?,
        Reached::Files(files) => files.list()?,
    };
    if args.json {
        print::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    if found.secrets.is_empty() {
        print::talk("there are no secrets; `mainstay secret set NAME` sets one");
    }
    let widths = found.secrets.iter().map(|secret| columns_of(&secret.name));
    let width = widths.max().unwrap_or_default();
    for SecretInfo { name, set_at, services } in &found.secrets {
        let users = services.join(words::between_items());
        let line = format!("{}  {set_at}  {users}", padded(name, width));
        print::data(&(line.trim_end().to_owned() + "\n"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(args: &RemoveArgs, named: Option<&str>) -> Result<ExitCode, CliError> {
    let name = checked(&args.name)?;
    let answer: SecretAnswer = match reach(named).await? {
        Reached::Agent(mut client) => client.delete(&path_of(name)).await?,
        Reached::Files(files) => files.remove(name)?,
    };
    if args.json {
        print::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    print::told(&format!("removed: {name}\n"));
    if !answer.services.is_empty() {
        let all = answer.services.join(", ");
        print::talk(&format!("{all} cannot be started any more: the configuration refers to it"));
    }
    Ok(ExitCode::SUCCESS)
}

fn path_of(name: &str) -> String {
    format!("/v1/secrets/{}", escaped(name))
}

fn checked(name: &str) -> Result<&str, CliError> {
    let wrong = |help| CliError::usage(format!("{name:?} cannot name a secret"), help);
    check_secret_name(name).map(|()| name).map_err(wrong)
}

/// Reads the value: from a file, from the terminal without showing it, else from stdin.
fn value(name: &str, file: Option<&Path>) -> Result<Secret, CliError> {
    let value = match file {
        Some(path) => {
            let file = paths::open_regular(path).map_err(|error| unread(path, &error))?;
            read(file).map_err(|error| unread(path, &error))?
        }
        None if io::stdin().is_terminal() => asked(name)?,
        None => read(io::stdin().lock()).map_err(|error| unread(Path::new("stdin"), &error))?,
    };
    match value.reveal().len() {
        0 => Err(CliError::refused("the value is empty", "`mainstay secret remove` removes one")),
        1..=SECRET_BYTES_MAX => Ok(value),
        _ => Err(CliError::refused(
            format!("the value has more than {SECRET_BYTES_MAX} bytes"),
            "keep it in a file that only its owner may read: `{ file = \"path\" }`",
        )),
    }
}

/// Reads a little more than is allowed: the rest is refused anyway.
fn read(from: impl Read) -> io::Result<Secret> {
    let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX) + 3;
    let mut bytes = Vec::with_capacity(SECRET_BYTES_MAX + 3);
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(without_line_end(bytes))
}

fn asked(name: &str) -> Result<Secret, CliError> {
    let line = logon::ask_secret(&words::told(&format!("value of {name}: "))).map_err(|error| {
        let hint = "give it on stdin, or with `--file`";
        CliError::refused(format!("nothing was typed: {error}"), hint)
    })?;
    Ok(Secret::new(line.into_bytes()))
}

fn unread(path: &Path, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot read `{}`: {error}", path.display()), "")
}

/// Who does it.
enum Reached {
    Agent(Box<Client>),
    Files(Box<Files>),
}

/// Who has done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Agent,
    Files,
}

/// Finds the agent; where none runs, the files, which nobody else has as long as we do.
async fn reach(named: Option<&str>) -> Result<Reached, CliError> {
    reach_at(&instance::choose(named)?).await
}

async fn reach_at(located: &Located) -> Result<Reached, CliError> {
    match Client::connect(located).await {
        Ok(client) => Ok(Reached::Agent(Box::new(client))),
        Err(error) if error.kind == Kind::Unreachable => {
            Files::take(located, error).map(|files| Reached::Files(Box::new(files)))
        }
        Err(error) => Err(error),
    }
}

/// The files of an instance without an agent.
struct Files {
    vault: Vault,
    config: Config,
    /// Held to the end: an agent that begins meanwhile waits for it, or ends.
    _lock: FileLock,
}

impl Files {
    fn take(located: &Located, unreachable: CliError) -> Result<Self, CliError> {
        let failed = |error: io::Error| {
            let what = format!("cannot work with the files of the instance: {error}");
            CliError::refused(what, "start the instance, or become its user")
        };
        paths::create_private(&located.instance.runtime).map_err(failed)?;
        if located.service.is_none() {
            up::prepare_state(located).map_err(failed)?;
        }
        // An agent that is there and does not answer has them.
        let lock = FileLock::try_take(&located.instance.agent_lock()).map_err(failed)?;
        let lock = lock.ok_or(unreachable)?;
        let vault = Vault::new(&located.instance, located.service.as_deref());
        let config = configuration::load(&located.file).unwrap_or_default();
        Ok(Self { vault, config, _lock: lock })
    }

    fn users(&self, name: &str) -> Vec<String> {
        let all = self.config.services.iter();
        let users = all.filter(|(_, service)| service.fetched.refers_to(name));
        users.map(|(service, _)| service.to_string()).collect()
    }

    fn set(&self, name: &str, value: &Secret) -> Result<SecretAnswer, CliError> {
        let kept = self.vault.set(name, value).map_err(|error| explain(&error))?;
        let aside = kept.aside.map(|path| path.display().to_string());
        Ok(SecretAnswer { replaced: kept.replaced, aside, ..self.answer(name) })
    }

    fn list(&self) -> Result<Secrets, CliError> {
        let names = self.vault.names().map_err(|error| explain(&error))?;
        let info = |(name, set_at): (String, u64)| SecretInfo {
            services: self.users(&name),
            set_at: Timestamp::from_second(i64::try_from(set_at).unwrap_or_default())
                .unwrap_or_default()
                .to_string(),
            name,
        };
        Ok(Secrets { secrets: names.into_iter().map(info).collect() })
    }

    fn remove(&self, name: &str) -> Result<SecretAnswer, CliError> {
        if self.vault.remove(name).map_err(|error| explain(&error))? {
            return Ok(SecretAnswer { replaced: true, ..self.answer(name) });
        }
        let hint = "`mainstay secret list` lists all";
        Err(CliError::refused(format!("there is no secret `{name}`"), hint))
    }

    fn answer(&self, name: &str) -> SecretAnswer {
        let services = self.users(name);
        SecretAnswer { name: name.to_owned(), services, ..SecretAnswer::default() }
    }
}

fn explain(error: &VaultError) -> CliError {
    CliError::refused(error.to_string(), error.hint())
}
