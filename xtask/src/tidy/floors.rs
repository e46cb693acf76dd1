//! Who may import whom: a crate sees the floors below its own, never its neighbour.

use serde_json::Value;

use crate::workspace::{Workspace, list, text};

/// The rooms of the house, ground floor first.
const FLOORS: &[&[&str]] = &[
    &["core", "words"],
    &["api", "platform", "storage", "tls"],
    &["agent", "keeper", "service", "ddns", "share", "console"],
    &["mainstay"],
];

/// Rooms that only tests and chores may import; they may import every floor but the top one, and
/// those before them here.
const DEV_ROOMS: &[&str] = &["lives", "sim", "ddns-sim", "killtest", "fuzz"];

/// Reports every import that does not go down.
pub(super) fn check(workspace: &Workspace) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in workspace.members() {
        let name = room_of(text(package, "name"));
        for import in list(package, "dependencies") {
            let is_dev = text(import, "kind") == "dev";
            if let Some(reason) = own_room(import).and_then(|to| refusal(name, to, is_dev)) {
                breaches.push(format!("crates/{name}/Cargo.toml: {reason}"));
            }
        }
        if name != "xtask" && floor_of(name).is_none() {
            breaches
                .push(format!("crates/{name}: has no floor; instead: give it one in floors.rs"));
        }
    }
    breaches
}

/// The room a dependency names, when it is one of ours.
fn own_room(import: &Value) -> Option<&str> {
    import["path"].is_string().then(|| room_of(text(import, "name")))
}

fn room_of(package: &str) -> &str {
    package.strip_prefix("mainstay-").unwrap_or(package)
}

/// The floor of a room; development rooms stand beside the top floor.
fn floor_of(room: &str) -> Option<usize> {
    let is_here = |rooms: &&[&str]| rooms.contains(&room);
    let top = FLOORS.len() - 1;
    FLOORS.iter().position(is_here).or_else(|| DEV_ROOMS.contains(&room).then_some(top))
}

fn refusal(from: &str, to: &str, is_dev: bool) -> Option<String> {
    if from == "xtask" {
        return None;
    }
    if is_before(from, to) {
        return None;
    }
    if DEV_ROOMS.contains(&to) {
        let instead = "instead: make it a dev-dependency";
        return (!is_dev).then(|| format!("ships the test room `{to}`; {instead}"));
    }
    let is_below = floor_of(to) < floor_of(from);
    (!is_below).then(|| {
        format!("imports `{to}` sideways or upwards; instead: meet on a lower floor (floors.rs)")
    })
}

/// Returns whether both are development rooms, and the imported one stands before the other.
fn is_before(from: &str, to: &str) -> bool {
    let place = |room: &str| DEV_ROOMS.iter().position(|one| *one == room);
    place(to).zip(place(from)).is_some_and(|(to, from)| to < from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_go_down() {
        assert_eq!(refusal("keeper", "platform", false), None);
        assert_eq!(refusal("storage", "core", false), None);
        assert_eq!(refusal("mainstay", "agent", false), None);
    }

    #[test]
    fn sideways_and_upwards_are_refused() {
        for (from, to) in [("keeper", "agent"), ("core", "api"), ("api", "storage")] {
            assert!(refusal(from, to, false).is_some_and(|text| text.contains("sideways")));
            assert!(refusal(from, to, true).is_some_and(|text| text.contains("sideways")));
        }
    }

    #[test]
    fn only_tests_import_the_pretend_machine() {
        assert!(refusal("agent", "sim", false).is_some_and(|text| text.contains("dev-dependency")));
        assert_eq!(refusal("agent", "sim", true), None);
        assert_eq!(refusal("sim", "lives", false), None);
        assert!(refusal("lives", "sim", false).is_some());
    }

    #[test]
    fn an_unknown_room_has_no_floor() {
        assert_eq!(floor_of("cellar"), None);
    }
}
