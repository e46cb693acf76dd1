//! Names: asked of the system, and of DNS servers of our own where it fails or takes long.
//!
//! A machine whose resolver is dead, or is a router that was just unplugged, still finds its
//! providers. When nobody answers at all, what was found last within a day has to do.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    task,
    time::{self, Instant},
};

use crate::{
    address::Family,
    dns::{self, Kind, Question, Rcode},
    wire::{NetworkError, Request, Way},
};

use super::{
    Network, dial,
    race::{Try, race},
    seconds,
};

/// The servers that are asked where none is configured: some are reached from China, some from
/// everywhere else, and some over IPv6 alone.
pub const BUILT_IN: [SocketAddr; 7] = [
    server(IpAddr::V4(Ipv4Addr::new(223, 5, 5, 5))),
    server(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))),
    server(IpAddr::V4(Ipv4Addr::new(119, 29, 29, 29))),
    server(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))),
    server(IpAddr::V6(Ipv6Addr::new(0x2400, 0x3200, 0, 0, 0, 0, 0, 1))),
    server(IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111))),
    server(IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9))),
];

/// So long the system is asked alone.
const SYSTEM_ALONE: Duration = Duration::from_millis(1500);
/// So long one server is asked before the next is, too.
const NEXT_AFTER: Duration = Duration::from_millis(300);
/// So long nobody waits for a system that was too slow or wrong.
const SLOW_FOR: Duration = seconds(60);
/// So long the system is waited for at all.
const SYSTEM_WITHIN: Duration = seconds(10);
/// So many threads may hang in the system's resolver.
const THREADS_MAX: usize = 4;
/// So long, and so many names, what was found is kept for the day when nobody answers.
const KEPT_FOR: Duration = seconds(24 * 3600);
const KEPT_MAX: usize = 256;

/// Asks the system; may take long.
type System = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// Finds the addresses of names.
pub(super) struct Resolver {
    system: System,
    threads: Arc<Semaphore>,
    servers: Vec<SocketAddr>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Until then the system is not waited for.
    slow_until: Option<Instant>,
    /// What was found last, and when.
    found: BTreeMap<String, Finding>,
}

/// What was found, and when.
type Finding = (Instant, Vec<IpAddr>);

/// What was found, and by whom.
type Found = (Finder, Vec<IpAddr>);

/// Which addresses are of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) family: Option<Family>,
    pub(super) answers: Answers,
}

/// Whether any answer will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// It will.
    Any,
    /// Not an address that a proxy on this machine or the router has made up (198.18.0.0/15): what
    /// it leads to sees the proxy's address, and not ours.
    Real,
}

/// Who has found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finder {
    System,
    Server,
}

impl Want {
    /// Whatever there is.
    pub(super) const ANY: Self = Self { family: None, answers: Answers::Any };

    /// Returns what a request needs.
    pub(super) fn of(request: &Request) -> Self {
        let answers = match request.way {
            Way::Configured => Answers::Any,
            Way::Direct => Answers::Real,
        };
        Self { family: request.family, answers }
    }

    /// Returns what is of use, or why nothing is.
    fn fit(self, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, String> {
        let is_meant = |it: &IpAddr| self.family.is_none_or(|family| Family::of(*it) == family);
        let meant: Vec<IpAddr> = found.into_iter().filter(is_meant).collect();
        if meant.is_empty() {
            return Err(match self.family {
                Some(family) => format!("there is no address of {family}"),
                None => "there is no address".to_owned(),
            });
        }
        let count = meant.len();
        let real: Vec<IpAddr> = meant
            .into_iter()
            .filter(|it| self.answers == Answers::Any || !is_made_up(*it))
            .collect();
        if real.is_empty() {
            return Err(format!(
                "{count} made up by a proxy (198.18.0.0/15), such as Clash's fake-ip"
            ));
        }
        Ok(real)
    }
}

impl Resolver {
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        let servers = if servers.is_empty() { &BUILT_IN } else { servers };
        Self::with(Arc::new(ask_system), servers)
    }

    /// Resolves by another system than this one.
    pub(super) fn with(system: System, servers: &[SocketAddr]) -> Self {
        let threads = Arc::new(Semaphore::new(THREADS_MAX));
        Self { system, threads, servers: servers.to_vec(), memory: Mutex::default() }
    }

