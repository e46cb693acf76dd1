//! The reference of the configuration file, made of the catalogue.

use std::time::Duration;

use super::{Effect, Form, Key, Part, Shape, Usual, Words, parts};

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Returns the reference as Markdown.
pub fn reference(tongue: Tongue) -> String {
    let say = |en, zh| Words { en, zh }.of(tongue);
    let mut out = format!("# {}\n\n", say("The configuration file", "配置文件"));
    out += say(
        "Made from the catalogue that the parser is held to (`crates/api/src/config/catalogue/`) by `cargo xtask docs`; not edited by hand.",
        "由 `cargo xtask docs` 从解析器所遵循的目录（`crates/api/src/config/catalogue/`）生成，不手工编辑。",
    );
    out += "\n\n";
    out += say(
        "A file is TOML. Durations are text such as `\"200ms\"`, `\"1.5s\"`, `\"10m\"`, `\"2h\"`, `\"1d\"`, at most 366 days; sizes are text such as `\"512KiB\"`, `\"10MiB\"`, `\"1GB\"`. A key that does not stand here is refused, with a suggestion. Editors complete and check a file that begins with `#:schema` and the path or address of [mainstay.schema.json](mainstay.schema.json), which `mainstay schema` prints.",
        "文件格式为 TOML。时长写成文本，如 `\"200ms\"`、`\"1.5s\"`、`\"10m\"`、`\"2h\"`、`\"1d\"`，最长 366 天；大小写成文本，如 `\"512KiB\"`、`\"10MiB\"`、`\"1GB\"`。此处没有的键会被拒绝，并给出建议。文件开头写上 `#:schema` 加 [mainstay.schema.json](mainstay.schema.json) 的路径或地址，编辑器就能补全和检查；`mainstay schema` 会打印这份模式。",
    );
    out += "\n";
    for part in parts() {
        out += &section(part, tongue);
    }
    out
}

fn section(part: &'static Part, tongue: Tongue) -> String {
    let say = |en, zh| Words { en, zh }.of(tongue);
    let title = match part.path {
        "" => say("The whole file", "整个文件").to_owned(),
        path => format!("`{path}`"),
    };
    let head = [
        say("key", "键"),
        say("takes", "取值"),
        say("default", "默认"),
        say("a change takes effect", "改动何时生效"),
        say("what for", "用途"),
        say("example", "例子"),
    ];
    let rows: Vec<String> = part.keys.iter().map(|key| row(key, tongue)).collect();
    let head = format!("| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    format!("\n## {title}\n\n{}\n\n{head}\n{}", part.about.of(tongue), rows.concat())
}

fn row(key: &'static Key, tongue: Tongue) -> String {
    let usual = match key.usual {
        Usual::Nothing => "–".to_owned(),
        Usual::Value(value) => format!("`{value}`"),
        Usual::Depends(words) => words.of(tongue).to_owned(),
    };
    let cells = [
        format!("`{}`", key.name),
        takes(&key.shape, tongue),
        usual,
        effect(key.effect).of(tongue).to_owned(),
        key.about.of(tongue).to_owned(),
        format!("`{} = {}`", key.name, key.example),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    format!("| {} |\n", cells.join(" | "))
}

const fn effect(effect: Effect) -> Words {
    match effect {
        Effect::Live => Words { en: "at once", zh: "立即" },
        Effect::NextRun => Words { en: "with the next run", zh: "下次运行" },
        Effect::Restart => Words { en: "by a restart", zh: "重启" },
        Effect::OfKeys => Words { en: "as its keys say", zh: "见其中各键" },
    }
}

/// Says what a key takes.
fn takes(shape: &'static Shape, tongue: Tongue) -> String {
    let say = |en: &'static str, zh: &'static str| Words { en, zh }.of(tongue).to_owned();
    match shape {
        Shape::Text(Form::Regex) => say("regular expression", "正则表达式"),
        Shape::Text(Form::Path) => say("path", "路径"),
        Shape::Text(Form::Plain | Form::Like(_) | Form::Line) => say("text", "文本"),
        Shape::Scalar => say("text, number, true or false", "文本、数字、true 或 false"),
        Shape::Duration(least, most) => say("duration", "时长") + &bounds(*least, *most, tongue),
        Shape::Size => say("size", "大小"),
        Shape::Integer(least, u32::MAX) => match tongue {
            Tongue::English => format!("number from {least}"),
            Tongue::Chinese => format!("不小于 {least} 的整数"),
        },
        Shape::Integer(least, most) => match tongue {
            Tongue::English => format!("number from {least} to {most}"),
            Tongue::Chinese => format!("{least} 到 {most} 的整数"),
        },
        Shape::Boolean => say("true or false", "true 或 false"),
        Shape::True => "`true`".to_owned(),
        Shape::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            words.join(&say(", ", "、"))
        }
        Shape::List(inner) => match tongue {
            Tongue::English => format!("list: {}", takes(inner, tongue)),
            Tongue::Chinese => format!("列表：{}", takes(inner, tongue)),
        },
        Shape::Map(inner) => match tongue {
            Tongue::English => format!("table of names, each: {}", takes(inner, tongue)),
            Tongue::Chinese => format!("以名称为键的表，值为：{}", takes(inner, tongue)),
        },
        Shape::Table(part) | Shape::Named(part) => match tongue {
            Tongue::English => format!("table `{}`", part.path),
            Tongue::Chinese => format!("表 `{}`", part.path),
        },
        Shape::Either(all) => {
            let all: Vec<String> = all.iter().map(|one| takes(one, tongue)).collect();
            all.join(&say("; or ", "；或 "))
        }
        Shape::Open => say("table", "表"),
    }
}

/// Says what a duration must at least, and may at most be, where that is not what all must and may.
fn bounds(least: Duration, most: Duration, tongue: Tongue) -> String {
    let at_least = match tongue {
        Tongue::English => format!(", at least {least:?}"),
        Tongue::Chinese => format!("，至少 {least:?}"),
    };
    let at_most = match tongue {
        Tongue::English => format!(", at most {most:?}"),
        Tongue::Chinese => format!("，至多 {most:?}"),
    };
    let said = [(!least.is_zero(), at_least), (most < super::LONGEST, at_most)];
    said.into_iter().filter(|(is, _)| *is).map(|(_, text)| text).collect()
}

impl Words {
    /// Returns the words of a language.
    pub const fn of(self, tongue: Tongue) -> &'static str {
        match tongue {
            Tongue::English => self.en,
            Tongue::Chinese => self.zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_references_have_every_key_and_no_other() {
        let rows = |text: &str| text.lines().filter(|line| line.starts_with("| `")).count();
        let keys = parts().iter().map(|part| part.keys.len()).sum::<usize>();
        for tongue in [Tongue::English, Tongue::Chinese] {
            assert_eq!(rows(&reference(tongue)), keys);
        }
    }

    #[test]
    fn what_a_key_takes_is_said_with_its_bounds() {
        let part = super::super::SERVICE.key("instances").unwrap();
        assert_eq!(takes(&part.shape, Tongue::English), "number from 1 to 10000");
        let every = super::super::CHECK.key("every").unwrap();
        assert_eq!(takes(&every.shape, Tongue::Chinese), "时长，至少 100ms");
    }
}
