//! Discretionary access lists, by way of `advapi32`.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt as _, io::AsRawHandle as _},
    path::Path,
    ptr::null_mut,
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        ACCESS_ALLOWED_ACE, ACL,
        Authorization::{
            GetNamedSecurityInfoW, GetSecurityInfo, SE_FILE_OBJECT, SetNamedSecurityInfoW,
        },
        DACL_SECURITY_INFORMATION, GetAce, GetSecurityDescriptorControl, INHERIT_ONLY_ACE,
        INHERITED_ACE, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
        SE_DACL_PROTECTED, SUB_CONTAINERS_AND_OBJECTS_INHERIT,
        UNPROTECTED_DACL_SECURITY_INFORMATION,
    },
    Storage::FileSystem::{FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT},
};

use super::{EVERYBODY, Entry, LOOKING, Verdict};
use crate::windows::{account, amended::Amended, check, succeed, wide};

/// Types of entries; others (objects, callbacks) do not occur in lists of files.
const ALLOWED: u8 = 0;
const DENIED: u8 = 1;

/// A file's access list; the memory is the system's.
struct List {
    list: *mut ACL,
    descriptor: PSECURITY_DESCRIPTOR,
}

impl List {
    #[expect(unsafe_code, reason = "GetNamedSecurityInfoW")]
    fn of(path: &Path) -> io::Result<Self> {
        let (mut list, mut descriptor) = (null_mut(), null_mut());
        let name = wide(path);
        // SAFETY: the name ends with NUL; `list` and `descriptor` are valid for writes; what is
        // not asked for is null.
        check(unsafe {
            GetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                DACL_SECURITY_INFORMATION,
                null_mut(),
                null_mut(),
                &raw mut list,
                null_mut(),
                &raw mut descriptor,
            )
        })?;
        Ok(Self { list, descriptor })
    }

    #[expect(unsafe_code, reason = "GetSecurityInfo")]
    fn of_open(file: &File) -> io::Result<Self> {
        let (mut list, mut descriptor) = (null_mut(), null_mut());
        // SAFETY: the handle is open; `list` and `descriptor` are valid for writes; what is not
        // asked for is null.
        check(unsafe {
            GetSecurityInfo(
                file.as_raw_handle(),
                SE_FILE_OBJECT,
                DACL_SECURITY_INFORMATION,
                null_mut(),
                null_mut(),
                &raw mut list,
                null_mut(),
                &raw mut descriptor,
            )
        })?;
        Ok(Self { list, descriptor })
    }

    /// Returns the entry with this number. Every entry begins with a head, and those that deny have
    /// the same form as those that allow; of other types only the head may be looked at.
    #[expect(unsafe_code, reason = "GetAce")]
    fn entry(&self, number: u32) -> io::Result<*const ACCESS_ALLOWED_ACE> {
        let mut entry = null_mut();
        // SAFETY: the list is valid while `self` lives; `entry` is valid for writes.
        succeed(unsafe { GetAce(self.list, number, &raw mut entry) })?;
        Ok(entry.cast())
    }

    /// Returns whether nothing of it is inherited from the folder.
    #[expect(unsafe_code, reason = "GetSecurityDescriptorControl")]
    fn is_protected(&self) -> io::Result<bool> {
        let (mut control, mut revision) = (0, 0);
        let (to, version) = (&raw mut control, &raw mut revision);
        // SAFETY: the descriptor is valid while `self` lives; both are valid for writes.
        succeed(unsafe { GetSecurityDescriptorControl(self.descriptor, to, version) })?;
        Ok(control & SE_DACL_PROTECTED != 0)
    }

    /// Returns whether it says anything that the folder does not.
    #[expect(unsafe_code, reason = "an entry of a list")]
    fn is_its_own(&self) -> io::Result<bool> {
        for number in 0..self.count() {
            // SAFETY: every entry begins with a head.
            let head = unsafe { (*self.entry(number)?).Header };
            if u32::from(head.AceFlags) & INHERITED_ACE == 0 {
                return Ok(true);
            }
        }
        self.is_protected()
    }

    #[expect(unsafe_code, reason = "the head of a list")]
    fn count(&self) -> u32 {
        // SAFETY: the list is null or valid while `self` lives.
        unsafe { self.list.as_ref() }.map_or(0, |list| u32::from(list.AceCount))
    }
}

impl Drop for List {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated the descriptor, which holds the list, for us.
        unsafe { LocalFree(self.descriptor) };
    }
}

pub(super) fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    entries_in(&List::of(path)?)
}

/// By name the system looks at what a link leads to.
pub(super) fn entries_of_link(link: &Path) -> io::Result<Vec<Entry>> {
    let flags = FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS;
    let file = OpenOptions::new().access_mode(LOOKING).custom_flags(flags).open(link)?;
    entries_in(&List::of_open(&file)?)
}

fn entries_in(list: &List) -> io::Result<Vec<Entry>> {
    if list.list.is_null() {
        // Where there is no list, which is not an empty one, everybody may do everything.
        let who = EVERYBODY.to_owned();
        return Ok(vec![Entry { who, verdict: Verdict::Allow, mask: u32::MAX }]);
    }
    let mut found = Vec::new();
    for number in 0..list.count() {
        found.extend(read(list.entry(number)?)?);
    }
    Ok(found)
}

