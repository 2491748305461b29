//! One operation: what it takes and answers, code for it in every language, and a form that sends it.

use std::fmt::Write as _;

use super::{Pages, code, json, prose, schema};
use crate::docs::reference::{Operation, Parameter, Place};
use crate::docs::samples::LANGUAGES;
use web::html::escape;

pub(super) fn article(pages: &Pages<'_>, operation: &Operation, out: &mut String) {
    let (anchor, verb) = (operation.anchor(), operation.method.to_ascii_lowercase());
    let _ =
        writeln!(out, "<article id=\"{anchor}\" class=\"operation\">\n<h2><a href=\"#{anchor}\">{}</a></h2>", escape(headline(operation)));
    let _ = writeln!(
        out,
        "<p class=\"address\" dir=\"ltr\"><span class=\"verb {verb}\">{}</span> <code>{}</code></p>",
        operation.method,
        escape(&operation.path)
    );
    if !operation.description.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", prose(&operation.description));
    }
    let access = match &operation.needs {
        Some(needs) => format!("{}: <code dir=\"ltr\">{}</code>", pages.say("Needs"), escape(needs)),
        None if operation.guarded => format!("{}: {}", pages.say("Needs"), pages.say("API key")),
        None => pages.say("No credential needed").to_owned(),
    };
    let _ = writeln!(out, "<p class=\"access\">{access}</p>");
    if operation.deprecated {
        let _ = writeln!(out, "<p class=\"warning\">{}</p>", pages.say("Deprecated"));
    }
    parameters(pages, operation, out);
    if let Some(body) = &operation.body {
        let _ = writeln!(out, "<h3>{} <small dir=\"ltr\">{}</small></h3>", pages.say("Request body"), escape(&body.media));
        schema::table(pages, &body.schema, out);
    }
    answers(pages, operation, out);
    samples(pages, operation, out);
    attempt(pages, operation, out);
    out.push_str("</article>\n");
}

fn headline(operation: &Operation) -> &str {
    if operation.summary.is_empty() { &operation.id } else { operation.summary.trim_end_matches('.') }
}

fn parameters(pages: &Pages<'_>, operation: &Operation, out: &mut String) {
    if operation.parameters.is_empty() {
        return;
    }
    let _ = writeln!(out, "<details><summary>{}</summary>\n<table>", pages.say("Parameters"));
    for parameter in &operation.parameters {
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        };
        let needed = pages.say(if parameter.required { "required" } else { "optional" });
        let _ = writeln!(
            out,
            "<tr><td><code dir=\"ltr\">{}</code><br><small>{place} · {needed}</small></td><td><small dir=\"ltr\">{}</small><br>{}</td></tr>",
            escape(&parameter.name),
            escape(&schema::kind(pages.document, &parameter.schema)),
            prose(&parameter.about),
        );
    }
    out.push_str("</table>\n</details>\n");
}

fn answers(pages: &Pages<'_>, operation: &Operation, out: &mut String) {
    let _ = writeln!(out, "<details><summary>{}</summary>", pages.say("Answers"));
    for answer in &operation.answers {
        let _ = writeln!(out, "<h4 dir=\"ltr\">{} {}</h4>", escape(&answer.status), escape(&answer.about));
        if answer.status.starts_with('2') {
            schema::table(pages, &answer.schema, out);
            if let Some(example) = &answer.example {
                out.push_str(&json(example));
            }
        } else if let Some(example) = &answer.example {
            let detail =
                ["detail", "error"].iter().find_map(|name| example.get(*name)).and_then(serde_json::Value::as_str).unwrap_or_default();
            let _ = writeln!(out, "<p>{}</p>", escape(detail));
        }
    }
    out.push_str("</details>\n");
}

/// One language at a time, chosen by a group of radio buttons: the arrow keys change it, and no script is needed.
fn samples(pages: &Pages<'_>, operation: &Operation, out: &mut String) {
    let _ = writeln!(out, "<fieldset class=\"samples\"><legend>{}</legend>", pages.say("Code samples"));
    for (n, language) in LANGUAGES.iter().enumerate() {
        let checked = if n == 0 { " checked" } else { "" };
        let (anchor, id, name) = (operation.anchor(), language.id, language.name);
        let _ = writeln!(out, "<label><input type=\"radio\" name=\"lang-{anchor}\" value=\"{id}\"{checked}> {name}</label>");
    }
    for language in &LANGUAGES {
        out.push_str(&code(&language.sample(operation), language.id));
    }
    out.push_str("</fieldset>\n");
}

fn attempt(pages: &Pages<'_>, operation: &Operation, out: &mut String) {
    let _ = writeln!(
        out,
        "<details class=\"try\"><summary>{}</summary>\n<form data-method=\"{}\" data-path=\"{}\" data-guarded=\"{}\">",
        pages.say("Try it"),
        operation.method,
        escape(&operation.path),
        operation.guarded,
    );
    for parameter in operation.parameters.iter().filter(|one| one.name != "Tradewind-Tenant") {
        field(parameter, out);
    }
    if let Some(body) = &operation.body {
        let text =
            if body.media == "application/json" { serde_json::to_string_pretty(&body.example).unwrap_or_default() } else { String::new() };
        let _ = writeln!(
            out,
            "<label>{}<textarea name=\"body\" data-media=\"{}\" rows=\"{}\" spellcheck=\"false\" dir=\"ltr\"{}>{}</textarea></label>",
            pages.say("Request body"),
            escape(&body.media),
            text.lines().count().clamp(3, 16),
            if body.required { " required" } else { "" },
            escape(&text),
        );
    }
    let _ = writeln!(out, "<button>{}</button>\n<output aria-live=\"polite\"></output>\n</form>\n</details>", pages.say("Send"));
}

fn field(parameter: &Parameter, out: &mut String) {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    let _ = writeln!(
        out,
        "<label><code dir=\"ltr\">{name}</code><input name=\"{place}.{name}\" placeholder=\"{example}\" autocomplete=\"off\" spellcheck=\"false\" dir=\"ltr\"{required}></label>",
        name = escape(&parameter.name),
        example = escape(&parameter.example()),
        required = if parameter.required { " required" } else { "" },
    );
}
