//! Feeds the targets of `mainstay-fuzz` from libFuzzer, two at a time, and says how fast that was.
//!
//! Coverage is what `cargo fuzz --sanitizer none` asks for, and stable rustc has it: a pass of LLVM,
//! and its arguments. libFuzzer itself is C++, which `libfuzzer-sys` brings along.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, cargo};

/// How long each target is fed in the gate.
pub(crate) const SECONDS: u64 = 60;
/// Where chance begins in the gate: what a commit gives does not depend on the day.
const SEED: u32 = 1;
/// libFuzzer's word for a seed of its own choice, for those who look for longer.
const ANY_SEED: u32 = 0;
/// What is fed.
const TARGETS: [&str; 4] = ["config", "frames", "logs", "events"];
/// So many at a time: as many as the gate has processors.
const AT_ONCE: usize = 2;
/// Dependencies are told apart from build scripts by it: those are not counted.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// What `rustc` is told, so that libFuzzer sees which branches were taken and what was compared.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
];
/// An input is no longer than this, may take so many seconds, and so many megabytes.
const LIMITS: [&str; 4] =
    ["-max_len=4096", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"];
/// So much of what a target has said is shown when it fails.
const LINES_SHOWN: usize = 60;

/// Returns how long each target is to be fed.
pub(crate) fn seconds_of(arguments: &[String]) -> Result<u64> {
    match arguments {
        [] => Ok(SECONDS),
        [name, number] if name == "--seconds" => {
            number.parse().with_context(|| format!("`{number}` is no number of seconds"))
        }
        _ => bail!("write `cargo xtask fuzz`, or `cargo xtask fuzz --seconds N`"),
    }
}

/// Builds once, then feeds every target for so long.
pub(crate) fn run(workspace: &Workspace, seconds: u64) -> Result<()> {
    let folder = workspace.target().join("fuzz");
    let program = build(workspace, &folder)?;
    let scratch = Scratch::new(&folder)?;
    let mut failed = Vec::new();
    for targets in TARGETS.chunks(AT_ONCE) {
        let feed = |target: &&'static str| {
            Feed::begin(workspace, target, (&program, &folder), (&scratch.0, seconds))
        };
        let feeds: Vec<Feed> = targets.iter().map(feed).collect::<Result<_>>()?;
        for feed in feeds {
            failed.extend(feed.end()?);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

fn build(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let mut command = Command::new(cargo());
    command.args(["build", "--profile", "fuzz", "--package", "mainstay-fuzz"]);
    command.args(["--target", PLATFORM, "--target-dir"]).arg(folder);
    workspace.run(command.env("RUSTFLAGS", FLAGS.join(" ")))?;
    Ok(folder.join(PLATFORM).join("fuzz/mainstay-fuzz"))
}

/// Where targets have their files: in memory, where there is such a folder.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory } else { folder };
        let path = base.join(format!("mainstay-fuzz-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: what is left is small, and goes with the machine.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A target that is being fed.
struct Feed {
    target: &'static str,
    child: Child,
    log: PathBuf,
    /// How the names of inputs begin that it could not bear.
    crash: PathBuf,
}

impl Feed {
    fn begin(
        workspace: &Workspace,
        target: &'static str,
        (program, folder): (&Path, &Path),
        (scratch, seconds): (&Path, u64),
    ) -> Result<Self> {
        let (log, found) =
            (folder.join(format!("{target}.log")), folder.join("found").join(target));
        fs::create_dir_all(&found)?;
        let crash = folder.join(format!("failed-{target}-"));
        let mut command = Command::new(program);
        let seed = if seconds == SECONDS { SEED } else { ANY_SEED };
        command.args([format!("-max_total_time={seconds}"), format!("-seed={seed}")]).args(LIMITS);
        command.arg(format!("-artifact_prefix={}", crash.display()));
        command.arg(found).arg(workspace.root().join("crates/fuzz/corpus").join(target));
        command.env("MAINSTAY_FUZZ", target).env("TMPDIR", scratch).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("cannot feed `{target}`"))?;
        Ok(Self { target, child, log, crash })
    }

    /// Waits for its end, and says how it went; returns what is to be said when it failed.
    fn end(mut self) -> Result<Option<String>> {
        let status = self.child.wait()?;
        let log = fs::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        let target = self.target;
        if status.success() {
            let [runs, rate] = ["number_of_executed_units", "average_exec_per_sec"]
                .map(|name| figure(&log, name).unwrap_or("?"));
            crate::tell(&format!("fuzz {target}: {runs} inputs, {rate} a second"));
            return Ok(None);
        }
        let lines: Vec<&str> = log.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default();
        crate::tell(&shown.join("\n"));
        Ok(Some(match self.input()? {
            Some(input) => format!(
                "fuzz {target}: an input broke a rule: `cargo run -p mainstay-fuzz -- {target} {0}`; \
                 keep it in crates/fuzz/corpus/{target}\nas base64: see {1}",
                input.display(),
                self.log.display()
            ),
            None => format!("fuzz {target}: it ended with {status}, see {}", self.log.display()),
        }))
    }

    /// Gives the newest input that failed a name that says so; returns it.
    fn input(&self) -> Result<Option<PathBuf>> {
        let prefix = self.crash.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir(self.crash.parent().unwrap_or(Path::new(".")))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                found.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        let Some((_, newest)) = found.into_iter().max() else { return Ok(None) };
        let named = self.crash.with_file_name(format!("failed-{}", self.target));
        fs::copy(newest, &named)?;
        Ok(Some(named))
    }
}

/// Returns a figure of libFuzzer's last words.
fn figure<'t>(log: &'t str, name: &str) -> Option<&'t str> {
    let line = log.lines().find_map(|line| line.strip_prefix(&format!("stat::{name}:")))?;
    Some(line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_is_said_or_usual() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            seconds_of(&words).ok()
        };
        assert_eq!(of(&[]), Some(SECONDS));
        assert_eq!(of(&["--seconds", "5"]), Some(5));
        assert_eq!(of(&["--seconds", "five"]), None);
        assert_eq!(of(&["--minutes", "5"]), None);
    }

    #[test]
    fn figures_are_read_from_the_last_words() {
        let log = "Done 7 runs\nstat::number_of_executed_units: 123\nstat::average_exec_per_sec:     45\n";
        assert_eq!(figure(log, "number_of_executed_units"), Some("123"));
        assert_eq!(figure(log, "average_exec_per_sec"), Some("45"));
        assert_eq!(figure(log, "peak"), None);
    }
}
