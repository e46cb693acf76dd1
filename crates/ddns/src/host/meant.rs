//! Which records somebody means by the names that he types.

use mainstay_api::config::suggestion;

use crate::{engine::plan::Plan, name::Fqdn};

/// What is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// The records, by their places in the plan.
    pub(super) bindings: Vec<usize>,
    /// What they are called.
    pub(super) ids: Vec<String>,
    /// What nothing is called.
    pub(super) unknown: Vec<String>,
}

/// What was typed, and the name that it is, if it can be one.
type Typed<'t> = (&'t String, Option<Fqdn>);

impl Meant {
    /// Finds the records of these names, each a whole name or that of a record; no names mean all.
    pub(super) fn by(plan: &Plan, names: &[String]) -> Self {
        let typed: Vec<Typed<'_>> =
            names.iter().map(|name| (name, Fqdn::parse(name).ok())).collect();
        let is = |(name, whole): &Typed<'_>, at: usize| {
            plan.bindings
                .get(at)
                .is_some_and(|one| one.id == **name || whole.as_ref() == Some(&one.record.name))
        };
        let all = 0..plan.bindings.len();
        let is_meant = |at: &usize| names.is_empty() || typed.iter().any(|name| is(name, *at));
        let bindings: Vec<usize> = all.clone().filter(is_meant).collect();
        let ids = bindings.iter().filter_map(|at| plan.bindings.get(*at)).map(|one| one.id.clone());
        let is_unknown = |name: &&Typed<'_>| !all.clone().any(|at| is(name, at));
        let unknown = typed.iter().filter(is_unknown).map(|(name, _)| (*name).clone());
        Self { ids: ids.collect(), unknown: unknown.collect(), bindings }
    }
}

/// Says that nothing is called so, and what may be meant.
pub(super) fn refusal(plan: &Plan, unknown: &[String]) -> String {
    let known = plan.bindings.iter().flat_map(|one| [one.id.as_str(), one.record.name.as_str()]);
    let known: Vec<&str> = known.collect();
    let near = unknown.iter().find_map(|name| suggestion(name, &known));
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    nothing_called(unknown) + &near
}

/// Says that nothing is called so.
fn nothing_called(unknown: &[String]) -> String {
    match unknown {
        [name] => format!("no name is called `{name}`"),
        names => format!("no names are called so: `{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config;

    fn plan() -> Plan {
        let names = ["home.example.org", "nas.example.org"];
        let account = json!({ "provider": "powerdns", "endpoint": "http://pdns.test",
            "api-key": "k", "names": names });
        let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
        config::read(&json!({ "sources": sources, "accounts": { "pdns": account } })).unwrap().plan
    }

    fn check(typed: &[&str], ids: &[&str], unknown: &[&str]) {
        let typed: Vec<String> = typed.iter().map(|&name| name.to_owned()).collect();
        let meant = Meant::by(&plan(), &typed);
        assert_eq!(meant.bindings.len(), ids.len());
        assert_eq!((meant.ids, meant.unknown), (owned(ids), owned(unknown)), "{typed:?}");
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_name_is_typed_whole_or_as_that_of_a_record() {
        let (home, nas) = ("pdns/home.example.org/A", "pdns/nas.example.org/A");
        check(&[], &[home, nas], &[]);
        check(&["Home.Example.org."], &[home], &[]);
        check(&[nas, "home.exmaple.org"], &[nas], &["home.exmaple.org"]);
    }

    #[test]
    fn a_slip_is_told_with_what_may_be_meant() {
        let told = refusal(&plan(), &owned(&["nas.exmaple.org"]));
        assert_eq!(told, "no name is called `nas.exmaple.org`; did you mean `nas.example.org`?");
        let told = refusal(&plan(), &owned(&["elsewhere.test", "x"]));
        assert_eq!(told, "no names are called so: `elsewhere.test`, `x`");
    }
}
