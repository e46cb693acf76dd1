//! The watcher: a thread that hears of changes of the configuration files, and says what they have
//! come to once that stays.
//!
//! ```text
//!            changed, or the time is up
//!  listens ─────────────────────────────► looks ──as it was told──► listens
//!                                           │ something else
//!                                           ▼ 250 ms
//!                                         looks again ──the same──► tells, listens
//!                                           └──something else──► 250 ms …
//! ```
//!
//! It begins to listen before it looks, each time anew, so that nothing is missed in between. What
//! was told already is told again when something was heard: whoever was told may have read what was
//! there for a moment. What files lie on may not answer: each look is an errand of its own.

mod ears;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use mainstay_api::config;
use tokio::sync::mpsc::{Receiver as Inbox, Sender as Outbox, channel};

use self::ears::Ears;
use crate::{
    configuration::{self, Source},
    errand::{Errands, Steps},
};

/// What is half-written changes within this time, or counts as meant.
const SETTLED_AFTER: Duration = Duration::from_millis(250);
/// Whoever writes beside the files all the time has them looked at no oftener than this.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What the files have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// They hold what has this fingerprint.
    Holds(u64),
    /// They cannot be read, and why.
    Unreadable(String),
}

/// Returns a number that differs when files, or what is in them, differ.
pub(crate) fn fingerprint(sources: &[Source]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for source in sources {
        (&source.path, &source.bytes).hash(&mut hasher);
    }
    hasher.finish()
}

/// The way to the thread, which ends with this value as soon as it hears anything.
#[derive(Debug, Default)]
pub(crate) struct Watcher(Option<Ends>);

#[derive(Debug)]
struct Ends {
    sights: Inbox<Sight>,
    /// Nothing is ever sent: that it is there means that somebody still wants to know.
    _life: mpsc::Sender<()>,
}

impl Watcher {
    pub(crate) const fn is_begun(&self) -> bool {
        self.0.is_some()
    }

    /// Starts the thread.
    pub(crate) fn begin(&mut self, main: &Path) -> io::Result<()> {
        // Who does not take a sight is not told the next one.
        let (outbox, sights) = channel(1);
        let (life, alive) = mpsc::channel();
        let thread = Thread { main: main.to_owned(), alive, outbox };
        thread::Builder::new().name("watcher".to_owned()).spawn(move || thread.work())?;
        self.0 = Some(Ends { sights, _life: life });
        Ok(())
    }

    /// Waits for the next sight, for ever when there is no thread; nothing is lost when the future is
    /// dropped.
    pub(crate) async fn next(&mut self) -> Option<Sight> {
        let Some(ends) = &mut self.0 else { return std::future::pending().await };
        let sight = ends.sights.recv().await;
        if sight.is_none() {
            self.0 = None;
        }
        sight
    }
}

struct Thread {
    main: PathBuf,
    alive: Receiver<()>,
    outbox: Outbox<Sight>,
}

impl Thread {
    fn work(self) {
        let (mut errands, mut pause) = (Errands::default(), SETTLED_AFTER);
        let mut judge = Judge::default();
        loop {
            let (sight, mut ears) = look(&self.main, &mut errands);
            let verdict = judge.judge(&sight);
            if verdict == Verdict::Unsettled {
                pause = SETTLED_AFTER;
                if self.is_over_after(SETTLED_AFTER) {
                    return;
                }
                continue;
            }
            if self.outbox.blocking_send(sight).is_err() {
                return;
            }
            let within = ears.listen();
            // What was heard may have been nothing: the next time it is looked a little later.
            if self.is_over_after(within.unwrap_or(pause)) {
                return;
            }
            pause =
                if verdict == Verdict::News { SETTLED_AFTER } else { (pause * 2).min(PAUSE_MAX) };
        }
    }

    /// Rests; returns whether nobody wants to know any more.
    fn is_over_after(&self, time: Duration) -> bool {
        matches!(self.alive.recv_timeout(time), Err(RecvTimeoutError::Disconnected))
    }
}

/// Says what a look is worth.
#[derive(Debug, Default)]
struct Judge {
    told: Option<Sight>,
    /// What was seen before, and is not told yet.
    before: Option<Sight>,
}

/// What a look is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may be half of something.
    Unsettled,
    /// It was seen twice in a row.
    News,
    /// It was told already.
    Known,
}

impl Judge {
    fn judge(&mut self, sight: &Sight) -> Verdict {
        let verdict = if self.told.as_ref() == Some(sight) {
            Verdict::Known
        } else if self.before.as_ref() == Some(sight) {
            Verdict::News
        } else {
            self.before = Some(sight.clone());
            return Verdict::Unsettled;
        };
        (self.told, self.before) = (Some(sight.clone()), None);
        verdict
    }
}

/// Begins to listen, then looks.
fn look(main: &Path, errands: &mut Errands) -> (Sight, Ears) {
    let path = main.to_owned();
    let seen = errands.run(main, move |steps| {
        let ears = Ears::open(&path, steps);
        (sight_of(&path, steps), ears)
    });
    seen.unwrap_or_else(|stuck| (Sight::Unreadable(stuck.to_string()), Ears::deaf()))
}

fn sight_of(main: &Path, steps: &Steps) -> Sight {
    match configuration::read_sources(main, steps) {
        Ok(sources) => Sight::Holds(fingerprint(&sources)),
        Err(found) => Sight::Unreadable(config::render(&found)),
    }
}

#[cfg(test)]
mod tests;
