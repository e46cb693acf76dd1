//! A kind on the bench: started as an agent would, heard, asked to leave, and never left behind.

use std::{cell::Cell, fs, io, path::PathBuf, time::Duration};

use mainstay_platform::{
    capture, clock,
    ladder::{self, Rung, Whom},
    pipe::{self, Moved, PipeReader},
    port::{Port, Token, Watched},
    process::{self, Ended, Process, SignalKind},
    random,
    spawn::{self, Input, Output, Program},
};

use super::{Trial, TrialError, doing, ear::Ear};

/// Nothing is looked at less often.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const READ_BYTES: usize = 16 * 1024;
/// More of what a kind prints is passed over.
const PRINTED_MAX: usize = 256 * 1024;
const PROCESS: Token = Token(1);
const STREAM: Token = Token(2);

/// Where a kind is run.
#[derive(Debug)]
pub(super) struct Bench<'t> {
    pub(super) trial: &'t Trial,
    runs: Cell<u32>,
}

/// How a kind is started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup<'s> {
    /// What it reads.
    pub(super) input: &'s str,
    /// Which of the folders it gets to keep things in.
    pub(super) state: &'static str,
    pub(super) manner: Manner,
    /// What it is told of the protocol.
    pub(super) protocol: u32,
}

/// Who runs a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// An agent, which hears it and wants signs of life so often.
    Agent(Duration),
    /// A person.
    Hand,
}

/// A message, and when it came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) at: Duration,
    pub(super) bytes: Vec<u8>,
}

/// A kind that runs, or has.
#[derive(Debug)]
pub(super) struct Running {
    label: String,
    process: Watched<Process>,
    streams: [Option<Watched<PipeReader>>; 2],
    /// What it has printed on stdout and stderr.
    pub(super) printed: [Vec<u8>; 2],
    ear: Option<Ear>,
    pub(super) messages: Vec<Heard>,
    port: Port,
    /// Where there are no signals: who asks it to leave.
    helper: Option<Process>,
}

impl<'t> Bench<'t> {
    pub(super) fn new(trial: &'t Trial) -> Result<Self, TrialError> {
        for part in ["work", "state", "other-state"] {
            fs::create_dir_all(trial.folder.join(part)).map_err(doing("make a folder"))?;
        }
        Ok(Self { trial, runs: Cell::new(0) })
    }

    /// Returns the folder that it is started in.
    pub(super) fn work(&self) -> PathBuf {
        self.trial.folder.join("work")
    }

    /// Starts it.
    pub(super) fn start(&self, setup: Setup<'_>) -> Result<Running, TrialError> {
        self.runs.set(self.runs.get() + 1);
        let label = format!("kind-check-{:016x}", random::number());
        let ear = match setup.manner {
            Manner::Agent(_) => Some(Ear::open(&self.trial.folder).map_err(doing("listen"))?),
            Manner::Hand => None,
        };
        let environment = self.environment(setup, ear.as_ref(), &label);
        let port = Port::new().map_err(doing("wait for anything"))?;
        let pipe = || pipe::pipe().map_err(doing("make a pipe"));
        let ([output, error], [to_output, to_error]) = {
            let ((one, to_one), (two, to_two)) = (pipe()?, pipe()?);
            ([one, two], [to_one, to_two])
        };
        let input = Input::new(setup.input.as_bytes()).map_err(doing("hold its input"))?;
        let process = spawn::spawn(&Program {
            directory: Some(self.work()),
            input: Some(&input),
            output: Output::Pipe(&to_output),
            error: Some(&to_error),
            ..Program::new(&label, &self.trial.command, environment)
        });
        let process =
            process.map_err(|error| TrialError { doing: "start it", source: error.source })?;
        let watch = |pipe| port.watch_once(pipe, STREAM).map(Some).map_err(doing("wait for it"));
        Ok(Running {
            label,
            process: port.watch(process, PROCESS).map_err(doing("wait for it"))?,
            streams: [watch(output)?, watch(error)?],
            printed: [Vec::new(), Vec::new()],
            ear,
            messages: Vec::new(),
            port,
            helper: None,
        })
    }

