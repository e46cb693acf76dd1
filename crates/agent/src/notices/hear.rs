//! From a message to what follows from it.

use std::{io, time::Duration};

use mainstay_api::{
    control::Facts,
    keeper::{Deposited, FOLLOW_SINCE, Follow, Followed, Notified, Request, RunRef, Stay},
    notify::{Access, Fault, Life, Message, MessageError, Poll, Stage, Storing},
};
use mainstay_core::{Input, Notice, UnitName};
use mainstay_platform::{clock, datagram::Datagram, notify_pipe};

use super::{
    Terms,
    sender::{self, Stranger, Whom},
    shelf::Label,
};
use crate::{
    daemon::Agent,
    events::{Happening, Level},
};

/// That somebody is not heard is told at most so often for each unit.
const REFUSALS_EVERY: Duration = Duration::from_secs(10);
/// So many events of one unit are told in each span of this length, and the others counted.
const EVENTS_IN_SPAN: u32 = 20;
const EVENTS_SPAN: Duration = Duration::from_secs(10);
/// More mistakes of one run are not told.
const FAULTS_MAX: usize = 16;

/// Who was not heard lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    told_at: Option<Duration>,
    more: u64,
}

impl Refusals {
    /// Counts one more; returns how many were not told before it, when it is to be told.
    fn count(&mut self, now: Duration) -> Option<u64> {
        if self.told_at.is_some_and(|at| now < at + REFUSALS_EVERY) {
            self.more += 1;
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.more))
    }
}

/// How many events a unit has told lately.
#[derive(Debug, Default)]
pub(super) struct Talk {
    since: Duration,
    count: u32,
    more: u64,
}

impl Talk {
    /// Counts one more; returns how many were not told before it, when it is to be told.
    fn count(&mut self, now: Duration) -> Option<u64> {
        if self.count == 0 || now >= self.since + EVENTS_SPAN {
            (self.since, self.count) = (now, 0);
        }
        if self.count >= EVENTS_IN_SPAN {
            self.more += 1;
            return None;
        }
        self.count += 1;
        Some(std::mem::take(&mut self.more))
    }
}

/// Whether to hear a unit.
enum Attention {
    /// It speaks for this run, with this main process while there is one.
    Now { run: u64, main: Option<u32> },
    /// Its start has not come to an end.
    Later,
    /// There is no such unit.
    Nobody,
}

impl Agent {
    /// Looks at one message of each of these units; they are taken at the end of the turn.
    pub(crate) fn hear_notices(&mut self, units: &[UnitName]) {
        let ended = self.notices.posts.take_ended();
        let gone = self.notices.shelf.let_end(&ended);
        self.unstore(gone);
        for unit in units {
            if matches!(self.attention(unit), Attention::Later) {
                self.notices.posts.hold(unit);
                continue;
            }
            match self.notices.posts.look(unit, clock::monotonic()) {
                Ok(Some(datagram)) => self.consider(unit, datagram),
                Ok(None) => {}
                Err(error) => self.tell_unread(unit, &error),
            }
        }
    }

    /// Tells now and then that a unit's messages cannot be read.
    fn tell_unread(&mut self, unit: &UnitName, error: &io::Error) {
        if let Some(spoken) = self.notices.spoken.get_mut(unit)
            && spoken.unread.count(clock::monotonic()).is_none()
        {
            return;
        }
        let text = format!("cannot read the notifications of `{unit}`: {error}");
        self.tell_of(unit, Level::Error, ("NotifyRefused", text));
    }

    fn attention(&self, unit: &UnitName) -> Attention {
        let Some(view) = self.supervisor.unit(unit) else { return Attention::Nobody };
        let spoken = self.notices.spoken.get(unit);
        let (run, ordered) = (view.run(), spoken.map(|spoken| spoken.run));
        match view.pid() {
            Some(pid) => {
                let main = self.notices.main_of(unit, run).unwrap_or(pid);
                Attention::Now { run, main: Some(main) }
            }
            None if view.state() == "starting" && ordered == Some(run) => Attention::Later,
            None => Attention::Now { run, main: None },
        }
    }

