//! A keeper that panics replaces itself: it passes on its lock, and the rest is found again.
//!
//! Its children are still its children, and their pipes are found through themselves or the agent.

use std::{ffi::OsString, fs::File, io, path::Path, time::Duration};

use mainstay_platform::{clock, daemon, descriptor::borrow_file, lock::FileLock, replace};

use crate::{note::complain, options::KeeperOptions, upgrade::arguments_of};

/// So many panics within [`PANICS_WITHIN`] are survived.
const PANICS_MAX: usize = 3;
const PANICS_WITHIN: Duration = Duration::from_mins(1);

/// Makes a panic in any thread replace the keeper by itself, from its journal.
pub(crate) fn survive(options: &KeeperOptions, lock: &FileLock) {
    let lock = lock.file().try_clone();
    let options = options.clone();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        let Ok(lock) = &lock else { return };
        if let Err(error) = rise_again(&options, lock) {
            complain("cannot rise again after a panic", &error);
        }
        std::process::abort();
    }));
}

fn rise_again(options: &KeeperOptions, lock: &File) -> io::Result<()> {
    let now = clock::monotonic().as_secs();
    let mut panics = options.panics.clone();
    panics.retain(|at| at + PANICS_WITHIN.as_secs() > now);
    if panics.len() >= PANICS_MAX {
        return Err(io::Error::other("too many panics"));
    }
    panics.push(now);
    let panics: Vec<String> = panics.iter().map(u64::to_string).collect();
    let number = replace::number_of(borrow_file(lock)).to_string();
    let mut arguments = arguments_of(options);
    let more = ["--lock", &number, "--panics", &panics.join(",")].map(OsString::from);
    arguments.splice(1..1, more);
    let program = daemon::own_program()?;
    match replace::replace(Path::new(&program), &arguments, &[borrow_file(lock)])? {}
}
