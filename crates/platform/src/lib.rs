//! The only room that knows which operating system this is, and the only `unsafe`.
//!
//! Each capability is a contract file (`process.rs`: types, docs, the differences that remain) and
//! bodies of the same signatures beside it (`process/linux.rs`). What a system lacks returns
//! `Unsupported` from a function that exists everywhere. Handles own themselves.

pub mod access;
pub mod boot;
pub mod clock;
pub mod complaint;
pub mod daemon;
pub mod descriptor;
pub mod desk;
pub mod door;
pub mod editor;
pub mod event_log;
pub mod fail;
pub mod filesystem;
#[cfg(feature = "async")]
pub mod interrupt;
pub mod language;
#[cfg(feature = "async")]
pub mod link;
#[cfg(feature = "async")]
pub mod local;
pub mod lock;
pub mod logon;
pub mod machine;
#[cfg(target_os = "macos")]
mod macos;
pub mod memory;
pub mod paths;
pub mod pipe;
pub mod port;
pub mod process;
pub mod random;
pub mod registry;
pub mod replace;
pub mod scm;
#[cfg(unix)]
mod socket;
pub mod spawn;
#[cfg(windows)]
mod windows;
