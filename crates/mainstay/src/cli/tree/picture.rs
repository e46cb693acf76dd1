//! The drawing: a line a service, each of them opened once.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_api::control::{Group, Node, NodeUnit, Tree};
use mainstay_words::{padded, width as columns_of, within};

use crate::{print, words};

/// Names are aligned up to this width.
const WIDTH_MAX: usize = 60;
/// `@network` is the network of the machine.
const NETWORK: &str = "@network";

/// Which way one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a service to those it names.
    Needs,
    /// From a service to those that name it.
    NeededBy,
}

/// A service below another one.
struct Child<'a> {
    to: &'a str,
    keys: Vec<&'a str>,
}

/// A line before it is known how wide all are.
struct Line {
    left: String,
    state: String,
    /// One word, for the colour.
    word: String,
}

/// A drawing in the making.
pub(super) struct Picture<'a> {
    tree: &'a Tree,
    nodes: BTreeMap<&'a str, &'a Node>,
    below: BTreeMap<&'a str, Vec<Child<'a>>>,
    seen: BTreeSet<&'a str>,
    lines: Vec<Line>,
}

impl<'a> Picture<'a> {
    pub(super) fn of(tree: &'a Tree, direction: Direction) -> Self {
        let nodes = tree.services.iter().map(|node| (node.service.as_str(), node)).collect();
        let below = below(tree, direction);
        Self { tree, nodes, below, seen: BTreeSet::new(), lines: Vec::new() }
    }

    /// Draws these services, or all: beginning with those below which nobody else has them.
    pub(super) fn draw(&mut self, wanted: &'a [String]) {
        let roots: Vec<&str> = if wanted.is_empty() {
            let inner: BTreeSet<&str> =
                self.below.values().flatten().filter(|it| it.is_order()).map(|it| it.to).collect();
            let all = self.nodes.keys().chain(self.below.keys());
            let all: BTreeSet<&str> = all.copied().collect();
            all.into_iter().filter(|name| !inner.contains(name)).collect()
        } else {
            wanted.iter().map(String::as_str).collect()
        };
        for root in roots {
            self.add(root, "", "");
        }
    }

    /// Draws a service and what is below it; depth is bounded by the number of services, because
    /// nobody waits for itself.
    fn add(&mut self, name: &'a str, head: &str, indent: &str) {
        let is_new = self.seen.insert(name);
        let below = self.below.get(name).map_or(0, Vec::len);
        let (mut state, word) = self.state_of(name);
        if !is_new {
            state.push_str("  (see above)");
        }
        self.lines.push(Line { left: format!("{head}{name}"), state, word });
        for at in 0..if is_new { below } else { 0 } {
            let Some(child) = self.below.get(name).and_then(|all| all.get(at)) else { continue };
            let (branch, deeper) =
                if at + 1 == below { ("└─", "   ") } else { ("├─", "│  ") };
            let (to, is_order) = (child.to, child.is_order());
            let head = format!("{indent}{branch} {} ", child.words());
            if is_order {
                self.add(to, &head, &format!("{indent}{deeper}"));
            } else {
                let (state, word) = self.state_of(to);
                self.lines.push(Line { left: format!("{head}{to}"), state, word });
            }
        }
    }

    /// Says how a service is, and for what it waits; the state alone goes by its colour.
    fn state_of(&self, name: &str) -> (String, String) {
        if name == NETWORK {
            let network = self.tree.network.clone().unwrap_or_else(|| "unknown".to_owned());
            return (network, String::new());
        }
        let units = self.nodes.get(name).map(|node| node.units.as_slice()).unwrap_or_default();
        match units {
            [] => ("not configured".to_owned(), String::new()),
            [unit] => (told(unit), unit.state.clone()),
            units => (told_together(units), String::new()),
        }
    }