    /// Returns the servers that are asked beside the system.
    pub(super) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Returns the addresses of a name, those first that are to be tried first.
    pub(super) async fn resolve(
        &self,
        network: &Network,
        name: &str,
        want: Want,
    ) -> Result<Vec<IpAddr>, NetworkError> {
        let unresolved = |why: String| NetworkError::Resolve { name: name.to_owned(), why };
        if let Some(known) = literal(name) {
            // Whoever writes an address means it.
            return Want { answers: Answers::Any, ..want }.fit(known).map_err(unresolved);
        }
        let mut attempts = vec![self.by_system(name, want)];
        attempts
            .extend(self.servers.iter().map(|it| by_server(network.clone(), *it, (name, want))));
        match race(attempts, self.patience(), NEXT_AFTER).await {
            Ok((finder, found)) => {
                self.remember(name, finder, &found);
                Ok(found)
            }
            Err(failures) => {
                let known = self.known(name).and_then(|known| want.fit(known).ok());
                known.ok_or_else(|| unresolved(dial::told(&failures)))
            }
        }
    }

    /// Asks the system on a thread that may hang. Many names that are asked for at once take turns;
    /// whoever hangs keeps his.
    fn by_system(&self, name: &str, want: Want) -> Try<Found> {
        let (system, name) = (Arc::clone(&self.system), name.to_owned());
        let threads = Arc::clone(&self.threads);
        Box::pin(async move {
            let Ok(Ok(permit)) = time::timeout(SYSTEM_WITHIN, threads.acquire_owned()).await else {
                return Err("the system does not answer any more".to_owned());
            };
            let asked = task::spawn_blocking(move || {
                let found = system(&name);
                drop(permit);
                found
            });
            match time::timeout(SYSTEM_WITHIN, asked).await {
                Ok(Ok(Ok(found))) => {
                    let fit = want.fit(found).map_err(|why| format!("the system says: {why}"))?;
                    Ok((Finder::System, fit))
                }
                Ok(Ok(Err(error))) => Err(format!("the system says: {error}")),
                Ok(Err(_)) | Err(_) => Err("the system does not answer".to_owned()),
            }
        })
    }

    fn patience(&self) -> Duration {
        let is_slow = self.lock().slow_until.is_some_and(|until| Instant::now() < until);
        if is_slow { Duration::ZERO } else { SYSTEM_ALONE }
    }

    fn remember(&self, name: &str, finder: Finder, found: &[IpAddr]) {
        let now = Instant::now();
        let mut memory = self.lock();
        memory.slow_until = (finder == Finder::Server).then(|| now + SLOW_FOR);
        memory.found.retain(|_, (since, _)| now.duration_since(*since) < KEPT_FOR);
        if memory.found.len() < KEPT_MAX || memory.found.contains_key(name) {
            memory.found.insert(name.to_owned(), (now, found.to_vec()));
        }
    }

    fn known(&self, name: &str) -> Option<Vec<IpAddr>> {
        let memory = self.lock();
        let (since, found) = memory.found.get(name)?;
        (since.elapsed() < KEPT_FOR).then(|| found.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resolver").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// Asks one server of our own.
fn by_server(network: Network, server: SocketAddr, (name, want): (&str, Want)) -> Try<Found> {
    let name = name.to_owned();
    Box::pin(async move {
        let found = ask_server(&network, server, (&name, want.family)).await;
        let fit = found.and_then(|found| want.fit(found));
        fit.map(|fit| (Finder::Server, fit)).map_err(|why| format!("{} says: {why}", server.ip()))
    })
}

async fn ask_server(
    network: &Network,
    server: SocketAddr,
    (name, family): (&str, Option<Family>),
) -> Result<Vec<IpAddr>, String> {
    let ask = async |kind: Family| {
        if family.is_some_and(|family| family != kind) {
            return Ok(Vec::new());
        }
        let question = Question::to_resolver(name, Kind::of(kind));
        let answer = dns::ask(network, server, &question).await.map_err(|it| it.to_string())?;
        match answer.rcode {
            Rcode::NO_ERROR => Ok(answer.addresses),
            Rcode::NO_NAME => Err("there is no such name".to_owned()),
            rcode => Err(rcode.to_string()),
        }
    };
    match tokio::join!(ask(Family::V4), ask(Family::V6)) {
        (Ok(first), Ok(second)) => Ok([first, second].concat()),
        // One half is better than nothing, but an empty half is nothing.
        (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.is_empty() => Ok(found),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// Returns what needs no asking.
fn literal(name: &str) -> Option<Vec<IpAddr>> {
    if let Ok(address) = name.parse() {
        return Some(vec![address]);
    }
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    name.eq_ignore_ascii_case("localhost").then(|| own.to_vec())
}

fn ask_system(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut found = Vec::new();
    for address in (name, 0).to_socket_addrs()? {
        if !found.contains(&address.ip()) {
            found.push(address.ip());
        }
    }
    Ok(found)
}

/// Says whether it is of the network for benchmarks (RFC 2544), which proxies take for their own.
fn is_made_up(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if matches!(address.octets(), [198, 18 | 19, ..]))
}

const fn server(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 53)
}