    fn consider(&mut self, unit: &UnitName, datagram: Datagram) {
        let Attention::Now { run, main } = self.attention(unit) else { return };
        let instance = self.instance.runtime.display().to_string();
        let whom = Whom { unit, run, instance: &instance, main, access: self.access_of(unit) };
        let speaks_for =
            Whom { main: main.or_else(|| self.notices.former_main_of(unit, run)), ..whom };
        let heard = match sender::objection_to(datagram.sender, speaks_for) {
            Ok(None) => understand(&datagram).map_err(|error| error.to_string()),
            Ok(Some(stranger)) => Err(stranger.to_string()),
            Err(error) => {
                // It stays where it is.
                self.notices.posts.put_off(unit, clock::monotonic());
                return self.tell_unread(unit, &error);
            }
        };
        match heard {
            Ok(message) => self.act(whom, &message, datagram),
            Err(reason) => self.refuse(unit, &reason),
        }
    }

    /// Hears what the keeper has heard, on systems where programs notify by a pipe.
    pub(crate) fn notified(&mut self, notified: Notified) {
        let Notified { run, pid, main, text } = notified;
        let Some((unit, own)) = run.as_ref().and_then(speaker) else {
            return self.refuse_stranger(pid);
        };
        let run = match self.attention(&unit) {
            Attention::Now { run, .. } if own.is_none_or(|own| own == run) => run,
            // It is of a run that is over.
            Attention::Now { .. } | Attention::Later | Attention::Nobody => return,
        };
        let main = main && own.is_some();
        let instance = self.instance.runtime.display().to_string();
        let access = self.access_of(&unit);
        let main_pid = main.then_some(pid);
        let whom = Whom { unit: &unit, run, instance: &instance, main: main_pid, access };
        let heard = match access {
            Access::None => Err(Stranger::Nobody.to_string()),
            Access::Main if !main => Err(Stranger::NotMain(pid).to_string()),
            Access::Main | Access::All => {
                Message::parse(text.as_bytes()).map_err(|error| error.to_string())
            }
        };
        match heard {
            Ok(message) => self.act(whom, &message, Datagram::default()),
            Err(reason) => self.refuse(&unit, &reason),
        }
    }

    /// Tells now and then that somebody notifies who is of no run.
    fn refuse_stranger(&mut self, pid: u32) {
        if let Some(more) = self.notices.strangers.count(clock::monotonic()) {
            let reason = format!("process {pid} is of no run, or was gone at once");
            let text = format!("a notification is refused: {reason}{}", before(more));
            let event = "NotificationRefused";
            self.events.tell(Happening::of_instance(Level::Warn, event, text));
        }
    }

    pub(super) fn access_of(&self, unit: &UnitName) -> Access {
        let said = self.notices.spoken.get(unit).and_then(|spoken| spoken.said.access());
        let service = self.config.services.get(&unit.service);
        said.or_else(|| Some(service.and_then(Terms::of)?.access)).unwrap_or(Access::All)
    }

    /// Does what a message asks for, in the order in which systemd does.
    fn act(&mut self, whom: Whom<'_>, message: &Message, datagram: Datagram) {
        let (unit, run) = (whom.unit, whom.run);
        for fault in &message.faults {
            self.tell_fault(unit, fault.clone());
        }
        if let Some(spoken) = self.notices.spoken.get_mut(unit)
            && spoken.run == run
            && spoken.said.take(message)
        {
            self.notices.due.insert(unit.clone());
        }
        for (name, words) in &message.events {
            self.tell_event(unit, run, name, words);
        }
        if let Some(pid) = message.main_pid {
            self.follow(whom, pid);
        }
        for notice in notices_of(message) {
            self.take(Input::Noticed { unit: unit.clone(), run, notice });
        }
        if let Some(storing) = &message.storing {
            self.keep_for(unit, storing, datagram);
        }
    }

    /// Has another process of the run be its main process; nothing more is heard before that is
    /// answered.
    fn follow(&mut self, whom: Whom<'_>, pid: u32) {
        if whom.main.is_none_or(|main| main == pid) {
            return;
        }
        let fault = |what| Fault { key: "MAINPID".to_owned(), what };
        if notify_pipe::IS_THERE {
            return self.tell_fault(whom.unit, fault("is nothing that this system can follow"));
        }
        match sender::belongs(pid, whom) {
            Ok(true) => {}
            Ok(false) => return self.tell_fault(whom.unit, fault("is no process of its run")),
            Err(_) => return self.tell_fault(whom.unit, fault("cannot be looked at")),
        }
        if self.welcome.protocol < FOLLOW_SINCE {
            return self.tell_fault(whom.unit, fault("is more than this keeper can do"));
        }
        if let Some(spoken) = self.notices.spoken.get_mut(whom.unit) {
            spoken.asked = Some(pid);
            self.notices.posts.hold(whom.unit);
            let (unit, run) = (whom.unit.to_string(), whom.run);
            self.ask_keeper(Request::Follow(vec![Follow { unit, run, pid }]));
        }
    }

