//! Where kinds are: built in, or programs in folders that nobody else may change.
//!
//! What a kind must do stands in `docs/spec/kind.md`.

use std::{
    collections::BTreeMap,
    env::{self, consts::EXE_SUFFIX},
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_api::{
    config::{KIND_PROGRAM, KindConfig, ServiceConfig, check_kind_name, is_kind_path},
    keeper::{INPUT_BYTES_MAX, SecretText, Spawn},
};
use mainstay_core::UnitName;
use mainstay_platform::{
    paths,
    trust::{self, Weakness},
};
use mainstay_storage::{instance::Instance, secrets::Secret};
use serde_json::Value;

/// The version of the protocol that this build speaks with kinds.
pub const KIND_PROTOCOL: u32 = 1;
/// Kinds that are roles of our own binary: `mainstay kind NAME`.
pub const BUILT_IN: &[&str] = &["ddns"];
/// Where packages put kinds, on systems with such places.
const LIBRARIES: [&str; 2] = ["/usr/local/lib/mainstay/kinds", "/usr/lib/mainstay/kinds"];
/// What the names of programs end with where they need an ending, best first.
const ENDINGS: [&str; 3] = [".exe", ".cmd", ".bat"];
const FOLDER: &str = "kinds";

/// A kind that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKind {
    /// Its name.
    pub name: String,
    /// The command that runs it.
    pub command: Vec<String>,
}

/// A kind that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// Its name can be nobody's.
    #[error("{name:?} cannot name a kind: {help}")]
    Name {
        /// The name.
        name: String,
        /// What can be one.
        help: &'static str,
    },
    /// It is nowhere.
    #[error("there is no kind `{name}`: looked for {places}")]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for, in words.
        places: String,
    },
    /// Somebody else may change it.
    #[error("kind `{name}` is not run, because {weakness}; take that right away")]
    Weak {
        /// Its name.
        name: String,
        /// Who may change what.
        weakness: Weakness,
    },
    /// The system does not tell.
    #[error("cannot tell who may change `{}`: {source}", path.display())]
    Untold {
        /// Its program.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Returns the folders in which kinds are looked for, in this order.
pub fn folders(state: &Path) -> Vec<PathBuf> {
    let own = env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(|folder| folder.join(FOLDER));
    let machine = match paths::machine_base() {
        Ok(base) => vec![base.join(FOLDER)],
        Err(_) => LIBRARIES.map(PathBuf::from).to_vec(),
    };
    [state.join(FOLDER)].into_iter().chain(own).chain(machine).collect()
}

/// Finds a kind by its name, or by the path of its program.
pub fn find(name: &str, folders: &[PathBuf]) -> Result<FoundKind, KindError> {
    if is_kind_path(name) {
        let path = Path::new(name);
        if !path.is_file() {
            let places = format!("`{name}`");
            return Err(KindError::Missing { name: name_of(path), places });
        }
        return trusted(&name_of(path), path);
    }
    check_kind_name(name).map_err(|help| KindError::Name { name: name.to_owned(), help })?;
    if BUILT_IN.contains(&name) {
        return built_in(name);
    }
    let all = folders.iter().flat_map(|folder| programs(folder, name));
    match all.into_iter().find(|path| path.is_file()) {
        Some(path) => trusted(name, &path),
        None => Err(KindError::Missing { name: name.to_owned(), places: places(name, folders) }),
    }
}

/// Returns the command that runs a service, as far as that is known without looking for it: a kind
/// that is no role of our own binary is only named.
pub(crate) fn command_of(service: &ServiceConfig) -> Vec<String> {
    let kind = service.kind.as_ref().filter(|kind| BUILT_IN.contains(&kind.name.as_str()));
    let found = kind.and_then(|kind| built_in(&kind.name).ok());
    found.map_or_else(|| service.command.clone(), |found| found.command)
}

/// Returns all kinds that there are, by name; of several with one name that which is run.
pub fn all(folders: &[PathBuf]) -> Vec<Result<FoundKind, KindError>> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|name| (*name).to_owned()).collect();
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let found = entries.map(|entry| name_of(&entry.path()));
        names.extend(found.filter(|name| check_kind_name(name).is_ok()));
    }
    names.sort();
    names.dedup();
    let found = names.iter().map(|name| find(name, folders));
    // Whatever else lies there is no kind.
    found.filter(|found| !matches!(found, Err(KindError::Missing { .. }))).collect()
}

/// What a run of a kind gets besides values.
#[derive(Debug)]
pub(crate) struct Prepared {
    kind: FoundKind,
    /// The folder of its own.
    data: PathBuf,
}

/// A kind that cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    Kind(#[from] KindError),
    #[error("cannot make its state directory `{}`: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
}

/// Finds a kind's program and makes the folder of its own; both may take their time.
pub(crate) fn prepare(
    kind: &KindConfig,
    instance: &Instance,
    unit: &UnitName,
) -> Result<Prepared, PrepareError> {
    let found = find(&kind.name, &folders(&instance.state))?;
    let data = instance.data_of(&unit.to_string());
    paths::create_private(&data)
        .map_err(|source| PrepareError::Folder { path: data.clone(), source })?;
    Ok(Prepared { kind: found, data })
}

