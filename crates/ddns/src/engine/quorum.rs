//! Which addresses are believed: who was believed last needs one voter, who is new needs several.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    address::{Unfit, unfit},
    engine::{
        compose::{is_fit, of_family},
        plan::{SightPlan, SourcePlan},
    },
    source::Vote,
};

/// How many characters of what voters say are told.
const TELLING_CHARS_MAX: usize = 300;

/// What is made of the votes of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These addresses, best first.
    Believed(Vec<IpAddr>),
    /// None.
    Doubted(Doubt),
}

/// Why nothing is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What kind of trouble it is.
    pub(super) kind: DoubtKind,
    /// In words.
    pub(super) words: String,
}

/// What kind of trouble it is, from the least telling to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DoubtKind {
    /// Nobody answers.
    Silence,
    /// There are no addresses of this family here.
    Nothing,
    /// Fewer say so than must agree.
    TooFew,
    /// Voters contradict each other.
    Disagreement,
    /// There are only addresses that reach nobody from outside.
    Unfit,
}

/// What one voter says, as far as it counts.
enum Say {
    /// Addresses that may be published, best first.
    Fit(Vec<IpAddr>),
    /// Only such as may not; the first of them.
    Unfit(IpAddr),
    /// That there are none.
    Nothing,
    /// Nothing at all, and why.
    Silent(String),
}

/// Who says the same.
struct Set<'a> {
    /// How many.
    voters: usize,
    /// The addresses in the order of the first of them.
    first: &'a [IpAddr],
}

/// Judges what the voters of a source say, knowing what was believed last.
pub(super) fn judge(
    votes: &[Vote],
    last: Option<&[IpAddr]>,
    source: SourcePlan,
    sight: &SightPlan,
) -> Verdict {
    let says: Vec<(&str, Say)> =
        votes.iter().map(|vote| (vote.voter.as_str(), say(vote, sight))).collect();
    let mut sets: BTreeMap<Vec<IpAddr>, Set<'_>> = BTreeMap::new();
    for (_, say) in &says {
        if let Say::Fit(addresses) = say {
            sets.entry(sorted(addresses)).or_insert(Set { voters: 0, first: addresses }).voters +=
                1;
        }
    }
    let last_set = last.map(sorted);
    let last_votes = last_set.as_ref().and_then(|set| sets.get(set)).map_or(0, |set| set.voters);
    let need = if source.voters <= 1 { 1 } else { source.agree.clamp(1, source.voters) };
    let most = sets.values().map(|set| set.voters).max().unwrap_or(0);
    let mut first = sets
        .iter()
        .filter(|(key, set)| set.voters == most && Some(*key) != last_set.as_ref())
        .map(|(_, set)| set.first.to_vec());
    match (first.next(), first.next(), last) {
        (Some(new), None, _) if most >= need && most > last_votes => Verdict::Believed(new),
        (_, _, Some(last)) if last_votes > 0 => Verdict::Believed(last.to_vec()),
        _ => Verdict::Doubted(doubt(&says, sets.len(), need, sight)),
    }
}

fn say(vote: &Vote, sight: &SightPlan) -> Say {
    let told = match &vote.answer {
        Ok(told) => told,
        Err(why) => return Say::Silent(why.clone()),
    };
    let ours = of_family(told, sight.family);
    let fit: Vec<IpAddr> =
        ours.iter().copied().filter(|address| is_fit(*address, &sight.allow)).collect();
    match (fit.is_empty(), ours.first()) {
        (false, _) => Say::Fit(fit),
        (true, Some(unfit)) => Say::Unfit(*unfit),
        (true, None) => Say::Nothing,
    }
}

fn doubt(says: &[(&str, Say)], sets: usize, need: usize, sight: &SightPlan) -> Doubt {
    let unfit = says.iter().find_map(|(voter, say)| match say {
        Say::Unfit(address) => Some((*voter, *address)),
        Say::Fit(_) | Say::Nothing | Say::Silent(_) => None,
    });
    let is_nothing = says.iter().any(|(_, say)| matches!(say, Say::Nothing));
    let family = sight.family;
    let (kind, words) = match (sets, unfit) {
        (0, Some((voter, address))) => (DoubtKind::Unfit, unfit_words(voter, address)),
        (0, None) if is_nothing => {
            (DoubtKind::Nothing, format!("there is no {family} address here: {}", told(says)))
        }
        (0, None) if says.is_empty() => (DoubtKind::Silence, "nobody was asked".to_owned()),
        (0, None) => (DoubtKind::Silence, format!("nobody answers: {}", told(says))),
        (1, _) => {
            (DoubtKind::TooFew, format!("fewer than {need} services say the same: {}", told(says)))
        }
        _ => (DoubtKind::Disagreement, format!("services disagree: {}", told(says))),
    };
    Doubt { kind, words }
}

fn unfit_words(voter: &str, address: IpAddr) -> String {
    let unfit = unfit(address);
    let why = unfit.map_or("not to be published", Unfit::in_words);
    let is_translated = matches!(unfit, Some(Unfit::Private | Unfit::SharedByProvider));
    if is_translated && address.is_ipv4() {
        format!(
            "{voter} says {address}, which is {why}: nobody outside reaches it (double NAT); \
             nothing is published"
        )
    } else {
        format!(
            "{voter} says {address}, which is {why}: nobody outside reaches it; \
             nothing is published"
        )
    }
}

/// Returns who says what, in one line that is not too long.
fn told(says: &[(&str, Say)]) -> String {
    let all: Vec<String> = says.iter().map(|(voter, say)| sentence(voter, say)).collect();
    cut(&all.join(", "))
}

