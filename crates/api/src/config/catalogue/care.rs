//! `watchdog`, `reload` and `notify`: what a program says of itself, and is told.

use std::time::Duration;

use super::{
    checks,
    key::{Part, Words, key},
    shape::{COMMAND, Shape, at_least},
};

/// How often a program has to say that it is alive.
pub(super) const ALIVE: Shape = at_least(Duration::from_millis(100));

/// How a hang is noticed.
pub(in crate::config) static WATCHDOG: Part = Part {
    path: "services.NAME.watchdog",
    about: Words {
        en: "How a hang is noticed: the program has to send `WATCHDOG=1`. A duration in place of the table is `every`.",
        zh: "如何发现程序挂起：程序必须发送 `WATCHDOG=1`。用时长代替整个表，即为 `every`。",
    },
    keys: &[
        key(
            "every",
            ALIVE,
            Words {
                en: "The longest silence that is no hang.",
                zh: "允许多久没有动静，更久则视为无响应。",
            },
        )
        .example(r#""30s""#)
        .restarts(),
        key(
            "action",
            Shape::Words(checks::ACTIONS),
            Words {
                en: "What follows when it keeps silent longer; see `action` of a check.",
                zh: "视为无响应之后如何处理；见检查的 `action`。",
            },
        )
        .usual(r#""restart""#)
        .example(r#""mark""#),
    ],
    needs: &["every"],
    one_of: &[],
};

/// How a program is told to read its configuration anew.
pub(in crate::config) static RELOAD: Part = Part {
    path: "services.NAME.reload",
    about: Words {
        en: "How `mainstay reload` tells the program to read its configuration anew. `\"notify\"` in place of the table sends HUP and waits for its answer.",
        zh: "`mainstay reload` 如何让程序重新读取配置。用 `\"notify\"` 代替整个表，表示发送 HUP 并等待应答。",
    },
    keys: &[
        key(
            "signal",
            Shape::Words(&["HUP", "USR1", "USR2", "INT", "QUIT"]),
            Words {
                en: "A signal to the main process; Windows has none but `INT`.",
                zh: "发给主进程的信号；Windows 只有 `INT`。",
            },
        )
        .example(r#""HUP""#),
        key(
            "notify",
            Shape::Boolean,
            Words {
                en: "Goes with `signal`: the program answers `RELOADING=1`, and `READY=1` when it has done so.",
                zh: "与 `signal` 搭配：程序应答 `RELOADING=1`，完成后应答 `READY=1`。",
            },
        )
        .usual("false")
        .example("true")
        .restarts(),
        key("command", COMMAND, Words { en: "A command.", zh: "一个命令。" })
            .example(r#"["./reload"]"#),
        key(
            "timeout",
            at_least(Duration::from_millis(10)),
            Words {
                en: "Goes with `command`: it is ended when it takes longer.",
                zh: "与 `command` 搭配：超过这么久就结束它。",
            },
        )
        .usual(r#""30s""#)
        .example(r#""1m""#),
    ],
    needs: &[],
    one_of: &["signal", "command"],
};

/// Who may speak for a service.
pub(in crate::config) static NOTIFY: Part = Part {
    path: "services.NAME.notify",
    about: Words {
        en: "Who may speak for a service, and what is kept for it.",
        zh: "谁可以替服务发通知，以及为它保管什么。",
    },
    keys: &[
        key(
            "access",
            Shape::Words(&["all", "main", "none"]),
            Words {
                en: "Whose notifications count: those of all processes of the run, of its main process, or nobody's.",
                zh: "谁的通知算数：这次运行的所有进程、主进程，或者谁的都不算。",
            },
        )
        .usual(r#""all""#)
        .example(r#""none""#)
        .restarts(),
        key(
            "store",
            Shape::Integer(0, 64),
            Words {
                en: "So many descriptors are kept for the next runs (`FDSTORE=1`).",
                zh: "为之后的运行保管这么多个描述符（`FDSTORE=1`）。",
            },
        )
        .usual("0")
        .example("8")
        .next_run(),
    ],
    needs: &[],
    one_of: &[],
};
