//! What follows an exit: another run and when, rest, or giving up.

use std::time::Duration;

use crate::{
    chance::Chance,
    exit::Exit,
    service::{Delays, ExitAction, Nature, RestartPolicy, RestartWhen, Service},
};

/// What follows an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Another run.
    Restart,
    /// Rest, because the policy asks for none.
    Rest,
    /// Rest, because the work is done.
    Complete,
    /// Giving up.
    Fail,
    /// The end of the whole instance.
    Exit,
}

/// Returns what follows an exit that nobody asked for.
pub fn follow(service: &Service, exit: Exit) -> Follow {
    let is_task = service.nature == Nature::Task;
    match service.restart.action_of(exit) {
        Some(ExitAction::Restart) => return Follow::Restart,
        Some(ExitAction::Fail) => return Follow::Fail,
        Some(ExitAction::Exit) => return Follow::Exit,
        Some(ExitAction::Stop) if is_task => return Follow::Complete,
        Some(ExitAction::Stop) => return Follow::Rest,
        None => {}
    }
    match (service.restart.when, exit.is_success()) {
        (_, true) if is_task => Follow::Complete,
        (RestartWhen::Always, _) | (RestartWhen::OnFailure, false) => Follow::Restart,
        (RestartWhen::OnFailure | RestartWhen::Never, true) => Follow::Rest,
        (RestartWhen::Never, false) => Follow::Fail,
    }
}

impl RestartPolicy {
    /// Returns how long to wait before the attempt that follows this many earlier failures.
    pub fn delay(&self, failures: u32, chance: &mut Chance) -> Duration {
        match &self.delays {
            Delays::List(list) => {
                let index = usize::try_from(failures).unwrap_or(usize::MAX);
                list.get(index).or_else(|| list.last()).copied().unwrap_or_default()
            }
            Delays::Exponential { first, max } => {
                let full = first.saturating_mul(2_u32.saturating_pow(failures)).min(*max);
                half_jitter(full, chance)
            }
        }
    }
}

/// Returns a delay between half of `full` and `full`; nothing stays nothing.
fn half_jitter(full: Duration, chance: &mut Chance) -> Duration {
    let half = full / 2;
    let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half + Duration::from_micros(chance.below(spread.saturating_add(1))).min(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponential(first_ms: u64, max_ms: u64) -> RestartPolicy {
        let [first, max] = [first_ms, max_ms].map(Duration::from_millis);
        RestartPolicy { delays: Delays::Exponential { first, max }, ..RestartPolicy::default() }
    }

    #[test]
    fn delays_double_up_to_the_cap_with_half_jitter() {
        let policy = exponential(200, 60_000);
        for seed in 0..200 {
            let mut chance = Chance::new(seed);
            for failures in [0, 1, 5, 8, 9, 31, 32, 1000, u32::MAX] {
                let full = Duration::from_millis(200)
                    .saturating_mul(2_u32.saturating_pow(failures))
                    .min(Duration::from_mins(1));
                let delay = policy.delay(failures, &mut chance);
                assert!(delay >= full / 2 && delay <= full, "{failures}: {delay:?} of {full:?}");
            }
        }
    }

    #[test]
    fn no_delay_stays_no_delay() {
        let mut chance = Chance::new(7);
        assert_eq!(exponential(0, 0).delay(9, &mut chance), Duration::ZERO);
    }

    #[test]
    fn the_last_of_a_list_repeats() {
        let list = [15, 30, 60].map(Duration::from_secs).to_vec();
        let policy = RestartPolicy { delays: Delays::List(list), ..RestartPolicy::default() };
        let mut chance = Chance::new(7);
        let seen: Vec<u64> = (0..5).map(|n| policy.delay(n, &mut chance).as_secs()).collect();
        assert_eq!(seen, [15, 30, 60, 60, 60]);
    }
}
