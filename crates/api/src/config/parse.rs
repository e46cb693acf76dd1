//! From text to configuration, with every error that there is.

use std::{collections::BTreeMap, ops::Range, path::Path};

use mainstay_core::{
    ServiceName,
    service::{Delays, ExitAction, ExitKey, Nature, RestartWhen, StartType},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Config, Diagnostic, RestartConfig, SERVICE_DEFAULTS, ServiceConfig, StopConfig, access, care,
    catalogue,
    fields::{Fields, Placed, Reading, bounded_duration, mistyped},
    groups::{self, Groups},
    kind::{self, KindConfig},
    links::{self, Named},
    logs, once, program,
    rules::{self, Places, Spot},
    secrets::{self, Fetched},
    share,
};
use crate::keeper::{Scope, SignalName};

/// A configuration file over this size is refused.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// So many digits, or more, number the segments of a log.
const SEGMENT_DIGITS: usize = 6;

/// What a text begins with that is UTF-16, in either order of bytes.
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// Keys of a service that later versions know.
const LATER: &[&str] = &["user"];

/// Signals by their names in the configuration.
const SIGNALS: &[(&str, SignalName)] = &[
    ("TERM", SignalName::Term),
    ("INT", SignalName::Interrupt),
    ("HUP", SignalName::Hangup),
    ("QUIT", SignalName::Quit),
    ("USR1", SignalName::User1),
    ("USR2", SignalName::User2),
    ("KILL", SignalName::Kill),
];

/// Signals that a program may die of, by their names and numbers.
const DEADLY: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
];

/// A file's name and contents.
#[derive(Debug, Clone, Copy)]
pub struct SourceText<'a> {
    /// Its name, for messages; relative paths in it begin at its folder.
    pub file: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// Reads all files of an instance; returns every mistake when there is any.
pub fn parse(files: &[SourceText<'_>]) -> Result<Config, Vec<Diagnostic>> {
    let (config, places, _, mut found) = read_all(files);
    rules::check(&config, &places, &mut found);
    found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    if found.is_empty() { Ok(config) } else { Err(found) }
}

/// Returns where a service is named by others and by groups, which must let go of it before it can
/// be removed.
pub fn named_by(files: &[SourceText<'_>], name: &ServiceName) -> Vec<Diagnostic> {
    let (_, places, groups, _) = read_all(files);
    let mut found = rules::naming(&places, name);
    found.extend(groups::naming(&groups, name));
    found
}

/// What files hold, and what is wrong with each by itself.
type AllRead<'a> = (Config, Places<'a>, Groups<'a>, Vec<Diagnostic>);

fn read_all<'a>(files: &[SourceText<'a>]) -> AllRead<'a> {
    let mut config = Config::default();
    let mut found = Vec::new();
    let (mut places, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for source in files {
        match text_of(source) {
            Ok(text) => {
                let mut reading = Reading { file: source.file, text, found: Vec::new() };
                let mut read =
                    Read { config: &mut config, places: &mut places, groups: &mut groups };
                read_file(&mut reading, &mut read);
                found.append(&mut reading.found);
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
    }
    groups::resolve(&mut config, &mut places, &groups, &mut found);
    (config, places, groups, found)
}

fn text_of<'a>(source: &SourceText<'a>) -> Result<&'a str, Box<Diagnostic>> {
    let size = u64::try_from(source.bytes.len()).unwrap_or(u64::MAX);
    if size > FILE_BYTES_MAX {
        // How many it has is unknown here: whoever reads files stops behind the limit.
        let message = format!("the file has more than {FILE_BYTES_MAX} bytes");
        let help = "split it into files under `services.d`";
        return Err(Box::new(Diagnostic::of_file(source.file, "file-too-large", message, help)));
    }
    if UTF_16.iter().any(|mark| source.bytes.starts_with(mark)) {
        let help = "save it as UTF-8, in Notepad by `Save as`, `Encoding`";
        let message = "the file is UTF-16, which TOML is never written in".to_owned();
        return Err(Box::new(Diagnostic::of_file(source.file, "not-utf-8", message, help)));
    }
    std::str::from_utf8(source.bytes).map_err(|error| {
        let valid = source.bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.split(|byte| *byte == b'\n').count();
        let message = format!("the file is not UTF-8: byte {} in line {line}", valid.len());
        Box::new(Diagnostic::of_file(source.file, "not-utf-8", message, "save it as UTF-8"))
    })
}

