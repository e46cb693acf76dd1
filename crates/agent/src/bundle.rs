//! Crash bundles: a file for each run that ended badly though nobody had asked for its end.
//!
//! ```text
//!  exited ──► case ──► drained, or 1 s ──► writer ──► written ──► the exit may be acknowledged
//!               │                             │
//!               └── a second after the last   └── 5 s without a word: the exit goes, and it is told
//!                   one; the next crash takes
//!                   its place
//! ```
//!
//! The keeper keeps an exit until its bundle is there (ADR 8), so an agent that dies before that
//! leaves it to the next one; a bundle that is there is not written again. Nothing here waits for a
//! disk: a thread of its own reads the log and writes the file.

mod case;
mod plain;
mod results;
mod tail;
mod writer;

use std::{collections::BTreeMap, io, sync::mpsc::SyncSender, time::Duration};

use mainstay_api::keeper::{Exited, Status};
use mainstay_core::{Memo, Moment, TraceId, UnitName, UnitView};
use mainstay_platform::clock;
use mainstay_storage::instance::Instance;
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};

use crate::{
    daemon::Agent,
    events::{EXITED, Happening, Level},
    report::Clocks,
};

use case::Case;
pub(crate) use plain::may_show;
pub(crate) use results::Results;
pub(crate) use writer::Written;
use writer::{Job, Outcome};

/// An exit waits so long for its bundle.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);
/// So long the last bytes of a program may take into its log.
const DRAINED_WITHIN: Duration = Duration::from_secs(1);
/// A unit that crashes in a loop gets one bundle in this time, of its last crash.
const APART: Duration = Duration::from_secs(1);
/// How long an agent that ends waits for bundles.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// One run of one unit.
type Run = (UnitName, u64);

/// The bundles that are being made, and what goes into the next ones.
#[derive(Debug)]
pub(crate) struct Bundles {
    open: BTreeMap<Run, Open>,
    paces: BTreeMap<UnitName, Pace>,
    /// The runs that are stopped for their own fault.
    blamed: BTreeMap<UnitName, u64>,
    /// How hooks and checks went lately.
    pub(crate) results: Results,
    jobs: SyncSender<Job>,
    written: UnboundedReceiver<Written>,
    /// The last one could not be written, and that was told.
    is_in_trouble: bool,
}

/// A bundle that is not there yet.
#[derive(Debug)]
struct Open {
    /// Until the writer has it.
    case: Option<Box<Case>>,
    begins_at: Moment,
    drained_by: Moment,
    gives_up_at: Moment,
}

impl Open {
    /// Returns when the writer gets it.
    fn due_at(&self) -> Moment {
        self.begins_at.max(self.drained_by)
    }
}

/// How fast a unit crashes.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The last run that has crashed.
    run: u64,
    /// When its last bundle began, or is to begin.
    at: Moment,
    /// So many have none since.
    left_out: u64,
}

impl Bundles {
    /// Starts the writer; it ends with this value.
    pub(crate) fn start(instance: &Instance) -> io::Result<Self> {
        let (jobs, written) = writer::start(instance.clone())?;
        let (open, paces, blamed, results) = Default::default();
        Ok(Self { open, paces, blamed, results, jobs, written, is_in_trouble: false })
    }

    /// Returns whether the bundle of a run is still being made.
    pub(crate) fn is_open(&self, unit: &str, run: u64) -> bool {
        UnitName::parse(unit).is_ok_and(|unit| self.open.contains_key(&(unit, run)))
    }

    /// Returns whether bundles of a unit are still being made.
    pub(crate) fn has_open(&self, unit: &str) -> bool {
        self.open.keys().any(|(of, _)| of.to_string() == unit)
    }

