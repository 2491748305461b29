//! Code samples: one call of an operation, in the languages that partners use. Each is a whole program that runs as it stands with the
//! variables `TRADEWIND_URL` and `TRADEWIND_API_KEY` in its environment.

mod curl;
mod go;
mod javascript;
mod php;
mod python;
mod rust;

use serde_json::Value;

use super::reference::{Operation, Place};

/// A language that samples are written in.
pub(crate) struct Language {
    /// For machines: `javascript`.
    pub(crate) id: &'static str,
    /// For people: `JavaScript`.
    pub(crate) name: &'static str,
    write: fn(&Call) -> String,
}

/// Every language, in the order in which they are shown.
pub(crate) const LANGUAGES: [Language; 6] = [
    Language { id: "curl", name: "cURL", write: curl::write },
    Language { id: "javascript", name: "JavaScript", write: javascript::write },
    Language { id: "python", name: "Python", write: python::write },
    Language { id: "php", name: "PHP", write: php::write },
    Language { id: "go", name: "Go", write: go::write },
    Language { id: "rust", name: "Rust", write: rust::write },
];

impl Language {
    /// A call of `operation`.
    pub(crate) fn sample(&self, operation: &Operation) -> String {
        (self.write)(&Call::of(operation))
    }
}

/// One call with values in all places that need one.
struct Call {
    method: String,
    /// With its parameters filled in and the query appended.
    path: String,
    guarded: bool,
    dual: bool,
    /// The media type and the text of the body.
    body: Option<(String, Text)>,
}

/// A body.
enum Text {
    /// JSON.
    Json(Value),
    /// Anything else.
    Plain(String),
}

impl Call {
    fn of(operation: &Operation) -> Self {
        let mut path = operation.path.clone();
        for parameter in operation.parameters_in(Place::Path) {
            path = path.replace(&format!("{{{}}}", parameter.name), &encoded(&parameter.example()));
        }
        let query: Vec<String> = operation
            .parameters_in(Place::Query)
            .filter(|parameter| parameter.required)
            .map(|parameter| format!("{}={}", parameter.name, encoded(&parameter.example())))
            .collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let text = |body: &super::reference::Body| {
            if body.media == "application/json" { Text::Json(body.example.clone()) } else { Text::Plain(String::new()) }
        };
        Self {
            method: operation.method.clone(),
            path,
            guarded: operation.guarded,
            dual: operation.dual,
            body: operation.body.as_ref().map(|body| (body.media.clone(), text(body))),
        }
    }

    fn json(&self) -> Option<&Value> {
        match &self.body {
            Some((_, Text::Json(value))) => Some(value),
            _ => None,
        }
    }

    /// The body as text, JSON on several lines.
    fn text(&self) -> Option<String> {
        self.body.as_ref().map(|(_, text)| match text {
            Text::Json(value) => pretty(value),
            Text::Plain(text) => text.clone(),
        })
    }

    fn media(&self) -> &str {
        self.body.as_ref().map_or("application/json", |(media, _)| media)
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value serialises")
}

/// Text for a path segment or a query value.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Every line but the first moved to the right.
fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

/// A double-quoted literal that JSON, JavaScript, Python, Go and Rust read alike: only what all of them escape in the same way is escaped.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
