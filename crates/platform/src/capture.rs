//! Running a command to its end for what it says on stdout, within a time and a length.
//!
//! ```text
//!  start ─► read stdout and stderr ─► ended ─► its words
//!               │ too late, or too many words
//!               └─► end it with all that it has started
//! ```

use std::{fmt, io, path::PathBuf, time::Duration};

use crate::{
    clock, daemon,
    pipe::{self, Moved, PipeReader},
    port::{Port, Token, Watched},
    process::{self, Ended, Process, SignalKind},
    spawn::{self, Output, Program, SpawnError},
};

const OUTPUT: Token = Token(1);
const ERROR: Token = Token(2);
const PROCESS: Token = Token(3);
/// What of stderr is kept: its end.
const ERROR_BYTES_KEPT: usize = 4 * 1024;
/// What is read at once.
const READ_BYTES: usize = 16 * 1024;
/// How long what was killed may take to be gone before nobody waits any more.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// A tree that grows while it is ended is looked at so often.
const LOOKS_MAX: usize = 3;

/// A command whose words are wanted.
#[derive(Debug)]
pub struct Command<'a> {
    /// Nobody else's, not even another time's: what carries it is ended when this one fails. At
    /// most 200 characters. On Windows it names the command's job.
    pub label: &'a str,
    /// The program and its arguments.
    pub words: &'a [String],
    /// Where it starts.
    pub directory: Option<PathBuf>,
    /// Its whole environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// How many bytes it may say.
    pub bytes_max: usize,
    /// How long it may take.
    pub timeout: Duration,
}

/// A command that has not said what was wanted.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It was not started.
    #[error("it was not started")]
    NotStarted(#[from] SpawnError),
    /// The system does not let us listen.
    #[error("it cannot be listened to")]
    System(#[from] io::Error),
    /// It was ended, because it took too long.
    #[error("it was ended, because it took longer than {0:?}")]
    Late(Duration),
    /// It was ended, because it said too much.
    #[error("it was ended, because it said more than {0} bytes")]
    TooMuch(usize),
    /// It ended otherwise than well.
    #[error("it ended otherwise than well")]
    Failed {
        /// How; nothing when the system does not tell.
        ended: Option<Ended>,
        /// What it said on stderr.
        complaint: Complaint,
    },
}

/// The end of what a command said on stderr. It may hold what the command was told to keep to
/// itself (`set -x`, an echoed answer), so `Debug` shows only how much it is.
#[derive(Clone, Default)]
pub struct Complaint(Vec<u8>);

impl Complaint {
    /// Returns it whole; it may be empty.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the last line that says something; it may be empty.
    pub fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let mut lines = text.lines().map(str::trim);
        lines.rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Complaint({} bytes)", self.0.len())
    }
}

/// Runs a command to its end; returns what it said on stdout.
pub fn run(command: &Command<'_>) -> Result<Vec<u8>, CaptureError> {
    let until = clock::monotonic() + command.timeout;
    let (mut running, port) = Running::start(command)?;
    let result = running.listen(port, until, command);
    if result.is_err() {
        running.end_tree(command.label);
    }
    let result = result.and_then(|()| running.outcome());
    // What it has left behind in its group ends with it, too.
    drop(running.process.signal_group(SignalKind::Kill));
    running.process.reap();
    result
}

/// Ends what carries a label, and all that was started by it.
pub fn end_labelled(label: &str) -> io::Result<()> {
    for _ in 0..LOOKS_MAX {
        let found = process::carrying(label)?;
        if found.is_empty() {
            return Ok(());
        }
        for process in &found {
            process.signal(SignalKind::Kill)?;
        }
        wait_for_ends(found)?;
    }
    Ok(())
}

fn wait_for_ends(all: Vec<Process>) -> io::Result<()> {
    let until = clock::monotonic() + GONE_WITHIN;
    let mut port = Port::new()?;
    for process in all {
        let process = port.watch(process, PROCESS)?;
        while !process.has_ended() && clock::monotonic() < until {
            port.wait(Some(until.saturating_sub(clock::monotonic())))?;
        }
    }
    Ok(())
}

struct Running {
    process: Watched<Process>,
    output: Stream,
    error: Stream,
    /// What it said on stdout.
    said: Vec<u8>,
    /// The end of what it said on stderr.
    complained: Complaint,
}

/// A pipe; nothing once nobody writes to it any more.
type Stream = Option<Watched<PipeReader>>;

impl Running {
    fn start(command: &Command<'_>) -> Result<(Self, Port), CaptureError> {
        let port = Port::new()?;
        let (output, to_output) = pipe::pipe()?;
        let (error, to_error) = pipe::pipe()?;
        let mut environment = command.environment.clone();
        environment.push(["MAINSTAY_ID=", command.label].concat().into_bytes());
        let program = Program {
            directory: command.directory.clone(),
            output: Output::Pipe(&to_output),
            error: Some(&to_error),
            files: daemon::former_file_limit(),
            ..Program::new(command.label, command.words, environment)
        };
        let process = port.watch(spawn::spawn(&program)?, PROCESS)?;
        let (output, error) = (port.watch_once(output, OUTPUT)?, port.watch_once(error, ERROR)?);
        let said = Vec::with_capacity(command.bytes_max + READ_BYTES);
        let (output, error) = (Some(output), Some(error));
        Ok((Self { process, output, error, said, complained: Complaint::default() }, port))
    }

