//! What must hold in every life, watched from outside: nothing here asks the engine for the truth.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use mainstay_ddns::{
    engine::{
        plan::Plan,
        state::{Kept, State},
    },
    failure::{Class, Failure, Reach},
    provider::Reading,
};
use mainstay_lives::Violation;

use crate::scene::wanted;

/// Clocks are told in whole seconds.
const SLACK: Duration = Duration::from_secs(1);
/// What is noted is written so many seconds later at most.
const NOTED_SECONDS: i64 = 31;
/// Who was not reached may be tried again after this.
const UNREACHED: Duration = Duration::from_secs(2);
/// What is parked is tried once in this time.
const PROBE: Duration = Duration::from_hours(24);

/// A life of the engine, and a revision of its state.
pub(crate) type Version = (u64, u64);

/// What an honest disk would have.
#[derive(Debug, Default)]
pub(crate) struct Promised {
    pub(crate) state: State,
    pub(crate) version: Version,
    /// How wrong the wall clock was when that was kept.
    pub(crate) offset: i64,
}

/// That a provider wants to be left alone.
#[derive(Debug, Clone, Copy)]
struct Patience {
    class: Class,
    until: Option<Duration>,
    /// A disk that has this version knows it.
    version: Version,
}

/// What is known of a record.
#[derive(Debug, Default)]
struct Watched {
    patience: Option<Patience>,
    /// When it was written last, and what the wall clock said then.
    written: Option<(Duration, i64)>,
    /// What the last write had that the engine knows to be well.
    known: Option<Vec<IpAddr>>,
    /// A disk that has this version knows that, too.
    known_by: Version,
    /// What the engine was told of it when it was read last.
    read: Option<Vec<IpAddr>>,
    /// What came of the last write is not known to the engine.
    is_open: bool,
    /// There is a reason to write once more what is known to be there.
    has_cause: bool,
    /// The engine was told that servers have something else.
    differs: bool,
    corrected: Option<Duration>,
}

/// A moment, by the true clock and by the machine's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) at: Duration,
    pub(crate) wall: i64,
}

#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) violation: Option<Violation>,
    plan: Plan,
    truths: Vec<IpAddr>,
    accounts: Vec<Option<Patience>>,
    records: Vec<Watched>,
    /// These accounts have called us a nuisance, and nobody has settled it.
    nuisances: BTreeSet<usize>,
    /// Of these a write was lost that no disk would keep: what is there is known to nobody.
    lost: BTreeSet<usize>,
}

