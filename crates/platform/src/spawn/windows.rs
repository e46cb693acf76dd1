//! `CreateProcessW`: suspended, with a list of the handles it may inherit, into a named job.

#[path = "windows/command_line.rs"]
mod command_line;
#[path = "windows/handle_list.rs"]
mod handle_list;
#[path = "windows/search.rs"]
mod search;

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    path::{Path, PathBuf},
    ptr::null,
};

use windows_sys::Win32::{
    Foundation::{ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY},
    System::{
        Console::{GetStdHandle, STD_ERROR_HANDLE, STD_OUTPUT_HANDLE},
        Threading::{
            CREATE_NO_WINDOW, CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
            EXTENDED_STARTUPINFO_PRESENT, PROCESS_INFORMATION, ResumeThread, STARTF_USESTDHANDLES,
            STARTUPINFOEXW, STARTUPINFOW, TerminateProcess,
        },
    },
};

use self::handle_list::HandleList;
use super::{Nascent, Output, Program, Seats, SpawnError, Step};
use crate::{
    pipe::PipeWriter,
    process::{Job, Process, console_lock},
    windows::{Inherit, duplicate, duplicate_between, own, own_process, succeed, wide},
};

/// Returns the environment of this process, as `NAME=value`.
pub fn own_environment() -> Vec<Vec<u8>> {
    let joined = |(name, value): (OsString, OsString)| {
        format!("{}={}", name.to_string_lossy(), value.to_string_lossy()).into_bytes()
    };
    std::env::vars_os().map(joined).collect()
}

/// Returns the words as one text that programs split again.
pub(crate) fn command_line(words: &[String]) -> String {
    command_line::line(words)
}

pub(super) fn image_of(program: &Program<'_>) -> io::Result<PathBuf> {
    search::find(program)
}

pub(super) fn spawn(
    program: &Program<'_>,
    _: &mut Seats,
    _: &Nascent,
) -> Result<Process, SpawnError> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let fail =
        |step, subject: &str, source| SpawnError { step, subject: subject.to_owned(), source };
    if let Some(folder) = program.directory.as_ref().filter(|folder| !folder.is_dir()) {
        let source = io::Error::from_raw_os_error(ERROR_DIRECTORY.cast_signed());
        return Err(fail(Step::Directory, &folder.display().to_string(), source));
    }
    let image = search::find(program).map_err(|source| fail(Step::Program, name, source))?;
    let prepared = Prepared::new(program, &image).map_err(|what| {
        fail(Step::Arguments, &what, io::Error::from(io::ErrorKind::InvalidInput))
    })?;
    let streams = Streams::new(program).map_err(|source| fail(Step::Streams, name, source))?;
    let job = Job::new(program.label).map_err(|source| fail(Step::Limits, name, source))?;
    let suspended = prepared.create(&streams).map_err(|source| {
        let is_garbage = source.raw_os_error() == Some(ERROR_BAD_EXE_FORMAT.cast_signed());
        let step = if is_garbage { Step::Execute } else { Step::Clone };
        fail(step, &image.display().to_string(), source)
    })?;
    suspended.release(program, job).map_err(|source| fail(Step::Limits, name, source))
}

/// Texts as `CreateProcessW` takes them.
struct Prepared {
    image: Vec<u16>,
    line: Vec<u16>,
    environment: Vec<u16>,
    directory: Option<Vec<u16>>,
}

impl Prepared {
    /// Fails with the text that holds a NUL.
    fn new(program: &Program<'_>, image: &Path) -> Result<Self, String> {
        let variables = program.environment.iter().map(|one| String::from_utf8_lossy(one));
        let variables: Vec<String> = variables.map(std::borrow::Cow::into_owned).collect();
        let has_nul = |text: &&String| text.contains('\0');
        if let Some(text) = program.command.iter().chain(&variables).find(has_nul) {
            return Err(text.replace('\0', "\u{fffd}"));
        }
        Ok(Self {
            image: wide(image),
            line: wide(command_line::line(program.command)),
            environment: command_line::environment(&variables),
            directory: program.directory.as_ref().map(wide),
        })
    }

