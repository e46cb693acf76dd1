//! Who somebody is: security identifiers as text.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsRawHandle as _, RawHandle},
    path::Path,
    ptr::null_mut,
};

use windows_sys::Win32::{
    Foundation::{ERROR_SUCCESS, LocalFree},
    Security::{
        Authorization::{
            ConvertSidToStringSidW, ConvertStringSidToSidW, GetNamedSecurityInfoW, SE_FILE_OBJECT,
        },
        GetTokenInformation, OWNER_SECURITY_INFORMATION, PSID, TOKEN_ELEVATION,
        TOKEN_INFORMATION_CLASS, TOKEN_QUERY, TOKEN_USER, TokenElevation, TokenUser,
    },
    System::Threading::OpenProcessToken,
};

use super::{own, own_process, succeed, text_at, wide};

/// The system itself and the group of administrators, who own what they create while elevated.
const SYSTEM: &str = "S-1-5-18";
const ADMINISTRATORS: &str = "S-1-5-32-544";

/// Room for a `TOKEN_USER` with the longest identifier there is.
#[repr(C, align(8))]
struct Room([u8; 256]);

/// Returns whether this is our own user or the system's administrator.
pub(crate) fn is_trusted(user: &str) -> io::Result<bool> {
    Ok(user == SYSTEM || user == ADMINISTRATORS || user == own_user()?)
}

/// Returns the user of this process.
pub(crate) fn own_user() -> io::Result<String> {
    user_of(own_process())
}

/// Returns the user of a process, which must be open for `PROCESS_QUERY_LIMITED_INFORMATION`.
#[expect(unsafe_code, reason = "a TOKEN_USER with a pointer into its room")]
pub(crate) fn user_of(process: RawHandle) -> io::Result<String> {
    let mut room = Room([0; 256]);
    let to = ask_token(process, TokenUser, &mut room)?;
    // SAFETY: the call filled in a TOKEN_USER, whose identifier lies in `room` too.
    let user = unsafe { &*to.cast::<TOKEN_USER>() };
    text_of(user.User.Sid)
}

/// Returns whether this process has the rights of an administrator, not only the membership.
#[expect(unsafe_code, reason = "a TOKEN_ELEVATION in its room")]
pub(crate) fn is_elevated() -> io::Result<bool> {
    let mut room = Room([0; 256]);
    let to = ask_token(own_process(), TokenElevation, &mut room)?;
    // SAFETY: the call filled in a TOKEN_ELEVATION.
    Ok(unsafe { &*to.cast::<TOKEN_ELEVATION>() }.TokenIsElevated != 0)
}

/// Asks the token of a process for one thing, and returns where in the room it lies.
#[expect(unsafe_code, reason = "OpenProcessToken, GetTokenInformation")]
fn ask_token(
    process: RawHandle,
    what: TOKEN_INFORMATION_CLASS,
    room: &mut Room,
) -> io::Result<*const c_void> {
    let mut token = null_mut();
    // SAFETY: `token` is valid for writes.
    succeed(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: the call made a new handle.
    let token = unsafe { own(token) }?;
    let to: *mut c_void = (&raw mut *room).cast();
    let mut needed = 0;
    // SAFETY: `to` is valid for writes of 256 bytes and aligned for what is asked for.
    succeed(unsafe { GetTokenInformation(token.as_raw_handle(), what, to, 256, &raw mut needed) })?;
    Ok(to)
}

/// Returns the owner of a file or folder.
#[expect(unsafe_code, reason = "GetNamedSecurityInfoW")]
pub(crate) fn owner_of(path: &Path) -> io::Result<String> {
    let (mut owner, mut descriptor) = (null_mut(), null_mut());
    let name = wide(path);
    // SAFETY: the name ends with NUL; `owner` and `descriptor` are valid for writes; what is not
    // asked for is null.
    let code = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let text = text_of(owner);
    // SAFETY: the call allocated the descriptor for us; `owner` points into it and is used no more.
    unsafe { LocalFree(descriptor) };
    text
}

#[expect(unsafe_code, reason = "ConvertSidToStringSidW")]
pub(crate) fn text_of(identifier: PSID) -> io::Result<String> {
    let mut wide = null_mut();
    // SAFETY: the identifier is valid while its holder lives; `wide` is valid for writes.
    succeed(unsafe { ConvertSidToStringSidW(identifier, &raw mut wide) })?;
    // SAFETY: the call made a text that ends with NUL.
    let text = unsafe { text_at(wide) };
    // SAFETY: the call allocated the text for us.
    unsafe { LocalFree(wide.cast()) };
    Ok(text)
}

/// An identifier that the system allocated.
#[derive(Debug)]
pub(crate) struct Identifier(PSID);

impl Identifier {
    /// Reads `S-1-…`.
    #[expect(unsafe_code, reason = "ConvertStringSidToSidW")]
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let mut identifier = null_mut();
        // SAFETY: the text ends with NUL; `identifier` is valid for writes.
        succeed(unsafe { ConvertStringSidToSidW(wide(text).as_ptr(), &raw mut identifier) })?;
        Ok(Self(identifier))
    }

    pub(crate) const fn raw(&self) -> PSID {
        self.0
    }
}

impl Drop for Identifier {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated it for us, and nobody uses it any more.
        unsafe { LocalFree(self.0) };
    }
}
