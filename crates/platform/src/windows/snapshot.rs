//! All processes at one moment, without rights on any of them.

use std::io;

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Diagnostics::ToolHelp::{
        CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW,
        TH32CS_SNAPPROCESS,
    },
};

use super::own;

/// A process of the snapshot.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) pid: u32,
    /// Who made it. The number may belong to somebody else by now.
    pub(crate) parent: u32,
    /// How many threads it has.
    pub(crate) threads: u32,
    /// The name of its image, without a folder.
    pub(crate) image: String,
}

/// Lists all processes.
#[expect(unsafe_code, reason = "CreateToolhelp32Snapshot, Process32FirstW, Process32NextW")]
pub(crate) fn processes() -> io::Result<Vec<Listed>> {
    // SAFETY: no memory is involved.
    let raw: HANDLE = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    // SAFETY: the handle is new or invalid.
    let _owner = unsafe { own(raw) }?;
    let mut entry = PROCESSENTRY32W {
        dwSize: u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or_default(),
        ..PROCESSENTRY32W::default()
    };
    let mut found = Vec::new();
    // SAFETY: the snapshot is open; `entry` is valid for writes and knows its size.
    let mut is_there = unsafe { Process32FirstW(raw, &raw mut entry) };
    while is_there != 0 {
        found.push(listed(&entry));
        // SAFETY: as above.
        is_there = unsafe { Process32NextW(raw, &raw mut entry) };
    }
    Ok(found)
}

fn listed(entry: &PROCESSENTRY32W) -> Listed {
    let units = entry.szExeFile.split(|unit| *unit == 0).next().unwrap_or_default();
    Listed {
        pid: entry.th32ProcessID,
        parent: entry.th32ParentProcessID,
        threads: entry.cntThreads,
        image: String::from_utf16_lossy(units),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_its_image_are_found() {
        let own = std::env::current_exe().unwrap();
        let all = processes().unwrap();
        let found = all.iter().find(|listed| listed.pid == std::process::id()).unwrap();
        assert_eq!(Some(found.image.as_str()), own.file_name().and_then(|name| name.to_str()));
    }
}
