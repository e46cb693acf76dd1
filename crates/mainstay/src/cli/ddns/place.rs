//! Where a new service goes: a file of the configuration, which may have to be begun.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_api::config::{self, SourceText, append};
use mainstay_platform::paths;
use mainstay_storage::atomic;

use crate::{
    errors::CliError,
    instance::{self, Located},
};

/// What a configuration is called, unless somebody says otherwise.
const FILE_NAME: &str = "mainstay.toml";
/// Further files of a configuration lie here, beside the main one.
const FOLDER: &str = "services.d";

/// Returns the file that a new service is written to: the one that was named; one of its own where
/// the nearest configuration has a folder for such; else that configuration, or one that is begun
/// here.
pub(super) fn file_for(
    said: Option<&Path>,
    service: &str,
    named: Option<&str>,
) -> Result<PathBuf, CliError> {
    if let Some(path) = said {
        return Ok(path.to_owned());
    }
    match instance::to_start(None, named) {
        Ok(Located { file, .. }) => {
            let folder = file.parent().unwrap_or_else(|| Path::new("")).join(FOLDER);
            let own = folder.join(format!("{service}.toml"));
            Ok(if folder.is_dir() { own } else { file })
        }
        Err(_) if named.is_none() => Ok(PathBuf::from(FILE_NAME)),
        Err(error) => Err(error),
    }
}

/// Returns the instance that a file belongs to: that of the machine has its secrets elsewhere.
pub(super) fn instance_of(file: &Path) -> Result<Located, CliError> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let main = match folder.file_name() {
        Some(name) if name == FOLDER => folder.with_file_name(FILE_NAME),
        _ => file.to_owned(),
    };
    let located = instance::of_file(&main)?;
    let is_same =
        |machine: &Located| paths::canonical(&machine.file).is_ok_and(|file| file == located.file);
    Ok(instance::of_machine().filter(is_same).unwrap_or(located))
}

/// Refuses the name of a service that a file has already.
pub(super) fn check_name(file: &Path, service: &str) -> Result<(), CliError> {
    joined(file, service, "").map(drop)
}

/// Returns the whole text of a file with a service behind what it has already.
pub(super) fn with_service(file: &Path, service: &str, tables: &str) -> Result<String, CliError> {
    let whole = joined(file, service, tables)?;
    let name = file.display().to_string();
    config::parse(&[SourceText { file: &name, bytes: whole.as_bytes() }])
        .map_err(|found| CliError::refused(config::render(&found), ""))?;
    Ok(whole)
}

fn joined(file: &Path, service: &str, tables: &str) -> Result<String, CliError> {
    let what = |why: String| format!("cannot add `{service}` to `{}`: {why}", file.display());
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(CliError::refused(what(error.to_string()), "")),
    };
    append(&text, service, tables).map_err(|error| {
        CliError::refused(what(error.to_string()), "choose another name with `--service`")
    })
}

/// Writes a file, all of it or nothing; a new one is its owner's alone, one that was there keeps its
/// owner and its mode, and a link to one goes on leading there.
pub(super) fn write(file: &Path, text: &str) -> Result<(), CliError> {
    let former = fs::canonicalize(file).ok();
    let target = former.as_deref().unwrap_or(file);
    let create = |temporary: &Path| match &former {
        Some(former) => {
            let file = paths::create_private_file(temporary)?;
            paths::share_owner(&file, former)?;
            file.set_permissions(fs::metadata(former)?.permissions())?;
            Ok(file)
        }
        None => paths::create_private_file(temporary),
    };
    atomic::replace(target, text.as_bytes(), create).map_err(|error| {
        CliError::refused(format!("cannot write `{}`: {error}", file.display()), "")
    })
}
