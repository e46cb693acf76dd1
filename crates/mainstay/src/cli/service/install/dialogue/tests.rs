//! Whole talks, as they stand on the screen.

use std::collections::VecDeque;

use super::*;

/// A desk that shows what is typed, as a terminal does.
struct Screen {
    typed: VecDeque<&'static str>,
    text: String,
}

impl Desk for Screen {
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn hear(&mut self) -> io::Result<Option<String>> {
        let line = self.typed.pop_front().map(str::to_owned);
        self.text.extend(line.iter().flat_map(|line| [line.as_str(), "\n"]));
        Ok(line)
    }
}

struct Pretend;

impl World for Pretend {
    fn is_taken(&self, name: &str) -> bool {
        name == "web"
    }

    fn program(&self, typed: &str) -> Option<PathBuf> {
        (typed != "nope").then(|| Path::new("/apps/api").join(typed))
    }

    fn is_folder(&self, path: &Path) -> bool {
        [Path::new("/apps"), Path::new("/apps/api"), Path::new("/logs")].contains(&path)
    }

    fn here(&self) -> PathBuf {
        PathBuf::from("/apps")
    }
}

fn talk(language: Language, name: &str, typed: &[&'static str]) -> (String, Option<Vec<String>>) {
    let mut screen = Screen { typed: typed.iter().copied().collect(), text: String::new() };
    let words = ask(&mut screen, &Pretend, language, name);
    (screen.text, words.unwrap_or_default())
}

const TYPED: [&str; 20] = [
    "a/b",
    "web",
    "api", // names
    "nope",
    "\"/apps/api/run.exe\"",
    "--port 80 \"a b\"", // program
    "/nowhere",
    "", // folder
    "LocalSystem",
    "now",
    "delayed", // account, start
    "PORT",
    "PORT=80",
    "A=b",
    "", // variables
    "/missing/out.log",
    "/logs/out.log",
    "", // files
    "perhaps",
    "y",
];

const WORDS: [&str; 20] = [
    "api",
    "--directory",
    "/apps/api",
    "--account",
    "LocalSystem",
    "--start",
    "delayed",
    "--env",
    "PORT=80",
    "--env",
    "A=b",
    "--stdout",
    "/logs/out.log",
    "--stderr",
    "/logs/out.log",
    "--",
    "/apps/api/run.exe",
    "--port",
    "80",
    "a b",
];

#[test]
fn a_talk_in_english_ends_with_a_line() {
    let (text, words) = talk(Language::English, "", &TYPED);
    assert_eq!(words.unwrap(), WORDS);
    same(&text, include_str!("english.txt"));
}

#[test]
fn a_talk_in_chinese_ends_with_the_same_line() {
    let (text, words) = talk(Language::Chinese, "", &TYPED);
    assert_eq!(words.unwrap(), WORDS);
    same(&text, include_str!("chinese.txt"));
}

#[test]
fn enter_is_enough_for_whoever_wants_what_is_usual() {
    let (_, words) =
        talk(Language::English, "api", &["node", "server.js", "", "", "", "", "", "", ""]);
    assert_eq!(words.unwrap(), ["api", "--directory", "/apps", "--", "node", "server.js"]);
}

#[test]
fn whoever_says_no_or_nothing_installs_nothing() {
    let (_, words) = talk(Language::English, "api", &["node", "", "", "", "", "", "", "", "n"]);
    assert_eq!(words, None);
    let (_, words) = talk(Language::English, "api", &["node", ""]);
    assert_eq!(words, None);
    // Nobody is asked for ever.
    let (text, words) = talk(Language::English, "api", &["nope"; 100]);
    assert_eq!((text.matches("neither here").count(), words), (ATTEMPTS_MAX, None));
}

/// Whoever checks the files out may have other ends of lines.
fn same(text: &str, expected: &str) {
    assert_eq!(text, expected.replace('\r', ""));
}