    /// Returns the drawing, no line of which is longer than the terminal is wide.
    pub(super) fn text(&self, columns: Option<usize>) -> String {
        let widths = self.lines.iter().map(|line| columns_of(&line.left));
        let width = widths.filter(|width| *width <= WIDTH_MAX).max().unwrap_or_default();
        let line = |Line { left, state, word }: &Line| {
            let left = padded(left, width);
            let room = columns.map(|it| it.saturating_sub(columns_of(&left) + 2));
            let state = cut(&words::told(state), room);
            let shown = words::of(word);
            let state = match state.strip_prefix(&*shown).filter(|_| !word.is_empty()) {
                Some(rest) => print::coloured(&shown, word) + rest,
                None => state,
            };
            format!("{left}  {state}\n")
        };
        self.lines.iter().map(line).collect()
    }
}

impl Child<'_> {
    /// Returns whether a start waits for it, the one way or the other.
    fn is_order(&self) -> bool {
        self.keys.iter().any(|key| is_order(key))
    }

    fn words(&self) -> String {
        let told: Vec<&str> = self.keys.iter().map(|key| told_key(key)).collect();
        told.join(words::between_items())
    }
}

fn is_order(words: &str) -> bool {
    !matches!(words, "part of" | "has part" | "conflicts with")
}

/// Returns who is below whom.
fn below(tree: &Tree, direction: Direction) -> BTreeMap<&str, Vec<Child<'_>>> {
    let mut below: BTreeMap<&str, Vec<Child<'_>>> = BTreeMap::new();
    for node in &tree.services {
        for edge in &node.links {
            let (own, other) = (node.service.as_str(), edge.to.as_str());
            let (from, to) =
                if direction == Direction::Needs { (own, other) } else { (other, own) };
            let words = words_of(&edge.how, direction);
            let children = below.entry(from).or_default();
            match children.iter_mut().find(|child| child.to == to) {
                Some(child) => child.keys.push(words),
                None => children.push(Child { to, keys: vec![words] }),
            }
        }
    }
    below
}

fn words_of(how: &str, direction: Direction) -> &str {
    match (how, direction) {
        ("binds-to", Direction::Needs) => "bound to",
        ("binds-to", Direction::NeededBy) => "binds",
        ("requires", Direction::NeededBy) => "required by",
        ("wants", Direction::NeededBy) => "wanted by",
        ("after", Direction::NeededBy) => "before",
        ("part-of", Direction::Needs) => "part of",
        ("part-of", Direction::NeededBy) => "has part",
        ("conflicts", _) => "conflicts with",
        (how, _) => how,
    }
}

/// Returns in the person's language how one service depends on another; keys of the configuration
/// stay as they are written there.
fn told_key(key: &str) -> &str {
    match key {
        "bound to" => words::label("bound to"),
        "binds" => words::label("binds"),
        "required by" => words::label("required by"),
        "wanted by" => words::label("wanted by"),
        "before" => words::label("before"),
        "part of" => words::label("part of"),
        "has part" => words::label("has part"),
        "conflicts with" => words::label("conflicts with"),
        "requires" => words::label("requires"),
        "wants" => words::label("wants"),
        "after" => words::label("after"),
        key => key,
    }
}

fn told(unit: &NodeUnit) -> String {
    match unit.state.as_str() {
        "running" if unit.unready => "running, not ready: nobody may rely on it".to_owned(),
        "running" | "completed" => unit.state.clone(),
        state => format!("{state}: {}", print::harmless(&unit.why)),
    }
}

/// Says how several units of a service are, and what is the matter with the first that is not well.
fn told_together(units: &[NodeUnit]) -> String {
    let running = units.iter().filter(|unit| unit.state == "running").count();
    let sum = format!("{running} of {} running", units.len());
    let is_well =
        |unit: &&NodeUnit| matches!(unit.state.as_str(), "running" | "completed") && !unit.unready;
    match units.iter().find(|unit| !is_well(unit)) {
        Some(unit) => format!("{sum}; {} is {}", unit.unit, told(unit)),
        None => sum,
    }
}

/// Returns as much of a text as fits, with `…` for the rest.
fn cut(text: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if columns_of(text) > room => {
            within(text, room.saturating_sub(1)).to_owned() + "…"
        }
        Some(_) | None => text.to_owned(),
    }
}

