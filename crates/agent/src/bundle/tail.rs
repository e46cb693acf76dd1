//! What a run said last, from the segments of its unit.

use std::{collections::VecDeque, io, path::Path};

use jiff::Timestamp;
use mainstay_api::bundle::Words;
use mainstay_storage::{
    index::Stream,
    read::{self, Line, Merge, Reader, Unfinished},
    segment::{self, ChainFiles},
};

/// So many lines are kept, and so many bytes of them.
const LINES_MAX: usize = 200;
const BYTES_MAX: usize = 64 * 1024;
/// So much of one line.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// So far back in each chain they are looked for: the next run may be writing already.
const SOUGHT_BYTES: u64 = 1024 * 1024;

/// Returns the last lines of a run, oldest first.
pub(super) fn of_run(folder: &Path, run: u64) -> io::Result<Vec<Words>> {
    let mut merge = Merge::new(Unfinished::Given);
    let stems = match segment::stems(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        stems => stems?,
    };
    for stem in stems {
        let chain = ChainFiles::new(folder, &stem);
        let begin = read::begin_of_last_bytes(&chain, SOUGHT_BYTES)?;
        merge.add((), Reader::new(chain, begin));
    }
    merge.look()?;
    let (mut lines, mut bytes) = (VecDeque::new(), 0);
    while let Some((line, ())) = merge.next_line()? {
        if line.run != run && line.run != 0 {
            continue;
        }
        let words = words(&line);
        bytes += words.text.len();
        lines.push_back(words);
        while lines.len() > LINES_MAX || bytes > BYTES_MAX {
            bytes -= lines.pop_front().map_or(0, |first| first.text.len());
        }
    }
    Ok(lines.into())
}

fn words(line: &Line) -> Words {
    let stream = match line.stream {
        Stream::Joined => None,
        Stream::Out => Some("stdout".to_owned()),
        Stream::Err => Some("stderr".to_owned()),
    };
    let shown = line.bytes.get(..LINE_BYTES_MAX);
    let mut text = String::from_utf8_lossy(shown.unwrap_or(&line.bytes)).into_owned();
    if shown.is_some() && line.bytes.len() > LINE_BYTES_MAX {
        text.push('…');
    }
    Words { at: time(line.realtime_ns), stream, text }
}

fn time(realtime_ns: u64) -> Option<String> {
    let time = Timestamp::from_nanosecond(realtime_ns.into()).ok().filter(|_| realtime_ns > 0)?;
    Some(format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use mainstay_storage::index::{IndexRecord, SourceFlags};

    use super::*;

    fn source(offset: usize, run: u64) -> IndexRecord {
        let offset = u64::try_from(offset).unwrap();
        IndexRecord::Source { offset, run, stream: Stream::Joined, flags: SourceFlags::NONE }
    }

    fn log(name: &str, parts: &[(u64, String)]) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("mainstay-tail-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let chain = ChainFiles::new(&folder, "web");
        let (mut text, mut index) = (String::new(), Vec::new());
        for (run, said) in parts {
            index.extend(source(text.len(), *run).encode());
            let offset = u64::try_from(text.len()).unwrap();
            let realtime_ns = 1_700_000_000_000_000_000 + run;
            index.extend(IndexRecord::Time { offset, realtime_ns }.encode());
            text.push_str(said);
        }
        fs::File::create(chain.live()).unwrap().write_all(text.as_bytes()).unwrap();
        fs::File::create(chain.index(1)).unwrap().write_all(&index).unwrap();
        folder
    }

    #[test]
    fn a_run_has_its_own_words_and_no_others() {
        let parts = [(1, "old\n"), (2, "why\nbecause"), (3, "\nnew\n")];
        let folder = log("own", &parts.map(|(run, text)| (run, text.to_owned())));
        let lines = of_run(&folder, 2).unwrap();
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["why", "because"]);
        assert_eq!(lines[0].at.as_deref(), Some("2023-11-14T22:13:20.000Z"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn words_have_a_limit_and_the_last_are_kept() {
        let many: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let many = many.join("\n") + "\n";
        let folder = log("many", &[(1, many)]);
        let lines = of_run(&folder, 1).unwrap();
        assert_eq!((lines.len(), lines[199].text.as_str()), (LINES_MAX, "999"));
        fs::remove_dir_all(&folder).unwrap();

        let long: String = (0..100).map(|_| "x".repeat(10_000) + "\n").collect();
        let folder = log("long", &[(1, long)]);
        let lines = of_run(&folder, 1).unwrap();
        assert!(lines.iter().all(|line| line.text.chars().count() == LINE_BYTES_MAX + 1));
        assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() <= BYTES_MAX);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_unit_without_a_log_has_said_nothing() {
        let lines = of_run(Path::new("/nowhere/at/all"), 1).unwrap();
        assert_eq!(lines, []);
    }
}
