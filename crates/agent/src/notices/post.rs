//! The sockets at which programs notify, one for each unit, and how often each is looked at.
//!
//! ```text
//!          message                    all that follows is with the keeper
//!  asked ──────────► looked at ─────────────────────────────────────────► taken, asked again
//!    ▲                                                                           │
//!    └────────────── at the end of the pause ◄── too many, or an answer is due ──┘
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_api::{keeper::StoreEntry, notify::MESSAGE_BYTES_MAX};
use mainstay_core::UnitName;
use mainstay_platform::{
    datagram::{self, Datagram, Guarded, Inbox, Inboxes},
    descriptor::Descriptor,
    paths,
    port::{Token, Watched},
};
use mainstay_storage::instance::Instance;
use tokio::time::sleep;

/// Under this name a keeper stores a unit's socket.
pub(super) const SOCKET: &str = "notify";
/// So many messages of one unit are read in each span of this length: who says more waits.
pub(super) const MESSAGES_A_SPAN: u32 = 200;
const SPAN: Duration = Duration::from_millis(100);
/// A socket that cannot be read is left alone for so long.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// All sockets.
#[derive(Debug)]
pub(super) struct Posts {
    inboxes: Inboxes,
    by_unit: BTreeMap<UnitName, Post>,
    by_token: BTreeMap<Token, UnitName>,
    last_token: u64,
    /// Of what was handed over, the other end is closed.
    ended: Vec<Token>,
    /// Whose message was looked at and is not taken yet.
    seen: Vec<UnitName>,
    /// Who rests for a while.
    resting: BTreeSet<UnitName>,
}

#[derive(Debug)]
struct Post {
    inbox: Watched<Inbox>,
    token: Token,
    path: PathBuf,
    pace: Pace,
    rest: Rest,
}

/// Why nobody is to be told of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Somebody is.
    None,
    /// There were too many.
    Until(Duration),
    /// Something else has to come first.
    UntilAsked,
}

/// How many messages there were lately.
#[derive(Debug, Default)]
struct Pace {
    began: Duration,
    count: u32,
}

impl Pace {
    /// Counts a message; returns when the next one may be read, if not at once.
    fn count(&mut self, now: Duration) -> Option<Duration> {
        if now >= self.began + SPAN {
            *self = Self { began: now, count: 0 };
        }
        self.count += 1;
        (self.count >= MESSAGES_A_SPAN).then_some(self.began + SPAN)
    }
}

