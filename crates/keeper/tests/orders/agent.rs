//! An agent that asks one thing after the other, and sends and takes descriptors.

use std::collections::VecDeque;

use mainstay_api::keeper::{
    Environment, Exited, Framer, Hello, Leftover, Logs, Lost, OnFull, PROTOCOL, Phase, Report,
    ReportFrame, Request, RequestFrame, Scope, Share, Spawn, SpawnOutcome, StoreEntry, Streams,
    encode,
};
use mainstay_platform::{
    clock, daemon,
    descriptor::{Descriptor, borrow},
    door::{Connection, Received},
    port::{Port, Token, Watched},
};

use super::{Folder, SOON, wait_until};

const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

pub(crate) struct Agent {
    connection: Watched<Connection>,
    port: Port,
    framer: Framer,
    /// What was said and nobody waited for.
    unheard: VecDeque<Report>,
    riders: VecDeque<Descriptor>,
    id: u64,
}

impl Agent {
    pub(crate) fn connect(folder: &Folder) -> Self {
        Self::connect_as(folder, PROTOCOL)
    }

    /// Speaks as an agent of this version.
    pub(crate) fn connect_as(folder: &Folder, protocol: u32) -> Self {
        let mut connection = None;
        wait_until("the keeper listens", || {
            connection = Connection::open(&folder.door()).ok();
            connection.is_some()
        });
        let port = Port::new().unwrap();
        let connection = port.watch(connection.unwrap(), Token(1)).unwrap();
        let (framer, unheard, riders) = (Framer::default(), VecDeque::new(), VecDeque::new());
        let mut agent = Self { connection, port, framer, unheard, riders, id: 0 };
        let (version, pid) = ("test".to_owned(), std::process::id());
        agent.ask(Request::Hello(Hello { protocol, version, pid }));
        agent.wait(|report| matches!(report, Report::Welcome(_)).then_some(()));
        agent
    }

    /// Waits until the keeper has heard everything that was sent so far: it hears a caller that it
    /// refuses only then.
    pub(crate) fn is_heard(folder: &Folder) {
        let connection = Connection::open(&folder.door()).unwrap();
        let mut bytes = Vec::new();
        encode(&RequestFrame { id: 1, request: Request::List }, &mut bytes).unwrap();
        assert_eq!(connection.send(&bytes, &[]).unwrap(), bytes.len());
        wait_until("a caller is refused", || {
            let received = connection.receive(&mut Vec::new(), &mut Vec::new()).unwrap();
            matches!(received, Received::Bytes(_))
        });
    }

    /// Hands over to an agent of this version. The former one hangs up only then: whoever hangs up
    /// while a keeper speaks is killed.
    pub(crate) fn replaced_by(self, folder: &Folder, protocol: u32) -> Self {
        let next = Self::connect_as(folder, protocol);
        drop(self);
        next
    }

    pub(crate) fn ask(&mut self, request: Request) {
        self.ask_with(request, &[]);
    }

    pub(crate) fn ask_with(&mut self, request: Request, riders: &[Descriptor]) {
        let bytes = self.frame(request);
        self.send(&bytes, riders);
    }

    /// Returns a request as it travels.
    pub(crate) fn frame(&mut self, request: Request) -> Vec<u8> {
        self.id += 1;
        let mut bytes = Vec::new();
        encode(&RequestFrame { id: self.id, request }, &mut bytes).unwrap();
        bytes
    }

