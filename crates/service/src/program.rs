//! A program that is a service: what it is called, and what it does when it is run.

use std::{
    process::ExitCode,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::Duration,
};

use mainstay_platform::{
    clock, complaint,
    desk::{self, Desk, Exit, Manner},
};

use crate::{
    Host, Service, command,
    life::{Action, Call, Input, Life},
    worker,
};

/// How long a stop may take before its manager is told that it takes longer than meant.
const USUAL_PATIENCE: Duration = Duration::from_secs(30);
/// How long to sleep when nothing is due.
const LONG: Duration = Duration::from_hours(1);

/// A program that is a service.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) stop_timeout: Duration,
}

impl Program {
    /// A program whose service has this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), about: String::new(), stop_timeout: USUAL_PATIENCE }
    }

    /// Says in a sentence what it does, for people.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// Says how long a stop may take; else 30 s.
    #[must_use]
    pub const fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }

    /// Does what the command line says.
    ///
    /// Started by a manager of services it serves. Started by hand it prints its usage, or does
    /// what the first word says: `run` here, `install`, `uninstall`, `start`, `stop`, `status`.
    pub fn main(self, service: impl Service) -> ExitCode {
        let manner = desk::manner();
        let words: Vec<String> = std::env::args().skip(1).collect();
        match (manner, words.first().map(String::as_str)) {
            (Manner::Manager | Manner::Systemd, None) | (_, Some("run")) => {
                self.serve(manner, service)
            }
            (_, word) => command::obey(&self, word),
        }
    }

    /// Serves until it is told to end or ends by itself.
    pub fn serve(self, manner: Manner, service: impl Service) -> ExitCode {
        let (inputs, inbox) = mpsc::channel();
        let (ends, end) = mpsc::channel();
        let orders = inputs.clone();
        let post = move |order| {
            orders.send(Input::Order(order)).ok();
        };
        let name = self.name.clone();
        let body = move |desk: Desk| {
            let arguments = desk.arguments().to_vec();
            let was_asked_for = desk.was_asked_for();
            let host = Host { inputs, manner, arguments, was_asked_for };
            ends.send(self.live(&desk, service, host, &inbox)).ok();
        };
        match desk::serve(manner, &name, post, body) {
            Ok(()) => code_of(end.try_recv().unwrap_or(Exit::Own(1))),
            Err(error) => {
                complaint::complain(&name, "cannot serve", &error);
                ExitCode::FAILURE
            }
        }
    }

    fn live(
        &self,
        desk: &Desk,
        service: impl Service,
        host: Host,
        inbox: &Receiver<Input>,
    ) -> Exit {
        let (mut life, first) = Life::begin(clock::monotonic(), self.stop_timeout);
        let calls = match worker::start(service, host) {
            Ok(calls) => calls,
            Err(error) => {
                complaint::complain(&self.name, "cannot start a thread", &error);
                return Exit::Own(1);
            }
        };
        let perform = |actions: Vec<Action>| self.perform(desk, &calls, actions);
        perform(first);
        loop {
            if let Some(exit) = life.ended() {
                return exit;
            }
            let now = clock::monotonic();
            let patience = life.tick_at().map_or(LONG, |at| at.saturating_sub(now));
            let actions = match inbox.recv_timeout(patience) {
                Ok(input) => life.handle(clock::monotonic(), input),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    life.tick(clock::monotonic())
                }
            };
            perform(actions);
        }
    }

    fn perform(&self, desk: &Desk, calls: &Sender<Call>, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Report(report) => {
                    if let Err(error) = desk.report(&report) {
                        complaint::complain(&self.name, "cannot report", &error);
                    }
                }
                // A thread that is gone has said why.
                Action::Call(call) => {
                    calls.send(call).ok();
                }
                Action::Tell(what, why) => complaint::complain(&self.name, what, &why),
            }
        }
    }
}

/// Returns what a process ends with; numbers that do not fit are 1.
fn code_of(exit: Exit) -> ExitCode {
    match exit {
        Exit::Done => ExitCode::SUCCESS,
        Exit::System(code) | Exit::Own(code) => {
            ExitCode::from(u8::try_from(code).ok().filter(|code| *code != 0).unwrap_or(1))
        }
    }
}
