//! `[[access]]`: who may use an instance.

use super::{
    key::{Part, Words, key},
    shape::{Shape, TEXT, TEXTS},
};

/// What the members of a group of the system may do.
pub static ACCESS: Part = Part {
    path: "access",
    about: Words {
        en: "What the members of a group of the system may do.",
        zh: "系统中某个用户组的成员可以做什么。",
    },
    keys: &[
        key(
            "group",
            TEXT,
            Words { en: "The group, as the system calls it.", zh: "用户组，用系统中的名称。" },
        )
        .example(r#""ops""#),
        key(
            "role",
            Shape::Words(&["viewer", "operator", "admin"]),
            Words {
                en: "`viewer` reads everything and changes nothing, `operator` starts, stops, restarts, kills and resets units as well, `admin` does everything.",
                zh: "`viewer` 可读一切而不改动，`operator` 还可启动、停止、重启、杀死和重置单元，`admin` 可做一切。",
            },
        )
        .example(r#""operator""#),
        key(
            "services",
            Shape::Either(&[TEXT, TEXTS]),
            Words {
                en: "What an operator may operate: names of services, in which `*` and `?` match. For no other role.",
                zh: "operator 可以操作哪些服务：服务名，其中可用 `*` 和 `?`。其他角色不可写。",
            },
        )
        .usual(r#""*""#)
        .example(r#""web-*""#),
    ],
    needs: &["group", "role"],
    one_of: &[],
};
