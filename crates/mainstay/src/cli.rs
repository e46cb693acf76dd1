//! The command line: one file a command.

mod add;
mod answer;
mod apply;
mod changes;
mod check;
mod command;
mod completions;
mod ddns;
mod doctor;
mod drill;
mod edit;
mod env;
mod events;
mod import;
mod install;
mod keys;
mod kind;
mod logs;
mod man;
mod notify;
mod programs;
mod reload;
mod schema;
mod secret;
mod service;
mod show;
mod status;
mod subject;
mod tree;
mod up;
mod upgrade;
mod verdict;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use self::{status::usage::size, up::keeper_arguments};

use crate::{
    client::Client,
    errors::CliError,
    instance::{self, Located},
    meant, print,
    words::{self, Language},
};

/// Turns programs into services that stay up
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, about, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  mainstay up mainstay.toml     run these services; Ctrl-C stops them\n  mainstay status               what runs, since when, and why not\n  mainstay why web              the story of one service\n  mainstay drill agent          kill the agent and see what it costs"
)]
struct Cli {
    /// An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
    #[arg(long, global = true, value_name = "NAME")]
    instance: Option<String>,

    /// The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
    #[arg(
        long,
        global = true,
        value_name = "LANGUAGE",
        hide_possible_values = true,
        display_order = 900
    )]
    lang: Option<Language>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Status(status::Args),
    /// Start units and what they require
    #[command(
        after_help = "Examples:\n  mainstay start web\n  mainstay start @backend --wait --timeout 1m"
    )]
    Start(command::Args),
    /// Stop units and what requires them
    #[command(after_help = "Examples:\n  mainstay stop web\n  mainstay stop 'web*' --timeout 1m")]
    Stop(command::Args),
    /// Stop units, then start them
    #[command(
        after_help = "Examples:\n  mainstay restart web\n  mainstay restart 'web*' --no-wait"
    )]
    Restart(command::Args),
    /// End units at once, without asking
    #[command(after_help = "Examples:\n  mainstay kill web\n  mainstay kill 'web*' --json")]
    Kill(command::Args),
    /// Forget failures and try again at once
    #[command(after_help = "Examples:\n  mainstay reset web\n  mainstay reset '*'")]
    Reset(command::Args),
    /// Freeze units' programs until they are resumed
    ///
    /// Every process of each is frozen where it is, and stays so when the agent is replaced. Nobody
    /// blames it meanwhile: checks and watchdogs stand still, and whoever requires it stays as it
    /// is. `stop` and `restart` let it go on first; a restart of the machine ends it.
    #[command(after_help = "Examples:\n  mainstay pause web\n  mainstay pause @batch --json")]
    Pause(command::Args),
    /// Let paused units' programs go on
    #[command(after_help = "Examples:\n  mainstay resume web\n  mainstay resume '*'")]
    Resume(command::Args),
    Reload(reload::Args),
    Logs(logs::Args),
    Events(events::Args),
    Why(why::Args),
    Show(show::Args),
    Env(env::Args),
    Tree(tree::Args),
    Check(check::Args),
    Diff(apply::DiffArgs),
    Apply(apply::Args),
    Set(keys::Args),
    Get(keys::GetArgs),
    Edit(edit::Args),
    Add(add::Args),
    /// Remove a service from the configuration and stop it
    Remove(add::RemoveArgs),
    Secret(secret::Args),
    Ddns(ddns::Args),
    Kind(kind::Args),
    Drill(drill::Args),
    Service(service::Args),
    Install(install::Args),
    Uninstall(install::UninstallArgs),
    Import(import::Args),
    Notify(notify::Args),
    Upgrade(upgrade::Args),
    Doctor(doctor::Args),
    #[command(alias = "completion")]
    Completions(completions::Args),
    Man(man::Args),
    Schema(schema::Args),
}

/// Returns whether `mainstay kind` has a command of this name, so that no kind can have it.
#[cfg(test)]
pub(crate) fn is_command_of_kind(name: &str) -> bool {
    use clap::CommandFactory as _;
    let mut all = Cli::command();
    all.build();
    let kind = all.find_subcommand("kind");
    kind.is_some_and(|kind| kind.find_subcommand(name).is_some())
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> ExitCode {
    if let Some(code) = completions::answered() {
        return code;
    }
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout and succeeds, mistakes to stderr and do not.
            words::complain(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(CliError::bug(format!("cannot start the runtime: {error}"))),
    };
    print::finish();
    match result {
        Ok(code) => code,
        Err(error) => {
            print::talk(&error.to_string());
            error.code()
        }
    }
}

fn parsed() -> Result<Cli, clap::Error> {
    let mut command = words::unwrapped(Cli::command());
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

async fn dispatch(cli: Cli) -> Result<ExitCode, CliError> {
    use mainstay_api::control::CommandName;
    let instance = cli.instance.as_deref();
    match cli.command {
        Command::Up(args) => up::run(args, instance).await,
        Command::Check(args) => check::run(&args, instance),
        Command::Diff(args) => apply::diff(args, instance).await,
        Command::Apply(args) => apply::run(args, instance).await,
        Command::Set(args) => keys::set(args, instance).await,
        Command::Get(args) => keys::get(&args, instance).await,
        Command::Edit(args) => edit::run(args, instance).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Schema(args) => Ok(schema::run(&args)),
        Command::Doctor(args) => Ok(doctor::run(&args, instance)),
        Command::Notify(args) => notify::run(&args),
        Command::Kind(args) => kind::run(&args, instance),
        Command::Logs(args) => logs::run(args, instance).await,
        Command::Status(args) => status::run(&args, instance).await,
        Command::Start(args) => command::run(args, CommandName::Start, instance).await,
        Command::Stop(args) => command::run(args, CommandName::Stop, instance).await,
        Command::Restart(args) => command::run(args, CommandName::Restart, instance).await,
        Command::Kill(args) => command::run(args, CommandName::Kill, instance).await,
        Command::Reset(args) => command::run(args, CommandName::Reset, instance).await,
        Command::Pause(args) => command::run(args, CommandName::Pause, instance).await,
        Command::Resume(args) => command::run(args, CommandName::Resume, instance).await,
        Command::Reload(args) => reload::run(args, instance).await,
        Command::Events(args) => events::run(args, instance).await,
        Command::Why(args) => why::run(&args, instance).await,
        Command::Show(args) => show::run(&args, instance).await,
        Command::Env(args) => env::run(&args, instance).await,
        Command::Tree(args) => tree::run(&args, instance).await,
        Command::Add(args) => add::run(args, instance).await,
        Command::Remove(args) => add::remove(args, instance).await,
        Command::Secret(args) => secret::run(args, instance).await,
        Command::Ddns(args) => ddns::run(args, instance).await,
        Command::Drill(args) => drill::run(args, instance).await,
        Command::Service(args) => service::run(args).await,
        Command::Install(args) => install::run(&args).await,
        Command::Uninstall(args) => install::uninstall(&args).await,
        Command::Import(args) => import::run(args).await,
        Command::Upgrade(args) => upgrade::run(args, instance).await,
    }
}

/// Finds the instance and connects to its agent.
async fn connect(named: Option<&str>) -> Result<(Located, Client), CliError> {
    let located = instance::choose(named)?;
    let client = Client::connect(&located).await?;
    Ok((located, client))
}

/// Finds the instance that knows the names, and connects to its agent; returns what they mean
/// there.
async fn connect_for(
    instance: Option<&str>,
    names: &[String],
) -> Result<(Client, Vec<String>), CliError> {
    let (located, names) = meant::by(instance, names).await?;
    Ok((Client::connect(&located).await?, names))
}