    /// Reads until it has ended.
    fn listen(
        &mut self,
        mut port: Port,
        until: Duration,
        command: &Command<'_>,
    ) -> Result<(), CaptureError> {
        loop {
            let has_ended = self.process.has_ended();
            self.hear(command.bytes_max)?;
            if has_ended {
                return Ok(());
            }
            let left = until.saturating_sub(clock::monotonic());
            if left.is_zero() {
                return Err(CaptureError::Late(command.timeout));
            }
            for stream in [&self.output, &self.error].into_iter().flatten() {
                stream.arm()?;
            }
            port.wait(Some(left))?;
        }
    }

    /// Takes what waits in both pipes.
    fn hear(&mut self, bytes_max: usize) -> Result<(), CaptureError> {
        let (said, Complaint(complained)) = (&mut self.said, &mut self.complained);
        take_all(&mut self.output, |bytes| {
            said.extend(bytes);
            if said.len() > bytes_max { Err(CaptureError::TooMuch(bytes_max)) } else { Ok(()) }
        })?;
        take_all(&mut self.error, |bytes| {
            complained.extend(bytes);
            let surplus = complained.len().saturating_sub(ERROR_BYTES_KEPT);
            complained.drain(..surplus);
            Ok(())
        })
    }

    fn outcome(&mut self) -> Result<Vec<u8>, CaptureError> {
        match self.process.ended()? {
            Some(Ended::Code(0)) => Ok(std::mem::take(&mut self.said)),
            ended => {
                let complaint = std::mem::take(&mut self.complained);
                Err(CaptureError::Failed { ended, complaint })
            }
        }
    }

    /// Ends it with all that it has started; what survives that is left to the system.
    fn end_tree(&self, label: &str) {
        drop(self.process.signal_group(SignalKind::Kill));
        drop(end_labelled(label));
    }
}

fn take_all(
    stream: &mut Stream,
    mut take: impl FnMut(Vec<u8>) -> Result<(), CaptureError>,
) -> Result<(), CaptureError> {
    while let Some(pipe) = stream {
        match pipe.take_waiting(READ_BYTES)? {
            (Moved::Bytes(_), bytes) => take(bytes)?,
            (Moved::Empty, _) => return Ok(()),
            (Moved::Ended, _) => *stream = None,
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn ask(label: &str, line: &str, timeout: Duration) -> Result<Vec<u8>, CaptureError> {
        let words = ["/bin/sh", "-c", line].map(str::to_owned);
        run(&Command {
            label: &format!("capture-{label}-{}", std::process::id()),
            words: &words,
            directory: None,
            environment: spawn::own_environment(),
            bytes_max: 1000,
            timeout,
        })
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn what_a_command_says_is_returned_and_its_complaints_are_not() {
        let said = ask("words", "echo one; echo two >&2; printf three", LONG).unwrap();
        assert_eq!(said, b"one\nthree");
        assert_eq!(ask("nothing", "exec >&-; exec 2>&-; exit 0", LONG).unwrap(), b"");
    }

    #[test]
    fn a_failure_comes_with_what_was_complained_of_and_shows_it_to_nobody_by_itself() {
        let error = ask("fails", "echo out; echo first >&2; echo hunter2 >&2; exit 3", LONG);
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        let CaptureError::Failed { ended, complaint } = error else { panic!("{error:?}") };
        assert_eq!(ended, Some(Ended::Code(3)));
        assert_eq!(complaint.bytes(), b"first\nhunter2\n");
        assert_eq!(complaint.last_line(), "hunter2");
        let missing = run(&Command {
            label: "capture-missing",
            words: &["mainstay-no-such-program".to_owned()],
            directory: None,
            environment: Vec::new(),
            bytes_max: 10,
            timeout: LONG,
        });
        assert!(matches!(missing, Err(CaptureError::NotStarted(_))), "{missing:?}");
    }

    #[test]
    fn who_says_too_much_is_ended() {
        let error = ask("floods", "yes", LONG).unwrap_err();
        assert!(matches!(error, CaptureError::TooMuch(1000)), "{error:?}");
    }

    #[test]
    fn who_takes_too_long_is_ended_with_its_tree() {
        let began = clock::monotonic();
        let line = "setsid sleep 1000 & sleep 1000 & echo half; wait";
        let error = ask("hangs", line, Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, CaptureError::Late(_)), "{error:?}");
        assert!(clock::monotonic() < began + LONG);
        let label = format!("capture-hangs-{}", std::process::id());
        assert!(process::carrying(&label).unwrap().is_empty());
    }

    #[test]
    fn who_leaves_somebody_behind_with_its_pipes_is_not_waited_for() {
        let began = clock::monotonic();
        assert_eq!(ask("leaves", "sleep 1000 & echo done", LONG).unwrap(), b"done\n");
        assert!(clock::monotonic() < began + LONG);
    }
}
