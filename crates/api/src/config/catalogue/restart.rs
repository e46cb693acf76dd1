//! `restart`: what follows an exit.

use super::{
    key::{Part, Words, key},
    shape::{DURATION, Shape, TEXTS},
};

const ACTIONS: Shape = Shape::Words(&["restart", "stop", "fail", "exit"]);

/// What follows an exit.
pub(in crate::config) static RESTART: Part = Part {
    path: "services.NAME.restart",
    about: Words { en: "What follows an exit.", zh: "程序退出之后做什么。" },
    keys: &[
        key(
            "when",
            Shape::Words(&["always", "on-failure", "never"]),
            Words {
                en: "Which exits are followed by another run: all, those with another code than 0 or by a signal, or none.",
                zh: "哪些退出之后再次运行：全部；仅退出码不为 0 或被信号杀死时；从不。",
            },
        )
        .depends("`\"always\"`; `\"never\"` for a task", "`\"always\"`；任务为 `\"never\"`")
        .example(r#""on-failure""#),
        key(
            "exit",
            Shape::Map(&ACTIONS),
            Words {
                en: "Exceptions, by the exit code, the name of a signal, or `failure` for all that is none. `restart` runs it again, `stop` leaves it stopped, `fail` leaves it failed, `exit` ends the whole instance.",
                zh: "例外，以退出码、信号名或表示其余一切失败的 `failure` 为键。`restart` 再次运行，`stop` 停止不再运行，`fail` 记为失败不再运行，`exit` 结束整个实例。",
            },
        )
        .example(r#"{ 0 = "stop", 42 = "fail", TERM = "restart" }"#),
        key(
            "delay",
            DURATION,
            Words {
                en: "How long the first attempt waits; each further one waits twice as long, with a little chance in it.",
                zh: "第一次重试前等待多久；之后每次加倍，并带少许随机。",
            },
        )
        .usual(r#""200ms""#)
        .example(r#""1s""#),
        key(
            "max-delay",
            DURATION,
            Words { en: "No attempt waits longer than this.", zh: "任何一次重试的等待都不超过它。" },
        )
        .usual(r#""1m""#)
        .example(r#""30s""#),
        key(
            "delays",
            TEXTS,
            Words {
                en: "How long each attempt waits, one after the other, in place of `delay`; the last one holds from then on.",
                zh: "依次列出每次重试前的等待，代替 `delay`；用完之后一直用最后一个。",
            },
        )
        .example(r#"["15s", "30s", "60s"]"#),
        key(
            "reset-after",
            DURATION,
            Words {
                en: "A run at least this long wipes out earlier failures.",
                zh: "运行满这么久，就将先前的失败次数清零。",
            },
        )
        .usual(r#""30s""#)
        .example(r#""1m""#),
        key(
            "limit",
            Shape::Integer(0, u32::MAX),
            Words {
                en: "So many starts within `within` and the unit has failed for good; `0` never gives up.",
                zh: "在 `within` 之内启动达到这么多次，单元就最终失败；`0` 表示永不放弃。",
            },
        )
        .usual("0")
        .example("10"),
        key(
            "within",
            DURATION,
            Words { en: "The time in which `limit` counts starts.", zh: "`limit` 计数所用的时间段。" },
        )
        .usual(r#""10m""#)
        .example(r#""1h""#),
    ],
    needs: &[],
    one_of: &[],
};
