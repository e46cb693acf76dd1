//! NSSM: values below `Parameters` in the service's key of the registry.

mod output;

use std::{collections::BTreeMap, time::Duration};

use mainstay_platform::registry::{Data, Value};

use super::{
    Equivalent, Registered, Remarks, Translation, Untranslatable, Variables, Wrapper,
    equivalent::span,
    expanded, variable,
    words::{folder_of, split_arguments},
};

/// How long NSSM waits after each way to ask a program to leave.
const STEP: Duration = Duration::from_millis(1500);
/// What NSSM calls a program that has done well, in milliseconds.
const THROTTLE_MS: u32 = 1500;

/// What was found of a service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) registered: Registered,
    /// The values of `Parameters`.
    pub(crate) parameters: Vec<Value>,
    /// The values of `Parameters\AppExit`.
    pub(crate) exits: Vec<Value>,
    /// The hooks of `Parameters\AppEvents`.
    pub(crate) hooks: Vec<Hook>,
}

/// When something is run, such as `Start/Pre`, and its command.
pub(crate) type Hook = (String, String);

/// Returns whether a key's parameters are NSSM's, or those of srvany, which it took over.
pub(crate) fn is_known(parameters: &[Value]) -> bool {
    parameters.iter().any(|value| value.name.eq_ignore_ascii_case("Application"))
}

pub(crate) fn translate(
    found: &Found,
    variables: Variables<'_>,
) -> Result<Translation, Untranslatable> {
    let values = Values::of(&found.parameters, variables);
    let mut equivalent = Equivalent::default();
    let mut remarks = Remarks::default();
    program(&values, &mut equivalent, &mut remarks)?;
    environment(&values, &mut equivalent, &mut remarks);
    exits(&found.exits, &mut equivalent, &mut remarks);
    delays(&values, &mut equivalent, &mut remarks);
    stop(&values, &mut equivalent, &mut remarks);
    output::translate(&values, &mut equivalent, &mut remarks);
    process(&values, &mut equivalent, &mut remarks);
    for (event, command) in &found.hooks {
        let name = format!("AppEvents {event}");
        remarks.missing((&name, command), "hooks are not supported by this version");
    }
    for (name, text) in values.others() {
        remarks.missing((name, &text), "not known; it has no effect here");
    }
    remarks.registered(&found.registered);
    let registered = found.registered.clone();
    Ok(Translation { wrapper: Wrapper::Nssm, registered, equivalent, remarks: remarks.0 })
}

/// Values by their names in small letters.
struct Values<'a> {
    all: BTreeMap<String, &'a Value>,
    variables: Variables<'a>,
}

impl<'a> Values<'a> {
    fn of(values: &'a [Value], variables: Variables<'a>) -> Self {
        let all = values.iter().map(|value| (value.name.to_lowercase(), value)).collect();
        Self { all, variables }
    }

