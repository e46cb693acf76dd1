//! Decisions only: what to start, stop, restart and refuse, and when.
//!
//! No I/O, no clock, no threads, no chance: [`Supervisor::handle`] takes the time and a fact or a
//! wish and returns effects; [`Supervisor::next_deadline`] says when to call again. The same inputs
//! give the same effects.

pub mod chance;
pub mod check;
pub mod effect;
pub mod exit;
pub mod graph;
pub mod hook;
pub mod input;
pub mod name;
pub mod policy;
pub mod service;
pub mod supervisor;
pub mod time;
pub mod unit;
pub mod view;

pub use effect::{Action, Effect, Health, Refusal, Rung, Situation, TraceId};
pub use exit::Exit;
pub use hook::Hook;
pub use input::{
    Adopted, AdoptedHook, AdoptedPhase, Blame, Command, HookEnd, Input, Memo, Notice, Outcome,
    Probe, ProbeOf, Prune, Reached, Wish,
};
pub use name::{ServiceName, UnitName};
pub use service::Service;
pub use supervisor::Supervisor;
pub use time::Moment;
pub use unit::Verdict;
pub use view::{CheckView, Next, UnitView};
