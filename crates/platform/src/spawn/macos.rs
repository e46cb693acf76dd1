//! `posix_spawn`: nothing is passed on but what the plan names, and our size does not matter.

#[path = "macos/plan.rs"]
mod plan;

use std::{
    ffi::CString,
    io::{self, Seek as _, Write as _},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd, RawFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::Path,
};

use rustix::{
    fs::{Access, access},
    io::fcntl_dupfd_cloexec,
    process::{Pid, Resource, Signal, WaitId, WaitIdOptions, getrlimit, kill_process, waitid},
};

use self::plan::Plan;
use super::{
    Cores, Input, Nascent, Output, Program, Seats, Share, SpawnError, Step, refuse_listening,
    search,
    unix::{Texts, open_null},
};
use crate::{macos::queue, pipe::PipeWriter, process::Process};

/// Under these numbers a program holds the read ends of its own output, so that its writes never
/// fail. High enough to be in nobody's way; below every limit of open files that is usual.
const READERS: [RawFd; 2] = [100, 101];
/// What is passed on is duplicated to numbers from here on: no step of the plan overwrites the
/// source of a later one.
const SOURCES_FROM: RawFd = 102;

pub(super) fn spawn(
    program: &Program<'_>,
    _: &mut Seats,
    _: &Nascent,
    _: Cores,
) -> Result<Process, SpawnError> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let fail =
        |step, subject: &str, source| SpawnError { step, subject: subject.to_owned(), source };
    check_files(program).map_err(|source| fail(Step::Limits, name, source))?;
    check_share(program.share).map_err(|source| fail(Step::Limits, name, source))?;
    refuse_listening(program).map_err(|source| fail(Step::Streams, name, source))?;
    let image = search::find(program).map_err(|source| fail(Step::Program, name, source))?;
    let texts = Texts::new(program, &program.environment, image).map_err(|what| {
        fail(Step::Arguments, &what, io::Error::from(io::ErrorKind::InvalidInput))
    })?;
    let streams = Streams::new(program).map_err(|source| fail(Step::Streams, name, source))?;
    let queue = queue().map_err(|source| fail(Step::Clone, name, source))?;
    let plan = plan(program, &texts, &streams).map_err(|source| fail(Step::Clone, name, source))?;
    let path = absolute(program, &texts).map_err(|source| fail(Step::Directory, name, source))?;
    match plan.start(&path, &texts) {
        Ok(pid) => held(pid, queue).map_err(|source| fail(Step::Clone, name, source)),
        Err(source) => {
            let (step, source) = blamed(program, source);
            let errno = source.raw_os_error().unwrap_or_default();
            let (step, subject) = search::explain(step, errno, program, &texts.image);
            Err(fail(step, &subject, source))
        }
    }
}

/// Returns a temporary file that has lost its name, from its beginning.
pub(super) fn input(text: &[u8]) -> io::Result<OwnedFd> {
    let mut file = crate::replace::memory_file()?;
    file.write_all(text)?;
    file.rewind()?;
    Ok(file.into())
}

/// Refuses a limit that the program would not get: it has the starter's own.
fn check_files(program: &Program<'_>) -> io::Result<()> {
    let own = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if program.files.is_some_and(|files| files > own) {
        let text = format!("at most {own} open files can be passed on to a program here");
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    Ok(())
}

/// Refuses what the system cannot set before the program begins.
fn check_share(share: Share) -> io::Result<()> {
    if share == Share::default() {
        return Ok(());
    }
    let text = "neither priority nor processors of a program can be chosen on macOS";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

/// What the program's streams are connected to, under numbers of its own.
struct Streams {
    standard: [OwnedFd; 3],
    readers: Vec<OwnedFd>,
}

impl Streams {
    fn new(program: &Program<'_>) -> io::Result<Self> {
        let null = open_null()?;
        let copy = |from: BorrowedFd<'_>| fcntl_dupfd_cloexec(from, SOURCES_FROM);
        let (output, otherwise) = match program.output {
            Output::Null => (null.as_fd(), null.as_fd()),
            Output::Inherited => (rustix::stdio::stdout(), rustix::stdio::stderr()),
            Output::Pipe(writer) => (writer.as_descriptor(), writer.as_descriptor()),
        };
        let error = program.error.map_or(otherwise, PipeWriter::as_descriptor);
        let input = program.input.map_or(null.as_fd(), Input::borrow);
        let standard = [copy(input)?, copy(output)?, copy(error)?];
        let first = match program.output {
            Output::Pipe(writer) => Some(writer),
            Output::Null | Output::Inherited => None,
        };
        let pipes = first.into_iter().chain(program.error);
        let readers: rustix::io::Result<_> = pipes.map(|pipe| copy(pipe.reader())).collect();
        Ok(Self { standard, readers: readers? })
    }
}

fn plan(program: &Program<'_>, texts: &Texts, streams: &Streams) -> io::Result<Plan> {
    let mut plan = Plan::new(program.group)?;
    let readers = READERS.into_iter().zip(&streams.readers);
    for (number, source) in (0..).zip(&streams.standard).chain(readers) {
        plan.connect(source.as_fd(), number)?;
    }
    if let Some(directory) = &texts.directory {
        plan.enter(directory)?;
    }
    Ok(plan)
}

/// Returns the image's full path: of a relative one `posix_spawn` says that it does not exist when
/// it also has to enter a folder, although it runs it (macOS 10.15 and later).
fn absolute(program: &Program<'_>, texts: &Texts) -> io::Result<CString> {
    let image = Path::new(std::ffi::OsStr::from_bytes(texts.image.to_bytes()));
    let base = program.directory.as_deref().unwrap_or_else(|| Path::new(""));
    let path = std::path::absolute(base.join(image))?;
    Ok(CString::new(path.into_os_string().into_vec())?)
}

/// Holds a child by its queue, or ends it: nobody could tell when it does.
fn held(pid: u32, queue: OwnedFd) -> io::Result<Process> {
    Process::from_child(pid, queue).inspect_err(|_| {
        if let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(number, Signal::KILL);
            let _ = waitid(WaitId::Pid(number), WaitIdOptions::EXITED);
        }
    })
}

/// Returns the step that must have failed: the system says only why.
fn blamed(program: &Program<'_>, error: io::Error) -> (Step, io::Error) {
    let entered = program.directory.as_deref().map_or(Ok(()), can_enter);
    match entered {
        Err(refused) => (Step::Directory, refused),
        Ok(()) if is_shortage(&error) => (Step::Clone, error),
        Ok(()) => (Step::Execute, error),
    }
}

fn can_enter(directory: &Path) -> io::Result<()> {
    if !std::fs::metadata(directory)?.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
    }
    Ok(access(directory, Access::EXEC_OK)?)
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}
