//! Whether a program that was installed a moment ago stays up.

use std::time::Duration;

use mainstay_api::control::{Unit, UnitDetail};
use mainstay_platform::clock;

use crate::{
    cli::{service::program_of, status, why},
    errors::CliError,
    place::Place,
    print,
};

/// How long to look.
const LOOK_FOR: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Whoever has run so long may stay.
const STAYS_AFTER_SECONDS: u64 = 2;
/// Whoever has to be started again so often does not.
const FALLS_AFTER_RESTARTS: u64 = 2;
/// So many last lines say what is wrong.
const LINES_SHOWN: usize = 5;

/// What was seen.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has run for a while.
    Stays(Box<UnitDetail>),
    /// It ends again and again, or cannot be started at all.
    Falls(Box<UnitDetail>),
}

/// Looks at the service's only unit until it is clear, at most [`LOOK_FOR`].
pub(super) async fn watch(place: &Place) -> Result<Outcome, CliError> {
    let until = clock::monotonic() + LOOK_FOR;
    loop {
        let is_over = clock::monotonic() >= until;
        match program_of(place).await {
            Ok(detail) if stays(&detail.unit) => return Ok(Outcome::Stays(detail.into())),
            Ok(detail) if falls(&detail.unit) => return Ok(Outcome::Falls(detail.into())),
            Ok(detail) if is_over && runs_for_now(&detail.unit) => {
                return Ok(Outcome::Stays(detail.into()));
            }
            Ok(detail) if is_over => return Ok(Outcome::Falls(detail.into())),
            // The agent is being started.
            Err(error) if is_over => return Err(error),
            Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn stays(unit: &Unit) -> bool {
    unit.state == "completed"
        || (unit.state == "running" && unit.since_seconds >= STAYS_AFTER_SECONDS)
}

/// Between two attempts `why` says how the last one ended; the next one is not counted yet.
fn falls(unit: &Unit) -> bool {
    let is_waiting = unit.state == "backoff";
    unit.state == "failed" || is_waiting && unit.restarts + 1 >= FALLS_AFTER_RESTARTS
}

fn runs_for_now(unit: &Unit) -> bool {
    unit.state == "running" && unit.restarts < FALLS_AFTER_RESTARTS
}

impl Outcome {
    /// Returns what to tell whoever has installed it.
    pub(super) fn told(&self, name: &str) -> String {
        match self {
            Self::Stays(detail) => {
                let Unit { state, pid, since_seconds, .. } = &detail.unit;
                let pid = pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
                let since = print::span(*since_seconds);
                format!("{name} is {}{pid}, since {since}\n", print::phrase(state))
            }
            Self::Falls(detail) => {
                let why = print::harmless(&detail.unit.why);
                let mut text = format!("{name} is installed but does not stay up: {why}");
                if let Some(next) = &detail.unit.next {
                    let wait = status::milliseconds(next.in_ms);
                    text.push_str(&["; ", &next.what, " in ", &wait].concat());
                }
                text.push('\n');
                for line in why::last_lines(detail).iter().rev().take(LINES_SHOWN).rev() {
                    text.push_str(&["    | ", line, "\n"].concat());
                }
                text
            }
        }
    }

    /// Returns what to do next, by a name as it is typed.
    pub(super) fn next(&self, name: &str) -> String {
        match self {
            Self::Stays(_) => format!("  logs      mainstay logs {name} -f\n"),
            Self::Falls(_) => format!("  change    mainstay service edit {name}\n"),
        }
    }

    pub(super) const fn is_well(&self) -> bool {
        matches!(self, Self::Stays(_))
    }
}
