//! Stories of messages: what counts, what is a mistake, what is ignored.

use super::*;

fn parse(text: &str) -> Message {
    Message::parse(text.as_bytes()).unwrap()
}

fn faults(text: &str) -> Vec<(String, &'static str)> {
    parse(text).faults.into_iter().map(|fault| (fault.key, fault.what)).collect()
}

#[test]
fn a_message_says_many_things_at_once() {
    let text = "READY=1\nSTATUS=Serving 3 clients\nMAINPID=4711\nWATCHDOG_USEC=20000000\n";
    let expected = Message {
        stage: Some(Stage::Ready),
        status: Some("Serving 3 clients".to_owned()),
        main_pid: Some(4711),
        alive_every: Some(Duration::from_secs(20)),
        ..Message::default()
    };
    assert_eq!(parse(text), expected);
    assert_eq!(parse(&text.replace('\n', "\r\n")), expected);
    assert_eq!(Message::parse(&[text.as_bytes(), b"\0"].concat()), Ok(expected));
}

#[test]
fn of_several_stages_the_last_one_counts() {
    let stage = |text| parse(text).stage;
    assert_eq!(stage("READY=1\nSTOPPING=1"), Some(Stage::Stopping));
    assert_eq!(stage("STOPPING=1\nREADY=1"), Some(Stage::Ready));
    assert_eq!(stage("READY=0"), None);
    let since = Some(Duration::from_micros(77));
    assert_eq!(stage("MONOTONIC_USEC=77\nRELOADING=1"), Some(Stage::Reloading(since)));
    assert_eq!(stage("RELOADING=1"), Some(Stage::Reloading(None)));
}

#[test]
fn signs_of_life_are_read() {
    assert_eq!(parse("WATCHDOG=1").life, Some(Life::Well));
    assert_eq!(parse("WATCHDOG=trigger").life, Some(Life::Ailing));
    assert_eq!(parse("WATCHDOG_USEC=0").alive_every, Some(Duration::ZERO));
    assert_eq!(parse("EXTEND_TIMEOUT_USEC=5").extend, Some(Duration::from_micros(5)));
}

#[test]
fn descriptors_are_kept_or_dropped_under_a_name() {
    let keep = |name: &str, poll| Some(Storing::Keep { name: name.to_owned(), poll });
    assert_eq!(parse("FDSTORE=1").storing, keep(STORED, Poll::Yes));
    assert_eq!(parse("FDSTORE=1\nFDNAME=web\nFDPOLL=0").storing, keep("web", Poll::No));
    assert_eq!(parse("FDPOLL=1\nFDNAME=web\nFDSTORE=1").storing, keep("web", Poll::Yes));
    let name = "web".to_owned();
    assert_eq!(parse("FDSTOREREMOVE=1\nFDNAME=web").storing, Some(Storing::Drop { name }));
    assert_eq!(parse("FDNAME=web").storing, None);
    assert_eq!(faults("FDSTORE=1\nFDNAME=a:b").len(), 1);
}

#[test]
fn reasons_and_rights_are_read() {
    let message = parse("ERRNO=2\nBUSERROR=org.x.Failed\nVARLINKERROR=io.x.Gone\nEXIT_STATUS=7");
    assert_eq!(message.errno, Some(2));
    assert_eq!(message.bus_error.as_deref(), Some("org.x.Failed"));
    assert_eq!(message.varlink_error.as_deref(), Some("io.x.Gone"));
    assert_eq!(message.exit_status, Some(7));
    let access = |text| parse(text).access;
    assert_eq!(access("NOTIFYACCESS=none"), Some(Access::None));
    assert_eq!(access("NOTIFYACCESS=main"), Some(Access::Main));
    assert_eq!(access("NOTIFYACCESS=all"), Some(Access::All));
}

