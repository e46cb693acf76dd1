//! Asking a program to end where there are no signals: rung by rung, each louder than the last.
//!
//! ```text
//!  Ctrl-C ──1.5 s──▶ WM_CLOSE ──1.5 s──▶ WM_QUIT ──1.5 s──▶ the helper ends; whoever set the
//!  deadline kills the job when it comes
//! ```
//!
//! A helper climbs, a copy of our own program (`rungs`): consoles, windows and message queues are
//! reached from inside only, and a keeper that borrowed a console would hear its Ctrl-C. It is in no
//! job, lives for five seconds at most, and ends with the program. What it found is its exit code.

#[cfg(not(windows))]
#[path = "ladder/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "ladder/windows.rs"]
mod imp;

use std::{io, path::Path};

use crate::process::{Ended, Process};

/// Whether programs are asked this way: on Windows. Elsewhere there are signals.
pub const IS_NEEDED: bool = cfg!(windows);

/// The role of the helper, its first argument.
pub const ROLE: &str = "rungs";

/// The upper half of an exit code that tells of rungs; a helper that failed has another one.
const MARK: u32 = 0x4D53_0000;
const BITS_A_RUNG: u32 = 4;

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Ctrl-C for everybody on the program's console.
    Interrupt,
    /// `WM_CLOSE` for each window of the job.
    Close,
    /// `WM_QUIT` for each message queue of the job.
    Quit,
}

/// All rungs, from the lowest.
const RUNGS: [Rung; 3] = [Rung::Interrupt, Rung::Close, Rung::Quit];

/// What came of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked and ended.
    Ended,
    /// It was asked and did not end in time.
    Ignored,
    /// There was nobody to ask: no console, no window, no queue.
    Nobody,
    /// The system refused.
    Refused,
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Whom<'a> {
    /// The label that the program was started with: its job.
    pub job: &'a str,
    /// The program; 0 for whoever is left of the job.
    pub main: u32,
}

/// Starts a helper that climbs as far as `highest`, if the program does not end before.
pub fn climb(whom: Whom<'_>, highest: Rung) -> io::Result<Process> {
    let own = crate::daemon::own_program()?;
    climb_by(&own, vec![own.display().to_string(), ROLE.to_owned()], whom, highest)
}

/// Like [`climb`], with another helper.
fn climb_by(
    image: &Path,
    mut words: Vec<String>,
    Whom { job, main }: Whom<'_>,
    highest: Rung,
) -> io::Result<Process> {
    let rungs = RUNGS.iter().filter(|rung| **rung <= highest).count();
    words.extend([job.to_owned(), main.to_string(), rungs.to_string()]);
    imp::start(image, &words)
}

/// Returns what a helper that has ended tells, from the lowest rung to the last one that it tried.
pub fn outcomes(helper: &Process) -> Vec<(Rung, Outcome)> {
    let Some(Ended::Code(code)) = helper.ended_elsewhere() else { return Vec::new() };
    decode(code)
}

fn decode(code: u32) -> Vec<(Rung, Outcome)> {
    if code & 0xFFFF_0000 != MARK {
        return Vec::new();
    }
    let outcome_at = |index: u32| match (code >> (index * BITS_A_RUNG)) & 0xF {
        1 => Some(Outcome::Ended),
        2 => Some(Outcome::Ignored),
        3 => Some(Outcome::Nobody),
        4 => Some(Outcome::Refused),
        _ => None,
    };
    (0..).zip(RUNGS).filter_map(|(index, rung)| Some((rung, outcome_at(index)?))).collect()
}

/// Returns the part of the exit code that tells of a rung.
#[cfg(any(windows, test))]
const fn encode(rung: Rung, outcome: Outcome) -> u32 {
    let number = match outcome {
        Outcome::Ended => 1,
        Outcome::Ignored => 2,
        Outcome::Nobody => 3,
        Outcome::Refused => 4,
    };
    MARK | number << (rung as u32 * BITS_A_RUNG)
}

/// Plays the helper with the arguments behind its role, and ends this process.
pub fn serve(arguments: &[String]) -> ! {
    imp::serve(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_tells_of_each_rung_that_was_tried() {
        let tried = [(Rung::Interrupt, Outcome::Ignored), (Rung::Close, Outcome::Ended)];
        let code = tried.iter().fold(MARK, |code, (rung, outcome)| code | encode(*rung, *outcome));
        assert_eq!(decode(code), tried);
        assert_eq!(decode(101), []);
        assert_eq!(decode(0xC000_013A), []);
    }
}
