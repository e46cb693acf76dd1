//! An access list with one entry more.

use std::{
    io,
    ptr::{null_mut, with_exposed_provenance_mut},
};

use windows_sys::Win32::{
    Foundation::{ERROR_SUCCESS, LocalFree},
    Security::{
        ACE_FLAGS, ACL,
        Authorization::{
            EXPLICIT_ACCESS_W, GRANT_ACCESS, SetEntriesInAclW, TRUSTEE_IS_SID, TRUSTEE_IS_UNKNOWN,
            TRUSTEE_W,
        },
    },
};

use super::account::Identifier;

/// A list that the system allocated.
#[derive(Debug)]
pub(crate) struct Longer(*mut ACL);

impl Longer {
    /// Returns what a list says, and that somebody has these rights, passed on like that.
    #[expect(unsafe_code, reason = "SetEntriesInAclW")]
    pub(crate) fn of(
        former: *mut ACL,
        who: &Identifier,
        (access, inheritance): (u32, ACE_FLAGS),
    ) -> io::Result<Self> {
        let entry = EXPLICIT_ACCESS_W {
            grfAccessPermissions: access,
            grfAccessMode: GRANT_ACCESS,
            grfInheritance: inheritance,
            Trustee: TRUSTEE_W {
                TrusteeForm: TRUSTEE_IS_SID,
                TrusteeType: TRUSTEE_IS_UNKNOWN,
                ptstrName: with_exposed_provenance_mut(who.raw().expose_provenance()),
                ..TRUSTEE_W::default()
            },
        };
        let mut longer = null_mut();
        // SAFETY: the entry, the identifier in it and the former list live until the call returns;
        // `longer` is valid for writes.
        check(unsafe { SetEntriesInAclW(1, &raw const entry, former, &raw mut longer) })?;
        Ok(Self(longer))
    }

    pub(crate) const fn raw(&self) -> *mut ACL {
        self.0
    }
}

impl Drop for Longer {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated the list for us, and nobody uses it any more.
        unsafe { LocalFree(self.0.cast()) };
    }
}

/// The calls for access lists return the error instead of setting it.
pub(crate) fn check(code: u32) -> io::Result<()> {
    if code == ERROR_SUCCESS {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(code.cast_signed()))
    }
}
