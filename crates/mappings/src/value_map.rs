//! Our values and the vendor's for them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::bounds::MAX_VALUES;
use crate::input::Unmapped;

/// A table of values.
#[derive(Debug)]
pub(crate) struct ValueMap {
    there: HashMap<String, Value>,
    back: HashMap<String, String>,
    unmapped: Unmapped,
}

impl ValueMap {
    /// `needs_back`: values come back as well, and the table must say for each which one is meant.
    ///
    /// Errors: what is wrong, for people.
    pub(crate) fn new(table: &Map<String, Value>, unmapped: Unmapped, needs_back: bool) -> Result<Self, String> {
        if table.is_empty() || table.len() > MAX_VALUES {
            return Err(format!("a value map has 1 to {MAX_VALUES} entries"));
        }
        let (mut there, mut back) = (HashMap::new(), HashMap::new());
        let mut seen = HashSet::new();
        for (ours, theirs) in table {
            if theirs.is_object() || theirs.is_array() {
                return Err(format!("the value of {ours:?} is a text, a number, true, false or null"));
            }
            let theirs_text = text(theirs);
            if !seen.insert(theirs_text.clone()) && needs_back {
                return Err(format!(
                    "two of our values mean {theirs_text:?}, so that nobody can tell which is meant when it comes back; say valueMapOneWay: \
                     true to take the first"
                ));
            }
            back.entry(theirs_text).or_insert_with(|| ours.clone());
            there.insert(ours.clone(), theirs.clone());
        }
        Ok(Self { there, back, unmapped })
    }

    /// The vendor's value.
    pub(crate) fn there(&self, value: Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(value);
        }
        match self.there.get(&text(&value)) {
            Some(found) => Ok(found.clone()),
            None => self.otherwise(value),
        }
    }

    /// Ours.
    pub(crate) fn back(&self, value: Value) -> Result<Value, String> {
        match self.back.get(&text(&value)) {
            Some(found) => Ok(Value::String(found.clone())),
            None if value.is_null() => Ok(value),
            None => self.otherwise(value),
        }
    }

    fn otherwise(&self, value: Value) -> Result<Value, String> {
        match self.unmapped {
            Unmapped::Refuse => Err("a value that the value map has was expected".to_owned()),
            Unmapped::Keep => Ok(value),
            Unmapped::Empty => Ok(Value::Null),
        }
    }
}

/// A value by which the table is asked: `true`, `"true"` and `3`, `"3"` are the same, since vendors write them either way.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
