//! What clients see of units.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mainstay_api::control::{LastExit, Next, Unit};
use mainstay_core::{Exit, Moment, UnitView, view};
use mainstay_platform::clock;

/// The two clocks at one instant, to tell the time of day of a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) now: Moment,
    realtime: Timestamp,
}

impl Clocks {
    pub(crate) fn read() -> Self {
        let realtime = Timestamp::try_from(clock::realtime()).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { now: Moment::from_start(clock::monotonic()), realtime }
    }

    fn text(&self, moment: Moment) -> String {
        let ago = SignedDuration::try_from(self.now.since(moment)).unwrap_or(SignedDuration::ZERO);
        let at = self.realtime.checked_sub(ago).unwrap_or(self.realtime);
        format!("{at:.3}")
    }
}

/// What the core does not know of a unit.
#[derive(Debug)]
pub(crate) struct Beside {
    /// See [`Unit::outdated`].
    pub(crate) outdated: bool,
    /// See [`Unit::pressure`].
    pub(crate) pressure: Option<String>,
    /// A run that has lasted so long wipes out earlier failures.
    pub(crate) well_after: Duration,
}

/// Returns a unit as clients see it.
pub(crate) fn unit(view: UnitView<'_>, clocks: Clocks, beside: Beside) -> Unit {
    let Beside { outdated, pressure, well_after } = beside;
    // The core forgets failures at the end of a good run, which may be far.
    let is_well = view.state() == "running" && clocks.now.since(view.since()) >= well_after;
    Unit {
        unit: view.name().to_string(),
        service: view.name().service.to_string(),
        state: view.state().to_owned(),
        since: clocks.text(view.since()),
        since_seconds: clocks.now.since(view.since()).as_secs(),
        why: view.why().to_owned(),
        next: next(view, clocks),
        pid: view.pid(),
        run: view.run(),
        restarts: view.restarts(),
        degraded: view.is_degraded() && !is_well,
        orphaned: view.is_orphaned(),
        outdated,
        pressure,
        last_exit: view.last_exit().map(|exit| last_exit(exit, clocks)),
    }
}

fn next(view: UnitView<'_>, clocks: Clocks) -> Option<Next> {
    let (what, at) = match view.next() {
        view::Next::Nothing => return None,
        view::Next::Start(at) => ("start", at),
        view::Next::Kill(at) => ("kill", at),
    };
    let in_ms = u64::try_from(at.since(clocks.now).as_millis()).unwrap_or(u64::MAX);
    Some(Next { what: what.to_owned(), in_ms })
}

fn last_exit(last: view::LastExit, clocks: Clocks) -> LastExit {
    let (code, signal) = match last.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
        Exit::Unknown => (None, None),
    };
    LastExit {
        run: last.run,
        how: last.exit.to_string(),
        code,
        signal,
        at: clocks.text(last.at),
        lived_ms: u64::try_from(last.lived.as_millis()).unwrap_or(u64::MAX),
    }
}
