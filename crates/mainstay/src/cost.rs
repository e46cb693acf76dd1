//! What it costs when keeper or agent die, hang or are replaced: processes, programs, lines, time.

use std::{fmt, time::Duration};

use mainstay_api::control::{Role, Status, Unit};
use mainstay_platform::clock;
use serde::Serialize;

use crate::{
    client::Client,
    errors::CliError,
    instance::Located,
    ledger::{Ledger, Tally},
    print, words,
};

const RECOVER_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Programs that number their lines get so long to write one more.
const READ_ON_WITHIN: Duration = Duration::from_secs(2);

/// What was before, to be compared with what comes after.
#[derive(Debug)]
pub(crate) struct Before {
    located: Located,
    pub(crate) status: Status,
    ledger: Ledger,
    began: Duration,
}

/// Who was who, and who is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) before: Role,
    pub(crate) after: Role,
}

/// How many programs ran, and how many of them still do, with the same process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Programs {
    running: usize,
    kept: usize,
    /// Those that ended meanwhile with a code of their own, as they might have at any time.
    ended: Vec<String>,
    /// Those that we lost.
    lost: Vec<String>,
}

/// The whole account.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Cost {
    pub(crate) keeper: Change,
    pub(crate) agent: Change,
    pub(crate) programs: Programs,
    pub(crate) lines: Tally,
    pub(crate) took_ms: f64,
}

impl Before {
    /// Looks at everything; the clock starts with [`begin`](Self::begin).
    pub(crate) fn look(located: &Located, status: Status) -> Result<Self, CliError> {
        let ledger =
            Ledger::open(&located.instance, &status.units).map_err(|error| unreadable(&error))?;
        Ok(Self { located: located.clone(), status, ledger, began: clock::monotonic() })
    }

    /// Starts the clock.
    pub(crate) fn begin(&mut self) {
        self.began = clock::monotonic();
    }

    /// Leaves a program out that is ended on purpose.
    pub(crate) fn leave_out(&mut self, unit: &str) {
        self.status.units.retain(|other| other.unit != unit);
    }

    /// Waits until somebody else has the role of `pid` and knows all programs, and counts.
    pub(crate) async fn account(mut self, pid: u32) -> Result<Cost, CliError> {
        let after = self.successor_of(pid).await?;
        let took = clock::monotonic().saturating_sub(self.began);
        self.read_on().await?;
        Ok(self.compare(&after, took))
    }

    /// Counts, when keeper and agent are the same as before.
    pub(crate) async fn account_since(
        mut self,
        after: &Status,
        took: Duration,
    ) -> Result<Cost, CliError> {
        self.read_on().await?;
        Ok(self.compare(after, took))
    }

    fn compare(&self, after: &Status, took: Duration) -> Cost {
        let change =
            |before: &Role, after: &Role| Change { before: before.clone(), after: after.clone() };
        Cost {
            keeper: change(&self.status.keeper, &after.keeper),
            agent: change(&self.status.agent, &after.agent),
            programs: Programs::compare(&self.status, after),
            lines: self.ledger.tally(),
            took_ms: milliseconds(took),
        }
    }

