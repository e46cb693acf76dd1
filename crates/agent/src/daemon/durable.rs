//! Answers that are given only once what they promise is on the disk.
//!
//! ```text
//!  command ──► decided, sent ──► wishes to the clerk ──► written ──► answered
//!  edit    ──► files to the clerk ──► read again ──► applied ──► wishes … as above
//! ```

use std::{collections::VecDeque, io, time::Duration};

use mainstay_api::{
    config::{self, NewService},
    control::{AddService, CommandAnswer, ConfigChanges},
};
use mainstay_core::{Prune, ServiceName, TraceId};

use super::Agent;
use crate::{
    calls::{Asker, Keeps, Refused, RefusedKind, Reply},
    clerk::{Configured, Done, Job, Order},
    configuration::Loaded,
    editing::{Edit, EditError, Replacement, Terms},
    errand::Stuck,
    events::{Happening, Level},
};

/// How long the end of everything waits for a disk.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Answers in the order of the changes that they wait for.
pub(crate) type Owed = VecDeque<Debt>;

/// An answer, and the change of wishes that must be on the disk first.
#[derive(Debug)]
pub(crate) struct Debt {
    generation: u64,
    reply: Reply<CommandAnswer>,
    answer: CommandAnswer,
}

impl Agent {
    /// Gives an answer once all wishes of this moment are on the disk.
    pub(super) fn owe(&mut self, reply: Reply<CommandAnswer>, answer: CommandAnswer) {
        let generation = self.wishes.generation();
        if self.wishes.is_saved(generation) {
            return drop(reply.send(Ok(answer)));
        }
        if self.owed.is_empty() {
            // Whoever asks again after a full disk wants it tried again.
            self.wishes.insist();
        }
        self.owed.push_back(Debt { generation, reply, answer });
    }

    /// Gives the clerk what has changed; a turn that finds it busy leaves it to a later one.
    pub(super) fn save_wishes(&mut self) {
        let Some(page) = self.wishes.page() else { return };
        if self.clerk.give(Job::Wishes(page)).is_err() {
            // The clerk is busy; whoever waits there is told of the disk.
            self.wishes.refused();
        }
    }

