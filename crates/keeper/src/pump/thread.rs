//! The loop of one pump.

mod full;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io,
    path::Path,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use mainstay_api::keeper::{Drained, Logs, Pressure, PressureKind, RunRef, stem_of};
use mainstay_platform::{
    clock, fail,
    pipe::Scratch,
    port::{Port, Token},
};
use mainstay_storage::{index::SourceFlags, segment::ChainFiles};

use super::{
    Channel, FreshPipe, PumpNote, PumpOrder,
    chain::{Chain, ChainKey, Force, HOLD_MAX, Means, Taken, Writer},
    leave::Leave,
    source::{Next, Source},
};
use crate::note::{Note, Notes};

/// One source is read so often before the others have their turn.
const TURNS_IN_A_ROW: usize = 16;
/// So many pipes of older runs may linger for each unit.
const LINGERING_MAX: usize = 4;

/// One pump.
#[derive(Debug)]
pub(super) struct PumpThread {
    port: Port,
    inbox: Inbox,
    notes: Notes,
    means: Means,
    scratch: Scratch,
    chains: HashMap<ChainKey, Chain>,
    sources: HashMap<u64, Source>,
    units: HashMap<String, UnitSources>,
    timers: BTreeSet<(Duration, u64)>,
    next_token: u64,
}

/// How a pump is spoken to.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) orders: Receiver<PumpOrder>,
    pub(super) leave: Arc<Leave>,
}

/// The sources of one unit: nothing here looks at all of them for the sake of one.
#[derive(Debug)]
struct UnitSources {
    tokens: Vec<u64>,
    /// What the last of them writes to, or wrote to.
    chain: ChainKey,
}

enum After {
    Arm,
    At(Duration),
    Gone,
}

enum Goes {
    On,
    Parked,
}

impl PumpThread {
    pub(super) fn new(port: Port, inbox: Inbox, notes: Notes, means: Means) -> io::Result<Self> {
        Ok(Self {
            port,
            inbox,
            notes,
            means,
            scratch: Scratch::new()?,
            chains: HashMap::new(),
            sources: HashMap::new(),
            units: HashMap::new(),
            timers: BTreeSet::new(),
            next_token: 0,
        })
    }

    /// Moves bytes until it is parked.
    pub(super) fn run(mut self) {
        loop {
            let now = clock::monotonic();
            let timeout = self.timers.first().map(|(at, _)| at.saturating_sub(now));
            let ready: Vec<u64> = match self.port.wait(timeout) {
                Ok(ready) => ready.iter().map(|ready| ready.token.0).collect(),
                Err(error) => {
                    crate::note::complain("a pump cannot wait", &error);
                    return;
                }
            };
            if let Goes::Parked = self.obey() {
                return;
            }
            for token in ready {
                self.serve(token);
                // A flood from many pipes takes longer than whoever asked us to end waits.
                if let Goes::Parked = self.obey() {
                    return;
                }
            }
            self.serve_timers();
        }
    }

    /// What was ordered before the pump was asked to end is done first.
    fn obey(&mut self) -> Goes {
        let is_asked = self.inbox.leave.accept();
        while let Ok(order) = self.inbox.orders.try_recv() {
            match order {
                PumpOrder::Attach(fresh) => self.attach(*fresh),
                PumpOrder::Drain(run) => self.drain(&run),
                PumpOrder::Rotate(unit) => self.rotate(&unit),
                PumpOrder::Forget(unit) => self.forget(&unit),
            }
        }
        if !is_asked {
            return Goes::On;
        }
        self.finish_drains();
        Goes::Parked
    }

    /// Reads on what waited at the exits of runs, as long as the disk takes it: at the keeper's end
    /// nobody comes after us.
    fn finish_drains(&mut self) {
        let left = |pump: &Self, token| pump.sources.get(&token).and_then(|source| source.drain);
        let tokens: Vec<u64> = self.sources.keys().copied().collect();
        for token in tokens {
            let mut former = None;
            while let Some(bytes) = left(self, token).filter(|bytes| Some(*bytes) != former) {
                former = Some(bytes);
                self.serve(token);
            }
        }
    }

    fn attach(&mut self, fresh: FreshPipe) {
        fail::bug("bug.pump");
        let FreshPipe { run, channel, pipe, logs } = fresh;
        let key = key_of(&run.unit, channel, &logs);
        let means = self.means;
        self.chains
            .entry(key.clone())
            .or_insert_with(|| Chain::new(&key, &run.unit, &logs, means))
            .adjust(&logs);
        let token = self.next_token;
        self.next_token += 1;
        match self.port.watch_once(pipe, Token(token)) {
            Ok(pipe) => {
                self.note_source(&run.unit, token, &key);
                self.sources.insert(token, Source::new(run.clone(), channel, key, pipe));
                self.limit_lingering(&run);
                self.serve(token);
            }
            Err(error) => {
                crate::note::complain("cannot watch a pipe", &error);
                self.notes.send(Note::Pump(PumpNote::Closed { run, channel }));
            }
        }
    }

