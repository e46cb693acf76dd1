//! Great moments of a service, for the log of events that its system has: what an administrator
//! sees without knowing of us. `docs/reference/windows-events.md` lists the numbers.

use std::{
    collections::BTreeSet,
    io,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use mainstay_api::control::Event;
use mainstay_platform::{
    clock,
    event_log::{EventLog, SOURCE, Weight},
};

use super::complain;

/// So many entries may wait for the system.
const QUEUE_MAX: usize = 256;
/// So many entries of a weight are written within a window: the log belongs to everybody.
const ENTRIES_MAX: u32 = 60;
/// How long a window is; each that was too short for what happened is followed by a longer one.
const WINDOW_SHORTEST: Duration = Duration::from_mins(10);
const WINDOW_LONGEST: Duration = Duration::from_hours(24);

/// Numbers of entries. Scripts rely on them: none is ever given another meaning.
mod id {
    pub(super) const RUNNING: u16 = 100;
    pub(super) const STOPPED: u16 = 101;
    pub(super) const CRASHED: u16 = 102;
    pub(super) const GAVE_UP: u16 = 103;
    pub(super) const DEGRADED: u16 = 104;
    pub(super) const ENDED: u16 = 105;
    pub(super) const AGENT_RECOVERED: u16 = 110;
    pub(super) const CONFIG_REFUSED: u16 = 111;
    pub(super) const STATE_DAMAGED: u16 = 112;
    pub(super) const EVENTS_HELD: u16 = 113;
    pub(super) const LOG_FAILED: u16 = 114;
    pub(super) const KEEPER_LOST: u16 = 115;
    pub(super) const SERVICE_LOST: u16 = 117;
    pub(super) const WITHHELD: u16 = 119;
}

/// One entry of the system's log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    weight: Weight,
    id: u16,
    text: String,
}

/// The way to the system's log, by a thread of its own: the system may take its time.
#[derive(Debug)]
pub(super) struct Bulletin {
    digest: Digest,
    entries: SyncSender<Entry>,
}

impl Bulletin {
    pub(super) fn start(service: &str) -> io::Result<Self> {
        let (entries, inbox) = mpsc::sync_channel(QUEUE_MAX);
        thread::Builder::new().name("bulletin".to_owned()).spawn(move || write(&inbox))?;
        Ok(Self { digest: Digest::new(service), entries })
    }

    /// Passes an event on, when it is one for the system's log. What does not fit is left out: the
    /// events of the instance have it all the same.
    pub(super) fn note(&mut self, event: &Event) {
        if let Some(entry) = self.digest.of(event, clock::monotonic()) {
            drop(self.entries.try_send(entry));
        }
    }
}

fn write(inbox: &Receiver<Entry>) {
    let log = match EventLog::open(SOURCE) {
        Ok(log) => log,
        Err(error) => return complain("cannot open the system's log of events", &error),
    };
    let mut has_failed = false;
    while let Ok(Entry { weight, id, text }) = inbox.recv() {
        if let Err(error) = log.report(weight, id, &text)
            && !std::mem::replace(&mut has_failed, true)
        {
            complain("the system's log takes no events", &error);
        }
    }
}

/// Decides what is told.
#[derive(Debug)]
struct Digest {
    service: String,
    /// Units that fail again and again: that was told once, and their attempts are told no more.
    degraded: BTreeSet<String>,
    /// Errors have room of their own: what is given up is told, whatever else happens.
    errors: Quota,
    others: Quota,
}

/// How much is told in how long.
#[derive(Debug)]
struct Quota {
    since: Duration,
    window: Duration,
    told: u32,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    Yes,
    /// It is the last that there is room for: others will be left out.
    Last,
    No,
}

impl Quota {
    const fn new(now: Duration) -> Self {
        Self { since: now, window: WINDOW_SHORTEST, told: 0 }
    }