    /// Something is on the disk, or cannot be.
    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Wishes { generation, result } => self.settle_debts(generation, &result),
            Done::Numbers(result) => self.numbers_written(&result),
            Done::Configured(configured) => self.configured(*configured),
            Done::Reloaded(result) => self.reloaded(*result),
            Done::Compared(compared) => self.compared(*compared),
            Done::LastWords { command, words } => self.words_read(&command, words.as_deref()),
        }
        self.save_wishes();
        self.save_numbers();
        self.reload_again();
    }

    fn settle_debts(&mut self, generation: u64, result: &io::Result<()>) {
        let is_news = match result {
            Ok(()) => {
                self.wishes.written(generation);
                false
            }
            Err(_) => self.wishes.refused(),
        };
        while let Some(debt) = self.owed.pop_front_if(|debt| debt.generation <= generation) {
            let Debt { reply, answer, .. } = debt;
            drop(reply.send(match result {
                Ok(()) => Ok(answer),
                Err(error) => Err(not_kept(error)),
            }));
        }
        if let Err(error) = result
            && is_news
        {
            let message = format!("the wishes cannot be kept: {error}");
            self.events.tell(Happening::of_instance(Level::Error, "WishesNotKept", message));
        }
    }

    pub(super) fn add(&mut self, asker: Asker, service: AddService, reply: Reply<CommandAnswer>) {
        let name = match ServiceName::new(&service.name) {
            Ok(name) => name,
            Err(error) => {
                let refused = Refused::new(RefusedKind::Bad, error.reason, "");
                return drop(reply.send(Err(refused)));
            }
        };
        let new = NewService {
            command: service.command,
            directory: service.directory,
            environment: service.environment,
            start: service.start,
            requires: service.requires,
        };
        let edit = Some(Edit::Add(name, new));
        self.order(Order { asker, edit, terms: Terms::of_edit(Prune::Keep), reply });
    }

    pub(super) fn remove(
        &mut self,
        asker: Asker,
        name: &str,
        keeps: Keeps,
        reply: Reply<CommandAnswer>,
    ) {
        let edit = match keeps {
            Keeps::Everything => Edit::Remove,
            Keeps::Nothing => Edit::Purge,
        };
        match ServiceName::new(name) {
            Ok(name) => {
                let terms = Terms::of_edit(Prune::Named(name.clone()));
                self.order(Order { asker, edit: Some(edit(name)), terms, reply });
            }
            Err(_) => drop(reply.send(Err(self.no_unit(name)))),
        }
    }

    /// Has the files edited or read by the clerk.
    pub(super) fn order(&self, order: Order) {
        if let Err(Job::Configure(order)) = self.clerk.give(Job::Configure(Box::new(order))) {
            let busy = "too much waits for the disk of the state folder";
            drop(order.reply.send(Err(Refused::new(RefusedKind::Failed, busy, "try again"))));
        }
    }

    /// Applies what was read; a mistake in it changes nothing.
    fn configured(&mut self, Configured { order, result }: Configured) {
        let Order { asker, edit, terms, reply } = order;
        let what = in_words(edit.as_ref());
        let trace = self.note(&asker, &what);
        let loaded = match result {
            Ok(loaded) => loaded,
            Err(error) => return drop(reply.send(Err(self.refuse_edit(trace, &error)))),
        };
        let changes = config::difference(&self.config, &loaded.config);
        let message = format!("{} services are configured", loaded.config.services.len());
        let happening = Happening::of_instance(Level::Info, "ConfigApplied", message);
        self.events.tell(Happening { trace, ..happening });
        if let Some(Edit::Purge(name)) = edit {
            self.purged.insert(name);
        }
        let pruned = self.to_prune(&loaded.config, &terms.prune);
        let changes = ConfigChanges { pruned, ..changes };
        self.put_in_force(loaded, terms.prune);
        let answer = CommandAnswer { changes: Some(changes), ..self.take_answers(trace) };
        self.owe(reply, answer);
    }

    /// Goes by another configuration from now on.
    pub(super) fn put_in_force(&mut self, loaded: Loaded, prune: Prune) {
        let Loaded { config, fingerprint, .. } = loaded;
        self.config = config;
        self.reloading.note_applied(fingerprint);
        self.purged.retain(|name| !self.config.services.contains_key(name));
        self.pass_numbers_of_new();
        self.configure(prune);
    }

    fn refuse_edit(&mut self, trace: TraceId, error: &EditError) -> Refused {
        let kind = match error {
            EditError::Disk { .. } | EditError::Stuck(_) => RefusedKind::Failed,
            EditError::NoFile(_) => RefusedKind::Missing,
            // The request makes sense, but not together with what the files say.
            EditError::Overtaken(_)
            | EditError::Changed(_)
            | EditError::Refused(_)
            | EditError::Bad(_)
            | EditError::Empty
            | EditError::PrunesAll => RefusedKind::Conflict,
        };
        let happening = Happening::of_instance(Level::Error, "ConfigRefused", error.for_all());
        self.events.tell(Happening { trace, ..happening });
        let hint = match error {
            EditError::Stuck(Stuck::Unwritten(_)) => {
                "look at the file once it can be read; `mainstay apply` applies it"
            }
            EditError::Empty => {
                "nothing has changed; `mainstay apply --allow-empty` lets go of all of them: what runs of them runs on"
            }
            EditError::PrunesAll => {
                "nothing has changed; `mainstay apply --prune --allow-empty` stops all"
            }
            EditError::Refused(config::EditError::Missing(name)) => {
                return Refused::new(kind, error.to_string(), self.near_service(name));
            }
            EditError::Disk { .. }
            | EditError::Overtaken(_)
            | EditError::Changed(_)
            | EditError::NoFile(_)
            | EditError::Refused(_)
            | EditError::Bad(_)
            | EditError::Stuck(_) => "nothing has changed",
        };
        Refused::new(kind, error.to_string(), hint).coded(error.code())
    }

    /// Lets the clerk write what is still to be written, for a while.
    pub(super) async fn finish_writing(&mut self) {
        let writing = async {
            while self.wishes.is_being_written() || self.numbers.is_being_written() {
                match self.clerk.next().await {
                    Some(done) => self.done(done),
                    None => return,
                }
            }
        };
        // Whoever is still owed an answer then is told that the agent ends.
        drop(tokio::time::timeout(END_WITHIN, writing).await);
    }
}

/// Says what somebody asks for.
fn in_words(edit: Option<&Edit>) -> String {
    match edit {
        None => "asks to apply the configuration".to_owned(),
        Some(Edit::Add(name, _)) => format!("asks to add service `{name}`"),
        Some(Edit::Remove(name)) => format!("asks to remove service `{name}`"),
        Some(Edit::Purge(name)) => {
            format!("asks to remove service `{name}` and what it has kept")
        }
        Some(Edit::Keys(name, keys)) => {
            let set = keys.set.iter().map(|one| &one.key).chain(&keys.unset);
            let set: Vec<&str> = set.map(String::as_str).collect();
            format!("asks to change {} of service `{name}`", set.join(", "))
        }
        Some(Edit::Text(Replacement { file: Some(file), .. })) => {
            format!("asks to change the file `{}`", file.display())
        }
        Some(Edit::Text(_)) => "asks to replace the configuration file".to_owned(),
    }
}

fn not_kept(error: &io::Error) -> Refused {
    // What cannot be kept is obeyed all the same: it may be what makes room.
    let text = format!("this is done, but the next agent will not know it: {error}");
    let hint = "free space on the disk of the state folder; it is tried again";
    Refused::new(RefusedKind::Failed, text, hint)
}
