//! Decisions: everything that the core can ask of its host.

use std::fmt;

use crate::{
    exit::Exit,
    input::{Memo, Wish},
    name::UnitName,
};

/// Names one chain of causes: the input that began it and every effect that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TraceId(pub u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What the host must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The chain it belongs to.
    pub trace: TraceId,
    /// The unit it is about; nothing when it is about the whole.
    pub unit: Option<UnitName>,
    /// What to do.
    pub action: Action,
}

/// What the host must do, without whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start this run.
    Spawn {
        /// The run.
        run: u64,
        /// To be stored with the run.
        memo: Memo,
    },
    /// Ask the run to leave, in the way its configuration says.
    Ask {
        /// The run.
        run: u64,
    },
    /// Take the run down, tree and all.
    Kill {
        /// The run.
        run: u64,
    },
    /// Replace the memo of a run.
    Remember {
        /// The run.
        run: u64,
        /// The new memo.
        memo: Memo,
    },
    /// The exit is dealt with: persist it, then acknowledge it to the keeper.
    Settle {
        /// The run.
        run: u64,
        /// How it ended.
        exit: Exit,
    },
    /// Persist a wish before the command is answered.
    Keep(Wish),
    /// A command is accepted or refused, in the order of its units.
    Answer(Result<(), Refusal>),
    /// The unit moved to another state; goes into the events.
    Changed,
    /// It became known how a run ended of which nobody knew; goes into the events.
    ExitAmended {
        /// The run.
        run: u64,
        /// How it had ended.
        exit: Exit,
    },
    /// The unit is no longer configured and at rest: forget it.
    Forget,
    /// Everything stops because this is how a run ended: the instance is to end in the same way.
    /// [`AllAtRest`](Self::AllAtRest) follows.
    Exit(Exit),
    /// After `ShutDown` or `Exit`: everything is at rest.
    AllAtRest,
}

/// Why a command does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Names state and remedy.
    pub reason: String,
}
