//! `/proc`: what ties a process to others.

use std::io;

use super::{GROUP, PARENT, environment_of, field_of, text_of};
use crate::process::{Process, Ties};

/// The name of the variable that says which run a process belongs to.
const MARK: &[u8] = b"MAINSTAY_ID=";
/// Further up nobody looks.
const ANCESTORS_MAX: usize = 64;

pub(crate) fn ties_of(process: &Process) -> io::Result<Ties> {
    let pid = process.pid();
    let variables = environment_of(pid)?;
    let id = variables.iter().find_map(|variable| variable.strip_prefix(MARK));
    let id = id.map(|id| String::from_utf8_lossy(id).into_owned());
    let (parent, group) = parent_and_group(pid)?;
    let mut ancestors = vec![parent];
    // Whoever ends meanwhile ends the chain.
    while let Some(Ok((parent, _))) = ancestors.last().map(|last| parent_and_group(*last))
        && parent > 0
        && ancestors.len() < ANCESTORS_MAX
    {
        ancestors.push(parent);
    }
    Ok(Ties { id, group, ancestors })
}

fn parent_and_group(pid: u32) -> io::Result<(u32, u32)> {
    let stat = text_of(pid, "stat")?;
    let number = |field| field_of(&stat, field).and_then(|text| text.parse::<u32>().ok());
    let parsed = number(PARENT).zip(number(GROUP));
    parsed.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_tied_by_its_mark_its_group_and_its_parents() {
        let mut child =
            Command::new("sleep").arg("1000").env("MAINSTAY_ID", "seven").spawn().unwrap();
        let process = Process::open_pid(child.id()).unwrap().unwrap();
        // Before its exec it has our environment.
        let marked = || ties_of(&process).unwrap().id.is_some();
        while !marked() {
            std::thread::yield_now();
        }
        let ties = ties_of(&process).unwrap();
        assert_eq!(ties.id.as_deref(), Some("seven"));
        assert_eq!(ties.ancestors.first(), Some(&std::process::id()));
        let own = rustix::process::getpgrp().as_raw_nonzero().get().unsigned_abs();
        assert_eq!(ties.group, own);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
