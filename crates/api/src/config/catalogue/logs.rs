//! `logs`: where a service's output goes.

use std::time::Duration;

use super::{
    key::{Part, Words, key},
    shape::{Form, Shape},
};

/// Logs may be kept longer than anything else lasts.
const LONGEST_KEPT: Duration = Duration::from_hours(3660 * 24);

/// Where a service's output goes.
pub(in crate::config) static LOGS: Part = Part {
    path: "services.NAME.logs",
    about: Words {
        en: "What is kept of a service's output. `\"off\"` in place of the table discards it.",
        zh: "服务的输出保留什么。用 `\"off\"` 代替整个表则全部丢弃。",
    },
    keys: &[
        key(
            "streams",
            Shape::Words(&["joined", "split"]),
            Words {
                en: "One log for stdout and stderr in their exact order, or one for each.",
                zh: "stdout 和 stderr 按确切顺序写进同一份日志，还是各写一份。",
            },
        )
        .depends("`\"joined\"`; `\"split\"` where `path` names two files", "`\"joined\"`；`path` 给出两个文件时为 `\"split\"`")
        .example(r#""split""#)
        .restarts(),
        key(
            "max-size",
            Shape::Size,
            Words {
                en: "A segment is closed at the first line end past this size.",
                zh: "日志段超过这个大小后，在下一个行尾处关闭。",
            },
        )
        .usual(r#""10MiB""#)
        .example(r#""1MiB""#)
        .next_run(),
        key(
            "every",
            Shape::Duration(Duration::from_secs(1), LONGEST_KEPT),
            Words {
                en: "A segment holds lines of one such span of time, counted from 1970 in UTC: of one day, of one hour. It is closed when the first byte of another span comes.",
                zh: "一个日志段只含一个这样长的时间段内的行，从 1970 年起按 UTC 划分：例如一天、一小时。下一个时间段的第一个字节到来时关闭。",
            },
        )
        .example(r#""1d""#)
        .next_run(),
        key(
            "keep",
            Shape::Integer(0, u32::MAX),
            Words {
                en: "So many closed segments are kept; `0` keeps all.",
                zh: "保留这么多个已关闭的日志段；`0` 表示全部保留。",
            },
        )
        .depends("`10`; all of them where `keep-for` or `keep-total` is set", "`10`；设置了 `keep-for` 或 `keep-total` 时全部保留")
        .example("30"),
        key(
            "keep-for",
            Shape::Duration(Duration::from_secs(1), LONGEST_KEPT),
            Words {
                en: "Closed segments whose last line is older are deleted. A clock that jumped is not believed for a day.",
                zh: "最后一行早于这段时间的已关闭日志段会被删除。时钟跳变之后一天之内不据此删除。",
            },
        )
        .example(r#""30d""#),
        key(
            "keep-total",
            Shape::Size,
            Words {
                en: "The oldest closed segments are deleted when all logs of the service, those of its instances together, take more of the disk.",
                zh: "该服务的全部日志（各实例合计）占用磁盘超过这个大小时，删除最旧的已关闭日志段。",
            },
        )
        .example(r#""1GiB""#),
        key(
            "on-full",
            Shape::Words(&["block", "drop-oldest", "drop-new"]),
            Words {
                en: "What is done when the disk is full: the program waits, the oldest segments go, or new lines do.",
                zh: "磁盘写满时怎么办：让程序等待，丢弃最旧的日志段，或者丢弃新的行。",
            },
        )
        .usual(r#""block""#)
        .example(r#""drop-oldest""#)
        .next_run(),
        key(
            "compress",
            Shape::Words(&["zstd", "off"]),
            Words {
                en: "How closed segments are compressed, all but the newest one; the live log is always plain text.",
                zh: "除最新的一个之外，已关闭的日志段如何压缩；正在写的日志始终是纯文本。",
            },
        )
        .usual(r#""zstd""#)
        .example(r#""off""#),
        key(
            "path",
            Shape::Either(&[Shape::Text(Form::Path), Shape::Table(&LOG_PATH)]),
            Words {
                en: "A file of your own that gets the lines, too; relative paths begin at the folder of the configuration file.",
                zh: "您自己的文件，同样会收到这些行；相对路径从配置文件所在的目录算起。",
            },
        )
        .example(r#""/var/log/web.log""#),
    ],
    needs: &[],
    one_of: &[],
};

/// Files of the user's own.
pub(in crate::config) static LOG_PATH: Part = Part {
    path: "services.NAME.logs.path",
    about: Words {
        en: "Files of your own that get the lines, and when they are given other names.",
        zh: "您自己的日志文件，以及何时给它们改名。",
    },
    keys: &[
        key(
            "stdout",
            Shape::Text(Form::Path),
            Words { en: "Gets what comes on stdout.", zh: "收到 stdout 上的内容。" },
        )
        .example(r#""/var/log/web.out""#)
        .restarts(),
        key(
            "stderr",
            Shape::Text(Form::Path),
            Words { en: "Gets what comes on stderr.", zh: "收到 stderr 上的内容。" },
        )
        .example(r#""/var/log/web.err""#)
        .restarts(),
        key(
            "max-size",
            Shape::Size,
            Words {
                en: "A file is given another name at the first line end past this size; `\"0B\"` never does.",
                zh: "文件超过这个大小后，在下一个行尾处改名；`\"0B\"` 表示从不。",
            },
        )
        .usual(r#""0B""#)
        .example(r#""50MiB""#),
        key(
            "at-start",
            Shape::Boolean,
            Words {
                en: "A file is given another name when a run begins.",
                zh: "每次运行开始时给文件改名。",
            },
        )
        .usual("false")
        .example("true"),
    ],
    needs: &[],
    one_of: &[],
};
