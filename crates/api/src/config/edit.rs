//! Editing a configuration file the way a person would: comments, order and ends of lines stay.

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::endings::keeping;

/// A service that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewService {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it starts.
    pub directory: Option<String>,
    /// Variables it gets.
    pub environment: Vec<(String, String)>,
    /// When it is started, unless always.
    pub start: Option<String>,
    /// What it requires.
    pub requires: Vec<String>,
}

/// An edit that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is no TOML.
    #[error("cannot read the file as TOML")]
    Syntax(#[from] toml_edit::TomlError),
    /// It is there already.
    #[error("service `{0}` exists already")]
    Exists(String),
    /// It is not there.
    #[error("no file of the configuration has a service `{0}`")]
    Missing(String),
    /// `services` is something else than a table.
    #[error("`services` is no table")]
    NoTable,
    /// Something that a key lies in is no table.
    #[error("`{0}` holds no keys")]
    NoKeys(String),
    /// The file could not be read again.
    #[error("`{0}` would lie too deep in the file to be read again")]
    TooDeep(String),
    /// A list has no table of this name.
    #[error("`{list}` has no entry `{name}`")]
    NoElement {
        /// The list's key.
        list: String,
        /// The name.
        name: String,
    },
}

/// Returns the text with one more service at its end.
pub fn add(text: &str, name: &str, service: &NewService) -> Result<String, EditError> {
    keeping(text, |text| {
        let mut document: DocumentMut = text.parse()?;
        let services = document.entry("services").or_insert_with(implicit_table);
        let services = services.as_table_mut().ok_or(EditError::NoTable)?;
        if services.contains_key(name) {
            return Err(EditError::Exists(name.to_owned()));
        }
        services.insert(name, Item::Table(table_of(service)));
        Ok(document.to_string())
    })
}

/// Returns the text with a service at its end that is written already, as its tables of TOML.
pub fn append(text: &str, name: &str, tables: &str) -> Result<String, EditError> {
    keeping(text, |text| appended(text, name, tables))
}

fn appended(text: &str, name: &str, tables: &str) -> Result<String, EditError> {
    let document: DocumentMut = text.parse()?;
    let services = document.get("services");
    if services.is_some_and(|services| !services.is_table()) {
        return Err(EditError::NoTable);
    }
    if services.is_some_and(|services| services.get(name).is_some()) {
        return Err(EditError::Exists(name.to_owned()));
    }
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let whole = format!("{text}{gap}{tables}");
    let _readable: DocumentMut = whole.parse()?;
    Ok(whole)
}

/// Returns the text without a service.
pub fn remove(text: &str, name: &str) -> Result<String, EditError> {
    keeping(text, |text| {
        let mut document: DocumentMut = text.parse()?;
        let missing = || EditError::Missing(name.to_owned());
        let services = document.get_mut("services").ok_or_else(missing)?;
        let services = services.as_table_mut().ok_or(EditError::NoTable)?;
        services.remove(name).ok_or_else(missing)?;
        Ok(document.to_string())
    })
}

fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn table_of(service: &NewService) -> Table {
    let mut table = Table::new();
    table.insert("command", value(array(&service.command)));
    if let Some(directory) = &service.directory {
        table.insert("directory", value(directory));
    }
    if !service.environment.is_empty() {
        let mut environment = toml_edit::InlineTable::new();
        for (name, text) in &service.environment {
            environment.insert(name, text.into());
        }
        table.insert("environment", value(environment));
    }
    if let Some(start) = &service.start {
        table.insert("start", value(start));
    }
    if !service.requires.is_empty() {
        table.insert("requires", value(array(&service.requires)));
    }
    table
}

fn array(texts: &[String]) -> Array {
    texts.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# what I run\n[services.web] # the site\ncommand = [\"web\"]\n\n# data\n[services.db]\ncommand = [\"db\"]\n";

    #[test]
    fn comments_and_order_stay() {
        let service = NewService {
            command: vec!["./api".to_owned(), "--port 80".to_owned()],
            requires: vec!["db".to_owned()],
            ..NewService::default()
        };
        let added = add(TEXT, "api", &service).unwrap();
        let expected =
            "\n[services.api]\ncommand = [\"./api\", \"--port 80\"]\nrequires = [\"db\"]\n";
        assert_eq!(added, format!("{TEXT}{expected}"));
        assert_eq!(remove(&added, "api").unwrap(), TEXT);
    }

    #[test]
    fn the_first_service_of_an_empty_file_needs_no_header() {
        let service = NewService { command: vec!["true".to_owned()], ..NewService::default() };
        assert_eq!(add("", "one", &service).unwrap(), "[services.one]\ncommand = [\"true\"]\n");
    }

    #[test]
    fn what_is_written_already_comes_behind_the_rest() {
        let tables = "[services.dns.ddns]\nevery = \"5m\"\n";
        assert_eq!(append(TEXT, "dns", tables).unwrap(), format!("{TEXT}\n{tables}"));
        assert_eq!(append("", "dns", tables).unwrap(), tables);
        let told = append(TEXT, "web", tables).unwrap_err().to_string();
        assert_eq!(told, "service `web` exists already");
        assert_eq!(
            append("services = 1", "x", "").unwrap_err().to_string(),
            "`services` is no table"
        );
        let told = append("[services]\nx = { command = ['x'] }", "web", "[").unwrap_err();
        assert_eq!(told.to_string(), "cannot read the file as TOML");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let check = |result: Result<String, EditError>, expected: &str| {
            assert_eq!(result.unwrap_err().to_string(), expected);
        };
        check(add(TEXT, "web", &NewService::default()), "service `web` exists already");
        check(remove(TEXT, "wob"), "no file of the configuration has a service `wob`");
        check(add("services = 1", "x", &NewService::default()), "`services` is no table");
        check(remove("[", "x"), "cannot read the file as TOML");
    }
}
