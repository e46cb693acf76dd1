//! Lives of one copy, with segments that nobody but the test writes.

use std::{fs::File, io::Write as _};

use mainstay_storage::index::{IndexRecord, SourceFlags, Stream};

use super::*;

const LINES: &str = "one\ntwo\ntick\ntick\nlast\n";

#[test]
fn every_line_arrives_once_wherever_in_an_append_the_agent_dies() {
    for arrived in 0..=LINES.len() {
        let bench = Bench::new(&format!("dies-{arrived}"));
        bench.write("before\n");
        drop(bench.copyist_that_has_copied());
        bench.write(LINES);
        // What an agent leaves that has noted where the next bytes go, and written some of them.
        drop(bench.copyist_that_has_only_noted());
        bench.append_by_hand(&LINES.as_bytes()[..arrived]);
        drop(bench.copyist_that_has_copied());
        assert_eq!(bench.copied(), ["before\n", LINES].concat(), "{arrived}");
        bench.write("tick\n");
        drop(bench.copyist_that_has_copied());
        assert_eq!(bench.copied(), ["before\n", LINES, "tick\n"].concat(), "{arrived}");
    }
}

#[test]
fn a_file_that_is_moved_away_or_emptied_is_begun_anew_and_equal_lines_stay_apart() {
    let bench = Bench::new("moved");
    bench.write("tick\n");
    let mut copyist = bench.copyist_that_has_copied();
    let moved = bench.path().with_extension("1");
    fs::rename(bench.path(), &moved).unwrap();
    bench.write("tick\n");
    copyist.copy_all().unwrap();
    assert_eq!((bench.copied().as_str(), read(&moved).as_str()), ("tick\n", "tick\n"));
    File::create(bench.path()).unwrap();
    bench.write("tick\ntock\n");
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "tick\ntock\n");
}

#[test]
fn equal_lines_stay_apart_when_a_copy_is_changed_while_it_is_busy() {
    let bench = Bench::new("changed");
    bench.write("tick\n");
    let mut copyist = Copyist::new(bench.copy.clone(), bench.teller.clone());
    copyist.copy_once(Copy { max_size: 1 << 20, ..bench.copy.clone() }).unwrap();
    bench.write("tick\n");
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "tick\ntick\n");
}

#[test]
fn a_log_that_lost_its_end_with_the_power_is_not_copied_again() {
    let bench = Bench::new("power");
    bench.write("one\ntwo\nthree\n");
    bench.copyist_that_has_copied().lose_power();
    let live = File::options().write(true).open(bench.copy.chain.live()).unwrap();
    live.set_len(4).unwrap();
    let mut copyist = bench.copyist_that_has_copied();
    assert_eq!(bench.copied(), "one\ntwo\nthree\n");
    bench.write("four\n");
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "one\ntwo\nthree\nfour\n");
}

#[test]
fn a_copy_begins_where_the_log_is_when_it_is_asked_for() {
    let bench = Bench::new("begins");
    bench.write_segment("old\n");
    drop(Bookmark::open(&bench.copy.bookmark, &bench.copy.chain).unwrap());
    bench.write("new\n");
    drop(bench.copyist_that_has_copied());
    assert_eq!(bench.copied(), "new\n");
}

#[test]
fn a_file_gets_another_name_at_a_line_end_when_it_is_full() {
    let mut bench = Bench::new("full");
    bench.copy.max_size = 6;
    bench.write("one\ntwo\nthree\nfour\nunfinished");
    let mut copyist = bench.copyist_that_has_copied();
    bench.write(" line\nfive\n");
    copyist.copy_all().unwrap();
    let mut files = bench.set_aside();
    files.push(bench.copied());
    assert_eq!(files, ["one\ntwo\n", "three\n", "four\nunfinished line\n", "five\n"]);
}

#[test]
fn a_file_that_was_there_gets_another_name_when_a_run_begins() {
    let mut bench = Bench::new("at-start");
    bench.copy.at_start = true;
    bench.append_by_hand(b"of somebody else\n");
    bench.index(0, 1);
    bench.write("one\n");
    let mut copyist = bench.copyist_that_has_copied();
    assert_eq!(
        (bench.set_aside(), bench.copied()),
        (vec!["of somebody else\n".to_owned()], "one\n".to_owned())
    );
    bench.write("two\n");
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "one\ntwo\n", "a run has one file");
    bench.index(8, 2);
    bench.write("three\n");
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "three\n");
    assert_eq!(bench.set_aside().last().unwrap(), "one\ntwo\n");
}

