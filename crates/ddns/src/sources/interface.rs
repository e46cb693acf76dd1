//! The source `interface`: the addresses of this machine itself.

mod choice;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mainstay_platform::addresses::{self, InterfaceAddress};

use crate::{
    address::Family,
    config::Choice,
    source::{Source, Vote},
    wire::Later,
};

use super::{apart::Apart, router};

/// How long the system may take to list its addresses.
const WITHIN: Duration = Duration::from_secs(5);

/// Addresses of an interface, or of the one with the default route.
#[derive(Debug)]
pub(super) struct Interface {
    name: Option<String>,
    choice: Choice,
    apart: Apart,
    /// What was told first last time: it stays first while it is fit.
    last: Mutex<BTreeMap<Family, IpAddr>>,
}

impl Interface {
    pub(super) fn new(name: Option<String>, choice: Choice) -> Self {
        Self { name, choice, apart: Apart::default(), last: Mutex::default() }
    }

    async fn ask(&self, family: Family) -> (String, Result<Vec<IpAddr>, String>) {
        let name = self.name.clone();
        let listed = self.apart.run(WITHIN, move || list(name, family)).await;
        match listed.and_then(|listed| listed) {
            Ok(listed) => (listed.name.clone(), self.choose(&listed, family)),
            Err(why) => (self.name.clone().unwrap_or_else(|| "interface".to_owned()), Err(why)),
        }
    }

    fn choose(&self, listed: &Listed, family: Family) -> Result<Vec<IpAddr>, String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted =
            choice::Wanted { family, choice: &self.choice, last: last.get(&family).copied() };
        let chosen = choice::choose(&listed.addresses, &wanted)?;
        if let Some(first) = chosen.first() {
            last.insert(family, *first);
        }
        Ok(chosen)
    }
}

impl Source for Interface {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(async move {
            let (voter, answer) = self.ask(family).await;
            vec![Vote { voter, answer }]
        })
    }
}

/// The addresses of one interface.
#[derive(Debug)]
struct Listed {
    name: String,
    addresses: Vec<InterfaceAddress>,
}

/// Lists the addresses of the interface of this name, or of the one with the default route.
fn list(name: Option<String>, family: Family) -> Result<Listed, String> {
    let name = match name {
        Some(name) => name,
        None => router::interface(family)?,
    };
    let cannot = |error| format!("cannot list the addresses of this machine: {error}");
    let all = addresses::interfaces().map_err(cannot)?;
    let Some(interface) = all.iter().find(|one| one.is_called(&name)) else {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        return Err(format!("there is no such interface; there are {}", names.join(", ")));
    };
    if !interface.is_up {
        return Err("the interface is down".to_owned());
    }
    let mut addresses = addresses::list().map_err(cannot)?;
    addresses.retain(|one| one.interface.index == interface.index);
    Ok(Listed { name, addresses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::udp::tests::run;

    #[test]
    fn an_interface_that_is_not_there_is_told_with_those_that_are() {
        let source = Interface::new(Some("no-such-0".to_owned()), Choice::default());
        let vote = run(source.look(Family::V4)).remove(0);
        let told = vote.answer.unwrap_err();
        assert_eq!(vote.voter, "no-such-0");
        assert!(told.starts_with("there is no such interface; there are "), "{told}");
    }

    #[test]
    fn the_loopback_has_nothing_to_tell() {
        let all = addresses::interfaces().unwrap();
        let name = all.into_iter().find(|one| one.is_loopback && one.is_up).unwrap().name;
        let source = Interface::new(Some(name.clone()), Choice::default());
        let vote = run(source.look(Family::V4)).remove(0);
        assert_eq!(vote.voter, name);
        let told = vote.answer.unwrap_err();
        assert!(told.starts_with("no IPv4 address of it may be used"), "{told}");
    }
}
