//! Replacing the keeper in place: children, pipes and the conversation with the agent go on.
//!
//! The journal says what there is; the state that travels through the exec says only under which
//! number each descriptor is found. A keeper that panicked passes on nothing but its lock: its
//! children are still its children, and their pipes are found through themselves or the agent.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::PathBuf,
    thread,
    time::Duration,
};

use mainstay_api::keeper::{Report, RunRef, StoreEntry};
use mainstay_platform::{
    clock,
    descriptor::{Borrowed, Descriptor, borrow, borrow_file},
    door::{Connection, Door},
    fail,
    lock::FileLock,
    pipe::PipeReader,
    replace,
};
use mainstay_storage::instance::Instance;
use serde::{Deserialize, Serialize};

use crate::{
    control::{Control, KeeperError, doing, token},
    options::KeeperOptions,
    owner::Conversation,
    probe::{self, ProbeError},
    runs::Run,
};

/// The state's own version; a keeper reads this one and the one before.
const STATE_VERSION: u32 = 2;
/// The oldest version whose keepers understand what we write: one may always go back.
const READABLE_BY: u32 = 1;
/// How long starts that are under way may hold an upgrade up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever holds the lock for longer than this is the keeper.
const LOCK_WITHIN: Duration = Duration::from_millis(500);
const LOCK_EVERY: Duration = Duration::from_millis(5);
const STATE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An upgrade that was asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    id: u64,
    program: PathBuf,
    progress: Progress,
}

/// How far an upgrade has got.
#[derive(Debug)]
enum Progress {
    /// The binary is asked whether it could go on from our state.
    Probing,
    /// It could; starts that are under way are waited for.
    Due { until: Duration },
}

impl Wanted {
    pub(crate) const fn gives_up_at(&self) -> Option<Duration> {
        match self.progress {
            Progress::Probing => None,
            Progress::Due { until } => Some(until),
        }
    }
}

/// What travels through the exec.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    /// Newer than its reader, a state is understood by keepers from this version on.
    readable_by: u32,
    epoch: String,
    lock: u64,
    door: u64,
    api: u64,
    owner: Option<OwnerState>,
    runs: Vec<RunState>,
    /// What is stored for units. A keeper of version 1 does not know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stored: Vec<StoredState>,
    /// The soft limit of open files that programs get: a keeper has raised its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
}

