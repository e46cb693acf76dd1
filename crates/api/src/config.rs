//! The configuration file: parse (what was typed, with its place), then lower (what it means).
//!
//! All files of an instance are read together, so that one run shows every error there is.

mod access;
mod care;
pub mod catalogue;
mod diagnostic;
mod difference;
mod duration;
mod edit;
mod endings;
mod fields;
mod groups;
mod keys;
mod kind;
mod known;
mod links;
mod logs;
mod lower;
mod once;
mod parse;
mod program;
mod rules;
mod secrets;
mod share;
mod strings;
mod types;

#[cfg(test)]
mod tests;

pub use access::{Access, Role};
pub use care::{
    Address, CareConfig, CheckConfig, FileLook, HookConfig, HttpLook, Look, Method, NotifyAccess,
    NotifyConfig, Pattern, ReadyConfig, ReloadConfig, Scheme, Statuses, TlsLook, Url,
};
pub use diagnostic::{Diagnostic, Severity, is_reordering, render, render_places};
pub use difference::difference;
pub use duration::{parse_duration, parse_size};
pub use edit::{EditError, NewService, add, append, remove};
pub use fields::suggestion;
pub use groups::Group;
pub use keys::{excerpt, get, set, unset};
pub use kind::{
    KIND_CONFIG_BYTES_MAX, KIND_NAME_BYTES_MAX, KIND_PROGRAM, KindConfig, check_kind_name,
    is_kind_path,
};
pub use known::{NoSuchKey, no_such_key};
pub use once::PARALLEL_STARTS;
pub use parse::{FILE_BYTES_MAX, SourceText, named_by, parse};
pub use program::PROGRAM_BYTES_MAX;
pub use secrets::{
    Fetched, SECRET_BYTES_MAX, SECRET_NAME_BYTES_MAX, ValueSource, check_secret_name,
};
pub use types::{
    Compress, Config, LogFiles, LogPath, LogsConfig, RestartConfig, SERVICE_DEFAULTS,
    ServiceConfig, ServiceDefaults, StopConfig,
};
