//! The service control manager of Windows: making, changing, asking and controlling services.
//!
//! Errors carry the number of the system ([`io::Error::raw_os_error`]), because that number is what
//! its users look up. Other systems refuse everything as unsupported.

#[cfg(not(windows))]
#[path = "scm/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "scm/windows.rs"]
mod imp;

use std::{fmt, io, time::Duration};

use crate::clock;

pub use imp::{Database, Service, identity_of, is_elevated, quoted};

/// How often a service is asked where it is while somebody waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is wanted of the database of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opening services by their names. Every account may.
    Call,
    /// Looking at services. Every user may.
    Look,
    /// Making services, too. Administrators may.
    Create,
}

/// What is wanted of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Looking at it.
    Look,
    /// Starting it, and nothing else.
    Start,
    /// Starting and stopping it, too.
    Control,
    /// Changing and removing it, too.
    Change,
}

/// When the system starts a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At boot.
    Automatic,
    /// About two minutes after boot.
    Delayed,
    /// When somebody asks.
    Demand,
    /// Never.
    Disabled,
}

/// How the system runs a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a process that has no other service in it.
    OwnProcess,
    /// In a process that several services share.
    SharedProcess,
    /// Once for each user who logs on, from a template.
    PerUser,
    /// In the kernel, or in some other way that is no process.
    Driver,
}

/// What the database says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How it is run.
    pub form: Form,
    /// The name shown to people.
    pub display_name: String,
    /// The command line that the system runs.
    pub command_line: String,
    /// When it is started. [`Start::Delayed`] is told apart where the system says so.
    pub start: Start,
    /// Whom it runs as: `LocalSystem`, `NT AUTHORITY\LocalService`, `NT SERVICE\web`, `.\user`.
    pub account: String,
    /// Services that are started before it. Groups begin with `+`.
    pub dependencies: Vec<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Clone, Default)]
pub struct Change {
    /// See [`Record::display_name`].
    pub display_name: Option<String>,
    /// See [`Record::command_line`].
    pub command_line: Option<String>,
    /// See [`Record::start`].
    pub start: Option<Start>,
    /// See [`Record::account`].
    pub account: Option<String>,
    /// The password of the account; accounts of the system have none.
    pub password: Option<String>,
    /// See [`Record::dependencies`].
    pub dependencies: Option<Vec<String>>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("display_name", &self.display_name)
            .field("command_line", &self.command_line)
            .field("start", &self.start)
            .field("account", &self.account)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("dependencies", &self.dependencies)
            .finish()
    }
}

/// A setting beside the record. Some systems lack some of them: see [`is_lacking`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Text for people.
    Description(String),
    /// What the system does when the service fails.
    Recovery(Recovery),
    /// Whether [`Recovery`] also follows an end with a failure code, not only a crash.
    RecoverAfterFailure(bool),
    /// How long it may take to stop before the system shuts down.
    PreshutdownTimeout(Duration),
    /// Gives it an identity of its own, `NT SERVICE\NAME`, in access lists.
    OwnIdentity,
    /// Lets somebody, by the identity, start it and look at it, beside those who may already.
    MayStart(String),
    /// Takes from somebody, by the identity, what it was given.
    MayNotStart(String),
    /// Lets whoever is merely logged on look at it, and no more: the system would let them send it
    /// controls of its own.
    OthersLook,
}

impl Setting {
    /// Returns what the setting is called, for a message.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Description(_) => "the description",
            Self::Recovery(_) => "the recovery actions",
            Self::RecoverAfterFailure(_) => "recovery after a failure code",
            Self::PreshutdownTimeout(_) => "the time-out before a shutdown",
            Self::OwnIdentity => "the service's own identity",
            Self::MayStart(_) | Self::MayNotStart(_) => "the service's right to start itself",
            Self::OthersLook => "the rights of whoever is logged on",
        }
    }
}

/// What the system does when a service fails, one after the other; the last one repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// What, and how long after the failure.
    pub actions: Vec<(RecoveryAction, Duration)>,
    /// After how long without a failure the row begins anew.
    pub reset_after: Duration,
    /// The command of [`RecoveryAction::Run`].
    pub command: Option<String>,
}

