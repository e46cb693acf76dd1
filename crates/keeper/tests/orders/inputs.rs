//! What programs read and are told, of which nothing is kept, and what they have used.

use std::{fs, path::Path, time::Duration};

use mainstay_api::keeper::{
    INPUT_BYTES_MAX, Reach, Request, SecretText, Signal, SignalName, SpawnOutcome, Status,
};
use mainstay_platform::{ladder, usage::HAS_TOTALS};

use crate::{
    Agent, Folder, Story,
    agent::order,
    end, own,
    program::{MEMORY_BYTES, WORK},
};

pub(crate) const STORIES: [Story; 4] = [
    ("a_program_reads_its_input_whole_and_nobody_keeps_it", reads),
    ("an_input_over_the_limit_is_refused", too_long),
    ("what_a_program_has_used_is_told_at_its_end", uses),
    ("a_program_aborts_even_when_it_was_stopped", aborts),
];

const SECRET: &str = "hunter2-hunter2-hunter2";

fn reads(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    for (unit, length) in [("none", None), ("empty", Some(0)), ("long", Some(INPUT_BYTES_MAX))] {
        let mut spawn = order(folder, unit, &[&own(), "program", "reads"]);
        spawn.environment.set.insert("TOKEN".to_owned(), SECRET.to_owned());
        spawn.input = length.map(text_of);
        assert!(!format!("{spawn:?}").contains(SECRET));
        agent.start(spawn);
        let said = folder.log_with(unit, "token\n");
        let length = length.unwrap_or_default();
        assert_eq!(said, format!("{length} bytes, {} of a token\n", SECRET.len()));
    }
    // One that cannot be started says why, and no more than that.
    let mut wrong = order(folder, "wrong", &["no-such-program"]);
    wrong.environment.set.insert("TOKEN".to_owned(), format!("{SECRET}\0"));
    wrong.input = Some(text_of(100));
    let outcome = agent.spawn(wrong);
    assert!(!format!("{outcome:?}").contains(SECRET), "{outcome:?}");
    keeps_nothing(&folder.0);
    end(agent, &keeper);
    keeps_nothing(&folder.0);
}

fn text_of(length: usize) -> SecretText {
    let text = SECRET.repeat(length / SECRET.len() + 1);
    SecretText::from(text.get(..length).unwrap().to_owned())
}

/// Looks into every file: journal, log, segments.
fn keeps_nothing(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keeps_nothing(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            let is_kept = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!is_kept, "{}", path.display());
        }
    }
}

fn too_long(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let mut spawn = order(folder, "web", &[&own(), "program", "reads"]);
    spawn.input = Some(text_of(INPUT_BYTES_MAX + 1));
    let outcome = agent.spawn(spawn.clone());
    let SpawnOutcome::Failed { step, message, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(message, "cannot start it: its input has 262145 bytes, more than 262144");
    assert_eq!(step, "input");
    // The number was not used.
    spawn.input = None;
    agent.start(spawn);
    agent.exit_of("web");
    end(agent, &keeper);
}

fn uses(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    agent.start(order(folder, "web", &[&own(), "program", "works"]));
    let exit = agent.exit_of("web");
    let Some(usage) = exit.usage else {
        assert_ne!(HAS_TOTALS, exit.usage.is_none(), "{exit:?}");
        return end(agent, &keeper);
    };
    // Wine tells the times of whoever asks, and of who has ended no memory.
    let is_known = std::env::var_os("MAINSTAY_WINE").is_none();
    let processor_time = Duration::from_micros(usage.user_us + usage.system_us);
    assert!((WORK / 4..WORK * 3).contains(&processor_time) || !is_known, "{usage:?}");
    let has_peak = usage.memory_peak_bytes.is_some_and(|peak| peak >= MEMORY_BYTES);
    assert!(has_peak || !is_known, "{usage:?}");
    end(agent, &keeper);
}

fn aborts(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let mut run = 0;
    for reach in [Reach::Main, Reach::Group] {
        run += 1;
        let never = folder.path("never").display().to_string();
        let mut spawn = order(folder, "web", &[&own(), "program", "waits", &never, "0"]);
        (spawn.run, spawn.spec_hash) = (run, run.to_string());
        agent.start(spawn);
        let unit = || "web".to_owned();
        let signals = [SignalName::Stop, SignalName::Abort];
        let signals = signals.map(|signal| Signal { unit: unit(), run, signal, reach });
        agent.ask(Request::Signal(signals.into()));
        let expected = if ladder::IS_NEEDED { Status::Code(137) } else { Status::Signal(6) };
        assert_eq!(agent.exit_of("web").status, expected);
    }
    end(agent, &keeper);
}
