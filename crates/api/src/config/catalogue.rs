//! Every key of the configuration file, in one place: what it takes, what holds without it, when a
//! change of it takes effect, and what it is for, in English and in Chinese.
//!
//! The parser takes bounds from here and is held to the words; the JSON Schema and the reference are
//! made from it. A key that only one of the two knows fails a test, and stops a debug build.

mod access;
mod care;
mod checks;
mod groups;
mod hooks;
mod http;
mod key;
mod kind;
mod logs;
mod ready;
mod reference;
mod restart;
pub mod samples;
mod schema;
mod secrets;
mod service;
mod shape;
mod stop;

#[cfg(test)]
pub(super) mod asked;
#[cfg(test)]
mod tests;

pub use access::ACCESS;
pub(super) use care::{NOTIFY, RELOAD, WATCHDOG};
pub(super) use checks::{ACTION, CHECK};
pub use groups::GROUP;
pub(super) use hooks::{HOOK, HOOKS};
pub use key::{Effect, Key, Part, Usual, Words};
pub(super) use logs::{LOG_PATH, LOGS};
pub(super) use ready::READY;
pub use reference::{Tongue, reference};
pub(super) use restart::RESTART;
pub use schema::{Extension, schema};
pub(super) use secrets::SOURCE;
pub use service::{LIMITS, SERVICE};
pub(super) use shape::LONGEST;
pub use shape::{Form, Shape};
pub(super) use stop::STOP;

use key::key;

/// The whole file.
pub static ROOT: Part = Part {
    path: "",
    about: Words {
        en: "The configuration of an instance: `mainstay.toml`, and every file of `services.d`.",
        zh: "一个实例的配置：`mainstay.toml` 以及 `services.d` 中的每个文件。",
    },
    keys: &[
        key(
            "services",
            Shape::Named(&SERVICE),
            Words {
                en: "The services, by name. A name has letters, digits, `-`, `_` and `.` only.",
                zh: "各服务，以名称为键。名称只含字母、数字、`-`、`_` 和 `.`。",
            },
        )
        .of_keys()
        .example(r#"{ web = { command = ["./web"] } }"#),
        key(
            "groups",
            Shape::Named(&GROUP),
            Words {
                en: "Names for several services at once, which are written `@NAME`.",
                zh: "给多个服务起的共同名称，写作 `@NAME`。",
            },
        )
        .example(r#"{ front = { services = ["web"] } }"#),
        key(
            "access",
            Shape::List(&Shape::Table(&ACCESS)),
            Words {
                en: "Which groups of the system may use the instance, besides its own user and the administrator. At most 100 entries.",
                zh: "除实例自己的用户和管理员之外，系统中哪些用户组可以使用该实例。最多 100 条。",
            },
        )
        .example(r#"[{ group = "ops", role = "operator" }]"#),
        key(
            "hot-reload",
            Shape::Boolean,
            Words {
                en: "Whether changes of the files are applied by themselves. One file says it for all; `false` leaves it to `mainstay apply`.",
                zh: "文件改动后是否自动生效。只需在一个文件中写明；`false` 表示只由 `mainstay apply` 来应用。",
            },
        )
        .depends(
            "`true`; `false` in a service made by `mainstay service install`",
            "`true`；由 `mainstay service install` 建立的服务为 `false`",
        )
        .example("false"),
        key(
            "parallel-starts",
            Shape::Integer(0, 100_000),
            Words {
                en: "How many units may be starting at the same time, at boot or when many appear: the others wait in line, dependencies first. Only those count that have to become ready or have a hook `before-start`, each for 10 s at most; other programs start at once, and so does what `start`, `restart` or a new attempt is for. `0`: any number. One file says it for all.",
                zh: "启动时或同时出现许多服务时，最多有多少个单元可以同时处于启动中：其余的排队等待，依赖项优先。只计算需要等待就绪或带有 `before-start` 钩子的单元，每个最多计 10 秒；其他程序立即启动，`start`、`restart` 或重试的单元也立即启动。`0` 表示不限。只需在一个文件中写明。",
            },
        )
        .depends("`64`", "`64`")
        .example("8"),
    ],
    needs: &[],
    one_of: &[],
};

/// Returns every part that a file can have, each once, those that hold others first.
pub fn parts() -> Vec<&'static Part> {
    let mut parts: Vec<&'static Part> = vec![&ROOT];
    let mut next = 0;
    while let Some(part) = parts.get(next).copied() {
        for below in part.keys.iter().flat_map(|key| key.shape.parts()) {
            if !parts.iter().any(|known| std::ptr::eq(*known, below)) {
                parts.push(below);
            }
        }
        next += 1;
    }
    parts
}
