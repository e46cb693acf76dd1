//! Real pipes and real files: no byte is lost, torn or doubled, whatever comes first.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::mpsc::channel,
};

use mainstay_api::keeper::{OnFull, PressureKind, Streams};
use mainstay_platform::{filesystem, pipe, pipe::PipeWriter};
use mainstay_storage::{
    index::{IndexRecord, SourceFlags},
    segment::ChainFiles,
};

use super::*;
use crate::note::Note;

const DEADLINE: Duration = Duration::from_secs(20);
const BOOT: &str = "this boot";

#[test]
fn half_lines_of_two_runs_are_not_torn() {
    let mut bench = Bench::new("half_lines", 0);
    let (mut first, mut second) = (bench.attach(1), bench.attach(2));
    first.write_all(b"first ").unwrap();
    bench.wait_for_bytes(6);
    second.write_all(b"second\n").unwrap();
    first.write_all(b"half\n").unwrap();
    bench.wait_for_bytes(18);
    assert_eq!(bench.text(), "first half\nsecond\n");
    let sources: Vec<_> =
        bench.sources().into_iter().map(|(offset, run, _)| (offset, run)).collect();
    assert_eq!(sources, [(0, 1), (11, 2)]);
}

#[test]
fn a_log_begins_with_its_first_byte() {
    let mut bench = Bench::new("first_byte", 0);
    fs::remove_dir(&bench.logs.directory).unwrap();
    let mut program = bench.attach(1);
    bench.pumps.drain(Bench::run(1), bench.pump);
    bench.wait(|note| matches!(note, PumpNote::Drained(_)).then_some(()));
    assert!(!Path::new(&bench.logs.directory).exists(), "nothing is made for a silent program");
    program.write_all(b"first\n").unwrap();
    bench.wait_for_bytes(6);
    assert_eq!(bench.text(), "first\n");
}

#[test]
fn a_line_that_never_ends_holds_the_others_up_for_a_moment_only() {
    let mut bench = Bench::new("never_ends", 0);
    let (mut first, mut second) = (bench.attach(1), bench.attach(2));
    first.write_all(b"no end").unwrap();
    bench.wait_for_bytes(6);
    second.write_all(b"second\n").unwrap();
    bench.wait_for_bytes(13);
    assert_eq!(bench.text(), "no endsecond\n");
    let unfinished = (6, 2, SourceFlags::UNFINISHED);
    assert_eq!(bench.sources().last(), Some(&unfinished));
}

#[test]
fn segments_end_with_a_line() {
    let mut bench = Bench::new("end_with_a_line", 1000);
    let mut program = bench.attach(1);
    let mut expected = String::new();
    for number in 0..500 {
        let line = format!("{number} {}\n", "x".repeat(number % 60));
        let (head, tail) = line.split_at(line.len() / 2);
        program.write_all(head.as_bytes()).unwrap();
        program.write_all(tail.as_bytes()).unwrap();
        expected.push_str(&line);
    }
    bench.wait_for_bytes(expected.len());
    assert_eq!(bench.text(), expected);
    let closed = bench.chain().find().unwrap().closed;
    assert!(closed.len() > 10, "{closed:?}");
    for number in closed {
        let text = fs::read_to_string(bench.chain().closed(number)).unwrap();
        assert!(text.ends_with('\n') && text.len() < 2000, "segment {number}");
    }
}

#[test]
fn segments_end_with_a_line_when_their_span_is_over() {
    const SECOND: u64 = 1_000_000_000;
    let mut bench = Bench::new("bounds", 0);
    bench.logs = Arc::new(Logs { every_s: 1, ..Logs::clone(&bench.logs) });
    let mut program = bench.attach(1);
    let mut expected = String::new();
    let until = clock::monotonic() + DEADLINE;
    while bench.chain().find().unwrap().closed.len() < 2 {
        assert!(clock::monotonic() < until, "no segment is closed");
        for part in ["half a line", " and the other\n", "whole\nhalf"] {
            program.write_all(part.as_bytes()).unwrap();
            expected.push_str(part);
            bench.wait_for_bytes(expected.len());
        }
    }
    assert_eq!(bench.text(), expected);
    let closed = bench.chain().find().unwrap().closed;
    let mut spans = Vec::new();
    for number in closed {
        let text = fs::read_to_string(bench.chain().closed(number)).unwrap();
        assert!(text.ends_with('\n'), "segment {number}");
        let index = IndexRecord::decode_all(&fs::read(bench.chain().index(number)).unwrap());
        spans.extend(index.iter().find_map(IndexRecord::time).map(|first| first / SECOND));
    }
    assert!(spans.windows(2).all(|pair| pair[0] != pair[1]), "{spans:?}");
}

