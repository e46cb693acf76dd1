//! The reconciler: observe, decide, read, patch in place, verify, persist; per binding.
//!
//! It does no I/O and knows no clock: [`Engine::handle`] takes a moment and an input and returns
//! effects; [`Engine::next_deadline`] says when to call with [`Input::Tick`] at the latest. The same
//! plan, state, seed and inputs give the same effects.
//!
//! ```text
//!  sight (one per family and list of sources)
//!    resting ──event, poll──▶ settling ──▶ looking (source 0, 1, …) ──believed──▶ resting
//!                                            └─ nobody believed: back-off, last address stays
//!  binding (one per account, name, type and line)
//!    idle ─differs─▶ due ─▶ reading ─▶ noting (intent on disk) ─▶ writing ─▶ noting ─▶ idle
//!      ▲               ▲        │ same: nothing is written           │ failure
//!      │               └────────┴──── backing off ◀──────────────────┘ (class, floors)
//!      └── parked: only configuration or an operator brings it back; once a day it is probed
//! ```

mod account;
mod attempt;
mod backoff;
mod binding;
mod compose;
mod hold;
pub mod input;
mod ledger;
pub mod plan;
mod quorum;
mod show;
mod sight;
pub mod state;
#[cfg(test)]
mod tests;
pub mod view;
mod visibility;
mod watch;

use std::time::Duration;

use mainstay_core::chance::Chance;

use self::{
    account::Account,
    binding::{Binding, Step},
    hold::Held,
    input::{Effect, Input, Now},
    ledger::Ledger,
    plan::Plan,
    sight::Sight,
    state::State,
    view::View,
};

/// The wall clock was set, or the machine slept, when both clocks differ by more than this.
const CLOCK_JUMP_SECONDS: i64 = 5;
/// Whoever slept for longer wakes up in another network.
const SLEPT_SECONDS: i64 = 30;

/// What decides.
#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    now: Now,
    chance: Chance,
    ledger: Ledger,
    sights: Vec<Sight>,
    accounts: Vec<Account>,
    bindings: Vec<Binding>,
}

impl Engine {
    /// Returns an engine that knows what an earlier one has kept. It begins with the first input.
    pub fn new(plan: Plan, mut state: State, seed: u64, now: Now) -> Self {
        let mut chance = Chance::new(seed);
        let sights = plan.sights.iter().enumerate();
        let sights = sights.map(|(index, sight)| Sight::new(index, sight, &plan, now)).collect();
        let mut accounts: Vec<Account> = Vec::with_capacity(plan.accounts.len());
        for account in &plan.accounts {
            let kept = state.accounts.remove(&account.name);
            accounts.push(Account::new(account, kept.as_ref(), now));
        }
        // Nothing is ever asked for a binding without an account; the others keep their numbers.
        let mut nobody = Account::nobody();
        let mut bindings = Vec::with_capacity(plan.bindings.len());
        for binding in &plan.bindings {
            let kept = state.bindings.remove(&binding.id).unwrap_or_default();
            let account = accounts.get_mut(binding.account).unwrap_or(&mut nobody);
            account.why = account.why.take().or_else(|| kept.why.clone());
            bindings.push(Binding::new(binding, account, kept, (now, &mut chance)));
        }
        Self { plan, now, chance, ledger: Ledger::new(state), sights, accounts, bindings }
    }

