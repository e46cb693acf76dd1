//! What is believed of the addresses of one family, and when sources are asked again.

use std::{net::IpAddr, time::Duration};

use mainstay_core::chance::Chance;

use crate::{
    engine::{
        backoff,
        input::{Effect, Event, Now},
        plan::{Plan, SightPlan},
        quorum::{Doubt, DoubtKind, Verdict, judge, sorted},
        view::SightView,
    },
    source::Vote,
};

/// However restless the network is, sources are asked so long after it began to be.
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// A source that has not answered by then does not answer.
const LOOK_MAX: Duration = Duration::from_mins(2);

/// What is believed, and how it goes on.
#[derive(Debug)]
pub(super) struct Sight {
    index: usize,
    plan: SightPlan,
    every: Duration,
    settle: Duration,
    step: Step,
    believed: Option<Believed>,
    trouble: Option<Doubt>,
    misses: u32,
}

#[derive(Debug)]
struct Believed {
    addresses: Vec<IpAddr>,
    source: usize,
    since: i64,
}

#[derive(Debug)]
enum Step {
    /// Nothing happens before then.
    Resting { until: Duration },
    /// Something has changed: it may go on changing, but sources are asked at `latest`.
    Settling { until: Duration, latest: Duration },
    /// A source is asked. What changes meanwhile makes its answer an old one.
    Looking { source: usize, until: Duration, doubt: Option<Doubt>, stirred: Option<Duration> },
}

impl Sight {
    /// Returns one that asks at once.
    pub(super) fn new(index: usize, plan: &SightPlan, all: &Plan, now: Now) -> Self {
        Self {
            index,
            plan: plan.clone(),
            every: all.every,
            settle: all.settle,
            step: Step::Resting { until: now.at },
            believed: None,
            trouble: None,
            misses: 0,
        }
    }

    /// Returns the addresses that are believed, best first.
    pub(super) fn addresses(&self) -> Option<&[IpAddr]> {
        self.believed.as_ref().map(|believed| believed.addresses.as_slice())
    }

    /// Returns what is observed.
    pub(super) const fn plan(&self) -> &SightPlan {
        &self.plan
    }

    /// Returns when something is to be done.
    pub(super) const fn wakes(&self) -> Duration {
        match self.step {
            Step::Resting { until }
            | Step::Settling { until, .. }
            | Step::Looking { until, .. } => until,
        }
    }

    /// Something may have changed: waits until it is quiet, but not for long, and looks.
    pub(super) fn stir(&mut self, now: Now) {
        let quiet = now.at + self.settle;
        match &mut self.step {
            Step::Resting { .. } => {
                let latest = now.at + self.settle.max(SETTLE_MAX);
                self.step = Step::Settling { until: quiet, latest };
            }
            Step::Settling { until, latest } => *until = quiet.min(*latest),
            Step::Looking { stirred, .. } => *stirred = stirred.or(Some(now.at)),
        }
    }

    /// An operator does not want to wait.
    pub(super) fn hurry(&mut self, now: Now) {
        match &mut self.step {
            Step::Resting { until } | Step::Settling { until, .. } => *until = now.at,
            Step::Looking { stirred, .. } => *stirred = stirred.or(Some(now.at)),
        }
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, now: Now, chance: &mut Chance, effects: &mut Vec<Effect>) {
        if self.wakes() > now.at {
            return;
        }
        match self.step {
            Step::Resting { .. } | Step::Settling { .. } => {
                self.step = Step::Looking { source: 0, until: now.at, doubt: None, stirred: None };
                self.look(0, now, chance, effects);
            }
            Step::Looking { source, .. } => {
                let answer = Err("no answer within two minutes".to_owned());
                let vote = Vote { voter: "the source".to_owned(), answer };
                // A source that is late is a source that does not answer.
                let _is_another = self.looked(source, &[vote], (now, chance), effects);
            }
        }
    }

