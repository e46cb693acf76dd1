//! What is kept of logs: closed segments are compressed, and deleted once they are too many, too old
//! or too much.
//!
//! ```text
//!  rotated, configured, hourly ──► sweeper ──delete──► segments
//!                                     └────────► compressor (idle) ──► segments
//! ```
//!
//! One thread deletes, at once: a log that grows faster than it is thinned fills the disk. Another
//! compresses when nobody needs the machine. Neither holds the loop or the clerk up. Besides them
//! only a keeper whose disk is full deletes (`on-full = "drop-oldest"`). There is no state but the
//! names of the files: whoever comes after a death sees what is left to do. What is kept of services
//! that have left the configuration is nowhere else, so it is written down.

mod belief;
mod compressor;
mod former;
mod rules;
mod sweeper;
mod tally;

use std::{
    collections::BTreeMap,
    io,
    sync::mpsc::{self, SyncSender},
    thread,
    time::Duration,
};

use mainstay_api::{
    config::{Compress, Config, ServiceConfig},
    keeper::Request,
};
use mainstay_core::{ServiceName, UnitName};
use mainstay_storage::{instance::Instance, segment::ChainFiles};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    daemon::Agent,
    events::{Happening, Level},
};

use compressor::Compressor;
use rules::Limits;
use sweeper::{Order, Sweeper};
use tally::Deleted;

/// So many orders may wait; what more is left undone is found at the next rotation.
const ORDERS_MAX: usize = 1024;

/// What is kept of the logs of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Policy {
    limits: Limits,
    compress: Compress,
    /// A live segment holds lines of such a span.
    every: Duration,
}

/// What each service asks for.
type Policies = BTreeMap<ServiceName, Policy>;

/// The way to the threads and back.
#[derive(Debug)]
pub(crate) struct Retention {
    orders: SyncSender<Order>,
    said: UnboundedReceiver<Said>,
    policies: Policies,
}

/// What they have to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Deleted {
        service: ServiceName,
        deleted: Deleted,
    },
    NotCompressed {
        file: String,
        why: String,
    },
    /// The lines of a live segment are all too old.
    Silent {
        unit: UnitName,
    },
    /// Nothing is deleted for its age for a while.
    ClockJumped,
}

impl Retention {
    /// Starts the threads; they end with this value.
    pub(crate) fn start(instance: &Instance) -> io::Result<Self> {
        let (orders, inbox) = mpsc::sync_channel(ORDERS_MAX);
        // A message for each service and hour, and one for each segment that cannot be compressed.
        let (teller, said) = unbounded_channel();
        let (chains, compressed) = mpsc::sync_channel(ORDERS_MAX);
        let compressor = Compressor::new(compressed, teller.clone());
        thread::Builder::new().name("compressor".to_owned()).spawn(move || compressor.work())?;
        let sweeper = Sweeper::new(instance, inbox, chains, teller);
        thread::Builder::new().name("sweeper".to_owned()).spawn(move || sweeper.work())?;
        Ok(Self { orders, said, policies: Policies::new() })
    }

    /// Takes over what a configuration asks for.
    pub(crate) fn apply(&mut self, config: &Config) {
        let policy = |service: &ServiceConfig| Policy {
            limits: Limits::from(&service.logs),
            compress: service.logs.compress,
            every: service.logs.every,
        };
        let all = config.services.iter().map(|(name, service)| (name.clone(), policy(service)));
        let policies: Policies = all.collect();
        if policies != self.policies && self.orders.try_send(Order::Keep(policies.clone())).is_ok()
        {
            self.policies = policies;
        }
    }

    /// A segment of a unit's log was closed.
    pub(crate) fn rotated(&self, unit: &UnitName, chain: ChainFiles) {
        drop(self.orders.try_send(Order::Rotated { service: unit.service.clone(), chain }));
    }

    /// A segment of a command's log was closed, of which so many closed ones are kept.
    pub(crate) fn thin(&self, chain: ChainFiles, keep: usize) {
        drop(self.orders.try_send(Order::Thin { chain, keep }));
    }

    /// Waits for the next thing that is to be told; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Said> {
        self.said.recv().await
    }
}

impl Agent {
    /// Tells what became of logs.
    pub(crate) fn retained(&mut self, said: &Said) {
        let (level, event, text) = match said {
            Said::Silent { unit } => {
                self.ask_keeper(Request::Rotate(vec![unit.to_string()]));
                return;
            }
            Said::Deleted { service, deleted } => {
                (Level::Info, "LogsDeleted", deleted.words(service))
            }
            Said::NotCompressed { file, why } => {
                let text = format!("`{file}` stays as it is, it cannot be compressed: {why}");
                (Level::Warn, "LogNotCompressed", text)
            }
            Said::ClockJumped => {
                let text = "the clock has jumped; for a day nothing is deleted by `keep-for`";
                (Level::Warn, "ClockJumped", text.to_owned())
            }
        };
        self.events.tell(Happening::of_instance(level, event, text));
    }
}
