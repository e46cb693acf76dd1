//! One instance: its limits, its disks, its programs, its agent.

use std::path::Path;

use mainstay_agent::descriptors;
use mainstay_api::config::Config;
use mainstay_platform::{
    daemon,
    filesystem::{self, Room},
    machine, paths,
};

use super::finding::Finding;
use crate::{
    cli::programs,
    instance::{self, Located},
    print,
};

/// Less than this is soon written.
const ROOM_LEAST: u64 = 200 * 1024 * 1024;
/// A small disk is nearly full with so many percent left, unless that is much all the same.
const PERCENT_LEAST: u64 = 5;
const ROOM_AMPLE: u64 = 5 * 1024 * 1024 * 1024;

/// Looks at an instance, or at what any instance here would meet.
pub(super) fn look(located: Option<&Located>, config: &Config) -> Vec<Finding> {
    let units = config.services.values().map(|service| u64::from(service.instances)).sum();
    let mut findings = vec![files(units, descriptors::needed(config)), pipes(units), runtime()];
    if let Some(located) = located {
        findings.push(agent(located));
        findings.extend(disks(located));
        findings.extend(missing_programs(config, &located.instance.state));
    }
    findings
}

fn files(units: u64, needed: u64) -> Finding {
    let allowed = daemon::file_limit();
    let units = count(units);
    let what = if allowed == u64::MAX {
        format!("open files: {needed} for {units}, any number is allowed")
    } else {
        format!("open files: {needed} for {units}, {allowed} are allowed")
    };
    if allowed >= needed {
        return Finding::ok(what);
    }
    let why = "programs beyond the limit are not started";
    Finding::bad(what, why, format!("raise the hard limit: `ulimit -Hn {needed}`"))
}

fn pipes(units: u64) -> Finding {
    let full = machine::pipes_of_full_size();
    let told = count(units);
    let what = full.map_or_else(
        || format!("pipes of full size for an ordinary user: no limit, {told}"),
        |full| format!("pipes of full size for an ordinary user: {full}, {told}"),
    );
    if full.is_none_or(|full| units <= full) {
        return Finding::ok(what);
    }
    let why = "pipes beyond it are small: programs that write much wait more often";
    Finding::bad(what, why, "raise `fs.pipe-user-pages-soft`, or run as root")
}

fn count(units: u64) -> String {
    print::count(usize::try_from(units).unwrap_or(usize::MAX), "unit")
}

fn runtime() -> Finding {
    match paths::runtime_base() {
        Ok(path) => Finding::ok(format!("runtime folder: {}", path.display())),
        Err(error) => Finding::bad(
            format!("runtime folder: {error}"),
            "sockets and locks have no safe place",
            "set XDG_RUNTIME_DIR to a folder of your own",
        ),
    }
}

fn agent(located: &Located) -> Finding {
    let file = located.file.display();
    if instance::answers(located) {
        return Finding::ok(format!("agent of {file}: answers"));
    }
    if !instance::may_have_left_programs(located) {
        return Finding::ok(format!("agent of {file}: none, the instance is down"));
    }
    Finding::bad(
        format!("agent of {file}: none, and programs may run on"),
        "nobody looks after them",
        format!("`mainstay up {file}` takes them over"),
    )
}

/// Logs and state may lie on different disks.
fn disks(located: &Located) -> Vec<Finding> {
    let (state, logs) = (&located.instance.state, located.instance.logs());
    let of_state = filesystem::room(state).ok();
    // Whoever may not look there cannot do anything about it.
    let of_logs = filesystem::room(&logs).ok().filter(|room| Some(*room) != of_state);
    let both = [(Of::State, state.as_path(), of_state), (Of::Logs, &logs, of_logs)];
    both.into_iter().filter_map(|(of, folder, room)| Some(disk(of, folder, room?))).collect()
}

/// What a disk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    State,
    Logs,
}

fn disk(of: Of, folder: &Path, room: Room) -> Finding {
    let Room { free_bytes, whole_bytes } = room;
    let percent = free_bytes.saturating_mul(100) / whole_bytes.max(1);
    let (folder, free) = (folder.display(), free_bytes / 1024 / 1024);
    let what = match of {
        Of::State => format!("disk of state ({folder}): {free} MiB free, {percent} %"),
        Of::Logs => format!("disk of logs ({folder}): {free} MiB free, {percent} %"),
    };
    let is_small = free_bytes < ROOM_AMPLE && percent < PERCENT_LEAST;
    if free_bytes >= ROOM_LEAST && !is_small {
        return Finding::ok(what);
    }
    let why = "once it is full, programs wait with their output or lose it, as `logs.on-full` says";
    Finding::bad(what, why, "make room, or lower `logs.max-size` and `logs.keep`")
}

fn missing_programs(config: &Config, state: &Path) -> Vec<Finding> {
    let of = |missing: programs::Missing| {
        let what = format!("program of `{}`: {}", missing.service, missing.why);
        Finding::bad(what, "it cannot be started", "name it by its whole path in `command`")
    };
    programs::missing(config, state).into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_disk_is_nearly_full_with_little_room_or_a_small_part_of_it() {
        let check = |free: u64, whole: u64, expected: Verdict| {
            let room = Room { free_bytes: free * MIB, whole_bytes: whole * MIB };
            let found = disk(Of::Logs, Path::new("/var/log"), room);
            assert_eq!(found.verdict, expected, "{}", found.what);
        };
        check(199, 1_000, Verdict::Bad);
        check(300, 1_000, Verdict::Ok);
        check(4_000, 100_000, Verdict::Bad);
        check(6_000, 1_000_000, Verdict::Ok);
        check(0, 0, Verdict::Bad);
    }
}
