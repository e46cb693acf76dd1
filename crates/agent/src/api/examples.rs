//! What the contract shows as examples: values of the very types that are sent.

use mainstay_api::control::{
    AddService, ChangedKey, ChangedService, CheckState, CommandAnswer, CommandName, CommandRequest,
    ConfigChanges, DiffAnswer, DiffRequest, Edge, EditKeys, EnvironmentOf, EnvironmentVariable,
    Event, Events, Facts, FileText, Files, FilesStatus, Group, HookLast, KeyEffect, KeyValue,
    LastExit, LogLine, LogLines, Next, Node, NodeUnit, ReplaceFile, Role, SecretAnswer, SecretInfo,
    Secrets, ServiceText, Status, Tree, Unit, UnitAnswer, UnitDetail, UnitEnvironment, UnitUsage,
    UpgradeAnswer, UpgradeRequest, Usages, VariableOrigin,
};

use super::stream;

const FILE: &str = "/opt/shop/mainstay.toml";
const TRACE: &str = "1899f3a1c2b4d5e6";
const SINCE: &str = "2026-01-31T08:00:00.000Z";

fn text(text: &str) -> String {
    text.to_owned()
}

fn role(pid: u32) -> Role {
    Role { pid, version: text(env!("CARGO_PKG_VERSION")) }
}

fn unit() -> Unit {
    Unit {
        unit: text("web"),
        service: text("web"),
        task: false,
        state: text("running"),
        since: text(SINCE),
        since_seconds: 90,
        why: text("it is ready"),
        next: None,
        pid: Some(4711),
        run: 3,
        restarts: 2,
        degraded: false,
        orphaned: false,
        outdated: false,
        ready_since: Some(text(SINCE)),
        unready: false,
        clearing: false,
        unhealthy: Vec::new(),
        pressure: None,
        starts_after: None,
        last_exit: Some(LastExit {
            run: 2,
            how: text("ended with code 3"),
            code: Some(3),
            signal: None,
            at: text(SINCE),
            lived_ms: 61_250,
        }),
        status_text: None,
        error_text: None,
        facts: [(text("connections"), text("12"))].into(),
    }
}

fn waiting() -> Unit {
    Unit {
        unit: text("mail"),
        service: text("mail"),
        state: text("backoff"),
        why: text("run 1 ended with code 1"),
        next: Some(Next { what: text("start"), in_ms: 800 }),
        pid: None,
        run: 1,
        restarts: 0,
        ready_since: None,
        last_exit: None,
        facts: [].into(),
        ..unit()
    }
}

fn group() -> Group {
    Group {
        name: text("shop"),
        description: Some(text("what customers see")),
        services: vec![text("mail"), text("web")],
    }
}

pub(super) fn status() -> Status {
    Status {
        instance: text(FILE),
        boot: text("5f6bb1a2-6b3a-4a0f-9d8f-0c9a3c1d2e4f/4026531836/5"),
        keeper: role(101),
        agent: role(102),
        units: vec![waiting(), unit()],
        groups: vec![group()],
        files: FilesStatus { hot_reload: true, refused: None },
    }
}

pub(super) fn tree() -> Tree {
    let Unit { unit, state, why, unready, .. } = unit();
    Tree {
        instance: text(FILE),
        services: vec![Node {
            service: text("web"),
            units: vec![NodeUnit { unit, state, why, unready }],
            links: vec![Edge { how: text("requires"), to: text("db") }],
        }],
        groups: vec![group()],
        network: None,
    }
}

fn event() -> Event {
    Event {
        sequence: 42,
        timestamp: text(SINCE),
        level: text("info"),
        event: text("UnitStateChanged"),
        unit: Some(text("web")),
        run: Some(3),
        trace_id: text(TRACE),
        message: text("`web` is running"),
        facts: Facts { state: Some(text("running")), pid: Some(4711), ..Facts::default() },
    }
}

pub(super) fn events() -> Events {
    let kept_since = Some("2026-01-31T08:00:00.123Z".to_owned());
    Events { events: vec![event()], last: 42, older: None, kept_since, unread: None, missed: 0 }
}

/// What a stream looks like.
pub(super) fn stream_of_events() -> String {
    format!("retry: 1000\n\n{}:\n\n", stream::event(42, &event()))
}

fn line() -> LogLine {
    LogLine {
        time: Some(text(SINCE)),
        run: Some(3),
        stream: text("joined"),
        text: text("listening on 8080"),
        partial: false,
    }
}

pub(super) fn lines() -> LogLines {
    let next = text("web:1:2048");
    LogLines { unit: text("web"), lines: vec![line()], next, more: false, missed: 0, damaged: 0 }
}

pub(super) fn stream_of_lines() -> String {
    format!("retry: 1000\n\n{}:\n\n", stream::event("web:1:2048", &line()))
}

pub(super) fn unit_detail() -> UnitDetail {
    UnitDetail {
        unit: unit(),
        disabled: false,
        command: vec![text("./web"), text("--port"), text("8080")],
        directory: Some(text("/opt/shop")),
        logs: Some(text("/opt/shop/.mainstay/logs/web")),
        events: vec![event()],
        checks: vec![CheckState {
            check: text("http"),
            verdict: text("good"),
            seen: String::new(),
            failures: 0,
        }],
        hooks: vec![HookLast {
            hook: text("before-start"),
            number: 3,
            at: text(SINCE),
            failed: false,
            message: text("hook `before-start` of `web` ended with code 0"),
        }],
    }
}

