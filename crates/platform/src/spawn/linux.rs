//! `clone` with `CLONE_VM | CLONE_FILES | CLONE_VFORK | CLONE_PIDFD`: the cost grows neither with our
//! memory nor with our descriptors, of which the child copies only the lowest.

#[path = "linux/child.rs"]
mod child;
#[path = "linux/input.rs"]
mod input;
#[path = "linux/listen.rs"]
mod listen;

use std::{
    ffi::CString,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
};

pub(super) use self::input::input;
use self::{
    child::{Orders, STREAMS},
    listen::Told,
};
use super::{
    Cores, Group, Nascent, Output, Priority, Program, Seats, Share, SpawnError, Step, search,
    seats::Seated, unix::Texts,
};
use crate::{dump, pipe::PipeWriter, process::Process};

/// Room for the child until it executes; it needs a few hundred bytes.
const STACK_BYTES: usize = 64 * 1024;

pub(super) fn spawn(
    program: &Program<'_>,
    seats: &mut Seats,
    nascent: &Nascent,
    cores: Cores,
) -> Result<Process, SpawnError> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let fail =
        |step, subject: &str, source| SpawnError { step, subject: subject.to_owned(), source };
    let image = search::find(program).map_err(|source| fail(Step::Program, name, source))?;
    let mut told = Told::of(program);
    let texts = texts(program, image, told.as_ref()).map_err(|what| {
        fail(Step::Arguments, &what, io::Error::from(io::ErrorKind::InvalidInput))
    })?;
    let seated = seat(program, seats).map_err(|source| fail(Step::Streams, name, source))?;
    let mut orders = orders(program, &texts, &seated).with_pid(&raw const nascent.pid);
    if let (Cores::Former, Some(limit)) = (cores, dump::restored()) {
        orders = orders.with_cores(limit);
    }
    if let Some(told) = &mut told {
        orders.pass_on(told);
    }
    let (pid, pidfd) =
        clone_child(&mut orders).map_err(|source| fail(Step::Clone, name, source))?;
    nascent.settle();
    drop(seated);
    let process = Process::from_child(pid, pidfd);
    let Some((step, errno)) = orders.failure() else { return Ok(process) };
    process.reap();
    let source = io::Error::from_raw_os_error(errno);
    let (step, subject) = search::explain(step, errno, program, &texts.image);
    Err(fail(step, &subject, source))
}

fn texts(program: &Program<'_>, image: CString, told: Option<&Told>) -> Result<Texts, String> {
    let Some(told) = told else {
        return Texts::new(program, &program.environment, image);
    };
    let mut texts = Texts::new(program, &listen::environment(program), image)?;
    // Before the null at the end.
    let end = texts.environment.len() - 1;
    texts.environment.splice(end..end, told.variables());
    Ok(texts)
}

fn seat<'a>(program: &Program<'_>, seats: &'a mut Seats) -> io::Result<Seated<'a>> {
    let output = match program.output {
        Output::Pipe(writer) => Some(writer.as_descriptor()),
        Output::Null | Output::Inherited => None,
    };
    seats.occupy(output, program.error.map(PipeWriter::as_descriptor))
}

/// Tells the child what to do; `texts` and what is seated must outlive it.
fn orders(program: &Program<'_>, texts: &Texts, seated: &Seated<'_>) -> Orders {
    let null = seated.null();
    let (output, otherwise) = match program.output {
        Output::Null => (null, null),
        Output::Inherited => (1, 2),
        Output::Pipe(_) => (seated.output(), seated.output()),
    };
    let error = program.error.map_or(otherwise, |_| seated.error());
    let input = program.input.map_or(null, |input| input.borrow().as_raw_fd());
    let streams: [RawFd; STREAMS] = [input, output, error];
    Orders::new(texts.image.as_ptr(), texts.arguments.as_ptr(), texts.environment.as_ptr())
        .with_directory(texts.directory.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()))
        .with_streams(streams, seated.beyond().max(input + 1))
        .with_group(program.group)
        .with_files(program.files)
        .with_share(program.share)
}

/// Starts the child and sleeps until it has executed or given up.
#[expect(unsafe_code, reason = "clone with a shared address space has no safe wrapper")]
fn clone_child(orders: &mut Orders) -> io::Result<(u32, OwnedFd)> {
    // Left as it comes: to touch all of it takes longer than the child.
    let mut stack = Vec::<u128>::with_capacity(STACK_BYTES / 16);
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    let mut pidfd: RawFd = -1;
    let flags =
        libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let blocked = child::SignalsBlocked::new();
    // SAFETY: `top` is the aligned end of a stack that outlives the child's use of it, because
    // CLONE_VFORK holds this thread until the child has executed or exited; `orders` and all it
    // points to live as long; `main` is async-signal-safe; CLONE_PIDFD stores into `pidfd`.
    let pid = unsafe {
        libc::clone(
            child::main,
            top.cast(),
            flags,
            std::ptr::from_mut(orders).cast(),
            &raw mut pidfd,
        )
    };
    let error = io::Error::last_os_error();
    drop(blocked);
    let Ok(pid) = u32::try_from(pid) else { return Err(error) };
    // SAFETY: clone succeeded, so `pidfd` is a new descriptor that nobody else owns.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}
