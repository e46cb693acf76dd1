//! What is said in the dialogue, in English and Chinese.

use std::path::Path;

use mainstay_ddns::{
    address::Family,
    provider::{Entry, Parameter},
};

use crate::words;

/// In which language it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// Returns the language of the person.
    pub(super) fn of_person() -> Self {
        match words::language() {
            words::Language::English => Self::English,
            words::Language::Chinese => Self::Chinese,
        }
    }

    const fn say<'t>(self, english: &'t str, chinese: &'t str) -> &'t str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    pub(super) const fn title(self, entry: &Entry) -> &'static str {
        self.say(entry.title, entry.title_zh)
    }

    pub(super) const fn help(self, parameter: &Parameter) -> &'static str {
        self.say(parameter.help, parameter.help_zh)
    }

    pub(super) const fn which_provider(self) -> &'static str {
        self.say(
            "Who has your domain? Type a part of the provider's name, or `?` for all",
            "域名在哪家服务商？请输入名称的一部分，或输入 `?` 查看全部",
        )
    }

    pub(super) const fn no_such_provider(self) -> &'static str {
        self.say(
            "none is called so; `dyndns2` and `template` speak to services that are not in the list",
            "没有找到；不在列表中的服务可用 `dyndns2` 或 `template`",
        )
    }

    pub(super) const fn which_names(self) -> &'static str {
        self.say(
            "Which names shall follow this machine? Whole names, with commas between them",
            "哪些域名指向本机？请输入完整域名，多个用逗号分隔",
        )
    }

    pub(super) const fn looking(self) -> &'static str {
        self.say(
            "\nLooking for the address, and at the records …",
            "\n正在查找地址并读取解析记录……",
        )
    }

    pub(super) const fn once_more(self) -> &'static str {
        self.say("Type the credentials again?", "重新输入凭据？")
    }

    pub(super) fn only(self, family: Family) -> String {
        match self {
            Self::English => format!("Keep {family} alone, as long as nothing else is said?"),
            Self::Chinese => format!("只维护 {family} 记录？"),
        }
    }

    pub(super) fn written_to(self, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::English => format!("Write this into {file}?"),
            Self::Chinese => format!("写入 {file}？"),
        }
    }

    pub(super) const fn nothing_written(self) -> &'static str {
        self.say("nothing was written", "没有写入任何内容")
    }

    pub(super) fn stored(self, name: &str) -> String {
        match self {
            Self::English => format!("secret stored, sealed: {name}"),
            Self::Chinese => format!("密钥已加密保存：{name}"),
        }
    }

    pub(super) fn done(self, service: &str, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::English => format!("service `{service}` is in {file}"),
            Self::Chinese => format!("服务 `{service}` 已写入 {file}"),
        }
    }

    pub(super) const fn taken(self) -> &'static str {
        self.say(
            "the running instance has it; `mainstay ddns status` shows how it is",
            "正在运行的实例已接管；用 `mainstay ddns status` 查看状态",
        )
    }

    pub(super) const fn start_now(self) -> &'static str {
        self.say("Start it here now? Ctrl-C stops it", "现在启动？按 Ctrl-C 停止")
    }

    pub(super) fn later(self, way: &str) -> String {
        match self {
            Self::English => format!("to start it: {way}"),
            Self::Chinese => format!("启动方法：{way}"),
        }
    }

    pub(super) const fn broken_off(self) -> &'static str {
        self.say("nothing more is typed; nothing was written", "输入已结束，没有写入任何内容")
    }

    pub(super) fn nobody(self, prompt: &str, flag: &str) -> (String, String) {
        match self {
            Self::English => {
                (format!("nobody is there to ask: {prompt}"), format!("say it with `{flag}`"))
            }
            Self::Chinese => (format!("没有终端可以询问：{prompt}"), format!("请用 `{flag}` 指定")),
        }
    }

    pub(super) fn says(self, voter: &str, what: &str) -> String {
        match self {
            Self::English => format!("  {voter} says {what}"),
            Self::Chinese => format!("  {voter} 返回 {what}"),
        }
    }

    pub(super) fn silent(self, voter: &str, why: &str) -> String {
        match self {
            Self::English => format!("  {voter} tells nothing: {why}"),
            Self::Chinese => format!("  {voter} 没有结果：{why}"),
        }
    }

    pub(super) fn believed(self, family: Family, what: &str) -> String {
        match self {
            Self::English => format!("{family}: {what}"),
            Self::Chinese => format!("{family} 地址：{what}"),
        }
    }

    pub(super) fn no_address(self, family: Family, why: &str) -> String {
        match self {
            Self::English => format!("{family}: no address that others could reach ({why})"),
            Self::Chinese => format!("{family}：没有外网可达的地址（{why}）"),
        }
    }

    pub(super) const fn shared(self) -> &'static str {
        self.say(
            "  your provider shares one IPv4 address among many customers (CGNAT): nobody reaches you \
             by IPv4; IPv6 does",
            "  运营商使用了 CGNAT（多用户共享 IPv4）：外网无法通过 IPv4 访问，请使用 IPv6",
        )
    }

    pub(super) fn rests(self, id: &str, has: &str) -> String {
        match self {
            Self::English => format!("{id}: has {has} already, nothing would be written"),
            Self::Chinese => format!("{id}：已经是 {has}，无需更新"),
        }
    }

    pub(super) fn changes(self, id: &str, has: &str, want: &str) -> String {
        match self {
            Self::English => format!("{id}: has {has}, {want} would be written"),
            Self::Chinese => format!("{id}：当前 {has}，将更新为 {want}"),
        }
    }

    pub(super) fn begins(self, id: &str, want: &str) -> String {
        match self {
            Self::English => format!("{id}: {want} would be written"),
            Self::Chinese => format!("{id}：将写入 {want}"),
        }
    }

    pub(super) fn waits(self, id: &str) -> String {
        match self {
            Self::English => format!("{id}: waits for an address"),
            Self::Chinese => format!("{id}：等待可用地址"),
        }
    }

    pub(super) fn failed(self, id: &str, why: &str) -> String {
        match self {
            Self::English => format!("{id}: {why}"),
            Self::Chinese => format!("{id}：失败：{why}"),
        }
    }

    pub(super) fn open(self, id: &str) -> String {
        match self {
            Self::English => format!("{id}: nothing was found out in time"),
            Self::Chinese => format!("{id}：未能及时查明"),
        }
    }
}
