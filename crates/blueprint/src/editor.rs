//! The JSON Schema of the file format, for editors: completion, and marks under what is wrong, while a file is written. What it cannot tell
//! (whether a name is declared) is the checker's business.

use kernel::Permission;
use serde_json::Value;

use crate::model::MANAGED;
use crate::{LANGUAGES, WORDS};

/// Written by hand; texts that begin with `@` stand for lists that the program knows.
const BASE: &str = include_str!("editor/base.schema.json");

/// The schema (draft-07, which every editor reads). A file names it in its first line: `#:schema ../docs/blueprint.schema.json`.
pub fn editor_schema() -> Value {
    let mut schema: Value = serde_json::from_str(BASE).expect("the schema is part of the program, and a test reads it");
    fill(&mut schema);
    schema
}

fn names(mark: &str) -> Option<Vec<&'static str>> {
    match mark {
        "@permissions" => Some(Permission::ALL.iter().map(|permission| permission.name()).collect()),
        "@managed" => Some(MANAGED.iter().map(|managed| managed.id).collect()),
        "@languages" => Some(LANGUAGES.to_vec()),
        "@words" => Some(WORDS.to_vec()),
        _ => None,
    }
}

/// The schema is ours, and not deep.
fn fill(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(members) => {
            let marked = members.keys().find(|name| name.starts_with('@')).cloned();
            if let Some((mark, like)) = marked.and_then(|mark| Some((names(&mark)?, members.shift_remove(&mark)?))) {
                members.extend(mark.into_iter().map(|name| (name.to_owned(), like.clone())));
            }
            for member in members.values_mut() {
                match member.as_str().and_then(names) {
                    Some(list) => *member = list.into(),
                    None => fill(member),
                }
            }
        }
        _ => {}
    }
}
