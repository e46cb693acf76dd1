//! Counts what programs write while something bad happens to us.
//!
//! Whether a line is missing can be told from outside only when a program numbers its lines: a word
//! of each line that is a number, one higher in each line. All other lines are just counted.

use std::{io, path::Path};

use mainstay_api::control::Unit;
use mainstay_storage::{
    instance::Instance,
    read::{self, Cursor, Line, Reader},
    segment::{self, ChainFiles},
};
use serde::Serialize;

/// So many lines must be numbered in a row before a program counts as one that numbers them.
const SAMPLE_MIN: usize = 3;
const SAMPLE_MAX: usize = 20;
/// They are looked for in so much of the end of a log.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// What was written meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Tally {
    /// All lines.
    pub(crate) lines: u64,
    /// Lines with numbers that say whether one is missing.
    pub(crate) numbered: u64,
    /// Numbers that were left out.
    pub(crate) missing: u64,
    /// Numbers that came twice.
    pub(crate) doubled: u64,
    /// Segments that were deleted before we read them: by retention, as the service says.
    pub(crate) deleted_segments: u64,
    /// Numbers that were left out where segments were deleted: retention did its job.
    pub(crate) deleted: u64,
}

/// The logs of all units from an instant on.
#[derive(Debug)]
pub(crate) struct Ledger {
    accounts: Vec<Account>,
}

/// One chain of one unit.
#[derive(Debug)]
struct Account {
    reader: Reader,
    series: Option<Series>,
    lines: u64,
    deleted_segments: u64,
    /// What comes before the next line.
    gap: Gap,
}

/// Numbers that have risen by one from line to line so far.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Series {
    /// Which word of the line.
    word: usize,
    last: u64,
    tally: Tally,
}

impl Ledger {
    /// Begins to count the lines of units that run.
    pub(crate) fn open(instance: &Instance, units: &[Unit]) -> io::Result<Self> {
        let mut accounts = Vec::new();
        for unit in units.iter().filter(|unit| unit.pid.is_some()) {
            let folder = instance.logs_of(&unit.unit);
            for chain in chains(&folder) {
                accounts.push(Account::open(chain)?);
            }
        }
        Ok(Self { accounts })
    }

    /// Reads on; returns whether every program that numbers its lines has written since.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        for account in &mut self.accounts {
            account.read()?;
        }
        Ok(self.accounts.iter().all(|account| account.series.is_none() || account.lines > 0))
    }

    /// Returns what was counted so far.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for account in &self.accounts {
            let Tally { numbered, missing, doubled, deleted, .. } =
                account.series.as_ref().map(|series| series.tally).unwrap_or_default();
            sum.lines += account.lines;
            sum.deleted_segments += account.deleted_segments;
            sum.deleted += deleted;
            sum.numbered += numbered;
            sum.missing += missing;
            sum.doubled += doubled;
        }
        sum
    }
}

fn chains(folder: &Path) -> Vec<ChainFiles> {
    // No folder, no line so far.
    let stems = segment::stems(folder).unwrap_or_default();
    stems.iter().map(|stem| ChainFiles::new(folder, stem)).collect()
}

impl Account {
    fn open(chain: ChainFiles) -> io::Result<Self> {
        let end = read::end(&chain)?;
        let sample = Cursor { offset: end.offset.saturating_sub(SAMPLE_BYTES), ..end };
        let mut reader = Reader::new(chain, sample);
        let mut lines = Vec::new();
        while reader.cursor() < end
            && let Some(block) = reader.next_block()?
        {
            lines.extend(block.lines);
        }
        let sample = lines.get(lines.len().saturating_sub(SAMPLE_MAX)..).unwrap_or_default();
        let (series, gap) = (Series::find(sample), Gap::Lost);
        Ok(Self { series, reader, lines: 0, deleted_segments: 0, gap })
    }

    /// Reads up to where the chain ends at this moment: its program may write for ever.
    fn read(&mut self) -> io::Result<()> {
        let end = read::end(self.reader.chain())?;
        while self.reader.cursor() < end
            && let Some(block) = self.reader.next_block()?
        {
            self.deleted_segments += block.deleted;
            if block.deleted > 0 {
                self.gap = Gap::Deleted;
            }
            for line in block.lines {
                self.lines += 1;
                let gap = std::mem::replace(&mut self.gap, Gap::Lost);
                self.series = self.series.take().and_then(|series| series.next(&line, gap));
            }
        }
        Ok(())
    }
}

/// What numbers that are left out before a line prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Lines were lost.
    Lost,
    /// Lines were in segments that were deleted; some of them may have been lost before.
    Deleted,
}

