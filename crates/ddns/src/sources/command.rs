//! The source `command`: a program that says an address a line.
//!
//! No shell reads it. What takes too long, or says too much, is ended with all that it has started.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mainstay_platform::{
    capture::{self, CaptureError, Command},
    spawn,
};

use crate::{
    address::Family,
    source::{Source, Vote},
    wire::{BODY_BYTES_MAX, Later},
};

use super::{address, apart::Apart};

/// How long ending it may take beside its own time.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// A command.
#[derive(Debug)]
pub(super) struct AddressCommand {
    words: Vec<String>,
    within: Duration,
    apart: Apart,
}

impl AddressCommand {
    pub(super) fn new(words: Vec<String>, within: Duration) -> Self {
        Self { words, within, apart: Apart::default() }
    }
}

impl Source for AddressCommand {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(async move {
            let (words, within) = (self.words.clone(), self.within);
            let voter = self.words.first().cloned().unwrap_or_default();
            let limit = within.saturating_add(ENDED_WITHIN);
            let said = self.apart.run(limit, move || listen(&words, within)).await;
            let answer = said.and_then(|said| said).and_then(|text| address::lines(&text, family));
            vec![Vote { voter, answer }]
        })
    }
}

/// Runs it and returns what it says.
fn listen(words: &[String], timeout: Duration) -> Result<String, String> {
    let label = label();
    let said = capture::run(&Command {
        label: &label,
        words,
        directory: None,
        environment: without_ours(spawn::own_environment()),
        bytes_max: BODY_BYTES_MAX,
        timeout,
    });
    match said {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(in_words(&error)),
    }
}

/// Returns an environment without what would let the command speak to our agent in our name.
fn without_ours(mut all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    const OURS: [&[u8]; 4] =
        [b"NOTIFY_SOCKET=", b"MAINSTAY_NOTIFY_PIPE=", b"WATCHDOG_USEC=", b"WATCHDOG_PID="];
    all.retain(|variable| !OURS.iter().any(|ours| variable.starts_with(ours)));
    all
}

/// Returns a name that no other command of any process has.
fn label() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let started = mainstay_platform::clock::monotonic().as_nanos();
    format!("ddns-source-{}-{started}-{number}", std::process::id())
}

fn in_words(error: &CaptureError) -> String {
    match error {
        CaptureError::Failed { complaint, .. } if !complaint.last_line().is_empty() => {
            format!("{error}: {}", address::shown(&complaint.last_line()))
        }
        CaptureError::NotStarted(source) => format!("{error}: {source}"),
        CaptureError::System(source) => format!("{error}: {source}"),
        CaptureError::Failed { .. } | CaptureError::Late(_) | CaptureError::TooMuch(_) => {
            error.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::udp::tests::run;

    /// Returns the words of a command in the system's own shell, which the test needs for itself.
    fn shell(unix: &str, windows: &str) -> Vec<String> {
        let words = match std::env::consts::OS {
            "windows" => ["cmd.exe", "/d", "/c", windows],
            _ => ["/bin/sh", "-e", "-c", unix],
        };
        words.map(str::to_owned).to_vec()
    }

    fn looked(words: Vec<String>, within: Duration) -> Vote {
        let source = AddressCommand::new(words, within);
        run(source.look(Family::V4)).remove(0)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn what_a_command_says_is_read_a_line_each() {
        let words =
            shell("echo 81.2.69.142; echo 2001:4860::1", "echo 81.2.69.142&echo 2001:4860::1");
        let voter = words[0].clone();
        let answer = Ok(vec!["81.2.69.142".parse().unwrap()]);
        assert_eq!(looked(words, LONG), Vote { voter, answer });
        let told = looked(shell("echo hello", "echo hello"), LONG).answer.unwrap_err();
        assert_eq!(told, "a line of it is no address: `hello`");
    }

    #[test]
    fn a_command_does_not_speak_to_the_agent_in_our_name() {
        let all = ["PATH=/bin", "NOTIFY_SOCKET=/run/x", "NOTIFY_SOCKETS=1", "WATCHDOG_USEC=5"];
        let left = without_ours(all.map(|one| one.as_bytes().to_vec()).to_vec());
        assert_eq!(left, [b"PATH=/bin".to_vec(), b"NOTIFY_SOCKETS=1".to_vec()]);
    }

    #[test]
    fn a_command_that_does_not_do_its_work_is_told() {
        let words = shell("echo 81.2.69.142; echo no cable >&2; exit 3", "echo no cable>&2&exit 3");
        let told = looked(words, LONG).answer.unwrap_err();
        assert_eq!(told, "it ended otherwise than well: `no cable`");
        let told = looked(vec!["no-such-command-0".to_owned()], LONG).answer.unwrap_err();
        assert!(told.starts_with("it was not started: "), "{told}");
        let told = looked(Vec::new(), LONG).answer.unwrap_err();
        assert!(told.starts_with("it was not started: "), "{told}");
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let words = shell("echo 81.2.69.142; sleep 600", "ping -n 600 127.0.0.1");
        let told = looked(words, Duration::from_millis(300)).answer.unwrap_err();
        assert_eq!(told, "it was ended, because it took longer than 300ms");
        let words =
            shell("while :; do echo 81.2.69.142; done", "for /l %i in () do @echo 81.2.69.142");
        let told = looked(words, LONG).answer.unwrap_err();
        assert_eq!(told, "it was ended, because it said more than 65536 bytes");
    }
}
