//! Mistakes that are made on purpose: a simulation that does not find them proves nothing.

use mainstay_core::Hook;

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
    /// The agent takes what a program says before what follows from it is sent.
    TakenEarly,
    /// The agent takes what a look has shown of an older run for one of the current one.
    SeenOfAnother,
    /// The agent writes nothing on runs that it did not write when it ordered them.
    NothingWritten,
    /// A new agent does not know which hooks were run.
    HooksForgotten,
    /// Each agent numbers hooks in its own way.
    OwnNumbers,
    /// The agent forgets now and then to run the hook after an end.
    AfterExitDropped,
    /// It forgets the hook `after-start`.
    AfterStartDropped,
    /// It forgets the hook `before-stop`.
    BeforeStopDropped,
    /// It forgets the hook `after-stop`.
    AfterStopDropped,
    /// It forgets the hook `on-failure`.
    OnFailureDropped,
    /// It forgets the hook `on-unhealthy`.
    OnUnhealthyDropped,
    /// The agent acknowledges a hook's end before the event of it is on the disk.
    HookAckEarly,
    /// The agent takes whatever a look has shown for good.
    AlwaysPassed,
    /// The agent does nothing about a hook that is late.
    LateHooksIgnored,
    /// The agent takes each run for ready that was started.
    ReadyAtStart,
    /// A new agent does not know which hooks were told of.
    ToldHooksForgotten,
    /// The agent writes that a run was asked to end when its unit was reset after its end.
    PardonAsStop,
    /// The agent does not hear that a program leaves by itself.
    LeavingIgnored,
    /// A new agent takes what was thought of a run by other checks for what its own think.
    MarksOfAnother,
    /// It forgets the hook `after-rotate`.
    AfterRotateDropped,
    /// It forgets the hook `on-power-resume`.
    OnPowerResumeDropped,
    /// It forgets the hook `on-memory`.
    OnMemoryDropped,
    /// It forgets what checks have for themselves.
    ActionDropped,
    /// The agent does not hear that a program is alive.
    AliveIgnored,
    /// The agent forgets watchdogs as the configuration changes.
    WatchdogDropped,
    /// The agent ends who is only to be marked.
    MarkAsRestart,
    /// The agent takes whatever came of `before-reload` for a yes.
    BeforeReloadIgnored,
    /// The agent takes a reload that has begun for one that is done.
    ReloadBelieved,
    /// A new agent does not know which runs are to say that they have reloaded.
    ReloadForgotten,
    /// A new agent does not know which runs are paused.
    PauseForgotten,
    /// The agent lets any number of units start at the same time.
    GateIgnored,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 45] = [
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
        Self::TakenEarly,
        Self::SeenOfAnother,
        Self::NothingWritten,
        Self::HooksForgotten,
        Self::OwnNumbers,
        Self::AfterExitDropped,
        Self::AfterStartDropped,
        Self::BeforeStopDropped,
        Self::AfterStopDropped,
        Self::OnFailureDropped,
        Self::OnUnhealthyDropped,
        Self::HookAckEarly,
        Self::AlwaysPassed,
        Self::LateHooksIgnored,
        Self::ReadyAtStart,
        Self::ToldHooksForgotten,
        Self::PardonAsStop,
        Self::LeavingIgnored,
        Self::MarksOfAnother,
        Self::AfterRotateDropped,
        Self::OnPowerResumeDropped,
        Self::OnMemoryDropped,
        Self::ActionDropped,
        Self::AliveIgnored,
        Self::WatchdogDropped,
        Self::MarkAsRestart,
        Self::BeforeReloadIgnored,
        Self::ReloadBelieved,
        Self::ReloadForgotten,
        Self::PauseForgotten,
        Self::GateIgnored,
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
            Self::TakenEarly => "taken-early",
            Self::SeenOfAnother => "seen-of-another",
            Self::NothingWritten => "nothing-written",
            Self::HooksForgotten => "hooks-forgotten",
            Self::OwnNumbers => "own-numbers",
            Self::AfterExitDropped => "after-exit-dropped",
            Self::AfterStartDropped => "after-start-dropped",
            Self::BeforeStopDropped => "before-stop-dropped",
            Self::AfterStopDropped => "after-stop-dropped",
            Self::OnFailureDropped => "on-failure-dropped",
            Self::OnUnhealthyDropped => "on-unhealthy-dropped",
            Self::HookAckEarly => "hook-ack-early",
            Self::AlwaysPassed => "always-passed",
            Self::LateHooksIgnored => "late-hooks-ignored",
            Self::ReadyAtStart => "ready-at-start",
            Self::ToldHooksForgotten => "told-hooks-forgotten",
            Self::PardonAsStop => "pardon-as-stop",
            Self::LeavingIgnored => "leaving-ignored",
            Self::MarksOfAnother => "marks-of-another",
            Self::AfterRotateDropped => "after-rotate-dropped",
            Self::OnPowerResumeDropped => "on-power-resume-dropped",
            Self::OnMemoryDropped => "on-memory-dropped",
            Self::ActionDropped => "action-dropped",
            Self::AliveIgnored => "alive-ignored",
            Self::WatchdogDropped => "watchdog-dropped",
            Self::MarkAsRestart => "mark-as-restart",
            Self::BeforeReloadIgnored => "before-reload-ignored",
            Self::ReloadBelieved => "reload-believed",
            Self::ReloadForgotten => "reload-forgotten",
            Self::PauseForgotten => "pause-forgotten",
            Self::GateIgnored => "gate-ignored",
        }
    }

    /// Returns whether it is to forget this hook.
    pub(crate) fn drops(self, hook: Hook) -> bool {
        let is_action = matches!(hook, Hook::OfCheck(_));
        self.dropped() == Some(hook) || (self == Self::ActionDropped && is_action)
    }

    fn dropped(self) -> Option<Hook> {
        let dropped = [
            (Self::AfterExitDropped, Hook::AfterExit),
            (Self::AfterStartDropped, Hook::AfterStart),
            (Self::BeforeStopDropped, Hook::BeforeStop),
            (Self::AfterStopDropped, Hook::AfterStop),
            (Self::OnFailureDropped, Hook::OnFailure),
            (Self::OnUnhealthyDropped, Hook::OnUnhealthy),
            (Self::AfterRotateDropped, Hook::AfterRotate),
            (Self::OnPowerResumeDropped, Hook::OnPowerResume),
            (Self::OnMemoryDropped, Hook::OnMemory),
        ];
        dropped.into_iter().find(|(plant, _)| *plant == self).map(|(_, hook)| hook)
    }
}
