//! `parallel-starts`: how many units may be starting at the same time by themselves.

use super::{
    Config,
    fields::{Fields, Reading},
};

/// So many, where the files say nothing.
pub const PARALLEL_STARTS: usize = 64;

/// Reads the key; one file says it for all.
pub(super) fn read(document: &mut Fields<'_, '_>, r: &mut Reading<'_>, config: &mut Config) {
    let Some(value) = document.value("parallel-starts") else { return };
    let said = document.number("parallel-starts", r);
    if config.parallel_starts.is_some() {
        let message = "`parallel-starts` stands in more than one file".to_owned();
        r.wrong(value.span(), "duplicate-key", message, "keep it in one of them");
    }
    let said = said.and_then(|said| usize::try_from(said).ok());
    config.parallel_starts = config.parallel_starts.or(said);
}

#[cfg(test)]
mod tests {
    use super::super::{SourceText, parse};

    #[test]
    fn it_is_said_once_for_all_files() {
        let check = |texts: [&str; 2], expected: Result<Option<usize>, &str>| {
            let [one, two] = texts.map(str::as_bytes);
            let files = [
                SourceText { file: "mainstay.toml", bytes: one },
                SourceText { file: "services.d/a.toml", bytes: two },
            ];
            let read = parse(&files).map(|config| config.parallel_starts);
            let read = read.map_err(|found| format!("{}: {}", found[0].file, found[0].message));
            assert_eq!(read, expected.map_err(str::to_owned));
        };
        check(["", ""], Ok(None));
        check(["", "parallel-starts = 0"], Ok(Some(0)));
        check(["parallel-starts = 8", ""], Ok(Some(8)));
        let twice = "services.d/a.toml: `parallel-starts` stands in more than one file";
        check(["parallel-starts = 8", "parallel-starts = 8"], Err(twice));
    }
}
