//! Folders of the user's profile, which nobody else but SYSTEM and administrators may enter, and
//! guarded folders of the machine.

use std::{
    env, fs,
    fs::{File, OpenOptions},
    io,
    os::windows::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    ptr::null_mut,
};

use windows_sys::Win32::{
    Foundation::ERROR_ACCESS_DENIED,
    Storage::FileSystem::{
        CreateDirectoryW, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_OPEN_REPARSE_POINT,
    },
    System::Com::CoTaskMemFree,
    UI::Shell::{
        FOLDERID_ProgramData, FOLDERID_ProgramFiles, FOLDERID_UserProfiles, SHGetKnownFolderPath,
    },
};
use windows_sys::core::GUID;

use super::Right;
use crate::{
    access::{self, Verdict},
    windows::{
        account::{self, MASTERS},
        security::Security,
        succeed, text_at, wide,
    },
};

/// Whoever owns a file or folder, in its access list: instead of the rights that owners have.
const OWNER_RIGHTS: &str = "S-1-3-4";

/// `MAX_PATH`: longer paths are only understood in the system's own form.
const LENGTH_MAX: usize = 260;

pub(super) fn runtime_base() -> io::Result<PathBuf> {
    let base = profile_folder()?.join("run");
    create_private(&base)?;
    Ok(base)
}

pub(super) fn state_base() -> io::Result<PathBuf> {
    Ok(profile_folder()?.join("state"))
}

/// SYSTEM and the service accounts have a profile too.
fn profile_folder() -> io::Result<PathBuf> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "LOCALAPPDATA is not set");
    let local = env::var_os("LOCALAPPDATA").ok_or_else(missing)?;
    Ok(PathBuf::from(local).join("mainstay"))
}

pub(super) fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

pub(super) fn create_new_private(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

pub(super) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
}

pub(super) fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

pub(super) fn create_new_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

pub(super) fn create_new_sealed_file(path: &Path) -> io::Result<File> {
    create_new_private_file(path)
}

pub(super) fn open_private_regular(path: &Path) -> io::Result<File> {
    open_regular(path)
}

pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(file)
}

pub(super) fn open_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).open(path)
}

pub(super) fn open_exposed_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = open_log(options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT), path)?;
    let is_link = file.metadata()?.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0;
    if is_link { Err(super::leads_elsewhere()) } else { Ok(file) }
}

#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse it")]
pub(super) fn share_owner(_file: &File, _other: &Path) -> io::Result<()> {
    // A new file inherits its access list from the folder, as the other one did.
    Ok(())
}

pub(super) fn share_access(path: &Path, other: &Path) -> io::Result<()> {
    access::share(path, other)
}

pub(super) fn is_trusted_owner(path: &Path) -> io::Result<bool> {
    account::is_trusted(&account::owner_of(path)?)
}

/// The system's own form (`\\?\C:\…`) is understood by few programs and no person.
pub(super) fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

pub(super) fn canonical(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    let text = path.to_string_lossy();
    let plain = match text.strip_prefix(r"\\?\") {
        Some(rest) if rest.len() < LENGTH_MAX && rest.as_bytes().get(1) == Some(&b':') => rest,
        _ => return Ok(path),
    };
    Ok(PathBuf::from(plain))
}

pub(super) fn machine_base() -> io::Result<PathBuf> {
    Ok(known_folder(FOLDERID_ProgramData)?.join("mainstay"))
}

pub(super) fn program_base() -> io::Result<PathBuf> {
    Ok(known_folder(FOLDERID_ProgramFiles)?.join("Mainstay"))
}

/// The system is asked, not the environment, which whoever started us could have written.
#[expect(unsafe_code, reason = "SHGetKnownFolderPath, CoTaskMemFree")]
fn known_folder(which: GUID) -> io::Result<PathBuf> {
    let mut text = null_mut();
    let to = &raw mut text;
    // SAFETY: the identifier lives until the call returns; null asks for the machine; `text` is
    // valid for writes.
    let result = unsafe { SHGetKnownFolderPath(&raw const which, 0, null_mut(), to) };
    // SAFETY: the text ends with NUL or is null.
    let folder = unsafe { text_at(text) };
    // SAFETY: the system allocated it for us; null is allowed.
    unsafe { CoTaskMemFree(text.cast()) };
    if result < 0 { Err(io::Error::from_raw_os_error(result)) } else { Ok(folder.into()) }
}

