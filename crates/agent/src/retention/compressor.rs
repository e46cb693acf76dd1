//! The thread that compresses closed segments, behind everything else that the machine has to do.
//!
//! One segment at a time, one frame of it in memory. A disk that is full, or a segment that cannot
//! be compressed, is told once; nothing is lost by either, the plain text stays.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use mainstay_platform::{clock, fail, filesystem::is_out_of_room, idle, paths};
use mainstay_storage::{
    compress::{self, Compression, Progress},
    segment::ChainFiles,
};
use tokio::sync::mpsc::UnboundedSender;

use super::Said;
use crate::{events::complain, zstd::Encoder};

/// How long a disk that was full is left alone.
const FULL_FOR: Duration = Duration::from_mins(10);

/// What is to be compressed.
#[derive(Debug)]
pub(super) struct Compressor {
    inbox: Receiver<ChainFiles>,
    teller: UnboundedSender<Said>,
    waiting: VecDeque<ChainFiles>,
    /// Segments that cannot be compressed; they are not tried again.
    refused: BTreeSet<PathBuf>,
    /// When the disk is asked again that was full.
    full_until: Option<Duration>,
}

impl Compressor {
    pub(super) fn new(inbox: Receiver<ChainFiles>, teller: UnboundedSender<Said>) -> Self {
        let (waiting, refused) = (VecDeque::new(), BTreeSet::new());
        Self { inbox, teller, waiting, refused, full_until: None }
    }

    /// Compresses until nobody orders anything any more.
    pub(super) fn work(mut self) {
        if let Err(error) = idle::give_way() {
            // It works all the same.
            complain("cannot compress logs with the lowest priority", &error);
        }
        while self.listen() {
            let is_full = self.full_until.is_some_and(|until| clock::monotonic() < until);
            if !is_full && let Some(chain) = self.waiting.pop_front() {
                self.compress_all(&chain);
            }
        }
    }

    /// Takes what was ordered; waits where there is nothing to do. Returns whether to go on.
    fn listen(&mut self) -> bool {
        let until = if self.waiting.is_empty() { None } else { self.full_until };
        let ordered = match until {
            None if self.waiting.is_empty() => {
                self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            }
            None => self.inbox.recv_timeout(Duration::ZERO),
            Some(until) => self.inbox.recv_timeout(until.saturating_sub(clock::monotonic())),
        };
        match ordered {
            Ok(chain) => {
                if !self.waiting.contains(&chain) {
                    self.waiting.push_back(chain);
                }
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    fn compress_all(&mut self, chain: &ChainFiles) {
        let Ok(found) = chain.find() else { return };
        if let Err(error) = compress::remove_strays(chain) {
            complain("cannot remove what a compression has left", &error);
        }
        // What was deleted but for its name is empty.
        for number in found.compressible().filter(|number| !chain.is_emptied(*number)) {
            let path = chain.closed(number);
            if self.refused.contains(&path) {
                continue;
            }
            match compress(chain, number) {
                Ok(()) => self.full_until = None,
                // It was deleted meanwhile, and its half with it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if is_out_of_room(&error) => return self.out_of_room(chain, &error),
                Err(error) => {
                    self.tell(&path, &error);
                    self.refused.insert(path);
                }
            }
        }
    }

    /// The disk is left alone for a while; that is said when it begins.
    fn out_of_room(&mut self, chain: &ChainFiles, error: &io::Error) {
        if self.full_until.is_none() {
            self.tell(&chain.live(), error);
        }
        self.full_until = Some(clock::monotonic() + FULL_FOR);
        self.waiting.push_back(chain.clone());
    }

    fn tell(&self, path: &Path, error: &io::Error) {
        let (file, why) = (path.display().to_string(), error.to_string());
        // An agent that ends listens no more.
        drop(self.teller.send(Said::NotCompressed { file, why }));
    }
}

/// Compresses one closed segment, or ends what somebody has begun.
pub(super) fn compress(chain: &ChainFiles, number: u64) -> io::Result<()> {
    if !compress::is_there_twice(chain, number) {
        let Some(mut work) = Compression::begin(chain, number, create)? else { return Ok(()) };
        fail::point("agent.compress.begun");
        let mut encoder = Encoder::new()?;
        loop {
            match work.next_frame(|bytes| encoder.frame(bytes)) {
                Ok(Progress::More) => fail::point("agent.compress.frame"),
                Ok(Progress::Done) => break,
                Err(error) => {
                    work.give_up();
                    return Err(error);
                }
            }
        }
        work.finish()?;
        fail::point("agent.compress.named");
    }
    compress::remove_plain(chain, number)?;
    fail::point("agent.compress.removed");
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    paths::open_log(OpenOptions::new().read(true).write(true), path)
}