/// A stored descriptor, and the number under which it is found.
#[derive(Debug, Serialize, Deserialize)]
struct StoredState {
    unit: String,
    name: String,
    number: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct OwnerState {
    connection: u64,
    sequence: u64,
    id: u64,
    /// The beginning of a frame, from keepers of version 1. A later one waits for its end: what is
    /// in it may be nobody's business.
    unread: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RunState {
    unit: String,
    run: u64,
    output: Option<u64>,
    error: Option<u64>,
    /// What was taken out of these pipes and is in no file yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    output_unstored: Vec<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    error_unstored: Vec<u8>,
}

/// What a predecessor passed on.
#[derive(Debug)]
pub(crate) struct Inheritance {
    pub(crate) epoch: String,
    state: State,
}

/// The pipes of one run that a predecessor passed on.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) output: Option<PipeReader>,
    pub(crate) error: Option<PipeReader>,
}

/// A state that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InheritanceError {
    #[error("cannot read the state")]
    Unreadable(#[from] io::Error),
    #[error("cannot understand the state")]
    Malformed(#[from] serde_json::Error),
    #[error("the state has version {0}, and this keeper knows version {known}", known = own_version())]
    Version(u32),
}

/// The two listeners.
#[derive(Debug)]
pub(crate) struct Doors {
    pub(crate) keeper: Door,
    pub(crate) api: Door,
}

/// Reads a state from standard input; success means that this binary could go on from it.
pub(crate) fn answer_probe() -> Result<(), InheritanceError> {
    probe::introduce()?;
    read_state(io::stdin().lock()).map(drop)
}

fn own_version() -> u32 {
    STATE_VERSION + fail::raised()
}

const fn is_understood(state: &State, own: u32) -> bool {
    let is_recent = state.version <= own && state.version + 1 >= own;
    is_recent || (state.version > own && state.readable_by <= own)
}

fn read_state(from: impl io::Read) -> Result<State, InheritanceError> {
    let mut text = Vec::new();
    from.take(STATE_BYTES_MAX).read_to_end(&mut text)?;
    let state: State = serde_json::from_slice(&text)?;
    if is_understood(&state, own_version()) {
        Ok(state)
    } else {
        Err(InheritanceError::Version(state.version))
    }
}

impl RunState {
    fn of(key: RunRef, output: Option<&PipeReader>, error: Option<&PipeReader>) -> Self {
        let number = |pipe: &PipeReader| replace::number_of(pipe.borrow());
        let RunRef { unit, run } = key;
        Self {
            unit,
            run,
            output: output.map(number),
            error: error.map(number),
            output_unstored: output.map(PipeReader::unstored).unwrap_or_default(),
            error_unstored: error.map(PipeReader::unstored).unwrap_or_default(),
        }
    }
}

impl StoredState {
    fn of((entry, descriptor): (StoreEntry, &Descriptor)) -> Self {
        let StoreEntry { unit, name } = entry;
        Self { unit, name, number: replace::number_of(borrow(descriptor)) }
    }
}

impl Inheritance {
    /// Returns what a predecessor passed on, if there was one.
    pub(crate) fn find(options: &KeeperOptions) -> Result<Option<Self>, InheritanceError> {
        let Some(number) = options.resume else { return Ok(None) };
        let mut file = File::from(replace::inherited(number)?);
        file.rewind()?;
        let state = read_state(file)?;
        Ok(Some(Self { epoch: state.epoch.clone(), state }))
    }

    /// Returns the pipes of a run, once.
    pub(crate) fn take(&mut self, key: &RunRef) -> Option<Kept> {
        self.take_by(key, replace::inherited)
    }

    /// Returns what is stored for units.
    pub(crate) fn take_stored(
        &mut self,
    ) -> impl Iterator<Item = (StoreEntry, io::Result<Descriptor>)> {
        let stored = std::mem::take(&mut self.state.stored).into_iter();
        stored.map(|StoredState { unit, name, number }| {
            (StoreEntry { unit, name }, replace::inherited(number))
        })
    }

    /// Returns the soft limit of open files that programs got from the predecessor.
    pub(crate) const fn files(&self) -> Option<u64> {
        self.state.files
    }

    /// Takes them from `inherit`, which knows the descriptor of a number.
    fn take_by(
        &mut self,
        key: &RunRef,
        inherit: impl Fn(u64) -> io::Result<Descriptor>,
    ) -> Option<Kept> {
        let is_it = |run: &RunState| run.unit == key.unit && run.run == key.run;
        let index = self.state.runs.iter().position(is_it)?;
        let run = self.state.runs.swap_remove(index);
        let pipe = |number: Option<u64>, unstored| {
            let pipe = PipeReader::from_descriptor(inherit(number?).ok()?);
            pipe.put_back(unstored);
            Some(pipe)
        };
        let output = pipe(run.output, run.output_unstored);
        let error = pipe(run.error, run.error_unstored);
        Some(Kept { output, error })
    }
}

/// Returns the instance's lock: inherited, or taken now; nothing when somebody else is the keeper.
pub(crate) fn lock_of(
    options: &KeeperOptions,
    inherited: Option<&Inheritance>,
    instance: &Instance,
) -> Result<Option<FileLock>, KeeperError> {
    let number = inherited.map(|state| state.state.lock).or(options.lock);
    if let Some(number) = number {
        let lock = replace::inherited(number).map_err(doing("take over the lock"))?;
        return Ok(Some(FileLock::from_descriptor(lock)));
    }
    take_lock(instance).map_err(doing("take the lock"))
}

/// Takes the lock, which may be held for a moment by somebody who is no keeper: a child of a dead
/// one between clone and exec, or whoever looks whether there is one.
///
/// Where a keeper answers nobody waits: its end must not be the beginning of another one.
fn take_lock(instance: &Instance) -> io::Result<Option<FileLock>> {
    let until = clock::monotonic() + LOCK_WITHIN;
    loop {
        let lock = FileLock::try_take(&instance.keeper_lock())?;
        let is_kept = || Connection::open(&instance.keeper_socket()).is_ok();
        if lock.is_some() || is_kept() || clock::monotonic() >= until {
            return Ok(lock);
        }
        thread::park_timeout(LOCK_EVERY);
    }
}

/// Returns the number of the process that is the keeper, where one answers.
pub(crate) fn keeper_of(runtime: PathBuf) -> Option<u32> {
    let instance = Instance::new(runtime, PathBuf::new());
    let connection = Connection::open(&instance.keeper_socket()).ok()?;
    connection.peer().ok().map(|peer| peer.pid)
}

/// Returns the listeners: inherited, or opened now.
pub(crate) fn doors(
    inherited: Option<&Inheritance>,
    instance: &Instance,
    service: Option<&str>,
) -> Result<Doors, KeeperError> {
    let open = |path: PathBuf, number: Option<u64>| {
        let door = match number {
            Some(number) => {
                replace::inherited(number).map(|socket| Door::from_descriptor(socket, path))
            }
            None => Door::open(&path),
        }?;
        Ok(service.into_iter().fold(door, Door::of_service))
    };
    let state = inherited.map(|inherited| &inherited.state);
    let keeper = open(instance.keeper_socket(), state.map(|state| state.door));
    let api = open(instance.api_socket(), state.map(|state| state.api));
    Ok(Doors {
        keeper: keeper.map_err(doing("listen for agents"))?,
        api: api.map_err(doing("listen for clients"))?,
    })
}

impl Control {
    /// Goes on talking with the agent of the predecessor.
    pub(crate) fn resume_conversation(
        &mut self,
        inherited: Inheritance,
    ) -> Result<(), KeeperError> {
        let Some(owner) = inherited.state.owner else { return Ok(()) };
        let socket = replace::inherited(owner.connection).map_err(doing("take over the agent"))?;
        let connection = Connection::from_descriptor(socket);
        let peer = connection.peer().map_err(doing("tell who the agent is"))?;
        let process = connection.peer_process();
        let connection =
            self.port.watch(connection, token::OWNER).map_err(doing("listen to the agent"))?;
        if let Ok(Some(process)) = process {
            let process =
                self.port.watch(process, token::AGENT).map_err(doing("watch the agent"))?;
            self.agents.process = Some(process);
            self.agents.life.lives();
            self.agents.life.makes_room();
        }
        let mut conversation = Conversation::new(connection, peer);
        conversation.continue_at(owner.sequence, &owner.unread);
        self.agents.owner = Some(conversation);
        let welcome = Report::Upgraded(self.welcome());
        self.answer(owner.id, welcome);
        Ok(())
    }

    /// Has the binary probed that is to replace this keeper.
    pub(crate) fn want_upgrade(&mut self, id: u64, program: PathBuf) {
        let begun = if self.upgrade.is_some() {
            Err(io::Error::other("another upgrade is under way"))
        } else {
            let state = serde_json::to_vec(&self.state(id)).map_err(io::Error::from);
            state.and_then(|state| probe::begin(program.clone(), state, self.notes.clone()))
        };
        match begun {
            Ok(()) => self.upgrade = Some(Wanted { id, program, progress: Progress::Probing }),
            Err(error) => self.answer(id, Report::Refused { reason: error.to_string() }),
        }
    }

    /// The binary has answered the probe, or has not. What was done meanwhile changes our state,
    /// but not how it is told.
    pub(crate) fn probed(&mut self, result: Result<(), ProbeError>) {
        let Some(mut wanted) = self.upgrade.take() else { return };
        match result {
            Ok(()) => {
                wanted.progress = Progress::Due { until: clock::monotonic() + PATIENCE };
                self.upgrade = Some(wanted);
            }
            Err(error) => self.answer(wanted.id, Report::Refused { reason: error.to_string() }),
        }
    }

    /// Replaces this keeper when that was asked for and nothing is in the way.
    pub(crate) fn upgrade_if_wanted(&mut self) {
        let Some(until) = self.upgrade.as_ref().and_then(Wanted::gives_up_at) else { return };
        let is_talking = |owner: &Conversation| !owner.is_flushed() || owner.is_mid_frame();
        let is_busy = self.spawner.is_busy() || self.agents.owner.as_ref().is_some_and(is_talking);
        if is_busy && clock::monotonic() < until {
            return;
        }
        let Some(wanted) = self.upgrade.take() else { return };
        let reason = if is_busy {
            "programs are still being started, or the agent has not said all".to_owned()
        } else {
            match self.become_successor(&wanted) {
                Ok(never) => match never {},
                Err(error) => error.to_string(),
            }
        };
        self.answer(wanted.id, Report::Refused { reason });
        self.flush();
    }

    /// Parks the pumps and executes; comes back only when that was not possible.
    fn become_successor(&mut self, wanted: &Wanted) -> io::Result<std::convert::Infallible> {
        let parked = self.pumps.park().map_err(io::Error::other);
        let result = parked.and_then(|()| self.execute(wanted));
        self.unpark();
        result
    }

    fn execute(&self, wanted: &Wanted) -> io::Result<std::convert::Infallible> {
        let mut file = replace::memory_file()?;
        file.write_all(&serde_json::to_vec(&self.state(wanted.id))?)?;
        let number = replace::number_of(borrow_file(&file));
        let mut arguments = arguments_of(&self.options);
        arguments.splice(1..1, ["--resume".into(), number.to_string().into()]);
        let mut kept = self.descriptors();
        kept.push(borrow_file(&file));
        replace::replace(&wanted.program, &arguments, &kept)
    }

    fn state(&self, id: u64) -> State {
        let number = |borrowed: Borrowed<'_>| replace::number_of(borrowed);
        State {
            version: own_version(),
            readable_by: READABLE_BY,
            epoch: self.epoch.clone(),
            lock: number(borrow_file(self.lock.file())),
            door: number(self.door.borrow()),
            api: number(self.reception.borrow()),
            owner: self.agents.owner.as_ref().map(|owner| OwnerState {
                connection: number(owner.connection().borrow()),
                sequence: owner.sequence(),
                id,
                unread: Vec::new(),
            }),
            runs: self
                .runs
                .iter()
                .map(|run| RunState::of(run.key(), run.output.as_deref(), run.error.as_deref()))
                .collect(),
            stored: self.stored.iter().map(StoredState::of).collect(),
            files: Some(self.spawner.files()),
        }
    }

    fn descriptors(&self) -> Vec<Borrowed<'_>> {
        let mut kept =
            vec![borrow_file(self.lock.file()), self.door.borrow(), self.reception.borrow()];
        kept.extend(self.agents.owner.as_ref().map(|owner| owner.connection().borrow()));
        for run in self.runs.iter() {
            kept.extend(run.output.as_ref().map(|pipe| pipe.borrow()));
            kept.extend(run.error.as_ref().map(|pipe| pipe.borrow()));
        }
        kept.extend(self.stored.descriptors().map(borrow));
        kept
    }

    /// Hands the pipes of parked pumps to others after an upgrade that did not come about.
    fn unpark(&mut self) {
        let is_read = |run: &Run| run.pump.is_some_and(|pump| self.pumps.has(pump));
        let unread = self.runs.iter().filter(|run| !is_read(run));
        let keys: Vec<RunRef> = unread.map(Run::key).collect();
        for key in keys {
            self.pump_held(&key);
        }
    }
}

/// Returns the arguments with which a keeper like this one is started.
pub(crate) fn arguments_of(options: &KeeperOptions) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        vec!["keeper".into(), "--runtime".into(), options.runtime.clone().into()];
    if let Some(name) = &options.service {
        arguments.extend(["--service".into(), name.into()]);
    }
    arguments.push("--".into());
    arguments.extend(options.agent.iter().map(OsString::from));
    arguments
}

