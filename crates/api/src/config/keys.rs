//! Single keys of a service: reading and setting them the way a person would.

use toml_edit::{DocumentMut, InlineTable, Item, Value, value};

use super::EditError;

/// Returns what a service's key is set to, as it stands in the file; nothing when it is not set.
///
/// Keys of tables are written with dots: `restart.delay`.
pub fn get(text: &str, service: &str, key: &str) -> Result<Option<String>, EditError> {
    let document: DocumentMut = text.parse()?;
    let table = document.get("services").and_then(|services| services.get(service));
    let table = table.ok_or_else(|| EditError::Missing(service.to_owned()))?;
    let item = key.split('.').try_fold(table, |item, part| item.get(part));
    Ok(item.map(|item| item.to_string().trim().to_owned()))
}

/// Returns the text with a key set; comments and order stay.
///
/// What reads as a value of TOML is one (`5`, `["a", "b"]`, `{ when = "always" }`), anything else
/// is text.
pub fn set(text: &str, service: &str, key: &str, typed: &str) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse()?;
    let (path, last) = split(key);
    let holder = descend(&mut document, service, &path)?;
    let mut fresh = typed.parse::<Value>().unwrap_or_else(|_| Value::from(typed));
    if let Some(former) = holder.get_mut(last).and_then(Item::as_value_mut) {
        *fresh.decor_mut() = former.decor().clone();
        *former = fresh;
    } else if let Some(inline) = holder.as_inline_table_mut() {
        inline.insert(last, fresh);
        // The blank before the closing brace belonged to whatever was last.
        inline.fmt();
    } else if let Some(table) = holder.as_table_mut() {
        table.insert(last, value(fresh));
    }
    Ok(document.to_string())
}

/// Returns the text without a key; one that is not set is as good.
pub fn unset(text: &str, service: &str, key: &str) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse()?;
    let (path, last) = split(key);
    let holder = descend(&mut document, service, &path)?;
    if let Some(inline) = holder.as_inline_table_mut() {
        inline.remove(last);
        inline.fmt();
    } else if let Some(table) = holder.as_table_mut() {
        table.remove(last);
    }
    Ok(document.to_string())
}

fn split(key: &str) -> (Vec<&str>, &str) {
    let mut path: Vec<&str> = key.split('.').collect();
    let last = path.pop().unwrap_or_default();
    (path, last)
}

/// Returns the table that holds the last part of a key; tables on the way are made.
fn descend<'a>(
    document: &'a mut DocumentMut,
    service: &str,
    path: &[&str],
) -> Result<&'a mut Item, EditError> {
    let missing = || EditError::Missing(service.to_owned());
    let services = document.get_mut("services").ok_or_else(missing)?;
    let mut item = services.get_mut(service).ok_or_else(missing)?;
    let mut holder = service;
    for part in path {
        let table = item.as_table_like_mut().ok_or_else(|| no_keys(holder))?;
        if !table.contains_key(part) {
            table.insert(part, value(InlineTable::new()));
            if let Some(inline) = item.as_inline_table_mut() {
                inline.fmt();
            }
        }
        let table = item.as_table_like_mut().ok_or_else(|| no_keys(holder))?;
        item = table.get_mut(part).ok_or_else(missing)?;
        holder = part;
    }
    if item.is_table_like() { Ok(item) } else { Err(no_keys(holder)) }
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
    fn what_is_not_set_is_nothing_and_stays_away() {
        assert_eq!(get(TEXT, "web", "restart.delay").unwrap(), None);
        assert_eq!(get(TEXT, "web", "environment.PORT").unwrap().as_deref(), Some("\"80\""));
        assert_eq!(unset(TEXT, "web", "nothing").unwrap(), TEXT);
        let without = unset(TEXT, "web", "environment.PORT").unwrap();
        assert_eq!(get(&without, "web", "environment.PORT").unwrap(), None);
        let error = get(TEXT, "wob", "command").unwrap_err().to_string();
        assert_eq!(error, "no file of the configuration has a service `wob`");
    }

    #[test]
    fn a_key_below_something_that_is_no_table_is_refused() {
        let error = set(TEXT, "web", "command.x", "1").unwrap_err().to_string();
        assert_eq!(error, "`command` holds no keys");
    }
}
