//! Who depends on whom, and what groups mean.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_api::{
    config::{self, suggestion},
    control::{Edge, Group, Node, NodeUnit, Tree},
    pattern::{group_in, is_meant},
};
use mainstay_core::{Service, ServiceName, UnitName, UnitView};
use mainstay_platform::tally::Root;

use super::Agent;
use crate::{
    calls::{LiveRun, Refused, RefusedKind},
    network::Reach,
    report,
};

/// So many names may be given at a time: each is compared with every unit.
const NAMES_MAX: usize = 10_000;
/// And so long each may be.
const NAME_BYTES_MAX: usize = 1_000;

impl Agent {
    /// Returns all services with whom they name, as the core sees it.
    pub(super) fn tree(&self) -> Tree {
        let services = self.config.core();
        let mut nodes: BTreeMap<&ServiceName, Vec<NodeUnit>> =
            services.keys().map(|name| (name, Vec::new())).collect();
        for view in self.supervisor.units() {
            nodes.entry(&view.name().service).or_default().push(node_unit(view));
        }
        let node = |(name, units): (&ServiceName, Vec<NodeUnit>)| Node {
            service: name.to_string(),
            units,
            links: services.get(name).map(edges).unwrap_or_default(),
        };
        Tree {
            instance: self.options.config.display().to_string(),
            services: nodes.into_iter().map(node).collect(),
            groups: self.groups(),
            network: self.network.reach().map(|reach| word_of(reach).to_owned()),
        }
    }

    /// Returns all groups, by name.
    pub(super) fn groups(&self) -> Vec<Group> {
        let all = self.config.groups.iter();
        let told = |(name, group): (&ServiceName, &config::Group)| Group {
            name: name.to_string(),
            description: group.description.clone(),
            services: group.services.iter().map(ToString::to_string).collect(),
        };
        all.map(told).collect()
    }

    /// Returns the runs of the units that names mean, all of them without a name.
    pub(super) fn live_runs(&self, names: &[String]) -> Result<Vec<LiveRun>, Refused> {
        let meant = if names.is_empty() { None } else { Some(self.expand(names)?) };
        let all = self.supervisor.units();
        let units = all.filter(|view| meant.as_ref().is_none_or(|all| all.contains(view.name())));
        Ok(units.filter_map(|view| self.live_run(view)).collect())
    }

    fn live_run(&self, view: UnitView<'_>) -> Option<LiveRun> {
        let (name, run, first) = (view.name(), view.run(), view.pid()?);
        let main = self.notices.main_of(name, run).filter(|main| *main != first);
        let pids = [first].into_iter().chain(main).collect();
        let job = self.jobs.of(name, run).cloned();
        let root = Root { pids, since: view.since().elapsed(), job };
        Some(LiveRun { unit: name.to_string(), run, root })
    }

    /// Returns the units that names mean: exact ones, all units of a service or of a group, or
    /// patterns.
    pub(super) fn expand(&self, names: &[String]) -> Result<Vec<UnitName>, Refused> {
        let all = self.supervisor.units().map(UnitView::name);
        let all: Vec<(&UnitName, String)> = all.map(|unit| (unit, unit.to_string())).collect();
        let (mut units, mut seen) = (Vec::new(), BTreeSet::new());
        for name in self.services_of(names)? {
            let mut meant = all.iter().filter(|(_, text)| is_meant(&name, text)).peekable();
            if meant.peek().is_none() {
                return Err(self.no_unit(&name));
            }
            units.extend(meant.filter(|(unit, _)| seen.insert(*unit)).map(|(unit, _)| *unit));
        }
        Ok(units.into_iter().cloned().collect())
    }

