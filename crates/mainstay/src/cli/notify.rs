//! `mainstay notify`: what a program, or a script around it, says of itself.

use std::{process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::notify::Message;
use mainstay_platform::{
    datagram::{self, Barrier},
    descriptor::{Borrowed, Descriptor, borrow},
    kin,
    notify_pipe::{self, Patience},
};

use crate::errors::CliError;

/// How long it may take until what was said has been dealt with.
const WITHIN: Duration = Duration::from_secs(5);
/// Where programs find what to notify.
const SOCKET: &str = "NOTIFY_SOCKET";
const PIPE: &str = "MAINSTAY_NOTIFY_PIPE";
/// What `--pid` means when it says no number.
const PARENT: &str = "parent";

/// Tell the agent how the service is that this runs in
///
/// For scripts; what it sends is what `sd_notify(3)` sends, to Mainstay or to systemd. Waits until
/// it has been dealt with.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay notify READY=1 STATUS=\"serving 3 clients\"\n  mainstay notify --ready --pid\n  mainstay notify WATCHDOG=1\n  mainstay notify X_MAINSTAY_FACT=url=https://example.org\n  mainstay notify --fd 3 --fdname http 3<>state"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the command line")]
pub(super) struct Args {
    /// What to say, such as `WATCHDOG=1`; each key is described in `docs/reference/notify.md`
    #[arg(value_name = "KEY=VALUE")]
    assignments: Vec<String>,

    /// The service is ready
    #[arg(long)]
    ready: bool,

    /// It reads its configuration anew
    #[arg(long, conflicts_with = "ready")]
    reloading: bool,

    /// It is about to end
    #[arg(long, conflicts_with_all = ["ready", "reloading"])]
    stopping: bool,

    /// What it is at, in a few words
    #[arg(long, value_name = "TEXT")]
    status: Option<String>,

    /// Its main process; without a number whoever has started this command
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, default_missing_value = PARENT)]
    pid: Option<String>,

    /// Hand an open descriptor over for the next run; may be repeated
    #[arg(long, value_name = "NUMBER")]
    fd: Vec<u32>,

    /// What the descriptors are called
    #[arg(long, value_name = "NAME", requires = "fd")]
    fdname: Option<String>,

    /// Do not wait until it has been dealt with
    #[arg(long)]
    no_block: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let message = message_of(args)?;
    check(&message)?;
    if notify_pipe::IS_THERE { by_pipe(args, &message) } else { by_socket(args, &message) }?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the lines that a command line means.
fn message_of(args: &Args) -> Result<String, CliError> {
    let flag = |is: bool, line: &str| is.then(|| line.to_owned());
    let pid = args.pid.as_deref().map(pid_of).transpose()?;
    let name = args.fdname.as_ref().map(|name| format!("FDNAME={name}"));
    let lines = [
        flag(args.ready, "READY=1"),
        flag(args.reloading, "RELOADING=1"),
        flag(args.reloading, &format!("MONOTONIC_USEC={}", monotonic_us())),
        flag(args.stopping, "STOPPING=1"),
        args.status.as_ref().map(|status| format!("STATUS={}", status.replace('\n', " "))),
        pid.map(|pid| format!("MAINPID={pid}")),
        flag(!args.fd.is_empty(), "FDSTORE=1"),
        name,
    ];
    let lines: Vec<String> =
        lines.into_iter().flatten().chain(args.assignments.iter().cloned()).collect();
    if lines.is_empty() {
        let hint = "say something, as in `mainstay notify READY=1`";
        return Err(CliError::usage("there is nothing to send", hint));
    }
    Ok(lines.join("\n"))
}

fn monotonic_us() -> u128 {
    mainstay_platform::clock::monotonic().as_micros()
}

fn pid_of(text: &str) -> Result<u32, CliError> {
    if text != PARENT {
        let hint = "say `--pid=4711`, or `--pid` for whoever has started this command";
        return text.parse().map_err(|_| CliError::usage(format!("`{text}` is no process"), hint));
    }
    let hint = "say which process, as in `--pid=4711`";
    kin::parent().ok_or_else(|| CliError::usage("nobody tells who has started this", hint))
}

