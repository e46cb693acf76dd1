//! What may be built in: licences, bans and sources by the lists of `deny.toml`, the number of
//! crates, and the golden list `deps.txt`. Works from `cargo metadata` alone, without a network.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    licence,
    workspace::{Workspace, list, text},
};

/// The most crates that may stand in the tree of the product, all systems taken together.
const CRATES_MAX: usize = 210;

/// The only registry that crates may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What to do with the golden list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Golden {
    /// The list must be right.
    Compare,
    /// The list is rewritten.
    Bless,
}

impl Golden {
    pub(crate) fn from_arguments(arguments: &[String]) -> Self {
        if arguments.iter().any(|argument| argument == "--bless") {
            Self::Bless
        } else {
            Self::Compare
        }
    }
}

/// The parts of `deny.toml` that are checked here.
#[derive(Debug, Default)]
struct Policy {
    licences: BTreeSet<String>,
    banned: BTreeMap<String, String>,
}

/// Checks the dependency tree.
pub(crate) fn run(workspace: &Workspace, golden: Golden) -> Result<()> {
    let policy = Policy::read(workspace)?;
    let tree = shipped(workspace.metadata());
    let packages: Vec<&Value> = list(workspace.metadata(), "packages")
        .filter(|package| tree.contains(text(package, "id")))
        .collect();
    let mut breaches: Vec<String> =
        packages.iter().flat_map(|package| policy.breaches(package)).collect();
    breaches.extend(check_count(packages.len()));
    breaches.extend(check_golden(workspace, &packages, golden)?);
    warn_of_doubles(&packages);
    for breach in &breaches {
        crate::tell(breach);
    }
    if breaches.is_empty() {
        crate::tell(&format!(
            "deny: {} of at most {CRATES_MAX} crates, all allowed",
            packages.len()
        ));
        Ok(())
    } else {
        bail!("{} breaches of deny.toml or deps.txt", breaches.len())
    }
}

impl Policy {
    fn read(workspace: &Workspace) -> Result<Self> {
        let text = std::fs::read_to_string(workspace.root().join("deny.toml"))?;
        Self::parse(&text).context("cannot read deny.toml")
    }

    fn parse(source: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(source)?;
        let section = |part: &str, key: &str| table.get(part)?.get(key)?.as_array().cloned();
        let licences = section("licenses", "allow").context("`licenses.allow` is missing")?;
        let bans = section("bans", "deny").context("`bans.deny` is missing")?;
        let field = |ban: &toml::Value, key: &str| {
            ban.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
        };
        Ok(Self {
            licences: licences.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect(),
            banned: bans.iter().map(|ban| (field(ban, "crate"), field(ban, "reason"))).collect(),
        })
    }

    fn breaches(&self, package: &Value) -> Vec<String> {
        let name = format!("{} {}", text(package, "name"), text(package, "version"));
        let mut breaches = Vec::new();
        let expression = text(package, "license");
        if !licence::is_satisfied(expression, &|one| self.licences.contains(one)) {
            breaches.push(format!("{name}: its licence `{expression}` is not in deny.toml"));
        }
        if let Some(reason) = self.banned.get(text(package, "name")) {
            breaches.push(format!("{name}: banned; instead: {reason}"));
        }
        let source = text(package, "source");
        if !source.is_empty() && source != REGISTRY {
            breaches.push(format!("{name}: comes from `{source}`; instead: crates.io"));
        }
        let wild = list(package, "dependencies")
            .filter(|import| source.is_empty() && import["path"].is_null() && import["req"] == "*");
        for import in wild {
            breaches.push(format!("{name}: takes any version of `{}`", text(import, "name")));
        }
        breaches
    }
}

/// What the product is not built from.
const DEV_ROOMS: [&str; 5] =
    ["xtask", "mainstay-lives", "mainstay-sim", "mainstay-ddns-sim", "mainstay-fuzz"];

/// The ids of every package that the product is built from: normal and build dependencies of all
/// our crates on all systems, but not those of chores and tests.
fn shipped(metadata: &Value) -> BTreeSet<&str> {
    let resolve = &metadata["resolve"];
    let nodes: BTreeMap<&str, &Value> =
        list(resolve, "nodes").map(|node| (text(node, "id"), node)).collect();
    let names: BTreeMap<&str, &str> =
        list(metadata, "packages").map(|one| (text(one, "id"), text(one, "name"))).collect();
    let is_dev_room = |id: &&str| names.get(id).is_some_and(|name| DEV_ROOMS.contains(name));
    let members = list(metadata, "workspace_members").filter_map(Value::as_str);
    let mut open: Vec<&str> = members.filter(|id| !is_dev_room(id)).collect();
    let mut tree = BTreeSet::new();
    while let Some(id) = open.pop() {
        if tree.insert(id) {
            let imports = nodes.get(id).into_iter().flat_map(|node| list(node, "deps"));
            open.extend(
                imports.filter(|import| is_shipped(import)).map(|import| text(import, "pkg")),
            );
        }
    }
    tree
}

