//! Kinds that are roles of this binary: `mainstay kind NAME`, with the configuration on stdin.
//!
//! Each is bound by `docs/spec/kind.md` as every other kind is, `--describe` included.

use std::process::ExitCode;

/// A kind that is built in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuiltIn {
    /// Its name, which the agent knows as well.
    pub(crate) name: &'static str,
    /// Does its work, with the arguments that follow its name.
    pub(crate) run: Run,
}

/// Does the work of a kind.
pub(crate) type Run = fn(&[String]) -> ExitCode;

/// All of them.
const ALL: &[BuiltIn] = &[BuiltIn { name: "ddns", run: mainstay_ddns::host::kind }];

/// Returns the kind of a name, if it is built in.
pub(crate) fn built_in(name: &str) -> Option<BuiltIn> {
    named(ALL, name)
}

fn named(all: &[BuiltIn], name: &str) -> Option<BuiltIn> {
    all.iter().find(|kind| kind.name == name).copied()
}

#[cfg(test)]
mod tests {
    use mainstay_agent::kinds::BUILT_IN;
    use mainstay_api::config::check_kind_name;

    use super::*;
    use crate::cli;

    #[test]
    fn the_agent_orders_what_is_here_and_nothing_else() {
        assert_eq!(ALL.iter().map(|kind| kind.name).collect::<Vec<_>>(), BUILT_IN);
        for name in BUILT_IN {
            assert_eq!(check_kind_name(name), Ok(()));
            assert!(!cli::is_command_of_kind(name), "`mainstay kind {name}` is a command");
        }
        assert!(cli::is_command_of_kind("list") && !cli::is_command_of_kind("tide"));
    }

    #[test]
    fn a_kind_gets_what_follows_its_name() {
        let tide =
            BuiltIn { name: "tide", run: |rest| ExitCode::from(u8::from(rest == ["--describe"])) };
        let run = |rest: &[String]| named(&[tide], "tide").map(|kind| (kind.run)(rest));
        assert_eq!(run(&["--describe".to_owned()]), Some(ExitCode::from(1)));
        assert_eq!(run(&[]), Some(ExitCode::SUCCESS));
        assert!(named(&[tide], "ebb").is_none());
    }
}
