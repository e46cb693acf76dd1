//! What programs say of themselves, on systems where they say it by one pipe of the instance.
//!
//! ```text
//!  calls ──► heard (5 s at most) ──► kept ──► told to the agent ──► confirmed: answered, forgotten
//!                                     ▲                │ another agent has come
//!                                     └────────────────┘
//! ```
//!
//! Whoever calls is held as a process from the beginning, so that nobody else can be taken for it.
//! Nothing here waits: who is silent is shown out, and who comes when there is no room waits before
//! the pipe.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    time::Duration,
};

use mainstay_api::keeper::{NOTIFIED_SINCE, Notified, Report, RunRef};
use mainstay_platform::{
    clock,
    descriptor::Descriptor,
    door::Door,
    notify_pipe::{self, Caller, Heard},
    port::{Port, Token, Watched},
};
use mainstay_storage::instance::Instance;

use crate::{
    control::{Control, token},
    entrance::Entrance,
    note::complain,
    runs::Runs,
};

/// So many callers are heard at a time, and so many messages kept.
const CALLERS_MAX: usize = 64;
const KEPT_MAX: usize = 128;
/// So many may call while we do something else: `echo` does not try again.
const ENDS: usize = 16;
/// How long a caller may take to say what it has to say.
const HEAR_WITHIN: Duration = Duration::from_secs(5);
/// How long a start that is under way may make us wait for whose process a caller is.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);

/// All who notify.
#[derive(Debug, Default)]
pub(crate) struct Notifications {
    /// Nothing where programs have sockets for this.
    entrance: Option<Entrance>,
    callers: BTreeMap<Token, Calling>,
    let_in: u64,
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Calling {
    caller: Watched<Caller>,
    until: Duration,
}

/// A message that no agent has dealt with for sure.
#[derive(Debug)]
struct Kept {
    caller: Caller,
    text: String,
    of: Whose,
    /// The frame with which it went to the agent.
    told: Option<u64>,
}

/// Whose process somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    /// Until then it may turn out to be of a run whose start is under way.
    Open { until: Duration },
    /// A process of this run, and whether it is the main one.
    OfRun(RunRef, bool),
    /// Of none, for good: what was started later cannot have it.
    OfNone,
}

impl Whose {
    /// Decides, once for all; `starting` is the moment while a start is under way.
    fn decide(&mut self, found: Option<(RunRef, bool)>, starting: Option<Duration>) {
        let Self::Open { until } = *self else { return };
        *self = match found {
            Some((run, is_main)) => Self::OfRun(run, is_main),
            None if starting.is_some_and(|now| now < until) => return,
            None => Self::OfNone,
        };
    }

    /// Returns until when it may be open.
    const fn next_deadline(&self) -> Option<Duration> {
        match self {
            Self::Open { until } => Some(*until),
            Self::OfRun(..) | Self::OfNone => None,
        }
    }
}

impl Notifications {
    /// Listens, where programs notify by a pipe.
    pub(crate) fn open(
        instance: &Instance,
        service: Option<&str>,
        port: &Port,
    ) -> io::Result<Self> {
        if !notify_pipe::IS_THERE {
            return Ok(Self::default());
        }
        let door = Door::open(&instance.notify_pipe())?.with_ends(ENDS);
        let door = service.into_iter().fold(door, Door::of_service);
        let entrance = Entrance::open(door, token::NOTIFICATIONS, port)?;
        Ok(Self { entrance: Some(entrance), ..Self::default() })
    }

    /// Lets in whoever has come, as long as there is room; returns who they are.
    fn receive(&mut self, port: &Port, now: Duration) -> Vec<Token> {
        let mut fresh = Vec::new();
        let Some(entrance) = &mut self.entrance else { return fresh };
        loop {
            if self.callers.len() >= CALLERS_MAX || self.kept.len() >= KEPT_MAX {
                entrance.shut(now);
                return fresh;
            }
            let Some(pipe) = entrance.next_untouched(now) else { return fresh };
            let token = Token(token::NOTIFIERS + self.let_in);
            self.let_in += 1;
            // Whoever is gone again has nothing to say.
            if let Ok(caller) = call(pipe, token, port) {
                self.callers.insert(token, Calling { caller, until: now + HEAR_WITHIN });
                fresh.push(token);
            }
        }
    }

    /// Returns what a caller has said, once that is complete.
    fn hear(&mut self, token: Token) -> Option<(Caller, String)> {
        let heard = self.callers.get_mut(&token)?.caller.hear();
        if heard == Heard::Nothing {
            return None;
        }
        let Calling { caller, .. } = self.callers.remove(&token)?;
        match heard {
            Heard::Message(bytes) => {
                Some((caller.release()?, String::from_utf8_lossy(&bytes).into_owned()))
            }
            Heard::Nothing | Heard::Nonsense => None,
        }
    }

    fn keep(&mut self, caller: Caller, text: String, now: Duration) {
        let of = Whose::Open { until: now + SETTLE_WITHIN };
        self.kept.push_back(Kept { caller, text, of, told: None });
    }

