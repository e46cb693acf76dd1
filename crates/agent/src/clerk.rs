//! The clerk: a thread that does what takes a disk, one thing after the other, and says when it is
//! done. The loop never waits for it; only whoever asked for something does.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use mainstay_api::{control::CommandAnswer, keeper::RunRef};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    beside,
    calls::{Asker, Reply},
    configuration::{self, Files, Loaded, Source, Texts},
    copies, descriptors,
    editing::{self, Edit, EditError, Terms},
    errand::Errands,
    events::complain,
    inquiry::{Compared, Inquiry},
    numbers::NumbersPage,
    watch,
    wishes::Page,
};

/// So much may wait for the disk; more is refused.
const JOBS_MAX: usize = 256;
/// So long the first programs wait for the copy of their configuration.
const KEPT_WITHIN: Duration = Duration::from_secs(1);

/// Something that takes a disk.
#[derive(Debug)]
pub(crate) enum Job {
    /// Make wishes last.
    Wishes(Page),
    /// Make the ceilings of numbers last.
    Numbers(NumbersPage),
    /// Read the configuration, after an edit or as it is.
    Configure(Box<Order>),
    /// Read the configuration as long as it is the one that was seen.
    Reload(Reload),
    /// Read the files for somebody who wants to know something of them.
    LookUp(Inquiry),
    /// Keep a copy of a good configuration, and say so.
    Keep(Texts, SyncSender<()>),
    /// Remove what a unit of a kind has kept.
    Purge(PathBuf),
    /// Read the last words of a command beside a program.
    LastWords { folder: PathBuf, command: RunRef },
}

/// What somebody asked for who waits for the answer.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) asker: Asker,
    /// Nothing: the files were edited by hand.
    pub(crate) edit: Option<Edit>,
    pub(crate) terms: Terms,
    pub(crate) reply: Reply<CommandAnswer>,
}

/// Files that have changed, and are to be applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reload {
    /// What was seen.
    pub(crate) fingerprint: u64,
    /// So many services are configured so far.
    pub(crate) services: usize,
}

/// What has come of files that have changed.
pub(crate) type Reloaded = Box<Result<Option<Loaded>, EditError>>;

/// What was done.
#[derive(Debug)]
pub(crate) enum Done {
    Wishes {
        generation: u64,
        result: io::Result<()>,
    },
    Numbers(io::Result<()>),
    Configured(Box<Configured>),
    /// Nothing: it is not the one any more that was seen.
    Reloaded(Reloaded),
    Compared(Box<Compared>),
    LastWords {
        command: RunRef,
        words: Option<String>,
    },
}

/// A configuration as it was read, or why not.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) order: Order,
    pub(crate) result: Result<Loaded, EditError>,
}

/// The way to the clerk and back.
#[derive(Debug)]
pub(crate) struct Clerk {
    jobs: SyncSender<Job>,
    done: UnboundedReceiver<Done>,
}

impl Clerk {
    /// Starts the thread; it ends with this value.
    pub(crate) fn start(files: Files) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::sync_channel(JOBS_MAX);
        // As many as there were jobs, at most.
        let (outbox, done) = unbounded_channel();
        thread::Builder::new()
            .name("clerk".to_owned())
            .spawn(move || work(&files, &inbox, &outbox))?;
        Ok(Self { jobs, done })
    }

    /// Gives it a job; gets it back when too many wait already.
    pub(crate) fn give(&self, job: Job) -> Result<(), Job> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job) => job,
        })
    }

    /// Keeps a copy of the configuration before a program is started with it: who comes after a death
    /// may find files that make no sense by then. A disk that does not answer is not waited for.
    pub(crate) fn keep_first(&self, texts: Texts) {
        let (kept, is_kept) = mpsc::sync_channel(1);
        if self.give(Job::Keep(texts, kept)).is_ok() {
            is_kept.recv_timeout(KEPT_WITHIN).unwrap_or_default();
        }
    }

    /// Waits for the next thing that is done; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Done> {
        self.done.recv().await
    }
}

