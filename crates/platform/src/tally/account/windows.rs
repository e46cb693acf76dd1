//! The job that a run is in, opened for questions alone.

use std::io;

use super::{Account, Depth};
use crate::process::{Job, MEMBERS_MAX, Process};

/// Asks a job; nothing when it is gone, or has more members than it lists.
pub(super) fn of(job: &str, depth: Depth) -> io::Result<Option<Account>> {
    let Some(job) = Job::open_to_ask(job)? else { return Ok(None) };
    let members = job.members()?;
    if members.len() >= MEMBERS_MAX {
        return Ok(None);
    }
    let closed = members.iter().filter(|pid| Process::open_pid(**pid).is_err()).count();
    let transfers = if depth == Depth::All { job.transfers().ok() } else { None };
    Ok(Some(Account {
        closed: u64::try_from(closed).unwrap_or_default(),
        time: job.time().ok(),
        transfers,
        members,
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Root, of as tally};
    use crate::spawn::{Program, own_environment, spawn};

    use super::*;

    #[test]
    fn who_has_lost_its_parent_is_counted_by_its_job_and_by_nothing_else() {
        let label = format!("tally-{}", std::process::id());
        // The first one ends at once, and leaves one that nobody is the parent of.
        let line = "start /b ping -n 1000 127.0.0.1";
        let command = ["cmd", "/c", line].map(ToOwned::to_owned);
        let process = spawn(&Program::new(&label, &command, own_environment())).unwrap();
        let until = crate::clock::monotonic() + Duration::from_mins(1);
        while !process.has_ended() {
            assert!(crate::clock::monotonic() < until, "it does not end");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let root = Root { pids: vec![process.pid()], since: Duration::ZERO, job: Some(label) };
        let parents = Root { job: None, ..root.clone() };
        let [by_job, by_descent] =
            [root, parents].map(|root| tally(&[root], Depth::All).unwrap()[0]);
        process.signal_group(crate::process::SignalKind::Kill).unwrap();
        let by_job = by_job.unwrap();
        assert!(by_job.processes >= 1 && !by_job.by_descent, "{by_job:?}");
        assert!(by_job.memory_bytes > Some(0), "{by_job:?}");
        assert_eq!(by_descent, None);
    }
}