impl Posts {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            inboxes: Inboxes::new()?,
            by_unit: BTreeMap::new(),
            by_token: BTreeMap::new(),
            last_token: 0,
            ended: Vec::new(),
            seen: Vec::new(),
            resting: BTreeSet::new(),
        })
    }

    /// Waits for messages; nothing is lost when the future is dropped.
    pub(super) async fn ready(&mut self) -> Vec<UnitName> {
        let Ok(tokens) = self.inboxes.ready().await else {
            // The system refuses to wait: the next turn asks again.
            sleep(REFUSED_FOR).await;
            return Vec::new();
        };
        let (heard, ended): (Vec<Token>, Vec<Token>) =
            tokens.into_iter().partition(|token| self.by_token.contains_key(token));
        self.ended.extend(ended);
        heard.iter().filter_map(|token| self.by_token.get(token)).cloned().collect()
    }

    /// Watches the end of a descriptor that was handed over; returns by what it is told.
    pub(super) fn guard(&mut self, guarded: &mut Guarded) -> Token {
        let token = self.next_token();
        self.inboxes.guard(guarded, token);
        token
    }

    /// Returns what has come to its end.
    pub(super) fn take_ended(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.ended)
    }

    fn next_token(&mut self) -> Token {
        self.last_token += 1;
        Token(self.last_token)
    }

    pub(super) fn has(&self, unit: &UnitName) -> bool {
        self.by_unit.contains_key(unit)
    }

    /// Returns where a program finds its socket.
    pub(super) fn address(&self, unit: &UnitName) -> Option<String> {
        self.by_unit.get(unit).map(|post| post.path.display().to_string())
    }

    /// Makes sure that a unit has a socket on its path; returns what is to be stored when it is new.
    pub(super) fn open(
        &mut self,
        instance: &Instance,
        unit: &UnitName,
    ) -> io::Result<Option<Descriptor>> {
        if self.by_unit.get(unit).is_some_and(|post| post.path.exists()) {
            return Ok(None);
        }
        let path = place_of(instance, unit);
        paths::create_private(&instance.notify_sockets())?;
        let inbox = Inbox::open(&path)?;
        let duplicate = inbox.duplicate()?;
        self.insert(unit, inbox, path)?;
        Ok(Some(duplicate))
    }

    /// Takes back a socket that a keeper has stored.
    pub(super) fn restore(
        &mut self,
        instance: &Instance,
        unit: &UnitName,
        socket: Inbox,
    ) -> io::Result<()> {
        self.insert(unit, socket, place_of(instance, unit))
    }

    fn insert(&mut self, unit: &UnitName, inbox: Inbox, path: PathBuf) -> io::Result<()> {
        self.remove(unit);
        let token = self.next_token();
        let inbox = self.inboxes.watch(inbox, token)?;
        inbox.arm()?;
        let post = Post { inbox, token, path, pace: Pace::default(), rest: Rest::None };
        self.by_token.insert(token, unit.clone());
        self.by_unit.insert(unit.clone(), post);
        Ok(())
    }

    fn remove(&mut self, unit: &UnitName) -> Option<Post> {
        let post = self.by_unit.remove(unit)?;
        self.by_token.remove(&post.token);
        self.seen.retain(|seen| seen != unit);
        Some(post)
    }

    /// Closes a unit's socket; returns what is to be stored no longer.
    pub(super) fn close(&mut self, unit: &UnitName) -> Option<StoreEntry> {
        let post = self.remove(unit)?;
        // Somebody may have removed it already.
        drop(std::fs::remove_file(&post.path));
        Some(entry_of(unit))
    }

    /// Looks at a unit's next message; it is taken by [`take_seen`](Self::take_seen).
    pub(super) fn look(&mut self, unit: &UnitName, now: Duration) -> io::Result<Option<Datagram>> {
        let Some(post) = self.by_unit.get_mut(unit) else { return Ok(None) };
        match post.inbox.look(MESSAGE_BYTES_MAX + 1) {
            Ok(Some(datagram)) => {
                self.seen.push(unit.clone());
                Ok(Some(datagram))
            }
            Ok(None) => {
                post.inbox.arm()?;
                Ok(None)
            }
            Err(error) => {
                self.put_off(unit, now);
                Err(error)
            }
        }
    }

    /// Leaves a unit's messages where they are for a while: the system refuses to tell what would
    /// have to be known.
    pub(super) fn put_off(&mut self, unit: &UnitName, now: Duration) {
        self.seen.retain(|seen| seen != unit);
        if let Some(post) = self.by_unit.get_mut(unit) {
            post.rest = Rest::Until(now + REFUSED_FOR);
            self.resting.insert(unit.clone());
        }
    }

    /// Returns whether something was looked at and is not taken yet.
    pub(super) fn has_seen(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Takes what was looked at, and asks for more.
    pub(super) fn take_seen(&mut self, now: Duration) {
        for unit in std::mem::take(&mut self.seen) {
            let Some(post) = self.by_unit.get_mut(&unit) else { continue };
            if post.rest == Rest::UntilAsked {
                self.seen.push(unit);
                continue;
            }
            // What cannot be taken is looked at once more, which changes nothing.
            drop(post.inbox.take());
            match post.pace.count(now) {
                Some(until) => {
                    post.rest = Rest::Until(until);
                    self.resting.insert(unit);
                }
                None => drop(post.inbox.arm()),
            }
        }
    }

    /// Looks at a unit's messages no more until [`resume`](Self::resume); what was looked at stays
    /// until then.
    pub(super) fn hold(&mut self, unit: &UnitName) {
        if let Some(post) = self.by_unit.get_mut(unit) {
            post.rest = Rest::UntilAsked;
        }
    }

    /// Goes on with a unit's messages.
    pub(super) fn resume(&mut self, unit: &UnitName) {
        let Some(post) = self.by_unit.get_mut(unit) else { return };
        if post.rest == Rest::UntilAsked {
            post.rest = Rest::None;
            if !self.seen.contains(unit) {
                drop(post.inbox.arm());
            }
        }
    }

    /// Goes on with those whose pause is over.
    pub(super) fn resume_due(&mut self, now: Duration) {
        let by_unit = &mut self.by_unit;
        self.resting.retain(|unit| {
            let Some(post) = by_unit.get_mut(unit) else { return false };
            match post.rest {
                Rest::Until(until) if now < until => true,
                Rest::Until(_) => {
                    post.rest = Rest::None;
                    drop(post.inbox.arm());
                    false
                }
                Rest::None | Rest::UntilAsked => false,
            }
        });
    }

    /// Returns when a pause is over.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let rests = self.resting.iter().filter_map(|unit| self.by_unit.get(unit));
        let until = rests.filter_map(|post| match post.rest {
            Rest::Until(until) => Some(until),
            Rest::None | Rest::UntilAsked => None,
        });
        until.min()
    }

    /// Looks at a unit's next message, which is [taken](Self::take) at once and not at the end of
    /// the turn.
    pub(super) fn look_ahead(&self, unit: &UnitName) -> io::Result<Option<Datagram>> {
        let Some(post) = self.by_unit.get(unit) else { return Ok(None) };
        post.inbox.look(MESSAGE_BYTES_MAX + 1)
    }

    /// Takes a unit's next message; if it was looked at before, that is over as well.
    pub(super) fn take(&mut self, unit: &UnitName) {
        self.seen.retain(|seen| seen != unit);
        if let Some(post) = self.by_unit.get(unit) {
            // What cannot be taken is looked at once more, which changes nothing.
            drop(post.inbox.take());
        }
    }

    /// Everything was taken that had been said: who speaks from now on is heard.
    pub(super) fn begin_anew(&mut self, unit: &UnitName) {
        self.seen.retain(|seen| seen != unit);
        if let Some(post) = self.by_unit.get_mut(unit) {
            post.rest = Rest::None;
            drop(post.inbox.arm());
        }
    }

    /// Returns duplicates of all sockets, for a new keeper.
    pub(super) fn all(&self) -> (Vec<StoreEntry>, Vec<Descriptor>) {
        let all = self
            .by_unit
            .iter()
            .filter_map(|(unit, post)| Some((entry_of(unit), post.inbox.duplicate().ok()?)));
        all.unzip()
    }
}