    /// The keeper has answered whether it follows another process.
    pub(crate) fn followed(&mut self, followed: &Followed) {
        if followed.refused.is_none() {
            // What is held of its process is another one's.
            self.custody.want(&followed.unit, followed.run);
        }
        let Ok(unit) = UnitName::parse(&followed.unit) else { return };
        let Some(spoken) = self.notices.spoken.get_mut(&unit) else { return };
        if spoken.run == followed.run && followed.refused.is_none() {
            spoken.main = Some(followed.pid);
        }
        if spoken.asked == Some(followed.pid) {
            spoken.asked = None;
            self.notices.posts.resume(&unit);
        }
        if let Some(reason) = &followed.refused {
            let text =
                format!("process {} is not the main one of `{unit}`: {reason}", followed.pid);
            self.tell_of(&unit, Level::Warn, ("NotificationRefused", text));
        }
    }

    /// Keeps for a unit's next run what has come along, or lets go of what was kept.
    pub(super) fn keep_for(&mut self, unit: &UnitName, storing: &Storing, datagram: Datagram) {
        let (name, stay) = match storing {
            Storing::Drop { name } => {
                let gone = self.notices.shelf.let_go(unit, name);
                return self.unstore(gone);
            }
            Storing::Keep { name, poll: Poll::Yes } => (name, Stay::WhileOpen),
            Storing::Keep { name, poll: Poll::No } => (name, Stay::Always),
        };
        if self.has_let_go(unit) {
            return self.refuse(unit, "it was stopped: there is no next run to keep anything for");
        }
        if datagram.are_riders_withheld {
            self.refuse(unit, "the system withholds descriptors that came along");
        }
        let service = self.config.services.get(&unit.service);
        let most = service.and_then(Terms::of).map_or(0, |terms| terms.store);
        let label = Label { name, stay, most };
        let added = self.notices.shelf.keep(unit, label, datagram.riders);
        self.notices.shelf.guard(&mut self.notices.posts);
        self.store(&added.entries, &added.descriptors);
        if added.refused > 0 {
            let text = format!(
                "{} descriptors of `{unit}` are not kept: `notify.store` is {most}",
                added.refused
            );
            self.refuse(unit, &text);
        }
    }

    /// The keeper has answered what it stores.
    pub(crate) fn deposited(&mut self, deposited: &Deposited) {
        let (Ok(unit), Some(reason)) = (UnitName::parse(&deposited.unit), &deposited.refused)
        else {
            return;
        };
        let name = &deposited.name;
        // A start that asked for it would be refused.
        self.notices.shelf.drop_refused(&unit, name);
        let text = format!("the keeper does not store `{name}` of `{unit}`: {reason}");
        self.tell_of(&unit, Level::Warn, ("NotificationRefused", text));
    }

    /// Tells a mistake once for each run.
    fn tell_fault(&mut self, unit: &UnitName, fault: Fault) {
        let Some(spoken) = self.notices.spoken.get_mut(unit) else { return };
        let text = format!("`{unit}` says `{}=`, and its value {}", fault.key, fault.what);
        if spoken.told.len() < FAULTS_MAX && spoken.told.insert(fault) {
            self.tell_of(unit, Level::Warn, ("NotificationFaulty", text));
        }
    }

    /// Tells what a run says that has happened, unless it talks without end.
    fn tell_event(&mut self, unit: &UnitName, run: u64, name: &str, words: &str) {
        let Some(spoken) = self.notices.spoken.get_mut(unit) else { return };
        let Some(more) = spoken.talk.count(clock::monotonic()) else { return };
        let text = format!("`{unit}` says: {words}{}", before(more));
        let happening = Happening::of_instance(Level::Info, "UnitSaid", text);
        let facts = Facts { said: Some(name.to_owned()), ..Facts::default() };
        let (unit, run) = (Some(unit.clone()), Some(run));
        self.events.tell(Happening { unit, run, facts, ..happening });
    }

