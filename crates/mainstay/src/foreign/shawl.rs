//! shawl: everything stands in the command line of the service.

use std::time::Duration;

use super::{
    Equivalent, Registered, Remarks, Translation, Untranslatable, Wrapper,
    equivalent::{Log, priority},
    variable,
    words::split_line,
};

/// How long shawl waits after Ctrl-C.
const STOP_TIMEOUT: &str = "3000";
/// What one log of shawl may have, and how many it keeps.
const ROTATED_AT: u64 = 2 * 1024 * 1024;
const KEPT: u32 = 2;

/// Options that have no value.
const FLAGS: &[&str] = &[
    "--restart",
    "--no-restart",
    "--pass-start-args",
    "--no-log",
    "--no-log-cmd",
    "--kill-process-tree",
];

/// An option and its value, empty for those that have none.
type Given = (String, String);

/// The options, and the program's words.
type Parts = (Vec<Given>, Vec<String>);

pub(crate) fn translate(registered: &Registered) -> Result<Translation, Untranslatable> {
    let (options, command) = parts(&registered.command_line)?;
    let mut equivalent = Equivalent {
        command,
        // shawl starts a program again only after a failure, and at once.
        when: Some("on-failure"),
        ..Equivalent::default()
    };
    let mut remarks = Remarks::default();
    let why =
        "delays grow from 200 ms to 1 minute, so that a program that fails at once costs little";
    let delay = options.iter().find(|(name, _)| name == "--restart-delay");
    match delay {
        None => remarks.better(("--restart-delay", "none"), why),
        Some((_, ms)) => {
            remarks.same(("--restart-delay", ms), "`restart.delay`; it grows from there");
            equivalent.delay = ms.parse().ok().map(Duration::from_millis);
        }
    }
    if !options.iter().any(|(name, _)| name == "--stop-timeout") {
        option(("--stop-timeout", STOP_TIMEOUT), &mut equivalent, &mut remarks);
    }
    for (name, text) in options.iter().filter(|(name, _)| name != "--restart-delay") {
        option((name, text), &mut equivalent, &mut remarks);
    }
    if equivalent.log != Log::Off && equivalent.log_size.is_none() {
        equivalent.log_size = Some(ROTATED_AT);
        equivalent.log_keep.get_or_insert(KEPT);
    }
    remarks.better(
        ("output", "lines"),
        "every byte is kept; shawl drops blank lines and what is no UTF-8",
    );
    remarks.registered(registered);
    let registered = registered.clone();
    Ok(Translation { wrapper: Wrapper::Shawl, registered, equivalent, remarks: remarks.0 })
}

/// Splits a command line into shawl's options and the program's words.
fn parts(line: &str) -> Result<Parts, Untranslatable> {
    let none = || {
        Untranslatable::new(
            format!("its command line is not shawl's: `{line}`"),
            "`mainstay import sc NAME` explains any service",
        )
    };
    let mut words = split_line(line).into_iter().skip(1);
    if words.next().as_deref() != Some("run") {
        return Err(none());
    }
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') {
            // The program begins without `--`.
            return Ok((options, [word].into_iter().chain(words).collect()));
        }
        let given = match word.split_once('=') {
            Some((name, text)) => (name.to_owned(), text.to_owned()),
            None if FLAGS.contains(&word.as_str()) => (word, String::new()),
            None => (word, words.next().ok_or_else(none)?),
        };
        options.push(given);
    }
    let command: Vec<String> = words.collect();
    if command.is_empty() { Err(none()) } else { Ok((options, command)) }
}

fn option(found: (&str, &str), equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let (name, text) = found;
    match name {
        "--name" => {}
        "--cwd" => {
            equivalent.directory = Some(text.to_owned());
            let why = "`directory`; that programs are looked for in it, too, has no equivalent";
            remarks.same(found, why);
        }
        "--env" => match variable(text) {
            Some((name, text)) => {
                remarks.same(("--env", &name), "`environment`");
                equivalent.environment.push((name, text));
            }
            None => remarks.missing(found, "it sets no variable"),
        },
        "--path" | "--path-prepend" => {
            let why = "set `PATH` in `environment`; programs here are named by their whole paths";
            remarks.missing(found, why);
        }
        "--stop-timeout" => {
            let read = text.parse().ok().map(Duration::from_millis);
            equivalent.stop_timeout = read;
            remarks.same(found, "`stop.timeout`, for the whole tree");
        }
        "--kill-process-tree" => remarks.same(found, "always: a job holds the tree"),
        "--priority" if text == "normal" => remarks.same(found, "it is the usual one"),
        "--priority" => {
            equivalent.priority = priority(text);
            remarks.same(found, "`priority`");
        }
        "--dependencies" => remarks.same(found, "they stand in the manager's list already"),
        "--pass-start-args" => {
            remarks.missing(found, "arguments of a start are not passed to the program");
        }
        _ if name.contains("restart") || name == "--pass" => restart(found, equivalent, remarks),
        _ if name.contains("log") => log(found, equivalent, remarks),
        _ => remarks.missing(found, "not known; it has no effect here"),
    }
}

fn restart(found: (&str, &str), equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let (name, text) = found;
    let codes = || text.split(',').filter_map(|code| code.trim().parse::<i64>().ok());
    // Codes of Windows are written with and without a sign.
    let codes = || {
        codes().filter_map(|code| {
            u32::try_from(code).ok().or_else(|| i32::try_from(code).ok().map(i32::cast_unsigned))
        })
    };
    match name {
        "--restart" => equivalent.when = None,
        "--no-restart" => equivalent.when = Some("never"),
        "--restart-if" => {
            equivalent.when = Some("never");
            equivalent.exits.extend(codes().map(|code| (code, "restart")));
        }
        "--restart-if-not" => {
            equivalent.when = None;
            equivalent.exits.extend(codes().map(|code| (code, "stop")));
        }
        "--pass" => {
            let why =
                "how the program ends is in `status` and the events, not in the service's own end";
            return remarks.missing(found, why);
        }
        _ => return remarks.missing(found, "not known; it has no effect here"),
    }
    remarks.same(found, "`restart`");
}

fn log(found: (&str, &str), equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let (name, text) = found;
    match (name, text.split_once('=')) {
        ("--no-log" | "--no-log-cmd", _) => {
            equivalent.log = Log::Off;
            equivalent.log_size = None;
            equivalent.log_keep = None;
            remarks.same(found, "`logs = \"off\"`");
        }
        ("--log-rotate", Some(("bytes", bytes))) => {
            equivalent.log_size = bytes.parse().ok();
            remarks.same(found, "`logs.max-size`");
        }
        ("--log-rotate", _) => {
            remarks.missing(found, "rotation by age is not supported by this version");
        }
        ("--log-retain", _) => {
            equivalent.log_keep = text.parse().ok();
            remarks.same(found, "`logs.keep`");
        }
        _ => remarks.missing(found, "logs are kept in the service's own folder: `mainstay logs`"),
    }
}
