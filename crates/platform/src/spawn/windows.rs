//! `CreateProcessW`: suspended, with a list of the handles it may inherit, into a named job; it
//! runs when it is released.

#[path = "windows/attributes.rs"]
mod attributes;
#[path = "windows/command_line.rs"]
mod command_line;
#[path = "windows/environment.rs"]
mod environment;
#[path = "windows/helper.rs"]
mod helper;
#[path = "windows/input.rs"]
mod input;
#[path = "windows/script.rs"]
mod script;
#[path = "windows/search.rs"]
mod search;

use std::{
    fs::OpenOptions,
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    path::{Path, PathBuf},
    ptr::null,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_BAD_EXE_FORMAT, ERROR_CANT_ACCESS_FILE, ERROR_DIRECTORY, ERROR_PRIVILEGE_NOT_HELD,
    },
    System::{
        Console::{GetStdHandle, STD_ERROR_HANDLE, STD_OUTPUT_HANDLE},
        Threading::{
            ABOVE_NORMAL_PRIORITY_CLASS, BELOW_NORMAL_PRIORITY_CLASS, CREATE_NO_WINDOW,
            CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW, DETACHED_PROCESS,
            EXTENDED_STARTUPINFO_PRESENT, GetPriorityClass, HIGH_PRIORITY_CLASS,
            IDLE_PRIORITY_CLASS, NORMAL_PRIORITY_CLASS, PROCESS_INFORMATION,
            REALTIME_PRIORITY_CLASS, STARTF_USESTDHANDLES, STARTUPINFOEXW, STARTUPINFOW,
            SetPriorityClass, SetProcessAffinityMask, TerminateProcess,
        },
    },
};

use self::{attributes::Attributes, script::Called};
use super::{
    Cores, Input, Nascent, Output, Priority, Program, Seats, Share, SpawnError, Step,
    refuse_listening,
};
use crate::{
    pipe::KEPT_ACCESS,
    process::{Job, Process},
    windows::{Inherit, duplicate, give, is, own, succeed, wide},
};

pub(crate) use environment::fresh as variables_of_now;
pub use environment::{BaseEnvironment, is_same_variable, own_environment};
pub(crate) use helper::spawn_helper;
pub(super) use input::input;

/// What a program may do with its own job: ask about it, `JOB_OBJECT_QUERY`. Its handle is what
/// keeps the job's name.
const JOB_ACCESS: u32 = 0x0004;

/// Returns the words as one text that programs split again.
pub(crate) fn command_line(words: &[String]) -> String {
    command_line::line(words)
}

pub(super) fn image_of(program: &Program<'_>) -> io::Result<PathBuf> {
    search::find(program)
}

/// Makes a program that does not begin before it is released.
pub(super) fn spawn(
    program: &Program<'_>,
    _: &mut Seats,
    _: &Nascent,
    _: Cores,
) -> Result<Process, SpawnError> {
    let name = program.command.first().map(String::as_str).unwrap_or_default();
    let fail =
        |step, subject: &str, source| SpawnError { step, subject: subject.to_owned(), source };
    if let Some(folder) = program.directory.as_ref().filter(|folder| !folder.is_dir()) {
        let source = io::Error::from_raw_os_error(ERROR_DIRECTORY.cast_signed());
        return Err(fail(Step::Directory, &folder.display().to_string(), source));
    }
    let file = search::find(program).map_err(|source| {
        let step = if is(&source, ERROR_CANT_ACCESS_FILE) { Step::Alias } else { Step::Program };
        fail(step, name, source)
    })?;
    let prepared = Prepared::new(program, &file).map_err(|what| {
        fail(Step::Arguments, &what, io::Error::from(io::ErrorKind::InvalidInput))
    })?;
    refuse_listening(program).map_err(|source| fail(Step::Streams, name, source))?;
    let streams = Streams::new(program).map_err(|source| fail(Step::Streams, name, source))?;
    let job = Job::new(program.label).map_err(|source| fail(Step::Limits, name, source))?;
    let suspended = prepared.create(&streams, Some(&job)).map_err(|source| {
        let step = if is(&source, ERROR_BAD_EXE_FORMAT) { Step::Foreign } else { Step::Clone };
        fail(step, &file.display().to_string(), source)
    })?;
    suspended.equip(program, job).map_err(|source| fail(Step::Limits, name, source))
}

/// Texts as `CreateProcessW` takes them.
struct Prepared {
    image: Vec<u16>,
    line: Vec<u16>,
    environment: Vec<u16>,
    directory: Option<Vec<u16>>,
    flags: u32,
}

impl Prepared {
    /// Fails with the text that cannot be passed on.
    fn new(program: &Program<'_>, file: &Path) -> Result<Self, String> {
        let variables = program.environment.iter().map(|one| String::from_utf8_lossy(one));
        let variables: Vec<String> = variables.map(std::borrow::Cow::into_owned).collect();
        let has_nul = |text: &&String| text.contains('\0');
        if let Some(text) = program.command.iter().find(has_nul) {
            return Err(text.replace('\0', "\u{fffd}"));
        }
        if let Some(variable) = variables.iter().find(has_nul) {
            // Its name alone: nobody is to see what it holds.
            let name = variable.split('=').next().unwrap_or_default();
            return Err(name.replace('\0', "\u{fffd}"));
        }
        let Called { image, line } = script::call(file, program.command)?;
        let console = match program.output {
            // Whoever speaks where its starter speaks needs no console, nor the server of one.
            Output::Inherited => DETACHED_PROCESS,
            Output::Null | Output::Pipe(_) => CREATE_NO_WINDOW,
        };
        Ok(Self {
            image: wide(image),
            line: wide(line),
            environment: command_line::environment(&variables),
            directory: program.directory.as_ref().map(wide),
            flags: console,
        })
    }

