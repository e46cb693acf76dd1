//! The answers of clients as metrics, in the text format of Prometheus.
//!
//! ```text
//! mainstay_ddns_record_writes_total{service="home",account="cf",name="home.example.org",type="A"} 3
//! ```

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::status::list;

/// The states that a record may be in: one of them is 1.
const STATES: [&str; 5] = ["published", "pending", "unaddressed", "backing-off", "parked"];

/// A label and its value.
type Label = (&'static str, String);
/// Of a sample.
type Labels = Vec<Label>;

/// Of everybody who was asked: the service, and what it has answered, if it has.
pub(super) type Answers<'a> = [(String, Option<&'a Value>)];

/// Returns all of it as metrics, each family of them in one piece, as the format wants it.
pub(super) fn text(answers: &Answers<'_>, now: Timestamp) -> String {
    let mut page = Page::default();
    page.family("up", "gauge", "whether the client answers");
    for (service, answer) in answers {
        page.sample(&of_service(service), u8::from(answer.is_some()));
    }
    let told: Vec<(&str, &Value)> = answers
        .iter()
        .filter_map(|(service, answer)| Some((service.as_str(), (*answer)?)))
        .collect();
    page.family("counted_since_timestamp_seconds", "gauge", "when its counters began at 0");
    for (service, answer) in &told {
        page.time(&of_service(service), &answer["counted-since"]);
    }
    addresses(&mut page, &told);
    accounts(&mut page, &told);
    records(&mut page, &told, now);
    page.text
}

fn addresses(page: &mut Page, told: &[(&str, &Value)]) {
    let all = items(told, "addresses", |service, at, one| {
        let mut labels = of_service(service);
        labels.push(("family", word(one, "family")));
        labels.push(("sight", at.to_string()));
        labels
    });
    page.family("address_info", "gauge", "an address that is believed, and which source told it");
    for (labels, one) in &all {
        for address in list(one, "addresses").iter().filter_map(Value::as_str) {
            let mut labels = labels.clone();
            labels.push(("address", address.to_owned()));
            labels.push(("source", word(one, "source")));
            page.sample(&labels, 1);
        }
    }
    page.family("address_known", "gauge", "whether an address is believed");
    for (labels, one) in &all {
        page.sample(labels, u8::from(!list(one, "addresses").is_empty()));
    }
    page.family("address_since_timestamp_seconds", "gauge", "since when it is believed");
    for (labels, one) in &all {
        page.time(labels, &one["since"]);
    }
}

fn accounts(page: &mut Page, told: &[(&str, &Value)]) {
    let all = items(told, "accounts", |service, _, one| {
        let mut labels = of_service(service);
        labels.push(("account", word(one, "name")));
        labels.push(("provider", word(one, "provider")));
        labels
    });
    page.family("account_requests_total", "counter", "requests to the provider");
    for (labels, one) in &all {
        page.number(labels, &one["requests"]);
    }
}

fn records(page: &mut Page, told: &[(&str, &Value)], now: Timestamp) {
    let all = items(told, "names", |service, _, one| of_record(service, one));
    page.family("record_state", "gauge", "1 for the state that the record is in");
    for (labels, one) in &all {
        for state in STATES {
            let mut labels = labels.clone();
            labels.push(("state", state.to_owned()));
            page.sample(&labels, u8::from(one["state"] == state));
        }
    }
    for (name, key, what) in [
        ("record_published_timestamp_seconds", "published-since", "when it was written last"),
        ("record_visible_timestamp_seconds", "visible-since", "since when its servers have it"),
    ] {
        page.family(name, "gauge", what);
        for (labels, one) in &all {
            page.time(labels, &one[key]);
        }
    }
    page.family("record_next_attempt_timestamp_seconds", "gauge", "when something is done next");
    for (labels, one) in &all {
        if let Some(left) = one["next-ms"].as_u64() {
            page.sample(labels, now.as_second().saturating_add_unsigned(left / 1000));
        }
    }
    page.family("record_failures_in_a_row", "gauge", "attempts that failed since the last success");
    for (labels, one) in &all {
        page.number(labels, &one["failures"]);
    }
    page.family("record_failures_total", "counter", "attempts that failed, by what that means");
    for (labels, one) in &all {
        for (class, count) in one["failed"].as_object().into_iter().flatten() {
            let mut labels = labels.clone();
            labels.push(("class", class.clone()));
            page.number(&labels, count);
        }
    }
    for (name, key, what) in [
        ("record_reads_total", "reads", "how often it was read"),
        ("record_writes_total", "writes", "writes that the provider took"),
        ("record_writes_unchanged_total", "unchanged", "writes that changed nothing"),
    ] {
        page.family(name, "counter", what);
        for (labels, one) in &all {
            page.number(labels, &one[key]);
        }
    }
}

