//! `mainstay ddns import`: what another client keeps becomes a service here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args as ClapArgs, ValueEnum};
use mainstay_ddns::{
    config,
    import::{self, FILE_BYTES_MAX, Fate, ImportError, Imported, Note, Origin, Shell},
};
use mainstay_platform::paths;
use serde_json::{Value, json};

use super::place;
use crate::{cli::secret, errors::CliError, print};

/// Take over what another client keeps; prints TOML, and a report beside it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns import ddns-go ~/.ddns_go_config.yaml\n  mainstay ddns import ddclient /etc/ddclient.conf -o mainstay.toml --store-secrets\n\nNothing of the other client is changed; stop it before you start this one."
)]
pub(super) struct Args {
    /// Whose configuration it is
    #[arg(value_name = "KIND")]
    origin: OriginName,

    /// Its file
    path: PathBuf,

    /// Write it into this file, behind what it has already
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What the service is called
    #[arg(long, value_name = "NAME", default_value = "ddns")]
    service: String,

    /// Put its secrets into the store, where they are sealed
    #[arg(long, requires = "output")]
    store_secrets: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The clients, as a command line names them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum OriginName {
    DdnsGo,
    Ddclient,
    Inadyn,
    DdnsUpdater,
    #[value(alias = "new-future")]
    Newfuture,
}

impl OriginName {
    const fn origin(self) -> Origin {
        match self {
            Self::DdnsGo => Origin::DdnsGo,
            Self::Ddclient => Origin::Ddclient,
            Self::Inadyn => Origin::Inadyn,
            Self::DdnsUpdater => Origin::DdnsUpdater,
            Self::Newfuture => Origin::NewFuture,
        }
    }
}

pub(super) async fn run(args: &Args, _named: Option<&str>) -> Result<ExitCode, CliError> {
    let text = read(&args.path)?;
    let is_windows = env::consts::OS == "windows";
    let shell = if is_windows { Shell::PowerShell } else { Shell::Posix };
    let imported = match import::import(args.origin.origin(), &text, shell) {
        Ok(imported) => imported,
        Err(error) => return refused(args, &error),
    };
    let toml = config::to_toml(&args.service, &imported.config);
    if let Some(file) = &args.output {
        let whole = place::with_service(file, &args.service, &toml)?;
        place::write(file, &whole)?;
    }
    if args.json {
        print::json(&answer(&imported, &toml));
    } else {
        tell(args, &imported, &toml);
    }
    if let Some(file) = args.output.as_ref().filter(|_| args.store_secrets) {
        store(file, &imported).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, CliError> {
    let wrong =
        |why: String| CliError::refused(format!("cannot read `{}`: {why}", path.display()), "");
    drop(paths::open_regular(path).map_err(|error| wrong(error.to_string()))?);
    let size = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if usize::try_from(size).is_ok_and(|size| size > FILE_BYTES_MAX) {
        return Err(wrong(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        let lines = error.as_bytes().split(|byte| *byte == b'\n');
        let line = lines.take_while(|line| std::str::from_utf8(line).is_ok()).count() + 1;
        let what = format!("cannot read `{}`: line {line} is no UTF-8", path.display());
        let hint = "store the file as UTF-8: `iconv -f GB18030 -t UTF-8`, or an editor's \
                    \"Save as\"; a file of \"Unicode\" is UTF-16 on Windows";
        CliError::refused(what, hint)
    })
}

fn refused(args: &Args, error: &ImportError) -> Result<ExitCode, CliError> {
    if let ImportError::Nothing { notes } = error {
        if args.json {
            print::json(
                &json!({ "config": null, "notes": notes.iter().map(note).collect::<Vec<_>>() }),
            );
        }
        report(notes);
    }
    let what = format!("cannot take over `{}`: {error}", args.path.display());
    Err(CliError::refused(what, ""))
}

fn answer(imported: &Imported, toml: &str) -> Value {
    json!({
        "config": imported.config,
        "toml": toml,
        "secrets": imported.secrets.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        "notes": imported.notes.iter().map(note).collect::<Vec<_>>(),
    })
}

fn note(note: &Note) -> Value {
    json!({ "place": note.place, "fate": note.fate.word(), "words": note.words })
}

fn tell(args: &Args, imported: &Imported, toml: &str) {
    if args.output.is_none() {
        print::data(toml);
    }
    report(&imported.notes);
    if let Some(file) = &args.output {
        print::talk(&format!("written: service `{}` in {}", args.service, file.display()));
    }
    if args.store_secrets || imported.secrets.is_empty() {
        return;
    }
    print::talk(
        "its secrets are not in there; `--store-secrets` puts them into the store, or one by one:",
    );
    for secret in &imported.secrets {
        print::talk(&format!("  mainstay secret set {}", secret.name));
    }
}

/// Tells what changed and what was left first: what is the same needs less thought.
fn report(notes: &[Note]) {
    for fate in [Fate::Left, Fate::Changed, Fate::Taken] {
        for note in notes.iter().filter(|note| note.fate == fate) {
            print::talk(&format!("{:8} {}: {}", fate.word(), note.place, note.words));
        }
    }
}

async fn store(file: &Path, imported: &Imported) -> Result<(), CliError> {
    let located = place::instance_of(file)?;
    for one in &imported.secrets {
        let answer = secret::store(&located, &one.name, one.value.reveal().to_owned()).await?;
        print::talk(&format!("stored: {}", answer.name));
    }
    Ok(())
}
