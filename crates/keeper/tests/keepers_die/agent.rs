//! An agent that asks one thing after the other and holds nothing for its keeper.

use std::{collections::VecDeque, path::Path};

use mainstay_api::keeper::{
    Environment, Framer, Hello, Leftover, Logs, Lost, OnFull, PROTOCOL, Report, ReportFrame,
    Request, RequestFrame, Scope, Share, Spawn, SpawnOutcome, Status, Streams, encode,
};
use mainstay_platform::{
    clock, daemon,
    door::{Connection, Received},
    port::{Port, Token, Watched},
};

use super::{SOON, door, wait_until};

pub(crate) struct Agent {
    connection: Watched<Connection>,
    port: Port,
    framer: Framer,
    /// What was said and nobody waited for.
    unheard: VecDeque<Report>,
    id: u64,
}

impl Agent {
    pub(crate) fn connect(folder: &Path) -> Self {
        let mut connection = None;
        wait_until("the keeper listens", || {
            connection = Connection::open(&door(folder)).ok();
            connection.is_some()
        });
        let port = Port::new().unwrap();
        let connection = port.watch(connection.unwrap(), Token(1)).unwrap();
        let (framer, unheard) = (Framer::default(), VecDeque::new());
        let mut agent = Self { connection, port, framer, unheard, id: 0 };
        let (protocol, pid) = (PROTOCOL, std::process::id());
        agent.ask(Request::Hello(Hello { protocol, version: "test".into(), pid }));
        agent.wait(|report| matches!(report, Report::Welcome(_)).then_some(()));
        agent
    }

    pub(crate) fn ask(&mut self, request: Request) {
        self.id += 1;
        let mut bytes = Vec::new();
        encode(&RequestFrame { id: self.id, request }, &mut bytes).unwrap();
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += self.connection.send(rest, &[]).unwrap();
        }
    }

    /// Returns what is wanted of the first report that has it.
    pub(crate) fn wait<T>(&mut self, wanted: impl Fn(Report) -> Option<T>) -> T {
        let until = clock::monotonic() + SOON;
        loop {
            let found = self.unheard.iter().position(|report| wanted(report.clone()).is_some());
            if let Some(report) = found.and_then(|index| self.unheard.remove(index))
                && let Some(wanted) = wanted(report)
            {
                return wanted;
            }
            assert!(clock::monotonic() < until, "the keeper did not say it: {:?}", self.unheard);
            self.listen();
        }
    }

    fn listen(&mut self) {
        let (mut bytes, mut handles) = (Vec::new(), Vec::new());
        match self.connection.receive(&mut bytes, &mut handles).unwrap() {
            Received::Bytes(_) => self.framer.feed(&bytes),
            Received::Closed => panic!("the keeper is gone"),
            Received::Empty => drop(self.port.wait(Some(SOON)).unwrap().len()),
        }
        while let Some(frame) = self.framer.next::<ReportFrame>().unwrap() {
            self.unheard.push_back(frame.report);
            self.ask(Request::Next { at_us: None, handled: frame.sequence });
        }
    }

    /// Starts a copy of this binary; returns its number.
    pub(crate) fn start(&mut self, folder: &Path, unit: &str, words: &[&str]) -> u32 {
        let own = daemon::own_program().unwrap().display().to_string();
        let words = words.iter().map(|word| (*word).to_owned());
        let spawn = Spawn {
            unit: unit.to_owned(),
            run: 1,
            spec_hash: "one".into(),
            memo: String::new(),
            command: [own].into_iter().chain(words).collect(),
            directory: None,
            environment: Environment::default(),
            logs: Logs {
                directory: folder.join("logs").display().to_string(),
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
        };
        self.ask(Request::Spawn(vec![spawn]));
        let outcome = self.wait(|report| match report {
            Report::Spawned(mut all) => all.pop().map(|spawned| spawned.outcome),
            _ => None,
        });
        let SpawnOutcome::Started { pid, .. } = outcome else { panic!("{outcome:?}") };
        pid
    }

    pub(crate) fn wait_for_exit(&mut self, unit: &str) -> Status {
        self.wait(|report| match report {
            Report::Exited(all) => all.into_iter().find(|one| one.unit == unit),
            _ => None,
        })
        .status
    }

    pub(crate) fn shut_down(&mut self) {
        self.ask(Request::Shutdown { programs: Leftover::Kill });
    }
}
