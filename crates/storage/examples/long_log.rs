//! Writes a long log as a keeper does, for `benches/logs`: segments of 10 MiB with their indices.
//!
//! `long_log FOLDER STEM SEGMENTS SECONDS`: the log begins so many seconds ago and ends now. Ten
//! lines come at a time, and one line in 100,000 has `needle` in it.
#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a program of its own")]

use std::{
    env,
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
    time::SystemTime,
};

use mainstay_storage::{
    index::{Bounds, IndexRecord, RunSpan, SourceFlags, Stream},
    segment::ChainFiles,
};

const SEGMENT_BYTES: u64 = 10 * 1024 * 1024;
/// About as long as a line is.
const LINE_BYTES: u64 = 128;
const LINES_AT_A_TIME: u64 = 10;
const NEEDLE_EVERY: u64 = 100_000;
const WORDS: [&str; 8] = [
    "request served",
    "connection opened",
    "connection closed",
    "cache refreshed",
    "user logged in",
    "query took long",
    "retry scheduled",
    "file stored",
];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [folder, stem, segments, seconds] = words.as_slice() else {
        eprintln!("usage: long_log FOLDER STEM SEGMENTS SECONDS");
        return ExitCode::from(2);
    };
    let numbers = (segments.parse().ok(), seconds.parse::<u64>().ok());
    let (Some(segments), Some(seconds)) = numbers else {
        eprintln!("error: SEGMENTS and SECONDS are numbers");
        return ExitCode::from(2);
    };
    let chain = ChainFiles::new(Path::new(folder), stem);
    match write(&chain, segments, seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the log: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(chain: &ChainFiles, segments: u64, seconds: u64) -> io::Result<()> {
    std::fs::create_dir_all(chain.folder())?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or_default();
    let lines = segments * SEGMENT_BYTES / LINE_BYTES;
    let step = seconds * 1_000_000_000 / lines.max(1);
    let mut line = 0;
    for number in 1..=segments {
        line =
            write_segment(chain, number, line, |line| now - (lines.saturating_sub(line)) * step)?;
        if number < segments {
            chain.close(number)?;
        }
    }
    Ok(())
}

/// Writes a segment that begins with this line; returns the next one.
fn write_segment(
    chain: &ChainFiles,
    number: u64,
    first: u64,
    time_of: impl Fn(u64) -> u64,
) -> io::Result<u64> {
    let mut log = BufWriter::new(File::create(chain.live())?);
    let mut index = BufWriter::new(File::create(chain.index(number))?);
    let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
    // A run for every ten segments.
    let run = number.div_ceil(10);
    index.write_all(&IndexRecord::Source { offset: 0, run, stream, flags }.encode())?;
    let (mut line, mut offset) = (first, 0);
    let mut bounds = Bounds::of(time_of(first - first % LINES_AT_A_TIME));
    while offset < SEGMENT_BYTES {
        let realtime_ns = time_of(line - line % LINES_AT_A_TIME);
        if offset == 0 || line.is_multiple_of(LINES_AT_A_TIME) {
            index.write_all(&IndexRecord::Time { offset, realtime_ns }.encode())?;
            bounds = bounds.with(realtime_ns);
        }
        let text = text(line, realtime_ns);
        log.write_all(text.as_bytes())?;
        offset += u64::try_from(text.len()).unwrap_or_default();
        line += 1;
    }
    index.write_all(&IndexRecord::Runs { offset, runs: RunSpan::of(run) }.encode())?;
    index.write_all(&IndexRecord::Bounds { offset, bounds }.encode())?;
    log.flush()?;
    index.flush()?;
    Ok(line)
}

fn text(line: u64, realtime_ns: u64) -> String {
    let mix = line.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = usize::try_from(mix >> 61).ok().and_then(|place| WORDS.get(place)).unwrap_or(&"");
    let needle = if line % NEEDLE_EVERY == 777 { "needle" } else { "straw" };
    format!(
        "{{\"ns\":{realtime_ns},\"level\":\"info\",\"line\":{line},\"message\":\"{word}\",\
         \"id\":\"{mix:016x}\",\"what\":\"{needle}\"}}\n"
    )
}
