//! The keeper as a service of the operating system: the manager starts it with nothing but the
//! service's name.

use std::{
    fs::OpenOptions,
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use mainstay_keeper::{Company, FirstStart, KeepError, KeeperOptions, Leave};
use mainstay_platform::{
    complaint, daemon,
    event_log::{EventLog, SOURCE, Weight},
    paths, port,
    scm::code,
};
use mainstay_service::{Failure, Host, Program, Service, StopReason, manner};

use crate::{
    cli,
    place::{self, Place},
};

/// What the service ends with when its files are not as they should be; the number of `sysexits.h`
/// for that.
pub(crate) const BAD_CONFIGURATION: u32 = 78;
/// The number of the entry in the system's log of events.
const CANNOT_START: u16 = 116;

/// A start that takes longer goes on while the service counts as running.
const FIRST_START_WITHIN: Duration = Duration::from_millis(1500);
/// How soon a keeper that refuses to leave is heard.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs the keeper of a service until the manager or Ctrl-C ends it.
pub(crate) fn run(name: &str) -> ExitCode {
    let hosted = Hosted {
        name: name.to_owned(),
        ended: None,
        leave: Leave::default(),
        has_failed: Arc::default(),
    };
    Program::new(name).serve(manner(), hosted)
}

/// What the manager is told when the keeper has ended.
type Verdict = Result<(), Failure>;

/// A keeper in a thread of this process.
struct Hosted {
    name: String,
    /// How the keeper has ended.
    ended: Option<mpsc::Receiver<Verdict>>,
    leave: Leave,
    /// The start has failed: its reason is what the service ends with, and not the keeper's end.
    has_failed: Arc<AtomicBool>,
}

impl Hosted {
    fn begin(&mut self, host: &Host) -> Result<mpsc::Receiver<FirstStart>, Failure> {
        let place =
            Place::of(&self.name).map_err(|error| Failure::system(&error, "find its folder"))?;
        self.keep(prepare(&place)?, host)
    }

    fn await_first(
        &mut self,
        first: &mpsc::Receiver<FirstStart>,
        host: &Host,
    ) -> Result<(), Failure> {
        // A service with many programs is none of them.
        let is_told = host.was_asked_for() && !place::is_machine(&self.name);
        match first.recv_timeout(FIRST_START_WITHIN) {
            // Whoever asked for it is told now; a start at boot may succeed a minute later.
            Ok(Err(code)) if code != 0 && is_told => {
                self.has_failed.store(true, Ordering::Release);
                self.stop(StopReason::Asked)?;
                let error = io::Error::from_raw_os_error(code);
                let failure = Failure::system(&error, "start the program");
                tell_system(&self.name, &failure);
                Err(failure)
            }
            // It has told the system why.
            Err(mpsc::RecvTimeoutError::Disconnected) => self.await_end(),
            Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => Ok(()),
        }
    }

    /// Returns how the keeper has ended, when it has.
    fn await_end(&mut self) -> Result<(), Failure> {
        // Nobody has told: it is over all the same.
        self.ended.take().and_then(|ended| ended.recv().ok()).unwrap_or(Ok(()))
    }

    /// Waits until the keeper has left, or has refused to; starts under way may take their time.
    fn await_leave(&self) -> Result<(), Failure> {
        let Some(ended) = &self.ended else { return Ok(()) };
        while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_EVERY) {
            if self.leave.take_refusal() {
                let text = "no agent would hold its programs meanwhile";
                return Err(Failure::own(1, text));
            }
        }
        Ok(())
    }

    /// Starts the keeper's thread; returns where its first start is told.
    fn keep(
        &mut self,
        options: KeeperOptions,
        host: &Host,
    ) -> Result<mpsc::Receiver<FirstStart>, Failure> {
        let (alive, ended) = mpsc::channel();
        let (told, first) = mpsc::channel();
        self.ended = Some(ended);
        let (host, has_failed) = (host.clone(), Arc::clone(&self.has_failed));
        let (name, leave) = (self.name.clone(), self.leave.clone());
        let keeper = move || {
            let audience = Box::new(move |outcome| {
                told.send(outcome).ok();
            });
            let company = Company { audience: Some(audience), leave };
            let kept = mainstay_keeper::keep(options, company);
            let has_broken = kept.is_err();
            let verdict = verdict(kept);
            if let (true, Err(failure)) = (has_broken, &verdict) {
                tell_system(&name, failure);
            }
            // Nobody listens any more once the service runs.
            alive.send(verdict.clone()).ok();
            if !has_failed.load(Ordering::Acquire) {
                host.end(verdict);
            }
        };
        let started = thread::Builder::new().name("keeper".to_owned()).spawn(keeper);
        started.map_err(|error| Failure::system(&error, "start a thread"))?;
        Ok(first)
    }
}

impl Service for Hosted {
    fn start(&mut self, host: &Host) -> Result<(), Failure> {
        let first = self.begin(host).inspect_err(|failure| tell_system(&self.name, failure))?;
        self.await_first(&first, host)
    }

    fn stop(&mut self, reason: StopReason) -> Result<(), Failure> {
        let asked = match reason {
            StopReason::Left => self.leave.ask(),
            StopReason::Asked | StopReason::ShutDown => port::ask_to_end(),
        };
        asked.map_err(|error| Failure::system(&error, "ask the keeper to end"))?;
        if reason == StopReason::Left {
            return self.await_leave();
        }
        // How it has ended is said where it ends.
        drop(self.await_end());
        Ok(())
    }
}

/// Returns what the manager is told when the keeper has ended.
fn verdict(ended: Result<u32, KeepError>) -> Verdict {
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(Failure::own(code, format!("its program has ended with code {code}"))),
        Err(KeepError::Taken(by)) => {
            let other = by.map_or_else(String::new, |pid| format!(" (process {pid})"));
            let doing = format!("keep its programs, which another keeper{other} has");
            let error = io::Error::from_raw_os_error(code::ALREADY_RUNNING);
            Err(Failure::system(&error, &doing))
        }
        Err(error) => Err(Failure::own(1, complaint::with_causes(&error))),
    }
}

/// Tells why a service cannot start where an administrator looks first: there is no agent that
/// could be asked.
fn tell_system(name: &str, failure: &Failure) {
    let entry = format!("{name}: the service cannot start or go on: {failure}");
    let told =
        EventLog::open(SOURCE).and_then(|log| log.report(Weight::Error, CANNOT_START, &entry));
    // A system without such a log has a console.
    drop(told);
}

/// Checks its place, and sends last words to a file: a service has no console.
fn prepare(place: &Place) -> Result<KeeperOptions, Failure> {
    let located = place.located();
    match place.check() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::own(BAD_CONFIGURATION, error.to_string()));
        }
        // What is not there is told below.
        Ok(()) | Err(_) => {}
    }
    if !located.file.is_file() {
        let text = format!("there is no `{}`", located.file.display());
        return Err(Failure::own(BAD_CONFIGURATION, text));
    }
    let speak = || -> io::Result<()> {
        let log = located.instance.keeper_log();
        daemon::speak_to(paths::open_log(OpenOptions::new().append(true), &log)?)
    };
    speak().map_err(|error| Failure::system(&error, "open the keeper's log"))?;
    KeeperOptions::parse(&cli::keeper_arguments(&located, Some(&place.name)))
        .map_err(|error| Failure::own(BAD_CONFIGURATION, error.to_string()))
}
