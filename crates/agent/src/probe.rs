//! Looks at programs: over HTTP, HTTPS and TCP, at files, logs and memory.
//!
//! ```text
//!  core ── Probe ──► begin ──► a task on one thread ──► (key, outcome)
//!       ── Abandon ► abandon ─► dropped at once, with its connection
//! ```
//!
//! All looks share one thread; what may block (names, files, certificates, logs, memory) is done on a few more,
//! so few for each kind that a mount that hangs stalls only looks of its kind. Waiting for one of
//! ours is never held against a program: that look has no verdict. So has one for which this
//! machine lacks descriptors or memory. How long a look may take is the core's business.

mod connect;
mod curt;
mod file;
mod http;
mod log;
mod pool;
mod tls;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use mainstay_api::{
    config::{Look, Scheme},
    keeper::Streams,
};
use mainstay_core::{
    UnitName,
    input::{Outcome, Probe},
};
use mainstay_platform::{shortage::is_shortage, usage};
use tokio::{
    runtime::Builder,
    sync::{
        Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel},
    },
    task::{self, AbortHandle, JoinSet},
};

use pool::{Pool, Pools};
use tls::Clients;

/// So many connections are open at a time; the others wait for their turn.
pub const CONNECTIONS_MAX: usize = 256;
/// A look waits no longer than this for its turn.
const TURN_WITHIN_MAX: Duration = Duration::from_secs(1);

/// Names one look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbeKey {
    /// The unit.
    pub unit: UnitName,
    /// The run.
    pub run: u64,
    /// The look, as the core asked for it.
    pub probe: Probe,
}

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the configuration says.
    pub look: Look,
    /// The run's main process.
    pub pid: u32,
    /// The folder of the unit's log, and what is in it.
    pub logs: (PathBuf, Streams),
    /// The longest pause between two looks into a log.
    pub every: Duration,
    /// How long the look may take: a quarter of it, at most, is spent on waiting for its turn.
    pub patience: Duration,
}

/// What a look has shown.
pub type Seen = (ProbeKey, Outcome);

/// Looks at programs. What it has seen comes out of the receiver that it is born with.
#[derive(Debug)]
pub struct Prober {
    results: UnboundedSender<Seen>,
    /// Nothing until somebody asks: whoever has no checks has no thread for them.
    orders: Option<UnboundedSender<Order>>,
}

/// What is asked of the thread.
#[derive(Debug)]
enum Order {
    Begin(ProbeKey, Box<Ask>),
    Abandon(ProbeKey),
    /// A look has come to its end.
    Over(ProbeKey, task::Id),
}

/// Why a look did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Miss {
    /// It saw that all is not well.
    Bad(String),
    /// It could not see.
    Blind(String),
}

type Sight = Result<(), Miss>;

impl Prober {
    /// Returns a prober and where its results come out.
    pub fn new() -> (Self, UnboundedReceiver<Seen>) {
        let (results, seen) = unbounded_channel();
        (Self { results, orders: None }, seen)
    }

    /// Begins a look; its result follows, unless it is abandoned.
    pub fn begin(&mut self, key: ProbeKey, ask: Ask) {
        if let Err(error) = self.order(Order::Begin(key.clone(), Box::new(ask))) {
            let reason = format!("there is no thread to look from: {error}");
            // Nobody hears it when the agent is about to end.
            drop(self.results.send((key, Outcome::Unknown(reason))));
        }
    }

    /// Drops a look, wherever it is; one that is over is none.
    pub fn abandon(&mut self, key: ProbeKey) {
        if let Some(orders) = &self.orders {
            drop(orders.send(Order::Abandon(key)));
        }
    }

