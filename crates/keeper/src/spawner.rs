//! Threads that start programs, because a start may hang: on a dead mount, on a stalled disk.
//!
//! There is one thread as long as starts are quick; when none is free and a start has waited for
//! [`PATIENCE`], another one joins, up to [`THREADS_MAX`].

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use mainstay_api::keeper::{self, Environment, Logs, RunRef, Spawn, StoreEntry, Streams};
use mainstay_platform::{
    clock,
    descriptor::{borrow, borrow_file},
    fail, filesystem,
    filesystem::FileSystem,
    lock::FileLock,
    pipe::{self, PipeReader, PipeWriter},
    process::Process,
    random,
    spawn::{
        self, BaseEnvironment, Group, Input, Nascent, Output, Passed, Priority, Program, Seats,
        Share, SpawnError, is_same_variable,
    },
};

use crate::{
    note::{Note, Notes},
    store::Stored,
};

/// How long a start may wait for a free thread.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);
const THREADS_MAX: usize = 16;
/// An ordinary user's pipes shrink when there are more than about a thousand of full size.
const PIPES_OF_FULL_SIZE: usize = 900;
const SMALL_PIPE_BYTES: usize = 16 * 1024;

/// What is to be started.
#[derive(Debug)]
pub(crate) enum Order {
    /// A run.
    Run {
        /// What the agent asked for.
        spawn: Box<Spawn>,
        /// The run's `MAINSTAY_ID`.
        id: String,
        /// How many pipes there are already.
        pipes: usize,
        /// What it gets of what is stored.
        listen: Vec<Stored>,
    },
    /// The agent.
    Agent {
        /// Our own binary.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// How a start ended.
#[derive(Debug)]
pub(crate) enum StartedNote {
    /// A run was started, or not.
    Run {
        /// What was asked for.
        spawn: Box<Spawn>,
        /// What came of it.
        result: Result<Box<Started>, NotStarted>,
    },
    /// The agent was started, or not.
    Agent(Result<Process, NotStarted>),
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) output: Option<PipeReader>,
    pub(crate) error: Option<PipeReader>,
    pub(crate) logs_on: Option<FileSystem>,
    pub(crate) at: Duration,
}

/// A program that does not.
#[derive(Debug)]
pub(crate) struct NotStarted {
    pub(crate) step: String,
    pub(crate) code: i32,
    pub(crate) message: String,
}

/// The threads and their queue.
#[derive(Debug)]
pub(crate) struct Spawner {
    orders: Sender<Queued>,
    queue: Arc<Mutex<Receiver<Queued>>>,
    /// Starts of runs that have not come to an end.
    nascent: BTreeMap<RunRef, Arc<Nascent>>,
    shared: Arc<Shared>,
    notes: Notes,
    threads: usize,
    /// For the threads to come, taken while low numbers are free.
    seats: Vec<Seats>,
    look_again: Option<Duration>,
}

/// An order, and the way to give it up.
type Queued = (Order, Arc<Nascent>);

#[derive(Debug)]
struct Shared {
    waiting: AtomicUsize,
    unfinished: AtomicUsize,
    base: BaseEnvironment,
    /// The soft limit of open files that programs get unless they ask for another.
    files: u64,
}

impl Spawner {
    /// Returns the soft limit of open files that programs get unless they ask for another.
    pub(crate) fn files(&self) -> u64 {
        self.shared.files
    }

    /// Starts the first thread; programs inherit `base` as their environment.
    ///
    /// A child holds the lock until it executes: who gets it later knows that there is none.
    pub(crate) fn new(
        notes: Notes,
        base: BaseEnvironment,
        files: u64,
        lock: &FileLock,
    ) -> io::Result<Self> {
        // Without a bound: a start that hangs must not stall the control thread. What waits is one
        // order for each run that the journal has room for, and the agent.
        let (orders, queue) = mpsc::channel();
        let (waiting, unfinished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Arc::new(Shared { waiting, unfinished, base, files });
        let queue = Arc::new(Mutex::new(queue));
        let seats = Seats::take(THREADS_MAX, Some(borrow_file(lock.file())))?;
        let (nascent, threads, look_again) = (BTreeMap::new(), 0, None);
        let mut spawner =
            Self { orders, queue, nascent, shared, notes, threads, seats, look_again };
        spawner.add_thread()?;
        Ok(spawner)
    }

    /// Queues an order; a [`StartedNote`] follows.
    pub(crate) fn start(&mut self, order: Order) {
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        self.shared.unfinished.fetch_add(1, Ordering::SeqCst);
        let nascent = Arc::new(Nascent::default());
        if let Order::Run { spawn, .. } = &order {
            let key = RunRef { unit: spawn.unit.clone(), run: spawn.run };
            self.nascent.insert(key, Arc::clone(&nascent));
        }
        if self.orders.send((order, nascent)).is_ok() && self.look_again.is_none() {
            self.look_again = Some(clock::monotonic() + PATIENCE);
        }
    }

    /// A start has come to an end.
    pub(crate) fn ended(&mut self, key: &RunRef) {
        self.nascent.remove(key);
    }

    /// Gives up a start that hangs before the program executes.
    pub(crate) fn kill(&self, key: &RunRef) -> io::Result<()> {
        self.nascent.get(key).map_or(Ok(()), |nascent| nascent.kill())
    }

    /// Gives up all of them.
    pub(crate) fn kill_all(&self) {
        for nascent in self.nascent.values() {
            if let Err(error) = nascent.kill() {
                crate::note::complain("cannot give up a start", &error);
            }
        }
    }

    /// Returns whether a start has not come to an end yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.unfinished.load(Ordering::SeqCst) > 0
    }

