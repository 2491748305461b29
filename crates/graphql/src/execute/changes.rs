//! Mutations: the operations that REST calls, with what the caller may write.

use std::sync::Arc;

use kernel::{Caller, Error, Result};
use records::{Expected, NewRecord, RecordRef, Records};
use serde_json::{Map, Value};

use super::Run;
use super::arguments::{Arguments, members, text};
use super::collect::Chosen;
use super::thing::{Raw, Thing};
use crate::model::reach::{Act, Granted};
use crate::model::{Exposed, Field};
use crate::operate::part_of;

impl Run<'_> {
    pub(super) async fn create(&self, exposed: &Exposed, field: &Field, one: &Chosen<'_>, arguments: &Arguments) -> Result<Raw> {
        let granted = self.granted(exposed, Act::Create, one)?;
        let document = members(self.ready.model, input(field, "input"), arguments.get("input").unwrap_or(&Value::Null))?;
        let external_id = text(arguments, "externalId").map(str::to_owned);
        open(exposed, self.caller, &granted, &document)?;
        let new = NewRecord { document, external_id, writable: granted.writable, ..NewRecord::default() };
        let record = self.sources.records.create(&granted.scope, exposed.kind.name(), new).await?;
        Ok(Raw::One(Thing::Record(Arc::new(record))))
    }

    pub(super) async fn update(&self, exposed: &Exposed, field: &Field, one: &Chosen<'_>, arguments: &Arguments) -> Result<Raw> {
        let granted = self.granted(exposed, Act::Update, one)?;
        let patch = members(self.ready.model, input(field, "patch"), arguments.get("patch").unwrap_or(&Value::Null))?;
        open(exposed, self.caller, &granted, &patch)?;
        let reference = self.named(exposed, arguments)?;
        let writable = granted.writable.as_deref();
        let records = self.expecting(exposed, &granted, &reference, arguments).await?;
        let record = records.update(&granted.scope, exposed.kind.name(), reference, patch, writable).await?;
        Ok(Raw::One(Thing::Record(Arc::new(record))))
    }

    pub(super) async fn delete(&self, exposed: &Exposed, one: &Chosen<'_>, arguments: &Arguments) -> Result<Raw> {
        let granted = self.granted(exposed, Act::Delete, one)?;
        let reference = self.named(exposed, arguments)?;
        let records = self.expecting(exposed, &granted, &reference, arguments).await?;
        records.delete(&granted.scope, exposed.kind.name(), reference).await?;
        Ok(Raw::One(Thing::Deleted(text(arguments, "id").unwrap_or_default().to_owned())))
    }

    /// The one record of a type that has one for each tenant.
    pub(super) async fn single(&self, exposed: &Exposed) -> Result<Raw> {
        let scope = self.read(exposed)?;
        let record = self.sources.records.only(&scope, exposed.kind.name()).await?;
        Ok(Raw::One(Thing::Record(Arc::new(record))))
    }

    /// What the caller may do; with its part of the idempotency slot, if several changes share one.
    fn granted(&self, exposed: &Exposed, act: Act, one: &Chosen<'_>) -> Result<Granted> {
        let granted = exposed.reach.allow(&exposed.kind, self.caller, act)?;
        Ok(match self.once {
            Some(whole) => Granted { scope: granted.scope.with_slot(part_of(whole, one.key)), ..granted },
            None => granted,
        })
    }

    /// Records of which only one with the `version` that was sent is changed. Error: 404.
    async fn expecting(&self, exposed: &Exposed, granted: &Granted, reference: &RecordRef, arguments: &Arguments) -> Result<Records> {
        let records = &self.sources.records;
        let Some(version) = arguments.get("version").and_then(Value::as_i64) else { return Ok(records.expecting(Expected::Anything)) };
        let id = match reference {
            RecordRef::Id(id) => *id,
            other => records.get(&granted.scope, exposed.kind.name(), other.clone()).await?.id,
        };
        Ok(records.expecting(Expected::Versions(vec![(id, version)])))
    }

    fn named(&self, exposed: &Exposed, arguments: &Arguments) -> Result<RecordRef> {
        if exposed.kind.resource().singleton {
            return Ok(Records::only_ref());
        }
        text(arguments, "id").unwrap_or_default().parse().map_err(|_| Error::not_found(exposed.kind.name()))
    }
}

/// Refuses members that are the operator's to set, where no endpoint says what may be written. Error: 422 `validation_failed`.
fn open(exposed: &Exposed, caller: &Caller, granted: &Granted, sent: &Map<String, Value>) -> Result<()> {
    if granted.writable.is_none() { exposed.kind.check_sent(caller, sent) } else { Ok(()) }
}

/// The input type of an argument.
fn input<'f>(field: &'f Field, name: &str) -> &'f str {
    field.arguments.iter().find(|argument| argument.name == name).map_or("", |argument| argument.ty.name())
}
