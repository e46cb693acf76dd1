//! Finding the image of a command, and saying precisely why it cannot be executed.

use std::{
    ffi::{CStr, CString, OsStr},
    fs, io,
    io::Read as _,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::{Program, Step};

/// Where `execvp` looks when there is no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The longest first line the kernel looks at.
const FIRST_LINE_BYTES: u64 = 256;

/// Returns what to execute: a path as it stands, a bare name from the program's own `PATH`.
pub(super) fn find(program: &Program<'_>) -> io::Result<CString> {
    let missing = || io::Error::from_raw_os_error(libc::ENOENT);
    let name = program.command.first().filter(|name| !name.is_empty()).ok_or_else(missing)?;
    if name.contains('/') {
        return Ok(CString::new(name.as_str())?);
    }
    let mut found = Err(missing());
    for folder in std::env::split_paths(&path_of(program)) {
        let candidate = absolute(program, &folder).join(name);
        match executable(&candidate) {
            Ok(()) => return Ok(CString::new(candidate.into_os_string().into_vec())?),
            Err(error) if error.raw_os_error() == Some(libc::EACCES) => found = Err(error),
            Err(_) => {}
        }
    }
    found
}

fn path_of(program: &Program<'_>) -> std::ffi::OsString {
    let path =
        program.environment.iter().rev().find_map(|variable| variable.strip_prefix(b"PATH="));
    path.map_or_else(|| OsStr::new(DEFAULT_PATH), OsStr::from_bytes).to_owned()
}

fn absolute(program: &Program<'_>, folder: &Path) -> PathBuf {
    program.directory.as_ref().map_or_else(|| folder.to_owned(), |base| base.join(folder))
}

fn executable(path: &Path) -> io::Result<()> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::from_raw_os_error(libc::ENOENT));
    }
    Ok(access(path, Access::EXEC_OK)?)
}

/// Returns the step and its subject as a person needs them: a script whose interpreter is missing
/// is reported by the kernel as if the script itself were.
pub(super) fn explain(
    step: Step,
    errno: i32,
    program: &Program<'_>,
    image: &CStr,
) -> (Step, String) {
    let image = Path::new(OsStr::from_bytes(image.to_bytes()));
    let text = image.display().to_string();
    match step {
        Step::Directory => {
            let folder = program.directory.as_ref().map(|path| path.display().to_string());
            (step, folder.unwrap_or_default())
        }
        Step::Execute if errno == libc::ENOENT => {
            let script =
                program.directory.as_ref().map_or_else(|| image.to_owned(), |d| d.join(image));
            interpreter_of(&script).map_or((Step::Program, text), |name| (Step::Interpreter, name))
        }
        Step::Arguments | Step::Clone | Step::Streams | Step::Limits => (step, text),
        Step::Program | Step::Execute | Step::Interpreter => (step, text),
        // Nothing of the kind is told apart here.
        Step::Foreign | Step::Alias => (step, text),
    }
}

fn interpreter_of(script: &Path) -> Option<String> {
    let mut first = Vec::new();
    fs::File::open(script).ok()?.take(FIRST_LINE_BYTES).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    text.split_ascii_whitespace().next().map(|name| name.trim_end_matches('\r').to_owned())
}
