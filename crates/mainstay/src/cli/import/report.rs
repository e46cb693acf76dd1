//! What is told of a translation.

use std::fmt::Write as _;

use serde::Serialize;

use super::configuration;
use crate::{
    errors::CliError,
    foreign::{Remark, Translation, Verdict, Wrapper},
    print,
};

/// Values are shown so far; a program's arguments may be long.
const VALUE_LETTERS: usize = 40;

/// A translation for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told<'a> {
    name: &'a str,
    wrapper: Wrapper,
    file: String,
    configuration: String,
    /// Absent when no line of `cmd` can say it.
    install: Option<String>,
    remarks: &'a [Remark],
}

/// Whether values of variables are told: many are secrets, and a terminal is read by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Hide,
    Show,
}

pub(super) fn print_json(all: &[Translation], values: Values) -> Result<(), CliError> {
    let told: Vec<Told<'_>> = all.iter().map(|one| told(one, values)).collect::<Result<_, _>>()?;
    print::json(&told);
    Ok(())
}

pub(super) fn print(all: &[Translation], values: Values) -> Result<(), CliError> {
    for (count, translation) in all.iter().enumerate() {
        print::data(if count > 0 { "\n" } else { "" });
        print::told(&text(&told(translation, values)?));
    }
    Ok(())
}

fn told(translation: &Translation, values: Values) -> Result<Told<'_>, CliError> {
    let (place, whole) = configuration(translation)?;
    let registered = &translation.registered;
    let bare = translation.equivalent.without_values();
    let (configuration, equivalent) = match values {
        Values::Show => (whole, &translation.equivalent),
        Values::Hide => (bare.configuration(&place.unit()), &bare),
    };
    Ok(Told {
        name: &registered.name,
        wrapper: translation.wrapper,
        file: place.located().file.display().to_string(),
        configuration,
        install: equivalent.install_line(registered),
        remarks: &translation.remarks,
    })
}

fn text(told: &Told<'_>) -> String {
    let Told { name, wrapper, file, configuration, install, remarks } = told;
    let mut text = format!("{name} is {wrapper}. With `--replace` it stands in {file}:\n\n");
    for line in configuration.lines() {
        let _ = writeln!(text, "    {}", print::harmless(line));
    }
    let install = install
        .as_deref()
        .map_or_else(|| "(no line can say it: a word has a line break)".into(), print::harmless);
    let _ = writeln!(text, "\nA new service like it:\n\n    {install}\n");
    for row in *remarks {
        text.push_str(&line(row));
    }
    let missing = remarks.iter().filter(|remark| remark.verdict == Verdict::Missing).count();
    let _ = match missing {
        0 => writeln!(text, "\nNothing is missing."),
        _ => writeln!(text, "\n{} without equivalent.", print::count(missing, "setting")),
    };
    text
}

fn line(remark: &Remark) -> String {
    let Remark { setting, value, verdict, why } = remark;
    let value = print::harmless(&value.replace(['\r', '\n'], " "));
    let mut shown: String = value.chars().take(VALUE_LETTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("  {verdict:7} {:24} {shown:24} {why}\n", print::harmless(setting))
}
