//! Everything a change must pass, in order, with the seconds of each step.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{
    compiler, deny, fuzz, machine, tidy, wine,
    workspace::{Workspace, is_there},
};

/// From here on the gate is too slow to be run often.
const WARN_AFTER: Duration = Duration::from_mins(30);
/// From here on it fails.
const FAIL_AFTER: Duration = Duration::from_mins(35);

/// Seeds of the simulation in the gate.
const SEEDS: &str = "100000";

/// One step of the gate.
struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

/// The gate. What fails early is cheap.
const STEPS: &[Step] = &[
    Step { name: "format", run: |workspace| workspace.cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: tidy::run },
    Step { name: "deny", run: |workspace| deny::run(workspace, deny::Golden::Compare) },
    Step { name: "lint linux", run: lint_here },
    Step { name: "lint windows", run: lint_windows },
    Step { name: "lint darwin", run: lint_darwin },
    Step { name: "check msvc", run: |workspace| check(workspace, machine::MSVC) },
    Step { name: "check musl", run: |workspace| check(workspace, machine::MUSL) },
    Step { name: "documents", run: documents },
    Step { name: "examples in documents", run: examples_in_documents },
    Step { name: "tests", run: tests },
    Step {
        name: "simulation",
        run: |workspace| simulate(workspace, &["--seeds".into(), SEEDS.into()]),
    },
    Step {
        name: "simulation: ddns",
        run: |workspace| simulate_ddns(workspace, &["--seeds".into(), SEEDS.into()]),
    },
    Step { name: "fuzz", run: |workspace| fuzz::run(workspace, fuzz::SECONDS) },
    Step { name: "kill test", run: |workspace| kill(workspace, &[]) },
    Step { name: "kill test: keeper", run: |workspace| kill(workspace, &["--keeper".into()]) },
    Step { name: "kill test: both", run: |workspace| kill(workspace, &["--both".into()]) },
    Step { name: "windows under wine", run: wine::run },
];

/// Runs every step, stops at the first that fails, and prints a table in either case.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let began = Instant::now();
    let mut table = Vec::new();
    let mut verdict = Ok(());
    for step in STEPS {
        crate::tell(&format!("\n=== {}", step.name));
        let start = Instant::now();
        verdict = (step.run)(workspace);
        let seconds = start.elapsed().as_secs_f64();
        let word = if verdict.is_ok() { "passed" } else { "FAILED" };
        crate::tell(&format!("=== {}: {word} after {seconds:.1} s", step.name));
        table.push(format!("{seconds:8.1} s  {word}  {}", step.name));
        if verdict.is_err() {
            break;
        }
    }
    let spent = began.elapsed();
    crate::tell(&format!("\n{}", table.join("\n")));
    crate::tell(&format!("{:8.1} s  in all", spent.as_secs_f64()));
    verdict.and_then(|()| check_time(spent))
}

fn check_time(spent: Duration) -> Result<()> {
    if spent >= FAIL_AFTER {
        bail!("the gate took {} minutes; at most {}", minutes(spent), minutes(FAIL_AFTER));
    }
    if spent >= WARN_AFTER {
        crate::tell(&format!("WARNING: THE GATE TOOK {} MINUTES. MAKE IT FASTER.", minutes(spent)));
    }
    Ok(())
}

fn minutes(time: Duration) -> u64 {
    time.as_secs() / 60
}

fn lint_here(workspace: &Workspace) -> Result<()> {
    workspace.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ])
}

fn lint_windows(workspace: &Workspace) -> Result<()> {
    workspace.run(&mut lint(machine::WINDOWS))
}

/// Nothing is linked, so no linker and no SDK is asked for, and nobody misses what is C.
fn lint_darwin(workspace: &Workspace) -> Result<()> {
    let mut command = lint(machine::DARWIN);
    compiler::replace(&mut command, machine::DARWIN)?;
    workspace.run(&mut command)
}

/// The other tools of Windows, the other C library of Linux: the same code, so it need only compile.
fn check(workspace: &Workspace, target: &str) -> Result<()> {
    let arguments = ["check", "--workspace", "--exclude", "xtask", "--lib", "--bins"];
    let mut command = std::process::Command::new(crate::workspace::cargo());
    command.args(arguments).args(["--target", target]);
    compiler::replace(&mut command, target)?;
    workspace.run(&mut command)
}

/// Lints everything that is shipped for a system that is not this one.
fn lint(target: &str) -> std::process::Command {
    let mut command = std::process::Command::new(crate::workspace::cargo());
    command.args(["clippy", "--workspace", "--exclude", "xtask", "--lib", "--bins"]);
    command.args(["--all-features", "--target", target, "--", "-D", "warnings"]);
    command
}

fn documents(workspace: &Workspace) -> Result<()> {
    let mut command = std::process::Command::new(crate::workspace::cargo());
    command.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--all-features"]);
    workspace.run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn examples_in_documents(workspace: &Workspace) -> Result<()> {
    workspace.cargo(&["test", "--workspace", "--doc", "--all-features"])
}

/// Unit, story and machine tests; nextest knows time limits, so it is taken where it is there.
fn tests(workspace: &Workspace) -> Result<()> {
    let common = ["--workspace", "--all-targets", "--all-features"];
    let runner: &[&str] = if is_there("cargo-nextest", &["nextest", "--version"]) {
        &["nextest", "run", "--profile", "ci"]
    } else {
        &["test"]
    };
    let mut command = std::process::Command::new(crate::workspace::cargo());
    // Tests that need an administrator may not pass by showing nothing.
    workspace.run(command.args([runner, &common].concat()).env("MAINSTAY_GATE", "1"))
}

/// Runs the simulation.
pub(crate) fn simulate(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    proof(workspace, "simulate", arguments)
}

/// Runs the simulation of names that follow an address.
pub(crate) fn simulate_ddns(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    proof(workspace, "simulate-ddns", arguments)
}

/// Runs the kill test.
pub(crate) fn kill(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    proof(workspace, "killtest", arguments)
}

/// Runs a program of the workspace as the tests' build has it: what is hot is optimised there, too,
/// assertions hold as well, and with `--all-targets` nothing is built a second time.
fn proof(workspace: &Workspace, binary: &str, arguments: &[String]) -> Result<()> {
    workspace.cargo(&["build", "--workspace", "--all-targets", "--all-features"])?;
    let program = workspace.target().join("debug").join(binary);
    workspace.run(std::process::Command::new(program).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_gate_fails() {
        check_time(WARN_AFTER).unwrap();
        let error = check_time(FAIL_AFTER).unwrap_err().to_string();
        assert_eq!(error, "the gate took 35 minutes; at most 35");
    }

    #[test]
    fn every_step_has_its_own_name() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
