//! What webhooks receive: the headers, how a signature is verified, and each event with an example.

use std::fmt::Write as _;

use super::{Pages, code, json, prose};
use crate::docs::payloads;
use web::html::escape;

pub(super) fn main(pages: &Pages<'_>) -> String {
    let blueprint = pages.blueprint;
    let mut out = format!("<h1>{}</h1>\n", pages.say("Events"));
    out.push_str(
        "<p>A webhook is a POST to an address of yours. It is signed after Standard Webhooks: verify it before you believe it, with the \
         official library of your language, and answer 2xx. Anything else is tried again.</p>\n",
    );
    out.push_str("<h2>Headers</h2>\n<table>\n");
    for header in payloads::headers(blueprint) {
        let _ = writeln!(out, "<tr><td><code dir=\"ltr\">{}</code></td><td>{}</td></tr>", escape(&header.name), escape(header.about));
    }
    out.push_str("</table>\n<h2>Verification</h2>\n");
    out.push_str(&code(NODE, "javascript"));
    out.push_str(&code(PYTHON, "python"));
    for event in payloads::public(blueprint) {
        let name = escape(event.name.as_str());
        let _ = writeln!(out, "<article id=\"{name}\" class=\"operation\">\n<h2><a href=\"#{name}\">{name}</a></h2>");
        let _ = writeln!(out, "<p>{}</p>", prose(&payloads::about(event)));
        out.push_str(&json(&payloads::example(&blueprint.webhooks.body, event)));
        out.push_str("</article>\n");
    }
    out
}

const NODE: &str = r#"import { Webhook } from "standardwebhooks"; // npm install standardwebhooks

// `body` is the request's body exactly as it came; `headers` its headers.
const event = new Webhook(process.env.WEBHOOK_SECRET).verify(body, headers); // throws if it is forged or old
"#;

const PYTHON: &str = r#"from standardwebhooks import Webhook  # pip install standardwebhooks

# `body` is the request's body exactly as it came; `headers` its headers.
event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, headers)  # raises if it is forged or old
"#;
