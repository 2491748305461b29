//! The pages of the documentation, made on the server of the same operations as every document. They work without scripts but for trying
//! requests; they load nothing but their own style and script.

mod events;
mod operation;
mod overview;
mod schema;
mod sign_in;
mod start;

use std::fmt::Write as _;

use blueprint::Blueprint;
use serde_json::Value;

use super::reference::Reference;
use super::words::Lang;
use super::{DocsConfig, slug};
use web::html::escape;

/// What a page is made of.
pub(crate) struct Pages<'a> {
    pub(crate) blueprint: &'a Blueprint,
    pub(crate) config: &'a DocsConfig,
    pub(crate) document: &'a Value,
    pub(crate) reference: &'a Reference,
    pub(crate) lang: Lang,
    /// Whether it is made for somebody's key.
    pub(crate) personal: bool,
}

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page<'a> {
    Overview,
    Start,
    Events,
    Errors,
    /// Where a reader who signed in comes back.
    SignedIn,
    /// The operations of the group with this slug.
    Group(&'a str),
}

impl Pages<'_> {
    /// The page; none where there is no such group.
    pub(crate) fn render(&self, page: Page<'_>) -> Option<String> {
        let (title, main) = match page {
            Page::Overview => (self.blueprint.product.title.clone(), overview::main(self)),
            Page::Start => (self.say("Getting started").to_owned(), start::main(self)),
            Page::Events => (self.say("Events").to_owned(), events::main(self)),
            Page::Errors => (self.say("Error codes").to_owned(), super::codes::main()),
            Page::SignedIn => (self.say("Sign in").to_owned(), sign_in::main(self)),
            Page::Group(wanted) => {
                let tag = self.reference.tags().into_iter().find(|tag| slug(tag) == wanted)?.to_owned();
                let main = self.group(&tag);
                (tag, main)
            }
        };
        Some(self.frame(&title, page, &main))
    }

    fn say(&self, english: &'static str) -> &'static str {
        self.lang.say(english)
    }

    fn group(&self, tag: &str) -> String {
        let mut out = format!("<h1>{}</h1>\n", escape(tag));
        for operation in self.reference.of_tag(tag) {
            operation::article(self, operation, &mut out);
        }
        out
    }

    fn frame(&self, title: &str, page: Page<'_>, main: &str) -> String {
        let product = &self.blueprint.product.title;
        let full = if title == product { escape(product) } else { format!("{} · {}", escape(title), escape(product)) };
        format!(
            "<!doctype html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{full}</title>\n<link rel=\"stylesheet\" href=\"/docs/ui/docs.css\">\n\
             <link rel=\"icon\" type=\"image/svg+xml\" href=\"/docs/ui/icon.svg\">\n\
             <script src=\"/docs/ui/docs.js\" defer></script>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">{skip}</a>\n<header>\n<a class=\"brand\" href=\"/docs\">{product}</a>\n{credential}</header>\n\
             <div class=\"frame\">\n<nav id=\"nav\" aria-label=\"{documentation}\">\n{nav}</nav>\n\
             <main id=\"main\" tabindex=\"-1\">\n{main}</main>\n</div>\n</body>\n</html>\n",
            lang = self.lang.tag(),
            dir = self.lang.direction(),
            skip = self.say("Skip to the content"),
            product = escape(product),
            credential = self.credential(),
            documentation = self.say("Documentation"),
            nav = self.nav(page),
        )
    }

    /// Where a reader puts a key. It is never part of a request for a page but as its `Authorization`.
    fn credential(&self) -> String {
        let secret = if self.blueprint.keys.dual_auth {
            format!(
                "<label>{}<input name=\"secret\" type=\"password\" autocomplete=\"off\" dir=\"ltr\"></label>\n",
                self.say("Second secret")
            )
        } else {
            String::new()
        };
        format!(
            "<details class=\"credential\"><summary>{key}</summary>\n<div class=\"panel\">\n<form id=\"credential\">\n\
             <label>{key}<input name=\"key\" type=\"password\" autocomplete=\"off\" spellcheck=\"false\" dir=\"ltr\" required></label>\n{secret}\
             <label>{tenant}<input name=\"tenant\" autocomplete=\"off\" spellcheck=\"false\" dir=\"ltr\"></label>\n\
             <p>{stays}</p>\n<button>{apply}</button> <button type=\"button\" data-forget>{forget}</button>\n\
             <p role=\"status\" id=\"credential-state\"></p>\n</form>\n{sign_in}</div>\n</details>\n",
            sign_in = sign_in::form(self),
            key = self.say("API key"),
            tenant = self.say("Tenant (service keys only)"),
            stays = self.say("It stays in this tab and is sent to this server only."),
            apply = self.say("Use this key"),
            forget = self.say("Forget it"),
        )
    }

    fn nav(&self, page: Page<'_>) -> String {
        let here = |is: bool| if is { " aria-current=\"page\"" } else { "" };
        let mut out = String::from("<ul>\n");
        let fixed = [
            ("/docs", "Overview", page == Page::Overview),
            ("/docs/start", "Getting started", page == Page::Start),
            ("/docs/events", "Events", page == Page::Events),
            ("/docs/errors", "Error codes", page == Page::Errors),
        ];
        for (path, word, is) in fixed {
            let _ = writeln!(out, "<li><a href=\"{path}\"{}>{}</a></li>", here(is), self.say(word));
        }
        let _ = writeln!(out, "</ul>\n<h2>{}</h2>", self.say("Reference"));
        let _ = writeln!(
            out,
            "<input id=\"find\" type=\"search\" placeholder=\"{0}\" aria-label=\"{0}\">\n<ul>",
            self.say("Find an operation")
        );
        for tag in self.reference.tags() {
            let (slug, name) = (slug(tag), escape(tag));
            let open = page == Page::Group(&slug);
            let _ = writeln!(
                out,
                "<li><details{}><summary>{name}</summary>\n<ul>\n<li><a href=\"/docs/reference/{slug}\"{}>{}</a></li>",
                if open { " open" } else { "" },
                here(open),
                self.say("All operations"),
            );
            for operation in self.reference.of_tag(tag) {
                let _ = writeln!(
                    out,
                    "<li data-find=\"{} {} {}\"><a href=\"/docs/reference/{slug}#{}\"><span class=\"verb {}\">{}</span> {}</a></li>",
                    operation.method.to_ascii_lowercase(),
                    escape(&operation.path.to_lowercase()),
                    escape(&operation.summary.to_lowercase()),
                    operation.anchor(),
                    operation.method.to_ascii_lowercase(),
                    operation.method,
                    escape(if operation.summary.is_empty() { &operation.path } else { &operation.summary }),
                );
            }
            out.push_str("</ul>\n</details></li>\n");
        }
        out.push_str("</ul>\n");
        out
    }
}

/// A block of code. Code reads from left to right in every language.
fn code(text: &str, language: &str) -> String {
    format!("<pre dir=\"ltr\" tabindex=\"0\" class=\"code\" data-lang=\"{language}\"><code>{}</code></pre>\n", escape(text.trim_end()))
}

/// JSON as a block of code.
fn json(value: &Value) -> String {
    code(&serde_json::to_string_pretty(value).unwrap_or_default(), "json")
}

/// Plain Markdown of one paragraph: code between backquotes, nothing else.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (n, part) in text.split('`').enumerate() {
        let part = escape(part);
        if n % 2 == 1 {
            let _ = write!(out, "<code dir=\"ltr\">{part}</code>");
        } else {
            out.push_str(&part);
        }
    }
    out
}
