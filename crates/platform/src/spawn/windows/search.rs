//! Finding the image of a command: the system gets an absolute path, and never searches itself.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::Program;

/// Tried in this order when a command has no extension of its own.
const EXTENSIONS: &[&str] = &["exe", "com"];

/// Returns the absolute path of the image.
///
/// A bare name is searched in the program's `PATH`; any other one begins at its folder. Scripts
/// are no images: they need their interpreter as the command.
pub(super) fn find(program: &Program<'_>) -> io::Result<PathBuf> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let base = match &program.directory {
        Some(folder) => folder.clone(),
        None => std::env::current_dir()?,
    };
    let is_bare = !name.contains(['\\', '/', ':']);
    let folders = if is_bare { path_of(program) } else { vec![PathBuf::new()] };
    let found = folders.iter().find_map(|folder| image_at(&base.join(folder).join(name)));
    found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)).and_then(std::path::absolute)
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

fn image_at(path: &Path) -> Option<PathBuf> {
    if path.extension().is_some() && path.is_file() {
        return Some(path.to_owned());
    }
    let with = |extension: &&str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    };
    EXTENSIONS.iter().map(with).find(|image| image.is_file())
}
