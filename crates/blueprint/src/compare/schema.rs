//! Whether what one schema allows is allowed by another.
//!
//! The answer is on the safe side: where it cannot be proved that it is, it is not. What is compared is the instances, not the text:
//! references are followed, notes are left out (`normal`).

use std::collections::HashMap;

use serde_json::{Map, Value};

mod arrays;
mod facets;
mod normal;
mod objects;
mod type_sets;

use normal::normal;
use type_sets::Types;

/// Most steps of one comparison: alternatives within alternatives multiply.
const MAX_STEPS: usize = 50_000;
/// Most gaps that one comparison reports.
const MAX_GAPS: usize = 50;

/// In what way a value may be allowed here and not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lack {
    /// A property is not declared any more.
    Removed,
    /// A property is not always there.
    Optional,
    /// Another type.
    Type,
    /// Other values than the listed ones.
    Values,
    /// A number out of the range, or between the steps.
    Range,
    /// Too long, too short, too many, too few.
    Size,
    Pattern,
    Format,
    /// A property that is not declared.
    Undeclared,
    /// None of the alternatives.
    Forms,
    /// It cannot be told.
    Unknown,
}

/// One reason why not everything is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Where in the value: `/lines/*/sku`.
    pub(super) place: String,
    pub(super) lack: Lack,
    /// What is meant, for people; completes "…".
    pub(super) detail: String,
}

/// Why a value that `given` allows may be one that `wanted` does not: empty if there is none.
///
/// `open`: `wanted` is what a reader relies on, who ignores members that it does not know, and who reads every property that was declared:
/// one that is gone is a gap even where it was optional.
pub(super) fn gaps(given: &Value, wanted: &Value, open: bool) -> Vec<Gap> {
    let (given, wanted) = (normal(given, false), normal(wanted, open));
    let mut compare = Compare { open, steps: 0, gaps: Vec::new(), patterns: HashMap::new() };
    compare.contained(&given, &wanted, "");
    compare.gaps.dedup();
    compare.gaps
}

struct Compare {
    open: bool,
    steps: usize,
    gaps: Vec<Gap>,
    /// Which name matches which pattern of names.
    patterns: HashMap<(String, String), bool>,
}

/// The schemas that all hold at once: a schema without its `allOf`, and each of those.
type Given<'a> = Vec<&'a Map<String, Value>>;

impl Compare {
    fn lack(&mut self, place: &str, lack: Lack, detail: impl Into<String>) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(Gap { place: place.to_owned(), lack, detail: detail.into() });
        }
    }

    /// Whether it holds, without a report.
    fn holds(&mut self, given: &Value, wanted: &Value) -> bool {
        let before = std::mem::take(&mut self.gaps);
        self.contained(given, wanted, "");
        let found = std::mem::replace(&mut self.gaps, before);
        found.is_empty()
    }

    /// Reports what `given` allows and `wanted` does not.
    fn contained(&mut self, given: &Value, wanted: &Value, at: &str) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return self.lack(at, Lack::Unknown, "the schemas have too many alternatives to be compared");
        }
        if given == wanted || *wanted == Value::Bool(true) {
            return;
        }
        let Some(all) = conjuncts(given) else { return };
        let Some(wanted_members) = wanted.as_object() else {
            return self.lack(at, Lack::Undeclared, "nothing is allowed here");
        };
        if let Some(decided) = facets::listed(&all, given, wanted) {
            if let Some(values) = decided {
                self.lack(at, Lack::Values, values);
            }
            return;
        }
        let before = self.gaps.len();
        self.keywords(given, &all, wanted_members, at);
        if self.gaps.len() > before
            && let Some(branches) = alternatives(&all)
        {
            // Each alternative alone may fit where all together do not.
            self.gaps.truncate(before);
            for branch in branches {
                self.contained(&branch, wanted, at);
            }
        }
    }

    /// Holds `given` against each keyword of `wanted`.
    fn keywords(&mut self, given: &Value, all: &Given<'_>, wanted: &Map<String, Value>, at: &str) {
        let types = Types::of_all(all);
        for (keyword, value) in wanted {
            match keyword.as_str() {
                "type" => {
                    let more = types.beyond(Types::of(value));
                    if !more.is_empty() {
                        self.lack(at, Lack::Type, more.words());
                    }
                }
                "allOf" => value.as_array().into_iter().flatten().for_each(|branch| self.contained(given, branch, at)),
                "anyOf" => {
                    let branches = value.as_array().map(Vec::as_slice).unwrap_or_default();
                    if !branches.iter().any(|branch| self.holds(given, branch)) {
                        self.lack(at, Lack::Forms, "none of the alternatives");
                    }
                }
                "enum" | "const" => self.lack(at, Lack::Values, beside(types, value)),
                "properties"
                | "patternProperties"
                | "additionalProperties"
                | "required"
                | "minProperties"
                | "maxProperties"
                | "propertyNames"
                | "dependentRequired"
                | "dependentSchemas"
                | "unevaluatedProperties"
                    if types.object =>
                {
                    self.object_keyword(all, keyword, value, wanted, at);
                }
                "items" | "prefixItems" | "minItems" | "maxItems" | "uniqueItems" | "contains" | "minContains" | "maxContains"
                | "unevaluatedItems"
                    if types.array =>
                {
                    self.array_keyword(all, keyword, value, wanted, at);
                }
                "oneOf" | "not" => self.same(all, wanted, &[keyword], at),
                "if" => self.same(all, wanted, &["if", "then", "else"], at),
                _ => self.facet(all, types, keyword, value, at),
            }
        }
    }

    /// What cannot be reasoned about must be the same word for word.
    fn same(&mut self, all: &Given<'_>, wanted: &Map<String, Value>, keywords: &[&str], at: &str) {
        let same = all.iter().any(|one| keywords.iter().all(|keyword| one.get(*keyword) == wanted.get(*keyword)));
        if !same {
            self.lack(at, Lack::Unknown, format!("{} is not the same, and cannot be compared", keywords.join("/")));
        }
    }
}

