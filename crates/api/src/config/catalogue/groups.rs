//! `[groups.NAME]`: names for several services at once.

use super::{
    key::{Part, Words, key},
    shape::{TEXT, TEXTS},
};

/// Several services under one name.
pub static GROUP: Part = Part {
    path: "groups.NAME",
    about: Words {
        en: "Several services under one name, which is written `@NAME`.",
        zh: "多个服务的共同名称，写作 `@NAME`。",
    },
    keys: &[
        key(
            "services",
            TEXTS,
            Words {
                en: "The services that it means, and other groups with `@` in front; at least one.",
                zh: "它所指的服务，以及前面带 `@` 的其他组；至少一个。",
            },
        )
        .example(r#"["web", "db"]"#),
        key(
            "description",
            TEXT,
            Words {
                en: "What it is for, in one line of at most 200 letters.",
                zh: "它的用途，一行，最多 200 个字符。",
            },
        )
        .example(r#""the site""#),
    ],
    needs: &["services"],
    one_of: &[],
};
