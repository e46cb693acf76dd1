//! Systems with signals need no helper.

use std::{io, path::Path};

use crate::process::Process;

pub(super) fn start(_image: &Path, _words: &[String]) -> io::Result<Process> {
    Err(io::ErrorKind::Unsupported.into())
}

#[expect(clippy::exit, reason = "the contract is that of a system with helpers")]
pub(super) fn serve(_arguments: &[String]) -> ! {
    std::process::exit(1)
}
