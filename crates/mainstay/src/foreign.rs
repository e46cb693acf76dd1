//! Services of other wrappers in our words: what they run, how, and what of it has no equivalent.
//!
//! Nothing here asks the system: what was found comes in, a translation goes out.

mod belonging;
mod equivalent;
pub(crate) mod nssm;
pub(crate) mod plain;
pub(crate) mod shawl;
pub(crate) mod winsw;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub(crate) use belonging::{Belonging, belonging, demand_own_process};
pub(crate) use equivalent::Equivalent;
pub(crate) use words::{file_stem, folder_of, split_line};

/// Who looks after a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wrapper {
    Nssm,
    Winsw,
    Shawl,
    /// Nobody: the program is a service itself.
    Plain,
}

/// What the manager of services says of a service, as far as it is the same for every wrapper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) command_line: String,
    /// `auto`, `delayed`, `demand` or `disabled`.
    pub(crate) start: String,
    pub(crate) account: String,
    pub(crate) dependencies: Vec<String>,
}

/// How our answer to a setting compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It means the same here.
    Same,
    /// What it is for is done better here.
    Better,
    /// There is no equivalent.
    Missing,
}

/// One setting that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Remark {
    pub(crate) setting: String,
    pub(crate) value: String,
    pub(crate) verdict: Verdict,
    pub(crate) why: String,
}

/// A service of another wrapper in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) wrapper: Wrapper,
    pub(crate) registered: Registered,
    pub(crate) equivalent: Equivalent,
    pub(crate) remarks: Vec<Remark>,
}

impl Translation {
    /// Says which variables were left as they are: nobody but the account knows what they hold.
    pub(crate) fn with_what_is_left(mut self) -> Self {
        let Equivalent { command, directory, environment, .. } = &self.equivalent;
        let values = environment.iter().map(|(_, value)| value);
        let texts = command.iter().chain(directory).chain(values);
        let left: std::collections::BTreeSet<String> =
            texts.flat_map(|text| names_in(text)).collect();
        let remarks = left.into_iter().map(|name| Remark {
            setting: "variable".to_owned(),
            value: format!("%{name}%"),
            verdict: Verdict::Missing,
            why: "it is the account's own and stays as it is: write what it is to hold".to_owned(),
        });
        self.remarks.extend(remarks);
        self
    }
}

/// Returns what looks like a variable between percent signs.
fn names_in(text: &str) -> Vec<String> {
    let is_name = |part: &&str| {
        !part.is_empty() && part.chars().all(|one| one.is_alphanumeric() || "_()".contains(one))
    };
    let parts: Vec<&str> = text.split('%').collect();
    let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().step_by(2).copied().filter(|part| is_name(part)).map(str::to_owned).collect()
}

/// Why a service cannot be translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untranslatable {
    pub(crate) what: String,
    pub(crate) hint: String,
}

impl Untranslatable {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

impl Wrapper {
    /// Returns what follows `mainstay import`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Nssm => "nssm",
            Self::Winsw => "winsw",
            Self::Shawl => "shawl",
            Self::Plain => "sc",
        }
    }
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nssm => "a service of NSSM",
            Self::Winsw => "a service of WinSW",
            Self::Shawl => "a service of shawl",
            Self::Plain => "a service without a wrapper",
        })
    }
}

impl Verdict {
    /// Returns it in the person's language.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Same => crate::words::label("same"),
            Self::Better => crate::words::label("better"),
            Self::Missing => crate::words::label("missing"),
        }
    }
}

/// Remarks, as they are made.
#[derive(Debug, Default)]
struct Remarks(Vec<Remark>);

impl Remarks {
    fn note(&mut self, (setting, value): (&str, &str), verdict: Verdict, why: impl Into<String>) {
        let (setting, value) = (setting.to_owned(), value.to_owned());
        self.0.push(Remark { setting, value, verdict, why: why.into() });
    }

    fn same(&mut self, found: (&str, &str), why: impl Into<String>) {
        self.note(found, Verdict::Same, why);
    }

    fn better(&mut self, found: (&str, &str), why: impl Into<String>) {
        self.note(found, Verdict::Better, why);
    }

    fn missing(&mut self, found: (&str, &str), why: impl Into<String>) {
        self.note(found, Verdict::Missing, why);
    }

    /// Says what `--replace` leaves alone.
    fn registered(&mut self, registered: &Registered) {
        let stays = "stays with `--replace`, its password and rights, too";
        self.same(("account", &registered.account), stays);
        if !registered.dependencies.is_empty() {
            self.same(("dependencies", &registered.dependencies.join(", ")), "stay");
        }
    }
}

/// Splits `NAME=VALUE`.
fn variable(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

/// What a variable of the environment holds.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns a text with the variables between percent signs replaced; unknown ones stay as they are.
fn expanded(text: &str, variables: Variables<'_>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        done.push_str(before);
        let found =
            behind.split_once('%').and_then(|(name, after)| Some((variables(name)?, after)));
        if let Some((value, after)) = found {
            done.push_str(&value);
            rest = after;
        } else {
            done.push('%');
            rest = behind;
        }
    }
    done + rest
}
