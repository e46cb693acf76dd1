//! The texts for people and their tables: each has a Chinese one, and none is left over.
//!
//! The tables are `crates/mainstay/words/zh-CN/*.po`, one for each room, in the order in which the
//! texts stand in the sources. A text of several rooms stands in the table of the first one. How
//! many of a room have no Chinese text yet stands in `untranslated.txt`, and may only shrink.

mod collect;
mod exempt;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use mainstay_words::{
    Pattern,
    po::{self, Entry},
};

use crate::{tidy, workspace::Workspace};

/// The rooms whose texts reach the command line, and their tables; what lies lower comes first.
const ROOMS: &[(&str, &str)] = &[
    ("core", "core"),
    ("api", "api"),
    ("platform", "platform"),
    ("storage", "storage"),
    ("tls", "tls"),
    ("keeper", "keeper"),
    ("agent", "agent"),
    ("service", "service"),
    ("ddns", "ddns"),
    ("mainstay", "cli"),
];

/// Everything that the sources say, or the tables.
#[derive(Debug, Default)]
struct Tables {
    /// By the name of the table, in the order of the sources.
    of: BTreeMap<&'static str, Vec<Entry>>,
}

/// Writes every text that is missing into its table, without a Chinese one, and takes out what
/// nobody says any more.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let wanted = wanted(root)?;
    let had = had(root)?;
    let known: BTreeMap<&str, &str> = had
        .of
        .values()
        .flatten()
        .filter(|entry| !entry.text.is_empty())
        .map(|entry| (entry.id.as_str(), entry.text.as_str()))
        .collect();
    for (table, entries) in &wanted.of {
        let told = entries.iter().map(|entry| Entry {
            text: known.get(entry.id.as_str()).map_or_else(String::new, ToString::to_string),
            ..entry.clone()
        });
        let header = header(had.of.get(table).map_or(&[][..], Vec::as_slice));
        let entries: Vec<Entry> = [header].into_iter().chain(told).collect();
        let open: Vec<&Entry> =
            entries.iter().skip(1).filter(|entry| entry.text.is_empty()).collect();
        crate::tell(&format!("{table}: {} texts, {} to translate", entries.len() - 1, open.len()));
        fs::create_dir_all(folder(root))?;
        fs::write(file(root, table), po::write(&entries))?;
    }
    write_allowance(root)
}

fn header(entries: &[Entry]) -> Entry {
    entries.iter().find(|entry| entry.id.is_empty()).cloned().unwrap_or_else(|| Entry {
        text: "Language: zh_CN\nContent-Type: text/plain; charset=UTF-8\n".into(),
        ..Entry::default()
    })
}

/// Reports every text without an entry, every entry without a text, and holes that do not agree.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let (wanted, had) = (wanted(root)?, had(root)?);
    let allowed = allowed(root);
    let mut breaches = Vec::new();
    for (_, table) in ROOMS {
        let of = |tables: &Tables| -> Vec<Entry> {
            let entries = tables.of.get(table).into_iter().flatten();
            entries.filter(|entry| !entry.id.is_empty()).cloned().collect()
        };
        let (wanted, had) = (of(&wanted), of(&had));
        breaches.extend(differences(table, &wanted, &had));
        let open = had.iter().filter(|entry| entry.text.is_empty()).count();
        let allowed = allowed.get(*table).copied().unwrap_or_default();
        if open > allowed {
            breaches.push(format!(
                "words/zh-CN/{table}.po: {open} texts without a Chinese one, {allowed} are allowed; instead: fill the empty `msgstr`"
            ));
        }
    }
    Ok(breaches)
}

fn differences(table: &str, wanted: &[Entry], had: &[Entry]) -> Vec<String> {
    let ids = |entries: &[Entry]| -> BTreeSet<String> {
        entries.iter().map(|entry| entry.id.clone()).collect()
    };
    let (wanted_ids, had_ids) = (ids(wanted), ids(had));
    let missing = wanted.iter().filter(|entry| !had_ids.contains(&entry.id)).map(|entry| {
        let place = entry.comments.concat();
        format!("{}: {:?} has no entry in words/zh-CN/{table}.po; instead: `cargo xtask words`, then fill its `msgstr`", place.trim_start_matches("#: "), entry.id)
    });
    let stale = had.iter().filter(|entry| !wanted_ids.contains(&entry.id)).map(|entry| {
        format!("words/zh-CN/{table}.po: nobody says {:?}; instead: `cargo xtask words`", entry.id)
    });
    let torn = had.iter().filter(|entry| !agrees(entry)).map(|entry| {
        format!("words/zh-CN/{table}.po: other holes than {:?}; instead: the same ones", entry.id)
    });
    missing.chain(stale).chain(torn).collect()
}

