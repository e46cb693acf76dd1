//! Brings a fresh Debian machine to the point where every step of the gate can run.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    peers,
    workspace::{Workspace, is_there},
};

/// A Debian package and how to see that it is there already.
struct Package {
    name: &'static str,
    sign: Sign,
    /// What it would run at each boot of a machine that nobody asked to.
    unit: Option<&'static str>,
}

/// What shows that a package is there.
enum Sign {
    Runs(&'static str, &'static [&'static str]),
    Lies(&'static str),
}

const fn package(name: &'static str, program: &'static str) -> Package {
    Package { name, sign: Sign::Runs(program, &["--version"]), unit: None }
}

/// For what is in nobody's search path, or cannot be started without doing something.
const fn file(name: &'static str, path: &'static str) -> Package {
    Package { name, sign: Sign::Lies(path), unit: None }
}

const fn daemon(name: &'static str, path: &'static str, unit: &'static str) -> Package {
    Package { name, sign: Sign::Lies(path), unit: Some(unit) }
}

/// What tests start, and what links for Windows.
const PACKAGES: &[Package] = &[
    package("gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc"),
    package("wine64", crate::wine::SERVER),
    package("python3", "python3"),
    Package {
        name: "python3-venv",
        sign: Sign::Runs("python3", &["-c", "import ensurepip"]),
        unit: None,
    },
    Package { name: "nginx-light", sign: Sign::Runs("nginx", &["-v"]), unit: Some("nginx") },
    Package {
        name: "redis-server",
        sign: Sign::Runs("redis-server", &["--version"]),
        unit: Some("redis-server"),
    },
    // Its own programs are in no search path; this one lists what they serve.
    Package {
        name: "postgresql",
        sign: Sign::Runs("pg_lsclusters", &["-h"]),
        unit: Some("postgresql"),
    },
    Package { name: "caddy", sign: Sign::Runs("caddy", &["version"]), unit: Some("caddy") },
    package("faketime", "faketime"),
    // Speaks to the control API as its chapter shows.
    package("curl", "curl"),
    package("zstd", "zstd"),
    // Shells that are completed for, and who reads manual pages closely.
    package("zsh", "zsh"),
    package("fish", "fish"),
    file("mandoc", "/usr/bin/mandoc"),
    Package { name: "openssl", sign: Sign::Runs("openssl", &["version"]), unit: None },
    // Only for `systemd-notify` and libsystemd; nothing of it runs.
    package("systemd", "systemd-notify"),
    // Networks in which a router stands.
    Package { name: "iproute2", sign: Sign::Runs("ip", &["-V"]), unit: None },
    // Who is asked for names, told of addresses, and knows the address outside.
    daemon("bind9", "/usr/sbin/named", "named"),
    file("bind9-dnsutils", "/usr/bin/nsupdate"),
    daemon("knot", "/usr/sbin/knotd", "knot"),
    file("knot-dnsutils", "/usr/bin/knsupdate"),
    daemon("pdns-server", "/usr/sbin/pdns_server", "pdns"),
    file("pdns-backend-sqlite3", "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"),
    package("sqlite3", "sqlite3"),
    daemon("coturn", "/usr/bin/turnserver", "coturn"),
    file("miniupnpd-nftables", "/usr/sbin/miniupnpd"),
    // The router's mappings are in tables that nothing else makes.
    file("nftables", "/usr/sbin/nft"),
    file("miniupnpc", "/usr/bin/upnpc"),
    file("natpmpc", "/usr/bin/natpmpc"),
    // Through whom others are reached.
    file("tinyproxy-bin", "/usr/bin/tinyproxy"),
    daemon("microsocks", "/usr/bin/microsocks", "microsocks"),
    // Clients of others, to be served by ours.
    daemon("ddclient", "/usr/bin/ddclient", "ddclient"),
    daemon("inadyn", "/usr/sbin/inadyn", "inadyn"),
    file("ddupdate", "/usr/bin/ddupdate"),
    // Without these, ddupdate does not start, and ddclient speaks no TLS.
    file("python3-requests", "/usr/lib/python3/dist-packages/requests/__init__.py"),
    file("libio-socket-ssl-perl", "/usr/share/perl5/IO/Socket/SSL.pm"),
];

/// Debian asks it before it starts what it has installed.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// The targets that are linted or tested beside the machine's own.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";
/// See [`WINDOWS`]; nothing is linked, so its linker is not needed.
pub(crate) const MSVC: &str = "x86_64-pc-windows-msvc";
/// See [`MSVC`]: a program for every Linux, whatever C library it has.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";
/// See [`WINDOWS`].
pub(crate) const DARWIN: &str = "x86_64-apple-darwin";

/// Installs what is missing; says what it installs.
pub(crate) fn provide(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !package.is_there()).collect();
    if !missing.is_empty() {
        install(workspace, &missing)?;
    }
    peers::provide(workspace)?;
    workspace
        .run(Command::new("rustup").args(["target", "add", WINDOWS, MSVC, MUSL, DARWIN]))
        .context("the targets come from rustup")?;
    workspace.run(Command::new("rustup").args(["component", "add", "clippy", "rustfmt"]))
}

impl Package {
    fn is_there(&self) -> bool {
        match self.sign {
            Sign::Runs(program, arguments) => is_there(program, arguments),
            Sign::Lies(path) => Path::new(path).exists(),
        }
    }
}

fn install(workspace: &Workspace, missing: &[&Package]) -> Result<()> {
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !is_there("apt-get", &["--version"]) {
        bail!("tests need {}; install them by this system's own means", names.join(", "));
    }
    let quiet = Quiet::begin(workspace)?;
    get(workspace, &names)?;
    drop(quiet);
    // Without a manager there is nothing that would start them.
    if is_there("systemctl", &["--version"]) {
        let units = missing.iter().filter_map(|package| package.unit);
        let mut command = Command::new("systemctl");
        workspace.run(command.args(["--quiet", "disable"]).args(units))?;
    }
    Ok(())
}

fn get(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        workspace.run(&mut command)
    };
    let options = ["install", "-y", "-qq", "-o=Dpkg::Use-Pty=0", "--no-install-recommends"];
    let arguments = [options.as_slice(), names].concat();
    // The lists of a fresh machine are missing or old; try without first, for machines offline.
    if apt(&arguments).is_ok() {
        return Ok(());
    }
    apt(&["update", "-qq"])?;
    apt(&arguments).with_context(|| format!("cannot install {}", names.join(", ")))
}

/// While it lives, Debian starts nothing that it installs; who has a policy already keeps it.
struct Quiet<'a> {
    workspace: &'a Workspace,
    is_ours: bool,
}

impl<'a> Quiet<'a> {
    fn begin(workspace: &'a Workspace) -> Result<Self> {
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            let ours = ["-m", "755", "xtask/data/policy-rc.d", POLICY];
            workspace
                .run(Command::new("install").args(ours))
                .context("packages are installed by root, and their daemons are not started")?;
        }
        Ok(Self { workspace, is_ours })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if self.is_ours {
            drop(self.workspace.run(Command::new("rm").arg(POLICY)));
        }
    }
}
