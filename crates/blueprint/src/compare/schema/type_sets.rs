//! Sets of JSON types.

use serde_json::{Map, Value};

/// A set of types. Numbers are told apart: whole ones and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "it is a set")]
pub(super) struct Types {
    pub(super) null: bool,
    pub(super) boolean: bool,
    pub(super) object: bool,
    pub(super) array: bool,
    pub(super) string: bool,
    pub(super) whole: bool,
    pub(super) broken: bool,
}

impl Types {
    const NONE: Self = Self { null: false, boolean: false, object: false, array: false, string: false, whole: false, broken: false };
    pub(super) const ALL: Self = Self { null: true, boolean: true, object: true, array: true, string: true, whole: true, broken: true };

    /// What a `type` keyword says.
    pub(super) fn of(keyword: &Value) -> Self {
        let names = keyword.as_array().map_or_else(|| std::slice::from_ref(keyword), Vec::as_slice);
        names.iter().filter_map(Value::as_str).fold(Self::NONE, |mut set, name| {
            match name {
                "null" => set.null = true,
                "boolean" => set.boolean = true,
                "object" => set.object = true,
                "array" => set.array = true,
                "string" => set.string = true,
                "integer" => set.whole = true,
                "number" => (set.whole, set.broken) = (true, true),
                _ => {}
            }
            set
        })
    }

    /// The types of what satisfies all of these.
    pub(super) fn of_all(all: &[&Map<String, Value>]) -> Self {
        all.iter().filter_map(|one| one.get("type")).fold(Self::ALL, |set, keyword| set.both(Self::of(keyword)))
    }

    /// The types of what a schema allows, as far as its `type` says.
    pub(super) fn of_schema(schema: &Value) -> Self {
        schema.get("type").map_or(Self::ALL, Self::of)
    }

    fn zip(self, other: Self, both: fn(bool, bool) -> bool) -> Self {
        Self {
            null: both(self.null, other.null),
            boolean: both(self.boolean, other.boolean),
            object: both(self.object, other.object),
            array: both(self.array, other.array),
            string: both(self.string, other.string),
            whole: both(self.whole, other.whole),
            broken: both(self.broken, other.broken),
        }
    }

    pub(super) fn both(self, other: Self) -> Self {
        self.zip(other, |a, b| a && b)
    }

    /// Those that `other` has not.
    pub(super) fn beyond(self, other: Self) -> Self {
        self.zip(other, |a, b| a && !b)
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(super) fn numbers(self) -> bool {
        self.whole || self.broken
    }

    /// `null or a string`.
    pub(super) fn words(self) -> String {
        if self == Self::ALL {
            return "any type".to_owned();
        }
        let number = match (self.whole, self.broken) {
            (true, true) => Some("a number"),
            (true, false) => Some("an integer"),
            (false, true) => Some("a number that is no integer"),
            (false, false) => None,
        };
        let names = [
            self.null.then_some("null"),
            self.boolean.then_some("true or false"),
            self.object.then_some("an object"),
            self.array.then_some("a list"),
            self.string.then_some("a string"),
            number,
        ];
        names.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
