//! Finding the file of a command: the system gets an absolute path, and never searches itself.

use std::{
    io,
    path::{Path, PathBuf},
};

use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;

use super::{Program, script};

/// Tried in this order when a command has no extension of its own.
const EXTENSIONS: &[&str] = &["com", "exe", "bat", "cmd"];

/// Returns the absolute path of the file.
///
/// A bare name is searched in the program's `PATH`; any other one begins at its folder. Aliases of
/// the Microsoft Store are passed over as long as there is something else.
pub(super) fn find(program: &Program<'_>) -> io::Result<PathBuf> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let base = match &program.directory {
        Some(folder) => folder.clone(),
        None => std::env::current_dir()?,
    };
    let is_bare = !name.contains(['\\', '/', ':']);
    let folders = if is_bare { path_of(program) } else { vec![PathBuf::new()] };
    let mut refusal = None;
    for folder in &folders {
        let Some(file) = file_at(&base.join(folder).join(name)) else { continue };
        match script::alias_refusal(&file) {
            Some(error) => refusal = Some(error),
            None => return std::path::absolute(file),
        }
    }
    // With the system's number, because that is what whoever asked for a service's start is told.
    let missing = || io::Error::from_raw_os_error(ERROR_FILE_NOT_FOUND.cast_signed());
    Err(refusal.unwrap_or_else(missing))
}

fn path_of(program: &Program<'_>) -> Vec<PathBuf> {
    let variables = program.environment.iter().rev().map(|one| String::from_utf8_lossy(one));
    let values = variables.filter_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        name.eq_ignore_ascii_case("PATH").then(|| value.to_owned())
    });
    let path = values.into_iter().next().unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

fn file_at(path: &Path) -> Option<PathBuf> {
    // Aliases of the store cannot be followed, but they are there.
    let is_there = |path: &Path| path.is_file() || script::alias_refusal(path).is_some();
    if path.extension().is_some() && is_there(path) {
        return Some(path.to_owned());
    }
    let with = |extension: &&str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    };
    EXTENSIONS.iter().map(with).find(|file| is_there(file))
}
