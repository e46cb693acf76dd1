//! Whether the time of day is to be believed before anything is deleted for its age.
//!
//! ```text
//!  believed ──jump of an hour, or off for weeks──► doubted ──a day without a jump──► believed
//! ```
//!
//! A clock that has lost its battery, or that somebody has set by ten years, is usually mended soon;
//! until then nothing is too old. A jump is a difference between the time of day and the time since
//! the boot, suspend included. Across boots only a file tells how late it was: a machine that was off
//! for weeks looks like one whose clock is wrong, and waits as well.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_platform::paths;
use mainstay_storage::atomic;

/// Clocks are set by so much every day.
const JUMP_MAX: Duration = Duration::from_hours(1);
/// A machine may be off for so long.
const OFF_MAX: Duration = Duration::from_hours(21 * 24);
/// A clock that jumped is believed again after this time without a jump.
const DOUBTED_FOR: Duration = Duration::from_hours(24);

/// What is thought of the clock.
#[derive(Debug)]
pub(super) struct Belief {
    file: PathBuf,
    last: Option<Look>,
    /// What is left of the doubt.
    left: Duration,
}

/// What two clocks have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Since 1970.
    pub(super) realtime: Duration,
    /// Since the boot, suspend included.
    pub(super) since_boot: Duration,
}

/// How the clock fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Believed,
    /// It has jumped since the last look, or while nobody looked.
    Jumped,
    Doubted,
}

impl Belief {
    /// Goes on from what the file says of the last time.
    pub(super) fn open(file: PathBuf, now: Look) -> (Self, Verdict) {
        let (mut left, mut verdict) = (Duration::ZERO, Verdict::Believed);
        if let Some((former, former_left)) = read(&file) {
            left = former_left;
            let is_likely =
                now.realtime + JUMP_MAX >= former && now.realtime.saturating_sub(former) <= OFF_MAX;
            if !is_likely {
                (left, verdict) = (DOUBTED_FOR, Verdict::Jumped);
            } else if !left.is_zero() {
                verdict = Verdict::Doubted;
            }
        }
        (Self { file, last: Some(now), left }, verdict)
    }

    /// Looks at the clock again, and notes it.
    pub(super) fn look(&mut self, now: Look) -> Verdict {
        let last = self.last.replace(now).unwrap_or(now);
        let passed = now.since_boot.saturating_sub(last.since_boot);
        self.left = self.left.saturating_sub(passed);
        if now.realtime.abs_diff(last.realtime + passed) > JUMP_MAX {
            self.left = DOUBTED_FOR;
            return Verdict::Jumped;
        }
        if self.left.is_zero() { Verdict::Believed } else { Verdict::Doubted }
    }

    /// Makes it last.
    pub(super) fn keep(&self) -> io::Result<()> {
        let Some(last) = self.last else { return Ok(()) };
        let text = format!("{} {}\n", last.realtime.as_secs(), self.left.as_secs());
        atomic::replace(&self.file, text.as_bytes(), paths::create_private_file)
    }
}

/// Reads when it was looked last, and what was left of a doubt; a file that makes no sense says
/// nothing.
fn read(file: &Path) -> Option<(Duration, Duration)> {
    let text = io::read_to_string(File::open(file).ok()?).ok()?;
    let (realtime, left) = text.trim().split_once(' ')?;
    let seconds = |text: &str| text.parse().map(Duration::from_secs).ok();
    Some((seconds(realtime)?, seconds(left)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);
    const START: Duration = Duration::from_hours(500_000);

    struct Clock {
        file: PathBuf,
        belief: Belief,
        now: Look,
    }

    impl Clock {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir();
            let file = folder.join(format!("mainstay-belief-{name}-{}", std::process::id()));
            drop(std::fs::remove_file(&file));
            let now = Look { realtime: START, since_boot: HOUR };
            let (belief, verdict) = Belief::open(file.clone(), now);
            assert_eq!(verdict, Verdict::Believed);
            Self { file, belief, now }
        }

        fn pass(&mut self, time: Duration) -> Verdict {
            self.now.realtime += time;
            self.now.since_boot += time;
            self.belief.look(self.now)
        }

        fn reboot(&mut self, off: Duration) -> Verdict {
            self.belief.keep().unwrap();
            self.now = Look { realtime: self.now.realtime + off, since_boot: HOUR };
            let (belief, verdict) = Belief::open(self.file.clone(), self.now);
            self.belief = belief;
            verdict
        }
    }

    impl Drop for Clock {
        fn drop(&mut self) {
            drop(std::fs::remove_file(&self.file));
        }
    }

    #[test]
    fn a_clock_that_jumps_is_doubted_for_a_day() {
        let mut clock = Clock::new("jump");
        assert_eq!(clock.pass(30 * DAY), Verdict::Believed);
        clock.now.realtime += 3650 * DAY;
        assert_eq!(clock.pass(HOUR), Verdict::Jumped);
        assert_eq!(clock.pass(22 * HOUR), Verdict::Doubted);
        // Set back to what is right: that is a jump as well.
        clock.now.realtime -= 3650 * DAY;
        assert_eq!(clock.pass(HOUR), Verdict::Jumped);
        assert_eq!(clock.pass(23 * HOUR), Verdict::Doubted);
        assert_eq!(clock.pass(HOUR), Verdict::Believed);
        clock.now.realtime += Duration::from_mins(59);
        assert_eq!(clock.pass(HOUR), Verdict::Believed);
    }

    #[test]
    fn a_boot_with_another_clock_is_doubted_until_a_day_is_over_in_whatever_pieces() {
        let mut clock = Clock::new("boot");
        assert_eq!(clock.pass(HOUR), Verdict::Believed);
        assert_eq!(clock.reboot(20 * DAY), Verdict::Believed);
        assert_eq!(clock.reboot(3650 * DAY), Verdict::Jumped);
        for _ in 0..11 {
            assert_eq!(clock.pass(2 * HOUR), Verdict::Doubted);
            assert_eq!(clock.reboot(HOUR), Verdict::Doubted);
        }
        assert_eq!(clock.pass(2 * HOUR), Verdict::Believed);
        assert_eq!(clock.reboot(HOUR), Verdict::Believed);
        // Its battery is empty: 1970.
        clock.belief.keep().unwrap();
        let past = Look { realtime: HOUR, since_boot: HOUR };
        assert_eq!(Belief::open(clock.file.clone(), past).1, Verdict::Jumped);
    }

    #[test]
    fn a_file_that_makes_no_sense_says_nothing() {
        let clock = Clock::new("nonsense");
        let mut file = File::create(&clock.file).unwrap();
        io::Write::write_all(&mut file, b"12 x").unwrap();
        assert_eq!(Belief::open(clock.file.clone(), clock.now).1, Verdict::Believed);
    }
}
