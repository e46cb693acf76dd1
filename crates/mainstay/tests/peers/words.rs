//! What the words of dyndns2 mean to clients that have spoken it for twenty years, and to ours.

use serde_json::json;

use crate::{
    account::Account,
    elders::{self, Order},
    home::is_root,
    site::{OURS, Site},
};

/// A word that a service answers with, and whether it tells of a success.
const WORDS: &[(&str, bool)] = &[
    ("good 81.2.69.142", true),
    ("nochg 81.2.69.142", true),
    ("badauth", false),
    ("!donator", false),
    ("!active", false),
    ("!yours", false),
    ("nohost", false),
    ("notfqdn", false),
    ("numhost", false),
    ("abuse", false),
    ("badagent", false),
    ("sorry", false),
    // From here on inadyn tries again by itself, for minutes.
    ("dnserr", false),
    ("911", false),
];
const JUDGED_AT_ONCE: usize = 12;
/// How a service refuses a program without telling its user; the others do not look at it.
const SILENT: &str = "good 127.0.0.1";

#[test]
fn each_word_means_the_same_to_everybody() {
    if !is_root() {
        return;
    }
    Site::tell(|site| {
        let words = WORDS.iter().map(|(word, _)| *word).chain([SILENT]);
        for (place, word) in words.clone().enumerate() {
            let pattern = format!("hostname=w{place}[.]");
            let plan = json!({ "provider": "dyn", "match": pattern, "times": null, "body": word });
            site.fake.plan(&plan);
        }
        let orders = |way: &'static str| -> Vec<Order> {
            words.clone().enumerate().map(|(place, word)| order(site, way, (place, word))).collect()
        };
        let (known, silent) = (orders("default@dyndns.org"), WORDS.len()..);
        let inadyn = elders::inadyn(site, &[&known[..JUDGED_AT_ONCE], &known[silent]].concat());
        let ddclient = elders::ddclient(site, &orders("protocol=dyndns2"));
        for (place, (word, is_good)) in WORDS.iter().enumerate() {
            assert_eq!(inadyn.get(word).unwrap_or(is_good), is_good, "inadyn takes `{word}`");
            assert_eq!(ddclient[word], *is_good, "ddclient takes `{word}`");
            assert_eq!(is_taken_by_us(site, place), *is_good, "we take `{word}`");
        }
        let taken = (inadyn[SILENT], ddclient[SILENT], is_taken_by_us(site, WORDS.len()));
        assert_eq!(taken, (true, true, false), "`{SILENT}`");
    });
}

/// Each word has a name of its own, for which the service answers with it.
fn name(place: usize) -> String {
    format!("w{place}.example.com")
}

fn order(site: &Site, way: &'static str, (place, word): (usize, &'static str)) -> Order {
    let known = site.fake.account("dyn");
    let [user, password] = ["user", "password"].map(|key| known[key].as_str().unwrap().to_owned());
    Order { service: word, way, name: name(place), user, password }
}

fn is_taken_by_us(site: &Site, place: usize) -> bool {
    let known = site.fake.account("dyn");
    let account = json!({ "provider": "dyn", "endpoint": site.fake.url("dyn"), "names": name(place),
        "user": known["user"], "password": known["password"] });
    Account::open(&account).keep(OURS).is_ok()
}
