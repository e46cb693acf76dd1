//! The helper's climb.

#[path = "windows/messages.rs"]
mod messages;

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use windows_sys::Win32::{Foundation::WAIT_OBJECT_0, System::Threading::WaitForMultipleObjects};

use super::{MARK, Outcome, RUNGS, Rung, encode};
use crate::{
    process::{Job, Process, interrupt},
    spawn::spawn_helper,
};

/// How long a program may take to follow a rung.
const PATIENCE_MILLIS: u32 = 1500;
/// How long a helper lives, whatever hangs.
const LIFE: Duration = Duration::from_secs(5);
/// `MAXIMUM_WAIT_OBJECTS`; whoever is beyond is not waited for.
const HANDLES_AT_ONCE: usize = 64;

/// What is known so far, for the one who ends this process.
static CODE: AtomicU32 = AtomicU32::new(MARK);

pub(super) fn start(image: &Path, words: &[String]) -> io::Result<Process> {
    spawn_helper(image, words)
}

pub(super) fn serve(arguments: &[String]) -> ! {
    if let Some(task) = Task::parse(arguments)
        && thread::Builder::new().spawn(end_in_time).is_ok()
    {
        task.climb();
    }
    end()
}

fn end_in_time() {
    thread::sleep(LIFE);
    end()
}

#[expect(clippy::exit, reason = "the code of a helper has more bits than `ExitCode`")]
fn end() -> ! {
    std::process::exit(CODE.load(Ordering::SeqCst).cast_signed())
}

/// Whom to ask, and how far to climb.
struct Task {
    job: String,
    main: u32,
    rungs: usize,
}

impl Task {
    fn parse(arguments: &[String]) -> Option<Self> {
        let [job, main, rungs] = arguments else { return None };
        Some(Self { job: job.clone(), main: main.parse().ok()?, rungs: rungs.parse().ok()? })
    }

    fn climb(&self) {
        for rung in RUNGS.into_iter().take(self.rungs) {
            let Ok(members) = self.members() else { return };
            let outcome = self.ask(rung, &members);
            CODE.fetch_or(encode(rung, outcome), Ordering::SeqCst);
            if outcome == Outcome::Ended {
                return;
            }
        }
    }

    /// Returns who is alive, the program first.
    fn members(&self) -> io::Result<Vec<Process>> {
        let main = if self.main == 0 { None } else { Process::open_pid(self.main)? };
        let job = Job::open(&self.job)?.map_or(Ok(Vec::new()), |job| job.members())?;
        let others = job.into_iter().filter(|pid| *pid != self.main);
        let others = others.filter_map(|pid| Process::open_pid(pid).ok().flatten());
        Ok(main.into_iter().chain(others).filter(|process| !process.has_ended()).collect())
    }

    fn ask(&self, rung: Rung, members: &[Process]) -> Outcome {
        let pids: Vec<u32> = members.iter().map(Process::pid).collect();
        let asked = match rung {
            Rung::Interrupt => interrupt::interrupt_one_of(members),
            Rung::Close => Ok(messages::close(&pids)),
            Rung::Quit => messages::quit(&pids),
        };
        match asked {
            Ok(0) => Outcome::Nobody,
            Ok(_) if self.is_followed(members) => Outcome::Ended,
            Ok(_) => Outcome::Ignored,
            Err(_) => Outcome::Refused,
        }
    }

    /// Waits for the program, or for everybody when there is none.
    #[expect(unsafe_code, reason = "WaitForMultipleObjects")]
    fn is_followed(&self, members: &[Process]) -> bool {
        let most = if self.main == 0 { HANDLES_AT_ONCE } else { 1 };
        let handles: Vec<_> = members.iter().take(most).map(Process::raw).collect();
        let count = u32::try_from(handles.len()).unwrap_or(1);
        // SAFETY: `handles` holds `count` handles that live until the call returns; 1 asks for all.
        let waited = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 1, PATIENCE_MILLIS) };
        (WAIT_OBJECT_0..WAIT_OBJECT_0 + count.max(1)).contains(&waited)
    }
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