impl Prepared {
    /// Completes the order to start a run.
    pub(crate) fn equip(&self, order: &mut Spawn, input: SecretText) {
        let Self { kind, data } = self;
        let data = data.display().to_string();
        order.command.clone_from(&kind.command);
        order.input = Some(input);
        let own = [
            ("STATE_DIRECTORY", data.clone()),
            ("MAINSTAY_STATE_DIRECTORY", data),
            ("MAINSTAY_KIND", kind.name.clone()),
            ("MAINSTAY_KIND_PROTOCOL", KIND_PROTOCOL.to_string()),
        ];
        order.environment.set.extend(own.map(|(name, value)| (name.to_owned(), value)));
    }
}

/// Returns what a kind reads, with secrets at their places; nothing when that is too long.
pub(crate) fn input(kind: &KindConfig, secrets: &BTreeMap<String, Secret>) -> Option<SecretText> {
    let text = filled(kind, secrets).to_string();
    (text.len() <= INPUT_BYTES_MAX).then(|| SecretText::from(text))
}

/// Returns a kind's configuration with secrets at their places.
pub(crate) fn filled(kind: &KindConfig, secrets: &BTreeMap<String, Secret>) -> Value {
    let mut config = kind.config.clone();
    for (place, secret) in secrets {
        if let Some(value) = config.pointer_mut(place) {
            *value = String::from_utf8_lossy(secret.reveal()).into();
        }
    }
    config
}

fn programs(folder: &Path, name: &str) -> Vec<PathBuf> {
    let path = |ending: &str| folder.join(format!("{KIND_PROGRAM}{name}{ending}"));
    if EXE_SUFFIX.is_empty() { vec![path("")] } else { ENDINGS.map(path).to_vec() }
}

/// Returns the name of the kind whose program this is; a program with another name has that.
fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(&file);
    stem.strip_prefix(KIND_PROGRAM).unwrap_or(stem).to_owned()
}

fn places(name: &str, folders: &[PathBuf]) -> String {
    let endings = if EXE_SUFFIX.is_empty() { "" } else { ".exe, .cmd or .bat" };
    let folders: Vec<String> =
        folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
    format!("`{KIND_PROGRAM}{name}{endings}` in {}", folders.join(", "))
}

fn trusted(name: &str, path: &Path) -> Result<FoundKind, KindError> {
    let untold = |source| KindError::Untold { path: path.to_owned(), source };
    if let Some(weakness) = trust::weakness(path).map_err(untold)? {
        return Err(KindError::Weak { name: name.to_owned(), weakness });
    }
    let command = vec![path.display().to_string()];
    Ok(FoundKind { name: name.to_owned(), command })
}

fn built_in(name: &str) -> Result<FoundKind, KindError> {
    let own = env::current_exe()
        .map_err(|source| KindError::Untold { path: PathBuf::from("mainstay"), source })?;
    let command = vec![own.display().to_string(), "kind".to_owned(), name.to_owned()];
    Ok(FoundKind { name: name.to_owned(), command })
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{SourceText, parse};

    use super::*;

    fn ground(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("mainstay-kinds-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        for part in ["one", "two"] {
            paths::create_private(&folder.join(part)).unwrap();
        }
        folder
    }

    fn put(folder: &Path, name: &str) -> PathBuf {
        let path = programs(folder, name).remove(0);
        paths::create_private_file(&path).unwrap();
        path
    }

    #[test]
    fn the_first_place_counts_and_a_missing_kind_names_all() {
        let ground = ground("places");
        let folders = [ground.join("one"), ground.join("two")];
        let error = find("tide", &folders).unwrap_err().to_string();
        for folder in &folders {
            assert!(error.contains(&folder.display().to_string()), "{error}");
        }
        assert!(error.contains("mainstay-kind-tide"), "{error}");
        let second = put(&folders[1], "tide");
        assert_eq!(find("tide", &folders).unwrap().command, [second.display().to_string()]);
        let first = put(&folders[0], "tide");
        assert_eq!(find("tide", &folders).unwrap().command, [first.display().to_string()]);
        put(&folders[1], "ebb");
        let names = all(&folders).into_iter().map(|found| found.unwrap().name);
        assert_eq!(names.collect::<Vec<_>>(), ["ddns", "ebb", "tide"]);
        fs::remove_dir_all(&ground).unwrap();
    }

    #[test]
    fn a_path_names_the_kind_of_its_program() {
        let ground = ground("path");
        let path = put(&ground.join("one"), "tide").display().to_string();
        let found = find(&path, &[]).unwrap();
        assert_eq!((found.name.as_str(), found.command), ("tide", vec![path]));
        let error = find(&ground.join("none").display().to_string(), &[]).unwrap_err();
        assert!(matches!(error, KindError::Missing { .. }), "{error}");
        let error = find("../tide", &[]).unwrap_err();
        assert!(matches!(error, KindError::Name { .. }), "{error}");
        fs::remove_dir_all(&ground).unwrap();
    }

    #[test]
    fn a_built_in_kind_is_run_by_our_own_binary() {
        let text = "[services.home]\nkind = 'ddns'\nconfig = { accounts = {} }\n\
                    [services.tide]\nkind = 'tide'\n[services.web]\ncommand = ['web', '-x']\n";
        let sources = [SourceText { file: "test.toml", bytes: text.as_bytes() }];
        let config = parse(&sources).unwrap();
        let command = |name: &str| {
            let mut all = config.services.iter();
            all.find(|(own, _)| own.as_str() == name)
                .map(|(_, service)| command_of(service))
                .unwrap()
        };
        let own = env::current_exe().unwrap().display().to_string();
        assert_eq!(command("home"), [own.as_str(), "kind", "ddns"]);
        assert_eq!(command("tide"), ["mainstay-kind-tide"]);
        assert_eq!(command("web"), ["web", "-x"]);
    }
}
