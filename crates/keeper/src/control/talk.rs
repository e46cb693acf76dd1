//! Conversations: guests who may become the owner, the owner, and what is told to it.

use mainstay_api::keeper::{
    Drained, Exited, Hello, PROTOCOL, Pressure, Report, Request, RequestFrame, Rotated, RunRef,
    Spawned, Welcome,
};
use mainstay_platform::{clock, descriptor::Descriptor, fail, port::Token, process::SignalKind};

use super::{Control, token};
use crate::{guests::Guest, note::complain, owner::ConversationError};

/// What is told at the end of a turn, each kind in one frame.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    pub(crate) exited: Vec<Exited>,
    pub(crate) amended: Vec<Exited>,
    pub(crate) cleared: Vec<RunRef>,
    pub(crate) drained: Vec<Drained>,
    pub(crate) rotated: Vec<Rotated>,
    pub(crate) pressure: Vec<Pressure>,
    /// Results of starts, by the request that asked for them.
    pub(crate) spawned: Vec<SpawnAnswer>,
    /// Every new owner is told.
    pub(crate) stop_requested: bool,
}

/// Results of the starts that one request asked for.
#[derive(Debug)]
pub(crate) struct SpawnAnswer {
    pub(crate) id: u64,
    pub(crate) spawned: Vec<Spawned>,
}

impl Reports {
    /// Returns everything, answers first, with the requests that they answer.
    fn take(&mut self) -> Vec<(u64, Report)> {
        let answers = std::mem::take(&mut self.spawned).into_iter();
        let news = [
            part(&mut self.exited, Report::Exited),
            part(&mut self.amended, Report::ExitAmended),
            part(&mut self.cleared, Report::Cleared),
            part(&mut self.drained, Report::Drained),
            part(&mut self.rotated, Report::Rotated),
            part(&mut self.pressure, Report::Pressure),
        ];
        let answers = answers.map(|answer| (answer.id, Report::Spawned(answer.spawned)));
        answers.chain(news.into_iter().flatten().map(|report| (0, report))).collect()
    }
}

/// Empties a list into one report; nothing when there is nothing to report.
fn part<T>(all: &mut Vec<T>, report: fn(Vec<T>) -> Report) -> Option<Report> {
    (!all.is_empty()).then(|| report(std::mem::take(all)))
}

impl Control {
    /// Tells the owner something; without one nothing is said: a new one asks for the list.
    pub(crate) fn tell_owner(&mut self, report: Report) {
        self.answer(0, report);
    }

    pub(crate) fn answer(&mut self, id: u64, report: Report) {
        self.answer_with(id, report, Vec::new());
    }

    pub(crate) fn answer_with(&mut self, id: u64, report: Report, riders: Vec<Descriptor>) {
        let Some(owner) = &mut self.owner else { return };
        let said = owner.say_with(id, report, riders);
        let sequence = owner.sequence();
        match said {
            Ok(()) => self.agent.told(clock::monotonic(), sequence),
            Err(error) => self.drop_owner(&error),
        }
    }

    /// Sends what has gathered in this turn.
    pub(crate) fn flush(&mut self) {
        for (id, report) in self.reports.take() {
            fail::point("keeper.report");
            self.answer(id, report);
        }
        let now = clock::monotonic();
        if let Some(Err(error)) = self.owner.as_mut().map(|owner| owner.flush(now)) {
            self.drop_owner(&error);
        }
        self.guests.flush(now);
    }

    /// Ends the conversation with an agent that is stuck or confused, and the agent with it.
    fn drop_owner(&mut self, error: &ConversationError) {
        complain("the agent is disconnected", error);
        self.owner = None;
        if let Some(process) = &self.agent_process
            && let Err(error) = process.signal(SignalKind::Kill)
        {
            complain("cannot kill the agent", &error);
        }
    }

    pub(crate) fn hear_owner(&mut self) {
        let Some(owner) = &mut self.owner else { return };
        match owner.read() {
            Ok(incoming) => {
                self.obey(incoming.frames, incoming.descriptors);
                if incoming.is_closed {
                    self.owner = None;
                }
            }
            Err(error) => self.drop_owner(&error),
        }
    }

