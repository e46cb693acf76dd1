//! The folder of a trial: what driver, roles and programs know of each other.

use std::path::{Path, PathBuf};

use mainstay_storage::instance::Instance;

/// The name of the copy that pretends to be of the next version.
pub(crate) const NEWER: &str = "newer";

/// The folder of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ground(PathBuf);

impl Ground {
    pub(crate) fn at(root: &Path) -> Self {
        Self(root.to_owned())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// Returns the folders of the instance on trial.
    pub(crate) fn instance(&self) -> Instance {
        Instance::new(self.0.join("run"), self.0.join("state"))
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("mainstay.toml")
    }

    /// Its presence tells programs to end.
    pub(crate) fn stop(&self) -> PathBuf {
        self.0.join("stop")
    }

    /// Each program holds the lock of its unit's name here as long as it lives.
    pub(crate) fn locks(&self) -> PathBuf {
        self.0.join("locks")
    }

    /// A program that finds its lock taken leaves a file of its unit's name here.
    pub(crate) fn doubles(&self) -> PathBuf {
        self.0.join("doubles")
    }

    /// A file of a point's name is one death there.
    pub(crate) fn fail(&self) -> PathBuf {
        self.0.join("fail")
    }

    /// A line for each time that a hook was run.
    pub(crate) fn hooks(&self) -> PathBuf {
        self.0.join("hooks")
    }

    /// Process ids of agents, a line for each, written when they begin.
    pub(crate) fn agents(&self) -> PathBuf {
        self.0.join("agents")
    }

    /// Copies of the binary, to be upgraded to; the second pretends to be of the next version.
    pub(crate) fn binaries(&self) -> [PathBuf; 2] {
        ["one", NEWER].map(|name| self.0.join("binaries").join(name))
    }
}
