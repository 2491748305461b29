//! The schemas of bodies.

use serde_json::{Map, Value, json};

use super::{TypeSchema, shape_of};
use crate::endpoint::Shape;

/// A media type and what a body of it looks like.
pub(super) fn content(shape: &Shape, schemas: &mut Map<String, Value>) -> (&'static str, Value) {
    match shape {
        // What streams has no schema: tools would hold the events against that of a text.
        Shape::Media(media) if *media == "text/event-stream" => (media, json!({})),
        Shape::Media(media) => (media, json!({"type": "string"})),
        Shape::Given(value) => ("application/json", value.clone()),
        Shape::Typed(typed) => ("application/json", named(typed(), schemas)),
        Shape::PageOf(typed) => {
            let row = named(typed(), schemas);
            let pagination = named(shape_of::<kernel::Pagination>(), schemas);
            let page = json!({
                "type": "object",
                "required": ["data", "pagination"],
                "properties": {"data": {"type": "array", "items": row}, "pagination": pagination},
            });
            ("application/json", page)
        }
    }
}

/// A reference to the type's schema, which joins the components; lists, plain values and references stand where they are.
fn named(typed: TypeSchema, schemas: &mut Map<String, Value>) -> Value {
    for (name, schema) in typed.components {
        join(name, schema, schemas);
    }
    let object =
        typed.schema.get("properties").is_some() || ["oneOf", "allOf", "anyOf", "enum"].iter().any(|key| typed.schema.get(key).is_some());
    if !object {
        return typed.schema;
    }
    let reference = json!({"$ref": format!("#/components/schemas/{}", typed.name)});
    join(typed.name, typed.schema, schemas);
    reference
}

/// Two types of one name would be documented as one of them: a fault of the program, which tests find (`#[schema(as = …)]` renames).
fn join(name: String, schema: Value, schemas: &mut Map<String, Value>) {
    match schemas.get(&name) {
        Some(known) => debug_assert_eq!(*known, schema, "two types have one name in the document"),
        None => {
            schemas.insert(name, schema);
        }
    }
}
