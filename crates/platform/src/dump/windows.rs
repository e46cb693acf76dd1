//! Minidumps of the error reporting: `IMAGE.PID.dmp` in the folder that `LocalDumps` names.

use std::{
    io,
    path::{Path, PathBuf},
};

use windows_sys::Win32::System::ErrorReporting::{WER_FAULT_REPORTING_FLAG_NOHEAP, WerSetFlags};

use super::{Dead, Dump};
use crate::registry::{Key, Purpose};

/// The key is there where somebody has asked for dumps; a key below it is about one program.
const LOCAL_DUMPS: &str = r"SOFTWARE\Microsoft\Windows\Windows Error Reporting\LocalDumps";
const FOLDER: &str = "DumpFolder";
const USUAL: &str = r"%LOCALAPPDATA%\CrashDumps";

#[expect(unsafe_code, reason = "WerSetFlags")]
pub(super) fn refuse() -> io::Result<()> {
    // SAFETY: no memory is involved.
    let result = unsafe { WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP) };
    if result < 0 { Err(io::Error::from_raw_os_error(result)) } else { Ok(()) }
}

pub(super) fn find(dead: &Dead<'_>) -> Option<Dump> {
    let image = image(dead.program)?;
    let name = format!("{image}.{}.dmp", dead.pid);
    let is_its = |path: &PathBuf| {
        let changed = path.metadata().and_then(|found| found.modified());
        changed.is_ok_and(|changed| changed >= dead.started)
    };
    let candidates = folders(&image).into_iter().map(|folder| folder.join(&name));
    candidates.filter(is_its).map(Dump::File).next()
}

/// Returns the name of the file that runs: `web` is `web.exe`.
fn image(program: &str) -> Option<String> {
    let path = Path::new(program);
    let name = path.file_name()?.to_str()?.to_owned();
    Some(if path.extension().is_some() { name } else { name + ".exe" })
}

/// Returns where dumps of a program may lie: its own key comes first.
fn folders(image: &str) -> Vec<PathBuf> {
    let keys = [format!(r"{LOCAL_DUMPS}\{image}"), LOCAL_DUMPS.to_owned()];
    let named = keys.iter().filter_map(|key| folder_in(key));
    named.chain([USUAL.to_owned()]).map(|folder| PathBuf::from(expanded(&folder))).collect()
}

fn folder_in(key: &str) -> Option<String> {
    let values = Key::open(key, Purpose::Look).ok()?.values().ok()?;
    let folder = values.into_iter().find(|value| value.name.eq_ignore_ascii_case(FOLDER))?;
    folder.data.text().map(str::to_owned)
}

/// Replaces variables between percent signs by their values; an unknown one stays.
fn expanded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    while let Some(name) = pieces.next() {
        let Some(rest) = pieces.next() else {
            return out + "%" + name;
        };
        match std::env::var(name) {
            Ok(value) => out += &value,
            Err(_) => out.extend(["%", name, "%"]),
        }
        out += rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use super::*;
    use crate::registry::{Data, Lasts, delete_tree};

    #[test]
    fn the_dump_of_a_program_lies_where_its_own_key_says() {
        let folder = std::env::temp_dir().join(format!("mainstay-dumps-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let image = format!("crash-{}", std::process::id());
        let path = format!(r"{LOCAL_DUMPS}\{image}.exe");
        // Another test may have made the key above until the reboot: below it, nothing lasts longer.
        let key = Key::create(&path, Lasts::UntilReboot).unwrap();
        key.set(FOLDER, &Data::Expandable(folder.display().to_string())).unwrap();
        let program = format!(r"C:\somewhere\{image}");
        let dead = Dead {
            pid: 4711,
            program: &program,
            directory: Path::new(r"C:\"),
            signal: None,
            started: SystemTime::UNIX_EPOCH,
        };
        assert_eq!(find(&dead), None);
        let file = folder.join(format!("{image}.exe.4711.dmp"));
        fs::File::create(&file).unwrap();
        assert_eq!(find(&dead), Some(Dump::File(file)));
        assert_eq!(find(&Dead { pid: 4712, ..dead }), None);
        delete_tree(&path).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn variables_between_percent_signs_become_their_values() {
        let root = std::env::var("SystemRoot").unwrap();
        assert_eq!(expanded(r"%SystemRoot%\x"), format!(r"{root}\x"));
        assert_eq!(expanded(r"%no such thing%\x"), r"%no such thing%\x");
        assert_eq!(expanded("100%"), "100%");
    }
}
