//! Mistakes that are made on purpose: a simulation that does not find them proves nothing.

/// A mistake of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The agent acknowledges an exit before the event of it is on the disk.
    AckBeforeEvent,
    /// The agent acknowledges an exit before there is a successor.
    AckBeforeSuccessor,
    /// The keeper starts a program before it notes the intent.
    NoIntent,
    /// A new keeper takes nothing over.
    NothingSettled,
    /// A keeper forgets an exit that happened while there was no agent.
    ExitLost,
    /// The agent answers before the wish is on the disk.
    WishAfterAnswer,
    /// The keeper does not end what a run leaves behind.
    StraysIgnored,
    /// A new agent does not read what the former one wrote on the runs.
    MemoIgnored,
    /// The agent never looks at its deadlines while something is being stopped.
    KillOnce,
    /// The agent does not know which exits were told.
    ToldAgain,
    /// The keeper takes a process for the one it knew because it has the same number.
    PidAlone,
    /// The keeper believes a journal of another boot.
    OldBoot,
    /// The agent does not compare what it knows with what another keeper knows.
    NotReconciled,
    /// A new agent takes what was asked of an older run for asked of the current one.
    MemoOfAnother,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::AckBeforeEvent,
        Self::AckBeforeSuccessor,
        Self::NoIntent,
        Self::NothingSettled,
        Self::ExitLost,
        Self::WishAfterAnswer,
        Self::StraysIgnored,
        Self::MemoIgnored,
        Self::KillOnce,
        Self::ToldAgain,
        Self::PidAlone,
        Self::OldBoot,
        Self::NotReconciled,
        Self::MemoOfAnother,
    ];

    /// Returns its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AckBeforeEvent => "ack-before-event",
            Self::AckBeforeSuccessor => "ack-before-successor",
            Self::NoIntent => "no-intent",
            Self::NothingSettled => "nothing-settled",
            Self::ExitLost => "exit-lost",
            Self::WishAfterAnswer => "wish-after-answer",
            Self::StraysIgnored => "strays-ignored",
            Self::MemoIgnored => "memo-ignored",
            Self::KillOnce => "kill-once",
            Self::ToldAgain => "told-again",
            Self::PidAlone => "pid-alone",
            Self::OldBoot => "old-boot",
            Self::NotReconciled => "not-reconciled",
            Self::MemoOfAnother => "memo-of-another",
        }
    }

    /// Returns the mistake of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| plant.name() == name)
    }
}
