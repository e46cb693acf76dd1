//! How much one client, one user and all of them may ask of the API's thread.
//!
//! Numbers are in docs/reference/api.md as well. Our own user and the administrator may take what
//! there is; members of groups leave some of it to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mainstay_platform::{clock, daemon, local::Identity};

use crate::calls::{Refused, RefusedKind};

/// So many clients are served at a time, and no more than a quarter of the open files allowed here.
const CLIENTS_MAX: usize = 256;
/// So many of them may be members of groups, and so many one of those.
const CLIENTS_OF_GROUPS: usize = 192;
const CLIENTS_OF_MEMBER: usize = 64;
/// So many streams of events and lines go on at a time, so many of them for members of groups, and
/// so many for one of those.
const STREAMS_MAX: usize = 32;
const STREAMS_OF_GROUPS: usize = 24;
const STREAMS_OF_MEMBER: usize = 8;
/// So many expensive questions are answered at a time, so many of them of members of groups, and so
/// many of one of those: each takes a thread, or waits for one.
const SEARCHES_MAX: usize = 64;
const SEARCHES_OF_GROUPS: usize = 12;
const SEARCHES_OF_MEMBER: usize = 4;
/// A user may ask so often in the long run: 500 times a second.
const REQUEST_EVERY: Duration = Duration::from_millis(2);
/// And so often at once: 1,000 times.
const BURST: Duration = Duration::from_secs(2);
/// Users who are gone are remembered up to this many, so that a new connection is no new beginning.
const USERS_MAX: usize = 1_000;

/// Counts who asks for how much.
#[derive(Debug, Clone)]
pub(super) struct Limits(Arc<Mutex<Book>>);

#[derive(Debug)]
struct Book {
    users: BTreeMap<String, User>,
    clients_max: usize,
}

#[derive(Debug, Default)]
struct User {
    is_trusted: bool,
    clients: usize,
    streams: usize,
    searches: usize,
    /// When all that was asked would be over, one after another.
    busy_until: Duration,
}

/// A client that is served; counts until it is dropped.
#[derive(Debug)]
pub(super) struct Visit(Limits, String);

/// A stream that goes on; counts until it is dropped.
#[derive(Debug)]
pub(super) struct Streaming(Limits, String);

/// An expensive question that is being answered; counts until it is dropped.
#[derive(Debug)]
pub(super) struct Searching(Limits, String);

impl Limits {
    /// Returns those of this process.
    pub(super) fn new() -> Self {
        let files = usize::try_from(daemon::file_limit() / 4).unwrap_or(CLIENTS_MAX);
        Self::with(CLIENTS_MAX.min(files))
    }

