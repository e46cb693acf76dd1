//! Everything that outsiders see: the configuration file, the control API and the keeper protocol.
//!
//! Types here are promises. They carry `serde` derives, which core types never do.

#[cfg(feature = "config")]
pub mod bundle;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "config")]
pub mod control;
#[cfg(feature = "wire")]
pub mod keeper;
#[cfg(feature = "config")]
pub mod notify;
#[cfg(feature = "config")]
pub mod pattern;
