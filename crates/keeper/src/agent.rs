//! The life of the agent as its keeper sees it: started, owed answers, hung, dead, started again.
//!
//! ```text
//!  Absent ──start──► Starting ──started──► Alive ──end──► Waiting ──delay over──► Starting
//!    │                                      ▲
//!    └── an agent of somebody else calls ───┘
//! ```
//!
//! Decisions only; the control thread starts, kills and watches.

use std::{collections::VecDeque, time::Duration};

/// Deaths at least this far apart are no series.
const SERIES_WITHIN: Duration = Duration::from_secs(10);
/// So many deaths in a series ask for a start with nothing but what is known to be good.
const RECOVER_AFTER: usize = 3;
/// An agent that hangs after a life of this length has nothing to do with those before.
const GOOD_LIFE: Duration = Duration::from_mins(1);
const FIRST_DELAY: Duration = Duration::from_millis(10);
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long an agent may owe an acknowledgement, or be late for its own deadline.
const HANG_AFTER: Duration = Duration::from_secs(5);
/// How long an agent that was announced may take to call.
const EXPECTED_WITHIN: Duration = Duration::from_secs(5);

/// Where the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentState {
    /// There is none; nobody starts one but whoever calls.
    Absent,
    /// It was announced and has not called yet.
    Expected {
        /// When we stop expecting it.
        until: Duration,
    },
    /// Its start has not come to an end.
    Starting,
    /// It lives.
    Alive,
    /// The next one is started later.
    Waiting {
        /// When.
        until: Duration,
    },
}

/// Who starts agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    /// The keeper.
    Keeper,
    /// Whoever calls; the keeper waits for that.
    Others,
}

/// What is known of the first agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// There is one already, and it will call.
    Announced,
    /// Nothing.
    Unknown,
}

/// The life of the agent.
#[derive(Debug)]
pub(crate) struct AgentLife {
    state: AgentState,
    starter: Starter,
    /// Its next end is part of an upgrade.
    makes_room: bool,
    deaths: VecDeque<Duration>,
    /// So many in a row had to be killed: each takes so long that they are no series in time.
    hangs: usize,
    is_doomed: bool,
    /// When the last one was started.
    started: Duration,
    debt: Debt,
}

/// What the agent owes.
#[derive(Debug, Default)]
struct Debt {
    sent: u64,
    handled: u64,
    oldest: Option<Duration>,
    promised: Option<Duration>,
}

/// How an agent is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// As always.
    Normal,
    /// With the last good configuration and without its history.
    Recover,
}

impl AgentLife {
    /// Returns a life that begins at once, or when somebody calls if we have no agent to start.
    pub(crate) fn new(now: Duration, starter: Starter, first: First) -> Self {
        let state = match (first, starter) {
            (First::Announced, _) => AgentState::Expected { until: now + EXPECTED_WITHIN },
            (First::Unknown, Starter::Keeper) => AgentState::Waiting { until: now },
            (First::Unknown, Starter::Others) => AgentState::Absent,
        };
        Self {
            state,
            starter,
            makes_room: false,
            deaths: VecDeque::new(),
            hangs: 0,
            is_doomed: false,
            started: now,
            debt: Debt::default(),
        }
    }

    pub(crate) const fn state(&self) -> AgentState {
        self.state
    }

    /// Returns whether the last deaths came too fast, or the last agents all hung.
    pub(crate) fn is_recovering(&self) -> bool {
        self.deaths.len() >= RECOVER_AFTER || self.hangs >= RECOVER_AFTER
    }

