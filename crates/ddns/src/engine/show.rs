//! What can be seen of bindings.

use std::time::Duration;

use crate::{
    engine::{
        account::Account,
        binding::{Binding, Step},
        hold::Held,
        input::Now,
        view::{BindingView, Phase},
        watch::Told,
    },
    failure::Class,
};

/// Returns what can be seen of a binding.
pub(super) fn view(binding: &Binding, account: &Account, now: Now) -> BindingView {
    let kept = &binding.kept;
    let hold = longest(binding, account);
    let is_account = hold.is_some() && binding.held.is_none();
    let why = kept.why.as_ref().or_else(|| account.why.as_ref().filter(|_| is_account));
    let wakes = binding.wakes(account, now);
    let is_visible = binding.watch.told == Told::No;
    BindingView {
        id: binding.plan.id.clone(),
        phase: phase(binding, account, now),
        published: kept.published.as_ref().map(|have| have.values.clone()).unwrap_or_default(),
        published_since: kept.published.as_ref().map(|have| have.at),
        visible_since: kept.visible_since.filter(|_| is_visible),
        want: binding.want.clone(),
        why: why.cloned(),
        code: hold.map(|held| held.code.clone()),
        class: hold.map(|held| held.class),
        failing_since: hold.map(|held| held.since),
        next: wakes.map(|wakes| wakes.saturating_sub(now.at)),
        failures: kept.failures,
        failed: binding.counts.failed.clone(),
        writes: binding.counts.writes,
        unchanged: binding.counts.unchanged,
        reads: binding.counts.reads,
    }
}

/// What is parked stays to be seen, even while it is tried, or nothing would be done; until it may
/// be tried and nothing is to be done.
fn phase(binding: &Binding, account: &Account, now: Now) -> Phase {
    let is_settled = binding.need(now).is_none() && matches!(binding.step, Step::Resting);
    let is_parked = |held: &Held| held.class == Class::Parked && !(is_settled && held.is_over(now));
    if holds(binding, account).any(is_parked) {
        return Phase::Parked;
    }
    if binding.want.is_empty() {
        return Phase::Unaddressed;
    }
    if !matches!(binding.step, Step::Resting) {
        return Phase::Pending;
    }
    let is_held = holds(binding, account).any(|held| !held.is_over(now));
    match (binding.need(now), is_held) {
        (None, _) => Phase::Published,
        (Some(_), true) => Phase::BackingOff,
        (Some(_), false) => Phase::Pending,
    }
}

/// Returns the hold that lasts longest: the one that matters.
fn longest<'a>(binding: &'a Binding, account: &'a Account) -> Option<&'a Held> {
    holds(binding, account).max_by_key(|held| held.until.unwrap_or(Duration::MAX))
}

fn holds<'a>(binding: &'a Binding, account: &'a Account) -> impl Iterator<Item = &'a Held> {
    [binding.held.as_ref(), account.held.as_ref()].into_iter().flatten()
}
