//! One record that is kept: what is wanted, what is published, and what is under way.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use mainstay_core::chance::Chance;

use crate::{
    engine::{
        account::Account,
        hold::{Held, left},
        input::Now,
        ledger,
        plan::{self, BindingPlan},
        state::{Kept, Stamped},
        watch::{Watch, Wrong},
    },
    failure::Class,
    provider::{Floors, Reading},
    record::{Found, Record},
};

/// What is put right because somebody else has changed it, where no refresh says how often.
const CORRECT_EVERY: Duration = Duration::from_hours(24);
/// How often a record is read that cannot be looked up, because its service answers otherwise.
const READ_EVERY: Duration = Duration::from_hours(24);
/// However many addresses were tried, so many are remembered.
const TRIED_MAX: usize = 16;
/// However long servers differ from the provider, it is not read more often for that.
const REREAD_EVERY: Duration = Duration::from_hours(1);

/// A binding.
#[derive(Debug)]
pub(super) struct Binding {
    /// What is configured.
    pub(super) plan: BindingPlan,
    /// How often its provider may be asked.
    pub(super) floors: Floors,
    /// Whether its provider tells what there is.
    pub(super) reading: Reading,
    /// A hash of all that it is configured with.
    pub(super) digest: u64,
    /// What outlives the engine, but for the hold, which is below.
    pub(super) kept: Kept,
    /// That nothing is tried for a while.
    pub(super) held: Option<Held>,
    /// What it shall be; empty while no address is known.
    pub(super) want: Vec<IpAddr>,
    /// The prefix of the network.
    pub(super) prefix: Option<(IpAddr, u8)>,
    /// What is under way.
    pub(super) step: Step,
    /// Since when it waits for nothing but room.
    pub(super) waits_since: Option<Duration>,
    /// What people were told last of its failures.
    pub(super) told: Option<Class>,
    /// Whether it is visible.
    pub(super) watch: Watch,
    /// What was counted.
    pub(super) counts: Counts,
    asked: Asked,
    /// When it is to be read, though nothing seems to differ.
    read_from: Option<Duration>,
    read_at: Option<Duration>,
    /// Before that nothing is written.
    pub(super) write_from: Duration,
    /// When it was published, while the wall clock says that this is yet to come: a machine without
    /// a clock of its own wakes up in 1970, and learns what time it is a minute later.
    published_ahead: Option<i64>,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) enum Step {
    /// Nothing.
    #[default]
    Resting,
    /// It is read.
    Reading { need: Need, began: Duration },
    /// What is going to be written is being kept.
    Noting { noting: Noting, began: Duration, revision: u64 },
    /// It is written.
    Writing { need: Need, want: Vec<IpAddr>, began: Duration },
}

/// What is going to be written.
#[derive(Debug)]
pub(super) struct Noting {
    pub(super) need: Need,
    pub(super) want: Vec<IpAddr>,
    pub(super) found: Option<Found>,
    pub(super) before: Uncertain,
}

/// What may be at the provider of writes whose end is not known.
pub(super) type Uncertain = (Option<Stamped>, Vec<IpAddr>);

/// Why something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// What is there is read, and written if it differs.
    Look,
    /// It is written, whatever is there.
    Write,
    /// It is written because somebody else has changed it.
    Correct,
}

/// Whether an operator wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Yes,
    No,
}

/// What was counted since the engine began.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) failed: BTreeMap<Class, u64>,
    pub(super) writes: u64,
    pub(super) unchanged: u64,
    pub(super) reads: u64,
}

impl Binding {
    /// Returns one, with what was kept of it.
    pub(super) fn new(
        plan: &BindingPlan,
        account: &Account,
        kept: Kept,
        (now, chance): (Now, &mut Chance),
    ) -> Self {
        let (floors, reading) = (account.plan.floors, account.plan.reading);
        let digest = plan.digest ^ account.plan.digest.rotate_left(1);
        let held = kept.hold.as_ref().and_then(|kept| Held::restored(kept, digest, now));
        let mut binding = Self {
            plan: plan.clone(),
            floors,
            reading,
            digest,
            told: held.as_ref().map(|held| held.class),
            held,
            want: Vec::new(),
            prefix: None,
            step: Step::Resting,
            waits_since: None,
            watch: Watch::new(),
            counts: Counts::default(),
            asked: Asked::No,
            read_from: Some(now.at),
            read_at: None,
            write_from: now.at,
            published_ahead: None,
            kept,
        };
        binding.remember(now, chance);
        binding
    }

