//! The built-in kind `ddns`: names that follow a moving address and never stop trying.
//!
//! ```text
//!  sources ──votes──▶ engine ──effects──▶ host ──▶ providers ──▶ wire (HTTP, DNS)
//!                       ▲                  │
//!                       └──── inputs ──────┘
//! ```
//!
//! The [engine] decides and does no I/O. A [provider] knows one service's protocol and speaks
//! through a [wire], which is the network or a test. A [source] tells what addresses there are.

pub mod address;
pub mod base64;
pub mod config;
mod discreet;
pub mod dns;
pub mod engine;
pub mod failure;
#[cfg(test)]
mod fake_wire;
pub mod host;
pub mod import;
mod line;
pub mod name;
pub mod network;
pub mod provider;
pub mod providers;
pub mod record;
pub mod secret;
pub mod source;
pub mod sources;
pub mod together;
pub mod trial;
pub mod verify;
pub mod wire;
