//! The tests of the Windows bodies, under Wine, in a prefix of our own below `target/`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{imports, machine, workspace::Workspace};

/// Debian keeps the 64-bit programs out of `PATH`; the launcher script wants a 32-bit Wine too.
pub(crate) const SERVER: &str = "/usr/lib/wine/wineserver64";
const WINE: &str = "/usr/lib/wine/wine64";

/// The crates whose tests run under Wine.
const CRATES: &[&str] = &[
    "mainstay-core",
    "mainstay-api",
    "mainstay-platform",
    "mainstay-tls",
    "mainstay-ddns",
    "mainstay-keeper",
    "mainstay-agent",
    "mainstay-service",
    "mainstay",
];

/// The C source of a library that Wine 8 lacks.
const RANDOM_SOURCE: &str = "xtask/data/bcryptprimitives.c";
const RANDOM_LIBRARY: &str = "drive_c/windows/system32/bcryptprimitives.dll";

/// Settings of the prefix: windows without a display, and crashes that end at once.
const SETTINGS: &[[&str; 3]] = &[
    [r"HKCU\Software\Wine\Drivers", "Graphics", "null"],
    [r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug", "Debugger", "false"],
];

/// A prefix with its server; the server and everything in it end with the value.
struct Prefix {
    path: PathBuf,
}

/// Provides the prefix and runs the tests in it.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let prefix = Prefix { path: workspace.target().join("wine") };
    if !prefix.path.join(RANDOM_LIBRARY).exists() {
        prefix.create(workspace)?;
    }
    // Without this the server ends a second after the last program, and takes services along.
    // It must not hold our output open, or whoever reads that waits for it.
    let mut server = prefix.command(SERVER, &["-p"]);
    workspace.run(server.stdout(Stdio::null()).stderr(Stdio::null()))?;
    workspace.run(&mut prefix.tests())?;
    workspace.run(&mut binary())?;
    imports::check(&workspace.target().join(machine::WINDOWS).join("debug").join("mainstay.exe"))
}

/// Builds the binary that is shipped.
fn binary() -> Command {
    let mut command = Command::new(crate::workspace::cargo());
    command.args(["build", "--package", "mainstay", "--target", machine::WINDOWS]);
    command
}

impl Prefix {
    fn create(&self, workspace: &Workspace) -> Result<()> {
        std::fs::create_dir_all(&self.path)?;
        workspace.run(&mut self.command(WINE, &["wineboot", "-i"]))?;
        workspace.run(&mut self.command(WINE, &["winecfg", "-v", "win10"]))?;
        for [key, name, data] in SETTINGS {
            let arguments = ["reg", "add", key, "/v", name, "/d", data, "/f"];
            workspace.run(&mut self.command(WINE, &arguments))?;
        }
        workspace.run(&mut self.command(SERVER, &["-w"]))?;
        // Last, because its presence says that the prefix is whole.
        self.add_random(workspace)
    }

    fn add_random(&self, workspace: &Workspace) -> Result<()> {
        let library = self.path.join(RANDOM_LIBRARY);
        let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
        compiler.args(["-shared", "-O1", "-o"]).arg(library).arg(RANDOM_SOURCE).arg("-ladvapi32");
        workspace.run(&mut compiler).context("the compiler is `gcc-mingw-w64-x86-64`")
    }

    fn tests(&self) -> Command {
        let mut command = self.command(
            &crate::workspace::cargo(),
            &["test", "--no-fail-fast", "--lib", "--bins", "--tests"],
        );
        command.args(["--target", machine::WINDOWS, "--all-features"]);
        for package in CRATES {
            command.args(["--package", package]);
        }
        command.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE);
        command
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("WINEPREFIX", &self.path).env("WINESERVER", SERVER);
        command.env("WINEDEBUG", "-all").env("WINEDLLOVERRIDES", "mscoree,mshtml=");
        command.env("WINEARCH", "win64").env("DISPLAY", "").env("MAINSTAY_WINE", "1");
        command
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        if Path::new(SERVER).exists() {
            // A server that is gone already is what was wanted.
            drop(self.command(SERVER, &["-k"]).status());
        }
    }
}
