//! Which instance a command talks to.
//!
//! `--instance` or `MAINSTAY_INSTANCE`; else the nearest `mainstay.toml` in this folder or above
//! whose agent answers, as long as the folder belongs to the caller or the administrator: a file
//! that somebody else planted must not be obeyed. Where there is no such file, the only instance of
//! this user that runs; else the machine's.

use std::{
    ffi::OsString,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use mainstay_platform::{
    local, paths,
    scm::{self, Database, Intent, Purpose},
};
use mainstay_storage::{instance::Instance, slots};

use crate::{
    card::{self, Card},
    errors::CliError,
    place::{self, Place},
    words,
};

/// The name of a configuration file.
const FILE_NAME: &str = "mainstay.toml";
/// Names an instance to whoever is not told on the command line. Programs find their own in it.
const VARIABLE: &str = "MAINSTAY_INSTANCE";

/// An instance with its configuration file.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) file: PathBuf,
    pub(crate) instance: Instance,
    /// The service of the operating system that it is.
    pub(crate) service: Option<String>,
}

/// Returns the instance of a configuration file.
pub(crate) fn of_file(file: &Path) -> Result<Located, CliError> {
    let file = real_name(file).map_err(|error| {
        let hint = "name the file: `mainstay up path/to/mainstay.toml`";
        CliError::refused(format!("cannot open `{}`: {error}", file.display()), hint)
    })?;
    of_real(file)
}

/// Returns the one name of a file. A link keeps its own: whoever leads it elsewhere, as Kubernetes
/// does, means another file for the same instance.
fn real_name(file: &Path) -> io::Result<PathBuf> {
    let real = paths::canonical(file)?;
    match (file.parent(), file.file_name()) {
        (Some(folder), Some(name)) if file.is_symlink() => {
            let is_here = folder.as_os_str().is_empty();
            let folder = if is_here { Path::new(".") } else { folder };
            Ok(paths::canonical(folder)?.join(name))
        }
        _ => Ok(real),
    }
}

/// Returns the instance of a card; its file may be gone while its programs run on.
fn of_card(card: &Card) -> Result<Located, CliError> {
    of_file(&card.config).or_else(|_| of_real(card.config.clone()))
}

fn of_real(file: PathBuf) -> Result<Located, CliError> {
    let runtime = base()?.join(format!("{:016x}", fingerprint(&file)));
    let state = file.parent().unwrap_or_else(|| Path::new("/")).join(".mainstay");
    Ok(Located { file, instance: Instance::new(runtime, state), service: None })
}

/// Returns the instance that is meant: the named one, or the nearest.
pub(crate) fn choose(named: Option<&str>) -> Result<Located, CliError> {
    match said(named) {
        Some(named) => by_name(&named),
        None => nearest_file(answers)?.map_or_else(only_one, Ok),
    }
}

/// Returns how somebody has named an instance, if they have.
pub(crate) fn said(named: Option<&str>) -> Option<OsString> {
    let variable = || std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    named.map(OsString::from).or_else(variable)
}

/// Returns the instance that `up` means: nobody's environment says what is started here.
pub(crate) fn to_start(file: Option<&Path>, named: Option<&str>) -> Result<Located, CliError> {
    match (file, named) {
        (Some(file), _) => of_file(file),
        (None, Some(named)) => by_name(&OsString::from(named)),
        (None, None) => nearest_file(|_| true)?.ok_or_else(nothing_to_start),
    }
}

/// Finds an instance by its name, its configuration file or one of its folders.
fn by_name(named: &OsString) -> Result<Located, CliError> {
    let path = Path::new(named);
    if path.is_file() {
        return of_file(path);
    }
    if let Some(card) = card::read(path) {
        return of_card(&card);
    }
    if path.join(FILE_NAME).is_file() {
        return of_file(&path.join(FILE_NAME));
    }
    let name = named.to_string_lossy();
    if let Some(located) = of_service(&name) {
        return Ok(located);
    }
    if let Some(located) = of_runtime(path) {
        return Ok(located);
    }
    let all = card::all(&base()?);
    let mut fitting = all.iter().filter(|card| card.name == name);
    match (fitting.next(), fitting.next()) {
        (Some(card), None) => of_file(&card.config),
        (Some(_), Some(_)) => Err(CliError::usage(
            format!("there is more than one instance `{name}`"),
            format!("name its configuration file instead; {}", known(&all)),
        )),
        (None, _) => without_file(&name)?.ok_or_else(|| {
            CliError::unreachable(
                format!("there is no instance `{name}`"),
                format!("name one that there is, or its configuration file; {}", known(&all)),
            )
        }),
    }
}

/// Returns the instance of a name that runs, though its file is gone.
fn without_file(name: &str) -> Result<Option<Located>, CliError> {
    let all = card::any(&base()?).into_iter().filter(|card| card.name == name);
    Ok(all.filter_map(|card| of_card(&card).ok()).find(answers))
}

/// Returns the instance of a service of the operating system, where there is one of this name.
fn of_service(name: &str) -> Option<Located> {
    let located = Place::of(name).ok().filter(|_| place::name_fault(name).is_none())?.located();
    is_there(&located).then_some(located)
}