    fn with(clients_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Book { users: BTreeMap::new(), clients_max })))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a client in; nothing when there are too many.
    pub(super) fn let_in(&self, identity: &Identity) -> Option<Visit> {
        let mut book = self.book();
        let (all, members) = book.count(|user| user.clients);
        let own = book.users.get(&identity.user).map_or(0, |user| user.clients);
        let most = book.clients_max;
        let is_member = !identity.is_trusted;
        if all >= most
            || is_member && members >= CLIENTS_OF_GROUPS.min(most / 4 * 3)
            || is_member && own >= CLIENTS_OF_MEMBER.min(most / 4)
        {
            return None;
        }
        book.forget_some();
        let user = book.users.entry(identity.user.clone()).or_default();
        user.is_trusted = identity.is_trusted;
        user.clients += 1;
        Some(Visit(self.clone(), identity.user.clone()))
    }

    /// Counts a request; refuses it when there were too many.
    pub(super) fn count(&self, user: &str) -> Result<(), Refused> {
        self.count_at(user, clock::monotonic())
    }

    fn count_at(&self, user: &str, now: Duration) -> Result<(), Refused> {
        let mut book = self.book();
        let Some(user) = book.users.get_mut(user) else { return Ok(()) };
        let begin = user.busy_until.max(now);
        if begin.saturating_sub(now) > BURST {
            let what = "you ask more than 500 times a second";
            return Err(Refused::new(RefusedKind::Often, what, "try again in a second"));
        }
        user.busy_until = begin + REQUEST_EVERY;
        Ok(())
    }

    /// Lets a stream begin; refuses it when there are too many.
    pub(super) fn stream(&self, name: &str) -> Result<Streaming, Refused> {
        let mut book = self.book();
        let (all, members) = book.count(|user| user.streams);
        let user = book.users.entry(name.to_owned()).or_default();
        let is_too_many =
            !user.is_trusted && (user.streams >= STREAMS_OF_MEMBER || members >= STREAMS_OF_GROUPS);
        if all >= STREAMS_MAX || is_too_many {
            let what = "too many streams go on already";
            return Err(Refused::new(RefusedKind::Often, what, "end one of them first"));
        }
        user.streams += 1;
        Ok(Streaming(self.clone(), name.to_owned()))
    }

    /// Lets an expensive question be answered; refuses it when there are too many.
    pub(super) fn search(&self, name: &str) -> Result<Searching, Refused> {
        let mut book = self.book();
        let (all, members) = book.count(|user| user.searches);
        let user = book.users.entry(name.to_owned()).or_default();
        let is_too_many = !user.is_trusted
            && (user.searches >= SEARCHES_OF_MEMBER || members >= SEARCHES_OF_GROUPS);
        if all >= SEARCHES_MAX || is_too_many {
            let what = "too many questions that take long are being answered already";
            return Err(Refused::new(RefusedKind::Often, what, "try again in a second"));
        }
        user.searches += 1;
        Ok(Searching(self.clone(), name.to_owned()))
    }

    /// Lets somebody wait for an event: for a member of groups that is as good as a stream, so that
    /// whoever waits for many leaves room to others.
    pub(super) fn wait(&self, name: &str) -> Result<Option<Streaming>, Refused> {
        let is_trusted = self.book().users.get(name).is_some_and(|user| user.is_trusted);
        if is_trusted { Ok(None) } else { self.stream(name).map(Some) }
    }
}

impl Book {
    /// Returns how much there is of something, and how much of it is of members of groups.
    fn count(&self, what: impl Fn(&User) -> usize) -> (usize, usize) {
        let of = |user: &User| (what(user), if user.is_trusted { 0 } else { what(user) });
        self.users
            .values()
            .map(of)
            .fold((0, 0), |(all, members), (one, member)| (all + one, members + member))
    }

