//! Collecting faults.

use std::collections::HashSet;

use blueprint::{Fault, nearest, typed};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest text of a member.
const MAX_LINE: usize = 2000;

/// What was found so far.
#[derive(Default)]
pub(super) struct Report {
    pub(super) faults: Vec<Fault>,
}

impl Report {
    pub(super) fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::new(place, message));
    }

    /// A fault unless it holds; whether it does.
    pub(super) fn expect(&mut self, holds: bool, place: impl Into<String>, message: impl Into<String>) -> bool {
        if !holds {
            self.add(place, message);
        }
        holds
    }

    /// A name that is none of these.
    pub(super) fn unknown(&mut self, place: &str, what: &str, known: &[&str]) {
        let name = place.rsplit(['.', '[']).next().unwrap_or(place);
        let suggestion = nearest(name, known.iter().copied()).map(str::to_owned);
        let message = if suggestion.is_some() { what.to_owned() } else { format!("{what}; there is {}", known.join(", ")) };
        self.faults.push(Fault { suggestion, ..Fault::new(place, message) });
    }

    /// A value as a type. `more` are members that stand beside it in the file and were taken out, for suggestions.
    pub(super) fn typed<T: DeserializeOwned>(&mut self, place: &str, value: Value, more: &[&str]) -> Option<T> {
        let mut fault = match typed(place, value) {
            Ok(value) => return Some(value),
            Err(fault) => fault,
        };
        let named = fault.message.split('"').nth(1).map(str::to_owned);
        if fault.suggestion.is_none()
            && let Some(name) = named
        {
            fault.suggestion = nearest(&name, more.iter().copied()).map(str::to_owned);
            // The list of what there is helps only who was not understood.
            if let (Some(_), Some((short, _))) = (&fault.suggestion, fault.message.split_once(" here: ")) {
                fault.message = format!("{short} here");
            }
        }
        self.faults.push(fault);
        None
    }

    /// The items of a list of tables.
    pub(super) fn items(&mut self, place: &str, value: Option<Value>, most: usize) -> Vec<(String, Value)> {
        match value {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                self.expect(items.len() <= most, place, format!("has more than {most} items"));
                items.into_iter().take(most).enumerate().map(|(i, item)| (format!("{place}[{i}]"), item)).collect()
            }
            Some(_) => {
                self.add(place, format!("is a list; write [[{place}]] above each of its items"));
                Vec::new()
            }
        }
    }

    /// The items of a list of tables, as a type.
    pub(super) fn list<T: DeserializeOwned>(&mut self, place: &str, value: Option<Value>, most: usize) -> Vec<(String, T)> {
        let items = self.items(place, value, most);
        items.into_iter().filter_map(|(place, item)| self.typed(&place, item, &[]).map(|item| (place, item))).collect()
    }

    /// A JSON pointer (RFC 6901).
    pub(super) fn pointer(&mut self, place: &str, text: &str) {
        let fits = (text.is_empty() || text.starts_with('/')) && text.len() <= MAX_LINE;
        if !fits {
            let suggestion = Some(format!("/{}", text.trim_start_matches("$.").replace('.', "/")));
            let message = "is the place of a member in an answer, written with slashes: /data/items; the empty text is the whole answer";
            self.faults.push(Fault { suggestion, ..Fault::new(place, message) });
        }
    }

    /// A pointer, if there is one.
    pub(super) fn pointer_if(&mut self, place: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.pointer(place, text);
        }
    }

    /// That no name comes twice.
    pub(super) fn distinct<'a>(&mut self, what: &str, names: impl Iterator<Item = (String, &'a str)>) {
        let mut seen = HashSet::new();
        for (place, name) in names {
            if !seen.insert(name) {
                self.add(place, format!("there are two {what} of the name {name:?}"));
            }
        }
    }

    /// A text of one line.
    pub(super) fn line(&mut self, place: &str, text: &str, min: usize, max: usize) {
        if let Err(error) = kernel::text::line("", text, min, max) {
            let why = error.fields().first().map_or_else(|| error.detail().to_owned(), |field| field.detail.clone());
            self.add(place, why);
        }
    }
}