/// What has been read of all files so far.
struct Read<'r, 'a> {
    config: &'r mut Config,
    places: &'r mut Places<'a>,
    groups: &'r mut Groups<'a>,
}

fn read_file<'a>(r: &mut Reading<'a>, read: &mut Read<'_, 'a>) {
    let (document, errors) = DeTable::parse_recoverable(r.text);
    if !errors.is_empty() {
        for error in errors {
            let message = error.message().to_owned();
            r.wrong(error.span().unwrap_or_default(), "syntax", message, "");
        }
        return;
    }
    let mut fields = Fields::new(document.get_ref(), "the configuration", &catalogue::ROOT);
    if let Some(services) = fields.table("services", r) {
        for (name, value) in services {
            read_service(r, name, value, read);
        }
    }
    groups::read(&mut fields, r, read.groups);
    access::read(&mut fields, r, &mut read.config.access);
    once::read(&mut fields, r, read.config);
    fields.finish(&[], r);
}

fn read_service<'a>(
    r: &mut Reading<'a>,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    all: &mut Read<'_, 'a>,
) {
    let service = match ServiceName::new(name.get_ref()) {
        Ok(service) => service,
        Err(error) => {
            let message = format!("`{}` cannot name a service", name.get_ref());
            return r.wrong(name.span(), "bad-name", message, error.reason);
        }
    };
    if is_like_a_segment(service.as_str()) {
        let message = format!("`{service}` cannot name a service");
        r.wrong(
            name.span(),
            "bad-name",
            message,
            "closed log segments end with `.` and 6 digits or more",
        );
    }
    let DeValue::Table(table) = value.get_ref() else {
        let _: Option<()> = mistyped(r, value, service.as_str(), "a table", value.get_ref());
        return;
    };
    if let Some(first) = all.places.get(&service) {
        let first = first.diagnostic("", String::new());
        let help = format!("it stands in {}:{} already", first.file, first.line);
        let message = format!("service `{service}` is defined twice");
        return r.wrong(name.span(), "duplicate-service", message, &help);
    }
    let (read, named) = service_of(r, &service, table, name.span());
    let (file, text, name) = (r.file, r.text, name.span());
    all.places.insert(service.clone(), Spot { file, text, name, named, links: Vec::new() });
    all.config.services.insert(service, read);
}

