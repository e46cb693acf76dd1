//! Programs that write numbered lines, each in a manner of its own.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use mainstay_platform::{clock, lock::FileLock};

use crate::{chance::Chance, ground::Ground, line, wait};

/// What a program ends with when another one of its unit lives.
const DOUBLED: u8 = 99;
/// What a program ends with that lives for a short time only.
const SHORT_LIFE: u8 = 3;
/// So many lines are written between two looks for the end.
const LINES_AT_ONCE: u64 = 200;
/// The longest of short lives.
const SHORT_LIFE_MAX: Duration = Duration::from_millis(300);
/// Between two lines of a program that takes its time.
const PAUSE: Duration = Duration::from_millis(3);

/// How a program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// One write for each line.
    Plain,
    /// Two writes for each line.
    Halves,
    /// The first half of each line to stdout, the second to stderr.
    Both,
    /// Lines of two streams of their own, half by half.
    Split,
    /// 64 KiB at once.
    Blocks,
    /// 4 KiB at once.
    Pages,
    /// One write for each line, and the end comes soon.
    Short,
    /// A line now and then, until somebody ends it.
    Slow,
}

impl Habit {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Plain, "plain"),
        (Self::Halves, "halves"),
        (Self::Both, "both"),
        (Self::Split, "split"),
        (Self::Blocks, "blocks"),
        (Self::Pages, "pages"),
        (Self::Short, "short"),
        (Self::Slow, "slow"),
    ];

    /// Returns how the writer of this number writes: half of them are plain.
    pub(crate) const fn of_writer(index: u32) -> Self {
        match index % 10 {
            5 => Self::Halves,
            6 => Self::Both,
            7 => Self::Split,
            8 => Self::Blocks,
            9 => Self::Pages,
            _ => Self::Plain,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(habit, _)| *habit == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(habit, _)| *habit)
    }
}

/// Returns what a writer ends with when it is told to end.
pub(crate) fn exit_code_of(index: u32) -> u8 {
    u8::try_from(10 + index % 80).unwrap_or_default()
}

/// Writes until the end.
pub(crate) fn run(folder: &Path, unit: &str, habit: &str) -> ExitCode {
    let ground = Ground::at(folder);
    let Ok(Some(_lock)) = FileLock::try_take(&ground.locks().join(unit)) else {
        drop(File::create(ground.doubles().join(unit)));
        return ExitCode::from(DOUBLED);
    };
    let run = std::env::var("MAINSTAY_RUN").unwrap_or_default();
    let who = format!("{unit}.r{run}");
    let Some(habit) = Habit::named(habit) else { return ExitCode::FAILURE };
    match write(&ground, &who, habit) {
        Ok(()) => ExitCode::from(code_of(unit, habit)),
        Err(_) => ExitCode::FAILURE,
    }
}

fn code_of(unit: &str, habit: Habit) -> u8 {
    if habit == Habit::Short {
        return SHORT_LIFE;
    }
    let digits = unit.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    exit_code_of(digits.parse().unwrap_or_default())
}

fn write(ground: &Ground, who: &str, habit: Habit) -> io::Result<()> {
    let out = io::stdout().lock();
    match habit {
        Habit::Plain => lines(ground, who, out),
        Habit::Blocks => lines(ground, who, BufWriter::with_capacity(64 * 1024, Whole(out))),
        Habit::Pages => lines(ground, who, BufWriter::with_capacity(4096, Whole(out))),
        Habit::Halves => halves(ground, who, Second::Same),
        Habit::Both => halves(ground, who, Second::Other),
        Habit::Split => split(ground, who),
        Habit::Short => short(who, out),
        Habit::Slow => slow(ground, who, out),
    }
}

/// Passes every write on at once, where stdout would wait for a line end.
struct Whole<W>(W);

impl<W: Write> Write for Whole<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn lines(ground: &Ground, who: &str, mut out: impl Write) -> io::Result<()> {
    let (mut number, mut text) = (0, Vec::new());
    while !ground.stop().exists() {
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            text.clear();
            line::write(who, number, &mut text);
            out.write_all(&text)?;
        }
    }
    end(who, number, &mut out)
}

fn end(who: &str, count: u64, out: &mut impl Write) -> io::Result<()> {
    let mut text = Vec::new();
    line::write_end(who, count, &mut text);
    out.write_all(&text)?;
    out.flush()
}

/// Where the second half of a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    /// To stdout, as the first.
    Same,
    /// To stderr, which is the same pipe.
    Other,
}

fn halves(ground: &Ground, who: &str, second: Second) -> io::Result<()> {
    let (mut out, mut err) = (Whole(io::stdout().lock()), io::stderr().lock());
    let (mut number, mut text) = (0, Vec::new());
    while !ground.stop().exists() {
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            text.clear();
            line::write(who, number, &mut text);
            let (first, rest) = text.split_at(text.len() / 2);
            out.write_all(first)?;
            match second {
                Second::Same => out.write_all(rest)?,
                Second::Other => err.write_all(rest)?,
            }
        }
    }
    end(who, number, &mut out)
}

/// Writes to both streams, half a line each in turn.
fn split(ground: &Ground, who: &str) -> io::Result<()> {
    let (mut out, mut err) = (Whole(io::stdout().lock()), io::stderr().lock());
    let [one, other] = ["o", "e"].map(|stream| format!("{who}.{stream}"));
    let (mut number, mut text, mut second) = (0, Vec::new(), Vec::new());
    while !ground.stop().exists() {
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            text.clear();
            second.clear();
            line::write(&one, number, &mut text);
            line::write(&other, number, &mut second);
            let (first, rest) = text.split_at(text.len() / 2);
            let (third, last) = second.split_at(second.len() / 2);
            out.write_all(first)?;
            err.write_all(third)?;
            out.write_all(rest)?;
            err.write_all(last)?;
        }
    }
    end(&one, number, &mut out)?;
    end(&other, number, &mut err)
}

/// Writes for a time by chance.
fn short(who: &str, mut out: impl Write) -> io::Result<()> {
    let life = Chance::new(clock::realtime_nanos()).moment_below(SHORT_LIFE_MAX);
    let until = clock::monotonic() + life;
    let (mut number, mut text) = (0, Vec::new());
    while clock::monotonic() < until {
        number += 1;
        text.clear();
        line::write(who, number, &mut text);
        out.write_all(&text)?;
    }
    end(who, number, &mut out)
}

fn slow(ground: &Ground, who: &str, mut out: impl Write) -> io::Result<()> {
    let (mut number, mut text) = (0, Vec::new());
    while !ground.stop().exists() {
        number += 1;
        text.clear();
        line::write(who, number, &mut text);
        out.write_all(&text)?;
        wait::rest(PAUSE);
    }
    end(who, number, &mut out)
}
