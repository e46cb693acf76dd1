//! What a copy of this binary does as a program.

use std::{
    fs,
    hint::black_box,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use mainstay_platform::descriptor::Descriptor;

use crate::{Agent, Folder, own, stores, wait_until};

/// How long a program works.
pub(crate) const WORK: Duration = Duration::from_millis(400);
/// What it occupies meanwhile.
pub(crate) const MEMORY_BYTES: u64 = 96 << 20;

pub(crate) fn run(words: &[&str]) -> ExitCode {
    match words {
        ["reads"] => reads(),
        ["works"] => works(),
        ["waits", path, code] => {
            wait_until("the time has come", || Path::new(path).exists());
            ExitCode::from(code.parse::<u8>().unwrap())
        }
        ["splits", folder, code] => splits(Path::new(folder), code),
        ["stores", folder] => stores_and_waits(&Folder(folder.into())),
        other => panic!("{other:?}"),
    }
}

fn reads() -> ExitCode {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let environment = std::env::var("TOKEN").unwrap_or_default();
    let line = format!("{} bytes, {} of a token\n", text.len(), environment.len());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    ExitCode::SUCCESS
}

fn works() -> ExitCode {
    let memory = black_box(vec![1_u8; usize::try_from(MEMORY_BYTES).unwrap()]);
    let begun = Instant::now();
    let mut sum = 0_u64;
    while begun.elapsed() < WORK {
        sum = memory.iter().step_by(4096).fold(sum, |sum, byte| sum.wrapping_add((*byte).into()));
    }
    black_box(sum);
    ExitCode::SUCCESS
}

/// Leaves its work to a child, and waits for its own end.
#[expect(clippy::zombie_processes, reason = "it ends without having waited for its child")]
fn splits(folder: &Path, code: &str) -> ExitCode {
    let go = folder.join("child-go");
    let child = Command::new(own()).args(["program", "waits"]).arg(go).arg(code).spawn().unwrap();
    fs::write(folder.join("child"), format!("{}\n", child.id())).unwrap();
    wait_until("the parent may go", || folder.join("parent-go").exists());
    ExitCode::from(3)
}

/// Plays an agent that is killed once it has stored something.
fn stores_and_waits(folder: &Folder) -> ExitCode {
    let mut agent = Agent::connect(folder);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(stores::WORDS.as_bytes()).unwrap();
    let refused = agent.store(&[stores::entry("web", "pipe")], &[Descriptor::from(reader)]);
    assert_eq!(refused, [None]);
    fs::write(folder.path("stored"), "1\n").unwrap();
    loop {
        std::thread::park();
    }
}
