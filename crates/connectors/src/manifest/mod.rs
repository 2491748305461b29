//! Connectors that a file describes.
//!
//! A manifest (TOML; `docs/connectors.md`) says how a vendor is asked: where things stand, how pages follow each other, since when changes can
//! be asked for, what refusals mean. It holds no program: a reference such as `{record.email}` names a value, and the slot that it stands in
//! decides how it is escaped (`template`). What a manifest cannot say, a connector in Rust says around one ([`Manifest`] is public).
//!
//! A manifest may come from a tenant, and what it talks to may be anything. So: calls stay under the account's base (the carrier refuses
//! other origins), ids stay inside of their part of the path, redirects are not followed, answers, pages and tokens have bounds, and pages
//! that repeat themselves end the run with a fault that says so (`pages`).

mod check;
mod editor;
mod errors;
mod form;
mod guess;
mod model;
mod pages;
mod reading;
mod record;
mod schema;
mod template;
mod webhook;
mod writing;

use blueprint::Faults;
use serde_json::{Map, Value};

use crate::{
    About, Allowance, Connector, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Setting,
    Step, Verified, WebhookPlan, Write,
};
pub use editor::editor_schema;
use errors::Judge;
use model::{Model, Object, Request};
use template::{Values, refused};

/// Longest manifest, in bytes.
pub const MAX_MANIFEST: usize = check::MAX_TEXT;

/// A connector that a file describes.
#[derive(Debug)]
pub struct Manifest {
    model: Model,
}

impl Manifest {
    /// Reads a manifest. `origin` (a file's name) is shown in the faults.
    ///
    /// Errors: every fault of the text, each with its place and, where a name was probably mistyped, with a suggestion.
    pub fn read(text: &str, origin: &str) -> Result<Self, Faults> {
        check::read(text, origin).map(|model| Self { model })
    }

    /// An object by the vendor's name.
    fn object(&self, name: &str) -> Result<&Object, Fault> {
        let missing = || Fault::NotFound { message: format!("the connector {} has no object {name:?}", self.model.about.id) };
        self.model.object(name).ok_or_else(missing)
    }

    /// What every request may name.
    fn values<'a>(&'a self, session: &'a Session) -> Values<'a> {
        Values { config: Some(&session.config), defaults: &self.model.settings, ..Values::default() }
    }

    fn judge(&self) -> Judge<'_> {
        Judge::new(&self.model)
    }
}

/// An operation that the manifest does not have.
fn without(object: &Object, what: &str) -> Fault {
    refused("not_supported", format!("the connector cannot {what} {}", object.form.name))
}

/// What an answer lacks.
fn unexpected(what: &str) -> Fault {
    refused("unexpected_answer", format!("the answer is not as the manifest says: {what}"))
}

impl Request {
    /// The call, with every reference filled in.
    fn call(&self, values: &Values<'_>) -> Result<crate::Call, Fault> {
        let mut call = crate::Call::new(self.method.clone(), crate::Target::Path(self.path.path(values)?));
        self.fill(&mut call, values)?;
        for (name, template) in &self.query {
            if let Some(text) = template.text(values)? {
                call.query.push((name.clone(), text));
            }
        }
        Ok(call)
    }

    /// Headers, body and what the call is worth.
    fn fill(&self, call: &mut crate::Call, values: &Values<'_>) -> Result<(), Fault> {
        for (name, template) in &self.headers {
            if let Some(text) = template.text(values)? {
                let unusable = |_| refused("value_not_text", format!("what is to stand in the header {name} cannot"));
                call.headers.insert(name.clone(), http::HeaderValue::try_from(text).map_err(unusable)?);
            }
        }
        if let Some(body) = &self.body {
            call.body = crate::Body::Json(body.json(values)?);
        }
        (call.cost, call.repeatable) = (self.cost, self.repeatable);
        Ok(())
    }
}

impl Connector for Manifest {
    fn about(&self) -> &About {
        &self.model.about
    }

    fn settings(&self) -> &[Setting] {
        &self.model.settings
    }

    fn base_url(&self, config: &Map<String, Value>) -> Option<String> {
        let values = Values { config: Some(config), defaults: &self.model.settings, ..Values::default() };
        let template = self.model.base_url.as_ref()?;
        // A setting is one label of a name: it brings no dot, no port and no path with it.
        let is_label = |text: &str| !text.is_empty() && text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let sound = template.references().all(|one| values.text(one).ok().flatten().is_some_and(|text| is_label(&text)));
        template.text(&values).ok().flatten().filter(|_| sound)
    }

    fn budgets(&self) -> &[Allowance] {
        &self.model.allowances
    }

    fn test<'a>(&'a self, session: &'a Session) -> Step<'a, String> {
        Box::pin(self.tested(session))
    }

    fn describe<'a>(&'a self, session: &'a Session, object: &'a str) -> Step<'a, ObjectSchema> {
        Box::pin(self.described(session, object))
    }

    fn page<'a>(&'a self, session: &'a Session, ask: PageAsk<'a>) -> Step<'a, Page> {
        Box::pin(self.read_page(session, ask))
    }

    fn get<'a>(&'a self, session: &'a Session, object: &'a str, ids: &'a [String], fields: &'a [String]) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(self.read_records(session, object, ids, fields))
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        value: &'a Value,
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(self.found(session, object, field, value, fields))
    }

    fn write<'a>(&'a self, session: &'a Session, object: &'a str, writes: &'a [Write]) -> Step<'a, Vec<Outcome>> {
        Box::pin(self.written(session, object, writes))
    }

    fn deleted<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        cursor: Option<&'a str>,
        token: Option<&'a str>,
    ) -> Step<'a, DeletedPage> {
        Box::pin(self.read_deleted(session, object, cursor, token))
    }

    fn watch<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        url: &'a str,
        secret: &'a kernel::Secret<String>,
        existing: Option<&'a str>,
    ) -> Step<'a, Option<WebhookPlan>> {
        Box::pin(self.watched(session, object, url, secret, existing))
    }

    fn unwatch<'a>(&'a self, session: &'a Session, object: &'a str, id: &'a str) -> Step<'a, ()> {
        Box::pin(self.unwatched(session, object, id))
    }

    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified> {
        self.model.webhook.as_ref().and_then(|webhook| webhook::read(webhook, &self.model, call))
    }
}
