//! The OpenAPI document, read back as a list of operations: what the pages, the code samples, the Postman collection and `llms.txt` are made
//! of. There is one source for all of them.

use serde_json::{Map, Value};

/// Every operation of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) operations: Vec<Operation>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// In upper case.
    pub(crate) method: String,
    /// The template: `/api/v1/leads/{id}`.
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answer>,
    /// Whether it asks for a credential.
    pub(crate) guarded: bool,
    /// Whether it asks for two secrets.
    pub(crate) dual: bool,
    /// The scope or permission that it asks for, or `operator`.
    pub(crate) needs: Option<String>,
    pub(crate) deprecated: bool,
    /// Whether the blueprint declares it.
    pub(crate) declared: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) about: String,
    pub(crate) schema: Value,
}

/// A request's body.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) media: String,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// One documented answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) about: String,
    pub(crate) media: String,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Reference {
    /// Reads a document that [`super::openapi`] made.
    pub(crate) fn of(document: &Value) -> Self {
        let mut operations = Vec::new();
        for (path, methods) in members(&document["paths"]) {
            for method in METHODS {
                operations.extend(methods.get(method).map(|operation| Operation::of(document, path, method, operation)));
            }
        }
        Self { operations }
    }

    /// The groups in order of their first operation, the product's own first.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = Vec::new();
        for operation in &self.operations {
            if !tags.contains(&operation.tag.as_str()) {
                tags.push(&operation.tag);
            }
        }
        let own = |tag: &str| self.operations.iter().any(|operation| operation.tag == tag && operation.declared);
        tags.sort_by_key(|tag| !own(tag));
        tags
    }

    /// The operations of a group.
    pub(crate) fn of_tag<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(move |operation| operation.tag == tag)
    }
}

impl Operation {
    fn of(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let needs = ["x-required-scope", "x-required-permission"].iter().find_map(|name| operation[name].as_str()).map(str::to_owned);
        let needs = needs.or_else(|| (operation["x-operator-only"] == true).then(|| "operator".to_owned()));
        let security = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        Self {
            id: text("operationId"),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            tag: operation["tags"][0].as_str().unwrap_or("Other").to_owned(),
            summary: text("summary"),
            description: text("description"),
            parameters: parameters.filter_map(|one| Parameter::of(resolved(document, one))).collect(),
            body: Body::of(&operation["requestBody"]),
            answers: members(&operation["responses"]).map(|(status, one)| Answer::of(document, status, one)).collect(),
            guarded: !security.is_empty(),
            dual: security.iter().any(|one| one.get("ApiSecretAuth").is_some()),
            needs,
            deprecated: operation["deprecated"] == true,
            declared: operation["x-declared"] == true,
        }
    }

    /// The answer when all is well.
    pub(crate) fn success(&self) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.status.starts_with('2'))
    }

    /// Whether its answer has no end.
    pub(crate) fn streams(&self) -> bool {
        self.success().is_some_and(|answer| answer.media == "text/event-stream")
    }

    /// A name for anchors and element ids.
    pub(crate) fn anchor(&self) -> String {
        self.id.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    }

    /// Its parameters in one place.
    pub(crate) fn parameters_in(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }
}

impl Parameter {
    fn of(parameter: &Value) -> Option<Self> {
        let place = match parameter["in"].as_str()? {
            "path" => Place::Path,
            "query" => Place::Query,
            _ => Place::Header,
        };
        Some(Self {
            name: parameter["name"].as_str()?.to_owned(),
            place,
            required: parameter["required"] == true,
            about: parameter["description"].as_str().unwrap_or_default().to_owned(),
            schema: parameter["schema"].clone(),
        })
    }

    /// A value that could stand there.
    pub(crate) fn example(&self) -> String {
        match web::openapi::example(&self.schema, &Map::new(), web::openapi::Fill::All) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }
}

impl Body {
    fn of(body: &Value) -> Option<Self> {
        let (media, entry) = members(&body["content"]).next()?;
        Some(Self {
            media: media.clone(),
            required: body["required"] != false,
            schema: entry["schema"].clone(),
            example: entry.get("example").cloned().unwrap_or_default(),
        })
    }
}

impl Answer {
    fn of(document: &Value, status: &str, answer: &Value) -> Self {
        let answer = resolved(document, answer);
        let content = members(&answer["content"]).next();
        Self {
            status: status.to_owned(),
            about: answer["description"].as_str().unwrap_or_default().to_owned(),
            media: content.map(|(media, _)| media.clone()).unwrap_or_default(),
            schema: content.map(|(_, entry)| entry["schema"].clone()).unwrap_or_default(),
            example: content.and_then(|(_, entry)| entry.get("example").cloned()),
        }
    }
}

/// What a reference leads to; anything else as it is.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| document.pointer(target)).unwrap_or(value)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
