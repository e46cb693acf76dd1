//! What runs between clone and exec, in our memory: nothing here allocates, locks or panics.

use std::{
    os::fd::RawFd,
    ptr::{NonNull, slice_from_raw_parts_mut},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    Group, Priority, Share, Step,
    listen::{OWN_NUMBERS, Told},
};

/// stdin, stdout, stderr.
pub(super) const STREAMS: usize = 3;
/// `SD_LISTEN_FDS_START`: what is passed on begins here.
const PASSED_FROM: RawFd = 3;
/// `CLOSE_RANGE_UNSHARE`.
const UNSHARE: libc::c_uint = 1 << 1;
/// `CLOSE_RANGE_CLOEXEC`.
const CLOSE_ON_EXEC: libc::c_uint = 1 << 2;
const EXIT_NOT_STARTED: libc::c_int = 127;

/// What the child is to do, and how it tells what went wrong.
#[derive(Debug)]
pub(super) struct Orders {
    image: *const libc::c_char,
    arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    directory: *const libc::c_char,
    streams: [RawFd; STREAMS],
    /// From this descriptor on the child needs none.
    beyond: RawFd,
    group: Group,
    files: Option<u64>,
    cores: Option<u64>,
    share: Share,
    failed: Option<(Step, libc::c_int)>,
    pid: *const AtomicU32,
    passed: Passed,
}

/// What is passed on beside the streams, in memory of the parent's.
#[derive(Debug)]
struct Passed {
    sources: *mut [RawFd],
    /// Where the child's number stands in its environment.
    own_pids: [*mut [u8]; OWN_NUMBERS],
}

impl Passed {
    const NOTHING: Self = Self {
        sources: slice_from_raw_parts_mut(NonNull::dangling().as_ptr(), 0),
        own_pids: [slice_from_raw_parts_mut(NonNull::dangling().as_ptr(), 0); OWN_NUMBERS],
    };
}

impl Orders {
    pub(super) const fn new(
        image: *const libc::c_char,
        arguments: *const *const libc::c_char,
        environment: *const *const libc::c_char,
    ) -> Self {
        let directory = std::ptr::null();
        let (streams, beyond) = ([-1; STREAMS], RawFd::MAX);
        let (group, files, cores, failed) = (Group::Own, None, None, None);
        let share = Share { priority: None, processors: None };
        let pid = std::ptr::null();
        Self {
            image,
            arguments,
            environment,
            directory,
            streams,
            beyond,
            group,
            files,
            cores,
            share,
            failed,
            pid,
            passed: Passed::NOTHING,
        }
    }

    /// The child says its number there, so that somebody can kill it before it executes.
    pub(super) const fn with_pid(mut self, pid: *const AtomicU32) -> Self {
        self.pid = pid;
        self
    }

    pub(super) const fn with_directory(mut self, directory: *const libc::c_char) -> Self {
        self.directory = directory;
        self
    }

    pub(super) const fn with_streams(mut self, streams: [RawFd; STREAMS], beyond: RawFd) -> Self {
        (self.streams, self.beyond) = (streams, beyond);
        self
    }

    /// Passes descriptors on, and what is said of them; `told` must outlive the child.
    pub(super) fn pass_on(&mut self, told: &mut Told) {
        let highest = told.sources.iter().copied().max().unwrap_or_default();
        self.beyond = self.beyond.max(highest + 1);
        let own_pids = told.own_pids().map(std::ptr::from_mut);
        self.passed = Passed { sources: &raw mut *told.sources, own_pids };
    }

    pub(super) const fn with_group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    pub(super) const fn with_files(mut self, files: Option<u64>) -> Self {
        self.files = files;
        self
    }

    /// Gives it another soft limit of core files than the parent has.
    pub(super) const fn with_cores(mut self, cores: u64) -> Self {
        self.cores = Some(cores);
        self
    }

    pub(super) const fn with_share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// Returns what the child could not do, after it has given up.
    pub(super) const fn failure(&self) -> Option<(Step, i32)> {
        self.failed
    }
}

