//! Everything that outsiders see: the configuration file, the control API and the keeper protocol.
//!
//! Types here are promises. They carry `serde` derives, which core types never do.

#[cfg(feature = "wire")]
pub mod keeper;
