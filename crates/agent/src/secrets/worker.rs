//! A thread that fetches what may take its time: files, credentials, commands. It is left alone
//! when it stands still, and says what it is about to ask, so that whoever waits can be told.

use std::{collections::BTreeMap, io, sync::mpsc::Sender, thread};

use mainstay_api::config::{Fetched, KindConfig, ValueSource};
use mainstay_storage::{instance::Instance, secrets::Secret};

use super::{
    fetcher::Told,
    reason::{FetchError, Why},
    source::{self, Purpose},
};
use crate::{
    beside::RunOf,
    kinds::{self, Prepared},
};

/// Values by what they are for.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) environment: BTreeMap<String, Secret>,
    pub(super) files: BTreeMap<String, Secret>,
    pub(super) config: BTreeMap<String, Secret>,
    pub(super) kind: Option<Prepared>,
}

impl Values {
    /// Takes what was fetched elsewhere.
    pub(super) fn add(&mut self, more: Self) {
        self.environment.extend(more.environment);
        self.files.extend(more.files);
        self.config.extend(more.config);
        self.kind = more.kind.or(self.kind.take());
    }
}

/// What a worker is to fetch.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) whom: RunOf,
    pub(super) fetched: Fetched,
    pub(super) kind: Option<KindConfig>,
    pub(super) instance: Instance,
    pub(super) purpose: Purpose,
}

/// Starts a thread for it.
pub(super) fn start(work: Work, outbox: Sender<Told>) -> io::Result<()> {
    let body = move || {
        let Work { whom, fetched, kind, instance, purpose } = work;
        let ask = |what| drop(outbox.send(Told::Asking(whom.clone(), what)));
        let prepared = kind.map(|kind| {
            ask(format!("what `{}` lies on", kind.command()));
            kinds::prepare(&kind, &instance, whom.unit())
                .map_err(|error| about("")(Why::Kind(error)))
        });
        let result = prepared.transpose().and_then(|kind| {
            let values = values(&fetched, |source| {
                ask(name_of(source));
                source::fetch(source, &purpose)
            });
            Ok(Values { kind, ..values? })
        });
        // A fetcher that is gone has gone with its agent.
        drop(outbox.send(Told::Worked(whom, result)));
    };
    thread::Builder::new().name("fetch".to_owned()).spawn(body).map(drop)
}

/// Fetches one value after the other; the first that cannot be had ends it.
pub(super) fn values(
    fetched: &Fetched,
    mut fetch: impl FnMut(&ValueSource) -> Result<Secret, Why>,
) -> Result<Values, FetchError> {
    let mut values = Values::default();
    for (name, source) in &fetched.environment {
        let value = fetch(source).and_then(for_environment).map_err(about(name))?;
        values.environment.insert(name.clone(), value);
    }
    for (name, source) in &fetched.files {
        values.files.insert(name.clone(), fetch(source).map_err(about(name))?);
    }
    for (place, source) in &fetched.config {
        let what = format!("config{place}");
        let value = fetch(source).and_then(for_environment).map_err(about(&what))?;
        values.config.insert(place.clone(), value);
    }
    Ok(values)
}

/// Names a value in what is told of it.
pub(super) fn about(what: &str) -> impl Fn(Why) -> FetchError {
    let what = what.to_owned();
    move |why| FetchError { what: what.clone(), why }
}

/// A variable ends with the first NUL.
fn for_environment(value: Secret) -> Result<Secret, Why> {
    let is_text = std::str::from_utf8(value.reveal()).is_ok_and(|text| !text.contains('\0'));
    if is_text { Ok(value) } else { Err(Why::NoText) }
}

fn name_of(source: &ValueSource) -> String {
    match source {
        ValueSource::File(path) => format!("`{path}`"),
        ValueSource::Command { command, .. } => {
            format!("`{}`", command.first().map(String::as_str).unwrap_or_default())
        }
        ValueSource::Credential(name) => format!("the credential `{name}`"),
        ValueSource::Secret(_) | ValueSource::Text(_) | ValueSource::Variable(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> BTreeMap<String, ValueSource> {
        BTreeMap::from([(name.to_owned(), ValueSource::Text(String::new()))])
    }

    #[test]
    fn what_no_variable_can_hold_goes_into_a_file() {
        let fetch = |_: &ValueSource| Ok(Secret::new(b"a\0b".to_vec()));
        let both = Fetched { environment: of("KEY"), ..Fetched::default() };
        let error = values(&both, fetch).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot fetch `KEY`: it is no text; deliver it as a file, with `secrets`"
        );
        let files = Fetched { files: of("key"), ..Fetched::default() };
        assert_eq!(values(&files, fetch).unwrap().files["key"].reveal(), b"a\0b");
    }
}
