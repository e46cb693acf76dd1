//! Who somebody is: security identifiers as text.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    path::Path,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::{ERROR_NONE_MAPPED, LocalFree},
    Security::{
        Authorization::{
            ConvertSidToStringSidW, ConvertStringSidToSidW, GetNamedSecurityInfoW, GetSecurityInfo,
            SE_FILE_OBJECT, SE_KERNEL_OBJECT,
        },
        GetTokenInformation, LookupAccountNameW, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
        PSID, RevertToSelf, SID_AND_ATTRIBUTES, TOKEN_ELEVATION, TOKEN_GROUPS,
        TOKEN_INFORMATION_CLASS, TOKEN_QUERY, TOKEN_USER, TokenElevation, TokenGroups, TokenUser,
    },
    System::{
        Pipes::ImpersonateNamedPipeClient,
        Threading::{GetCurrentThread, OpenProcessToken, OpenThreadToken},
    },
};

use super::{check, is, own, own_process, succeed, text_at, wide};

/// The system itself and the group of administrators, who own what they create while elevated.
pub(crate) const MASTERS: [&str; 2] = [SYSTEM, ADMINISTRATORS];
const SYSTEM: &str = "S-1-5-18";
const ADMINISTRATORS: &str = "S-1-5-32-544";

/// The longest identifier that there is, and more.
const IDENTIFIER_BYTES: usize = 128;
const DOMAIN_UNITS: usize = 512;

/// Room for a `TOKEN_USER` with the longest identifier there is.
#[repr(C, align(8))]
struct Room([u8; 256]);

/// Accounts that many services share: whoever runs as one of them is not by that the same service.
const SHARED: [&str; 2] = ["S-1-5-19", "S-1-5-20"];
/// How the identity of a service begins, and that of all services.
const SERVICE: &str = "S-1-5-80-";
const ALL_SERVICES: &str = "S-1-5-80-0";

/// Returns whether this is our own user or service, or the system's administrator.
pub(crate) fn is_trusted(who: &str) -> io::Result<bool> {
    is_master(who, &[])
}

/// Returns the user of this process.
pub(crate) fn own_user() -> io::Result<String> {
    Token::of_process(own_process())?.user()
}

/// Returns whether this process has the rights of an administrator, not only the membership.
#[expect(unsafe_code, reason = "a TOKEN_ELEVATION in its room")]
pub(crate) fn is_elevated() -> io::Result<bool> {
    let mut room = Room([0; 256]);
    let to = Token::of_process(own_process())?.ask(TokenElevation, &mut room)?;
    // SAFETY: the call filled in a TOKEN_ELEVATION.
    Ok(unsafe { &*to.cast::<TOKEN_ELEVATION>() }.TokenIsElevated != 0)
}

/// What the system knows of somebody: of a process, or of a client while it is impersonated.
#[derive(Debug)]
pub(crate) struct Token(OwnedHandle);

impl Token {
    /// The process must be open for `PROCESS_QUERY_LIMITED_INFORMATION`.
    #[expect(unsafe_code, reason = "OpenProcessToken")]
    pub(crate) fn of_process(process: RawHandle) -> io::Result<Self> {
        let mut token = null_mut();
        // SAFETY: `token` is valid for writes.
        succeed(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
        // SAFETY: the call made a new handle.
        Ok(Self(unsafe { own(token) }?))
    }

    /// Returns the token of whoever has written to a pipe, as it was when it connected.
    ///
    /// The process itself may belong to a user whose processes we may not open.
    #[expect(unsafe_code, reason = "ImpersonateNamedPipeClient, OpenThreadToken, RevertToSelf")]
    pub(crate) fn of_client(pipe: RawHandle) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        succeed(unsafe { ImpersonateNamedPipeClient(pipe) })?;
        let mut token = null_mut();
        // SAFETY: a pseudo handle that needs no closing.
        let thread = unsafe { GetCurrentThread() };
        // SAFETY: `token` is valid for writes; 1 opens it with our own rights.
        let opened = unsafe { OpenThreadToken(thread, TOKEN_QUERY, 1, &raw mut token) };
        let error = io::Error::last_os_error();
        // SAFETY: no memory is involved.
        if unsafe { RevertToSelf() } == 0 {
            // This thread would go on in somebody else's name.
            std::process::abort();
        }
        if opened == 0 {
            return Err(error);
        }
        // SAFETY: the call made a new handle.
        Ok(Self(unsafe { own(token) }?))
    }

