//! Starts: of runs on request, and of the agent.

use std::{io, sync::Arc, time::Duration};

use mainstay_api::keeper::{RunRef, Spawn, SpawnOutcome, Spawned, Streams};
use mainstay_platform::{
    clock, daemon, fail, filesystem,
    filesystem::FileSystem,
    pipe::PipeReader,
    port::{Port, Token, Watched},
    process::Process,
};

use super::{Control, talk::SpawnAnswer, token};
use crate::{
    agent::Start,
    note::{complain, root_of},
    pump::{Channel, FreshPipe},
    runs::{Admission, Brief, RunState, microseconds},
    spawner::{NotStarted, Order, Started, StartedNote},
};

impl Control {
    /// Starts what was asked for, once for each run.
    pub(crate) fn spawn(&mut self, id: u64, spawns: Vec<Spawn>) {
        fail::bug("bug.control");
        for spawn in spawns {
            match self.runs.admit(&spawn) {
                Admission::Fresh => self.start_fresh(id, spawn),
                Admission::Known => self.answer_known(id, &spawn),
                Admission::Conflict { highest } => {
                    self.spawned(id, &spawn, SpawnOutcome::Conflict { highest });
                }
            }
        }
    }

    /// The intent is in the journal before anything can run.
    fn start_fresh(&mut self, id: u64, spawn: Spawn) {
        let listen = match self.stored_for(&spawn) {
            Ok(listen) => listen,
            Err(NotStarted { step, code, message }) => {
                return self.spawned(id, &spawn, SpawnOutcome::Failed { step, code, message });
            }
        };
        let mark = self.journal.new_id();
        // As if all runs had as many: to look at each one would make a thousand starts slow.
        let pipes = self.runs.len() * pipes_of(spawn.logs.streams);
        let run = self.runs.add(Brief::from(&spawn), mark.clone());
        run.asked_by = id;
        if let Err(error) = self.journal.write(run) {
            let key = run.key();
            let message = format!("cannot write the keeper's journal: {}", root_of(&error));
            self.runs.retract(&key);
            let step = "journal".to_owned();
            self.spawned(id, &spawn, SpawnOutcome::Failed { step, code: 0, message });
            return;
        }
        self.spawner.start(Order::Run { spawn: Box::new(spawn), id: mark, pipes, listen });
    }

    /// Repeats the answer for a run that was started before.
    fn answer_known(&mut self, id: u64, spawn: &Spawn) {
        let key = RunRef { unit: spawn.unit.clone(), run: spawn.run };
        let Some(run) = self.runs.get_mut(&key) else { return };
        let job = run.job();
        let (pid, at_us) = match &run.state {
            // The answer follows with the result of the start.
            RunState::Starting => {
                run.asked_by = id;
                return;
            }
            RunState::Running { process, since } => (process.pid(), microseconds(*since)),
            RunState::Ended { exit, .. } => (exit.pid, exit.at_us.saturating_sub(exit.lived_us)),
        };
        self.spawned(id, spawn, SpawnOutcome::Started { pid, at_us, fresh: false, job });
    }

    fn spawned(&mut self, id: u64, spawn: &Spawn, outcome: SpawnOutcome) {
        self.tell_audience(&outcome);
        let spawned = Spawned { unit: spawn.unit.clone(), run: spawn.run, outcome };
        match self.reports.spawned.last_mut() {
            Some(answer) if answer.id == id => answer.spawned.push(spawned),
            Some(_) | None => self.reports.spawned.push(SpawnAnswer { id, spawned: vec![spawned] }),
        }
    }

    /// A start came to an end.
    pub(crate) fn started(&mut self, note: StartedNote) {
        if let StartedNote::Run { spawn, .. } = &note {
            self.spawner.ended(&RunRef { unit: spawn.unit.clone(), run: spawn.run });
        }
        match note {
            StartedNote::Run { spawn, result: Ok(started) } => self.run_started(&spawn, *started),
            StartedNote::Run { spawn, result: Err(error) } => self.run_not_started(&spawn, error),
            StartedNote::Agent(result) => self.agent_started(result),
        }
    }

    fn run_started(&mut self, spawn: &Spawn, started: Started) {
        let key = RunRef { unit: spawn.unit.clone(), run: spawn.run };
        let Started { process, output, error, logs_on, at } = started;
        self.bursts.count(at, 1);
        let (output, error) = (output.map(Arc::new), error.map(Arc::new));
        let pid = process.pid();
        // Forgotten while it was started.
        let Some(run) = self.runs.get_mut(&key) else {
            return self.aftermath.discarded.add(process, at);
        };
        let process = match watch(&self.port, process, run.serial) {
            Ok(process) => process,
            Err(error) => {
                self.aftermath.discarded.add_number(pid, at);
                return self.run_not_started(spawn, NotStarted::of("watch", &error));
            }
        };
        run.state = RunState::Running { process, since: at };
        (run.output, run.error) = (output.clone(), error.clone());
        let (asked_by, job) = (run.asked_by, run.job());
        if let Err(error) = self.journal.write(run) {
            complain("cannot note a start in the journal", &error);
        }
        if let Err(error) = run.process().map_or(Ok(()), Process::release) {
            self.aftermath.discarded.add_number(pid, at);
            return self.run_not_started(spawn, NotStarted::of("release", &error));
        }
        if let Some(storage) = logs_on {
            self.pump(&key, output, error, storage);
        }
        let outcome = SpawnOutcome::Started { pid, at_us: microseconds(at), fresh: true, job };
        self.spawned(asked_by, spawn, outcome);
    }

