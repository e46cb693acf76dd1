//! Mistakes that are made on purpose: a simulation that does not find them proves nothing.

/// A mistake of whoever stands around the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// What was going to be written is not on the disk.
    IntentForgotten,
    /// Holds are not on the disk.
    HoldsForgotten,
    /// A new engine is given nothing of what was kept.
    StateForgotten,
    /// The host says that a state is on the disk before it is.
    PersistedEarly,
    /// The configuration believes one voter.
    OneVoteEnough,
    /// The configuration publishes what reaches nobody.
    UnfitAllowed,
    /// The configuration knows no time between two writes.
    FloorsIgnored,
    /// The configuration bears more requests at once than the provider does.
    AtOnceIgnored,
    /// A provider's word for abuse is taken for one that is over the next day.
    AbuseAsParked,
    /// A provider that asks for patience is taken for one in trouble.
    PatienceAsTrouble,
    /// What is parked is taken for what may be over soon.
    ParkedAsTransient,
    /// Deadlines are forgotten now and then.
    TicksDropped,
    /// Requests are sent one after the other, whoever hangs.
    OneAtATime,
    /// The host wants everything written now and then, though nobody does.
    OperatorInvented,
    /// Each engine has another hash of the same configuration.
    DigestInvented,
    /// A binding is given the addresses of another one's read.
    ReadOfAnother,
    /// The answer of a write that failed is taken for a success.
    FailureAsSuccess,
    /// Answers are told after the engine has given them up.
    LateAnswers,
    /// Sources are told to be quiet when the network changes, and never asked again.
    SourcesDeaf,
    /// The host wants everything written while nothing changes.
    Restless,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::IntentForgotten,
        Self::HoldsForgotten,
        Self::StateForgotten,
        Self::PersistedEarly,
        Self::OneVoteEnough,
        Self::UnfitAllowed,
        Self::FloorsIgnored,
        Self::AtOnceIgnored,
        Self::AbuseAsParked,
        Self::PatienceAsTrouble,
        Self::ParkedAsTransient,
        Self::TicksDropped,
        Self::OneAtATime,
        Self::OperatorInvented,
        Self::DigestInvented,
        Self::ReadOfAnother,
        Self::FailureAsSuccess,
        Self::LateAnswers,
        Self::SourcesDeaf,
        Self::Restless,
    ];

    /// Returns its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntentForgotten => "intent-forgotten",
            Self::HoldsForgotten => "holds-forgotten",
            Self::StateForgotten => "state-forgotten",
            Self::PersistedEarly => "persisted-early",
            Self::OneVoteEnough => "one-vote-enough",
            Self::UnfitAllowed => "unfit-allowed",
            Self::FloorsIgnored => "floors-ignored",
            Self::AtOnceIgnored => "at-once-ignored",
            Self::AbuseAsParked => "abuse-as-parked",
            Self::PatienceAsTrouble => "patience-as-trouble",
            Self::ParkedAsTransient => "parked-as-transient",
            Self::TicksDropped => "ticks-dropped",
            Self::OneAtATime => "one-at-a-time",
            Self::OperatorInvented => "operator-invented",
            Self::DigestInvented => "digest-invented",
            Self::ReadOfAnother => "read-of-another",
            Self::FailureAsSuccess => "failure-as-success",
            Self::LateAnswers => "late-answers",
            Self::SourcesDeaf => "sources-deaf",
            Self::Restless => "restless",
        }
    }
}