    fn order(&mut self, order: Order) -> io::Result<()> {
        let orders = match self.orders.take().filter(|orders| !orders.is_closed()) {
            Some(orders) => orders,
            None => begin_thread(self.results.clone())?,
        };
        let sent = orders.send(order);
        self.orders = Some(orders);
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn begin_thread(results: UnboundedSender<Seen>) -> io::Result<UnboundedSender<Order>> {
    let (orders, inbox) = unbounded_channel();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(pool::THREADS_MAX)
        .thread_name("probe")
        .build()?;
    let own = orders.downgrade();
    let body = move || {
        runtime.block_on(serve(inbox, own, results));
        // Not waited for: what hangs may hang for ever.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("probes".to_owned()).spawn(body)?;
    Ok(orders)
}

async fn serve(
    mut inbox: UnboundedReceiver<Order>,
    own: WeakUnboundedSender<Order>,
    results: UnboundedSender<Seen>,
) {
    let mut desk = Desk::new();
    let mut under_way: BTreeMap<ProbeKey, AbortHandle> = BTreeMap::new();
    while let Some(order) = inbox.recv().await {
        match order {
            Order::Begin(key, ask) => {
                let look = desk.look(&key, *ask);
                let told = tell(key.clone(), look, own.clone(), results.clone());
                let task = tokio::spawn(told).abort_handle();
                if let Some(former) = under_way.insert(key, task) {
                    former.abort();
                }
            }
            Order::Abandon(key) => {
                if let Some(task) = under_way.remove(&key) {
                    task.abort();
                }
            }
            Order::Over(key, id) => {
                if under_way.get(&key).is_some_and(|task| task.id() == id) {
                    under_way.remove(&key);
                }
                desk.tidy();
            }
        }
    }
}

/// Waits for a look, tells what it has seen, and that it is over. A look that breaks has seen
/// nothing.
async fn tell(
    key: ProbeKey,
    look: impl Future<Output = Sight> + Send + 'static,
    orders: WeakUnboundedSender<Order>,
    results: UnboundedSender<Seen>,
) {
    // Ends with its set when this task is abandoned.
    let mut set = JoinSet::new();
    set.spawn(look);
    let outcome = match set.join_next().await {
        Some(Ok(sight)) => outcome_of(sight),
        Some(Err(_)) | None => Outcome::Unknown("the look broke off".to_owned()),
    };
    drop(results.send((key.clone(), outcome)));
    if let Some(orders) = orders.upgrade() {
        drop(orders.send(Order::Over(key, task::id())));
    }
}

fn outcome_of(sight: Sight) -> Outcome {
    match sight {
        Ok(()) => Outcome::Passed,
        Err(Miss::Bad(reason)) => Outcome::Failed(reason),
        Err(Miss::Blind(reason)) => Outcome::Unknown(reason),
    }
}

/// What all looks share.
struct Desk {
    connections: Arc<Semaphore>,
    pools: Arc<Pools>,
    clients: Arc<Clients>,
    /// Who looks at which file: one at a time.
    gates: HashMap<String, Weak<Semaphore>>,
    /// With so many gates, those that nobody uses any more are forgotten.
    gates_max: usize,
}

impl Desk {
    fn new() -> Self {
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let (pools, clients) = (Arc::default(), Arc::default());
        Self { connections, pools, clients, gates: HashMap::new(), gates_max: 64 }
    }

    /// Returns a look that is ready to begin.
    fn look(&mut self, key: &ProbeKey, ask: Ask) -> impl Future<Output = Sight> + Send + use<> {
        let (connections, pools) = (Arc::clone(&self.connections), Arc::clone(&self.pools));
        let clients = Arc::clone(&self.clients);
        let gate = file_of(&ask.look).map(|path| self.gate(path));
        let (unit, run) = (key.unit.clone(), key.run);
        async move {
            let turn = ask.turn();
            match &ask.look {
                Look::Http(http) => {
                    let certificates = &pools.certificates;
                    let reader = tls::Reader { certificates, gate, within: turn };
                    let client = match http.url.scheme {
                        Scheme::Https => Some(clients.client(http, reader).await?),
                        Scheme::Http => None,
                    };
                    let _turn = pool::turn(&connections, turn, "connections").await?;
                    http::ask(http, client, &pools, turn).await
                }
                Look::Tcp(address) => {
                    let _turn = pool::turn(&connections, turn, "connections").await?;
                    connect::to(address, &pools.names, turn).await.map(drop)
                }
                Look::File(file) => file::look(file, &pools.files, (gate, ask.patience)).await,
                Look::Log(pattern) => log::follow(&ask, (&unit, run), pattern, &pools.logs).await,
                Look::Memory(max) => memory((ask.pid, *max), &pools.memory, ask.patience).await,
                Look::Exec(_) | Look::Heartbeat => {
                    Err(Miss::Blind("it is not looked at from here".to_owned()))
                }
            }
        }
    }

    fn gate(&mut self, path: &str) -> Arc<Semaphore> {
        if let Some(gate) = self.gates.get(path).and_then(Weak::upgrade) {
            return gate;
        }
        let gate = Arc::new(Semaphore::new(1));
        self.gates.insert(path.to_owned(), Arc::downgrade(&gate));
        gate
    }

    fn tidy(&mut self) {
        if self.gates.len() > self.gates_max {
            self.gates.retain(|_, gate| gate.strong_count() > 0);
            self.gates_max = (self.gates.len() * 2).max(64);
        }
    }
}

/// Returns the file that a look reads by itself.
fn file_of(look: &Look) -> Option<&str> {
    match look {
        Look::File(file) => Some(&file.path),
        Look::Http(http) => http.tls.ca_file.as_deref(),
        Look::Tcp(_) | Look::Log(_) | Look::Exec(_) | Look::Memory(_) | Look::Heartbeat => None,
    }
}

impl Ask {
    /// Returns how long to wait for a turn: what is left is the program's.
    fn turn(&self) -> Duration {
        (self.patience / 4).min(TURN_WITHIN_MAX)
    }
}

/// Looks whether a run takes more memory than it may.
async fn memory((pid, max): (u32, u64), pool: &Pool, patience: Duration) -> Sight {
    let bytes = pool.run(patience * 3 / 4, move || usage::of_tree(pid)).await?;
    match bytes {
        Ok(bytes) if bytes <= max => Ok(()),
        Ok(bytes) => {
            Err(Miss::Bad(format!("it has {} of memory, more than {}", size(bytes), size(max))))
        }
        Err(error) => Err(Miss::Blind(format!("cannot tell its memory: {error}"))),
    }
}

/// Returns a size for people.
fn size(bytes: u64) -> String {
    let mib = bytes / (1024 * 1024);
    if mib > 0 { format!("{mib} MiB") } else { format!("{} KiB", bytes / 1024) }
}

impl Miss {
    /// A shortage of ours says nothing about whoever was looked at.
    fn of(what: &str, error: &io::Error) -> Self {
        let reason = format!("{what}: {error}");
        if is_shortage(error) { Self::Blind(reason) } else { Self::Bad(reason) }
    }
}
