//! Zoho CRM: leads, contacts, accounts, deals, and any other module by its name, in any data centre (the account's `api_domain`).
//!
//! * Reading goes by lists in the order of ids and by `If-Modified-Since`, past 100,000 records and with filters by COQL ([`page`], [`coql`]).
//! * Writing: every row has a result of its own, under whatever status; a new record never overwrites one that is there ([`write`]).
//! * Deletions come from a feed of 60 days ([`deleted`]); notifications end and are renewed ([`watch`]).
//! * References to other records are `{"id": …}`, read and written.
//! * The configuration's settings: [`settings`].
//!
//! Not done: sub-forms, tags, related lists, bulk read and write jobs, where merged records went (Zoho does not say).

mod coql;
mod cursors;
mod deleted;
mod describe;
mod dialect;
mod get;
mod modules;
mod page;
mod rows;
mod settings;
mod test;
mod watch;
mod write;

use serde_json::{Map, Value};

use crate::{
    About, Allowance, Connector, DeletedPage, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Setting, Step,
    Verified, WebhookPlan, Write,
};

/// The connector.
#[derive(Clone, Debug)]
pub struct Zoho {
    about: About,
    settings: Vec<Setting>,
}

impl Zoho {
    /// The connector.
    pub fn new() -> Self {
        Self { about: modules::about(), settings: settings::all() }
    }
}

impl Default for Zoho {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for Zoho {
    fn about(&self) -> &About {
        &self.about
    }

    fn settings(&self) -> &[Setting] {
        &self.settings
    }

    fn check(&self, config: &Map<String, Value>) -> Result<(), crate::Fault> {
        settings::Settings::read(config).map(drop)
    }

    fn base_url(&self, config: &Map<String, Value>) -> Option<String> {
        settings::base_url(config)
    }

    fn budgets(&self) -> &[Allowance] {
        modules::BUDGETS
    }

    fn test<'a>(&'a self, session: &'a Session) -> Step<'a, String> {
        Box::pin(test::test(session))
    }

    fn describe<'a>(&'a self, session: &'a Session, object: &'a str) -> Step<'a, ObjectSchema> {
        Box::pin(describe::describe(session, object))
    }

    fn page<'a>(&'a self, session: &'a Session, ask: PageAsk<'a>) -> Step<'a, Page> {
        Box::pin(page::page(session, ask))
    }

    fn get<'a>(&'a self, session: &'a Session, object: &'a str, ids: &'a [String], fields: &'a [String]) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(get::get(session, object, ids, fields))
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        value: &'a Value,
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(get::find(session, object, field, value, fields))
    }

    fn find_any<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        values: &'a [Value],
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(get::find_any(session, object, field, values, fields))
    }

    fn write<'a>(&'a self, session: &'a Session, object: &'a str, writes: &'a [Write]) -> Step<'a, Vec<Outcome>> {
        Box::pin(write::write(session, object, writes))
    }

    fn deleted<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        cursor: Option<&'a str>,
        token: Option<&'a str>,
    ) -> Step<'a, DeletedPage> {
        Box::pin(deleted::deleted(session, object, cursor, token))
    }

    fn watch<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        url: &'a str,
        secret: &'a kernel::Secret<String>,
        existing: Option<&'a str>,
    ) -> Step<'a, Option<WebhookPlan>> {
        Box::pin(watch::watch(session, object, url, secret, existing))
    }

    fn unwatch<'a>(&'a self, session: &'a Session, _: &'a str, id: &'a str) -> Step<'a, ()> {
        Box::pin(watch::unwatch(session, id))
    }

    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified> {
        watch::webhook(&call)
    }
}
