//! Finding and reading the configuration files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_api::config::{self, Config, Diagnostic, FILE_BYTES_MAX, SourceText};
use mainstay_core::ServiceName;
use mainstay_platform::paths;
use mainstay_storage::{atomic, instance::Instance};
use serde::{Deserialize, Serialize};

use crate::{
    descriptors,
    errand::{Errands, Steps},
    watch,
};

/// More files than this in `services.d` are refused: each is read, and watched.
const FILES_MAX: usize = 10_000;

/// A file with its contents.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Source {
    /// Returns what it holds; what is no UTF-8 is found out by whoever understands it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Returns its name for messages.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// A configuration, and the texts it was read from.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) texts: Texts,
    /// Names the texts among all others.
    pub(crate) fingerprint: u64,
}

/// Where the configuration of an instance is.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The main file; others lie in `services.d` beside it.
    pub(crate) main: PathBuf,
    /// Where the instance has the copy of what was last applied.
    pub(crate) instance: Instance,
}

impl Files {
    /// Returns the copy of what was last applied.
    pub(crate) fn kept(&self) -> PathBuf {
        self.instance.last_good_config()
    }
}

/// Reads the main file and `services.d/*.toml` beside it, and says everything that is wrong. What
/// lies where nobody answers is wrong, too.
pub fn load(main: &Path) -> Result<Config, Vec<Diagnostic>> {
    read_in_time(main).map(|loaded| loaded.config)
}

/// Reads everything and keeps the texts.
fn read_all(main: &Path, steps: &Steps) -> Result<Loaded, Vec<Diagnostic>> {
    understand(&read_sources(main, steps)?)
}

/// Reads all files, the main one first.
pub(crate) fn read_sources(main: &Path, steps: &Steps) -> Result<Vec<Source>, Vec<Diagnostic>> {
    let mut sources = Vec::new();
    let mut found = Vec::new();
    for path in files(main, steps)? {
        match read(&path, steps) {
            Ok(bytes) => sources.push(Source { path, bytes }),
            Err(error) => found.push(unreadable(&path, "file", &error)),
        }
    }
    if found.is_empty() { Ok(sources) } else { Err(found) }
}

fn unreadable(path: &Path, what: &str, error: &io::Error) -> Diagnostic {
    let message = format!("cannot read the {what}: {error}");
    Diagnostic::of_file(&path.display().to_string(), "unreadable", message, "")
}

/// Makes a configuration of all texts together.
pub(crate) fn understand(sources: &[Source]) -> Result<Loaded, Vec<Diagnostic>> {
    let names: Vec<String> = sources.iter().map(Source::name).collect();
    let all = names.iter().zip(sources);
    let texts: Vec<SourceText<'_>> =
        all.map(|(file, source)| SourceText { file, bytes: &source.bytes }).collect();
    let config = config::parse(&texts)?;
    let kept = Texts(sources.iter().map(Kept::of).collect());
    Ok(Loaded { config, texts: kept, fingerprint: watch::fingerprint(sources) })
}

/// Returns where a service is named by others and by groups.
pub(crate) fn named_by(sources: &[Source], service: &ServiceName) -> Vec<Diagnostic> {
    let names: Vec<String> = sources.iter().map(Source::name).collect();
    let all = names.iter().zip(sources);
    let texts: Vec<SourceText<'_>> =
        all.map(|(file, source)| SourceText { file, bytes: &source.bytes }).collect();
    config::named_by(&texts, service)
}

/// Reads everything, but does not wait for files that lie where nobody answers.
pub(crate) fn read_in_time(main: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let path = main.to_owned();
    let read = Errands::default().run(main, move |steps| read_all(&path, steps));
    read.unwrap_or_else(|stuck| {
        let file = main.display().to_string();
        Err(vec![Diagnostic::of_file(&file, "unreadable", stuck.to_string(), "")])
    })
}

/// Reads everything to be applied now: this machine must allow it, too.
pub(crate) fn read_to_apply(main: &Path, steps: &Steps) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = read_all(main, steps)?;
    descriptors::check(&loaded.config, main)?;
    Ok(loaded)
}