#[cfg(test)]
mod tests {
    use mainstay_platform::pipe::{self, Moved, Way};

    use super::*;

    #[test]
    fn a_lock_that_is_held_for_a_moment_makes_nobody_leave() {
        let instance = lock_instance("moment");
        let passer_by = FileLock::try_take(&instance.keeper_lock()).unwrap().unwrap();
        let keeper = thread::spawn({
            let instance = instance.clone();
            move || take_lock(&instance).unwrap().is_some()
        });
        thread::park_timeout(LOCK_WITHIN / 10);
        drop(passer_by);
        assert!(keeper.join().unwrap());
        drop(std::fs::remove_dir_all(&instance.runtime));
    }

    #[test]
    fn whoever_finds_a_keeper_that_answers_does_not_wait_for_its_end() {
        let instance = lock_instance("answers");
        let lock = FileLock::try_take(&instance.keeper_lock()).unwrap().unwrap();
        let door = Door::open(&instance.keeper_socket()).unwrap();
        let second = thread::spawn({
            let instance = instance.clone();
            move || take_lock(&instance).unwrap().is_some()
        });
        while door.accept().unwrap().is_none() {
            thread::yield_now();
        }
        drop((lock, door));
        assert!(!second.join().unwrap());
        drop(std::fs::remove_dir_all(&instance.runtime));
    }