/// Says whether an edge of the graph exists in other places than tests.
fn is_shipped(import: &Value) -> bool {
    list(import, "dep_kinds").any(|kind| kind["kind"] != "dev")
}

fn check_count(count: usize) -> Option<String> {
    (count > CRATES_MAX)
        .then(|| format!("{count} crates; instead: at most {CRATES_MAX}, drop a dependency"))
}

/// Compares `deps.txt` with the tree, or rewrites it.
fn check_golden(workspace: &Workspace, packages: &[&Value], golden: Golden) -> Result<Vec<String>> {
    let path = workspace.root().join("deps.txt");
    let actual = listing(packages);
    if golden == Golden::Bless {
        std::fs::write(&path, &actual)?;
        return Ok(Vec::new());
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    Ok(differences(&expected, &actual))
}

/// Names and versions of what comes from outside, one a line, in order.
fn listing(packages: &[&Value]) -> String {
    let foreign = packages.iter().filter(|package| package["source"].is_string());
    let lines: BTreeSet<String> = foreign
        .map(|package| format!("{} {}\n", text(package, "name"), text(package, "version")))
        .collect();
    lines.into_iter().collect()
}

fn differences(expected: &str, actual: &str) -> Vec<String> {
    let expected: BTreeSet<&str> = expected.lines().collect();
    let actual: BTreeSet<&str> = actual.lines().collect();
    let added = actual.difference(&expected).map(|line| (line, "not in"));
    let gone = expected.difference(&actual).map(|line| (line, "only in"));
    added
        .chain(gone)
        .map(|(line, place)| {
            format!("{line}: {place} deps.txt; instead: `cargo xtask deny --bless`")
        })
        .collect()
}

fn warn_of_doubles(packages: &[&Value]) {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        crate::tell(&format!(
            "warning: {name} is built {} times: {}",
            versions.len(),
            versions.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy() -> Policy {
        let text = r#"
            [licenses]
            allow = ["MIT"]
            [bans]
            deny = [{ crate = "winapi", reason = "windows-sys only" }]
        "#;
        Policy::parse(text).unwrap()
    }

    fn package(name: &str, licence: &str, source: &Value) -> Value {
        json!({ "name": name, "version": "1.0.0", "license": licence, "source": source })
    }

    fn check(package: &Value, expected: &str) {
        let breaches = policy().breaches(package);
        let count = usize::from(!expected.is_empty());
        assert_eq!(breaches.len(), count, "{breaches:?}");
        assert!(breaches.iter().all(|breach| breach.contains(expected)), "{breaches:?}");
    }

    #[test]
    fn licences_bans_and_sources_are_checked() {
        check(&package("fine", "MIT", &json!(REGISTRY)), "");
        check(&package("odd", "GPL-3.0-only", &json!(REGISTRY)), "its licence");
        check(&package("winapi", "MIT", &json!(REGISTRY)), "windows-sys only");
        check(&package("own", "MIT", &json!("git+https://example.org/own")), "instead: crates.io");
    }

    #[test]
    fn our_crates_name_their_versions() {
        let mut ours = package("mainstay", "MIT", &Value::Null);
        ours["dependencies"] = json!([{ "name": "any", "req": "*", "path": null }]);
        check(&ours, "takes any version of `any`");
        ours["dependencies"] = json!([{ "name": "core", "req": "*", "path": "/core" }]);
        check(&ours, "");
    }

    #[test]
    fn the_tree_leaves_out_tests_and_chores() {
        let edge = |to: &str, kind: &Value| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let names = ["mainstay", "xtask", "used", "built", "tested", "chore"];
        let metadata = json!({
            "workspace_members": ["mainstay", "xtask"],
            "packages": names.map(|name| json!({ "id": name, "name": name })),
            "resolve": { "nodes": [
                { "id": "mainstay", "deps": [
                    edge("used", &Value::Null), edge("built", &json!("build")), edge("tested", &json!("dev")),
                ] },
                { "id": "xtask", "deps": [edge("chore", &Value::Null)] },
            ] },
        });
        let tree: Vec<&str> = shipped(&metadata).into_iter().collect();
        assert_eq!(tree, ["built", "mainstay", "used"]);
    }

    #[test]
    fn the_tree_has_an_upper_size() {
        assert_eq!(check_count(CRATES_MAX), None);
        assert!(check_count(CRATES_MAX + 1).is_some_and(|text| text.contains("211 crates")));
    }

    #[test]
    fn the_golden_list_shows_every_change() {
        let differences = differences("a 1.0.0\nb 1.0.0\n", "b 1.0.0\nc 1.0.0\n");
        assert_eq!(differences.len(), 2);
        assert!(differences.iter().any(|line| line.starts_with("c 1.0.0: not in")));
        assert!(differences.iter().any(|line| line.starts_with("a 1.0.0: only in")));
    }
}
