//! `[[services.NAME.checks]]`: how a service is looked at.

use std::time::Duration;

use super::{
    http,
    key::{Part, Words, key},
    shape::{COMMAND, DURATION, Form, Shape, at_least},
};

/// The most failures, or successes, that a verdict can need.
const STREAK_MAX: u32 = 1000;

/// One look at a service.
pub(in crate::config) static CHECK: Part = Part {
    path: "services.NAME.checks",
    about: Words {
        en: "How a service is looked at while it runs. Each check looks at exactly one thing.",
        zh: "服务运行时如何检查它。每个检查只看一样东西。",
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
            "exec",
            COMMAND,
            Words {
                en: "The command ends with code 0. It runs beside the program and has a log of its own.",
                zh: "该命令以退出码 0 结束。它在程序旁边运行，有自己的日志。",
            },
        )
        .example(r#"["./is-well"]"#),
        http::FILE,
        http::MAX_AGE,
        key(
            "heartbeat",
            Shape::True,
            Words {
                en: "The program has sent `WATCHDOG=1` within `every`.",
                zh: "程序在 `every` 之内发送过 `WATCHDOG=1`。",
            },
        )
        .example("true")
        .restarts(),
        key(
            "memory",
            Shape::Size,
            Words {
                en: "The main process and what descends from it have no more memory of their own than this.",
                zh: "主进程及其后代自己占用的内存不超过它。",
            },
        )
        .example(r#""512MiB""#),
        key(
            "name",
            Shape::Text(Form::Like(NAME)),
            Words {
                en: "What it is called in `status`, events and logs; unique in the service.",
                zh: "它在 `status`、事件和日志中的名称；在服务内唯一。",
            },
        )
        .depends("what it looks at: `http`, `http-2`, …", "所检查的内容：`http`、`http-2`……")
        .example(r#""front""#),
        key(
            "role",
            Shape::Words(&["liveness", "readiness", "startup"]),
            Words {
                en: "`liveness`: whether the program lives. `readiness`: whether others may rely on it; it must pass once before the unit is ready. `startup`: it must pass once within `ready.timeout`, and is not looked at afterwards.",
                zh: "`liveness`：程序是否活着。`readiness`：别人能否依靠它；单元就绪之前必须通过一次。`startup`：必须在 `ready.timeout` 之内通过一次，之后不再检查。",
            },
        )
        .usual(r#""liveness""#)
        .example(r#""readiness""#),
        key(
            "every",
            at_least(Duration::from_millis(100)),
            Words {
                en: "From one look's beginning to the next.",
                zh: "从一次检查开始到下一次开始的间隔。",
            },
        )
        .usual(r#""10s""#)
        .example(r#""30s""#),
        key(
            "timeout",
            at_least(Duration::from_millis(10)),
            Words { en: "A look that takes longer has failed.", zh: "超过这么久的检查算失败。" },
        )
        .depends("`\"2s\"`; `exec`: `\"10s\"`", "`\"2s\"`；`exec` 为 `\"10s\"`")
        .example(r#""5s""#),
        key(
            "delay",
            DURATION,
            Words {
                en: "From the ready unit (`startup` and `readiness`: from the start) to the first look.",
                zh: "从单元就绪（`startup` 和 `readiness`：从启动）到第一次检查的时间。",
            },
        )
        .usual(r#""0s""#)
        .example(r#""1m""#),
        key(
            "failures",
            Shape::Integer(1, STREAK_MAX),
            Words { en: "So many in a row make it bad.", zh: "连续失败这么多次即为未通过。" },
        )
        .depends("`3`; `startup`: `30`", "`3`；`startup` 为 `30`")
        .example("5"),
        key(
            "successes",
            Shape::Integer(1, STREAK_MAX),
            Words { en: "So many in a row make it good again.", zh: "连续成功这么多次就恢复为通过。" },
        )
        .usual("1")
        .example("2"),
        key(
            "action",
            Shape::Either(&[Shape::Words(ACTIONS), Shape::Table(&ACTION)]),
            Words {
                en: "What follows when it turned bad. `restart`: the run is stopped, has failed, and is followed by another. `stop`: the unit has failed for good. `mark`: it is shown, and nothing else. A table: a command is run.",
                zh: "变为未通过之后如何处理。`restart`：停止这次运行，记为失败，再次运行。`stop`：单元最终失败。`mark`：只显示。写成表：运行一个命令。",
            },
        )
        .depends("`\"restart\"`; `readiness`: `\"mark\"`", "`\"restart\"`；`readiness` 为 `\"mark\"`")
        .example(r#""stop""#),
    ],
    needs: &[],
    one_of: &["http", "tcp", "exec", "file", "heartbeat", "memory"],
};

/// What a name of a check, or of a service, looks like.
pub(super) const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

/// What follows when a check, or the watchdog, turned bad.
pub(super) const ACTIONS: &[&str] = &["restart", "stop", "mark"];

/// A command of a check's own.
pub(in crate::config) static ACTION: Part = Part {
    path: "services.NAME.checks.action",
    about: Words {
        en: "The command that is run when a check turned bad.",
        zh: "检查变为未通过时运行的命令。",
    },
    keys: &[
        key("run", COMMAND, Words { en: "The command.", zh: "命令。" }).example(r#"["./mend"]"#),
        key(
            "timeout",
            at_least(Duration::from_millis(10)),
            Words { en: "It is ended when it takes longer.", zh: "超过这么久就结束它。" },
        )
        .usual(r#""30s""#)
        .example(r#""1m""#),
    ],
    needs: &["run"],
    one_of: &[],
};
