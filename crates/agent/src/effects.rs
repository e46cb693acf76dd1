//! From the core's decisions to deeds: gathered in a turn, done at its end, each kind in one frame.

use std::collections::{BTreeMap, VecDeque};

use mainstay_api::{
    control::Facts,
    keeper::{
        FRAME_BYTES_MAX, INPUT_SINCE, Reach, Request, RunMemo, RunRef, Signal, SignalName, Spawn,
        encoded_len,
    },
};
use mainstay_core::{
    Action, Effect, Exit, Input, Memo, Refusal, TraceId, UnitName, UnitView, view::Next,
};
use mainstay_platform::fail;
use serde::Serialize;

use crate::{
    beside::{About, EndedHook, HookRef, RunOf},
    clerk::Job,
    daemon::Agent,
    events::{EXIT_AMENDED, EXITED, Happening, INSTANCE_ENDED, Level, UNIT_FORGOTTEN},
    keeper::KeeperError,
    launch,
    secrets::Wanted,
};

/// So much goes into one frame, with room for what is around it.
pub(crate) const FRAME_BYTES: usize = FRAME_BYTES_MAX - 1024;
/// So many starts go into one frame, however small they are.
const SPAWNS_A_FRAME: usize = 50;
const OTHERS_A_FRAME: usize = 1000;

/// What one turn is about to send.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) spawns: Vec<Spawn>,
    /// Before what is written on the runs, so that who finds that need not doubt it.
    pub(crate) thaws: Vec<Signal>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) memos: Vec<RunMemo>,
    pub(crate) acks: Vec<RunRef>,
    /// What may be forgotten once the event with this number is on the disk.
    pub(crate) later: VecDeque<(u64, Later)>,
    /// What may be forgotten once the bundle of a crash is on the disk, too.
    held: Vec<Later>,
    forgets: Vec<String>,
    /// Answers to the commands of this turn, in order.
    pub(crate) answers: Vec<Answered>,
    pub(crate) is_all_at_rest: bool,
}

/// What the keeper may forget.
#[derive(Debug)]
pub(crate) enum Later {
    Exit(RunRef),
    Unit(String),
}

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) unit: &'a UnitName,
    pub(crate) run: Option<u64>,
    pub(crate) trace: TraceId,
}

/// What became of a command for one unit.
pub(crate) type Answered = (UnitName, Result<(), Refusal>);

impl Agent {
    /// Does what can be done at once and gathers the rest.
    pub(crate) fn perform(&mut self, effects: Vec<Effect>) {
        for Effect { trace, unit, action } in effects {
            fail::point(point_of(&action));
            match (unit, action) {
                (Some(unit), action) => self.perform_for(&unit, trace, action),
                (None, Action::AllAtRest) => self.outbox.is_all_at_rest = true,
                (None, _) => {}
            }
        }
    }

    fn perform_for(&mut self, unit: &UnitName, trace: TraceId, action: Action) {
        match action {
            Action::Spawn { run, memo } => self.spawn(unit, run, memo),
            Action::Ask { run } => self.ask(unit, run),
            Action::Kill { run } => self.signal(unit, run, SignalName::Kill),
            Action::Remember { run, memo } => {
                self.bundles.note_blame(unit, run, memo);
                let said = self.notices.said(unit, run);
                let text = launch::write_memo(memo, self.given.of(unit, run), said);
                self.notices.remember(unit, run, memo);
                self.outbox.memos.push(RunMemo { unit: unit.to_string(), run, memo: text });
            }
            Action::Settle { run, exit } => {
                self.tell_exit(Subject { unit, run: Some(run), trace }, run, exit);
                self.settle(unit, run);
            }
            Action::Keep(wish) => self.wishes.keep(wish),
            Action::Answer(answer) => self.outbox.answers.push((unit.clone(), answer)),
            Action::Changed => self.changed(unit, trace),
            Action::ExitAmended { run, exit } => {
                self.tell_amended(Subject { unit, run: Some(run), trace }, run, exit);
            }
            Action::Forget => self.forget(unit, trace),
            Action::Exit(exit) => self.exit(Subject { unit, run: None, trace }, exit),
            Action::AllAtRest => self.outbox.is_all_at_rest = true,
            Action::Abort { run } => self.abort(unit, run),
            Action::Freeze { run } => self.freeze(unit, run),
            Action::Thaw { run } => self.thaw(unit, run),
            Action::Reload { run } => self.reload(unit, run),
            Action::Probe { run, probe } => self.begin_look(unit, run, probe),
            Action::Abandon { run, probe } => self.abandon_look(unit, run, probe),
            Action::Hook { run, hook, number, memo, situation } => {
                let about = About { run, memo, situation };
                self.order_hook(unit, about, HookRef { hook, number });
            }
            Action::EndHook { hook, number, rung } => {
                self.take_hook_down(unit, HookRef { hook, number }, rung);
            }
            Action::SettleHook { hook, number, end, late } => {
                let now = self.supervisor.unit(unit).map(UnitView::run);
                let run = hook.run_of(number).or(now);
                let ended = EndedHook { end, late };
                self.bundles.results.note_hook(unit, hook, &ended);
                self.settle_hook(Subject { unit, run, trace }, HookRef { hook, number }, ended);
            }
            Action::Health(health) => {
                self.bundles.results.note_health(unit, &health);
                self.tell_health(unit, trace, &health);
            }
        }
    }