    pub(crate) fn send(&self, bytes: &[u8], riders: &[Descriptor]) {
        let mut riding: Vec<_> = riders.iter().map(borrow).collect();
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            let now = self.connection.send(rest, &riding).unwrap();
            sent += now;
            if now > 0 {
                riding.clear();
            }
        }
    }

    /// Returns what is wanted of the first report that has it.
    pub(crate) fn wait<T>(&mut self, wanted: impl Fn(&Report) -> Option<T>) -> T {
        let until = clock::monotonic() + SOON;
        loop {
            let found =
                self.unheard.iter().enumerate().find_map(|(at, one)| Some((at, wanted(one)?)));
            if let Some((at, wanted)) = found {
                self.unheard.remove(at);
                return wanted;
            }
            assert!(clock::monotonic() < until, "the keeper did not say it: {:?}", self.unheard);
            self.listen();
        }
    }

    fn listen(&mut self) {
        let (mut bytes, mut riders) = (Vec::new(), Vec::new());
        match self.connection.receive(&mut bytes, &mut riders).unwrap() {
            Received::Bytes(_) => self.framer.feed(&bytes),
            Received::Closed => panic!("the keeper is gone"),
            Received::Empty => drop(self.port.wait(Some(LOOK)).unwrap().len()),
        }
        self.riders.extend(riders);
        while let Some(frame) = self.framer.next::<ReportFrame>().unwrap() {
            self.hear(frame.report);
            self.ask(Request::Next { at_us: None, handled: frame.sequence });
        }
    }

    /// The listener rides along for agents that serve clients: this one does not.
    fn hear(&mut self, report: Report) {
        match report {
            Report::Listener | Report::Client => drop(self.riders.pop_front()),
            // One each: they are waited for one by one.
            Report::Exited(all) => {
                self.unheard.extend(all.into_iter().map(|one| Report::Exited(vec![one])));
            }
            report => self.unheard.push_back(report),
        }
    }

    /// Returns what is stored, as a new agent is told, with the descriptors.
    pub(crate) fn stored(&mut self) -> Vec<(StoreEntry, Descriptor)> {
        self.running();
        let mut all = Vec::new();
        for report in std::mem::take(&mut self.unheard) {
            if let Report::Stored { entries } = report {
                let riders = self.riders.drain(..entries.len());
                all.extend(entries.into_iter().zip(riders));
            } else {
                self.unheard.push_back(report);
            }
        }
        all
    }

    /// Stores descriptors; returns why each was refused.
    pub(crate) fn store(
        &mut self,
        entries: &[StoreEntry],
        riders: &[Descriptor],
    ) -> Vec<Option<String>> {
        self.ask_with(Request::Store(entries.to_vec()), riders);
        self.wait(|report| match report {
            Report::Deposited(all) => Some(all.iter().map(|one| one.refused.clone()).collect()),
            _ => None,
        })
    }

    pub(crate) fn spawn(&mut self, spawn: Spawn) -> SpawnOutcome {
        self.ask(Request::Spawn(vec![spawn]));
        self.wait(|report| match report {
            Report::Spawned(all) => all.first().map(|spawned| spawned.outcome.clone()),
            _ => None,
        })
    }

    /// Starts a program that must start; returns its number.
    pub(crate) fn start(&mut self, spawn: Spawn) -> u32 {
        match self.spawn(spawn) {
            SpawnOutcome::Started { pid, .. } => pid,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn exit_of(&mut self, unit: &str) -> Exited {
        self.wait(|report| match report {
            Report::Exited(all) => all.iter().find(|one| one.unit == unit).cloned(),
            _ => None,
        })
    }

    /// Returns units that run, with the numbers of their main processes.
    pub(crate) fn running(&mut self) -> Vec<(String, u32)> {
        self.ask(Request::List);
        self.wait(|report| match report {
            Report::Listed { entries, .. } => Some(
                entries
                    .iter()
                    .filter_map(|entry| match entry.phase {
                        Phase::Running { pid, .. } => Some((entry.unit.clone(), pid)),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => None,
        })
    }

    pub(crate) fn has_heard_of_an_exit(&mut self) -> bool {
        self.running();
        self.unheard.iter().any(|report| matches!(report, Report::Exited(_)))
    }

    pub(crate) fn upgrade(&mut self) {
        let program = daemon::own_program().unwrap().display().to_string();
        self.ask(Request::Upgrade { program });
        self.wait(|report| match report {
            Report::Upgraded(_) => Some(()),
            Report::Refused { reason } => panic!("{reason}"),
            _ => None,
        });
    }

    pub(crate) fn shut_down(&mut self) {
        self.ask(Request::Shutdown { programs: Leftover::Kill });
    }
}

/// Returns the order to start a command.
pub(crate) fn order(folder: &Folder, unit: &str, command: &[&str]) -> Spawn {
    Spawn {
        unit: unit.to_owned(),
        run: 1,
        spec_hash: "one".into(),
        memo: String::new(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        directory: None,
        environment: Environment::default(),
        logs: Logs {
            directory: folder.logs_of(unit).display().to_string(),
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
