//! Groups of whoever connected (`SO_PEERGROUPS`), and access lists of sockets and folders.

use std::{
    fs, io,
    os::{
        fd::{AsRawFd as _, BorrowedFd},
        unix::fs::MetadataExt as _,
    },
    path::Path,
};

use rustix::{
    fs::{XattrFlags, getxattr, setxattr},
    io::Errno,
    process::geteuid,
};

/// The extended attribute that holds a POSIX access list.
const LIST: &str = "system.posix_acl_access";
/// Nobody is in more groups (`NGROUPS_MAX`).
const GROUPS_MAX: usize = 65_536;
/// The version of the attribute's format.
const VERSION: u32 = 2;
const HEAD_BYTES: usize = 4;
const ENTRY_BYTES: usize = 8;
/// The longest list that is read.
const LIST_BYTES_MAX: usize = 64 * 1024;

/// Kinds of entries, in the order in which the kernel wants them.
const USER_OBJECT: u16 = 0x01;
const GROUP_OBJECT: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
/// The number of an entry that has none.
const NOBODY: u32 = u32::MAX;

const SEARCH: u16 = 1;
const READ_WRITE: u16 = 6;
const ALL: u16 = 7;

/// Returns the further groups of whoever connected.
#[expect(unsafe_code, reason = "SO_PEERGROUPS has no safe wrapper")]
pub(super) fn groups(socket: BorrowedFd<'_>) -> io::Result<Vec<libc::gid_t>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let bytes = groups.len() * size_of::<libc::gid_t>();
        let mut size = libc::socklen_t::try_from(bytes).unwrap_or_default();
        let (raw, to) = (socket.as_raw_fd(), groups.as_mut_ptr().cast());
        // SAFETY: `to` is valid for writes of `size` bytes; `size` is valid for writes.
        let result = unsafe {
            libc::getsockopt(raw, libc::SOL_SOCKET, libc::SO_PEERGROUPS, to, &raw mut size)
        };
        let count = usize::try_from(size).unwrap_or_default() / size_of::<libc::gid_t>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() || count > GROUPS_MAX
        {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// Lets groups reach a socket: write to it, and walk to it through its folder and the one above.
pub(super) fn let_in(path: &Path, groups: &[u32]) -> io::Result<()> {
    let mut folders = path.ancestors().skip(1);
    let (own, shared) = (folders.next(), folders.next());
    if let Some(shared) = shared.filter(|_| !groups.is_empty()) {
        let mut all = groups_in(shared)?;
        all.extend(groups);
        allow(shared, ALL, SEARCH, &all)?;
    }
    if let Some(own) = own {
        allow(own, ALL, SEARCH, groups)?;
    }
    allow(path, READ_WRITE, READ_WRITE, groups)
}

/// Gives the owner and groups their rights, and nobody else any. What is not ours, or open to
/// everybody anyway, is left alone.
fn allow(path: &Path, owner: u16, right: u16, groups: &[u32]) -> io::Result<()> {
    let found = fs::metadata(path)?;
    let (group, others) = (found.mode() >> 3 & 0o7, found.mode() & 0o7);
    let is_done = groups.is_empty() && group == 0;
    if found.uid() != geteuid().as_raw() || others != 0 || is_done {
        return Ok(());
    }
    setxattr(path, LIST, &list(owner, right, groups), XattrFlags::empty())?;
    Ok(())
}

fn list(owner: u16, right: u16, groups: &[u32]) -> Vec<u8> {
    let mut groups = groups.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let mut list = VERSION.to_le_bytes().to_vec();
    let mut add = |kind: u16, right: u16, number: u32| {
        list.extend(kind.to_le_bytes());
        list.extend(right.to_le_bytes());
        list.extend(number.to_le_bytes());
    };
    add(USER_OBJECT, owner, NOBODY);
    add(GROUP_OBJECT, 0, NOBODY);
    for group in &groups {
        add(GROUP, right, *group);
    }
    if !groups.is_empty() {
        add(MASK, right, NOBODY);
    }
    add(OTHER, 0, NOBODY);
    list
}

/// Returns the groups that have rights already.
fn groups_in(path: &Path) -> io::Result<Vec<u32>> {
    let mut list = vec![0; LIST_BYTES_MAX];
    let size = match getxattr(path, LIST, &mut list) {
        Ok(size) => size,
        Err(Errno::NODATA | Errno::NOTSUP) => 0,
        Err(errno) => return Err(errno.into()),
    };
    let entries = list.get(HEAD_BYTES..size).unwrap_or_default().as_chunks::<ENTRY_BYTES>().0;
    let groups = entries.iter().filter_map(|[kind, kind_high, _, _, number @ ..]| {
        let is_group = u16::from_le_bytes([*kind, *kind_high]) == GROUP;
        is_group.then(|| u32::from_le_bytes(*number))
    });
    Ok(groups.collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn groups_are_let_in_and_shut_out_again_and_nobody_else_ever_is() {
        let shared = std::env::temp_dir().join(format!("mainstay-acl-{}", std::process::id()));
        let own = shared.join("one");
        fs::create_dir_all(&own).unwrap();
        let file = own.join("socket");
        fs::write(&file, "").unwrap();
        for (path, mode) in [(&shared, 0o700), (&own, 0o700), (&file, 0o600)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;

        let_in(&file, &[]).unwrap();
        assert_eq!(mode(&file), 0o600);
        let_in(&file, &[77, 5, 77]).unwrap();
        assert_eq!(groups_in(&file).unwrap(), [5, 77]);
        assert_eq!(groups_in(&own).unwrap(), [5, 77]);
        assert_eq!([mode(&file) & 0o7, mode(&own) & 0o7], [0, 0]);

        let_in(&file, &[6]).unwrap();
        assert_eq!(groups_in(&file).unwrap(), [6]);
        assert_eq!(groups_in(&shared).unwrap(), [5, 6, 77], "others may need the way");

        let_in(&file, &[]).unwrap();
        assert_eq!([mode(&file), mode(&own)], [0o600, 0o700]);
        assert!(groups_in(&file).unwrap().is_empty());
        fs::remove_dir_all(&shared).unwrap();
    }
}