    /// Takes a source's answer; returns whether other addresses are believed than before.
    pub(super) fn looked(
        &mut self,
        source: usize,
        votes: &[Vote],
        (now, chance): (Now, &mut Chance),
        effects: &mut Vec<Effect>,
    ) -> bool {
        match &self.step {
            Step::Looking { source: asked, .. } if *asked == source => {}
            Step::Looking { .. } | Step::Resting { .. } | Step::Settling { .. } => return false,
        }
        let Some(plan) = self.plan.sources.get(source) else { return false };
        match judge(votes, self.addresses(), *plan, &self.plan) {
            Verdict::Believed(addresses) => {
                let is_another = self.believe(addresses, source, now, effects);
                self.rest(now, chance);
                is_another
            }
            Verdict::Doubted(doubt) => {
                self.doubt(doubt);
                self.look(source + 1, now, chance, effects);
                false
            }
        }
    }

    /// Asks a source, or gives up for now when there is none left.
    fn look(&mut self, next: usize, now: Now, chance: &mut Chance, effects: &mut Vec<Effect>) {
        let Step::Looking { source, until, doubt, .. } = &mut self.step else { return };
        if next < self.plan.sources.len() {
            (*source, *until) = (next, now.at + LOOK_MAX);
            effects.push(Effect::Look { sight: self.index, source: next });
            return;
        }
        let none = || Doubt { kind: DoubtKind::Silence, words: "there is no source".to_owned() };
        let doubt = doubt.take().unwrap_or_else(none);
        self.misses = self.misses.saturating_add(1);
        if self.trouble.as_ref().map(|trouble| trouble.kind) != Some(doubt.kind) {
            let why = doubt.words.clone();
            effects.push(Effect::Tell(Event::AddressLost { sight: self.index, why }));
        }
        self.trouble = Some(doubt);
        self.rest(now, chance);
    }

    /// Keeps the most telling of what sources say.
    fn doubt(&mut self, new: Doubt) {
        if let Step::Looking { doubt, .. } = &mut self.step
            && doubt.as_ref().is_none_or(|old| old.kind < new.kind)
        {
            *doubt = Some(new);
        }
    }

    fn believe(
        &mut self,
        addresses: Vec<IpAddr>,
        source: usize,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let sight = self.index;
        self.misses = 0;
        if self.trouble.take().is_some() {
            effects.push(Effect::Tell(Event::AddressFound { sight }));
        }
        let before = self.believed.as_mut();
        if let Some(before) = before
            && sorted(&before.addresses) == sorted(&addresses)
        {
            before.source = source;
            return false;
        }
        let from = self.believed.take().map(|before| before.addresses).unwrap_or_default();
        effects.push(Effect::Tell(Event::AddressChanged { sight, from, to: addresses.clone() }));
        self.believed = Some(Believed { addresses, source, since: now.wall });
        true
    }

    fn rest(&mut self, now: Now, chance: &mut Chance) {
        let stirred = match self.step {
            Step::Looking { stirred, .. } => stirred,
            Step::Resting { .. } | Step::Settling { .. } => None,
        };
        self.step = match stirred {
            Some(since) => {
                let latest = since + self.settle.max(SETTLE_MAX);
                Step::Settling { until: (now.at + self.settle).min(latest.max(now.at)), latest }
            }
            None => {
                Step::Resting { until: now.at + backoff::sight(self.misses, self.every, chance) }
            }
        };
    }

    /// Returns what can be seen of it.
    pub(super) fn view(&self, now: Now) -> SightView {
        SightView {
            addresses: self.addresses().map(<[IpAddr]>::to_vec).unwrap_or_default(),
            source: self.believed.as_ref().map(|believed| believed.source),
            since: self.believed.as_ref().map(|believed| believed.since),
            trouble: self.trouble.as_ref().map(|trouble| trouble.words.clone()),
            next: Some(self.wakes().saturating_sub(now.at)),
        }
    }
}