#[test]
fn a_file_that_cannot_be_written_is_told_once_and_misses_nothing() {
    let mut bench = Bench::new("refused");
    fs::create_dir(bench.path()).unwrap();
    bench.write("one\n");
    let mut copyist = Copyist::new(bench.copy.clone(), bench.teller.clone());
    for _ in 0..3 {
        let turn = copyist.turn();
        assert!(copyist.judge(&turn).is_none());
    }
    bench.write("two\n");
    fs::remove_dir(bench.path()).unwrap();
    let turn = copyist.turn();
    assert!(copyist.judge(&turn).is_some());
    assert_eq!(bench.copied(), "one\ntwo\n");
    let said: Vec<Fortune> =
        std::iter::from_fn(|| bench.said.try_recv().ok()).map(|said| said.what).collect();
    assert!(matches!(said.as_slice(), [Fortune::Refused(_), Fortune::Taken]), "{said:?}");
}

#[test]
fn what_was_deleted_before_it_was_copied_is_told() {
    let mut bench = Bench::new("missed");
    bench.write_segment("one\n");
    bench.write_segment("two\n");
    bench.write("three\n");
    bench.copy.chain.remove(1).unwrap();
    let mut copyist = Copyist::new(bench.copy.clone(), bench.teller.clone());
    copyist.copy_all().unwrap();
    assert_eq!(bench.copied(), "two\nthree\n");
    assert_eq!(bench.said.try_recv().unwrap().what, Fortune::Missed(1));
}

#[test]
fn whoever_writes_to_the_file_as_well_costs_no_line() {
    let bench = Bench::new("foreign");
    bench.write("one\n");
    drop(bench.copyist_that_has_copied());
    bench.append_by_hand(b"of somebody else\n");
    bench.write("two\n");
    drop(bench.copyist_that_has_copied());
    assert_eq!(bench.copied(), "one\nof somebody else\ntwo\n");
}

#[test]
fn the_beginning_of_a_line_arrives_with_the_end_of_the_agent() {
    let bench = Bench::new("finish");
    bench.write("one\ntw");
    let copyist = bench.copyist_that_has_copied();
    assert_eq!(bench.copied(), "one\n");
    copyist.finish();
    assert_eq!(bench.copied(), "one\ntw");
    bench.write("o\nthree\n");
    drop(bench.copyist_that_has_copied());
    assert_eq!(bench.copied(), "one\ntwo\nthree\n");
}

/// A folder with a chain, and a copy that begins with its first byte.
struct Bench {
    folder: PathBuf,
    copy: Copy,
    teller: UnboundedSender<Said>,
    said: UnboundedReceiver<Said>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mainstay-copies-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (teller, said) = unbounded_channel();
        let copy = Copy {
            unit: "web".to_owned(),
            chain: ChainFiles::new(&folder.join("logs"), "web"),
            path: folder.join("own.log"),
            max_size: 0,
            at_start: false,
            bookmark: folder.join("web.bookmark"),
        };
        fs::create_dir_all(folder.join("logs")).unwrap();
        let bench = Self { folder, copy, teller, said };
        if name != "begins" {
            drop(Bookmark::open(&bench.copy.bookmark, &bench.copy.chain).unwrap());
        }
        bench
    }

    fn path(&self) -> &Path {
        &self.copy.path
    }

    /// Writes what a program says.
    fn write(&self, text: &str) {
        append(&self.copy.chain.live(), text.as_bytes());
    }

    fn write_segment(&self, text: &str) {
        self.write(text);
        self.copy.chain.close(self.copy.chain.find().unwrap().live_number()).unwrap();
    }

    /// Notes in the index that a run begins to write.
    fn index(&self, offset: u64, run: u64) {
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        let record = IndexRecord::Source { offset, run, stream, flags };
        append(&self.copy.chain.index(1), &record.encode());
    }

    fn append_by_hand(&self, bytes: &[u8]) {
        append(self.path(), bytes);
    }

    fn copyist_that_has_copied(&self) -> Copyist {
        let mut copyist = Copyist::new(self.copy.clone(), self.teller.clone());
        copyist.copy_all().unwrap();
        copyist
    }

    fn copyist_that_has_only_noted(&self) -> Copyist {
        let mut copyist = Copyist::new(self.copy.clone(), self.teller.clone());
        copyist.only_note().unwrap();
        copyist
    }

    fn copied(&self) -> String {
        read(self.path())
    }

    /// Returns what is in the files with other names, the oldest first.
    fn set_aside(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut files: Vec<PathBuf> =
            entries.filter(|path| name(path).starts_with("own-")).collect();
        files.sort_by_key(|path| {
            let name = name(path);
            // Several within one millisecond are numbered.
            let (stamp, number) =
                name.trim_end_matches(".log").split_at("own-20260131T080000.000".len());
            (stamp.to_owned(), number.trim_start_matches('-').parse().unwrap_or(1_u32))
        });
        files.iter().map(|path| read(path)).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn append(path: &Path, bytes: &[u8]) {
    File::options().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
