//! Answers to clients.

use std::time::Duration;

use mainstay_api::{
    control::{
        CommandAnswer, CommandName, CommandRequest, Role, Status, Unit, UnitAnswer, UnitDetail,
    },
    keeper::Streams,
};
use mainstay_core::{Command, Input, TraceId, UnitName, UnitView, service::StartType};
use mainstay_platform::clock;

use super::{Agent, reloading};
use crate::{
    calls::{Asker, Call, EventsQuery, Refused, RefusedKind, Reply},
    events::{Happening, Level, history::Recent},
    inquiry::Inquiry,
    kinds,
    report::{self, Beside, Clocks},
};

/// So many events are shown with a unit.
const EVENTS_OF_UNIT: usize = 50;
/// So many clients may wait for events at a time.
const WAITERS_MAX: usize = 64;

impl Agent {
    /// Answers a question; whoever does not wait any more needs none.
    pub(super) fn answer(&mut self, call: Call) {
        match call {
            Call::Status(reply) => {
                let status = self.status();
                self.bursts.count(clock::monotonic(), status.units.len());
                drop(reply.send(Ok(status)));
            }
            Call::Tree(reply) => drop(reply.send(Ok(self.tree()))),
            Call::Runs(names, reply) => drop(reply.send(self.live_runs(&names))),
            Call::Unit(name, reply) => drop(reply.send(self.detail(&name))),
            Call::Setting(name, reply) => drop(reply.send(self.setting_of(&name))),
            Call::Recent(query, reply) => drop(reply.send(self.recent(query))),
            Call::NextEvent(query, reply) => self.await_event(query, reply),
            Call::Command(asker, request, reply) => self.command(&asker, &request, reply),
            Call::Add(asker, service, reply) => self.add(asker, service, reply),
            Call::Remove(asker, name, keeps, reply) => self.remove(asker, &name, keeps, reply),
            Call::Apply(asker, wanted, reply) => self.apply(asker, wanted, reply),
            Call::Replace(asker, file, reply) => self.replace_file(asker, file, reply),
            Call::EditKeys(asker, name, keys, reply) => self.edit_keys(asker, &name, keys, reply),
            Call::Diff(request, reply) => self.look_up(Inquiry::Difference(request, reply)),
            Call::Files(reply) => self.look_up(Inquiry::Files(reply)),
            Call::Source(name, key, reply) => self.look_up(Inquiry::Service(name, key, reply)),
            Call::Upgrade(asker, request, reply) => self.upgrade(&asker, request, reply),
            Call::Secrets(reply) => self.list_secrets(reply),
            Call::SetSecret(asker, name, value, reply) => {
                self.set_secret(&asker, name, value, reply);
            }
            Call::RemoveSecret(asker, name, reply) => self.remove_secret(&asker, name, reply),
            Call::NotLetIn(reasons) => {
                for reason in reasons {
                    let happening = Happening::of_instance(Level::Error, "AccessNotGiven", reason);
                    self.events.tell(happening);
                }
            }
            Call::ShutDown(asker, reply) => {
                let trace = self.note(&asker, "asks for a shutdown");
                self.shut_down();
                drop(reply.send(Ok(self.take_answers(trace))));
            }
        }
    }

    fn status(&self) -> Status {
        let clocks = Clocks::read();
        Status {
            instance: self.options.config.display().to_string(),
            boot: self.welcome.boot.clone(),
            keeper: Role { pid: self.welcome.pid, version: self.welcome.version.clone() },
            agent: own_role(),
            units: self.supervisor.units().map(|view| self.unit(view, clocks)).collect(),
            groups: self.groups(),
            files: self.files_status(),
        }
    }

    fn unit(&self, view: UnitView<'_>, clocks: Clocks) -> Unit {
        let name = view.name();
        let service = self.config.services.get(&name.service).filter(|_| view.pid().is_some());
        let outdated =
            service.is_some_and(|service| self.given.is_outdated(name, view.run(), service));
        let pressure = self.pressed.of(name).or_else(|| self.copies.trouble_of(name));
        let well_after = service.map_or(Duration::MAX, |service| service.restart.reset_after);
        let said = self.notices.said(name, view.run()).cloned().unwrap_or_default();
        let main = self.notices.main_of(name, view.run());
        let is_fetching = self.secrets.is_waiting(name);
        let beside = Beside { outdated, pressure, well_after, said, main, is_fetching };
        report::unit(view, clocks, beside)
    }