/// Returns every service that a drawing of these holds.
pub(super) fn reached(tree: &Tree, wanted: &[String], direction: Direction) -> BTreeSet<String> {
    let below = below(tree, direction);
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = wanted.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.to_owned()) {
            let children = below.get(name).into_iter().flatten();
            open.extend(children.filter(|child| child.is_order()).map(|child| child.to));
        }
    }
    reached
}

/// Returns what groups there are.
pub(super) fn groups(tree: &Tree) -> String {
    let line = |group: &Group| {
        let note = group.description.as_ref().map_or_else(String::new, |it| format!("  ({it})"));
        let services = group.services.join(", ");
        format!("@{}: {services}{note}\n", group.name)
    };
    let lines: String = tree.groups.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::Edge;

    use super::*;

    fn node(name: &str, state: &str, links: &[(&str, &str)]) -> Node {
        let edge = |(how, to): &(&str, &str)| Edge { how: (*how).into(), to: (*to).into() };
        let why = format!("why {name} is so");
        let unit = NodeUnit { unit: name.into(), state: state.into(), why, unready: false };
        Node { service: name.into(), units: vec![unit], links: links.iter().map(edge).collect() }
    }

    fn tree() -> Tree {
        let services = vec![
            node("api", "running", &[("requires", "db"), ("wants", "cache"), ("part-of", "web")]),
            node("cache", "failed", &[("after", "disk")]),
            node("db", "running", &[("binds-to", "disk"), ("requires", "disk")]),
            node("disk", "completed", &[]),
            node(
                "web",
                "waiting",
                &[("requires", "@network"), ("requires", "api"), ("after", "db")],
            ),
        ];
        let group = |name: &str, description: Option<&str>, services: &[&str]| Group {
            name: name.into(),
            description: description.map(Into::into),
            services: services.iter().map(|it| (*it).into()).collect(),
        };
        let groups =
            vec![group("all", None, &["web", "db"]), group("front", Some("the site"), &["web"])];
        Tree { instance: String::new(), services, groups, network: Some("down".into()) }
    }

    fn check(direction: Direction, wanted: &[&str], columns: Option<usize>, expected: &str) {
        let tree = tree();
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let mut picture = Picture::of(&tree, direction);
        picture.draw(&wanted);
        assert_eq!(picture.text(columns), expected.trim_start_matches('\n'));
    }

    #[test]
    fn each_service_is_opened_once_below_who_needs_it() {
        check(
            Direction::Needs,
            &[],
            None,
            "
web                               waiting: why web is so
├─ requires @network              down
├─ requires api                   running
│  ├─ requires db                 running
│  │  └─ bound to, requires disk  completed
│  ├─ wants cache                 failed: why cache is so
│  │  └─ after disk               completed  (see above)
│  └─ part of web                 waiting: why web is so
└─ after db                       running  (see above)
",
        );
    }

    #[test]
    fn who_runs_and_is_not_to_be_relied_on_is_not_well() {
        let mut units = node("web", "running", &[]).units;
        units.push(NodeUnit { unit: "web@2".into(), unready: true, ..units[0].clone() });
        assert_eq!(told(&units[0]), "running");
        let expected = "2 of 2 running; web@2 is running, not ready: nobody may rely on it";
        assert_eq!(told_together(&units), expected);
    }

    #[test]
    fn the_other_way_round_it_says_who_needs_whom() {
        check(
            Direction::NeededBy,
            &["disk"],
            None,
            "
disk                      completed
├─ before cache           failed: why cache is so
│  └─ wanted by api       running
│     └─ required by web  waiting: why web is so
│        └─ has part api  running
└─ binds, required by db  running
   ├─ required by api     running  (see above)
   └─ before web          waiting: why web is so  (see above)
",
        );
    }

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        check(
            Direction::Needs,
            &["cache"],
            Some(20),
            "cache          fail…\n└─ after disk  comp…\n",
        );
    }

    #[test]
    fn groups_are_listed_with_what_they_mean() {
        assert_eq!(groups(&tree()), "\n@all: web, db\n@front: web  (the site)\n");
    }
}
