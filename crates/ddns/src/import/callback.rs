//! Requests that other clients let people write, as accounts of the provider `template`.

use serde_json::{Map, Value};

use super::{Fate, draft::Draft};

/// How a client writes its places, and what they are called here.
pub(super) type Places = &'static [(&'static str, &'static str)];

/// A request of one's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callback<'a> {
    pub(super) url: &'a str,
    /// What is posted; nothing is fetched by a GET.
    pub(super) body: Option<&'a str>,
    pub(super) places: Places,
}

impl Callback<'_> {
    /// Returns the parameters of a template.
    pub(super) fn parameters(&self, place: &str, draft: &mut Draft) -> Map<String, Value> {
        let mut given = Map::new();
        given.insert("url".to_owned(), Value::from(self.filled(self.url)));
        if let Some(body) = self.body {
            given.insert("body".to_owned(), Value::from(self.filled(body)));
        }
        let words = "it is a request of your own: what is secret in it belongs into `secrets`, as \
                     `{{secret:NAME}}`, and `ok` says how an answer of success looks";
        draft.note(place, Fate::Changed, words);
        given
    }

    fn filled(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }
}