/// The child's first function.
#[expect(unsafe_code, reason = "the signature that clone asks for")]
pub(super) extern "C" fn main(orders: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `clone_child` passes a pointer to its own `Orders` and sleeps while we use it.
    let orders = unsafe { &mut *orders.cast::<Orders>() };
    let step = obey(orders);
    // Reads errno and allocates nothing.
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or_default();
    orders.failed = Some((step, errno));
    // SAFETY: ends this process without running anything of the parent's.
    unsafe { libc::_exit(EXIT_NOT_STARTED) }
}

/// Returns the step that failed; on success it does not return.
fn obey(orders: &Orders) -> Step {
    introduce(orders);
    if !lead(orders) {
        return Step::Clone;
    }
    if !part(orders) || !connect_streams(orders) || !connect_passed(orders) {
        return Step::Streams;
    }
    if !limit_files(orders) || !limit_cores(orders) || !limit_share(orders.share) {
        return Step::Limits;
    }
    if !enter(orders) {
        return Step::Directory;
    }
    restore_signals();
    execute(orders);
    Step::Execute
}

#[expect(unsafe_code, reason = "getpid, and memory of the parent")]
fn introduce(orders: &Orders) {
    // SAFETY: no memory is involved.
    let pid = unsafe { libc::getpid() };
    // SAFETY: null, or a number of the parent's that outlives its sleep.
    if let Some(place) = unsafe { orders.pid.as_ref() } {
        place.store(pid.unsigned_abs(), Ordering::SeqCst);
    }
    for place in orders.passed.own_pids {
        // SAFETY: empty, or memory of the parent's that outlives its sleep and that nobody else
        // uses.
        let text = unsafe { &mut *place };
        write_number(pid.unsigned_abs(), text);
    }
}

/// Writes a number in decimal digits; what does not fit is left out.
fn write_number(number: u32, text: &mut [u8]) {
    let digits = number.checked_ilog10().unwrap_or_default();
    let places = (0..=digits).rev().map(|place| 10_u32.pow(place));
    for (room, place) in text.iter_mut().zip(places) {
        *room = b'0' + u8::try_from(number / place % 10).unwrap_or_default();
    }
}

#[expect(unsafe_code, reason = "setsid, setpgid")]
fn lead(orders: &Orders) -> bool {
    if let Group::Session = orders.group {
        // SAFETY: no memory is involved.
        return unsafe { libc::setsid() } >= 0;
    }
    // SAFETY: no memory is involved.
    unsafe { libc::setpgid(0, 0) == 0 }
}

/// Gets descriptors of its own: until here they are the parent's.
#[expect(unsafe_code, reason = "close_range, unshare")]
fn part(orders: &Orders) -> bool {
    let beyond = libc::c_uint::try_from(orders.beyond).unwrap_or(libc::c_uint::MAX);
    let call = libc::SYS_close_range;
    // SAFETY: no memory is involved. Copies the table up to `beyond` for us; the parent keeps its
    // own, of which nothing is closed.
    let parted = unsafe { libc::syscall(call, beyond, libc::c_uint::MAX, UNSHARE) } == 0;
    // SAFETY: no memory is involved. Kernels before 5.9 have no such call: there all is copied.
    parted || unsafe { libc::unshare(libc::CLONE_FILES) } == 0
}

#[expect(unsafe_code, reason = "dup2")]
fn connect_streams(orders: &Orders) -> bool {
    for (target, source) in (0..).zip(orders.streams) {
        // SAFETY: no memory is involved. Our own descriptors are all above 2, and 1 and 2 are
        // inherited as they stand, without close-on-exec.
        if unsafe { libc::dup2(source, target) } < 0 {
            return false;
        }
    }
    true
}

