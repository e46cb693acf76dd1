//! Which keys a service can have, for whoever has typed one that there is not.

use std::borrow::Cow;

use super::{
    catalogue::{Part, SERVICE, Shape},
    fields::suggestion,
    keys::split,
};

/// A key that no service can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchKey {
    /// The key that is nearest to it, if any is near at all.
    pub near: Option<String>,
}

/// Returns what is wrong with a key of a service as it is typed, such as `restart.delay`; nothing
/// where it may be right.
///
/// A table of its own is as a kind calls it, so a first name that is near to none may be right.
pub fn no_such_key(key: &str) -> Option<NoSuchKey> {
    let (mut path, last) = split(key);
    path.push(last);
    let mut part = &SERVICE;
    let mut at = 0;
    while let Some(name) = path.get(at) {
        let Some(known) = part.key(name) else {
            let near = nearest(part, &path, at);
            let may_be_of_kind = at == 0 && near.is_none();
            return (!may_be_of_kind).then_some(NoSuchKey { near });
        };
        at += 1;
        match below(&known.shape) {
            Below::Table(next) => part = next,
            Below::Named(next) => (part, at) = (next, at + 1),
            Below::Unknown => return None,
            Below::Nothing if at < path.len() => return Some(NoSuchKey { near: None }),
            Below::Nothing => return None,
        }
    }
    None
}

fn nearest(part: &Part, path: &[Cow<'_, str>], at: usize) -> Option<String> {
    let names: Vec<&str> = part.keys.iter().map(|key| key.name).collect();
    let near = suggestion(path.get(at)?, &names)?;
    let mut path = path.to_vec();
    *path.get_mut(at)? = Cow::Borrowed(near);
    Some(path.join("."))
}

/// What may stand below a key.
enum Below {
    Table(&'static Part),
    /// Tables by names of the user's own.
    Named(&'static Part),
    Unknown,
    Nothing,
}

fn below(shape: &'static Shape) -> Below {
    match (shape, &shape.parts()[..]) {
        (Shape::Named(part), _) => Below::Named(part),
        (Shape::Table(part), _) => Below::Table(part),
        (Shape::List(_), [part]) => Below::Named(part),
        (Shape::Either(_), [part]) => Below::Table(part),
        (Shape::Open | Shape::Map(_), _) | (_, [_, ..]) => Below::Unknown,
        (_, []) => Below::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_there_is_not_is_known_by_its_nearest() {
        let check = |key: &str, near: &str| {
            let found = no_such_key(key).and_then(|found| found.near);
            assert_eq!(found.as_deref(), Some(near), "{key}");
        };
        check("stop.timout", "stop.timeout");
        check("restrt.delay", "restart.delay");
        check("checks.http.evry", "checks.http.every");
        check("hooks.on-failur", "hooks.on-failure");
    }

    #[test]
    fn a_key_that_there_may_be_is_let_through() {
        for key in [
            "command",
            "stop.timeout",
            "environment.ANY.thing",
            "environment.'a.b'",
            "restart.exit.42",
            "checks.http.every",
            "ddns.records",
            "ready.http",
        ] {
            assert_eq!(no_such_key(key), None, "{key}");
        }
        for key in ["stop.nothing-like-it", "start.x"] {
            assert_eq!(no_such_key(key), Some(NoSuchKey { near: None }), "{key}");
        }
    }
}
