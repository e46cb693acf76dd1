//! `kcmp`; where that is not there or forbidden (seccomp, Yama), `epoll`, and for what cannot be
//! watched `fstat`.

use std::{
    io,
    os::fd::{AsRawFd as _, OwnedFd},
};

use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fs::{FileType, OFlags, SeekFrom, fcntl_getfl, fstat, seek},
    io::{DupFlags, Errno, dup3},
};

/// `KCMP_FILE` of `linux/kcmp.h`.
const FILE: libc::c_int = 0;

pub(super) fn are_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    let told = compare(one, other).or_else(|_| watch_both(one, other));
    told.unwrap_or_else(|_| are_alike(one, other))
}

#[expect(unsafe_code, reason = "kcmp has no wrapper")]
fn compare(one: &OwnedFd, other: &OwnedFd) -> io::Result<bool> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let (one, other) = (one.as_raw_fd(), other.as_raw_fd());
    // SAFETY: no memory is involved.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, own, own, FILE, one, other) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}

/// Watches both under one number: epoll knows what it watches by its open file and that number, and
/// refuses the second if it is the same.
fn watch_both(one: &OwnedFd, other: &OwnedFd) -> io::Result<bool> {
    let port = epoll::create(CreateFlags::CLOEXEC)?;
    let mut number = one.try_clone()?;
    epoll::add(&port, &number, EventData::new_u64(0), EventFlags::empty())?;
    dup3(other, &mut number, DupFlags::CLOEXEC)?;
    match epoll::add(&port, &number, EventData::new_u64(0), EventFlags::empty()) {
        Err(Errno::EXIST) => Ok(true),
        // What cannot be watched is no duplicate of what can.
        Ok(()) | Err(Errno::PERM) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// What is known of a file on a disk, or in memory: which it is, how it was opened, and where it
/// stands.
type Likeness = (u64, u64, OFlags, u64);

fn are_alike(one: &OwnedFd, other: &OwnedFd) -> bool {
    likeness_of(one).is_some_and(|likeness| likeness_of(other) == Some(likeness))
}

fn likeness_of(file: &OwnedFd) -> Option<Likeness> {
    let stat = fstat(file).ok()?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    // Everything else may share its number with others.
    let has_number = matches!(kind, FileType::RegularFile | FileType::Directory);
    let flags = fcntl_getfl(file).ok()?;
    let at = seek(file, SeekFrom::Current(0)).ok()?;
    has_number.then_some((stat.st_dev, stat.st_ino, flags, at))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read as _};

    use rustix::event::{EventfdFlags, eventfd};

    use super::*;

    fn duplicate(of: &OwnedFd) -> OwnedFd {
        of.try_clone().unwrap()
    }

    #[test]
    fn what_can_be_watched_is_told_apart_without_a_comparison() {
        let (reader, writer) = io::pipe().unwrap();
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        let event = || eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let (one, other) = (event(), event());
        for (first, second, expected) in [
            (&reader, &duplicate(&reader), true),
            (&reader, &writer, false),
            (&one, &duplicate(&one), true),
            (&one, &other, false),
        ] {
            assert_eq!(watch_both(first, second).unwrap(), expected);
            assert_eq!(compare(first, second).unwrap_or(expected), expected);
            assert!(!are_alike(first, second), "nothing is known of these");
        }
    }

    #[test]
    fn files_are_told_apart_by_what_is_known_of_them() {
        let own = std::env::current_exe().unwrap();
        let mut file = File::open(&own).unwrap();
        let elsewhere = OwnedFd::from(File::open(own.parent().unwrap()).unwrap());
        file.read_exact(&mut [0; 4]).unwrap();
        let (file, again) = (OwnedFd::from(file), OwnedFd::from(File::open(&own).unwrap()));
        watch_both(&file, &again).unwrap_err();
        assert!(are_alike(&file, &duplicate(&file)) && are_same(&file, &duplicate(&file)));
        for other in [&again, &elsewhere] {
            assert!(!are_alike(&file, other) && !are_same(&file, other));
        }
    }
}
