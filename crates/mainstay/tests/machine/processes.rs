//! Which processes belong to a folder, and their end.

use std::{
    collections::BTreeSet,
    fs,
    net::{TcpListener, UdpSocket},
    ops::Range,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use mainstay_platform::{
    clock,
    process::{Process, SignalKind},
};

/// Between two looks at something that will be true soon.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Two cores that others use as well may be slow.
const SOON: Duration = Duration::from_mins(1);
/// Below the ports that systems give away by themselves: nobody's own connection takes one between
/// our look at it and the bind of the program that it is for.
const PORTS: Range<u16> = 10_000..32_000;
/// So many of them has one process of tests before it comes to those of the next.
const PORTS_EACH: u16 = 50;
/// Counts those that were handed out here.
static PORTS_USED: AtomicU16 = AtomicU16::new(0);
/// What holds them.
static PORTS_HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// Waits for a condition; `what` says what did not come true.
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let until = clock::monotonic() + SOON;
    while !is_true() {
        assert!(clock::monotonic() < until, "in vain: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// Returns a port of loopback that is free for both protocols, another one each time.
pub(crate) fn free_port() -> u16 {
    let count = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id() % count * u32::from(PORTS_EACH);
    let next = || {
        let used = PORTS_USED.fetch_add(1, Ordering::Relaxed);
        PORTS.start + u16::try_from((first + u32::from(used)) % count).unwrap()
    };
    let is_free = |port: &u16| {
        let both = (TcpListener::bind(("127.0.0.1", *port)), UdpSocket::bind(("127.0.0.1", *port)));
        both.0.is_ok() && both.1.is_ok()
    };
    std::iter::repeat_with(next).take(1000).find(|port| reserve(*port) && is_free(port)).unwrap()
}

/// Holds a port against other processes of tests, of whatever working copy, as long as this one
/// lives: by the same number of another address of loopback, which nobody else uses.
fn reserve(port: u16) -> bool {
    let Ok(held) = UdpSocket::bind(("127.0.0.2", port)) else { return false };
    PORTS_HELD.lock().unwrap().push(held);
    true
}

/// Returns a text up to its last line end: what comes behind it is still being written.
pub(crate) fn whole_lines(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| text.get(..=end).unwrap())
}

/// Waits until nothing of a folder lives; whoever is about to end may still be seen for a moment.
pub(crate) fn expect_none(folder: &Path) {
    wait_until("nothing is left", || of_folder(folder).is_empty());
}

/// Returns every live process that has the folder in its command line, its environment or as its
/// current folder, or whose group's leader has.
pub(crate) fn of_folder(folder: &Path) -> BTreeSet<u32> {
    let all = all();
    let own = std::process::id();
    let is_ours = |pid: &u32| *pid != own && mentions(*pid, folder);
    let leaders: BTreeSet<u32> = all.iter().copied().filter(is_ours).collect();
    let follows = |pid: &u32| group_of(*pid).is_some_and(|group| leaders.contains(&group));
    all.iter().copied().filter(|pid| leaders.contains(pid) || follows(pid)).collect()
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn mentions(pid: u32, folder: &Path) -> bool {
    if fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder)) {
        return true;
    }
    let wanted = folder.as_os_str().as_encoded_bytes();
    ["cmdline", "environ"].iter().any(|name| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        bytes.windows(wanted.len()).any(|part| part == wanted)
    })
}

/// Returns the fields of `/proc/PID/stat` behind the name, which may hold anything.
fn stat_of(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// Returns whether the process is the first one of its group.
pub(crate) fn leads_group(pid: u32) -> bool {
    group_of(pid) == Some(pid)
}

/// Returns the process that leads the group of this one.
pub(crate) fn group_of(pid: u32) -> Option<u32> {
    stat_of(pid)?.get(2)?.parse().ok()
}

/// Returns whether a process is there and not a zombie, or has threads that hold its files still.
pub(crate) fn is_alive(pid: u32) -> bool {
    let lives = |fields: Vec<String>| {
        let is_zombie = fields.first().is_some_and(|state| state == "Z");
        let has_threads = fields.get(17).is_some_and(|count| count != "0" && count != "1");
        !is_zombie || has_threads
    };
    stat_of(pid).is_some_and(lives)
}

/// Returns whether a process is gone for good, and whoever reaped it has done all that follows: it
/// sleeps again.
pub(crate) fn is_told(pid: u32, keeper: u32) -> bool {
    let sleeps = |fields: Vec<String>| fields.first().is_some_and(|state| state == "S");
    stat_of(pid).is_none() && stat_of(keeper).is_some_and(sleeps)
}

/// Returns how much time a process has used, in steps of `USER_HZ`, which is 100 on Linux.
pub(crate) fn time_used_by(pid: u32) -> Duration {
    let fields = stat_of(pid).unwrap();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Sends a signal; a process that is gone already needs none.
pub(crate) fn signal(pid: u32, signal: SignalKind) {
    if let Ok(Some(process)) = Process::open_pid(pid) {
        drop(process.signal(signal));
    }
}

/// Kills a process and waits for its end.
pub(crate) fn kill(pid: u32) {
    signal(pid, SignalKind::Kill);
    wait_until("a killed process ends", || !is_alive(pid));
}

/// Kills whatever belongs to a folder, until nothing does: keepers come back when agents are left.
pub(crate) fn end_all(folder: &Path) {
    let until = clock::monotonic() + SOON;
    while clock::monotonic() < until {
        let left: Vec<u32> = of_folder(folder).into_iter().filter(|pid| is_alive(*pid)).collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            signal(pid, SignalKind::Kill);
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}
