//! What `/proc` tells of a process, as text.

use std::{fs, io};

/// Reads a file of a process's folder. The process's name is in some of them and may hold any bytes:
/// the kernel cuts it after fifteen, in the middle of a letter, too.
pub(crate) fn text_of(pid: u32, file: &str) -> io::Result<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Child, Command, Stdio},
    };

    use crate::{
        clock, kin,
        process::{Process, carrying, started_with, ties_of},
        tally::{self, Depth, Root},
        usage,
    };

    const MARK: &str = "mainstay-test-of-a-name-that-is-cut";

    /// Starts a program whose name is cut in the middle of a letter, and waits until it is.
    fn program() -> Child {
        let script = r"printf '\345\220\215\347' > /proc/$$/comm; echo named; read line";
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("MAINSTAY_ID", MARK);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "named\n");
        child
    }

    #[test]
    fn a_program_whose_name_is_no_text_is_known_like_any_other() {
        let mut child = program();
        let pid = child.id();
        std::str::from_utf8(&std::fs::read(format!("/proc/{pid}/comm")).unwrap()).unwrap_err();

        let process = Process::open_pid(pid).unwrap().unwrap();
        assert!(super::super::start_ticks_of(pid).is_some());
        assert_eq!(kin::of(pid).unwrap().unwrap().parent, std::process::id());
        assert!(ties_of(&process).unwrap().ancestors.contains(&std::process::id()));
        usage::of(&process).unwrap();
        assert!(usage::of_tree(pid).unwrap() > 0);
        let root = Root { pids: vec![pid], since: clock::monotonic(), job: None };
        assert_eq!(tally::of(&[root], Depth::All).unwrap()[0].unwrap().processes, 1);
        assert_eq!(carrying(MARK).unwrap().len(), 1);
        assert_eq!(started_with("MAINSTAY_ID", MARK).unwrap().len(), 1);

        child.kill().unwrap();
        child.wait().unwrap();
    }
}
