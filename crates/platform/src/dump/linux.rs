//! `core_pattern`: see core(5).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::SystemTime,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Dead, Dump};

const PATTERN: &str = "/proc/sys/kernel/core_pattern";
const USES_PID: &str = "/proc/sys/kernel/core_uses_pid";
/// The kernel keeps so many bytes of a program's name.
const NAME_BYTES: usize = 15;
/// Signals whose usual effect is a core file: QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS.
const CORE_SIGNALS: [i32; 10] = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31];
/// More files than this in the folder of core files are not looked at.
const FILES_MAX: usize = 10_000;

/// The soft limit of core files with which this process began, once it has another one; [`UNLIMITED`]
/// where it had none.
static FORMER: OnceLock<u64> = OnceLock::new();
const UNLIMITED: u64 = libc::RLIM_INFINITY;
/// No core file fits, and a handler is not even called: the kernel takes exactly this limit for that
/// of a handler of its own (see `do_coredump`). Zero would call handlers.
const NEITHER_FILE_NOR_HANDLER: u64 = 1;

pub(super) fn refuse() -> io::Result<()> {
    let limit = getrlimit(Resource::Core);
    FORMER.get_or_init(|| limit.current.unwrap_or(UNLIMITED));
    let enough = limit.maximum.map(|maximum| maximum.max(NEITHER_FILE_NOR_HANDLER));
    // Only root may raise a hard limit of zero, which keeps files away and no handler.
    let raised = set(NEITHER_FILE_NOR_HANDLER, enough);
    Ok(raised.or_else(|_| set(NEITHER_FILE_NOR_HANDLER, limit.maximum))?)
}

/// Returns the limit that a program is to have, where it is another one than ours.
pub(crate) fn restored() -> Option<u64> {
    FORMER.get().copied()
}

/// Gives this process back what it began with, before it becomes another program; returns whether it
/// had another limit.
pub(crate) fn restore() -> io::Result<bool> {
    let Some(former) = restored() else { return Ok(false) };
    set(former, getrlimit(Resource::Core).maximum)?;
    Ok(true)
}

fn set(wanted: u64, maximum: Option<u64>) -> rustix::io::Result<()> {
    let reachable = wanted.min(maximum.unwrap_or(UNLIMITED));
    let current = (reachable != UNLIMITED).then_some(reachable);
    setrlimit(Resource::Core, Rlimit { current, maximum })
}

pub(super) fn find(dead: &Dead<'_>) -> Option<Dump> {
    if !dead.signal.is_some_and(|signal| CORE_SIGNALS.contains(&signal)) {
        return None;
    }
    let pattern = fs::read_to_string(PATTERN).ok()?;
    let pattern = pattern.trim_end_matches('\n');
    if let Some(handler) = pattern.strip_prefix('|') {
        return Some(of_handler(handler, dead.pid));
    }
    let uses_pid = fs::read_to_string(USES_PID).is_ok_and(|text| text.trim() != "0");
    let suffix = if uses_pid && !pattern.contains("%p") { ".%p" } else { "" };
    file(&format!("{pattern}{suffix}"), dead).map(Dump::File)
}

/// Who gets core files instead of the disk, and how to get them from there.
fn of_handler(handler: &str, pid: u32) -> Dump {
    let program = handler.split_ascii_whitespace().next().unwrap_or_default();
    match program.rsplit('/').next() {
        Some("systemd-coredump") => Dump::Command(format!("coredumpctl info {pid}")),
        Some("apport") => Dump::Elsewhere("apport keeps it in /var/crash, if at all".to_owned()),
        _ => Dump::Elsewhere(format!("the system gives core files to `{program}`")),
    }
}

