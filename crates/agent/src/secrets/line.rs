//! A thread that does one thing after the other on a disk, and those who wait for it: when it stands
//! still they are told so, and whoever needs something else goes on.

use std::{
    collections::BTreeMap,
    io,
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use mainstay_platform::clock;

use super::fetcher::Told;

/// A thread that has not got on for so long stands still.
pub(super) const GETS_ON_WITHIN: Duration = Duration::from_secs(5);

type Task = Box<dyn FnOnce() -> Told + Send>;

/// The thread, which begins with the first need of it, and who waits for what it does.
#[derive(Debug)]
pub(super) struct Line<W> {
    name: &'static str,
    own: Sender<Told>,
    tasks: Option<Sender<Task>>,
    next: u64,
    waiting: BTreeMap<u64, W>,
    /// What it was given and has not done, whether anybody waits for it or not.
    under_way: usize,
    moved_at: Duration,
    is_stuck: bool,
}

impl<W> Line<W> {
    pub(super) const fn new(name: &'static str, own: Sender<Told>) -> Self {
        Self {
            name,
            own,
            tasks: None,
            next: 0,
            waiting: BTreeMap::new(),
            under_way: 0,
            moved_at: Duration::ZERO,
            is_stuck: false,
        }
    }

    /// Has something done for somebody; gives them back when there is no thread for it.
    pub(super) fn ask(
        &mut self,
        who: W,
        task: impl FnOnce(u64) -> Told + Send + 'static,
    ) -> Result<(), (W, io::Error)> {
        let ticket = self.next;
        self.next += 1;
        if let Err(error) = self.order(move || task(ticket)) {
            return Err((who, error));
        }
        self.waiting.insert(ticket, who);
        Ok(())
    }

    /// Has something done for which nobody waits.
    pub(super) fn order(&mut self, task: impl FnOnce() -> Told + Send + 'static) -> io::Result<()> {
        let tasks = match self.tasks.take() {
            Some(tasks) => tasks,
            None => start(self.name, self.own.clone())?,
        };
        let sent = tasks.send(Box::new(task));
        self.tasks = Some(tasks);
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        if self.under_way == 0 {
            self.moved_at = clock::monotonic();
        }
        self.under_way += 1;
        Ok(())
    }

    /// It has done something; returns who waits for that, if anybody still does.
    pub(super) fn done(&mut self, ticket: u64) -> Option<W> {
        self.moved();
        self.waiting.remove(&ticket)
    }

    /// It has done something for which nobody waits.
    pub(super) fn moved(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.moved_at = clock::monotonic();
        self.is_stuck = false;
    }

    /// Returns whether it is known to stand still: then nobody need wait for it.
    pub(super) const fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// Returns all who wait when it has just been found to stand still.
    pub(super) fn give_up_if_stuck(&mut self, now: Duration) -> Vec<W> {
        if self.stuck_at().is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.is_stuck = true;
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Returns those that do not wait any longer.
    pub(super) fn take(&mut self, is_taken: impl Fn(&W) -> bool) -> Vec<W> {
        self.waiting.extract_if(.., |_, who| is_taken(who)).map(|(_, who)| who).collect()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &W> {
        self.waiting.values()
    }

    /// Returns when it is found to stand still unless it gets on before.
    pub(super) fn stuck_at(&self) -> Option<Duration> {
        (self.under_way > 0 && !self.is_stuck).then(|| self.moved_at + GETS_ON_WITHIN)
    }
}

fn start(name: &'static str, own: Sender<Told>) -> io::Result<Sender<Task>> {
    let (tasks, inbox) = mpsc::channel::<Task>();
    let body = move || {
        for task in inbox {
            // A fetcher that is gone has gone with its agent.
            drop(own.send(task()));
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(body)?;
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn line() -> (Line<&'static str>, Receiver<Told>) {
        let (own, inbox) = mpsc::channel();
        (Line::new("line", own), inbox)
    }

    fn done(inbox: &Receiver<Told>) -> u64 {
        let told = inbox.recv_timeout(LONG).unwrap();
        let Told::Written(ticket, _) = told else { panic!("{told:?}") };
        ticket
    }

    #[test]
    fn who_waits_is_found_by_what_was_done() {
        let (mut line, inbox) = line();
        for who in ["one", "two", "three"] {
            line.ask(who, |ticket| Told::Written(ticket, Ok(None))).unwrap();
        }
        assert_eq!(line.take(|who| *who == "two"), ["two"]);
        let answered = [(); 3].map(|()| line.done(done(&inbox)));
        assert_eq!(answered, [Some("one"), None, Some("three")]);
        assert_eq!(line.stuck_at(), None, "nothing is under way");
    }

    #[test]
    fn a_thread_that_stands_still_keeps_nobody_waiting_and_is_believed_when_it_goes_on() {
        let (mut line, inbox) = line();
        let (open, gate) = mpsc::channel::<()>();
        let task = move |ticket| {
            gate.recv().unwrap_err();
            Told::Written(ticket, Ok(None))
        };
        line.ask("one", task).unwrap();
        line.ask("two", |ticket| Told::Written(ticket, Ok(None))).unwrap();
        let at = line.stuck_at().unwrap();
        assert!(line.give_up_if_stuck(line.moved_at).is_empty());
        assert_eq!(line.give_up_if_stuck(at), ["one", "two"]);
        assert!(line.is_stuck() && line.stuck_at().is_none());
        drop(open);
        assert_eq!(line.done(done(&inbox)), None);
        assert!(!line.is_stuck());
        assert_eq!(line.done(done(&inbox)), None);
        line.ask("three", |ticket| Told::Written(ticket, Ok(None))).unwrap();
        assert_eq!(line.done(done(&inbox)), Some("three"));
    }
}