/// Returns whether the logs of a service would be taken for a closed segment of another one.
fn is_like_a_segment(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| {
        end.len() >= SEGMENT_DIGITS && end.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Reads one service; what is wrong with it is noted, so that the rest can be checked all the same.
fn service_of(
    r: &mut Reading<'_>,
    name: &ServiceName,
    table: &DeTable<'_>,
    header: Range<usize>,
) -> (ServiceConfig, Vec<Named>) {
    let mut fields = Fields::new(table, format!("service `{name}`"), &catalogue::SERVICE);
    let Ran { kind, command, directory, environment, mut fetched } = ran(&mut fields, r, header);
    let nature = fields.word("type", &[("daemon", Nature::Daemon), ("task", Nature::Task)], r);
    let start = fields.word("start", START_TYPES, r);
    let instances = fields.number("instances", r).unwrap_or(1);
    let named = links::read(&mut fields, r);
    let mut restart = restart(&mut fields, nature, r);
    let stop = stop(&mut fields, r);
    let logs = logs::read(&mut fields, r);
    let files = limits(&mut fields, r);
    let session = fields.flag("session", r).unwrap_or_default();
    let share = share::read(&mut fields, r);
    let bundles = fields.number("bundles", r);
    let scene = care::Scene {
        directory: &directory,
        nature: nature.unwrap_or_default(),
        usual_ready: kind.as_ref().map(|_| kind::ready(nature)).unwrap_or_default(),
        streams: logs.streams,
    };
    let care = care::read(&mut fields, &scene, r);
    if let Some(kind) = &kind {
        fetched.config = kind.secrets();
        kind::imply(&mut restart);
    }
    fields.finish(LATER, r);
    let service = ServiceConfig {
        command,
        kind,
        directory: Some(directory),
        environment,
        fetched,
        nature: nature.unwrap_or_default(),
        start: start.unwrap_or_default(),
        instances,
        requires: Vec::new(),
        wants: Vec::new(),
        after: Vec::new(),
        before: Vec::new(),
        binds_to: Vec::new(),
        part_of: Vec::new(),
        conflicts: Vec::new(),
        needs_network: false,
        restart,
        stop,
        logs,
        files,
        session,
        share,
        bundles: bundles.unwrap_or(SERVICE_DEFAULTS.bundles),
        care,
    };
    (service, named)
}

/// What a service runs, where, and with what.
struct Ran {
    kind: Option<KindConfig>,
    command: Vec<String>,
    directory: String,
    environment: BTreeMap<String, String>,
    fetched: Fetched,
}

fn ran(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>, header: Range<usize>) -> Ran {
    let kind = kind::read(fields, r);
    let command = match &kind {
        Some(kind) => Some(vec![kind.command()]),
        None => command(fields, r, header.clone()),
    };
    let (command, directory) = (command.unwrap_or_default(), directory(fields, r));
    let secrets::Values { plain, fetched } = secrets::read(fields, r);
    program::check_variables(r, &plain);
    program::check_size(r, &command, &plain, header);
    let environment = plain.into_iter().map(|(name, value)| (name, value.text)).collect();
    Ran { kind, command, directory, environment, fetched }
}

const START_TYPES: &[(&str, StartType)] = &[
    ("auto", StartType::Auto),
    ("delayed", StartType::Delayed),
    ("manual", StartType::Manual),
    ("disabled", StartType::Disabled),
];

fn directory(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> String {
    let directory = fields.text("directory", r);
    if let (Some(text), Some(value)) = (&directory, fields.value("directory")) {
        program::check_text(r, text, &value.span());
        if text.is_empty() {
            let message = "`directory` is empty".to_owned();
            r.wrong(value.span(), "out-of-range", message, "remove it, or write `.`");
        }
    }
    absolute(r.file, directory.as_deref())
}

/// Relative paths begin at the folder of the file that names them.
pub(super) fn absolute(file: &str, directory: Option<&str>) -> String {
    let base = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
    let folder = directory.map_or_else(|| base.to_owned(), |directory| base.join(directory));
    if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() }
}

fn command(
    fields: &mut Fields<'_, '_>,
    r: &mut Reading<'_>,
    header: Range<usize>,
) -> Option<Vec<String>> {
    let (value, shell) = (fields.value("command"), fields.value("shell"));
    match (value, shell) {
        // Whoever has mistyped the key is told so.
        (None, None) if fields.has_like("command") || fields.has_like("shell") => None,
        (None, None) => {
            let help = "add `command = [\"program\", \"argument\"]`";
            r.wrong(header, "no-command", "the service has no command".to_owned(), help);
            None
        }
        (Some(_), Some(shell)) => {
            let message = "`command` and `shell` exclude each other".to_owned();
            r.wrong(shell.span(), "two-commands", message, "remove one of them");
            None
        }
        (None, Some(shell)) => {
            let line = fields.text("shell", r)?;
            program::check_text(r, &line, &shell.span());
            Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), line])
        }
        (Some(value), None) => words(fields, "command", value, r),
    }
}

/// Reads a command: a list of words, or one text that is split as a shell splits words.
pub(super) fn words(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    value: &Spanned<DeValue<'_>>,
    r: &mut Reading<'_>,
) -> Option<Vec<String>> {
    let words = if let DeValue::String(line) = value.get_ref() {
        let Some(words) = shlex::split(line) else {
            let message = format!("`{key}` has a quote that is not closed");
            r.wrong(value.span(), "bad-quotes", message, "");
            return None;
        };
        words
    } else {
        fields.texts(key, r)?.into_iter().map(|word| word.text).collect()
    };
    if words.first().is_none_or(String::is_empty) {
        r.wrong(value.span(), "no-command", format!("`{key}` is empty"), "");
        return None;
    }
    program::check_text(r, &words.concat(), &value.span());
    Some(words)
}

