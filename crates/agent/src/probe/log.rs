//! Follows what a run writes until a line has in it what is looked for.
//!
//! It reads the run's segments from the run's beginning, so that an agent that starts anew misses
//! nothing, and goes on over rotations.

use std::{io, path::PathBuf, time::Duration};

use mainstay_api::{config::Pattern, keeper::Streams};
use mainstay_core::UnitName;
use mainstay_storage::{
    read::{self, Line, Reader, Wanted},
    segment::ChainFiles,
};
use tokio::time;

use super::{Ask, Miss, Sight, pool::Pool};

/// The first pause when there is nothing new; each is twice as long as the one before.
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// So many blocks are read before others have their turn.
const BLOCKS_A_TURN: usize = 16;
/// Of a longer line, only the beginning is looked at.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// A folder that takes longer to answer is blind.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// What a turn has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Found,
    More,
    /// There is nothing new.
    Idle,
}

/// Follows one run.
pub(super) async fn follow(
    ask: &Ask,
    (unit, run): (&UnitName, u64),
    pattern: &Pattern,
    logs: &Pool,
) -> Sight {
    if ask.logs.1 == Streams::Off {
        return Err(Miss::Blind("there is no log to look at".to_owned()));
    }
    let mut follower = Follower::new(&ask.logs, unit, run, pattern);
    let mut pause = PAUSE_MIN;
    loop {
        let work = move || {
            let turn = follower.turn();
            (follower, turn)
        };
        let (back, turn) = logs.run(TURN_WITHIN, work).await?;
        follower = back;
        let unread = |error: io::Error| Miss::Blind(format!("cannot read the log: {error}"));
        match turn.map_err(unread)? {
            Turn::Found => return Ok(()),
            Turn::More => pause = PAUSE_MIN,
            Turn::Idle => {
                time::sleep(pause).await;
                pause = (pause * 2).min(ask.every.max(PAUSE_MIN));
            }
        }
    }
}

/// Where one has got to in the chains of a unit.
struct Follower {
    readers: Vec<Reader>,
    chains: Vec<ChainFiles>,
    run: u64,
    pattern: Pattern,
}

impl Follower {
    fn new(
        (folder, streams): &(PathBuf, Streams),
        unit: &UnitName,
        run: u64,
        pattern: &Pattern,
    ) -> Self {
        let stems = match streams {
            Streams::Joined => vec![unit.to_string()],
            Streams::Split => vec![format!("{unit}.stdout"), format!("{unit}.stderr")],
            Streams::Off => Vec::new(),
        };
        let chains = stems.iter().map(|stem| ChainFiles::new(folder, stem)).collect();
        Self { readers: Vec::new(), chains, run, pattern: pattern.clone() }
    }

    /// Reads on for a while.
    fn turn(&mut self) -> io::Result<Turn> {
        // Where they begin is a question to the disk as well.
        while let Some(chain) = self.chains.pop() {
            let wanted = Wanted { run: Some(self.run), ..Wanted::default() };
            let begin = read::begin(&chain)?;
            self.readers.push(Reader::new(chain, begin).only(wanted));
        }
        let mut turn = Turn::Idle;
        for reader in &mut self.readers {
            for _ in 0..BLOCKS_A_TURN {
                let Some(block) = reader.next_block()? else { break };
                turn = Turn::More;
                let own = block.lines.iter().filter(|line| line.run == self.run);
                if own.into_iter().any(|line| is_found(&self.pattern, line)) {
                    return Ok(Turn::Found);
                }
            }
        }
        Ok(turn)
    }
}

fn is_found(pattern: &Pattern, line: &Line) -> bool {
    // What programs of Windows end a line with is no part of it.
    let bytes = line.bytes.strip_suffix(b"\r").unwrap_or(&line.bytes);
    let bytes = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
    pattern.is_found_in(&String::from_utf8_lossy(bytes))
}
