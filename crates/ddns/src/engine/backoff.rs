//! How long to wait before something is tried again.

use std::time::Duration;

use mainstay_core::chance::Chance;

use crate::{
    engine::hold::is_unreached,
    failure::{Class, Failure},
    provider::Floors,
};

/// The longest wait after a failure that may be over soon.
const TRANSIENT_MAX: Duration = Duration::from_hours(1);
/// The longest wait while nobody is reached at all: that costs nobody anything, and ends unheard.
const UNREACHED_MAX: Duration = Duration::from_mins(5);
/// The longest wait that patience grows to by itself.
const RATE_LIMITED_MAX: Duration = Duration::from_hours(6);
/// Nobody is believed who asks for more patience than this.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// How often what is parked is tried all the same.
const PROBE_EVERY: Duration = Duration::from_hours(24);
/// The first and the longest wait for a clock to be set.
const CLOCK: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(15));
/// The first wait for sources that are not believed.
const SIGHT_FIRST: Duration = Duration::from_secs(5);
/// Codes after which nobody asks again by himself: whoever was called a nuisance is one then.
const NEVER_PROBED: [&str; 2] = ["abuse", "badagent"];

/// Returns how long to wait after the `failures`th failure in a row of one class; nothing when
/// waiting does not help.
pub(super) fn after(
    failure: &Failure,
    failures: u32,
    floors: &Floors,
    chance: &mut Chance,
) -> Option<Duration> {
    let asked = failure.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    let wait = match failure.class {
        Class::Transient if is_unreached(failure) => grown(failures, UNREACHED_MAX, floors, chance),
        Class::Transient => transient(failures, floors, chance).max(asked),
        Class::RateLimited => {
            let grown = doubled(floors.rate_limited, failures.saturating_sub(1), RATE_LIMITED_MAX);
            let full = grown.max(asked);
            full + up_to(full / 10, chance)
        }
        Class::Clock => doubled(CLOCK.0, failures.saturating_sub(1), CLOCK.1),
        Class::Parked if NEVER_PROBED.contains(&failure.code.as_str()) => return None,
        Class::Parked => PROBE_EVERY + up_to(PROBE_EVERY / 24, chance),
    };
    Some(wait)
}

/// Returns a wait between the floor and the floor doubled `failures` times.
pub(super) fn transient(failures: u32, floors: &Floors, chance: &mut Chance) -> Duration {
    grown(failures, TRANSIENT_MAX, floors, chance)
}

fn grown(failures: u32, most: Duration, floors: &Floors, chance: &mut Chance) -> Duration {
    let floor = floors.transient;
    let full = doubled(floor, failures, most);
    floor + up_to(full.saturating_sub(floor), chance)
}

/// Returns the longest wait that a class knows: what is kept beyond it is a clock's mistake.
pub(super) fn longest(class: Class) -> Duration {
    let longest = match class {
        Class::Transient => TRANSIENT_MAX,
        Class::RateLimited => RETRY_AFTER_MAX,
        Class::Parked => PROBE_EVERY,
        Class::Clock => CLOCK.1,
    };
    longest + longest / 10
}

/// Returns how long sources rest that have not been believed so many times in a row.
pub(super) fn sight(misses: u32, every: Duration, chance: &mut Chance) -> Duration {
    if misses == 0 {
        return spread(every, chance);
    }
    let first = SIGHT_FIRST.min(every);
    spread(doubled(first, misses - 1, every), chance)
}

/// Returns a time up to a tenth shorter or longer.
pub(super) fn spread(time: Duration, chance: &mut Chance) -> Duration {
    time.saturating_sub(time / 10) + up_to(time / 5, chance)
}

/// Returns a time between nothing and `most`.
pub(super) fn up_to(most: Duration, chance: &mut Chance) -> Duration {
    let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(chance.below(micros.saturating_add(1)))
}

/// Returns `first` doubled so many times, but no more than `max`, unless `first` is more.
fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(max.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: Floors = Floors::API;

    fn waits(class: Class, code: &str, retry_after: u64) -> Vec<Option<u64>> {
        let wait = Some(Duration::from_secs(retry_after)).filter(|wait| !wait.is_zero());
        let failure = Failure::new(class, code, "").after(wait);
        let mut chance = Chance::new(3);
        let mut seconds =
            |failures| after(&failure, failures, &FLOORS, &mut chance).map(|wait| wait.as_secs());
        [1, 2, 3, 5, 30, u32::MAX].map(&mut seconds).to_vec()
    }

    #[test]
    fn transient_waits_spread_between_the_floor_and_what_has_grown() {
        let failure = Failure::new(Class::Transient, "", "");
        for seed in 0..200 {
            let mut chance = Chance::new(seed);
            for failures in [1, 2, 9, 31, u32::MAX] {
                let wait = after(&failure, failures, &FLOORS, &mut chance).unwrap();
                let full = doubled(FLOORS.transient, failures, TRANSIENT_MAX);
                assert!(wait >= FLOORS.transient && wait <= full, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn whoever_reaches_nobody_tries_again_within_five_minutes() {
        let failure = Failure::new(Class::Transient, "connect", "");
        for seed in 0..200 {
            let mut chance = Chance::new(seed);
            for failures in [1, 9, u32::MAX] {
                let wait = after(&failure, failures, &Floors::DYNDNS, &mut chance).unwrap();
                assert!(wait >= Floors::DYNDNS.transient && wait <= UNREACHED_MAX, "{wait:?}");
            }
        }
    }

    #[test]
    fn patience_doubles_and_never_undercuts_what_was_asked_for() {
        let limited = waits(Class::RateLimited, "429", 0);
        for (wait, least) in limited.into_iter().zip([300, 600, 1200, 4800, 21_600, 21_600]) {
            let wait = wait.unwrap();
            assert!(wait >= least && wait <= least + least / 10, "{wait} of {least}");
        }
        assert!(waits(Class::RateLimited, "429", 9000).iter().all(|wait| wait.unwrap() >= 9000));
    }

    #[test]
    fn clocks_are_waited_for_up_to_a_quarter_of_an_hour() {
        let expected = [60, 120, 240, 900, 900, 900].map(Some);
        assert_eq!(waits(Class::Clock, "BADTIME", 0), expected);
    }

    #[test]
    fn what_is_parked_is_probed_once_a_day_unless_it_was_called_abuse() {
        assert!(waits(Class::Parked, "badauth", 0).iter().all(|wait| wait.unwrap() >= 86_400));
        assert!(waits(Class::Parked, "abuse", 0).iter().all(Option::is_none));
        assert!(waits(Class::Parked, "badagent", 0).iter().all(Option::is_none));
    }

    #[test]
    fn sources_that_are_not_believed_are_asked_again_soon_and_then_at_the_usual_pace() {
        let mut chance = Chance::new(1);
        let every = Duration::from_mins(5);
        for (misses, full) in [(0, 300), (1, 5), (2, 10), (3, 20), (9, 300), (u32::MAX, 300)] {
            let rest = sight(misses, every, &mut chance);
            let full = Duration::from_secs(full);
            assert!(rest >= full * 9 / 10 && rest <= full * 11 / 10, "{misses}: {rest:?}");
        }
    }
}