impl Checker {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            violation: None,
            plan: plan.clone(),
            truths: Vec::new(),
            accounts: plan.accounts.iter().map(|_| None).collect(),
            records: plan.bindings.iter().map(|_| Watched::default()).collect(),
            nuisances: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    pub(crate) fn breaks(&mut self, rule: &'static str, details: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, details: details() });
        }
    }

    /// The machine has this address from here on.
    pub(crate) fn is_true(&mut self, truth: IpAddr) {
        self.truths.push(truth);
    }

    /// The engine asks a provider for something.
    pub(crate) fn asks(&mut self, index: usize, want: Option<&[IpAddr]>, when: When) {
        let id = self.plan.bindings[index].id.clone();
        let account = self.plan.bindings[index].account;
        for patience in [self.records[index].patience, self.accounts[account]].into_iter().flatten()
        {
            match patience.until {
                None => self.breaks("nobody is asked who has called us a nuisance", || id.clone()),
                Some(until) if when.at + SLACK < until => {
                    let left = until.saturating_sub(when.at);
                    self.breaks("whoever wants to be left alone is left alone", || {
                        format!("{id}: {left:?} too early after {:?}", patience.class)
                    });
                }
                Some(_) => {}
            }
        }
        if let Some(want) = want {
            self.writes(index, want, when);
        }
    }

    fn writes(&mut self, index: usize, want: &[IpAddr], when: When) {
        let plan = self.plan.bindings[index].clone();
        let floors = self.plan.accounts[plan.account].floors;
        let is_known =
            |address: &IpAddr| self.truths.iter().any(|truth| wanted(&plan, *truth) == *address);
        if want.is_empty() || !want.iter().all(is_known) {
            self.breaks("only addresses are published that this machine has had", || {
                format!("{}: {want:?}", plan.id)
            });
        }
        if let Some((before, _)) = self.records[index].written
            && when.at + SLACK < before + floors.write
        {
            let apart = when.at.saturating_sub(before);
            self.breaks("two writes of one name keep their distance", || {
                format!("{}: {apart:?}", plan.id)
            });
        }
        self.wants_a_cause(index, want, when);
        let record = &mut self.records[index];
        record.written = Some((when.at, when.wall));
        record.is_open = true;
        record.has_cause = false;
        record.differs = false;
    }

    /// What is there already is not written again without a reason.
    fn wants_a_cause(&mut self, index: usize, want: &[IpAddr], when: When) {
        let plan = &self.plan.bindings[index];
        let account = &self.plan.accounts[plan.account];
        let record = &mut self.records[index];
        let there = match account.reading {
            Reading::Possible => &record.read,
            Reading::Impossible => &record.known,
        };
        if record.has_cause || there.as_deref() != Some(want) {
            return;
        }
        let every = account.floors.refresh.unwrap_or(PROBE);
        let is_early = record.corrected.is_some_and(|before| when.at + SLACK < before + every);
        if record.differs && !is_early {
            record.corrected = Some(when.at);
            return;
        }
        let id = plan.id.clone();
        self.breaks("nothing is written that is there already", || id);
    }

    /// The engine is told what came of a write.
    pub(crate) fn wrote(&mut self, index: usize, want: &[IpAddr], version: Version) {
        self.lost.remove(&index);
        let record = &mut self.records[index];
        record.known_by = version;
        record.is_open = false;
        record.known = Some(want.to_vec());
        record.patience = None;
    }

    /// The engine is told what was read.
    pub(crate) fn was_read(&mut self, index: usize, values: &[IpAddr]) {
        self.records[index].read = Some(values.to_vec());
    }

    /// The engine is told that servers have something else.
    pub(crate) fn differs(&mut self, index: usize) {
        self.records[index].differs = true;
    }

    /// There is a reason to write what may be there already.
    pub(crate) fn has_cause(&mut self, index: usize) {
        self.records[index].has_cause = true;
    }

    /// The engine is told that a request failed.
    pub(crate) fn failed(
        &mut self,
        index: usize,
        failure: &Failure,
        (when, version): (When, Version),
    ) {
        let account = self.plan.bindings[index].account;
        let floors = self.plan.accounts[account].floors;
        let is_unreached = failure.code == "connect";
        let wait = match failure.class {
            Class::Transient if is_unreached => Some(UNREACHED),
            Class::Transient => Some(floors.transient),
            Class::RateLimited => {
                Some(floors.rate_limited.max(failure.retry_after.unwrap_or_default()))
            }
            Class::Parked if failure.code == "abuse" => None,
            Class::Parked => Some(PROBE),
            Class::Clock => Some(Duration::ZERO),
        };
        self.has_cause(index);
        if failure.code == "abuse" {
            self.nuisances.insert(account);
        }
        if is_unreached || failure.code == "HTTP 503" {
            self.records[index].written = None;
        }
        let until = wait.map(|wait| when.at + wait);
        let new = Patience { class: failure.class, until, version };
        let place = match failure.reach {
            Reach::Binding => &mut self.records[index].patience,
            Reach::Account => &mut self.accounts[account],
        };
        let lasts = |patience: &Patience| patience.until.unwrap_or(Duration::MAX);
        if place.as_ref().is_none_or(|old| lasts(old) <= lasts(&new)) {
            *place = Some(new);
        }
    }

    /// The engine is told that a write was refused: where a write is one request, it is none.
    pub(crate) fn is_refused(&mut self, index: usize) {
        let account = self.plan.bindings[index].account;
        if self.plan.accounts[account].reading == Reading::Impossible {
            let record = &mut self.records[index];
            (record.written, record.is_open) = (None, false);
        }
    }

    /// An operator wants something of a binding: that ends every wait but those for patience.
    pub(crate) fn is_wanted(&mut self, index: usize) {
        let account = self.plan.bindings[index].account;
        let is_patience = |patience: &Patience| patience.class == Class::RateLimited;
        self.nuisances.remove(&account);
        for place in [&mut self.records[index].patience, &mut self.accounts[account]] {
            *place = place.filter(is_patience);
        }
        self.has_cause(index);
    }

    /// A binding alone is configured otherwise.
    pub(crate) fn is_configured(&mut self, index: usize) {
        let patience = &mut self.records[index].patience;
        *patience = patience.filter(|patience| patience.class == Class::RateLimited);
        self.has_cause(index);
    }

    /// An account is configured otherwise, and with it all that it has.
    pub(crate) fn account_is_configured(&mut self, account: usize) {
        self.nuisances.remove(&account);
        let held = &mut self.accounts[account];
        *held = held.filter(|patience| patience.class == Class::RateLimited);
        for index in 0..self.records.len() {
            if self.plan.bindings[index].account == account {
                self.is_configured(index);
            }
        }
    }

    /// A new engine begins and knows no more than what an honest disk would have.
    pub(crate) fn begins(&mut self, promised: &Promised, offset: i64) {
        // Times on the disk look older than they are when the clock has been put forward since.
        let is_forward = offset > promised.offset;
        let is_known = |patience: &Patience| patience.version <= promised.version && !is_forward;
        for account in &mut self.accounts {
            *account = account.filter(is_known);
        }
        // That it was settled may not have reached the disk.
        for (index, account) in self.plan.accounts.iter().enumerate() {
            let kept = promised.state.accounts.get(&account.name);
            if kept.is_some_and(|hold| hold.code == "abuse") {
                self.nuisances.insert(index);
            }
        }
        let bindings = self.plan.bindings.iter().zip(&mut self.records);
        for (index, (plan, record)) in bindings.enumerate() {
            record.patience = record.patience.filter(is_known);
            let kept = promised.state.bindings.get(&plan.id);
            let wall = kept.and_then(stamp);
            let is_noted =
                |(_, at): &(Duration, i64)| wall.is_some_and(|wall| wall + NOTED_SECONDS >= *at);
            record.written = record.written.filter(|written| !is_forward && is_noted(written));
            let published = kept.and_then(|kept| kept.published.as_ref());
            let is_clean = kept.is_some_and(|kept| kept.intent.is_none())
                && record.known_by <= promised.version
                && published.map(|have| &have.values) == record.known.as_ref();
            let is_written = record.is_open || record.known_by > promised.version;
            let has_intent = kept.is_some_and(|kept| kept.intent.is_some());
            if is_written && !has_intent {
                self.lost.insert(index);
            }
            record.has_cause |= !is_clean || record.is_open;
            if is_forward || kept.is_none_or(|kept| kept.corrected.is_none()) {
                record.corrected = None;
            }
        }
    }

    /// Returns whether a binding rightly stays parked until somebody settles it.
    pub(crate) fn is_nuisance(&self, index: usize) -> bool {
        self.nuisances.contains(&self.plan.bindings[index].account)
    }

    /// Returns whether nobody can know what a binding's provider has.
    pub(crate) fn is_lost(&self, index: usize) -> bool {
        let account = self.plan.bindings[index].account;
        let is_readable = self.plan.accounts[account].reading == Reading::Possible;
        self.lost.contains(&index) && !is_readable
    }
}

fn stamp(kept: &Kept) -> Option<i64> {
    [&kept.intent, &kept.published].into_iter().flatten().map(|stamped| stamped.at).max()
}
