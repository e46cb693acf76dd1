//! What is told of a translation.

use std::fmt::Write as _;

use mainstay_words::padded;
use serde::Serialize;

use super::configuration;
use crate::{
    errors::CliError,
    foreign::{Remark, Translation, Verdict, Wrapper},
    print, words,
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
        print::data(&text(&told(translation, values)?));
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
    let title = format!("{name} is {wrapper}. With `--replace` it stands in {file}:");
    let mut text = format!("{}\n\n", words::told(&title));
    for line in configuration.lines() {
        let _ = writeln!(text, "    {}", print::harmless(line));
    }
    let install = install.as_deref().map_or_else(
        || words::told("(no line can say it: a word has a line break)").into_owned(),
        print::harmless,
    );
    let _ = writeln!(text, "\n{}\n\n    {install}\n", words::told("A new service like it:"));
    for row in *remarks {
        text.push_str(&line(row));
    }
    let missing = remarks.iter().filter(|remark| remark.verdict == Verdict::Missing).count();
    let sum = match missing {
        0 => "Nothing is missing.".to_owned(),
        1 => "1 setting without equivalent.".to_owned(),
        _ => format!("{missing} settings without equivalent."),
    };
    text + "\n" + &words::told(&sum) + "\n"
}

fn line(remark: &Remark) -> String {
    let Remark { setting, value, verdict, why } = remark;
    let value = print::harmless(&value.replace(['\r', '\n'], " "));
    let mut shown: String = value.chars().take(VALUE_LETTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    let verdict = padded(verdict.told(), 7);
    let (setting, shown) = (padded(&print::harmless(setting), 24), padded(&shown, 24));
    format!("  {verdict} {setting} {shown} {}\n", words::told(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page;

    #[test]
    fn a_translation_in_json_has_the_fields_of_the_page() {
        let text = || String::from("x");
        let remarks =
            [Remark { setting: text(), value: text(), verdict: Verdict::Same, why: text() }];
        let told = Told {
            name: "x",
            wrapper: Wrapper::Nssm,
            file: text(),
            configuration: text(),
            install: Some(text()),
            remarks: &remarks,
        };
        assert_eq!(page::fields_in(&told), page::fields_of("`mainstay import`"));
        assert_eq!(page::fields_in(&remarks[0]), page::fields_of("remark"));
    }
}
