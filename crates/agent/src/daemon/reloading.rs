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

    /// Notes why the files are not applied; returns whether that is news.
    fn note_trouble(&mut self, why: &str) -> bool {
        if self.trouble.as_ref().is_some_and(|former| former.why == why) {
            return false;
        }
        self.trouble = Some(trouble(why.to_owned()));
        true
    }
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
            Some(Sight::Unreadable(why)) => self.refuse_files(&why),
            None => self.watch_no_more(&io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn hold(&mut self, fingerprint: u64) {
        let known = &mut self.reloading;
        if std::mem::take(&mut known.leaves_first) {
            known.left = Some(fingerprint);
        } else if known.applied == Some(fingerprint) {
            known.note_applied(fingerprint);
        } else if known.left != Some(fingerprint) {
            self.have_read(fingerprint);
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
