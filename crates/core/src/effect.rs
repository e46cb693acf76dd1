//! Decisions: everything that the core can ask of its host.

use std::{fmt, time::Duration};

use crate::{
    exit::Exit,
    hook::Hook,
    input::{HookEnd, Memo, Probe, Wish},
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
    /// Make the run end with a core dump, because it hangs.
    Abort {
        /// The run.
        run: u64,
    },
    /// Have the run read its configuration anew, by its signal.
    Reload {
        /// The run.
        run: u64,
    },
    /// Freeze every process of the run, be it so already; `NotPaused` follows when that cannot be.
    Freeze {
        /// The run.
        run: u64,
    },
    /// Let every process of the run go on. It comes before what is written on the run, so that who
    /// finds that written need not doubt it.
    Thaw {
        /// The run.
        run: u64,
    },
    /// Look at a run; `Probed` follows.
    Probe {
        /// The run.
        run: u64,
        /// The look.
        probe: Probe,
    },
    /// Nobody waits for this look any more.
    Abandon {
        /// The run.
        run: u64,
        /// The look.
        probe: Probe,
    },
    /// Start a command beside the program; `HookEnded` follows.
    Hook {
        /// The run it is about; the last one when there is none at the moment.
        run: u64,
        /// Which.
        hook: Hook,
        /// Its number.
        number: u64,
        /// What the unit had come to: to be stored with it.
        memo: Memo,
        /// What it is told of the unit, which may have moved on by the time it begins.
        situation: Situation,
    },
    /// End such a command, tree and all.
    EndHook {
        /// Which.
        hook: Hook,
        /// Its number.
        number: u64,
        /// How firmly.
        rung: Rung,
    },
    /// The end of such a command is dealt with: tell it, persist it, acknowledge it to the keeper.
    SettleHook {
        /// Which.
        hook: Hook,
        /// Its number.
        number: u64,
        /// How it ended.
        end: HookEnd,
        /// True when it took too long and was ended for that.
        late: bool,
    },
    /// Something about a unit's health is otherwise than before; goes into the events.
    Health(Health),
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

/// How firmly a command beside a program is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// It is asked to leave.
    Ask,
    /// It is killed.
    Kill,
}

/// How a unit stood when a command beside it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situation {
    /// Its state, in one word.
    pub state: &'static str,
    /// How the run had ended, if it had.
    pub exit: Option<Exit>,
    /// Why it was in that state.
    pub why: String,
}

/// What is otherwise about a unit's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// A check turned bad.
    Bad {
        /// Its name.
        check: String,
        /// What was seen last.
        reason: String,
        /// How often in a row.
        failures: u32,
    },
    /// A check turned good again.
    Good {
        /// Its name.
        check: String,
    },
    /// A check could not be made, for this reason; told once until it can.
    Unknown {
        /// Its name.
        check: String,
        /// Why not.
        reason: String,
    },
    /// The watchdog struck: the run has said nothing for so long.
    Hangs {
        /// How long.
        silent: Duration,
    },
    /// A time-out was not held against it, because programs have to wait for a processor.
    Patient {
        /// Whose time-out.
        what: String,
        /// For what part of the time, in thousandths.
        permille: u16,
    },
    /// It has reloaded.
    Reloaded,
    /// It was told to reload and did not.
    NotReloaded {
        /// Why not.
        reason: String,
    },
}

/// Why a command does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Names state and remedy.
    pub reason: String,
}
