//! Commands that are asked for values: which are under way, so that the next agent ends what they
//! have left when this one dies, and what those that failed had to say, for the owner alone.
//!
//! ```text
//!  begin ─► `recipe-….running` ─► it has ended ─► the file is gone
//!                │ the agent dies
//!                └─► the next one ends what carries that name, and nothing else
//! ```
//!
//! What a command that ended well has left running is meant to stay: `gpg-agent`, `ssh-agent`.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use mainstay_platform::{
    capture::{self, CaptureError},
    paths, random,
};

use crate::events::complain;

const RUNNING: &str = ".running";
const COMPLAINT: &str = ".stderr";

/// The commands of one agent.
#[derive(Debug)]
pub(super) struct Recipes {
    folder: PathBuf,
    /// Tells them from those of every other agent.
    agent: u64,
    next: AtomicU64,
    are_former_ended: OnceLock<()>,
}

/// A command under way; it is over with the value.
#[derive(Debug)]
pub(super) struct Recipe {
    label: String,
    mark: PathBuf,
}

impl Recipes {
    pub(super) fn new(folder: PathBuf) -> Self {
        let (agent, next) = (random::number(), AtomicU64::default());
        Self { folder, agent, next, are_former_ended: OnceLock::new() }
    }

    /// Notes that a command is about to begin. The first one waits until what former agents have
    /// left is ended.
    pub(super) fn begin(&self) -> Recipe {
        self.are_former_ended.get_or_init(|| {
            if let Err(error) = self.end_former() {
                complain("cannot end what an earlier agent has asked for values", &error);
            }
        });
        let label = format!("{}{}", self.own(), self.next.fetch_add(1, Ordering::Relaxed));
        let mark = self.folder.join(format!("{label}{RUNNING}"));
        // A value is worth more than the mark, which matters only when this agent is killed.
        if let Err(error) = self.put(&mark, b"") {
            complain("cannot note that a command is asked for a value", &error);
        }
        Recipe { label, mark }
    }

    /// Keeps what a command has said that failed; returns where.
    pub(super) fn keep_complaint(&self, whom: &str, error: &CaptureError) -> Option<PathBuf> {
        let CaptureError::Failed { complaint, .. } = error else { return None };
        let path = self.complaint_of(whom);
        if complaint.bytes().is_empty() {
            self.forget_complaint(whom);
            return None;
        }
        match self.put(&path, complaint.bytes()) {
            Ok(()) => Some(path),
            Err(error) => {
                complain("cannot keep what a command said that was asked for a value", &error);
                None
            }
        }
    }

    /// Takes away what a command has said when it was asked before; nothing may be there.
    pub(super) fn forget_complaint(&self, whom: &str) {
        drop(fs::remove_file(self.complaint_of(whom)));
    }

    /// Takes away what the commands of a unit have said, and of everything beside it.
    pub(super) fn forget_unit(&self, unit: &str) -> io::Result<()> {
        let beside = format!("{unit}+");
        self.each(|path, name| match name.strip_suffix(COMPLAINT) {
            Some(whom) if whom == unit || whom.starts_with(&beside) => fs::remove_file(path),
            Some(_) | None => Ok(()),
        })
    }

    /// Does something to each file.
    fn each(&self, mut act: impl FnMut(&Path, &str) -> io::Result<()>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str() {
                act(&entry.path(), name)?;
            }
        }
        Ok(())
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        paths::create_private(&self.folder)?;
        drop(fs::remove_file(path));
        paths::create_new_private_file(path)?.write_all(bytes)
    }

    /// Returns the file of a unit, or of a part of one: a colon is no letter of a file's name
    /// everywhere, and a plus is none of a unit's.
    fn complaint_of(&self, whom: &str) -> PathBuf {
        self.folder.join(format!("{}{COMPLAINT}", whom.replace(':', "+")))
    }

    fn own(&self) -> String {
        format!("recipe-{:016x}-", self.agent)
    }

    fn end_former(&self) -> io::Result<()> {
        self.each(|path, name| {
            let label = name.strip_suffix(RUNNING).filter(|label| !label.starts_with(&self.own()));
            let Some(label) = label else { return Ok(()) };
            capture::end_labelled(label)?;
            fs::remove_file(path)
        })
    }
}

impl Recipe {
    /// Returns its name, which no other command of this machine has.
    pub(super) fn label(&self) -> &str {
        &self.label
    }
}

impl Drop for Recipe {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.mark));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_noted_for_as_long_as_it_runs() {
        let folder = std::env::temp_dir().join(format!("mainstay-recipes-{}", random::number()));
        let recipes = Recipes::new(folder.clone());
        let (one, two) = (recipes.begin(), recipes.begin());
        assert_ne!(one.label(), two.label());
        let names = || fs::read_dir(&folder).unwrap().count();
        assert_eq!(names(), 2);
        drop(one);
        assert_eq!(names(), 1);
        // Those of the living are left alone by their own agent, and ended by the next one.
        recipes.end_former().unwrap();
        assert_eq!(names(), 1);
        Recipes::new(folder.clone()).end_former().unwrap();
        assert_eq!(names(), 0);
        drop(two);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_was_said_goes_with_its_unit_and_with_no_other() {
        let folder = std::env::temp_dir().join(format!("mainstay-recipes-{}", random::number()));
        let recipes = Recipes::new(folder.clone());
        recipes.forget_unit("web").unwrap();
        for whom in ["web", "web:after-start", "web@2", "web2"] {
            recipes.put(&recipes.complaint_of(whom), b"no").unwrap();
        }
        recipes.forget_unit("web").unwrap();
        let is_there = |whom: &str| recipes.complaint_of(whom).exists();
        assert!(!is_there("web") && !is_there("web:after-start"));
        assert!(is_there("web@2") && is_there("web2"));
        fs::remove_dir_all(folder).unwrap();
    }
}
