//! Files that are no images: batch files go to `cmd`, PowerShell scripts to `powershell`, both by
//! their absolute path and with arguments that arrive as they were written.
//!
//! Which a file is says its name as the system resolves it: without the dots and spaces at the end
//! that the system drops, or `run.bat. .` would be a batch file that nobody took for one.

use std::{
    ffi::OsString,
    io,
    os::windows::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

use super::command_line;

/// Characters that `cmd` and programs leave alone outside of quotation marks, besides letters,
/// digits, and what is not ASCII.
const PLAIN: &str = r"#$*+-./:?@\_";
/// Stands before each `%`: a part of no length of a variable that is always there. It comes to
/// nothing, and takes the `%` with it that could begin the name of a variable.
const PERCENT_GUARD: &str = "%%cd:~,";

/// What a file needs in order to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Image,
    /// `cmd`.
    Batch,
    /// `powershell`.
    PowerShell,
}

/// What the system is told: an image and a command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Called {
    pub(super) image: PathBuf,
    pub(super) line: String,
}

/// Returns what kind of file this is.
pub(super) fn kind_of(path: &Path) -> Kind {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.trim_end_matches(['.', ' ']);
    match name.rsplit_once('.') {
        Some((_, "bat" | "cmd")) => Kind::Batch,
        Some((_, "ps1")) => Kind::PowerShell,
        Some(_) | None => Kind::Image,
    }
}

/// Returns how a file is called with these words, the first of which is the name it was given.
///
/// Fails with the word that cannot be passed on.
pub(super) fn call(path: &Path, words: &[String]) -> Result<Called, String> {
    let arguments = words.get(1..).unwrap_or_default();
    Ok(match kind_of(path) {
        Kind::Image => Called { image: path.to_owned(), line: command_line::line(words) },
        Kind::Batch => Called {
            image: system_folder().join("cmd.exe"),
            line: batch_line(&path.to_string_lossy(), arguments)?,
        },
        Kind::PowerShell => Called {
            image: system_folder().join(r"WindowsPowerShell\v1.0\powershell.exe"),
            line: power_shell_line(&path.to_string_lossy(), arguments),
        },
    })
}

/// Not from the environment, which may name another one.
#[expect(unsafe_code, reason = "GetSystemDirectoryW")]
fn system_folder() -> PathBuf {
    let mut room = [0_u16; 260];
    // SAFETY: `room` is valid for writes of 260 units.
    let length = unsafe { GetSystemDirectoryW(room.as_mut_ptr(), 260) };
    let units = room.get(..usize::try_from(length).unwrap_or_default()).unwrap_or_default();
    PathBuf::from(OsString::from_wide(units))
}

/// Returns the command line of a batch file, as Rust's standard library makes it.
///
/// `cmd` reads the line first and the program that the file calls reads it again, by other rules:
/// everything but the plainest words is quoted, a quotation mark is doubled, and `%` is guarded.
fn batch_line(script: &str, arguments: &[String]) -> Result<String, String> {
    if script.contains('"') || script.ends_with('\\') {
        return Err(script.to_owned());
    }
    // With extensions, which the guard needs; without `!name!` and without anybody's autorun.
    let mut line = String::from("cmd.exe /e:ON /v:OFF /d /c \"\"");
    line.push_str(&script.replace('%', &format!("{PERCENT_GUARD}%")));
    line.push('"');
    for argument in arguments {
        if argument.contains(['\r', '\n', '\0']) {
            return Err(argument.clone());
        }
        line.push(' ');
        push_guarded(&mut line, argument);
    }
    line.push('"');
    Ok(line)
}

fn push_guarded(line: &mut String, argument: &str) {
    let is_plain = |letter: char| {
        let is_plain_ascii = letter.is_ascii_alphanumeric() || PLAIN.contains(letter);
        if letter.is_ascii() { is_plain_ascii } else { !letter.is_control() }
    };
    // A backslash at the end would escape the mark of a file that quotes its argument itself.
    let is_quoted =
        argument.is_empty() || argument.ends_with('\\') || !argument.chars().all(is_plain);
    let mark = if is_quoted { "\"" } else { "" };
    line.push_str(mark);
    let mut backslashes = 0;
    for letter in argument.chars() {
        match letter {
            '"' => line.push_str(&("\\".repeat(backslashes) + "\"")),
            '%' => line.push_str(PERCENT_GUARD),
            _ => {}
        }
        backslashes = if letter == '\\' { backslashes + 1 } else { 0 };
        line.push(letter);
    }
    if is_quoted {
        line.push_str(&"\\".repeat(backslashes));
    }
    line.push_str(mark);
}

