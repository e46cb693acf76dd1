//! `[[access]]`: which groups of the system may use an instance besides its own user and the
//! administrator.

use toml::de::{DeArray, DeTable, DeValue};

use super::{
    catalogue,
    fields::{Fields, Reading, mistyped},
};

/// A configuration with more entries is refused: each is looked at for each request.
const ENTRIES_MAX: usize = 100;

/// What somebody may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads everything and changes nothing.
    Viewer,
    /// Starts, stops, restarts, kills and resets units.
    Operator,
    /// Everything.
    Admin,
}

const ROLES: &[(&str, Role)] =
    &[("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

impl Role {
    /// Returns the word that the configuration has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// What the members of a group may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The group, as the system calls it.
    pub group: String,
    /// What its members may do.
    pub role: Role,
    /// What an operator may operate: names of services, in which `*` and `?` match.
    pub services: Vec<String>,
}

/// Reads the entries of `access`.
pub(super) fn read(document: &mut Fields<'_, '_>, r: &mut Reading<'_>, all: &mut Vec<Access>) {
    let Some(value) = document.value("access") else { return };
    let DeValue::Array(entries) = value.get_ref() else {
        let _: Option<()> = mistyped(r, value, "access", "a list of tables", value.get_ref());
        return;
    };
    let entries: &DeArray<'_> = entries;
    if all.len() + entries.len() > ENTRIES_MAX {
        let message = format!("`access` has more than {ENTRIES_MAX} entries");
        return r.wrong(value.span(), "out-of-range", message, "make groups of groups");
    }
    for entry in entries {
        if let DeValue::Table(table) = entry.get_ref() {
            all.extend(read_entry(table, entry.span(), r));
        } else {
            let _: Option<()> = mistyped(r, entry, "access", "tables only", entry.get_ref());
        }
    }
}

fn read_entry(
    table: &DeTable<'_>,
    span: std::ops::Range<usize>,
    r: &mut Reading<'_>,
) -> Option<Access> {
    let mut fields = Fields::new(table, "an entry of `access`", &catalogue::ACCESS);
    let before = r.found.len();
    let group = fields.text("group", r);
    let role = fields.word("role", ROLES, r);
    let services = services(&mut fields, role, r);
    fields.finish(&[], r);
    if r.found.len() > before {
        return None;
    }
    let (Some(group), Some(role)) = (group.filter(|group| !group.is_empty()), role) else {
        let message = "an entry of `access` needs a group and a role".to_owned();
        r.wrong(span, "missing-key", message, "write `group = \"ops\"` and `role = \"operator\"`");
        return None;
    };
    Some(Access { group, role, services })
}

/// Reads a text or a list of texts; without it an operator operates everything.
fn services(fields: &mut Fields<'_, '_>, role: Option<Role>, r: &mut Reading<'_>) -> Vec<String> {
    let Some(value) = fields.value("services") else { return vec!["*".to_owned()] };
    if role.is_some_and(|role| role != Role::Operator) {
        let message = "`services` is for operators: a viewer reads and an admin changes everything";
        r.wrong(value.span(), "not-for-this-role", message.to_owned(), "remove it");
    }
    if let DeValue::String(pattern) = value.get_ref() {
        return vec![pattern.to_string()];
    }
    let patterns = fields.texts("services", r).unwrap_or_default();
    patterns.into_iter().map(|placed| placed.text).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use crate::config::SourceText;

    #[test]
    fn groups_get_roles() {
        let text = "[[access]]\ngroup = 'ops'\nrole = 'operator'\nservices = 'web-*'\n\
                    [[access]]\ngroup = 'staff'\nrole = 'viewer'\n\
                    [[access]]\ngroup = 'db'\nrole = 'operator'\nservices = ['db', 'cache?']";
        let entry = |group: &str, role, services: &[&str]| Access {
            group: group.to_owned(),
            role,
            services: services.iter().map(ToString::to_string).collect(),
        };
        let expected = [
            entry("ops", Role::Operator, &["web-*"]),
            entry("staff", Role::Viewer, &["*"]),
            entry("db", Role::Operator, &["db", "cache?"]),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn a_mistake_in_access_is_named_with_its_place() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check("access = 1", "1:10 `access` must be a list of tables, not a whole number");
        check("access = [1]", "1:11 `access` must be tables only, not a whole number");
        check("[[access]]\nrole = 'viewer'", "1:1 an entry of `access` needs a group and a role");
        check(
            "[[access]]\ngroup = 'a'\nrole = 'operater'",
            "3:8 `role` cannot be `operater`; did you mean `operator`?",
        );
        check(
            "[[access]]\ngroup = 'a'\nrole = 'viewer'\nservice = 'x'",
            "4:1 unknown key `service` in an entry of `access`; did you mean `services`?",
        );
        check(
            "[[access]]\ngroup = 'a'\nrole = 'admin'\nservices = 'x'",
            "4:12 `services` is for operators: a viewer reads and an admin changes everything",
        );
    }

    /// Returns the entries, or the first mistake.
    fn read(text: &str) -> Result<Vec<Access>, String> {
        let parsed = parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]);
        parsed.map(|config| config.access).map_err(|found| {
            let first = &found[0];
            let is_guess = first.help.starts_with("did you");
            let help = if is_guess { format!("; {}", first.help) } else { String::new() };
            format!("{}:{} {}{help}", first.line, first.column, first.message)
        })
    }
}
