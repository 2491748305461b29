//! What a new version of a blueprint breaks for those who rely on the old one.
//!
//! Direction matters. A *receiver* (of events, of records that are read) relies on what it was promised: a property that goes, or is not
//! always there any more, or may have other values than before, breaks it; a new property does not. A *caller* (who writes records) relies on
//! what it may send: a property that is newly required, or a value that is refused now, breaks it.

use crate::model::Blueprint;

mod access;
mod endpoints;
mod events;
mod jobs;
mod resources;
mod schema;
mod style;

use schema::{Gap, Lack};
use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Stable, for programs: `property_removed`.
    pub code: &'static str,
    /// Where: `events["lead.created"].data/leadId`. What follows the name of a schema is a JSON pointer into a value; `*` is any item or
    /// any other member.
    pub place: String,
    /// Whether it breaks those who rely on the old one.
    pub verdict: Verdict,
    /// What it means, for people.
    pub message: String,
}

/// Whether a difference breaks anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It breaks somebody who relies on the old version, or that cannot be excluded.
    Breaking,
    /// It breaks nobody.
    Compatible,
}

/// Who relies on a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliance {
    /// Who reads what satisfies it: a webhook's receiver. Such a reader ignores members that it does not know.
    Reader,
    /// Who writes what must satisfy it: a caller of the API.
    Writer,
}

/// Every difference that matters between two versions, those that break first.
pub fn compare(old: &Blueprint, new: &Blueprint) -> Vec<Finding> {
    let mut report = Findings::default();
    access::compare(old, new, &mut report);
    style::compare(old, new, &mut report);
    events::compare(old, new, &mut report);
    resources::compare(old, new, &mut report);
    endpoints::compare(old, new, &mut report);
    jobs::compare(old, new, &mut report);
    report.list.sort_by_key(|finding| finding.verdict == Verdict::Compatible);
    report.list
}

/// What breaks those who rely on the schema `old` when `new` takes its place; empty: nothing. Both must compile ([`crate::Schema::compile`]).
/// `place` is what each finding's place begins with.
///
/// For a [`Reliance::Reader`]: every value that `new` allows is one that `old` allows if `old` leaves undeclared members open, and has
/// every property declared that `old` declares. For a [`Reliance::Writer`]: every value that `old` allows is one that `new` allows. Where that
/// cannot be told, the finding says so (`not_comparable`).
pub fn compare_schemas(old: &Value, new: &Value, reliance: Reliance, place: &str) -> Vec<Finding> {
    let gaps = match reliance {
        Reliance::Reader => schema::gaps(new, old, true),
        Reliance::Writer => schema::gaps(old, new, false),
    };
    gaps.iter().map(|gap| finding(gap, reliance, place)).collect()
}

fn finding(gap: &Gap, reliance: Reliance, place: &str) -> Finding {
    let (code, message) = match reliance {
        Reliance::Reader => reader(gap.lack, &gap.detail),
        Reliance::Writer => writer(gap.lack, &gap.detail),
    };
    Finding { code, place: format!("{place}{}", gap.place), verdict: Verdict::Breaking, message }
}

/// What receivers were promised and do not get.
fn reader(lack: Lack, more: &str) -> (&'static str, String) {
    let now = |what: &str| format!("{what} receivers did not have to expect: {more}");
    match lack {
        Lack::Removed => ("property_removed", "was there, and is not declared any more".to_owned()),
        Lack::Optional => ("property_optional", "was always there, and need not be any more".to_owned()),
        Lack::Type => ("type_widened", now("may now be of a type that")),
        Lack::Values => ("values_widened", now("may now have values that")),
        Lack::Range => ("range_widened", now("may now have numbers that")),
        Lack::Size => ("size_widened", now("may now have a size that")),
        Lack::Pattern => ("pattern_changed", now("may now have a form that")),
        Lack::Format => ("format_changed", now("may now have a form that")),
        Lack::Undeclared => ("members_widened", now("may now be there, which")),
        Lack::Forms => ("forms_widened", now("may now have a form that")),
        Lack::Unknown => ("not_comparable", format!("it cannot be told whether this breaks receivers: {more}")),
    }
}

/// What callers could send and may not any more.
fn writer(lack: Lack, more: &str) -> (&'static str, String) {
    let now = |what: &str| format!("{what} is refused now: {more}");
    match lack {
        Lack::Removed | Lack::Undeclared => ("property_removed", "could be sent, and is refused now".to_owned()),
        Lack::Optional => ("property_required", "could be left out, and is required now".to_owned()),
        Lack::Type => ("type_narrowed", now("a type that could be sent")),
        Lack::Values => ("values_narrowed", now("a value that could be sent")),
        Lack::Range => ("range_narrowed", now("a number that could be sent")),
        Lack::Size => ("size_narrowed", now("a size that could be sent")),
        Lack::Pattern => ("pattern_changed", now("a form that could be sent")),
        Lack::Format => ("format_changed", now("a form that could be sent")),
        Lack::Forms => ("forms_narrowed", now("a form that could be sent")),
        Lack::Unknown => ("not_comparable", format!("it cannot be told whether this breaks callers: {more}")),
    }
}

/// Collects findings.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    fn breaking(&mut self, code: &'static str, place: impl Into<String>, message: impl Into<String>) {
        self.list.push(Finding { code, place: place.into(), verdict: Verdict::Breaking, message: message.into() });
    }

    fn compatible(&mut self, code: &'static str, place: impl Into<String>, message: impl Into<String>) {
        self.list.push(Finding { code, place: place.into(), verdict: Verdict::Compatible, message: message.into() });
    }

    /// What was there and is gone, and what is new.
    fn names<'a>(&mut self, what: Kind, old: impl IntoIterator<Item = &'a str>, new: impl IntoIterator<Item = &'a str>) {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.into_iter().collect(), new.into_iter().collect());
        for name in old.iter().filter(|name| !new.contains(name)) {
            self.breaking(what.removed, format!("{}[{name:?}]", what.section), format!("the {} is gone", what.word));
        }
        for name in new.iter().filter(|name| !old.contains(name)) {
            self.compatible(what.added, format!("{}[{name:?}]", what.section), format!("a new {}", what.word));
        }
    }
}

/// A section of the file, and the codes for its items.
#[derive(Clone, Copy)]
struct Kind {
    section: &'static str,
    word: &'static str,
    removed: &'static str,
    added: &'static str,
}
