//! The peers that come from the Python index, in a virtual environment that all checkouts of a user share.
//!
//! There is one for each list that was ever asked for; a copy of the list in it says that it is
//! complete, and for which list. Tests look for the one that holds their list.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, is_there};

/// What is to be installed.
const LIST: &str = "xtask/data/peers.txt";
/// The folder in the user's cache.
const FOLDER: &str = "mainstay-peers";
/// Where a finished environment keeps the list it was made from.
const FINISHED: &str = "peers.txt";
/// An interpreter of a virtual environment.
const PYTHON: &str = "bin/python3";

/// Makes the environment for the list of this checkout where it is missing.
pub(crate) fn provide(workspace: &Workspace) -> Result<()> {
    let list = fs::read_to_string(workspace.root().join(LIST)).context(LIST)?;
    let base = cache()?.join(FOLDER);
    let folder = base.join(name_of(&list));
    if is_complete(&folder, &list) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(&base).with_context(|| format!("cannot make {}", base.display()))?;
    install(workspace, &folder)
        .with_context(|| format!("cannot install the peers of {LIST} into {}", folder.display()))?;
    fs::write(folder.join(FINISHED), list).context("cannot say that the peers are there")
}

/// Scripts in an environment hold its path, so it is made where it stays.
fn install(workspace: &Workspace, folder: &Path) -> Result<()> {
    if !is_there("python3", &["-c", "import ensurepip, venv"]) {
        bail!("`python3` cannot make virtual environments; install python3-venv");
    }
    workspace.run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    // The list is complete: what pip would add to it would be of a version that nobody chose.
    let arguments = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-input"];
    let mut pip = Command::new(folder.join(PYTHON));
    pip.args(arguments).arg("--disable-pip-version-check").args(["-r", LIST]);
    workspace.run(&mut pip)?;
    workspace.run(Command::new(folder.join(PYTHON)).args(["-m", "pip", "check", "--quiet"]))
}

/// An environment is only as good as the interpreter it was made with.
fn is_complete(folder: &Path, list: &str) -> bool {
    let python = folder.join(PYTHON).display().to_string();
    fs::read_to_string(folder.join(FINISHED)).is_ok_and(|found| found == list)
        && is_there(&python, &["--version"])
}

fn name_of(list: &str) -> String {
    let mut hasher = DefaultHasher::new();
    list.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Returns the user's folder for what can be made again.
fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = set("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| Path::new(&home).join(".cache"));
    own.or_else(home)
        .context("peers are kept in the user's cache: neither `XDG_CACHE_HOME` nor `HOME` is set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned_once() {
        let list = include_str!("../data/peers.txt");
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut names = Vec::new();
        for line in lines {
            let (name, version) = line.split_once("==").unwrap();
            assert!(!version.is_empty() && !version.contains(['*', '=', ' ']), "{line}");
            names.push(name.to_lowercase().replace('_', "-"));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn another_list_has_another_environment() {
        assert_eq!(name_of("dnspython==2.9.2"), name_of("dnspython==2.9.2"));
        assert_ne!(name_of("dnspython==2.9.2"), name_of("dnspython==2.9.1"));
    }
}