    /// Makes of what an earlier engine did what this one must not do too early.
    fn remember(&mut self, now: Now, chance: &mut Chance) {
        // A clock that stands in the past hides when that was.
        let intended = self.kept.intent.as_ref().map(|intent| intent.at);
        self.clock_set(now);
        let kept = &self.kept;
        let published = kept.published.as_ref().map(|stamped| stamped.at);
        // What was noted is written as soon as the disk has it, or does not answer.
        let slow = whole_seconds(ledger::ANSWER_MAX);
        let begun = kept.intent.as_ref().map(|stamped| stamped.at.saturating_add(slow));
        if let Some(last) = published.max(begun) {
            let floor = whole_seconds(self.floors.write).saturating_add(1);
            self.write_from = now.at + left(last.saturating_add(floor), now).min(self.floors.write);
        }
        if let (Some(intended), Reading::Impossible) = (intended, self.reading)
            && self.held.as_ref().is_none_or(|held| held.class == Class::Transient)
        {
            let begun = (intended, self.digest);
            let held = Held::after_crash(self.held.as_ref(), begun, &self.floors, (now, chance));
            self.held = Some(held);
        }
        if self.kept.published.is_some() && self.plan.verify == plan::Verify::Authoritative {
            self.watch.begin(now, chance);
        }
    }

    /// Returns why something is to be done, if anything is.
    pub(super) fn need(&self, now: Now) -> Option<Need> {
        if self.want.is_empty() {
            return None;
        }
        let is_readable = self.reading == Reading::Possible;
        let look = if is_readable { Need::Look } else { Need::Write };
        let is_known = self.kept.published.is_some();
        if is_known && (self.kept.digest != self.digest || self.is_stale(now)) {
            return Some(Need::Write);
        }
        if !is_readable && self.is_changed_by_others(now) {
            return Some(Need::Correct);
        }
        let is_read_due = is_readable && self.read_from.is_some_and(|from| from <= now.at);
        let is_due = self.asked == Asked::Yes || !self.is_settled() || is_read_due;
        is_due.then_some(look)
    }

    /// Returns whether what is wanted is known to be published.
    pub(super) fn is_settled(&self) -> bool {
        let published = self.kept.published.as_ref();
        let is_certain = self.kept.intent.is_none() && self.kept.tried.is_empty();
        is_certain && published.is_some_and(|have| have.values == self.want)
    }

    /// Returns when it may be tried; nothing until somebody does something about it.
    pub(super) fn opens(&self, account: &Account, now: Now) -> Option<Duration> {
        let own = self.held.as_ref().map_or(Some(Duration::ZERO), |held| held.until)?;
        Some(account.opens()?.max(own).max(self.rests_until(now)))
    }

    /// Returns until when it is left alone for what was written last.
    ///
    /// What an earlier engine has left is looked up at once: a look is no write, and what is as it shall
    /// be needs none.
    pub(super) fn rests_until(&self, now: Now) -> Duration {
        let is_first = self.reading == Reading::Possible && self.read_at.is_none();
        let is_look = is_first && self.need(now) == Some(Need::Look);
        if is_look { Duration::ZERO } else { self.write_from }
    }

    /// Returns when something is to be done; nothing while it only waits for room.
    pub(super) fn wakes(&self, account: &Account, now: Now) -> Option<Duration> {
        let opens = self.opens(account, now)?;
        let wakes = if self.need(now).is_some() {
            opens
        } else if self.want.is_empty() {
            return None;
        } else {
            let read = self.read_from.filter(|_| self.reading == Reading::Possible);
            let refresh = self.refreshes(now).map(|rest| now.at.saturating_add(rest));
            [read, refresh].into_iter().flatten().min()?.max(opens)
        };
        Some(wakes)
    }

    /// Returns how long it is until what has not changed is written all the same.
    fn refreshes(&self, now: Now) -> Option<Duration> {
        let published = self.kept.published.as_ref()?;
        let refresh = whole_seconds(self.floors.refresh?);
        Some(left(published.at.saturating_add(refresh), now))
    }

    fn is_stale(&self, now: Now) -> bool {
        self.refreshes(now).is_some_and(|rest| rest.is_zero())
    }

    /// Returns whether what was visible has been something else for long, and may be put right.
    fn is_changed_by_others(&self, now: Now) -> bool {
        let every = whole_seconds(self.floors.refresh.unwrap_or(CORRECT_EVERY));
        let corrected =
            self.kept.corrected.is_some_and(|at| !left(at.saturating_add(every), now).is_zero());
        let is_wrong = self.watch.wrong == Some(Wrong::Differs);
        self.kept.visible_since.is_some()
            && is_wrong
            && self.watch.is_wrong_for_long(now)
            && !corrected
    }

    /// An operator wants it written at once. Only patience outlasts that.
    pub(super) fn ask(&mut self) {
        self.asked = Asked::Yes;
        if self.held.as_ref().is_some_and(|held| held.class != Class::RateLimited) {
            self.held = None;
        }
    }

    /// The servers have something else: the provider is read, but not again and again.
    pub(super) fn doubt(&mut self, now: Now) {
        let is_read = |at| now.at.saturating_sub(at) < REREAD_EVERY;
        if !self.read_at.is_some_and(is_read) {
            self.read_from = Some(now.at);
        }
    }

