//! A connection with frames in both directions, and the bounds of patience with whoever is there.

use std::{collections::VecDeque, io, time::Duration};

use mainstay_api::keeper::{
    BUFFER_BYTES_KEPT, FrameError, Framer, Report, ReportFrame, RequestFrame, encode,
};
use mainstay_platform::{
    descriptor::{Borrowed, Descriptor, borrow},
    door::{Connection, Peer, Received},
    port::{Port, Token, WantWrite, Watched},
    process::Process,
};

/// More than this waiting to be sent means that nobody reads.
const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// No progress for this long means the same.
const PROGRESS_WITHIN: Duration = Duration::from_secs(5);

/// One end of a conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    connection: Watched<Connection>,
    peer: Peer,
    framer: Framer,
    received: Vec<Descriptor>,
    queue: Vec<u8>,
    riders: VecDeque<Riders>,
    sent: u64,
    sequence: u64,
    stuck_since: Option<Duration>,
    wants: WantWrite,
    /// What the other end speaks; 0 where nobody knows.
    protocol: u32,
}

/// Descriptors that ride with the byte at this position of everything ever sent.
#[derive(Debug)]
struct Riders {
    at: u64,
    descriptors: Vec<Descriptor>,
}

/// What came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) frames: Vec<RequestFrame>,
    pub(crate) descriptors: Vec<Descriptor>,
    pub(crate) is_closed: bool,
}

