//! Applying the configuration files when they change.
//!
//! ```text
//!  watcher: they hold this ──► applied already? ──► the clerk reads them ──► applied
//!                                   │ yes                 │ a mistake
//!                                   ▼                     ▼
//!                               all is well           said, once; nothing changes
//! ```
//!
//! Edits by commands go the same way, one after the other, so that none of them is undone by what
//! was seen before it.

use std::io;

use mainstay_api::{
    config,
    control::{ConfigChanges, FilesRefused, FilesStatus},
};
use mainstay_core::Prune;

use super::Agent;
use crate::{
    clerk::{Job, Reload},
    configuration::Loaded,
    editing::EditError,
    events::{self, Happening, Level},
    watch::{Sight, Watcher},
};

/// What is known of the configuration files.
#[derive(Debug, Default)]
pub(crate) struct Reloading {
    watcher: Watcher,
    /// What was applied last.
    applied: Option<u64>,
    /// What is left alone, though it is not what runs.
    left: Option<u64>,
    /// What is to be read as soon as the clerk has time.
    open: Option<u64>,
    /// What is seen first is left alone.
    leaves_first: bool,
    /// Why what is in the files is not what runs.
    trouble: Option<FilesRefused>,
}

impl Reloading {
    /// Begins with files that were applied.
    pub(super) fn applied(fingerprint: u64) -> Self {
        Self { applied: Some(fingerprint), ..Self::default() }
    }

    /// Begins with files that are wrong.
    pub(super) fn refused(why: String) -> Self {
        Self { trouble: Some(trouble(why)), ..Self::default() }
    }

    /// Begins with what was good once: the files as they are may be what agents die of.
    pub(super) fn recovered() -> Self {
        let why = "agents have died of something; this one goes by what was applied before";
        Self { leaves_first: true, trouble: Some(trouble(why.to_owned())), ..Self::default() }
    }

    pub(super) async fn next(&mut self) -> Option<Sight> {
        self.watcher.next().await
    }

    /// Notes what is in force.
    pub(super) fn note_applied(&mut self, fingerprint: u64) {
        self.applied = Some(fingerprint);
        (self.left, self.open, self.trouble) = (None, None, None);
    }

    /// Returns what files that hold this mean. What is seen first in a recovery is left alone.
    fn judge(&mut self, fingerprint: u64) -> Meaning {
        if std::mem::take(&mut self.leaves_first) {
            self.left = Some(fingerprint);
        }
        if self.applied == Some(fingerprint) {
            Meaning::Applied
        } else if self.left == Some(fingerprint) {
            Meaning::Left
        } else {
            Meaning::New
        }
    }

    /// Files that cannot be read are not what agents have died of: what comes behind them is a
    /// change, be it the first that can be read.
    const fn judge_unreadable(&mut self) {
        self.leaves_first = false;
    }

    /// Notes why the files are not applied; returns whether that is news.
    fn note_trouble(&mut self, why: &str) -> bool {
        if self.trouble.as_ref().is_some_and(|former| former.why == why) {
            return false;
        }
        self.trouble = Some(trouble(why.to_owned()));
        true
    }
}

/// What it means that files hold something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It is what runs.
    Applied,
    /// It is left alone, though it is not what runs.
    Left,
    New,
}

fn trouble(why: String) -> FilesRefused {
    FilesRefused { since: events::now(), why }
}

impl Agent {
    /// Returns whether changes of the files are applied by themselves: a service of the system is
    /// changed by commands, which say when it is restarted for that.
    fn is_hot(&self) -> bool {
        self.config.hot_reload.unwrap_or(self.options.service.is_none())
    }

    /// Has the files watched from now on.
    pub(super) fn watch_files(&mut self) {
        if !self.is_hot() || self.reloading.watcher.is_begun() {
            return;
        }
        if let Err(error) = self.reloading.watcher.begin(&self.options.config) {
            self.watch_no_more(&error);
        }
    }

    fn watch_no_more(&mut self, error: &io::Error) {
        let why = format!("the files are not watched: {error}; `mainstay apply` applies them");
        self.refuse_files(&why);
    }

