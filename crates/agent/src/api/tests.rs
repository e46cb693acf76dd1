//! Stories of the API's door: who is let in, and how everybody else is told why not.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use std::path::PathBuf;

use mainstay_api::control::Problem;

use super::*;

#[test]
fn a_stranger_is_told_the_remedy_and_nothing_else() {
    for path in ["GET /v1/status", "POST /v1/shutdown", "GET /nowhere"] {
        let (answer, asked) = ask(path, &somebody("9"));
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{answer}");
        let problem = problem_in(&answer);
        assert_eq!(problem.error, "user 1234 has no rights on this instance");
        assert_eq!(problem.hint, local::WAY_IN);
        assert!(!asked, "the loop never hears of a stranger");
    }
}

#[test]
fn whoever_is_trusted_reaches_the_loop() {
    let own = Identity { is_trusted: true, ..somebody("9") };
    let (answer, asked) = ask("GET /v1/status", &own);
    assert!(asked, "{answer}");
}

#[test]
fn a_role_opens_what_it_is_for() {
    let check = |group: &str, path: &str, expected: Option<&str>| {
        let (answer, asked) = ask(path, &somebody(group));
        assert_eq!(asked, expected.is_none(), "{path} {answer}");
        if let Some(role) = expected {
            let problem = problem_in(&answer);
            let needs = format!("this needs the role `{role}`");
            assert!(problem.error.ends_with(&needs), "{}", problem.error);
            assert!(problem.hint.contains(role), "{}", problem.hint);
        }
    };
    check("1", "GET /v1/status", None);
    check("1", "GET /v1/events", None);
    check("1", "POST /v1/command", Some("operator"));
    check("2", "POST /v1/apply", Some("admin"));
    check("2", "DELETE /v1/services/web", Some("admin"));
    check("2", "GET /v1/units/web", None);
    check("3", "DELETE /v1/services/web", None);
    check("3", "POST /v1/shutdown", None);
    for group in ["1", "2"] {
        check(group, "GET /v1/secrets", Some("admin"));
        check(group, "POST /v1/secrets/db", Some("admin"));
        check(group, "DELETE /v1/secrets/db", Some("admin"));
    }
    check("3", "GET /v1/secrets", None);
    check("3", "DELETE /v1/secrets/db", None);
}

#[test]
fn an_operator_sees_the_environment_of_what_it_operates_and_of_nothing_else() {
    let check = |unit: &str, group: &str, may: bool| {
        let line = format!("GET /v1/units/{unit}/environment");
        let (answer, asked) = ask(&line, &somebody(group));
        assert_eq!(asked, may, "{line} {answer}");
        if !may {
            let expected = format!("user 1234 needs the role `operator` for `{unit}`");
            assert_eq!(problem_in(&answer).error, expected);
        }
    };
    check("web", "4", true);
    check("web@2", "4", true);
    check("db", "4", false);
    check("db@1", "4", false);
    check("db", "2", true);
    check("db", "3", true);
}

#[test]
fn every_operation_of_the_contract_asks_for_the_role_that_it_names() {
    let contract = serde_json::to_value(routes().split_for_parts().1).unwrap();
    let roles = ["viewer", "operator", "admin"];
    let mut count = 0;
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let line = format!("{} {}", method.to_uppercase(), path.replace("{name}", "web"));
            let content = operation["requestBody"]["content"].as_object();
            let content = content.and_then(|content| content.iter().next());
            let rest = content.map(|(kind, content)| body(kind, &content["example"].to_string()));
            let needed = operation[operation::ROLE].as_str().unwrap();
            let needed_rank = roles.iter().position(|role| *role == needed).unwrap();
            for (rank, group) in ["1", "2", "3"].into_iter().enumerate() {
                let rest = rest.as_deref().unwrap_or_default();
                let (answer, asked) = ask_with(&line, rest, &somebody(group));
                if rank >= needed_rank {
                    assert!(asked || answer.starts_with("HTTP/1.1 200"), "{line}: {answer}");
                } else {
                    assert!(!asked && answer.starts_with("HTTP/1.1 403"), "{line}: {answer}");
                    let needs = format!("this needs the role `{needed}`");
                    assert!(problem_in(&answer).error.ends_with(&needs), "{line}: {answer}");
                }
                count += 1;
            }
            let (answer, asked) = ask(&line, &somebody("9"));
            assert!(!asked && answer.starts_with("HTTP/1.1 403"), "{line}: {answer}");
        }
    }
    assert!(count >= 3 * 14, "{count}");
}

