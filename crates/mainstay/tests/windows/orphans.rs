//! A service whose keeper is killed. Wine's manager has no failure actions, so that it is always
//! the agent who starts the service again.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::exit,
    time::{Duration, Instant},
};

use mainstay_api::control::Status;
use mainstay_platform::{
    desk::LEAVE,
    paths,
    port::Notices,
    process::{Process, SignalKind},
    scm::{Change, Control, Database, Intent, Purpose, Start, State},
};
use serde_json::Value;

use crate::{
    installed::Installed,
    sandbox::{Sandbox, wait_for},
};

/// Names the file that ends the program.
const VARIABLE: &str = "MAINSTAY_TEST_END_FILE";
const CODE: i32 = 7;
/// So long lives a program that nobody ends.
const LIFE: Duration = Duration::from_mins(2);

#[test]
fn an_agent_whose_keeper_is_killed_starts_the_service_and_its_programs_run_on() {
    let story = Story::new("mainstay-orphan");
    let (before, main) = (story.sandbox.status(), story.main());
    story.kill_keeper();
    story.wait_for_keeper(before.keeper.pid);
    let after = story.sandbox.status();
    assert_eq!(after.agent.pid, before.agent.pid, "no agent had to be replaced");
    assert_eq!((story.main().pid, story.main().run), (main.pid, main.run));
    wait_for("the new keeper's word of its job has come", || {
        let usages = story.sandbox.get(&["status", "--usage", "--json"]);
        let usage = &serde_json::from_str::<Value>(&usages).unwrap()["units"][0]["usage"];
        (usage["processes"].is_u64() && usage["by-descent"].is_null()).then_some(())
    });

    story.end_program();
    story.wait_for_exit();
    let stopped = story.service.ask(&["service", "stop"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    story.service.remove();
}

#[test]
fn how_a_program_ends_while_there_is_no_keeper_is_known_afterwards() {
    let story = Story::new("mainstay-orphan-end");
    let (before, main) = (story.sandbox.status(), story.main());
    let program = Process::open_pid(main.pid.unwrap()).unwrap().unwrap();
    story.kill_keeper();
    story.end_program();
    wait_for("the program has ended", || program.has_ended().then_some(()));
    story.wait_for_keeper(before.keeper.pid);
    story.wait_for_exit();
    story.service.remove();
}

#[test]
fn a_keeper_that_has_no_agent_does_not_leave_its_program() {
    let story = Story::new("mainstay-orphan-none");
    let (before, main) = (story.sandbox.status(), story.main());
    let own = paths::program_base().unwrap().join("mainstay.exe");
    let aside = own.with_extension("exe.aside");
    fs::rename(&own, &aside).unwrap();
    let agent = Process::open_pid(before.agent.pid).unwrap().unwrap();
    agent.signal(SignalKind::Kill).unwrap();
    let folder = paths::machine_base().unwrap().join("services").join(story.service.name);
    wait_for("no other agent can be started", || {
        let said = fs::read_to_string(folder.join("state").join("keeper.log")).ok()?;
        said.contains("cannot start the agent").then_some(())
    });
    let database = Database::open(Purpose::Look).unwrap();
    let service = database.service(story.service.name, Intent::Control).unwrap();
    service.control(Control::Own(LEAVE)).unwrap();
    // Whoever leaves can be asked for nothing.
    wait_for("it serves again", || service.control(Control::Reload).ok());
    // Whoever has it open keeps it from being removed.
    drop(service);
    fs::rename(&aside, &own).unwrap();
    let after = wait_for("there is an agent again", || {
        serde_json::from_str::<Status>(&story.sandbox.ask(&["status", "--json"]).out).ok()
    });
    assert_eq!(after.keeper.pid, before.keeper.pid, "it has not left");
    assert_ne!(after.agent.pid, before.agent.pid);
    assert_eq!((story.main().pid, story.main().run), (main.pid, main.run));
    story.end_program();
    story.wait_for_exit();
    story.service.remove();
}

#[test]
fn programs_of_a_service_that_may_not_be_started_are_stopped_by_the_agent() {
    let story = Story::new("mainstay-orphan-disabled");
    let main = Process::open_pid(story.main().pid.unwrap()).unwrap().unwrap();
    let agent = Process::open_pid(story.sandbox.status().agent.pid).unwrap().unwrap();
    story.start_is(Start::Disabled);
    story.kill_keeper();
    wait_for("the program has ended", || main.has_ended().then_some(()));
    wait_for("the agent has ended", || agent.has_ended().then_some(()));
    wait_for("it was asked first, and what it said then is in its log", || {
        story.sandbox.get(&["logs"]).contains("bye").then_some(())
    });
    assert_eq!(story.sandbox.ask(&["status"]).code, 3);

    story.start_is(Start::Demand);
    let started = story.service.ask(&["service", "start"]);
    assert_eq!(started.code, 0, "{started:?}");
    let events = story.sandbox.get(&["events"]);
    assert!(events.contains("its programs are stopped, because nobody could"), "{events}");
    story.service.remove();
}

/// A service with a program that ends when it is told to.
struct Story {
    sandbox: Sandbox,
    service: Installed,
    end_file: PathBuf,
}

impl Story {
    fn new(name: &'static str) -> Self {
        let sandbox = Sandbox::of_service(name);
        let end_file = sandbox.folder().join("end");
        // A run that was cut short may have left it.
        drop(fs::remove_file(&end_file));
        let variable = format!("{VARIABLE}={}", end_file.display());
        let own = env::current_exe().unwrap().display().to_string();
        let role = "orphans::a_file_or_ctrl_c_ends_a_program_that_waits_for_both";
        let command = [&own, "--exact", role, "--nocapture"].map(ToOwned::to_owned);
        let service = Installed::new(name, &["--env", &variable], &command);
        wait_for("it listens", || sandbox.get(&["logs"]).contains("all ears").then_some(()));
        Self { sandbox, service, end_file }
    }

    fn main(&self) -> mainstay_api::control::Unit {
        self.sandbox.unit(self.service.name)
    }

    fn kill_keeper(&self) {
        let keeper = Process::open_pid(self.sandbox.status().keeper.pid).unwrap().unwrap();
        keeper.signal(SignalKind::Kill).unwrap();
        wait_for("the keeper has ended", || keeper.has_ended().then_some(()));
    }

    fn wait_for_keeper(&self, former: u32) {
        wait_for("another keeper serves, and the manager knows it", || {
            let answer = self.sandbox.ask(&["status", "--json"]);
            let status: Status = serde_json::from_str(&answer.out).ok()?;
            let known = self.service.status();
            let keeper = status.keeper.pid;
            let is_new = keeper != former && known.pid == keeper;
            (is_new && known.state == State::Running).then_some(())
        });
    }

    fn end_program(&self) {
        fs::write(&self.end_file, "").unwrap();
    }

    fn wait_for_exit(&self) {
        let told = format!("run 1 of `{}` ended with code {CODE}", self.service.name);
        wait_for("its exit code is known", || {
            self.sandbox.get(&["events"]).contains(&told).then_some(())
        });
    }

    fn start_is(&self, start: Start) {
        let database = Database::open(Purpose::Look).unwrap();
        let service = database.service(self.service.name, Intent::Change).unwrap();
        service.change(&Change { start: Some(start), ..Change::default() }).unwrap();
    }
}

#[test]
#[expect(clippy::exit, reason = "the program has an exit code of its own")]
fn a_file_or_ctrl_c_ends_a_program_that_waits_for_both() {
    let notices = Notices::new().unwrap();
    let Some(file) = env::var_os(VARIABLE) else {
        assert!(!notices.take().end_asked, "nobody has asked yet");
        return;
    };
    writeln!(io::stdout(), "all ears").unwrap();
    let until = Instant::now() + LIFE;
    while Instant::now() < until && !notices.take().end_asked {
        if Path::new(&file).exists() {
            exit(CODE);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    writeln!(io::stdout(), "bye").unwrap();
}
