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
    install: String,
    remarks: &'a [Remark],
}

pub(super) fn print_json(all: &[Translation]) -> Result<(), CliError> {
    let told: Vec<Told<'_>> = all.iter().map(told).collect::<Result<_, _>>()?;
    print::json(&told);
    Ok(())
}

pub(super) fn print(all: &[Translation]) -> Result<(), CliError> {
    for (count, translation) in all.iter().enumerate() {
        print::data(if count > 0 { "\n" } else { "" });
        print::data(&text(&told(translation)?));
    }
    Ok(())
}

fn told(translation: &Translation) -> Result<Told<'_>, CliError> {
    let (place, configuration) = configuration(translation)?;
    let registered = &translation.registered;
    Ok(Told {
        name: &registered.name,
        wrapper: translation.wrapper,
        file: place.located().file.display().to_string(),
        configuration,
        install: translation.equivalent.install_line(registered),
        remarks: &translation.remarks,
    })
}

fn text(told: &Told<'_>) -> String {
    let Told { name, wrapper, file, configuration, install, remarks } = told;
    let mut text = format!("{name} is {wrapper}. With `--replace` it stands in {file}:\n\n");
    for line in configuration.lines() {
        let _ = writeln!(text, "    {}", print::harmless(line));
    }
    let _ = writeln!(text, "\nA new service like it:\n\n    {}\n", print::harmless(install));
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
