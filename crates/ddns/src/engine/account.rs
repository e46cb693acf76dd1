//! What all bindings of an account share: how many requests are under way, and its holds.

use std::time::Duration;

use crate::{
    engine::{hold::Held, input::Now, plan::AccountPlan, state::Hold},
    failure::Class,
    provider::{Floors, Reading},
};

/// However many requests an account bears at once, it leaves room for the others.
pub(super) const AT_ONCE_MAX: usize = 8;

/// An account.
#[derive(Debug)]
pub(super) struct Account {
    /// What is configured.
    pub(super) plan: AccountPlan,
    /// That nothing of it is tried for a while.
    pub(super) held: Option<Held>,
    /// Why, in words.
    pub(super) why: Option<String>,
    /// How many of its bindings are under way.
    pub(super) under_way: usize,
}

impl Account {
    /// Returns one, with what was kept of it.
    pub(super) fn new(plan: &AccountPlan, kept: Option<&Hold>, now: Now) -> Self {
        let held = kept.and_then(|hold| Held::restored(hold, plan.digest, now));
        Self { plan: plan.clone(), held, why: None, under_way: 0 }
    }

    /// Returns the account of those who have none.
    pub(super) const fn nobody() -> Self {
        let (floors, reading) = (Floors::API, Reading::Impossible);
        let plan = AccountPlan { name: String::new(), floors, reading, at_once: 0, digest: 0 };
        Self { plan, held: None, why: None, under_way: 0 }
    }

    /// Returns whether one more request may begin.
    ///
    /// What was held is tried by one alone: if it fails again, nobody else has asked in vain.
    pub(super) fn has_room(&self) -> bool {
        let most = if self.held.is_some() { 1 } else { self.plan.at_once.clamp(1, AT_ONCE_MAX) };
        self.under_way < most
    }

    /// Returns when its bindings may be tried; nothing until somebody does something about it.
    pub(super) fn opens(&self) -> Option<Duration> {
        match &self.held {
            None => Some(Duration::ZERO),
            Some(held) => held.until,
        }
    }

    /// Returns whether nothing of it may be tried.
    pub(super) fn is_shut(&self, now: Now) -> bool {
        self.opens().is_none_or(|opens| opens > now.at)
    }

    /// An operator wants something of it at once. Only patience outlasts that.
    pub(super) fn asked(&mut self) {
        self.held.take_if(|held| held.class != Class::RateLimited);
    }

    /// An attempt that was begun then went well; returns whether that ends a hold.
    pub(super) fn went_well(&mut self, began: Duration) -> bool {
        let is_over = self.held.take_if(|held| held.is_refuted_by(began)).is_some();
        if is_over {
            self.why = None;
        }
        is_over
    }
}