/// One thing that the system does when a service fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryAction {
    /// Nothing.
    None,
    /// Starts it.
    Restart,
    /// Runs a command.
    Run,
    /// Restarts the machine.
    Reboot,
}

/// Where a service is in its life, as its process has said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does not run.
    Stopped,
    /// It is about to run.
    StartPending,
    /// It is about to stop.
    StopPending,
    /// It runs.
    Running,
    /// It is about to run on.
    ContinuePending,
    /// It is about to pause.
    PausePending,
    /// It pauses.
    Paused,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "STOPPED",
            Self::StartPending => "START_PENDING",
            Self::StopPending => "STOP_PENDING",
            Self::Running => "RUNNING",
            Self::ContinuePending => "CONTINUE_PENDING",
            Self::PausePending => "PAUSE_PENDING",
            Self::Paused => "PAUSED",
        })
    }
}

/// What a service has said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub state: State,
    /// The process that serves it; 0 when there is none.
    pub pid: u32,
    /// How it ended: 0, a number of the system, or 1066 for [`own_code`](Self::own_code).
    pub exit_code: u32,
    /// A number that only the service knows the meaning of.
    pub own_code: u32,
    /// Grows while something is pending and goes on.
    pub checkpoint: u32,
    /// How long it may take until the next sign of life.
    pub wait_hint: Duration,
}

impl Service {
    /// Waits until the service is where it is wanted; [`io::ErrorKind::TimedOut`] when it is still
    /// elsewhere after `longest`.
    pub fn wait_for(&self, wanted: State, longest: Duration) -> io::Result<Status> {
        let until = clock::monotonic() + longest;
        loop {
            let status = self.status()?;
            if status.state == wanted {
                return Ok(status);
            }
            if clock::monotonic() >= until {
                let text = format!("it is {} after {longest:?}", status.state);
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// A service of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The name shown to people.
    pub display_name: String,
    /// What it has said last.
    pub status: Status,
}

/// What a service can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// To stop.
    Stop,
    /// To read its configuration again.
    Reload,
    /// To say where it is.
    Interrogate,
    /// Something that only the service knows the meaning of: 128 to 255.
    Own(u32),
}

/// Numbers of the system that callers tell apart.
pub mod code {
    /// The caller may not do this.
    pub const ACCESS_DENIED: i32 = 5;
    /// The system does not have this at all.
    pub const NOT_SUPPORTED: i32 = 50;
    /// The system does not know this setting.
    pub const INVALID_LEVEL: i32 = 124;
    /// The machine is being shut down.
    pub const SHUTDOWN_IN_PROGRESS: i32 = 1115;
    /// The service did not answer in time.
    pub const REQUEST_TIMEOUT: i32 = 1053;
    /// It runs already.
    pub const ALREADY_RUNNING: i32 = 1056;
    /// It is disabled.
    pub const DISABLED: i32 = 1058;
    /// There is no such service.
    pub const NO_SUCH_SERVICE: i32 = 1060;
    /// It cannot be asked for this now.
    pub const CANNOT_ACCEPT: i32 = 1061;
    /// It does not run.
    pub const NOT_ACTIVE: i32 = 1062;
    /// The process was not started by the manager of services.
    pub const NOT_A_SERVICE: i32 = 1063;
    /// What ended has a number of its own.
    pub const OWN_CODE: i32 = 1066;
    /// It could not be started as its account.
    pub const LOGON_FAILED: i32 = 1069;
    /// It is gone as soon as everybody who looks at it looks away.
    pub const MARKED_FOR_DELETION: i32 = 1072;
    /// There is one of that name.
    pub const EXISTS: i32 = 1073;
    /// Another service is shown to people by that name.
    pub const DISPLAY_NAME_TAKEN: i32 = 1078;
    /// The system does not know this kind of setting.
    pub const INVALID_TAG: i32 = 1733;
}

/// Returns whether the system refused a setting because it does not have such a thing.
///
/// An installation goes on without it and says so.
pub fn is_lacking(error: &io::Error) -> bool {
    let lacking = [code::NOT_SUPPORTED, code::INVALID_LEVEL, code::INVALID_TAG];
    error.raw_os_error().is_some_and(|number| lacking.contains(&number))
        || error.kind() == io::ErrorKind::Unsupported
}
