//! Text search: a part of a searchable member, whatever the case, newest first, without reading what does not match.
//!
//! A **gram** is one, two or three neighbouring characters of a record's searched text. The index is inverted: for each gram the *places* of
//! the records that have it. Places count up in the order of creation; 32,768 of them are a block, and a gram's places in a block are one
//! row (`record_grams`), a list or a bitmap ([`places::Places`]). What is looked for is cut into grams in the same way; the places that have
//! them all are candidates, and each candidate's text is compared in the end (`LIKE`), so the index may say too much, never too little.
//!
//! A change writes its text into the **tail** (`record_tail`), one row, in its own transaction; searches read the whole tail beside the
//! index. Behind the callers' backs the tail is worked into the index some hundreds of records at a time (`drain.rs`): that makes a few rows
//! for each record instead of one for each of its characters. A gram that was added is never taken away: a changed or deleted record stays
//! a candidate of its old text, and is turned down by the comparison. Working the same tail in twice changes nothing, so nothing has to be
//! undone when a process dies in the middle.
//!
//! Grams are compared with `=`, which PostgreSQL answers from an index under row-level security, as it does not for `LIKE`
//! ([ADR 0017](../../../../docs/adr/0017-search-by-places.md)).

mod drain;
mod grams;
mod meet;
mod places;
mod tail;
mod walk;

use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::resource_type::ResourceType;

pub(crate) use drain::{Tidings, drain};
pub(crate) use tail::{purge_some, put, remember, remember_many, remove};
pub(crate) use walk::{is_common, sorted, walk};

/// Longest text to search for, in characters.
const MAX_SEARCH: usize = 200;
/// So much of a record is searched, in bytes over all its searchable members.
const SEARCHED: usize = 4000;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    /// The parameter of `LIKE … ESCAPE '!'`.
    pub(crate) pattern: String,
    /// Grams that a match has, at most eight.
    grams: Vec<String>,
}

impl Needle {
    /// None: nothing is looked for.
    ///
    /// Errors: 422 for a text that is too long or contains NUL, and for a resource type without searchable members.
    pub(crate) fn of(kind: &ResourceType, asked: &str) -> Result<Option<Self>> {
        if asked.chars().count() > MAX_SEARCH || asked.contains('\0') {
            return Err(Error::field("/search", format!("must have at most {MAX_SEARCH} characters and no NUL")));
        }
        let text = lower(asked.trim());
        if text.is_empty() {
            return Ok(None);
        }
        if kind.resource().search.is_empty() {
            return Err(Error::field("/search", "this resource type declares no searchable members"));
        }
        Ok(Some(Self { pattern: pattern(&text), grams: grams::of_needle(&text) }))
    }
}

/// What a record can be found by: the searchable members, lower-cased, one a line, so that no match spans two of them.
pub(crate) fn text_of(kind: &ResourceType, document: &Map<String, Value>) -> String {
    let texts = kind.resource().search.iter().filter_map(|name| document.get(name)?.as_str());
    let mut text = texts.map(lower).collect::<Vec<_>>().join("\n");
    let end = (0..=SEARCHED.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

/// Character by character, so that a part of a text is a part of the lowered text too.
fn lower(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { ' ' } else { c }).flat_map(char::to_lowercase).collect()
}

fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_plain_characters() {
        assert_eq!(pattern(&lower("50%_!")), "%50!%!_!!%");
        assert_eq!(pattern(&lower("ÄRGER")), "%ärger%");
        assert_eq!(lower("ΟΔΟΣ x\ny"), "οδοσ x y");
    }
}
