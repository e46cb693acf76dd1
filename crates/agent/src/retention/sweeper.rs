//! The thread that deletes what is too much of logs, and says what may be compressed.

use std::{
    collections::BTreeMap,
    fs,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender},
    time::Duration,
};

use mainstay_api::config::Compress;
use mainstay_core::{ServiceName, UnitName};
use mainstay_platform::{clock, fail};
use mainstay_storage::{
    instance::Instance,
    segment::{self, ChainFiles},
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Policies, Policy, Said,
    belief::{Belief, Look, Verdict},
    former::Memory,
    rules::{self, Closed, Limits},
    tally::Tally,
};
use crate::events::complain;

/// All logs are looked at this long after a configuration was applied: what starts goes first.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// Where `keep-for` is set, all logs are looked at so often, or more often where it is short.
const LOOK_EVERY: Duration = Duration::from_hours(1);
const LOOK_EVERY_MIN: Duration = Duration::from_secs(1);

/// What it is asked.
#[derive(Debug)]
pub(super) enum Order {
    /// From now on this is kept.
    Keep(Policies),
    /// A segment was closed.
    Rotated { service: ServiceName, chain: ChainFiles },
    /// Keep so many closed segments of this log, which belongs to no service.
    Thin { chain: ChainFiles, keep: usize },
}

/// The thread.
#[derive(Debug)]
pub(super) struct Sweeper {
    instance: Instance,
    inbox: Receiver<Order>,
    chains: SyncSender<ChainFiles>,
    teller: UnboundedSender<Said>,
    policies: Policies,
    /// Of services that have left the configuration: what runs of them goes on to write.
    former: Policies,
    memory: Memory,
    belief: Belief,
    tally: Tally,
    /// When all logs are looked at.
    look_at: Option<Duration>,
}

impl Sweeper {
    pub(super) fn new(
        instance: &Instance,
        inbox: Receiver<Order>,
        chains: SyncSender<ChainFiles>,
        teller: UnboundedSender<Said>,
    ) -> Self {
        let (belief, verdict) = Belief::open(instance.believed_time(), now());
        let sweeper = Self {
            instance: instance.clone(),
            inbox,
            chains,
            teller,
            policies: Policies::new(),
            former: Policies::new(),
            memory: Memory::of(instance),
            belief,
            tally: Tally::default(),
            look_at: None,
        };
        sweeper.tell_of(verdict);
        sweeper
    }

