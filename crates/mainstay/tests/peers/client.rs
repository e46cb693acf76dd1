//! The built binary at work: `mainstay ddns run`, killed and started again as the test likes.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    peer::{Folder, mortal},
    processes::wait_until,
};

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");

/// A client of ours; it ends with the value.
#[derive(Debug)]
pub(crate) struct Client {
    folder: Folder,
    /// The words before our binary in its command line.
    through: Vec<String>,
    child: Option<Child>,
}

impl Client {
    /// Starts one with a configuration as the kind gets it, and waits until it can be asked.
    pub(crate) fn start(config: &Value) -> Self {
        Self::start_through(&[], config)
    }

    /// Prepares one that does not run yet.
    #[cfg(feature = "fail")]
    pub(crate) fn prepared(config: &Value) -> Self {
        let client = Self { folder: Folder::new("client"), through: Vec::new(), child: None };
        client.configure(config);
        client
    }

    /// Does the same with other words before ours, such as those that lead into a namespace.
    pub(crate) fn start_through(through: &[String], config: &Value) -> Self {
        let folder = Folder::new("client");
        let mut client = Self { folder, through: through.to_vec(), child: None };
        client.configure(config);
        client.again();
        client
    }

    /// Writes another configuration, for the next start.
    pub(crate) fn configure(&self, config: &Value) {
        self.folder.write("mainstay.toml", &format!("[services.home]\nddns = {}\n", toml(config)));
    }

    /// Lets other words stand before ours from the next start on.
    pub(crate) fn through(&mut self, words: &[&str]) {
        self.through = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Lets its next starts be so many seconds later, as far as clocks tell.
    pub(crate) fn is_later(&mut self, seconds: usize) {
        let folders = fs::read_dir("/usr/lib").unwrap().flatten();
        let mut paths = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
        let library = paths.find(|path| path.exists());
        let library = library.expect("`cargo xtask prepare` installs `faketime`");
        let preload = format!("LD_PRELOAD={}", library.display());
        let offset = format!("FAKETIME=+{seconds}s");
        // The command of this name would be the process that is killed, and leave the client.
        let once = ["FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DISABLE_SHM=1"];
        self.through(&[&["env"], once.as_slice(), &[&preload, &offset]].concat());
    }

    /// Starts it once more, with what it has kept.
    pub(crate) fn again(&mut self) {
        let mut command = self.command(&["ddns", "run", "mainstay.toml", "--state", "state"]);
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        wait_until("the client can be asked", || self.ask(&["ddns", "status"]).is_some());
    }

    /// Lets it die at a named instant, and waits until it has.
    #[cfg(feature = "fail")]
    pub(crate) fn dies_at(&mut self, point: &str) {
        let folder = self.folder.path().join("fail");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(point), "").unwrap();
        let mut command = self.command(&["ddns", "run", "mainstay.toml", "--state", "state"]);
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command.env("MAINSTAY_FAIL_DIR", &folder);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        wait_until(&format!("it dies at {point}"), || child.try_wait().unwrap().is_some());
        assert!(!folder.join(point).exists(), "it ended before {point}");
    }

    /// Kills it; nothing is left to it to do in order.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Returns what it says of itself.
    pub(crate) fn status(&self) -> Value {
        let status = self.ask(&["ddns", "status", "--json"]).unwrap();
        status["clients"][0].clone()
    }

    /// Returns what it says of a record.
    pub(crate) fn record(&self, id: &str) -> Value {
        let status = self.status();
        let names = status["names"].as_array().unwrap();
        names.iter().find(|name| name["id"] == id).unwrap_or_else(|| panic!("{status}")).clone()
    }

    /// Waits until a record is as it is meant to be; returns what it says of it then.
    pub(crate) fn wait_for(&self, id: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        let mut record = self.record(id);
        wait_until(&format!("`{id}` is as it should be"), || {
            record = self.record(id);
            is_meant(&record)
        });
        record
    }

    /// Waits until an address is published.
    pub(crate) fn wait_for_published(&self, id: &str, address: &str) -> Value {
        self.wait_for(id, |record| {
            record["state"] == "published" && record["published"] == serde_json::json!([address])
        })
    }

    /// Lets it write at once.
    pub(crate) fn update_now(&self) {
        self.ask(&["ddns", "update", "--now", "--json"]).unwrap();
    }

    /// Returns everything that it has printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("client.log")
    }

    /// Asks the client by a command; returns nothing when nobody answers.
    fn ask(&self, arguments: &[&str]) -> Option<Value> {
        let arguments = [arguments, &["--state", "state"]].concat();
        let mut command = self.command(&arguments);
        let output = command.stderr(Stdio::null()).output().unwrap();
        // 1 says that a name is not published.
        let is_told = matches!(output.status.code(), Some(0 | 1)) && !output.stdout.is_empty();
        is_told.then(|| serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let words = self.through.iter().map(String::as_str).chain([BINARY]);
        let words: Vec<&str> = words.chain(arguments.iter().copied()).collect();
        let mut command = mortal(words[0]);
        command.args(&words[1..]).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let status = self.child.is_some().then(|| self.ask(&["ddns", "status", "--json"]));
            print_words(&format!("{}\n{status:?}", self.said()));
        }
        self.kill();
    }
}

#[expect(clippy::print_stderr, reason = "a failed test says all it knows")]
fn print_words(words: &str) {
    eprintln!("what the client said:\n{words}");
}

/// Writes a value as TOML has it, on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pair = |(key, value): (&String, &Value)| format!("{key:?} = {}", toml(value));
            let pairs: Vec<String> = table.iter().map(pair).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        // What JSON writes of texts, numbers and flags, TOML reads.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