#[test]
fn a_line_without_end_is_cut_and_flagged() {
    let mut bench = Bench::new("cut_and_flagged", 10_000);
    let mut program = bench.attach(1);
    let endless = vec![b'z'; 100_000];
    program.write_all(&endless).unwrap();
    bench.wait_for_bytes(endless.len());
    assert_eq!(bench.text().as_bytes(), endless);
    let closed = bench.chain().find().unwrap().closed;
    assert!(closed.len() >= 2, "{closed:?}");
    let continued = bench.sources_of(closed[0]).pop();
    assert_eq!(continued.map(|(_, _, flags)| flags), Some(SourceFlags::CONTINUED));
}

#[test]
fn a_line_is_cut_for_a_byte_that_follows_and_for_nothing_else() {
    let mut bench = Bench::new("byte_that_follows", 10_000);
    let mut program = bench.attach(1);
    program.write_all(&vec![b'z'; 20_000]).unwrap();
    bench.wait_for_bytes(20_000);
    // It looks into the empty pipe once more, and says so.
    bench.pumps.drain(Bench::run(1), bench.pump);
    bench.wait(|note| matches!(note, PumpNote::Drained(_)).then_some(()));
    assert!(bench.chain().find().unwrap().closed.is_empty());
    program.write_all(b"\n").unwrap();
    bench.wait_for("\n");
    assert_eq!(bench.chain().find().unwrap().closed, [1]);
    let continued = bench.sources_of(1).pop();
    assert_eq!(continued.map(|(_, _, flags)| flags), Some(SourceFlags::CONTINUED));
}

#[test]
fn what_waits_at_the_exit_is_drained_even_when_somebody_keeps_the_pipe() {
    let mut bench = Bench::new("drained", 0);
    let mut program = bench.attach(3);
    program.write_all(b"last words\n").unwrap();
    bench.pumps.drain(Bench::run(3), bench.pump);
    let drained = bench.wait(|note| match note {
        PumpNote::Drained(drained) => Some(drained),
        PumpNote::Rotated(_) | PumpNote::Pressure(_) | PumpNote::Closed { .. } => None,
    });
    assert_eq!((drained.run, drained.segment, drained.offset), (3, 1, 11));
    assert_eq!(bench.text(), "last words\n");
}

#[test]
fn what_waits_at_the_exit_is_in_the_file_when_the_pump_is_parked() {
    // So many segments that one turn is not enough.
    let mut bench = Bench::new("parked_drains", 500);
    let (reader, writer) = pipe::pipe().unwrap();
    let text = "a line of a program that has ended\n".repeat(1_000);
    file_of(&writer).write_all(text.as_bytes()).unwrap();
    drop(writer);
    bench.attach_pipe(1, Arc::new(reader));
    bench.pumps.drain(Bench::run(1), bench.pump);
    bench.park();
    assert_eq!(bench.text(), text);
}

#[test]
fn only_so_many_old_pipes_linger() {
    let mut bench = Bench::new("linger", 0);
    let _programs: Vec<File> = (1..=7).map(|run| bench.attach(run)).collect();
    let closed: Vec<u64> = (0..2)
        .map(|_| {
            bench.wait(|note| match note {
                PumpNote::Closed { run, .. } => Some(run.run),
                PumpNote::Rotated(_) | PumpNote::Pressure(_) | PumpNote::Drained(_) => None,
            })
        })
        .collect();
    assert_eq!(closed, [1, 2]);
}

#[test]
fn a_parked_pump_leaves_the_rest_to_the_next_one() {
    let mut bench = Bench::new("parked", 0);
    let mut program = bench.attach(1);
    program.write_all(b"before\n").unwrap();
    bench.wait_for_bytes(7);
    bench.park();
    program.write_all(b"between\n").unwrap();
    let pipe = bench.pipes.pop().unwrap();
    bench.attach_pipe(1, pipe);
    program.write_all(b"after\n").unwrap();
    bench.wait_for_bytes(21);
    assert_eq!(bench.text(), "before\nbetween\nafter\n");
}