    fn admit(&mut self, now: Duration) -> Admitted {
        if now.saturating_sub(self.since) >= self.window {
            let is_flooded = self.told >= ENTRIES_MAX;
            self.window = if is_flooded { self.longer() } else { WINDOW_SHORTEST };
            (self.since, self.told) = (now, 0);
        }
        self.told = self.told.saturating_add(1);
        match self.told {
            ..ENTRIES_MAX => Admitted::Yes,
            ENTRIES_MAX => Admitted::Last,
            _ => Admitted::No,
        }
    }

    fn longer(&self) -> Duration {
        self.window.saturating_mul(2).min(WINDOW_LONGEST)
    }
}

impl Digest {
    fn new(service: &str) -> Self {
        let now = clock::monotonic();
        let (errors, others) = (Quota::new(now), Quota::new(now));
        Self { service: service.to_owned(), degraded: BTreeSet::new(), errors, others }
    }

    fn of(&mut self, event: &Event, now: Duration) -> Option<Entry> {
        let (weight, id) = match event.event.as_str() {
            "UnitStateChanged" => self.change(event)?,
            "InstanceEnded" if event.facts.exit_code == Some(0) => (Weight::Information, id::ENDED),
            "InstanceEnded" => (Weight::Error, id::ENDED),
            "AgentRecovered" => (Weight::Warning, id::AGENT_RECOVERED),
            "ConfigRefused" => (Weight::Error, id::CONFIG_REFUSED),
            "StateDamaged" => (Weight::Error, id::STATE_DAMAGED),
            "EventsHeld" => (Weight::Error, id::EVENTS_HELD),
            "LogFailed" | "CopyRefused" => (Weight::Error, id::LOG_FAILED),
            "KeeperLost" => (Weight::Warning, id::KEEPER_LOST),
            "ServiceLost" => (Weight::Error, id::SERVICE_LOST),
            _ => return None,
        };
        self.admit(now, Entry { weight, id, text: format!("{}: {}", self.service, event.message) })
    }

    fn change(&mut self, event: &Event) -> Option<(Weight, u16)> {
        let unit = event.unit.clone().unwrap_or_default();
        let state = event.facts.state.as_deref().unwrap_or_default();
        let was_degraded = self.degraded.contains(&unit);
        if event.facts.degraded {
            self.degraded.insert(unit);
        } else {
            self.degraded.remove(&unit);
        }
        match (state, was_degraded) {
            ("failed", _) => Some((Weight::Error, id::GAVE_UP)),
            ("stopped" | "completed", _) => Some((Weight::Information, id::STOPPED)),
            ("backoff" | "running", true) if event.facts.degraded => None,
            ("backoff", _) if event.facts.degraded => Some((Weight::Error, id::DEGRADED)),
            ("backoff", _) => Some((Weight::Warning, id::CRASHED)),
            ("running", _) => Some((Weight::Information, id::RUNNING)),
            _ => None,
        }
    }

