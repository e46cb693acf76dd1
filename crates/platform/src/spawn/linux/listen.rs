//! What a program is told that it alone can know, its own number, and the descriptors that it gets
//! from number 3 on, as `sd_listen_fds(3)` and `sd_watchdog_enabled(3)` describe it.

use std::os::fd::{AsRawFd as _, RawFd};

use super::super::Program;

/// So many variables hold a program's own number, at most.
pub(super) const OWN_NUMBERS: usize = 2;
/// Says who is meant by the two others.
const LISTEN_PID: &str = "LISTEN_PID";
const LISTEN_FDS: &str = "LISTEN_FDS";
const LISTEN_NAMES: &str = "LISTEN_FDNAMES";
/// Room for the number of any process, and for NUL.
const PID_ROOM: usize = 12;

/// What is passed on, in memory that the child writes to.
pub(super) struct Told {
    pub(super) sources: Vec<RawFd>,
    own_pids: [Option<OwnPid>; OWN_NUMBERS],
}

/// A variable of which the child alone knows the rest.
struct OwnPid {
    name_bytes: usize,
    text: Vec<u8>,
}

impl OwnPid {
    fn new(name: &str) -> Self {
        let mut text = format!("{name}=").into_bytes();
        let name_bytes = text.len();
        text.resize(name_bytes + PID_ROOM, 0);
        Self { name_bytes, text }
    }

    /// Returns where the child writes its number, without the NUL at its end.
    fn room(&mut self) -> &mut [u8] {
        let end = self.text.len() - 1;
        self.text.get_mut(self.name_bytes..end).unwrap_or_default()
    }
}

impl Told {
    /// Returns nothing for a program that is told nothing.
    pub(super) fn of(program: &Program<'_>) -> Option<Self> {
        let listens = (!program.listen.is_empty()).then_some(LISTEN_PID);
        if listens.is_none() && program.own_number.is_none() {
            return None;
        }
        let sources = program.listen.iter().map(|one| one.descriptor.as_raw_fd()).collect();
        let own_pids = [listens, program.own_number].map(|name| name.map(OwnPid::new));
        Some(Self { sources, own_pids })
    }

    /// Returns the variables that say who is meant, as they stand in an environment: each ends with
    /// NUL whatever the child writes.
    pub(super) fn variables(&self) -> impl Iterator<Item = *const libc::c_char> {
        self.own_pids.iter().flatten().map(|own| own.text.as_ptr().cast())
    }

    /// Returns where the child writes its number.
    pub(super) fn own_pids(&mut self) -> [&mut [u8]; OWN_NUMBERS] {
        self.own_pids.each_mut().map(|own| own.as_mut().map(OwnPid::room).unwrap_or_default())
    }
}

/// Returns a program's environment with what is said of its descriptors, but for the number that
/// only the child knows. It has none of these variables from anybody else.
pub(super) fn environment(program: &Program<'_>) -> Vec<Vec<u8>> {
    let of_descriptors = [LISTEN_PID, LISTEN_FDS, LISTEN_NAMES];
    let listens = !program.listen.is_empty();
    let ours = of_descriptors.into_iter().filter(|_| listens).chain(program.own_number);
    let ours: Vec<String> = ours.map(|name| format!("{name}=")).collect();
    let is_ours = |variable: &&Vec<u8>| ours.iter().any(|it| variable.starts_with(it.as_bytes()));
    let kept = program.environment.iter().filter(|variable| !is_ours(variable));
    let mut all: Vec<Vec<u8>> = kept.cloned().collect();
    if listens {
        let names: Vec<&str> = program.listen.iter().map(|one| one.name).collect();
        all.push(format!("{LISTEN_FDS}={}", names.len()).into_bytes());
        all.push(format!("{LISTEN_NAMES}={}", names.join(":")).into_bytes());
    }
    all
}
