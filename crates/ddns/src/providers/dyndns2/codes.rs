//! The words that a service answers with, and what each means.

use std::net::IpAddr;

use crate::{
    address::Family,
    failure::{Class, Failure},
    providers::answer,
    record::{Changed, Written},
    wire::Response,
};

use super::Dialect;

/// Whom a word concerns.
#[derive(Debug, Clone, Copy)]
enum Concern {
    /// The name.
    Name,
    /// The whole account, or this client.
    Account,
}

/// What a word of refusal means.
struct Refusal {
    word: &'static str,
    class: Class,
    concern: Concern,
    why: &'static str,
}

/// Every word of refusal, of Dyn's list and of those who added to it.
const REFUSALS: &[Refusal] = &[
    parked("badauth", Concern::Account, "user and password do not fit"),
    parked("!donator", Concern::Account, "this is only for accounts that are paid for"),
    parked("!active", Concern::Account, "the account is not active"),
    parked("!yours", Concern::Account, "the name belongs to another account"),
    parked("nohost", Concern::Name, "it has no such name in this account"),
    parked("notfqdn", Concern::Name, "it does not take this for a whole name"),
    parked("numhost", Concern::Name, "too many names, or names of different kinds"),
    parked("badsys", Concern::Name, "the parameter `system` is wrong"),
    parked("badrequest", Concern::Name, "it does not understand the request"),
    parked("badip", Concern::Name, "it does not take this address"),
    parked("badagent", Concern::Account, "it has blocked this program"),
    parked("abuse", Concern::Account, "it has blocked updates because there were too many"),
    waiting("dnserr", Concern::Name, "its own DNS has an error"),
    waiting("911", Concern::Account, "it has trouble, or is being maintained"),
    waiting("servererror", Concern::Account, "it has an error of its own"),
    waiting("interval", Concern::Name, "the last update is too short a time ago"),
];

const fn parked(word: &'static str, concern: Concern, why: &'static str) -> Refusal {
    Refusal { word, class: Class::Parked, concern, why }
}

const fn waiting(word: &'static str, concern: Concern, why: &'static str) -> Refusal {
    Refusal { word, class: Class::RateLimited, concern, why }
}

/// Reads the answer to an update of one name to one address.
pub(super) fn understand(
    response: &Response,
    dialect: &Dialect,
    address: IpAddr,
) -> Result<Written, Failure> {
    let text = response.text();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = known(word).or_else(|| by_status(dialect, response.status));
    let Some(word) = word else {
        answer::check_status(response)?;
        return Err(answer::unknown(response));
    };
    match word {
        "good" => written(Changed::Yes, word, told(rest, address, dialect)),
        "nochg" => written(Changed::No, word, told(rest, address, dialect)),
        _ => Err(refused(word, dialect).after(answer::retry_after(response))),
    }
}

/// Returns the word of the list that this is.
fn known(word: &str) -> Option<&'static str> {
    let words = ["good", "nochg"].into_iter().chain(REFUSALS.iter().map(|refusal| refusal.word));
    words.into_iter().find(|known| known.eq_ignore_ascii_case(word))
}

fn by_status(dialect: &Dialect, status: u16) -> Option<&'static str> {
    dialect.statuses.iter().find(|(known, _)| *known == status).map(|(_, word)| *word)
}

fn written(change: Changed, code: &str, told: Result<(), Failure>) -> Result<Written, Failure> {
    told.map(|()| Written { change, code: code.to_owned() })
}

/// Compares the address that is told back with ours: a service that has blocked a client answers
/// `good 127.0.0.1` and changes nothing.
fn told(rest: &str, address: IpAddr, dialect: &Dialect) -> Result<(), Failure> {
    let words = rest.split(|one: char| one == ',' || one.is_whitespace());
    let told: Vec<IpAddr> = words.filter_map(|word| word.parse().ok()).collect();
    let mut rivals = told.iter().filter(|one| Family::of(**one) == Family::of(address)).peekable();
    if told.contains(&address) || rivals.peek().is_none() && !told.iter().any(is_local) {
        return Ok(());
    }
    let whom = dialect.whom;
    if told.iter().any(is_local) {
        let words = format!("{whom} has silently refused the update: it tells 127.0.0.1 back");
        return Err(Failure::new(Class::Parked, "good-127.0.0.1", words).of_account());
    }
    let words = format!("{whom} has another address than {address} after the update: `{rest}`");
    Err(Failure::new(Class::Transient, "other-address", words))
}

fn is_local(address: &IpAddr) -> bool {
    address.is_loopback()
}

