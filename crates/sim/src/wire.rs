//! What agent and keeper say to each other, as far as it matters here.

use mainstay_core::{Adopted, Exit, Memo, Moment, UnitName};

/// Why a start is refused whose number is taken.
pub(crate) const USED: &str = "the number was used by another program";

/// Names a run.
pub(crate) type Key = (UnitName, u64);

/// What an agent says.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Hello,
    Spawn {
        key: Key,
        hash: u64,
        memo: Memo,
        decided_at: Moment,
    },
    Memo {
        key: Key,
        memo: Memo,
    },
    Signal {
        key: Key,
        signal: Signal,
    },
    /// Has a program read its configuration anew.
    Reload(Key),
    /// Freezes a program.
    Freeze(Key),
    /// Lets it go on.
    Thaw(Key),
    Ack(Key),
    Forget(UnitName),
}

/// What a keeper says.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    /// The answer to a hello, with everything that is known.
    Welcome(Vec<Adopted>),
    Started {
        key: Key,
        pid: u32,
    },
    NotStarted {
        key: Key,
        why: &'static str,
    },
    Exited {
        key: Key,
        exit: Exit,
        strays: bool,
    },
    Amended {
        key: Key,
        exit: Exit,
    },
    Cleared(Key),
    /// A segment of a unit's log was closed.
    Rotated(UnitName),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Ask,
    /// Ends it with a core dump.
    Abort,
    Kill,
}