/// `a string other than "a", "b"`: what is not listed, where no list was before.
fn beside(types: Types, listed: &Value) -> String {
    let values = listed.as_array().map_or_else(|| std::slice::from_ref(listed), Vec::as_slice);
    let names: Vec<String> = values.iter().map(Value::to_string).collect();
    let what = if types == Types::ALL { "any value".to_owned() } else { types.words() };
    format!("{what} other than {}", crate::schema::short(&names.join(", ")))
}

/// The schemas that hold at once; none if no value satisfies them.
fn conjuncts(schema: &Value) -> Option<Given<'_>> {
    let mut out = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        match schema {
            Value::Object(members) => {
                out.push(members);
                open.extend(members.get("allOf").and_then(Value::as_array).into_iter().flatten());
            }
            Value::Bool(false) => return None,
            _ => {}
        }
    }
    Some(out)
}

/// The same as alternatives, where it is made of some: by its first `anyOf`, or by its list of types.
fn alternatives(all: &Given<'_>) -> Option<Vec<Value>> {
    let rest = |skip: usize, keyword: &str| -> Vec<Value> {
        let own = |(n, one): (usize, &&Map<String, Value>)| {
            let mut one = (*one).clone();
            one.remove("allOf");
            if n == skip {
                one.remove(keyword);
            }
            Value::Object(one)
        };
        all.iter().enumerate().map(own).collect()
    };
    let (at, keyword, branches) = all.iter().enumerate().find_map(|(n, one)| match (one.get("anyOf"), one.get("type")) {
        (Some(Value::Array(branches)), _) => Some((n, "anyOf", branches.clone())),
        (_, Some(Value::Array(types))) if types.len() > 1 => {
            Some((n, "type", types.iter().map(|one| serde_json::json!({"type": one})).collect()))
        }
        _ => None,
    })?;
    let rest = rest(at, keyword);
    Some(branches.into_iter().map(|branch| every(rest.iter().cloned().chain([branch]).collect())).collect())
}

/// All of these at once.
fn every(mut schemas: Vec<Value>) -> Value {
    schemas.retain(|schema| *schema != Value::Bool(true));
    if schemas.contains(&Value::Bool(false)) {
        return Value::Bool(false);
    }
    match schemas.len() {
        0 => Value::Bool(true),
        1 => schemas.remove(0),
        _ => serde_json::json!({"allOf": schemas}),
    }
}
