//! Single keys of a service: reading and setting them the way a person would.

use std::borrow::Cow;

use toml_edit::{DocumentMut, InlineTable, Item, Key, Table, TableLike, Value, value};

use super::{
    EditError,
    care::{KINDS, Names},
    endings::keeping,
};

/// Returns what a service's key is set to, as it stands in the file; nothing when it is not set.
///
/// Keys of tables are written with dots: `restart.delay`; a check has its name between them:
/// `checks.http.every`. A name with dots of its own stands in quotes: `environment."a.b"`.
pub fn get(text: &str, service: &str, key: &str) -> Result<Option<String>, EditError> {
    let document: DocumentMut = text.parse()?;
    let table = document.get("services").and_then(|services| services.get(service));
    let table = table.and_then(Item::as_table_like);
    let mut table = table.ok_or_else(|| EditError::Missing(service.to_owned()))?;
    let (path, last) = split(key);
    let mut path = path.iter();
    while let Some(part) = path.next() {
        let Some(item) = table.get(part) else { return Ok(None) };
        let below = match item.as_table_like() {
            Some(table) => Some(table),
            None => elements(item).and_then(|all| element(all, path.next()?)),
        };
        let Some(below) = below else { return Ok(None) };
        table = below;
    }
    Ok(table.get(&last).map(text_of))
}

/// Returns what stands in the file of one service, with the comments that belong to it.
pub fn excerpt(text: &str, service: &str) -> Result<String, EditError> {
    let document: DocumentMut = text.parse()?;
    let item = document.get("services").and_then(|services| services.get(service));
    let item = item.ok_or_else(|| EditError::Missing(service.to_owned()))?;
    let mut services = Table::new();
    services.set_implicit(true);
    services.insert(service, item.clone());
    let mut only = DocumentMut::new();
    only.insert("services", Item::Table(services));
    Ok(format!("{}\n", only.to_string().trim()))
}

/// Returns an entry as it stands in the file, without the comment behind it; tables of their own are
/// written as values.
fn text_of(item: &Item) -> String {
    let text = match item.clone().into_value() {
        Ok(mut value) => {
            value.decor_mut().clear();
            value.to_string()
        }
        Err(item) => item.to_string(),
    };
    text.trim().to_owned()
}

/// Returns the text with a key set; comments and order stay.
///
/// What reads as a value of TOML is one (`5`, `["a", "b"]`, `{ when = "always" }`), anything else
/// is text.
pub fn set(text: &str, service: &str, key: &str, typed: &str) -> Result<String, EditError> {
    keeping(text, |text| {
        let mut document: DocumentMut = text.parse()?;
        let (path, last) = split(key);
        let mut holder = descend(&mut document, service, &path)?;
        let mut fresh = typed.parse::<Value>().unwrap_or_else(|_| Value::from(typed));
        if let Some(former) = holder.keys().get_mut(&last).and_then(Item::as_value_mut) {
            *fresh.decor_mut() = former.decor().clone();
            *former = fresh;
        } else {
            holder.insert(&last, fresh);
        }
        readable(document.to_string(), key)
    })
}

/// Returns a text that can be read again; tables in tables may lie too deep for that.
fn readable(text: String, key: &str) -> Result<String, EditError> {
    match text.parse::<DocumentMut>() {
        Ok(_) => Ok(text),
        Err(_) => Err(EditError::TooDeep(key.to_owned())),
    }
}

/// Returns the text without a key; one that is not set is as good.
pub fn unset(text: &str, service: &str, key: &str) -> Result<String, EditError> {
    if get(text, service, key)?.is_none() {
        return Ok(text.to_owned());
    }
    keeping(text, |text| {
        let mut document: DocumentMut = text.parse()?;
        let (path, last) = split(key);
        let mut holder = descend(&mut document, service, &path)?;
        holder.keys().remove(&last);
        holder.tidy();
        Ok(document.to_string())
    })
}

/// A name in a key.
pub(super) type Part<'k> = Cow<'k, str>;