    /// Returns when to call [`look`](Self::look).
    pub(crate) const fn next_deadline(&self) -> Option<Duration> {
        self.look_again
    }

    /// Adds a thread when orders still wait although they had time to be taken.
    pub(crate) fn look(&mut self, now: Duration) {
        if self.look_again.is_none_or(|at| now < at) {
            return;
        }
        let is_waiting = self.shared.waiting.load(Ordering::SeqCst) > 0;
        self.look_again = is_waiting.then_some(now + PATIENCE);
        if is_waiting
            && self.threads < THREADS_MAX
            && let Err(error) = self.add_thread()
        {
            crate::note::complain("cannot start another thread for starts", &error);
        }
    }

    fn add_thread(&mut self) -> io::Result<()> {
        let Some(seats) = self.seats.pop() else { return Ok(()) };
        let (queue, shared) = (Arc::clone(&self.queue), Arc::clone(&self.shared));
        let notes = self.notes.clone();
        let name = format!("spawner-{}", self.threads);
        thread::Builder::new().name(name).spawn(move || serve(&queue, &shared, &notes, seats))?;
        self.threads += 1;
        Ok(())
    }
}

fn serve(queue: &Mutex<Receiver<Queued>>, shared: &Shared, notes: &Notes, mut seats: Seats) {
    loop {
        let order = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((order, nascent)) = order else { return };
        fail::bug("bug.spawner");
        shared.waiting.fetch_sub(1, Ordering::SeqCst);
        let note = match order {
            Order::Run { mut spawn, id, pipes, listen } => {
                let mark = Mark { id: &id, nascent: &nascent, listen: &listen };
                let result = start_run(&mut spawn, &mark, pipes, shared, &mut seats).map(Box::new);
                StartedNote::Run { spawn, result }
            }
            Order::Agent { program, arguments } => {
                StartedNote::Agent(start_agent(&program, &arguments, shared, &mut seats))
            }
        };
        notes.send(Note::Started(Box::new(note)));
        shared.unfinished.fetch_sub(1, Ordering::SeqCst);
    }
}

/// By what a start is known, and what it gets.
struct Mark<'a> {
    id: &'a str,
    nascent: &'a Nascent,
    listen: &'a [Stored],
}

fn start_run(
    asked: &mut Spawn,
    mark: &Mark<'_>,
    pipes: usize,
    shared: &Shared,
    seats: &mut Seats,
) -> Result<Started, NotStarted> {
    let id = mark.id;
    let logs_on = storage_of(&asked.logs).map_err(|error| NotStarted::of("logs", &error))?;
    let made =
        Pipes::new(asked.logs.streams, pipes).map_err(|error| NotStarted::of("pipe", &error))?;
    let input = input_of(asked).map_err(|error| NotStarted::of("input", &error))?;
    let listen: Vec<Passed<'_>> = mark.listen.iter().map(passed).collect();
    let program = Program {
        label: id,
        command: &asked.command,
        directory: asked.directory.as_ref().map(PathBuf::from),
        environment: environment(&asked.environment, id, &shared.base.variables()),
        output: made.writer.as_ref().map_or(Output::Null, Output::Pipe),
        error: made.error_writer.as_ref(),
        files: asked.files.or(Some(shared.files).filter(|files| *files > 0)),
        group: if asked.session { Group::Session } else { Group::Own },
        share: share_of(asked.share),
        input: input.as_ref(),
        listen: &listen,
        own_number: asked.environment.set.contains_key(WATCHED).then_some(WATCHED_PID),
    };
    let process = spawn::spawn_held(&program, seats, mark.nascent)?;
    fail::point("keeper.spawn.cloned");
    let at = clock::monotonic();
    Ok(Started { process, output: made.reader, error: made.error_reader, logs_on, at })
}

/// Returns what the program reads, and keeps nothing of it.
fn input_of(asked: &mut Spawn) -> io::Result<Option<Input>> {
    asked.input.take().map(|input| Input::new(input.expose().as_bytes())).transpose()
}

fn passed(stored: &Stored) -> Passed<'_> {
    Passed { name: StoreEntry::shown(&stored.name), descriptor: borrow(&stored.descriptor) }
}

fn share_of(share: keeper::Share) -> Share {
    let priority = share.priority.map(|priority| match priority {
        keeper::Priority::Idle => Priority::Idle,
        keeper::Priority::BelowNormal => Priority::BelowNormal,
        keeper::Priority::Normal => Priority::Normal,
        keeper::Priority::AboveNormal => Priority::AboveNormal,
        keeper::Priority::High => Priority::High,
        keeper::Priority::Realtime => Priority::Realtime,
    });
    Share { priority, processors: share.processors }
}

