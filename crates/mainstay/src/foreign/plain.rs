//! A service without a wrapper: its command line explained, word by word.

use super::{
    Equivalent, Registered, Remarks, Translation, Untranslatable, Wrapper,
    words::{file_stem, folder_of, split_line},
};

pub(crate) fn translate(registered: &Registered) -> Result<Translation, Untranslatable> {
    let line = registered.command_line.trim();
    if line.is_empty() {
        return Err(Untranslatable::new("it has no command line", "a driver is no program"));
    }
    let words = split_line(&with_quotes(line));
    let program = words.first().cloned().unwrap_or_default();
    refuse_known(&file_stem(&program), &registered.name)?;
    let mut remarks = Remarks::default();
    remarks.same(("ImagePath", line), "`command`, one word each");
    if open_path(line).is_some() {
        let why = "its path has blanks and no quotes, so that Windows tries a program at each of them; here it is one word";
        remarks.better(("quotes", "missing"), why);
    }
    let why = "a program written as a service talks to the manager itself, and may refuse to run below another one (1063); programs that do their work in a console are right here";
    remarks.missing(("manager", &file_stem(&program)), why);
    remarks.registered(registered);
    let directory = Some(folder_of(&program)).filter(|folder| !folder.is_empty());
    let equivalent = Equivalent {
        command: words,
        directory: directory.map(str::to_owned),
        ..Equivalent::default()
    };
    let registered = registered.clone();
    Ok(Translation { wrapper: Wrapper::Plain, registered, equivalent, remarks: remarks.0 })
}

/// Wrappers keep what they run elsewhere.
fn refuse_known(stem: &str, name: &str) -> Result<(), Untranslatable> {
    let hint = if stem.contains("nssm") || stem == "srvany" {
        format!("`mainstay import nssm {name}` reads what it runs")
    } else if stem.contains("shawl") {
        format!("`mainstay import shawl {name}` reads what it runs")
    } else if stem.contains("winsw") {
        "`mainstay import winsw FILE` reads the XML file beside it".to_owned()
    } else if stem == "svchost" {
        "it is a part of Windows that shares its process with others; leave it as it is".to_owned()
    } else if stem == "mainstay" {
        format!("it is ours already: `mainstay service status {name}`")
    } else {
        return Ok(());
    };
    Err(Untranslatable::new(format!("`{name}` is run by {stem}"), hint))
}

/// Returns program and rest of a line whose program's name the system has to guess: it has blanks
/// and no quotes, and ends at the first `.exe` that a blank follows.
fn open_path(line: &str) -> Option<(&str, &str)> {
    const END: &str = ".exe";
    let small = line.to_ascii_lowercase();
    let ends = small.match_indices(END).map(|(at, _)| line.split_at(at + END.len()));
    let mut fitting = ends.filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '));
    let found = fitting.next()?;
    (!line.starts_with('"') && found.0.contains(' ')).then_some(found)
}

fn with_quotes(line: &str) -> String {
    open_path(line)
        .map_or_else(|| line.to_owned(), |(program, rest)| format!("\"{program}\"{rest}"))
}
