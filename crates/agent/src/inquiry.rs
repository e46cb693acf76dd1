//! What clients want to know of the configuration files: read for them by the clerk.

use std::path::Path;

use mainstay_api::{
    config::{self, Config},
    control::{DiffAnswer, DiffRequest, FileText, Files, ServiceText},
};

use crate::{
    calls::{Refused, Reply},
    configuration::{self, Source},
    daemon::{near_of, refusal_of},
    descriptors,
    editing::{self, EditError},
    errand::{Errands, Steps},
};

/// What somebody wants to know, who waits for the answer.
#[derive(Debug)]
pub(crate) enum Inquiry {
    /// What files would change, or this text in place of the main one.
    Difference(DiffRequest, Reply<DiffAnswer>),
    /// What they hold.
    Files(Reply<Files>),
    /// What stands there of a service, or of one of its keys.
    Service(String, Option<String>, Reply<ServiceText>),
}

/// A configuration that somebody wants to see compared with the one that is in force.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) result: Result<Config, EditError>,
    pub(crate) reply: Reply<DiffAnswer>,
}

impl Inquiry {
    /// Says why there is no answer.
    pub(crate) fn refuse(self, refused: Refused) {
        match self {
            Self::Difference(_, reply) => drop(reply.send(Err(refused))),
            Self::Files(reply) => drop(reply.send(Err(refused))),
            Self::Service(_, _, reply) => drop(reply.send(Err(refused))),
        }
    }

    /// Reads what it takes, and answers but for what only the loop can compare.
    pub(crate) fn look_up(self, main: &Path, errands: &mut Errands) -> Option<Compared> {
        let path = main.to_owned();
        match self {
            Self::Difference(wanted, reply) => {
                let read = errands.run(main, move |steps| meant(&path, wanted, steps));
                let result = read.unwrap_or_else(|stuck| Err(stuck.into()));
                return Some(Compared { result, reply });
            }
            Self::Files(reply) => {
                let read = errands.run(main, move |steps| files(&path, steps));
                answer(reply, read.unwrap_or_else(|stuck| Err(stuck.into())));
            }
            Self::Service(name, key, reply) => {
                let read =
                    errands.run(main, move |steps| service(&path, &name, key.as_deref(), steps));
                let read = read.unwrap_or_else(|stuck| Err(refusal_of(&stuck.into())));
                drop(reply.send(read));
            }
        }
        None
    }
}

fn answer<T>(reply: Reply<T>, result: Result<T, EditError>) {
    drop(reply.send(result.map_err(|error| refusal_of(&error))));
}

/// Returns what files mean, or would with this text in place of the main one.
fn meant(main: &Path, wanted: DiffRequest, steps: &Steps) -> Result<Config, EditError> {
    let mut sources = configuration::read_sources(main, steps).map_err(EditError::Bad)?;
    if let (Some(text), Some(source)) = (wanted.text, sources.first_mut()) {
        source.bytes = text.into_bytes();
    }
    let blame = |found| EditError::Bad(editing::blamed(found, main, wanted.name.as_deref()));
    let loaded = configuration::understand(&sources).map_err(blame)?;
    descriptors::check(&loaded.config, main).map_err(EditError::Bad)?;
    Ok(loaded.config)
}

fn files(main: &Path, steps: &Steps) -> Result<Files, EditError> {
    let sources = configuration::read_sources(main, steps).map_err(EditError::Bad)?;
    let told = |source: &Source| FileText { file: source.name(), text: source.text() };
    Ok(Files { files: sources.iter().map(told).collect() })
}

fn service(
    main: &Path,
    name: &str,
    key: Option<&str>,
    steps: &Steps,
) -> Result<ServiceText, Refused> {
    let refused = |error: EditError| refusal_of(&error);
    let sources =
        configuration::read_sources(main, steps).map_err(|found| refused(EditError::Bad(found)))?;
    for source in &sources {
        let text = source.text();
        let found = match key {
            Some(key) => config::get(&text, name, key),
            None => config::excerpt(&text, name).map(Some),
        };
        match found {
            Ok(text) => {
                return Ok(ServiceText { service: name.to_owned(), file: source.name(), text });
            }
            Err(config::EditError::Missing(_)) => {}
            Err(error) => return Err(refused(editing::explain(&sources, error))),
        }
    }
    let missing = refused(config::EditError::Missing(name.to_owned()).into());
    let loaded = configuration::understand(&sources);
    let services = loaded.map(|loaded| loaded.config.services).unwrap_or_default();
    let services: Vec<String> = services.keys().map(ToString::to_string).collect();
    Err(Refused::new(missing.kind, missing.problem.error, near_of(name, &services)))
}
