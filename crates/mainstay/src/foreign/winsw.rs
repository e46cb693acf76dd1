//! `WinSW`: an XML file beside its program, with the names of versions 2 and 3.

use std::time::Duration;

use roxmltree::{Document, Node};

use super::{
    Equivalent, Registered, Remarks, Translation, Untranslatable, Variables, Wrapper,
    equivalent::{Log, priority},
    expanded,
    words::split_arguments,
};

/// How long `WinSW` waits after Ctrl-C.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// What a log of `WinSW` may have, and how many it keeps, when it rolls by size.
const ROLLED_AT_KIB: u64 = 10_240;
const KEPT: u32 = 8;

/// A configuration file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    pub(crate) text: &'a str,
    /// Its folder, which it calls `%BASE%`.
    pub(crate) folder: &'a str,
}

pub(crate) fn translate(
    file: File<'_>,
    variables: Variables<'_>,
) -> Result<Translation, Untranslatable> {
    let document = Document::parse(file.text).map_err(|error| {
        Untranslatable::new(
            format!("the file is no XML: {error}"),
            "a file of WinSW 2 in YAML is not read",
        )
    })?;
    let root = document.root_element();
    if !root.has_tag_name("service") {
        let what = format!("its root is `{}`, not `service`", root.tag_name().name());
        return Err(Untranslatable::new(what, "name the XML file beside the WinSW program"));
    }
    let service = Service { root, file, variables };
    let mut remarks = Remarks::default();
    let mut equivalent = Equivalent::default();
    let registered = registered(&service)?;
    program(&service, &mut equivalent, &mut remarks)?;
    failures(&service, &mut equivalent, &mut remarks);
    stop(&service, &mut equivalent, &mut remarks);
    logs(&service, &mut equivalent, &mut remarks);
    for node in root.children().filter(Node::is_element) {
        leftover(&service, node, &mut equivalent, &mut remarks);
    }
    remarks.registered(&registered);
    Ok(Translation { wrapper: Wrapper::Winsw, registered, equivalent, remarks: remarks.0 })
}

/// The root of a file.
struct Service<'a, 'i> {
    root: Node<'a, 'i>,
    file: File<'a>,
    variables: Variables<'a>,
}

impl<'a, 'i> Service<'a, 'i> {
    fn all(&self, name: &str) -> Vec<Node<'a, 'i>> {
        self.root.children().filter(|node| is(node, name)).collect()
    }

    fn node(&self, name: &str) -> Option<Node<'a, 'i>> {
        self.all(name).into_iter().next()
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.expanded(self.node(name)?.text().unwrap_or_default().trim());
        Some(text).filter(|text| !text.is_empty())
    }

    fn expanded(&self, text: &str) -> String {
        let own = |name: &str| {
            if name.eq_ignore_ascii_case("BASE") {
                return Some(self.file.folder.to_owned());
            }
            let is_meant = |node: &Node<'_, '_>| {
                node.attribute("name").is_some_and(|other| other.eq_ignore_ascii_case(name))
            };
            let set = self.all("env").into_iter().find(is_meant);
            // What it says itself is replaced too, but not by itself.
            let set = set.and_then(|node| node.attribute("value")).map(|value| {
                expanded(value, &|inner| match inner {
                    "BASE" => Some(self.file.folder.to_owned()),
                    _ => (self.variables)(inner),
                })
            });
            set.or_else(|| (self.variables)(name))
        };
        expanded(text, &own)
    }

    /// An empty element is a yes.
    fn is_on(&self, name: &str) -> bool {
        let node = self.node(name);
        node.is_some_and(|node| {
            !node.text().is_some_and(|text| text.trim().eq_ignore_ascii_case("false"))
        })
    }
}

/// Cases differ between versions.
fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

