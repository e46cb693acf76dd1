//! The network, watched while a service asks for it and no longer.

use std::io;

use mainstay_core::Input;
use mainstay_platform::network::{self, Watch};

use crate::{
    daemon::Agent,
    events::{Happening, Level},
};

/// What is known of the network.
#[derive(Debug, Default)]
pub(crate) struct Network {
    watch: Option<Watch>,
    /// What the core was told last.
    told: Option<Reach>,
}

/// Whether the machine is on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Up,
    Down,
    /// Nobody can tell: it counts as there.
    Unknown,
}

impl Network {
    /// Waits until something may have changed; for ever while nobody asks for the network.
    pub(crate) async fn stirred(&mut self) -> io::Result<()> {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Returns what is known, if anybody asks for it.
    pub(crate) const fn reach(&self) -> Option<Reach> {
        self.told
    }
}

impl Agent {
    /// Begins to watch the network, or ends that, as the configuration asks for it.
    pub(crate) fn attend_network(&mut self) {
        if !self.config.services.values().any(|service| service.needs_network) {
            self.network = Network::default();
        } else if self.network.watch.is_none() {
            match Watch::begin() {
                Ok(watch) => {
                    self.network.watch = Some(watch);
                    self.look_at_network();
                }
                Err(error) => self.network_unknown(&error),
            }
        }
    }

    /// Something about addresses or routes has changed.
    pub(crate) fn network_stirred(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.look_at_network(),
            Err(error) => self.network_unknown(&error),
        }
    }

    fn look_at_network(&mut self) {
        match network::is_up() {
            Ok(true) => self.tell_network(Reach::Up),
            Ok(false) => self.tell_network(Reach::Down),
            Err(error) => self.network_unknown(&error),
        }
    }

    /// Nobody waits for what nobody will ever say.
    fn network_unknown(&mut self, error: &io::Error) {
        self.network.watch = None;
        let message = format!("cannot watch the network: {error}; it counts as there");
        self.events.tell(Happening::of_instance(Level::Warn, "NetworkUnwatched", message));
        self.tell_network(Reach::Unknown);
    }

    fn tell_network(&mut self, reach: Reach) {
        let former = self.network.told.replace(reach);
        if former == Some(reach) {
            return;
        }
        let trace = self.supervisor.next_trace();
        let told = match reach {
            Reach::Up => Some(("NetworkFound", "the machine has an address with a route")),
            Reach::Down => Some(("NetworkLost", "the machine has no address with a route")),
            Reach::Unknown => None,
        };
        if let Some((what, message)) = told {
            let happening = Happening::of_instance(Level::Info, what, message.to_owned());
            self.events.tell(Happening { trace, ..happening });
        }
        self.take(Input::Network { up: reach != Reach::Down });
    }
}