    pub(crate) fn hear_guest(&mut self, token: Token) {
        let Some(mut guest) = self.guests.take(token) else { return };
        match guest.conversation.read() {
            Ok(incoming) if !incoming.is_closed => {
                let mut frames = incoming.frames.into_iter();
                let Some(frame) = frames.next() else {
                    self.guests.put_back(guest);
                    return;
                };
                guest.more = frames.collect();
                guest.riders = incoming.descriptors;
                self.greet(guest, &frame);
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn greet(&mut self, mut guest: Guest, frame: &RequestFrame) {
        let refused = if let Request::Hello(hello) = &frame.request {
            refusal(hello, &guest)
        } else {
            Some("the first frame must be `hello`".to_owned())
        };
        if let Some(reason) = refused {
            // The guest is dropped after this; what it takes of the answer is its own affair.
            drop(guest.conversation.say(frame.id, Report::Refused { reason }));
            drop(guest.conversation.flush(clock::monotonic()));
            return;
        }
        guest.hello = Some(frame.id);
        self.make_way_for(guest);
    }

    /// Ends the former agent before the new one becomes the owner: never two at a time.
    pub(crate) fn make_way_for(&mut self, guest: Guest) {
        let caller = guest.conversation.peer().pid;
        let is_starting = self.agent.state() == crate::agent::AgentState::Starting;
        let current = self.agent_process.as_ref().map(|process| process.pid());
        match current {
            Some(pid) if pid == caller => self.enthrone(guest),
            None if !is_starting => self.adopt_agent(guest),
            Some(_) => {
                self.heir = Some(guest);
                self.kill_agent();
            }
            None => self.heir = Some(guest),
        }
    }

    pub(crate) fn kill_agent(&mut self) {
        if let Some(process) = &self.agent_process
            && let Err(error) = process.signal(SignalKind::Kill)
        {
            complain("cannot kill the agent", &error);
        }
    }

    /// Makes an agent that nobody of us started the owner.
    pub(crate) fn adopt_agent(&mut self, guest: Guest) {
        match guest.conversation.peer_process() {
            Ok(Some(process)) => match self.port.watch(process, token::AGENT) {
                Ok(process) => {
                    self.agent_process = Some(process);
                    self.enthrone(guest);
                }
                Err(error) => complain("cannot watch the agent", &error),
            },
            Ok(None) => {}
            Err(error) => complain("cannot find the agent that called", &error),
        }
    }

    /// Answers the hello and hands over the control API's listener.
    pub(crate) fn enthrone(&mut self, guest: Guest) {
        let Guest { conversation, hello, more, riders, .. } = guest;
        let Some(conversation) = conversation.renamed(&self.port, token::OWNER) else { return };
        self.owner = Some(conversation);
        self.expected = None;
        self.agent.lives();
        let welcome = Welcome { damage: self.damage.take(), ..self.welcome() };
        self.answer(hello.unwrap_or_default(), Report::Welcome(welcome));
        self.introduce_clients();
        if !self.pressed.is_empty() {
            self.tell_owner(Report::Pressure(self.pressed.values().cloned().collect()));
        }
        if self.reports.stop_requested {
            self.tell_owner(Report::StopRequested);
        }
        self.obey(more, riders);
    }
}

impl Control {
    /// Gives a new owner the listener, or whoever waits before it.
    fn introduce_clients(&mut self) {
        match self.reception.listener() {
            Some(Ok(listener)) => self.answer_with(0, Report::Listener, vec![listener]),
            Some(Err(error)) => complain("cannot hand over the listener", &error),
            None => {
                self.reception.begin_anew();
                self.hand_over_clients();
            }
        }
    }

    /// Clients have come.
    pub(crate) fn receive_clients(&mut self) {
        if let Err(error) = self.reception.receive(clock::monotonic()) {
            complain("cannot accept a client", &error);
        }
        self.hand_over_clients();
    }

    fn hand_over_clients(&mut self) {
        while let Some(owner) = &self.owner {
            let told = owner.sequence() + 1;
            match self.reception.hand_over_next(told) {
                Some(Ok(client)) => self.answer_with(0, Report::Client, vec![client]),
                Some(Err(error)) => complain("cannot hand over a client", &error),
                None => return,
            }
        }
    }
}

fn refusal(hello: &Hello, guest: &Guest) -> Option<String> {
    // Right after an upgrade the agent is still the former one.
    let own = PROTOCOL + fail::raised();
    if hello.protocol != own && hello.protocol + 1 != own {
        return Some(format!(
            "this keeper speaks protocol {own}, the agent {}; run `mainstay upgrade`",
            hello.protocol
        ));
    }
    let caller = guest.conversation.peer().pid;
    (hello.pid != caller).then(|| format!("the caller is process {caller}, not {}", hello.pid))
}
