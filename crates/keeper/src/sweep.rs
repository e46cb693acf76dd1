//! Ending what a run leaves behind: TERM, [`PATIENCE`], KILL, until nobody carries its id and
//! nobody is left in its group.
//!
//! Who has dropped its environment and left its group is not found: an orphan without a name may
//! belong to any run, and ending another run's program is worse than sparing one of this run.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use mainstay_api::keeper::RunRef;
use mainstay_platform::{
    fail,
    ladder::{self, Rung, Whom},
    port::{Port, Token, Watched},
    process::{self, Identity, Process, SignalKind},
};

use crate::note::complain;

/// How long what is left may take to leave by itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often those that survive a kill are looked at again.
const AGAIN_EVERY: Duration = Duration::from_secs(1);

/// All sweeps that are under way.
#[derive(Debug, Default)]
pub(crate) struct Sweeps {
    sweeps: BTreeMap<RunRef, Sweep>,
}

#[derive(Debug)]
struct Sweep {
    id: String,
    main: u32,
    first: Option<Identity>,
    strays: Vec<Watched<Process>>,
    signal: SignalKind,
    next_at: Duration,
}

impl Sweeps {
    /// Begins to end whoever is left of the run; returns whether there is anybody, or may be: who
    /// cannot be looked for is looked for again.
    pub(crate) fn begin(
        &mut self,
        port: &Port,
        key: &RunRef,
        run: Swept<'_>,
        now: Duration,
    ) -> bool {
        let strays = match find(port, run) {
            Ok(strays) if strays.is_empty() => return false,
            Ok(strays) => strays,
            Err(error) => {
                complain("cannot look for what a run left behind", &error);
                Vec::new()
            }
        };
        let sweep = Sweep {
            id: run.id.to_owned(),
            main: run.main,
            first: run.first,
            strays,
            signal: SignalKind::Term,
            next_at: now + PATIENCE,
        };
        sweep.send();
        self.sweeps.insert(key.clone(), sweep);
        true
    }

    /// Goes on with all sweeps; returns the runs of which nothing is left.
    pub(crate) fn go_on(&mut self, port: &Port, token: Token, now: Duration) -> Vec<RunRef> {
        let mut cleared = Vec::new();
        for (key, sweep) in &mut self.sweeps {
            sweep.strays.retain(|stray| !stray.has_ended());
            if sweep.strays.is_empty() {
                let run = Swept { id: &sweep.id, main: sweep.main, first: sweep.first, token };
                let Ok(strays) = find(port, run) else {
                    // Whoever cannot be looked for may still be there.
                    sweep.next_at = now + AGAIN_EVERY;
                    continue;
                };
                sweep.strays = strays;
                sweep.send();
            }
            if sweep.strays.is_empty() {
                cleared.push(key.clone());
            } else if now >= sweep.next_at {
                sweep.signal = SignalKind::Kill;
                sweep.next_at = now + AGAIN_EVERY;
                sweep.send();
            }
        }
        for key in &cleared {
            self.sweeps.remove(key);
        }
        cleared
    }

    /// Kills all who are left: nobody waits for their own leaving any more.
    pub(crate) fn hurry(&mut self, now: Duration) {
        for sweep in self.sweeps.values_mut() {
            sweep.signal = SignalKind::Kill;
            sweep.next_at = now + AGAIN_EVERY;
            sweep.send();
        }
    }

    /// Returns whether nothing is left of any run.
    pub(crate) fn is_done(&self) -> bool {
        self.sweeps.is_empty()
    }

    /// Returns when to go on.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.sweeps.values().map(|sweep| sweep.next_at).min()
    }
}

/// Whom a sweep is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept<'a> {
    /// The run's `MAINSTAY_ID`.
    pub(crate) id: &'a str,
    /// The run's own process: it has ended and does not count, but its group does. 0 when nobody
    /// knows.
    pub(crate) main: u32,
    /// The process that was started, where it is another one: it may be alive, and its group counts.
    pub(crate) first: Option<Identity>,
    /// Under which token the ends of strays are reported.
    pub(crate) token: Token,
}

fn find(port: &Port, run: Swept<'_>) -> io::Result<Vec<Watched<Process>>> {
    if fail::is_wanted("lack.sweep") {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let mut found = process::carrying(run.id)?;
    if run.main != 0 {
        add(&mut found, process::led_by(run.main)?);
    }
    if let Some(first) = run.first {
        add(&mut found, process::led_by(first.pid)?);
        let alive = Process::open(first)?.filter(|process| !process.has_ended());
        add(&mut found, alive.into_iter().collect());
    }
    let strays = found.into_iter().filter(|process| process.pid() != run.main);
    strays.map(|stray| port.watch(stray, run.token)).collect()
}

/// Adds those who are not there yet.
fn add(found: &mut Vec<Process>, more: Vec<Process>) {
    let known: BTreeSet<u32> = found.iter().map(Process::pid).collect();
    found.extend(more.into_iter().filter(|process| !known.contains(&process.pid())));
}

impl Sweep {
    fn send(&self) {
        if ladder::IS_NEEDED && self.signal == SignalKind::Term {
            // What it tells is of no use: whoever is left after the patience is killed.
            let whom = Whom { job: &self.id, main: 0 };
            if let Err(error) = ladder::climb(whom, Rung::Interrupt) {
                complain("cannot ask what a run left behind to end", &error);
            }
            return;
        }
        for stray in &self.strays {
            if let Err(error) = stray.signal(self.signal) {
                complain("cannot signal what a run left behind", &error);
            }
            if self.signal == SignalKind::Term {
                // One that is frozen hears nothing.
                drop(stray.signal(SignalKind::Continue));
            }
        }
    }
}