/// A conversation that cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConversationError {
    #[error("cannot read from or write to the agent")]
    Broken(#[from] io::Error),
    #[error("the agent does not speak our protocol")]
    Frame(#[from] FrameError),
    #[error("the agent does not take what it is sent")]
    Stuck,
}

impl Conversation {
    pub(crate) fn new(connection: Watched<Connection>, peer: Peer) -> Self {
        Self {
            connection,
            peer,
            framer: Framer::default(),
            received: Vec::new(),
            queue: Vec::new(),
            riders: VecDeque::new(),
            sent: 0,
            sequence: 0,
            stuck_since: None,
            wants: WantWrite::No,
            protocol: 0,
        }
    }

    /// Notes which protocol the other end speaks.
    pub(crate) const fn speaks(&mut self, protocol: u32) {
        self.protocol = protocol;
    }

    /// Returns which protocol the other end speaks, or 0: right after an upgrade nobody knows.
    pub(crate) const fn protocol(&self) -> u32 {
        self.protocol
    }

    /// Returns who is at the other end.
    pub(crate) const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Returns the very process at the other end; nothing when it is gone.
    pub(crate) fn peer_process(&self) -> io::Result<Option<Process>> {
        self.connection.peer_process()
    }

    /// Returns the number of the last frame that was queued.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Goes on where a predecessor stopped, with what it had received but not understood yet.
    pub(crate) fn continue_at(&mut self, sequence: u64, unread: &[u8]) {
        self.sequence = sequence;
        self.framer.feed(unread);
    }

    /// Returns whether the beginning of a frame has come, and its end has not.
    pub(crate) fn is_mid_frame(&self) -> bool {
        !self.framer.rest().is_empty()
    }

    /// Keeps descriptors that no frame spoke of, as long as the frame that does is on its way.
    pub(crate) fn keep_riders(&mut self, riders: VecDeque<Descriptor>) {
        if self.is_mid_frame() {
            self.received = riders.into();
        }
    }

    /// Moves the registration to another token; nothing comes back when the system refuses.
    pub(crate) fn renamed(self, port: &Port, token: Token) -> Option<Self> {
        let connection = self.connection.release()?;
        let connection = port.watch(connection, token).ok()?;
        Some(Self { connection, ..self })
    }

    /// Reads what has arrived.
    pub(crate) fn read(&mut self) -> Result<Incoming, ConversationError> {
        let mut bytes = Vec::new();
        let mut is_closed = false;
        loop {
            match self.connection.receive(&mut bytes, &mut self.received)? {
                Received::Bytes(_) if bytes.len() < QUEUE_BYTES_MAX => {}
                Received::Bytes(_) | Received::Empty => break,
                Received::Closed => {
                    is_closed = true;
                    break;
                }
            }
        }
        self.framer.feed(&bytes);
        let mut frames = Vec::new();
        while let Some(frame) = self.framer.next()? {
            frames.push(frame);
        }
        Ok(Incoming { frames, descriptors: std::mem::take(&mut self.received), is_closed })
    }

    /// Queues a frame; [`flush`](Self::flush) sends it.
    pub(crate) fn say(&mut self, id: u64, report: Report) -> Result<(), ConversationError> {
        self.say_with(id, report, Vec::new())
    }

    /// Queues a frame with descriptors that ride on its first byte.
    pub(crate) fn say_with(
        &mut self,
        id: u64,
        report: Report,
        descriptors: Vec<Descriptor>,
    ) -> Result<(), ConversationError> {
        let at = self.sent + u64::try_from(self.queue.len()).unwrap_or_default();
        let sequence = self.sequence + 1;
        encode(&ReportFrame { id, sequence, report }, &mut self.queue)?;
        self.sequence = sequence;
        if !descriptors.is_empty() {
            self.riders.push_back(Riders { at, descriptors });
        }
        if self.queue.len() > QUEUE_BYTES_MAX { Err(ConversationError::Stuck) } else { Ok(()) }
    }

    /// Sends as much as the other end takes.
    pub(crate) fn flush(&mut self, now: Duration) -> Result<(), ConversationError> {
        let mut done = 0;
        while done < self.queue.len() {
            let sent = self.send_from(done)?;
            if sent == 0 {
                break;
            }
            done += sent;
            self.sent += u64::try_from(sent).unwrap_or_default();
        }
        self.queue.drain(..done);
        if self.queue.is_empty() {
            self.queue.shrink_to(BUFFER_BYTES_KEPT);
        }
        self.judge(now, done)
    }

    /// Sends from a position of the queue, at most up to where other descriptors ride.
    fn send_from(&mut self, start: usize) -> Result<usize, ConversationError> {
        let here = self.sent;
        let riding = self.riders.front().filter(|riders| riders.at == here);
        let borrowed: Vec<Borrowed<'_>> =
            riding.iter().flat_map(|riders| riders.descriptors.iter().map(borrow)).collect();
        let next = self.riders.iter().map(|riders| riders.at).find(|at| *at > here);
        let length = next.map_or(usize::MAX, |at| usize::try_from(at - here).unwrap_or(usize::MAX));
        let rest = self.queue.get(start..).unwrap_or_default();
        let part = rest.get(..length.min(rest.len())).unwrap_or_default();
        let sent = self.connection.send(part, &borrowed)?;
        if sent > 0 && riding.is_some() {
            self.riders.pop_front();
        }
        Ok(sent)
    }

    fn judge(&mut self, now: Duration, progress: usize) -> Result<(), ConversationError> {
        let wants = if self.queue.is_empty() { WantWrite::No } else { WantWrite::Yes };
        if wants != self.wants {
            self.connection.want_write(wants)?;
            self.wants = wants;
        }
        self.stuck_since = match (self.queue.is_empty(), progress, self.stuck_since) {
            (true, _, _) => None,
            (false, 0, Some(since)) => Some(since),
            (false, _, _) => Some(now),
        };
        let is_stuck = self.stuck_since.is_some_and(|since| now >= since + PROGRESS_WITHIN);
        if is_stuck { Err(ConversationError::Stuck) } else { Ok(()) }
    }

    /// Returns when the other end must have taken something.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.stuck_since.map(|since| since + PROGRESS_WITHIN)
    }

    /// Returns whether everything was sent.
    pub(crate) const fn is_flushed(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the descriptor, to be kept across a replacement of this process.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}
