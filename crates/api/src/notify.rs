//! What a program says of itself: the messages of `sd_notify(3)`, parsed.
//!
//! A message is lines of `KEY=VALUE`. A key that nobody knows is ignored, as systemd does; a value
//! that makes no sense is a [`Fault`], and the rest of the message counts all the same.

mod value;

use std::time::Duration;

pub use value::{NAME_BYTES_MAX, cut};

/// The longest message that is read.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// A longer status is cut.
pub const STATUS_BYTES_MAX: usize = 1024;
/// The most facts of one unit.
pub const FACTS_MAX: usize = 32;
/// The longest name of a fact.
pub const FACT_NAME_BYTES_MAX: usize = 64;
/// The longest value of a fact.
pub const FACT_VALUE_BYTES_MAX: usize = 1024;
/// What a stored descriptor is called that was given no name.
pub const STORED: &str = "stored";
/// More faults of one message are not told.
const FAULTS_MAX: usize = 8;
/// What a fact's key begins with.
const FACT: &str = "X_MAINSTAY_FACT";
/// The most events of one message.
pub const EVENTS_MAX: usize = 8;
/// What an event's key is.
const EVENT: &str = "X_MAINSTAY_EVENT";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Where the program is; the last one said counts.
    pub stage: Option<Stage>,
    /// What it is at, in its own words, without control characters.
    pub status: Option<String>,
    /// Why it failed, as the system's number.
    pub errno: Option<i32>,
    /// Why it failed, as the name of a D-Bus error.
    pub bus_error: Option<String>,
    /// Why it failed, as the name of a Varlink error.
    pub varlink_error: Option<String>,
    /// What it will return.
    pub exit_status: Option<u8>,
    /// The process that is the main one from now on.
    pub main_pid: Option<u32>,
    /// A sign of life.
    pub life: Option<Life>,
    /// How often signs of life are to be expected; zero means never.
    pub alive_every: Option<Duration>,
    /// What it is at takes so much longer.
    pub extend: Option<Duration>,
    /// What becomes of the descriptors that came along.
    pub storing: Option<Storing>,
    /// Nothing else: the descriptor that came along is closed once everything before is dealt with.
    pub is_barrier: bool,
    /// Who may say something from now on.
    pub access: Option<Access>,
    /// Names and values for whoever asks.
    pub facts: Vec<(String, String)>,
    /// What has happened: names and words, in this order.
    pub events: Vec<(String, String)>,
    /// What made no sense.
    pub faults: Vec<Fault>,
}

/// Where a program says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It works.
    Ready,
    /// It reads its configuration anew, since this moment of the machine's monotonic clock.
    Reloading(Option<Duration>),
    /// It is about to end.
    Stopping,
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// All is well.
    Well,
    /// It is alive and does not work: as if it had been silent for too long.
    Ailing,
}

/// What becomes of descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storing {
    /// They are kept for the next run, under this name.
    Keep {
        /// The name.
        name: String,
        /// Whether they may go once the other end is closed.
        poll: Poll,
    },
    /// Those of this name are kept no longer.
    Drop {
        /// The name.
        name: String,
    },
}

/// Whether a stored descriptor is watched for its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// It may go when its other end is closed.
    Yes,
    /// It stays, whatever it is.
    No,
}

/// Who may say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    None,
    /// The main process.
    Main,
    /// Every process of the run.
    All,
}

/// A value that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The key.
    pub key: String,
    /// What is wrong with its value, without the value.
    pub what: &'static str,
}

/// A message of which nothing can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than [`MESSAGE_BYTES_MAX`].
    #[error("it is longer than 64 KiB")]
    TooLong,
    /// A byte 0 before its end.
    #[error("it has a byte 0 in it")]
    Nul,
    /// `BARRIER=1` with something else.
    #[error("`BARRIER=1` has to be alone")]
    BarrierInCompany,
}

impl Message {
    /// Reads a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::TooLong);
        }
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        if bytes.contains(&0) {
            return Err(MessageError::Nul);
        }
        let mut reading = Reading::default();
        let lines = bytes.split(|byte| *byte == b'\n').map(without_return);
        let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        for line in &lines {
            reading.line(line);
        }
        if reading.message.is_barrier && lines.len() > 1 {
            return Err(MessageError::BarrierInCompany);
        }
        Ok(reading.finish())
    }
}

/// Takes away what lines of a batch file end with.
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A message that is being read.
#[derive(Debug, Default)]
struct Reading {
    message: Message,
    since: Option<Duration>,
    store: Option<Verb>,
    name: Option<String>,
    stays: bool,
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Keep,
    Drop,
}

/// What comes of a line: nothing, or what is wrong with it.
type Read = Result<(), &'static str>;