    fn exit(&mut self, subject: Subject<'_>, exit: Exit) {
        let code = code_of(exit);
        let message =
            format!("the instance ends with code {code}, because `{}` {exit}", subject.unit);
        let facts = Facts { exit_code: Some(code), ..Facts::default() };
        self.tell_with(subject, level_of(exit), (INSTANCE_ENDED, message), facts);
        self.end_with(code);
    }

    fn forget(&mut self, unit: &UnitName, trace: TraceId) {
        self.acknowledge_former(unit);
        self.secrets.forget(unit);
        self.wishes.forget(unit);
        self.given.forget(unit);
        self.pressed.forget(unit);
        self.forget_notices(unit);
        self.bundles.forget(unit);
        self.purge(unit);
        let message = format!("`{unit}` is forgotten");
        let subject = Subject { unit, run: None, trace };
        self.tell(subject, Level::Info, UNIT_FORGOTTEN, message);
        self.outbox.later.push_back((self.events.last(), Later::Unit(unit.to_string())));
        self.forget_besides(unit);
    }

    /// Has what a unit has kept removed, when its service was removed with that.
    fn purge(&mut self, unit: &UnitName) {
        let data = self.instance.data_of(&unit.to_string());
        if !self.purged.contains(&unit.service) || self.clerk.give(Job::Purge(data)).is_ok() {
            return;
        }
        let text = format!("what `{unit}` has kept is still there: too much waits for the disk");
        self.events.tell(Happening::of_instance(Level::Error, "NotPurged", text));
    }

    fn tell_amended(&mut self, subject: Subject<'_>, run: u64, exit: Exit) {
        let message = format!("it is known after all: run {run} of `{}` {exit}", subject.unit);
        self.tell_with(subject, level_of(exit), (EXIT_AMENDED, message), facts_of(exit));
    }

    fn spawn(&mut self, unit: &UnitName, run: u64, memo: Memo) {
        self.numbers.note(&unit.to_string(), run);
        let refused = match (self.order_of(unit, run, memo), self.missing_of(unit)) {
            (Err(reason), _) => Err(reason),
            (Ok(order), None) => self.send_order(unit, run, order),
            (Ok(order), Some((fetched, kind))) => {
                let (unit, order) = (unit.clone(), Box::new(order));
                let plain = self.plain_environment(&unit);
                let keeping = self.keeping_of(&unit, run);
                let whom = RunOf::Unit(unit);
                return self.fetch(Wanted { whom, run, fetched, kind, plain, keeping, order });
            }
        };
        if let Err(reason) = refused {
            self.afterwards.push(Input::NotStarted { unit: unit.clone(), run, reason });
        }
    }

    fn order_of(&mut self, unit: &UnitName, run: u64, memo: Memo) -> Result<Spawn, String> {
        let mut spawn = launch::order(&self.config, &self.instance, unit, run, memo)
            .ok_or("its service is not configured any more")?;
        let service = self.config.services.get(&unit.service);
        if service.is_some_and(|it| it.kind.is_some()) && self.welcome.protocol < INPUT_SINCE {
            return Err("the keeper is too old for kinds; `mainstay upgrade` brings another".into());
        }
        self.equip(unit, memo, &mut spawn)?;
        Ok(spawn)
    }

    /// Sends the order to start a run at the end of this turn; the error says why it cannot be
    /// sent.
    pub(crate) fn send_order(
        &mut self,
        unit: &UnitName,
        run: u64,
        order: Spawn,
    ) -> Result<(), String> {
        self.acknowledge_former(unit);
        if encoded_len(&order) > FRAME_BYTES {
            return Err("its command and environment are too long".to_owned());
        }
        self.outbox.spawns.push(order);
        if let Some(service) = self.config.services.get(&unit.service) {
            self.given.note(unit, run, service);
        }
        Ok(())
    }

    fn tell_exit(&mut self, subject: Subject<'_>, run: u64, exit: Exit) {
        if self.events.knows_exit(subject.unit, run) {
            return;
        }
        let message = format!("run {run} of `{}` {exit}", subject.unit);
        self.tell_with(subject, level_of(exit), (EXITED, message), facts_of(exit));
    }

