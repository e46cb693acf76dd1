//! The reconciler: observe, decide, read, patch in place, verify, persist; per binding.
//!
//! It does no I/O and knows no clock: [`Engine::handle`] takes a moment and an input and returns
//! effects; [`Engine::next_deadline`] says when to call with [`Input::Tick`] at the latest. The same
//! plan, state, seed and inputs give the same effects.
//!
//! ```text
//!  sight (one per family and list of sources)
//!    resting ──event, poll──▶ settling ──▶ looking (source 0, 1, …) ──believed──▶ resting
//!                                            └─ nobody believed: back-off, last address stays
//!  binding (one per account, name, type and line)
//!    idle ─differs─▶ due ─▶ reading ─▶ noting (intent on disk) ─▶ writing ─▶ noting ─▶ idle
//!      ▲               ▲        │ same: nothing is written           │ failure
//!      │               └────────┴──── backing off ◀──────────────────┘ (class, floors)
//!      └── parked: only configuration or an operator brings it back; once a day it is probed
//! ```

pub mod input;
pub mod plan;
pub mod state;
pub mod view;
