//! The one place that says how this program speaks TLS as a client, and whom it believes.
//!
//! ```text
//!  Trust ──► client ──► ClientConfig (ring, TLS 1.2 and 1.3, a cache of sessions)
//!                           │
//!  a connection ──────► connect ──► an encrypted one, or a ConnectError that says whose turn it is
//! ```
//!
//! Believed are the authorities that are built in, those of the system, and what a file of the
//! user's own holds: authorities, or the very certificate of a server that signed it by itself.

mod client;
mod connect;
mod pinned;
mod trust;

#[cfg(test)]
mod tests;

pub use client::{TlsError, client};
pub use connect::{ConnectError, connect};
pub use rustls::ClientConfig;
pub use tokio_rustls::client::TlsStream;
pub use trust::Trust;