    fn forget_some(&mut self) {
        if self.users.len() >= USERS_MAX {
            let now = clock::monotonic();
            self.users.retain(|_, user| {
                user.clients + user.streams + user.searches > 0 || user.busy_until > now
            });
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(user) = self.0.book().users.get_mut(&self.1) {
            user.clients = user.clients.saturating_sub(1);
        }
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        if let Some(user) = self.0.book().users.get_mut(&self.1) {
            user.searches = user.searches.saturating_sub(1);
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        if let Some(user) = self.0.book().users.get_mut(&self.1) {
            user.streams = user.streams.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_groups_leave_room_for_each_other_and_for_the_owner() {
        let limits = Limits::with(CLIENTS_MAX);
        let mut visits: Vec<Visit> = Vec::new();
        for user in ["1", "2", "3", "4"] {
            let member = somebody(user, false);
            visits.extend(std::iter::from_fn(|| limits.let_in(&member)));
        }
        assert_eq!(visits.len(), CLIENTS_OF_GROUPS);
        let owner = somebody("0", true);
        visits.extend(std::iter::from_fn(|| limits.let_in(&owner)));
        assert_eq!(visits.len(), CLIENTS_MAX);
        visits.clear();
        assert!(limits.let_in(&somebody("4", false)).is_some());
    }

    #[test]
    fn a_process_with_few_files_serves_few() {
        let limits = Limits::with(16);
        let member = somebody("1", false);
        assert_eq!(
            std::iter::from_fn(|| limits.let_in(&member)).take(99).collect::<Vec<_>>().len(),
            4
        );
    }

    #[test]
    fn whoever_asks_too_often_is_refused_until_some_time_has_passed() {
        let limits = Limits::with(CLIENTS_MAX);
        let visit = limits.let_in(&somebody("1", false));
        let _other = limits.let_in(&somebody("2", false));
        let now = Duration::from_secs(100);
        let asked = (0..5_000).take_while(|_| limits.count_at("1", now).is_ok()).count();
        assert_eq!(asked, 1_001);
        let refused = limits.count_at("1", now).unwrap_err();
        assert_eq!(refused.kind, RefusedKind::Often);
        limits.count_at("2", now).unwrap();
        // A new connection is no new beginning.
        drop(visit);
        let _visit = limits.let_in(&somebody("1", false));
        assert!(limits.count_at("1", now).is_err());
        let later = now + Duration::from_secs(1);
        let asked = (0..5_000).take_while(|_| limits.count_at("1", later).is_ok()).count();
        assert_eq!(asked, 500);
    }

    #[test]
    fn streams_are_few_and_end_with_who_reads_them() {
        let limits = Limits::with(CLIENTS_MAX);
        let _visit = limits.let_in(&somebody("1", false));
        let streams: Vec<_> = std::iter::from_fn(|| limits.stream("1").ok()).collect();
        assert_eq!(streams.len(), STREAMS_OF_MEMBER);
        drop(streams);
        let _visit = limits.let_in(&somebody("0", true));
        let streams: Vec<_> = std::iter::from_fn(|| limits.stream("0").ok()).collect();
        assert_eq!(streams.len(), STREAMS_MAX);
        assert_eq!(limits.stream("1").unwrap_err().kind, RefusedKind::Often);
        drop(streams);
        // Whoever waits reads no less; members of groups leave room to the owner.
        let visits = ["1", "2", "3", "4"].map(|user| limits.let_in(&somebody(user, false)));
        let wait = |user: &str| limits.wait(user).ok().flatten();
        let waiting = |user: &'static str| std::iter::from_fn(move || wait(user));
        let all: Vec<_> = ["1", "2", "3", "4"].into_iter().flat_map(waiting).collect();
        assert_eq!((all.len(), visits.len()), (STREAMS_OF_GROUPS, 4));
        assert!((0..100).all(|_| limits.wait("0").is_ok_and(|seat| seat.is_none())));
        drop(limits.stream("0").unwrap());
    }

    #[test]
    fn expensive_questions_are_few_and_make_room_when_they_are_answered() {
        let limits = Limits::with(CLIENTS_MAX);
        let users = ["1", "2", "3", "4"];
        let _visits = users.map(|user| limits.let_in(&somebody(user, false)));
        let search = |user: &str| limits.search(user).ok();
        let ask = |user: &'static str| std::iter::from_fn(move || search(user));
        let mut own: Vec<_> = ask("1").collect();
        assert_eq!(own.len(), SEARCHES_OF_MEMBER);
        assert_eq!(limits.search("1").unwrap_err().kind, RefusedKind::Often);
        drop(own.pop());
        own.extend(limits.search("1").ok());
        assert_eq!(own.len(), SEARCHES_OF_MEMBER);
        let others: Vec<_> = users.into_iter().flat_map(ask).collect();
        assert_eq!(own.len() + others.len(), SEARCHES_OF_GROUPS);
        // The owner has room of his own.
        let _visit = limits.let_in(&somebody("0", true));
        let all: Vec<_> = ask("0").collect();
        assert_eq!(all.len(), SEARCHES_MAX - SEARCHES_OF_GROUPS);
    }

    fn somebody(user: &str, is_trusted: bool) -> Identity {
        Identity { user: user.to_owned(), groups: Vec::new(), is_trusted }
    }
}
