//! What is said in the dialogue.

use std::path::Path;

use mainstay_ddns::{
    address::Family,
    provider::{Entry, Parameter},
};

use crate::words::{self, Language};

pub(super) fn title(entry: &Entry) -> &'static str {
    match words::language() {
        Language::English => entry.title,
        Language::Chinese => entry.title_zh,
    }
}

pub(super) fn help(parameter: &Parameter) -> &'static str {
    match words::language() {
        Language::English => parameter.help,
        Language::Chinese => parameter.help_zh,
    }
}

pub(super) const fn which_provider() -> &'static str {
    "Who has your domain? Type a part of the provider's name, or `?` for all"
}

pub(super) const fn no_such_provider() -> &'static str {
    "none is called so; `dyndns2` and `template` speak to services that are not in the list"
}

pub(super) const fn which_names() -> &'static str {
    "Which names shall follow this machine? Whole names, with commas between them"
}

pub(super) const fn looking() -> &'static str {
    "\nLooking for the address, and at the records …"
}

pub(super) const fn once_more() -> &'static str {
    "Type the credentials again?"
}

pub(super) fn only(family: Family) -> String {
    format!("Keep {family} alone, as long as nothing else is said?")
}

pub(super) fn written_to(file: &Path) -> String {
    let file = file.display();
    format!("Write this into {file}?")
}

pub(super) const fn nothing_written() -> &'static str {
    "nothing was written"
}

pub(super) fn stored(name: &str) -> String {
    format!("secret stored, sealed: {name}")
}

pub(super) fn done(service: &str, file: &Path) -> String {
    let file = file.display();
    format!("service `{service}` is in {file}")
}

pub(super) const fn taken() -> &'static str {
    "the running instance has it; `mainstay ddns status` shows how it is"
}

pub(super) const fn start_now() -> &'static str {
    "Start it here now? Ctrl-C stops it"
}

pub(super) fn later(way: &str) -> String {
    format!("to start it: {way}")
}

pub(super) const fn broken_off() -> &'static str {
    "nothing more is typed; nothing was written"
}

pub(super) fn nobody(prompt: &str, flag: &str) -> (String, String) {
    (format!("nobody is there to ask: {prompt}"), format!("say it with `{flag}`"))
}

pub(super) fn says(voter: &str, address: &str) -> String {
    format!("  {voter} says {address}")
}

pub(super) fn silent(voter: &str, why: &str) -> String {
    format!("  {voter} tells nothing: {why}")
}

pub(super) fn believed(family: Family, what: &str) -> String {
    format!("{family}: {what}")
}

pub(super) fn no_address(family: Family, why: &str) -> String {
    format!("{family}: no address that others could reach ({why})")
}

pub(super) const fn shared() -> &'static str {
    "  your provider shares one IPv4 address among many customers (CGNAT): nobody reaches you \
         by IPv4; IPv6 does"
}

pub(super) fn rests(id: &str, has: &str) -> String {
    format!("{id}: has {has} already, nothing would be written")
}

pub(super) fn changes(id: &str, has: &str, want: &str) -> String {
    format!("{id}: has {has}, {want} would be written")
}

pub(super) fn begins(id: &str, want: &str) -> String {
    format!("{id}: {want} would be written")
}

pub(super) fn waits(id: &str) -> String {
    format!("{id}: waits for an address")
}

pub(super) fn failed(id: &str, why: &str) -> String {
    format!("{id}: {why}")
}

pub(super) fn open(id: &str) -> String {
    format!("{id}: nothing was found out in time")
}
