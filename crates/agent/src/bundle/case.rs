//! What the loop knows of a crash, at its moment: everything that needs no disk.

use std::time::Duration;

use mainstay_api::{
    bundle::{Consumption, Ending, Outcome, Sequel},
    config::ServiceConfig,
    keeper::{Exited, Status, Usage},
};
use mainstay_core::{Exit, Moment, UnitName, view::Next};

use crate::{daemon::Agent, report::Clocks};

/// What the loop knows of a crash.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) unit: UnitName,
    pub(super) run: u64,
    pub(super) pid: u32,
    pub(super) keeper: u32,
    pub(super) ending: Ending,
    pub(super) signal: Option<i32>,
    pub(super) lived: Duration,
    pub(super) sequel: Sequel,
    pub(super) left_out: u64,
    pub(super) service: ServiceConfig,
    pub(super) results: Vec<Outcome>,
    pub(super) usage: Option<Consumption>,
}

impl Agent {
    pub(super) fn case(&self, unit: &UnitName, exited: &Exited, service: &ServiceConfig) -> Case {
        let clocks = Clocks::read();
        let ending = ending(exited, clocks);
        Case {
            unit: unit.clone(),
            run: exited.run,
            pid: exited.pid,
            keeper: self.welcome.pid,
            signal: ending.signal,
            lived: Duration::from_micros(exited.lived_us),
            ending,
            sequel: self.sequel(unit, clocks),
            left_out: 0,
            service: service.clone(),
            results: self.bundles.results.of(unit),
            usage: exited.usage.map(consumption),
        }
    }

    pub(super) fn sequel(&self, unit: &UnitName, clocks: Clocks) -> Sequel {
        let Some(view) = self.supervisor.unit(unit) else { return Sequel::default() };
        Sequel {
            state: view.state().to_owned(),
            why: view.why().to_owned(),
            starts: match view.next() {
                Next::Start(at) => Some(clocks.text(at)),
                Next::Kill(_) | Next::Stop(_) | Next::Nothing => None,
            },
            restarts: view.restarts(),
            failures: view.failures(),
        }
    }
}

const fn consumption(usage: Usage) -> Consumption {
    Consumption {
        user_ms: usage.user_us / 1000,
        system_ms: usage.system_us / 1000,
        memory_peak_bytes: usage.memory_peak_bytes,
    }
}

fn ending(exited: &Exited, clocks: Clocks) -> Ending {
    let moment = |us: u64| Moment::from_start(Duration::from_micros(us));
    let ending = ending_of(exited.status);
    Ending {
        started: clocks.text(moment(exited.at_us.saturating_sub(exited.lived_us))),
        ended: clocks.text(moment(exited.at_us)),
        lived_ms: exited.lived_us / 1000,
        ..ending
    }
}

/// Returns how a run ended, without its times.
pub(super) fn ending_of(status: Status) -> Ending {
    let (exit, code, signal) = match status {
        Status::Code(code) => (Exit::Code(code), Some(code), None),
        Status::Signal(signal) => (Exit::Signal(signal), None, Some(signal)),
        Status::Unknown => (Exit::Unknown, None, None),
    };
    Ending { how: exit.to_string(), code, signal, ..Ending::default() }
}
