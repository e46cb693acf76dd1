//! The built binary on Windows: an instance in the foreground, and a service of the manager.
#![cfg(manager)]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests play the world outside")]

mod bad_days;
mod beside;
mod bundles;
mod ddns;
mod doctor;
mod everyday;
mod failures;
mod first_minute;
mod folders;
mod foreground;
mod freezes;
mod guarded;
mod held_logs;
mod installed;
mod kept_logs;
mod kinds;
mod lines;
mod log_bytes;
mod looks;
mod machine;
mod memory;
mod names;
mod notifications;
mod orphans;
mod overview;
mod own_files;
mod pipe_clients;
mod reloads;
mod roles;
mod sandbox;
mod sc;
mod secrets;
mod service;
mod story;
mod upgrades;