/// Refuses what the agent would.
fn check(message: &str) -> Result<(), CliError> {
    let wrong = |line: &&str| line.split_once('=').is_none_or(|(key, _)| key.is_empty());
    if let Some(line) = message.lines().find(wrong) {
        let text = format!("`{line}` is no assignment");
        return Err(CliError::usage(text, "say `KEY=VALUE`, as in `READY=1`"));
    }
    let hint = "`docs/reference/notify.md` describes each key";
    let parsed = Message::parse(message.as_bytes());
    let parsed =
        parsed.map_err(|error| CliError::usage(format!("cannot send that: {error}"), hint))?;
    match parsed.faults.first() {
        None => Ok(()),
        Some(fault) => {
            let text = format!("the value of `{}` {}", fault.key, fault.what);
            Err(CliError::usage(text, hint))
        }
    }
}

fn by_socket(args: &Args, message: &str) -> Result<(), CliError> {
    let address = address(SOCKET)?;
    if !address.starts_with(['/', '@']) {
        let text = format!("`{SOCKET}` names no socket: `{address}`");
        return Err(CliError::refused(text, "it is a path, or on Linux `@` and a name"));
    }
    let riders = args.fd.iter().map(|number| rider(*number)).collect::<Result<Vec<_>, _>>()?;
    let lent: Vec<Borrowed<'_>> = riders.iter().map(borrow).collect();
    let not_sent = |error| not_sent(&address, &error);
    datagram::send(&address, message.as_bytes(), &lent).map_err(not_sent)?;
    if args.no_block || message.trim_end() == "BARRIER=1" {
        return Ok(());
    }
    match datagram::send_barrier(&address, b"BARRIER=1", WITHIN).map_err(not_sent)? {
        Barrier::Passed => Ok(()),
        Barrier::Late => {
            let text = "it was sent, and nobody has dealt with it within 5 s";
            Err(CliError::refused(
                text,
                "it stays in its socket; `mainstay status` shows the agent",
            ))
        }
    }
}

fn rider(number: u32) -> Result<Descriptor, CliError> {
    datagram::inherited(number).map_err(|error| {
        let text = format!("cannot hand descriptor {number} over: {error}");
        CliError::usage(text, "open it in the shell, as in `mainstay notify --fd 3 3<file`")
    })
}

fn by_pipe(args: &Args, message: &str) -> Result<(), CliError> {
    if !args.fd.is_empty() {
        let hint = "leave `--fd` out";
        return Err(CliError::usage("nothing can be handed over on this system", hint));
    }
    let name = address(PIPE)?;
    let patience = if args.no_block { Patience::None } else { Patience::Waits };
    notify_pipe::send(&name, message.as_bytes(), patience, WITHIN)
        .map_err(|error| not_sent(&name, &error))
}

fn not_sent(address: &str, error: &std::io::Error) -> CliError {
    let text = format!("cannot notify by `{address}`: {error}");
    CliError::refused(text, "`mainstay status` shows whether the agent runs")
}

fn address(variable: &str) -> Result<String, CliError> {
    std::env::var(variable).ok().filter(|address| !address.is_empty()).ok_or_else(|| {
        let text = format!("`{variable}` is not set: this does not run in a service that notifies");
        CliError::refused(text, "`ready = \"notify\"` in the service's configuration sets it")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn message(words: &[&str]) -> Result<String, CliError> {
        let line = Line::try_parse_from([&["notify"], words].concat()).unwrap();
        let message = message_of(&line.args)?;
        check(&message).map(|()| message)
    }

    #[test]
    fn a_command_line_becomes_lines() {
        let check = |words: &[&str], expected: &str| {
            assert_eq!(message(words).unwrap(), expected, "{words:?}");
        };
        check(&["READY=1", "STATUS=a b"], "READY=1\nSTATUS=a b");
        check(&["--ready", "--status", "a\nb"], "READY=1\nSTATUS=a b");
        check(&["--stopping", "--pid=4711"], "STOPPING=1\nMAINPID=4711");
        check(&["--fd", "3", "--fdname", "x"], "FDSTORE=1\nFDNAME=x");
        check(&["X_OTHER=1"], "X_OTHER=1");
    }

    #[test]
    fn what_nobody_would_understand_is_not_sent() {
        let check = |words: &[&str], expected: &str| {
            let refused = message(words).unwrap_err();
            assert!(refused.what.contains(expected), "{refused}");
        };
        check(&[], "nothing to send");
        check(&["READY"], "`READY` is no assignment");
        check(&["WATCHDOG_USEC=soon"], "the value of `WATCHDOG_USEC`");
        check(&["BARRIER=1", "READY=1"], "`BARRIER=1` has to be alone");
        check(&["--pid=x", "READY=1"], "`x` is no process");
    }
}
