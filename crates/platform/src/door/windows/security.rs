//! Who may reach a pipe: its own user, administrators and the system, from birth.

use std::{io, ptr::null_mut};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1},
        PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
    },
};

use crate::windows::{account, succeed, wide};

/// A security descriptor that the system allocated.
pub(super) struct Security(PSECURITY_DESCRIPTOR);

impl Security {
    #[expect(unsafe_code, reason = "ConvertStringSecurityDescriptorToSecurityDescriptorW")]
    pub(super) fn for_own_user() -> io::Result<Self> {
        let user = account::own_user()?;
        let text = wide(format!("D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;{user})"));
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
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
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
