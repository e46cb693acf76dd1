//! What the checks of a unit think of it, in words.

use mainstay_api::control::CheckState;

use crate::print;

/// How the agent calls the verdict of a check that is bad.
pub(super) const BAD: &str = "bad";

/// Returns what there is to say of a check, as it stands behind `its`; nothing of one that is well.
pub(super) fn in_words(state: &CheckState) -> Option<String> {
    let CheckState { check, verdict, seen, failures } = state;
    let (is_bad, seen) = (verdict == BAD, print::harmless(seen));
    match (failures, seen.as_str()) {
        (0, "") if is_bad => Some(format!("check `{check}` is bad: an earlier agent has seen it")),
        (0, "") => None,
        (0, _) if is_bad => {
            Some(format!("check `{check}` is bad, and has not passed often enough since: {seen}"))
        }
        (0, _) => Some(format!("check `{check}` has not passed yet: {seen}")),
        (1, _) => Some(format!("check `{check}` is {verdict}, after a failure: {seen}")),
        _ => Some(format!(
            "check `{check}` is {verdict}, after {failures} failures in a row: {seen}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_says_what_it_has_seen_and_how_often() {
        let check = |verdict: &str, failures, seen: &str, expected: Option<&str>| {
            let (check, verdict, seen) = ("db".to_owned(), verdict.to_owned(), seen.to_owned());
            let told = in_words(&CheckState { check, verdict, seen, failures });
            assert_eq!(told.as_deref(), expected);
        };
        check("good", 0, "", None);
        check("open", 0, "", None);
        check("open", 0, "refused", Some("check `db` has not passed yet: refused"));
        check("good", 1, "refused", Some("check `db` is good, after a failure: refused"));
        let bad = "check `db` is bad, after 3 failures in a row: refused";
        check("bad", 3, "refused", Some(bad));
        let since = "check `db` is bad, and has not passed often enough since: refused";
        check("bad", 0, "refused", Some(since));
        check("bad", 0, "", Some("check `db` is bad: an earlier agent has seen it"));
    }
}
