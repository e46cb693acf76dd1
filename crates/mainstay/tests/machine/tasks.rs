//! Everyday tasks, as a new user does them in both languages; their transcripts are in the tree.
//!
//! `tests/tasks/NN-name.txt` says what is typed (see [`script`]), `tests/tasks/LANGUAGE/NN-name.txt`
//! what was answered. `MAINSTAY_BLESS=1` writes the latter anew; whoever does that reads them.

mod mask;
mod script;
mod shell;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use self::{script::Step, shell::Shell};

/// A language of transcripts: the folder that they are in, and what the system calls it.
const LANGUAGES: [(&str, &str); 2] = [("en", "C"), ("zh-CN", "zh_CN.UTF-8")];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tasks")
}

/// Does the tasks of a script in both languages, and compares.
fn check(name: &str) {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let steps = script::parse(&text);
    for (language, locale) in LANGUAGES {
        let golden = folder().join(language).join(format!("{name}.txt"));
        compare(&golden, &transcript(&steps, locale));
    }
}

fn transcript(steps: &[Step], locale: &'static str) -> String {
    let mut shell = Shell::new(locale);
    steps.iter().map(|step| shell.act(step)).collect()
}

fn compare(golden: &Path, told: &str) {
    if env::var_os("MAINSTAY_BLESS").is_some() {
        fs::write(golden, told).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    let differ = |(told, expected): &(&str, &str)| told != expected;
    let line = told.lines().zip(expected.lines()).position(|pair| differ(&pair));
    assert!(
        told == expected,
        "{} is not what is said, from line {:?} on; `MAINSTAY_BLESS=1` writes it anew:\n{told}",
        golden.display(),
        line.map(|line| line + 1)
    );
}

macro_rules! tasks {
    ($($test:ident $script:literal)*) => {
        const SCRIPTS: &[&str] = &[$($script),*];

        $(
            #[test]
            fn $test() {
                check($script);
            }
        )*
    };
}

tasks! {
    the_first_service_from_nothing "01-first-service"
    why_something_is_not_running "02-why-is-it-not-running"
    what_programs_have_written "03-logs"
    what_changes_and_when "04-changes"
    many_services_that_need_each_other "05-many-services"
    what_programs_are_given "06-environment-and-secrets"
    whether_programs_are_well "07-health"
    what_scripts_and_editors_ask "08-scripts-and-tools"
    bad_things_on_purpose "09-drills"
    two_projects_on_one_machine "10-two-instances"
}

fn is_text(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "txt")
}

#[test]
fn every_script_and_every_transcript_belongs_to_a_test() {
    let expected: BTreeSet<String> = SCRIPTS.iter().map(|name| format!("{name}.txt")).collect();
    for place in [folder(), folder().join("en"), folder().join("zh-CN")] {
        let entries = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name());
        let names = entries.map(|name| name.into_string().unwrap());
        let found: BTreeSet<String> = names.filter(|name| is_text(name)).collect();
        assert_eq!(found, expected, "{}", place.display());
    }
}
