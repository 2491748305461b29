//! Getting started with this product: from a key to the first record and the first webhook.

use std::fmt::Write as _;

use super::{Pages, code};
use crate::docs::postman::Journey;
use crate::docs::reference::Operation;
use crate::docs::samples::LANGUAGES;
use web::html::escape;

pub(super) fn main(pages: &Pages<'_>) -> String {
    let mut out = format!("<h1>{}</h1>\n", pages.say("Getting started"));
    key(pages, &mut out);
    let find = |id: &str| pages.reference.operations.iter().find(|operation| operation.id == id);
    if let Some(whoami) = find("keys.whoami") {
        section(&mut out, "Your first call", "It says which key this is, what it may do and how its limits stand.");
        samples(&mut out, whoami);
    }
    let journey = Journey::of(pages.reference);
    let made = journey.steps.iter().find(|step| step.gives.is_some()).map(|step| step.operation);
    if let Some(create) = made {
        section(&mut out, "Create something", &format!("{}. The answer has its id.", create.summary.trim_end_matches('.')));
        samples(&mut out, create);
    }
    let list = journey.steps.iter().map(|step| step.operation).find(|one| one.method == "GET" && !one.path.contains('{') && lists(one));
    if let Some(list) = list {
        section(&mut out, "Read it back", &format!("{}.", list.summary.trim_end_matches('.')));
        samples(&mut out, list);
    }
    webhooks(&mut out);
    rules(pages, &mut out);
    out
}

fn lists(operation: &Operation) -> bool {
    operation.success().and_then(|answer| answer.example.as_ref()).is_some_and(|example| example["data"].is_array())
}

fn section(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, "<h2>{}</h2>\n<p>{}</p>", escape(title), escape(text));
}

fn key(pages: &Pages<'_>, out: &mut String) {
    let url = escape(&pages.config.public_url);
    section(
        out,
        "Get a key",
        "Whoever runs this server gives you a key. Keep it out of your sources: the samples read it from the environment.",
    );
    let mut lines = format!("export TRADEWIND_URL={url}\nexport TRADEWIND_API_KEY=…");
    if pages.blueprint.keys.dual_auth {
        lines.push_str("\nexport TRADEWIND_API_SECRET=…");
    }
    out.push_str(&code(&lines, "shell"));
}

fn samples(out: &mut String, operation: &Operation) {
    let _ = writeln!(out, "<fieldset class=\"samples\"><legend>{} {}</legend>", operation.method, escape(&operation.path));
    for (n, language) in LANGUAGES.iter().enumerate() {
        let checked = if n == 0 { " checked" } else { "" };
        let _ = writeln!(
            out,
            "<label><input type=\"radio\" name=\"lang-{}\" value=\"{}\"{checked}> {}</label>",
            operation.anchor(),
            language.id,
            language.name
        );
    }
    for language in &LANGUAGES {
        out.push_str(&code(&language.sample(operation), language.id));
    }
    out.push_str("</fieldset>\n");
}

fn webhooks(out: &mut String) {
    out.push_str(
        "<h2>Be told</h2>\n<p>A webhook tells you what happens, as soon as it happens: <a href=\"/docs/events\">the events</a>, their bodies \
         and how to verify their signatures. On your own machine, <code dir=\"ltr\">tradewind listen --forward http://localhost:3000</code> \
         receives them without a public address.</p>\n",
    );
}

fn rules(pages: &Pages<'_>, out: &mut String) {
    out.push_str("<h2>Good to know</h2>\n<ul>\n");
    let rules = [
        "An <code dir=\"ltr\">Idempotency-Key</code> makes a POST, PUT or PATCH safe to repeat for 24 hours.",
        "<code dir=\"ltr\">X-RateLimit-Remaining</code> says what is left; 429 and 503 say in <code dir=\"ltr\">Retry-After</code> when to come back.",
        "Errors have a code that never changes: <a href=\"/docs/errors\">all of them</a>. Tell us the <code dir=\"ltr\">X-Request-Id</code> when you ask about one.",
        "<a href=\"/docs/openapi.json\">OpenAPI</a>, asked for with a key, has only what this key may call; <a href=\"/docs/postman.json\">Postman</a> too.",
    ];
    for rule in rules {
        let _ = writeln!(out, "<li>{rule}</li>");
    }
    if let Some(email) = &pages.blueprint.product.contact_email {
        let _ = writeln!(out, "<li>Questions: <a href=\"mailto:{0}\">{0}</a></li>", escape(email));
    }
    out.push_str("</ul>\n");
}
