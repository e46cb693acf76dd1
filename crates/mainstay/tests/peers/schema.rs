//! The schema of the configuration file, judged by a validator that is not ours.

use std::{fs, io::Write as _, path::Path, process::Command, process::Stdio};

use mainstay_api::config::{
    SourceText,
    catalogue::{
        parts,
        samples::{example, with},
    },
    parse,
};
use serde_json::{Value, json};

use crate::python;

/// Values that are wrong for most keys.
const VALUES: &[&str] = &[
    "[]",
    "5",
    "-1",
    "'wrong word'",
    "true",
    "{}",
    "1.5",
    "[5]",
    "{ nonsense = 1 }",
    "''",
    "'10 parsecs'",
    "[{ a = 1 }]",
    "' 10MiB'",
    "'.5s 1m'",
    "99999999999",
];

/// What people mistype.
const BROKEN: &[&str] = &[
    "[service.web]\ncommand = 'x'",
    "[services.web]\ncommnd = 'x'",
    "[services.web]",
    "[services.web]\ncommand = 'x'\nshell = 'x'",
    "[services.web]\ncommand = 5",
    "[services.web]\ncommand = 'x'\nrestart = { when = 'sometimes' }",
    "[services.web]\ncommand = 'x'\nrestart = { delay = 5 }",
    "[services.web]\ncommand = 'x'\nstop = { timeout = '5 parsecs' }",
    "[services.web]\ncommand = 'x'\nlogs = { max-size = '10' }",
    "[services.web]\ncommand = 'x'\ninstances = 0",
    "[services.web]\ncommand = 'x'\nchecks = [{ every = '5s' }]",
    "[services.web]\ncommand = 'x'\nchecks = [{ tcp = 80, http = 'http://a/' }]",
    "[services.web]\ncommand = 'x'\nreload = { signal = 'KILL' }",
    "[services.web]\ncommand = 'x'\nenvironment = { A = { secret = 'a', env = 'B' } }",
    "[services.'w eb']\ncommand = 'x'",
    "[groups.a]\ndescription = 'x'",
    "[[access]]\nrole = 'viewer'",
];

fn is_good(text: &str) -> bool {
    parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]).is_ok()
}

/// Returns of each document why the schema refuses it, if it does.
fn judged(documents: &[String]) -> Vec<Option<String>> {
    let printed = Command::new(env!("CARGO_BIN_EXE_mainstay")).arg("schema").output().unwrap();
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let mut script = python::script("schema.py");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let asked = json!({ "schema": schema, "documents": documents }).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let told = child.wait_with_output().unwrap();
    assert!(told.status.success());
    serde_json::from_slice(&told.stdout).unwrap()
}

/// Returns the whole files of the repository: its examples, and what stands in its documents.
fn written() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["examples", "docs", "."] {
        collect(&root.join(folder), folder != ".", &mut found);
    }
    found
}

fn collect(folder: &Path, is_deep: bool, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if is_deep {
                collect(&path, is_deep, found);
            }
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.file_name().unwrap().to_string_lossy();
        if name == "mainstay.toml" {
            found.push(text);
        } else if name.ends_with(".md") {
            let blocks = text.split("```toml\n").skip(1);
            found.extend(blocks.filter_map(|block| Some(block.split_once("```")?.0.to_owned())));
        }
    }
}

#[test]
fn every_file_of_the_repository_and_every_example_is_good_for_the_schema() {
    let mut documents = written();
    // A table of `ddns` without accounts is a part of one, shown by itself.
    let is_whole = |text: &str| !text.contains(".ddns") || text.contains("accounts");
    documents.retain(|text| is_good(text) && text.contains("services") && is_whole(text));
    assert!(documents.len() > 10, "{}", documents.len());
    let keys = parts().into_iter().flat_map(|part| part.keys.iter().map(move |key| (part, key)));
    documents.extend(keys.map(|(part, key)| example(part, key)));
    for (text, refused) in documents.iter().zip(judged(&documents)) {
        assert_eq!(refused, None, "{text}");
    }
}

#[test]
fn what_people_mistype_is_refused_by_schema_and_parser() {
    let documents: Vec<String> = BROKEN.iter().map(ToString::to_string).collect();
    for (text, refused) in documents.iter().zip(judged(&documents)) {
        assert!(refused.is_some() && !is_good(text), "{text}");
    }
}

#[test]
fn the_schema_refuses_nothing_that_the_parser_takes() {
    let mut documents = Vec::new();
    for part in parts() {
        // What stands in a kind's table its own program reads.
        for key in part.keys.iter().filter(|key| key.name != "ddns") {
            documents.extend(VALUES.iter().map(|value| with(part, key.name, value)));
        }
    }
    let mut both = 0;
    for (text, refused) in documents.iter().zip(judged(&documents)) {
        if let Some(why) = refused {
            assert!(!is_good(text), "{why}\n{text}");
            both += 1;
        }
    }
    assert!(both > 1000, "{both} of {}", documents.len());
}
