//! The built binary on Windows: an instance in the foreground, and a service of the manager.
#![cfg(manager)]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests play the world outside")]

mod failures;
mod foreground;
mod installed;
mod machine;
mod orphans;
mod roles;
mod sandbox;
mod service;