impl Reading {
    fn line(&mut self, line: &[u8]) {
        // Without `=` it is no assignment, and nobody's business.
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { return };
        let (Some(key), Some(value)) = (line.get(..at), line.get(at + 1..)) else { return };
        let Ok(key) = std::str::from_utf8(key) else { return };
        let read = match std::str::from_utf8(value) {
            Ok(value) => self.take(key, value),
            Err(_) if is_known(key) => Err("is no UTF-8 text"),
            Err(_) => Ok(()),
        };
        if let Err(what) = read
            && self.message.faults.len() < FAULTS_MAX
        {
            self.message.faults.push(Fault { key: key.to_owned(), what });
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Read {
        let message = &mut self.message;
        match key {
            "READY" => return self.stage(value, Stage::Ready),
            "RELOADING" => return self.stage(value, Stage::Reloading(None)),
            "STOPPING" => return self.stage(value, Stage::Stopping),
            "MONOTONIC_USEC" => self.since = Some(value::microseconds(value)?),
            "STATUS" => message.status = Some(value::text(value, STATUS_BYTES_MAX)),
            "ERRNO" => message.errno = Some(value::errno(value)?),
            "BUSERROR" => message.bus_error = Some(value::name(value)?),
            "VARLINKERROR" => message.varlink_error = Some(value::name(value)?),
            "EXIT_STATUS" => {
                message.exit_status = Some(value.parse().map_err(|_| "is no number up to 255")?);
            }
            "MAINPID" => message.main_pid = Some(value::pid(value)?),
            "WATCHDOG" => message.life = Some(value::life(value)?),
            "WATCHDOG_USEC" => message.alive_every = Some(value::microseconds(value)?),
            "EXTEND_TIMEOUT_USEC" => message.extend = Some(value::microseconds(value)?),
            "NOTIFYACCESS" => message.access = Some(value::access(value)?),
            "BARRIER" => message.is_barrier = value::is_one(value)?,
            FACT => return self.fact(value),
            EVENT => return self.event(value),
            _ => return self.store(key, value),
        }
        Ok(())
    }

    fn stage(&mut self, value: &str, stage: Stage) -> Read {
        if value::is_one(value)? {
            self.message.stage = Some(stage);
        }
        Ok(())
    }

    fn fact(&mut self, value: &str) -> Read {
        let (name, value) = value::fact(value)?;
        let facts = &mut self.message.facts;
        facts.retain(|(known, _)| *known != name);
        if facts.len() >= FACTS_MAX {
            return Err("are more than 32");
        }
        facts.push((name, value));
        Ok(())
    }

    fn event(&mut self, value: &str) -> Read {
        let (name, words) = value::fact(value)?;
        if words.trim().is_empty() {
            return Err("has no words");
        }
        if self.message.events.len() >= EVENTS_MAX {
            return Err("are more than 8 in a message");
        }
        self.message.events.push((name, words));
        Ok(())
    }

    fn store(&mut self, key: &str, value: &str) -> Read {
        match key {
            "FDSTORE" if value::is_one(value)? => self.store = Some(Verb::Keep),
            "FDSTOREREMOVE" if value::is_one(value)? => self.store = Some(Verb::Drop),
            "FDNAME" => self.name = Some(value::descriptor_name(value)?),
            "FDPOLL" => self.stays = !value::is_yes(value)?,
            // Unknown keys are for others.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Message {
        let Self { mut message, since, store, name, stays } = self;
        if let Some(Stage::Reloading(at)) = &mut message.stage {
            *at = since;
        }
        let name = name.unwrap_or_else(|| STORED.to_owned());
        let poll = if stays { Poll::No } else { Poll::Yes };
        message.storing = store.map(|verb| match verb {
            Verb::Keep => Storing::Keep { name, poll },
            Verb::Drop => Storing::Drop { name },
        });
        message
    }
}

/// Keys whose values are read.
const KEYS: [&str; 22] = [
    "READY",
    "RELOADING",
    "STOPPING",
    "MONOTONIC_USEC",
    "STATUS",
    "ERRNO",
    "BUSERROR",
    "VARLINKERROR",
    "EXIT_STATUS",
    "MAINPID",
    "WATCHDOG",
    "WATCHDOG_USEC",
    "EXTEND_TIMEOUT_USEC",
    "NOTIFYACCESS",
    "BARRIER",
    "FDSTORE",
    "FDSTOREREMOVE",
    "FDNAME",
    "FDPOLL",
    FACT,
    EVENT,
    "MAINPIDFDID",
];

fn is_known(key: &str) -> bool {
    KEYS.contains(&key)
}

#[cfg(test)]
mod tests;