/// Returns the names of the tables that a key lies in, and its own.
///
/// They are read as TOML reads them; what it does not is split at its dots.
pub(super) fn split(key: &str) -> (Vec<Part<'_>>, Part<'_>) {
    let mut path: Vec<Part<'_>> = match Key::parse(key) {
        Ok(path) => path.iter().map(|part| Cow::Owned(part.get().to_owned())).collect(),
        Err(_) => key.split('.').map(Cow::Borrowed).collect(),
    };
    let last = path.pop().unwrap_or_default();
    (path, last)
}

/// A table in either of its forms.
enum Holder<'a> {
    Table(&'a mut Table),
    Inline(&'a mut InlineTable),
}

impl<'a> Holder<'a> {
    fn of(item: &'a mut Item) -> Option<Self> {
        match item {
            Item::Table(table) => Some(Self::Table(table)),
            Item::Value(Value::InlineTable(table)) => Some(Self::Inline(table)),
            Item::None | Item::Value(_) | Item::ArrayOfTables(_) => None,
        }
    }

    fn keys(&mut self) -> &mut dyn TableLike {
        match self {
            Self::Table(table) => *table,
            Self::Inline(table) => *table,
        }
    }

    fn insert(&mut self, key: &str, fresh: Value) {
        self.keys().insert(key, value(fresh));
        self.tidy();
    }

    /// Sets the blanks of a table in one line: the one before the closing brace belonged to whatever
    /// was last. Those of other tables, and their comments, stay.
    ///
    /// A table that has no header of its own, and has lost its last key, gets one: otherwise it would
    /// go, and with it the service that has nothing else.
    fn tidy(&mut self) {
        match self {
            Self::Inline(table) => table.fmt(),
            Self::Table(table) if table.is_empty() => {
                table.set_implicit(false);
                table.set_dotted(false);
            }
            Self::Table(_) => {}
        }
    }

    /// Returns the table, or the list of tables, below a key; a table is made when there is nothing.
    fn below(mut self, key: &str) -> Option<&'a mut Item> {
        if !self.keys().contains_key(key) {
            self.insert(key, Value::InlineTable(InlineTable::new()));
        }
        match self {
            Self::Table(table) => table.get_mut(key),
            Self::Inline(table) => TableLike::get_mut(table, key),
        }
    }
}

/// Returns the table that holds the last part of a key; tables on the way are made.
fn descend<'a>(
    document: &'a mut DocumentMut,
    service: &str,
    path: &[Part<'_>],
) -> Result<Holder<'a>, EditError> {
    let missing = || EditError::Missing(service.to_owned());
    let services = document.get_mut("services").ok_or_else(missing)?;
    let services = services.as_table_like_mut().ok_or(EditError::NoTable)?;
    let item = services.get_mut(service).ok_or_else(missing)?;
    let mut holder = Holder::of(item).ok_or_else(|| no_keys(service))?;
    let mut path = path.iter();
    while let Some(part) = path.next() {
        let item = holder.below(part).ok_or_else(missing)?;
        holder = if elements(item).is_some() {
            let name = path.next().map(AsRef::as_ref).unwrap_or_default();
            let unknown = || EditError::NoElement { list: part.to_string(), name: name.to_owned() };
            element_mut(item, name).ok_or_else(unknown)?
        } else {
            Holder::of(item).ok_or_else(|| no_keys(part))?
        };
    }
    Ok(holder)
}

type Elements<'a> = Vec<&'a dyn TableLike>;

/// Returns the tables of a list; nothing when it is something else.
fn elements(item: &Item) -> Option<Elements<'_>> {
    match item {
        Item::ArrayOfTables(list) => Some(list.iter().map(|table| table as _).collect()),
        Item::Value(Value::Array(list)) => {
            let tables: Option<Elements<'_>> =
                list.iter().map(|one| one.as_inline_table().map(|table| table as _)).collect();
            tables.filter(|tables| !tables.is_empty())
        }
        Item::None | Item::Value(_) | Item::Table(_) => None,
    }
}

