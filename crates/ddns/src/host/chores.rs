//! Does what the engine asks for, each in a task of its own: what hangs or panics costs itself.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use mainstay_platform::{clock, fail};
use tokio::{sync::mpsc::UnboundedSender, time::timeout};

use super::Shelf;
use crate::{
    engine::{
        input::{Effect, Input},
        plan::Plan,
    },
    failure::{Class, Failure},
    network::Network,
    provider::{Attempt, Provider},
    record::{Change, Record},
    source::{Source, Vote},
    verify::Verifier,
    wire::Wire,
};

/// Whatever takes longer is given up; the engine has stopped waiting for it a moment later.
const WITHIN: Duration = Duration::from_secs(110);

/// All that the loop works with.
pub struct Parts {
    /// What is kept.
    pub plan: Plan,
    /// The accounts, in the plan's order.
    pub lines: Vec<Line>,
    /// The sources of each sight, in the plan's order.
    pub springs: Vec<Vec<Spring>>,
    /// Who asks the authoritative servers.
    pub verifier: Box<dyn Verify>,
    /// Ways into the network whose connections are of no use after a change of addresses.
    pub networks: Vec<Network>,
    /// Where the state is kept; nothing is kept by whoever has no state directory.
    pub shelf: Option<Shelf>,
}

/// Who asks the authoritative servers.
pub trait Verify: Send + Sync {
    /// Returns what they have of a record, when they agree.
    fn ask<'a>(&'a self, record: &'a Record) -> Attempt<'a, Vec<IpAddr>>;
}

impl Verify for Verifier {
    fn ask<'a>(&'a self, record: &'a Record) -> Attempt<'a, Vec<IpAddr>> {
        Box::pin(Self::ask(self, record))
    }
}

/// A source and what it is called.
#[derive(Debug)]
pub struct Spring {
    /// Its kind, as the configuration calls it.
    pub word: &'static str,
    /// The source.
    pub source: Box<dyn Source>,
}

/// An account and the way to it.
pub struct Line {
    /// Its provider's name in the configuration.
    pub word: &'static str,
    /// The account.
    pub provider: Box<dyn Provider>,
    /// The way.
    pub wire: Arc<dyn Wire>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(formatter)
    }
}

/// Begins what an effect asks for; its answer comes by the channel. What is told is not done here.
pub(super) fn begin(parts: &Arc<Parts>, effect: Effect, answers: &UnboundedSender<Input>) {
    let (parts, answers) = (Arc::clone(parts), answers.clone());
    tokio::spawn(async move {
        let answer = match effect {
            Effect::Look { sight, source } => Some(look(&parts, sight, source).await),
            Effect::Read { binding, record } => Some(read(parts, binding, record).await),
            Effect::Write { binding, change } => Some(write(parts, binding, change).await),
            Effect::Verify { binding, record } => Some(verify(parts, binding, record).await),
            Effect::Persist { .. } | Effect::Tell(_) => None,
        };
        // The loop has ended when nobody takes it.
        drop(answer.map(|answer| answers.send(answer)));
    });
}

async fn look(parts: &Arc<Parts>, sight: usize, source: usize) -> Input {
    let family = parts.plan.sights.get(sight).map(|plan| plan.family);
    let found = parts.clone();
    let votes = guarded(async move {
        let spring = found.springs.get(sight).and_then(|springs| springs.get(source));
        match (spring, family) {
            (Some(spring), Some(family)) => Ok(spring.source.look(family).await),
            _ => Ok(Vec::new()),
        }
    });
    let votes = votes.await.unwrap_or_else(|failure: Failure| {
        vec![Vote { voter: "the source".to_owned(), answer: Err(failure.words) }]
    });
    let votes = votes.into_iter().map(Vote::harmless).collect();
    Input::Looked { sight, source, votes }
}

async fn read(parts: Arc<Parts>, binding: usize, record: Record) -> Input {
    let result = guarded(async move {
        let line = line_of(&parts, binding)?;
        line.provider.read(&*line.wire, &record).await
    });
    Input::Read { binding, result: result.await }
}

async fn write(parts: Arc<Parts>, binding: usize, change: Change) -> Input {
    let result = guarded(async move {
        let line = line_of(&parts, binding)?;
        fail::point("ddns.write.before");
        let written = line.provider.write(&*line.wire, &change).await;
        fail::point("ddns.write.after");
        written
    });
    Input::Wrote { binding, result: result.await }
}

async fn verify(parts: Arc<Parts>, binding: usize, record: Record) -> Input {
    let result = guarded(async move { parts.verifier.ask(&record).await });
    Input::Verified { binding, result: result.await }
}

fn line_of(parts: &Parts, binding: usize) -> Result<&Line, Failure> {
    let account = parts.plan.bindings.get(binding).map(|plan| plan.account);
    let line = account.and_then(|account| parts.lines.get(account));
    line.ok_or_else(|| Failure::new(Class::Parked, "no-account", "there is no such account"))
}

/// Waits for an attempt, for so long; what panics has failed.
async fn guarded<T: Send + 'static>(
    attempt: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let task = tokio::spawn(attempt);
    let abort = task.abort_handle();
    match timeout(WITHIN, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            let words = "our own code broke over this attempt; please report that";
            Err(Failure::new(Class::Transient, "panic", words))
        }
        Err(_) => {
            abort.abort();
            let words = format!("it took longer than {} s", WITHIN.as_secs());
            Err(Failure::new(Class::Transient, "timeout", words))
        }
    }
}

/// Returns the wall clock as seconds since 1970.
pub(super) fn wall() -> i64 {
    i64::try_from(clock::realtime_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
}
