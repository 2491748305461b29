//! HubSpot's CRM: contacts, companies, deals, leads, tickets, and any other object by its name.
//!
//! * Reading everything goes by the list, reading what changed by the search in the order of ids ([`search`]); cursors are HubSpot's own time
//!   with a lookback, since its searches know late of what was written.
//! * Records by id, and by a property with unique values, are read past the search.
//! * Writing goes in batches of 100 with a result for each item ([`write`]).
//! * Deletions and merges come from the archived records, the survivors of merges, and webhooks ([`deleted`], [`webhook`]).
//! * All values are text; association ids are fields of their own ([`associations`]).
//! * The configuration's settings: [`settings`].
//!
//! Not done: histories of values, pipelines' rules, labels of associations, HubSpot's journal of webhooks.

mod associations;
mod cursors;
mod deleted;
mod describe;
mod dialect;
mod get;
mod objects;
mod page;
mod rows;
mod search;
mod settings;
mod signature;
mod test;
mod values;
mod webhook;
mod write;

use serde_json::{Map, Value};

use crate::{
    About, Allowance, Connector, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Setting,
    Step, Verified, Write,
};

/// The connector.
#[derive(Clone, Debug)]
pub struct HubSpot {
    about: About,
    settings: Vec<Setting>,
}

impl HubSpot {
    /// The connector.
    pub fn new() -> Self {
        Self { about: objects::about(), settings: objects::settings() }
    }
}

impl Default for HubSpot {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for HubSpot {
    fn about(&self) -> &About {
        &self.about
    }

    fn settings(&self) -> &[Setting] {
        &self.settings
    }

    fn check(&self, config: &Map<String, Value>) -> Result<(), Fault> {
        settings::Settings::read(config).map(drop)
    }

    fn base_url(&self, _: &Map<String, Value>) -> Option<String> {
        Some(objects::BASE.to_owned())
    }

    fn budgets(&self) -> &[Allowance] {
        objects::BUDGETS
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

    /// HubSpot's webhooks belong to the app: they are set up once, in the app's settings, and nobody is asked to watch.
    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified> {
        webhook::webhook(&call)
    }
}
