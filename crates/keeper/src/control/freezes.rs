//! Programs that are frozen, or go on, with everything they have started: their groups at once,
//! whoever has left those by the mark that all of a run carry.

use std::{collections::BTreeSet, io};

use mainstay_api::keeper::{Reach, RunRef, Signal, SignalName, Signalled};
use mainstay_platform::process;

use super::{Control, requests::kind_of};

/// Who is stopped may have started somebody just before: one looks again until nobody is new, but
/// no more often than this. A program that starts others all the time is in its group, as a rule.
const LOOKS_MAX: usize = 8;

impl Control {
    /// Reaches whoever belongs to a run and not to its group, where a signal is meant for all.
    pub(super) fn reach_all(&self, signals: &[Signal], results: &mut [Signalled]) {
        for name in [SignalName::Stop, SignalName::Continue] {
            let is_meant = |it: &&Signal| it.signal == name && it.reach == Reach::Group;
            let meant: Vec<&Signal> = signals.iter().filter(is_meant).collect();
            let Err(error) = self.reach(name, &meant) else { continue };
            let all = results.iter_mut().zip(signals).filter(|(_, signal)| is_meant(signal));
            for (result, _) in all {
                result.refused.get_or_insert_with(|| {
                    format!("what it has started could not be reached: {error}")
                });
            }
        }
    }

    fn reach(&self, name: SignalName, signals: &[&Signal]) -> io::Result<()> {
        let key = |signal: &&Signal| RunRef { unit: signal.unit.clone(), run: signal.run };
        let runs = signals.iter().filter_map(|signal| self.runs.get(&key(signal)));
        let ids: BTreeSet<&str> =
            runs.filter(|run| run.process().is_some()).map(|run| run.id.as_str()).collect();
        let mut reached = BTreeSet::new();
        for _ in 0..LOOKS_MAX {
            if ids.is_empty() {
                break;
            }
            let found = process::carrying_any(&ids)?;
            let fresh = found.iter().filter(|process| reached.insert(process.pid()));
            let sent = fresh.map(|process| process.signal(kind_of(name)));
            if sent.collect::<io::Result<Vec<()>>>()?.is_empty() || name == SignalName::Continue {
                break;
            }
        }
        Ok(())
    }
}