    #[expect(unsafe_code, reason = "a TOKEN_USER with a pointer into its room")]
    pub(crate) fn user(&self) -> io::Result<String> {
        let mut room = Room([0; 256]);
        let to = self.ask(TokenUser, &mut room)?;
        // SAFETY: the call filled in a TOKEN_USER, whose identifier lies in `room` too.
        let user = unsafe { &*to.cast::<TOKEN_USER>() };
        text_of(user.User.Sid)
    }

    /// Returns the groups whose rights it has; a membership that only denies is left out, as the
    /// one of an administrator who is not elevated.
    pub(crate) fn groups(&self) -> io::Result<Vec<String>> {
        self.groups_with(SE_GROUP_ENABLED)
    }

    #[expect(unsafe_code, reason = "GetTokenInformation, TOKEN_GROUPS with pointers into its room")]
    fn groups_with(&self, attribute: u32) -> io::Result<Vec<String>> {
        let mut needed = 0;
        let token = self.0.as_raw_handle();
        // SAFETY: no room is given, so that only `needed` is written.
        unsafe { GetTokenInformation(token, TokenGroups, null_mut(), 0, &raw mut needed) };
        let words = usize::try_from(needed).unwrap_or_default().div_ceil(size_of::<u64>());
        let mut room = vec![0_u64; words.max(1)];
        let to: *mut c_void = room.as_mut_ptr().cast();
        // SAFETY: `to` is valid for writes of `needed` bytes and aligned for what is asked for.
        succeed(unsafe { GetTokenInformation(token, TokenGroups, to, needed, &raw mut needed) })?;
        // SAFETY: the call filled in a TOKEN_GROUPS.
        let count = unsafe { &*to.cast::<TOKEN_GROUPS>() }.GroupCount;
        // SAFETY: the array begins in the room.
        let first = unsafe { (&raw const (*to.cast::<TOKEN_GROUPS>()).Groups) };
        let count = usize::try_from(count).unwrap_or_default();
        // SAFETY: `count` entries follow each other in the room.
        let all = unsafe { std::slice::from_raw_parts(first.cast::<SID_AND_ATTRIBUTES>(), count) };
        let counts = |group: &&SID_AND_ATTRIBUTES| group.Attributes & attribute != 0;
        all.iter().filter(counts).map(|group| text_of(group.Sid)).collect()
    }

    /// Asks for one thing, and returns where in the room it lies.
    #[expect(unsafe_code, reason = "GetTokenInformation")]
    fn ask(&self, what: TOKEN_INFORMATION_CLASS, room: &mut Room) -> io::Result<*const c_void> {
        let to: *mut c_void = (&raw mut *room).cast();
        let (token, mut needed) = (self.0.as_raw_handle(), 0);
        // SAFETY: `to` is valid for writes of 256 bytes and aligned for what is asked for.
        succeed(unsafe { GetTokenInformation(token, what, to, 256, &raw mut needed) })?;
        Ok(to)
    }
}

const SE_GROUP_ENABLED: u32 = 4;
const SE_GROUP_OWNER: u32 = 8;

/// Returns the identities of services that this process has and may give to what it creates. The
/// manager gives each process that of its service, where the service is set up for it.
pub(crate) fn own_services() -> io::Result<Vec<String>> {
    let groups = Token::of_process(own_process())?.groups_with(SE_GROUP_OWNER)?;
    Ok(groups.into_iter().filter(|group| is_service(group)).collect())
}

fn is_service(identity: &str) -> bool {
    identity.starts_with(SERVICE) && identity != ALL_SERVICES
}

/// An identifier that was looked up, with the alignment it needs.
#[repr(C, align(8))]
pub(crate) struct Named([u8; IDENTIFIER_BYTES]);

