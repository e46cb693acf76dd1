//! The machine as a whole: what our own folders and programs look like, and who may end us.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use mainstay_platform::{machine, paths};

use super::finding::Finding;

/// More would hide the rest.
const FOLDERS_SHOWN: usize = 3;

/// Looks at what has nothing to do with a single instance.
pub(super) fn look() -> Vec<Finding> {
    let guarded = paths::machine_base().ok().and_then(|base| guarded(&base));
    let former = paths::program_base().ok().and_then(|base| former(&base));
    let stale = stale(&machine::folders_unknown_here());
    let parent = machine::ends_with_somebody().then(parent);
    [guarded, former, stale, parent].into_iter().flatten().collect()
}

/// Every user may make folders beside ours.
fn guarded(base: &Path) -> Option<Finding> {
    match paths::check_guarded(base) {
        Ok(()) => Some(Finding::ok(format!("folder of the machine: {}", base.display()))),
        Err(error) => squatted(base, &error),
    }
}

fn squatted(base: &Path, error: &io::Error) -> Option<Finding> {
    if error.kind() == ErrorKind::NotFound {
        return None;
    }
    Some(Finding::bad(
        format!("folder of the machine: {}: {error}", base.display()),
        "whoever has made it can change what services run; nothing is installed there",
        format!(
            "look what is in it, then as an administrator: takeown /f \"{0}\" /a /r, or delete it",
            base.display()
        ),
    ))
}

/// What was replaced goes with the next upgrade, unless somebody still runs it.
fn former(folder: &Path) -> Option<Finding> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let is_former = |name: &str| name.starts_with("mainstay.exe.old-");
    let mut left: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_former))
        .map(|entry| entry.path())
        .collect();
    left.sort();
    let first = left.first()?.display();
    let what = match left.len() {
        1 => format!("a program that was replaced is left: {first}"),
        count => format!("{count} programs that were replaced are left: {first}, …"),
    };
    let why = "a service that runs on since then runs it";
    Some(Finding::hint(what, why, "`mainstay service restart NAME`, then delete it"))
}

/// Programs of services get the machine's variables as they are at each start; a terminal does not.
fn stale(unknown: &[String]) -> Option<Finding> {
    if unknown.is_empty() {
        return None;
    }
    let shown: Vec<&str> = unknown.iter().map(String::as_str).take(FOLDERS_SHOWN).collect();
    let more = if unknown.len() > FOLDERS_SHOWN { ", …" } else { "" };
    Some(Finding::hint(
        format!(
            "PATH of this terminal is older than the machine's; it lacks {}{more}",
            shown.join(", ")
        ),
        "programs are found here otherwise than by services, which get the machine's at each start",
        "open another terminal",
    ))
}

fn parent() -> Finding {
    Finding::hint(
        "this terminal belongs to somebody who ends everything that was started in it".to_owned(),
        "`mainstay up` and its programs would end with the build runner or remote shell above them",
        "`mainstay install` or `mainstay service install` runs them apart from it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_somebody_else_has_made_is_no_place_for_services() {
        let base = Path::new("base");
        assert_eq!(squatted(base, &ErrorKind::NotFound.into()), None);
        let refused = io::Error::new(ErrorKind::PermissionDenied, "it leads to another folder");
        let found = squatted(base, &refused).unwrap();
        assert_eq!(found.what, "folder of the machine: base: it leads to another folder");
        assert!(found.remedy.contains("takeown"), "{found:?}");
    }

    #[test]
    fn former_programs_are_counted() {
        let folder = std::env::temp_dir().join(format!("mainstay-former-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(former(&folder), None);
        for name in ["mainstay.exe", "mainstay.exe.old-2", "mainstay.exe.old-1"] {
            fs::File::create(folder.join(name)).unwrap();
        }
        let found = former(&folder).unwrap();
        assert!(found.what.starts_with("2 programs that were replaced are left"), "{found:?}");
        assert!(found.what.contains("mainstay.exe.old-1"), "{found:?}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_old_path_is_told_with_what_it_lacks() {
        assert_eq!(stale(&[]), None);
        let folders = ["a", "b", "c", "d"].map(ToOwned::to_owned);
        assert!(stale(&folders).unwrap().what.ends_with("it lacks a, b, c, …"));
        assert!(stale(&folders[..1]).unwrap().what.ends_with("it lacks a"));
    }
}