pub(super) fn entry_of(unit: &UnitName) -> StoreEntry {
    StoreEntry { unit: unit.to_string(), name: SOCKET.to_owned() }
}

/// Returns the path of a unit's socket; a shorter one where addresses are too short for it.
fn place_of(instance: &Instance, unit: &UnitName) -> PathBuf {
    let folder = instance.notify_sockets();
    let path = folder.join(format!("{unit}.sock"));
    if datagram::fits(&path) { path } else { short_place(&folder, unit) }
}

fn short_place(folder: &Path, unit: &UnitName) -> PathBuf {
    // FNV-1a: the same unit has the same path in every agent.
    let hash = unit
        .to_string()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    folder.join(format!("{hash:08x}"))
}

#[cfg(test)]
mod tests {
    use mainstay_platform::notify_pipe;

    use super::*;

    #[test]
    fn who_says_too_much_waits_for_the_end_of_the_span() {
        let mut pace = Pace::default();
        let start = Duration::from_secs(5);
        for _ in 1..MESSAGES_A_SPAN {
            assert_eq!(pace.count(start), None);
        }
        assert_eq!(pace.count(start), Some(start + SPAN));
        assert_eq!(pace.count(start + SPAN), None);
    }

    #[test]
    fn what_is_taken_at_once_was_not_looked_at_any_more() {
        if notify_pipe::IS_THERE {
            return;
        }
        let folder = std::env::temp_dir().join(format!("mainstay-post-{}", std::process::id()));
        let instance = Instance::new(folder.clone(), folder.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let (mut posts, unit) = (Posts::new().unwrap(), UnitName::parse("web").unwrap());
        posts.open(&instance, &unit).unwrap();
        let address = posts.address(&unit).unwrap();
        for text in [b"1", b"2"] {
            datagram::send(&address, text, &[]).unwrap();
        }
        posts.look(&unit, Duration::ZERO).unwrap().unwrap();
        posts.hold(&unit);
        posts.take(&unit);
        posts.resume(&unit);
        assert!(!posts.has_seen());
        posts.take_seen(Duration::ZERO);
        assert_eq!(posts.look_ahead(&unit).unwrap().unwrap().bytes, b"2");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_long_name_gets_a_short_path_and_each_unit_its_own() {
        let unit = |name: &str| UnitName::parse(name).unwrap();
        let at = |folder: &str, name: &str| {
            let instance = Instance::new(folder.into(), PathBuf::new());
            place_of(&instance, &unit(name))
        };
        let short = at("/run/x", "web@2");
        // A system without such sockets has no paths that fit.
        assert!(!datagram::fits(&short) || short.ends_with("notify/web@2.sock"));
        let (long, longer) = ("w".repeat(60), "v".repeat(60));
        let folder = format!("/run/{}", "x".repeat(60));
        let (one, other) = (at(&folder, &long), at(&folder, &longer));
        assert!(
            one != other && datagram::fits(&one) == datagram::fits(&short),
            "{}",
            one.display()
        );
    }
}