    /// Returns when something is to be done of itself.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let due = |open: &Open| match open.case {
            Some(_) => open.due_at().elapsed(),
            None => open.gives_up_at.elapsed(),
        };
        self.open.values().map(due).min()
    }

    /// Waits for the next bundle that is written; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Written> {
        self.written.recv().await
    }

    /// Everything that the run wrote is in its log.
    pub(crate) fn drained(&mut self, unit: &str, run: u64) {
        let Ok(unit) = UnitName::parse(unit) else { return };
        if let Some(open) = self.open.get_mut(&(unit, run)) {
            open.drained_by = Moment::from_start(clock::monotonic());
        }
    }

    /// A run may be stopped because it is not well: its end is a crash like any other.
    pub(crate) fn note_blame(&mut self, unit: &UnitName, run: u64, memo: Memo) {
        if memo.blame.is_some() {
            self.blamed.insert(unit.clone(), run);
        } else if self.is_blamed(unit, run) {
            // Somebody has asked for its end meanwhile.
            self.blamed.remove(unit);
        }
    }

    fn is_blamed(&self, unit: &UnitName, run: u64) -> bool {
        self.blamed.get(unit) == Some(&run)
    }

    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.paces.remove(unit);
        self.blamed.remove(unit);
        self.results.forget(unit);
    }

    /// Gives the writer what there is; while it has too much to do, it is asked again later.
    fn hand_over(&mut self, run: &Run) {
        let Some(open) = self.open.get_mut(run) else { return };
        let Some(mut case) = open.case.take() else { return };
        let pace = self.paces.get_mut(&case.unit);
        case.left_out += pace.map_or(0, |pace| std::mem::take(&mut pace.left_out));
        if let Err(job) = self.jobs.try_send(Job::Write(case)).map_err(writer::returned) {
            open.case = job.into_case();
            open.begins_at = Moment::from_start(clock::monotonic()) + APART;
        }
    }

    /// Returns when the bundle of a run begins; nothing when the run is known already. One that
    /// waits makes room: what crashed last says most.
    fn admit(&mut self, unit: &UnitName, run: u64, now: Moment) -> Option<Moment> {
        let Some(pace) = self.paces.get_mut(unit) else {
            self.paces.insert(unit.clone(), Pace { run, at: now, left_out: 0 });
            return Some(now);
        };
        if pace.run >= run {
            return None;
        }
        pace.run = run;
        if pace.at <= now {
            pace.at = now.max(pace.at + APART);
        } else {
            let waits = |of: &UnitName, open: &Open| {
                of == unit && open.case.is_some() && open.begins_at > now
            };
            pace.left_out +=
                u64::try_from(self.open.extract_if(.., |(of, _), open| waits(of, open)).count())
                    .unwrap_or_default();
        }
        Some(pace.at)
    }
}

impl Agent {
    /// Returns whether a run ends badly at this moment though nobody has asked for its end, or is
    /// ended for its own fault. The core has not heard of the end yet.
    pub(crate) fn is_crash(&self, unit: &UnitName, exited: &Exited) -> bool {
        let view = self.supervisor.unit(unit).filter(|view| view.run() == exited.run);
        let is_asked = view.is_none_or(UnitView::is_asked_to_end);
        let is_unasked = !is_asked && exited.status != Status::Code(0);
        is_unasked || self.bundles.is_blamed(unit, exited.run)
    }

    /// Opens the bundle of a run that has crashed; the core has decided what follows.
    pub(crate) fn crashed(&mut self, unit: &UnitName, exited: &Exited) {
        let service = self.config.services.get(&unit.service);
        let Some(service) = service.filter(|service| service.bundles > 0) else { return };
        let now = Moment::from_start(clock::monotonic());
        let Some(begins_at) = self.bundles.admit(unit, exited.run, now) else { return };
        let case = Some(Box::new(self.case(unit, exited, service)));
        let (drained_by, gives_up_at) = (now + DRAINED_WITHIN, begins_at + GIVE_UP_AFTER);
        let open = Open { case, begins_at, drained_by, gives_up_at };
        self.bundles.open.insert((unit.clone(), exited.run), open);
    }