    /// A program that was found running needs no start.
    pub(super) fn tell_what_was_found(&mut self) {
        let is_running = self.runs.iter().any(|run| run.process().is_some());
        if is_running && let Some(audience) = self.company.audience.take() {
            audience(Ok(()));
        }
    }

    fn tell_audience(&mut self, outcome: &SpawnOutcome) {
        let first = match outcome {
            SpawnOutcome::Started { .. } => Ok(()),
            SpawnOutcome::Failed { code, .. } => Err(*code),
            SpawnOutcome::Conflict { .. } => return,
        };
        if let Some(audience) = self.company.audience.take() {
            audience(first);
        }
    }

    /// Hands the pipes of a run to the pump of its logs' storage.
    pub(crate) fn pump(
        &mut self,
        key: &RunRef,
        output: Option<Arc<PipeReader>>,
        error: Option<Arc<PipeReader>>,
        storage: FileSystem,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let is_split = run.brief.logs.streams == Streams::Split;
        let first = if is_split { Channel::Output } else { Channel::Joined };
        for (channel, pipe) in [(first, output), (Channel::Error, error)] {
            let Some(pipe) = pipe else { continue };
            let logs = Arc::clone(&run.brief.logs);
            let fresh = FreshPipe { run: key.clone(), channel, pipe, logs };
            match self.pumps.attach(fresh, storage) {
                Ok(pump) => run.pump = Some(pump),
                Err(error) => complain("cannot start a pump", &error),
            }
        }
    }

    /// Hands all pipes of a run to a pump again, once the pumps were parked.
    pub(crate) fn pump_held(&mut self, key: &RunRef) {
        let Some(run) = self.runs.get(key) else { return };
        let (output, error) = (run.output.clone(), run.error.clone());
        self.pump_found(key, output, error);
    }

    /// Hands pipes that were found again to the pump of the run's logs.
    pub(crate) fn pump_found(
        &mut self,
        key: &RunRef,
        output: Option<Arc<PipeReader>>,
        error: Option<Arc<PipeReader>>,
    ) {
        let Some(run) = self.runs.get(key) else { return };
        let folder = std::path::Path::new(&run.brief.logs.directory);
        match filesystem::of(folder) {
            Ok(storage) => self.pump(key, output, error, storage),
            Err(_) if output.is_none() && error.is_none() => {}
            Err(error) => complain("cannot find the logs of a program", &error),
        }
    }

    fn run_not_started(&mut self, spawn: &Spawn, error: NotStarted) {
        let key = RunRef { unit: spawn.unit.clone(), run: spawn.run };
        let asked_by = self.runs.get(&key).map_or(0, |run| run.asked_by);
        if let Some(run) = self.runs.remove(&key) {
            self.journal.remove(&run, &self.runs);
        }
        let NotStarted { step, code, message } = error;
        self.spawned(asked_by, spawn, SpawnOutcome::Failed { step, code, message });
    }

    pub(crate) fn start_agent_if_due(&mut self, now: Duration) {
        let Some(start) = self.agents.life.due(now) else { return };
        self.agents.expected = None;
        let mut arguments = self.options.agent.clone();
        arguments.extend(["--link".to_owned(), self.door.path().display().to_string()]);
        if start == Start::Recover {
            arguments.push("--recover".to_owned());
        }
        match daemon::own_program() {
            Ok(program) => self.spawner.start(Order::Agent { program, arguments }),
            Err(error) => {
                complain("cannot find our own binary", &error);
                self.agents.life.died(now);
            }
        }
    }

    fn agent_started(&mut self, result: Result<Process, NotStarted>) {
        let watched = match result {
            Ok(process) => self.port.watch(process, token::AGENT),
            Err(error) => Err(io::Error::other(error.message)),
        };
        match watched {
            Ok(process) => {
                self.agents.process = Some(process);
                self.agents.life.is_born(clock::monotonic());
                // Whoever called meanwhile is this very agent, or takes over from it.
                if let Some(guest) = self.agents.heir.take() {
                    self.make_way_for(guest);
                }
            }
            Err(error) => {
                complain("cannot start the agent", &error);
                self.agents.life.died(clock::monotonic());
            }
        }
    }

    pub(crate) fn agent_ended(&mut self) {
        if !self.agents.process.as_ref().is_some_and(|process| process.has_ended()) {
            return;
        }
        if let Some(process) = self.agents.process.take() {
            process.reap();
        }
        self.agents.owner = None;
        self.agents.life.died(clock::monotonic());
        if let Some(guest) = self.agents.heir.take() {
            self.adopt_agent(guest);
        }
    }
}

fn watch(port: &Port, process: Process, serial: u64) -> io::Result<Watched<Process>> {
    if fail::is_wanted("unwatched") {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    port.watch(process, Token(token::RUNS + serial))
}

const fn pipes_of(streams: Streams) -> usize {
    match streams {
        Streams::Off => 0,
        Streams::Joined => 1,
        Streams::Split => 2,
    }
}
