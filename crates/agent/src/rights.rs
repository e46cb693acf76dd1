//! Who may do what: the instance's own user and the administrator everything, members of groups
//! what `[[access]]` says, everybody else nothing.

use std::io;

use mainstay_api::{
    config::{Access, Role},
    pattern::is_meant,
};
use mainstay_platform::local::{Identity, WAY_IN};

use crate::calls::{Refused, RefusedKind};

/// The entries of `[[access]]`, with groups as the system numbers them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct AccessList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    group: String,
    role: Role,
    services: Vec<String>,
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rights {
    role: Option<Role>,
    /// What an operator may operate.
    services: Vec<String>,
}

impl AccessList {
    /// Finds the groups; returns what is wrong with those that cannot be found as well.
    pub(crate) fn resolve(
        access: &[Access],
        look_up: impl Fn(&str) -> io::Result<Option<String>>,
    ) -> (Self, Vec<String>) {
        let (mut entries, mut wrong) = (Vec::new(), Vec::new());
        for Access { group, role, services } in access {
            match look_up(group) {
                Ok(Some(group)) => {
                    entries.push(Entry { group, role: *role, services: services.clone() });
                }
                Ok(None) => wrong.push(format!("there is no group `{group}` on this system")),
                Err(error) => wrong.push(format!("cannot look up group `{group}`: {error}")),
            }
        }
        (Self(entries), wrong)
    }

    /// Returns all groups.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.0.iter().map(|entry| entry.group.clone()).collect()
    }

    /// Returns what somebody may do, by all groups together.
    pub(crate) fn rights_of(&self, identity: &Identity) -> Rights {
        if identity.is_trusted {
            return Rights { role: Some(Role::Admin), services: Vec::new() };
        }
        let fits = |entry: &&Entry| identity.groups.contains(&entry.group);
        let entries: Vec<&Entry> = self.0.iter().filter(fits).collect();
        let operated = entries.iter().filter(|entry| entry.role == Role::Operator);
        Rights {
            role: entries.iter().map(|entry| entry.role).max(),
            services: operated.flat_map(|entry| entry.services.clone()).collect(),
        }
    }
}

impl Rights {
    /// Refuses whoever has no such role, and says which one would do.
    pub(crate) fn demand(&self, user: &str, needed: Role) -> Result<(), Refused> {
        let Some(role) = self.role else { return Err(stranger(user)) };
        if role >= needed {
            return Ok(());
        }
        let (role, needed) = (role.word(), needed.word());
        let what = format!("user {user} is `{role}` here, and this needs the role `{needed}`");
        Err(Refused::new(RefusedKind::Stranger, what, remedy(needed)))
    }

    /// Refuses whoever may not operate a unit.
    pub(crate) fn demand_unit(&self, user: &str, unit: &str) -> Result<(), Refused> {
        let is_named = self.services.iter().any(|pattern| is_meant(pattern, unit));
        if self.role == Some(Role::Admin) || is_named {
            return Ok(());
        }
        let needed = Role::Operator.word();
        let what = format!("user {user} needs the role `{needed}` for `{unit}`");
        Err(Refused::new(RefusedKind::Stranger, what, remedy(needed)))
    }
}

fn remedy(needed: &str) -> String {
    format!("an entry `[[access]]` with `role = \"{needed}\"` for a group of this user gives it")
}

fn stranger(user: &str) -> Refused {
    let what = format!("user {user} has no rights on this instance");
    Refused::new(RefusedKind::Stranger, what, WAY_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_of_all_groups_together() {
        let staff = rights(&["1"]);
        staff.demand("u", Role::Viewer).unwrap();
        let refused = staff.demand("u", Role::Operator).unwrap_err();
        assert_eq!(
            refused.problem.error,
            "user u is `viewer` here, and this needs the role `operator`"
        );
        assert!(staff.demand_unit("u", "web-1").is_err());

        let operator = rights(&["1", "2", "9"]);
        operator.demand("u", Role::Operator).unwrap();
        assert!(operator.demand("u", Role::Admin).is_err());
        operator.demand_unit("u", "web-1@2").unwrap();
        let refused = operator.demand_unit("u", "db").unwrap_err();
        assert_eq!(refused.problem.error, "user u needs the role `operator` for `db`");

        let admin = rights(&["3"]);
        admin.demand("u", Role::Admin).unwrap();
        admin.demand_unit("u", "db").unwrap();
    }

    #[test]
    fn whoever_is_in_no_group_has_no_rights() {
        let refused = rights(&["9"]).demand("u", Role::Viewer).unwrap_err();
        assert_eq!(refused.problem.error, "user u has no rights on this instance");
        let own = Identity { user: "0".to_owned(), groups: Vec::new(), is_trusted: true };
        AccessList::default().rights_of(&own).demand("0", Role::Admin).unwrap();
    }

    #[test]
    fn a_group_that_is_not_there_gives_nobody_anything() {
        let (list, wrong) = AccessList::resolve(&access(), |_| Ok(None));
        assert_eq!(list, AccessList::default());
        assert_eq!(wrong.first().unwrap(), "there is no group `staff` on this system");
        assert_eq!(wrong.len(), 3);
    }

    fn access() -> Vec<Access> {
        let entry = |group: &str, role, services: &str| Access {
            group: group.to_owned(),
            role,
            services: vec![services.to_owned()],
        };
        vec![
            entry("staff", Role::Viewer, "*"),
            entry("ops", Role::Operator, "web-*"),
            entry("chiefs", Role::Admin, "*"),
        ]
    }

    fn rights(groups: &[&str]) -> Rights {
        let number = |name: &str| match name {
            "staff" => "1",
            "ops" => "2",
            _ => "3",
        };
        let (list, _) = AccessList::resolve(&access(), |name| Ok(Some(number(name).to_owned())));
        let groups = groups.iter().map(ToString::to_string).collect();
        list.rights_of(&Identity { user: "u".to_owned(), groups, is_trusted: false })
    }
}