/// Returns the newest file that the pattern may mean and that is not older than the program.
fn file(pattern: &str, dead: &Dead<'_>) -> Option<PathBuf> {
    let pattern = dead.directory.join(pattern);
    let folder =
        expanded(pattern.parent()?.to_str()?, dead).into_iter().collect::<Option<String>>();
    let folder = PathBuf::from(folder?);
    let parts = parts(pattern.file_name()?.to_str()?, dead);
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(folder).ok()?.take(FILES_MAX).flatten() {
        let fits = entry.file_name().to_str().is_some_and(|name| is_like(name, &parts));
        let changed = entry.metadata().and_then(|found| found.modified());
        if let Some(changed) = changed.ok().filter(|changed| fits && *changed >= dead.started)
            && newest.as_ref().is_none_or(|(other, _)| changed > *other)
        {
            newest = Some((changed, entry.path()));
        }
    }
    newest.map(|(_, path)| path)
}

/// Returns the texts of a pattern, with nothing where only the kernel knew what stood there.
fn expanded(pattern: &str, dead: &Dead<'_>) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        texts.push(match letter {
            '%' => match letters.next() {
                Some('%') => Some("%".to_owned()),
                Some('p' | 'P') => Some(dead.pid.to_string()),
                Some('s') => dead.signal.map(|signal| signal.to_string()),
                Some('e') => Some(name(dead.program)),
                Some('E') if dead.program.starts_with('/') => Some(dead.program.replace('/', "!")),
                Some(_) | None => None,
            },
            letter => Some(letter.to_string()),
        });
    }
    texts
}

/// Joins what is known in a row.
fn parts(pattern: &str, dead: &Dead<'_>) -> Vec<Option<String>> {
    let mut parts: Vec<Option<String>> = Vec::new();
    for text in expanded(pattern, dead) {
        match (parts.last_mut(), text) {
            (Some(Some(last)), Some(text)) => last.push_str(&text),
            (_, text) => parts.push(text),
        }
    }
    parts
}

fn name(program: &str) -> String {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let mut end = NAME_BYTES.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default().to_owned()
}

/// Returns whether a name has the known parts in their order, with anything in the places between.
fn is_like(name: &str, parts: &[Option<String>]) -> bool {
    match parts.split_first() {
        None => name.is_empty(),
        Some((Some(text), rest)) => {
            name.strip_prefix(text.as_str()).is_some_and(|r| is_like(r, rest))
        }
        Some((None, [])) => true,
        Some((None, rest)) => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.filter_map(|at| name.get(at..)).any(|tail| is_like(tail, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead() -> Dead<'static> {
        Dead {
            pid: 4711,
            program: "/opt/a-rather-long-name",
            directory: Path::new("/srv/web"),
            signal: Some(11),
            started: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_pattern_means_the_files_that_the_kernel_would_write() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(is_like(name, &parts(pattern, &dead())), expected, "{pattern} {name}");
        };
        check("core", "core", true);
        check("core.%p", "core.4711", true);
        check("core.%p", "core.47111", false);
        check("core-%e-%s-%p", "core-a-rather-long-n-11-4711", true);
        check("core.%h.%p.%t", "core.host.4711.1700000000", true);
        check("core.%h.%p.%t", "core.host.4712.1700000000", false);
        check("%E.%%", "!opt!a-rather-long-name.%", true);
        check("core%", "core", true);
    }

    #[test]
    fn a_relative_pattern_begins_where_the_program_was_started() {
        let folder = std::env::temp_dir().join(format!("mainstay-dump-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        fs::File::create(folder.join("core.4711")).unwrap();
        let dead = Dead { directory: &folder, ..dead() };
        assert_eq!(file("core.%p", &dead), Some(folder.join("core.4711")));
        let absolute = folder.join("core.%P");
        assert_eq!(
            file(absolute.to_str().unwrap(), &Dead { directory: Path::new("/srv"), ..dead }),
            Some(folder.join("core.4711"))
        );
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * 366 * 200);
        assert_eq!(file("core.%p", &Dead { started: later, ..dead }), None);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn who_gets_core_files_is_asked_for_them() {
        let systemd = "/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h";
        assert_eq!(of_handler(systemd, 7), Dump::Command("coredumpctl info 7".to_owned()));
        let text = "the system gives core files to `/bin/mine`".to_owned();
        assert_eq!(of_handler("/bin/mine", 7), Dump::Elsewhere(text));
    }
}
