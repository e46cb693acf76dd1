//! The first minute of somebody who tries it: what stands on the screen, word by word.

use std::{fs, path::PathBuf, process::Command};

use regex::Regex;

use crate::sandbox::{Answer, BINARY, alone, run};

#[test]
fn a_program_that_stays_up_is_a_service_after_one_line() {
    let screen = Screen::new("mainstay-good");
    let answer = screen.install(&["ping", "-n", "1000", "127.0.0.1"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(screen.masked(&answer.out), GOOD);
    assert_eq!(answer.err, "");
}

#[test]
fn a_program_that_does_not_stay_up_says_so_with_its_last_words() {
    let screen = Screen::new("mainstay-bad");
    let line = "echo Error: Cannot find module nope.js 1>&2 & exit 1";
    let answer = screen.install(&["cmd", "/c", line]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(screen.masked(&answer.out), BAD);
}

const GOOD: &str = "  program   SYSTEM\\ping.exe -n 1000 127.0.0.1   in FOLDER
  account   NT SERVICE\\mainstay-good
  start     automatic; restart for ever (200 ms … 1 min)
mainstay-good is running, pid PID, since TIME
  logs      mainstay logs mainstay-good -f
  why       mainstay why mainstay-good
  remove    mainstay service remove mainstay-good
";
const BAD: &str = "  program   SYSTEM\\cmd.exe /c \"echo Error: Cannot find module nope.js 1>&2 & exit 1\"   in FOLDER
  account   NT SERVICE\\mainstay-bad
  start     automatic; restart for ever (200 ms … 1 min)
mainstay-bad is installed but does not stay up: run N ended with code 1 after TIME
    | Error: Cannot find module nope.js
  change    mainstay service edit mainstay-bad
  why       mainstay why mainstay-bad
  remove    mainstay service remove mainstay-bad
";

/// A folder in which somebody installs a service, which goes with the value.
struct Screen {
    name: &'static str,
    folder: PathBuf,
    _alone: std::sync::MutexGuard<'static, ()>,
}

impl Screen {
    fn new(name: &'static str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let screen = Self { name, folder, _alone: alone() };
        drop(screen.ask(&["service", "remove", name, "--purge"]));
        screen
    }

    fn ask(&self, words: &[&str]) -> Answer {
        run(Command::new(BINARY).args(words).current_dir(&self.folder))
    }

    fn install(&self, command: &[&str]) -> Answer {
        self.ask(&[&["service", "install", self.name, "--"], command].concat())
    }

    /// Hides what differs from one machine and moment to another.
    fn masked(&self, text: &str) -> String {
        let text = text.replace('\r', "").replace(&self.folder.display().to_string(), "FOLDER");
        let masks = [
            (r"pid \d+", "pid PID"),
            (r"(since|after) \d+ ?m?s", "$1 TIME"),
            (r"run \d+", "run N"),
            // Between two attempts there is a next one, in an attempt there is none.
            (r"(after TIME); [a-z ]+ in \d+m?s", "$1"),
            // So many attempts, so many last words.
            (r"(    \| [^\n]+?) *\n(    \| [^\n]+\n)*", "$1\n"),
            (r"(?i)c:\\windows\\system32", "SYSTEM"),
            // Wine has neither.
            (r"(?m)^  warning   this system does not have .*\n", ""),
        ];
        masks.iter().fold(text, |text, (pattern, mask)| {
            Regex::new(pattern).unwrap().replace_all(&text, *mask).into_owned()
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.ask(&["service", "remove", self.name, "--purge"]));
        drop(fs::remove_dir_all(&self.folder));
    }
}
