//! Replacing the running program in place, with its children and some of its descriptors.

#[cfg(unix)]
#[path = "replace/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "replace/windows.rs"]
mod imp;

use std::{convert::Infallible, ffi::OsString, fs::File, io, path::Path, time::Duration};

use crate::descriptor::{Borrowed, Descriptor};

/// Returns a file without a name that a successor can read.
///
/// It lies in memory on Linux, and among the user's temporary files on macOS.
pub fn memory_file() -> io::Result<File> {
    imp::memory_file()
}

/// Replaces this process by `program`, which finds `kept` under the same numbers.
///
/// Other threads end. Returns only when it could not be done; then everything is as before.
pub fn replace(
    program: &Path,
    arguments: &[OsString],
    kept: &[Borrowed<'_>],
) -> io::Result<Infallible> {
    imp::replace(program, arguments, kept)
}

/// Returns the number under which a successor finds a kept descriptor.
pub fn number_of(descriptor: Borrowed<'_>) -> u64 {
    imp::number_of(descriptor)
}

/// Takes over a descriptor that a predecessor kept, and closes it on the next exec.
///
/// Each number may be taken once only.
pub fn inherited(number: u64) -> io::Result<Descriptor> {
    imp::inherited(number)
}

/// What a program said to a probe, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Whether it ended with success.
    pub is_success: bool,
    /// The beginning of what it wrote to its standard output.
    pub words: Vec<u8>,
}

/// Runs `program` with a copy of the state on its standard input, for no longer than `within`.
///
/// A program that takes longer is killed and fails with [`io::ErrorKind::TimedOut`].
pub fn probe(
    program: &Path,
    arguments: &[OsString],
    state: &[u8],
    within: Duration,
) -> io::Result<Probed> {
    imp::probe(program, arguments, state, within)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        io::{Read as _, Seek as _, Write as _},
        mem::ManuallyDrop,
    };

    use super::*;
    use crate::descriptor::borrow_file;

    const SHORT: Duration = Duration::from_millis(200);

    fn shell(script: &str, within: Duration) -> io::Result<Probed> {
        let arguments = ["-c", script].map(OsString::from);
        // More than a pipe holds.
        probe(Path::new("/bin/sh"), &arguments, &vec![b'x'; 1 << 20], within)
    }

    #[test]
    fn a_kept_descriptor_is_found_under_its_number_and_an_unused_number_is_nobodys() {
        let mut file = memory_file().unwrap();
        file.write_all(b"state").unwrap();
        let number = number_of(borrow_file(&file));
        // The number is the successor's from here on.
        let _predecessor = ManuallyDrop::new(file);
        let mut inherited = File::from(inherited(number).unwrap());
        inherited.rewind().unwrap();
        let mut text = String::new();
        inherited.read_to_string(&mut text).unwrap();
        assert_eq!(text, "state");
        super::inherited(u64::from(u32::MAX)).unwrap_err();
    }

    #[test]
    fn a_probed_program_says_what_it_is_and_how_it_ended() {
        let within = Duration::from_secs(20);
        let counted = shell("wc -c | tr -d ' '; exit 3", within).unwrap();
        assert_eq!(counted, Probed { is_success: false, words: b"1048576\n".to_vec() });
        let quiet = shell("sleep 60 & exit 0", within).unwrap();
        assert_eq!(quiet, Probed { is_success: true, words: Vec::new() });
    }

    #[test]
    fn a_probed_program_holds_nobody_up() {
        for script in ["exec sleep 60", "exec yes"] {
            let error = shell(script, SHORT).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{script}");
        }
        probe(Path::new("/no/such/program"), &[], b"", SHORT).unwrap_err();
    }
}
