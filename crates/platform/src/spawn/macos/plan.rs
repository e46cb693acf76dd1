//! Attributes and file actions of `posix_spawn`, which free themselves.

use std::{
    ffi::CStr,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, BorrowedFd, RawFd},
    ptr::null_mut,
};

use super::super::{Group, unix::Texts};

/// `POSIX_SPAWN_SETSID` of `spawn.h`, macOS 10.15 and later.
const SETSID: libc::c_int = 0x0400;

/// What is done between the birth of a process and its program.
#[derive(Debug)]
pub(super) struct Plan {
    actions: libc::posix_spawn_file_actions_t,
    attributes: libc::posix_spawnattr_t,
}

/// These functions return the error's number.
fn check(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

impl Plan {
    /// Returns a plan that passes nothing on, gives back every signal and heads a group.
    #[expect(unsafe_code, reason = "posix_spawn_file_actions_init, posix_spawnattr_init")]
    pub(super) fn new(group: Group) -> io::Result<Self> {
        let mut plan = Self { actions: null_mut(), attributes: null_mut() };
        // SAFETY: the field is valid for writes.
        check(unsafe { libc::posix_spawn_file_actions_init(&raw mut plan.actions) })?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_init(&raw mut plan.attributes) })?;
        plan.set_flags(group)?;
        plan.set_signals()?;
        Ok(plan)
    }

    #[expect(unsafe_code, reason = "posix_spawnattr_setflags, posix_spawnattr_setpgroup")]
    fn set_flags(&mut self, group: Group) -> io::Result<()> {
        let heads = match group {
            Group::Own => libc::POSIX_SPAWN_SETPGROUP,
            Group::Session => SETSID,
        };
        let flags = heads
            | libc::POSIX_SPAWN_CLOEXEC_DEFAULT
            | libc::POSIX_SPAWN_SETSIGDEF
            | libc::POSIX_SPAWN_SETSIGMASK;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: the attributes are initialised.
        check(unsafe { libc::posix_spawnattr_setflags(&raw mut self.attributes, flags) })?;
        // SAFETY: as above; 0 asks for a group of its own, and counts only with the flag.
        check(unsafe { libc::posix_spawnattr_setpgroup(&raw mut self.attributes, 0) })
    }

    #[expect(unsafe_code, reason = "posix_spawnattr_setsigdefault, posix_spawnattr_setsigmask")]
    fn set_signals(&mut self) -> io::Result<()> {
        let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: `all` is valid for writes.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: `none` is valid for writes.
        unsafe { libc::sigemptyset(none.as_mut_ptr()) };
        let attributes = &raw mut self.attributes;
        // SAFETY: the attributes and the set are initialised.
        check(unsafe { libc::posix_spawnattr_setsigdefault(attributes, all.as_ptr()) })?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setsigmask(attributes, none.as_ptr()) })
    }

    /// Gives the program a descriptor under this number, which must be another one than it has.
    #[expect(unsafe_code, reason = "posix_spawn_file_actions_adddup2")]
    pub(super) fn connect(&mut self, source: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
        let (actions, source) = (&raw mut self.actions, source.as_raw_fd());
        // SAFETY: the actions are initialised.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(actions, source, number) })
    }

    /// Makes the program begin in this folder.
    #[expect(unsafe_code, reason = "posix_spawn_file_actions_addchdir_np")]
    pub(super) fn enter(&mut self, directory: &CStr) -> io::Result<()> {
        let (actions, path) = (&raw mut self.actions, directory.as_ptr());
        // SAFETY: the actions are initialised; the path ends with NUL and is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(actions, path) })
    }

    /// Starts the program; returns its number.
    #[expect(unsafe_code, reason = "posix_spawn")]
    pub(super) fn start(&self, image: &CStr, texts: &Texts) -> io::Result<u32> {
        let (arguments, environment) = (texts.arguments.as_ptr(), texts.environment.as_ptr());
        let mut pid: libc::pid_t = 0;
        // SAFETY: `pid` is valid for writes; the plan is initialised; image and texts end with
        // NUL, their arrays with null, all are only read and live until the call has returned.
        let code = unsafe {
            libc::posix_spawn(
                &raw mut pid,
                image.as_ptr(),
                &raw const self.actions,
                &raw const self.attributes,
                arguments.cast(),
                environment.cast(),
            )
        };
        check(code)?;
        u32::try_from(pid).map_err(io::Error::other)
    }
}

impl Drop for Plan {
    #[expect(unsafe_code, reason = "posix_spawn_file_actions_destroy, posix_spawnattr_destroy")]
    fn drop(&mut self) {
        if !self.actions.is_null() {
            // SAFETY: initialised, and not used any more.
            unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.actions) };
        }
        if !self.attributes.is_null() {
            // SAFETY: as above.
            unsafe { libc::posix_spawnattr_destroy(&raw mut self.attributes) };
        }
    }
}
