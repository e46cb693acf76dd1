//! The configuration file: parse (what was typed, with its place), then lower (what it means).
//!
//! All files of an instance are read together, so that one run shows every error there is.

mod access;
mod diagnostic;
mod difference;
mod duration;
mod edit;
mod fields;
mod keys;
mod logs;
mod lower;
mod parse;
mod program;
mod rules;
mod share;
mod types;

#[cfg(test)]
mod tests;

pub use access::{Access, Role};
pub use diagnostic::{Diagnostic, Severity, render};
pub use difference::difference;
pub use duration::{parse_duration, parse_size};
pub use edit::{EditError, NewService, add, remove};
pub use keys::{get, set, unset};
pub use parse::{FILE_BYTES_MAX, SourceText, parse};
pub use program::PROGRAM_BYTES_MAX;
pub use types::{
    Config, LogFiles, LogPath, LogsConfig, RestartConfig, SERVICE_DEFAULTS, ServiceConfig,
    ServiceDefaults, StopConfig,
};
