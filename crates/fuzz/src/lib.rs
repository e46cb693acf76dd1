//! What is fed with bytes that nobody has thought of: each target reads them as something of ours,
//! and panics when a rule does not hold.
//!
//! `cargo xtask fuzz` feeds them from libFuzzer; the tests, and `mainstay-fuzz TARGET FILE…`, from
//! files. What has failed once stays in `corpus/`.

mod configuration;
mod cut;
mod edits;
mod events;
mod frames;
mod logs;
mod scratch;

/// Reads bytes as one thing, and panics when a rule does not hold.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("config", configuration::run),
    ("frames", frames::run),
    ("logs", logs::run),
    ("events", events::run),
];

/// Returns a target by its name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