/// Returns whether the holes of both texts are the same.
fn agrees(entry: &Entry) -> bool {
    entry.text.is_empty() || Pattern::of(&entry.id).holes() == Pattern::of(&entry.text).holes()
}

/// Collects what the sources say.
fn wanted(root: &Path) -> Result<Tables> {
    let mut tables = Tables::default();
    let mut known = BTreeSet::new();
    for (room, table) in ROOMS {
        let entries = tables.of.entry(table).or_default();
        for path in tidy::rust_files(&root.join("crates").join(room).join("src"))? {
            let shown = path.strip_prefix(root)?.display().to_string();
            if exempt::is_file(&shown) {
                continue;
            }
            let source = fs::read_to_string(&path)?;
            let texts = collect::texts(&source).with_context(|| shown.clone())?;
            for id in texts.into_iter().filter(|text| !exempt::is_text(text)) {
                if known.insert(id.clone()) {
                    let comments = vec![format!("#: {shown}")];
                    entries.push(Entry { comments, id, text: String::new() });
                }
            }
        }
    }
    Ok(tables)
}

/// Reads the tables.
fn had(root: &Path) -> Result<Tables> {
    let mut tables = Tables::default();
    for (_, table) in ROOMS {
        let file = file(root, table);
        if file.is_file() {
            let text = fs::read_to_string(&file)?;
            let entries = po::parse(&text).with_context(|| file.display().to_string())?;
            tables.of.insert(table, entries);
        }
    }
    Ok(tables)
}

fn folder(root: &Path) -> PathBuf {
    root.join("crates/mainstay/words/zh-CN")
}

fn file(root: &Path, table: &str) -> PathBuf {
    folder(root).join(format!("{table}.po"))
}

fn allowance(root: &Path) -> PathBuf {
    root.join("crates/mainstay/words/untranslated.txt")
}

/// Returns how many texts of each table may be without a Chinese one.
fn allowed(root: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(allowance(root)).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(table, count)| Some((table.to_owned(), count.parse().ok()?))).collect()
}

/// Lowers the allowance to what is open; it never grows, and is gone once nothing is open.
fn write_allowance(root: &Path) -> Result<()> {
    let former = allowed(root);
    let tables = had(root)?;
    let open = tables.of.iter().map(|(table, entries)| {
        let open = entries.iter().filter(|entry| entry.text.is_empty()).count();
        (*table, former.get(*table).map_or(open, |former| open.min(*former)))
    });
    let lines: Vec<String> = open
        .filter(|(_, open)| *open > 0)
        .map(|(table, open)| format!("{table} {open}\n"))
        .collect();
    if lines.is_empty() {
        return Ok(fs::remove_file(allowance(root)).or_else(|error| {
            if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
        })?);
    }
    Ok(fs::write(allowance(root), lines.concat())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, text: &str) -> Entry {
        Entry { id: id.into(), text: text.into(), ..Entry::default() }
    }

    #[test]
    fn a_table_has_what_is_said_and_no_more() {
        let check = |wanted: &[Entry], had: &[Entry], expected: &str| {
            let found = differences("cli", wanted, had);
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{found:?}");
            assert!(found.iter().all(|breach| breach.contains(expected)), "{found:?}");
        };
        let said = entry("run {} of `{unit}`", "");
        check(
            std::slice::from_ref(&said),
            &[entry("run {} of `{unit}`", "`{unit}` 第 {} 次运行")],
            "",
        );
        check(std::slice::from_ref(&said), std::slice::from_ref(&said), "");
        check(std::slice::from_ref(&said), &[], "has no entry");
        check(&[], std::slice::from_ref(&said), "nobody says");
        check(
            std::slice::from_ref(&said),
            &[entry("run {} of `{unit}`", "第 {} 次")],
            "other holes",
        );
    }

    #[test]
    fn numbered_holes_may_change_places() {
        assert!(agrees(&entry("{} of {}", "{1} 的 {0}")));
        assert!(!agrees(&entry("{} of {}", "{0} 的 {0}")));
    }
}
