//! Editing a configuration file for somebody: checked first, then replaced as a whole.
//!
//! ```text
//!  read all files ──► edit one text in memory ──► read all texts again ──► replace that file
//!        │                    │ it cannot be done         │ a mistake
//!        ▼                    ▼                           ▼
//!    nothing has changed on the disk, whenever we are killed
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_api::{
    config::{self, Config, Diagnostic, NewService},
    control::{EditKeys, KeyValue, ProblemCode},
};
use mainstay_core::{Prune, ServiceName};
use mainstay_platform::paths;
use mainstay_storage::atomic;

use crate::{
    configuration::{self, Loaded, Source},
    descriptors,
    errand::{Steps, Stuck},
};

/// An edit of the configuration, as people ask for it.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Add(ServiceName, NewService),
    Remove(ServiceName),
    /// The same, and what its units have kept goes with them.
    Purge(ServiceName),
    Keys(ServiceName, EditKeys),
    Text(Replacement),
}

impl Edit {
    /// Returns how a text is called where it is wrong.
    fn name(&self) -> Option<&str> {
        if let Self::Text(text) = self { text.name.as_deref() } else { None }
    }
}

/// A text that is to stand in a file, whatever stands there.
#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    /// Nothing: the main file.
    pub(crate) file: Option<PathBuf>,
    pub(crate) text: String,
    /// What must stand there still.
    pub(crate) former: Option<String>,
    /// How it is called where it is wrong.
    pub(crate) name: Option<String>,
}

/// What may come of an order besides what it says.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// What becomes of what no file has any more.
    pub(crate) prune: Prune,
    pub(crate) empty: Empty,
}

/// Whether files may be applied that hold no service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Allowed,
    /// Somebody may have named the wrong file, or an editor has lost its text.
    Refused {
        /// So many services are configured so far.
        services: usize,
    },
}

impl Terms {
    /// Returns those of an order that takes out no more than it names.
    pub(crate) const fn of_edit(prune: Prune) -> Self {
        Self { prune, empty: Empty::Allowed }
    }

    /// Refuses what would let go of everything, unless that is what is meant.
    pub(crate) fn check(&self, config: &Config) -> Result<(), EditError> {
        let Empty::Refused { services } = self.empty else { return Ok(()) };
        match (config.services.is_empty(), &self.prune) {
            (true, Prune::Remove) => Err(EditError::PrunesAll),
            (true, Prune::Keep | Prune::Named(_)) if services > 0 => Err(EditError::Empty),
            (true | false, _) => Ok(()),
        }
    }
}

/// An edit that did not come about; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("cannot edit `{path}`: {source}")]
    Disk { path: String, source: io::Error },
    #[error("somebody else has changed `{0}` in this instant; try again")]
    Overtaken(String),
    #[error("somebody else has changed `{0}` since it was read")]
    Changed(String),
    #[error("`{0}` is no file of the configuration")]
    NoFile(String),
    #[error("{0}")]
    Refused(#[from] config::EditError),
    #[error("{}", config::render(.0))]
    Bad(Vec<Diagnostic>),
    #[error("the files hold no service any more, which is no reason to let go of any")]
    Empty,
    #[error(
        "the files hold no service: pruning would stop everything, which `stop '*'` does by name"
    )]
    PrunesAll,
    #[error("{0}")]
    Stuck(#[from] Stuck),
}

impl EditError {
    /// Returns what programs are told, where that is more than a status says.
    pub(crate) const fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Overtaken(_) | Self::Changed(_) => Some(ProblemCode::FilesChanged),
            Self::Bad(_) => Some(ProblemCode::BadFiles),
            Self::Empty | Self::PrunesAll => Some(ProblemCode::NoServices),
            Self::Disk { .. } | Self::NoFile(_) | Self::Refused(_) | Self::Stuck(_) => None,
        }
    }

    /// Says it for everybody who may see how the instance fares.
    pub(crate) fn for_all(&self) -> String {
        if let Self::Bad(found) = self {
            return config::render_places(found);
        }
        self.to_string()
    }
}