fn registered(service: &Service<'_, '_>) -> Result<Registered, Untranslatable> {
    let name = service.text("id").ok_or_else(|| {
        Untranslatable::new("it has no `<id>`", "WinSW needs one, too: the name of the service")
    })?;
    let mode = service.text("startmode").unwrap_or_default().to_lowercase();
    let start = match mode.as_str() {
        "manual" => "demand",
        "disabled" => "disabled",
        _ if service.is_on("delayedAutoStart") => "delayed",
        _ => "auto",
    };
    let depend = service.all("depend").into_iter();
    let account = service.node("serviceaccount").and_then(|account| {
        let part = |name: &str| {
            let node = account.children().find(|node| is(node, name))?;
            Some(node.text().unwrap_or_default().trim().to_owned())
        };
        let user = part("username").or_else(|| part("user"))?;
        Some(part("domain").map_or(user.clone(), |domain| format!("{domain}\\{user}")))
    });
    Ok(Registered {
        name,
        display_name: service.text("name").unwrap_or_default(),
        description: service.text("description").unwrap_or_default(),
        command_line: String::new(),
        start: start.to_owned(),
        account: account.unwrap_or_else(|| "LocalSystem".to_owned()),
        dependencies: depend.filter_map(|node| Some(node.text()?.trim().to_owned())).collect(),
    })
}

fn program(
    service: &Service<'_, '_>,
    equivalent: &mut Equivalent,
    remarks: &mut Remarks,
) -> Result<(), Untranslatable> {
    let executable = service.text("executable").ok_or_else(|| {
        Untranslatable::new("it has no `<executable>`", "without one nothing is run")
    })?;
    remarks.same(("executable", &executable), "the first word of `command`");
    equivalent.command = vec![executable];
    let whole = ["startarguments", "arguments"];
    if let Some((name, line)) = whole.iter().find_map(|name| Some((*name, service.text(name)?))) {
        remarks.better((name, &line), "one word each, so quotes cannot go wrong");
        equivalent.command.extend(split_arguments(&line));
    }
    for name in ["startargument", "argument"] {
        for node in service.all(name) {
            let word = service.expanded(node.text().unwrap_or_default().trim());
            remarks.same((name, &word), "a word of `command`");
            equivalent.command.push(word);
        }
    }
    let directory = service.text("workingdirectory");
    if let Some(directory) = &directory {
        remarks.same(("workingdirectory", directory), "`directory`");
    }
    equivalent.directory = directory.or_else(|| Some(service.file.folder.to_owned()));
    // Every program gets BASE from WinSW.
    equivalent.environment.push(("BASE".to_owned(), service.file.folder.to_owned()));
    for node in service.all("env") {
        let attribute = |name: &str| node.attribute(name).map(|text| service.expanded(text));
        if let (Some(name), Some(text)) = (attribute("name"), attribute("value")) {
            remarks.same(("env", &name), "`environment`; percent signs are replaced now");
            equivalent.environment.push((name, text));
        }
    }
    Ok(())
}

fn failures(service: &Service<'_, '_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let ended = "the program is not started again; the service itself stays RUNNING";
    remarks.missing(("exit 0", "service stops"), ended);
    equivalent.when = Some("never");
    for node in service.all("onfailure") {
        let action = node.attribute("action").unwrap_or_default();
        let delay = node.attribute("delay").unwrap_or("0");
        let shown = format!("{action} {delay}");
        match (action, duration(delay)) {
            ("restart", Some(delay)) => {
                remarks.same(("onfailure", &shown), "`restart.delays`; the last one repeats");
                equivalent.when = Some("on-failure");
                equivalent.delays.push(delay);
            }
            ("none", _) => {
                let why = "attempts do not end: give `restart.limit` for that";
                remarks.missing(("onfailure", &shown), why);
            }
            _ => remarks
                .missing(("onfailure", &shown), "the machine is never rebooted for a program"),
        }
    }
    if equivalent.delays.iter().all(Duration::is_zero) {
        // At once, for ever: our delays, which grow, are kinder.
        equivalent.delays.clear();
    }
    if let Some(text) = service.text("resetfailure") {
        equivalent.reset_after = duration(&text);
        remarks.same(("resetfailure", &text), "`restart.reset-after`");
    }
}

fn stop(service: &Service<'_, '_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let text = service.text("stoptimeout");
    equivalent.stop_timeout = Some(text.as_deref().and_then(duration).unwrap_or(STOP_TIMEOUT));
    let shown = text.as_deref().unwrap_or("15 sec");
    remarks.better(("stoptimeout", shown), "`stop.timeout`, one deadline for the whole tree");
    let command = ["stopexecutable", "stoparguments", "stopargument"];
    for name in command {
        if let Some(text) = service.text(name) {
            remarks
                .missing((name, &text), "a command for stopping is not supported by this version");
        }
    }
}

