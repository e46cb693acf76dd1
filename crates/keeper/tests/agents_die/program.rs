//! A program that numbers its lines, writes them as fast as it can, and ends when it is told to,
//! with a code of its own.

use std::{fs, io::Write as _, process::ExitCode, time::Duration};

use super::{Folder, exit_code_of, push_line};

/// So many lines are one write: 64 KiB.
const LINES_AT_ONCE: u64 = 1024;
/// So many bytes are written for each agent, at full speed. The bound is for the disk: twenty
/// programs and twenty agents make 200 MiB.
const BYTES_PER_AGENT: u64 = 512 * 1024;
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(crate) fn run(folder: &Folder, index: &str) -> ExitCode {
    let mut output = std::io::stdout().lock();
    let (mut number, mut written) = (0_u64, 0_u64);
    while !folder.stop().exists() {
        if written >= allowed(folder) {
            std::thread::park_timeout(LOOK_EVERY);
            continue;
        }
        let mut block = Vec::new();
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            push_line(number, &mut block);
        }
        output.write_all(&block).unwrap();
        written += u64::try_from(block.len()).unwrap();
    }
    writeln!(output, "end {number}").unwrap();
    output.flush().unwrap();
    let code = exit_code_of(index.parse().unwrap());
    ExitCode::from(u8::try_from(code).unwrap())
}

/// Each agent that is about to be killed makes the file of rounds one byte longer.
fn allowed(folder: &Folder) -> u64 {
    let rounds = fs::metadata(folder.rounds()).map_or(0, |file| file.len());
    rounds * BYTES_PER_AGENT
}

/// Prints for whoever runs the tests.
pub(crate) fn say(text: &str) -> ExitCode {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    ExitCode::SUCCESS
}
