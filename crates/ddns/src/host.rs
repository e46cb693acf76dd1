//! The program around the engine: one loop that turns the world into inputs and performs effects.
//!
//! ```text
//!            ┌──────────── select! ─────────────┐
//!  deadline ─┤                                  ├─▶ Input ─▶ Engine ─▶ effects ─┬─▶ chores (tasks)
//!  network  ─┤  results of chores               │                               ├─▶ shelf (disk)
//!  door     ─┤  requests to end                 │                               └─▶ herald, output
//!            └──────────────────────────────────┘
//! ```
//!
//! | what fails | what follows |
//! |---|---|
//! | a provider or a source panics, or hangs | its attempt failed, told as such; everything else goes on |
//! | the state cannot be written | told once; the work goes on, and is written as soon as it can be |
//! | the state cannot be understood | it is set aside and named; the work begins anew |
//! | nobody hears what is notified | nothing: the work does not depend on it |
//! | this process is killed at any instant | one write more than without that, at most |

pub mod ask;
mod assembly;
mod chores;
mod door;
mod entry;
mod herald;
mod meant;
mod report;
mod run;
mod shelf;
mod words;

#[cfg(test)]
mod tests;

pub use assembly::{AssemblyError, assemble};
pub use chores::{Line, Parts, Spring, Verify};
pub use entry::{keep, kind};
pub use herald::Herald;
pub use run::{HostError, run};
pub use shelf::{Shelf, ShelfError};
