//! `/proc`.

use std::{fs, io, time::Duration};

use super::Usage;
use crate::process::{Process, text_of};

/// The place of the time in user mode among the fields behind the program's name; that in system
/// mode follows it.
const USER_TIME: usize = 11;
/// The place of the resident pages.
const RESIDENT_PAGES: usize = 21;

pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let text = text_of(process.pid(), "stat")?;
    read(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Who descends from whom.
pub(super) struct Family {
    /// Children by their parents, where a process does not list its own.
    all: Option<Vec<(u32, u32)>>,
}

impl Family {
    /// Looks at all processes only where the kernel was built without `children`.
    pub(super) fn look() -> io::Result<Self> {
        let own = std::process::id();
        let is_listed = fs::exists(format!("/proc/{own}/task/{own}/children"))?;
        let all = if is_listed { None } else { Some(all()?) };
        Ok(Self { all })
    }

    pub(super) fn children_of(&self, parent: u32) -> io::Result<Vec<u32>> {
        if let Some(all) = &self.all {
            return Ok(all.iter().filter(|(of, _)| *of == parent).map(|(_, pid)| *pid).collect());
        }
        let Some(threads) = unless_gone(fs::read_dir(format!("/proc/{parent}/task")))? else {
            return Ok(Vec::new());
        };
        let mut children = Vec::new();
        for thread in threads.flatten() {
            let text = unless_gone(fs::read_to_string(thread.path().join("children")))?;
            let text = text.unwrap_or_default();
            children
                .extend(text.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        Ok(children)
    }
}

/// Returns the parent of each process, with its number.
fn all() -> io::Result<Vec<(u32, u32)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = unless_gone(text_of(pid, "stat"))?;
        let parent = stat.as_deref().and_then(|stat| {
            let (_, rest) = stat.rsplit_once(')')?;
            rest.split_ascii_whitespace().nth(1)?.parse().ok()
        });
        all.extend(parent.map(|parent| (parent, pid)));
    }
    Ok(all)
}

/// Returns what a process has to itself; nothing when it is gone.
pub(super) fn own_memory(pid: u32) -> io::Result<Option<u64>> {
    match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(text) => Ok(sum(&text, ["Pss_Anon:", "SwapPss:"])),
        Err(error) if is_gone(&error) && !fs::exists(format!("/proc/{pid}"))? => Ok(None),
        // Closed to whoever may not trace it, and not there before Linux 4.14.
        Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
            let status = unless_gone(text_of(pid, "status"))?;
            Ok(status.and_then(|text| sum(&text, ["RssAnon:", "VmSwap:"])))
        }
        Err(error) => Err(error),
    }
}

/// Adds up two values in kibibytes; nothing when the first is not there, as of a process that has
/// ended.
fn sum(text: &str, names: [&str; 2]) -> Option<u64> {
    let value = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let [first, second] = names.map(value);
    Some((first? + second.unwrap_or_default()) * 1024)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Returns nothing of a process that is gone.
pub(crate) fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(text: &str) -> Option<Usage> {
    // The name may hold anything, a parenthesis too.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<u64> =
        rest.split_ascii_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    let ticks = fields.get(USER_TIME)? + fields.get(USER_TIME + 1)?;
    let (ticks_a_second, page) =
        (rustix::param::clock_ticks_per_second(), rustix::param::page_size());
    Some(Usage {
        processor_time: Duration::from_millis(ticks * 1000 / ticks_a_second.max(1)),
        memory_bytes: fields.get(RESIDENT_PAGES)? * u64::try_from(page).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn descendants_count_however_they_are_found() {
        let mut child = Command::new("sh").args(["-c", "sleep 1000 & wait"]).spawn().unwrap();
        let listed = Family { all: None };
        let sleeps = || {
            let grandchildren = listed.children_of(child.id()).unwrap();
            let first = *grandchildren.first()?;
            (fs::read(format!("/proc/{first}/cmdline")).ok()? == b"sleep\x001000\0")
                .then_some(first)
        };
        let grandchild = loop {
            if let Some(found) = sleeps() {
                break found;
            }
        };
        let searched = Family { all: Some(all().unwrap()) };
        assert_eq!(searched.children_of(child.id()).unwrap(), [grandchild]);
        let own = own_memory(child.id()).unwrap().unwrap();
        assert!(super::super::of_tree(child.id()).unwrap() > own);
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(grandchild.cast_signed()).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
        child.wait().unwrap();
        assert_eq!(own_memory(child.id()).unwrap(), None);
    }
}
