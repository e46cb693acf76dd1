//! What a core is told, as it stands in the story of a life.

use mainstay_core::{AdoptedHook, Input};

/// Writes an input as people read it.
pub(crate) struct Told<'a>(pub(crate) &'a Input);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Input::Configure { services, prune } => {
                let all = services.iter().map(|one| format!("{} {}", one.name, one.spec_hash));
                write!(f, "Configure {:?} {prune:?}", all.collect::<Vec<_>>())
            }
            Input::Adopt { runs, hooks, .. } | Input::Reconcile { runs, hooks } => {
                let all =
                    runs.iter().map(|one| format!("{} {} {:?}", one.unit, one.run, one.phase));
                let beside = hooks.iter().map(|one| {
                    let AdoptedHook { unit, hook, number, phase, .. } = one;
                    format!("{unit}.{hook} {number} {phase:?}")
                });
                let all = all.chain(beside);
                write!(f, "runs {:?}", all.collect::<Vec<_>>())
            }
            Input::Command { units, command } => {
                let all: Vec<String> = units.iter().map(ToString::to_string).collect();
                write!(f, "{command:?} {}", all.join(" "))
            }
            Input::Started { unit, run, pid } => write!(f, "{unit} {run} started as {pid}"),
            Input::NotStarted { unit, run, .. } => write!(f, "{unit} {run} not started"),
            Input::Exited { unit, run, exit, strays } => {
                write!(f, "{unit} {run} {exit}, strays: {strays}")
            }
            Input::Cleared { unit, run } => write!(f, "{unit} {run} cleared"),
            Input::ExitAmended { unit, run, exit } => write!(f, "{unit} {run} amended: {exit}"),
            Input::Passed { .. }
            | Input::NotPaused { .. }
            | Input::Gate { .. }
            | Input::Noticed { .. }
            | Input::Probed { .. }
            | Input::HookEnded { .. }
            | Input::Rotated { .. }
            | Input::Woke
            | Input::Network { .. }
            | Input::Crowded { .. }
            | Input::Open
            | Input::Deadline
            | Input::ShutDown => write!(f, "{:?}", self.0),
        }
    }
}
