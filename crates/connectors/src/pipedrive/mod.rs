//! Pipedrive: persons, organizations and deals on v2 of its API, leads on v1.
//!
//! What a manifest can say is in `manifest.toml`. Around it, in Rust:
//!
//! * **Custom fields** ([`custom`]): codes of forty hexadecimal digits, which no other account has. They are read and written under their
//!   codes, side by side with the other fields; Pipedrive has them in a member of their own.
//! * **`email` and `phone`** of persons ([`primary`]): the primary one of the lists `emails` and `phones`. Changing it leaves the others.
//! * **Made once** ([`making`]): Pipedrive has neither an upsert nor a unique field. A creation that names a unique field looks first, under a
//!   lock, and what search does not know yet is looked for among the latest changes.
//!
//! What it does not have: a feed of deletions (webhooks tell them, and a complete scan finds them) and writing many at once. Webhooks are
//! proved by a name and a password only; the address should therefore not be guessable either.

mod custom;
mod making;
mod primary;

use std::borrow::Cow;

use kernel::Secret;
use serde_json::{Map, Value};

use crate::manifest::Manifest;
use crate::{
    About, Connector, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Step, Verified,
    WebhookPlan, Write, WriteAct,
};
use making::Locks;

const MANIFEST: &str = include_str!("manifest.toml");

/// Pipedrive.
#[derive(Debug)]
pub struct Pipedrive {
    manifest: Manifest,
    locks: Locks,
}

impl Pipedrive {
    /// The connector.
    pub fn new() -> Self {
        let manifest = Manifest::read(MANIFEST, "pipedrive").expect("the manifest is part of the program, and a test reads it");
        Self { manifest, locks: Locks::default() }
    }

    async fn read_page(&self, session: &Session, ask: PageAsk<'_>) -> Result<Page, Fault> {
        let asked = primary::asked(ask.object, ask.fields);
        let mut page = self.manifest.page(session, PageAsk { fields: &asked, ..ask }).await?;
        page.records.iter_mut().for_each(|record| primary::shown(ask.object, record, ask.fields));
        Ok(page)
    }

    async fn records(&self, session: &Session, object: &str, ids: &[String], fields: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
        let asked = primary::asked(object, fields);
        let mut records = self.manifest.get(session, object, ids, &asked).await?;
        records.iter_mut().for_each(|record| primary::shown(object, record, fields));
        Ok(records)
    }

    /// What search finds, read anew and compared: search also finds parts, and knows a record as it was some seconds ago.
    async fn found(
        &self,
        session: &Session,
        object: &str,
        field: &str,
        value: &Value,
        fields: &[String],
    ) -> Result<Vec<RemoteRecord>, Fault> {
        let searched = if custom::is_code(field) { "custom_fields" } else { field };
        let ids = self.manifest.found_ids(session, object, searched, value).await?;
        let mut asked = fields.to_vec();
        if !fields.is_empty() && !fields.iter().any(|name| name == field) {
            asked.push(field.to_owned());
        }
        let records = self.records(session, object, &ids, &asked).await?;
        Ok(records.into_iter().filter(|record| !record.deleted && making::has(record, field, value)).collect())
    }

    async fn written(&self, session: &Session, object: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(writes.len());
        let mut made = making::Made::new(self, session, object);
        for write in writes {
            let outcome = match &write.act {
                WriteAct::Create { unique: Some((field, value)) } => made.once(field, value, write).await,
                _ => self.one(session, object, write).await,
            };
            match outcome {
                Ok(outcome) => outcomes.push(outcome),
                // It concerns all that is still to come; what was done before is done.
                Err(fault) if outcomes.is_empty() => return Err(fault),
                Err(fault) => {
                    outcomes.resize(writes.len(), Outcome::Failed(fault));
                    break;
                }
            }
        }
        Ok(outcomes)
    }

    /// One write. An error concerns all.
    async fn one(&self, session: &Session, object: &str, write: &Write) -> Result<Outcome, Fault> {
        let mut fields: Cow<'_, Map<String, Value>> = custom::grouped(object, &write.fields);
        if let Some(names) = primary::written(object, &write.fields) {
            let present = match &write.act {
                WriteAct::Update { id } => match self.present(session, object, id).await? {
                    Some(present) => present,
                    None => return Ok(Outcome::Gone { merged_into: None }),
                },
                WriteAct::Create { .. } | WriteAct::Delete { .. } => Map::new(),
            };
            primary::apply(fields.to_mut(), &names, &present);
        }
        let write = Write { act: write.act.clone(), fields: fields.into_owned() };
        let mut outcomes = self.manifest.write(session, object, std::slice::from_ref(&write)).await?;
        let mut outcome = outcomes.pop().ok_or_else(|| Fault::Lost { message: "there is no outcome".to_owned() })?;
        match &mut outcome {
            Outcome::Created(record) | Outcome::Updated(record) => primary::shown(object, record, &[]),
            Outcome::Failed(fault) => named(fault),
            _ => {}
        }
        Ok(outcome)
    }

    /// The lists of addresses and numbers as they are.
    async fn present(&self, session: &Session, object: &str, id: &String) -> Result<Option<Map<String, Value>>, Fault> {
        let fields = primary::lists();
        let found = self.manifest.get(session, object, std::slice::from_ref(id), &fields).await?;
        Ok(found.into_iter().find(|record| !record.deleted).map(|record| record.fields))
    }

    async fn described(&self, session: &Session, object: &str) -> Result<ObjectSchema, Fault> {
        let mut schema = self.manifest.describe(session, object).await?;
        schema.fields.iter_mut().for_each(custom::told);
        primary::described(object, &mut schema.fields);
        Ok(schema)
    }
}

impl Default for Pipedrive {
    fn default() -> Self {
        Self::new()
    }
}

/// `Validation failed: owner_id: invalid type` names the field in its text only.
fn named(fault: &mut Fault) {
    if let Fault::Refused { message, field, .. } = fault
        && field.is_none()
        && let Some((name, _)) = message.strip_prefix("Validation failed: ").and_then(|rest| rest.split_once(": "))
    {
        let name = name.trim_start_matches("custom_fields.");
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        *field = is_name.then(|| name.to_owned());
    }
}

impl Connector for Pipedrive {
    fn about(&self) -> &About {
        self.manifest.about()
    }

    fn test<'a>(&'a self, session: &'a Session) -> Step<'a, String> {
        self.manifest.test(session)
    }

    fn describe<'a>(&'a self, session: &'a Session, object: &'a str) -> Step<'a, ObjectSchema> {
        Box::pin(self.described(session, object))
    }

    fn page<'a>(&'a self, session: &'a Session, ask: PageAsk<'a>) -> Step<'a, Page> {
        Box::pin(self.read_page(session, ask))
    }

    fn get<'a>(&'a self, session: &'a Session, object: &'a str, ids: &'a [String], fields: &'a [String]) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(self.records(session, object, ids, fields))
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
        self.manifest.deleted(session, object, cursor, token)
    }

    fn watch<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        url: &'a str,
        secret: &'a Secret<String>,
        existing: Option<&'a str>,
    ) -> Step<'a, Option<WebhookPlan>> {
        self.manifest.watch(session, object, url, secret, existing)
    }

    fn unwatch<'a>(&'a self, session: &'a Session, object: &'a str, id: &'a str) -> Step<'a, ()> {
        self.manifest.unwatch(session, object, id)
    }

    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified> {
        self.manifest.webhook(call)
    }
}