    #[expect(unsafe_code, reason = "CreateProcessW")]
    fn create(&self, streams: &Streams, job: Option<&Job>) -> io::Result<Suspended> {
        let list = Attributes::new(streams.raw(), job)?;
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
        let flags = self.flags
            | CREATE_SUSPENDED
            | CREATE_UNICODE_ENVIRONMENT
            | EXTENDED_STARTUPINFO_PRESENT;
        let environment = self.environment.as_ptr().cast();
        let startup = (&raw mut startup).cast();
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
    /// Gives it what keeps job and pipes alive. Until it has that, it ends with us: nobody could
    /// find it.
    fn equip(self, program: &Program<'_>, job: Job) -> io::Result<Process> {
        if let Err(error) = self.furnish(program, &job) {
            self.abandon();
            return Err(error);
        }
        Ok(Process::from_child(self.pid, [self.process, self.thread], Some(job)))
    }

    /// Nothing of it is inherited by what the program starts.
    fn furnish(&self, program: &Program<'_>, job: &Job) -> io::Result<()> {
        let raw = self.process.as_raw_handle();
        self.share(program.share)?;
        let output = match program.output {
            Output::Pipe(writer) => Some(writer),
            Output::Null | Output::Inherited => None,
        };
        for writer in [output, program.error].into_iter().flatten() {
            writer.is_kept_as(give(raw, writer.reader(), KEPT_ACCESS)?);
        }
        give(raw, job.raw(), JOB_ACCESS)?;
        job.outlive_us()
    }

    #[expect(unsafe_code, reason = "SetPriorityClass, GetPriorityClass, SetProcessAffinityMask")]
    fn share(&self, share: Share) -> io::Result<()> {
        let raw = self.process.as_raw_handle();
        if let Some(priority) = share.priority {
            let asked = class_of(priority);
            // SAFETY: the process is ours.
            succeed(unsafe { SetPriorityClass(raw, asked) })?;
            // Whoever may not have `realtime` gets `high`, and success.
            // SAFETY: as above.
            if unsafe { GetPriorityClass(raw) } != asked {
                return Err(io::Error::from_raw_os_error(ERROR_PRIVILEGE_NOT_HELD.cast_signed()));
            }
        }
        let Some(processors) = share.processors else { return Ok(()) };
        let mask = usize::try_from(processors).unwrap_or(usize::MAX);
        // SAFETY: as above.
        succeed(unsafe { SetProcessAffinityMask(raw, mask) })
    }

    #[expect(unsafe_code, reason = "TerminateProcess")]
    fn abandon(&self) {
        // SAFETY: the process is ours and has not run yet.
        unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
    }
}

const fn class_of(priority: Priority) -> u32 {
    match priority {
        Priority::Idle => IDLE_PRIORITY_CLASS,
        Priority::BelowNormal => BELOW_NORMAL_PRIORITY_CLASS,
        Priority::Normal => NORMAL_PRIORITY_CLASS,
        Priority::AboveNormal => ABOVE_NORMAL_PRIORITY_CLASS,
        Priority::High => HIGH_PRIORITY_CLASS,
        Priority::Realtime => REALTIME_PRIORITY_CLASS,
    }
}

/// The standard streams, as handles that may be inherited.
struct Streams([OwnedHandle; 3]);

impl Streams {
    fn null() -> io::Result<Self> {
        Ok(Self([nowhere()?, nowhere()?, nowhere()?]))
    }

    fn new(program: &Program<'_>) -> io::Result<Self> {
        let output = match program.output {
            Output::Null => nowhere()?,
            Output::Inherited => standard(STD_OUTPUT_HANDLE).or_else(|_| nowhere())?,
            Output::Pipe(writer) => {
                duplicate(writer.as_descriptor().as_raw_handle(), Inherit::Yes)?
            }
        };
        let error = match (program.error, program.output) {
            (Some(writer), _) | (None, Output::Pipe(writer)) => {
                duplicate(writer.as_descriptor().as_raw_handle(), Inherit::Yes)?
            }
            (None, Output::Inherited) => standard(STD_ERROR_HANDLE).or_else(|_| nowhere())?,
            (None, Output::Null) => nowhere()?,
        };
        let input = match program.input.map(Input::borrow) {
            Some(input) => duplicate(input.as_raw_handle(), Inherit::Yes)?,
            None => nowhere()?,
        };
        Ok(Self([input, output, error]))
    }

    fn raw(&self) -> [RawHandle; 3] {
        self.0.each_ref().map(OwnedHandle::as_raw_handle)
    }
}

fn nowhere() -> io::Result<OwnedHandle> {
    let file = OpenOptions::new().read(true).write(true).open("NUL")?;
    duplicate(file.as_raw_handle(), Inherit::Yes)
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
