//! Who may do what with a service: its own access list.

use std::{io, ptr::null_mut};

use windows_sys::Win32::{
    Security::{
        ACL, DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, InitializeSecurityDescriptor,
        NO_INHERITANCE, SECURITY_DESCRIPTOR, SetSecurityDescriptorDacl,
    },
    Storage::FileSystem::READ_CONTROL,
    System::Services::{
        QueryServiceObjectSecurity, SC_HANDLE, SERVICE_ENUMERATE_DEPENDENTS, SERVICE_INTERROGATE,
        SERVICE_QUERY_CONFIG, SERVICE_QUERY_STATUS, SetServiceObjectSecurity,
    },
};

use super::answers::{Room, ask};
use crate::windows::{account::Identifier, amended::Amended, succeed};

/// `SECURITY_DESCRIPTOR_REVISION`.
const REVISION: u32 = 1;
const LOOKING: u32 = SERVICE_QUERY_CONFIG
    | SERVICE_QUERY_STATUS
    | SERVICE_ENUMERATE_DEPENDENTS
    | SERVICE_INTERROGATE
    | READ_CONTROL;

/// Gives somebody rights beside those that it has.
pub(super) fn grant(service: SC_HANDLE, who: &str, access: u32) -> io::Result<()> {
    let who = Identifier::parse(who)?;
    let mut former = list_of(service)?;
    let longer = Amended::with(dacl_in(&mut former)?, &who, (access, NO_INHERITANCE))?;
    set(service, &longer)
}

/// Leaves somebody nothing but to look.
pub(super) fn narrow(service: SC_HANDLE, who: &str) -> io::Result<()> {
    let who = Identifier::parse(who)?;
    let mut former = list_of(service)?;
    let without = Amended::without(dacl_in(&mut former)?, &who)?;
    set(service, &Amended::with(without.raw(), &who, (LOOKING, NO_INHERITANCE))?)
}

/// Takes from somebody whatever it was given.
pub(super) fn revoke(service: SC_HANDLE, who: &str) -> io::Result<()> {
    let who = Identifier::parse(who)?;
    let mut former = list_of(service)?;
    let shorter = Amended::without(dacl_in(&mut former)?, &who)?;
    set(service, &shorter)
}

#[expect(unsafe_code, reason = "QueryServiceObjectSecurity")]
fn list_of(service: SC_HANDLE) -> io::Result<Room> {
    ask(|room, needed| {
        let (bytes, what) = (room.bytes(), DACL_SECURITY_INFORMATION);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceObjectSecurity(service, what, room.pointer(), bytes, needed) }
    })
}

/// Returns the list. Where there is none everybody may do everything, and one with a single entry
/// would shut out all others: Wine 8 has none.
#[expect(unsafe_code, reason = "GetSecurityDescriptorDacl")]
fn dacl_in(former: &mut Room) -> io::Result<*mut ACL> {
    let (mut is_there, mut list, mut is_default) = (0, null_mut(), 0);
    let descriptor = former.pointer();
    // SAFETY: the room holds a descriptor; the three are valid for writes.
    succeed(unsafe {
        GetSecurityDescriptorDacl(descriptor, &raw mut is_there, &raw mut list, &raw mut is_default)
    })?;
    if is_there == 0 || list.is_null() {
        let text = "services have no access lists here";
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    Ok(list)
}

#[expect(unsafe_code, reason = "a security descriptor around a list, SetServiceObjectSecurity")]
fn set(service: SC_HANDLE, list: &Amended) -> io::Result<()> {
    let mut descriptor = SECURITY_DESCRIPTOR::default();
    let at = (&raw mut descriptor).cast();
    // SAFETY: the descriptor is valid for writes.
    succeed(unsafe { InitializeSecurityDescriptor(at, REVISION) })?;
    // SAFETY: the descriptor is initialised, and the list lives longer than it; 1 says that it is
    // there, 0 that it is no default.
    succeed(unsafe { SetSecurityDescriptorDacl(at, 1, list.raw(), 0) })?;
    // SAFETY: the descriptor and its list live until the call returns.
    succeed(unsafe { SetServiceObjectSecurity(service, DACL_SECURITY_INFORMATION, at) })
}