fn element<'a>(all: Elements<'a>, name: &str) -> Option<&'a dyn TableLike> {
    let place = place_of(&all, name)?;
    all.into_iter().nth(place)
}

fn element_mut<'a>(item: &'a mut Item, name: &str) -> Option<Holder<'a>> {
    let place = place_of(&elements(item)?, name)?;
    match item {
        Item::ArrayOfTables(list) => list.get_mut(place).map(Holder::Table),
        Item::Value(Value::Array(list)) => {
            list.get_mut(place)?.as_inline_table_mut().map(Holder::Inline)
        }
        Item::None | Item::Value(_) | Item::Table(_) => None,
    }
}

/// Returns where the check stands that is called so, by its own name or by the usual one.
fn place_of(all: &Elements<'_>, name: &str) -> Option<usize> {
    let own = |table: &&dyn TableLike| table.get("name")?.as_str().map(str::to_owned);
    let mut names = Names::new(all.iter().filter_map(own));
    let mut called = |table: &&dyn TableLike| {
        let kind = || KINDS.iter().find(|kind| table.contains_key(kind)).copied();
        own(table).unwrap_or_else(|| names.usual(kind().unwrap_or("check")))
    };
    all.iter().position(|table| called(table) == name)
}

fn no_keys(holder: &str) -> EditError {
    EditError::NoKeys(holder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[services.web] # the site\ncommand = [\"web\"] # as built\nrestart = { when = \"always\" }\n\n[services.web.environment]\nPORT = \"80\"\n";

    fn check_set(key: &str, typed: &str, former: &str, fresh: &str) {
        assert!(TEXT.contains(former), "{former}");
        assert_eq!(set(TEXT, "web", key, typed).unwrap(), TEXT.replace(former, fresh));
    }

    #[test]
    fn a_key_is_set_where_it_stands_and_its_comment_stays() {
        check_set("command", r#"["web", "-v"]"#, r#"["web"] #"#, r#"["web", "-v"] #"#);
        check_set("environment.PORT", "\"81\"", "\"80\"", "\"81\"");
        check_set("restart.when", "never", "\"always\"", "\"never\"");
    }

    #[test]
    fn a_new_key_comes_last_and_makes_the_table_it_needs() {
        let delay = "{ when = \"always\", delay = \"1s\" }";
        check_set("restart.delay", "1s", "{ when = \"always\" }", delay);
        let set = set("[services.a]\ncommand = [\"a\"]\n", "a", "stop.timeout", "3s").unwrap();
        assert_eq!(set, "[services.a]\ncommand = [\"a\"]\nstop = { timeout = \"3s\" }\n");
        let exit = "{ when = \"always\", exit = { 3 = \"exit\" } }";
        check_set("restart.exit.3", "exit", "{ when = \"always\" }", exit);
    }

    #[test]
    fn a_name_with_dots_stands_in_quotes() {
        let key = r#"environment."a.b c""#;
        let set = set(TEXT, "web", key, "1").unwrap();
        assert_eq!(set, format!("{TEXT}\"a.b c\" = 1\n"));
        assert_eq!(get(&set, "web", key).unwrap().as_deref(), Some("1"));
        assert_eq!(get(&set, "web", "environment.'a.b c'").unwrap().as_deref(), Some("1"));
        assert_eq!(get(&set, "web", "environment.a.b c").unwrap(), None);
        assert_eq!(unset(&set, "web", key).unwrap(), TEXT);
    }

    #[test]
    fn what_stands_of_a_service_is_shown_with_its_comments() {
        let text = format!("[services.a]\ncommand = [\"a\"]\n\n# mine\n{TEXT}\n[groups.x]\n");
        assert_eq!(excerpt(&text, "web").unwrap(), format!("# mine\n{TEXT}"));
        excerpt(&text, "b").unwrap_err();
    }

    #[test]
    fn what_is_not_set_is_nothing_and_stays_away() {
        assert_eq!(get(TEXT, "web", "restart.delay").unwrap(), None);
        assert_eq!(get(TEXT, "web", "environment.PORT").unwrap().as_deref(), Some("\"80\""));
        assert_eq!(unset(TEXT, "web", "nothing").unwrap(), TEXT);
        let without = unset(TEXT, "web", "environment.PORT").unwrap();
        assert_eq!(get(&without, "web", "environment.PORT").unwrap(), None);
        assert_eq!(unset(TEXT, "web", "stop.a.b").unwrap(), TEXT);
        for error in [
            get(TEXT, "wob", "command").unwrap_err(),
            set(TEXT, "wob", "command", "x").unwrap_err(),
            unset(TEXT, "wob", "command").unwrap_err(),
            unset("", "wob", "command").unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "no file of the configuration has a service `wob`");
        }
    }

    #[test]
    fn a_service_that_loses_its_last_key_stays() {
        for text in ["[services.web.stop]\nscope = \"tree\"\n", "[services]\nweb.stop.scope = 1\n"]
        {
            let without = unset(text, "web", "stop.scope").unwrap();
            assert_eq!(get(&without, "web", "stop.scope").unwrap(), None, "{without}");
            assert!(get(&without, "web", "stop").unwrap().is_some(), "{without}");
        }
        let without = unset("[services.web.stop]\nscope = 1\n", "web", "stop").unwrap();
        assert_eq!(get(&without, "web", "stop").unwrap(), None, "{without}");
    }

    #[test]
    fn a_comment_is_no_part_of_a_value() {
        assert_eq!(get(TEXT, "web", "command").unwrap().as_deref(), Some("[\"web\"]"));
        let with = set(TEXT, "web", "command", "[\"db\"]").unwrap();
        assert_eq!(get(&with, "web", "command").unwrap().as_deref(), Some("[\"db\"]"));
        assert!(with.contains("[\"db\"] # as built\n"), "{with}");
    }

    #[test]
    fn a_check_is_found_by_its_name() {
        let tables = "[services.web]\n[[services.web.checks]]\nhttp = \"h\" # one\n[[services.web.checks]]\nhttp = \"i\"\n[[services.web.checks]]\nname = \"disk\"\nfile = \"f\"\n";
        let list = "[services.web]\nchecks = [{ http = \"h\" }, { http = \"i\" }, { name = \"disk\", file = \"f\" }]\n";
        for text in [tables, list] {
            let read = |key: &str| get(text, "web", key).unwrap();
            assert_eq!(read("checks.http-2.http").as_deref(), Some("\"i\""));
            assert_eq!(read("checks.disk.file").as_deref(), Some("\"f\""));
            assert_eq!(read("checks.disk.every"), None);
            assert_eq!(read("checks.tcp.every"), None);
            assert!(read("checks").is_some_and(|all| all.starts_with("[{ http = \"h\"")), "{text}");
            let set = set(text, "web", "checks.http-2.every", "5s").unwrap();
            assert_eq!(get(&set, "web", "checks.http-2.every").unwrap().as_deref(), Some("\"5s\""));
            assert_eq!(unset(&set, "web", "checks.http-2.every").unwrap(), text);
        }
        let error = set(list, "web", "checks.tcp.every", "5s").unwrap_err().to_string();
        assert_eq!(error, "`checks` has no entry `tcp`");
    }

    #[test]
    fn what_could_not_be_read_again_is_refused() {
        let key = ["x"; 200].join(".");
        let error = set(TEXT, "web", &key, "1").unwrap_err().to_string();
        assert_eq!(error, format!("`{key}` would lie too deep in the file to be read again"));
        let value = format!("{}1{}", "[".repeat(79), "]".repeat(79));
        set(TEXT, "web", "a.b.c.d", &value).unwrap_err();
    }

    #[test]
    fn a_key_below_something_that_is_no_table_is_refused() {
        let error = set(TEXT, "web", "command.x", "1").unwrap_err().to_string();
        assert_eq!(error, "`command` holds no keys");
    }
}
