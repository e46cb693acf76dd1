//! What is asked, and what is wrong with an answer, in English and Chinese.

use crate::explain::Language;

/// What is said or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Greeting,
    Name,
    Program,
    Arguments,
    Directory,
    Account,
    Start,
    Variable,
    Stdout,
    Stderr,
    Line,
    Agreed,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Name,
    Taken,
    Program,
    Folder,
    Start,
    Variable,
    File,
    YesOrNo,
}

pub(super) const fn text_of(question: Question, language: Language) -> &'static str {
    let (english, chinese) = match question {
        Question::Greeting => (
            "This makes a program a service. Enter takes what stands in brackets; Ctrl-C changes nothing.",
            "将程序安装为服务。按回车采用方括号中的值；按 Ctrl-C 不做任何更改。",
        ),
        Question::Name => ("Name of the service", "服务名称"),
        Question::Program => ("Program", "程序"),
        Question::Arguments => ("Arguments, if any", "参数（可留空）"),
        Question::Directory => ("Folder that it starts in", "启动目录"),
        Question::Account => (
            "Account; others: LocalSystem, LocalService, NetworkService, DOMAIN\\user",
            "运行帐户；也可填 LocalSystem、LocalService、NetworkService、域\\用户",
        ),
        Question::Start => (
            "Start: auto, delayed (two minutes after boot), demand or disabled",
            "启动类型：auto 自动，delayed 开机两分钟后，demand 手动，disabled 禁用",
        ),
        Question::Variable => {
            ("Environment variable NAME=VALUE; Enter goes on", "环境变量 名称=值；按回车继续")
        }
        Question::Stdout => (
            "File for stdout, beside `mainstay logs`; Enter for none",
            "标准输出另存到文件（`mainstay logs` 总能看到）；按回车不另存",
        ),
        Question::Stderr => ("File for stderr, `-` for none", "标准错误另存到文件，填 - 不另存"),
        Question::Line => ("The same as a command line:", "等价的命令行："),
        Question::Agreed => ("Install and start it now? Y/n", "现在安装并启动吗？Y/n"),
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

pub(super) const fn fault_in(fault: Fault, language: Language) -> &'static str {
    let (english, chinese) = match fault {
        Fault::Name => (
            "a name has 1 to 256 characters, no slashes and no quotes, and is not `mainstay`",
            "名称须为 1 至 256 个字符，不含斜杠和引号，且不能是 `mainstay`",
        ),
        Fault::Taken => ("there is a service of that name already", "已有同名服务"),
        Fault::Program => (
            "it is neither here nor in a folder of PATH; name it by its whole path",
            "当前目录和 PATH 中都找不到它；请填写完整路径",
        ),
        Fault::Folder => ("there is no such folder", "没有这个目录"),
        Fault::Start => {
            ("write auto, delayed, demand or disabled", "请填 auto、delayed、demand 或 disabled")
        }
        Fault::Variable => ("write NAME=VALUE", "请按 名称=值 填写"),
        Fault::File => (
            "its folder is not there, or it is a folder itself",
            "所在目录不存在，或它本身就是目录",
        ),
        Fault::YesOrNo => ("write y or n", "请填 y 或 n"),
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
