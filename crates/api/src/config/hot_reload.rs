//! `hot-reload`: whether changes of the files are applied by themselves.

use super::{
    Config,
    fields::{Fields, Reading},
};

/// Reads the key; one file says it for all.
pub(super) fn read(document: &mut Fields<'_, '_>, r: &mut Reading<'_>, config: &mut Config) {
    let Some(value) = document.value("hot-reload") else { return };
    let said = document.flag("hot-reload", r);
    if config.hot_reload.is_some() {
        let message = "`hot-reload` stands in more than one file".to_owned();
        r.wrong(value.span(), "duplicate-key", message, "keep it in one of them");
    }
    config.hot_reload = config.hot_reload.or(said);
}

#[cfg(test)]
mod tests {
    use super::super::{SourceText, parse};

    #[test]
    fn it_is_said_once_for_all_files() {
        let check = |texts: [&str; 2], expected: Result<Option<bool>, &str>| {
            let [one, two] = texts.map(str::as_bytes);
            let files = [
                SourceText { file: "mainstay.toml", bytes: one },
                SourceText { file: "services.d/a.toml", bytes: two },
            ];
            let read = parse(&files).map(|config| config.hot_reload);
            let read = read.map_err(|found| format!("{}: {}", found[0].file, found[0].message));
            assert_eq!(read, expected.map_err(str::to_owned));
        };
        check(["", ""], Ok(None));
        check(["", "hot-reload = false"], Ok(Some(false)));
        check(["hot-reload = true", ""], Ok(Some(true)));
        let twice = "services.d/a.toml: `hot-reload` stands in more than one file";
        check(["hot-reload = false", "hot-reload = false"], Err(twice));
        let wrong = "mainstay.toml: `hot-reload` must be true or false, not a text";
        check(["hot-reload = \"no\"", ""], Err(wrong));
    }
}