    /// Tells that somebody is not heard, now and then.
    fn refuse(&mut self, unit: &UnitName, reason: &str) {
        let Some(spoken) = self.notices.spoken.get_mut(unit) else { return };
        let Some(more) = spoken.refusals.count(clock::monotonic()) else { return };
        let before = before(more);
        let text = format!("a notification for `{unit}` is refused: {reason}{before}");
        self.tell_of(unit, Level::Warn, ("NotificationRefused", text));
    }

    fn tell_of(&mut self, unit: &UnitName, level: Level, (event, text): (&'static str, String)) {
        let run = self.supervisor.unit(unit).map(mainstay_core::UnitView::run);
        let happening = Happening::of_instance(level, event, text);
        self.events.tell(Happening { unit: Some(unit.clone()), run, ..happening });
    }
}

/// A unit, and which of its runs when that is certain.
type Speaker = (UnitName, Option<u64>);

/// Returns the unit that somebody speaks for, and of which run; nothing for a hook, whose numbers
/// are its own and which speaks for the run that is there.
fn speaker(run: &RunRef) -> Option<Speaker> {
    match run.unit.split_once(':') {
        Some((unit, _)) => Some((UnitName::parse(unit).ok()?, None)),
        None => Some((UnitName::parse(&run.unit).ok()?, Some(run.run))),
    }
}

fn before(more: u64) -> String {
    if more > 0 { format!(" ({more} more before)") } else { String::new() }
}

pub(super) fn understand(datagram: &Datagram) -> Result<Message, MessageError> {
    if datagram.is_cut { Err(MessageError::TooLong) } else { Message::parse(&datagram.bytes) }
}

/// Returns what of a message matters to the core.
fn notices_of(message: &Message) -> Vec<Notice> {
    let every = message.alive_every.map(Notice::AliveEvery);
    let extend = message.extend.map(Notice::Extend);
    let stage = message.stage.map(|stage| match stage {
        Stage::Ready => Notice::Ready,
        Stage::Reloading(_) => Notice::Reloading,
        Stage::Stopping => Notice::Stopping,
    });
    let life = message.life.map(|life| match life {
        Life::Well => Notice::Alive,
        Life::Ailing => Notice::Ailing,
    });
    [every, extend, stage, life].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_to_the_core_comes_in_one_order() {
        let text = "WATCHDOG=1\nREADY=1\nEXTEND_TIMEOUT_USEC=5\nWATCHDOG_USEC=7\nSTATUS=x";
        let notices = notices_of(&Message::parse(text.as_bytes()).unwrap());
        let (five, seven) = (Duration::from_micros(5), Duration::from_micros(7));
        let expected =
            [Notice::AliveEvery(seven), Notice::Extend(five), Notice::Ready, Notice::Alive];
        assert_eq!(notices, expected);
        assert_eq!(notices_of(&Message::parse(b"STATUS=x").unwrap()), []);
    }

    #[test]
    fn a_hook_speaks_for_the_run_that_is_there() {
        let of = |unit: &str| speaker(&RunRef { unit: unit.to_owned(), run: 7 });
        let web = UnitName::parse("web@2").unwrap();
        assert_eq!(of("web@2"), Some((web.clone(), Some(7))));
        assert_eq!(of("web@2:after-start"), Some((web, None)));
        assert_eq!(of(""), None);
    }

    #[test]
    fn that_somebody_is_not_heard_is_told_now_and_then_with_how_many() {
        let mut refusals = Refusals::default();
        let start = Duration::from_secs(100);
        assert_eq!(refusals.count(start), Some(0));
        for _ in 0..5 {
            assert_eq!(refusals.count(start + Duration::from_secs(1)), None);
        }
        assert_eq!(refusals.count(start + REFUSALS_EVERY), Some(5));
    }

    #[test]
    fn whoever_talks_without_end_is_told_of_now_and_then_with_how_much_was_left_out() {
        let (mut talk, start) = (Talk::default(), Duration::from_secs(100));
        let told = (0..EVENTS_IN_SPAN + 7).filter_map(|_| talk.count(start)).count();
        assert_eq!(told, usize::try_from(EVENTS_IN_SPAN).unwrap());
        assert_eq!(talk.count(start + EVENTS_SPAN), Some(7));
        assert_eq!(talk.count(start + EVENTS_SPAN), Some(0));
    }
}
