//! An agent with nothing in its head: it starts what is not known yet, and writes down what it is
//! told before it acknowledges it.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::ExitCode};

use mainstay_api::keeper::{
    Entry, Environment, Exited, Framer, Hello, Leftover, Logs, Lost, OnFull, PROTOCOL, Phase,
    Report, ReportFrame, Request, RequestFrame, RunRef, Scope, Share, Spawn, SpawnOutcome, Spawned,
    Status, Streams, encode,
};
use mainstay_platform::{
    daemon,
    door::{Connection, Received},
    port::{Port, Token, Watched},
};

use super::{Folder, PROGRAMS};

struct Agent<'a> {
    folder: &'a Folder,
    connection: Watched<Connection>,
    port: Port,
    id: u64,
    ended: Vec<String>,
}

pub(crate) fn run(folder: &Folder, link: &str) -> ExitCode {
    let port = Port::new().unwrap();
    let connection = Connection::open(Path::new(link)).unwrap();
    let connection = port.watch(connection, Token(1)).unwrap();
    let mut agent = Agent { folder, connection, port, id: 0, ended: Vec::new() };
    let (protocol, pid) = (PROTOCOL, std::process::id());
    agent.ask(Request::Hello(Hello { protocol, version: "test".into(), pid }));
    agent.listen();
    ExitCode::SUCCESS
}

impl Agent<'_> {
    fn listen(&mut self) {
        let mut framer = Framer::default();
        loop {
            let (mut bytes, mut handles) = (Vec::new(), Vec::new());
            match self.connection.receive(&mut bytes, &mut handles).unwrap() {
                Received::Bytes(_) => framer.feed(&bytes),
                Received::Closed => return,
                Received::Empty => {
                    self.port.wait(None).unwrap();
                }
            }
            while let Some(frame) = framer.next::<ReportFrame>().unwrap() {
                self.hear(frame.report);
                self.ask(Request::Next { at_us: None, handled: frame.sequence });
            }
        }
    }

    fn ask(&mut self, request: Request) {
        self.id += 1;
        let mut bytes = Vec::new();
        encode(&RequestFrame { id: self.id, request }, &mut bytes).unwrap();
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += self.connection.send(rest, &[]).unwrap();
        }
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Welcome(_) => self.ask(Request::List),
            Report::Listed { entries, more: false } => self.adopt(&entries),
            Report::Spawned(spawned) => spawned.iter().for_each(|one| self.spawned(one)),
            Report::Exited(exited) => exited.iter().for_each(|one| self.exited(one)),
            Report::Drained(drained) => {
                for one in drained {
                    self.note(&format!("drained {}", one.unit));
                }
            }
            _ => {}
        }
    }

    fn adopt(&mut self, entries: &[Entry]) {
        let missing: Vec<Spawn> = (0..PROGRAMS)
            .filter(|index| !entries.iter().any(|entry| entry.unit == unit_of(*index)))
            .map(|index| self.spawn(index))
            .collect();
        for entry in entries {
            match &entry.phase {
                Phase::Running { pid, .. } => self.note(&format!("pid {} {pid}", entry.unit)),
                Phase::Ended(exited) => self.exited(exited),
                Phase::Remembered => self.over(&entry.unit),
                Phase::Starting => {}
            }
        }
        self.note(&format!("agent {}", std::process::id()));
        if !missing.is_empty() {
            self.ask(Request::Spawn(missing));
        }
    }

    fn spawned(&self, spawned: &Spawned) {
        match &spawned.outcome {
            SpawnOutcome::Started { pid, .. } => self.note(&format!("pid {} {pid}", spawned.unit)),
            failed @ (SpawnOutcome::Failed { .. } | SpawnOutcome::Conflict { .. }) => {
                self.note(&format!("failed {failed:?}"));
            }
        }
    }

    fn exited(&mut self, exited: &Exited) {
        let Status::Code(code) = exited.status else {
            return self.note(&format!("failed {exited:?}"));
        };
        self.note(&format!("exit {} {code}", exited.unit));
        self.ask(Request::Ack(vec![RunRef { unit: exited.unit.clone(), run: exited.run }]));
        self.over(&exited.unit.clone());
    }

    /// The last one turns the light off.
    fn over(&mut self, unit: &str) {
        if !self.ended.iter().any(|ended| ended == unit) {
            self.ended.push(unit.to_owned());
        }
        if self.ended.len() == PROGRAMS as usize {
            self.ask(Request::Shutdown { programs: Leftover::Kill });
        }
    }

    fn spawn(&self, index: u32) -> Spawn {
        let own = daemon::own_program().unwrap().display().to_string();
        let folder = self.folder.0.display().to_string();
        Spawn {
            unit: unit_of(index),
            run: 1,
            spec_hash: "one".into(),
            memo: String::new(),
            command: vec![own, "program".into(), folder, index.to_string()],
            directory: None,
            environment: Environment::default(),
            logs: Logs {
                directory: self.folder.logs_of(&unit_of(index)).display().to_string(),
                streams: Streams::Joined,
                max_size: 0,
                every_s: 0,
                on_full: OnFull::Block,
            },
            scope: Scope::Tree,
            files: None,
            session: false,
            share: Share::default(),
            listen: Vec::new(),
            input: None,
            lost: Lost::Forgotten,
        }
    }

    /// One call for one line: a kill never tears it.
    fn note(&self, fact: &str) {
        let file = OpenOptions::new().append(true).create(true).open(self.folder.facts());
        file.unwrap().write_all(format!("{fact}\n").as_bytes()).unwrap();
    }
}

pub(crate) fn unit_of(index: u32) -> String {
    format!("p{index}")
}
