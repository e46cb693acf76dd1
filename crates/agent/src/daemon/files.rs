//! What clients ask of the configuration files: to be shown, compared, changed.

use std::{collections::BTreeSet, path::PathBuf};

use mainstay_api::{
    config::{self, Config},
    control::{CommandAnswer, ConfigChanges, DiffAnswer, EditKeys, ReplaceFile},
};
use mainstay_core::{Prune, ServiceName};

use super::Agent;
use crate::{
    calls::{Applying, Asker, Refused, RefusedKind, Reply},
    clerk::{Job, Order},
    editing::{Edit, EditError, Empty, Replacement, Terms},
    inquiry::{Compared, Inquiry},
};

impl Agent {
    /// Has keys of a service set and taken out.
    pub(super) fn edit_keys(
        &self,
        asker: Asker,
        name: &str,
        keys: EditKeys,
        reply: Reply<CommandAnswer>,
    ) {
        match ServiceName::new(name) {
            Ok(name) => {
                let edit = Some(Edit::Keys(name, keys));
                let terms = Terms::of_edit(Prune::Keep);
                self.order(Order { asker, edit, terms, reply });
            }
            Err(_) => drop(reply.send(Err(self.no_unit(name)))),
        }
    }

    /// Has a file replaced as a whole.
    pub(super) fn replace_file(
        &self,
        asker: Asker,
        file: ReplaceFile,
        reply: Reply<CommandAnswer>,
    ) {
        let ReplaceFile { file, text, former, prune, allow_empty, name } = file;
        let edit = Edit::Text(Replacement { file: file.map(PathBuf::from), text, former, name });
        let terms = self.terms(Applying { prune, allow_empty });
        self.order(Order { asker, edit: Some(edit), terms, reply });
    }

    /// Has the files applied as they are.
    pub(super) fn apply(&self, asker: Asker, wanted: Applying, reply: Reply<CommandAnswer>) {
        self.order(Order { asker, edit: None, terms: self.terms(wanted), reply });
    }

    fn terms(&self, wanted: Applying) -> Terms {
        let services = self.config.services.len();
        let empty = if wanted.allow_empty { Empty::Allowed } else { Empty::Refused { services } };
        Terms { prune: if wanted.prune { Prune::Remove } else { Prune::Keep }, empty }
    }

    /// Has the clerk look at the files for somebody.
    pub(super) fn look_up(&self, inquiry: Inquiry) {
        if let Err(Job::LookUp(inquiry)) = self.clerk.give(Job::LookUp(inquiry)) {
            let busy = "too much waits for the disk of the state folder";
            inquiry.refuse(Refused::new(RefusedKind::Failed, busy, "try again"));
        }
    }

    /// Says what files would change that were read for that.
    pub(super) fn compared(&self, compared: Compared) {
        let Compared { result, reply } = compared;
        drop(reply.send(match result {
            Ok(config) => Ok(self.compare(&config)),
            Err(error) => Err(refusal_of(&error)),
        }));
    }

    fn compare(&self, config: &Config) -> DiffAnswer {
        let changes = config::difference(&self.config, config);
        let differs = changes != ConfigChanges::default();
        let orphaned = self.to_prune(config, &Prune::Remove);
        let empty = config.services.is_empty() && !self.config.services.is_empty();
        DiffAnswer { differs, changes, orphaned, empty }
    }

    /// Returns the services that are stopped and forgotten with a configuration.
    pub(super) fn to_prune(&self, config: &Config, prune: &Prune) -> Vec<String> {
        let is_pruned = |name: &ServiceName| match prune {
            Prune::Keep => false,
            Prune::Named(named) => named == name,
            Prune::Remove => !config.services.contains_key(name),
        };
        let units = self.supervisor.units().map(|unit| &unit.name().service);
        let all: BTreeSet<&ServiceName> = units.filter(|name| is_pruned(name)).collect();
        all.into_iter().map(ToString::to_string).collect()
    }
}

/// Says why files cannot be shown or compared.
pub(crate) fn refusal_of(error: &EditError) -> Refused {
    let kind = match error {
        EditError::Disk { .. } | EditError::Stuck(_) => RefusedKind::Failed,
        EditError::Refused(config::EditError::Missing(_)) | EditError::NoFile(_) => {
            RefusedKind::Missing
        }
        // The request makes sense, but not together with what the files say.
        EditError::Overtaken(_)
        | EditError::Changed(_)
        | EditError::Refused(_)
        | EditError::Bad(_)
        | EditError::Empty
        | EditError::PrunesAll => RefusedKind::Conflict,
    };
    Refused::new(kind, error.to_string(), "").coded(error.code())
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::ProblemCode;

    use super::*;

    #[test]
    fn programs_are_told_why_files_are_refused() {
        let check = |error: EditError, status: u16, code: ProblemCode| {
            let problem = refusal_of(&error).problem;
            assert_eq!((problem.status, problem.code), (status, code), "{error:?}");
        };
        check(EditError::Empty, 409, ProblemCode::NoServices);
        check(EditError::Bad(Vec::new()), 409, ProblemCode::BadFiles);
        check(EditError::Changed("a.toml".to_owned()), 409, ProblemCode::FilesChanged);
        check(EditError::NoFile("b.toml".to_owned()), 404, ProblemCode::NotFound);
    }
}