pub(super) fn command() -> CommandRequest {
    CommandRequest { command: CommandName::Restart, names: vec![text("web*"), text("@shop")] }
}

pub(super) fn commanded() -> CommandAnswer {
    let refused = Some(text("it is stopping; wait until it is stopped"));
    let units = vec![
        UnitAnswer { unit: text("web"), refused: None },
        UnitAnswer { unit: text("web@2"), refused },
    ];
    CommandAnswer { trace_id: text(TRACE), units, changes: None }
}

fn changed(changes: ConfigChanges) -> CommandAnswer {
    CommandAnswer { trace_id: text(TRACE), units: Vec::new(), changes: Some(changes) }
}

pub(super) fn add() -> AddService {
    AddService {
        name: text("tick"),
        command: vec![text("sleep"), text("1000")],
        directory: None,
        environment: vec![(text("RUST_LOG"), text("info"))],
        start: Some(text("manual")),
        requires: Vec::new(),
    }
}

pub(super) fn added() -> CommandAnswer {
    changed(ConfigChanges { added: vec![text("tick")], ..ConfigChanges::default() })
}

pub(super) fn removed() -> CommandAnswer {
    changed(ConfigChanges { removed: vec![text("tick")], ..ConfigChanges::default() })
}

pub(super) fn applied() -> CommandAnswer {
    let service = ChangedService {
        service: text("web"),
        keys: vec![ChangedKey { key: text("command"), effect: KeyEffect::Restart }],
        restarts: true,
        later: false,
    };
    changed(ConfigChanges { changed: vec![service], ..ConfigChanges::default() })
}

pub(super) fn secrets() -> Secrets {
    let info = SecretInfo {
        name: text("db-password"),
        set_at: text("2026-01-31T08:00:00Z"),
        services: vec![text("db")],
    };
    Secrets { secrets: vec![info] }
}

pub(super) fn secret_set() -> SecretAnswer {
    SecretAnswer {
        name: text("db-password"),
        replaced: true,
        services: vec![text("db")],
        aside: None,
        trace_id: text(TRACE),
    }
}

pub(super) fn upgrade() -> UpgradeRequest {
    UpgradeRequest { program: text("/opt/mainstay/bin/mainstay") }
}

pub(super) fn upgraded() -> UpgradeAnswer {
    UpgradeAnswer { keeper: role(101), former_agent: role(102) }
}

pub(super) fn usages() -> Usages {
    let web = UnitUsage {
        unit: text("web"),
        run: 3,
        processes: 2,
        by_descent: false,
        threads: Some(9),
        cpu_ms: Some(3_210),
        cpu_percent: Some(12.4),
        memory_bytes: Some(50_541_363),
        memory_share_bytes: Some(31_541_248),
        memory_peak_bytes: Some(63_963_136),
        descriptors: Some(31),
        read_bytes: Some(1_258_291),
        written_bytes: Some(225_280),
    };
    Usages { window_ms: 500, units: vec![web] }
}

const WEB: &str = "[services.web]\ncommand = [\"./web\"]\n";

pub(super) fn files() -> Files {
    Files { files: vec![FileText { file: text(FILE), text: text(WEB) }] }
}

pub(super) fn replace_file() -> ReplaceFile {
    ReplaceFile {
        file: Some(text(FILE)),
        text: text(WEB),
        former: None,
        prune: false,
        allow_empty: false,
        name: None,
    }
}

pub(super) fn diff_request() -> DiffRequest {
    DiffRequest { text: Some(text(WEB)), name: None }
}

pub(super) fn diff() -> DiffAnswer {
    let changes = applied().changes.unwrap_or_default();
    DiffAnswer { differs: true, changes, orphaned: vec![text("mail")], empty: false }
}

pub(super) fn service_text() -> ServiceText {
    ServiceText { service: text("web"), file: text(FILE), text: Some(text(WEB)) }
}

pub(super) fn edit_keys() -> EditKeys {
    let (key, value) = (text("restart.delay"), text("5s"));
    EditKeys { set: vec![KeyValue { key, value }], unset: vec![text("directory")] }
}

pub(super) fn environment() -> UnitEnvironment {
    let variable = |name: &str, value: Option<&str>, origin: VariableOrigin| EnvironmentVariable {
        name: text(name),
        value: value.map(text),
        origin,
        source: None,
    };
    let password = EnvironmentVariable {
        source: Some(text("secret")),
        ..variable("DB_PASSWORD", None, VariableOrigin::Configured)
    };
    let variables = vec![
        password,
        variable("MAINSTAY_UNIT", Some("web"), VariableOrigin::Mainstay),
        variable("PATH", Some("/usr/bin:/bin"), VariableOrigin::Inherited),
        variable("RUST_LOG", Some("info"), VariableOrigin::Configured),
    ];
    UnitEnvironment { unit: text("web"), run: 3, of: EnvironmentOf::Run, variables }
}
