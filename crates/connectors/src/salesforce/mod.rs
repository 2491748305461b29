//! Salesforce's CRM: leads, contacts, accounts, opportunities, and any other object by its name.
//!
//! * Reading goes by SOQL, newest first, with a cursor that is a time ([`pages`]); a full load of many rows by a Bulk 2.0 job ([`bulk`]).
//! * Records by id, and by an external id, are read past every index ([`lookup`]).
//! * Writing goes in collections of 200 with a result for each row, by upsert where there is an external id; many writes by Bulk 2.0
//!   ([`writes`]).
//! * Deletions come from the feed of the last fifteen days, merges from `MasterRecordId` ([`deletions`]).
//! * Outbound messages, which an administrator sets up, are hints ([`outbound`]).
//! * The configuration's settings: [`settings`].
//!
//! Not done: change data capture (gRPC), SOSL, attachments, the assignment of leads, merging and converting (there is no REST call for it).

mod about;
mod bulk;
mod deletions;
mod dialect;
mod filters;
mod ids;
mod kinds;
mod lookup;
mod names;
mod outbound;
mod pages;
mod queries;
mod rows;
mod schema;
mod settings;
mod soql;
mod times;
mod tokens;
mod who;
mod writes;

use serde_json::{Map, Value};

use crate::{
    About, Connector, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Setting, Step,
    Verified, Write,
};

/// The connector.
#[derive(Clone, Debug)]
pub struct Salesforce {
    about: About,
    settings: Vec<Setting>,
}

impl Salesforce {
    /// The connector.
    pub fn new() -> Self {
        Self { about: about::about(), settings: about::settings() }
    }
}

impl Default for Salesforce {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for Salesforce {
    fn about(&self) -> &About {
        &self.about
    }

    fn settings(&self) -> &[Setting] {
        &self.settings
    }

    fn check(&self, config: &Map<String, Value>) -> Result<(), Fault> {
        settings::Settings::read(config).map(drop)
    }

    fn test<'a>(&'a self, session: &'a Session) -> Step<'a, String> {
        Box::pin(who::test(session))
    }

    fn describe<'a>(&'a self, session: &'a Session, object: &'a str) -> Step<'a, ObjectSchema> {
        Box::pin(schema::describe(session, object))
    }

    fn page<'a>(&'a self, session: &'a Session, ask: PageAsk<'a>) -> Step<'a, Page> {
        Box::pin(pages::page(session, ask))
    }

    fn get<'a>(&'a self, session: &'a Session, object: &'a str, ids: &'a [String], fields: &'a [String]) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(lookup::get(session, object, ids, fields))
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        value: &'a Value,
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(lookup::find(session, object, field, value, fields))
    }

    fn find_any<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        values: &'a [Value],
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(lookup::find_any(session, object, field, values, fields))
    }

    /// Fields of the org's own may be external ids.
    fn makes_once(&self, _: &str, field: &str) -> bool {
        names::may_be_external_id(field)
    }

    /// Takes any number: above the batch, several collections; from two thousand of a kind on, Bulk 2.0 jobs.
    fn write<'a>(&'a self, session: &'a Session, object: &'a str, writes: &'a [Write]) -> Step<'a, Vec<Outcome>> {
        Box::pin(writes::write(session, object, writes))
    }

    fn deleted<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        cursor: Option<&'a str>,
        token: Option<&'a str>,
    ) -> Step<'a, DeletedPage> {
        Box::pin(deletions::deleted(session, object, cursor, token))
    }

    /// Outbound messages are set up by an administrator of the org: nobody is asked to watch.
    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified> {
        outbound::webhook(&call)
    }
}
