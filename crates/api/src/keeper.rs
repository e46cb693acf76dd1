//! The keeper protocol: what an agent asks of its keeper and what the keeper reports.
//!
//! A frame is a little-endian `u32` length followed by that many bytes of JSON. Every request
//! takes a list, so that a thousand programs are one frame. Replies carry the `id` of their
//! request; what the keeper reports unasked carries `id` 0. Descriptors (on Windows: handle
//! numbers inside [`CustodyEntry::handles`]) ride with the first byte of their frame.
//!
//! Delivery of [`Report::Exited`] is at least once: the keeper repeats unacknowledged exits to
//! each new agent, and a repeated (unit, run) changes nothing.

mod environment;
mod follow;
mod frame;
mod logs;
mod notified;
mod rung;
mod secret;
mod share;
mod store;
mod unit;
mod usage;

use serde::{Deserialize, Serialize};

pub use environment::Environment;
pub use follow::{FOLLOW_SINCE, Follow, Followed};
pub use frame::{BUFFER_BYTES_KEPT, FRAME_BYTES_MAX, FrameError, Framer, encode, encoded_len};
pub use logs::{Drained, Logs, OnFull, Pressure, PressureKind, Rotated, Streams};
pub use notified::{NOTIFIED_SINCE, Notified};
pub use rung::{CLIMBED_SINCE, Climb, Climbed, RungName, RungOutcome};
pub use secret::{INPUT_BYTES_MAX, INPUT_SINCE, SecretText};
pub use share::{Priority, Share};
pub use store::{
    Deposited, Numbered, STORE_SINCE, STORED_A_UNIT_MAX, STORED_MAX, STORED_NAME_BYTES_MAX, Stay,
    StoreEntry, StoredNameError,
};
pub use unit::{PART_BYTES_MAX, UNIT_BYTES_MAX, UnitNameError, check_unit, stem_of};
pub use usage::Usage;

/// The protocol version this build speaks; a keeper refuses any but this and the one before.
///
/// Version 2 added [`Report::Client`], [`Report::Climbed`], [`Report::Leaving`] and
/// [`Request::EndWith`]. Version 3 added [`Request::Store`], [`Request::Unstore`],
/// [`Request::Follow`], [`SignalName::Abort`], `Spawn::listen` and `Spawn::input`, and their answers.
pub const PROTOCOL: u32 = 3;
/// Keepers of this version and later understand [`Request::EndWith`].
pub const END_WITH_SINCE: u32 = 2;
/// Agents of this version and later understand [`Report::Leaving`].
pub const LEAVING_SINCE: u32 = 2;
/// Keepers of this version and later understand [`SignalName::Abort`].
pub const ABORT_SINCE: u32 = 3;
/// The longest memo a run may carry.
pub const MEMO_BYTES_MAX: usize = 4096;
/// The most descriptors that ride with one frame.
pub const DESCRIPTORS_MAX: usize = 64;

/// The most runs whose descriptors one request may ask for or give.
pub const CUSTODY_RUNS_MAX: usize = DESCRIPTORS_MAX / 3;

/// A request on its way from agent to keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFrame {
    /// Chosen by the agent, greater than 0; the reply repeats it.
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// A reply or an unasked report on its way from keeper to agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFrame {
    /// The request this answers, or 0 for what nobody asked.
    pub id: u64,
    /// Counts the frames of this connection from 1; `Next::handled` refers to it.
    pub sequence: u64,
    /// What the keeper says.
    pub report: Report,
}