    /// Returns what the agent is told with this frame, unless it was told already or is not decided.
    fn tell(&mut self, index: usize, frame: u64) -> Option<Notified> {
        let kept = self.kept.get_mut(index).filter(|kept| kept.told.is_none())?;
        let (run, main) = match &kept.of {
            Whose::Open { .. } => return None,
            Whose::OfRun(run, is_main) => (Some(run.clone()), *is_main),
            Whose::OfNone => (None, false),
        };
        kept.told = Some(frame);
        Some(Notified { run, pid: kept.caller.pid(), main, text: kept.text.clone() })
    }

    /// The agent has handled everything up to this frame.
    pub(crate) fn acknowledge(&mut self, handled: u64) {
        self.kept.retain_mut(|kept| {
            let is_done = kept.told.is_some_and(|told| told <= handled);
            if is_done {
                kept.caller.answer();
            }
            !is_done
        });
    }

    /// Another agent has come: whatever the former one has not confirmed goes to this one.
    pub(crate) fn begin_anew(&mut self) {
        self.kept.iter_mut().for_each(|kept| kept.told = None);
    }

    /// Shows out who has been silent for too long, and lets callers in again when it is time.
    pub(crate) fn look(&mut self, port: &Port, now: Duration) {
        self.callers.retain(|_, calling| now < calling.until);
        if let Some(entrance) = &mut self.entrance {
            entrance.open_if_due(port, now);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let opens_at = self.entrance.as_ref().and_then(Entrance::next_deadline);
        let silent = self.callers.values().map(|calling| calling.until);
        let open = self.kept.iter().filter_map(|kept| kept.of.next_deadline());
        silent.chain(open).chain(opens_at).min()
    }
}

fn call(pipe: Descriptor, token: Token, port: &Port) -> io::Result<Watched<Caller>> {
    port.watch(Caller::new(pipe)?, token)
}

/// Returns whose process a caller is.
fn whose(caller: &Caller, runs: &Runs) -> Option<(RunRef, bool)> {
    let found = runs.iter().find(|run| run.process().is_some() && caller.belongs_to(&run.id))?;
    let is_main = found.process().is_some_and(|process| process.pid() == caller.pid());
    Some((found.key(), is_main))
}

impl Control {
    /// Programs have called.
    pub(crate) fn receive_notifiers(&mut self) {
        let fresh = self.notifications.receive(&self.port, clock::monotonic());
        for token in fresh {
            self.hear_notifier(token);
        }
    }

    /// A program says something.
    pub(crate) fn hear_notifier(&mut self, token: Token) {
        if let Some((caller, text)) = self.notifications.hear(token) {
            self.notifications.keep(caller, text, clock::monotonic());
        }
    }

    /// Passes on what was heard, after what was said of starts: whoever speaks has been started.
    pub(crate) fn pass_notifications_on(&mut self) {
        self.decide_whose();
        for index in 0..self.notifications.kept.len() {
            let owner = self.agents.owner.as_ref();
            let Some(owner) = owner.filter(|owner| owner.protocol() >= NOTIFIED_SINCE) else {
                return;
            };
            let told = owner.sequence() + 1;
            if let Some(notified) = self.notifications.tell(index, told) {
                self.answer(0, Report::Notified(notified));
            }
        }
    }

    /// Decides whose messages those are of which that is open, whether or not there is an agent.
    fn decide_whose(&mut self) {
        let starting = self.spawner.is_busy().then(clock::monotonic);
        for kept in &mut self.notifications.kept {
            if kept.of.next_deadline().is_some() {
                kept.of.decide(whose(&kept.caller, &self.runs), starting);
            }
        }
    }

    /// Listens to programs; a keeper that cannot still keeps them.
    pub(crate) fn listen_to_programs(
        instance: &Instance,
        port: &Port,
        service: Option<&str>,
    ) -> Notifications {
        Notifications::open(instance, service, port).unwrap_or_else(|error| {
            complain("cannot listen to programs", &error);
            Notifications::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(100);

    fn decided(found: Option<(RunRef, bool)>, starting: Option<Duration>) -> Whose {
        let mut whose = Whose::Open { until: LIMIT };
        whose.decide(found, starting);
        whose
    }

    #[test]
    fn whose_a_message_is_is_open_for_a_moment_while_something_starts_and_then_decided() {
        let of_web = || Some((RunRef { unit: "web".to_owned(), run: 7 }, true));
        let before = Some(Duration::from_secs(99));
        assert_eq!(decided(None, before).next_deadline(), Some(LIMIT));
        for whose in [decided(None, Some(LIMIT)), decided(None, None), decided(of_web(), before)] {
            assert_eq!(whose.next_deadline(), None, "nothing is waited for: {whose:?}");
        }
        let mut whose = decided(None, None);
        whose.decide(of_web(), before);
        assert_eq!(whose, Whose::OfNone, "whoever called before a start is not of it");
    }
}
