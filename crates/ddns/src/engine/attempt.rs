//! One attempt to bring a record to what it shall be: read, note, write, and what follows.

use std::{net::IpAddr, time::Duration};

use crate::{
    engine::{
        Engine,
        account::Account,
        binding::{Binding, Need, Noting, Step},
        hold::{Failed, Held, is_undone},
        input::{Effect, Event, Now},
        ledger,
        plan::Verify,
    },
    failure::{Class, Failure, Reach},
    provider::Reading,
    record::{Change, Changed, Found, Written},
};

/// A request that has not been answered by then is not answered.
pub(super) const ANSWER_MAX: Duration = Duration::from_mins(2);
/// However many accounts there are, so many requests are under way at once.
const UNDER_WAY_MAX: usize = 16;

impl Engine {
    /// Begins what is due, as far as there is room: who waits longest is first.
    pub(super) fn begin(&mut self, effects: &mut Vec<Effect>) {
        let mut ready = self.ready();
        ready.sort_unstable();
        for (_, index) in ready {
            if self.has_room(index) {
                self.begin_one(index, effects);
            }
        }
    }

    /// Returns who waits for nothing but room, and since when.
    fn ready(&mut self) -> Vec<(Duration, usize)> {
        let now = self.now;
        let mut ready = Vec::new();
        self.accounts.iter_mut().for_each(|account| account.under_way = 0);
        for (index, binding) in self.bindings.iter_mut().enumerate() {
            let Some(account) = self.accounts.get_mut(binding.plan.account) else { continue };
            if !matches!(binding.step, Step::Resting) {
                account.under_way += 1;
                continue;
            }
            let is_open = binding.opens(account, now).is_some_and(|opens| opens <= now.at);
            if is_open && binding.need(now).is_some() {
                ready.push((*binding.waits_since.get_or_insert(now.at), index));
            } else {
                binding.waits_since = None;
            }
        }
        ready
    }

    fn has_room(&self, index: usize) -> bool {
        let all: usize = self.accounts.iter().map(|account| account.under_way).sum();
        let account = self.bindings.get(index).map(|binding| binding.plan.account);
        let account = account.and_then(|account| self.accounts.get(account));
        all < UNDER_WAY_MAX && account.is_some_and(Account::has_room)
    }

    fn begin_one(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let Some(need) = binding.need(now) else { return };
        if let Some(account) = self.accounts.get_mut(binding.plan.account) {
            account.under_way += 1;
        }
        binding.waits_since = None;
        match binding.reading {
            Reading::Possible => {
                binding.step = Step::Reading { need, began: now.at };
                effects.push(Effect::Read { binding: index, record: binding.record().clone() });
            }
            Reading::Impossible => self.note(index, need, None),
        }
    }

    /// What was read is as it shall be, or is going to be written.
    pub(super) fn read(
        &mut self,
        index: usize,
        result: Result<Found, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let Step::Reading { need, began } = binding.step else { return };
        let found = match result {
            Ok(found) => found,
            Err(failure) => return self.failed(index, began, &failure, effects),
        };
        binding.was_read(now);
        if need == Need::Look && binding.is_as_wanted(&found) {
            self.is_so_already(index, began, effects);
        } else if binding.write_from > now.at {
            // It was only looked up; when it may be written, it is read again.
            binding.step = Step::Resting;
        } else {
            self.note(index, need, Some(found));
        }
    }

    /// Nothing need be written.
    fn is_so_already(&mut self, index: usize, began: Duration, effects: &mut Vec<Effect>) {
        let (now, Some(binding)) = (self.now, self.bindings.get_mut(index)) else { return };
        let values = binding.want.clone();
        let before = binding.kept(now);
        let at = match &before.published {
            Some(have) if have.values == values => have.at,
            Some(_) | None => {
                binding.kept.visible_since = None;
                now.wall
            }
        };
        self.went_well(index, began, (values, at), effects);
        let Some(binding) = self.bindings.get_mut(index) else { return };
        if binding.plan.verify == Verify::Authoritative {
            binding.watch.begin(now, &mut self.chance);
        }
        if binding.kept(now) != before {
            self.ledger.note();
        }
    }

    /// Keeps what is going to be written before it is: whoever comes after a crash knows.
    fn note(&mut self, index: usize, need: Need, found: Option<Found>) {
        let now = self.now;
        let Some(binding) = self.bindings.get_mut(index) else { return };
        if is_shut(binding, &self.accounts, now) {
            binding.step = Step::Resting;
            binding.reads_again(now);
            return;
        }
        let want = binding.want.clone();
        let before = binding.intends(now);
        let noting = Noting { need, want, found, before };
        binding.step = Step::Noting { noting, began: now.at, revision: self.ledger.note() };
    }

    /// What was noted is on the disk, or the disk refuses: what waited for it is written.
    pub(super) fn persisted(&mut self, revision: u64, effects: &mut Vec<Effect>) {
        for index in 0..self.bindings.len() {
            let step = self.bindings.get(index).map(|binding| &binding.step);
            if matches!(step, Some(Step::Noting { revision: noted, .. }) if *noted <= revision) {
                self.write(index, effects);
            }
        }
    }

    fn write(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let (now, beside) = (self.now, self.beside(index));
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let Step::Noting { noting, .. } = std::mem::take(&mut binding.step) else { return };
        let Noting { need, want, found, before } = noting;
        // Meanwhile another address was seen, or the account was shut.
        let is_shut = is_shut(binding, &self.accounts, now);
        if want != binding.want || is_shut {
            binding.thinks_better(before);
            if is_shut {
                binding.reads_again(now);
            }
            self.ledger.note();
            return;
        }
        binding.begins_to_write(now);
        binding.step = Step::Writing { need, want: want.clone(), began: now.at };
        let (record, ours, prefix) = (binding.record().clone(), binding.ours(), binding.prefix);
        let change = Change { record, want, ours, found, prefix, beside };
        effects.push(Effect::Write { binding: index, change });
    }

