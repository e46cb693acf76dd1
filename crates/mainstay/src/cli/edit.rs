//! `mainstay edit`: a configuration file in the editor; a mistake changes nothing.

use std::{
    env, fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_api::control::{CommandAnswer, FileText, Files, ReplaceFile, ServiceText, Status};
use mainstay_platform::{editor, paths, random};

use super::{
    apply::{self, Told},
    changes::WaitArgs,
};
use crate::{
    client::{Client, escaped},
    errors::CliError,
    print,
};

/// Open a configuration file in the editor; what is good in the end is written and applied
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay edit\n  EDITOR='code --wait' mainstay edit web")]
pub(super) struct Args {
    /// A service, whose file is meant; else the main one
    name: Option<String>,

    #[command(flatten)]
    wait: WaitArgs,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let before: Status = client.get("/v1/status").await?;
    let file = meant(&mut client, args.name.as_deref()).await?;
    let copy = copy_of(&file)?;
    let answer = edit(&mut client, &file, &copy).await;
    if answer.is_ok() {
        // What was not accepted stays, so that nobody's work is lost.
        drop(copy.parent().map(fs::remove_dir_all));
    }
    let Some(answer) = answer? else {
        print::talk("nothing was changed");
        return Ok(ExitCode::SUCCESS);
    };
    apply::settle(&mut client, before, &answer, Told { wait: &args.wait, json: false }).await
}

/// Returns the file that is meant.
async fn meant(client: &mut Client, service: Option<&str>) -> Result<FileText, CliError> {
    let wanted = match service {
        Some(name) => {
            let path = format!("/v1/services/{}", escaped(name));
            Some(client.get::<ServiceText>(&path).await?.file)
        }
        None => None,
    };
    let Files { files } = client.get("/v1/files").await?;
    let is_meant = |file: &FileText| wanted.as_ref().is_none_or(|wanted| *wanted == file.file);
    let found = files.into_iter().find(is_meant);
    found.ok_or_else(|| CliError::refused("the files have changed in this instant", "try again"))
}

/// Writes a copy in a folder of its own that only we may enter, since editors leave more beside it: a
/// configuration may hold what is nobody else's business.
fn copy_of(file: &FileText) -> Result<PathBuf, CliError> {
    let name = Path::new(&file.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = format!("mainstay-edit-{}-{:016x}", std::process::id(), random::number());
    let folder = env::temp_dir().join(folder);
    let copy = folder.join(name);
    let written = paths::create_new_private(&folder)
        .and_then(|()| paths::create_private_file(&copy))
        .and_then(|mut to| to.write_all(file.text.as_bytes()));
    written.map_err(|error| {
        CliError::refused(format!("cannot write `{}`: {error}", copy.display()), "")
    })?;
    Ok(copy)
}

/// Lets somebody edit until it is good, or they give up; nothing where nothing is different.
async fn edit(
    client: &mut Client,
    file: &FileText,
    copy: &Path,
) -> Result<Option<CommandAnswer>, CliError> {
    loop {
        editor::edit(copy)
            .map_err(|error| CliError::refused(format!("cannot edit: {error}"), ""))?;
        let text = fs::read_to_string(copy).map_err(|error| {
            CliError::refused(format!("cannot read what you wrote: {error}"), "")
        })?;
        if text == file.text {
            return Ok(None);
        }
        let (name, former) = (Some(file.file.clone()), Some(file.text.clone()));
        let new =
            ReplaceFile { file: name, text, former, prune: false, allow_empty: false, name: None };
        match client.put::<CommandAnswer>("/v1/files", &new).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) if error.is_refusal() => print::talk(&error.to_string()),
            Err(error) => return Err(error),
        }
        if !wants_again() {
            let hint = format!("what you wrote is in `{}`", copy.display());
            return Err(CliError::refused("nothing was changed", hint));
        }
    }
}

/// Without a terminal nobody can try again.
fn wants_again() -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    print::talk("Enter opens it again; `q` gives up");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok_and(|bytes| bytes > 0) && answer.trim() != "q"
}
