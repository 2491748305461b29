//! Values, numbers and texts.

use serde_json::{Map, Value};

use super::type_sets::Types;
use super::{Compare, Given, Lack};
use crate::schema::{Schema, short};

/// If the values are listed one by one, each is tried: `Some(None)` if all are allowed, `Some(Some(words))` names those that are not.
pub(super) fn listed(all: &Given<'_>, given: &Value, wanted: &Value) -> Option<Option<String>> {
    let values = all.iter().find_map(|one| match (one.get("const"), one.get("enum")) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    })?;
    let (given, wanted) = (Schema::compile(given).ok()?, Schema::compile(wanted).ok()?);
    let more: Vec<String> =
        values.iter().filter(|value| given.accepts(value) && !wanted.accepts(value)).map(|value| short(&value.to_string())).collect();
    Some((!more.is_empty()).then(|| short(&more.join(", "))))
}

impl Compare {
    /// Keywords that ask something of numbers or texts; others ask nothing.
    pub(super) fn facet(&mut self, all: &Given<'_>, types: Types, keyword: &str, value: &Value, at: &str) {
        let number = value.as_f64().unwrap_or_default();
        match keyword {
            "minimum" | "exclusiveMinimum" if types.numbers() => {
                let fits = lower(all).is_some_and(|(own, excluded)| own > number || own == number && (excluded || keyword == "minimum"));
                self.unless(fits, at, Lack::Range, || below(all));
            }
            "maximum" | "exclusiveMaximum" if types.numbers() => {
                let fits = upper(all).is_some_and(|(own, excluded)| own < number || own == number && (excluded || keyword == "maximum"));
                self.unless(fits, at, Lack::Range, || above(all));
            }
            "multipleOf" if types.numbers() => {
                let fits = all.iter().filter_map(|one| one.get("multipleOf")).any(|own| is_multiple(own, value))
                    || value.as_f64() == Some(1.0) && !types.broken;
                self.unless(fits, at, Lack::Range, || format!("numbers that are no multiples of {value}"));
            }
            "minLength" if types.string => {
                self.unless(most(all, "minLength") >= number, at, Lack::Size, || "shorter texts".to_owned());
            }
            "maxLength" if types.string => {
                self.unless(least(all, "maxLength") <= number, at, Lack::Size, || "longer texts".to_owned());
            }
            "pattern" if types.string => {
                let fits = all.iter().any(|one| one.get("pattern") == Some(value));
                self.unless(fits, at, Lack::Pattern, || format!("texts that do not match {}", short(&value.to_string())));
            }
            "format" | "contentEncoding" | "contentMediaType" if types.string => {
                let fits = all.iter().any(|one| one.get(keyword) == Some(value));
                self.unless(fits, at, Lack::Format, || format!("texts that are no {}", short(value.as_str().unwrap_or_default())));
            }
            _ => {}
        }
    }

    pub(super) fn unless(&mut self, fits: bool, at: &str, lack: Lack, detail: impl FnOnce() -> String) {
        if !fits {
            self.lack(at, lack, detail());
        }
    }
}

fn numbers<'a>(all: &'a Given<'_>, keyword: &'a str) -> impl Iterator<Item = f64> + 'a {
    all.iter().filter_map(move |one: &&Map<String, Value>| one.get(keyword)?.as_f64())
}

/// The largest of a keyword's values; 0 if there is none.
pub(super) fn most(all: &Given<'_>, keyword: &str) -> f64 {
    numbers(all, keyword).fold(0.0, f64::max)
}

/// The smallest of a keyword's values; infinite if there is none.
pub(super) fn least(all: &Given<'_>, keyword: &str) -> f64 {
    numbers(all, keyword).fold(f64::INFINITY, f64::min)
}

/// The lower bound, and whether it is excluded itself.
fn lower(all: &Given<'_>) -> Option<(f64, bool)> {
    let bounds = numbers(all, "minimum").map(|bound| (bound, false)).chain(numbers(all, "exclusiveMinimum").map(|bound| (bound, true)));
    bounds.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
}

/// The upper bound likewise.
fn upper(all: &Given<'_>) -> Option<(f64, bool)> {
    let bounds = numbers(all, "maximum").map(|bound| (bound, false)).chain(numbers(all, "exclusiveMaximum").map(|bound| (bound, true)));
    bounds.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
}

fn below(all: &Given<'_>) -> String {
    lower(all).map_or_else(|| "numbers without a lower bound".to_owned(), |(bound, _)| format!("smaller numbers, from {bound}"))
}

fn above(all: &Given<'_>) -> String {
    upper(all).map_or_else(|| "numbers without an upper bound".to_owned(), |(bound, _)| format!("larger numbers, up to {bound}"))
}

/// Whether every multiple of `own` is one of `wanted`.
fn is_multiple(own: &Value, wanted: &Value) -> bool {
    own == wanted || matches!((own.as_i64(), wanted.as_i64()), (Some(own), Some(wanted)) if wanted != 0 && own % wanted == 0)
}
