//! Brings a fresh Debian machine to the point where every step of the gate can run.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, is_there};

/// A Debian package and how to see that it is there already.
struct Package {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

const fn package(name: &'static str, program: &'static str) -> Package {
    Package { name, program, arguments: &["--version"] }
}

/// What tests start, and what links for Windows.
const PACKAGES: &[Package] = &[
    package("gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc"),
    package("wine64", crate::wine::SERVER),
    package("python3", "python3"),
    Package { name: "nginx-light", program: "nginx", arguments: &["-v"] },
    package("redis-server", "redis-server"),
    // Its own programs are in no search path; this one lists what they serve.
    Package { name: "postgresql", program: "pg_lsclusters", arguments: &["-h"] },
    Package { name: "caddy", program: "caddy", arguments: &["version"] },
    package("faketime", "faketime"),
    // Only for `systemd-notify` and libsystemd; nothing of it runs.
    package("systemd", "systemd-notify"),
];

/// The targets that are linted or tested beside the machine's own.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";
/// See [`WINDOWS`]; nothing is linked, so its linker is not needed.
pub(crate) const MSVC: &str = "x86_64-pc-windows-msvc";
/// See [`WINDOWS`].
pub(crate) const DARWIN: &str = "x86_64-apple-darwin";

/// Installs what is missing; says what it installs.
pub(crate) fn provide(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !is_there(package.program, package.arguments))
        .map(|package| package.name)
        .collect();
    if !missing.is_empty() {
        install(workspace, &missing)?;
    }
    workspace
        .run(Command::new("rustup").args(["target", "add", WINDOWS, MSVC, DARWIN]))
        .context("the targets come from rustup")?;
    workspace.run(Command::new("rustup").args(["component", "add", "clippy", "rustfmt"]))
}

fn install(workspace: &Workspace, missing: &[&str]) -> Result<()> {
    if !is_there("apt-get", &["--version"]) {
        bail!("tests need {}; install them by this system's own means", missing.join(", "));
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        workspace.run(&mut command)
    };
    let arguments = [&["install", "-y", "--no-install-recommends"], missing].concat();
    // The lists of a fresh machine are missing or old; try without first, for machines offline.
    if apt(&arguments).is_ok() {
        return Ok(());
    }
    apt(&["update"])?;
    apt(&arguments).with_context(|| format!("cannot install {}", missing.join(", ")))
}