#[test]
fn whatever_makes_no_sense_is_refused_with_a_problem() {
    const JSON: &str = "application/json";
    let check = |line: &str, rest: &str, status: u16, words: &str| {
        let (answer, asked) = ask_with(line, rest, &somebody("3"));
        assert!(!asked, "{line}: {answer}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{line}: {answer}");
        let problem = problem_in(&answer);
        assert_eq!(problem.status, status, "{line}");
        assert!(!problem.title.is_empty() && problem.error.contains(words), "{line}: {answer}");
        let code = format!("\"code\":\"{}\"", code_of(status));
        assert!(answer.contains(&code), "{line}: {answer}");
        answer
    };
    let command = "POST /v1/command";
    check("GET /nowhere", "", 404, "there is nothing here");
    check("GET /v1/units/a/b", "", 404, "there is nothing here");
    let allowed = check("PUT /v1/status", "", 405, "no such method");
    assert!(allowed.contains("allow: GET,HEAD\r\n"), "{allowed}");
    check("TRACE /v1/secrets/db", "", 405, "no such method");
    check(command, "", 415, "the body of this request is JSON");
    check(command, &body("text/plain", "{}"), 415, "is JSON");
    check(command, &body(JSON, "{"), 400, "cannot read the body: EOF");
    check(command, &body(JSON, "[1]"), 400, "is a JSON object");
    check(command, &body(JSON, r#"{"command":"start","names":["a"],"x":1}"#), 400, "`x`");
    check(command, &body(JSON, r#"{"command":"fly","names":["a"]}"#), 400, "`fly`");
    let file = r#"{"text":"","fromer":"x"}"#;
    check("PUT /v1/files", &body(JSON, file), 400, "`fromer`");
    let keys = r#"{"set":[{"key":"a","value":"b","x":1}]}"#;
    check("PATCH /v1/services/web", &body(JSON, keys), 400, "`x`");
    check("PATCH /v1/services/web", &body(JSON, r#"{"unsett":[]}"#), 400, "`unsett`");
    check("POST /v1/diff", &body(JSON, r#"{"txt":""}"#), 400, "`txt`");
    check("POST /v1/diff", &body(JSON, "[null, null]"), 400, "is a JSON object");
    check("POST /v1/upgrade", &body(JSON, r#"{"x":""}"#), 400, "`x`");
    let large = " ".repeat(input::BODY_BYTES_MAX + 1);
    check(command, &body(JSON, &large), 413, "too large");
    check("POST /v1/secrets/db", &body("x/y", &"x".repeat(65_537)), 413, "too large");
    check("GET /v1/status?x=1", "", 400, "there is no parameter `x`");
    check("GET /v1/events?limit=5001", "", 400, "`limit` is a number up to 5000");
    check("GET /v1/events?limit=x", "", 400, "cannot read the parameters");
    check("GET /v1/events?wait=maybe", "", 400, "cannot read the parameters");
    check("GET /v1/events?after=-1", "", 400, "cannot read the parameters");
    check("GET /v1/events?after=9007199254740992", "", 400, "`after` is a number up to");
    check("GET /v1/events?before=9007199254740992", "", 400, "`before` is a number up to");
    check("GET /v1/events?after=1&after=2", "", 400, "cannot read the parameters");
    check("GET /v1/units/%FF", "", 400, "cannot read the path");
    check("DELETE /v1/services/web?purge=1", "", 400, "cannot read the parameters");
}

#[test]
fn a_member_with_many_expensive_questions_is_told_to_wait_and_holds_up_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (calls, mut questions) = mpsc::channel(64);
        let (_allowed, list) = watch::channel(access());
        let (logs, events) = (Archive::new(PathBuf::new()), History::new(PathBuf::new()));
        let front = Front::new(router(&Desk { calls, list, logs, events }));
        let ask = async |path: &str| {
            let (mut client, server) = duplex(4096);
            front.welcome(server, somebody("1"));
            let request = format!("GET {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
            client
        };
        let mut held = Vec::new();
        for path in ["/v1/events", "/v1/usage", "/v1/events?limit=1", "/v1/usage?window=0"] {
            held.push((ask(path).await, questions.recv().await.unwrap()));
        }
        for path in ["/v1/events", "/v1/usage"] {
            let mut answer = String::new();
            ask(path).await.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("retry-after: 1\r\n"));
            let expected = "too many questions that take long are being answered already";
            assert_eq!(problem_in(&answer).error, expected);
        }
        // What costs nothing is answered, and what was answered makes room.
        let _cheap = ask("/v1/status").await;
        assert!(matches!(questions.recv().await.unwrap(), Call::Status(_)));
        let (mut client, question) = held.remove(0);
        drop(question);
        client.read_to_string(&mut String::new()).await.unwrap();
        let _next = ask("/v1/events").await;
        assert!(matches!(questions.recv().await.unwrap(), Call::Recent(..)));
    });
}

fn somebody(group: &str) -> Identity {
    Identity { user: "1234".to_owned(), groups: vec![group.to_owned()], is_trusted: false }
}

/// Returns what programs are told besides a status.
fn code_of(status: u16) -> &'static str {
    match status {
        400 => "bad-request",
        404 => "not-found",
        405 => "method-not-allowed",
        413 => "body-too-large",
        415 => "unsupported-media-type",
        other => panic!("{other}"),
    }
}

fn problem_in(answer: &str) -> Problem {
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

/// Group 1 views, 2 operates, 3 administers, 4 operates one service.
fn access() -> AccessList {
    let roles = [
        ("1", Role::Viewer, "*"),
        ("2", Role::Operator, "*"),
        ("3", Role::Admin, "*"),
        ("4", Role::Operator, "web"),
    ];
    let entry = |(group, role, services): (&str, Role, &str)| Access {
        group: group.to_owned(),
        role,
        services: vec![services.to_owned()],
    };
    AccessList::resolve(&roles.map(entry), |name| Ok(Some(name.to_owned()))).0
}

/// Returns the answer to a request without a body, and whether the loop was asked.
fn ask(line: &str, who: &Identity) -> (String, bool) {
    ask_with(line, "", who)
}

/// Returns the answer to a request with a head of its own and a body after that.
fn ask_with(line: &str, rest: &str, who: &Identity) -> (String, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(4096);
        let (calls, mut questions) = mpsc::channel(1);
        let (_allowed, list) = watch::channel(access());
        let (logs, events) = (Archive::new(PathBuf::new()), History::new(PathBuf::new()));
        Front::new(router(&Desk { calls, list, logs, events })).welcome(server, who.clone());
        // A question that nobody answers is answered as well: the agent is ending.
        let loop_ends = tokio::spawn(async move { questions.recv().await.is_some() });
        let (head, body) = rest.split_once("\r\n\r\n").unwrap_or_default();
        let head = format!("{line} HTTP/1.1\r\nhost: m\r\nconnection: close\r\n{head}");
        let request = if head.ends_with("\r\n") { head + "\r\n" } else { head + "\r\n\r\n" };
        client.write_all((request + body).as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let asked = loop_ends.is_finished() && loop_ends.await.unwrap();
        (answer, asked)
    })
}

/// Returns what a body takes in a request.
fn body(kind: &str, body: &str) -> String {
    format!("content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
