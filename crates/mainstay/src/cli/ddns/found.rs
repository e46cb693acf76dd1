//! Which clients there are, and where each keeps what it keeps: that is where it can be asked.

use std::path::PathBuf;

use mainstay_agent::configuration;
use mainstay_api::config::{self, suggestion};
use mainstay_ddns::host::ask::{AskError, Request, ask};
use serde_json::Value;

use super::judge::KIND;
use crate::{
    client,
    errors::CliError,
    instance::{self, Located},
};

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    /// Its service; nothing when it is run by hand.
    pub(super) service: Option<String>,
    state: PathBuf,
    /// Whose it is.
    located: Option<Located>,
}

/// Whom a command means.
#[derive(Debug, clap::Args)]
pub(super) struct Whom {
    /// The service; all of the kind `ddns` when there is none
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The state folder of a client that is run by hand
    #[arg(long, value_name = "FOLDER", conflicts_with = "service")]
    state: Option<PathBuf>,
}

/// Returns the clients that are meant; one at least.
pub(super) fn clients(whom: &Whom, named: Option<&str>) -> Result<Vec<Client>, CliError> {
    if let Some(state) = &whom.state {
        return Ok(vec![Client { service: None, state: state.clone(), located: None }]);
    }
    let located = instance::choose(named)?;
    let all = configured(&located)?;
    let Some(name) = &whom.service else {
        let hint = "`mainstay ddns setup` makes the first one";
        return some(all, "no service here is of the kind `ddns`".to_owned(), hint);
    };
    let known: Vec<&str> = all.iter().filter_map(|client| client.service.as_deref()).collect();
    let hint = suggestion(name, &known).map_or_else(
        || "`mainstay ddns status` shows all of them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let is_meant = |client: &Client| client.service.as_ref() == Some(name);
    let what = format!("no service `{name}` of the kind `ddns` is here");
    some(all.into_iter().filter(is_meant).collect(), what, &hint)
}

fn some(clients: Vec<Client>, what: String, hint: &str) -> Result<Vec<Client>, CliError> {
    if clients.is_empty() { Err(CliError::refused(what, hint)) } else { Ok(clients) }
}

fn configured(located: &Located) -> Result<Vec<Client>, CliError> {
    let config = configuration::load(&located.file).map_err(|found| {
        let hint = format!("`mainstay check {}` tells all of it", located.file.display());
        CliError::refused(config::render(&found).trim_end().to_owned(), hint)
    })?;
    let is_ours =
        |kind: &Option<config::KindConfig>| kind.as_ref().is_some_and(|kind| kind.name == KIND);
    let ours = config.services.iter().filter(|(_, service)| is_ours(&service.kind));
    let client = |name: String| {
        let state = located.instance.data_of(&name);
        Client { service: Some(name), state, located: Some(located.clone()) }
    };
    Ok(ours.map(|(name, _)| client(name.to_string())).collect())
}

impl Client {
    /// Returns its name for people.
    pub(super) fn name(&self) -> String {
        self.service.clone().unwrap_or_else(|| self.state.display().to_string())
    }

    /// Asks it.
    pub(super) async fn ask(&self, request: &Request) -> Result<Value, CliError> {
        let name = self.name();
        let error = match ask(&self.state, request).await {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        if let (AskError::Absent { .. }, Some(located)) = (&error, &self.located) {
            // Whoever is not there may be so because nobody is.
            client::Client::connect(located).await?;
        }
        Err(match &error {
            AskError::Absent { .. } => {
                let hint = match &self.service {
                    Some(_) => format!("`mainstay why {name}` tells whether it runs, and why not"),
                    None => "`mainstay ddns run FILE --state FOLDER` runs one there".to_owned(),
                };
                CliError::unreachable(format!("`{name}` does not answer: {error}"), hint)
            }
            AskError::Silent { .. } | AskError::Refused { .. } => {
                CliError::refused(format!("`{name}`: {error}"), "")
            }
        })
    }
}
