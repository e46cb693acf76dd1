//! `hooks`: commands beside a program.

use std::time::Duration;

use super::{
    key::{Key, Part, Words, key},
    shape::{COMMAND, Form, Shape, TEXTS, at_least},
};

/// A command by itself, or in a table with its time-out.
const EITHER: Shape = Shape::Either(&[TEXTS, Shape::Text(Form::Line), Shape::Table(&HOOK)]);

const fn hook(name: &'static str, en: &'static str, zh: &'static str) -> Key {
    key(name, EITHER, Words { en, zh }).example(r#"["./hook"]"#)
}

/// Commands beside a program.
pub(in crate::config) static HOOKS: Part = Part {
    path: "services.NAME.hooks",
    about: Words {
        en: "Commands that run beside the program when something happens to it. Each is a command, or a table with its time-out.",
        zh: "程序遇到某事时在它旁边运行的命令。每个都是一个命令，或带时限的表。",
    },
    keys: &[
        hook(
            "before-start",
            "Before each run; when it fails, the run is not started, and has failed.",
            "每次运行之前；它失败则不启动这次运行，并记为失败。",
        ),
        hook("after-start", "When the run is ready.", "运行就绪之时。"),
        hook(
            "before-stop",
            "Before the run is asked to leave, unless it is killed.",
            "要求运行退出之前（直接杀死时除外）。",
        ),
        hook(
            "after-stop",
            "After a run that was asked to end has ended; the next start waits for it.",
            "被要求结束的运行结束之后；下一次启动等它完成。",
        ),
        hook(
            "after-exit",
            "After every end of a run; the next start waits for it.",
            "运行每次结束之后；下一次启动等它完成。",
        ),
        hook(
            "before-reload",
            "Before a reload; when it fails, the reload is refused.",
            "重新加载之前；它失败则拒绝重新加载。",
        ),
        hook("after-rotate", "A segment of the log was closed.", "一个日志段已关闭。"),
        hook(
            "on-failure",
            "A run failed, was not started, or its unit gave up.",
            "运行失败、未能启动，或单元放弃了。",
        ),
        hook("on-unhealthy", "A check or the watchdog turned bad.", "某个检查或看门狗变为未通过。"),
        hook(
            "on-memory",
            "A check on memory turned bad; there must be one.",
            "内存检查变为未通过；必须有这样一个检查。",
        ),
        hook("on-power-resume", "The machine woke up.", "机器从睡眠中恢复。"),
    ],
    needs: &[],
    one_of: &[],
};

/// A command and its time-out.
pub(in crate::config) static HOOK: Part = Part {
    path: "services.NAME.hooks.HOOK",
    about: Words { en: "A command and its time-out.", zh: "一个命令和它的时限。" },
    keys: &[
        key("command", COMMAND, Words { en: "The command.", zh: "命令。" })
            .example(r#"["./hook"]"#),
        key(
            "timeout",
            at_least(Duration::from_millis(10)),
            Words {
                en: "It is asked to leave when it takes longer, and killed 10 s later.",
                zh: "超过这么久就要求它退出，再过 10 秒杀死它。",
            },
        )
        .depends("`\"30s\"`; `before-start`: `\"1h\"`", "`\"30s\"`；`before-start` 为 `\"1h\"`")
        .example(r#""10m""#),
    ],
    needs: &["command"],
    one_of: &[],
};