pub(super) fn is_everybodys(folder: &Path) -> bool {
    let profiles = known_folder(FOLDERID_UserProfiles).unwrap_or_default();
    let small = |path: &Path| path.to_string_lossy().trim_end_matches('\\').to_lowercase();
    let Some(above) = folder.parent() else { return true };
    let profiles = small(&profiles);
    !profiles.is_empty() && (small(folder) == profiles || small(above) == profiles)
}

pub(super) fn create_guarded(path: &Path, grants: &[(String, Right)]) -> io::Result<()> {
    match create_with(path, &Security::parse(&guard(grants))?) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take(path, grants),
        done => done,
    }
}

/// Everybody who may enter, with rights as bits. Whoever owns what is created there has no rights by
/// that: it may be an account that many services share.
fn guests(grants: &[(String, Right)]) -> Vec<(&str, u32)> {
    let [system, administrators] = MASTERS;
    let always = [
        (system, access::EVERYTHING),
        (administrators, access::EVERYTHING),
        (OWNER_RIGHTS, access::LOOKING),
    ];
    let named = grants.iter().map(|(who, right)| (who.as_str(), access::mask_of(*right)));
    always.into_iter().chain(named).collect()
}

/// Describes who may enter: each right goes to files (OI) and folders (CI) below.
fn guard(grants: &[(String, Right)]) -> String {
    let entry = |(who, mask): (&str, u32)| format!("(A;OICI;{mask:#x};;;{who})");
    let entries: String = guests(grants).into_iter().map(entry).collect();
    ["O:BAD:P", &entries].concat()
}

pub(super) fn guard_anew(path: &Path, grants: &[(String, Right)]) -> io::Result<()> {
    leads_nowhere_else(path)?;
    let entries = access::entries(path)?;
    let is_there = |(who, mask): &(&str, u32)| {
        entries.iter().any(|entry| {
            (entry.who.as_str(), entry.mask, entry.verdict) == (*who, *mask, Verdict::Allow)
        })
    };
    let guests = guests(grants);
    if entries.len() == guests.len() && guests.iter().all(is_there) {
        return Ok(());
    }
    Security::parse(&guard(grants))?.protect(path)
}

pub(super) fn sharers(path: &Path) -> io::Result<Vec<String>> {
    let sharing = (access::mask_of(Right::Share), Verdict::Allow);
    let entries = access::entries(path)?.into_iter();
    Ok(entries.filter(|entry| (entry.mask, entry.verdict) == sharing).map(|it| it.who).collect())
}

#[expect(unsafe_code, reason = "CreateDirectoryW")]
fn create_with(path: &Path, security: &Security) -> io::Result<()> {
    let attributes = security.attributes();
    // SAFETY: the path ends with NUL; it and the attributes live until the call returns.
    succeed(unsafe { CreateDirectoryW(wide(path).as_ptr(), &raw const attributes) })
}

/// Every user may create folders where machine-wide ones lie, and lead ours elsewhere, or keep the
/// right to change what is ours.
///
/// Whoever is elevated owns as the group of administrators what it makes; a folder of the caller's
/// own user was made by that user without being elevated, who thus loses it.
fn take(path: &Path, grants: &[(String, Right)]) -> io::Result<()> {
    leads_nowhere_else(path)?;
    if !is_trusted_owner(path)? {
        return Err(refused("neither we nor the administrators nor the system own it"));
    }
    if !MASTERS.contains(&account::owner_of(path)?.as_str()) {
        Security::parse("O:BA")?.give(path)?;
    }
    guard_anew(path, grants)
}

pub(super) fn check_guarded(path: &Path) -> io::Result<()> {
    match look_guarded(path) {
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => Ok(()),
        looked => looked,
    }
}