    /// What was not known of an end is.
    pub(crate) fn amend_bundle(&self, exited: &Exited) {
        // Whoever reads it without that reads what was known at the time.
        drop(self.bundles.jobs.try_send(Job::Amend(exited.clone())));
    }

    /// Does what is due: bundles that waited long enough for last words, and those that are late.
    pub(crate) fn hurry_bundles(&mut self) {
        let now = Moment::from_start(clock::monotonic());
        let runs: Vec<Run> = self.bundles.open.keys().cloned().collect();
        for run in runs {
            let Some(open) = self.bundles.open.get(&run) else { continue };
            if open.gives_up_at <= now {
                self.bundles.open.remove(&run);
                let why = "the disk of the state folder does not answer";
                self.tell_unwritten(&run, why);
            } else if open.due_at() <= now {
                self.renew_sequel(&run);
                self.bundles.hand_over(&run);
            }
        }
    }

    /// As long as no other run has begun, what follows may have become clearer.
    fn renew_sequel(&mut self, run: &Run) {
        let (unit, number) = run;
        if self.supervisor.unit(unit).is_none_or(|view| view.run() != *number) {
            return;
        }
        let sequel = self.sequel(unit, Clocks::read());
        if let Some(case) = self.bundles.open.get_mut(run).and_then(|open| open.case.as_mut()) {
            case.sequel = sequel;
        }
    }

    /// A bundle is there, or cannot be.
    pub(crate) fn bundle_written(&mut self, written: Written) {
        let Written { unit, run, outcome } = written;
        let key = (unit, run);
        self.bundles.open.remove(&key);
        match outcome {
            Outcome::New => {
                let was_in_trouble = std::mem::take(&mut self.bundles.is_in_trouble);
                let after = if was_in_trouble { ", as the disk takes them again" } else { "" };
                let (unit, _) = &key;
                let message = format!(
                    "run {run} of `{unit}` crashed: `mainstay why {unit} --bundle {run}` tells all{after}"
                );
                self.tell_of_bundle(&key, (Level::Info, "BundleWritten"), message);
            }
            Outcome::Old => {}
            Outcome::Failed(why) => self.tell_unwritten(&key, &why),
        }
    }

    fn tell_unwritten(&mut self, run: &Run, why: &str) {
        if std::mem::replace(&mut self.bundles.is_in_trouble, true) {
            return;
        }
        let (unit, number) = run;
        let message = format!("run {number} of `{unit}` crashed and has no bundle: {why}");
        self.tell_of_bundle(run, (Level::Error, "BundleNotWritten"), message);
    }

    fn tell_of_bundle(
        &mut self,
        (unit, run): &Run,
        (level, event): (Level, &'static str),
        message: String,
    ) {
        let trace = self.trace_of_exit(unit, *run);
        let (unit, run) = (Some(unit.clone()), Some(*run));
        let happening = Happening::of_instance(level, event, message);
        self.events.tell(Happening { unit, run, trace, ..happening });
    }

    fn trace_of_exit(&self, unit: &UnitName, run: u64) -> TraceId {
        let unit = unit.to_string();
        let told = self.events.select(1, |event| {
            event.event == EXITED && event.run == Some(run) && event.unit.as_ref() == Some(&unit)
        });
        let trace = told.first().and_then(|event| u64::from_str_radix(&event.trace_id, 16).ok());
        TraceId(trace.unwrap_or_default())
    }

    /// Waits for bundles of the end, as long as the disk works.
    pub(crate) async fn finish_bundles(&mut self) {
        let runs: Vec<Run> = self.bundles.open.keys().cloned().collect();
        for run in &runs {
            self.bundles.hand_over(run);
        }
        let writing = async {
            while !self.bundles.open.is_empty() {
                match self.bundles.next().await {
                    Some(written) => self.bundle_written(written),
                    None => return,
                }
            }
        };
        // What is not there then is told by the event of its exit.
        drop(timeout(FINISH_WITHIN, writing).await);
    }
}
