//! The services that `fake.py` pretends to be; see its head for what can be planned and looked at.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::{http, python};

/// The fakes; they end with the value.
#[derive(Debug)]
pub(crate) struct Fake {
    child: Child,
    said: Value,
}

impl Fake {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts them with options; see the head of `fake.py`.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let mut command = python::script("fake.py");
        command.args(options);
        // It ends with its stdin, too, so that nothing is left of a test that was killed.
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the fake said: {line}"));
        Self { child, said }
    }

    /// Returns where a service is, without a slash at its end.
    pub(crate) fn url(&self, provider: &str) -> String {
        self.said["urls"][provider].as_str().expect("the fakes are named in `fake.py`").to_owned()
    }

    /// Returns what a service knows of its user: tokens, keys, names.
    pub(crate) fn account(&self, provider: &str) -> Value {
        self.said["accounts"][provider].clone()
    }

    /// Turns a knob; see `Control.set` in `fake.py`.
    pub(crate) fn set(&self, knobs: &Value) {
        let (status, said) = self.ask("POST", "_set", &knobs.to_string());
        assert_eq!(status, 200, "{said}");
    }

    /// Plans an answer.
    pub(crate) fn plan(&self, answer: &Value) {
        self.set(&json!({ "answer": answer }));
    }

    /// Adds a record of somebody else; returns it.
    pub(crate) fn add(&self, record: &Value) -> Value {
        let (status, said) = self.ask("POST", "_records", &record.to_string());
        assert_eq!(status, 200, "{said}");
        serde_json::from_str(&said).unwrap()
    }

    /// Returns what a service holds.
    pub(crate) fn records(&self, provider: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(&self.ask("GET", "_records", "").1).unwrap();
        all[provider].as_array().cloned().unwrap_or_default()
    }

    /// Returns the requests to a service, oldest first.
    pub(crate) fn log(&self, provider: &str) -> Vec<Value> {
        let all: Vec<Value> = serde_json::from_str(&self.ask("GET", "_log", "").1).unwrap();
        all.into_iter().filter(|request| request["provider"] == provider).collect()
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let url = format!("{}/{path}", self.url("hook"));
        http::ask(method, &url, "Content-Type: application/json\r\n", body).unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
