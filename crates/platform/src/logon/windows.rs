//! The security policy of the machine, and the console's mode.

use std::{
    fs::OpenOptions,
    io::{self, BufRead as _, BufReader, Write as _},
    os::windows::io::AsRawHandle as _,
    ptr::null,
};

use windows_sys::Win32::{
    Foundation::NTSTATUS,
    Security::Authentication::Identity::{
        LSA_HANDLE, LSA_OBJECT_ATTRIBUTES, LSA_UNICODE_STRING, LsaAddAccountRights, LsaClose,
        LsaNtStatusToWinError, LsaOpenPolicy, POLICY_CREATE_ACCOUNT, POLICY_LOOKUP_NAMES,
    },
    System::Console::{ENABLE_ECHO_INPUT, GetConsoleMode, SetConsoleMode},
};

use crate::windows::{account::Named, succeed, wide};

/// The right to log on as a service.
const SERVICE_LOGON: &str = "SeServiceLogonRight";

pub(super) fn allow_services(account: &str) -> io::Result<()> {
    let mut identifier = Named::of(account)?;
    Policy::open()?.allow(&mut identifier)
}

/// The open security policy of this machine.
struct Policy(LSA_HANDLE);

impl Policy {
    #[expect(unsafe_code, reason = "LsaOpenPolicy")]
    fn open() -> io::Result<Self> {
        let attributes = LSA_OBJECT_ATTRIBUTES::default();
        let access = POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES;
        let access = u32::try_from(access).unwrap_or_default();
        let mut handle = LSA_HANDLE::default();
        // SAFETY: null asks this machine; the attributes are empty; `handle` is valid for writes.
        check(unsafe { LsaOpenPolicy(null(), &raw const attributes, access, &raw mut handle) })?;
        Ok(Self(handle))
    }

    #[expect(unsafe_code, reason = "LsaAddAccountRights")]
    fn allow(&self, identifier: &mut Named) -> io::Result<()> {
        let mut text = wide(SERVICE_LOGON);
        let bytes = u16::try_from((text.len() - 1) * 2).unwrap_or_default();
        let right = LSA_UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes + 2,
            Buffer: text.as_mut_ptr(),
        };
        let who = identifier.as_mut_ptr();
        // SAFETY: the policy is open; identifier and text live until the call returns.
        check(unsafe { LsaAddAccountRights(self.0, who, &raw const right, 1) })
    }
}

impl Drop for Policy {
    #[expect(unsafe_code, reason = "LsaClose")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open.
        unsafe { LsaClose(self.0) };
    }
}

#[expect(unsafe_code, reason = "LsaNtStatusToWinError")]
fn check(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: no memory is involved.
    let code = unsafe { LsaNtStatusToWinError(status) };
    Err(io::Error::from_raw_os_error(code.cast_signed()))
}

pub(super) fn ask_secret(prompt: &str) -> io::Result<String> {
    let missing = |_| io::Error::from(io::ErrorKind::NotFound);
    let input = OpenOptions::new().read(true).write(true).open("CONIN$").map_err(missing)?;
    let mut output = OpenOptions::new().write(true).open("CONOUT$").map_err(missing)?;
    write!(output, "{prompt}")?;
    output.flush()?;
    let silent = Silent::new(&input)?;
    let mut line = String::new();
    BufReader::new(&input).read_line(&mut line)?;
    drop(silent);
    writeln!(output)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A console that does not show what is typed, until the value is dropped.
struct Silent<'a> {
    input: &'a std::fs::File,
    former: u32,
}

impl<'a> Silent<'a> {
    #[expect(unsafe_code, reason = "GetConsoleMode, SetConsoleMode")]
    fn new(input: &'a std::fs::File) -> io::Result<Self> {
        let mut former = 0;
        // SAFETY: the console is open; `former` is valid for writes.
        succeed(unsafe { GetConsoleMode(input.as_raw_handle(), &raw mut former) })?;
        // SAFETY: the console is open.
        succeed(unsafe { SetConsoleMode(input.as_raw_handle(), former & !ENABLE_ECHO_INPUT) })?;
        Ok(Self { input, former })
    }
}

impl Drop for Silent<'_> {
    #[expect(unsafe_code, reason = "SetConsoleMode")]
    fn drop(&mut self) {
        // SAFETY: the console is open.
        unsafe { SetConsoleMode(self.input.as_raw_handle(), self.former) };
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::ERROR_NONE_MAPPED;

    use super::*;

    #[test]
    fn a_name_that_nobody_has_is_refused() {
        let error = allow_services("nobody-has-this-name").unwrap_err();
        let nobody = ERROR_NONE_MAPPED.cast_signed();
        assert_eq!(error.raw_os_error(), Some(nobody));
    }
}
