//! The system's own `sc.exe`, as a person types it.

use std::process::Command;

use crate::sandbox::{Answer, run};

/// What `sc query` prints of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Such as `RUNNING`.
    pub(crate) state: String,
    pub(crate) exit_code: u32,
    pub(crate) checkpoint: u32,
}

pub(crate) fn sc(words: &[&str]) -> Answer {
    run(Command::new("sc").args(words))
}

/// Returns what `sc query` prints; nothing when there is no such service.
pub(crate) fn query(name: &str) -> Option<Seen> {
    let answer = sc(&["query", name]);
    let field = |key: &str| {
        let line = answer.out.lines().find(|line| line.trim_start().starts_with(key))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let (_, state) =
        field("STATE")?.split_once("  ").map(|(number, word)| (number.len(), word.to_owned()))?;
    let code = field("WIN32_EXIT_CODE")?;
    let checkpoint = field("CHECKPOINT")?;
    Some(Seen {
        state: state.trim().to_owned(),
        exit_code: code.split_whitespace().next()?.parse().ok()?,
        checkpoint: u32::from_str_radix(checkpoint.trim_start_matches("0x"), 16).ok()?,
    })
}
