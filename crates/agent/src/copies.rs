//! Copies of logs in files of the user's own (`logs.path`): each has a thread that reads the
//! segments and appends what is new.
//!
//! ```text
//!  program ─pipe─► keeper ──► segments ──► copyist ──► web.log
//!                                             │ ▲
//!                                             ▼ │ where it is
//!                                          bookmark
//! ```
//!
//! Neither a program nor its own log ever waits for a copy. Before each append the bookmark says
//! from where in the segments to where in the file it goes; so whoever comes after a death sees by
//! the file's length how much of it has arrived, and no line is missing or there twice.
//!
//! There are two limits. A file that somebody else writes to as well, or takes away within the
//! moment in which the agent dies, may have some lines twice. A segment that retention deletes
//! before its copy has got to it is missing there, and that is told.

mod bookmark;
mod copyist;
mod pending;
mod target;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use mainstay_api::config::{Config, LogFiles, LogPath};
use mainstay_core::UnitName;
use mainstay_platform::{clock, paths};
use mainstay_storage::{instance::Instance, segment::ChainFiles};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::timeout,
};

use crate::{
    daemon::Agent,
    events::{Happening, Level, complain},
};

use bookmark::Bookmark;
pub(crate) use copyist::Said;
use copyist::{Copyist, Fortune, Order};

/// How long an agent that ends waits for files that take nothing.
const FINISH_WITHIN: Duration = Duration::from_secs(2);
/// What the name of a bookmark ends with.
const BOOKMARK: &str = "bookmark";

/// One chain of segments, and the file that gets its lines, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) unit: String,
    pub(crate) chain: ChainFiles,
    pub(crate) path: PathBuf,
    /// A longer file is given another name; 0 means never.
    pub(crate) max_size: u64,
    /// A file is given another name when a run begins.
    pub(crate) at_start: bool,
    bookmark: PathBuf,
}

/// All copies of an instance.
#[derive(Debug)]
pub(crate) struct Copies {
    by_chain: BTreeMap<String, Running>,
    /// Files that take nothing at the moment, and what that looks like.
    troubles: BTreeMap<(String, PathBuf), String>,
    said: UnboundedReceiver<Said>,
    teller: UnboundedSender<Said>,
}

#[derive(Debug)]
struct Running {
    copy: Copy,
    orders: Sender<Order>,
    /// Resolved when the thread is over.
    ended: oneshot::Receiver<()>,
}

/// Returns the copies that a configuration asks for, by the stems of their chains.
fn wanted(config: &Config, instance: &Instance) -> BTreeMap<String, Copy> {
    let mut all = BTreeMap::new();
    for (name, service) in &config.services {
        let LogPath { files, max_size, at_start } = &service.logs.path;
        let unit = name.to_string();
        let named: Vec<(String, &String)> = match files {
            LogFiles::None => continue,
            LogFiles::Joined(file) => vec![(unit.clone(), file)],
            LogFiles::Split { stdout, stderr } => {
                let stems = [("stdout", stdout), ("stderr", stderr)];
                let named = stems.into_iter().filter_map(|(stream, file)| {
                    file.as_ref().map(|file| (format!("{unit}.{stream}"), file))
                });
                named.collect()
            }
        };
        for (stem, file) in named {
            let copy = Copy {
                chain: ChainFiles::new(&instance.logs_of(&unit), &stem),
                unit: unit.clone(),
                path: file.into(),
                max_size: *max_size,
                at_start: *at_start,
                bookmark: instance.copies().join(format!("{stem}.{BOOKMARK}")),
            };
            all.insert(stem, copy);
        }
    }
    all
}

/// Notes where copies begin that are new: what comes from now on is copied, so it is done before
/// anything is started.
pub(crate) fn begin(config: &Config, instance: &Instance) {
    for copy in wanted(config, instance).values().filter(|copy| !copy.bookmark.exists()) {
        let begun = paths::create_private(&instance.copies())
            .and_then(|()| Bookmark::open(&copy.bookmark, &copy.chain));
        if let Err(error) = begun {
            complain("cannot note where the copy of a log begins", &error);
        }
    }
}

/// Forgets where copies are that nobody wants any more: one that is wanted again begins anew.
pub(crate) fn clean(config: &Config, instance: &Instance) {
    let wanted = wanted(config, instance);
    let kept: BTreeSet<&Path> = wanted.values().map(|copy| copy.bookmark.as_path()).collect();
    for entry in fs::read_dir(instance.copies()).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_bookmark = path.extension().is_some_and(|end| end == BOOKMARK);
        if is_bookmark && !kept.contains(path.as_path()) {
            forget(&path);
        }
    }
}

