//! What a service's program does when people run it by hand.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use mainstay_platform::scm::{Change, Control, Database, Intent, Purpose, Setting, Start, State};

use crate::Program;

/// The command line is wrong.
const WRONG: u8 = 2;

/// Does what the first word says; without one, or with an unknown one, says which there are.
pub(crate) fn obey(program: &Program, word: Option<&str>) -> ExitCode {
    let done = match word {
        None | Some("help" | "--help" | "-h") => {
            say(&usage(program));
            return ExitCode::SUCCESS;
        }
        Some("install") => install(program),
        Some("uninstall") => uninstall(program),
        Some("start") => service(program, Intent::Control).and_then(|it| it.start(&[])),
        Some("stop") => service(program, Intent::Control).and_then(|it| it.control(Control::Stop)),
        Some("status") => status(program),
        Some(other) => {
            complain(&format!("{}: there is no `{other}`\n\n{}", program.name, usage(program)));
            return ExitCode::from(WRONG);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let word = word.unwrap_or_default();
            complain(&format!("{}: cannot {word}: {error}", program.name));
            ExitCode::FAILURE
        }
    }
}

fn usage(program: &Program) -> String {
    let Program { name, about, .. } = program;
    format!(
        "{name}: {about}\n\nUsage: {name} COMMAND\n\n  run        serve here, until Ctrl-C\n  \
         install    make it a service of this system, started at boot\n  uninstall  undo that\n  \
         start      start the service\n  stop       stop it\n  status     say where it is\n"
    )
}

fn service(program: &Program, intent: Intent) -> io::Result<mainstay_platform::scm::Service> {
    Database::open(Purpose::Look)?.service(&program.name, intent)
}

/// The path is quoted: one with a space would else be looked for at every space.
fn install(program: &Program) -> io::Result<()> {
    let database = Database::open(Purpose::Create)?;
    let image = std::env::current_exe()?;
    let first = Change {
        display_name: Some(program.name.clone()),
        command_line: Some(format!("\"{}\"", image.display())),
        start: Some(Start::Automatic),
        ..Change::default()
    };
    let service = database.create(&program.name, &first)?;
    service.set(&Setting::Description(program.about.clone()))
}

/// A service that runs would be gone only when it has ended, and its name be taken until then.
fn uninstall(program: &Program) -> io::Result<()> {
    let service = service(program, Intent::Change)?;
    if service.status()?.state != State::Stopped {
        service.control(Control::Stop)?;
        service.wait_for(State::Stopped, program.stop_timeout)?;
    }
    service.delete()
}

fn status(program: &Program) -> io::Result<()> {
    let status = service(program, Intent::Look)?.status()?;
    say(&format!("{} is {}, pid {}", program.name, status.state, status.pid));
    Ok(())
}

fn say(text: &str) {
    // Whoever closed our stdout wants no answer.
    drop(writeln!(io::stdout(), "{text}"));
}

fn complain(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}