/// Edits the file of a service; what could not be applied is never written.
pub(crate) fn edit(
    main: &Path,
    edit: &Edit,
    terms: &Terms,
    steps: &Steps,
) -> Result<Loaded, EditError> {
    let mut sources = configuration::read_sources(main, steps).map_err(EditError::Bad)?;
    let Edited { at, after } = if let Edit::Text(replacement) = edit {
        replaced(&sources, replacement)?
    } else {
        check_texts(&sources, edit)?;
        edited(&sources, edit).map_err(|refused| explain(&sources, refused))?
    };
    let Some(source) = sources.get_mut(at) else { return Err(overtaken(main)) };
    let before = std::mem::replace(&mut source.bytes, after.clone());
    let path = source.path.clone();
    let loaded = configuration::understand(&sources)
        .map_err(|found| EditError::Bad(blamed(found, &path, edit.name())))?;
    terms.check(&loaded.config)?;
    if !matches!(edit, Edit::Remove(_) | Edit::Purge(_)) {
        // Removing is never refused for what is left: there may have been too much before.
        descriptors::check(&loaded.config, main).map_err(EditError::Bad)?;
    }
    if before == after {
        return Ok(loaded);
    }
    steps.write(&path).map_err(|source| disk(&path, source))?;
    replace(&path, &before, &after)?;
    Ok(loaded)
}

/// Returns mistakes with another name in the place of a file's: its text comes from there.
pub(crate) fn blamed(
    mut found: Vec<Diagnostic>,
    path: &Path,
    name: Option<&str>,
) -> Vec<Diagnostic> {
    let Some(name) = name else { return found };
    let path = path.display().to_string();
    for one in &mut found {
        if one.file == path {
            name.clone_into(&mut one.file);
        }
        one.help = one.help.replace(&path, name);
    }
    found
}

/// Refuses to edit what cannot be read, and to remove what others name.
fn check_texts(sources: &[Source], edit: &Edit) -> Result<(), EditError> {
    if sources.iter().any(|source| std::str::from_utf8(&source.bytes).is_err()) {
        // This names the byte that is wrong.
        return configuration::understand(sources).map(drop).map_err(EditError::Bad);
    }
    let Edit::Remove(name) = edit else { return Ok(()) };
    let named = configuration::named_by(sources, name);
    if named.is_empty() { Ok(()) } else { Err(EditError::Bad(named)) }
}

/// Returns which file is replaced, as long as it is one of ours and still holds what it must.
fn replaced(sources: &[Source], new: &Replacement) -> Result<Edited, EditError> {
    let is_meant = |source: &Source| new.file.as_ref().is_none_or(|file| *file == source.path);
    let Some((at, source)) = sources.iter().enumerate().find(|(_, source)| is_meant(source)) else {
        let file = new.file.as_deref().unwrap_or_else(|| Path::new(""));
        return Err(EditError::NoFile(file.display().to_string()));
    };
    if new.former.as_ref().is_some_and(|former| former.as_bytes() != source.bytes) {
        return Err(EditError::Changed(source.name()));
    }
    Ok(Edited { at, after: new.text.clone().into_bytes() })
}

fn disk(path: &Path, source: io::Error) -> EditError {
    EditError::Disk { path: path.display().to_string(), source }
}

fn overtaken(path: &Path) -> EditError {
    EditError::Overtaken(path.display().to_string())
}

/// Which file changes, and what it becomes.
struct Edited {
    at: usize,
    after: Vec<u8>,
}