fn refused(word: &str, dialect: &Dialect) -> Failure {
    let whom = dialect.whom;
    let Some(refusal) = REFUSALS.iter().find(|refusal| refusal.word == word) else {
        return Failure::new(Class::Transient, word, format!("{whom} answers `{word}`"));
    };
    let words = format!("{whom} answers `{word}`: {}", refusal.why);
    let failure = Failure::new(refusal.class, word, words);
    match refusal.concern {
        Concern::Name => failure,
        Concern::Account => failure.of_account(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{failure::Reach, providers::dyndns2::Addresses};

    const DIALECT: Dialect = Dialect {
        whom: "the service",
        endpoint: "",
        path: "",
        fixed: &[],
        addresses: Addresses::Alone,
        statuses: &[(204, "nochg"), (503, "911")],
    };
    const OURS: &str = "81.2.69.142";

    fn answered(status: u16, body: &str) -> Result<Written, Failure> {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        understand(&response, &DIALECT, OURS.parse().unwrap())
    }

    fn accepted(status: u16, body: &str) -> Result<Changed, String> {
        answered(status, body).map(|written| written.change).map_err(|failure| failure.code)
    }

    #[test]
    fn what_is_accepted_tells_whether_something_changed() {
        assert_eq!(accepted(200, "good 81.2.69.142"), Ok(Changed::Yes));
        assert_eq!(accepted(200, "GOOD"), Ok(Changed::Yes));
        assert_eq!(accepted(200, "\r\nnochg 81.2.69.142\r\n"), Ok(Changed::No));
        assert_eq!(accepted(200, "good 81.2.69.142,2a02:b18::1\n"), Ok(Changed::Yes));
        assert_eq!(accepted(200, "good 2a02:b18::1"), Ok(Changed::Yes), "the other one alone");
        assert_eq!(
            accepted(200, "good\ngood\nnochg\n"),
            Ok(Changed::Yes),
            "the first line is ours"
        );
    }

    #[test]
    fn every_word_of_refusal_has_its_meaning() {
        let check = |word: &str, class, reach| {
            let failure = answered(200, word).unwrap_err();
            assert_eq!((failure.class, failure.reach, &*failure.code), (class, reach, word));
        };
        for word in ["badauth", "!donator", "!yours", "!active", "badagent", "abuse"] {
            check(word, Class::Parked, Reach::Account);
        }
        for word in ["notfqdn", "nohost", "numhost", "badsys", "badrequest", "badip"] {
            check(word, Class::Parked, Reach::Binding);
        }
        for word in ["dnserr", "interval"] {
            check(word, Class::RateLimited, Reach::Binding);
        }
        for word in ["911", "servererror"] {
            check(word, Class::RateLimited, Reach::Account);
        }
    }

    #[test]
    fn the_word_counts_more_than_the_status() {
        let failure = |status, body| {
            let failure = answered(status, body).unwrap_err();
            (failure.class, failure.reach, failure.code)
        };
        let badauth = (Class::Parked, Reach::Account, "badauth".to_owned());
        assert_eq!(failure(401, "badauth\r\n"), badauth);
        assert_eq!(failure(403, "abuse").2, "abuse");
        assert_eq!(failure(401, ""), (Class::Parked, Reach::Account, "HTTP 401".to_owned()));
        assert_eq!(failure(500, "oops").0, Class::Transient);
        assert_eq!(failure(503, "").2, "911", "as this dialect says");
        assert_eq!(accepted(204, ""), Ok(Changed::No), "as this dialect says");
    }

    #[test]
    fn what_nobody_understands_is_a_failure() {
        for body in ["", "\r\n", "<html>good</html>", "goodbye", "OK"] {
            let failure = answered(200, body).unwrap_err();
            assert_eq!((failure.class, &*failure.code), (Class::Transient, "unknown-answer"));
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_no_success() {
        let refused = answered(200, "good 127.0.0.1").unwrap_err();
        assert_eq!((refused.class, refused.reach), (Class::Parked, Reach::Account));
        assert!(refused.words.contains("silently refused"), "{}", refused.words);
        let other = answered(200, "good 81.2.69.143").unwrap_err();
        assert_eq!((other.class, &*other.code), (Class::Transient, "other-address"));
    }

    #[test]
    fn patience_that_is_asked_for_is_passed_on() {
        let headers = vec![("retry-after".to_owned(), "60".to_owned())];
        let response = Response { status: 200, headers, body: b"911".to_vec() };
        let failure = understand(&response, &DIALECT, OURS.parse().unwrap()).unwrap_err();
        assert_eq!(failure.retry_after, Some(Duration::from_mins(1)));
    }
}
