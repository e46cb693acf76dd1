//! What clients see of units.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mainstay_api::control::{CheckState, LastExit, Next, Unit};
use mainstay_core::{
    Exit, Moment, UnitView,
    unit::Verdict,
    view::{self, InLine},
};
use mainstay_platform::clock;

use crate::notices::Said;

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

    pub(crate) fn text(&self, moment: Moment) -> String {
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
    /// What its run has said of itself.
    pub(crate) said: Said,
    /// The main process of its run, when it is not the one that was started.
    pub(crate) main: Option<u32>,
    /// Values are fetched for its run.
    pub(crate) is_fetching: bool,
}

/// Returns a unit as clients see it.
pub(crate) fn unit(view: UnitView<'_>, clocks: Clocks, beside: Beside) -> Unit {
    let Beside { outdated, pressure, well_after, said, main, is_fetching } = beside;
    // The core forgets failures at the end of a good run, which may be far.
    let is_well = view.state() == "running" && clocks.now.since(view.since()) >= well_after;
    Unit {
        unit: view.name().to_string(),
        service: view.name().service.to_string(),
        task: view.is_task(),
        state: view.state().to_owned(),
        since: clocks.text(view.since()),
        since_seconds: clocks.now.since(view.since()).as_secs(),
        why: why(view),
        next: next(view, clocks),
        pid: view.pid().map(|pid| main.unwrap_or(pid)),
        run: view.run(),
        restarts: view.restarts(),
        degraded: view.is_degraded() && !is_well,
        orphaned: view.is_orphaned(),
        outdated,
        ready_since: view.ready_at().filter(|_| view.pid().is_some()).map(|at| clocks.text(at)),
        unready: view.is_unready(),
        clearing: view.is_clearing(),
        unhealthy: checks(view).filter(|check| check.verdict == BAD).map(|c| c.check).collect(),
        pressure,
        starts_after: starts_after(view, is_fetching.then_some("its values")),
        last_exit: view.last_exit().map(|exit| last_exit(exit, clocks)),
        error_text: said.error(),
        status_text: Some(said.status).filter(|text| !text.is_empty()),
        facts: said.facts,
    }
}

/// Returns what a start waits for that is no matter of the system's.
fn starts_after(view: UnitView<'_>, fetched: Option<&str>) -> Option<String> {
    let hook = view.preparation().map(|hook| format!("its hook `{hook}`"));
    hook.or_else(|| fetched.map(str::to_owned))
}

/// What a check is called that is bad.
const BAD: &str = "bad";

/// Returns what is thought of a unit by its checks.
pub(crate) fn checks(view: UnitView<'_>) -> impl Iterator<Item = CheckState> {
    view.checks().map(|check| CheckState {
        check: check.name.to_owned(),
        verdict: word_of(check.verdict).to_owned(),
        seen: check.seen.to_owned(),
        failures: check.failures,
    })
}

const fn word_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Open => "open",
        Verdict::Good => "good",
        Verdict::Bad => BAD,
    }
}

/// Returns why a unit is as it is; of a run that is not ready yet, also what it lacks, and of one
/// that waits for its turn, how many come first.
pub(crate) fn why(view: UnitView<'_>) -> String {
    if let Some(InLine { place, width }) = view.in_line() {
        let turn = format!("it is number {place} in line, and {width} may be starting at a time");
        return format!("{}: {turn}", view.why());
    }
    match view.lacks() {
        Some(lacks) => format!("{}: {lacks}", view.why()),
        None => view.why().to_owned(),
    }
}

fn next(view: UnitView<'_>, clocks: Clocks) -> Option<Next> {
    let (what, at) = match view.next() {
        view::Next::Nothing => return None,
        view::Next::Start(at) => ("start", at),
        view::Next::Kill(at) => ("kill", at),
        view::Next::Stop(at) => ("stop", at),
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
