//! Helpers: our own programs for a few seconds, without console, job and output.

use std::{io, path::Path};

use windows_sys::Win32::System::Threading::DETACHED_PROCESS;

use super::{Prepared, Streams, command_line, own_environment};
use crate::{process::Process, windows::wide};

/// Starts a helper that inherits nothing.
///
/// It has no console, so that it can borrow one, and is in no job of a program.
pub(crate) fn spawn_helper(image: &Path, words: &[String]) -> io::Result<Process> {
    let variables = own_environment();
    let variables = variables.iter().map(|one| String::from_utf8_lossy(one).into_owned());
    let prepared = Prepared {
        image: wide(image),
        line: wide(command_line::line(words)),
        environment: command_line::environment(&variables.collect::<Vec<String>>()),
        directory: None,
        flags: DETACHED_PROCESS,
    };
    let made = prepared.create(&Streams::null()?, None)?;
    let process = Process::from_child(made.pid, [made.process, made.thread], None);
    process.release()?;
    Ok(process)
}
