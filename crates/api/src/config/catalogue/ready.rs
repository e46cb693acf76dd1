//! `ready`: when a run is ready.

use std::time::Duration;

use super::{
    http,
    key::{Part, Words, key},
    shape::{COMMAND, DURATION, Form, Shape, at_least},
};

/// When a run is ready.
pub(in crate::config) static READY: Part = Part {
    path: "services.NAME.ready",
    about: Words {
        en: "When a run is ready: until then it is `starting`, and whoever requires it waits. Without it a run is ready when it executes. `\"notify\"` in place of the table waits for `READY=1`. One thing to wait for, or `timeout` alone where there is a startup check, and of a kind.",
        zh: "一次运行何时就绪：在此之前状态是 `starting`，依赖它的服务等待。不写则开始执行即就绪。用 `\"notify\"` 代替整个表表示等待 `READY=1`。只写一种等待的对象；有 startup 检查或 kind 时，可以只写 `timeout`。",
    },
    keys: &[
        http::HTTP,
        http::STATUS,
        http::BODY,
        http::HEADERS,
        http::METHOD,
        http::CA_FILE,
        http::SERVER_NAME,
        http::TCP,
        key(
            "log",
            Shape::Text(Form::Regex),
            Words {
                en: "It is ready when this regular expression is found in a line that the run has written.",
                zh: "在这次运行写出的某一行中找到该正则表达式，即为就绪。",
            },
        )
        .example(r#""listening on port [0-9]+""#),
        http::FILE,
        http::MAX_AGE,
        key(
            "exec",
            COMMAND,
            Words {
                en: "It is ready when this command ends with code 0.",
                zh: "该命令以退出码 0 结束，即为就绪。",
            },
        )
        .example(r#"["./is-ready"]"#),
        key(
            "notify",
            Shape::True,
            Words {
                en: "It is ready when it has sent `READY=1`, as services of systemd do.",
                zh: "它发送 `READY=1`（与 systemd 服务相同）之后，即为就绪。",
            },
        )
        .example("true")
        .restarts(),
        key(
            "delay",
            DURATION,
            Words {
                en: "It is ready when it has run for so long; less than `timeout`.",
                zh: "运行满这么久即为就绪；必须小于 `timeout`。",
            },
        )
        .example(r#""3s""#),
        key(
            "timeout",
            at_least(Duration::from_millis(10)),
            Words {
                en: "A run that is not ready so long after its start is stopped, and has failed.",
                zh: "启动后这么久仍未就绪的运行会被停止，并记为失败。",
            },
        )
        .depends(
            "`\"90s\"`, of a kind `\"30s\"`; with startup checks long enough for each to fail as often as it may",
            "`\"90s\"`，kind 为 `\"30s\"`；有 startup 检查时，足够每个检查用尽其失败次数",
        )
        .example(r#""30s""#),
        key(
            "every",
            at_least(Duration::from_millis(10)),
            Words {
                en: "From one look to the next; of `log` the longest pause between two looks into it.",
                zh: "两次检查的间隔；对 `log` 而言是两次检查之间最长的停顿。",
            },
        )
        .depends("`\"200ms\"`; `http`, `exec`: `\"1s\"`", "`\"200ms\"`；`http`、`exec` 为 `\"1s\"`")
        .example(r#""500ms""#),
        key(
            "probe-timeout",
            at_least(Duration::from_millis(10)),
            Words {
                en: "How long one look may take. Not for `log`, which is followed until `timeout`.",
                zh: "一次检查最长多久。不用于 `log`：日志一直跟读到 `timeout`。",
            },
        )
        .depends("`\"2s\"`; `exec`: `\"10s\"`", "`\"2s\"`；`exec` 为 `\"10s\"`")
        .example(r#""5s""#),
    ],
    needs: &[],
    one_of: &[],
};
