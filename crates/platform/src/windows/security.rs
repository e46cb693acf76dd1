//! Who may reach a pipe or a folder, from birth.

use std::{io, ptr::null_mut};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1},
        PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
    },
};

use super::{account, succeed, wide};

/// A security descriptor that the system allocated.
#[derive(Debug)]
pub(crate) struct Security(PSECURITY_DESCRIPTOR);

impl Security {
    /// Whoever may talk to us: our own user, administrators, the system, and members of groups;
    /// nobody from another machine. None of the groups may create another end of a pipe,
    /// which `GENERIC_WRITE` would include. Its owner, by whom clients know us, is our own user and
    /// not what the system makes of that by default.
    pub(crate) fn for_clients(groups: &[String]) -> io::Result<Self> {
        let user = account::own_user()?;
        let mut text = format!("O:{user}D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;{user})");
        for group in groups {
            text.push_str("(A;;0x12019b;;;");
            text.push_str(group);
            text.push(')');
        }
        Self::parse(&text)
    }

    /// Reads a description in the system's language (SDDL).
    #[expect(unsafe_code, reason = "ConvertStringSecurityDescriptorToSecurityDescriptorW")]
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut descriptor = null_mut();
        let to = &raw mut descriptor;
        // SAFETY: the text ends with NUL; `to` is valid for writes; the size is not asked for.
        succeed(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                to,
                null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    /// Returns attributes that are valid as long as this value; the handle is not inherited.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Security {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated it for us, and nobody uses it any more.
        unsafe { LocalFree(self.0) };
    }
}
