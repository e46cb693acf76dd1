//! The tests of the Windows bodies, under Wine, in a prefix of our own below `target/`.

mod lanes;

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
    lanes::run(workspace, &prefix, &mut prefix.tests())?;
    // What is shipped has fewer features, and needs nothing that this one does not need.
    imports::check(&workspace.target().join(machine::WINDOWS).join("debug").join("mainstay.exe"))
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

    /// Builds the tests.
    fn tests(&self) -> Command {
        let mut command = self.command(
            &crate::workspace::cargo(),
            &["test", "--no-run", "--lib", "--bins", "--tests"],
        );
        command.args(["--target", machine::WINDOWS, "--all-features"]);
        command.args(["--message-format", "json-render-diagnostics"]);
        // Three quarters of what would be linked: a panic says its place without them.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        for package in CRATES {
            command.args(["--package", package]);
        }
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
