//! Work with files that may lie where nobody answers. It has a thread of its own, which is left
//! alone when it stands still: whoever asked for it is told at which file.
//!
//! ```text
//!  run ──► read, read … ──► write ──► done
//!            │ 2 s in all      │ 30 s
//!            ▼                 ▼
//!          refused, and      nobody can tell
//!          never written     whether it is written
//! ```

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use mainstay_platform::clock;

/// How long all that is read may take: at a start well before the keeper takes us for hung.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// How long a file may take to be on the disk.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

/// What is done next, and to which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Read(PathBuf),
    Write(PathBuf),
}

/// Work that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stuck {
    #[error("cannot read `{0}`: what it lies on does not answer")]
    Unread(String),
    #[error("cannot tell whether `{0}` is written: what it lies on does not answer")]
    Unwritten(String),
    #[error("cannot read the configuration on a thread of its own: {0}")]
    NoThread(io::Error),
}

/// Errands, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    /// The last one that stood still: no second thread joins it.
    last: Option<Standstill>,
}

/// An errand that stands still.
#[derive(Debug)]
struct Standstill {
    step: Step,
    /// Gone when its thread has ended after all.
    thread: Weak<()>,
}

/// The way to say what is done next.
#[derive(Debug)]
pub(crate) struct Steps(Option<SyncSender<Step>>);

impl Steps {
    /// Returns the steps of work that a test waits for.
    #[cfg(test)]
    pub(crate) const fn untold() -> Self {
        Self(None)
    }

    /// Says which file is read next.
    pub(crate) fn read(&self, path: &Path) -> io::Result<()> {
        self.begin(Step::Read(path.to_owned()))
    }

    /// Says which file is written next.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        self.begin(Step::Write(path.to_owned()))
    }

    /// Fails when nobody waits any more: what was refused is not done later.
    fn begin(&self, step: Step) -> io::Result<()> {
        let Some(outbox) = &self.0 else { return Ok(()) };
        outbox.send(step).map_err(|_| io::ErrorKind::TimedOut.into())
    }
}

impl Errands {
    /// Does something, unless what was done before still stands still.
    pub(crate) fn run<T: Send + 'static>(
        &mut self,
        main: &Path,
        work: impl FnOnce(&Steps) -> T + Send + 'static,
    ) -> Result<T, Stuck> {
        if let Some(Standstill { step, thread }) = &self.last
            && thread.strong_count() > 0
        {
            return Err(step.clone().stuck());
        }
        let life = Arc::new(());
        let thread = Arc::downgrade(&life);
        // Without room: a step is begun only while somebody waits.
        let (outbox, steps) = mpsc::sync_channel(0);
        let (result, inbox) = mpsc::sync_channel(1);
        let body = move || {
            drop(result.send(work(&Steps(Some(outbox)))));
            drop(life);
        };
        let name = "config".to_owned();
        thread::Builder::new().name(name).spawn(body).map_err(Stuck::NoThread)?;
        let step = follow(Step::Read(main.to_owned()), &steps);
        inbox.try_recv().map_err(|_| {
            self.last = Some(Standstill { step: step.clone(), thread });
            step.stuck()
        })
    }
}

/// Waits until the work is over, or stands still; returns its last step.
fn follow(first: Step, steps: &Receiver<Step>) -> Step {
    let (mut last, mut until) = (first, clock::monotonic() + READ_WITHIN);
    loop {
        match steps.recv_timeout(until.saturating_sub(clock::monotonic())) {
            Ok(step) => {
                if let Step::Write(_) = step {
                    until = clock::monotonic() + WRITTEN_WITHIN;
                }
                last = step;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return last,
        }
    }
}

impl Step {
    fn stuck(self) -> Stuck {
        match self {
            Self::Read(path) => Stuck::Unread(path.display().to_string()),
            Self::Write(path) => Stuck::Unwritten(path.display().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_still_is_named_and_no_second_thread_joins_it() {
        let mut errands = Errands::default();
        let (writer, reader) = mpsc::channel::<()>();
        let (abandoned, told) = mpsc::channel();
        let late = errands.run(Path::new("main"), move |steps| {
            steps.read(Path::new("far"))?;
            reader.recv().unwrap_err();
            let refused = steps.write(Path::new("far"));
            abandoned.send(refused.is_err()).unwrap();
            refused
        });
        assert!(matches!(late, Err(Stuck::Unread(file)) if file == "far"));
        let began = clock::monotonic();
        let second = errands.run(Path::new("main"), |_| 7);
        assert!(matches!(second, Err(Stuck::Unread(file)) if file == "far"));
        assert!(clock::monotonic() < began + READ_WITHIN / 2);
        drop(writer);
        // What was refused is not written, whenever its disk answers.
        assert!(told.recv().unwrap());
        while errands.last.as_ref().is_some_and(|last| last.thread.strong_count() > 0) {
            thread::yield_now();
        }
        assert_eq!(errands.run(Path::new("main"), |_| 7).unwrap(), 7);
    }
}
