//! What a run says of itself for people and machines, kept for whoever asks and written on the run.

use std::{collections::BTreeMap, io};

use mainstay_api::notify::{Access, FACTS_MAX, Message, cut};
use serde::{Deserialize, Serialize};

/// A memo has room for so much of it; what is beyond the next agent does not know.
const MEMO_BYTES: usize = 3000;
/// As much of a status as a memo has room for.
const MEMO_STATUS_BYTES: usize = 512;

/// What a run has said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    /// The name of a D-Bus or Varlink error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_status: Option<u8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) facts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<StoredAccess>,
}

/// Who may say something, as it stands in a memo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredAccess {
    None,
    Main,
    All,
}

impl Said {
    /// Takes what a message says; returns whether that is news.
    pub(super) fn take(&mut self, message: &Message) -> bool {
        let before = self.clone();
        if let Some(status) = &message.status {
            self.status.clone_from(status);
        }
        self.errno = message.errno.or(self.errno);
        let error = message.bus_error.as_ref().or(message.varlink_error.as_ref());
        self.error = error.or(self.error.as_ref()).cloned();
        self.exit_status = message.exit_status.or(self.exit_status);
        for (name, value) in &message.facts {
            self.note_fact(name, value);
        }
        self.access = message.access.map(StoredAccess::from).or(self.access);
        *self != before
    }

    /// An empty value takes the fact away; one beyond all others is not kept.
    fn note_fact(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.facts.remove(name);
        } else if self.facts.len() < FACTS_MAX || self.facts.contains_key(name) {
            self.facts.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Returns who may say something, when the run has said so.
    pub(super) fn access(&self) -> Option<Access> {
        self.access.map(Access::from)
    }

    /// Returns what it said about why it failed, in words.
    pub(crate) fn error(&self) -> Option<String> {
        let errno = self.errno.filter(|errno| *errno != 0);
        let of_system = errno.map(|errno| io::Error::from_raw_os_error(errno).to_string());
        of_system.or_else(|| self.error.clone())
    }

    /// Returns what a memo has room for; nothing when nothing was said.
    pub(crate) fn for_memo(&self) -> Option<Self> {
        let mut left = MEMO_BYTES;
        let status = cut(&self.status, MEMO_STATUS_BYTES).to_owned();
        left = left.saturating_sub(length(&status));
        let mut kept = Self { status, facts: BTreeMap::new(), ..self.clone() };
        for (name, value) in &self.facts {
            let needed = length(name) + length(value) + 2;
            if let Some(rest) = left.checked_sub(needed) {
                kept.facts.insert(name.clone(), value.clone());
                left = rest;
            }
        }
        (kept != Self::default()).then_some(kept)
    }
}

/// Returns how long a text is in JSON.
fn length(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |text| text.len())
}

impl From<Access> for StoredAccess {
    fn from(access: Access) -> Self {
        match access {
            Access::None => Self::None,
            Access::Main => Self::Main,
            Access::All => Self::All,
        }
    }
}

impl From<StoredAccess> for Access {
    fn from(access: StoredAccess) -> Self {
        match access {
            StoredAccess::None => Self::None,
            StoredAccess::Main => Self::Main,
            StoredAccess::All => Self::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::keeper::MEMO_BYTES_MAX;

    use super::*;

    fn said(texts: &[&str]) -> Said {
        let mut said = Said::default();
        for text in texts {
            said.take(&Message::parse(text.as_bytes()).unwrap());
        }
        said
    }

    #[test]
    fn what_is_said_later_replaces_what_it_is_about_and_nothing_else() {
        let said = said(&[
            "STATUS=one\nERRNO=2\nX_MAINSTAY_FACT=port=80\nX_MAINSTAY_FACT=url=x",
            "STATUS=two\nX_MAINSTAY_FACT=port=81\nX_MAINSTAY_FACT=url=\nNOTIFYACCESS=main",
        ]);
        assert_eq!(said.status, "two");
        assert_eq!(said.facts, [("port".to_owned(), "81".to_owned())].into());
        assert_eq!(
            said.error().as_deref(),
            Some(io::Error::from_raw_os_error(2).to_string().as_str())
        );
        assert_eq!(said.access(), Some(Access::Main));
    }

    #[test]
    fn what_says_nothing_new_is_no_news() {
        let mut known = said(&["STATUS=one"]);
        assert!(!known.take(&Message::parse(b"STATUS=one\nREADY=1").unwrap()));
        assert!(known.take(&Message::parse(b"STATUS=").unwrap()));
        assert_eq!(known, Said::default());
        assert_eq!(known.for_memo(), None);
    }

    #[test]
    fn a_memo_has_room_for_it_whatever_was_said() {
        let mut said = said(&["ERRNO=2\nVARLINKERROR=io.x.Gone\nEXIT_STATUS=255"]);
        said.status = "\"\\".repeat(512);
        for number in 0..FACTS_MAX {
            said.facts.insert(format!("{number:064}"), "\"".repeat(1024));
        }
        said.facts.insert("a".to_owned(), "kept".to_owned());
        let kept = said.for_memo().unwrap();
        let length = serde_json::to_string(&kept).unwrap().len();
        assert!(length <= MEMO_BYTES_MAX - 512, "{length}");
        assert!(kept.facts.contains_key("a"));
        assert_eq!(kept.error, said.error);
    }

    #[test]
    fn it_comes_back_from_a_memo() {
        let before = said(&["STATUS=at work\nERRNO=5\nX_MAINSTAY_FACT=a=b\nNOTIFYACCESS=none"]);
        let text = serde_json::to_string(&before.for_memo()).unwrap();
        assert_eq!(serde_json::from_str::<Option<Said>>(&text).unwrap(), Some(before));
    }
}