#[test]
fn zeros_of_a_program_outlive_the_pump_and_those_of_a_power_cut_do_not() {
    let check = |boot: &str, expected: &str| {
        let mut bench = Bench::new(&format!("zeros_{boot}"), 0);
        let mut program = bench.attach(1);
        program.write_all("\0".repeat(8192).as_bytes()).unwrap();
        bench.wait_for_bytes(8192);
        bench.restart(boot);
        program.write_all(b"after\n").unwrap();
        bench.wait_for("after\n");
        assert_eq!(bench.text(), expected, "{boot}");
    };
    check(BOOT, &format!("{}after\n", "\0".repeat(8192)));
    check("another", "after\n");
}

#[test]
fn nothing_is_dropped_for_a_disk_that_refuses_for_another_reason_than_room() {
    for on_full in [OnFull::DropOldest, OnFull::DropNew] {
        let mut bench = Bench::new(&format!("{on_full:?}"), 0);
        bench.logs = Arc::new(Logs { on_full, ..Logs::clone(&bench.logs) });
        File::create(bench.chain().closed(1)).unwrap().write_all(b"old\n").unwrap();
        fs::create_dir(bench.chain().live()).unwrap();
        let refusal = File::options().write(true).open(bench.chain().live()).unwrap_err();
        let mut program = bench.attach(1);
        program.write_all(b"new\n").unwrap();
        let first = bench.pressure();
        assert_eq!(first.kind, PressureKind::DiskFailed);
        assert!(first.message.contains(&refusal.to_string()), "{first:?}");
        fs::remove_dir(bench.chain().live()).unwrap();
        assert_eq!(bench.pressure().kind, PressureKind::DiskRoom);
        bench.wait_for("old\nnew\n");
    }
}

#[test]
fn a_log_that_somebody_takes_away_begins_anew() {
    let checks: [(&str, Taking); 5] = [
        ("deleted", |chain| fs::remove_file(chain.live()).unwrap()),
        ("moved", |chain| fs::rename(chain.live(), chain.folder().join("moved")).unwrap()),
        ("emptied", |chain| drop(File::create(chain.live()).unwrap())),
        ("replaced", |chain| {
            fs::remove_file(chain.live()).unwrap();
            drop(File::create(chain.live()).unwrap());
        }),
        ("folder", |chain| fs::remove_dir_all(chain.folder()).unwrap()),
    ];
    for (name, take_away) in checks {
        let mut bench = Bench::new(&format!("away_{name}"), 100);
        let mut program = bench.attach(1);
        program.write_all(b"before\n").unwrap();
        bench.wait_for_bytes(7);
        if std::env::var_os("MAINSTAY_WINE").is_some() && !["moved", "emptied"].contains(&name) {
            // Wine keeps the name of a deleted file until everybody has closed it.
            fs::remove_file(bench.chain().live()).unwrap();
            assert!(bench.chain().live().exists(), "Wine can show `{name}` now");
            continue;
        }
        take_away(&bench.chain());
        // A moved file is noticed at the next time that is noted.
        std::thread::park_timeout(Duration::from_millis(20));
        let line = "x".repeat(49) + "\n";
        for count in 1..=3 {
            program.write_all(line.as_bytes()).unwrap();
            bench.wait_for_bytes(50 * count);
        }
        assert_eq!(bench.text(), line.repeat(3), "{name}");
        assert_eq!(bench.sources(), [(0, 1, SourceFlags::NONE)], "{name}");
        assert_eq!(bench.chain().find().unwrap().closed, [1], "{name}");
    }
}

/// A way to take a log away.
type Taking = fn(&ChainFiles);

struct Bench {
    pumps: Pumps,
    notes: Receiver<Note>,
    logs: Arc<Logs>,
    pump: Option<PumpKey>,
    pipes: Vec<Arc<PipeReader>>,
    sender: Notes,
    _port: Port,
}

