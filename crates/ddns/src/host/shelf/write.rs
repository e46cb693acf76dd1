//! The state as text, written straight: it is written for every change, and a thousand names would
//! be a hundred thousand values.

use std::{
    fmt::{Display, Write as _},
    net::IpAddr,
};

use serde_json::Value;

use crate::engine::state::{Hold, Kept, Stamped, State};

/// The version of the format.
const VERSION: u64 = 1;
/// About what a binding needs.
const BINDING_BYTES: usize = 320;

/// Returns a state as it is kept.
pub(super) fn text(state: &State) -> String {
    let mut out = String::with_capacity(state.bindings.len() * BINDING_BYTES + 256);
    plain(&mut out, "{", "version", VERSION);
    key(&mut out, ",", "bindings");
    map(&mut out, state.bindings.iter(), kept);
    key(&mut out, ",", "accounts");
    map(&mut out, state.accounts.iter(), hold);
    out.push('}');
    out
}

fn map<'a, T: 'a>(
    out: &mut String,
    entries: impl Iterator<Item = (&'a String, &'a T)>,
    write: fn(&mut String, &T),
) {
    out.push('{');
    for (at, (name, value)) in entries.enumerate() {
        key(out, if at == 0 { "" } else { "," }, name);
        write(out, value);
    }
    out.push('}');
}

fn kept(out: &mut String, kept: &Kept) {
    key(out, "{", "published");
    maybe(out, kept.published.as_ref(), stamped);
    key(out, ",", "intent");
    maybe(out, kept.intent.as_ref(), stamped);
    number(out, "visible-since", kept.visible_since);
    number(out, "corrected", kept.corrected);
    key(out, ",", "tried");
    addresses(out, &kept.tried);
    plain(out, ",", "failures", kept.failures);
    key(out, ",", "hold");
    maybe(out, kept.hold.as_ref(), hold);
    key(out, ",", "why");
    maybe(out, kept.why.as_ref(), |out, why| quoted(out, why));
    digest(out, kept.digest);
}

fn stamped(out: &mut String, stamped: &Stamped) {
    key(out, "{", "values");
    addresses(out, &stamped.values);
    plain(out, ",", "at", stamped.at);
    out.push('}');
}

fn hold(out: &mut String, hold: &Hold) {
    key(out, "{", "class");
    quoted(out, hold.class.word());
    key(out, ",", "code");
    quoted(out, &hold.code);
    plain(out, ",", "since", hold.since);
    number(out, "until", hold.until);
    plain(out, ",", "failures", hold.failures);
    digest(out, hold.digest);
}

fn addresses(out: &mut String, addresses: &[IpAddr]) {
    out.push('[');
    for (at, address) in addresses.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        shown(out, format_args!("{comma}\"{address}\""));
    }
    out.push(']');
}

/// Writes a digest, and the end of the object that it is the last of.
fn digest(out: &mut String, digest: u64) {
    key(out, ",", "digest");
    shown(out, format_args!("\"{digest:016x}\"}}"));
}

fn number(out: &mut String, name: &str, value: Option<i64>) {
    key(out, ",", name);
    maybe(out, value.as_ref(), |out, value| shown(out, value));
}

fn plain(out: &mut String, before: &str, name: &str, value: impl Display) {
    key(out, before, name);
    shown(out, value);
}

fn key(out: &mut String, before: &str, name: &str) {
    out.push_str(before);
    quoted(out, name);
    out.push(':');
}

fn maybe<T>(out: &mut String, value: Option<&T>, write: fn(&mut String, &T)) {
    match value {
        Some(value) => write(out, value),
        None => out.push_str("null"),
    }
}

fn quoted(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        shown(out, format_args!("\"{text}\""));
    } else {
        shown(out, Value::from(text));
    }
}

fn shown(out: &mut String, value: impl Display) {
    let _infallible = write!(out, "{value}");
}
