//! Decisions only: what to start, stop, restart and refuse, and when.
//!
//! No I/O, no clock, no threads, no chance: [`Supervisor::handle`] takes the time and a fact or a
//! wish and returns effects; [`Supervisor::next_deadline`] says when to call again. The same inputs
//! give the same effects.

pub mod exit;
pub mod name;
pub mod service;
pub mod supervisor;
pub mod time;

pub use exit::Exit;
pub use name::{ServiceName, UnitName};
pub use service::Service;
pub use supervisor::{Effect, Input, Supervisor};
pub use time::Moment;
