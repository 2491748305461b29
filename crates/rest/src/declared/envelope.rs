//! How a success is wrapped.

use axum::response::{IntoResponse, Response};
use blueprint::model::{Envelope, Naming};
use kernel::{Page, Pagination};
use serde_json::{Map, Value, json};
use web::{Created, Json, NoContent};

/// The blueprint's wrapping.
#[derive(Clone, Copy)]
pub(crate) struct Wrap {
    pub(crate) envelope: Envelope,
    pub(crate) naming: Naming,
}

impl Wrap {
    /// One object, as a body.
    pub(crate) fn one(self, data: Value) -> Value {
        match self.envelope {
            Envelope::Plain => data,
            Envelope::Success => json!({"success": true, "data": data}),
        }
    }

    /// An object that has its own members for what was asked.
    pub(crate) fn with_success(self, data: Value) -> Value {
        match (self.envelope, data) {
            (Envelope::Success, Value::Object(members)) => {
                Value::Object([("success".to_owned(), Value::Bool(true))].into_iter().chain(members).collect())
            }
            (_, data) => data,
        }
    }

    /// 201 with the object.
    pub(crate) fn created(self, location: String, data: Value) -> Response {
        Created { location, body: self.one(data) }.into_response()
    }

    /// Something was deleted.
    pub(crate) fn done(self) -> Response {
        match self.envelope {
            Envelope::Plain => NoContent.into_response(),
            Envelope::Success => Json(json!({"success": true})).into_response(),
        }
    }

    /// A list, as a body.
    pub(crate) fn page(self, page: Page<Value>) -> Value {
        let mut out = Map::new();
        if self.envelope == Envelope::Success {
            out.insert("success".into(), true.into());
        }
        out.insert("data".into(), Value::Array(page.data));
        out.insert("pagination".into(), self.pagination(&page.pagination));
        Value::Object(out)
    }

    fn pagination(self, pagination: &Pagination) -> Value {
        let mut out = Map::new();
        let page = pagination.page.map(|page| ("page".to_owned(), page.into()));
        let limit = ("limit".to_owned(), pagination.limit.into());
        match self.envelope {
            Envelope::Success => out.extend(page.into_iter().chain([limit])),
            Envelope::Plain => {
                let next = pagination.next_cursor.clone().map_or(Value::Null, Value::String);
                out.extend([limit, (self.next_cursor().to_owned(), next)].into_iter().chain(page));
            }
        }
        out.extend(pagination.total.map(|total| ("total".to_owned(), total.into())));
        Value::Object(out)
    }

    fn next_cursor(self) -> &'static str {
        match self.naming {
            Naming::Camel => "nextCursor",
            Naming::Snake => "next_cursor",
        }
    }

    /// The JSON Schema of [`Wrap::one`].
    pub(crate) fn one_schema(self, data: Value) -> Value {
        match self.envelope {
            Envelope::Plain => data,
            Envelope::Success => object(&[("success", json!({"const": true})), ("data", data)]),
        }
    }

    /// The JSON Schema of [`Wrap::done`]'s body, if it has one.
    pub(crate) fn done_schema(self) -> Option<Value> {
        (self.envelope == Envelope::Success).then(|| object(&[("success", json!({"const": true}))]))
    }

    /// The JSON Schema of [`Wrap::page`].
    pub(crate) fn page_schema(self, row: &Value, total: bool) -> Value {
        let data = json!({"type": "array", "items": row});
        let number = || json!({"type": "integer", "minimum": 0});
        let mut members = vec![("limit", number()), ("page", number())];
        if self.envelope == Envelope::Plain {
            members.push((self.next_cursor(), json!({"type": ["string", "null"]})));
        }
        if total {
            members.push(("total", json!({"type": "integer", "minimum": 0, "description": "All matches, on every page"})));
        }
        let mut pagination = object(&members);
        if self.envelope == Envelope::Plain {
            pagination["required"] = json!(["limit", self.next_cursor()]);
        }
        match self.envelope {
            Envelope::Plain => object(&[("data", data), ("pagination", pagination)]),
            Envelope::Success => object(&[("success", json!({"const": true})), ("data", data), ("pagination", pagination)]),
        }
    }
}

/// An object that has all of these members.
fn object(members: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": names, "properties": properties})
}
