//! The only room that knows which operating system this is, and the only `unsafe`.
//!
//! Each capability is a contract file (`process.rs`: types, docs, the differences that remain) and
//! bodies of the same signatures beside it (`process/linux.rs`). What a system lacks returns
//! `Unsupported` from a function that exists everywhere. Handles own themselves.

pub mod access;
pub mod addresses;
pub mod bind_interface;
pub mod boot;
pub mod capture;
pub mod clock;
pub mod complaint;
pub mod crowding;
pub mod daemon;
#[cfg(feature = "async")]
pub mod datagram;
pub mod descriptor;
pub mod desk;
pub mod door;
pub mod dump;
pub mod editor;
pub mod event_log;
pub mod fail;
pub mod file_watch;
pub mod filesystem;
pub mod gateway;
#[cfg(feature = "async")]
pub mod interrupt;
pub mod kin;
pub mod ladder;
pub mod language;
pub mod limits;
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
#[cfg(test)]
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(feature = "async")]
pub mod network;
pub mod notify_pipe;
pub mod pager;
pub mod paths;
pub mod pipe;
pub mod port;
pub mod process;
pub mod protect;
pub mod random;
pub mod registry;
pub mod replace;
pub mod resolvers;
pub mod same_file;
pub mod scm;
pub mod shortage;
#[cfg(unix)]
mod socket;
#[cfg(any(target_os = "macos", test))]
mod socket_address;
pub mod spawn;
pub mod tally;
pub mod trust;
pub mod usage;
#[cfg(feature = "async")]
pub mod wake;
#[cfg(windows)]
mod windows;
