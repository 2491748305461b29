//! Requests: templates, methods, what is refused.

use std::collections::BTreeMap;

use http::{HeaderName, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::form;
use super::super::model::{Operation, Request};
use super::super::template::{Misread, Reference, Shape, Slot, Template};
use super::report::Report;
use crate::Setting;
use blueprint::Fault;

/// Headers that are not a manifest's affair.
const OURS: &[&str] =
    &["host", "authorization", "cookie", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"];

/// Whether a header is the connection's own or a credential of ours.
pub(super) fn is_ours(header: &HeaderName) -> bool {
    OURS.contains(&header.as_str()) || header.as_str().starts_with("proxy-") || header.as_str() == "keep-alive"
}

/// Most members of a query.
const MAX_QUERY: usize = 50;

/// What requests may name, whatever they are for.
pub(super) struct Context<'a> {
    pub(super) settings: &'a [Setting],
    pub(super) headers: &'a BTreeMap<String, String>,
}

impl Context<'_> {
    pub(super) fn test(&self, value: Option<Value>, report: &mut Report) -> Option<Operation<form::Test>> {
        let Some(value) = value else {
            report.add("", "test is missing: a harmless request that proves that an account can be used");
            return None;
        };
        let operation: Operation<form::Test> = self.operation("test", value, "GET", &[], report)?;
        report.pointer_if("test.answer", operation.answer.answer.as_ref());
        Some(operation)
    }

    /// The address under which everything stands.
    pub(super) fn base_url(&self, text: Option<&str>, report: &mut Report) -> Option<Template> {
        let text = text?;
        let template = self.template("base_url", text, Slot::Query, &["config."], report)?;
        let begins = template.texts().next().is_some_and(|first| first.starts_with("https://") || first.starts_with("http://"));
        let sound = begins && !text.ends_with('/') && !text.contains(['?', '#', '@', '\\', ' ']);
        let example = text.replace(['{', '}'], "x");
        let sound = sound && url::Url::parse(&example).is_ok_and(|url| url.host_str().is_some());
        report.expect(
            sound,
            "base_url",
            "is an absolute URL without query and without a slash at its end: https://{config.subdomain}.acme.example/api",
        );
        Some(template)
    }

    /// A table that is a request and says what the answer means.
    pub(super) fn operation<T: DeserializeOwned>(
        &self,
        place: &str,
        value: Value,
        method: &str,
        known: &[&str],
        report: &mut Report,
    ) -> Option<Operation<T>> {
        let Value::Object(mut members) = value else {
            report.add(place, "is a table with a path");
            return None;
        };
        let mut request = Map::new();
        for name in form::REQUEST {
            if let Some(value) = members.shift_remove(*name) {
                request.insert((*name).to_owned(), value);
            }
        }
        let answer = report.typed(place, Value::Object(members), form::REQUEST);
        let request: Option<form::Request> = report.typed(place, Value::Object(request), &[]);
        let request = self.request(place, request?, method, known, report)?;
        Some(Operation { request, answer: answer? })
    }

    fn request(&self, place: &str, written: form::Request, method: &str, known: &[&str], report: &mut Report) -> Option<Request> {
        let mut all = vec!["config."];
        all.extend(known);
        let method = match written.method.as_deref().unwrap_or(method) {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => {
                report.add(format!("{place}.method"), "is one of GET, POST, PUT, PATCH, DELETE");
                return None;
            }
        };
        let path = self.path(&format!("{place}.path"), &written.path, &all, report);
        report.expect(written.query.len() <= MAX_QUERY, format!("{place}.query"), format!("has more than {MAX_QUERY} members"));
        let mut query = Vec::new();
        for (name, value) in &written.query {
            let at = format!("{place}.query.{name}");
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => {
                    report.add(&at, "is a text, a number or true or false");
                    continue;
                }
            };
            query.extend(self.template(&at, &text, Slot::Query, &all, report).map(|template| (name.clone(), template)));
        }
        let mut headers = Vec::new();
        for (place, written) in [("headers".to_owned(), self.headers), (format!("{place}.headers"), &written.headers)] {
            for (name, text) in written {
                headers.extend(self.header(&format!("{place}.{name}"), name, text, &all, report));
            }
        }
        let body = written.body.and_then(|body| self.shape(&format!("{place}.body"), body, &all, report));
        let bodiless = body.is_none() || method != Method::GET;
        report.expect(bodiless, format!("{place}.body"), "goes with no GET");
        let cost = written.cost.unwrap_or(1);
        report.expect((1..=100_000).contains(&cost), format!("{place}.cost"), "is from 1 to 100000");
        let repeatable = written.repeatable.unwrap_or(!place.ends_with(".create") && !place.ends_with(".watch"));
        Some(Request { method, path: path?, query, headers, body, cost, repeatable })
    }

    fn path(&self, place: &str, text: &str, known: &[&str], report: &mut Report) -> Option<Template> {
        let path = self.template(place, text, Slot::Path, known, report)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:@!$&'()*+,;=".contains(c);
        let whole: String = path.texts().collect();
        let sound = text.starts_with('/') && whole.chars().all(plain) && !text.contains("//");
        let sound = sound && !text.split('/').any(|part| part == "." || part == "..");
        let why = "begins with a slash, has no empty and no dotted part, and no query, which is written under query";
        report.expect(sound, place, why).then_some(path)
    }

    fn header(&self, place: &str, name: &str, text: &str, known: &[&str], report: &mut Report) -> Option<(HeaderName, Template)> {
        let template = self.template(place, text, Slot::Header, known, report);
        let Ok(header) = HeaderName::try_from(name) else {
            report.add(place, "is no name of a header");
            return None;
        };
        report.expect(!is_ours(&header), place, "is not for a connector to set: credentials and the connection are Tradewind's");
        Some((header, template?))
    }

    fn shape(&self, place: &str, value: Value, known: &[&str], report: &mut Report) -> Option<Shape> {
        Some(match value {
            Value::String(text) => Shape::Text(self.template(place, &text, Slot::Body, known, report)?),
            Value::Array(items) => {
                let item = |(i, item)| self.shape(&format!("{place}[{i}]"), item, known, report);
                Shape::Array(items.into_iter().enumerate().map(item).collect::<Option<_>>()?)
            }
            Value::Object(members) => {
                let member = |(name, value): (String, Value)| {
                    let shape = self.shape(&format!("{place}.{name}"), value, known, report)?;
                    Some((name, shape))
                };
                Shape::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            other => Shape::Literal(other),
        })
    }

    /// A template whose settings are declared.
    fn template(&self, place: &str, text: &str, slot: Slot, known: &[&str], report: &mut Report) -> Option<Template> {
        let template = match Template::parse(text, slot, known) {
            Ok(template) => template,
            Err(Misread(message, suggestion)) => {
                report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
                return None;
            }
        };
        let names: Vec<&str> = self.settings.iter().map(|setting| setting.name.as_str()).collect();
        for reference in template.references() {
            if let Reference::Config(name) = reference
                && !names.contains(&name.as_str())
            {
                let suggestion = blueprint::nearest(name, names.iter().copied()).map(|name| format!("{{config.{name}}}"));
                let message = format!("{{config.{name}}} is no declared setting; write [[settings]] name = \"{name}\"");
                report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
            }
        }
        Some(template)
    }
}