/// What an agent asks of its keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Must come first on a connection; answered by `Welcome` or `Refused`.
    Hello(Hello),
    /// Starts programs; idempotent on (unit, run). Answered by `Spawned`.
    Spawn(Vec<Spawn>),
    /// Asks for every run the keeper knows. Answered by one or more `Listed`.
    List,
    /// Sends signals. Answered by `Signalled`.
    Signal(Vec<Signal>),
    /// Closes the live segments of these units at their next line end. Answered by `Done`.
    Rotate(Vec<String>),
    /// Confirms that these exits are persisted; their statuses may go. No answer.
    Ack(Vec<RunRef>),
    /// Drops all memory of units that left the configuration, what is stored for them included.
    /// Answered by `Done`.
    Forget(Vec<String>),
    /// Replaces the memo of runs. No answer.
    Memo(Vec<RunMemo>),
    /// Stores descriptors for units; one rides along for each entry, in order, and an entry of the
    /// same unit and name is replaced. At most [`DESCRIPTORS_MAX`]. Answered by `Deposited`.
    Store(Vec<StoreEntry>),
    /// Closes stored descriptors; those that are not stored are none. Answered by `Done`.
    Unstore(Vec<StoreEntry>),
    /// Makes other processes the main processes of runs. Answered by `Followed`.
    Follow(Vec<Follow>),
    /// Offers or asks back the descriptors of runs. Answered by `Custody` frames.
    Custody(CustodyRequest),
    /// Replaces the keeper by the given program in place. Answered by `Upgraded` or `Refused`.
    Upgrade {
        /// Absolute path of the new binary.
        program: String,
    },
    /// Everything is to stop: an agent that is born before that is done is told `StopRequested`.
    /// No answer.
    Ending,
    /// Everything is to stop as with `Ending`, and the keeper is to end with this code, because a
    /// program has whose end is the instance's. No answer.
    EndWith {
        /// The program's code.
        code: u32,
    },
    /// Ends the keeper. Answered by `Done`, then the connection closes.
    Shutdown {
        /// What becomes of the programs.
        programs: Leftover,
    },
    /// Announces when the agent will act next by itself; silence past it counts as a hang.
    /// Also acknowledges everything received so far. No answer.
    Next {
        /// Monotonic microseconds of the agent's next deadline, if it has one.
        at_us: Option<u64>,
        /// The `sequence` of the last frame that the agent has handled.
        handled: u64,
    },
}

/// What becomes of the programs when a keeper is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leftover {
    /// They are killed: nothing outlives the keeper.
    Kill,
    /// They run on and wait for the next keeper.
    Leave,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol version the caller speaks.
    pub protocol: u32,
    /// The caller's own version, for people.
    pub version: String,
    /// The caller's process id; the keeper checks it against the connection.
    pub pid: u32,
}

/// What the keeper says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version both will speak.
    pub protocol: u32,
    /// The keeper's own version.
    pub version: String,
    /// The keeper's process id.
    pub pid: u32,
    /// Identity of this boot of this machine or container.
    pub boot: String,
    /// Differs for each keeper life, but not across an upgrade in place.
    pub epoch: String,
    /// How many runs `List` will return.
    pub runs: usize,
    /// True when the agent was started after its predecessors died too often.
    pub recover: bool,
    /// What the keeper found damaged when it began and what it did about it: told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// One run of one unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunRef {
    /// The unit's name: `web`, `web@2`, or `web@2:check-disk` for what runs beside it.
    pub unit: String,
    /// Its generation, from 1.
    pub run: u64,
}

/// Everything the keeper needs to start one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawn {
    /// The unit's name.
    pub unit: String,
    /// The generation; a run that is not greater than the highest known one is refused unless
    /// it is the same run with the same hash.
    pub run: u64,
    /// Hash of everything below, as the agent computes it.
    pub spec_hash: String,
    /// Opaque to the keeper, returned by `List`; at most [`MEMO_BYTES_MAX`] bytes.
    pub memo: String,
    /// The command and its arguments; a bare command name is searched in the program's `PATH`.
    pub command: Vec<String>,
    /// Where the program starts; relative commands begin here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Changes to the keeper's own environment.
    #[serde(default)]
    pub environment: Environment,
    /// Where its output goes.
    pub logs: Logs,
    /// What happens to descendants once the main process has ended.
    #[serde(default)]
    pub scope: Scope,
    /// Soft limit of open files for the program; the keeper's former one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// True when the program asked for a session of its own.
    #[serde(default)]
    pub session: bool,
    /// How much of the processors it gets.
    #[serde(default, skip_serializing_if = "Share::is_usual")]
    pub share: Share,
    /// Names of descriptors that are stored for the unit: the program finds them from number 3 on,
    /// with `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`. Each name once; since [`STORE_SINCE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listen: Vec<String>,
    /// What the program reads from its standard input before the end of it; nothing to read when
    /// absent. At most [`INPUT_BYTES_MAX`]; since [`INPUT_SINCE`]. Kept nowhere after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<SecretText>,
    /// What becomes of it when its keeper dies over its start. Keepers that do not know of it
    /// forget.
    #[serde(default, skip_serializing_if = "Lost::is_usual")]
    pub lost: Lost,
}