impl Series {
    fn find(sample: &[Line]) -> Option<Self> {
        let (first, rest) = sample.split_first()?;
        if sample.len() < SAMPLE_MIN {
            return None;
        }
        let words = numbers(first).len();
        (0..words).rev().find_map(|word| {
            let mut last = number(first, word)?;
            for line in rest {
                last = number(line, word).filter(|next| Some(*next) == last.checked_add(1))?;
            }
            Some(Self { word, last, tally: Tally::default() })
        })
    }

    /// Takes the next line. A number that falls ends the series, and with it what it proves: the
    /// program counts from the beginning again, or not at all.
    fn next(mut self, line: &Line, gap: Gap) -> Option<Self> {
        let next = number(line, self.word).filter(|next| *next >= self.last)?;
        self.tally.numbered += 1;
        match (next - self.last, gap) {
            (0, _) => self.tally.doubled += 1,
            (step, Gap::Lost) => self.tally.missing += step - 1,
            (step, Gap::Deleted) => self.tally.deleted += step - 1,
        }
        self.last = next;
        Some(self)
    }
}

/// Returns each word of a line as a number, if it is one: `n=12,` is.
fn numbers(line: &Line) -> Vec<Option<u64>> {
    let text = String::from_utf8_lossy(&line.bytes);
    let digits = |word: &str| word.trim_matches(|letter: char| !letter.is_ascii_digit()).parse();
    text.split_whitespace().map(|word| digits(word).ok()).collect()
}

fn number(line: &Line, word: usize) -> Option<u64> {
    numbers(line).get(word).copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use mainstay_storage::index::Stream;

    use super::*;

    #[test]
    fn numbered_lines_prove_what_is_missing() {
        let check = |texts: &str, expected: Option<(u64, u64, u64)>| {
            let mut series = Series::find(&lines("x 5 7 a\nx 6 7 b\nx 7 7 c"));
            for line in lines(texts) {
                series = series.and_then(|series| series.next(&line, Gap::Lost));
            }
            let tally = series.map(|series| series.tally);
            let found = tally.map(|tally| (tally.numbered, tally.missing, tally.doubled));
            assert_eq!(found, expected, "{texts}");
        };
        check("x 8 7 d\nx 9 7 e", Some((2, 0, 0)));
        check("x 8 7 d\nx 12 7 e", Some((2, 3, 0)));
        check("x 8 7 d\nx 8 7 d\nx 9 7 e", Some((3, 0, 1)));
        check("x 8 7 d\nx 1 7 a", None);
        check("torn", None);
    }

    #[test]
    fn what_retention_deletes_is_not_lost() {
        let folder = std::env::temp_dir().join(format!("mainstay-ledger-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let chain = ChainFiles::new(&folder, "web");
        let write = |text: &str| {
            let mut file = fs::File::create(chain.live()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        write("1\n2\n3\n");
        let mut account = Account::open(chain.clone()).unwrap();
        chain.close(1).unwrap();
        for (number, text) in [(2, "4\n5\n"), (3, "6\n7\n8\n"), (4, "9\n11\n")] {
            write(text);
            chain.close(number).unwrap();
        }
        for number in 1..4 {
            chain.remove(number).unwrap();
        }
        write("12\n");
        account.read().unwrap();
        assert_eq!((account.lines, account.deleted_segments), (3, 3));
        // It is noticed before there is another line.
        chain.close(5).unwrap();
        write("14\n");
        chain.close(6).unwrap();
        chain.remove(6).unwrap();
        account.read().unwrap();
        write("20\n");
        account.read().unwrap();
        let Tally { numbered, missing, deleted, .. } = account.series.unwrap().tally;
        assert_eq!((account.lines, account.deleted_segments), (4, 4));
        assert_eq!((numbered, missing, deleted), (4, 1, 5 + 7));
    }

    #[test]
    fn not_every_number_counts_lines() {
        let check = |texts: &str, expected: Option<usize>| {
            let series = Series::find(&lines(texts));
            assert_eq!(series.map(|series| series.word), expected, "{texts}");
        };
        check("tick 1\ntick 2\ntick 3", Some(1));
        check("12:00:01 n=1,\n12:00:02 n=2,\n12:00:03 n=3,", Some(1));
        check("12:00:01 up\n12:00:02 up\n12:00:03 up", None);
        check("1\n2", None);
        check("1\n2\n4", None);
        check("", None);
    }

    fn lines(texts: &str) -> Vec<Line> {
        let line = |text: &str| Line {
            realtime_ns: 0,
            run: 1,
            stream: Stream::Joined,
            bytes: text.as_bytes().to_vec(),
            is_partial: false,
        };
        texts.lines().map(line).collect()
    }
}