    #[test]
    fn what_was_taken_out_of_a_pipe_and_is_in_no_file_goes_to_the_successor() {
        let folder = lock_instance("unstored").runtime;
        let path = folder.join("log");
        File::create(&path).unwrap();
        let (reader, writer) = pipe::pipe().unwrap();
        let mut program = File::from(writer.as_descriptor().try_clone_to_owned().unwrap());
        program.write_all(b"one\n").unwrap();
        // Not open for writing, as if the disk had refused.
        reader.move_to(&File::open(&path).unwrap(), 0, 100, Way::Copy).unwrap_err();
        program.write_all(b"two\n").unwrap();

        let key = RunRef { unit: "web".to_owned(), run: 1 };
        let run = RunState::of(key.clone(), Some(&reader), None);
        let text = serde_json::to_vec(&State { runs: vec![run], ..State::default() }).unwrap();
        let state = serde_json::from_slice(&text).unwrap();
        let mut inheritance = Inheritance { epoch: String::new(), state };
        let inherit = |number| {
            assert_eq!(number, replace::number_of(reader.borrow()));
            reader.duplicate()
        };
        let pipe = inheritance.take_by(&key, inherit).unwrap().output.unwrap();

        let log = File::options().write(true).open(&path).unwrap();
        let mut offset = 0;
        while let Moved::Bytes(count) = pipe.move_to(&log, offset, 100, Way::Copy).unwrap() {
            offset += u64::try_from(count).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        drop(std::fs::remove_dir_all(folder));
    }

    #[test]
    fn bytes_that_are_in_no_file_come_through_the_state_as_they_are() {
        let run = RunState {
            unit: "web".to_owned(),
            run: 1,
            output: None,
            error: Some(7),
            output_unstored: Vec::new(),
            error_unstored: b"half \0 \xff".to_vec(),
        };
        let state = State { version: own_version(), runs: vec![run], ..State::default() };
        let text = serde_json::to_vec(&state).unwrap();
        let runs = read_state(text.as_slice()).unwrap().runs;
        let [run] = runs.as_slice() else { panic!("{runs:?}") };
        assert_eq!((run.output, run.error), (None, Some(7)));
        assert_eq!(run.output_unstored, b"");
        assert_eq!(run.error_unstored, b"half \0 \xff");
    }

    fn lock_instance(name: &str) -> Instance {
        let name = format!("mainstay-lock-{name}-{}", std::process::id());
        let runtime = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&runtime).unwrap();
        Instance::new(runtime, PathBuf::new())
    }

    #[test]
    fn a_keeper_reads_its_own_state_the_one_before_and_what_says_that_it_may() {
        let check = |[version, readable_by]: [u32; 2], own: u32, expected: bool| {
            let state = State { version, readable_by, ..State::default() };
            assert_eq!(is_understood(&state, own), expected, "{version}/{readable_by} by {own}");
        };
        check([3, 1], 3, true);
        check([2, 1], 3, true);
        check([1, 1], 3, false);
        check([4, 3], 3, true);
        check([4, 4], 3, false);
    }
}
