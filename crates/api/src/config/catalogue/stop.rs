//! `stop`: how a service is stopped.

use super::{
    key::{Part, Words, key},
    shape::{DURATION, Shape},
};

/// How a service is stopped.
pub(in crate::config) static STOP: Part = Part {
    path: "services.NAME.stop",
    about: Words { en: "How a service is stopped.", zh: "如何停止服务。" },
    keys: &[
        key(
            "signal",
            Shape::Words(&["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"]),
            Words {
                en: "The signal that asks the program to leave. Windows has none: there Ctrl-C, Ctrl-Break and closing its windows ask.",
                zh: "要求程序退出的信号。Windows 没有信号：那里用 Ctrl-C、Ctrl-Break 和关闭窗口。",
            },
        )
        .usual(r#""TERM""#)
        .example(r#""INT""#),
        key(
            "timeout",
            DURATION,
            Words {
                en: "How long it may take to leave; then it is killed.",
                zh: "给它多长时间退出；之后就杀死它。",
            },
        )
        .usual(r#""30s""#)
        .example(r#""10s""#),
        key(
            "scope",
            Shape::Words(&["tree", "process"]),
            Words {
                en: "Who is ended: the program with all that descends from it, or its main process alone.",
                zh: "结束谁：程序连同它的所有后代，还是只结束主进程。",
            },
        )
        .usual(r#""tree""#)
        .example(r#""process""#)
        .next_run(),
    ],
    needs: &[],
    one_of: &[],
};
