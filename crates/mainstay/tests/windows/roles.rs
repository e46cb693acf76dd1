//! Programs that tests let us run: this very binary, told by a variable what to be.

use std::{
    env,
    io::{self, Write as _},
    path::Path,
    process,
    time::{Duration, Instant},
};

use mainstay_platform::{
    port::Notices,
    spawn::{self, Output, Program},
};

/// Says what this process is.
pub(crate) const VARIABLE: &str = "MAINSTAY_TEST_ROLE";
/// Begins the name of a file that sets something off.
pub(crate) const FILE: &str = "MAINSTAY_TEST_FILE";
/// What [`Role::Echo`] repeats.
pub(crate) const WORDS: &str = "MAINSTAY_TEST_WORDS";
/// What it says once it hears Ctrl-C.
pub(crate) const READY: &str = "all ears";
/// What it says last, after its clean-up.
pub(crate) const BYE: &str = "bye";
/// What a program says when it takes long to be ready.
pub(crate) const AT_LAST: &str = "ready at last";
/// Before it names a process that it leaves behind.
pub(crate) const CHILD: &str = "child ";
/// What a crash ends with.
pub(crate) const CRASH: i32 = 77;
/// How often a program crashes that does so at first.
pub(crate) const CRASHES: u64 = 2;
/// How long a clean-up takes: longer than two signs of life to the manager.
pub(crate) const CLEAN_UP: Duration = Duration::from_millis(2500);
/// How long it takes to be ready: longer than a start waits before it says RUNNING.
const GET_READY: Duration = Duration::from_secs(4);
/// So long lives a program that nobody ends.
const LIFE: Duration = Duration::from_mins(2);

/// What a program of a test does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Hears Ctrl-C and goes on.
    Stubborn,
    /// Hears Ctrl-C, cleans up and says goodbye.
    Polite,
    /// Crashes twice, each time as soon as the file of [`FILE`] and its run exists; polite then.
    Shaky,
    /// Ends at once, always.
    Hopeless,
    /// Takes long before it says a word; polite then.
    Slow,
    /// Leaves a process with a console of its own behind, which goes on; polite itself.
    Parent,
    /// The same, but ends at once itself, while the other one holds its output.
    Deserter,
    /// Says what words it was given; polite then.
    Echo,
}

const ROLES: [(Role, &str); 8] = [
    (Role::Stubborn, "stubborn"),
    (Role::Polite, "polite"),
    (Role::Shaky, "shaky"),
    (Role::Hopeless, "hopeless"),
    (Role::Slow, "slow"),
    (Role::Parent, "parent"),
    (Role::Deserter, "deserter"),
    (Role::Echo, "echo"),
];

impl Role {
    fn name(self) -> &'static str {
        ROLES.iter().find(|(role, _)| *role == self).unwrap().1
    }

    /// Returns the variable that makes a program play it.
    pub(crate) fn variable(self) -> String {
        format!("{VARIABLE}={}", self.name())
    }
}

/// Returns the command of a program that plays the role of its variable.
pub(crate) fn command() -> Vec<String> {
    let own = env::current_exe().unwrap().display().to_string();
    let name = "roles::a_role_is_played_to_its_end";
    [&own, "--exact", name, "--nocapture", "--test-threads=1"].map(ToOwned::to_owned).to_vec()
}

#[test]
fn a_role_is_played_to_its_end() {
    let notices = Notices::new().unwrap();
    assert!(!notices.take().end_asked, "nobody has asked yet");
    let wanted = env::var(VARIABLE).unwrap_or_default();
    if let Some((role, _)) = ROLES.iter().find(|(_, name)| *name == wanted) {
        play(*role, &notices);
    }
}

fn play(role: Role, notices: &Notices) {
    match role {
        Role::Stubborn => {
            say(READY);
            live_while(|| true);
        }
        Role::Polite => be_polite(notices),
        Role::Shaky if run() <= CRASHES => {
            let file = format!("{}{}", env::var(FILE).unwrap(), run());
            live_while(|| !Path::new(&file).exists());
            end(CRASH);
        }
        Role::Shaky => be_polite(notices),
        Role::Hopeless => end(CRASH),
        Role::Slow => {
            std::thread::park_timeout(GET_READY);
            say(AT_LAST);
            be_polite(notices);
        }
        Role::Parent => {
            leave_child();
            be_polite(notices);
        }
        Role::Deserter => {
            leave_child();
            end(0);
        }
        Role::Echo => {
            say(&format!("variable <{}>", env::var(WORDS).unwrap()));
            say(&format!("word <{}>", env::args().next_back().unwrap()));
            say(&format!("folder <{}>", env::current_dir().unwrap().display()));
            be_polite(notices);
        }
    }
}

fn be_polite(notices: &Notices) {
    say(READY);
    live_while(|| !notices.take().end_asked);
    std::thread::park_timeout(CLEAN_UP);
    say(BYE);
    end(0);
}

/// Starts a process that has our output, a console of its own, and no ears for anything.
fn leave_child() {
    let mut environment = spawn::own_environment();
    environment.retain(|variable| !variable.starts_with(VARIABLE.as_bytes()));
    environment.push(Role::Stubborn.variable().into_bytes());
    let (label, command) = (format!("child of {}", process::id()), command());
    let child =
        Program { output: Output::Inherited, ..Program::new(&label, &command, environment) };
    say(&format!("{CHILD}{}", spawn::spawn(&child).unwrap().pid()));
}

/// Returns the number of this run.
fn run() -> u64 {
    env::var("MAINSTAY_RUN").unwrap().parse().unwrap()
}

fn live_while(is_wanted: impl Fn() -> bool) {
    let until = Instant::now() + LIFE;
    while Instant::now() < until && is_wanted() {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn say(text: &str) {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}").unwrap();
}

#[expect(clippy::exit, reason = "the harness would end with a code of its own")]
fn end(code: i32) {
    process::exit(code);
}
