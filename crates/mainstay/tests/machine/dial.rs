//! A clock that jumps: the time of day that an instance sees, moved while it runs.
//!
//! Debian's `faketime` stands between our processes and the system's time of day and reads the
//! offset from a file at each question; the monotonic clock stays what it is. That is what a step of
//! NTP, a hand at the clock, and a suspend look like to a process. Programs see the true time.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use mainstay_platform::clock;

use crate::{processes, sandbox::Sandbox};

/// Further apart two readings of a clock are never, on however busy a machine.
const SLACK: SignedDuration = SignedDuration::from_secs(60);
/// Where `faketime` leaves what it shares.
const SHARED: &str = "/dev/shm";

/// The hand of an instance's clock.
#[derive(Debug)]
pub(crate) struct Dial {
    file: PathBuf,
    offset: SignedDuration,
}

impl Dial {
    /// Gives an instance a clock of its own, which is right so far.
    pub(crate) fn of(sandbox: &mut Sandbox) -> Self {
        let dial = Self { file: sandbox.path("offset"), offset: SignedDuration::ZERO };
        dial.write();
        let library = format!("LD_PRELOAD={}", library().display());
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", dial.file.display());
        let rest = ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1"];
        sandbox.through(&[&["env", &library, &file], rest.as_slice()].concat());
        dial
    }

    /// Lets the clock jump: so far from the true time it is at once.
    pub(crate) fn turn(&mut self, offset: SignedDuration) {
        self.offset = offset;
        self.write();
    }

    /// Lets the clock jump to the beginning of its time.
    pub(crate) fn turn_to_1970(&mut self) {
        let now = i64::try_from(clock::realtime_nanos() / 1_000_000_000).unwrap();
        self.turn(SignedDuration::from_secs(100 - now));
    }

    /// Readers see the old offset or the new one.
    fn write(&self) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+}\n", self.offset.as_secs())).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// Returns whether a time is about what the clock shows.
    pub(crate) fn is_about_now(&self, text: &str) -> bool {
        let now = Timestamp::try_from(clock::realtime()).unwrap() + self.offset;
        let at: Timestamp = text.parse().unwrap();
        at.duration_since(now).abs() < SLACK
    }
}

impl Drop for Dial {
    /// Whoever is killed leaves behind what `faketime` shares.
    fn drop(&mut self) {
        for entry in fs::read_dir(SHARED).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = ["faketime_shm_", "sem.faketime_sem_"]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix)?.parse().ok());
            if pid.is_some_and(|pid| !processes::is_alive(pid)) {
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut paths = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    paths.find(|path| Path::exists(path)).expect("`cargo xtask test` installs `faketime`")
}

/// Lets time pass, the true one.
pub(crate) fn pass(time: Duration) {
    let until = clock::monotonic() + time;
    processes::wait_until("time passes", || clock::monotonic() > until);
}
