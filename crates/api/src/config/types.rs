//! What a configuration means, with every default filled in.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{
    ServiceName,
    service::{Delays, ExitAction, ExitKey, Nature, RestartWhen, StartType},
};

use super::{access::Access, care::CareConfig, groups::Group, kind::KindConfig, secrets::Fetched};
use crate::keeper::{OnFull, Scope, Share, SignalName, Streams};

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// The services, by name.
    pub services: BTreeMap<ServiceName, ServiceConfig>,
    /// Names for several services at once.
    pub groups: BTreeMap<ServiceName, Group>,
    /// What groups of the system may do.
    pub access: Vec<Access>,
    /// Whether changes of the files are applied by themselves, where the files say so.
    pub hot_reload: Option<bool>,
    /// How many units may be starting at the same time by themselves, where the files say so; 0 for
    /// any number.
    pub parallel_starts: Option<usize>,
}

/// One service, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The program and its arguments; the name of a kind's program where there is a kind.
    pub command: Vec<String>,
    /// What it runs instead of a command.
    pub kind: Option<KindConfig>,
    /// Where it starts; relative paths begin at the folder of the configuration file.
    pub directory: Option<String>,
    /// Variables it gets besides the inherited ones.
    pub environment: BTreeMap<String, String>,
    /// What it gets that is fetched when a run is ordered.
    pub fetched: Fetched,
    /// Whether it is meant to run for ever.
    pub nature: Nature,
    /// When it is started without being asked.
    pub start: StartType,
    /// How many units it has.
    pub instances: u32,
    /// Must be ready before it starts.
    pub requires: Vec<ServiceName>,
    /// Are started with it, but may fail.
    pub wants: Vec<ServiceName>,
    /// Come before it, if they are started at all.
    pub after: Vec<ServiceName>,
    /// Come after it.
    pub before: Vec<ServiceName>,
    /// Are required, and their end is its end.
    pub binds_to: Vec<ServiceName>,
    /// Are stopped and restarted by operators together with it.
    pub part_of: Vec<ServiceName>,
    /// Never run at the same time.
    pub conflicts: Vec<ServiceName>,
    /// It starts only while the machine is on a network.
    pub needs_network: bool,
    /// What follows an exit.
    pub restart: RestartConfig,
    /// How it is stopped.
    pub stop: StopConfig,
    /// Where its output goes.
    pub logs: LogsConfig,
    /// Soft limit of open files.
    pub files: Option<u64>,
    /// Whether it gets a session of its own.
    pub session: bool,
    /// How much of the processors it gets.
    pub share: Share,
    /// How many crash bundles are kept; 0 means that none is written.
    pub bundles: u32,
    /// How it is looked after.
    pub care: CareConfig,
}

/// What follows an exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartConfig {
    /// Which exits are followed by another run.
    pub when: RestartWhen,
    /// Exceptions by exit.
    pub exits: BTreeMap<ExitKey, ExitAction>,
    /// How long to wait before each attempt.
    pub delays: Delays,
    /// A run at least this long wipes out earlier failures.
    pub reset_after: Duration,
    /// How many starts within `within` lead to `failed`; 0 means never give up.
    pub limit: u32,
    /// The window of `limit`.
    pub within: Duration,
}

/// How a service is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopConfig {
    /// What is sent first.
    pub signal: SignalName,
    /// How long after that it is killed.
    pub timeout: Duration,
    /// What happens to descendants.
    pub scope: Scope,
}

/// Where a service's output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsConfig {
    /// How stdout and stderr are captured.
    pub streams: Streams,
    /// A segment is closed at the first line end past this size; 0 means never.
    pub max_size: u64,
    /// A segment holds lines of one such span of time; zero means of any.
    pub every: Duration,
    /// How many closed segments are kept; 0 keeps all.
    pub keep: u32,
    /// Closed segments that are older are deleted; zero keeps all.
    pub keep_for: Duration,
    /// The oldest closed segments are deleted when all logs of the service take more; 0 keeps all.
    pub keep_total: u64,
    /// How closed segments are stored.
    pub compress: Compress,
    /// What to do when the disk is full.
    pub on_full: OnFull,
    /// Files of the user's own that get the lines, too.
    pub path: LogPath,
}

/// How closed segments are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compress {
    /// As frames of zstd, but for the newest one.
    #[default]
    Zstd,
    /// As plain text.
    Off,
}

/// Files of the user's own that get a service's lines, besides its segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPath {
    /// Which.
    pub files: LogFiles,
    /// A file is given another name at the first line end past this size; 0 means never.
    pub max_size: u64,
    /// A file is given another name when a run begins.
    pub at_start: bool,
}

/// Which files of the user's own get lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogFiles {
    /// None.
    #[default]
    None,
    /// One for stdout and stderr, in their order.
    Joined(String),
    /// One for each stream, or for one of them.
    Split {
        /// Gets what comes on stdout.
        stdout: Option<String>,
        /// Gets what comes on stderr.
        stderr: Option<String>,
    },
}

impl LogFiles {
    /// Returns how the streams must be captured for these files.
    pub const fn streams(&self) -> Option<Streams> {
        match self {
            Self::None => None,
            Self::Joined(_) => Some(Streams::Joined),
            Self::Split { .. } => Some(Streams::Split),
        }
    }

    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::None => (None, None),
            Self::Joined(file) => (Some(file), None),
            Self::Split { stdout, stderr } => (stdout.as_ref(), stderr.as_ref()),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

/// The defaults of a service that says nothing but its command.
pub const SERVICE_DEFAULTS: ServiceDefaults = ServiceDefaults {
    delay: Duration::from_millis(200),
    max_delay: Duration::from_mins(1),
    reset_after: Duration::from_secs(30),
    within: Duration::from_mins(10),
    stop_timeout: Duration::from_secs(30),
    log_size: 10 * 1024 * 1024,
    log_keep: 10,
    bundles: 5,
};

/// The defaults of a service, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceDefaults {
    /// `restart.delay`.
    pub delay: Duration,
    /// `restart.max-delay`.
    pub max_delay: Duration,
    /// `restart.reset-after`.
    pub reset_after: Duration,
    /// `restart.within`.
    pub within: Duration,
    /// `stop.timeout`.
    pub stop_timeout: Duration,
    /// `logs.max-size`.
    pub log_size: u64,
    /// `logs.keep`.
    pub log_keep: u32,
    /// `bundles`.
    pub bundles: u32,
}
