//! The editor that a person has chosen, in the terminal that they sit at.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::spawn::{self, Program};

/// Where the choice stands, the first that is set.
const CHOICES: [&str; 2] = ["VISUAL", "EDITOR"];
/// What every system has.
const USUAL: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Opens a file in the editor and waits until it is closed.
///
/// The choice may have arguments behind it, such as `code --wait`; they are split at blanks.
pub fn edit(file: &Path) -> io::Result<()> {
    let chosen =
        CHOICES.iter().find_map(|name| env::var(name).ok().filter(|text| !text.is_empty()));
    let line = chosen.unwrap_or_else(|| USUAL.to_owned());
    let (program, arguments) = words(&line);
    let mut command = Command::new(image_of(program));
    command.args(arguments).arg(file);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let failed = |what: &dyn std::fmt::Display| io::Error::other(format!("`{line}`: {what}"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(&status)),
        Err(error) => Err(failed(&error)),
    }
}

/// Returns the file of a program: on Windows `code` is a batch file, which is found by the rules of
/// the shell alone.
fn image_of(program: &str) -> PathBuf {
    if !cfg!(windows) {
        return program.into();
    }
    let command = [program.to_owned()];
    let meant = Program::new("", &command, spawn::own_environment());
    spawn::image_of(&meant).unwrap_or_else(|_| program.into())
}

/// A path with blanks that is there is a program, not a program with arguments.
pub(crate) fn words(line: &str) -> (&str, Vec<&str>) {
    if Path::new(line).is_file() {
        return (line, Vec::new());
    }
    let mut words = line.split_whitespace();
    (words.next().unwrap_or(USUAL), words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_may_have_arguments_or_blanks_in_its_path() {
        assert_eq!(words("code --wait"), ("code", vec!["--wait"]));
        let path = env::temp_dir().join(format!("an editor {}", std::process::id()));
        std::fs::File::create(&path).unwrap();
        let text = path.to_str().unwrap();
        assert_eq!(words(text), (text, Vec::new()));
        std::fs::remove_file(&path).unwrap();
    }
}