fn forget(bookmark: &Path) {
    match fs::remove_file(bookmark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            complain("cannot forget where the copy of a log was", &error);
        }
        Ok(()) | Err(_) => {}
    }
}

impl Copies {
    pub(crate) fn new() -> Self {
        // One message for each change of a copy's fortune, which its thread waits between.
        let (teller, said) = unbounded_channel();
        Self { by_chain: BTreeMap::new(), troubles: BTreeMap::new(), said, teller }
    }

    /// Starts, changes and ends copies as a configuration asks for.
    pub(crate) fn apply(&mut self, config: &Config, instance: &Instance) {
        let mut wanted = wanted(config, instance);
        self.troubles.retain(|(_, path), _| wanted.values().any(|copy| copy.path == *path));
        self.by_chain.retain(|stem, running| {
            let wanted = wanted.remove(stem);
            if wanted.is_none() {
                drop(running.orders.send(Order::Forget));
            }
            wanted.is_some_and(|copy| running.change(copy))
        });
        for (stem, copy) in wanted {
            match Running::start(copy, self.teller.clone()) {
                Ok(running) => drop(self.by_chain.insert(stem, running)),
                Err(error) => complain("cannot start the copy of a log", &error),
            }
        }
    }

    /// Waits for the next thing that a copyist has to say.
    pub(crate) async fn next(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    /// Returns what is wrong with copies of a unit's log, in words.
    pub(crate) fn trouble_of(&self, unit: &UnitName) -> Option<String> {
        let unit = unit.to_string();
        let of_unit = self.troubles.iter().filter(|((of, _), _)| *of == unit);
        let words: Vec<&str> = of_unit.map(|(_, words)| words.as_str()).collect();
        Some(words.join("; ")).filter(|words| !words.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_chain.is_empty()
    }

    /// Copies what there is, and ends; a file that takes nothing gets it from the next agent.
    pub(crate) async fn finish(self) {
        for running in self.by_chain.values() {
            drop(running.orders.send(Order::Finish));
        }
        let until = clock::monotonic() + FINISH_WITHIN;
        for running in self.by_chain.into_values() {
            let left = until.saturating_sub(clock::monotonic());
            drop(timeout(left, running.ended).await);
        }
    }
}

impl Running {
    fn start(copy: Copy, teller: UnboundedSender<Said>) -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel();
        let (alive, ended) = oneshot::channel();
        let copyist = Copyist::new(copy.clone(), teller);
        thread::Builder::new().name("copyist".to_owned()).spawn(move || {
            copyist.work(&inbox);
            drop(alive);
        })?;
        Ok(Self { copy, orders, ended })
    }

    /// Returns whether it goes on.
    fn change(&mut self, copy: Copy) -> bool {
        if self.copy == copy {
            return true;
        }
        self.copy = copy.clone();
        self.orders.send(Order::Change(Box::new(copy))).is_ok()
    }
}

impl Agent {
    /// Tells how a copy fares, once for each change.
    pub(crate) fn copied(&mut self, Said { unit, path, what }: Said) {
        let file = path.display().to_string();
        let (level, event, message) = words(&unit, &file, &what);
        match what {
            Fortune::Refused(_) => {
                self.copies.troubles.insert((unit.clone(), path), message.clone());
            }
            Fortune::Taken => drop(self.copies.troubles.remove(&(unit.clone(), path))),
            Fortune::KeptName(_) | Fortune::Missed(_) => {}
        }
        let unit = UnitName::parse(&unit).ok();
        let happening = Happening::of_instance(level, event, message);
        self.events.tell(Happening { unit, ..happening });
    }
}

fn words(unit: &str, file: &str, what: &Fortune) -> (Level, &'static str, String) {
    match what {
        Fortune::Refused(why) => {
            let text = format!("`{file}` does not get the lines of `{unit}`: {why}");
            (Level::Error, "CopyRefused", text + "; its own log goes on")
        }
        Fortune::Taken => {
            let text = format!("`{file}` gets the lines of `{unit}` again, none is missing");
            (Level::Info, "CopyResumed", text)
        }
        Fortune::KeptName(why) => {
            let text = format!("`{file}` cannot be given another name: {why}");
            (Level::Warn, "CopyKeptName", text + "; it grows on, and it is tried each minute")
        }
        Fortune::Missed(count) => {
            let text = format!(
                "{count} segments of the log of `{unit}` were deleted before `{file}` had them"
            );
            (Level::Warn, "CopyMissed", text)
        }
    }
}
