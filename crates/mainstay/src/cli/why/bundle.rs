//! `mainstay why --bundle`: all that is known of a run that crashed. Reads the files itself, so it
//! works without an agent.

use std::{fmt::Write as _, fs, io::ErrorKind, process::ExitCode};

use mainstay_api::bundle::{Bundle, Consumption, Dump, Limits, Origin, Variable, Words};
use mainstay_platform::local;
use mainstay_storage::shelf::Shelf;

use super::{Args, what_end_means};
use crate::{errors::CliError, instance::Located, names, print, words};

/// Which bundle of a unit is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Last,
    Of(u64),
}

impl Which {
    /// Reads one; says in words where it makes no sense.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let number = || text.parse().map(Self::Of);
        let wrong = |_| "write the number of a run, or nothing for the last one".to_owned();
        if text == "last" { Ok(Self::Last) } else { number().map_err(wrong) }
    }
}

/// Shows a bundle of each unit that is meant.
pub(super) async fn show(
    args: &Args,
    which: Which,
    instance: Option<&str>,
) -> Result<ExitCode, CliError> {
    let (located, names) = args.subject.locate(instance).await?;
    for (count, unit) in units(&located, &names)?.iter().enumerate() {
        let bundle = read(&shelf(&located, unit), unit, which)?;
        if args.subject.json {
            print::json(&bundle);
            continue;
        }
        print::data(if count > 0 { "\n" } else { "" });
        print::data(&print::harmless(&story(&bundle)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the bundles of each unit that is meant.
pub(super) async fn list(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, names) = args.subject.locate(instance).await?;
    for unit in units(&located, &names)? {
        for bundle in read_all(&shelf(&located, &unit))? {
            let Bundle { unit, run, exit, .. } = bundle;
            if args.subject.json {
                print::json(&serde_json::json!({ "unit": unit, "run": run, "exit": exit }));
                continue;
            }
            let (number, how) = (format!("run {run}"), print::harmless(&exit.how));
            let (number, how) = (words::told(&number), words::told(&how));
            print::data(&format!("{}  {unit}  {number}  {how}\n", exit.ended));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns where the bundles of a unit are.
pub(super) fn shelf(located: &Located, unit: &str) -> Shelf {
    Shelf::new(located.instance.bundles().join(unit))
}

/// Returns the units that names mean and that have bundles: one at least.
fn units(located: &Located, names: &[String]) -> Result<Vec<String>, CliError> {
    let folder = located.instance.bundles();
    let found = fs::read_dir(&folder);
    if found.as_ref().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
        let what = format!("you may not read the bundles in `{}`", folder.display());
        return Err(CliError::refused(what, local::WAY_IN));
    }
    let entries = found.into_iter().flatten().flatten();
    let mut units: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    units.retain(|unit| names::is_wanted(names, unit));
    units.sort();
    if units.is_empty() {
        return Err(none_of(&names.join(" ")));
    }
    Ok(units)
}

fn none_of(name: &str) -> CliError {
    let what = format!("there is no crash bundle of `{name}`");
    let hint = "one is kept of each run that crashes, unless its service says `bundles = 0`";
    CliError::refused(what, hint)
}

fn read_all(shelf: &Shelf) -> Result<Vec<Bundle>, CliError> {
    let numbers = shelf.numbers().map_err(|error| unreadable(shelf, &error))?;
    numbers.into_iter().map(|run| parse(shelf, run)).collect()
}

fn read(shelf: &Shelf, unit: &str, which: Which) -> Result<Bundle, CliError> {
    let numbers = shelf.numbers().map_err(|error| unreadable(shelf, &error))?;
    let Some(last) = numbers.last() else { return Err(none_of(unit)) };
    let run = match which {
        Which::Last => *last,
        Which::Of(run) => run,
    };
    if !numbers.contains(&run) {
        let there: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let what = format!("there is no crash bundle of run {run} of `{unit}`");
        let hint = format!(
            "there is one of run {}; of crashes within a second only the last has one, and the oldest go",
            there.join(", ")
        );
        return Err(CliError::refused(what, hint));
    }
    parse(shelf, run)
}

fn parse(shelf: &Shelf, run: u64) -> Result<Bundle, CliError> {
    let bytes = fs::read(shelf.path(run)).map_err(|error| unreadable(shelf, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("`{}` makes no sense: {error}", shelf.path(run).display());
        CliError::refused(what, "it is damaged, or of a later version")
    })
}

fn unreadable(shelf: &Shelf, error: &std::io::Error) -> CliError {
    let what = format!("cannot read `{}`: {error}", shelf.folder().display());
    CliError::refused(what, local::WAY_IN)
}

fn story(bundle: &Bundle) -> String {
    let Bundle { unit, run, exit, .. } = bundle;
    let span = print::span(exit.lived_ms / 1000);
    let mut text = format!("Run {run} of `{unit}` {} after {span}.\n", exit.how);
    text = words::told(&text).into_owned();
    text += &words::told(&what_end_means(exit.code));
    for (name, value) in facts(bundle) {
        text += &["  ", &print::fact(name, &value)].concat();
    }
    text += &part("What was not learned:", bundle.gaps.iter().map(|gap| told(gap)));
    text += &part(&words::of("Limits:"), limits(&bundle.limits));
    let title = "Environment (values of what is configured in plain text):";
    text += &part(title, bundle.environment.iter().map(variable));
    let results = bundle.results.iter();
    let results = results.map(|result| {
        format!("{}  {}", result.at, told(&format!("{} {}", result.what, result.how)))
    });
    text += &part("Hooks and checks:", results);
    text + &part("Its last lines:", bundle.lines.iter().map(line))
}

fn facts(bundle: &Bundle) -> Vec<(&'static str, String)> {
    let Bundle { exit, then, .. } = bundle;
    let state = print::wording(&then.state);
    let next = match &then.starts {
        Some(at) => format!("{state}; next start {at}"),
        None => state.to_owned(),
    };
    let counts = format!("{} restarts, {} failures in a row", then.restarts, then.failures);
    let left_out = match bundle.left_out {
        0 => None,
        1 => Some("1 crash before it: it came too fast for a bundle".to_owned()),
        count => Some(format!("{count} crashes before it: they came too fast for bundles")),
    };
    let all = [
        (words::label("started"), Some(exit.started.clone())),
        (words::label("ended"), Some(exit.ended.clone())),
        (words::label("then"), Some(told(&next))),
        (words::label("why"), Some(told(&then.why))),
        (words::label("so far"), Some(told(&counts))),
        (words::label("left out"), left_out.map(|text| told(&text))),
        (words::label("process"), Some(bundle.pid.to_string())),
        (words::label("command"), Some(bundle.command.join(" "))),
        (words::label("directory"), bundle.directory.clone()),
        (words::label("used"), bundle.usage.as_ref().map(|usage| told(&used(usage)))),
        (words::label("memory"), bundle.dump.as_ref().map(|found| told(&dump(found)))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn told(text: &str) -> String {
    words::told(text).into_owned()
}

fn used(usage: &Consumption) -> String {
    let Consumption { user_ms, system_ms, memory_peak_bytes } = usage;
    match memory_peak_bytes {
        None => format!("{user_ms} ms in its own code, {system_ms} ms in the system"),
        Some(bytes) => format!(
            "{user_ms} ms in its own code, {system_ms} ms in the system, {} KiB of memory at most",
            bytes / 1024
        ),
    }
}

fn dump(dump: &Dump) -> String {
    match dump {
        Dump::File(path) => format!("`{path}`"),
        Dump::Command(command) => format!("`{command}` shows it"),
        Dump::Elsewhere(words) => words.clone(),
    }
}

fn limits(limits: &Limits) -> Vec<String> {
    let configured =
        limits.configured.iter().map(|(key, value)| format!("{key} = {value} {}", configured()));
    let system = limits.system.iter();
    let system = system.map(|limit| {
        let [soft, hard] = [&limit.soft, &limit.hard].map(|value| words::label(value));
        let values = told(&format!("{soft}, at most {hard}"));
        [words::label(&limit.name), words::before_reason(), &values].concat()
    });
    configured.chain(system).collect()
}

fn configured() -> &'static str {
    words::label("(configured)")
}

fn variable(variable: &Variable) -> String {
    let Variable { name, value, origin } = variable;
    match (value, origin) {
        (Some(value), _) => format!("{name} = {value}"),
        (None, Origin::Configured) => format!("{name} = … {}", configured()),
        (None, Origin::Inherited | Origin::Mainstay) => name.clone(),
    }
}

fn line(line: &Words) -> String {
    let Words { at, stream, text } = line;
    let at = at.as_ref().map_or_else(String::new, |at| format!("{at}  "));
    let is_error = stream.as_deref() == Some("stderr");
    format!("{at}{text}{}", if is_error { "  (stderr)" } else { "" })
}

/// Returns a part of the story with its title; nothing where there is nothing to say.
fn part(title: &str, lines: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    let title = words::told(title);
    if text.is_empty() { text } else { format!("\n{title}\n{text}") }
}

#[cfg(test)]
mod tests {
    use mainstay_api::bundle::{Ending, Outcome, Sequel, SystemLimit};

    use super::*;

    const TOLD: &str = "\
Run 3 of `web` ended with code 9 after 2m.
  started    08:00
  ended      08:02
  then       between two attempts; next start 08:03
  why        run 3 ended
  so far     2 restarts, 1 failures in a row
  left out   4 crashes before it: they came too fast for bundles
  process    77
  command    ./web -v
  memory     `coredumpctl info 77` shows it

Limits:
  limits.files = 4096 (configured)
  open files: 1024, at most 4096

Environment (values of what is configured in plain text):
  API_KEY = … (configured)
  HOME
  PORT = 80

Hooks and checks:
  08:01  check disk turned bad

Its last lines:
  08:02  oh no  (stderr)
";

    #[test]
    fn a_bundle_is_told_from_the_end_to_the_last_words() {
        assert_eq!(story(&bundle()), TOLD);
    }

    fn bundle() -> Bundle {
        let text = |text: &str| text.to_owned();
        Bundle {
            unit: text("web"),
            run: 3,
            pid: 77,
            exit: Ending {
                how: text("ended with code 9"),
                code: Some(9),
                started: text("08:00"),
                ended: text("08:02"),
                lived_ms: 121_000,
                ..Ending::default()
            },
            then: Sequel {
                state: text("backoff"),
                why: text("run 3 ended"),
                starts: Some(text("08:03")),
                restarts: 2,
                failures: 1,
            },
            left_out: 4,
            command: vec![text("./web"), text("-v")],
            environment: vec![
                Variable { name: text("API_KEY"), value: None, origin: Origin::Configured },
                Variable { name: text("HOME"), value: None, origin: Origin::Inherited },
                Variable {
                    name: text("PORT"),
                    value: Some(text("80")),
                    origin: Origin::Configured,
                },
            ],
            limits: Limits {
                configured: [(text("limits.files"), text("4096"))].into(),
                system: vec![SystemLimit {
                    name: text("open files"),
                    soft: text("1024"),
                    hard: text("4096"),
                }],
            },
            results: vec![Outcome {
                what: text("check disk"),
                how: text("turned bad"),
                at: text("08:01"),
            }],
            lines: vec![Words {
                at: Some(text("08:02")),
                stream: Some(text("stderr")),
                text: text("oh no"),
            }],
            dump: Some(Dump::Command(text("coredumpctl info 77"))),
            ..Bundle::default()
        }
    }
}
