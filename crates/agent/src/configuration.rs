//! Finding and reading the configuration files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use mainstay_api::config::{self, Config, Diagnostic, FILE_BYTES_MAX, NewService, SourceText};
use mainstay_core::ServiceName;
use mainstay_platform::paths;
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

use crate::descriptors;

/// A file with its contents.
#[derive(Debug)]
struct Source {
    name: String,
    bytes: Vec<u8>,
}

/// A configuration, and the texts it was read from.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) texts: Texts,
}

/// Where the configuration of an instance is.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The main file; others lie in `services.d` beside it.
    pub(crate) main: PathBuf,
    /// The copy of what was last applied.
    pub(crate) kept: PathBuf,
}

/// Reads the main file and `services.d/*.toml` beside it, and says everything that is wrong.
pub fn load(main: &Path) -> Result<Config, Vec<Diagnostic>> {
    read_all(main).map(|loaded| loaded.config)
}

/// Reads everything and keeps the texts.
pub(crate) fn read_all(main: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let mut sources = Vec::new();
    let mut found = Vec::new();
    for path in files(main) {
        match read(&path) {
            Ok(bytes) => sources.push(Source { name: path.display().to_string(), bytes }),
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
        sources.iter().map(|file| SourceText { file: &file.name, bytes: &file.bytes }).collect();
    let config = config::parse(&texts)?;
    Ok(Loaded { config, texts: Texts(sources.into_iter().map(Kept::of).collect()) })
}

/// Reads everything, but waits no longer than this: files may lie where nobody answers.
pub(crate) fn read_within(main: &Path, within: Duration) -> Result<Loaded, Vec<Diagnostic>> {
    let path = main.to_owned();
    let read = on_a_thread(within, move || read_all(&path));
    read.unwrap_or_else(|error| {
        let message = format!("cannot read the configuration: {error}");
        Err(vec![Diagnostic::of_file(&main.display().to_string(), "unreadable", message, "")])
    })
}

/// Does something that may stand still for ever; its thread is left alone then.
fn on_a_thread<T: Send + 'static>(
    within: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (outbox, inbox) = mpsc::sync_channel(1);
    // Nobody waits any more for what comes too late.
    let thread = move || drop(outbox.send(work()));
    thread::Builder::new().name("config".to_owned()).spawn(thread)?;
    inbox.recv_timeout(within).map_err(|error| match error {
        RecvTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
        RecvTimeoutError::Disconnected => io::ErrorKind::BrokenPipe.into(),
    })
}

/// Reads everything to be applied now: this machine must allow it, too.
pub(crate) fn read_to_apply(main: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = read_all(main)?;
    descriptors::check(&loaded.config, main)?;
    Ok(loaded)
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
    paths::open_regular(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The texts of a configuration, as they are kept for bad days.
#[derive(Debug)]
pub(crate) struct Texts(Vec<Kept>);

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    text: String,
}

impl Kept {
    fn of(source: Source) -> Self {
        Self { name: source.name, text: String::from_utf8_lossy(&source.bytes).into_owned() }
    }
}

/// Keeps the texts of a configuration that is good.
pub(crate) fn keep(texts: &Texts, kept: &Path) -> io::Result<()> {
    atomic::replace(kept, &serde_json::to_vec(&texts.0)?, paths::create_private_file)
}

/// Reads the configuration that was last applied.
pub(crate) fn recall(kept: &Path) -> Option<Config> {
    let all: Vec<Kept> = serde_json::from_slice(&fs::read(kept).ok()?).ok()?;
    let texts: Vec<SourceText<'_>> =
        all.iter().map(|one| SourceText { file: &one.name, bytes: one.text.as_bytes() }).collect();
    config::parse(&texts).ok()
}

/// An edit of the main file, as people ask for it.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Add(ServiceName, NewService),
    Remove(ServiceName),
}

/// An edit that did not come about; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("cannot edit `{path}`: {source}")]
    Disk { path: String, source: io::Error },
    #[error("{0}")]
    Refused(#[from] config::EditError),
    #[error("{}", config::render(.0))]
    Bad(Vec<Diagnostic>),
}

/// Edits the main file and reads everything again; what cannot be applied is taken back.
pub(crate) fn edit(main: &Path, edit: &Edit) -> Result<Loaded, EditError> {
    let disk = |source| EditError::Disk { path: main.display().to_string(), source };
    let before = fs::read_to_string(main).map_err(disk)?;
    let after = match edit {
        Edit::Add(name, service) => config::add(&before, name.as_str(), service)?,
        Edit::Remove(name) => config::remove(&before, name.as_str())?,
    };
    write(main, &after).map_err(disk)?;
    let loaded = match edit {
        Edit::Add(..) => read_to_apply(main),
        // Never refused for what is left: there may have been too much before.
        Edit::Remove(_) => read_all(main),
    };
    match loaded {
        Ok(loaded) => Ok(loaded),
        Err(found) => {
            write(main, &before).map_err(disk)?;
            Err(EditError::Bad(found))
        }
    }
}

/// Replaces a configuration file by an edited text; its mode stays.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    atomic::replace(path, text.as_bytes(), |temporary| {
        let file = paths::create_private_file(temporary)?;
        file.set_permissions(permissions.clone())?;
        Ok(file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_for_ever_is_not_waited_for() {
        let (writer, reader) = mpsc::channel::<()>();
        let late = on_a_thread(Duration::from_millis(10), move || reader.recv().is_ok());
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(writer);
        assert_eq!(on_a_thread(Duration::from_secs(20), || 7).unwrap(), 7);
    }
}
