//! `mainstay apply` and `mainstay diff`: the configuration files, and what they change.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_api::control::{CommandAnswer, DiffAnswer, DiffRequest, ReplaceFile, Status};

use super::changes::{self, WaitArgs};
use crate::{client::Client, errors::CliError, print};

/// What `diff` ends with when something differs, as programs of that name do.
const DIFFERS: u8 = 1;
/// What it ends with when it cannot tell.
const TROUBLE: u8 = 2;

/// Apply the configuration files: all that is in them, or nothing
///
/// Files are applied by themselves when they change, unless they say `hot-reload = false`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay apply\n  mainstay apply --prune\n  mainstay apply new.toml --timeout 2m"
)]
pub(super) struct Args {
    /// A file whose text becomes that of the instance's own file
    #[arg(value_name = "FILE")]
    path: Option<PathBuf>,

    /// Stop and forget services that no file has any more
    #[arg(long)]
    prune: bool,

    /// Apply files without any service, too: they let go of all there are
    #[arg(long)]
    allow_empty: bool,

    #[command(flatten)]
    wait: WaitArgs,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Show what `apply` would change, and when each change takes effect
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay diff\n  mainstay diff new.toml --json\n\nIt ends with 0 when nothing differs, 1 when something does, 2 when it cannot tell."
)]
pub(super) struct DiffArgs {
    /// A file whose text would become that of the instance's own file
    #[arg(value_name = "FILE")]
    path: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let before: Status = client.get("/v1/status").await?;
    let (prune, allow_empty) = (args.prune, args.allow_empty);
    let answer: CommandAnswer = if let Some(path) = &args.path {
        let (text, name) = (text_of(path)?, Some(path.display().to_string()));
        let new = ReplaceFile { file: None, text, former: None, prune, allow_empty, name };
        client.put("/v1/files", &new).await?
    } else {
        let path = format!("/v1/apply?prune={prune}&allow-empty={allow_empty}");
        client.post(&path, &()).await?
    };
    if !args.json {
        tell_orphaned(&before, &answer);
    }
    settle(&mut client, before, &answer, Told { wait: &args.wait, json: args.json }).await
}

/// Names services that had left the files before, and run on.
fn tell_orphaned(before: &Status, answer: &CommandAnswer) {
    let changes = answer.changes.clone().unwrap_or_default();
    let is_back = |name: &String| changes.added.contains(name) || changes.pruned.contains(name);
    let orphaned = before.units.iter().filter(|unit| unit.orphaned).map(|unit| &unit.service);
    let left: BTreeSet<&String> = orphaned.filter(|name| !is_back(name)).collect();
    for service in left {
        orphaned_still(service);
    }
}

fn orphaned_still(service: &str) {
    print::talk(&format!("`{service}` is orphaned; `mainstay apply --prune` ends it"));
}

/// How it is told what came of a change.
pub(super) struct Told<'a> {
    pub(super) wait: &'a WaitArgs,
    pub(super) json: bool,
}

/// Says what has changed, and waits until it is so.
pub(super) async fn settle(
    client: &mut Client,
    before: Status,
    answer: &CommandAnswer,
    how: Told<'_>,
) -> Result<ExitCode, CliError> {
    let changes = answer.changes.clone().unwrap_or_default();
    if how.json {
        print::json(answer);
    } else {
        tell(&changes::lines(&changes), "applied:");
    }
    let is_done = changes::follow(client, before, &changes, how.wait).await?;
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn tell(lines: &str, title: &str) {
    if lines.is_empty() {
        return print::told("the configuration is the one that runs; nothing to apply\n");
    }
    print::told(&format!("{title}\n"));
    print::data(&format!("{lines}\n"));
}

pub(super) async fn diff(args: DiffArgs, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let name = args.path.as_ref().map(|path| path.display().to_string());
    let text = args.path.as_deref().map(text_of).transpose();
    let answer = match text {
        Ok(text) => client.post::<DiffAnswer>("/v1/diff", &DiffRequest { text, name }).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => {
            show(&args, &answer);
            Ok(if answer.differs { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
        }
        Err(error) if error.is_refusal() => {
            print::talk(&error.to_string());
            Ok(ExitCode::from(TROUBLE))
        }
        Err(error) => Err(error),
    }
}

fn show(args: &DiffArgs, answer: &DiffAnswer) {
    if args.json {
        return print::json(answer);
    }
    tell(&changes::lines(&answer.changes), "to be applied:");
    for service in answer.orphaned.iter().filter(|it| !answer.changes.removed.contains(it)) {
        orphaned_still(service);
    }
    if answer.empty {
        print::talk(
            "note: the files hold no service any more; `mainstay apply` refuses that without `--allow-empty`",
        );
    }
}

fn text_of(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| {
        CliError::refused(format!("cannot read `{}`: {error}", path.display()), "")
    })
}