    /// The wall clock says something else than before.
    ///
    /// Nothing was written in the future; what was written a moment ago still was, so that the next
    /// engine keeps its distance, too.
    pub(super) fn clock_set(&mut self, now: Now) {
        let rest = self.write_from.saturating_sub(now.at);
        let elapsed = whole_seconds(self.floors.write.saturating_sub(rest));
        let recent = if rest.is_zero() { i64::MIN } else { now.wall.saturating_sub(elapsed) };
        let kept = &mut self.kept;
        if let Some(published) = &mut kept.published {
            let ahead = self.published_ahead.take();
            if let Some(at) = ahead.filter(|at| *at <= now.wall) {
                published.at = at;
            } else {
                let at = ahead.unwrap_or(published.at);
                self.published_ahead = Some(at).filter(|at| *at > now.wall);
            }
        }
        for stamped in [&mut kept.published, &mut kept.intent].into_iter().flatten() {
            stamped.at = stamped.at.max(recent).min(now.wall);
        }
        kept.corrected = kept.corrected.map(|at| at.min(now.wall));
        kept.visible_since = kept.visible_since.map(|at| at.min(now.wall));
    }

    /// Returns which addresses we put there, as far as that is known.
    pub(super) fn ours(&self) -> Vec<IpAddr> {
        let stamped = [&self.kept.published, &self.kept.intent].into_iter().flatten();
        let values = stamped.flat_map(|stamped| stamped.values.iter()).chain(&self.kept.tried);
        let mut ours: Vec<IpAddr> = values.copied().collect();
        ours.sort_unstable();
        ours.dedup();
        ours
    }

    /// Keeps what is going to be written, and what may be there of earlier attempts; returns what was
    /// kept before.
    pub(super) fn intends(&mut self, now: Now) -> Uncertain {
        let uncertain = (self.kept.intent.clone(), self.kept.tried.clone());
        let intent = Stamped { values: self.want.clone(), at: now.wall };
        let before = self.kept.intent.replace(intent).map(|before| before.values);
        for address in before.unwrap_or_default() {
            if !self.kept.tried.contains(&address) && self.kept.tried.len() < TRIED_MAX {
                self.kept.tried.push(address);
            }
        }
        uncertain
    }

    /// What was going to be written is not, after all.
    pub(super) fn thinks_better(&mut self, before: Uncertain) {
        (self.kept.intent, self.kept.tried) = before;
    }

    /// Returns whether what was read is what is wanted: it has all that is wanted, and nothing that
    /// we put there otherwise. What somebody else has put there is his.
    pub(super) fn is_as_wanted(&self, found: &Found) -> bool {
        let is_ttl = match (self.plan.record.ttl, found.ttl) {
            (Some(want), Some(have)) => want == have,
            (None, _) | (_, None) => true,
        };
        let is_stale = |address: &IpAddr| !self.want.contains(address);
        let mut stale = self.ours().into_iter().filter(is_stale);
        is_ttl
            && self.want.iter().all(|address| found.values.contains(address))
            && !stale.any(|address| found.values.contains(&address))
    }

    /// It was read.
    pub(super) fn was_read(&mut self, now: Now) {
        self.counts.reads += 1;
        self.read_at = Some(now.at);
        let is_unseen = self.plan.verify == plan::Verify::Never;
        self.read_from = is_unseen.then(|| now.at + READ_EVERY);
    }

    /// What was read has led to nothing: it is read again, as soon as that may be.
    pub(super) fn reads_again(&mut self, now: Now) {
        self.read_from = Some(now.at);
    }

    /// A write begins.
    pub(super) fn begins_to_write(&mut self, now: Now) {
        self.write_from = now.at + self.floors.write;
    }

    /// It was not: nobody was reached, or a server was in trouble.
    pub(super) fn was_not_written(&mut self, now: Now) {
        self.write_from = self.write_from.min(now.at);
    }

    /// It was not, and nobody need wonder about that after a crash: who is asked for one record in
    /// one request has refused all of it.
    pub(super) fn was_refused(&mut self, now: Now) {
        if self.reading == Reading::Impossible {
            self.kept.intent = None;
            self.was_not_written(now);
        }
    }

    /// What is wanted is published; returns how many attempts had failed.
    pub(super) fn is_published(&mut self, values: Vec<IpAddr>, at: i64) -> u32 {
        let is_same = self.kept.published.as_ref().is_some_and(|have| have.at == at);
        self.published_ahead = self.published_ahead.filter(|_| is_same);
        self.kept.published = Some(Stamped { values, at });
        self.kept.intent = None;
        self.kept.tried.clear();
        self.kept.digest = self.digest;
        self.kept.why = None;
        self.held = None;
        self.asked = Asked::No;
        std::mem::take(&mut self.kept.failures)
    }

    /// Returns the record.
    pub(super) const fn record(&self) -> &Record {
        &self.plan.record
    }

    /// Returns it as it is kept.
    pub(super) fn kept(&self, now: Now) -> Kept {
        let mut kept = self.kept.clone();
        if let (Some(published), Some(at)) = (&mut kept.published, self.published_ahead) {
            published.at = at;
        }
        Kept { hold: self.held.as_ref().map(|held| held.kept(now)), ..kept }
    }
}

/// Returns a time in seconds, as stamps are.
pub(super) fn whole_seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