fn look_guarded(path: &Path) -> io::Result<()> {
    leads_nowhere_else(path)?;
    let known = account::own_masters()?;
    if !known.contains(&account::owner_of(path)?) {
        return Err(refused("neither we nor the administrators nor the system own it"));
    }
    match access::stranger_who_writes(&access::entries(path)?, &known) {
        None => Ok(()),
        Some(who) => Err(refused(&format!("{who} may change it"))),
    }
}

fn refused(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}

fn leads_nowhere_else(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    let leads_elsewhere = metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0;
    let reason = if !metadata.is_dir() {
        "it is no folder"
    } else if leads_elsewhere {
        "it leads to another folder"
    } else {
        return Ok(());
    };
    Err(refused(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_names_everybody_once_and_inherits_nothing() {
        let grants =
            [("S-1-5-80-1".to_owned(), Right::Modify), ("S-1-5-11".to_owned(), Right::Read)];
        let expected = "O:BAD:P(A;OICI;0x1f01ff;;;S-1-5-18)(A;OICI;0x1f01ff;;;S-1-5-32-544)\
                        (A;OICI;0x20000;;;S-1-3-4)\
                        (A;OICI;0x1301bf;;;S-1-5-80-1)(A;OICI;0x1200a9;;;S-1-5-11)";
        assert_eq!(guard(&grants), expected);
    }

    #[test]
    fn a_guarded_folder_is_guarded_anew_as_often_as_it_takes() {
        let folder = env::temp_dir().join(format!("mainstay-anew-{}", std::process::id()));
        let [own, group] = [7, 8].map(|last| format!("S-1-5-80-7-7-7-7-{last}"));
        create_guarded(&folder, &[(own.clone(), Right::Share)]).unwrap();
        let grants = [(own, Right::Share), (group, Right::Read)];
        for _ in 0..2 {
            guard_anew(&folder, &grants).unwrap();
        }
        // Wine keeps of a list what the mode of a Unix file can say.
        if env::var_os("MAINSTAY_WINE").is_none() {
            let list = access::entries(&folder).unwrap();
            let found: Vec<_> = list.iter().map(|entry| (entry.who.as_str(), entry.mask)).collect();
            assert_eq!(found, guests(&grants));
            assert_eq!(sharers(&folder).unwrap(), [grants[0].0.clone()]);
        }
        let missing = guard_anew(&folder.join("missing"), &grants).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_drive_and_a_profile_hold_more_than_a_program() {
        let profiles = known_folder(FOLDERID_UserProfiles).unwrap();
        for folder in [Path::new(r"C:\"), &profiles, &profiles.join("Anna")] {
            assert!(is_everybodys(folder), "{}", folder.display());
        }
        for folder in [Path::new(r"C:\apps"), &profiles.join("anna").join("web")] {
            assert!(!is_everybodys(folder), "{}", folder.display());
        }
    }

    #[test]
    fn a_path_has_the_form_that_people_write() {
        let temporary = canonical(&env::temp_dir()).unwrap();
        assert!(!temporary.to_string_lossy().starts_with(r"\\?\"), "{}", temporary.display());
    }

    #[test]
    fn a_guarded_folder_is_created_once_and_a_file_in_its_place_is_refused() {
        let base = env::temp_dir().join(format!("mainstay-guard-{}", std::process::id()));
        create_guarded(&base, &[]).unwrap();
        create_guarded(&base, &[]).unwrap();
        let file = base.join("file");
        File::create(&file).unwrap();
        assert_eq!(create_guarded(&file, &[]).unwrap_err().to_string(), "it is no folder");
        assert_eq!(check_guarded(&file).unwrap_err().to_string(), "it is no folder");
        check_guarded(&base).unwrap();
        access::grant(&base, access::EVERYBODY, Right::Modify).unwrap();
        let said = check_guarded(&base).unwrap_err().to_string();
        assert_eq!(said, "S-1-1-0 may change it");
        create_guarded(&base, &[]).unwrap();
        check_guarded(&base).unwrap();
        fs::remove_dir_all(base).unwrap();
    }
}
