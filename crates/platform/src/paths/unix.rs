//! XDG folders, and where the system's own services keep their files.

use std::{
    env, fs,
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, io::Errno, process::geteuid};

#[cfg(target_os = "linux")]
const SYSTEM_RUNTIME: &str = "/run/mainstay";
#[cfg(target_os = "linux")]
const SYSTEM_STATE: &str = "/var/lib/mainstay";
#[cfg(target_os = "macos")]
const SYSTEM_RUNTIME: &str = "/var/run/mainstay";
#[cfg(target_os = "macos")]
const SYSTEM_STATE: &str = "/var/db/mainstay";

pub(super) fn runtime_base() -> io::Result<PathBuf> {
    let base = runtime_candidate();
    create_private(&base)?;
    let owner = fs::symlink_metadata(&base)?;
    // Whoever an access list lets in may walk through, and neither look nor write.
    if owner.uid() != geteuid().as_raw() || owner.mode() & 0o067 != 0 {
        let text = format!("`{}` belongs to or admits somebody else", base.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(base)
}

fn runtime_candidate() -> PathBuf {
    let user = geteuid().as_raw();
    match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(folder) if folder.is_absolute() && folder.is_dir() => folder.join("mainstay"),
        _ if user == 0 => PathBuf::from(SYSTEM_RUNTIME),
        _ => env::temp_dir().join(format!("mainstay-{user}")),
    }
}

pub(super) fn state_base() -> io::Result<PathBuf> {
    if geteuid().as_raw() == 0 {
        return Ok(PathBuf::from(SYSTEM_STATE));
    }
    let home = env::var_os("HOME").map(PathBuf::from);
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| home.map(|home| home.join(".local/state")));
    let missing =
        || io::Error::new(io::ErrorKind::NotFound, "neither HOME nor XDG_STATE_HOME is set");
    Ok(state.ok_or_else(missing)?.join("mainstay"))
}

pub(super) fn create_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn create_new_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

pub(super) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

pub(super) fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

pub(super) fn create_new_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn create_new_sealed_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)
}

pub(super) fn open_private_regular(path: &Path) -> io::Result<File> {
    let refused = |text: String| io::Error::new(io::ErrorKind::PermissionDenied, text);
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        let is_link = Errno::from_io_error(&error) == Some(Errno::LOOP);
        if is_link { refused("it is a link".to_owned()) } else { error }
    })?;
    let found = file.metadata()?;
    let (owner, own) = (found.uid(), geteuid().as_raw());
    // An administrator works with what belongs to the instance's user.
    if owner != own && owner != 0 && own != 0 {
        return Err(refused(format!("it belongs to user {owner}")));
    }
    if !found.is_file() || found.mode() & 0o077 != 0 {
        return Err(refused(format!("its mode {:04o} lets others in", found.mode() & 0o7777)));
    }
    Ok(file)
}

pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    // Whoever opens a named pipe to read it waits for a writer otherwise.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(file)
}

pub(super) fn open_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).mode(0o640).open(path)
}

pub(super) fn open_exposed_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    open_log(options, path).map_err(|error| {
        let is_link = Errno::from_io_error(&error) == Some(Errno::LOOP);
        if is_link { super::leads_elsewhere() } else { error }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "other systems may refuse it")]
pub(super) const fn share_access(_path: &Path, _other: &Path) -> io::Result<()> {
    // Owner and mode say it all.
    Ok(())
}

pub(super) fn share_owner(file: &File, other: &Path) -> io::Result<()> {
    let (now, wanted) = (file.metadata()?, fs::metadata(other)?);
    if (now.uid(), now.gid()) == (wanted.uid(), wanted.gid()) {
        return Ok(());
    }
    fchown(file, Some(wanted.uid()), Some(wanted.gid()))
}

pub(super) fn is_trusted_owner(path: &Path) -> io::Result<bool> {
    let owner = fs::metadata(path)?.uid();
    Ok(owner == 0 || owner == geteuid().as_raw())
}

pub(super) fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

pub(super) fn canonical(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

pub(super) fn machine_base() -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn program_base() -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) const fn is_everybodys(_folder: &Path) -> bool {
    false
}

pub(super) fn create_guarded(_path: &Path, _grants: &[(String, super::Right)]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn check_guarded(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn guard_anew(_path: &Path, _grants: &[(String, super::Right)]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn sharers(_path: &Path) -> io::Result<Vec<String>> {
    Err(io::ErrorKind::Unsupported.into())
}