/// Returns the files of an instance, in the order in which they are read.
pub(crate) fn files(main: &Path, steps: &Steps) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let folder = main.parent().unwrap_or_else(|| Path::new("")).join("services.d");
    let mut more = match steps.read(&folder).and_then(|()| files_in(&folder)) {
        Ok(more) => more,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(vec![unreadable(&folder, "folder", &error)]),
    };
    if more.len() > FILES_MAX {
        let folder = folder.display().to_string();
        let message = format!("the folder has more than {FILES_MAX} files that end with `.toml`");
        let help = "write several services into one file";
        return Err(vec![Diagnostic::of_file(&folder, "too-many-files", message, help)]);
    }
    more.sort();
    more.insert(0, main.to_owned());
    Ok(more)
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    // One more than are allowed: the rest is refused anyway.
    let ours = paths.filter(|path| path.as_ref().map_or(true, |path| is_ours(path)));
    ours.take(FILES_MAX + 1).collect()
}

/// Returns whether a file of `services.d` is read. Where names are the same in capital letters,
/// somebody may have written them so.
pub(crate) fn is_ours(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"))
}

/// Reads at most one byte more than is allowed: the rest is refused anyway.
fn read(path: &Path, steps: &Steps) -> io::Result<Vec<u8>> {
    use io::Read as _;
    steps.read(path)?;
    let mut bytes = Vec::new();
    paths::open_regular(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The texts of a configuration, as they are kept for bad days.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Texts(Vec<Kept>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    name: String,
    text: String,
}

impl Kept {
    fn of(source: &Source) -> Self {
        Self { name: source.name(), text: String::from_utf8_lossy(&source.bytes).into_owned() }
    }
}

/// Keeps the texts of a configuration that is good.
pub(crate) fn keep(texts: &Texts, kept: &Path) -> io::Result<()> {
    atomic::replace(kept, &serde_json::to_vec(&texts.0)?, paths::create_private_file)
}

/// Reads the texts of the configuration that was last applied; a file that makes no sense, because
/// it is damaged or of a later version, is set aside and named in the result.
pub(crate) fn recall(kept: &Path) -> (Option<Texts>, Option<String>) {
    let what = "the copy of the last configuration";
    let bytes = match fs::read(kept) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (None, None),
        Err(error) => return (None, Some(format!("cannot read {what}: {error}"))),
    };
    match serde_json::from_slice(&bytes) {
        Ok(texts) => (Some(Texts(texts)), None),
        Err(_) => (
            None,
            Some(atomic::set_aside(kept).map_or_else(
                |error| format!("{what} makes no sense, and cannot be set aside: {error}"),
                |aside| format!("{what} makes no sense: set aside as `{}`", aside.display()),
            )),
        ),
    }
}

impl Texts {
    /// Makes a configuration of them again.
    pub(crate) fn understand(&self) -> Result<Config, Vec<Diagnostic>> {
        let texts = self.0.iter();
        let texts: Vec<SourceText<'_>> =
            texts.map(|one| SourceText { file: &one.name, bytes: one.text.as_bytes() }).collect();
        config::parse(&texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_that_is_not_there_is_empty() {
        let folder = std::env::temp_dir().join(format!("mainstay-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let main = folder.join("mainstay.toml");
        let write = |path: &Path, text: &str| {
            atomic::replace(path, text.as_bytes(), paths::create_private_file).unwrap();
        };
        write(&main, "[services.web]\ncommand = [\"web\"]\n");
        assert_eq!(load(&main).unwrap().services.len(), 1);

        write(&folder.join("services.d"), "no folder");
        let found = load(&main).unwrap_err();
        assert_eq!(found[0].file, folder.join("services.d").display().to_string());
        assert!(found[0].message.starts_with("cannot read the folder: "), "{found:?}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_has_no_more_files_than_anybody_watches() {
        let folder = std::env::temp_dir().join(format!("mainstay-many-{}", std::process::id()));
        let more = folder.join("services.d");
        fs::create_dir_all(&more).unwrap();
        let main = folder.join("mainstay.toml");
        let write = |path: &Path| {
            atomic::replace(path, b"", paths::create_private_file).unwrap();
        };
        write(&main);
        write(&more.join("0.toml"));
        for number in 1..FILES_MAX {
            fs::hard_link(more.join("0.toml"), more.join(format!("{number}.toml"))).unwrap();
        }
        assert_eq!(files(&main, &Steps::untold()).unwrap().len(), FILES_MAX + 1);
        write(&more.join("more.TOML"));
        let found = files(&main, &Steps::untold()).unwrap_err();
        assert_eq!(found[0].code, "too-many-files");
        assert_eq!(found[0].file, more.display().to_string());
        fs::remove_dir_all(&folder).unwrap();
    }
}
