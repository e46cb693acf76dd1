//! How a process is related to others: its parent, its group, and what it was started with.

#[cfg(target_os = "linux")]
#[path = "kin/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "kin/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "kin/windows.rs"]
mod imp;

use std::io;

/// Whom a process belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kin {
    /// Its parent.
    pub parent: u32,
    /// Its group.
    pub group: u32,
    /// It has ended, and its parent has not taken note of that.
    pub has_ended: bool,
}

/// Returns whom the process of this number belongs to; nothing when it is gone. On systems other
/// than Linux nobody tells ([`io::ErrorKind::Unsupported`]).
pub fn of(pid: u32) -> io::Result<Option<Kin>> {
    imp::of(pid)
}

/// Returns whoever has started this process, or has taken it in; nothing where nobody tells.
pub fn parent() -> Option<u32> {
    imp::parent()
}

/// Returns what the process of this number was started with, as `NAME=value`; nothing of one that
/// is gone or somebody else's, and nothing on systems other than Linux. Fails for want of
/// descriptors or memory alone.
pub fn variables_of(pid: u32) -> io::Result<Vec<Vec<u8>>> {
    imp::variables_of(pid)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_known_by_its_parent_and_its_variables_until_it_is_gone() {
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .env("MAINSTAY_UNIT", "kin")
            .spawn()
            .unwrap();
        let kin = of(child.id()).unwrap().unwrap();
        let own = of(std::process::id()).unwrap().unwrap();
        assert_eq!(kin, Kin { parent: std::process::id(), group: own.group, has_ended: false });
        assert!(variables_of(child.id()).unwrap().contains(&b"MAINSTAY_UNIT=kin".to_vec()));
        child.kill().unwrap();
        while !of(child.id()).unwrap().unwrap().has_ended {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(of(child.id()).unwrap(), None);
        assert!(variables_of(child.id()).unwrap().is_empty());
    }
}
