//! Where it must be listened to hear of every change of the configuration files.
//!
//! A file is reached through folders and links: whoever replaces a link on the way (`..data` of
//! Kubernetes, `current` of a release) has replaced the file. So every folder counts in which such a
//! link lies, the folder of the file itself, and what it holds. Of what is not there yet, the folder
//! counts in which the first missing part will appear.

use std::{
    collections::{BTreeSet, VecDeque},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use mainstay_platform::file_watch::FileWatch;

use crate::{
    configuration::{self, is_ours},
    errand::Steps,
};

/// How often files are looked at whose changes the system does not tell.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// More links on the way to a file lead nowhere, as systems have it.
const LINKS_MAX: usize = 40;

/// What it is listened with.
#[derive(Debug)]
pub(super) struct Ears {
    watch: Option<FileWatch>,
    /// The names that matter besides those that end with `.toml`.
    names: BTreeSet<OsString>,
    /// How long to listen at most.
    within: Option<Duration>,
}

impl Ears {
    /// Returns what hears nothing: time alone says when to look again.
    pub(super) const fn deaf() -> Self {
        Self { watch: None, names: BTreeSet::new(), within: Some(LOOK_EVERY) }
    }

    /// Begins to listen; where the system cannot tell of everything, time says when to look again.
    pub(super) fn open(main: &Path, steps: &Steps) -> Self {
        Self::try_open(main, steps).unwrap_or_else(|_| Self::deaf())
    }

    fn try_open(main: &Path, steps: &Steps) -> io::Result<Self> {
        let (mut watch, mut places) = (FileWatch::new()?, Places::default());
        steps.read(main)?;
        places.follow(main);
        let more = main.with_file_name("services.d");
        steps.read(&more)?;
        if let Some(folder) = places.follow(&more) {
            places.folders.insert(folder);
        }
        let files = configuration::files(main, steps).unwrap_or_else(|_| vec![main.to_owned()]);
        for file in files.iter().filter(|file| file.is_symlink()) {
            places.follow(file);
        }
        let mut is_told = true;
        for folder in &places.folders {
            steps.read(folder)?;
            is_told &= watch.folder(folder).is_ok() && FileWatch::tells_all_of(folder);
        }
        for file in &files {
            steps.read(file)?;
            // What has gone meanwhile its folder has told of.
            is_told &= watch.file(file).map_or_else(|error| is_missing(&error), |()| true);
        }
        let within = (!is_told).then_some(LOOK_EVERY);
        Ok(Self { watch: Some(watch), names: places.names, within })
    }

    /// Waits until something may have changed; returns how long to wait where nothing is heard.
    pub(super) fn listen(&mut self) -> Option<Duration> {
        let Some(watch) = &mut self.watch else { return self.within };
        let names = &self.names;
        let is_meant = |name: &OsStr| names.contains(name) || is_ours(Path::new(name));
        match watch.wait(self.within, &is_meant) {
            Ok(_) => None,
            Err(_) => Some(LOOK_EVERY),
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Folders in which something may change, and the names there that matter.
#[derive(Debug, Default)]
struct Places {
    folders: BTreeSet<PathBuf>,
    names: BTreeSet<OsString>,
}

impl Places {
    /// Follows a path link by link, and notes every folder in which it may be led elsewhere; returns
    /// where it ends, if there is something.
    fn follow(&mut self, path: &Path) -> Option<PathBuf> {
        let mut rest: VecDeque<OsString> = parts(path).collect();
        let (mut here, mut links) = (PathBuf::new(), 0);
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            if next.parent().is_none() {
                here = next;
                continue;
            }
            let found = fs::symlink_metadata(&next).ok();
            let is_link = found.as_ref().is_some_and(fs::Metadata::is_symlink);
            if found.is_none() || is_link || rest.is_empty() {
                self.note(&here, &part);
            }
            if !is_link {
                found?;
                here = next;
                continue;
            }
            links += 1;
            let target = fs::read_link(&next).ok().filter(|_| links <= LINKS_MAX)?;
            parts(&target).rev().for_each(|part| rest.push_front(part));
        }
        Some(here)
    }

    fn note(&mut self, folder: &Path, name: &OsStr) {
        self.folders.insert(folder.to_owned());
        self.names.insert(name.to_owned());
    }
}

/// Returns the parts of a path; joined one after the other they make it again.
fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    let all = path.components().filter(|part| *part != Component::CurDir);
    all.map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use mainstay_platform::paths;

    use super::*;

    #[test]
    fn every_folder_on_the_way_in_which_it_may_be_led_elsewhere_counts() {
        // Wine 8 does not follow the links that it makes.
        if std::env::var_os("MAINSTAY_WINE").is_some() {
            return;
        }
        let link = |to: &str, at: PathBuf| paths::link(Path::new(to), &at).unwrap();
        let folder = std::env::temp_dir().join(format!("mainstay-ears-{}", std::process::id()));
        fs::create_dir_all(folder.join("real/..one")).unwrap();
        let folder = folder.canonicalize().unwrap();
        fs::File::create(folder.join("real/..one/mainstay.toml")).unwrap();
        link("..one", folder.join("real/..data"));
        link("..data/mainstay.toml", folder.join("real/mainstay.toml"));
        link("real", folder.join("current"));

        let mut places = Places::default();
        let end = places.follow(&folder.join("current/mainstay.toml"));
        assert_eq!(end, Some(folder.join("real/..one/mainstay.toml")));
        let expected = [folder.clone(), folder.join("real"), folder.join("real/..one")];
        assert_eq!(places.folders.into_iter().collect::<Vec<_>>(), expected);
        let names = ["..data", "current", "mainstay.toml"].map(OsString::from);
        assert_eq!(places.names.into_iter().collect::<Vec<_>>(), names);

        let mut places = Places::default();
        assert_eq!(places.follow(&folder.join("real/services.d/x.toml")), None);
        assert_eq!(places.folders.into_iter().collect::<Vec<_>>(), [folder.join("real")]);
        assert_eq!(places.names.into_iter().collect::<Vec<_>>(), ["services.d"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
