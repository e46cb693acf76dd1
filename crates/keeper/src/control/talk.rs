//! Conversations: guests who may become the owner, the owner, and what is told to it.

use std::collections::BTreeMap;

use mainstay_api::keeper::{
    CLIMBED_SINCE, Climbed, Drained, Exited, Hello, PROTOCOL, Pressure, Report, Request,
    RequestFrame, Rotated, RunRef, Spawned, Welcome,
};
use mainstay_platform::{clock, descriptor::Descriptor, fail, port::Token};

use super::{Control, token};
use crate::{guests::Guest, note::complain};

/// What is told at the end of a turn, each kind in one frame.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    pub(crate) exited: Vec<Exited>,
    pub(crate) amended: Vec<Exited>,
    pub(crate) cleared: Vec<RunRef>,
    /// Only agents that understand it are told.
    pub(crate) climbed: Vec<Climbed>,
    pub(crate) drained: Vec<Drained>,
    pub(crate) rotated: Vec<Rotated>,
    pub(crate) pressure: Vec<Pressure>,
    /// Results of starts, by the request that asked for them.
    pub(crate) spawned: Vec<SpawnAnswer>,
    /// What every new owner is told.
    pub(crate) standing: Standing,
}

/// What holds until something else is said.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The instance is to end.
    pub(crate) stop_requested: bool,
    /// With which code, when a program's end is the instance's.
    pub(crate) end_with: Option<u32>,
    /// Units whose log takes nothing.
    pub(crate) pressed: BTreeMap<String, Pressure>,
    /// What of the journal made no sense, until an owner was told.
    pub(crate) damage: Option<String>,
}

impl Standing {
    fn reports(&self) -> Vec<Report> {
        let pressed: Vec<Pressure> = self.pressed.values().cloned().collect();
        let pressed = (!pressed.is_empty()).then_some(Report::Pressure(pressed));
        let stop = self.stop_requested.then_some(Report::StopRequested);
        pressed.into_iter().chain(stop).collect()
    }
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
            part(&mut self.climbed, Report::Climbed),
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
        self.agents.say(id, report, riders);
    }

    /// Sends what has gathered in this turn.
    pub(crate) fn flush(&mut self) {
        if self.agents.owner.as_ref().is_none_or(|owner| owner.protocol() < CLIMBED_SINCE) {
            self.reports.climbed.clear();
        }
        for (id, report) in self.reports.take() {
            fail::point("keeper.report");
            self.answer(id, report);
        }
        self.pass_notifications_on();
        self.agents.flush(clock::monotonic());
    }

    pub(crate) fn hear_owner(&mut self) {
        let Some(owner) = &mut self.agents.owner else { return };
        match owner.read() {
            Ok(incoming) => {
                self.obey(incoming.frames, incoming.descriptors);
                if incoming.is_closed {
                    self.agents.owner = None;
                }
            }
            Err(error) => self.agents.drop_owner(&error),
        }
    }

    pub(crate) fn hear_guest(&mut self, token: Token) {
        let Some(mut guest) = self.agents.guests.take(token) else { return };
        match guest.conversation.read() {
            Ok(incoming) if !incoming.is_closed => {
                let mut frames = incoming.frames.into_iter();
                let Some(frame) = frames.next() else {
                    self.agents.guests.put_back(guest);
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
        if let Request::Hello(hello) = &frame.request {
            guest.conversation.speaks(hello.protocol);
        }
        self.make_way_for(guest);
    }

    /// Ends the former agent before the new one becomes the owner: never two at a time.
    pub(crate) fn make_way_for(&mut self, guest: Guest) {
        let caller = guest.conversation.peer().pid;
        let is_starting = self.agents.life.state() == crate::agent::AgentState::Starting;
        let current = self.agents.process.as_ref().map(|process| process.pid());
        match current {
            Some(pid) if pid == caller => self.enthrone(guest),
            None if !is_starting => self.adopt_agent(guest),
            Some(_) => {
                self.agents.heir = Some(guest);
                self.agents.kill();
            }
            None => self.agents.heir = Some(guest),
        }
    }

    /// Makes an agent that nobody of us started the owner.
    pub(crate) fn adopt_agent(&mut self, guest: Guest) {
        match guest.conversation.peer_process() {
            Ok(Some(process)) => match self.port.watch(process, token::AGENT) {
                Ok(process) => {
                    self.agents.process = Some(process);
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
        self.agents.owner = Some(conversation);
        self.agents.expected = None;
        self.agents.life.lives();
        let welcome = Welcome { damage: self.reports.standing.damage.take(), ..self.welcome() };
        self.answer(hello.unwrap_or_default(), Report::Welcome(welcome));
        self.introduce_clients();
        self.notifications.begin_anew();
        self.tell_what_is_stored();
        for report in self.reports.standing.reports() {
            self.tell_owner(report);
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
        self.reception.receive(clock::monotonic());
        self.hand_over_clients();
    }

    fn hand_over_clients(&mut self) {
        while let Some(owner) = &self.agents.owner {
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
