//! The security policy of the machine.

#[path = "windows/secret.rs"]
mod secret;

use std::{
    io,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::NTSTATUS,
    Security::Authentication::Identity::{
        LSA_HANDLE, LSA_OBJECT_ATTRIBUTES, LSA_UNICODE_STRING, LsaAddAccountRights, LsaClose,
        LsaEnumerateAccountRights, LsaFreeMemory, LsaNtStatusToWinError, LsaOpenPolicy,
        POLICY_CREATE_ACCOUNT, POLICY_LOOKUP_NAMES,
    },
};

use crate::windows::{
    account::{Identifier, Named},
    check, wide,
};

pub(super) use self::secret::ask_secret;

/// `ERROR_FILE_NOT_FOUND`: nobody was ever given a right by that name.
const NOT_FOUND: i32 = 2;
/// The right to log on as a service.
const SERVICE_LOGON: &str = "SeServiceLogonRight";

pub(super) fn allow_services(account: &str) -> io::Result<()> {
    let mut identifier = Named::of(account)?;
    Policy::open()?.allow(&mut identifier)
}

pub(super) fn may_serve(identity: &str) -> io::Result<bool> {
    let identity = Identifier::parse(identity)?;
    Ok(Policy::open()?.rights_of(&identity)?.iter().any(|right| right == SERVICE_LOGON))
}

/// Returns a text that need not end with NUL.
#[expect(unsafe_code, reason = "a text behind a structure")]
fn name_of(text: &LSA_UNICODE_STRING) -> String {
    let units = usize::from(text.Length / 2);
    // SAFETY: the system says that so many units lie there.
    let units = unsafe { std::slice::from_raw_parts(text.Buffer.cast_const(), units) };
    String::from_utf16_lossy(units)
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
        granted(unsafe { LsaOpenPolicy(null(), &raw const attributes, access, &raw mut handle) })?;
        Ok(Self(handle))
    }

    #[expect(unsafe_code, reason = "LsaEnumerateAccountRights, LsaFreeMemory")]
    fn rights_of(&self, identity: &Identifier) -> io::Result<Vec<String>> {
        let (mut rights, mut count) = (null_mut(), 0);
        let (who, to) = (identity.raw(), &raw mut rights);
        // SAFETY: the policy is open; the identity lives until the call returns; both are valid for
        // writes.
        let done = granted(unsafe { LsaEnumerateAccountRights(self.0, who, to, &raw mut count) });
        match done {
            Err(error) if error.raw_os_error() == Some(NOT_FOUND) => return Ok(Vec::new()),
            done => done?,
        }
        let count = usize::try_from(count).unwrap_or_default();
        // SAFETY: the call made `count` texts that follow each other.
        let texts = unsafe { std::slice::from_raw_parts(rights.cast_const(), count) };
        let names = texts.iter().map(name_of).collect();
        // SAFETY: the system allocated them for us, and nobody uses them any more.
        unsafe { LsaFreeMemory(rights.cast()) };
        Ok(names)
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
        granted(unsafe { LsaAddAccountRights(self.0, who, &raw const right, 1) })
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
fn granted(status: NTSTATUS) -> io::Result<()> {
    // SAFETY: no memory is involved.
    check(unsafe { LsaNtStatusToWinError(status) })
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::ERROR_NONE_MAPPED;

    use super::*;

    #[test]
    fn nobody_has_rights_that_were_never_given() {
        assert!(!may_serve("S-1-5-80-7-7-7-7-7").unwrap());
    }

    #[test]
    fn a_name_that_nobody_has_is_refused() {
        let error = allow_services("nobody-has-this-name").unwrap_err();
        let nobody = ERROR_NONE_MAPPED.cast_signed();
        assert_eq!(error.raw_os_error(), Some(nobody));
    }
}
