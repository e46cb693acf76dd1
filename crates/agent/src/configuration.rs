//! Finding and reading the configuration files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_api::config::{self, Config, Diagnostic, FILE_BYTES_MAX, SourceText};
use mainstay_platform::paths;
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

/// A file with its contents.
#[derive(Debug)]
struct Loaded {
    name: String,
    bytes: Vec<u8>,
}

/// Reads the main file and `services.d/*.toml` beside it, and says everything that is wrong.
pub fn load(main: &Path) -> Result<Config, Vec<Diagnostic>> {
    let mut loaded = Vec::new();
    let mut found = Vec::new();
    for path in files(main) {
        match read(&path) {
            Ok(bytes) => loaded.push(Loaded { name: path.display().to_string(), bytes }),
            Err(error) => {
                let message = format!("cannot read the file: {error}");
                let file = path.display().to_string();
                found.push(Diagnostic::of_file(&file, "unreadable", message, ""));
            }
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let texts: Vec<SourceText<'_>> =
        loaded.iter().map(|file| SourceText { file: &file.name, bytes: &file.bytes }).collect();
    config::parse(&texts)
}

/// Returns the files of an instance, in the order in which they are read.
fn files(main: &Path) -> Vec<PathBuf> {
    let folder = main.parent().unwrap_or_else(|| Path::new("")).join("services.d");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut more: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    more.sort();
    more.insert(0, main.to_owned());
    more
}

/// Reads at most one byte more than is allowed: the rest is refused anyway.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The texts of the configuration that was last applied, as they are kept for bad days.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    text: String,
}

/// Keeps the texts of a configuration that was applied.
pub(crate) fn keep(main: &Path, kept: &Path) -> io::Result<()> {
    let mut all = Vec::new();
    for path in files(main) {
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        all.push(Kept { name: path.display().to_string(), text });
    }
    atomic::replace(kept, &serde_json::to_vec(&all)?, paths::create_private_file)
}

/// Reads the configuration that was last applied.
pub(crate) fn recall(kept: &Path) -> Option<Config> {
    let all: Vec<Kept> = serde_json::from_slice(&fs::read(kept).ok()?).ok()?;
    let texts: Vec<SourceText<'_>> =
        all.iter().map(|one| SourceText { file: &one.name, bytes: one.text.as_bytes() }).collect();
    config::parse(&texts).ok()
}

/// Replaces a configuration file by an edited text; its mode stays.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    atomic::replace(path, text.as_bytes(), |temporary| {
        let file = paths::create_private_file(temporary)?;
        file.set_permissions(permissions.clone())?;
        Ok(file)
    })
}
