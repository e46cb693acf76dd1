//! A program that numbers its lines and ends when it is told to, with a code of its own.

use std::{
    io::{BufWriter, Write as _},
    process::ExitCode,
};

use super::{Folder, exit_code_of};

/// So many lines are written between two looks for the end.
const LINES_AT_ONCE: u64 = 100;

pub(crate) fn run(folder: &Folder, index: &str) -> ExitCode {
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut number = 0_u64;
    while !folder.stop().exists() {
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            writeln!(output, "{number}").unwrap();
        }
    }
    writeln!(output, "end {number}").unwrap();
    output.flush().unwrap();
    let code = exit_code_of(index.parse().unwrap());
    ExitCode::from(u8::try_from(code).unwrap())
}

/// Prints for whoever runs the tests.
pub(crate) fn say(text: &str) -> ExitCode {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    ExitCode::SUCCESS
}