    /// Works until nobody orders anything any more.
    pub(super) fn work(mut self) {
        self.former = self.memory.recall();
        loop {
            let next = self.look_at.into_iter().chain(self.tally.next_deadline()).min();
            let ordered = match next {
                None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.inbox.recv_timeout(at.saturating_sub(clock::monotonic())),
            };
            match ordered {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.look_at.is_some_and(|at| clock::monotonic() >= at) {
                self.look_at_all();
            }
            for (service, deleted) in self.tally.due(clock::monotonic()) {
                self.tell(Said::Deleted { service, deleted });
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Keep(policies) => {
                self.former.append(&mut self.policies);
                self.former.retain(|service, _| !policies.contains_key(service));
                self.policies = policies;
                self.memory.keep(&self.policies, &self.former);
                self.look_at = Some(clock::monotonic() + LOOK_AFTER);
            }
            Order::Rotated { service, chain } => self.rotated(&service, chain),
            Order::Thin { chain, keep } => {
                let limits = Limits { keep, ..Limits::default() };
                self.thin(None, &[chain], limits);
            }
        }
    }

    fn rotated(&mut self, service: &ServiceName, chain: ChainFiles) {
        let Some(policy) = self.last_policy(service) else { return };
        if policy.limits.keep_total > 0 {
            let chains = self.chains_of_all().remove(service).unwrap_or_default();
            self.thin(Some(service), &chains, policy.limits);
        } else {
            self.thin(Some(service), std::slice::from_ref(&chain), policy.limits);
        }
        self.offer(chain, policy);
    }

    /// Returns what is kept of the logs of a service that writes, be it configured or orphaned.
    fn last_policy(&self, service: &ServiceName) -> Option<Policy> {
        self.policies.get(service).or_else(|| self.former.get(service)).copied()
    }

    /// Looks at the logs of all services, and says when that is due again.
    fn look_at_all(&mut self) {
        let verdict = self.belief.look(now());
        self.tell_of(verdict);
        for (service, chains) in self.chains_of_all() {
            // What has vanished from the files, and writes no more, keeps its logs.
            let Some(policy) = self.policies.get(&service).copied() else { continue };
            self.thin(Some(&service), &chains, policy.limits);
            self.close_silent(&chains, policy);
            for chain in chains {
                self.offer(chain, policy);
            }
        }
        let spans = self.policies.values().map(|policy| policy.limits.keep_for);
        let shortest = spans.filter(|span| !span.is_zero()).min();
        self.look_at =
            shortest.map(|span| clock::monotonic() + (span / 4).clamp(LOOK_EVERY_MIN, LOOK_EVERY));
        if shortest.is_some()
            && let Err(error) = self.belief.keep()
        {
            complain("cannot note the time of day", &error);
        }
    }

    /// Returns the chains of all services that are or were configured.
    fn chains_of_all(&self) -> BTreeMap<ServiceName, Vec<ChainFiles>> {
        let mut all: BTreeMap<ServiceName, Vec<ChainFiles>> = BTreeMap::new();
        let entries = fs::read_dir(self.instance.logs()).into_iter().flatten().flatten();
        for folder in entries.map(|entry| entry.path()) {
            let name = folder.file_name().and_then(|name| name.to_str());
            let unit = name.and_then(|name| UnitName::parse(name).ok());
            let Some(service) = unit.map(|unit| unit.service) else { continue };
            if self.last_policy(&service).is_some() {
                let stems = segment::stems(&folder).unwrap_or_default();
                let chains = stems.iter().map(|stem| ChainFiles::new(&folder, stem));
                all.entry(service).or_default().extend(chains);
            }
        }
        all
    }

    fn thin(&mut self, service: Option<&ServiceName>, chains: &[ChainFiles], limits: Limits) {
        let logs: Vec<Vec<Closed>> = chains.iter().map(|chain| closed(chain, limits)).collect();
        let live_bytes = if limits.keep_total == 0 { 0 } else { live_bytes(chains) };
        let now = self.believed_now(limits);
        for surplus in rules::surplus(&logs, live_bytes, limits, now) {
            let Some(chain) = chains.get(surplus.log) else { continue };
            fail::point("agent.delete");
            if let Err(error) = chain.remove(surplus.segment.number) {
                complain("cannot delete an old segment", &error);
            } else if let Some(service) = service {
                self.tally.add(service, surplus.reason, surplus.segment.bytes);
            }
        }
    }

    /// Asks for live segments to be closed whose span is over and whose lines are all too old: a
    /// program that says nothing would never close them.
    fn close_silent(&mut self, chains: &[ChainFiles], policy: Policy) {
        let Limits { keep_for, .. } = policy.limits;
        let is_asked = !policy.every.is_zero() && !keep_for.is_zero();
        let Some(now) = self.believed_now(policy.limits).filter(|_| is_asked) else { return };
        let span = u64::try_from(keep_for.max(policy.every).as_nanos()).unwrap_or(u64::MAX);
        for chain in chains {
            let ended = chain.live_ended_ns().unwrap_or(now);
            let folder = chain.folder().file_name().and_then(|name| name.to_str());
            if now.saturating_sub(ended) > span
                && let Some(unit) = folder.and_then(|name| UnitName::parse(name).ok())
            {
                self.tell(Said::Silent { unit });
            }
        }
    }

    /// Returns the time of day where it matters, and is to be believed.
    fn believed_now(&mut self, limits: Limits) -> Option<u64> {
        if limits.keep_for.is_zero() {
            return None;
        }
        let now = now();
        let verdict = self.belief.look(now);
        self.tell_of(verdict);
        (verdict == Verdict::Believed)
            .then(|| u64::try_from(now.realtime.as_nanos()).unwrap_or(u64::MAX))
    }

    /// A compressor that is too busy finds what is left at the next rotation.
    fn offer(&self, chain: ChainFiles, policy: Policy) {
        if policy.compress == Compress::Zstd {
            drop(self.chains.try_send(chain));
        }
    }

    fn tell_of(&self, verdict: Verdict) {
        if verdict == Verdict::Jumped {
            self.tell(Said::ClockJumped);
        }
    }

    fn tell(&self, said: Said) {
        // An agent that ends listens no more.
        drop(self.teller.send(said));
    }
}

fn now() -> Look {
    Look {
        realtime: Duration::from_nanos(clock::realtime_nanos()),
        since_boot: clock::since_boot(),
    }
}

/// Returns the closed segments of a log, with what the limits ask of them.
fn closed(chain: &ChainFiles, limits: Limits) -> Vec<Closed> {
    let mut found = chain.find().unwrap_or_default();
    if let Err(error) = chain.remove_emptied(&found) {
        complain("cannot remove the name of a deleted segment", &error);
    }
    // What has gone but for its name counts no more.
    found.closed.retain(|number| !chain.is_emptied(*number));
    let needs_time = limits.keep_total > 0 || !limits.keep_for.is_zero();
    let one = |number: u64| Closed {
        number,
        bytes: chain.stored_bytes(number),
        ended_ns: if needs_time { chain.ended_ns(number) } else { None },
    };
    found.closed.into_iter().map(one).collect()
}

fn live_bytes(chains: &[ChainFiles]) -> u64 {
    let lengths = chains.iter().filter_map(|chain| fs::metadata(chain.live()).ok());
    lengths.map(|found| found.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::{
        path::{Path, PathBuf},
        sync::mpsc,
    };

    use mainstay_platform::paths;
    use mainstay_storage::atomic;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    /// A folder that ends with the value.
    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn write(path: &Path) {
        atomic::replace(path, b"line\n", paths::create_private_file).unwrap();
    }

    #[test]
    fn what_has_left_the_files_and_goes_on_to_write_keeps_no_more_than_before() {
        let name = format!("mainstay-sweeper-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        let instance = Instance::new(folder.0.join("runtime"), folder.0.join("state"));
        fs::create_dir_all(instance.logs_of("web")).unwrap();
        let chain = ChainFiles::new(&instance.logs_of("web"), "web");
        (1..=5).for_each(|number| write(&chain.closed(number)));

        let (_orders, inbox) = mpsc::channel();
        let (chains, _compressed) = mpsc::sync_channel(1);
        let (teller, _said) = unbounded_channel();
        let mut sweeper = Sweeper::new(&instance, inbox, chains, teller);
        let web = ServiceName::new("web").unwrap();
        let limits = Limits { keep: 2, keep_total: 1_000_000, ..Limits::default() };
        let policy = Policy { limits, compress: Compress::Off, every: Duration::ZERO };
        sweeper.obey(Order::Keep([(web.clone(), policy)].into()));
        sweeper.obey(Order::Keep(Policies::new()));
        sweeper.look_at_all();
        assert_eq!(chain.find().unwrap().closed.len(), 5);
        sweeper.obey(Order::Rotated { service: web, chain: chain.clone() });
        assert_eq!(chain.find().unwrap().closed, [4, 5]);
    }
}