/// Returns what stands in a list of each answer, with its labels.
fn items<'a>(
    told: &[(&str, &'a Value)],
    key: &str,
    labels: impl Fn(&str, usize, &Value) -> Labels,
) -> Vec<(Labels, &'a Value)> {
    let all = told.iter().flat_map(|(service, answer)| {
        list(answer, key).iter().enumerate().map(move |(at, one)| (*service, at, one))
    });
    all.map(|(service, at, one)| (labels(service, at, one), one)).collect()
}

fn of_service(service: &str) -> Labels {
    vec![("service", service.to_owned())]
}

fn of_record(service: &str, one: &Value) -> Labels {
    let mut labels = of_service(service);
    for key in ["account", "name", "type", "line"] {
        let value = word(one, key);
        if !value.is_empty() {
            labels.push((key, value));
        }
    }
    labels
}

fn word(one: &Value, key: &str) -> String {
    one[key].as_str().unwrap_or_default().to_owned()
}

/// What is printed, and the name of the family that samples belong to.
#[derive(Debug, Default)]
struct Page {
    text: String,
    name: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, what: &str) {
        self.name = format!("mainstay_ddns_{name}");
        // Writing into a text cannot fail.
        let _infallible = writeln!(self.text, "# HELP {0} {what}\n# TYPE {0} {kind}", self.name);
    }

    fn sample(&mut self, labels: &[Label], value: impl std::fmt::Display) {
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        let _infallible = writeln!(self.text, "{}{{{labels}}} {value}", self.name);
    }

    fn number(&mut self, labels: &[Label], value: &Value) {
        if let Some(value) = value.as_u64() {
            self.sample(labels, value);
        }
    }

    fn time(&mut self, labels: &[Label], value: &Value) {
        let at = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        if let Some(at) = at {
            self.sample(labels, at.as_second());
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn page() -> String {
        let name = |account: &str, line: Value, state: &str| {
            json!({
                "account": account, "name": "home.example.org", "type": "A", "line": line,
                "state": state, "published-since": "2026-11-21T10:00:00Z", "visible-since": null,
                "next-ms": 61_500, "failures": 2, "failed": { "clock": 0, "parked": 3 },
                "reads": 5, "writes": 4, "unchanged": 1,
            })
        };
        let seen = |family: &str, addresses: Value| json!({ "family": family, "addresses": addresses, "source": "web", "since": "2026-11-21T10:00:00Z" });
        let home = json!({
            "counted-since": "2026-11-21T09:00:00Z",
            "addresses": [seen("ipv4", json!(["81.2.69.142"])), seen("ipv4", json!([]))],
            "accounts": [{ "name": "cf", "provider": "cloudflare", "requests": 12 }],
            "names": [name("cf", Value::Null, "published"), name("a\"\\li", json!("默认"), "parked")],
        });
        let now = "2026-11-21T10:10:00Z".parse().unwrap();
        text(&[("home".to_owned(), Some(&home)), ("away".to_owned(), None)], now)
    }

    #[test]
    fn every_record_is_told_with_its_state_times_and_counts() {
        let page = page();
        let record = "{service=\"home\",account=\"cf\",name=\"home.example.org\",type=\"A\"";
        for line in [
            "mainstay_ddns_up{service=\"home\"} 1".to_owned(),
            "mainstay_ddns_up{service=\"away\"} 0".to_owned(),
            format!("mainstay_ddns_record_state{record},state=\"published\"}} 1"),
            format!("mainstay_ddns_record_state{record},state=\"parked\"}} 0"),
            format!("mainstay_ddns_record_failures_total{record},class=\"parked\"}} 3"),
            format!("mainstay_ddns_record_writes_total{record}}} 4"),
            format!("mainstay_ddns_record_published_timestamp_seconds{record}}} 1795255200"),
            format!("mainstay_ddns_record_next_attempt_timestamp_seconds{record}}} 1795255861"),
            "mainstay_ddns_address_info{service=\"home\",family=\"ipv4\",sight=\"0\",address=\"81.2.69.142\",source=\"web\"} 1".to_owned(),
            "mainstay_ddns_account_requests_total{service=\"home\",account=\"cf\",provider=\"cloudflare\"} 12".to_owned(),
        ] {
            assert!(page.lines().any(|told| told == line), "{line}\n{page}");
        }
        assert!(
            page.contains("account=\"a\\\"\\\\li\"") && page.contains("line=\"默认\""),
            "{page}"
        );
        assert!(!page.contains("record_visible_timestamp_seconds{"), "{page}");
    }

    #[test]
    fn the_page_is_as_the_format_wants_it() {
        let page = page();
        let (mut family, mut families, mut series) = ("", BTreeSet::new(), BTreeSet::new());
        for line in page.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let (key, rest) = comment.split_once(' ').unwrap();
                let (name, rest) = rest.split_once(' ').unwrap();
                match key {
                    "HELP" => assert!(families.insert(name) && !rest.is_empty(), "{line}"),
                    "TYPE" => {
                        assert!(families.contains(name), "{line}");
                        assert_eq!(rest == "counter", name.ends_with("_total"), "{line}");
                        family = name;
                    }
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(series.insert(name), "twice: {line}");
            value.parse::<i64>().unwrap();
            let labels = name.strip_prefix(family).unwrap();
            assert!(labels.starts_with('{') && labels.ends_with('}'), "{line}");
        }
        assert!(page.ends_with('\n') && families.len() == 15, "{}", families.len());
    }
}
