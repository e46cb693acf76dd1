//! Stands in for the C compilers of systems that are only checked, so that a Debian machine without
//! Apple's and Microsoft's tools can check them.
//!
//! `ring` has a build script that compiles C and assembler. Nothing is linked where code is only
//! checked or linted, so nobody ever reads what comes of that; but the script wants a compiler that
//! ends well, and leaves the files that it was asked for. This program is both.

use std::{ffi::OsString, fs::File, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

/// Set for those that we let call us as a compiler.
const ROLE: &str = "MAINSTAY_XTASK_IS_A_COMPILER";

/// How a path is named that is to be written: compilers and archivers of both families.
const OUTPUTS: &[&str] = &["-Fo", "/Fo", "-out:", "/OUT:"];

/// Returns whether whoever calls takes us for a compiler.
pub(crate) fn is_called() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Leaves an empty file wherever one was asked for.
pub(crate) fn pretend(arguments: &[String]) -> Result<()> {
    for path in outputs(arguments) {
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Lets a build of a target do without C; a compiler that the developer has named stays.
pub(crate) fn replace(command: &mut Command, target: &str) -> Result<()> {
    let own = std::env::current_exe().context("xtask does not know itself")?;
    let target = target.replace('-', "_");
    let names = ["CC", "AR"].map(|tool| format!("{tool}_{target}"));
    if names.iter().any(|name| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    command.envs(names.map(|name| (name, OsString::from(&own)))).env(ROLE, "1");
    Ok(())
}

fn outputs(arguments: &[String]) -> Vec<PathBuf> {
    let behind = arguments.iter().zip(arguments.iter().skip(1));
    let apart = behind.filter(|(flag, _)| *flag == "-o").map(|(_, path)| path.as_str());
    let joined = arguments
        .iter()
        .filter_map(|argument| OUTPUTS.iter().find_map(|flag| argument.strip_prefix(flag)));
    apart.chain(joined).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_file_is_known() {
        let arguments = ["-c", "-o", "a.o", "-Fob.obj", "-out:c.lib", "x.c", "-O3"];
        let found = outputs(&arguments.map(str::to_owned));
        assert_eq!(found, ["a.o", "b.obj", "c.lib"].map(PathBuf::from));
    }
}
