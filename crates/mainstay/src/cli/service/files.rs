//! Files of the user's own that get what a program says, too: the words of the command line, and
//! the keys of the configuration that they stand for.

use std::path::{Path, PathBuf, absolute};

use clap::Args as ClapArgs;
use mainstay_api::config::{self, EditError, LogFiles, LogPath, ServiceConfig};
use toml_edit::Value;

use super::failure::Opted;
use crate::errors::CliError;

/// Files that get what the program says, besides `mainstay logs`.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct FileArgs {
    /// A file that gets what comes on stdout, too
    #[arg(long, value_name = "FILE")]
    pub(super) stdout: Option<PathBuf>,

    /// A file that gets what comes on stderr, too; may be the same
    #[arg(long, value_name = "FILE")]
    pub(super) stderr: Option<PathBuf>,

    /// Give these files another name once they are larger, such as `10MiB`; else they grow
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(super) rotate_size: Option<String>,

    /// Give these files another name whenever the program starts
    #[arg(long)]
    pub(super) rotate_at_start: bool,
}

fn parse_size(text: &str) -> Result<String, String> {
    config::parse_size(text).map(|_| text.to_owned())
}

impl FileArgs {
    /// Returns whether anything was asked for.
    pub(super) const fn is_empty(&self) -> bool {
        self.stdout.is_none()
            && self.stderr.is_none()
            && self.rotate_size.is_none()
            && !self.rotate_at_start
    }

    /// Returns the folders that the files lie in, once it is sure that they are there.
    pub(super) fn folders(&self) -> Result<Vec<PathBuf>, CliError> {
        let mut folders: Vec<PathBuf> = Vec::new();
        for file in self.stdout.iter().chain(&self.stderr) {
            let folder = folder_of(file)?;
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        Ok(folders)
    }

    /// Returns the configuration with what was asked for in it.
    pub(super) fn configured(&self, text: String, unit: &str) -> Result<String, EditError> {
        let file = |path: &Path| literal(&absolute(path).unwrap_or_else(|_| path.to_owned()));
        let keys = [
            ("logs.path.stdout", self.stdout.as_deref().map(file)),
            ("logs.path.stderr", self.stderr.as_deref().map(file)),
            ("logs.path.max-size", self.rotate_size.as_ref().map(|size| format!("\"{size}\""))),
            ("logs.path.at-start", self.rotate_at_start.then(|| "true".to_owned())),
        ];
        let said = keys.into_iter().filter_map(|(key, typed)| Some((key, typed?)));
        said.into_iter().try_fold(text, |text, (key, typed)| config::set(&text, unit, key, &typed))
    }
}

/// A path may look like another value of TOML.
fn literal(path: &Path) -> String {
    Value::from(path.display().to_string()).to_string()
}

fn folder_of(file: &Path) -> Result<PathBuf, CliError> {
    let path = absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = path.parent().unwrap_or(&path).to_owned();
    if path.is_dir() {
        let what = format!("`{}` is a folder", path.display());
        return Err(CliError::refused(what, "name a file in it"));
    }
    if folder.is_dir() {
        return Ok(folder);
    }
    let what = format!("there is no folder for `{}`", path.display());
    Err(CliError::refused(what, format!("make it first: mkdir \"{}\"", folder.display())))
}

/// Returns the options that install a service with these files.
pub(super) fn options_of(configured: &ServiceConfig) -> Vec<Opted> {
    let LogPath { files, max_size, .. } = &configured.logs.path;
    let (stdout, stderr) = match files {
        LogFiles::None => return Vec::new(),
        LogFiles::Joined(file) => (Some(file), Some(file)),
        LogFiles::Split { stdout, stderr } => (stdout.as_ref(), stderr.as_ref()),
    };
    let size = (*max_size > 0).then(|| format!("{max_size}B"));
    let all = [("stdout", stdout.cloned()), ("stderr", stderr.cloned()), ("rotate-size", size)];
    all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::SourceText;

    use super::*;

    #[test]
    fn files_stand_in_the_configuration_and_are_dumped_again() {
        let [out, err] = ["out.log", "7"].map(|name| std::env::temp_dir().join(name));
        let args = FileArgs {
            stdout: Some(out.clone()),
            stderr: Some(err.clone()),
            rotate_size: Some("1MiB".to_owned()),
            rotate_at_start: true,
        };
        let text = "[services.web]\ncommand = [\"web\"]\n".to_owned();
        let text = args.configured(text, "web").unwrap();
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let parsed = config::parse(&[source]).unwrap_or_else(|found| panic!("{found:?}\n{text}"));
        let configured = parsed.services.values().next().unwrap();
        assert!(configured.logs.path.at_start);
        let shown = |path: &Path| path.display().to_string();
        let expected = [
            ("stdout", shown(&out)),
            ("stderr", shown(&err)),
            ("rotate-size", "1048576B".to_owned()),
        ];
        assert_eq!(options_of(configured), expected);
    }

    #[test]
    fn a_file_lies_in_a_folder_that_is_there() {
        let here = std::env::temp_dir();
        let of = |file: PathBuf| FileArgs { stdout: Some(file), ..FileArgs::default() }.folders();
        assert_eq!(of(here.join("out.log")), Ok(vec![absolute(&here).unwrap()]));
        let missing = here.join("mainstay-nowhere");
        let error = of(missing.join("out.log")).unwrap_err();
        assert_eq!(error.hint, format!("make it first: mkdir \"{}\"", missing.display()));
        assert!(of(here.clone()).unwrap_err().what.ends_with("is a folder"));
    }
}
