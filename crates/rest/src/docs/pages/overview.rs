//! The first page: what the product is, and where everything stands.

use std::fmt::Write as _;

use super::{Pages, prose};
use crate::docs::slug;
use web::html::escape;

pub(super) fn main(pages: &Pages<'_>) -> String {
    let product = &pages.blueprint.product;
    let mut out = format!("<h1>{}</h1>\n<p>{}</p>\n", escape(&product.title), prose(&product.description));
    let _ = writeln!(out, "<p><a class=\"action\" href=\"/docs/start\">{}</a></p>", pages.say("Getting started"));
    if let Some(email) = &product.contact_email {
        let _ = writeln!(out, "<p><a href=\"mailto:{0}\">{0}</a></p>", escape(email));
    }
    if pages.personal {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", pages.say("Your key may call these operations only."));
    }
    let _ = writeln!(out, "<h2>{}</h2>", pages.say("Reference"));
    for tag in pages.reference.tags() {
        let _ = writeln!(
            out,
            "<section class=\"group\">\n<h3><a href=\"/docs/reference/{}\">{}</a></h3>\n<ul class=\"operations\">",
            slug(tag),
            escape(tag)
        );
        for operation in pages.reference.of_tag(tag) {
            let _ = writeln!(
                out,
                "<li><a href=\"/docs/reference/{}#{}\"><span class=\"verb {}\">{}</span> <code dir=\"ltr\">{}</code></a> {}</li>",
                slug(tag),
                operation.anchor(),
                operation.method.to_ascii_lowercase(),
                operation.method,
                escape(&operation.path),
                escape(&operation.summary),
            );
        }
        out.push_str("</ul>\n</section>\n");
    }
    documents(pages, &mut out);
    out
}

fn documents(pages: &Pages<'_>, out: &mut String) {
    let list = [
        ("/docs/openapi.json", "OpenAPI 3.1"),
        ("/docs/asyncapi.json", "AsyncAPI 3.0"),
        ("/docs/postman.json", "Postman"),
        ("/llms.txt", "llms.txt"),
    ];
    let _ = writeln!(out, "<h2>{}</h2>\n<ul>", pages.say("Documents"));
    for (path, name) in list {
        let _ = writeln!(out, "<li><a href=\"{path}\">{name}</a> <code dir=\"ltr\">{path}</code></li>");
    }
    out.push_str("</ul>\n");
}