    /// Returns how to start an agent now, if it is time.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Start> {
        let is_due = match self.state {
            AgentState::Waiting { until } | AgentState::Expected { until } => now >= until,
            AgentState::Absent | AgentState::Starting | AgentState::Alive => false,
        };
        if !is_due {
            return None;
        }
        if self.starter == Starter::Others {
            self.state = AgentState::Absent;
            return None;
        }
        self.state = AgentState::Starting;
        self.started = now;
        Some(if self.is_recovering() { Start::Recover } else { Start::Normal })
    }

    /// The agent that was announced has ended before it called.
    pub(crate) fn is_missed(&mut self, now: Duration) {
        if matches!(self.state, AgentState::Expected { .. }) {
            self.state = AgentState::Expected { until: now };
        }
    }

    /// The agent that we started is there; it owes a first word.
    pub(crate) fn is_born(&mut self, now: Duration) {
        self.lives();
        self.debt.oldest = Some(now);
    }

    /// An agent has called and is the owner now: ours or somebody else's.
    pub(crate) fn lives(&mut self) {
        self.state = AgentState::Alive;
        self.debt = Debt::default();
    }

    /// The agent was told of an upgrade: it leaves for its successor, which is no death.
    pub(crate) fn makes_room(&mut self) {
        self.makes_room = true;
    }

    /// The agent died, or could not be started.
    pub(crate) fn died(&mut self, now: Duration) {
        if !std::mem::take(&mut self.makes_room) {
            self.deaths.push_back(now);
        }
        self.count_hang(now);
        while self.deaths.front().is_some_and(|death| *death + SERIES_WITHIN < now) {
            self.deaths.pop_front();
        }
        self.debt = Debt::default();
        self.state = if self.starter == Starter::Keeper {
            AgentState::Waiting { until: now + self.delay() }
        } else {
            AgentState::Absent
        };
    }

    fn count_hang(&mut self, now: Duration) {
        if now.saturating_sub(self.started) >= GOOD_LIFE {
            self.hangs = 0;
        }
        let has_hung = std::mem::take(&mut self.is_doomed);
        self.hangs = if has_hung { self.hangs + 1 } else { 0 };
    }

    /// The first death costs no time; a series costs more with each.
    fn delay(&self) -> Duration {
        let earlier = u32::try_from(self.deaths.len()).unwrap_or(u32::MAX).saturating_sub(1);
        if earlier == 0 {
            return Duration::ZERO;
        }
        FIRST_DELAY.saturating_mul(2_u32.saturating_pow(earlier - 1)).min(DELAY_MAX)
    }

    /// A frame that wants an acknowledgement went out.
    pub(crate) fn told(&mut self, now: Duration, sequence: u64) {
        self.debt.sent = sequence;
        self.debt.oldest.get_or_insert(now);
    }

    /// The agent said how far it is and when it will act next.
    pub(crate) fn heard(&mut self, now: Duration, handled: u64, promised: Option<Duration>) {
        self.debt.handled = handled;
        self.debt.promised = promised;
        self.debt.oldest = (self.debt.sent > handled).then_some(now);
    }

    /// The agent is being killed; its end is awaited without further complaint.
    pub(crate) fn doom(&mut self) {
        self.debt = Debt::default();
        self.is_doomed = true;
    }

    /// We stood still ourselves, and most likely the whole machine: what is owed is owed from now.
    pub(crate) fn excuse(&mut self, now: Duration) {
        self.debt.oldest = self.debt.oldest.map(|_| now);
        self.debt.promised = self.debt.promised.map(|at| at.max(now));
    }

    /// Returns whether the agent counts as hung.
    pub(crate) fn is_hung(&self, now: Duration) -> bool {
        self.state == AgentState::Alive && self.hangs_at().is_some_and(|at| now >= at)
    }

    fn hangs_at(&self) -> Option<Duration> {
        let owed = self.debt.oldest.map(|since| since + HANG_AFTER);
        let promised = self.debt.promised.map(|at| at + HANG_AFTER);
        owed.into_iter().chain(promised).min()
    }

    /// Returns when to look again.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        match self.state {
            AgentState::Waiting { until } | AgentState::Expected { until } => Some(until),
            AgentState::Alive => self.hangs_at(),
            AgentState::Absent | AgentState::Starting => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(100);

    #[test]
    fn the_first_death_costs_no_time_and_a_series_at_most_a_second() {
        let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
        let mut now = T;
        let mut delays = Vec::new();
        for _ in 0..10 {
            assert!(life.due(now).is_some());
            life.lives();
            life.died(now);
            let Some(until) = life.next_deadline() else { panic!("nothing follows") };
            delays.push(until.saturating_sub(now).as_millis());
            now = until;
        }
        assert_eq!(delays, [0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }

    #[test]
    fn three_deaths_in_ten_seconds_ask_for_recovery() {
        let starts = |gap: u64| {
            let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
            let mut seen = Vec::new();
            for round in 0..4 {
                let now = T + Duration::from_secs(gap * round + round);
                seen.push(life.due(now));
                life.lives();
                life.died(now);
            }
            seen
        };
        let (normal, recover) = (Some(Start::Normal), Some(Start::Recover));
        assert_eq!(starts(1), [normal, normal, normal, recover]);
        assert_eq!(starts(9), [normal; 4]);
    }

    #[test]
    fn three_agents_in_a_row_that_hang_ask_for_recovery() {
        let starts = |life_of_each: u64| {
            let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
            let mut now = T;
            let mut seen = Vec::new();
            for _ in 0..4 {
                seen.push(life.due(now));
                life.lives();
                now += Duration::from_secs(life_of_each);
                life.doom();
                life.died(now);
                now += DELAY_MAX;
            }
            seen
        };
        let (normal, recover) = (Some(Start::Normal), Some(Start::Recover));
        assert_eq!(starts(6), [normal, normal, normal, recover]);
        assert_eq!(starts(20), [normal, normal, normal, recover]);
        assert_eq!(starts(60), [normal; 4]);
    }

    #[test]
    fn an_agent_hangs_only_when_it_owes_something() {
        let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
        life.lives();
        assert_eq!(life.next_deadline(), None);
        assert!(!life.is_hung(T + Duration::from_secs(1000)));

        life.told(T, 1);
        assert!(!life.is_hung(T + Duration::from_secs(4)));
        assert!(life.is_hung(T + Duration::from_secs(5)));

        life.heard(T + Duration::from_secs(4), 1, Some(T + Duration::from_mins(1)));
        assert!(!life.is_hung(T + Duration::from_secs(64)));
        assert!(life.is_hung(T + Duration::from_secs(65)));
    }

    #[test]
    fn an_agent_that_never_calls_is_hung() {
        let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
        life.is_born(T);
        assert_eq!(life.next_deadline(), Some(T + HANG_AFTER));
        assert!(life.is_hung(T + HANG_AFTER));
        life.lives();
        assert_eq!(life.next_deadline(), None, "it has called");
    }

    #[test]
    fn an_agent_is_not_blamed_for_a_time_in_which_its_keeper_stood_still() {
        let mut life = AgentLife::new(T, Starter::Keeper, First::Unknown);
        life.lives();
        life.heard(T, 0, Some(T + Duration::from_secs(1)));
        life.told(T, 1);
        let later = T + Duration::from_hours(1);
        life.excuse(later);
        assert!(!life.is_hung(later + Duration::from_secs(4)));
        assert!(life.is_hung(later + Duration::from_secs(5)));
    }

    #[test]
    fn an_announced_agent_is_replaced_when_it_does_not_call() {
        let mut life = AgentLife::new(T, Starter::Keeper, First::Announced);
        assert_eq!(life.due(T + Duration::from_secs(4)), None);
        assert_eq!(life.due(T + Duration::from_secs(5)), Some(Start::Normal));
        let mut life = AgentLife::new(T, Starter::Keeper, First::Announced);
        life.is_missed(T + Duration::from_secs(1));
        assert_eq!(life.due(T + Duration::from_secs(1)), Some(Start::Normal));
    }
}
