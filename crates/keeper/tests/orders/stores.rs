//! Descriptors that are stored for units.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::Command,
};

use mainstay_api::keeper::{
    PROTOCOL, Report, Request, STORED_A_UNIT_MAX, SpawnOutcome, StoreEntry,
};
use mainstay_platform::{
    descriptor::{CAN_BE_STORED, Descriptor},
    spawn::CAN_LISTEN,
};

use crate::{Agent, Folder, Story, agent::order, end, number_in, own};

pub(crate) const STORIES: [Story; 5] = [
    ("a_frame_that_comes_in_two_parts_keeps_its_descriptors_and_holds_up_an_upgrade", parts),
    ("what_is_stored_outlives_agents_and_upgrades", outlives),
    ("a_program_gets_what_is_stored_as_listen_fds", listens),
    ("stores_have_limits_and_a_forgotten_unit_has_none", limits),
    ("an_agent_that_is_a_version_older_hears_nothing_of_stores", older),
];

/// What is written into the other end of what is stored.
pub(crate) const WORDS: &str = "said before the agent died\n";
/// A program that is told of its descriptors as `sd_listen_fds(3)` says.
const LISTENER: &str = "import os
is_meant = int(os.environ['LISTEN_PID']) == os.getpid()
names = os.environ['LISTEN_FDNAMES'].split(':')
for number in range(3, 3 + int(os.environ['LISTEN_FDS'])):
    text = os.read(number, 100).decode()
    print(is_meant, number, names[number - 3], text, end='', flush=True)
print('end', flush=True)";

pub(crate) fn entry(unit: &str, name: &str) -> StoreEntry {
    StoreEntry { unit: unit.to_owned(), name: name.to_owned() }
}

/// Returns the reading end of a pipe with something in it.
fn pipe_with(text: &str) -> Descriptor {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    reader.into()
}

fn outlives(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    if !CAN_BE_STORED {
        let mut agent = Agent::connect(folder);
        let refused = agent.store(&[entry("web", "pipe")], &[]);
        assert_eq!(refused, [Some("nothing can be stored on this system".to_owned())]);
        return end(agent, &keeper);
    }
    let folder_text = folder.0.display().to_string();
    let mut first = Command::new(own()).args(["program", "stores", &folder_text]).spawn().unwrap();
    number_in(&folder.path("stored"));
    first.kill().unwrap();
    first.wait().unwrap();
    let mut agent = Agent::connect(folder);
    for _ in 0..2 {
        assert_eq!(told(&mut agent), [entry("web", "pipe")]);
        agent.upgrade();
        agent = agent.replaced_by(folder, PROTOCOL);
    }
    let (_, pipe) = agent.stored().pop().unwrap();
    let mut text = String::new();
    agent.ask(Request::Unstore(vec![entry("web", "pipe"), entry("web", "none")]));
    agent.wait(|report| matches!(report, Report::Done).then_some(()));
    File::from(pipe).read_to_string(&mut text).unwrap();
    assert_eq!(text, WORDS);
    agent = agent.replaced_by(folder, PROTOCOL);
    assert_eq!(told(&mut agent), []);
    end(agent, &keeper);
}

fn told(agent: &mut Agent) -> Vec<StoreEntry> {
    agent.stored().into_iter().map(|(entry, _)| entry).collect()
}

fn parts(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    if !CAN_BE_STORED {
        return end(agent, &keeper);
    }
    let first = agent.frame(Request::Store(vec![entry("web", "pipe")]));
    let program = own();
    let mut upgrade = agent.frame(Request::Upgrade { program });
    let mut second = agent.frame(Request::Store(vec![entry("web", "other")]));
    let rest = second.split_off(9);
    upgrade.extend(second);
    let (begin, finish) = first.split_at(7);
    agent.send(begin, &[pipe_with("one")]);
    Agent::is_heard(folder);
    agent.send(finish, &[]);
    agent.send(&upgrade, &[pipe_with("two")]);
    // The keeper has looked at the other binary by the time, or looks at it: it waits either way.
    Agent::is_heard(folder);
    agent.send(&rest, &[]);
    agent.wait(|report| matches!(report, Report::Upgraded(_)).then_some(()));
    agent = agent.replaced_by(folder, PROTOCOL);
    assert_eq!(told(&mut agent), [entry("web", "pipe"), entry("web", "other")]);
    end(agent, &keeper);
}

fn listens(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let mut spawn = order(folder, "web", &["python3", "-c", LISTENER]);
    spawn.listen = vec!["admin".to_owned(), "http".to_owned()];
    let message = |outcome| match outcome {
        SpawnOutcome::Failed { message, .. } => message,
        other => panic!("{other:?}"),
    };
    if !CAN_LISTEN {
        let expected = "cannot start it: this system cannot pass descriptors on to programs";
        assert_eq!(message(agent.spawn(spawn)), expected);
        return end(agent, &keeper);
    }
    let expected = "cannot start it: nothing is stored under the name `admin`";
    assert_eq!(message(agent.spawn(spawn.clone())), expected);
    let entries = ["http", "admin", "http"].map(|name| entry("web", name));
    let pipes = ["lost\n", "two\n", "one\n"].map(pipe_with);
    assert_eq!(agent.store(&entries, &pipes), [None, None, None]);
    agent.start(spawn);
    let said = folder.log_with("web", "end\n");
    assert_eq!(said, "True 3 admin two\nTrue 4 http one\nend\n");
    agent.exit_of("web");
    end(agent, &keeper);
}

fn limits(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    if !CAN_BE_STORED {
        return end(agent, &keeper);
    }
    let mut refused = Vec::new();
    let names: Vec<StoreEntry> =
        (0..=STORED_A_UNIT_MAX).map(|number| entry("web", &number.to_string())).collect();
    for names in names.chunks(40) {
        let pipes: Vec<Descriptor> = names.iter().map(|_| pipe_with("")).collect();
        refused.extend(agent.store(names, &pipes).into_iter().flatten());
    }
    assert_eq!(refused, ["128 descriptors are stored for the unit; remove one first"]);
    let refused = agent.store(&[entry("db", "one"), entry("db", "two")], &[pipe_with("")]);
    assert_eq!(refused, [None, Some("no descriptor came with it".to_owned())]);
    agent.ask(Request::Forget(vec!["web".to_owned()]));
    agent.wait(|report| matches!(report, Report::Done).then_some(()));
    agent = agent.replaced_by(folder, PROTOCOL);
    assert_eq!(told(&mut agent), [entry("db", "one")]);
    end(agent, &keeper);
}

fn older(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect_as(folder, 2);
    if CAN_BE_STORED {
        assert_eq!(agent.store(&[entry("web", "one")], &[pipe_with("")]), [None]);
        for (protocol, expected) in [(2, 0), (3, 1), (2, 0)] {
            agent = agent.replaced_by(folder, protocol);
            assert_eq!(told(&mut agent).len(), expected);
        }
    }
    agent.start(order(folder, "web", &[&own(), "program", "reads"]));
    agent.exit_of("web");
    end(agent, &keeper);
}