/// Connects what is passed on, in order, and closes everything beyond it.
#[expect(unsafe_code, reason = "fcntl, dup2, close_range")]
fn connect_passed(orders: &Orders) -> bool {
    // SAFETY: empty, or memory of the parent's that outlives its sleep and that nobody else uses.
    let sources = unsafe { &mut *orders.passed.sources };
    let end = PASSED_FROM.saturating_add(RawFd::try_from(sources.len()).unwrap_or(RawFd::MAX));
    // First out of the way: no step may overwrite the source of a later one.
    for source in sources.iter_mut().filter(|source| **source < end) {
        // SAFETY: no memory is involved.
        *source = unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, end) };
    }
    for (target, source) in (PASSED_FROM..end).zip(sources) {
        // SAFETY: no memory is involved; a source that was not moved is -1, and refused.
        if unsafe { libc::dup2(*source, target) } < 0 {
            return false;
        }
    }
    // SAFETY: no memory is involved. Kernels before 5.11 refuse: there every descriptor of ours
    // is close-on-exec from birth anyway.
    unsafe { libc::syscall(libc::SYS_close_range, end, libc::c_uint::MAX, CLOSE_ON_EXEC) };
    true
}

#[expect(unsafe_code, reason = "getrlimit, setrlimit")]
fn limit_cores(orders: &Orders) -> bool {
    let Some(cores) = orders.cores else { return true };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes.
    if unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) } != 0 {
        return false;
    }
    limit.rlim_cur = cores.min(limit.rlim_max);
    // SAFETY: `limit` is valid for reads.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) == 0 }
}

#[expect(unsafe_code, reason = "getrlimit, setrlimit")]
fn limit_files(orders: &Orders) -> bool {
    let Some(files) = orders.files else { return true };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return false;
    }
    limit.rlim_cur = files;
    limit.rlim_max = limit.rlim_max.max(files);
    // SAFETY: `limit` is valid for reads.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0 }
}

#[expect(unsafe_code, reason = "setpriority, sched_setaffinity")]
fn limit_share(share: Share) -> bool {
    if let Some(priority) = share.priority {
        // SAFETY: no memory is involved; 0 is ourselves.
        if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice_of(priority)) } != 0 {
            return false;
        }
    }
    let Some(mask) = share.processors else { return true };
    // SAFETY: the mask has the size that is given; 0 is ourselves.
    unsafe { libc::sched_setaffinity(0, size_of::<u64>(), (&raw const mask).cast()) == 0 }
}

const fn nice_of(priority: Priority) -> libc::c_int {
    match priority {
        Priority::Idle => 19,
        Priority::BelowNormal => 10,
        Priority::Normal => 0,
        Priority::AboveNormal => -5,
        Priority::High => -10,
        Priority::Realtime => -20,
    }
}

#[expect(unsafe_code, reason = "chdir")]
fn enter(orders: &Orders) -> bool {
    // SAFETY: `directory` is a C string that outlives the child.
    orders.directory.is_null() || unsafe { libc::chdir(orders.directory) } == 0
}

/// Gives back what Rust's runtime and we ourselves have changed.
#[expect(unsafe_code, reason = "signal, sigprocmask")]
fn restore_signals() {
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sets a disposition of this process only; handlers are not shared.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    // SAFETY: `none` is valid for writes.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: `none` is initialised; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) };
}

#[expect(unsafe_code, reason = "execve")]
fn execute(orders: &Orders) {
    // SAFETY: all three point to NUL-terminated texts and arrays that outlive the child.
    unsafe { libc::execve(orders.image, orders.arguments, orders.environment) };
}

/// Keeps signal handlers from running on memory that parent and child share.
pub(super) struct SignalsBlocked {
    former: libc::sigset_t,
}

impl SignalsBlocked {
    #[expect(unsafe_code, reason = "pthread_sigmask")]
    pub(super) fn new() -> Self {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        let mut former = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: `all` is valid for writes.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: `all` is initialised and `former` is valid for writes.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), former.as_mut_ptr()) };
        // SAFETY: it was zeroed, a valid empty set, and the call above replaced it.
        Self { former: unsafe { former.assume_init() } }
    }
}

impl Drop for SignalsBlocked {
    #[expect(unsafe_code, reason = "pthread_sigmask")]
    fn drop(&mut self) {
        // SAFETY: `former` is an initialised set.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.former, std::ptr::null_mut())
        };
    }
}
