//! The keeper: parent of every run, owner of their pipes, rememberer of their ends.
//!
//! ```text
//!            agent ◄── frames ──► control ──► spawners ──► programs
//!                                    ▲  │                     │ pipes
//!                          notes     │  └──► pumps ◄──────────┘
//!                                    └────────┘  └──► segments
//! ```
//!
//! It has no policy: it starts what it is told to start, moves bytes, and remembers exits until
//! they are acknowledged. The control thread never blocks; whatever may block has threads of its
//! own and answers by a [`note`]. Invariants: nothing happens before the lock is held; nothing is
//! started before the journal of a dead keeper is settled; an exit is kept until acknowledged.

mod agent;
mod agents;
mod control;
mod discarded;
mod entrance;
mod guests;
mod journal;
mod leave;
mod lost;
mod note;
mod notifications;
mod options;
mod owner;
mod panics;
mod probe;
mod pump;
mod reception;
mod recovery;
mod runs;
mod spawner;
mod store;
mod sweep;
mod upgrade;

pub use leave::Leave;
pub use options::{KeeperOptions, OptionsError};
pub use probe::{ProbeError, version_of};

use std::{error::Error, fmt, process::ExitCode};

/// Runs a keeper until it is told to end.
///
/// Whoever does not get the instance's lock leaves at once and with success: somebody else is the
/// keeper.
pub fn run(arguments: &[String]) -> ExitCode {
    let ended = KeeperOptions::parse(arguments)
        .map_err(control::KeeperError::from)
        .and_then(|options| control::run(options, Company::default()));
    match ended {
        // Elsewhere than on Windows a process has only the last byte.
        Ok(control::End::Done(code)) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        Ok(control::End::Taken) => ExitCode::SUCCESS,
        Err(error) => {
            note::complain("the keeper ends", &error);
            ExitCode::FAILURE
        }
    }
}

/// What became of the first start that an agent has asked for, with the number of the system where
/// it failed.
pub type FirstStart = Result<(), i32>;

/// Hears of the [`FirstStart`], once.
pub type Audience = Box<dyn FnOnce(FirstStart) + Send>;

/// A keeper that did not come to a good end.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Somebody else is the keeper, with this number, where it answers.
    #[error("the instance has a keeper already")]
    Taken(Option<u32>),
    /// It could not begin or go on.
    #[error("the keeper ends")]
    Ended(#[source] Box<dyn Error + Send + Sync>),
}

/// Who else there is in a keeper's process, and what they have to say to each other.
#[derive(Default)]
pub struct Company {
    /// Hears of the first start.
    pub audience: Option<Audience>,
    /// Asks the keeper to leave.
    pub leave: Leave,
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").field("leave", &self.leave).finish_non_exhaustive()
    }
}

/// Runs a keeper in this thread, for a process that is more than a keeper.
///
/// Returns the code of the program whose end was the instance's, if there was one; else 0.
/// `mainstay_platform::port::ask_to_end` asks it to end, [`Leave`] to leave its programs to a
/// successor.
pub fn keep(options: KeeperOptions, company: Company) -> Result<u32, KeepError> {
    let runtime = options.runtime.clone();
    match control::run(options, company) {
        Ok(control::End::Done(code)) => Ok(code),
        Ok(control::End::Taken) => Err(KeepError::Taken(upgrade::keeper_of(runtime))),
        Err(error) => Err(KeepError::Ended(error.into())),
    }
}
