//! Keys that are said once for all files: `hot-reload`, `parallel-starts`.

use super::{
    Config,
    fields::{Fields, Reading},
};

/// So many units may be starting at the same time by themselves, where the files say nothing.
pub const PARALLEL_STARTS: usize = 64;

/// Reads those of a file.
pub(super) fn read(document: &mut Fields<'_, '_>, r: &mut Reading<'_>, config: &mut Config) {
    read_one("hot-reload", &mut config.hot_reload, document, r, Fields::flag);
    read_one("parallel-starts", &mut config.parallel_starts, document, r, |document, key, r| {
        document.number(key, r).and_then(|number| usize::try_from(number).ok())
    });
}

/// Reads one; another file may have said it already.
fn read_one<'f, 'v, 'r, T>(
    key: &'static str,
    known: &mut Option<T>,
    document: &mut Fields<'f, 'v>,
    r: &mut Reading<'r>,
    of: impl FnOnce(&mut Fields<'f, 'v>, &'static str, &mut Reading<'r>) -> Option<T>,
) {
    let Some(value) = document.value(key) else { return };
    let said = of(document, key, r);
    if known.is_some() {
        let message = format!("`{key}` stands in more than one file");
        r.wrong(value.span(), "duplicate-key", message, "keep it in one of them");
        return;
    }
    *known = said;
}

#[cfg(test)]
mod tests {
    use super::super::{SourceText, parse};

    type Said = (Option<bool>, Option<usize>);

    fn check(texts: [&str; 2], expected: Result<Said, &str>) {
        let [one, two] = texts.map(str::as_bytes);
        let files = [
            SourceText { file: "mainstay.toml", bytes: one },
            SourceText { file: "services.d/a.toml", bytes: two },
        ];
        let read = parse(&files).map(|config| (config.hot_reload, config.parallel_starts));
        let read = read.map_err(|found| format!("{}: {}", found[0].file, found[0].message));
        assert_eq!(read, expected.map_err(str::to_owned));
    }

    #[test]
    fn they_are_said_once_for_all_files() {
        check(["", ""], Ok((None, None)));
        check(["", "hot-reload = false"], Ok((Some(false), None)));
        check(["hot-reload = true", "parallel-starts = 0"], Ok((Some(true), Some(0))));
        check(["parallel-starts = 8", ""], Ok((None, Some(8))));
        for said in ["hot-reload = false", "parallel-starts = 8"] {
            let key = said.split(' ').next().unwrap();
            let twice = format!("services.d/a.toml: `{key}` stands in more than one file");
            check([said, said], Err(&twice));
        }
        let wrong = "mainstay.toml: `hot-reload` must be true or false, not a text";
        check(["hot-reload = \"no\"", ""], Err(wrong));
    }
}
