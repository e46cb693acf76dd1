//! What a program reads from its standard input: a pipe that holds all of it.

use std::{
    fs::File,
    io::{self, Write as _},
    os::windows::io::OwnedHandle,
    ptr::{null, null_mut},
};

use windows_sys::Win32::System::Pipes::CreatePipe;

use crate::windows::{own, succeed};

/// Writes before anybody reads: the pipe is made as large as the text, so that this does not wait.
#[expect(unsafe_code, reason = "CreatePipe")]
pub(crate) fn input(text: &[u8]) -> io::Result<OwnedHandle> {
    let room = u32::try_from(text.len()).map_err(io::Error::other)?;
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: both are valid for writes; nothing else is given.
    succeed(unsafe { CreatePipe(&raw mut reader, &raw mut writer, null(), room.max(1)) })?;
    // SAFETY: the call made a new handle.
    let reader = unsafe { own(reader) }?;
    // SAFETY: as above.
    let writer = unsafe { own(writer) }?;
    if !text.is_empty() {
        File::from(writer).write_all(text)?;
    }
    Ok(reader)
}