fn work(files: &Files, inbox: &Receiver<Job>, outbox: &UnboundedSender<Done>) {
    let mut errands = Errands::default();
    while let Ok(job) = inbox.recv() {
        let done = match job {
            Job::Wishes(page) => Done::Wishes { generation: page.generation, result: page.write() },
            Job::Numbers(page) => Done::Numbers(page.write()),
            Job::Configure(order) => {
                let result = configure(files, &order, &mut errands);
                Done::Configured(Box::new(Configured { order: *order, result }))
            }
            Job::Reload(wanted) => Done::Reloaded(Box::new(reload(files, wanted, &mut errands))),
            Job::LookUp(inquiry) => match inquiry.look_up(&files.main, &mut errands) {
                Some(compared) => Done::Compared(Box::new(compared)),
                None => continue,
            },
            Job::Keep(texts, kept) => {
                keep(files, &texts);
                // Nobody waits any more for a disk that took long.
                kept.send(()).unwrap_or_default();
                continue;
            }
            Job::Purge(folder) => {
                purge(&folder);
                continue;
            }
            Job::LastWords { folder, command } => {
                let words = beside::read_last(&folder, command.run);
                Done::LastWords { command, words }
            }
        };
        if outbox.send(done).is_err() {
            return;
        }
    }
}

/// Wishes wait behind it, so it waits for nothing that never answers.
fn configure(files: &Files, order: &Order, errands: &mut Errands) -> Result<Loaded, EditError> {
    let main = files.main.clone();
    let (edit, terms) = (order.edit.clone(), order.terms.clone());
    let loaded = errands.run(&files.main, move |steps| {
        if let Some(edit) = edit {
            return editing::edit(&main, &edit, &terms, steps);
        }
        let loaded = configuration::read_to_apply(&main, steps).map_err(EditError::Bad)?;
        terms.check(&loaded.config)?;
        Ok(loaded)
    })??;
    keep(files, &loaded.texts);
    copies::begin(&loaded.config, &files.instance);
    Ok(loaded)
}

/// Files that nobody asked us to read: what has changed again meanwhile is seen again.
fn reload(
    files: &Files,
    wanted: Reload,
    errands: &mut Errands,
) -> Result<Option<Loaded>, EditError> {
    let main = files.main.clone();
    let loaded = errands.run(&files.main, move |steps| {
        let sources = configuration::read_sources(&main, steps).ok();
        let is_meant = |sources: &Vec<Source>| watch::fingerprint(sources) == wanted.fingerprint;
        let Some(sources) = sources.filter(is_meant) else { return Ok(None) };
        let loaded = configuration::understand(&sources).map_err(EditError::Bad)?;
        descriptors::check(&loaded.config, &main).map_err(EditError::Bad)?;
        if loaded.config.services.is_empty() && wanted.services > 0 {
            return Err(EditError::Empty);
        }
        Ok(Some(loaded))
    })??;
    if let Some(loaded) = &loaded {
        keep(files, &loaded.texts);
        copies::begin(&loaded.config, &files.instance);
    }
    Ok(loaded)
}

fn keep(files: &Files, texts: &Texts) {
    if let Err(error) = configuration::keep(texts, &files.kept()) {
        complain("cannot keep a copy of the configuration", &error);
    }
}

fn purge(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            complain("cannot remove what a service has kept", &error);
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use mainstay_platform::paths;
    use mainstay_storage::{atomic, instance::Instance};

    use super::*;

    #[test]
    fn files_that_are_not_what_was_seen_are_not_applied() {
        let folder = std::env::temp_dir().join(format!("mainstay-clerk-{}", std::process::id()));
        let instance = Instance::new(folder.join("runtime"), folder.join("state"));
        fs::create_dir_all(folder.join("state")).unwrap();
        let files = Files { main: folder.join("mainstay.toml"), instance };
        let main = files.main.clone();
        let create = paths::create_private_file;
        let write = |text: &str| atomic::replace(&main, text.as_bytes(), create).unwrap();
        let seen = || {
            let found = Errands::default().run(&files.main, {
                let main = files.main.clone();
                move |steps| configuration::read_sources(&main, steps).unwrap()
            });
            Reload { fingerprint: watch::fingerprint(&found.unwrap()), services: 2 }
        };
        write("[services.web]\ncommand = 'web'\n");
        let wanted = seen();
        let loaded = reload(&files, wanted, &mut Errands::default()).unwrap();
        assert_eq!(loaded.unwrap().config.services.len(), 1);
        write("[services.web]\ncommand = 'other'\n");
        assert!(reload(&files, wanted, &mut Errands::default()).unwrap().is_none());
        write("# nothing\n");
        let refused = reload(&files, seen(), &mut Errands::default());
        assert!(matches!(refused, Err(EditError::Empty)), "{refused:?}");
        fs::remove_dir_all(folder).unwrap();
    }
}
