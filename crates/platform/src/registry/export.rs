//! What a `.reg` file looks like.

use std::fmt::Write as _;

use super::{Data, Value};

/// The first line of each such file.
pub(super) const HEADER: &str = "Windows Registry Editor Version 5.00\r\n";

/// Numbers of the types that are written as bytes.
const EXPANDABLE: u32 = 2;
const TEXTS: u32 = 7;

/// Returns a text as a `.reg` file holds it: UTF-16 with a mark at its beginning.
pub fn encoded(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Appends a key with its values.
pub(super) fn push_key(into: &mut String, path: &str, values: &[Value]) {
    let _ = write!(into, "\r\n[HKEY_LOCAL_MACHINE\\{path}]\r\n");
    for Value { name, data } in values {
        let name = if name.is_empty() { "@".to_owned() } else { quoted(name) };
        let _ = write!(into, "{name}={}\r\n", written(data));
    }
}

fn written(data: &Data) -> String {
    match data {
        Data::Text(text) if !text.contains(['\r', '\n']) => quoted(text),
        Data::Text(text) => in_hex("hex(1)", &wide(text)),
        Data::Expandable(text) => in_hex(&format!("hex({EXPANDABLE:x})"), &wide(text)),
        Data::Texts(texts) => {
            let mut bytes: Vec<u8> = texts.iter().flat_map(|text| wide(text)).collect();
            bytes.extend([0, 0]);
            in_hex(&format!("hex({TEXTS:x})"), &bytes)
        }
        Data::Number(number) => format!("dword:{number:08x}"),
        Data::Other { kind: 3, bytes } => in_hex("hex", bytes),
        Data::Other { kind, bytes } => in_hex(&format!("hex({kind:x})"), bytes),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn in_hex(kind: &str, bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}:{}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_written_as_regedit_writes_it() {
        let check = |data: Data, expected: &str| assert_eq!(written(&data), expected);
        check(Data::Text(r#"C:\a "b""#.to_owned()), r#""C:\\a \"b\"""#);
        check(Data::Text("a\nb".to_owned()), "hex(1):61,00,0a,00,62,00,00,00");
        check(Data::Expandable("%A".to_owned()), "hex(2):25,00,41,00,00,00");
        check(Data::Texts(vec!["a".to_owned()]), "hex(7):61,00,00,00,00,00");
        check(Data::Texts(Vec::new()), "hex(7):00,00");
        check(Data::Number(1500), "dword:000005dc");
        check(Data::Other { kind: 3, bytes: vec![1, 255] }, "hex:01,ff");
        check(Data::Other { kind: 11, bytes: vec![1] }, "hex(b):01");
    }

    #[test]
    fn a_key_stands_with_its_whole_path_and_its_own_value_is_an_at_sign() {
        let mut text = HEADER.to_owned();
        let value = |name: &str| Value { name: name.to_owned(), data: Data::Number(1) };
        push_key(&mut text, r"SYSTEM\x", &[value(""), value("a\"b")]);
        let expected = "Windows Registry Editor Version 5.00\r\n\r\n\
                        [HKEY_LOCAL_MACHINE\\SYSTEM\\x]\r\n\
                        @=dword:00000001\r\n\"a\\\"b\"=dword:00000001\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_file_begins_with_the_mark_of_its_encoding() {
        assert_eq!(encoded("a"), [0xff, 0xfe, 0x61, 0]);
    }
}