fn sentence(voter: &str, say: &Say) -> String {
    match say {
        Say::Fit(addresses) => format!("{voter} says {}", listed(addresses)),
        Say::Unfit(address) => format!("{voter} says {address}"),
        Say::Nothing => format!("{voter} says none"),
        Say::Silent(why) => format!("{voter} does not say ({why})"),
    }
}

/// Returns addresses in one line.
pub(super) fn listed(addresses: &[IpAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    addresses.join(" ")
}

fn cut(line: &str) -> String {
    if line.chars().count() <= TELLING_CHARS_MAX {
        return line.to_owned();
    }
    let shown: String = line.chars().take(TELLING_CHARS_MAX).collect();
    format!("{shown}…")
}

/// Returns the set that a list is.
pub(super) fn sorted(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut sorted = addresses.to_vec();
    sorted.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Family;

    const OLD: &str = "81.2.69.142";
    const NEW: &str = "81.2.69.143";
    const OTHER: &str = "81.2.69.144";

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|address| address.parse().unwrap()).collect()
    }

    fn votes(says: &[&str]) -> Vec<Vote> {
        let answer = |say: &str| match say {
            "?" => Err("no answer within 15s".to_owned()),
            _ => Ok(addresses(say)),
        };
        let vote = |(index, say): (usize, &&str)| Vote {
            voter: format!("echo{index}"),
            answer: answer(say),
        };
        says.iter().enumerate().map(vote).collect()
    }

    fn sight(allow: &[Unfit]) -> SightPlan {
        SightPlan { family: Family::V4, sources: Vec::new(), allow: allow.to_vec() }
    }

    fn believed(last: &str, says: &[&str], agree: usize) -> Result<Vec<IpAddr>, Doubt> {
        let last = addresses(last);
        let last = (!last.is_empty()).then_some(last.as_slice());
        let source = SourcePlan { agree, voters: says.len() };
        match judge(&votes(says), last, source, &sight(&[])) {
            Verdict::Believed(addresses) => Ok(addresses),
            Verdict::Doubted(doubt) => Err(doubt),
        }
    }

    #[test]
    fn who_was_believed_last_needs_one_voter_and_who_is_new_needs_several() {
        let check = |last: &str, says: &[&str], expected: &str| {
            assert_eq!(believed(last, says, 2), Ok(addresses(expected)), "{says:?}");
        };
        check(OLD, &[OLD, "?", "?"], OLD);
        check(OLD, &[NEW, NEW, "?"], NEW);
        check(OLD, &[NEW, NEW, OLD], NEW);
        check(OLD, &[NEW, OLD, OLD], OLD);
        check(OLD, &[NEW, OLD, "?"], OLD);
        check("", &[NEW, "?", NEW], NEW);
        check("", &[NEW], NEW);
        // As many for the new one as for the last one, and two new ones at once: nothing changes.
        check(OLD, &[NEW, NEW, OLD, OLD], OLD);
        check(OLD, &[NEW, NEW, OTHER, OTHER, OLD], OLD);
    }

    #[test]
    fn one_liar_changes_nothing() {
        let doubt = believed("", &["1.2.1.1", NEW, "?"], 2).unwrap_err();
        assert_eq!(doubt.kind, DoubtKind::Disagreement);
        assert_eq!(
            doubt.words,
            "services disagree: echo0 says 1.2.1.1, echo1 says 81.2.69.143, echo2 does not say \
             (no answer within 15s)"
        );
        assert_eq!(believed(OLD, &["1.2.1.1", "?", "?"], 2).unwrap_err().kind, DoubtKind::TooFew);
        assert_eq!(
            believed("", &[NEW, NEW, OTHER, OTHER], 2).unwrap_err().kind,
            DoubtKind::Disagreement
        );
    }

    #[test]
    fn only_fit_addresses_of_the_family_count() {
        assert_eq!(believed("", &["10.0.0.1 81.2.69.143 2a00::1"], 1), Ok(addresses(NEW)));
        let doubt = believed(OLD, &["100.64.1.2", "?"], 1).unwrap_err();
        assert_eq!(doubt.kind, DoubtKind::Unfit);
        assert!(doubt.words.starts_with(
            "echo0 says 100.64.1.2, which is shared by the provider's customers (CGNAT)"
        ));
        assert!(doubt.words.contains("double NAT"), "{}", doubt.words);
        assert_eq!(believed("", &["2a00::1"], 1).unwrap_err().kind, DoubtKind::Nothing);
        assert_eq!(believed("", &["", "?"], 1).unwrap_err().kind, DoubtKind::Nothing);
        assert_eq!(believed("", &["?", "?"], 1).unwrap_err().kind, DoubtKind::Silence);
        assert_eq!(believed("", &[], 1).unwrap_err().kind, DoubtKind::Silence);
    }

    #[test]
    fn what_the_configuration_allows_is_fit() {
        let source = SourcePlan { agree: 1, voters: 1 };
        let verdict = judge(&votes(&["10.0.0.1"]), None, source, &sight(&[Unfit::Private]));
        assert_eq!(verdict, Verdict::Believed(addresses("10.0.0.1")));
    }

    #[test]
    fn the_same_addresses_in_another_order_are_the_same() {
        let last = format!("{OLD} {NEW}");
        assert_eq!(believed(&last, &[&format!("{NEW} {OLD}")], 1), Ok(addresses(&last)));
        let votes = [format!("{NEW} {OLD}"), last];
        let votes: Vec<&str> = votes.iter().map(String::as_str).collect();
        assert_eq!(believed("", &votes, 2), Ok(addresses(votes[0])));
    }

    #[test]
    fn an_impossible_quorum_means_all() {
        assert_eq!(believed("", &[NEW, NEW], 5), Ok(addresses(NEW)));
        believed("", &[NEW, "?"], 5).unwrap_err();
    }
}