fn restart(
    fields: &mut Fields<'_, '_>,
    nature: Option<Nature>,
    r: &mut Reading<'_>,
) -> RestartConfig {
    let usual = if nature == Some(Nature::Task) { RestartWhen::Never } else { RestartWhen::Always };
    let empty = DeTable::new();
    let table = fields.table("restart", r).unwrap_or(&empty);
    let mut fields = Fields::new(table, "`restart`", &catalogue::RESTART);
    let words = [
        ("always", RestartWhen::Always),
        ("on-failure", RestartWhen::OnFailure),
        ("never", RestartWhen::Never),
    ];
    let config = RestartConfig {
        when: fields.word("when", &words, r).unwrap_or(usual),
        exits: exits(&mut fields, r),
        delays: delays(&mut fields, r),
        reset_after: fields.duration("reset-after", r).unwrap_or(SERVICE_DEFAULTS.reset_after),
        limit: fields.number("limit", r).unwrap_or_default(),
        within: fields.duration("within", r).unwrap_or(SERVICE_DEFAULTS.within),
    };
    fields.finish(&[], r);
    config
}

fn delays(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Delays {
    let first = fields.duration("delay", r);
    let max = fields.duration("max-delay", r);
    if let (Some(max), Some(value)) = (max, fields.value("max-delay"))
        && max < first.unwrap_or(SERVICE_DEFAULTS.delay)
    {
        let message = "`max-delay` is less than `delay`".to_owned();
        r.wrong(value.span(), "out-of-range", message, "give both, the larger one as `max-delay`");
    }
    let max = max.unwrap_or(SERVICE_DEFAULTS.max_delay);
    let Some(list) = fields.texts("delays", r) else {
        let first = first.unwrap_or(SERVICE_DEFAULTS.delay);
        return Delays::Exponential { first, max: max.max(first) };
    };
    if let Some(span) = fields.value("delay").map(Spanned::span) {
        let message = "`delay` and `delays` exclude each other".to_owned();
        r.wrong(span, "two-delays", message, "remove one of them");
    }
    let mut delays = Vec::new();
    for Placed { text, span } in list {
        match bounded_duration(&text) {
            Ok(delay) => delays.push(delay),
            Err(message) => r.wrong(span, "bad-duration", message, ""),
        }
    }
    Delays::List(delays)
}

fn exits(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> BTreeMap<ExitKey, ExitAction> {
    let mut exits = BTreeMap::new();
    for (key, Placed { text, span }) in fields.map("exit", r).unwrap_or_default() {
        let signal = key.strip_prefix("SIG").unwrap_or(&key);
        let signal = DEADLY.iter().find(|(name, _)| *name == signal).map(|(_, number)| *number);
        let failure = (key == "failure").then_some(ExitKey::Failure);
        let key = key.parse().ok().map(ExitKey::Code).or(signal.map(ExitKey::Signal)).or(failure);
        let action = match text.as_str() {
            "restart" => Some(ExitAction::Restart),
            "stop" => Some(ExitAction::Stop),
            "fail" => Some(ExitAction::Fail),
            "exit" => Some(ExitAction::Exit),
            _ => None,
        };
        if let (Some(key), Some(action)) = (key, action) {
            exits.insert(key, action);
        } else {
            let help = "write `42 = \"stop\"`, `TERM = \"fail\"` or `failure = \"exit\"`; \
                        there is restart, stop, fail, exit";
            r.wrong(span, "bad-exit", "an entry of `exit` makes no sense".to_owned(), help);
        }
    }
    exits
}

fn stop(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> StopConfig {
    let empty = DeTable::new();
    let table = fields.table("stop", r).unwrap_or(&empty);
    let mut fields = Fields::new(table, "`stop`", &catalogue::STOP);
    let config = StopConfig {
        signal: fields.word("signal", SIGNALS, r).unwrap_or(SignalName::Term),
        timeout: fields.duration("timeout", r).unwrap_or(SERVICE_DEFAULTS.stop_timeout),
        scope: fields
            .word("scope", &[("tree", Scope::Tree), ("process", Scope::Process)], r)
            .unwrap_or_default(),
    };
    fields.finish(&["command"], r);
    config
}

fn limits(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<u64> {
    let table = fields.table("limits", r)?;
    let mut fields = Fields::new(table, "`limits`", &catalogue::LIMITS);
    let files = fields.number("files", r).map(u64::from);
    fields.finish(&["memory", "cpu", "tasks"], r);
    files
}
