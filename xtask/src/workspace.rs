//! Where the workspace lies, what cargo says of it, and how a chore runs other programs in it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The workspace this binary was built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo for the whole dependency graph, of all targets.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root.parent().context("xtask lies in the workspace")?.to_path_buf();
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--all-features"])
            .current_dir(&root)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            bail!("`cargo metadata` ended with {}", output.status);
        }
        Ok(Self { root, metadata: serde_json::from_slice(&output.stdout)? })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target directory.
    pub(crate) fn target(&self) -> PathBuf {
        self.metadata["target_directory"].as_str().map_or(self.root.join("target"), PathBuf::from)
    }

    /// What `cargo metadata` printed.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Value> {
        let is_member = |package: &&Value| {
            list(&self.metadata, "workspace_members").any(|id| *id == package["id"])
        };
        list(&self.metadata, "packages").filter(is_member)
    }

    /// Runs cargo and fails when it fails.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        self.run(Command::new(cargo()).args(arguments))
    }

    /// Runs a command in the root, without stdin, and fails when it fails.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let shown = show(command);
        crate::tell(&format!("+ {shown}"));
        forget_package(command);
        let status = command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start `{shown}`"))?;
        if status.success() { Ok(()) } else { bail!("`{shown}` ended with {status}") }
    }
}

/// Takes out what cargo says of this package to whoever it runs: build scripts that look at it would
/// run again, and all that rests on them be built again, whenever somebody calls cargo by hand.
pub(crate) fn forget_package(command: &mut Command) {
    let of_package = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))
    };
    for name in std::env::vars_os().map(|(name, _)| name).filter(of_package) {
        command.env_remove(name);
    }
}

/// The items of an array field; none when the field is absent.
pub(crate) fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

/// A text field; empty when it is absent.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Says whether a program can be started with `--version`.
pub(crate) fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut shown = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}
