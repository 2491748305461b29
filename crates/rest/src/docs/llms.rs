//! `llms.txt`: the documentation for programs that read prose, after <https://llmstxt.org>. Made of what runs.

use std::fmt::Write as _;

use super::DocsConfig;
use super::reference::{Operation, Place, Reference};
use blueprint::Blueprint;

/// The text.
pub(crate) fn text(blueprint: &Blueprint, config: &DocsConfig, reference: &Reference) -> String {
    let product = &blueprint.product;
    let url = &config.public_url;
    let mut out = format!("# {}\n\n> {}\n\n", product.title, one_line(&product.description));
    let _ = writeln!(out, "Base URL: {url}. Every request carries `Authorization: Bearer <API key>`; bodies are JSON.");
    if blueprint.keys.dual_auth {
        let _ = writeln!(out, "A second secret goes into `X-API-Secret`.");
    }
    out.push_str(
        "A POST, PUT or PATCH with an `Idempotency-Key` can be repeated safely. 429 and 503 say in `Retry-After` when to come back.\n\
         Lists have `limit` and go on with `cursor` or `page`. An error has a stable code; the codes are listed below.\n\n",
    );
    let _ = writeln!(out, "## Documents\n");
    for (path, about) in DOCUMENTS {
        let _ = writeln!(out, "- [{url}{path}]({url}{path}): {about}");
    }
    for tag in reference.tags() {
        let _ = writeln!(out, "\n## {tag}\n");
        reference.of_tag(tag).for_each(|operation| entry(&mut out, url, operation));
    }
    let events: Vec<_> = super::payloads::public(blueprint).collect();
    if !events.is_empty() {
        out.push_str("\n## Events that webhooks receive\n\n");
    }
    for event in events {
        let _ = writeln!(out, "- `{}`: {}", event.name, one_line(&super::payloads::about(event)));
    }
    out
}

const DOCUMENTS: [(&str, &str); 6] = [
    ("/docs/start", "getting started, with commands to paste"),
    ("/docs/openapi.json", "the OpenAPI 3.1 document; sent with a key, only what this key may call"),
    ("/docs/asyncapi.json", "the AsyncAPI 3.0 document of the webhooks"),
    ("/docs/postman.json", "a Postman collection that runs as it stands"),
    ("/docs/events", "the events with examples, and how their signatures are verified"),
    ("/docs/errors", "every error code with its meaning and what to do"),
];

fn entry(out: &mut String, url: &str, operation: &Operation) {
    let _ = write!(
        out,
        "- [{} {}]({url}/docs/reference/{}#{})",
        operation.method,
        operation.path,
        super::slug(&operation.tag),
        operation.anchor()
    );
    let _ = write!(out, ": {}", one_line(&operation.summary));
    let query: Vec<&str> = operation.parameters_in(Place::Query).map(|parameter| parameter.name.as_str()).collect();
    if !query.is_empty() {
        let _ = write!(out, " Query: {}.", query.join(", "));
    }
    if let Some(needs) = &operation.needs {
        let _ = write!(out, " Needs {needs}.");
    }
    if operation.deprecated {
        out.push_str(" Deprecated.");
    }
    out.push('\n');
}

fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.ends_with(['.', '?', '!']) || text.is_empty() { text } else { text + "." }
}