fn logs(service: &Service<'_, '_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let log = service.node("log");
    let mode = log.and_then(|log| log.attribute("mode")).map(str::to_owned);
    let mode = mode.or_else(|| service.text("logmode")).unwrap_or_else(|| "append".to_owned());
    let mode = mode.to_lowercase();
    let part = |name: &str| {
        let node = log?.children().find(|node| is(node, name))?;
        node.text()?.trim().parse::<u64>().ok()
    };
    // Two files there, so two streams here.
    equivalent.log = if mode == "none" || mode == "ignore" { Log::Off } else { Log::Split };
    match mode.as_str() {
        "none" | "ignore" => remarks.same(("log", &mode), "`logs = \"off\"`"),
        "append" | "rotate" | "reset" | "roll" => {
            let why = "rotated by size, and 10 closed segments are kept: the disk stays free";
            remarks.better(("log", &mode), why);
        }
        "roll-by-size" | "roll-by-size-time" => {
            let size = part("sizeThreshold").unwrap_or(ROLLED_AT_KIB);
            let keep = part("keepFiles").and_then(|keep| u32::try_from(keep).ok()).unwrap_or(KEPT);
            equivalent.log_size = Some(size.saturating_mul(1024));
            equivalent.log_keep = Some(keep);
            remarks.same(("log", &mode), "`logs.max-size` and `logs.keep`");
        }
        _ => {}
    }
    if mode.contains("time") {
        remarks.missing(("log", &mode), "rotation by age is not supported by this version");
    }
    if let Some(path) = service.text("logpath") {
        let why = "logs are kept in the service's own folder: `mainstay logs`";
        remarks.missing(("logpath", &path), why);
    }
}

/// Elements that are translated above, in small letters.
const TRANSLATED: &[&str] = &[
    "id",
    "name",
    "description",
    "executable",
    "arguments",
    "argument",
    "startarguments",
    "startargument",
    "workingdirectory",
    "env",
    "onfailure",
    "resetfailure",
    "stoptimeout",
    "stopexecutable",
    "stoparguments",
    "stopargument",
    "log",
    "logmode",
    "logpath",
    "startmode",
    "delayedautostart",
    "depend",
    "serviceaccount",
];

fn leftover(
    service: &Service<'_, '_>,
    node: Node<'_, '_>,
    equivalent: &mut Equivalent,
    remarks: &mut Remarks,
) {
    let name = node.tag_name().name();
    let text = service.expanded(node.text().unwrap_or_default().trim());
    let found = (name, text.as_str());
    match name.to_lowercase().as_str() {
        known if TRANSLATED.contains(&known) => {}
        "priority" => {
            equivalent.priority = priority(&text).filter(|word| *word != "normal");
            remarks.same(found, "`priority`");
        }
        "prestart" | "poststart" | "prestop" | "poststop" => {
            remarks.missing(found, "hooks are not supported by this version");
        }
        "download" => {
            let from = node.attribute("from").unwrap_or_default();
            remarks.missing((name, from), "nothing is fetched: let the program do it");
        }
        "hidewindow" => remarks.better(found, "nobody sees a window of a service"),
        "interactive" => remarks.missing(found, "Windows shows nobody the windows of services"),
        "preshutdown" | "preshutdowntimeout" => {
            remarks.better(found, "always, with the time that stopping may take");
        }
        "stopparentprocessfirst" => {
            remarks.better(found, "Ctrl-C reaches the whole tree at once");
        }
        "autorefresh" | "waithint" | "sleeptime" => {
            remarks.better(
                found,
                "the file is watched, and the manager sees a sign of life each second",
            );
        }
        "securitydescriptor" | "securtitydescriptor" => {
            remarks.same(found, "stays with `--replace`");
        }
        "shareddirectorymapping" => {
            remarks.missing(found, "name the share by its UNC path: drives are a session's own");
        }
        "extensions" => remarks.missing(found, "extensions are WinSW's own"),
        _ => remarks.missing(found, "not known; it has no effect here"),
    }
}

/// Reads `10 sec`, `5min`, `1 day`, `1500 ms`; a number alone is milliseconds.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let scale = match unit.trim().to_lowercase().as_str() {
        "" | "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(scale)?))
}