/// What becomes of a command of which nobody knows whether it began: its keeper died over its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// It never began; its number is not used again.
    #[default]
    Forgotten,
    /// It has ended, nobody knows how, until that is acknowledged.
    Ended,
}

impl Lost {
    /// Returns whether it is what most have, which is not written.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Forgotten
    }
}

/// What happens to descendants once the main process has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// They are ended before the next run starts: TERM, one second, KILL.
    #[default]
    Tree,
    /// They are left alone.
    Process,
}

/// One signal for one run.
#[expect(clippy::struct_field_names, reason = "the field is what the frame says")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The unit's name.
    pub unit: String,
    /// The run that must still be the current one.
    pub run: u64,
    /// What to send.
    pub signal: SignalName,
    /// Whom to send it to.
    pub reach: Reach,
}

/// The signals every system can express in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalName {
    /// SIGTERM; on Windows Ctrl-C, then `WM_CLOSE`, then `WM_QUIT`, each 1.5 seconds after the last.
    Term,
    /// SIGINT; Ctrl-C on Windows.
    Interrupt,
    /// SIGHUP; unsupported on Windows.
    Hangup,
    /// SIGQUIT; unsupported on Windows.
    Quit,
    /// SIGUSR1; unsupported on Windows.
    User1,
    /// SIGUSR2; unsupported on Windows.
    User2,
    /// SIGKILL; terminates the job on Windows.
    Kill,
    /// SIGSTOP; suspended threads on Windows. With [`Reach::Group`] every process of the run, be it
    /// in its group or not.
    Stop,
    /// Undoes [`Stop`](Self::Stop), and reaches as far.
    Continue,
    /// SIGABRT; as [`Kill`](Self::Kill) on Windows. Since [`ABORT_SINCE`].
    Abort,
}

/// Whom a signal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The main process.
    Main,
    /// The main process and its group (on Windows: its job).
    Group,
}

/// A new memo for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMemo {
    /// The unit's name.
    pub unit: String,
    /// The run it belongs to.
    pub run: u64,
    /// The new memo.
    pub memo: String,
}

/// Moves the custody of pipes and process descriptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustodyRequest {
    /// The agent asks for duplicates of what these runs have; at most [`CUSTODY_RUNS_MAX`].
    Take(Vec<RunRef>),
    /// The agent gives a new keeper what it held; the descriptors ride along, in entry order.
    Give(Vec<CustodyEntry>),
}

/// What descriptors of one run ride with the frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyEntry {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// What each descriptor of this run is, in the order in which they ride.
    pub held: Vec<Held>,
    /// Handle numbers in the receiver's process, on systems whose sockets carry no descriptors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handles: Vec<u64>,
}

/// What a descriptor in custody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// The process itself: a pidfd or a process handle.
    Process,
    /// The read end of the joined or the stdout pipe.
    Output,
    /// The read end of the stderr pipe.
    Error,
    /// The job that holds the process tree (Windows).
    Job,
}

