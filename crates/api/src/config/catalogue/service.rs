//! `[services.NAME]`: one service.

use super::{
    care, checks, hooks,
    key::{Key, Part, Words, key},
    kind, logs, ready, restart,
    secrets::VALUE,
    shape::{COMMAND, Form, Shape, TEXTS},
    stop,
};

/// One service.
pub static SERVICE: Part = Part {
    path: "services.NAME",
    about: Words {
        en: "One service: a program that is kept running, or run once. It has exactly one of `command`, `shell`, `kind` and `ddns`.",
        zh: "一个服务：一直保持运行，或只运行一次的程序。`command`、`shell`、`kind`、`ddns` 恰好写一个。",
    },
    keys: &[
        COMMAND_KEY,
        SHELL,
        kind::KIND,
        kind::CONFIG,
        kind::DDNS,
        DIRECTORY,
        ENVIRONMENT,
        SECRETS,
        TYPE,
        START,
        INSTANCES,
        REQUIRES,
        WANTS,
        AFTER,
        BEFORE,
        BINDS_TO,
        PART_OF,
        CONFLICTS,
        RESTART,
        STOP,
        LOGS,
        READY,
        CHECKS,
        WATCHDOG,
        HOOKS,
        RELOAD,
        NOTIFY,
        LIMITS_KEY,
        SESSION,
        PRIORITY,
        AFFINITY,
        BUNDLES,
    ],
    needs: &[],
    one_of: &["command", "shell", "kind", "ddns"],
};

