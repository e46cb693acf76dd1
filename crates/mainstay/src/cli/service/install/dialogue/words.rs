//! What is asked, and what is wrong with an answer.

use std::borrow::Cow;

use crate::words::{self, Language};

/// What is said or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Greeting,
    Name,
    Program,
    Arguments,
    Directory,
    Account,
    Start,
    Variable,
    Stdout,
    Stderr,
    Line,
    Agreed,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Name,
    Taken,
    Program,
    Folder,
    Start,
    Variable,
    File,
    YesOrNo,
}

pub(super) fn text_of(question: Question, language: Language) -> Cow<'static, str> {
    let english = match question {
        Question::Greeting => {
            "This makes a program a service. Enter takes what stands in brackets; Ctrl-C changes nothing."
        }
        Question::Name => "Name of the service",
        Question::Program => "Program",
        Question::Arguments => "Arguments, if any",
        Question::Directory => "Folder that it starts in",
        Question::Account => {
            "Account; others: LocalSystem, LocalService, NetworkService, DOMAIN\\user"
        }
        Question::Start => "Start: auto, delayed (two minutes after boot), demand or disabled",
        Question::Variable => "Environment variable NAME=VALUE; Enter goes on",
        Question::Stdout => "File for stdout, beside `mainstay logs`; Enter for none",
        Question::Stderr => "File for stderr, `-` for none",
        Question::Line => "The same as a command line:",
        Question::Agreed => "Install and start it now? Y/n",
    };
    words::told_in(english, language)
}

pub(super) fn fault_in(fault: Fault, language: Language) -> Cow<'static, str> {
    let english = match fault {
        Fault::Name => {
            "a name has 1 to 256 characters, no slashes and no quotes, and is not `mainstay`"
        }
        Fault::Taken => "there is a service of that name already",
        Fault::Program => "it is neither here nor in a folder of PATH; name it by its whole path",
        Fault::Folder => "there is no such folder",
        Fault::Start => "write auto, delayed, demand or disabled",
        Fault::Variable => "write NAME=VALUE",
        Fault::File => "its folder is not there, or it is a folder itself",
        Fault::YesOrNo => "write y or n",
    };
    words::told_in(english, language)
}