    /// Notes that an exit is dealt with; one that has a successor already needs no further wait.
    /// A successor that waits for its values is not started yet.
    fn settle(&mut self, unit: &UnitName, run: u64) {
        self.secrets.ended(unit, run);
        if self.is_held_up(unit) {
            self.settled.insert(unit.clone(), run);
        } else if self.supervisor.unit(unit).is_some_and(|view| view.run() > run) {
            self.acknowledge_later(unit, run);
        } else {
            self.settled.insert(unit.clone(), run);
        }
    }

    /// The keeper may forget an exit only once there is a successor: until then a new agent decides
    /// from it again.
    fn acknowledge_former(&mut self, unit: &UnitName) {
        if let Some(run) = self.settled.remove(unit) {
            self.acknowledge_later(unit, run);
        }
    }

    fn acknowledge_later(&mut self, unit: &UnitName, run: u64) {
        let run = RunRef { unit: unit.to_string(), run };
        self.outbox.later.push_back((self.events.last(), Later::Exit(run)));
    }

    fn ask(&mut self, unit: &UnitName, run: u64) {
        let service = self.config.services.get(&unit.service);
        let signal = service.map_or(SignalName::Term, |service| service.stop.signal);
        self.signal(unit, run, signal);
    }

    pub(crate) fn signal(&mut self, unit: &UnitName, run: u64, signal: SignalName) {
        if self.give_values_up(unit, run) {
            return;
        }
        let unit = unit.to_string();
        self.outbox.signals.push(Signal { unit, run, signal, reach: Reach::Group });
    }

    fn changed(&mut self, unit: &UnitName, trace: TraceId) {
        let Some(view) = self.supervisor.unit(unit) else { return };
        let (state, run, why) = (view.state(), view.run(), view.why().to_owned());
        if state == "stopped" && !view.is_wanted() {
            self.let_go_of_stored(unit);
        } else {
            self.keep_stored_again(unit);
        }
        let Some(view) = self.supervisor.unit(unit) else { return };
        let level = match state {
            "failed" => Level::Error,
            "backoff" => Level::Warn,
            _ => Level::Info,
        };
        let message = format!("`{unit}` {}: {why}", view.phrase());
        let facts = Facts {
            state: Some(state.to_owned()),
            pid: view.pid().map(|pid| self.notices.main_of(unit, run).unwrap_or(pid)),
            delay_ms: delay_of(view),
            degraded: view.is_degraded(),
            ..Facts::default()
        };
        let subject = Subject { unit, run: Some(run), trace };
        self.tell_with(subject, level, ("UnitStateChanged", message), facts);
    }

    pub(crate) fn tell(
        &mut self,
        subject: Subject<'_>,
        level: Level,
        event: &'static str,
        message: String,
    ) {
        self.tell_with(subject, level, (event, message), Facts::default());
    }