impl Named {
    /// Returns the identifier of an account or a group by its name.
    #[expect(unsafe_code, reason = "LookupAccountNameW")]
    pub(crate) fn of(account: &str) -> io::Result<Self> {
        // `.` is how people write this machine; the call wants the bare name.
        let name = wide(account.strip_prefix(r".\").unwrap_or(account));
        let mut identifier = Self([0; IDENTIFIER_BYTES]);
        let mut domain = [0_u16; DOMAIN_UNITS];
        let mut bytes = u32::try_from(IDENTIFIER_BYTES).unwrap_or_default();
        let mut units = u32::try_from(DOMAIN_UNITS).unwrap_or_default();
        let mut kind = 0;
        // SAFETY: the name ends with NUL; identifier and domain are valid for writes of the sizes
        // beside them, which are valid for writes, too; null asks this machine.
        succeed(unsafe {
            LookupAccountNameW(
                null(),
                name.as_ptr(),
                identifier.as_mut_ptr(),
                &raw mut bytes,
                domain.as_mut_ptr(),
                &raw mut units,
                &raw mut kind,
            )
        })?;
        Ok(identifier)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> PSID {
        self.0.as_mut_ptr().cast()
    }
}

/// Returns the identifier of an account or a group; nothing when there is no such name.
pub(crate) fn identifier_of(name: &str) -> io::Result<Option<String>> {
    match Named::of(name) {
        Ok(mut identifier) => text_of(identifier.as_mut_ptr()).map(Some),
        Err(error) if is(&error, ERROR_NONE_MAPPED) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether somebody may act for the whole instance: our own user, our own service, the
/// system, or whoever has the rights of an administrator.
pub(crate) fn is_master(user: &str, groups: &[String]) -> io::Result<bool> {
    Ok(own_masters()?.iter().any(|master| master == user || groups.contains(master)))
}

/// Returns the identities that may act for what this process keeps.
pub(crate) fn own_masters() -> io::Result<Vec<String>> {
    Ok(masters(&own_user()?, &own_services()?))
}

/// Returns the identities that may act for an instance of this user and these services.
fn masters(user: &str, services: &[String]) -> Vec<String> {
    let mut masters = MASTERS.map(str::to_owned).to_vec();
    masters.extend_from_slice(services);
    if services.is_empty() || !SHARED.contains(&user) {
        masters.push(user.to_owned());
    }
    masters
}

/// Returns the owner of a pipe or another object that is open.
#[expect(unsafe_code, reason = "GetSecurityInfo")]
pub(crate) fn owner_of_open(object: RawHandle) -> io::Result<String> {
    let (kind, what, none) = (SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, null_mut());
    // SAFETY: both places are valid for writes; what is not asked for is null.
    owner_in(|owner, descriptor| unsafe {
        GetSecurityInfo(object, kind, what, owner, none, null_mut(), null_mut(), descriptor)
    })
}

/// Returns the owner of a file or folder.
#[expect(unsafe_code, reason = "GetNamedSecurityInfoW")]
pub(crate) fn owner_of(path: &Path) -> io::Result<String> {
    let (kind, what, none) = (SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, null_mut());
    let (name, rest) = (wide(path), null_mut());
    // SAFETY: the name ends with NUL; both places are valid for writes; what is not asked for is
    // null.
    owner_in(|owner, descriptor| unsafe {
        GetNamedSecurityInfoW(name.as_ptr(), kind, what, owner, none, rest, null_mut(), descriptor)
    })
}

/// Asks for an owner, and for the descriptor in which it lies.
#[expect(unsafe_code, reason = "LocalFree")]
fn owner_in(ask: impl FnOnce(*mut PSID, *mut PSECURITY_DESCRIPTOR) -> u32) -> io::Result<String> {
    let (mut owner, mut descriptor) = (null_mut(), null_mut());
    check(ask(&raw mut owner, &raw mut descriptor))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL_SERVICE: &str = "S-1-5-19";
    const WEB: &str = "S-1-5-80-1-2-3-4-5";

    #[test]
    fn another_service_of_a_shared_account_is_a_stranger() {
        let own = [WEB.to_owned()];
        let may = |user: &str, who: &str| masters(user, &own).iter().any(|master| master == who);
        assert!(!may(LOCAL_SERVICE, LOCAL_SERVICE));
        assert!(may(LOCAL_SERVICE, WEB));
        assert!(may("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001"));
        assert!(may(LOCAL_SERVICE, SYSTEM) && may(LOCAL_SERVICE, ADMINISTRATORS));
        let nameless = masters(LOCAL_SERVICE, &[]);
        assert!(nameless.contains(&LOCAL_SERVICE.to_owned()), "nothing else is known of it");
    }

    #[test]
    fn all_services_together_are_no_service() {
        assert!(is_service(WEB) && !is_service(ALL_SERVICES) && !is_service(LOCAL_SERVICE));
        let own = own_services().unwrap();
        assert!(own.iter().all(|service| is_service(service)), "{own:?}");
    }
}