    /// The files hold something else, or cannot be read.
    pub(super) fn sighted(&mut self, sight: Option<Sight>) {
        if !self.is_hot() {
            return;
        }
        match sight {
            Some(Sight::Holds(fingerprint)) => self.hold(fingerprint),
            Some(Sight::Unreadable(why)) => {
                self.reloading.judge_unreadable();
                self.refuse_files(&why);
            }
            None => self.watch_no_more(&io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn hold(&mut self, fingerprint: u64) {
        match self.reloading.judge(fingerprint) {
            Meaning::Applied => self.reloading.note_applied(fingerprint),
            Meaning::Left => {}
            Meaning::New => self.have_read(fingerprint),
        }
    }

    fn have_read(&mut self, fingerprint: u64) {
        let wanted = Reload { fingerprint, services: self.config.services.len() };
        let is_given = self.clerk.give(Job::Reload(wanted)).is_ok();
        self.reloading.open = (!is_given).then_some(fingerprint);
    }

    /// Asks a clerk again that had no time.
    pub(super) fn reload_again(&mut self) {
        if let Some(fingerprint) = self.reloading.open.take() {
            self.have_read(fingerprint);
        }
    }

    /// The clerk has read what was seen; nothing: it has changed again, and is seen again.
    pub(super) fn reloaded(&mut self, result: Result<Option<Loaded>, EditError>) {
        match result {
            Ok(Some(loaded)) => self.apply_files(loaded),
            Ok(None) => {}
            Err(error) => self.refuse_files(&error.for_all()),
        }
    }

    fn apply_files(&mut self, loaded: Loaded) {
        if self.reloading.applied == Some(loaded.fingerprint) {
            return;
        }
        let changes = config::difference(&self.config, &loaded.config);
        if changes != ConfigChanges::default() {
            let trace = self.supervisor.next_trace();
            let message = in_words(&changes);
            let happening = Happening::of_instance(Level::Info, "ConfigApplied", message);
            self.events.tell(Happening { trace, ..happening });
        }
        self.put_in_force(loaded, Prune::Keep);
    }

    fn refuse_files(&mut self, why: &str) {
        if self.reloading.note_trouble(why) {
            let happening =
                Happening::of_instance(Level::Error, "ConfigRefused", why.trim_end().to_owned());
            self.events.tell(happening);
        }
    }

    pub(super) fn files_status(&self) -> FilesStatus {
        FilesStatus { hot_reload: self.is_hot(), refused: self.reloading.trouble.clone() }
    }
}

/// Says what has changed, by the names of services.
fn in_words(changes: &ConfigChanges) -> String {
    let others: Vec<String> = changes.changed.iter().map(|one| one.service.clone()).collect();
    let parts = [("new", &changes.added), ("changed", &others), ("orphaned", &changes.removed)];
    let told: Vec<String> = parts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", listed(names)))
        .collect();
    if told.is_empty() {
        return "the configuration files have changed; applied".to_owned();
    }
    format!("the configuration files have changed; {}", told.join("; "))
}

/// So many names are told; of the rest, how many there are.
const NAMED_MAX: usize = 10;

/// Returns names for a sentence.
pub(super) fn listed(names: &[String]) -> String {
    let first = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_leaves_what_it_sees_first_and_nothing_else() {
        let mut known = Reloading::recovered();
        let seen = [1, 1, 2, 1].map(|fingerprint| known.judge(fingerprint));
        assert_eq!(seen, [Meaning::Left, Meaning::Left, Meaning::New, Meaning::Left]);
        known.note_applied(2);
        let seen = [2, 1].map(|fingerprint| known.judge(fingerprint));
        assert_eq!(seen, [Meaning::Applied, Meaning::New]);
    }

    #[test]
    fn who_mends_files_that_a_recovery_could_not_read_has_them_applied() {
        let mut known = Reloading::recovered();
        known.judge_unreadable();
        assert_eq!(known.judge(1), Meaning::New);
    }

    #[test]
    fn what_runs_is_not_read_again() {
        let mut known = Reloading::applied(1);
        let seen = [1, 2].map(|fingerprint| known.judge(fingerprint));
        assert_eq!(seen, [Meaning::Applied, Meaning::New]);
    }
}