/// Reads an entry; nothing when it only counts for what lies below, or is of another type.
#[expect(unsafe_code, reason = "an entry of a list")]
fn read(entry: *const ACCESS_ALLOWED_ACE) -> io::Result<Option<Entry>> {
    // SAFETY: every entry begins with a head.
    let head = unsafe { (*entry).Header };
    let is_for_below = u32::from(head.AceFlags) & INHERIT_ONLY_ACE != 0;
    let verdict = match head.AceType {
        ALLOWED => Verdict::Allow,
        DENIED => Verdict::Deny,
        _ => return Ok(None),
    };
    if is_for_below {
        return Ok(None);
    }
    // SAFETY: of these two types the whole entry is there.
    let entry = unsafe { &*entry };
    let who: PSID = (&raw const entry.SidStart).cast_mut().cast();
    Ok(Some(Entry { who: account::text_of(who)?, verdict, mask: entry.Mask }))
}

/// The system leaves out what the list has inherited, and takes it from the folder anew.
#[expect(unsafe_code, reason = "SetNamedSecurityInfoW")]
pub(super) fn share(path: &Path, other: &Path) -> io::Result<()> {
    let list = List::of(other)?;
    if !list.is_its_own()? {
        return Ok(());
    }
    let inherits = if list.is_protected()? {
        PROTECTED_DACL_SECURITY_INFORMATION
    } else {
        UNPROTECTED_DACL_SECURITY_INFORMATION
    };
    let (name, kind, none) = (wide(path), SE_FILE_OBJECT, null_mut());
    let what = DACL_SECURITY_INFORMATION | inherits;
    // SAFETY: the name ends with NUL; the list lives until the call returns; what stays is null.
    check(unsafe {
        SetNamedSecurityInfoW(name.as_ptr(), kind, what, none, none, list.list, null_mut())
    })
}

pub(super) fn grant(path: &Path, who: &str, mask: u32) -> io::Result<()> {
    let list = List::of(path)?;
    let who = account::Identifier::parse(who)?;
    set(path, &Amended::with(list.list, &who, (mask, SUB_CONTAINERS_AND_OBJECTS_INHERIT))?)
}

pub(super) fn revoke(path: &Path, who: &str) -> io::Result<()> {
    let list = List::of(path)?;
    if list.list.is_null() {
        return Ok(());
    }
    let who = account::Identifier::parse(who)?;
    set(path, &Amended::without(list.list, &who)?)
}

#[expect(unsafe_code, reason = "SetNamedSecurityInfoW")]
fn set(path: &Path, list: &Amended) -> io::Result<()> {
    let name = wide(path);
    let (what, none, kind) = (DACL_SECURITY_INFORMATION, null_mut(), SE_FILE_OBJECT);
    // SAFETY: the name ends with NUL; the new list lives until the call returns; what stays is
    // null.
    check(unsafe {
        SetNamedSecurityInfoW(name.as_ptr(), kind, what, none, none, list.raw(), null_mut())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{service_may, who_moves, who_writes},
        paths::{self, Right},
        windows::security::Security,
    };

    #[test]
    fn a_list_of_its_own_goes_to_the_file_that_takes_its_place() {
        let folder = std::env::temp_dir().join(format!("mainstay-shared-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [former, fresh] = ["former", "fresh"].map(|name| folder.join(name));
        for path in [&former, &fresh] {
            paths::create_private_file(path).unwrap();
        }
        let usual = entries(&fresh).unwrap();
        // Wine adds what the folder would pass on, so that nothing can be taken away there.
        Security::parse("D:P(A;;FA;;;WD)").unwrap().protect(&former).unwrap();
        let own = entries(&former).unwrap();
        assert_ne!(own, usual);
        paths::share_access(&fresh, &former).unwrap();
        assert_eq!(entries(&fresh).unwrap(), own);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_guarded_folder_lets_in_whom_it_was_made_for_and_whoever_is_granted_later() {
        let folder = std::env::temp_dir().join(format!("mainstay-access-{}", std::process::id()));
        let [first, second, third] = [1, 2, 3].map(|last| format!("S-1-5-80-7-7-7-7-{last}"));
        paths::create_guarded(&folder, &[(first.clone(), Right::Modify)]).unwrap();
        super::super::grant(&folder, &second, Right::Read).unwrap();
        let list = entries(&folder).unwrap();
        assert_eq!(who_writes(&list), None);
        let may = |who: &String, right| service_may(&list, std::slice::from_ref(who), right);
        assert!(!may(&second, Right::Modify));
        assert!(may(&second, Right::Read));
        // Wine keeps of a list what the mode of a Unix file can say: what one identity may that is
        // not the owner, everybody may.
        assert_eq!(who_moves(&list), None);
        let is_wine = std::env::var_os("MAINSTAY_WINE").is_some();
        assert_eq!(may(&first, Right::Modify), !is_wine);
        assert_eq!(may(&third, Right::Read), is_wine);
        super::super::revoke(&folder, &second).unwrap();
        let list = entries(&folder).unwrap();
        assert_eq!(service_may(&list, std::slice::from_ref(&second), Right::Read), is_wine);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