    /// Returns the names with the services of groups in place of these, each once.
    pub(super) fn services_of(&self, names: &[String]) -> Result<Vec<String>, Refused> {
        check_size(names)?;
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for name in names {
            if !seen.insert(name.clone()) {
                continue;
            }
            let Some(group) = group_in(name) else {
                all.push(name.clone());
                continue;
            };
            let known = self.config.groups.iter().find(|(name, _)| name.as_str() == group);
            let (_, group) = known.ok_or_else(|| self.no_group(group))?;
            let services = group.services.iter().map(ToString::to_string);
            all.extend(services.filter(|service| seen.insert(service.clone())));
        }
        Ok(all)
    }
}

/// Refuses more and longer names than the loop has time for.
fn check_size(names: &[String]) -> Result<(), Refused> {
    let is_too_long = |name: &String| name.len() > NAME_BYTES_MAX;
    if names.len() <= NAMES_MAX && !names.iter().any(is_too_long) {
        return Ok(());
    }
    let what =
        format!("these are more than {NAMES_MAX} names, or one has over {NAME_BYTES_MAX} bytes");
    Err(Refused::new(RefusedKind::Bad, what, "name a group, or a pattern such as `web-*`"))
}

/// Returns which of the services may have been meant.
pub(crate) fn near_of(name: &str, services: &[String]) -> String {
    near(name, services).map_or_else(
        || "`mainstay status` lists all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    )
}

impl Agent {
    /// Refuses a name that means no unit, and says which it may have been.
    pub(super) fn no_unit(&self, name: &str) -> Refused {
        let units = self.supervisor.units().map(|view| view.name().to_string());
        let services = self.config.services.keys().map(ToString::to_string);
        let hint = near_of(name, &units.chain(services).collect::<Vec<_>>());
        let text = format!("there is no unit or service `{name}`");
        Refused::new(RefusedKind::Missing, text, hint)
    }

    /// Returns what to say of a service that no file has: which one may have been meant.
    pub(super) fn near_service(&self, name: &str) -> String {
        near_of(name, &self.config.services.keys().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn no_group(&self, group: &str) -> Refused {
        let all = "`mainstay tree` shows all groups";
        if group == "network" {
            let text = "`@network` is the network of the machine, and no group";
            return Refused::new(RefusedKind::Missing, text, all);
        }
        let groups: Vec<String> = self.config.groups.keys().map(ToString::to_string).collect();
        let hint = near(group, &groups)
            .map_or_else(|| all.to_owned(), |near| format!("did you mean `@{near}`?"));
        Refused::new(RefusedKind::Missing, format!("there is no group `@{group}`"), hint)
    }
}

fn node_unit(view: UnitView<'_>) -> NodeUnit {
    NodeUnit {
        unit: view.name().to_string(),
        state: view.state().to_owned(),
        why: report::why(view),
        unready: view.is_unready(),
    }
}

const fn word_of(reach: Reach) -> &'static str {
    match reach {
        Reach::Up => "up",
        Reach::Down => "down",
        Reach::Unknown => "unknown",
    }
}

/// Returns whom a service names, the strongest bonds first.
fn edges(service: &Service) -> Vec<Edge> {
    let bonds = &service.bonds;
    let edge = |how: &str, to: String| Edge { how: how.to_owned(), to };
    let all = |how: &'static str, others: &[ServiceName]| -> Vec<Edge> {
        others.iter().map(|to| edge(how, to.to_string())).collect()
    };
    let network = bonds.network.then(|| edge("requires", "@network".to_owned()));
    let named = [
        network.into_iter().collect(),
        all("binds-to", &bonds.binds_to),
        all("requires", &service.requires),
        all("wants", &service.wants),
        all("after", &service.after),
        all("part-of", &bonds.part_of),
        all("conflicts", &service.conflicts),
    ];
    named.concat()
}

/// Returns the name that is nearest to what was typed; two letters are near to everything.
fn near(typed: &str, names: &[String]) -> Option<String> {
    const LETTERS_MIN: usize = 3;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = suggestion(typed, &names).filter(|_| typed.chars().count() >= LETTERS_MIN);
    near.map(str::to_owned)
}
