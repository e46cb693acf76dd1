//! The conversation with the keeper, and finding or starting one when it is gone.

use std::{io, time::Duration};

use mainstay_api::keeper::{
    BUFFER_BYTES_KEPT, CustodyRequest, DESCRIPTORS_MAX, Entry, FrameError, Framer, Hello, PROTOCOL,
    Report, ReportFrame, Request, RequestFrame, StoreEntry, Welcome, encode,
};
use mainstay_platform::{descriptor::Descriptor, fail, link::Link};
use tokio::time::timeout;

use crate::{api::Arrival, custody::Parcel};

/// How long a keeper may take to answer the first questions.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The conversation with the keeper.
#[derive(Debug)]
pub(crate) struct Keeper {
    link: Link,
    framer: Framer,
    descriptors: Vec<Descriptor>,
    outgoing: Vec<u8>,
    last_id: u64,
    /// The last frame that was handled.
    handled: u64,
    /// What was said of it so far.
    said: Option<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    at_us: Option<u64>,
    handled: u64,
}

/// What a keeper says at first.
#[derive(Debug)]
pub(crate) struct Introduction {
    pub(crate) welcome: Welcome,
    pub(crate) entries: Vec<Entry>,
    /// What else was said meanwhile, in order: not all of it is in the list.
    pub(crate) besides: Vec<Report>,
}

/// A conversation that cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    #[error("cannot talk to the keeper")]
    Broken(#[from] io::Error),
    #[error("the keeper does not speak our protocol")]
    Frame(#[from] FrameError),
    #[error("the keeper is gone")]
    Gone,
    #[error("the keeper does not answer")]
    Silent,
    #[error("the keeper refuses us: {0}")]
    Refused(String),
    #[error("the keeper said something else than we asked for")]
    Confused,
}

impl Keeper {
    /// Connects to a keeper and learns what it knows. With one that is a version older we speak as
    /// our predecessor did.
    pub(crate) async fn meet(link: &str) -> Result<(Self, Introduction), KeeperError> {
        let own = PROTOCOL + fail::raised();
        let met = Self::meet_as(link, own).await;
        if !matches!(met, Err(KeeperError::Refused(_))) {
            return met;
        }
        match Self::meet_as(link, own - 1).await {
            Err(KeeperError::Refused(_)) => met,
            older => older,
        }
    }

    async fn meet_as(link: &str, protocol: u32) -> Result<(Self, Introduction), KeeperError> {
        let link = Link::inherit(link)?;
        let mut keeper = Self {
            link,
            framer: Framer::default(),
            descriptors: Vec::new(),
            outgoing: Vec::new(),
            last_id: 0,
            handled: 0,
            said: None,
        };
        let introduction = timeout(ANSWER_WITHIN, keeper.introduce(protocol));
        let introduction = introduction.await.map_err(|_| KeeperError::Silent)??;
        Ok((keeper, introduction))
    }

    async fn introduce(&mut self, protocol: u32) -> Result<Introduction, KeeperError> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Hello { protocol, version, pid: std::process::id() };
        self.ask(Request::Hello(hello))?;
        self.flush()?;
        let first = self.next().await?;
        if let Report::Refused { reason } = first {
            return Err(KeeperError::Refused(reason));
        }
        let Report::Welcome(welcome) = first else { return Err(KeeperError::Confused) };
        self.ask(Request::List)?;
        self.flush()?;
        let (mut entries, mut besides, mut is_complete) = (Vec::new(), Vec::new(), false);
        while !is_complete {
            let report = self.next().await?;
            if let Report::Listed { entries: some, more } = report {
                entries.extend(some);
                is_complete = !more;
            } else {
                besides.push(report);
            }
        }
        Ok(Introduction { welcome, entries, besides })
    }

    /// Waits for the next report; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Report, KeeperError> {
        loop {
            if let Some(frame) = self.framer.next::<ReportFrame>()? {
                self.handled = frame.sequence;
                return Ok(frame.report);
            }
            let mut bytes = Vec::new();
            if self.link.receive(&mut bytes, &mut self.descriptors).await? == 0 {
                return Err(KeeperError::Gone);
            }
            self.framer.feed(&bytes);
        }
    }

    /// Returns the next descriptors that rode with frames, at most so many; they are taken in the
    /// order of the frames that speak of them.
    pub(crate) fn take_descriptors(&mut self, count: usize) -> Vec<Descriptor> {
        self.descriptors.drain(..count.min(self.descriptors.len())).collect()
    }

    /// Returns the listener that has come with the last frame.
    pub(crate) fn take_listener(&mut self) -> Option<Arrival> {
        self.take_descriptors(1).pop().map(Arrival::Listener)
    }

    /// Returns the client that has come with the last frame.
    pub(crate) fn take_client(&mut self) -> Option<Arrival> {
        self.take_descriptors(1).pop().map(Arrival::Client)
    }

    /// Returns what is stored, with the descriptors that have come with that report.
    pub(crate) fn take_stored(
        &mut self,
        entries: Vec<StoreEntry>,
    ) -> Vec<(StoreEntry, Descriptor)> {
        let descriptors = self.take_descriptors(entries.len());
        entries.into_iter().zip(descriptors).collect()
    }

    /// Has descriptors stored, one for each entry, in order; ours stay ours.
    ///
    /// Only keepers since [`STORE_SINCE`](mainstay_api::keeper::STORE_SINCE) understand it.
    pub(crate) fn store(
        &mut self,
        entries: &[StoreEntry],
        descriptors: &[Descriptor],
    ) -> Result<(), KeeperError> {
        self.flush()?;
        let parts = entries.chunks(DESCRIPTORS_MAX).zip(descriptors.chunks(DESCRIPTORS_MAX));
        for (entries, descriptors) in parts {
            self.ask(Request::Store(entries.to_vec()))?;
            self.link.send(&self.outgoing, descriptors)?;
            self.outgoing.clear();
        }
        Ok(())
    }

    /// Gives a keeper what we held for its predecessor.
    pub(crate) fn give(&mut self, parcel: Parcel) -> Result<(), KeeperError> {
        self.flush()?;
        let Parcel { entries, descriptors } = parcel;
        self.ask(Request::Custody(CustodyRequest::Give(entries)))?;
        self.link.send(&self.outgoing, &descriptors)?;
        self.outgoing.clear();
        Ok(())
    }

    /// Queues a request; [`flush`](Self::flush) sends it.
    pub(crate) fn ask(&mut self, request: Request) -> Result<(), KeeperError> {
        self.last_id += 1;
        let id = self.last_id;
        Ok(encode(&RequestFrame { id, request }, &mut self.outgoing)?)
    }

    /// Tells how far we are and when we act next, when that is news, and sends everything.
    pub(crate) fn finish_turn(&mut self, at: Option<Duration>) -> Result<(), KeeperError> {
        let at_us = at.map(|at| u64::try_from(at.as_micros()).unwrap_or(u64::MAX));
        let said = Said { at_us, handled: self.handled };
        if self.said != Some(said) {
            self.said = Some(said);
            self.ask(Request::Next { at_us, handled: self.handled })?;
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), KeeperError> {
        if !self.outgoing.is_empty() {
            self.link.send(&self.outgoing, &[])?;
            self.outgoing.clear();
            self.outgoing.shrink_to(BUFFER_BYTES_KEPT);
        }
        Ok(())
    }
}