#[test]
fn a_bad_value_is_named_and_takes_nothing_else_along() {
    let bad = [
        "ERRNO=x",
        "ERRNO=5000",
        "MAINPID=0",
        "MAINPID=1",
        "MAINPID=99999999999",
        "WATCHDOG=maybe",
        "WATCHDOG_USEC=-1",
        "EXTEND_TIMEOUT_USEC=soon",
        "EXIT_STATUS=256",
        "NOTIFYACCESS=some",
        "FDPOLL=perhaps",
        "BUSERROR=a b",
        "X_MAINSTAY_FACT=Name=1",
        "X_MAINSTAY_FACT=name",
        "X_MAINSTAY_EVENT=name",
        "X_MAINSTAY_EVENT=name= ",
    ];
    for line in bad {
        let message = parse(&format!("{line}\nREADY=1"));
        assert_eq!(message.faults.len(), 1, "{line}");
        assert_eq!(message.stage, Some(Stage::Ready), "{line}");
    }
    let message = Message::parse(b"STATUS=\xFF\xFE\nREADY=1").unwrap();
    assert_eq!((message.status, message.stage), (None, Some(Stage::Ready)));
    assert_eq!(message.faults.len(), 1);
}

#[test]
fn what_nobody_knows_is_ignored() {
    assert_eq!(parse("X_OTHER=1\nMAINPIDFDID=77\nnonsense\n=\n\nFUTURE=\u{1F600}"), parse(""));
    assert_eq!(Message::parse(b"X_OTHER=\xFF").unwrap(), Message::default());
}

#[test]
fn events_come_in_order_and_not_without_end() {
    let told = parse("X_MAINSTAY_EVENT=moved=it is x\nX_MAINSTAY_EVENT=moved=it is\ty").events;
    let pair = |words: &str| ("moved".to_owned(), words.to_owned());
    assert_eq!(told, [pair("it is x"), pair("it is y")]);
    let many: Vec<String> = (0..10).map(|n| format!("X_MAINSTAY_EVENT=n=a{n}")).collect();
    let many = parse(&many.join("\n"));
    assert_eq!((many.events.len(), many.faults.len()), (EVENTS_MAX, 2));
}

#[test]
fn facts_have_names_values_and_limits() {
    let facts = parse("X_MAINSTAY_FACT=public.url=https://x/?a=b\nX_MAINSTAY_FACT=port=80").facts;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(facts, [pair("public.url", "https://x/?a=b"), pair("port", "80")]);
    let twice = parse("X_MAINSTAY_FACT=port=80\nX_MAINSTAY_FACT=port=81").facts;
    assert_eq!(twice, [pair("port", "81")]);
    let many: Vec<String> = (0..40).map(|n| format!("X_MAINSTAY_FACT=n{n}=1")).collect();
    let many = parse(&many.join("\n"));
    assert_eq!((many.facts.len(), many.faults.len()), (FACTS_MAX, FAULTS_MAX));
    let long = format!("X_MAINSTAY_FACT=a={}", "x".repeat(FACT_VALUE_BYTES_MAX + 1));
    assert_eq!(faults(&long).len(), 1);
}

#[test]
fn a_status_is_cut_and_sends_no_escape_codes() {
    let status = |text: &str| parse(&format!("STATUS={text}")).status.unwrap();
    assert_eq!(status("a\x1b[2Jb\u{9b}c\td"), "a [2Jb c d");
    assert_eq!(status(&"é".repeat(600)), "é".repeat(512));
    assert_eq!(status(""), "");
}

#[test]
fn a_barrier_is_alone() {
    assert!(parse("BARRIER=1").is_barrier);
    assert!(parse("BARRIER=1\n").is_barrier);
    let company = Message::parse(b"BARRIER=1\nREADY=1");
    assert_eq!(company, Err(MessageError::BarrierInCompany));
}

#[test]
fn what_cannot_be_a_message_is_refused() {
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    assert_eq!(Message::parse(&long), Err(MessageError::TooLong));
    assert_eq!(Message::parse(b"READY=1\0STATUS=x"), Err(MessageError::Nul));
    Message::parse(&long[1..]).unwrap();
    assert_eq!(Message::parse(b""), Ok(Message::default()));
}