    async fn successor_of(&self, pid: u32) -> Result<Status, CliError> {
        let until = clock::monotonic() + RECOVER_WITHIN;
        let is_late = || clock::monotonic() > until.saturating_sub(RECOVER_WITHIN / 2);
        loop {
            if let Some(status) = self.ask().await {
                let is_new = ![status.keeper.pid, status.agent.pid].contains(&pid);
                let is_complete = Programs::compare(&self.status, &status).lost.is_empty();
                if is_new && (is_complete || is_late()) {
                    return Ok(status);
                }
            }
            if clock::monotonic() > until {
                let hint =
                    format!("`{}` may say why", self.located.instance.keeper_log().display());
                return Err(CliError::refused("nobody took over in time", hint));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(&self) -> Option<Status> {
        let mut client = Client::connect(&self.located).await.ok()?;
        let answer = client.get::<Status>("/v1/status");
        tokio::time::timeout(RECOVER_WITHIN, answer).await.ok()?.ok()
    }

    /// Reads the logs until every program that numbers its lines has written one more.
    async fn read_on(&mut self) -> Result<(), CliError> {
        let until = clock::monotonic() + READ_ON_WITHIN;
        while !self.ledger.read().map_err(|error| unreadable(&error))? && clock::monotonic() < until
        {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

impl Programs {
    fn compare(before: &Status, after: &Status) -> Self {
        let mut programs = Self { running: 0, kept: 0, ended: Vec::new(), lost: Vec::new() };
        for unit in before.units.iter().filter(|unit| unit.pid.is_some()) {
            programs.running += 1;
            match after.units.iter().find(|other| other.unit == unit.unit) {
                Some(now) if now.pid == unit.pid && now.run == unit.run => programs.kept += 1,
                Some(now) if has_ended(unit, now) => programs.ended.push(unit.unit.clone()),
                Some(_) | None => programs.lost.push(unit.unit.clone()),
            }
        }
        programs
    }
}

/// Returns whether a run ended with a code: nobody killed it, and nobody lost sight of it.
fn has_ended(before: &Unit, now: &Unit) -> bool {
    let last = now.last_exit.as_ref();
    last.is_some_and(|last| last.run >= before.run && last.code.is_some())
}

impl Cost {
    /// Returns whether nothing was lost.
    pub(crate) fn is_nothing(&self) -> bool {
        self.programs.lost.is_empty() && self.lines.missing == 0 && self.lines.doubled == 0
    }
}

impl Cost {
    /// Returns it for people, in their language.
    pub(crate) fn told(&self) -> String {
        let facts = [
            (words::label("keeper"), self.keeper.to_string()),
            (words::label("agent"), self.agent.to_string()),
            (words::label("programs"), self.programs.to_string()),
            (words::label("lines"), self.lines.to_string()),
            (words::label("time"), format!("{:.1} ms", self.took_ms)),
        ];
        let each = facts.iter().map(|(name, value)| print::fact(name, &words::told(value)));
        each.collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after } = self;
        write!(f, "{} ({}) -> {} ({})", before.pid, before.version, after.pid, after.version)
    }
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} run on with the same pid", self.kept, self.running)?;
        if !self.ended.is_empty() {
            write!(f, "; ended by themselves: {}", self.ended.join(", "))?;
        }
        if !self.lost.is_empty() {
            write!(f, "; LOST: {}", self.lost.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, numbered, missing, doubled, deleted, deleted_segments } = *self;
        write!(
            f,
            "{lines} written meanwhile, {numbered} of them numbered: {missing} missing, {doubled} doubled"
        )?;
        if deleted_segments == 0 {
            return Ok(());
        }
        let segments =
            print::count(usize::try_from(deleted_segments).unwrap_or(usize::MAX), "segment");
        write!(f, "; {segments} with {deleted} numbered lines deleted by retention")
    }
}

/// Returns a span in milliseconds, to the tenth.
pub(crate) fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

fn unreadable(error: &std::io::Error) -> CliError {
    CliError::refused(format!("cannot read the logs: {error}"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_by_itself_is_not_lost() {
        let before = status(&[r#""pid":5,"run":2"#]);
        let check = |now: &str, kept: usize, ended: usize, lost: usize| {
            let found = Programs::compare(&before, &status(&[now]));
            assert_eq!((found.kept, found.ended.len(), found.lost.len()), (kept, ended, lost));
        };
        let exit = |how: &str| {
            format!(r#""run":2,"last-exit":{{"run":2,"how":"","at":"","lived-ms":1{how}}}"#)
        };
        check(r#""pid":5,"run":2"#, 1, 0, 0);
        check(&exit(r#","code":3"#), 0, 1, 0);
        check(&exit(r#","signal":9"#), 0, 0, 1);
        check(&exit(""), 0, 0, 1);
        check(r#""pid":6,"run":3"#, 0, 0, 1);
        assert_eq!(Programs::compare(&before, &status(&[])).lost, ["web"]);
    }

    fn status(units: &[&str]) -> Status {
        let unit = |fields: &&str| {
            format!(
                r#"{{"unit":"web","service":"web","state":"","since":"","since-seconds":0,"why":"","restarts":0,"degraded":false,"orphaned":false,{fields}}}"#
            )
        };
        let units: Vec<String> = units.iter().map(unit).collect();
        let role = r#"{"pid":1,"version":""}"#;
        let text = format!(
            r#"{{"instance":"","keeper":{role},"agent":{role},"units":[{}]}}"#,
            units.join(",")
        );
        serde_json::from_str(&text).unwrap()
    }
}
