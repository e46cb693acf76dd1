//! The command line in Chinese, beside the same in English: what people read is told, what scripts
//! and programs read or write is not.

use std::fs;

use crate::sandbox::{Answer, Sandbox};

const CHINESE: [&str; 2] = ["--lang", "zh-CN"];

fn in_chinese(sandbox: &Sandbox, line: &str) -> Answer {
    let words: Vec<&str> = line.split(' ').chain(CHINESE).collect();
    sandbox.ask(&words)
}

/// Expects an answer to have all these words.
fn check(told: &str, expected: &[&str]) {
    for words in expected {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_unit_is_told_of_in_both_languages_and_json_in_neither() {
    let sandbox = Sandbox::up_with(
        "[services.web]\ncommand = [\"sh\", \"-c\", \"echo running; exec sleep 1000\"]\n",
    );
    sandbox.wait_for("web", |unit| unit.state == "running");
    sandbox.wait_for_words("web", "running\n");

    check(&in_chinese(&sandbox, "status").out, &["单元", "状态", "web", "运行中"]);
    check(&sandbox.get(&["--lang", "en", "status"]), &["UNIT", "STATE", "running"]);
    check(&in_chinese(&sandbox, "status --json").out, &["\"state\": \"running\""]);

    let why = in_chinese(&sandbox, "why web").out;
    check(&why, &["`web` 运行中", "程序已启动", "最后几行日志：\n  running\n"]);
    assert_eq!(in_chinese(&sandbox, "logs web").out, "running\n");
    check(&in_chinese(&sandbox, "events").out, &["程序已启动", "UnitStateChanged"]);

    let Answer { code, err, .. } = in_chinese(&sandbox, "stop wbe");
    assert_eq!(code, 1, "{err}");
    check(&err, &["错误：没有单元或服务 `wbe`", "提示：", "是否想写 `web`？"]);
}

#[test]
fn a_wrong_configuration_is_told_of_in_chinese_and_quoted_as_it_is() {
    let sandbox = Sandbox::new("");
    fs::write(sandbox.file(), "[services.web]\ncomand = \"no such file\"\n").unwrap();
    let Answer { code, err, .. } = in_chinese(&sandbox, "check");
    assert_eq!(code, 1, "{err}");
    check(&err, &["错误：服务 `web` 中有未知的键 `comand`", "是否想写 `command`？"]);
    check(&err, &["2 | comand = \"no such file\"\n"]);
}

#[test]
fn a_wrong_command_line_is_told_of_in_chinese() {
    let sandbox = Sandbox::new("");
    let told = |line: &str, expected: &[&str]| {
        let Answer { code, out, err } = in_chinese(&sandbox, line);
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {err}");
        check(&err, expected);
        assert!(!err.contains("error"), "{line}: {err}");
    };
    told("statsu", &["错误：没有子命令 'statsu'", "有相近的子命令", "'--help'"]);
    told(
        "status --jsno",
        &["多余的参数 '--jsno'", "有相近的参数：'--json'", "用法：mainstay status"],
    );
    told("logs -n many", &["'--lines <COUNT>' 的值 'many' 无效：请写 `-n 50` 或 `-n all`"]);
    told("why", &["缺少以下必需的参数"]);
}

/// Words of a help that are no command, option, name or value.
fn english_of(help: &str) -> Vec<&str> {
    let (text, _examples) = help.split_once("\n示例：").unwrap_or((help, ""));
    let lines = text.lines().filter(|line| !line.starts_with("用法："));
    let is_prose = |line: &&str| {
        let told: String = line.split('`').step_by(2).collect();
        let letters =
            |word: &&str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase());
        told.split([' ', '，', '；'])
            .collect::<Vec<_>>()
            .windows(3)
            .any(|three| three.iter().all(letters))
    };
    lines.filter(is_prose).collect()
}

#[test]
fn help_is_chinese_throughout() {
    let sandbox = Sandbox::new("");
    let whole = in_chinese(&sandbox, "--help");
    assert_eq!(whole.code, 0, "{whole:?}");
    check(
        &whole.out,
        &["把程序变成一直在线的服务", "用法：mainstay", "命令：", "选项：", "示例："],
    );
    let commands = whole.out.lines().skip_while(|line| *line != "命令：").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = in_chinese(&sandbox, &format!("{command} --help")).out;
        check(&help, &["用法：mainstay", "选项：", "显示帮助"]);
        assert_eq!(english_of(&help), Vec::<&str>::new(), "{command}: {help}");
    }
}