    /// Returns what it keeps.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes what has happened and returns what is to be done.
    ///
    /// Whoever is asked has two minutes; what comes later must not be told.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.watch_clock(now);
        self.now = Now { at: now.at.max(self.now.at), wall: now.wall };
        match input {
            Input::Tick => {}
            Input::NetworkChanged => self.network_changed(),
            Input::Looked { sight, source, votes } => {
                let chance = (self.now, &mut self.chance);
                if let Some(asked) = self.sights.get_mut(sight)
                    && asked.looked(source, &votes, chance, &mut effects)
                {
                    self.compose(sight);
                }
            }
            Input::Read { binding, result } => self.read(binding, result, &mut effects),
            Input::Wrote { binding, result } => self.wrote(binding, result, &mut effects),
            Input::Verified { binding, result } => self.verified(binding, &result, &mut effects),
            Input::Persisted { revision, result } => {
                self.ledger.answered(&result, self.now, &mut effects);
                self.persisted(revision, &mut effects);
            }
            Input::Update { bindings } => self.update(&bindings),
        }
        self.advance(&mut effects);
        effects
    }

    /// Returns when [`Input::Tick`] is to be told at the latest, by [`Now::at`].
    pub fn next_deadline(&self) -> Option<Duration> {
        let now = self.now;
        // Whoever is due already is due at once.
        let soon = now.at + Duration::from_millis(1);
        let sights = self.sights.iter().map(|sight| sight.wakes().max(soon));
        let bindings = self.bindings.iter().filter_map(|binding| self.wakes(binding));
        let watches = self.bindings.iter().filter_map(|binding| binding.watch.wakes());
        let all = sights.chain(bindings).chain(watches).chain(self.ledger.wakes());
        // What is past waits for room, which an answer or its absence makes.
        all.filter(|at| *at > now.at).min()
    }

    /// Returns what is to be kept of it, as [`Effect::Persist`] asks for, as of the last input: who
    /// gives it to another engine tells [`Input::Tick`] before.
    pub fn state(&self) -> State {
        self.ledger.with_others(kept(&self.accounts, &self.bindings, self.now))
    }

    /// Returns what can be seen of it.
    pub fn view(&self, now: Now) -> View {
        let bindings = self.bindings.iter().filter_map(|binding| {
            let account = self.accounts.get(binding.plan.account)?;
            Some(show::view(binding, account, now))
        });
        View {
            sights: self.sights.iter().map(|sight| sight.view(now)).collect(),
            bindings: bindings.collect(),
        }
    }

    fn advance(&mut self, effects: &mut Vec<Effect>) {
        for sight in &mut self.sights {
            sight.advance(self.now, &mut self.chance, effects);
        }
        self.give_up(effects);
        self.begin(effects);
        self.look_up(effects);
        let state = || kept(&self.accounts, &self.bindings, self.now);
        self.ledger.advance(self.now, state, effects);
    }

    fn wakes(&self, binding: &Binding) -> Option<Duration> {
        match &binding.step {
            Step::Resting => binding.wakes(self.accounts.get(binding.plan.account)?, self.now),
            Step::Noting { began, .. } => Some(*began + ledger::ANSWER_MAX),
            Step::Reading { began, .. } | Step::Writing { began, .. } => {
                Some(*began + attempt::ANSWER_MAX)
            }
        }
    }

    /// Composes what hangs on a sight anew, all in one pass.
    fn compose(&mut self, sight: usize) {
        let Some(seen) = self.sights.get(sight) else { return };
        let addresses = seen.addresses().unwrap_or_default();
        for binding in self.bindings.iter_mut().filter(|binding| binding.plan.sight == sight) {
            let want = compose::compose(addresses, &binding.plan, &seen.plan().allow);
            if !want.is_empty() {
                binding.want = want;
                binding.prefix = compose::prefix(addresses, binding.plan.compose);
            }
        }
    }

    /// What failed for the old network is tried soon; whoever asked for patience is left alone.
    fn network_changed(&mut self) {
        for sight in &mut self.sights {
            sight.stir(self.now);
        }
        let settled = self.now.at + self.plan.settle;
        self.holds().for_each(|held| held.network_changed(settled));
    }

    /// An operator wants these at once, and the newest address in them.
    fn update(&mut self, indices: &[usize]) {
        let now = self.now;
        self.sights.iter_mut().for_each(|sight| sight.hurry(now));
        for (index, binding) in self.bindings.iter_mut().enumerate() {
            if !indices.is_empty() && !indices.contains(&index) {
                continue;
            }
            binding.ask();
            if let Some(account) = self.accounts.get_mut(binding.plan.account) {
                account.asked();
            }
        }
        self.ledger.note();
    }

    /// Compares both clocks: one stands still in a sleep, the other is set.
    fn watch_clock(&mut self, now: Now) {
        let passed = binding::whole_seconds(now.at.saturating_sub(self.now.at));
        let jump = now.wall.saturating_sub(self.now.wall).saturating_sub(passed);
        if jump.saturating_abs() < CLOCK_JUMP_SECONDS {
            return;
        }
        self.holds().for_each(|held| held.clock_set(now));
        for binding in &mut self.bindings {
            binding.clock_set(now);
        }
        if jump >= SLEPT_SECONDS {
            self.network_changed();
        }
        self.ledger.note();
    }

    fn holds(&mut self) -> impl Iterator<Item = &mut Held> {
        let accounts = self.accounts.iter_mut().filter_map(|account| account.held.as_mut());
        accounts.chain(self.bindings.iter_mut().filter_map(|binding| binding.held.as_mut()))
    }
}

/// Returns what is to be kept.
fn kept(accounts: &[Account], bindings: &[Binding], now: Now) -> State {
    let accounts = accounts
        .iter()
        .filter_map(|account| Some((account.plan.name.clone(), account.held.as_ref()?.kept(now))));
    let bindings = bindings.iter().map(|binding| (binding.plan.id.clone(), binding.kept(now)));
    State { bindings: bindings.collect(), accounts: accounts.collect() }
}
