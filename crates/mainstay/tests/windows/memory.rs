//! What keeper and agent of a service need for themselves.
//!
//! Private bytes are asked of Linux, below Wine, because Wine counts two things that Windows does
//! not: it copies a program's image instead of mapping it, and it touches most of each thread's
//! stack. So a program that only waits is measured beside them; its image, its one stack and what
//! is left of it are what Wine takes of anybody. On a real Windows `prove-on-windows.ps1` asks the
//! system itself.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    installed::Installed,
    roles::{self, READY, Role},
    sandbox::{Sandbox, wait_for},
};

/// Both together may have so much.
const BUDGET_KIB: u64 = 8 * 1024;
/// Where images of programs lie that nobody has moved.
const IMAGES: Range<u64> = 0x1_4000_0000..0x1_5000_0000;

#[test]
fn keeper_and_agent_of_a_service_have_at_most_eight_mebibytes_of_their_own() {
    if std::env::var_os("MAINSTAY_WINE").is_none() {
        return;
    }
    // In whatever prefix it runs, nobody else's service is called so.
    let instant = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let name = Box::leak(format!("mainstay-memory-{instant}").into_boxed_str());
    let command = [roles::command(), vec![name.to_owned()]].concat();
    let service = Installed::playing_as(name, Role::Polite, &[], &command);
    let sandbox = Sandbox::of_service(name);
    wait_for("it runs", || sandbox.get(&["logs"]).contains(READY).then_some(()));

    let bare = Measured::of(&["roles::", name]);
    let own = |role| Measured::of(&["mainstay.exe", role, name]).beyond(&bare);
    let (keeper, agent) = (own(" keeper --service "), own(" agent --runtime "));
    let told = format!("keeper {keeper} KiB, agent {agent} KiB");
    assert!(keeper > 0 && agent > 0, "{told}");
    assert!(keeper + agent <= BUDGET_KIB, "{told}");
    println!("{told}");
    service.remove();
}

/// Private memory of a process, in KiB, as Linux sees it.
#[derive(Debug, Default)]
struct Measured {
    threads: u64,
    image: u64,
    /// Every other stretch.
    others: Vec<u64>,
}

impl Measured {
    /// Finds the only process whose command line has all these words in it.
    fn of(words: &[&str]) -> Self {
        let found = fs::read_dir(r"Z:\proc").unwrap().filter_map(|entry| {
            let folder = entry.unwrap().path();
            let line = fs::read(folder.join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            words.iter().all(|word| line.contains(word)).then_some(folder)
        });
        let found: Vec<PathBuf> = found.collect();
        assert_eq!(found.len(), 1, "{words:?}: {found:?}");
        Self::read(&found[0])
    }

    fn read(folder: &Path) -> Self {
        let mut measured = Self { threads: threads(folder), ..Self::default() };
        let text = fs::read_to_string(folder.join("smaps")).unwrap();
        let mut begin = 0;
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some((from, _)) = first.split_once('-') {
                begin = u64::from_str_radix(from, 16).unwrap();
            } else if first == "Anonymous:" {
                measured.add(begin, words.next().unwrap().parse().unwrap());
            }
        }
        measured
    }

    fn add(&mut self, begin: u64, kib: u64) {
        if IMAGES.contains(&begin) {
            self.image += kib;
        } else {
            self.others.push(kib);
        }
    }

    /// Returns what it has of its own: neither its image nor what Wine takes of anybody.
    fn beyond(&self, bare: &Self) -> u64 {
        let stacks = self.threads.saturating_sub(bare.threads) * bare.stack();
        self.others.iter().sum::<u64>().saturating_sub(bare.others.iter().sum::<u64>() + stacks)
    }

    /// Returns what Wine touches of the stack of each thread but the first.
    fn stack(&self) -> u64 {
        let mut longest = self.others.clone();
        longest.sort_unstable_by(|one, other| other.cmp(one));
        longest.get(1).copied().unwrap()
    }
}

fn threads(folder: &Path) -> u64 {
    let status = fs::read_to_string(folder.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    line.trim().parse().unwrap()
}
