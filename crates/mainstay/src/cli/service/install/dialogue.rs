//! The questions of `mainstay service install` in a terminal: what NSSM's window asks for, one
//! thing after the other, each answer checked at once. The outcome is a command line.

mod words;

use std::{
    io,
    path::{Path, PathBuf},
};

use self::words::{Fault, Question, fault_in, text_of};
use crate::{
    cli::{
        add::parse_variable,
        answer::{Answer, answer_of},
    },
    foreign::words::split_arguments,
    place, typed,
    words::Language,
};

/// So many times somebody may answer wrongly.
const ATTEMPTS_MAX: usize = 20;
/// Says that no file is wanted, where Enter means another one.
const NO_FILE: &str = "-";

/// Where questions are asked.
pub(super) trait Desk {
    /// Says something, without an end of the line.
    fn say(&mut self, text: &str);
    /// Returns the next line that is typed; nothing when there is no more.
    fn hear(&mut self) -> io::Result<Option<String>>;
}

/// What answers are checked against.
pub(super) trait World {
    /// Returns whether there is a service of this name.
    fn is_taken(&self, name: &str) -> bool;
    /// Returns where a program is, by its path or as the shell finds it.
    fn program(&self, typed: &str) -> Option<PathBuf>;
    /// Returns whether there is such a folder.
    fn is_folder(&self, path: &Path) -> bool;
    /// Returns the folder of whoever asks.
    fn here(&self) -> PathBuf;
}

/// Asks for everything, `name` only if it is empty. Returns the words behind `mainstay service
/// install`, or nothing when they are not wanted after all.
pub(super) fn ask(
    desk: &mut impl Desk,
    world: &impl World,
    language: Language,
    name: &str,
) -> io::Result<Option<Vec<String>>> {
    let mut talk = Talk { desk, world, language };
    talk.desk.say(&text_of(Question::Greeting, language));
    talk.desk.say("\n\n");
    let name = match name {
        "" => talk.question(Question::Name, "", Talk::<_, _>::checked_name)?,
        name => name.to_owned(),
    };
    let mut words = vec![name.clone()];
    let program = talk.question(Question::Program, "", Talk::<_, _>::checked_program)?;
    let arguments = talk.question(Question::Arguments, "", |_, _| Ok(()))?;
    // A path is looked for from the folder that the program starts in.
    let found = world.program(&program).filter(|_| program.contains(['/', '\\']));
    words.extend(talk.settings(&name, found.as_deref())?);
    words.push("--".to_owned());
    words.push(found.map_or(program, |image| image.display().to_string()));
    words.extend(split_arguments(&arguments));
    let line =
        ["mainstay", "service", "install"].into_iter().chain(words.iter().map(String::as_str));
    let line = line.map(typed::shown).collect::<Vec<_>>().join(" ");
    talk.desk.say(&format!("\n{}\n  {line}\n\n", text_of(Question::Line, language)));
    let is_wanted = talk.agrees()?;
    Ok(is_wanted.then_some(words))
}

struct Talk<'a, D, W> {
    desk: &'a mut D,
    world: &'a W,
    language: Language,
}

impl<D: Desk, W: World> Talk<'_, D, W> {
    fn settings(&mut self, name: &str, found: Option<&Path>) -> io::Result<Vec<String>> {
        let mut words = Vec::new();
        let mut option = |key: &str, value: String| words.extend([key.to_owned(), value]);
        // A program that is named by its path begins where it lies, as with NSSM.
        let folder = found.and_then(Path::parent).map_or_else(|| self.world.here(), Path::to_owned);
        let folder = folder.display().to_string();
        option("--directory", self.question(Question::Directory, &folder, Self::checked_folder)?);
        let own = format!(r"NT SERVICE\{name}");
        let account = self.question(Question::Account, &own, |_, _| Ok(()))?;
        if account != own {
            option("--account", account);
        }
        let start = self.question(Question::Start, "auto", |_, typed| {
            let is_known = ["auto", "delayed", "demand", "disabled"].contains(&typed);
            if is_known { Ok(()) } else { Err(Fault::Start) }
        })?;
        if start != "auto" {
            option("--start", start);
        }
        for variable in self.variables()? {
            option("--env", variable);
        }
        let stdout = self.question(Question::Stdout, "", Self::checked_file)?;
        let stderr = self.question(Question::Stderr, &stdout, Self::checked_file)?;
        for (key, file) in [("--stdout", stdout), ("--stderr", stderr)] {
            if !file.is_empty() && file != NO_FILE {
                option(key, file);
            }
        }
        Ok(words)
    }

    fn variables(&mut self) -> io::Result<Vec<String>> {
        let mut variables = Vec::new();
        loop {
            let variable = self.question(Question::Variable, "", |_, typed| {
                let is_good = typed.is_empty() || parse_variable(typed).is_ok();
                if is_good { Ok(()) } else { Err(Fault::Variable) }
            })?;
            if variable.is_empty() {
                return Ok(variables);
            }
            variables.push(variable);
        }
    }

    fn agrees(&mut self) -> io::Result<bool> {
        let answer = self.question(Question::Agreed, "", |_, typed| {
            if answer_of(typed).is_some() { Ok(()) } else { Err(Fault::YesOrNo) }
        })?;
        Ok(answer_of(&answer) == Some(Answer::Yes))
    }

    /// Asks until an answer is good; Enter takes the usual one.
    fn question(
        &mut self,
        question: Question,
        usual: &str,
        check: impl Fn(&Self, &str) -> Result<(), Fault>,
    ) -> io::Result<String> {
        for _ in 0..ATTEMPTS_MAX {
            let bracket = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
            self.desk.say(&format!("{}{bracket}: ", text_of(question, self.language)));
            let typed = self.desk.hear()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let typed = unquoted(question, typed.trim());
            let answer = if typed.is_empty() { usual } else { typed };
            match check(self, answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(fault) => {
                    self.desk.say(&format!("  {}\n", fault_in(fault, self.language)));
                }
            }
        }
        Err(io::ErrorKind::InvalidInput.into())
    }

    fn checked_name(&self, typed: &str) -> Result<(), Fault> {
        if place::name_fault(typed).is_some() || place::is_machine(typed) {
            Err(Fault::Name)
        } else if self.world.is_taken(typed) {
            Err(Fault::Taken)
        } else {
            Ok(())
        }
    }

    fn checked_program(&self, typed: &str) -> Result<(), Fault> {
        let is_there = !typed.is_empty() && self.world.program(typed).is_some();
        if is_there { Ok(()) } else { Err(Fault::Program) }
    }

    fn checked_folder(&self, typed: &str) -> Result<(), Fault> {
        if self.world.is_folder(Path::new(typed)) { Ok(()) } else { Err(Fault::Folder) }
    }

    fn checked_file(&self, typed: &str) -> Result<(), Fault> {
        let path = Path::new(typed);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let is_good = ["", NO_FILE].contains(&typed)
            || !self.world.is_folder(path)
                && folder.is_none_or(|folder| self.world.is_folder(folder));
        if is_good { Ok(()) } else { Err(Fault::File) }
    }
}

/// The file manager copies paths with quotes around them.
fn unquoted(question: Question, typed: &str) -> &str {
    let is_path = matches!(
        question,
        Question::Program | Question::Directory | Question::Stdout | Question::Stderr
    );
    let inner = typed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|_| is_path).unwrap_or(typed)
}

#[cfg(test)]
mod tests;