    fn environment(&self, setup: Setup<'_>, ear: Option<&Ear>, label: &str) -> Vec<Vec<u8>> {
        let is_ours = |variable: &[u8]| {
            let name = variable.split(|byte| *byte == b'=').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).to_ascii_uppercase();
            name.starts_with("MAINSTAY_")
                || ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].contains(&name.as_str())
        };
        let mut all = spawn::own_environment();
        all.retain(|variable| !is_ours(variable));
        let mut set = |name: &str, value: &str| all.push(format!("{name}={value}").into_bytes());
        let state = self.trial.folder.join(setup.state).display().to_string();
        set("STATE_DIRECTORY", &state);
        set("MAINSTAY_STATE_DIRECTORY", &state);
        set("MAINSTAY_ID", label);
        if let (Manner::Agent(every), Some(ear)) = (setup.manner, ear) {
            let (name, value) = ear.variable();
            set(name, value);
            set("WATCHDOG_USEC", &every.as_micros().to_string());
            set("MAINSTAY_KIND", &self.trial.name);
            set("MAINSTAY_KIND_PROTOCOL", &setup.protocol.to_string());
            set("MAINSTAY_SERVICE", "check");
            set("MAINSTAY_UNIT", "check");
            set("MAINSTAY_RUN", &self.runs.get().to_string());
            set("MAINSTAY_INSTANCE", &self.trial.folder.display().to_string());
        }
        all
    }
}

impl Running {
    /// Waits until something is so; returns whether it is.
    pub(super) fn wait(
        &mut self,
        within: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<bool, TrialError> {
        let until = clock::monotonic() + within;
        loop {
            self.look().map_err(doing("hear it"))?;
            if is_so(self) {
                return Ok(true);
            }
            let left = until.saturating_sub(clock::monotonic());
            if left.is_zero() {
                return Ok(false);
            }
            self.port.wait(Some(left.min(LOOK_EVERY))).map_err(doing("wait for it"))?;
        }
    }

    fn look(&mut self) -> io::Result<()> {
        if let Some(ear) = &mut self.ear {
            let at = clock::monotonic();
            let heard = ear.hear(&self.port)?;
            self.messages.extend(heard.into_iter().map(|bytes| Heard { at, bytes }));
        }
        for (stream, printed) in self.streams.iter_mut().zip(&mut self.printed) {
            take_all(stream, printed)?;
        }
        for stream in self.streams.iter().flatten() {
            stream.arm()?;
        }
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.process.has_ended()
    }

    /// Returns when it first said that it is ready.
    pub(super) fn ready_at(&self) -> Option<Duration> {
        let is_ready = |message: &&Heard| {
            message.bytes.split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
        };
        self.messages.iter().find(is_ready).map(|message| message.at)
    }

    /// Returns how it has ended, where the system tells.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.process.ended().ok().flatten()
    }

    /// Returns the end of what it has printed on stderr, or else on stdout.
    pub(super) fn last_words(&self) -> String {
        let [out, error] = &self.printed;
        let said = if error.is_empty() { out } else { error };
        let text = String::from_utf8_lossy(said);
        let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        line.trim().to_owned()
    }

    /// Asks it to leave, as an agent does.
    pub(super) fn ask(&mut self) -> Result<(), TrialError> {
        let asked = if ladder::IS_NEEDED {
            let whom = Whom { job: &self.label, main: self.process.pid() };
            ladder::climb(whom, Rung::Interrupt).map(|helper| self.helper = Some(helper))
        } else {
            self.process.signal_group(SignalKind::Term)
        };
        asked.map_err(doing("ask it to leave"))
    }

    pub(super) fn kill(&self) -> Result<(), TrialError> {
        self.process.signal_group(SignalKind::Kill).map_err(doing("kill it"))
    }

    /// Returns how many processes it has left behind.
    pub(super) fn left_behind(&self) -> Result<usize, TrialError> {
        let all = process::carrying(&self.label).map_err(doing("look for what it has started"))?;
        let own = self.process.pid();
        Ok(all.iter().filter(|process| process.pid() != own && !process.has_ended()).count())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.signal_group(SignalKind::Kill));
        drop(capture::end_labelled(&self.label));
        self.process.reap();
    }
}

fn take_all(stream: &mut Option<Watched<PipeReader>>, into: &mut Vec<u8>) -> io::Result<()> {
    while let Some(pipe) = stream {
        match pipe.take_waiting(READ_BYTES)? {
            (Moved::Bytes(_), bytes) if into.len() < PRINTED_MAX => into.extend(bytes),
            (Moved::Bytes(_), _) => {}
            (Moved::Empty, _) => return Ok(()),
            (Moved::Ended, _) => *stream = None,
        }
    }
    Ok(())
}