/// Returns whether the instance of a service is there.
pub(crate) fn is_there(located: &Located) -> bool {
    located.file.is_file() || listens(located)
}

/// Returns whether somebody listens there, if only for others: members of groups may not look into
/// the folder of a service.
fn listens(located: &Located) -> bool {
    match local::connect(&located.instance.api_socket(), located.service.as_deref()) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// Returns the instance with this runtime folder. Whoever is let in by `[[access]]` may neither
/// read what lies there nor know the instance by anything else.
fn of_runtime(folder: &Path) -> Option<Located> {
    if let Some(place) = Place::of_runtime(folder) {
        return Some(place.located());
    }
    let instance = Instance::new(folder.to_owned(), PathBuf::new());
    let is_there = folder.is_absolute() && instance.api_socket().exists();
    is_there.then(|| Located { file: folder.to_owned(), instance, service: None })
}

/// Returns the nearest instance with a file that is wanted, else the nearest.
fn nearest_file(is_wanted: impl Fn(&Located) -> bool) -> Result<Option<Located>, CliError> {
    let here = std::env::current_dir().map_err(|error| {
        CliError::refused(format!("cannot tell the current folder: {error}"), "")
    })?;
    let mut first = None;
    for folder in here.ancestors().filter(|folder| is_trusted(folder)) {
        let located = of_file(&folder.join(FILE_NAME))?;
        if is_wanted(&located) {
            return Ok(Some(located));
        }
        first.get_or_insert(located);
    }
    Ok(first)
}

/// Far from any configuration, the only instance that runs is meant.
fn only_one() -> Result<Located, CliError> {
    let all = card::any(&base()?);
    let located = all.iter().filter_map(|card| of_card(card).ok());
    let mut running = located.filter(answers);
    match (running.next(), running.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => of_machine().ok_or_else(no_file),
        (Some(_), Some(_)) => Err(no_file()),
    }
}

/// Returns the machine's instance, where Mainstay is installed. Who may not look into its folder
/// finds it in the manager's list, and is told what is missing when they ask it for something.
pub(crate) fn of_machine() -> Option<Located> {
    let is_listed = || {
        let database = Database::open(Purpose::Look).ok()?;
        database.service(place::MACHINE, Intent::Look).ok()
    };
    let located = Place::of(place::MACHINE).ok()?.located();
    (located.file.is_file() || is_listed().is_some()).then_some(located)
}

fn no_file() -> CliError {
    let known = base().map(|base| known(&card::all(&base))).unwrap_or_default();
    CliError::unreachable(
        format!("there is no `{FILE_NAME}` in this folder or above"),
        format!("go to its folder, or name it with `--instance NAME`; {known}"),
    )
}

/// Whoever starts from nothing has to be told how.
fn nothing_to_start() -> CliError {
    CliError::unreachable(
        format!("there is no `{FILE_NAME}` in this folder or above"),
        "begin with one that says `services.web.command = \"./web\"`, or name a file: `mainstay up path/to/mainstay.toml`",
    )
}

fn is_trusted(folder: &Path) -> bool {
    folder.join(FILE_NAME).is_file() && paths::is_trusted_owner(folder).unwrap_or_default()
}

/// Returns whether somebody listens for clients.
pub(crate) fn answers(located: &Located) -> bool {
    local::connect(&located.instance.api_socket(), located.service.as_deref()).is_ok()
}

/// Returns whether a keeper left programs that may run on; one that ends in order leaves none.
pub(crate) fn may_have_left_programs(located: &Located) -> bool {
    slots::holds_anything(&located.instance.keeper_journal())
}

/// Returns the command that starts an instance.
pub(crate) fn start_command(located: &Located) -> String {
    match &located.service {
        Some(name) => format!("mainstay service start {}", scm::quoted(std::slice::from_ref(name))),
        None => format!("mainstay up {}", located.file.display()),
    }
}

/// Returns what the instances of this user are called.
pub(crate) fn names() -> Vec<String> {
    let all = base().map(|base| card::all(&base)).unwrap_or_default();
    all.into_iter().map(|card| card.name).collect()
}

/// Returns what brings back an instance that nobody serves.
pub(crate) fn way_up(located: &Located) -> String {
    let start = start_command(located);
    if may_have_left_programs(located) {
        format!("its programs may run on; `{start}` takes them over")
    } else {
        format!("start it with `{start}`")
    }
}

/// Lists the instances that there are, for a hint.
fn known(all: &[Card]) -> String {
    if all.is_empty() {
        return "no instance was ever started by this user".to_owned();
    }
    let lines: Vec<String> = all.iter().map(describe).collect();
    format!("there are:\n{}", lines.join("\n"))
}

fn describe(card: &Card) -> String {
    let runs = of_file(&card.config).is_ok_and(|located| answers(&located));
    let word = if runs { words::of("runs") } else { words::of("is down") };
    let note = words::in_brackets(&word);
    format!("       {}  {}  {}", card.name, card.config.display(), note.trim_start())
}

fn base() -> Result<PathBuf, CliError> {
    paths::runtime_base()
        .map_err(|error| CliError::refused(format!("there is no safe runtime folder: {error}"), ""))
}

/// FNV-1a of the path: short enough for socket paths, the same in every version.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
