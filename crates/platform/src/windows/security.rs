//! Who may reach a pipe or a folder, from birth.

use std::{
    io,
    path::Path,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{
            ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1, SE_FILE_OBJECT,
            SetNamedSecurityInfoW,
        },
        DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, GetSecurityDescriptorOwner,
        OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
        SECURITY_ATTRIBUTES,
    },
};

use super::{account, check, succeed, wide};

/// A security descriptor that the system allocated.
#[derive(Debug)]
pub(crate) struct Security(PSECURITY_DESCRIPTOR);

impl Security {
    /// Whoever may talk to us: our own user or service, administrators, the system, and members of
    /// groups.
    ///
    /// A pipe of a service belongs to that, where the system has given us its identity: others may
    /// run as the same user.
    pub(crate) fn for_clients(groups: &[String], service: Option<&str>) -> io::Result<Self> {
        let own = account::own_services()?;
        let service = service.filter(|service| own.iter().any(|own| own == service));
        match service {
            Some(service) => Self::parse(&for_clients_of(service, groups)),
            None => Self::parse(&for_clients_of(&account::own_user()?, groups)),
        }
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

    /// Gives a file or folder, and what lies in it, this list and nothing that is inherited.
    #[expect(unsafe_code, reason = "GetSecurityDescriptorDacl, SetNamedSecurityInfoW")]
    pub(crate) fn protect(&self, path: &Path) -> io::Result<()> {
        let (mut is_there, mut list, mut is_default) = (0, null_mut(), 0);
        let (there, at, default) = (&raw mut is_there, &raw mut list, &raw mut is_default);
        // SAFETY: the descriptor lives as long as `self`; the three are valid for writes.
        succeed(unsafe { GetSecurityDescriptorDacl(self.0, there, at, default) })?;
        let (name, none) = (wide(path), null_mut());
        let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
        let (kind, rest) = (SE_FILE_OBJECT, null_mut());
        // SAFETY: the name ends with NUL; the list lies in the descriptor; what stays is null.
        check(unsafe { SetNamedSecurityInfoW(name.as_ptr(), kind, what, none, none, list, rest) })
    }

    /// Gives a file or folder to the owner that is described.
    #[expect(unsafe_code, reason = "GetSecurityDescriptorOwner, SetNamedSecurityInfoW")]
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        let (mut owner, mut is_default) = (null_mut(), 0);
        let (to, default) = (&raw mut owner, &raw mut is_default);
        // SAFETY: the descriptor lives as long as `self`; both are valid for writes.
        succeed(unsafe { GetSecurityDescriptorOwner(self.0, to, default) })?;
        let (name, none, list) = (wide(path), null_mut(), null());
        let (kind, what) = (SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION);
        // SAFETY: the name ends with NUL; the owner lies in the descriptor; what stays is null.
        check(unsafe { SetNamedSecurityInfoW(name.as_ptr(), kind, what, owner, none, list, list) })
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

/// Describes a pipe: none of the groups may create another end of it, which `GENERIC_WRITE` would
/// include. Its owner, by whom clients know us, is not what the system makes of it by default.
///
/// Other machines are kept out by `PIPE_REJECT_REMOTE_CLIENTS`, never by denying the group NETWORK:
/// whoever is logged on from another machine, by SSH for one, is in it, be it an administrator or
/// ourselves.
fn for_clients_of(owner: &str, groups: &[String]) -> String {
    let mut text = format!("O:{owner}D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;{owner})");
    for group in groups {
        text.extend(["(A;;0x12019b;;;", group, ")"]);
    }
    text
}

impl Drop for Security {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated it for us, and nobody uses it any more.
        unsafe { LocalFree(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_open_to_its_owner_the_machine_and_groups_but_these_make_no_end_of_it() {
        let expected = "O:S-1-5-80-1D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;S-1-5-80-1)\
                        (A;;0x12019b;;;S-1-5-32-545)";
        assert_eq!(for_clients_of("S-1-5-80-1", &["S-1-5-32-545".to_owned()]), expected);
        assert_eq!(0x0012_019b & 0x4, 0, "FILE_CREATE_PIPE_INSTANCE");
    }

    #[test]
    fn an_identity_that_the_system_has_not_given_us_is_not_used() {
        Security::for_clients(&[], Some("S-1-5-80-1-2-3-4-5")).unwrap();
    }
}
