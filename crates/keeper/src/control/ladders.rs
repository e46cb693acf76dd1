//! Programs that are asked to end rung by rung, where there are no signals: a helper climbs, and
//! tells how far it had to when it ends.

use std::{collections::BTreeMap, io};

use mainstay_api::keeper::{Climb, Climbed, RunRef, RungName, RungOutcome};
use mainstay_platform::{
    ladder::{self, Outcome, Rung, Whom},
    port::Watched,
    process::{Process, SignalKind},
};

use super::{Control, token};

/// The helpers that are under way, at most one for each run.
pub(crate) type Ladders = BTreeMap<RunRef, Watched<Process>>;

/// Returns how far a signal goes; nothing where it is a signal, or one that does not ask.
pub(super) fn highest_of(kind: SignalKind) -> Option<Rung> {
    let asks = [(SignalKind::Term, Rung::Quit), (SignalKind::Interrupt, Rung::Interrupt)];
    let asks = asks.into_iter().filter(|_| ladder::IS_NEEDED);
    asks.into_iter().find(|(asks, _)| *asks == kind).map(|(_, highest)| highest)
}

impl Control {
    /// Begins to ask a program; one that is being asked is left to that.
    pub(super) fn climb(&mut self, key: &RunRef, highest: Rung) -> io::Result<()> {
        let Some(run) = self.runs.get(key) else { return Ok(()) };
        let Some(process) = run.process().filter(|_| !self.ladders.contains_key(key)) else {
            return Ok(());
        };
        let helper = ladder::climb(Whom { job: &run.id, main: process.pid() }, highest)?;
        let helper = self.port.watch(helper, token::LADDER)?;
        self.ladders.insert(key.clone(), helper);
        Ok(())
    }

    /// Some helper has ended.
    pub(super) fn helpers_ended(&mut self) {
        let all = std::mem::take(&mut self.ladders);
        let (ended, rest): (Ladders, Ladders) =
            all.into_iter().partition(|(_, helper)| helper.has_ended());
        self.ladders = rest;
        for (RunRef { unit, run }, helper) in ended {
            let rungs: Vec<Climb> = ladder::outcomes(&helper).into_iter().map(told).collect();
            if !rungs.is_empty() {
                self.reports.climbed.push(Climbed { unit, run, rungs });
            }
        }
    }
}

const fn told((rung, outcome): (Rung, Outcome)) -> Climb {
    let rung = match rung {
        Rung::Interrupt => RungName::Interrupt,
        Rung::Close => RungName::Close,
        Rung::Quit => RungName::Quit,
    };
    let outcome = match outcome {
        Outcome::Ended => RungOutcome::Ended,
        Outcome::Ignored => RungOutcome::Ignored,
        Outcome::Nobody => RungOutcome::Nobody,
        Outcome::Refused => RungOutcome::Refused,
    };
    Climb { rung, outcome }
}