/// Returns what is to be written: a service is removed or changed where it stands, and a new one
/// goes into the main file.
fn edited(sources: &[Source], edit: &Edit) -> Result<Edited, config::EditError> {
    let (Edit::Add(name, _) | Edit::Remove(name) | Edit::Purge(name) | Edit::Keys(name, _)) = edit
    else {
        return Err(config::EditError::NoTable);
    };
    for (at, source) in sources.iter().enumerate() {
        let text = String::from_utf8_lossy(&source.bytes);
        let edited = match edit {
            Edit::Add(_, service) => config::add(&text, name.as_str(), service),
            Edit::Keys(_, keys) => with_keys(&text, name.as_str(), keys),
            Edit::Remove(_) | Edit::Purge(_) | Edit::Text(_) => {
                config::remove(&text, name.as_str())
            }
        };
        match edited {
            Ok(text) => return Ok(Edited { at, after: text.into_bytes() }),
            Err(config::EditError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(config::EditError::Missing(name.to_string()))
}

fn with_keys(text: &str, name: &str, keys: &EditKeys) -> Result<String, config::EditError> {
    let mut text = text.to_owned();
    for KeyValue { key, value } in &keys.set {
        text = config::set(&text, name, key, value)?;
    }
    for key in &keys.unset {
        text = config::unset(&text, name, key)?;
    }
    Ok(text)
}

/// Says where a file is broken; everything else is said already.
pub(crate) fn explain(sources: &[Source], refused: config::EditError) -> EditError {
    match configuration::understand(sources) {
        Err(found) if matches!(refused, config::EditError::Syntax(_)) => EditError::Bad(found),
        _ => EditError::Refused(refused),
    }
}

/// Replaces a configuration file that is still as it was read; its owner and mode stay, and so does
/// a link that leads to it.
fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), EditError> {
    let disk = |source| disk(path, source);
    let path = &paths::canonical(path).map_err(disk)?;
    let permissions = fs::metadata(path).map_err(disk)?.permissions();
    let create = |temporary: &Path| {
        // Somebody has died with it, or has put a link there.
        fs::remove_file(temporary).or_else(|error| {
            if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
        })?;
        let file = paths::create_new_private_file(temporary)?;
        paths::share_owner(&file, path)?;
        file.set_permissions(permissions.clone())?;
        paths::share_access(temporary, path)?;
        Ok(file)
    };
    let mut is_overtaken = false;
    // Behind the sync, which may take its time: what an editor saves between this and the next
    // instruction is lost, and only a lock that editors do not know would prevent that.
    let look = || {
        is_overtaken = fs::read(path)? != before;
        if is_overtaken { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    };
    let replaced = atomic::replace_through(&temporary(path), path, after, create, look);
    if is_overtaken { Err(overtaken(path)) } else { replaced.map_err(disk) }
}

/// Returns a name that nobody gives to a file of their own: the folder is not ours.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.mainstay-new"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "[services.web]\ncommand = [\"web\"]\n";

    /// A folder with a main file, which ends with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, text: &str) -> Self {
            let folder = format!("mainstay-editing-{}-{name}", std::process::id());
            let folder = Self(std::env::temp_dir().join(folder));
            fs::create_dir_all(folder.0.join("services.d")).unwrap();
            let create = paths::create_private_file;
            atomic::replace(&folder.main(), text.as_bytes(), create).unwrap();
            folder
        }

        fn main(&self) -> PathBuf {
            self.0.join("mainstay.toml")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn edited_by(folder: &Folder, wanted: &Edit) -> Result<Loaded, EditError> {
        edit(&folder.main(), wanted, &Terms::of_edit(Prune::Keep), &Steps::untold())
    }

    fn name(text: &str) -> ServiceName {
        ServiceName::new(text).unwrap()
    }

    #[test]
    fn what_cannot_be_applied_is_never_written() {
        let folder = Folder::new("refused", WEB);
        let written = || fs::metadata(folder.main()).unwrap().modified().unwrap();
        let before = written();
        let command = vec!["api".to_owned()];
        let requires = vec!["nobody".to_owned()];
        let bad = NewService { command: command.clone(), requires, ..NewService::default() };
        let refused = edited_by(&folder, &Edit::Add(name("api"), bad));
        assert!(matches!(refused, Err(EditError::Bad(_))), "{refused:?}");
        assert_eq!(written(), before);

        let good = NewService { command, ..NewService::default() };
        let loaded = edited_by(&folder, &Edit::Add(name("api"), good)).unwrap();
        assert_eq!(loaded.config.services.len(), 2);
        assert_eq!(configuration::load(&folder.main()).unwrap(), loaded.config);
    }

    #[test]
    fn a_service_is_removed_from_the_file_in_which_it_stands() {
        let folder = Folder::new("elsewhere", WEB);
        let more = folder.0.join("services.d/api.toml");
        let text =
            "# the API\n[services.api]\ncommand = [\"api\"]\n[services.db]\ncommand = [\"db\"]\n";
        atomic::replace(&more, text.as_bytes(), paths::create_private_file).unwrap();
        let loaded = edited_by(&folder, &Edit::Remove(name("db"))).unwrap();
        assert_eq!(loaded.config.services.len(), 2);
        let left = "# the API\n[services.api]\ncommand = [\"api\"]\n";
        assert_eq!(fs::read_to_string(&more).unwrap(), left);
        assert_eq!(fs::read_to_string(folder.main()).unwrap(), WEB);
        let refused = edited_by(&folder, &Edit::Remove(name("db"))).unwrap_err();
        assert_eq!(refused.to_string(), "no file of the configuration has a service `db`");
    }

    #[test]
    fn what_others_name_is_not_removed_and_each_of_them_is_pointed_at() {
        let text = format!(
            "{WEB}[services.api]\ncommand = ['api']\nbefore = ['web']\n[groups.all]\nservices = ['web']\n"
        );
        let folder = Folder::new("named", &text);
        let refused = edited_by(&folder, &Edit::Remove(name("web"))).unwrap_err();
        let refused = refused.to_string();
        let expected =
            ["service `api` comes before `web`", ":5:", "group `all` names `web`", ":7:"];
        for expected in expected.into_iter().chain(["take `web` out there first"]) {
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
        assert_eq!(fs::read_to_string(folder.main()).unwrap(), text);
        edited_by(&folder, &Edit::Remove(name("api"))).unwrap();
    }

    #[test]
    fn a_file_that_is_broken_is_pointed_at() {
        for (text, expected) in [
            ("[services.web]\ncommand = [\"web\n", "mainstay.toml:2:"),
            ("# caf\u{e9}\n[services.web\n", "mainstay.toml:2:"),
        ] {
            let folder = Folder::new("broken", text);
            let command = vec!["api".to_owned()];
            let new = NewService { command, ..NewService::default() };
            let refused = edited_by(&folder, &Edit::Add(name("api"), new)).unwrap_err();
            assert!(refused.to_string().contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_edited() {
        // Wine 8 does not follow the links that it makes.
        if std::env::var_os("MAINSTAY_WINE").is_some() {
            return;
        }
        let folder = Folder::new("linked", WEB);
        let real = folder.0.join("real.toml");
        fs::rename(folder.main(), &real).unwrap();
        paths::link(Path::new("real.toml"), &folder.main()).unwrap();
        let new = NewService { command: vec!["api".to_owned()], ..NewService::default() };
        edited_by(&folder, &Edit::Add(name("api"), new)).unwrap();
        assert!(folder.main().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("[services.api]"));
    }

    #[test]
    fn what_lies_beside_a_file_is_neither_overwritten_nor_followed() {
        let folder = Folder::new("beside", WEB);
        let draft = folder.0.join("mainstay.toml.new");
        let create = paths::create_private_file;
        atomic::replace(&draft, b"# a draft\n", create).unwrap();
        let left = folder.0.join(".mainstay.toml.mainstay-new");
        if std::env::var_os("MAINSTAY_WINE").is_none() {
            paths::link(&draft, &left).unwrap();
        }
        let new = NewService { command: vec!["api".to_owned()], ..NewService::default() };
        edited_by(&folder, &Edit::Add(name("api"), new)).unwrap();
        assert_eq!(fs::read_to_string(&draft).unwrap(), "# a draft\n");
        fs::symlink_metadata(&left).unwrap_err();
    }

    #[test]
    fn what_an_editor_has_saved_meanwhile_is_not_overwritten() {
        let folder = Folder::new("overtaken", WEB);
        let overtaken = replace(&folder.main(), b"# what it was\n", b"# what we make of it\n");
        assert!(matches!(overtaken, Err(EditError::Overtaken(_))), "{overtaken:?}");
        assert!(!temporary(&folder.main()).exists());
        assert_eq!(fs::read_to_string(folder.main()).unwrap(), WEB);
        replace(&folder.main(), WEB.as_bytes(), b"# ours\n").unwrap();
        assert_eq!(fs::read_to_string(folder.main()).unwrap(), "# ours\n");
    }
}
