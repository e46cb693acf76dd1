//! `kind`, `config` and the tables of kinds.

use super::{
    key::{Key, Words, key},
    shape::{Form, Shape},
};

pub(super) const KIND: Key = key(
    "kind",
    Shape::Text(Form::Plain),
    Words {
        en: "What it runs in place of a command: the name of a kind, or the absolute path of its program.",
        zh: "代替命令运行的种类：种类的名称，或其程序的绝对路径。",
    },
)
.example(r#""heartbeat""#)
.restarts();

pub(super) const CONFIG: Key = key(
    "config",
    Shape::Open,
    Words {
        en: "The configuration of its kind; see the documentation of that.",
        zh: "该种类的配置；见其文档。",
    },
)
.example(r#"{ url = "https://example.org" }"#)
.restarts();

pub(super) const DDNS: Key = key(
    "ddns",
    Shape::Open,
    Words {
        en: "Keeps names in the DNS on a moving address: stands for `kind = \"ddns\"` with this `config`.",
        zh: "让 DNS 中的名称跟随变动的地址：相当于 `kind = \"ddns\"` 加上这里的 `config`。",
    },
)
.example(r#"{ accounts = { cf = { provider = "cloudflare", token = { secret = "cf" }, names = ["home.example.org"] } } }"#)
.restarts();