impl Bench {
    fn new(name: &str, max_size: u64) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mainstay-pump-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let (sender, notes) = channel();
        let port = Port::new().unwrap();
        let sender = Notes::new(sender, port.waker());
        let pumps = Pumps::new(sender.clone(), BOOT);
        let logs = Arc::new(Logs {
            directory: folder.display().to_string(),
            streams: Streams::Joined,
            max_size,
            every_s: 0,
            on_full: OnFull::Block,
        });
        Self { pumps, notes, logs, pump: None, pipes: Vec::new(), sender, _port: port }
    }

    fn run(run: u64) -> RunRef {
        RunRef { unit: "web".to_owned(), run }
    }

    fn attach(&mut self, run: u64) -> File {
        let (reader, writer) = pipe::pipe().unwrap();
        let pipe = Arc::new(reader);
        self.pipes.push(Arc::clone(&pipe));
        self.attach_pipe(run, pipe);
        file_of(&writer)
    }

    /// Lets the next keeper go on with the pipe.
    fn restart(&mut self, boot: &str) {
        self.pumps.park().unwrap();
        self.pumps = Pumps::new(self.sender.clone(), boot);
        let pipe = self.pipes.pop().unwrap();
        self.attach_pipe(1, pipe);
    }

    fn attach_pipe(&mut self, run: u64, pipe: Arc<PipeReader>) {
        let storage = filesystem::of(Path::new(&self.logs.directory)).unwrap();
        let fresh = FreshPipe {
            run: Self::run(run),
            channel: Channel::Joined,
            pipe,
            logs: Arc::clone(&self.logs),
        };
        self.pump = Some(self.pumps.attach(fresh, storage).unwrap());
    }

    fn chain(&self) -> ChainFiles {
        ChainFiles::new(Path::new(&self.logs.directory), "web")
    }

    /// Returns the chain's bytes, from the first to the last segment.
    /// On a busy machine a pump may need longer to hear of it than its deadline; it is asked again.
    fn park(&mut self) {
        let until = clock::monotonic() + DEADLINE;
        while self.pumps.park().is_err() {
            assert!(clock::monotonic() < until, "the pump does not end");
        }
    }

    fn text(&self) -> String {
        let chain = self.chain();
        let mut closed = chain.find().unwrap().closed;
        loop {
            let mut paths: Vec<_> = closed.iter().map(|number| chain.closed(*number)).collect();
            paths.push(chain.live());
            let text = paths.iter().map(|path| fs::read_to_string(path).unwrap_or_default());
            let text: String = text.collect();
            // A segment that was closed meanwhile is missing in it.
            let before = std::mem::replace(&mut closed, chain.find().unwrap().closed);
            if before == closed {
                return text;
            }
        }
    }

    fn sources(&self) -> Vec<(u64, u64, SourceFlags)> {
        self.sources_of(1)
    }

    fn sources_of(&self, number: u64) -> Vec<(u64, u64, SourceFlags)> {
        let bytes = fs::read(self.chain().index(number)).unwrap();
        let records = IndexRecord::decode_all(&bytes).into_iter();
        records
            .filter_map(|record| match record {
                IndexRecord::Source { offset, run, flags, .. } => Some((offset, run, flags)),
                IndexRecord::Time { .. }
                | IndexRecord::Boot { .. }
                | IndexRecord::Bounds { .. }
                | IndexRecord::Runs { .. } => None,
            })
            .collect()
    }

    fn wait_for(&self, end: &str) {
        let until = clock::monotonic() + DEADLINE;
        while !self.text().ends_with(end) {
            assert!(clock::monotonic() < until, "{end:?} did not come");
            std::thread::yield_now();
        }
    }

    fn wait_for_bytes(&self, count: usize) {
        let until = clock::monotonic() + DEADLINE;
        while self.text().len() < count {
            assert!(clock::monotonic() < until, "{} of {count} bytes came", self.text().len());
            std::thread::yield_now();
        }
    }

    fn pressure(&self) -> Pressure {
        self.wait(|note| match note {
            PumpNote::Pressure(pressure) => Some(pressure),
            PumpNote::Rotated(_) | PumpNote::Drained(_) | PumpNote::Closed { .. } => None,
        })
    }

    fn wait<T>(&self, wanted: impl Fn(PumpNote) -> Option<T>) -> T {
        let until = clock::monotonic() + DEADLINE;
        loop {
            let left = until.saturating_sub(clock::monotonic());
            match self.notes.recv_timeout(left) {
                Ok(Note::Pump(note)) => {
                    if let Some(found) = wanted(note) {
                        return found;
                    }
                }
                Ok(Note::Started(_) | Note::Probed(_)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the pump did not say it in time")
                }
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.pumps.park());
        drop(fs::remove_dir_all(&self.logs.directory));
    }
}

fn file_of(writer: &PipeWriter) -> File {
    File::from(writer.as_descriptor().try_clone_to_owned().unwrap())
}