/// What the keeper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// The agent is now the owner.
    Welcome(Welcome),
    /// The request cannot be served.
    Refused {
        /// Why, for people.
        reason: String,
    },
    /// The request is done.
    Done,
    /// What became of each program of a `Spawn`.
    Spawned(Vec<Spawned>),
    /// Runs, in unit order.
    Listed {
        /// Some of the runs.
        entries: Vec<Entry>,
        /// True when another `Listed` follows.
        more: bool,
    },
    /// What became of each signal of a `Signal`.
    Signalled(Vec<Signalled>),
    /// How far programs had to be asked to end, on systems without signals. Only agents since
    /// [`CLIMBED_SINCE`] are told.
    Climbed(Vec<Climbed>),
    /// Programs have ended.
    Exited(Vec<Exited>),
    /// Nothing is left of these runs; their successors may start.
    Cleared(Vec<RunRef>),
    /// All bytes that were in the pipe at the exit are in the file.
    Drained(Vec<Drained>),
    /// An unknown exit status became known.
    ExitAmended(Vec<Exited>),
    /// Segments were closed.
    Rotated(Vec<Rotated>),
    /// Something about the logs is not as it should be.
    Pressure(Vec<Pressure>),
    /// Some custody; the descriptors ride along, in entry order.
    Custody {
        /// What rides along.
        entries: Vec<CustodyEntry>,
    },
    /// The keeper replaced itself; the connection goes on.
    Upgraded(Welcome),
    /// What is stored; the descriptors ride along, in entry order. Told once after each `Welcome`,
    /// in several parts when it is much. Only agents since [`STORE_SINCE`] are told.
    Stored {
        /// What rides along.
        entries: Vec<StoreEntry>,
    },
    /// What became of each descriptor of a `Store`.
    Deposited(Vec<Deposited>),
    /// What became of each process of a `Follow`.
    Followed(Vec<Followed>),
    /// A program says something of itself; only on systems where the keeper hears it. The keeper
    /// repeats it to the next agent when this one does not say that it has handled it. Only agents
    /// since [`NOTIFIED_SINCE`] are told.
    Notified(Notified),
    /// The control API's listener rides along, once after each `Welcome`; not on systems where a
    /// listener cannot be shared.
    Listener,
    /// A client of the control API rides along: our end of its connection, of which nothing was
    /// read. Only on systems where a listener cannot be shared. The keeper repeats it to the next
    /// agent when this one does not say that it has handled it.
    Client,
    /// The keeper was told to end, by its service manager or a signal: stop everything in order,
    /// then ask for `Shutdown`.
    StopRequested,
    /// The keeper ends and leaves the programs to a successor that its service manager starts. The
    /// agent takes what it holds to that one, then makes room for an agent of the successor's.
    Leaving,
}

/// What became of one program of a `Spawn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawned {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// The result.
    pub outcome: SpawnOutcome,
}

/// The result of one spawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpawnOutcome {
    /// The program runs.
    Started {
        /// Its process id.
        pid: u32,
        /// When it was started, in monotonic microseconds.
        at_us: u64,
        /// False when this (unit, run) was running already.
        fresh: bool,
        /// The label of its job, where the system has jobs (Windows) and the keeper names them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
    },
    /// The program could not be started.
    Failed {
        /// What was being done: `directory`, `program`, `pipe`, `clone`, `limits`, `log`.
        step: String,
        /// The operating system's error number.
        code: i32,
        /// The error, for people.
        message: String,
    },
    /// The run number was used before by another program.
    Conflict {
        /// The highest run the keeper knows.
        highest: u64,
    },
}

/// One run as the keeper knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The unit's name.
    pub unit: String,
    /// The run; the highest one of its unit comes last.
    pub run: u64,
    /// The hash given at the spawn.
    pub spec_hash: String,
    /// The memo given last.
    pub memo: String,
    /// Where the run is.
    pub phase: Phase,
}

/// Where a run is, as the keeper sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its spawn has not returned yet.
    Starting,
    /// It runs.
    Running {
        /// Its process id.
        pid: u32,
        /// When it was started, in monotonic microseconds.
        since_us: u64,
        /// The label of its job, where the system has jobs (Windows) and the keeper names them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
    },
    /// It has ended and its exit is not acknowledged.
    Ended(Exited),
    /// It has ended, is acknowledged, and only its number is remembered.
    Remembered,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// Its process id; 0 when nobody ever learned it.
    pub pid: u32,
    /// The status.
    pub status: Status,
    /// When it ended, in monotonic microseconds.
    pub at_us: u64,
    /// How long it had run, in microseconds.
    pub lived_us: u64,
    /// True when processes of this run are still alive: `Cleared` will follow.
    pub strays: bool,
    /// What it has used; nothing when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// An exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It returned this code.
    Code(u32),
    /// This signal killed it.
    Signal(i32),
    /// Its keeper died and nobody could learn the status.
    Unknown,
}

/// What became of one signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signalled {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// What was sent; earlier keepers do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<SignalName>,
    /// Why it could not be sent, for people; nothing when it was or the run is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