    pub(crate) fn tell_with(
        &mut self,
        subject: Subject<'_>,
        level: Level,
        (event, message): (&'static str, String),
        facts: Facts,
    ) {
        let Subject { unit, run, trace } = subject;
        let unit = Some(unit.clone());
        self.events.tell(Happening { level, event, unit, run, trace, message, facts });
    }

    /// An exit is acknowledged once it is in the history for good; until then the keeper has it.
    fn release(&mut self) {
        let Outbox { acks, forgets, later, held, .. } = &mut self.outbox;
        while let Some((_, told)) =
            later.pop_front_if(|(sequence, _)| self.events.is_synced(*sequence))
        {
            held.push(told);
        }
        let is_held = |later: &mut Later| match later {
            Later::Exit(run) => self.bundles.is_open(&run.unit, run.run),
            Later::Unit(unit) => self.bundles.has_open(unit),
        };
        for free in held.extract_if(.., |later| !is_held(later)) {
            match free {
                Later::Exit(run) => acks.push(run),
                Later::Unit(unit) => forgets.push(unit),
            }
        }
    }

    /// Sends everything: starts first, because a restart never waits for anything else.
    pub(crate) fn send_outbox(&mut self) -> Result<(), KeeperError> {
        self.release();
        fail::point("agent.send");
        let Outbox { spawns, thaws, signals, memos, acks, forgets, .. } = &mut self.outbox;
        for order in spawns.iter_mut() {
            self.notices.leave_out_ended(order);
        }
        let keeper = &mut self.keeper;
        send(spawns, SPAWNS_A_FRAME, |part| keeper.ask(Request::Spawn(part)))?;
        send(thaws, OTHERS_A_FRAME, |part| keeper.ask(Request::Signal(part)))?;
        send(memos, SPAWNS_A_FRAME, |part| keeper.ask(Request::Memo(part)))?;
        send(signals, OTHERS_A_FRAME, |part| keeper.ask(Request::Signal(part)))?;
        send(acks, OTHERS_A_FRAME, |part| keeper.ask(Request::Ack(part)))?;
        send(forgets, OTHERS_A_FRAME, |part| keeper.ask(Request::Forget(part)))
    }
}

/// Returns the instant before an effect.
const fn point_of(action: &Action) -> &'static str {
    match action {
        Action::Spawn { .. } => "agent.effect.spawn",
        Action::Ask { .. } => "agent.effect.ask",
        Action::Kill { .. } => "agent.effect.kill",
        Action::Remember { .. } => "agent.effect.remember",
        Action::Settle { .. } => "agent.effect.settle",
        Action::Keep(_) => "agent.effect.keep",
        Action::Answer(_) => "agent.effect.answer",
        Action::Changed => "agent.effect.changed",
        Action::ExitAmended { .. } => "agent.effect.exit-amended",
        Action::Forget => "agent.effect.forget",
        Action::Exit(_) => "agent.effect.exit",
        Action::AllAtRest => "agent.effect.all-at-rest",
        Action::Abort { .. } => "agent.effect.abort",
        Action::Freeze { .. } => "agent.effect.freeze",
        Action::Thaw { .. } => "agent.effect.thaw",
        Action::Reload { .. } => "agent.effect.reload",
        Action::Probe { .. } => "agent.effect.probe",
        Action::Abandon { .. } => "agent.effect.abandon",
        Action::Hook { .. } => "agent.effect.hook",
        Action::EndHook { .. } => "agent.effect.end-hook",
        Action::SettleHook { .. } => "agent.effect.settle-hook",
        Action::Health(_) => "agent.effect.health",
    }
}

const fn level_of(exit: Exit) -> Level {
    if exit.is_success() { Level::Info } else { Level::Warn }
}

/// Returns the code with which an instance ends as a program has: what a shell would make of it.
fn code_of(exit: Exit) -> u32 {
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => signal.unsigned_abs() + 128,
        Exit::Unknown => 1,
    }
}

/// Returns how something ended, as values.
pub(crate) fn facts_of(exit: Exit) -> Facts {
    let (exit_code, signal) = match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
        Exit::Unknown => (None, None),
    };
    Facts { exit_code, signal, ..Facts::default() }
}

/// Returns how long the next attempt waits.
fn delay_of(view: UnitView<'_>) -> Option<u64> {
    match view.next() {
        Next::Start(at) => u64::try_from(at.since(view.since()).as_millis()).ok(),
        Next::Kill(_) | Next::Stop(_) | Next::Nothing => None,
    }
}

/// Sends everything in frames of at most so many, none of which is too long.
fn send<T: Serialize>(
    all: &mut Vec<T>,
    at_once: usize,
    mut ask: impl FnMut(Vec<T>) -> Result<(), KeeperError>,
) -> Result<(), KeeperError> {
    while !all.is_empty() {
        let rest = all.split_off(fitting(all, at_once));
        ask(std::mem::replace(all, rest))?;
    }
    Ok(())
}

/// Returns how many of the first fit into one frame: at least one, for each alone does.
fn fitting<T: Serialize>(all: &[T], at_once: usize) -> usize {
    let mut room = FRAME_BYTES;
    let fits = |one: &T| match room.checked_sub(encoded_len(one) + 1) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    all.iter().take(at_once).map(fits).take_while(|fits| *fits).count().max(1)
}

/// Exits that are dealt with and still remembered by the keeper.
pub(crate) type Settled = BTreeMap<UnitName, u64>;

#[cfg(test)]
mod tests {
    use mainstay_api::keeper::{RequestFrame, encode};

    use super::*;

    #[test]
    fn a_frame_holds_what_fits_however_long_each_is() {
        let counts = |length: usize, count: usize| {
            let mut all: Vec<RunMemo> = (0..count)
                .map(|_| RunMemo { unit: "web".to_owned(), run: 1, memo: "\"".repeat(length) })
                .collect();
            let mut counts = Vec::new();
            send(&mut all, SPAWNS_A_FRAME, |part| {
                counts.push(part.len());
                let frame = RequestFrame { id: u64::MAX, request: Request::Memo(part) };
                Ok(encode(&frame, &mut Vec::new())?)
            })
            .unwrap();
            counts
        };
        assert_eq!(counts(1, 120), [50, 50, 20]);
        assert_eq!(counts(30_000, 60), [17, 17, 17, 9]);
        assert_eq!(counts(500_000, 2), [1, 1]);
    }
}