    /// Returns what the same name shall have in the other family, or has, at the same account.
    fn beside(&self, index: usize) -> Vec<IpAddr> {
        let Some(one) = self.bindings.get(index) else { return Vec::new() };
        let is_beside = |other: &&Binding| {
            let (record, others) = (one.record(), other.record());
            other.plan.account == one.plan.account
                && (&others.name, &others.line) == (&record.name, &record.line)
                && others.family != record.family
        };
        let beside = self.bindings.iter().find(is_beside);
        let published = |other: &Binding| {
            other.kept.published.as_ref().map(|have| have.values.clone()).unwrap_or_default()
        };
        beside.map_or_else(Vec::new, |other| match other.want.as_slice() {
            [] => published(other),
            want => want.to_vec(),
        })
    }

    /// The provider took what was written, or not.
    pub(super) fn wrote(
        &mut self,
        index: usize,
        result: Result<Written, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let Step::Writing { need, want, began } = &binding.step else { return };
        let (need, want, began) = (*need, want.clone(), *began);
        let written = match result {
            Ok(written) => written,
            Err(failure) => return self.failed(index, began, &failure, effects),
        };
        binding.counts.writes += 1;
        binding.counts.unchanged += u64::from(written.change == Changed::No);
        binding.kept.visible_since = None;
        if need == Need::Correct {
            binding.kept.corrected = Some(now.wall);
        }
        if binding.plan.verify == Verify::Authoritative {
            binding.watch.written(now);
        }
        effects.push(Effect::Tell(Event::Published {
            binding: index,
            values: want.clone(),
            code: written.code,
        }));
        self.went_well(index, began, (want, now.wall), effects);
        self.ledger.note();
    }

    fn went_well(
        &mut self,
        index: usize,
        began: Duration,
        (values, at): (Vec<IpAddr>, i64),
        effects: &mut Vec<Effect>,
    ) {
        let Some(binding) = self.bindings.get_mut(index) else { return };
        binding.step = Step::Resting;
        let failures = binding.is_published(values, at);
        if binding.told.take().is_some() {
            effects.push(Effect::Tell(Event::Recovered { binding: index, failures }));
        }
        if let Some(account) = self.accounts.get_mut(binding.plan.account)
            && account.went_well(began)
        {
            self.ledger.note();
        }
    }

    fn failed(
        &mut self,
        index: usize,
        began: Duration,
        failure: &Failure,
        effects: &mut Vec<Effect>,
    ) {
        let (now, chance) = (self.now, &mut self.chance);
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let step = std::mem::take(&mut binding.step);
        if is_undone(failure) {
            binding.was_not_written(now);
        }
        if failure.class == Class::Parked && matches!(step, Step::Writing { .. }) {
            binding.was_refused(now);
        }
        *binding.counts.failed.entry(failure.class).or_default() += 1;
        binding.kept.failures = binding.kept.failures.saturating_add(1);
        binding.kept.why = Some(failure.words.clone());
        let floors = binding.floors;
        let of = |digest| Failed { failure, began, floors: &floors, digest };
        let account = self.accounts.get_mut(binding.plan.account);
        let until = if let Some(account) = account.filter(|_| failure.reach == Reach::Account) {
            let failed = of(account.plan.digest);
            let held = Held::after(account.held.as_ref(), failed, now, chance);
            account.why = Some(failure.words.clone());
            binding.held = None;
            account.held.insert(held).until
        } else {
            let held = Held::after(binding.held.as_ref(), of(binding.digest), now, chance);
            binding.held.insert(held).until
        };
        if binding.told != Some(failure.class) {
            binding.told = Some(failure.class);
            let again = until.filter(|_| failure.class != Class::Parked);
            effects.push(Effect::Tell(Event::Failed {
                binding: index,
                class: failure.class,
                why: failure.words.clone(),
                again: again
                    .map(|until| until.max(binding.rests_until(now)).saturating_sub(now.at)),
            }));
        }
        self.ledger.note();
    }

    /// Does not wait any longer for whom nobody answers.
    pub(super) fn give_up(&mut self, effects: &mut Vec<Effect>) {
        for index in 0..self.bindings.len() {
            let Some(binding) = self.bindings.get(index) else { return };
            match binding.step {
                Step::Reading { began, .. } | Step::Writing { began, .. }
                    if began + ANSWER_MAX <= self.now.at =>
                {
                    let words = "no answer from the provider within two minutes";
                    let failure = Failure::new(Class::Transient, "timeout", words);
                    self.failed(index, began, &failure, effects);
                }
                Step::Noting { began, .. } if began + ledger::ANSWER_MAX <= self.now.at => {
                    let late = Err("the disk does not answer".to_owned());
                    self.ledger.answered(&late, self.now, effects);
                    self.write(index, effects);
                }
                Step::Resting
                | Step::Noting { .. }
                | Step::Reading { .. }
                | Step::Writing { .. } => {}
            }
        }
    }
}

/// Returns whether nothing may be asked for a binding, or for its whole account.
fn is_shut(binding: &Binding, accounts: &[Account], now: Now) -> bool {
    accounts.get(binding.plan.account).is_none_or(|account| account.is_shut(now))
}
