//! Where a value comes from, in `environment`, in `secrets` and in the configuration of a kind.

use std::time::Duration;

use super::{
    key::{Part, Words, key},
    shape::{COMMAND, Form, Shape},
};

/// What a name of a secret looks like.
const NAME: Shape = Shape::Text(Form::Like("^[A-Za-z0-9_-]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?$"));

/// A value that stands in the file, or that is fetched.
pub(super) const VALUE: Shape = Shape::Either(&[Shape::Scalar, Shape::Table(&SOURCE)]);

/// Where a value comes from.
pub(in crate::config) static SOURCE: Part = Part {
    path: "services.NAME.environment.VARIABLE",
    about: Words {
        en: "Where a value comes from that is fetched when a run is ordered: exactly one of these. The same tables stand in `secrets`, and as `{ secret = … }` in the configuration of a kind.",
        zh: "启动时才取的值从哪里来：只写其中一个。`secrets` 中也用这样的表，kind 的配置中写作 `{ secret = … }`。",
    },
    keys: &[
        key(
            "secret",
            NAME,
            Words {
                en: "A secret of the instance's own store; see `mainstay secret`.",
                zh: "实例自己的加密存储中的机密；见 `mainstay secret`。",
            },
        )
        .example(r#""db""#)
        .restarts(),
        key(
            "credential",
            NAME,
            Words {
                en: "A credential that systemd has given to the agent.",
                zh: "systemd 交给 agent 的凭据。",
            },
        )
        .example(r#""db""#)
        .restarts(),
        key(
            "env",
            Shape::Text(Form::Like("^[^=]+$")),
            Words {
                en: "A variable of the agent's own environment.",
                zh: "agent 自己的环境变量。",
            },
        )
        .example(r#""DB_PASSWORD""#)
        .restarts(),
        key(
            "file",
            Shape::Text(Form::Path),
            Words {
                en: "What is in a file; relative paths begin at the folder of the configuration file.",
                zh: "文件的内容；相对路径从配置文件所在的目录算起。",
            },
        )
        .example(r#""/etc/web/password""#)
        .restarts(),
        key(
            "command",
            COMMAND,
            Words { en: "What a command says on stdout.", zh: "命令在 stdout 上输出的内容。" },
        )
        .example(r#"["pass", "show", "db"]"#)
        .restarts(),
        key(
            "timeout",
            Shape::Duration(Duration::from_millis(1), Duration::from_mins(5)),
            Words {
                en: "Goes with `command`: how long it may take.",
                zh: "与 `command` 搭配：命令最长多久。",
            },
        )
        .usual(r#""10s""#)
        .example(r#""30s""#)
        .restarts(),
    ],
    needs: &[],
    one_of: &["secret", "credential", "env", "file", "command"],
};