    #[expect(unsafe_code, reason = "CreateProcessW")]
    fn create(&self, streams: &Streams) -> io::Result<Suspended> {
        let list = HandleList::new(streams.raw())?;
        let [input, output, error] = streams.raw();
        let mut startup = STARTUPINFOEXW {
            StartupInfo: STARTUPINFOW {
                cb: u32::try_from(size_of::<STARTUPINFOEXW>()).unwrap_or_default(),
                dwFlags: STARTF_USESTDHANDLES,
                hStdInput: input,
                hStdOutput: output,
                hStdError: error,
                ..STARTUPINFOW::default()
            },
            lpAttributeList: list.raw(),
        };
        let mut made = PROCESS_INFORMATION::default();
        let mut line = self.line.clone();
        let directory = self.directory.as_ref().map_or(null(), Vec::as_ptr);
        let flags = CREATE_SUSPENDED
            | CREATE_NO_WINDOW
            | CREATE_UNICODE_ENVIRONMENT
            | EXTENDED_STARTUPINFO_PRESENT;
        let environment = self.environment.as_ptr().cast();
        let startup = (&raw mut startup).cast();
        let _guard = console_lock();
        // SAFETY: all texts end with NUL (the environment with two) and live until the call
        // returns, as do the list and its handles; `line` may be written to; `made` is valid for
        // writes.
        let done = unsafe {
            CreateProcessW(
                self.image.as_ptr(),
                line.as_mut_ptr(),
                null(),
                null(),
                1,
                flags,
                environment,
                directory,
                startup,
                &raw mut made,
            )
        };
        succeed(done)?;
        // SAFETY: the call made a new handle.
        let process = unsafe { own(made.hProcess) }?;
        // SAFETY: as above.
        let thread = unsafe { own(made.hThread) }?;
        Ok(Suspended { pid: made.dwProcessId, process, thread })
    }
}

/// A process that has not begun to run.
struct Suspended {
    pid: u32,
    process: OwnedHandle,
    thread: OwnedHandle,
}

impl Suspended {
    /// Puts it into its job, gives it what keeps job and pipes alive, and lets it run.
    fn release(self, program: &Program<'_>, job: Job) -> io::Result<Process> {
        if let Err(error) = self.equip(program, &job) {
            self.abandon();
            return Err(error);
        }
        Ok(Process::from_child(self.pid, self.process, job))
    }

    #[expect(unsafe_code, reason = "ResumeThread")]
    fn equip(&self, program: &Program<'_>, job: &Job) -> io::Result<()> {
        let raw = self.process.as_raw_handle();
        job.assign(raw)?;
        let output = match program.output {
            Output::Pipe(writer) => Some(writer),
            Output::Null | Output::Inherited => None,
        };
        let pipes = [output, program.error].into_iter().flatten().map(PipeWriter::reader);
        for held in pipes.chain([job.raw()]) {
            duplicate_between([own_process(), raw], held, Inherit::No)?;
        }
        // SAFETY: the thread is ours and suspended.
        let former = unsafe { ResumeThread(self.thread.as_raw_handle()) };
        if former == u32::MAX { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    #[expect(unsafe_code, reason = "TerminateProcess")]
    fn abandon(&self) {
        // SAFETY: the process is ours and has not run yet.
        unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
    }
}

/// The standard streams, as handles that may be inherited.
struct Streams([OwnedHandle; 3]);

impl Streams {
    fn new(program: &Program<'_>) -> io::Result<Self> {
        let null = || {
            let file = OpenOptions::new().read(true).write(true).open("NUL")?;
            duplicate(file.as_raw_handle(), Inherit::Yes)
        };
        let output = match program.output {
            Output::Null => null()?,
            Output::Inherited => standard(STD_OUTPUT_HANDLE).or_else(|_| null())?,
            Output::Pipe(writer) => {
                duplicate(writer.as_descriptor().as_raw_handle(), Inherit::Yes)?
            }
        };
        let error = match (program.error, program.output) {
            (Some(writer), _) | (None, Output::Pipe(writer)) => {
                duplicate(writer.as_descriptor().as_raw_handle(), Inherit::Yes)?
            }
            (None, Output::Inherited) => standard(STD_ERROR_HANDLE).or_else(|_| null())?,
            (None, Output::Null) => null()?,
        };
        Ok(Self([null()?, output, error]))
    }

    fn raw(&self) -> [RawHandle; 3] {
        self.0.each_ref().map(OwnedHandle::as_raw_handle)
    }
}

#[expect(unsafe_code, reason = "GetStdHandle")]
fn standard(which: u32) -> io::Result<OwnedHandle> {
    // SAFETY: no memory is involved; a process without the stream has null, which fails next.
    let handle = unsafe { GetStdHandle(which) };
    if handle.is_null() {
        return Err(io::ErrorKind::NotFound.into());
    }
    duplicate(handle, Inherit::Yes)
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
