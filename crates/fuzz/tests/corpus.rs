//! What targets were fed with once, they bear for ever.

use std::{fs, path::Path};

use mainstay_fuzz::TARGETS;

#[test]
fn every_input_that_is_kept_breaks_no_rule() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            target(&fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 2, "{}: {count}", folder.display());
    }
}
