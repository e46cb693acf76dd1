//! How a program reads its configuration anew without ending.
//!
//! ```text
//!   Idle ─► Before (before-reload) ─► signal ─► (Idle)   or ─► Awaited ─READY─► Idle
//!             │ failed: refused        command ─► Command ─ended─► Idle
//! ```

use super::{Unit, beside::Began, care::Given};
use crate::{
    effect::{Action, Health},
    hook::Hook,
    input::Memo,
    service::ReloadBy,
    time::Moment,
};

/// How far a reload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reload {
    /// There is none.
    Idle,
    /// Its hook of this number decides whether it may be.
    Before {
        /// The number.
        number: u64,
    },
    /// Its command of this number runs.
    Command {
        /// The number.
        number: u64,
    },
    /// It was told, and is to say when it is done.
    Awaited {
        /// Until when.
        until: Moment,
    },
}

impl Reload {
    pub(crate) const fn deadline(self) -> Option<Moment> {
        match self {
            Self::Awaited { until } => Some(until),
            Self::Idle | Self::Before { .. } | Self::Command { .. } => None,
        }
    }

    pub(crate) fn is_idle(self) -> bool {
        self == Self::Idle
    }
}

impl Unit {
    /// Goes on with the reload of an earlier agent: what was written on the run says whether the
    /// program was told, and the hooks that are under way what came before. It has time until this
    /// moment at least.
    pub(crate) fn reload_on(&mut self, memo: Memo, least: Moment) {
        if memo.stopping || memo.blame.is_some() {
            // It was given up, and that was told.
            return;
        }
        let of_this_run = |hook| self.beside.number_about(hook, self.run);
        self.reload = if let Some(number) = of_this_run(Hook::Reload) {
            Reload::Command { number }
        } else if let Some(within) = memo.reloads_within {
            Reload::Awaited { until: least.max(self.started_at + within) }
        } else if let Some(number) = of_this_run(Hook::BeforeReload) {
            Reload::Before { number }
        } else {
            Reload::Idle
        };
    }

    /// Begins with the hook, if there is one.
    pub(super) fn begin_reload(&mut self, given: &mut Given<'_>) {
        match self.run_again(Hook::BeforeReload, given) {
            Some(number) => self.reload = Reload::Before { number },
            None => self.go_reload(given),
        }
    }

    /// Tells the program.
    pub(super) fn go_reload(&mut self, given: &mut Given<'_>) {
        let until = given.now + given.service.care.ready.timeout;
        match given.service.care.reload {
            None => self.not_reloaded("it is not configured to any more".to_owned(), given),
            Some(ReloadBy::Signal) => {
                given.around.deeds.push(Action::Reload { run: self.run });
                self.reloaded(given);
            }
            Some(ReloadBy::Notice) => {
                self.reload = Reload::Awaited { until };
                given.around.deeds.push(self.remember(given.service));
                given.around.deeds.push(Action::Reload { run: self.run });
            }
            Some(ReloadBy::Command) => {
                let number = self.run_again(Hook::Reload, given);
                self.reload = number.map_or(Reload::Idle, |number| Reload::Command { number });
            }
        }
    }

    /// The program says that it reloads, asked or not; whether it is to be asked stays open.
    pub(super) fn said_reloading(&mut self, given: &mut Given<'_>) {
        if !matches!(self.reload, Reload::Before { .. }) {
            let until = given.now + given.service.care.ready.timeout;
            self.reload = Reload::Awaited { until };
            given.around.deeds.push(self.remember(given.service));
        }
    }

    /// A command of this number has ended: goes on with the reload that waited for it, if one did.
    pub(super) fn reload_goes_on(
        &mut self,
        ended: (Hook, u64),
        failure: Option<String>,
        given: &mut Given<'_>,
    ) {
        let awaited = match self.reload {
            Reload::Before { number } => (Hook::BeforeReload, number),
            Reload::Command { number } => (Hook::Reload, number),
            Reload::Idle | Reload::Awaited { .. } => return,
        };
        match failure {
            _ if ended != awaited => {}
            Some(reason) => self.not_reloaded(reason, given),
            None if awaited.0 == Hook::BeforeReload => self.go_reload(given),
            None => self.reloaded(given),
        }
    }

    pub(super) fn reloaded(&mut self, given: &mut Given<'_>) {
        self.reload_ended(Health::Reloaded, given);
    }

    pub(super) fn not_reloaded(&mut self, reason: String, given: &mut Given<'_>) {
        self.reload_ended(Health::NotReloaded { reason }, given);
    }

    fn reload_ended(&mut self, how: Health, given: &mut Given<'_>) {
        let former = std::mem::replace(&mut self.reload, Reload::Idle);
        if matches!(former, Reload::Awaited { .. }) {
            given.around.deeds.push(self.remember(given.service));
        }
        given.around.deeds.push(Action::Health(how));
    }

    /// Its run is about to end, or has: what was run for its reload decides nothing any more.
    pub(super) fn give_reload_up(&mut self, given: &mut Given<'_>) {
        for hook in [Hook::BeforeReload, Hook::Reload] {
            self.beside.dismiss(given.now, hook, &mut given.around.deeds);
        }
        if !std::mem::replace(&mut self.reload, Reload::Idle).is_idle() {
            let reason = "its run came to its end".to_owned();
            given.around.deeds.push(Action::Health(Health::NotReloaded { reason }));
        }
    }

    /// Runs the hook of something that may happen again; returns its number, if there is one.
    pub(super) fn run_again(&mut self, hook: Hook, given: &mut Given<'_>) -> Option<u64> {
        if hook != Hook::Reload && !given.has(hook) {
            return None;
        }
        let call = self.call(hook, given);
        Some(self.beside.occur(given.now, call, &mut given.around.deeds))
    }

    /// Runs the hook of the current run; returns whether it is under way.
    pub(super) fn run_once(&mut self, hook: Hook, given: &mut Given<'_>) -> bool {
        if !given.has(hook) {
            return false;
        }
        let call = self.call(hook, given);
        self.beside.begin(given.now, call, &mut given.around.deeds) == Began::Now
    }
}
