//! What the Windows binary needs of the system: libraries that every Windows has, nothing else.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

/// Libraries that are part of every Windows 10 1809 and later, in lower case.
const OF_THE_SYSTEM: &[&str] = &[
    "advapi32.dll",
    "api-ms-win-core-synch-l1-2-0.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "crypt32.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ncrypt.dll",
    "ntdll.dll",
    "ole32.dll",
    "secur32.dll",
    "shell32.dll",
    "user32.dll",
    "userenv.dll",
    "ws2_32.dll",
];
const READER: &str = "x86_64-w64-mingw32-objdump";

/// Fails when a binary needs a library that has to be installed first.
pub(crate) fn check(binary: &Path) -> Result<()> {
    let mut reader = Command::new(READER);
    let output = reader.arg("-p").arg(binary).output();
    let output = output.with_context(|| format!("cannot run `{READER}`"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let needed: Vec<&str> = libraries(&text).collect();
    if needed.is_empty() {
        bail!("`{}` names no library at all: it could not be read", binary.display());
    }
    let is_strange = |name: &&&str| !OF_THE_SYSTEM.contains(&name.to_lowercase().as_str());
    match needed.iter().find(is_strange) {
        Some(name) => bail!("`{}` needs `{name}`, which not every Windows has", binary.display()),
        None => Ok(()),
    }
}

fn libraries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_the_import_table() {
        let text = "The Import Tables\n\tDLL Name: KERNEL32.dll\n\tvma:  Hint/Ord\n\tDLL Name: libgcc_s_seh-1.dll\n";
        let found: Vec<&str> = libraries(text).collect();
        assert_eq!(found, ["KERNEL32.dll", "libgcc_s_seh-1.dll"]);
    }
}
