//! What `ready` and `checks` look at alike.

use std::time::Duration;

use super::{
    key::{Key, Words, key},
    shape::{Form, Shape, TEXT, at_least},
};

const STATUS_OF: &[Shape] = &[Shape::Integer(100, 599), Shape::Text(Form::Like("^[1-5]xx$"))];

pub(super) const HTTP: Key = key(
    "http",
    Shape::Text(Form::Like("^https?://")),
    Words {
        en: "It is asked over HTTP, and gives a good answer. Redirections are not followed.",
        zh: "用 HTTP 询问它，并得到通过的应答。不跟随重定向。",
    },
)
.example(r#""http://127.0.0.1:8080/healthz""#);

pub(super) const STATUS: Key = key(
    "status",
    Shape::Either(&[
        Shape::Integer(100, 599),
        Shape::Text(Form::Like("^[1-5]xx$")),
        Shape::List(&Shape::Either(STATUS_OF)),
    ]),
    Words {
        en: "Goes with `http`: which answers are good, as a code, a class such as `\"2xx\"`, or a list of both.",
        zh: "与 `http` 搭配：哪些应答算通过。状态码、`\"2xx\"` 这样的类别，或两者的列表。",
    },
)
.usual(r#"["2xx", "3xx"]"#)
.example(r#"[200, "3xx"]"#);

pub(super) const BODY: Key = key(
    "body",
    Shape::Text(Form::Regex),
    Words {
        en: "Goes with `http`: a regular expression that must be found in the first 64 KiB of the body.",
        zh: "与 `http` 搭配：必须在应答正文的前 64 KiB 中找到的正则表达式。",
    },
)
.example(r#""\"status\": *\"ok\"""#);

pub(super) const HEADERS: Key = key(
    "headers",
    Shape::Map(&Shape::Scalar),
    Words {
        en: "Goes with `http`: headers of the request, at most 32 with 8 KiB.",
        zh: "与 `http` 搭配：请求头，最多 32 个、共 8 KiB。",
    },
)
.example(r#"{ Host = "example.org" }"#);

pub(super) const METHOD: Key = key(
    "method",
    Shape::Words(&["GET", "HEAD", "POST"]),
    Words {
        en: "Goes with `http`: how it is asked.", zh: "与 `http` 搭配：用什么方法询问。"
    },
)
.usual(r#""GET""#)
.example(r#""HEAD""#);

pub(super) const CA_FILE: Key = key(
    "ca-file",
    Shape::Text(Form::Path),
    Words {
        en: "Goes with an `https` URL: a PEM file with authorities, or with the server's own certificate, that is believed, too. Relative paths begin at `directory`.",
        zh: "与 `https` 地址搭配：另外信任的 PEM 文件，内含证书颁发机构或服务器自己的证书。相对路径从 `directory` 算起。",
    },
)
.example(r#""own.pem""#);

pub(super) const SERVER_NAME: Key = key(
    "server-name",
    TEXT,
    Words {
        en: "Goes with an `https` URL: whom the certificate has to be for, where that is not the URL's host.",
        zh: "与 `https` 地址搭配：证书应当属于谁（与地址中的主机不同时）。",
    },
)
.example(r#""web.example""#);

pub(super) const TCP: Key = key(
    "tcp",
    Shape::Either(&[Shape::Integer(1, 65_535), TEXT]),
    Words {
        en: "Somebody accepts a connection there: a port of this machine, or a host and a port as text.",
        zh: "那里有程序接受连接：本机的端口，或写成文本的主机和端口。",
    },
)
.example(r#""127.0.0.1:5432""#);

pub(super) const FILE: Key = key(
    "file",
    Shape::Text(Form::Path),
    Words {
        en: "The file is there. Relative paths begin at `directory`.",
        zh: "该文件存在。相对路径从 `directory` 算起。",
    },
)
.example(r#""run/ready""#);

pub(super) const MAX_AGE: Key = key(
    "max-age",
    at_least(Duration::from_millis(1)),
    Words {
        en: "Goes with `file`: it must have been changed within so long.",
        zh: "与 `file` 搭配：文件必须在这段时间之内被改动过。",
    },
)
.example(r#""1m""#);
