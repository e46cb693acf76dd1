//! Starting a program so that it outlives whoever started it.

#[cfg(target_os = "linux")]
#[path = "spawn/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "spawn/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "spawn/macos.rs"]
mod imp;
#[cfg(unix)]
#[path = "spawn/unix/search.rs"]
mod search;
#[cfg(target_os = "linux")]
#[path = "spawn/linux/seats.rs"]
mod seats;
#[cfg(not(target_os = "linux"))]
#[path = "spawn/seats.rs"]
mod seats;
#[cfg(unix)]
mod unix;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    descriptor::{Borrowed, Descriptor},
    pipe::PipeWriter,
    process::{Process, SignalKind},
};

#[cfg(windows)]
use imp::image_of as search_image;
#[cfg(windows)]
pub use imp::{BaseEnvironment, is_same_variable, own_environment};
#[cfg(windows)]
pub(crate) use imp::{command_line, spawn_helper, variables_of_now};
pub use seats::Seats;
#[cfg(unix)]
use unix::image_of as search_image;
#[cfg(unix)]
pub use unix::{BaseEnvironment, is_same_variable, own_environment};

/// A program to be started. What its environment holds is not shown by `Debug`.
pub struct Program<'a> {
    /// Its name for the system: the job on Windows. At most 200 characters.
    pub label: &'a str,
    /// The command and its arguments.
    pub command: &'a [String],
    /// Where it starts; the starter's own folder when absent.
    pub directory: Option<PathBuf>,
    /// Its whole environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// Where stdout goes.
    pub output: Output<'a>,
    /// Where stderr goes; the same as stdout when absent.
    pub error: Option<&'a PipeWriter>,
    /// Soft limit of open files. macOS cannot set it for a single program: there it gets as many as
    /// the starter, and one that asks for more does not start.
    pub files: Option<u64>,
    /// Whether it gets a session of its own, not just a process group.
    pub group: Group,
    /// How much of the processors it gets.
    pub share: Share,
    /// What it reads from its standard input; nothing to read when absent.
    pub input: Option<&'a Input>,
    /// What it gets from number 3 on, with `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`; only
    /// where [`CAN_LISTEN`] says so, or it does not start.
    pub listen: &'a [Passed<'a>],
    /// The variable that tells it its own number; it finds none elsewhere than on Linux, where
    /// nobody knows the number before it runs.
    pub own_number: Option<&'a str>,
}

impl<'a> Program<'a> {
    /// Returns one that starts here, in a group of its own, reads nothing and is not heard.
    pub fn new(label: &'a str, command: &'a [String], environment: Vec<Vec<u8>>) -> Self {
        Self {
            label,
            command,
            directory: None,
            environment,
            output: Output::Null,
            error: None,
            files: None,
            group: Group::Own,
            share: Share::default(),
            input: None,
            listen: &[],
            own_number: None,
        }
    }
}

impl fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, command, .. } = self;
        let mut shown = f.debug_struct("Program");
        shown.field("label", label).field("command", command).finish_non_exhaustive()
    }
}

/// Whether programs can be given descriptors beside their streams: on Linux. On macOS nobody can
/// tell a program its own number before it runs, and on Windows handles have no numbers of the
/// program's.
pub const CAN_LISTEN: bool = cfg!(target_os = "linux");

/// A descriptor that a program gets, under a name.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'a> {
    /// What it is called; printable and without a colon.
    pub name: &'a str,
    /// The descriptor.
    pub descriptor: Borrowed<'a>,
}

/// What a program reads from its standard input before the end of it.
///
/// It lies in memory; on macOS in a temporary file that has no name any more.
#[derive(Debug)]
pub struct Input(Descriptor);

impl Input {
    /// Takes a text whole, so that nobody waits for the program to read it.
    pub fn new(text: &[u8]) -> io::Result<Self> {
        imp::input(text).map(Self)
    }

    fn borrow(&self) -> Borrowed<'_> {
        crate::descriptor::borrow(&self.0)
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_listening(program: &Program<'_>) -> io::Result<()> {
    if program.listen.is_empty() {
        return Ok(());
    }
    let text = "this system cannot pass descriptors on to programs";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

/// How much of the processors a program gets; by default as much as its starter.
///
/// macOS cannot say it of a program that is about to start: one that asks does not start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Whether others come first.
    pub priority: Option<Priority>,
    /// On which of the first 64 processors it may run, the lowest bit for the first one.
    pub processors: Option<u64>,
}

/// Whether a program comes before others or after them: the six classes of Windows. On Linux they
/// are the nice values 19, 10, 0, -5, -10 and -20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// When nobody else wants to run.
    Idle,
    /// After others.
    BelowNormal,
    /// As everybody.
    Normal,
    /// Before others.
    AboveNormal,
    /// Well before others.
    High,
    /// Before everything, the system's own work included. Who may not have that does not start.
    Realtime,
}

/// Where a program's output goes.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// Nowhere.
    Null,
    /// Where the starter's own goes.
    Inherited,
    /// Into a pipe.
    Pipe(&'a PipeWriter),
}

/// What a program is made the head of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A process group.
    Own,
    /// A session; costs milliseconds on a loaded machine.
    Session,
}

