//! Clients of the control API, on their way to the agent.
//!
//! Where a listener can be shared, each agent gets it, and the system's queue holds whoever comes
//! while there is none. Elsewhere the keeper accepts: a client is handed over, and kept until the
//! agent says that it has it, so that one agent more or less loses nobody who still waits.
//!
//! A client to whom an agent has begun to listen is lost with that agent: its pipe is bound to the
//! agent's way of waiting for life, and what it has asked for may have been read.

use std::{collections::VecDeque, io, path::Path, time::Duration};

use mainstay_platform::{
    descriptor::{Borrowed, Descriptor},
    door::{CAN_BE_SHARED, Door},
    port::Port,
};

use crate::{control::token, entrance::Entrance};

/// So many clients may wait for an agent; whoever comes after them is sent away.
const WAITING_MAX: usize = 64;
/// A client that has waited for an agent this long is sent away.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Where clients come.
#[derive(Debug)]
pub(crate) struct Reception {
    way: Way,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
enum Way {
    /// Each agent gets the listener.
    Shared(Door),
    /// We accept ourselves.
    Attended(Entrance),
}

/// A client that no agent has for sure.
#[derive(Debug)]
struct Waiting {
    client: Descriptor,
    until: Duration,
    /// The frame with which it went to the agent.
    told: Option<u64>,
}

impl Reception {
    /// Opens it in the way that the system allows.
    pub(crate) fn open(door: Door, port: &Port) -> io::Result<Self> {
        if CAN_BE_SHARED {
            return Ok(Self { way: Way::Shared(door), waiting: VecDeque::new() });
        }
        Self::attended(door, port)
    }

    fn attended(door: Door, port: &Port) -> io::Result<Self> {
        let door = Entrance::open(door, token::CLIENTS, port)?;
        Ok(Self { way: Way::Attended(door), waiting: VecDeque::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        match &self.way {
            Way::Shared(door) => door.path(),
            Way::Attended(entrance) => entrance.path(),
        }
    }

    /// Lends the listener.
    pub(crate) fn borrow(&self) -> Borrowed<'_> {
        match &self.way {
            Way::Shared(door) => door.borrow(),
            Way::Attended(entrance) => entrance.borrow(),
        }
    }

    /// Returns another descriptor of the listener, where it can be shared.
    pub(crate) fn listener(&self) -> Option<io::Result<Descriptor>> {
        match &self.way {
            Way::Shared(door) => Some(door.duplicate()),
            Way::Attended(_) => None,
        }
    }

    /// Lets in whoever has come.
    pub(crate) fn receive(&mut self, now: Duration) {
        let Way::Attended(entrance) = &mut self.way else { return };
        while let Some(client) = entrance.next_untouched(now) {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push_back(Waiting { client, until: now + WAIT_MAX, told: None });
            }
        }
    }

    /// Returns a client for the agent, which is told of it with this frame.
    pub(crate) fn hand_over_next(&mut self, told: u64) -> Option<io::Result<Descriptor>> {
        let index = self.waiting.iter().position(|waiting| waiting.told.is_none())?;
        let duplicate = self.waiting.get(index)?.client.try_clone();
        if duplicate.is_ok() {
            self.waiting.get_mut(index)?.told = Some(told);
        } else {
            // Nobody could ever have it.
            self.waiting.remove(index);
        }
        Some(duplicate)
    }

    /// The agent has handled everything up to this frame.
    pub(crate) fn acknowledge(&mut self, handled: u64) {
        self.waiting.retain(|waiting| waiting.told.is_none_or(|told| told > handled));
    }

    /// Another agent has come: whatever the former one has not confirmed goes to this one.
    pub(crate) fn begin_anew(&mut self) {
        self.waiting.iter_mut().for_each(|waiting| waiting.told = None);
    }

    /// Sends away whoever has waited too long.
    pub(crate) fn expire(&mut self, now: Duration) {
        self.waiting.retain(|waiting| now < waiting.until);
    }

    /// Lets callers in again when it is time.
    pub(crate) fn open_if_due(&mut self, port: &Port, now: Duration) {
        if let Way::Attended(entrance) = &mut self.way {
            entrance.open_if_due(port, now);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let opens_at = match &self.way {
            Way::Shared(_) => None,
            Way::Attended(entrance) => entrance.next_deadline(),
        };
        self.waiting.iter().map(|waiting| waiting.until).chain(opens_at).min()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use mainstay_platform::{
        clock,
        door::{Connection, Received},
    };

    use super::*;

    #[test]
    fn a_client_waits_for_an_agent_and_for_the_next_when_the_first_does_not_confirm() {
        let mut desk = Desk::new("waits");
        let client = desk.call();
        assert!(desk.reception.hand_over_next(7).is_some());
        assert!(desk.reception.hand_over_next(8).is_none(), "it goes to an agent once");
        desk.reception.acknowledge(6);
        desk.reception.begin_anew();
        let ours = desk.reception.hand_over_next(3).unwrap().unwrap();
        desk.reception.acknowledge(3);
        assert!(desk.reception.next_deadline().is_none(), "nobody waits any more");
        let peer = Connection::from_descriptor(ours).peer().unwrap();
        assert_eq!(peer.pid, std::process::id());
        drop(client);
    }

    #[test]
    fn at_most_sixty_four_clients_wait_and_none_for_ever() {
        let mut desk = Desk::new("crowd");
        let clients: Vec<Connection> = (0..=WAITING_MAX).map(|_| desk.call()).collect();
        let given = (1..).map_while(|told| desk.reception.hand_over_next(told)).count();
        assert_eq!(given, WAITING_MAX);
        let late = clock::monotonic() + WAIT_MAX + Duration::from_secs(1);
        desk.reception.expire(late);
        assert!(desk.reception.next_deadline().is_none());
        for client in &clients {
            desk.until_sent_away(client);
        }
    }

    /// A reception that is attended whatever the system.
    struct Desk {
        port: Port,
        path: PathBuf,
        reception: Reception,
    }

    impl Desk {
        fn new(name: &str) -> Self {
            let name = format!("mainstay-reception-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let port = Port::new().unwrap();
            let door = Door::open(&path).unwrap();
            let reception = Reception::attended(door, &port).unwrap();
            Self { port, path, reception }
        }

        fn call(&mut self) -> Connection {
            let client = Connection::open(&self.path).unwrap();
            let before = self.reception.waiting.len();
            let until = clock::monotonic() + Duration::from_secs(10);
            loop {
                self.port.wait(Some(Duration::from_millis(100))).unwrap();
                self.reception.receive(clock::monotonic());
                if self.reception.waiting.len() > before || before == WAITING_MAX {
                    return client;
                }
                assert!(clock::monotonic() < until, "nobody comes");
            }
        }

        fn until_sent_away(&mut self, client: &Connection) {
            let until = clock::monotonic() + Duration::from_secs(10);
            while client.receive(&mut Vec::new(), &mut Vec::new()).unwrap() != Received::Closed {
                self.port.wait(Some(Duration::from_millis(1))).unwrap();
                self.reception.receive(clock::monotonic());
                assert!(clock::monotonic() < until, "it still waits");
            }
        }
    }

    impl Drop for Desk {
        fn drop(&mut self) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}