    fn note_source(&mut self, unit: &str, token: u64, chain: &ChainKey) {
        let chain = Arc::clone(chain);
        if let Some(known) = self.units.get_mut(unit) {
            known.tokens.push(token);
            known.chain = chain;
        } else {
            let tokens = vec![token];
            self.units.insert(unit.to_owned(), UnitSources { tokens, chain });
        }
    }

    /// Returns the sources of a unit with their tokens.
    fn sources_of(&self, unit: &str) -> impl Iterator<Item = (u64, &Source)> {
        let tokens = self.units.get(unit).map(|unit| unit.tokens.as_slice()).unwrap_or_default();
        tokens.iter().filter_map(|token| Some((*token, self.sources.get(token)?)))
    }

    /// Closes the pipe of the oldest run of a unit when too many linger.
    fn limit_lingering(&mut self, newest: &RunRef) {
        let mut older: Vec<(u64, u64)> = self
            .sources_of(&newest.unit)
            .filter(|(_, source)| source.run.run < newest.run)
            .map(|(token, source)| (source.run.run, token))
            .collect();
        older.sort_unstable();
        let surplus = older.len().saturating_sub(LINGERING_MAX);
        for (run, token) in older.into_iter().take(surplus) {
            self.pressure(&newest.unit, PressureKind::LingeringClosed, 1, format!("run {run}"));
            self.end(token);
        }
    }

    fn serve(&mut self, token: u64) {
        let now = clock::monotonic();
        match self.read(token, now) {
            After::Arm => self.arm(token),
            After::At(at) => {
                self.timers.insert((at, token));
            }
            After::Gone => self.end(token),
        }
    }

    fn arm(&mut self, token: u64) {
        let Some(source) = self.sources.get(&token) else { return };
        if let Some(at) = source.cold_at() {
            self.timers.insert((at, token));
        }
        if let Err(error) = source.pipe.arm() {
            crate::note::complain("cannot watch a pipe", &error);
        }
    }

    fn serve_timers(&mut self) {
        let now = clock::monotonic();
        while let Some((at, token)) = self.timers.first().copied() {
            if at > now || self.inbox.leave.is_asked() {
                return;
            }
            self.timers.pop_first();
            let Some(source) = self.sources.get_mut(&token) else { continue };
            if source.cold_at().is_some_and(|at| at <= now) {
                source.shrink();
            }
            self.serve(token);
        }
    }

    /// Reads a source until it is empty, has had its share, or must wait.
    fn read(&mut self, token: u64, now: Duration) -> After {
        for _ in 0..TURNS_IN_A_ROW {
            if self.inbox.leave.is_asked() {
                break;
            }
            let Some(source) = self.sources.get_mut(&token) else { return After::Gone };
            if source.has_gap
                && let Some(after) = self.close_gap(token, now)
            {
                return after;
            }
            let Some(source) = self.sources.get_mut(&token) else { return After::Gone };
            let Some(chain) = self.chains.get_mut(&source.chain) else { return After::Gone };
            let writer = Writer { run: source.run.run, channel: source.channel };
            let has_waited = source.held_since.is_some_and(|since| now >= since + HOLD_MAX);
            let force = if has_waited { Force::Yes } else { Force::No };
            let result = chain.take(&source.pipe, writer, force, &mut self.scratch);
            if let Some(after) = self.judge(token, now, result) {
                return after;
            }
        }
        After::At(now)
    }

    /// Returns what to do after an attempt; nothing means: the next attempt at once.
    fn judge(&mut self, token: u64, now: Duration, result: io::Result<Taken>) -> Option<After> {
        let got = match result {
            Ok(got) => got,
            Err(error) => return Some(self.refused(token, now, &error)),
        };
        if matches!(got, Taken::Bytes(_) | Taken::Rotated(_)) {
            self.recovered(token);
        }
        match got {
            Taken::Bytes(count) => self.progress(token, now, count),
            Taken::Rotated(rotated) => {
                self.notes.send(Note::Pump(PumpNote::Rotated(rotated)));
                None
            }
            Taken::Empty => {
                self.sources.get_mut(&token)?.pause();
                self.drained(token);
                Some(After::Arm)
            }
            Taken::Held => Some(After::At(self.hold(token, now))),
            Taken::Lost => None,
            Taken::Ended => Some(After::Gone),
        }
    }

