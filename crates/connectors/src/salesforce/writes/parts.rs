//! A batch, parted by what is done.

use std::collections::HashSet;

use serde_json::Value;

use crate::salesforce::{ids, names};
use crate::{Fault, Outcome, Write, WriteAct};

/// What is done with the items of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::salesforce) enum Act {
    /// Made.
    Insert,
    /// Made by this unique field.
    Upsert(String),
    /// Changed.
    Update,
    /// Deleted.
    Delete,
}

/// Items with which the same is done, none of them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::salesforce) struct Part {
    /// What is done.
    pub(in crate::salesforce) act: Act,
    /// Places in the batch, rising.
    pub(in crate::salesforce) items: Vec<usize>,
}

/// The parts of those writes that have no outcome yet, in an order in which writes of one record keep theirs.
pub(super) fn parts(writes: &[Write], outcomes: &[Option<Outcome>]) -> Vec<Part> {
    let mut open: Vec<usize> = (0..writes.len()).filter(|item| outcomes[*item].is_none()).collect();
    let mut parts = Vec::new();
    while !open.is_empty() {
        // What comes again in this round waits for the next one.
        let mut seen = HashSet::new();
        let (now, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|item| key(&writes[*item]).is_none_or(|key| seen.insert(key)));
        let mut round: Vec<Part> = Vec::new();
        for item in now {
            let act = act(&writes[item]);
            match round.iter_mut().find(|part| part.act == act) {
                Some(part) => part.items.push(item),
                None => round.push(Part { act, items: vec![item] }),
            }
        }
        parts.append(&mut round);
        open = later;
    }
    parts
}

fn act(write: &Write) -> Act {
    match &write.act {
        WriteAct::Create { unique: None } => Act::Insert,
        WriteAct::Create { unique: Some((field, _)) } => Act::Upsert(field.clone()),
        WriteAct::Update { .. } => Act::Update,
        WriteAct::Delete { .. } => Act::Delete,
    }
}

/// By what a record is the same as another of the batch.
fn key(write: &Write) -> Option<String> {
    match &write.act {
        WriteAct::Create { .. } => unique(write),
        WriteAct::Update { id } | WriteAct::Delete { id } => Some(ids::full(id).unwrap_or_else(|| id.clone())),
    }
}

/// The value of the unique field, as it is compared: in lower case.
pub(in crate::salesforce) fn unique(write: &Write) -> Option<String> {
    match &write.act {
        WriteAct::Create { unique: Some((_, value)) } => comparable(value),
        _ => None,
    }
}

/// A unique value as it is compared. `None`: it is none.
pub(in crate::salesforce) fn comparable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_lowercase()),
        // 5 and 5.0 are one number.
        Value::Number(number) => {
            Some(number.as_f64().filter(|number| number.fract() == 0.0).map_or_else(|| number.to_string(), |number| format!("{number:.0}")))
        }
        _ => None,
    }
}

/// Why a write cannot be sent; it would spoil the others of its collection.
pub(super) fn unusable(write: &Write) -> Option<Fault> {
    if let Some(fault) = write.fields.keys().find_map(|name| names::written(name).err()) {
        return Some(fault);
    }
    match &write.act {
        WriteAct::Create { unique: Some((field, value)) } => {
            if let Err(fault) = names::written(field) {
                return Some(fault);
            }
            comparable(value).is_none().then(|| Fault::Refused {
                code: "MISSING_ARGUMENT".to_owned(),
                message: format!("`{field}` is the unique field and has no value that could be found again"),
                field: Some(field.clone()),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn write(act: WriteAct) -> Write {
        Write { act, fields: Map::new() }
    }

    #[test]
    fn a_record_is_in_a_part_once_and_its_writes_keep_their_order() {
        let (id, short) = (ids::full("00Q5g0000000001").unwrap(), "00Q5g0000000001".to_owned());
        let by = |value: &str| write(WriteAct::Create { unique: Some(("External_Id__c".into(), json!(value))) });
        let writes = [
            write(WriteAct::Update { id: id.clone() }),
            write(WriteAct::Create { unique: None }),
            by("a"),
            write(WriteAct::Delete { id: short }),
            by("A"),
            write(WriteAct::Create { unique: None }),
            write(WriteAct::Update { id }),
        ];
        let upsert = Act::Upsert("External_Id__c".into());
        let expected = [
            Part { act: Act::Update, items: vec![0] },
            Part { act: Act::Insert, items: vec![1, 5] },
            Part { act: upsert.clone(), items: vec![2] },
            Part { act: Act::Delete, items: vec![3] },
            Part { act: upsert, items: vec![4] },
            Part { act: Act::Update, items: vec![6] },
        ];
        assert_eq!(parts(&writes, &vec![None; writes.len()]), expected);
    }

    #[test]
    fn unique_values_are_compared_as_salesforce_does() {
        assert_eq!([json!(" A@b.C "), json!(5), json!(5.0)].map(|value| comparable(&value).unwrap()), ["a@b.c", "5", "5"]);
        assert_eq!([json!(""), json!(null), json!(true)].map(|value| comparable(&value)), [None, None, None]);
    }
}
