//! The guide, tried as a new user would: every block of every page is run, in the order of the page,
//! in an empty home, and shows what the page shows.
//!
//! How a page says what a block is: a line before it that ends with a file's name and a colon makes
//! it that file; `console` is what a terminal shows, from `$ ` to the next; `sh` are commands that
//! have to work; a piece of TOML without a name has to be a good configuration by itself. What
//! cannot be run carries a comment that says why, and is counted here.

mod likeness;
mod pages;
mod reader;
mod terminal;

use std::fs;

use terminal::Terminal;

use crate::{processes::wait_until, sandbox::BINARY};

/// What nobody runs: the chapter, and why not.
const NOT_RUN: &[(&str, &str)] = &[
    ("install", "building takes minutes, and needs the network"),
    ("install", "PowerShell, and building"),
    ("install", "PowerShell; tried under Wine by tests of its own"),
    ("install", "PowerShell; tried under Wine by tests of its own"),
    ("install", "there is no systemd where our tests run; systemd-analyze verifies it"),
    ("install", "there is no systemd where our tests run"),
    ("ddns", "files of other clients, which have tests of their own"),
    ("README", "the first builds for minutes, the second is what runs this"),
    ("README", "Windows; tried under Wine by tests of its own"),
    ("api", "Wine has no PowerShell"),
];

/// Pages beside the guide, without their endings, of which one has no Chinese twin.
const README: &str = "README";
const API: &str = "docs/reference/api";
/// What the quickstart of the README runs.
const QUICKSTART: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quickstart/mainstay.toml"));
/// What the chapter on the API speaks of: a service of a group, and one to which something happens.
const SHOP: &str = r#"
[groups.shop]
services = ["web"]

[services.web]
shell = "while :; do echo served; sleep 0.1; done"

[services.flaky]
shell = "exit 3"
restart = { delay = "100ms", max-delay = "100ms" }
"#;

/// How the names of pages end, and the language that is told there.
const ENGLISH: Tongue = (".md", "en");
const CHINESE: Tongue = (".zh-CN.md", "zh-CN");

type Tongue = (&'static str, &'static str);

fn chapter(name: &str) -> String {
    format!("docs/guide/{name}")
}

fn try_chapter(name: &str, (ending, language): Tongue) {
    let page = pages::read(&(chapter(name) + ending));
    reader::follow(&page, &mut Terminal::new(language));
}

/// Returns an instance that runs, as a reader has it who begins with a page in the middle.
fn terminal_with(folder: &str, config: &str, language: &'static str) -> Terminal {
    let mut terminal = Terminal::new(language);
    terminal.write(&format!("{folder}/mainstay.toml"), config);
    assert_eq!(terminal.run(&format!("cd {folder}")).code, 0);
    terminal.open("exec mainstay up");
    wait_until("it is up", || terminal.run("mainstay status").code == 0);
    terminal
}

fn try_readme((ending, language): Tongue) {
    let page = pages::read(&format!("{README}{ending}"));
    reader::follow(&page, &mut terminal_with("quickstart", QUICKSTART, language));
}

#[test]
fn the_readme_shows_what_is_printed() {
    try_readme(ENGLISH);
}

#[test]
fn the_chinese_readme_shows_what_is_printed() {
    try_readme(CHINESE);
}

#[test]
fn the_api_is_asked_as_its_chapter_says() {
    let page = pages::read(&format!("{API}.md"));
    let mut terminal = terminal_with("shop", SHOP, "en");
    wait_until("the service runs", || terminal.run("mainstay status web").output.contains("run"));
    let runtime = terminal.sandbox().runtime();
    terminal.run(&format!("export MAINSTAY_INSTANCE={}", runtime.display()));
    reader::follow(&page, &mut terminal);
}

/// Its Chinese page has examples of its own.
#[test]
fn pieces_of_the_chapter_on_names_are_good_configurations() {
    try_chapter("ddns", ENGLISH);
    try_chapter("ddns", CHINESE);
}

#[test]
fn the_unit_for_systemd_has_no_mistake() {
    let page = pages::read(&(chapter("install") + ".md"));
    let is_unit = |file: &String| file.ends_with("/mainstay.service");
    let unit = page.blocks.iter().find(|block| block.file.as_ref().is_some_and(is_unit)).unwrap();
    let terminal = Terminal::new("en");
    terminal.write("mainstay.service", &unit.text().replace("/usr/local/bin/mainstay", BINARY));
    let said = terminal.run("systemd-analyze verify ./mainstay.service").output;
    assert!(!said.contains("mainstay.service"), "{said}");
}

/// What is said of them and printed is Chinese; what is typed is the same.
#[test]
fn chinese_pages_have_the_same_headings_and_blocks() {
    let index = chapter("README");
    let chapters = CHAPTERS.iter().map(|name| chapter(name));
    for name in chapters.chain([index, README.to_owned()]) {
        let [english, chinese] =
            [ENGLISH, CHINESE].map(|(end, _)| pages::read(&format!("{name}{end}")));
        assert_eq!(chinese.headings, english.headings, "{name}");
        assert_eq!(chinese.blocks.len(), english.blocks.len(), "{name}");
        for (chinese, english) in chinese.blocks.iter().zip(&english.blocks) {
            assert_eq!(reader::meant(chinese), reader::meant(english), "{}", chinese.place);
        }
    }
}

#[test]
fn what_nobody_runs_is_known_and_says_why() {
    let chapters = CHAPTERS.iter().map(|name| (*name, chapter(name)));
    let others =
        [("ddns", chapter("ddns")), ("README", README.to_owned()), ("api", API.to_owned())];
    let pages = chapters.chain(others);
    let pages = pages.map(|(name, path)| (name, pages::read(&(path + ".md"))));
    let found: Vec<(&str, String)> = pages
        .flat_map(|(name, page)| page.blocks.into_iter().map(move |block| (name, block.not_run)))
        .filter_map(|(name, reason)| Some((name, reason?)))
        .collect();
    let known: Vec<(&str, String)> =
        NOT_RUN.iter().map(|(name, reason)| (*name, (*reason).to_owned())).collect();
    assert_eq!(found, known);
}

#[test]
fn the_index_names_every_chapter() {
    for (ending, _) in [ENGLISH, CHINESE] {
        let index = pages::root().join("docs/guide/README".to_owned() + ending);
        let index = fs::read_to_string(index).unwrap();
        for name in CHAPTERS.iter().chain(&["ddns"]) {
            assert!(index.contains(&format!("]({name}{ending})")), "{name}{ending}");
        }
    }
}

macro_rules! chapters {
    ($($test:ident $name:literal)*) => {
        /// The chapters, without their endings.
        const CHAPTERS: &[&str] = &[$($name),*];

        $(
            #[test]
            fn $test() {
                try_chapter($name, ENGLISH);
            }
        )*

        /// The same in Chinese, of what is typed and of what is printed.
        mod in_chinese {
            $(
                #[test]
                fn $test() {
                    super::try_chapter($name, super::CHINESE);
                }
            )*
        }
    };
}

chapters! {
    mainstay_is_installed_as_the_guide_says "install"
    the_first_service_runs_as_the_guide_says "first-service"
    everyday_tasks_are_done_as_the_guide_says "everyday"
    logs_are_read_as_the_guide_says "logs"
    things_change_as_the_guide_says "reload"
    drills_cost_what_the_guide_says "drills"
    a_container_runs_as_the_guide_says "containers"
    a_configuration_comes_from_supervisord_as_the_guide_says "from-supervisord"
}