    /// Returns a source and the chain that it writes to.
    fn source_and_chain(&mut self, token: u64) -> Option<(&mut Source, &mut Chain)> {
        let source = self.sources.get_mut(&token)?;
        let chain = self.chains.get_mut(&source.chain)?;
        Some((source, chain))
    }

    fn progress(&mut self, token: u64, now: Duration, count: usize) -> Option<After> {
        let source = self.sources.get_mut(&token)?;
        source.held_since = None;
        let next = source.learn(now, count);
        let is_draining = source.drain.is_some();
        if let Some(left) = &mut source.drain {
            *left = left.saturating_sub(count);
            if *left == 0 {
                self.drained(token);
            }
        }
        match next {
            Next::Again => None,
            Next::Rest(_) if is_draining => None,
            Next::Rest(rest) => Some(After::At(now + rest)),
        }
    }

    fn hold(&mut self, token: u64, now: Duration) -> Duration {
        let Some(source) = self.sources.get_mut(&token) else { return now };
        *source.held_since.get_or_insert(now) + HOLD_MAX
    }

    fn drain(&mut self, run: &RunRef) {
        let of_run = self.sources_of(&run.unit).filter(|(_, source)| source.run == *run);
        let tokens: Vec<u64> = of_run.map(|(token, _)| token).collect();
        if tokens.is_empty() {
            // Its pipes have ended before it did.
            let chain = self.units.get(&run.unit).map(|unit| &unit.chain);
            self.report_drained(run, chain);
        }
        for token in tokens {
            if let Some(source) = self.sources.get_mut(&token) {
                source.drain = Some(source.pipe.waiting().unwrap_or_default());
            }
            self.serve(token);
        }
    }

    /// What waited at the exit is in the file.
    fn drained(&mut self, token: u64) {
        let Some(source) = self.sources.get_mut(&token) else { return };
        if source.drain.take().is_none() {
            return;
        }
        let (run, chain) = (source.run.clone(), source.chain.clone());
        let has_more =
            self.sources_of(&run.unit).any(|(_, other)| other.run == run && other.drain.is_some());
        if !has_more {
            self.report_drained(&run, Some(&chain));
        }
    }

    fn report_drained(&self, run: &RunRef, chain: Option<&ChainKey>) {
        let chain = chain.and_then(|key| self.chains.get(key));
        let (segment, offset) = chain.map_or((0, 0), Chain::position);
        let RunRef { unit, run } = run.clone();
        self.notes.send(Note::Pump(PumpNote::Drained(Drained { unit, run, segment, offset })));
    }

    fn rotate(&mut self, unit: &str) {
        let chains = self.sources_of(unit).map(|(_, source)| Arc::clone(&source.chain));
        let keys: HashSet<ChainKey> = chains.collect();
        for key in keys {
            let Some(chain) = self.chains.get_mut(&key) else { continue };
            if !chain.has_bytes() {
                continue;
            }
            match chain.close(SourceFlags::NONE) {
                Ok(Some(rotated)) => self.notes.send(Note::Pump(PumpNote::Rotated(rotated))),
                Ok(None) => {}
                Err(error) => crate::note::complain("cannot close a segment", &error),
            }
        }
    }

    fn end(&mut self, token: u64) {
        self.drained(token);
        let Some(source) = self.sources.remove(&token) else { return };
        if let Some(unit) = self.units.get_mut(&source.run.unit) {
            unit.tokens.retain(|other| *other != token);
        }
        let (run, channel) = (source.run.clone(), source.channel);
        drop(source);
        self.notes.send(Note::Pump(PumpNote::Closed { run, channel }));
    }

    /// A chain outlives the runs of its unit: the next one goes on where the last one stopped.
    fn forget(&mut self, unit: &str) {
        let used: HashSet<ChainKey> =
            self.sources_of(unit).map(|(_, source)| Arc::clone(&source.chain)).collect();
        self.chains.retain(|key, chain| !chain.is_of(unit) || used.contains(key));
        if used.is_empty() {
            self.units.remove(unit);
        }
    }

    fn pressure(&self, unit: &str, kind: PressureKind, count: u64, message: String) {
        let pressure = Pressure { unit: unit.to_owned(), kind, count, message };
        self.notes.send(Note::Pump(PumpNote::Pressure(pressure)));
    }
}

fn key_of(unit: &str, channel: Channel, logs: &Logs) -> ChainKey {
    let stem = match channel {
        Channel::Joined => stem_of(unit),
        Channel::Output => format!("{}.stdout", stem_of(unit)),
        Channel::Error => format!("{}.stderr", stem_of(unit)),
    };
    Arc::new(ChainFiles::new(Path::new(&logs.directory), &stem))
}
