//! Collects faults.

use std::collections::HashSet;
use std::hash::Hash;

use crate::{Fault, suggest};

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) faults: Vec<Fault>,
}

impl Report {
    /// Something is wrong at a place.
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::new(path, message));
    }

    /// Reports unless it holds.
    pub(crate) fn expect(&mut self, holds: bool, path: impl Into<String>, message: impl Into<String>) -> bool {
        if !holds {
            self.add(path, message);
        }
        holds
    }

    /// A name must be one of those declared; `what` is "scope", "resource" ….
    pub(crate) fn known<'a>(
        &mut self,
        path: impl Into<String>,
        what: &str,
        name: &str,
        declared: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let declared: Vec<&str> = declared.into_iter().collect();
        if declared.contains(&name) {
            return true;
        }
        let suggestion = suggest::nearest(name, declared).map(str::to_owned);
        self.faults.push(Fault { suggestion, ..Fault::new(path, format!("there is no {what} {name:?}")) });
        false
    }

    /// No value may occur twice; `place(i)` is the path of the value with index i.
    pub(crate) fn distinct<T: Eq + Hash>(&mut self, what: &str, values: impl IntoIterator<Item = T>, place: impl Fn(usize) -> String) {
        let mut seen = HashSet::new();
        for (i, value) in values.into_iter().enumerate() {
            if !seen.insert(value) {
                self.add(place(i), format!("this {what} is declared twice"));
            }
        }
    }

    /// A text for people of `min..=max` characters.
    pub(crate) fn prose(&mut self, path: impl Into<String>, text: &str, min: usize, max: usize) {
        let length = text.chars().count();
        self.expect((min..=max).contains(&length), path, format!("must have {min} to {max} characters, has {length}"));
    }
}

/// Whether a name consists of `first` and then up to `max - 1` of `rest`.
pub(crate) fn is_name(text: &str, max: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    text.len() <= max && text.bytes().next().is_some_and(first) && text.bytes().skip(1).all(rest)
}

/// `lower_snake-case`, first a letter, at most 64 characters.
pub(crate) fn is_word(text: &str) -> bool {
    is_name(text, 64, |b| b.is_ascii_lowercase(), |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// A member of a record: letters, digits and `_`, at most 64 characters.
pub(crate) fn is_member(text: &str) -> bool {
    is_name(text, 64, |b| b.is_ascii_alphabetic() || b == b'_', |b| b.is_ascii_alphanumeric() || b == b'_')
}
