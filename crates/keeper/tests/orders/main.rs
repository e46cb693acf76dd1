//! What agents order beside plain starts, of a real keeper with real programs: stores, inputs,
//! processes that are followed, aborts, and runs beside a unit's own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without the usual harness")]
#![expect(clippy::wildcard_enum_match_arm, reason = "its agent minds few reports")]
#![expect(clippy::disallowed_methods, reason = "its programs start programs and leave marks")]

mod agent;
mod follows;
mod inputs;
mod parts;
mod program;
mod stores;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use mainstay_api::keeper::stem_of;
use mainstay_platform::{
    clock, daemon, ladder,
    process::{Process, SignalKind},
};
use mainstay_storage::{instance::Instance, segment::ChainFiles};

use agent::Agent;

const SOON: Duration = Duration::from_secs(30);
/// Between two looks at something that will be true soon.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A story, by its name.
type Story = (&'static str, fn(&Folder));

const STORIES: [&[Story]; 4] =
    [&stores::STORIES, &inputs::STORIES, &follows::STORIES, &parts::STORIES];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let all = || STORIES.into_iter().flatten();
    match words.as_slice() {
        ["keeper", ..] => mainstay_keeper::run(rest),
        [role, ..] if *role == ladder::ROLE => ladder::serve(rest),
        ["program", rest @ ..] => program::run(rest),
        // As the usual harness answers, for runners that ask first.
        _ if words.contains(&"--ignored") => ExitCode::SUCCESS,
        _ if words.contains(&"--list") => {
            let names: Vec<&str> = all().map(|(name, _)| *name).collect();
            say(&(names.join(": test\n") + ": test\n"))
        }
        _ => {
            let is_wanted = |name: &str| match words.iter().position(|word| *word == "--exact") {
                Some(_) => words.contains(&name),
                None => words.iter().all(|word| word.starts_with("--") || name.contains(word)),
            };
            all().filter(|(name, _)| is_wanted(name)).for_each(tell);
            say("orders: ok\n")
        }
    }
}

fn tell((name, story): &Story) {
    let folder = Folder::new(name);
    story(&folder);
    fs::remove_dir_all(&folder.0).unwrap();
    say(&format!("{name}: ok\n"));
}

fn say(text: &str) -> ExitCode {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    ExitCode::SUCCESS
}

/// Everything that a story has on the disk.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("mainstay-orders-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Returns where agents call.
    pub(crate) fn door(&self) -> PathBuf {
        Instance::new(self.path("run"), PathBuf::new()).keeper_socket()
    }

    pub(crate) fn logs_of(&self, unit: &str) -> PathBuf {
        self.path("logs").join(stem_of(unit))
    }

    /// Returns what a unit has written, once `last` is in it.
    pub(crate) fn log_with(&self, unit: &str, last: &str) -> String {
        let live = ChainFiles::new(&self.logs_of(unit), &stem_of(unit)).live();
        let read = || fs::read_to_string(&live).unwrap_or_default();
        wait_until(&format!("`{unit}` says `{last}`"), || read().contains(last));
        read()
    }

    pub(crate) fn start_keeper(&self, number: u32) -> Keeper {
        let log = File::create(self.path(&format!("keeper-{number}.log"))).unwrap();
        let mut arguments: Vec<OsString> = ["keeper", "--runtime"].map(OsString::from).into();
        arguments.push(self.path("run").into());
        let program = daemon::own_program().unwrap();
        let pid = daemon::start_detached(&program, &arguments, log).unwrap();
        Keeper(Process::open_pid(pid).unwrap().unwrap())
    }

    /// Kills a keeper and starts the next one.
    pub(crate) fn replace_keeper(&self, keeper: &Keeper) -> Keeper {
        keeper.0.signal(SignalKind::Kill).unwrap();
        wait_until("the keeper is dead", || keeper.0.has_ended());
        self.start_keeper(2)
    }
}

/// A keeper that does not outlive the story it is for.
pub(crate) struct Keeper(Process);

impl Keeper {
    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Err(error) = self.0.signal(SignalKind::Kill) {
            say(&format!("cannot end a keeper: {error}\n"));
        }
    }
}

/// Ends a keeper and whatever it runs.
pub(crate) fn end(mut agent: Agent, keeper: &Keeper) {
    agent.shut_down();
    wait_until("the keeper ends", || keeper.0.has_ended());
}

/// Returns the path of this binary, which plays programs.
pub(crate) fn own() -> String {
    daemon::own_program().unwrap().display().to_string()
}

pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let until = clock::monotonic() + SOON;
    while !is_true() {
        assert!(clock::monotonic() < until, "in vain: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// Waits for a file and returns the number in it.
pub(crate) fn number_in(path: &Path) -> u32 {
    let read = || fs::read_to_string(path).ok()?.strip_suffix('\n')?.parse().ok();
    wait_until(&format!("`{}` holds a number", path.display()), || read().is_some());
    read().unwrap()
}
