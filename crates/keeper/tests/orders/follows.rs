//! Runs whose main process becomes another one.

use std::fs;

use mainstay_api::keeper::{Follow, PROTOCOL, Report, Request, Scope, Status};
use mainstay_platform::process::{HAS_TIES, Process};

use crate::{Agent, Folder, Story, agent::order, end, number_in, own, wait_until};

pub(crate) const STORIES: [Story; 6] = [
    ("the_end_of_who_is_followed_is_the_end_of_the_run", followed),
    ("who_is_followed_may_end_before_who_was_the_main_process", parent_last),
    ("only_a_process_of_the_run_is_followed", strangers),
    ("who_is_followed_to_and_fro_is_watched_once", to_and_fro),
    ("a_followed_process_is_known_to_the_next_keeper", next_keeper),
    ("a_followed_process_is_known_after_an_upgrade", upgraded),
];

const CODE: u32 = 7;

/// Starts a program that leaves its work to a child; returns both numbers.
fn split(agent: &mut Agent, folder: &Folder) -> (u32, u32) {
    let (own, text) = (own(), folder.0.display().to_string());
    let mut spawn = order(folder, "web", &[&own, "program", "splits", &text, &CODE.to_string()]);
    spawn.scope = Scope::Tree;
    let parent = agent.start(spawn);
    (parent, number_in(&folder.path("child")))
}

/// Returns why it is not followed.
fn follow(agent: &mut Agent, unit: &str, run: u64, pid: u32) -> Option<String> {
    agent.ask(Request::Follow(vec![Follow { unit: unit.to_owned(), run, pid }]));
    agent.wait(|report| match report {
        Report::Followed(all) => all.first().map(|followed| followed.refused.clone()),
        _ => None,
    })
}

fn let_go(folder: &Folder, who: &str) {
    fs::write(folder.path(who), "").unwrap();
}

fn wait_for_end_of(pid: u32) {
    wait_until("a process has ended", || {
        Process::open_pid(pid).unwrap().is_none_or(|process| process.has_ended())
    });
}

fn followed(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    if !HAS_TIES {
        let refused = follow(&mut agent, "web", 1, child);
        assert_eq!(refused.unwrap(), "this system does not tell whose process it is");
        return end(agent, &keeper);
    }
    assert_eq!(follow(&mut agent, "web", 1, child), None);
    assert_eq!(follow(&mut agent, "web", 1, child), None, "once more changes nothing");
    assert_eq!(agent.running(), [("web".to_owned(), child)]);
    let_go(folder, "parent-go");
    wait_for_end_of(parent);
    // It is reaped by its keeper, and no run has ended.
    wait_until("it is reaped", || Process::open_pid(parent).unwrap().is_none());
    assert!(!agent.has_heard_of_an_exit());
    let_go(folder, "child-go");
    let exit = agent.exit_of("web");
    assert_eq!((exit.pid, exit.status, exit.strays), (child, Status::Code(CODE), false));
    assert!(exit.usage.is_some());
    assert_eq!(follow(&mut agent, "web", 1, parent).unwrap(), "the run has ended");
    end(agent, &keeper);
}

fn parent_last(folder: &Folder) {
    if !HAS_TIES {
        return;
    }
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    assert_eq!(follow(&mut agent, "web", 1, child), None);
    let_go(folder, "child-go");
    let exit = agent.exit_of("web");
    assert!(exit.strays && exit.pid == child, "{exit:?}");
    // Whoever was the main process is ended with what is left of the run, and then the status is
    // known, where the system tells it.
    agent.wait(|report| matches!(report, Report::Cleared(_)).then_some(()));
    wait_for_end_of(parent);
    end(agent, &keeper);
}

fn strangers(folder: &Folder) {
    if !HAS_TIES {
        return;
    }
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    let never = folder.path("never").display().to_string();
    let other = agent.start(order(folder, "db", &[&own(), "program", "waits", &never, "0"]));
    let mut refuses = |unit: &str, run, pid, expected: &str| {
        assert_eq!(follow(&mut agent, unit, run, pid).unwrap(), expected);
    };
    let stranger = |pid: u32| format!("process {pid} does not belong to the run");
    for pid in [std::process::id(), keeper.pid(), other, 1] {
        refuses("web", 1, pid, &stranger(pid));
    }
    refuses("db", 1, child, &stranger(child));
    refuses("db", 2, other, "there is no such run");
    refuses("web:check", 1, child, "there is no such run");
    refuses("web", 1, 0, "process 0 has ended");
    assert_eq!(follow(&mut agent, "web", 1, child), None);
    // Back to whom it was, who is of the run as well.
    assert_eq!(follow(&mut agent, "web", 1, parent), None);
    let_go(folder, "parent-go");
    assert_eq!(agent.exit_of("web").status, Status::Code(3));
    end(agent, &keeper);
}

fn to_and_fro(folder: &Folder) {
    if !HAS_TIES {
        return;
    }
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    let mut follow_both = || {
        assert_eq!(follow(&mut agent, "web", 1, child), None);
        assert_eq!(follow(&mut agent, "web", 1, parent), None);
    };
    follow_both();
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", keeper.pid())).unwrap().count();
    let before = descriptors();
    for _ in 0..20 {
        follow_both();
    }
    assert_eq!(descriptors(), before);
    let_go(folder, "parent-go");
    assert_eq!(agent.exit_of("web").status, Status::Code(3));
    end(agent, &keeper);
}

fn next_keeper(folder: &Folder) {
    if !HAS_TIES {
        return;
    }
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    assert_eq!(follow(&mut agent, "web", 1, child), None);
    let keeper = folder.replace_keeper(&keeper);
    let mut agent = agent.replaced_by(folder, PROTOCOL);
    assert_eq!(agent.running(), [("web".to_owned(), child)]);
    let_go(folder, "parent-go");
    wait_for_end_of(parent);
    assert!(!agent.has_heard_of_an_exit());
    let_go(folder, "child-go");
    assert_eq!(agent.exit_of("web").pid, child);
    end(agent, &keeper);
}

fn upgraded(folder: &Folder) {
    if !HAS_TIES {
        return;
    }
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let (parent, child) = split(&mut agent, folder);
    assert_eq!(follow(&mut agent, "web", 1, child), None);
    agent.upgrade();
    let_go(folder, "parent-go");
    wait_for_end_of(parent);
    wait_until("it is reaped", || Process::open_pid(parent).unwrap().is_none());
    assert!(!agent.has_heard_of_an_exit());
    let_go(folder, "child-go");
    let exit = agent.exit_of("web");
    assert_eq!((exit.pid, exit.status), (child, Status::Code(CODE)));
    end(agent, &keeper);
}
