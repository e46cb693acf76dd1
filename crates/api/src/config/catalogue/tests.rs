//! The catalogue and the parser know the same keys, bounds, words and defaults.

use std::{collections::BTreeSet, time::Duration};

use mainstay_core::ServiceName;

use super::{
    Effect, Key, Part, Shape, Usual, asked, parts,
    samples::{example, with, without},
};
use crate::config::{Config, ServiceConfig, SourceText, parse};

/// Returns all keys with their parts.
fn keys() -> Vec<(&'static Part, &'static Key)> {
    parts().into_iter().flat_map(|part| part.keys.iter().map(move |key| (part, key))).collect()
}

/// Returns what a text means, or its mistakes in one line.
fn read(text: &str) -> Result<Config, String> {
    let parsed = parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]);
    parsed.map_err(|found| {
        let told: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        format!("{}\n{text}", told.join("; "))
    })
}

#[test]
fn the_parser_asks_for_every_key_and_for_no_other() {
    for (part, key) in keys() {
        for text in [example(part, key), without(part, key.name)] {
            drop(read(&text));
        }
    }
    let known: BTreeSet<_> = keys().iter().map(|(part, key)| (part.path, key.name)).collect();
    assert_eq!(asked::all(), known);
}

#[test]
fn every_example_is_good_and_means_something() {
    for (part, key) in keys() {
        let config = read(&example(part, key)).unwrap();
        let says_nothing = key.usual == Usual::Value(key.example);
        let plain = read(&without(part, key.name)).ok();
        assert_eq!(plain == Some(config), says_nothing, "{}.{}", part.path, key.name);
    }
}

#[test]
fn every_default_is_what_the_parser_takes_without_the_key() {
    for (part, key) in keys() {
        if let Usual::Value(value) = key.usual {
            let said = read(&with(part, key.name, value)).unwrap();
            assert_eq!(read(&without(part, key.name)), Ok(said), "{}.{}", part.path, key.name);
        }
    }
}

#[test]
fn every_key_takes_effect_as_the_catalogue_says() {
    let web = |text: String| -> Option<ServiceConfig> {
        read(&text).ok()?.services.remove(&ServiceName::new("web").unwrap())
    };
    for (part, key) in keys() {
        let (before, after) = (web(without(part, key.name)), web(example(part, key)));
        let (Some(before), Some(after), false) = (before, after, key.effect == Effect::OfKeys)
        else {
            continue;
        };
        let seen = if before.spec_hash() != after.spec_hash() {
            Effect::Restart
        } else if before.given_hash() != after.given_hash() {
            Effect::NextRun
        } else {
            Effect::Live
        };
        // Nothing can be seen of what says the same as nothing.
        if key.usual != Usual::Value(key.example) {
            assert_eq!(seen, key.effect, "{}.{}", part.path, key.name);
        }
    }
}

#[test]
fn numbers_and_durations_have_the_bounds_of_the_catalogue() {
    for (part, key) in keys() {
        let check = |value: String, is_good: bool| {
            let read = read(&with(part, key.name, &value));
            // Other rules than bounds may be against a value, but none is for one.
            let bound = |text: &str| {
                ["must be between", "is shorter", "is longer", "more than"]
                    .iter()
                    .any(|words| text.contains(words))
            };
            assert_eq!(!read.as_ref().is_err_and(|text| bound(text)), is_good, "{value} {read:?}");
        };
        if let Some(range) = key.shape.integers().filter(|_| key.name != "status") {
            check(range.start().to_string(), true);
            check(range.end().to_string(), true);
            check((i64::from(*range.start()) - 1).to_string(), false);
            check((i64::from(*range.end()) + 1).to_string(), false);
        }
        if let Some(range) = key.shape.durations() {
            let text = |time: Duration| format!("'{}ms'", time.as_secs_f64() * 1000.0);
            check(text(*range.start()), true);
            check(text(*range.end()), true);
            check(text(*range.end() + Duration::from_secs(1)), false);
            if !range.start().is_zero() {
                check(text(*range.start() / 2), false);
            }
        }
    }
}

#[test]
fn every_word_is_good_and_any_other_is_not() {
    for (part, key) in keys() {
        let Some(words) = key.shape.words() else { continue };
        for word in words {
            let read = read(&with(part, key.name, &format!("'{word}'")));
            assert!(!read.is_err_and(|text| text.contains("cannot be")), "{word}");
        }
        let wrong = read(&with(part, key.name, "'wrong word'")).unwrap_err();
        assert!(wrong.contains(key.name), "{wrong}");
    }
}

#[test]
fn every_key_is_told_in_sentences_of_both_languages() {
    let mut seen = BTreeSet::new();
    for (part, key) in keys() {
        let place = format!("{}.{}", part.path, key.name);
        assert!(seen.insert(place.clone()), "{place}");
        assert!(key.about.en.ends_with('.') && key.about.en.is_ascii(), "{place}");
        assert!(key.about.zh.ends_with('。'), "{place}");
        assert!(!key.example.is_empty(), "{place}");
        if let Shape::Words(words) = key.shape {
            assert!(words.len() > 1 || place.ends_with("compress"), "{place}");
        }
    }
    for part in parts() {
        assert!(part.about.en.ends_with('.') && part.about.zh.ends_with('。'), "{}", part.path);
        let names = part.needs.iter().chain(part.one_of);
        assert!(names.copied().all(|name| part.key(name).is_some()), "{}", part.path);
    }
}
