//! Programs of which the journal does not tell, because it or a slot of it was damaged or deleted.
//!
//! Nobody can take them over: their pipes, their scope and what their service was like are lost
//! with their slots. They are ended before anything is started, so that no unit runs twice. A
//! program that has overwritten its environment is not found.

use std::{io, path::Path, time::Duration};

use mainstay_platform::{
    clock,
    port::{Port, Token, Watched},
    process::{self, Carrier, Process, SignalKind},
};

use mainstay_storage::slots::Damage;

use crate::{note::complain, runs::Runs};

/// How long they may take to leave by themselves; shorter than anybody waits for an agent.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long those that are killed may take to be gone.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// So many of them are named in one event.
const NAMED_MAX: usize = 5;
/// All of them report under the same token: whoever wakes us, all are looked at.
const ANY: Token = Token(1);

/// A program that nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("process {pid} is run {run} of `{unit}`, of which the journal does not tell")]
pub(crate) struct LostError {
    pid: u32,
    unit: String,
    run: u64,
}

/// Ends every program of this instance that is none of the known runs, and waits for their end;
/// returns who they were.
///
/// What older runs left behind on purpose is younger than nothing that is known, and stays.
pub(crate) fn end_unknown(runtime: &Path, runs: &Runs) -> io::Result<Vec<LostError>> {
    let mut port = Port::new()?;
    let (mut lost, mut named) = (Vec::new(), Vec::new());
    for carrier in process::started_with("MAINSTAY_INSTANCE", &runtime.display().to_string())? {
        if let Some(error) = judge(&carrier, runs) {
            complain("a lost program is ended", &error);
            named.push(error);
            lost.push(port.watch(carrier.process, ANY)?);
        }
    }
    end(&mut port, &mut lost, SignalKind::Term, PATIENCE)?;
    end(&mut port, &mut lost, SignalKind::Kill, LAST_WAIT)?;
    Ok(named)
}

/// What a keeper says that found its journal damaged, or programs of which it does not tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct DamageError(String);

/// Says what of the journal made no sense, and who was ended for it; nothing when all is well.
pub(crate) fn describe(damage: Damage, lost: &[LostError]) -> Option<String> {
    let mut words = Vec::new();
    if damage.is_foreign {
        words.push("the keeper's journal made no sense".to_owned());
    }
    if damage.slots > 0 {
        words.push(format!("slots of the keeper's journal that made no sense: {}", damage.slots));
    }
    words.extend(lost.iter().take(NAMED_MAX).map(|lost| format!("{lost}, and was ended")));
    if lost.len() > NAMED_MAX {
        words.push(format!("lost programs in all: {}", lost.len()));
    }
    let said = Some(words.join("; ")).filter(|said| !said.is_empty())?;
    complain("the journal is damaged", &DamageError(said.clone()));
    Some(said)
}

fn judge(carrier: &Carrier, runs: &Runs) -> Option<LostError> {
    // What runs beside a unit may carry the unit's own name and number.
    if carrier.variable("MAINSTAY_ID").is_some_and(|id| runs.iter().any(|run| run.id == id)) {
        return None;
    }
    let unit = carrier.variable("MAINSTAY_UNIT")?;
    let run: u64 = carrier.variable("MAINSTAY_RUN")?.parse().ok()?;
    let is_known = runs.remembered(unit).is_some_and(|remembered| remembered.highest >= run);
    let pid = carrier.process.pid();
    (!is_known).then(|| LostError { pid, unit: unit.to_owned(), run })
}

/// Signals them all and waits until they are gone, but no longer than `patience`.
fn end(
    port: &mut Port,
    lost: &mut Vec<Watched<Process>>,
    signal: SignalKind,
    patience: Duration,
) -> io::Result<()> {
    for process in lost.iter() {
        if let Err(error) = process.signal(signal) {
            complain("cannot signal a lost program", &error);
        }
    }
    let until = clock::monotonic() + patience;
    lost.retain(|process| !process.has_ended());
    while !lost.is_empty() {
        let left = until.saturating_sub(clock::monotonic());
        if left.is_zero() {
            break;
        }
        port.wait(Some(left))?;
        lost.retain(|process| !process.has_ended());
    }
    Ok(())
}
