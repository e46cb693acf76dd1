//! Whether a service is the one that a wrapper's settings speak of, and one that can be taken over
//! at all: settings in a file may be stale, or lie.

use mainstay_platform::scm::Form;

use super::{
    Untranslatable, Wrapper,
    words::{file_stem, folder_of, split_line},
};

/// How sure it is that taking a service over is what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Belonging {
    /// The service runs the wrapper.
    Certain,
    /// It may be right; a person has to say so.
    Doubtful(String),
    /// The settings speak of another service.
    Another(String),
}

/// Refuses what runs in another way than as a process of its own.
pub(crate) fn demand_own_process(name: &str, form: Form) -> Result<(), Untranslatable> {
    let (what, hint) = match form {
        Form::OwnProcess => return Ok(()),
        Form::Driver => ("is a driver", "a driver is no program: leave it as it is"),
        Form::SharedProcess => (
            "shares its process with other services",
            "`sc config NAME type= own` gives it one of its own, if it can live so",
        ),
        Form::PerUser => (
            "is started by Windows once for each user who logs on",
            "it would run once for the machine here: leave it as it is",
        ),
    };
    Err(Untranslatable::new(format!("`{name}` {what}"), hint))
}

/// Compares a wrapper with what the service runs; `file` is where its settings stand, if that is
/// a file.
pub(crate) fn belonging(wrapper: Wrapper, command_line: &str, file: Option<&str>) -> Belonging {
    let words = split_line(command_line);
    let program = words.first().map(String::as_str).unwrap_or_default();
    let stem = file_stem(program);
    let called_like = |names: &[&str]| names.iter().any(|name| stem.contains(name));
    match wrapper {
        Wrapper::Nssm if called_like(&["nssm", "srvany"]) => Belonging::Certain,
        Wrapper::Shawl if called_like(&["shawl"]) => Belonging::Certain,
        Wrapper::Nssm | Wrapper::Shawl => Belonging::Doubtful(format!(
            "it runs `{command_line}`, which is not called like that wrapper"
        )),
        Wrapper::Plain => Belonging::Doubtful(
            "its program may be written as a service, which does not run below another one (1063)"
                .to_owned(),
        ),
        Wrapper::Winsw => of_file(&words, file.unwrap_or_default(), command_line),
    }
}

/// The program lies beside its file and is called like it, or is called like `WinSW` and lies
/// beside it or names it.
fn of_file(words: &[String], file: &str, command_line: &str) -> Belonging {
    let small = |text: &str| text.replace('/', r"\").to_lowercase();
    let program = words.first().map(String::as_str).unwrap_or_default();
    let (stem, own) = (file_stem(program), file_stem(file));
    let own = own.strip_suffix(".xml").unwrap_or(&own);
    let is_beside = small(folder_of(program)) == small(folder_of(file));
    let is_named = words.iter().skip(1).any(|word| small(word) == small(file));
    let is_called = stem.contains("winsw");
    if (is_beside && (stem == own || is_called)) || (is_called && is_named) {
        return Belonging::Certain;
    }
    Belonging::Another(format!("it runs `{command_line}`, and not WinSW with `{file}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_its_own_can_be_taken_over() {
        demand_own_process("web", Form::OwnProcess).unwrap();
        let check = |form: Form, expected: &str| {
            assert_eq!(demand_own_process("Beep", form).unwrap_err().what, expected);
        };
        check(Form::Driver, "`Beep` is a driver");
        check(Form::SharedProcess, "`Beep` shares its process with other services");
        check(Form::PerUser, "`Beep` is started by Windows once for each user who logs on");
    }

    #[test]
    fn a_file_speaks_of_the_service_whose_program_lies_beside_it() {
        let file = Some(r"C:\srv\web.xml");
        let is_certain = |line: &str| belonging(Wrapper::Winsw, line, file) == Belonging::Certain;
        assert!(is_certain(r#""C:\Srv\Web.exe""#));
        assert!(is_certain(r"C:\srv\WinSW-x64.exe"));
        assert!(is_certain(r#""D:\tools\winsw.exe" "c:\srv\WEB.xml""#));
        assert!(!is_certain(r"C:\Windows\System32\spoolsv.exe"));
        assert!(!is_certain(r"D:\tools\winsw.exe D:\other.xml"));
        assert!(!is_certain(r"C:\srv\other.exe"));
        assert!(!is_certain(""));
    }

    #[test]
    fn a_wrapper_by_another_name_and_a_program_without_one_are_doubtful() {
        let is_doubtful =
            |wrapper, line: &str| matches!(belonging(wrapper, line, None), Belonging::Doubtful(_));
        assert!(is_doubtful(Wrapper::Plain, r"C:\app.exe"));
        assert!(is_doubtful(Wrapper::Nssm, r"C:\svc.exe"));
        assert!(!is_doubtful(Wrapper::Nssm, r#""C:\a b\NSSM64.exe""#));
        assert!(!is_doubtful(Wrapper::Nssm, r"C:\srvany.exe"));
        assert!(!is_doubtful(Wrapper::Shawl, r"C:\shawl.exe run -- a"));
    }
}