/// Returns the storage that the segments lie on; their folder is made with the first byte.
fn storage_of(logs: &Logs) -> io::Result<Option<FileSystem>> {
    if logs.streams == Streams::Off {
        return Ok(None);
    }
    filesystem::of(Path::new(&logs.directory)).map(Some)
}

#[derive(Debug, Default)]
struct Pipes {
    reader: Option<PipeReader>,
    writer: Option<PipeWriter>,
    error_reader: Option<PipeReader>,
    error_writer: Option<PipeWriter>,
}

impl Pipes {
    fn new(streams: Streams, existing: usize) -> io::Result<Self> {
        let mut pipes = Self::default();
        if streams == Streams::Off {
            return Ok(pipes);
        }
        let (reader, writer) = sized_pipe(existing)?;
        (pipes.reader, pipes.writer) = (Some(reader), Some(writer));
        if streams == Streams::Split {
            let (reader, writer) = sized_pipe(existing)?;
            (pipes.error_reader, pipes.error_writer) = (Some(reader), Some(writer));
        }
        Ok(pipes)
    }
}

fn sized_pipe(existing: usize) -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe::pipe()?;
    if existing >= PIPES_OF_FULL_SIZE {
        // A refusal leaves the pipe as the system made it.
        drop(reader.set_capacity(SMALL_PIPE_BYTES));
    }
    Ok((reader, writer))
}

fn start_agent(
    program: &Path,
    arguments: &[String],
    Shared { base, files, .. }: &Shared,
    seats: &mut Seats,
) -> Result<Process, NotStarted> {
    let mut command = vec![program.display().to_string()];
    command.extend_from_slice(arguments);
    // Agents of other instances, and those before this one, are groups of their own.
    let label = format!("agent-{:016x}", random::number());
    let program = Program {
        label: &label,
        command: &command,
        directory: None,
        environment: base.variables().to_vec(),
        output: Output::Inherited,
        error: None,
        files: Some(*files).filter(|files| *files > 0),
        group: Group::Own,
        share: Share::default(),
        input: None,
        listen: &[],
        own_number: None,
    };
    Ok(spawn::spawn_as(&program, seats, &Nascent::default())?)
}

/// Who finds the first is to say that it is alive; the second says who is meant, so that what it
/// starts does not speak in its place (`sd_watchdog_enabled(3)`).
const WATCHED: &str = "WATCHDOG_USEC";
const WATCHED_PID: &str = "WATCHDOG_PID";

/// The name of the variable that says which run a process belongs to.
const MARK: &str = "MAINSTAY_ID";

/// Returns the program's environment: the keeper's own, less what is unset, with what is set. Of
/// the mark there is only ours, even where the keeper itself is a program of another instance.
fn environment(changes: &Environment, id: &str, base: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_changed = |name: &str| {
        let mut all = changes.set.keys().chain(&changes.unset).map(String::as_str).chain([MARK]);
        all.any(|changed| is_same_variable(changed, name))
    };
    let is_kept = |variable: &&Vec<u8>| {
        let name = variable.split(|byte| *byte == b'=').next();
        !name.and_then(|name| std::str::from_utf8(name).ok()).is_some_and(is_changed)
    };
    let mut all: Vec<Vec<u8>> = base.iter().filter(is_kept).cloned().collect();
    let set = changes.set.iter().filter(|(name, _)| !is_same_variable(name, MARK));
    all.extend(set.map(|(name, value)| format!("{name}={value}").into_bytes()));
    all.push(format!("{MARK}={id}").into_bytes());
    all
}

impl NotStarted {
    /// Says why nothing was even tried.
    pub(crate) fn refused(step: &str, why: &dyn fmt::Display) -> Self {
        Self { step: step.to_owned(), code: 0, message: format!("cannot start it: {why}") }
    }

    pub(crate) fn of(step: &str, error: &io::Error) -> Self {
        let code = error.raw_os_error().unwrap_or_default();
        Self { step: step.to_owned(), code, message: format!("cannot prepare its {step}: {error}") }
    }
}

impl From<SpawnError> for NotStarted {
    fn from(error: SpawnError) -> Self {
        let code = error.source.raw_os_error().unwrap_or_default();
        let message = format!("{error}: {}", error.source);
        Self { step: error.step.to_string(), code, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_changed_under_whatever_name_the_system_takes_for_the_same() {
        let base = ["Path=a", "HOME=b", "mainstay_id=c"].map(|one| one.as_bytes().to_vec());
        let set = [("PATH".to_owned(), "new".to_owned())].into();
        let changes = Environment { set, unset: vec!["HOME".to_owned()] };
        let all = environment(&changes, "7", &base);
        let has = |variable: &str| all.iter().any(|one| one == variable.as_bytes());
        assert!(has("PATH=new") && has("MAINSTAY_ID=7") && !has("HOME=b"));
        let is_one = is_same_variable("Path", "PATH");
        assert_eq!((has("Path=a"), has("mainstay_id=c")), (!is_one, !is_one));
    }
}
