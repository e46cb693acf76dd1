//! What a key takes.

use std::{ops::RangeInclusive, time::Duration};

use super::Part;

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text.
    Text(Form),
    /// A text; a whole number, true and false are taken as theirs.
    Scalar,
    /// A duration as text, between two.
    Duration(Duration, Duration),
    /// A size as text.
    Size,
    /// A whole number, between two.
    Integer(u32, u32),
    /// True or false.
    Boolean,
    /// True: false would say nothing.
    True,
    /// One of several words.
    Words(&'static [&'static str]),
    /// A list.
    List(&'static Self),
    /// A table whose keys are names of the user's own.
    Map(&'static Self),
    /// A table of keys that stand in the catalogue.
    Table(&'static Part),
    /// A table of such tables, by names of the user's own.
    Named(&'static Part),
    /// One of several.
    Either(&'static [Self]),
    /// A table whose keys are known to somebody else.
    Open,
}

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    Plain,
    /// Something that has no other letters than these, as a regular expression.
    Like(&'static str),
    /// A regular expression.
    Regex,
    /// A file or a folder.
    Path,
    /// A command, split as a shell splits words.
    Line,
}

/// The longest duration that a service may be given.
pub(in crate::config) const LONGEST: Duration = Duration::from_hours(366 * 24);

/// A duration that may be nothing.
pub(super) const DURATION: Shape = Shape::Duration(Duration::ZERO, LONGEST);

/// A text of any letters.
pub(super) const TEXT: Shape = Shape::Text(Form::Plain);

/// A list of texts.
pub(super) const TEXTS: Shape = Shape::List(&TEXT);

/// A program and its arguments.
pub(super) const COMMAND: Shape = Shape::Either(&[TEXTS, Shape::Text(Form::Line)]);

/// Returns a duration that is not too short.
pub(super) const fn at_least(least: Duration) -> Shape {
    Shape::Duration(least, LONGEST)
}

impl Shape {
    /// Returns what it may be, each by itself.
    pub fn alternatives(&'static self) -> &'static [Self] {
        if let Self::Either(all) = self { all } else { std::slice::from_ref(self) }
    }

    /// Returns the parts that it leads to.
    pub fn parts(&'static self) -> Vec<&'static Part> {
        match self {
            Self::Table(part) | Self::Named(part) => vec![part],
            Self::List(inner) | Self::Map(inner) => inner.parts(),
            Self::Either(all) => all.iter().flat_map(Self::parts).collect(),
            Self::Text(_)
            | Self::Scalar
            | Self::Duration(..)
            | Self::Size
            | Self::Integer(..)
            | Self::Boolean
            | Self::True
            | Self::Words(_)
            | Self::Open => Vec::new(),
        }
    }

    /// Returns the bounds of a whole number.
    pub(in crate::config) fn integers(&'static self) -> Option<RangeInclusive<u32>> {
        self.alternatives().iter().find_map(|shape| {
            if let Self::Integer(least, most) = shape { Some(*least..=*most) } else { None }
        })
    }

    /// Returns the bounds of a duration.
    pub(in crate::config) fn durations(&'static self) -> Option<RangeInclusive<Duration>> {
        self.alternatives().iter().find_map(|shape| {
            if let Self::Duration(least, most) = shape { Some(*least..=*most) } else { None }
        })
    }

    /// Returns the words that may be written.
    pub(in crate::config) fn words(&'static self) -> Option<&'static [&'static str]> {
        self.alternatives()
            .iter()
            .find_map(|shape| if let Self::Words(words) = shape { Some(*words) } else { None })
    }
}
