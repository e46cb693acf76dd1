//! Owner and mode.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::process::geteuid;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// In such a folder everybody may only rename what is their own.
const STICKY: u32 = 0o1000;

pub(super) fn who_writes(path: &Path) -> io::Result<Option<String>> {
    Ok(who(&fs::metadata(path)?))
}

pub(super) fn who_moves(path: &Path) -> io::Result<Option<String>> {
    let found = fs::metadata(path)?;
    let is_sticky = found.mode() & STICKY != 0 && is_trusted(found.uid());
    Ok(if is_sticky { None } else { who(&found) })
}

/// Returns who may make a link lead elsewhere: whoever may replace it. Of its own mode nothing
/// follows, and of its owner only in a folder where everybody may replace what is their own.
pub(super) fn who_turns(link: &Path) -> io::Result<Option<String>> {
    let folder = fs::metadata(link.parent().unwrap_or(link))?;
    let owner = fs::symlink_metadata(link)?.uid();
    let is_owners = folder.mode() & STICKY != 0 && !is_trusted(owner);
    Ok(is_owners.then(|| format!("user {owner}")))
}

fn who(found: &Metadata) -> Option<String> {
    let (owner, group, mode) = (found.uid(), found.gid(), found.mode());
    if !is_trusted(owner) {
        Some(format!("user {owner}"))
    } else if mode & OTHERS_WRITE != 0 {
        Some("everybody".to_owned())
    } else if mode & GROUP_WRITES != 0 && group != 0 {
        Some(format!("group {group}"))
    } else {
        None
    }
}

fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        io,
        os::unix::fs::{PermissionsExt as _, lchown, symlink},
        path::PathBuf,
    };

    use super::super::weakness;

    #[test]
    fn what_others_may_change_is_named_wherever_on_the_way_it_lies() {
        let top = std::env::temp_dir().join(format!("mainstay-trust-{}", std::process::id()));
        let folder = top.join("kinds");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("program");
        std::fs::File::create(&file).unwrap();
        let set =
            |path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let told = || weakness(&file).unwrap().map(|it| (it.path, it.who));
        for path in [&top, &folder, &file] {
            set(path, 0o755);
        }
        assert_eq!(told(), None);
        for path in [&top, &folder, &file] {
            set(path, 0o757);
            assert_eq!(told(), Some((path.clone(), "everybody".to_owned())));
            set(path, 0o755);
        }
        // As the folder for temporary files: others may create there, but move nobody's things.
        set(&top, 0o1777);
        assert_eq!(told(), None);
        set(&folder, 0o1777);
        assert_eq!(told(), Some((folder.clone(), "everybody".to_owned())));
        weakness(&top.join("missing")).unwrap_err();
        std::fs::remove_dir_all(&top).unwrap();
    }
    /// Returns a folder of this name, where everybody may create and nobody may move others' things.
    fn shared_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(folder.join("safe")).unwrap();
        std::fs::set_permissions(folder.join("safe"), Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
        std::fs::File::create(folder.join("safe/program")).unwrap();
        folder
    }

    #[test]
    fn a_link_on_the_way_is_as_good_as_whoever_may_turn_it() {
        const MALLORY: u32 = 4711;
        let folder = shared_folder("turned");
        let (first, between) = (folder.join("safe/link"), folder.join("between"));
        // A link to a link to a folder, with a detour.
        symlink("../between/program", &first).unwrap();
        symlink(folder.join("safe/../safe"), &between).unwrap();
        assert_eq!(weakness(&first).unwrap(), None);
        // Only an administrator gives files away.
        if lchown(&between, Some(MALLORY), None).is_ok() {
            let found = weakness(&first).unwrap().unwrap();
            assert_eq!((found.path, found.who), (between, format!("user {MALLORY}")));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn links_in_a_circle_lead_nowhere() {
        let folder = shared_folder("circle");
        let link = folder.join("safe/link");
        symlink("link", &link).unwrap();
        assert_eq!(weakness(&link).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