    fn data(&self, name: &str) -> Option<&'a Data> {
        self.all.get(&name.to_lowercase()).map(|value| &value.data)
    }

    /// Returns a text that says something, with its variables replaced.
    fn text(&self, name: &str) -> Option<String> {
        let text = match self.data(name)? {
            Data::Expandable(text) => expanded(text, self.variables),
            Data::Text(text) => text.clone(),
            Data::Texts(_) | Data::Number(_) | Data::Other { .. } => return None,
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.data(name).and_then(Data::number)
    }

    fn is_on(&self, name: &str) -> bool {
        self.number(name).is_some_and(|number| number != 0)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        match self.data(name) {
            Some(Data::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    /// Returns what nobody here knows.
    fn others(&self) -> Vec<(&str, String)> {
        let unknown = self.all.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        unknown.map(|(_, value)| (value.name.as_str(), shown(&value.data))).collect()
    }
}

/// Every value that is translated or explained, in small letters.
const KNOWN: &[&str] = &[
    "application",
    "appparameters",
    "appdirectory",
    "appenvironment",
    "appenvironmentextra",
    "appexit",
    "apprestartdelay",
    "appthrottle",
    "appstopmethodskip",
    "appstopmethodconsole",
    "appstopmethodwindow",
    "appstopmethodthreads",
    "appkillprocesstree",
    "appstdin",
    "appstdout",
    "appstderr",
    "appstdinsharemode",
    "appstdoutsharemode",
    "appstderrsharemode",
    "appstdincreationdisposition",
    "appstdoutcreationdisposition",
    "appstderrcreationdisposition",
    "appstdinflagsandattributes",
    "appstdoutflagsandattributes",
    "appstderrflagsandattributes",
    "appstdoutcopyandtruncate",
    "appstderrcopyandtruncate",
    "approtatefiles",
    "approtateonline",
    "approtateseconds",
    "approtatebytes",
    "approtatebyteshigh",
    "approtatedelay",
    "apptimestamplog",
    "apppriority",
    "appaffinity",
    "appnoconsole",
    "appredirecthook",
];

fn program(
    values: &Values<'_>,
    equivalent: &mut Equivalent,
    remarks: &mut Remarks,
) -> Result<(), Untranslatable> {
    let application = values.text("Application").ok_or_else(|| {
        Untranslatable::new("its key has no `Application`", "`nssm edit NAME` shows what it runs")
    })?;
    remarks.same(("Application", &application), "the first word of `command`");
    let directory = values.text("AppDirectory");
    let shown = directory.as_deref().unwrap_or("(the program's)");
    remarks.same(("AppDirectory", shown), "`directory`");
    let own = Some(folder_of(&application)).filter(|folder| !folder.is_empty());
    equivalent.directory = directory.or_else(|| own.map(str::to_owned));
    equivalent.command = vec![application];
    if let Some(parameters) = values.text("AppParameters") {
        remarks.better(("AppParameters", &parameters), "one word each, so quotes cannot go wrong");
        equivalent.command.extend(split_arguments(&parameters));
    }
    Ok(())
}

fn environment(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    for (name, is_whole) in [("AppEnvironment", true), ("AppEnvironmentExtra", false)] {
        let texts = values.texts(name);
        if texts.is_empty() {
            continue;
        }
        let names: Vec<&str> =
            texts.iter().map(|text| text.split('=').next().unwrap_or_default()).collect();
        let shown = names.join(", ");
        if is_whole {
            let why = "set in `environment`, but variables of the account stay, too";
            remarks.missing((name, &shown), why);
        } else {
            remarks.same((name, &shown), "`environment`; percent signs are replaced now");
        }
        let read = texts.iter().filter_map(|text| variable(&expanded(text, values.variables)));
        equivalent.environment.extend(read);
    }
}

/// `Suicide` ends the service without a word to the manager, which takes it for a crash.
fn exits(values: &[Value], equivalent: &mut Equivalent, remarks: &mut Remarks) {
    for value in values {
        let text = value.data.text().unwrap_or_default();
        let code = value.name.parse::<i64>().ok().and_then(|code| {
            u32::try_from(code).ok().or_else(|| i32::try_from(code).ok().map(i32::cast_unsigned))
        });
        let is_default = value.name.is_empty() || value.name.eq_ignore_ascii_case("Default");
        let setting =
            if is_default { "AppExit Default" } else { &format!("AppExit {}", value.name) };
        let Some((action, is_same)) = action(text) else {
            remarks.missing((setting, text), "no action of NSSM; it has no effect here");
            continue;
        };
        match (is_default, code) {
            (true, _) if action == "restart" => {}
            (true, _) => by_default(equivalent, action),
            (false, Some(code)) => drop(equivalent.exits.insert(code, action)),
            (false, None) => {
                remarks.missing((setting, text), "no exit code; it has no effect here");
                continue;
            }
        }
        if is_same {
            let key = if is_default { "restart.when" } else { "restart.exit" };
            remarks.same((setting, text), format!("`{key}`"));
        } else {
            let why = "the service ends with the code, and recovery follows only after `mainstay service edit NAME --on-failure scm`";
            remarks.missing((setting, text), why);
        }
    }
}

/// NSSM's default is for every code, also for 0.
fn by_default(equivalent: &mut Equivalent, action: &'static str) {
    if action == "exit" {
        equivalent.exits.entry(0).or_insert(action);
    } else {
        equivalent.when = Some("never");
    }
    equivalent.failure = Some(action);
}

/// Returns what follows an exit here, and whether it is the same.
fn action(text: &str) -> Option<(&'static str, bool)> {
    let actions = [
        ("Restart", "restart", true),
        ("Ignore", "stop", true),
        ("Exit", "exit", true),
        ("Suicide", "exit", false),
    ];
    let found = actions.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text));
    found.map(|(_, action, is_same)| (*action, *is_same))
}

fn delays(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let throttle = values.number("AppThrottle");
    let shown = throttle.unwrap_or(THROTTLE_MS).to_string();
    let why = "delays grow from `restart.delay` to 1 minute with jitter, and the service is never PAUSED meanwhile";
    remarks.better(("AppThrottle", &shown), why);
    equivalent.reset_after = throttle.map(milliseconds);
    if let Some(delay) = values.number("AppRestartDelay").filter(|delay| *delay > 0) {
        remarks
            .same(("AppRestartDelay", &delay.to_string()), "`restart.delay`; it grows from there");
        equivalent.delay = Some(milliseconds(delay));
    }
}

fn stop(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let skipped = values.number("AppStopMethodSkip").unwrap_or_default();
    if skipped != 0 {
        let why = "all ways are tried: Ctrl-C, WM_CLOSE, WM_QUIT, and at the deadline the end";
        remarks.missing(("AppStopMethodSkip", &skipped.to_string()), why);
    }
    let steps = ["AppStopMethodConsole", "AppStopMethodWindow", "AppStopMethodThreads"];
    let set = steps.map(|name| values.number(name));
    if set.iter().any(Option::is_some) {
        let all: Duration = set.iter().map(|step| step.map_or(STEP, milliseconds)).sum();
        for (name, step) in steps.iter().zip(set) {
            let Some(step) = step else { continue };
            let why =
                format!("part of `stop.timeout`, one deadline for the whole tree: {}", span(all));
            remarks.better((name, &step.to_string()), why);
        }
        equivalent.stop_timeout = Some(all.max(Duration::from_secs(1)));
    }
    match values.number("AppKillProcessTree") {
        Some(0) => {
            remarks.same(("AppKillProcessTree", "0"), "`stop.scope = \"process\"`");
            equivalent.leaves_tree = true;
        }
        _ => remarks.better(
            ("AppKillProcessTree", "1"),
            "a job holds the tree, so that no number of a process is mistaken",
        ),
    }
}

fn process(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    if let Some(class) = values.number("AppPriority") {
        let shown = format!("0x{class:x}");
        match priority_of(class) {
            Some("normal") => remarks.same(("AppPriority", &shown), "it is the usual one"),
            Some(word) => {
                remarks.same(("AppPriority", &shown), format!("`priority = \"{word}\"`"));
                equivalent.priority = Some(word);
            }
            None => remarks.missing(("AppPriority", &shown), "it is no class of Windows"),
        }
    }
    if let Some(affinity) = values.text("AppAffinity") {
        remarks.same(("AppAffinity", &affinity), "`affinity`");
        equivalent.affinity = Some(affinity);
    }
    if let Some(flag) = values.number("AppNoConsole") {
        let why = "each program has a console that nobody sees, so that Ctrl-C reaches it";
        remarks.better(("AppNoConsole", &flag.to_string()), why);
    }
    if values.is_on("AppRedirectHook") {
        remarks.missing(("AppRedirectHook", "1"), "hooks are not supported by this version");
    }
}

fn priority_of(class: u32) -> Option<&'static str> {
    match class {
        0x100 => Some("realtime"),
        0x80 => Some("high"),
        0x8000 => Some("above-normal"),
        0x20 => Some("normal"),
        0x4000 => Some("below-normal"),
        0x40 => Some("idle"),
        _ => None,
    }
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

fn shown(data: &Data) -> String {
    match data {
        Data::Text(text) | Data::Expandable(text) => text.clone(),
        Data::Texts(texts) => texts.join(", "),
        Data::Number(number) => number.to_string(),
        Data::Other { bytes, .. } => format!("{} bytes", bytes.len()),
    }
}
