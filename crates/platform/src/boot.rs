//! Which boot of which machine or container this is.

#[cfg(target_os = "linux")]
#[path = "boot/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "boot/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "boot/macos.rs"]
mod imp;

use std::io;

/// Returns a text that differs whenever process ids have begun anew.
///
/// On Linux: the boot id, the pid namespace and the start of its first process, because a
/// restarted container keeps the boot id of its host. On macOS: the boot session's own id.
pub fn identity() -> io::Result<String> {
    imp::identity()
}