const COMMAND_KEY: Key = key(
    "command",
    COMMAND,
    Words {
        en: "The program and its arguments: a list, or one text that is split as a shell splits words. No shell runs.",
        zh: "程序及其参数：一个列表，或按 shell 规则拆分的一段文本。不经过 shell。",
    },
)
.example(r#"["./web", "--port", "8080"]"#)
.restarts();

const SHELL: Key = key(
    "shell",
    Shape::Text(Form::Plain),
    Words {
        en: "A line for the system's shell, in place of `command`.",
        zh: "交给系统 shell 的一行，代替 `command`。",
    },
)
.example(r#""./web | tee web.out""#)
.restarts();

const DIRECTORY: Key = key(
    "directory",
    Shape::Text(Form::Path),
    Words {
        en: "Where the program starts; relative paths begin at the folder of the configuration file.",
        zh: "程序在哪个目录启动；相对路径从配置文件所在的目录算起。",
    },
)
.usual(r#"".""#)
.example(r#""/srv/web""#)
.restarts();

const ENVIRONMENT: Key = key(
    "environment",
    Shape::Map(&VALUE),
    Words {
        en: "Variables that it gets besides the inherited ones. A value is a text, or a table that says where it comes from.",
        zh: "在继承的环境变量之外给它的变量。值是文本，或说明值从哪里来的表。",
    },
)
.example(r#"{ RUST_LOG = "info", DB_PASSWORD = { secret = "db" } }"#)
.restarts();

const SECRETS: Key = key(
    "secrets",
    Shape::Map(&VALUE),
    Words {
        en: "Files that it finds in the folder `CREDENTIALS_DIRECTORY`, by name, and where what is in them comes from.",
        zh: "它在 `CREDENTIALS_DIRECTORY` 目录中找到的文件，以名称为键，值说明内容从哪里来。",
    },
)
.example(r#"{ "tls.key" = { file = "/etc/web/tls.key" } }"#)
.restarts();

const TYPE: Key = key(
    "type",
    Shape::Words(&["daemon", "task"]),
    Words {
        en: "Whether it is meant to run for ever, or to do its work and end; whoever requires a task waits until it has ended well.",
        zh: "它应当一直运行，还是做完工作就结束；依赖任务的服务等它成功结束。",
    },
)
.usual(r#""daemon""#)
.example(r#""task""#);

const START: Key = key(
    "start",
    Shape::Words(&["auto", "delayed", "manual", "disabled"]),
    Words {
        en: "When it is started without being asked: with the instance, later than the others, never, or not even by somebody who requires it.",
        zh: "何时自动启动：随实例启动，比别的服务晚，从不，或者连依赖它的服务也不能启动它。",
    },
)
.usual(r#""auto""#)
.example(r#""manual""#);

const INSTANCES: Key = key(
    "instances",
    Shape::Integer(1, 10_000),
    Words {
        en: "How many units it has: `web`, `web@2` and so on.",
        zh: "它有多少个单元：`web`、`web@2` 等。",
    },
)
.usual("1")
.example("2");

const fn link(name: &'static str, en: &'static str, zh: &'static str) -> Key {
    key(name, TEXTS, Words { en, zh }).example(r#"["db"]"#)
}

const REQUIRES: Key = link(
    "requires",
    "Services, and groups as `@NAME`, that are started, too, and must be ready first. `\"@network\"` waits until the machine is on a network.",
    "会一同启动且必须先就绪的服务，组写作 `@NAME`。`\"@network\"` 等到机器连上网络。",
);
const WANTS: Key = link(
    "wants",
    "Are started, too, and waited for, but may fail.",
    "会一同启动并等待，但可以失败。",
);
const AFTER: Key =
    link("after", "Come before it, if they are to run at all.", "若要运行，则在它之前。");
const BEFORE: Key = link("before", "Come after it.", "在它之后。");
const BINDS_TO: Key = link(
    "binds-to",
    "As `requires`, and it is stopped as soon as one of them is ready no more.",
    "同 `requires`；此外其中之一不再就绪时，它就被停止。",
);
const PART_OF: Key = link(
    "part-of",
    "A stop, kill or restart of these by an operator reaches it as well.",
    "操作者停止、杀死或重启这些服务时，它也一样。",
);
const CONFLICTS: Key = link("conflicts", "Never run at the same time.", "绝不与它同时运行。");

const RESTART: Key = key(
    "restart",
    Shape::Table(&restart::RESTART),
    Words {
        en: "What follows an exit. Without it a daemon is run again for ever, with growing pauses.",
        zh: "程序退出之后做什么。不写则永远再次运行，间隔逐渐变长。",
    },
)
.example(r#"{ when = "on-failure", delay = "1s", limit = 10 }"#)
.of_keys();

const STOP: Key =
    key("stop", Shape::Table(&stop::STOP), Words { en: "How it is stopped.", zh: "如何停止它。" })
        .example(r#"{ signal = "INT", timeout = "10s" }"#)
        .of_keys();

const LOGS_OF: &[Shape] = &[Shape::Words(&["off"]), Shape::Table(&logs::LOGS)];

const LOGS: Key = key(
    "logs",
    Shape::Either(LOGS_OF),
    Words {
        en: "What is kept of its output; `\"off\"` discards it.",
        zh: "它的输出保留什么；`\"off\"` 全部丢弃。",
    },
)
.example(r#"{ max-size = "1MiB", keep = 30 }"#)
.of_keys();

const READY_OF: &[Shape] = &[Shape::Words(&["notify"]), Shape::Table(&ready::READY)];

const READY: Key = key(
    "ready",
    Shape::Either(READY_OF),
    Words {
        en: "When a run is ready; without it as soon as it executes.",
        zh: "一次运行何时就绪；不写则开始执行即就绪。",
    },
)
.example(r#"{ http = "http://127.0.0.1:8080/ready", timeout = "30s" }"#)
.of_keys();

const CHECK: &Shape = &Shape::Table(&checks::CHECK);

const CHECKS: Key = key(
    "checks",
    Shape::List(CHECK),
    Words {
        en: "How it is looked at, at most 64 times.", zh: "如何检查它，最多 64 个。"
    },
)
.example(r#"[{ http = "http://127.0.0.1:8080/healthz", every = "10s" }]"#)
.of_keys();

const WATCHDOG_OF: &[Shape] = &[care::ALIVE, Shape::Table(&care::WATCHDOG)];

const WATCHDOG: Key = key(
    "watchdog",
    Shape::Either(WATCHDOG_OF),
    Words {
        en: "The longest silence that is no hang: the program has to send `WATCHDOG=1` more often.",
        zh: "允许多久没有动静：程序必须更频繁地发送 `WATCHDOG=1`，否则视为无响应。",
    },
)
.example(r#""30s""#)
.restarts();

const HOOKS: Key = key(
    "hooks",
    Shape::Table(&hooks::HOOKS),
    Words { en: "Commands beside it.", zh: "在它旁边运行的命令。" },
)
.example(r#"{ before-start = ["./migrate"] }"#);

const RELOAD_OF: &[Shape] = &[Shape::Words(&["notify"]), Shape::Table(&care::RELOAD)];

const RELOAD: Key = key(
    "reload",
    Shape::Either(RELOAD_OF),
    Words {
        en: "How it is told to read its configuration anew; without it `mainstay reload` is refused.",
        zh: "如何让它重新读取配置；不写则拒绝 `mainstay reload`。",
    },
)
.example(r#"{ signal = "HUP" }"#)
.of_keys();

const NOTIFY: Key = key(
    "notify",
    Shape::Table(&care::NOTIFY),
    Words { en: "Who may speak for it.", zh: "谁可以替它发通知。" },
)
.example(r#"{ access = "main" }"#)
.restarts();

const LIMITS_KEY: Key = key(
    "limits",
    Shape::Table(&LIMITS),
    Words { en: "What it may use.", zh: "它可以使用多少资源。" },
)
.example("{ files = 4096 }")
.of_keys();

const SESSION: Key = key(
    "session",
    Shape::Boolean,
    Words {
        en: "Whether it gets a session of its own (`setsid`), for programs that insist on one.",
        zh: "是否给它独立的会话（`setsid`），用于要求如此的程序。",
    },
)
.usual("false")
.example("true")
.restarts();

const PRIORITY: Key = key(
    "priority",
    Shape::Words(&["idle", "below-normal", "normal", "above-normal", "high", "realtime"]),
    Words {
        en: "How much of the processors it gets beside others. More than `normal` takes the rights for it.",
        zh: "与其他程序相比得到多少处理器时间。高于 `normal` 需要相应的权限。",
    },
)
.depends("what the keeper has", "与 keeper 相同")
.example(r#""below-normal""#)
.restarts();

const AFFINITY: Key = key(
    "affinity",
    Shape::Text(Form::Like("^[0-9 ,-]+$")),
    Words {
        en: "On which processors it runs: numbers from 0 to 63, and ranges.",
        zh: "它在哪些处理器上运行：0 到 63 的编号和范围。",
    },
)
.depends("what the keeper has", "与 keeper 相同")
.example(r#""0-2,4""#)
.restarts();

const BUNDLES: Key = key(
    "bundles",
    Shape::Integer(0, 1_000),
    Words {
        en: "How many crash bundles are kept of each unit; `0` writes none.",
        zh: "每个单元保留多少个崩溃档案；`0` 表示不写。",
    },
)
.usual("5")
.example("20");

/// What a service may use.
pub static LIMITS: Part = Part {
    path: "services.NAME.limits",
    about: Words { en: "What a service may use.", zh: "服务可以使用多少资源。" },
    keys: &[key(
        "files",
        Shape::Integer(0, u32::MAX),
        Words {
            en: "The soft limit of open files; not on Windows.",
            zh: "打开文件数的软限制；Windows 上没有。",
        },
    )
    .depends("what the system gives", "系统给的值")
    .example("4096")
    .restarts()],
    needs: &[],
    one_of: &[],
};