/// With `-File` the script's exit code is the program's.
fn power_shell_line(script: &str, arguments: &[String]) -> String {
    let own = ["powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"];
    let words = own.into_iter().chain(["-File", script]).map(str::to_owned);
    let words: Vec<String> = words.chain(arguments.iter().cloned()).collect();
    command_line::line(&words)
}

/// Returns why a file that a start would execute cannot be one that the system executes.
///
/// The Microsoft Store leaves empty files under the names of programs that it could install: only
/// the desktop of a person can start them.
pub(super) fn alias_refusal(path: &Path) -> Option<io::Error> {
    /// `ERROR_CANT_ACCESS_FILE`, what the system itself says to it.
    const NOT_FOR_SERVICES: i32 = 1920;
    let folder = path.parent()?.to_string_lossy().to_ascii_lowercase();
    let is_in_store = folder.trim_end_matches('\\').ends_with(r"\microsoft\windowsapps");
    let is_empty = path.symlink_metadata().is_ok_and(|file| file.len() == 0);
    (is_in_store && is_empty).then(|| io::Error::from_raw_os_error(NOT_FOR_SERVICES))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "cmd.exe /e:ON /v:OFF /d /c ";

    fn check(argument: &str, expected: &str) {
        let line = batch_line(r"C:\run.bat", &[argument.to_owned()]).unwrap();
        assert_eq!(line, format!(r#"{SHELL}""C:\run.bat" {expected}""#), "{argument}");
    }

    #[test]
    fn what_a_shell_would_read_is_quoted_for_it() {
        check("hello", "hello");
        check("two words", r#""two words""#);
        check("", r#""""#);
        check(r#"say "hi""#, r#""say ""hi""""#);
        check(r"C:\folder", r"C:\folder");
        check(r"C:\folder\", r#""C:\folder\\""#);
        check(r#"a\"b"#, r#""a\\""b""#);
        check("&whoami", r#""&whoami""#);
        check(">file.txt", r#"">file.txt""#);
        check("!TMP!", r#""!TMP!""#);
        check("key=value", r#""key=value""#);
        check(r#"hello^"world"#, r#""hello^""world""#);
        check("%PATH%", r#""%%cd:~,%PATH%%cd:~,%""#);
        check("größe", "größe");
    }

    #[test]
    fn what_no_shell_can_be_told_is_refused() {
        for argument in ["a\nb", "a\rb", "a\0b"] {
            let refused = batch_line("run.bat", &[argument.to_owned()]).unwrap_err();
            assert_eq!(refused, argument);
        }
        assert_eq!(batch_line(r#"a"b.bat"#, &[]).unwrap_err(), r#"a"b.bat"#);
        assert_eq!(batch_line("a%b.bat", &[]).unwrap(), format!(r#"{SHELL}""a%%cd:~,%b.bat"""#));
    }

    #[test]
    fn a_file_is_what_the_system_takes_it_for() {
        for name in ["run.bat", "RUN.CMD", "run.bat .. ", r"C:\a.exe\run.cmd."] {
            assert_eq!(kind_of(Path::new(name)), Kind::Batch, "{name}");
        }
        assert_eq!(kind_of(Path::new("job.PS1")), Kind::PowerShell);
        for name in ["bat", "run.bat.exe", "run.batx", r"C:\run.bat\program"] {
            assert_eq!(kind_of(Path::new(name)), Kind::Image, "{name}");
        }
    }

    #[test]
    fn a_power_shell_script_runs_without_profile_and_keeps_its_exit_code() {
        let words = ["job", "two words"].map(str::to_owned);
        let called = call(Path::new(r"C:\my jobs\job.ps1"), &words).unwrap();
        assert!(called.image.is_absolute() && called.image.ends_with("powershell.exe"));
        let expected = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File \
            \"C:\\my jobs\\job.ps1\" \"two words\"";
        assert_eq!(called.line, expected);
    }
}
