//! Write a program once; it runs in a console, as a service of Windows, and under systemd.
//!
//! ```no_run
//! use mainstay_service::{Failure, Host, Service, StopReason};
//!
//! struct Hello;
//!
//! impl Service for Hello {
//!     fn start(&mut self, _host: &Host) -> Result<(), Failure> {
//!         Ok(()) // begin to serve in a thread of your own
//!     }
//!
//!     fn stop(&mut self, _reason: StopReason) -> Result<(), Failure> {
//!         Ok(()) // end that thread, then return
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     mainstay_service::Program::new("hello").about("Says hello.").main(Hello)
//! }
//! ```
//!
//! Three threads share the work: the system's, which only posts; one that owns the life of the
//! service ([`life`]) and is the only one that reports; and one in which the methods of
//! [`Service`] are called, one after the other. While a method takes its time, the system is told
//! each second that it goes on.

mod command;
mod life;
mod program;
mod worker;

use std::{fmt, io, sync::mpsc::Sender};

pub use mainstay_platform::desk::{Exit, Manner, manner};
pub use program::Program;

use crate::life::Input;

/// A program that can be a service.
///
/// The methods are called one after the other in a thread of their own, never two at once.
pub trait Service: Send + 'static {
    /// Begins to serve, and returns when it does.
    ///
    /// What is to go on goes on in threads of the service's own; [`Host::end`] tells when it ends
    /// by itself.
    fn start(&mut self, host: &Host) -> Result<(), Failure>;

    /// Ends, and returns when everything has ended.
    fn stop(&mut self, reason: StopReason) -> Result<(), Failure>;

    /// Reads the configuration again. A failure is told and changes nothing.
    fn reload(&mut self) -> Result<(), Failure> {
        Err(Failure::own(1, "this service has nothing to reload"))
    }

    /// Goes on after the machine has slept: clocks have jumped, connections are gone.
    fn resume(&mut self) {}
}

/// Why a service is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody asked.
    Asked,
    /// The machine shuts down.
    ShutDown,
    /// A successor takes over what the service has started; it is to be left running.
    Left,
}

/// Why something could not be done, and with which number the service ends for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// A failure with a number that only this service knows the meaning of.
    pub fn own(code: u32, message: impl Into<String>) -> Self {
        Self { exit: Exit::Own(code), message: message.into() }
    }

    /// A failure that the system has a number for.
    pub fn system(error: &io::Error, doing: &str) -> Self {
        let exit =
            error.raw_os_error().map_or(Exit::Own(1), |code| Exit::System(code.cast_unsigned()));
        Self { exit, message: format!("cannot {doing}: {error}") }
    }

    /// Returns the number it ends with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What a service can say to whoever runs it; clones say it to the same one.
#[derive(Debug, Clone)]
pub struct Host {
    inputs: Sender<Input>,
    manner: Manner,
    arguments: Vec<String>,
    was_asked_for: bool,
}

impl Host {
    /// Says that the service has ended by itself. [`Service::stop`] is not called any more.
    pub fn end(&self, result: Result<(), Failure>) {
        // Whoever has stopped listening has ended already.
        self.inputs.send(Input::Ended(result)).ok();
    }

    /// Returns whether somebody has asked for this start, who waits for its outcome. Else the
    /// system has, at boot, where a failure may pass by itself.
    pub const fn was_asked_for(&self) -> bool {
        self.was_asked_for
    }

    /// Returns who has started this process.
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// Returns what the manager of Windows was given to start the service with: `sc start NAME …`.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}
