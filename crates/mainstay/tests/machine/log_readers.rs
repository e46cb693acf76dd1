//! Readers of a log that is written at full speed, rotated, compressed and deleted meanwhile: no line
//! is torn, there twice or missing among what is kept.

use std::{
    fs::{self, File},
    ops::RangeInclusive,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::{processes::wait_until, sandbox::Sandbox};

/// The program writes so many lines at a time, and so often.
const LINES_AT_A_TIME: usize = 500;
const LINES: usize = 150 * LINES_AT_A_TIME;

/// What a reader asks for, and every how many lines it finds one.
type Asked = (&'static [&'static str], usize);

const READERS: [Asked; 5] = [
    (&["--raw", "-n", "all"], 1),
    (&["-n", "all"], 1),
    (&["--since", "1h"], 1),
    (&["--grep", "0 of the log$"], 10),
    (&["-v", "--grep", "[1-9] of the log$"], 10),
];

/// Says that it is over when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn line(number: usize) -> String {
    format!("line {number:09} of the log")
}

/// Returns the numbers of lines, which are whole; the last one may still be being written.
fn numbers(text: &str, step: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(text) = lines.next() {
        let digits = text.strip_prefix("line ").and_then(|rest| rest.get(..9));
        let number = digits.and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX);
        if text == line(number) {
            numbers.push(number);
            continue;
        }
        let last = numbers.last().copied();
        let mut next = last.map_or(1..=LINES, |last| last + 1..=last + step);
        let is_begun = lines.peek().is_none() && next.any(|next| line(next).starts_with(text));
        assert!(is_begun, "a torn line behind {last:?}: {text:?}");
    }
    numbers
}

/// Expects each line once and in order, and none of those missing that were there all the time.
fn expect_all(what: &str, found: &[usize], kept: RangeInclusive<usize>, step: usize) {
    let order = found.windows(2).find(|pair| pair[0] >= pair[1]);
    assert_eq!(order, None, "{what}: there twice, or out of order");
    let is_kept = |number: &&usize| kept.contains(*number);
    let found: Vec<usize> = found.iter().filter(is_kept).copied().collect();
    let expected: Vec<usize> = kept.clone().filter(|number| number % step == 0).collect();
    let first = expected.iter().zip(&found).find(|(expected, found)| expected != found);
    assert_eq!((first, found.len()), (None, expected.len()), "{what}: missing among {kept:?}");
}

/// Reads again and again until somebody says so, and once more.
fn read_on(sandbox: &Sandbox, is_over: &AtomicBool, (options, step): Asked) {
    let ask = |options: &[&str]| {
        let text = sandbox.get(&[&["logs", "count"], options].concat());
        numbers(&text, step)
    };
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let last = ask(&["-n", "2"]).last().copied();
        let found = ask(options);
        // What is kept afterwards was there all the time.
        let first = ask(&["--raw", "-n", "all"]).first().copied();
        if let (Some(first), Some(last)) = (first, last) {
            expect_all(&options.join(" "), &found, first..=last, step);
            if was_over {
                return;
            }
        }
    }
}

#[test]
fn readers_of_a_log_that_changes_under_them_see_each_line_that_is_kept_once() {
    let sandbox = Sandbox::up_with(&format!(
        "[services.count]\n\
         shell = \"while [ ! -e go ]; do sleep 0.1; done; i=1; while [ $i -lt {LINES} ]; do \
         seq -f 'line %09.0f of the log' $i $((i + {LINES_AT_A_TIME} - 1)); \
         i=$((i + {LINES_AT_A_TIME})); sleep 0.01; done; exec sleep 1000\"\n\
         logs = {{ max-size = \"64KiB\", keep = 12 }}\n"
    ));
    let target = File::create(sandbox.path("followed")).unwrap();
    let mut command = sandbox.command(&["logs", "count", "-f", "-n", "all"]);
    let mut follower = command.stdout(target).spawn().unwrap();
    let is_over = AtomicBool::new(false);
    File::create(sandbox.path("go")).unwrap();
    let last = line(LINES) + "\n";
    thread::scope(|scope| {
        for reader in READERS {
            let (sandbox, is_over) = (&sandbox, &is_over);
            scope.spawn(move || read_on(sandbox, is_over, reader));
        }
        // Also when something goes wrong here.
        let _over = Over(&is_over);
        wait_until("all is in the log", || sandbox.get(&["logs", "count", "-n", "1"]) == last);
        wait_until("what is closed is compressed", || segments(&sandbox, ".log.zst") > 9);
    });
    wait_until("the end is followed", || sandbox.read("followed").ends_with(&last));
    follower.kill().unwrap();
    follower.wait().unwrap();
    // It may have been overtaken by deletion, and goes on behind it.
    let told = numbers(&sandbox.read("followed"), LINES);
    let kept = numbers(&sandbox.get(&["logs", "count", "--raw", "-n", "all"]), 1);
    expect_all("-f", &told, kept[0]..=LINES, 1);
    assert!(kept.len() < LINES, "nothing was deleted");
}

/// Returns how many files of the log have such a name.
fn segments(sandbox: &Sandbox, end: &str) -> usize {
    let all = fs::read_dir(sandbox.path(".mainstay/logs/count")).unwrap();
    all.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(end)).count()
}