/// What was being done when a start went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the command, the folder or the environment: something holds a NUL byte.
    Arguments,
    /// Making the new process.
    Clone,
    /// Entering the folder.
    Directory,
    /// Connecting its standard streams.
    Streams,
    /// Setting its limits.
    Limits,
    /// Finding the program.
    Program,
    /// Executing the program.
    Execute,
    /// Executing a file that is none of this system's programs.
    Foreign,
    /// Finding a program behind a name that the Microsoft Store has reserved.
    Alias,
    /// Finding what the program's first line asks for.
    Interpreter,
}

/// A program that did not start.
#[derive(Debug)]
pub struct SpawnError {
    /// What was being done.
    pub step: Step,
    /// What it was about: the folder, the program or the interpreter.
    pub subject: String,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arguments => "arguments",
            Self::Clone => "clone",
            Self::Directory => "directory",
            Self::Streams => "streams",
            Self::Limits => "limits",
            Self::Program => "program",
            Self::Execute => "execute",
            Self::Foreign => "foreign",
            Self::Alias => "alias",
            Self::Interpreter => "interpreter",
        })
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, .. } = self;
        match self.step {
            Step::Arguments => write!(f, "cannot pass `{subject}` to a program"),
            Step::Clone => write!(f, "cannot make a process for `{subject}`"),
            Step::Directory => write!(f, "cannot enter directory `{subject}`"),
            Step::Streams => write!(f, "cannot connect the streams of `{subject}`"),
            Step::Limits => write!(f, "cannot set the limits of `{subject}`"),
            Step::Program => write!(f, "cannot find `{subject}`"),
            Step::Execute => write!(f, "cannot execute `{subject}`"),
            Step::Foreign => write!(
                f,
                "cannot execute `{subject}`: it is no program of this system; a script needs its \
                 interpreter as the command"
            ),
            Step::Alias => write!(
                f,
                "cannot start `{subject}`: it is an alias of the Microsoft Store, which only a \
                 person's desktop can use; give the path of the program itself"
            ),
            Step::Interpreter => write!(f, "cannot find the interpreter `{subject}`"),
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Whose limit of core files a program gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cores {
    /// That with which this process began.
    Former,
    /// That which this process has: see [`crate::dump::refuse`].
    Own,
}

/// Starts a program. No more becomes of its memory than of this process's own (see
/// [`crate::dump::refuse`]): what we start for ourselves handles the same secrets.
///
/// The calling thread sleeps until the program executes or fails to; a program on a hung mount
/// holds it for as long as the mount hangs. On macOS the system does not say which step failed:
/// the folder is looked at afterwards, and what is not its fault is the program's.
pub fn spawn(program: &Program<'_>) -> Result<Process, SpawnError> {
    let seats = Seats::take(1, None).map(|mut seats| seats.pop());
    let subject = program.label.to_owned();
    let fail = |source| SpawnError { step: Step::Streams, subject, source };
    match seats {
        Ok(Some(mut seats)) => {
            let process = imp::spawn(program, &mut seats, &Nascent::default(), Cores::Own)?;
            released(program, process)
        }
        Ok(None) => Err(fail(io::ErrorKind::Other.into())),
        Err(error) => Err(fail(error)),
    }
}

/// Starts a program; another thread may meanwhile give the start up. Of core files it may have what
/// this process began with.
///
/// `seats` are the thread's own. Where they were taken early they are low, and then whoever has
/// thousands of files open starts a program as fast as whoever has ten.
pub fn spawn_as(
    program: &Program<'_>,
    seats: &mut Seats,
    nascent: &Nascent,
) -> Result<Process, SpawnError> {
    released(program, imp::spawn(program, seats, nascent, Cores::Former)?)
}

fn released(program: &Program<'_>, process: Process) -> Result<Process, SpawnError> {
    match process.release() {
        Ok(()) => Ok(process),
        Err(source) => {
            // It has not begun: what cannot be let run can still be ended.
            drop(process.signal(SignalKind::Kill));
            let subject = program.label.to_owned();
            Err(SpawnError { step: Step::Execute, subject, source })
        }
    }
}

/// Whether [`spawn_held`] makes programs that have not begun: on Windows.
pub const IS_HELD: bool = cfg!(windows);

/// Like [`spawn_as`], but where [`IS_HELD`] says so the program does not begin before
/// [`Process::release`]: a starter that dies before it has noted the start leaves nobody behind who
/// ran.
pub fn spawn_held(
    program: &Program<'_>,
    seats: &mut Seats,
    nascent: &Nascent,
) -> Result<Process, SpawnError> {
    imp::spawn(program, seats, nascent, Cores::Former)
}

/// Returns the image that a start would execute, as an absolute path.
pub fn image_of(program: &Program<'_>) -> io::Result<PathBuf> {
    search_image(program)
}

/// A start that has not come to an end.
#[derive(Debug, Default)]
pub struct Nascent {
    /// The process that has not executed yet, or 0.
    pid: AtomicU32,
    /// Whoever uses the number holds this, so that it is not given to somebody else meanwhile.
    gate: Mutex<()>,
}

impl Nascent {
    /// Kills what has not executed yet; a start that is elsewhere is left alone.
    ///
    /// Linux alone says which process it is: elsewhere nothing is killed.
    pub fn kill(&self) -> io::Result<()> {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        match self.pid.load(Ordering::SeqCst) {
            0 => Ok(()),
            pid => Process::open_pid(pid)?.map_or(Ok(()), |child| child.signal(SignalKind::Kill)),
        }
    }

    /// The start has come to an end: the number may be used again from now on.
    #[cfg(target_os = "linux")]
    fn settle(&self) {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.pid.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
#[cfg(unix)]
#[path = "spawn/tests.rs"]
mod tests;
