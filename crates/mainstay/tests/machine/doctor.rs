//! What `check` and `doctor` find before it gets in the way.

use std::fs;

use serde_json::Value;

use crate::sandbox::Sandbox;

const MISSING: &str = "[services.here]\ncommand = [\"true\"]\n\
                       [services.gone]\ncommand = [\"/opt/no-such-program\"]\n\
                       [services.off]\ncommand = [\"no-such-program\"]\nstart = \"disabled\"\n";

#[test]
fn a_program_that_is_not_there_is_no_mistake_of_the_file_and_told_all_the_same() {
    let sandbox = Sandbox::new(MISSING);
    let check = sandbox.ask(&["check"]);
    assert_eq!(check.code, 0, "{check:?}");
    let warning = "warning: program of `gone`: there is no `/opt/no-such-program`\n";
    assert_eq!(check.err, warning);
    let json: Value = serde_json::from_str(&sandbox.get(&["check", "--json"])).unwrap();
    assert_eq!(json["missing"][0]["service"], "gone");

    let doctor = sandbox.ask(&["doctor", "--instance", &sandbox.file().display().to_string()]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    let told =
        "BAD  program of `gone`: there is no `/opt/no-such-program`\n     it cannot be started\n";
    assert!(doctor.out.contains(told), "{doctor:?}");
    assert!(!doctor.out.contains("`off`"), "what is never started need not be there: {doctor:?}");

    fs::write(sandbox.file(), "[services.here]\ncommand = [\"true\"]\n").unwrap();
    let check = sandbox.ask(&["check"]);
    assert_eq!((check.code, check.err.as_str()), (0, ""));
}

#[test]
fn each_finding_has_a_verdict_for_programs() {
    let sandbox = Sandbox::new(MISSING);
    let answer = sandbox.ask(&["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_str(&answer.out).unwrap();
    let verdicts: Vec<&str> =
        findings.iter().filter_map(|finding| finding["verdict"].as_str()).collect();
    assert_eq!(verdicts.len(), findings.len(), "{answer:?}");
    assert!(verdicts.contains(&"ok"), "{answer:?}");
    let bad = findings.iter().filter(|finding| finding["verdict"] == "bad");
    assert!(bad.clone().all(|finding| finding["remedy"] != ""), "{answer:?}");
    assert_eq!(answer.code, i32::from(bad.count() > 0));
}
