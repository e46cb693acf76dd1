//! The test programs, built once and run in two lanes: what has to do with services, or has little
//! time, one after the other, and everything else beside it. Stories of services mostly wait.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use super::{Prefix, WINE};
use crate::workspace::{Workspace, forget_package, text};

/// Folders of packages whose tests have to do with the list of services, of which there is one, or
/// with the agent's own time limits.
const ALONE: &[&str] = &["agent", "mainstay", "platform", "service"];

/// A test program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    executable: PathBuf,
    /// The folder of its package, in which it runs.
    folder: PathBuf,
}

/// Builds all test programs and runs them; fails when one fails, after all.
pub(super) fn run(workspace: &Workspace, prefix: &Prefix, build: &mut Command) -> Result<()> {
    crate::tell("+ cargo test --no-run, for Windows");
    forget_package(build);
    let output = build.current_dir(workspace.root()).stdin(Stdio::null());
    let output = output.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the tests cannot be built: cargo ended with {}", output.status);
    }
    let (first, second) = lanes(&String::from_utf8_lossy(&output.stdout));
    if first.is_empty() || second.is_empty() {
        bail!("cargo names no test programs: its messages could not be read");
    }
    let said = workspace.target().join("wine-beside.log");
    let mut failed = thread::scope(|scope| {
        let beside = scope.spawn(|| run_lane(prefix, &second, Some(&said)));
        let failed = run_lane(prefix, &first, None)?;
        let beside = beside.join().map_err(|_| anyhow!("the second lane has panicked"))??;
        Ok::<_, anyhow::Error>([failed, beside].concat())
    })?;
    crate::tell(&fs::read_to_string(&said).unwrap_or_default());
    failed.sort();
    if failed.is_empty() { Ok(()) } else { bail!("failed under Wine: {}", failed.join(", ")) }
}

/// Returns what is run one after the other, and what beside it, as cargo's messages name it.
fn lanes(messages: &str) -> (Vec<Program>, Vec<Program>) {
    let mut programs: Vec<Program> = messages.lines().filter_map(program).collect();
    programs.sort();
    programs.into_iter().partition(|program| {
        let name = program.folder.file_name().unwrap_or_default();
        ALONE.iter().any(|package| name == *package)
    })
}

fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let executable = PathBuf::from(message["executable"].as_str()?);
    let folder = Path::new(text(&message, "manifest_path")).parent()?.to_owned();
    message["profile"]["test"].as_bool()?.then_some(Program { executable, folder })
}

/// Runs programs one after the other, what they say goes to a file if one is given; returns the
/// names of those that failed.
fn run_lane(prefix: &Prefix, programs: &[Program], said: Option<&Path>) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    let file = said.map(File::create).transpose()?;
    for Program { executable, folder } in programs {
        let name = executable.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let began = Instant::now();
        let mut command = prefix.command(WINE, &[]);
        command.arg(executable).current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
        if let Some(file) = &file {
            // Not a pipe: whatever a test leaves behind would hold it open.
            command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        }
        let status = command.stdin(Stdio::null()).status();
        let status = status.with_context(|| format!("cannot start `{name}`"))?;
        crate::tell(&format!("=== {name}: {status} after {:.1} s", began.elapsed().as_secs_f64()));
        if !status.success() {
            failed.push(name);
        }
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_do_with_services_goes_alone() {
        let message = |package: &str, is_test: bool| {
            format!(
                r#"{{"manifest_path":"/w/crates/{package}/Cargo.toml","profile":{{"test":{is_test}}},"executable":"/t/{package}.exe"}}"#
            )
        };
        let library = r#"{"manifest_path":"/w/crates/api/Cargo.toml","profile":{"test":false},"executable":null}"#;
        let messages =
            [message("platform", true), message("api", true), message("mainstay", false)];
        let (first, second) = lanes(&format!("{}\n{library}\nno message", messages.join("\n")));
        let names = |lane: Vec<Program>| -> Vec<PathBuf> {
            lane.into_iter().map(|program| program.executable).collect()
        };
        assert_eq!(names(first), [Path::new("/t/platform.exe")]);
        assert_eq!(names(second), [Path::new("/t/api.exe")]);
    }
}