    /// The last entry that a window has room for says that others are left out.
    fn admit(&mut self, now: Duration, entry: Entry) -> Option<Entry> {
        let quota = match entry.weight {
            Weight::Error => &mut self.errors,
            Weight::Warning | Weight::Information => &mut self.others,
        };
        match quota.admit(now) {
            Admitted::Yes => Some(entry),
            Admitted::Last => {
                let text =
                    format!("{}: too much happens; `mainstay events` has it all", self.service);
                Some(Entry { weight: Weight::Warning, id: id::WITHHELD, text })
            }
            Admitted::No => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::Facts;

    use super::*;

    fn event(event: &str, state: &str, degraded: bool) -> Event {
        let facts = Facts { state: Some(state.to_owned()), degraded, ..Facts::default() };
        Event {
            sequence: 1,
            timestamp: String::new(),
            level: "info".to_owned(),
            event: event.to_owned(),
            unit: Some("web".to_owned()),
            run: Some(1),
            trace_id: String::new(),
            message: "it happened".to_owned(),
            facts,
        }
    }

    fn ids(digest: &mut Digest, states: &[(&str, bool)]) -> Vec<u16> {
        let told = states.iter().filter_map(|(state, degraded)| {
            digest.of(&event("UnitStateChanged", state, *degraded), Duration::ZERO)
        });
        told.map(|entry| entry.id).collect()
    }

    #[test]
    fn a_life_is_told_by_its_great_moments() {
        let mut digest = Digest::new("web");
        let life = [
            ("starting", false),
            ("running", false),
            ("backoff", false),
            ("starting", false),
            ("running", false),
            ("stopping", false),
            ("stopped", false),
        ];
        assert_eq!(ids(&mut digest, &life), [100, 102, 100, 101]);
        let entry = digest.of(&event("UnitStateChanged", "failed", false), Duration::ZERO).unwrap();
        let text = "web: it happened".to_owned();
        assert_eq!(entry, Entry { weight: Weight::Error, id: id::GAVE_UP, text });
    }

    #[test]
    fn a_unit_that_fails_again_and_again_is_told_once() {
        let mut digest = Digest::new("web");
        let crashes = [("backoff", false), ("backoff", false), ("backoff", true)];
        assert_eq!(ids(&mut digest, &crashes), [102, 102, 104]);
        let more = [("running", true), ("backoff", true), ("running", true), ("backoff", true)];
        assert!(ids(&mut digest, &more).is_empty());
        let well_again = [("backoff", false), ("running", false), ("stopped", false)];
        assert_eq!(ids(&mut digest, &well_again), [102, 100, 101]);
        assert_eq!(ids(&mut digest, &[("backoff", true), ("failed", true)]), [104, 103]);
    }

    #[test]
    fn the_log_that_belongs_to_everybody_is_not_flooded() {
        let mut digest = Digest::new("web");
        let start = digest.errors.since;
        let flood = event("ConfigRefused", "", false);
        let told: Vec<u16> =
            (0..500).filter_map(|_| digest.of(&flood, start)).map(|entry| entry.id).collect();
        assert_eq!(told.len(), 60);
        assert_eq!(told.iter().filter(|id| **id == id::WITHHELD).count(), 1);
        assert_eq!(told.last(), Some(&id::WITHHELD));
        assert_eq!(digest.of(&flood, start + WINDOW_SHORTEST).unwrap().id, id::CONFIG_REFUSED);
    }

    #[test]
    fn a_unit_that_comes_and_goes_for_days_hides_no_error_and_fills_no_log() {
        let mut digest = Digest::new("web");
        let start = digest.others.since;
        let second = Duration::from_secs(1);
        let day = 24 * 60 * 60;
        let comes_and_goes = ["backoff", "running"];
        let mut told = 0;
        for (at, state) in (0..3 * day).zip(comes_and_goes.into_iter().cycle()) {
            let event = event("UnitStateChanged", state, false);
            told += u32::from(digest.of(&event, start + at * second).is_some());
        }
        assert!((300..700).contains(&told), "{told} in three days");
        let given_up = event("UnitStateChanged", "failed", false);
        assert_eq!(digest.of(&given_up, start + 3 * day * second).unwrap().id, id::GAVE_UP);
        // A quiet time, and everything is told again.
        let later = start + 10 * day * second;
        assert!(digest.of(&event("UnitStateChanged", "running", false), later).is_some());
    }

    #[test]
    fn what_concerns_nobody_but_us_is_not_told() {
        let mut digest = Digest::new("web");
        for name in ["AgentStarted", "ConfigApplied", "UnitExited", "CommandReceived"] {
            assert_eq!(digest.of(&event(name, "", false), Duration::ZERO), None);
        }
    }

    #[test]
    fn every_number_fits_the_messages_of_the_system() {
        let all = [
            id::RUNNING,
            id::STOPPED,
            id::CRASHED,
            id::GAVE_UP,
            id::DEGRADED,
            id::AGENT_RECOVERED,
            id::CONFIG_REFUSED,
            id::STATE_DAMAGED,
            id::EVENTS_HELD,
            id::LOG_FAILED,
            id::KEEPER_LOST,
            id::SERVICE_LOST,
            id::WITHHELD,
        ];
        assert!(all.iter().all(|id| (1..=1000).contains(id)));
        assert!(all.is_sorted(), "each is there once: {all:?}");
    }
}
