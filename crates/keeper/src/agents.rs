//! The agent that works with this keeper, whoever wants to be the next, and what is said to it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_api::keeper::Report;
use mainstay_platform::{
    clock,
    descriptor::Descriptor,
    lock::FileLock,
    port::{Port, Watched},
    process::{Process, SignalKind},
};
use mainstay_storage::instance::Instance;

use crate::{
    agent::{AgentLife, AgentState, First, Starter},
    control::token,
    guests::{Guest, Guests},
    note::complain,
    options::KeeperOptions,
    owner::{Conversation, ConversationError},
};

/// Whoever works with this keeper or would like to.
#[derive(Debug)]
pub(crate) struct Agents {
    /// What is to be done about the agent, and when.
    pub(crate) life: AgentLife,
    /// Its process.
    pub(crate) process: Option<Watched<Process>>,
    /// An agent that was announced and has not called; known by its number alone, so that nothing
    /// is done to it.
    pub(crate) expected: Option<Watched<Process>>,
    /// The conversation with the one who decides.
    pub(crate) owner: Option<Conversation>,
    /// Whoever has connected and not said hello.
    pub(crate) guests: Guests,
    /// Whoever becomes the owner as soon as the former one has ended.
    pub(crate) heir: Option<Guest>,
}

impl Agents {
    pub(crate) fn new(options: &KeeperOptions, port: &Port, now: Duration) -> Self {
        let expected = options.expected_agent.and_then(|pid| expect(pid, port));
        let starter = if options.agent.is_empty() { Starter::Others } else { Starter::Keeper };
        let is_to_call = expected.is_some() || lives(&options.runtime);
        let first = if is_to_call { First::Announced } else { First::Unknown };
        Self {
            life: AgentLife::new(now, starter, first),
            process: None,
            expected,
            owner: None,
            guests: Guests::default(),
            heir: None,
        }
    }

    /// Tells the owner something; without one nothing is said: a new one asks for the list.
    pub(crate) fn say(&mut self, id: u64, report: Report, riders: Vec<Descriptor>) {
        let Some(owner) = &mut self.owner else { return };
        let said = owner.say_with(id, report, riders);
        let sequence = owner.sequence();
        match said {
            Ok(()) => self.life.told(clock::monotonic(), sequence),
            Err(error) => self.drop_owner(&error),
        }
    }

    /// Sends what is queued for all of them.
    pub(crate) fn flush(&mut self, now: Duration) {
        if let Some(Err(error)) = self.owner.as_mut().map(|owner| owner.flush(now)) {
            self.drop_owner(&error);
        }
        self.guests.flush(now);
    }

    /// Returns whether the owner was sent everything that was said.
    pub(crate) fn is_flushed(&self) -> bool {
        self.owner.as_ref().is_none_or(Conversation::is_flushed)
    }

    /// Ends the conversation with an agent that is stuck or confused, and the agent with it.
    pub(crate) fn drop_owner(&mut self, error: &ConversationError) {
        complain("the agent is disconnected", error);
        self.owner = None;
        self.kill();
    }

    /// Kills the agent; its end is reported.
    pub(crate) fn kill(&self) {
        if let Some(process) = &self.process
            && let Err(error) = process.signal(SignalKind::Kill)
        {
            complain("cannot kill the agent", &error);
        }
    }

    /// Kills an agent that owes a sign of life.
    pub(crate) fn kill_if_hung(&mut self, now: Duration) {
        if self.life.state() == AgentState::Alive && self.life.is_hung(now) {
            let hung = io::Error::other("no sign of life for five seconds");
            complain("the agent is killed", &hung);
            self.life.doom();
            self.kill();
        }
    }

    /// Whoever was announced will not call any more.
    pub(crate) fn expected_ended(&mut self) {
        if self.expected.as_ref().is_some_and(|process| process.has_ended()) {
            self.expected = None;
            self.life.is_missed(clock::monotonic());
        }
    }
}

/// Returns whether an agent has the state: that of a keeper that was lost, which looks for us and
/// holds what its programs have written.
fn lives(runtime: &Path) -> bool {
    let instance = Instance::new(runtime.to_owned(), PathBuf::new());
    FileLock::try_take(&instance.agent_lock()).is_ok_and(|lock| lock.is_none())
}

/// Watches an agent that was announced; nothing when it is gone already.
fn expect(pid: u32, port: &Port) -> Option<Watched<Process>> {
    let process = Process::open_pid(pid).ok().flatten().filter(|process| !process.has_ended())?;
    port.watch(process, token::EXPECTED).ok()
}