    fn detail(&self, name: &str) -> Result<UnitDetail, Refused> {
        let unit = UnitName::parse(name).ok();
        let view = unit.as_ref().and_then(|unit| self.supervisor.unit(unit));
        let (Some(unit), Some(view)) = (unit, view) else { return Err(self.no_unit(name)) };
        let service = self.config.services.get(&unit.service);
        let full = unit.to_string();
        Ok(UnitDetail {
            unit: self.unit(view, Clocks::read()),
            disabled: service.is_some_and(|service| service.start == StartType::Disabled),
            command: service.map(kinds::command_of).unwrap_or_default(),
            directory: service.and_then(|service| service.directory.clone()),
            logs: service
                .is_none_or(|service| service.logs.streams != Streams::Off)
                .then(|| self.instance.logs_of(&full).display().to_string()),
            events: self
                .events
                .select(EVENTS_OF_UNIT, |event| event.unit.as_deref() == Some(full.as_str())),
            checks: report::checks(view).collect(),
            hooks: self.events.hooks_of(&unit),
        })
    }

    /// Hands over what is in memory; who asks looks through it.
    fn recent(&self, query: EventsQuery) -> Result<(EventsQuery, Recent), Refused> {
        let names = self.services_of(&query.names)?;
        let recent = self.events.recent(query.after, query.before);
        Ok((EventsQuery { names, ..query }, recent))
    }

    /// Answers at once, or keeps the question until there is something to say.
    fn await_event(&mut self, query: EventsQuery, reply: Reply<()>) {
        if self.events.has_after(query.after.unwrap_or_default(), |event| query.fits(event)) {
            return drop(reply.send(Ok(())));
        }
        self.waiters.retain(|(_, reply)| !reply.is_closed());
        if self.waiters.len() >= WAITERS_MAX {
            let busy = "too many clients wait for events";
            return drop(reply.send(Err(Refused::new(RefusedKind::Failed, busy, "try again"))));
        }
        // What there is by now is not looked at again.
        let after = Some(self.events.last());
        self.waiters.push((EventsQuery { after, ..query }, reply));
    }

    /// Answers whoever waited for what has happened in this turn.
    pub(super) fn answer_waiters(&mut self) {
        for (query, reply) in std::mem::take(&mut self.waiters) {
            self.await_event(query, reply);
        }
    }

    fn command(&mut self, asker: &Asker, request: &CommandRequest, reply: Reply<CommandAnswer>) {
        self.begin_pauses();
        match (self.obey(asker, request), request.command) {
            (Err(refused), _) => drop(reply.send(Err(refused))),
            (Ok(answer), CommandName::Pause | CommandName::Resume) => {
                self.owe_pauses(reply, answer);
            }
            (Ok(answer), _) => self.owe(reply, answer),
        }
    }

    fn obey(&mut self, asker: &Asker, request: &CommandRequest) -> Result<CommandAnswer, Refused> {
        let units = self.expand(&request.names)?;
        for unit in &units {
            asker.rights.demand_unit(&asker.user, &unit.to_string())?;
        }
        let command = match request.command {
            CommandName::Start => Command::Start,
            CommandName::Stop => Command::Stop,
            CommandName::Restart => Command::Restart,
            CommandName::Kill => Command::Kill,
            CommandName::Reset => Command::Reset,
            CommandName::Reload => Command::Reload,
            CommandName::Pause => Command::Pause,
            CommandName::Resume => Command::Resume,
        };
        let word = format!("{command:?}").to_lowercase();
        let names = reloading::listed(&request.names);
        let trace = self.note(asker, &format!("asks to {word} {names}"));
        self.take(Input::Command { units, command });
        Ok(self.take_answers(trace))
    }

    pub(super) fn take_answers(&mut self, trace: TraceId) -> CommandAnswer {
        let answers = std::mem::take(&mut self.outbox.answers).into_iter();
        let units = answers.map(|(unit, answer)| UnitAnswer {
            unit: unit.to_string(),
            refused: answer.err().map(|refusal| refusal.reason),
        });
        CommandAnswer { trace_id: trace.to_string(), units: units.collect(), changes: None }
    }

    /// Tells who wants what; returns the chain of causes that begins with it.
    pub(super) fn note(&mut self, asker: &Asker, what: &str) -> TraceId {
        let trace = self.supervisor.next_trace();
        let message = format!("user {} {what}", asker.user);
        let happening = Happening::of_instance(Level::Info, "CommandReceived", message);
        self.events.tell(Happening { trace, ..happening });
        trace
    }
}

/// Returns who we are.
pub(super) fn own_role() -> Role {
    Role { pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
